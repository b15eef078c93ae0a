"""Putting tensors together and taking them apart. Leans on `op`, `shapes` and `indexing`."""

# Grown in notebooks: 2_04_indexing. Edit there, then `make extract`.

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from minitorch.indexing import index_select, narrow, select, whole_index
from minitorch.op import op
from minitorch.shapes import checked_dim, constant_pad, shrink

__all__ = [
    "Array",
    "cat",
    "chunk",
    "concatenate",
    "hstack",
    "meshgrid",
    "pad",
    "pad_pairs",
    "repeat_interleave",
    "split",
    "stack",
    "unbind",
    "vstack",
]


Array = np.ndarray


# ---- together --------------------------------------------------------------------------------


def cat(tensors: Sequence[Any], dim: int = 0) -> Any:
    """The tensors one after the other along `dim`, along which alone their sizes may differ."""
    try:
        tensors = [each for each in tensors if each.shape != (0,)] or tensors  # fits anywhere
    except AttributeError as error:
        raise TypeError(f"cat: takes a list of tensors. {error}.") from error
    shapes = [each.shape for each in tensors]
    if not shapes:
        raise ValueError("cat: there is no tensor to join.")
    if () in shapes:
        raise ValueError("cat: single numbers have no dimension to join; stack makes one.")
    axis = checked_dim("cat", dim, len(shapes[0]))
    if len({(len(shape), shape[:axis], shape[axis + 1 :]) for shape in shapes}) > 1:
        raise ValueError(
            f"cat: shapes {', '.join(map(str, shapes))} differ elsewhere than in dim {dim}, along "
            "which they are joined."
        )
    return concatenate(*tensors, dim=axis)


@op
def concatenate(*tensors: Array, dim: int) -> Any:
    """The op behind `cat`: each tensor gets back the part of the gradient that it filled."""
    ends = np.cumsum([0] + [each.shape[dim] for each in tensors])

    def rule_for(start: int, end: int) -> Any:
        part = (slice(None),) * dim + (slice(start, end),)
        return lambda grad: grad[part]

    rules = tuple(rule_for(int(start), int(end)) for start, end in pairwise(ends))
    return np.concatenate(tensors, dim), rules


def stack(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Tensors of one shape side by side along a new dimension `dim`."""
    if not tensors:
        raise ValueError("stack: there is no tensor to join.")
    shapes = [each.shape for each in tensors]
    if len(set(shapes)) > 1:
        raise ValueError(f"stack: all shapes must be equal, not {', '.join(map(str, shapes))}.")
    return cat(
        [each.unsqueeze(dim) for each in tensors], checked_dim("stack", dim, len(shapes[0]) + 1)
    )


def vstack(tensors: Sequence[Any]) -> Any:
    """Rows, or matrices, one below the other."""
    return cat([each.reshape(1, -1) if each.ndim < 2 else each for each in tensors])


def hstack(tensors: Sequence[Any]) -> Any:
    """Vectors in one line, or matrices side by side."""
    vectors = [each.reshape(-1) if each.ndim < 2 else each for each in tensors]
    return cat(vectors, 0 if vectors[0].ndim == 1 else 1)


# ---- apart: every part is a view -------------------------------------------------------------


def split(x: Any, split_size: int | Sequence[int], dim: int = 0) -> tuple[Any, ...]:
    """Parts of `split_size` along `dim`, the last one perhaps smaller; or of the sizes given."""
    axis = checked_dim("split", dim, x.ndim)
    if not x.ndim:
        raise ValueError("split: a single number has no dimension to split.")
    total = x.shape[axis]
    if isinstance(split_size, int):
        if split_size < 1 and not split_size == total == 0:
            raise ValueError(f"split: a size of {split_size} leads nowhere; give at least 1.")
        rest = total % (split_size or 1)
        sizes = [split_size] * (total // (split_size or 1)) + [rest] * (rest > 0 or not total)
    else:
        sizes = [*split_size]
    if sum(sizes) != total or any(size < 0 for size in sizes):
        raise ValueError(
            f"split: sizes {sizes} add up to {sum(sizes)}, but dim {dim} of shape {x.shape} has "
            f"{total}."
        )
    ends = np.cumsum(sizes)
    return tuple(
        narrow(x, axis, int(end) - size, size) for end, size in zip(ends, sizes, strict=True)
    )


def chunk(x: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """At most `chunks` parts of one size along `dim`, the last one perhaps smaller."""
    if chunks < 1:
        raise ValueError(f"chunk: {chunks} chunks; give at least 1.")
    axis = checked_dim("chunk", dim, x.ndim)
    total = x.shape[axis] if x.ndim else 1
    return split(x, -(-total // chunks) if total else [0] * chunks, axis)


def unbind(x: Any, dim: int = 0) -> tuple[Any, ...]:
    """The slices along `dim`, one by one, without that dimension."""
    axis = checked_dim("unbind", dim, x.ndim)
    if not x.ndim:
        raise ValueError("unbind: a single number has no dimension to take apart.")
    return tuple(select(x, axis, place) for place in range(x.shape[axis]))


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Any, ...]:
    """Vectors laid out over the grid that they span; "xy" exchanges the first two dimensions."""
    if indexing not in ("ij", "xy"):
        raise ValueError(f'meshgrid: indexing is {indexing!r}; it may be "ij" or "xy".')
    vectors = tensors[0] if isinstance(tensors[0], Sequence) else tensors
    sizes = [each.numel() for each in vectors]
    grids = []
    for dim, each in enumerate(vectors):
        along = [1] * len(sizes)
        along[dim] = sizes[dim]
        grid = each.reshape(*along).expand(*sizes)
        grids.append(grid.transpose(0, 1) if indexing == "xy" and len(sizes) > 1 else grid)
    return tuple(grids)


# ---- more of the same ------------------------------------------------------------------------


def repeat_interleave(x: Any, repeats: Any, dim: int | None = None) -> Any:
    """Each slice along `dim` (None: each element) `repeats` times before the next one follows."""
    flat = x.reshape(-1) if dim is None else x
    axis = checked_dim("repeat_interleave", dim or 0, flat.ndim)
    times = whole_index(repeats)
    return index_select(flat, axis, np.repeat(np.arange(flat.shape[axis]), times))


def pad(x: Any, padding: Sequence[Any], mode: str = "constant", value: float = 0.0) -> Any:
    """With more around it: (before, after) per dimension, or PyTorch's flat list, last one first.

    `mode` says with what: "constant" with `value`, "replicate" with the border, "reflect" with
    what lies before the border, "circular" with the other end. A negative width takes away.
    """
    given, pairs = x, pad_pairs(padding, x.ndim)
    takes_away = any(width < 0 for pair in pairs for width in pair)
    for dim, (size, (a, b)) in enumerate(zip(x.shape, pairs, strict=True)):
        if size + a * (a < 0) + b * (b < 0) < 0:
            raise ValueError(f"pad: {(a, b)} takes more than there is in dim {dim} of {x.shape}.")
    if takes_away and mode in ("constant", "circular"):
        sizes = zip(x.shape, pairs, strict=True)
        x = shrink(x, [(-a * (a < 0), size + b * (b < 0)) for size, (a, b) in sizes])
        pairs = [(a * (a > 0), b * (b > 0)) for a, b in pairs]
    if mode == "constant":
        return constant_pad(x, pairs, value)
    names: dict[str, Any] = {"replicate": "edge", "reflect": "reflect", "circular": "wrap"}
    if mode not in names:
        raise ValueError(f"pad: mode {mode!r} is none of constant, {', '.join(names)}.")
    for dim, (size, (a, b)) in enumerate(zip(x.shape, pairs, strict=True)):
        most = {"reflect": size - 1, "circular": size, "replicate": np.inf}[mode]
        if a == b == 0:
            continue
        if a > most or b > most:
            raise ValueError(
                f"pad: {(a, b)} is more than {mode} finds in dim {dim} of shape {x.shape}."
            )
        # Padding is picking, some elements more than once.
        index = np.pad(np.arange(size), (a * (a > 0), b * (b > 0)), mode=names[mode])
        x = index_select(x, dim, index[-a * (a < 0) : index.size + b * (b < 0)])
    return x.clone() if x is given or takes_away else x  # never a view


def pad_pairs(padding: Sequence[Any], ndim: int) -> list[tuple[int, int]]:
    """(before, after) for each of `ndim` dimensions, from either way to write a padding."""
    flat = not any(isinstance(each, Sequence) or each is None for each in padding)
    if flat:
        pairs = [(padding[k], padding[k + 1]) for k in range(0, len(padding) - 1, 2)][::-1]
        pairs = [(0, 0)] * (ndim - len(pairs)) + pairs
    else:
        pairs = [(0, 0) if pair is None else (pair[0], pair[1]) for pair in padding]
    if len(pairs) != ndim or (flat and len(padding) % 2):
        raise ValueError(
            f"pad: {padding} does not fit {ndim} dimensions. Give (before, after) for each, "
            "or a flat list of such pairs that begins with the last dimension."
        )
    return pairs
