"""Movement: the same numbers in another shape or order. Leans on `op`.

Where numpy can, the result is a view and shares memory with its input.
"""

# Grown in notebooks: 2_03_shapes. Edit there, then `make extract`.

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minitorch.op import op

__all__ = [
    "Array",
    "expand",
    "flat_sizes",
    "flatten",
    "pad",
    "pad_pairs",
    "permute",
    "reshape",
    "shrink",
    "squeeze",
    "transpose",
    "unsqueeze",
]


Array = np.ndarray


def flat_sizes(sizes: tuple[Any, ...]) -> tuple[int, ...]:
    """Sizes given one by one, `f(2, 3)`, or as one sequence, `f((2, 3))`."""
    if len(sizes) == 1 and isinstance(sizes[0], Sequence):
        return tuple(sizes[0])
    return sizes


@op
def reshape(x: Array, *shape: int) -> Any:
    """The same elements, in row-major order, in another shape; one size may be -1."""
    before = x.shape
    return x.reshape(flat_sizes(shape)), lambda grad: grad.reshape(before)


@op
def flatten(x: Array, start_dim: int = 0, end_dim: int = -1) -> Any:
    """The dimensions from `start_dim` to `end_dim`, inclusive, merged into one."""
    before = x.shape
    start, end = range(x.ndim or 1)[start_dim], range(x.ndim or 1)[end_dim]
    if start > end:
        raise ValueError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}.")
    merged = math.prod(before[start : end + 1])
    shape = (*before[:start], merged, *before[end + 1 :])
    return x.reshape(shape), lambda grad: grad.reshape(before)


@op
def squeeze(x: Array, dim: int | tuple[int, ...] | None = None) -> Any:
    """Without dimensions of size 1: all of them, or those in `dim` that have size 1."""
    before = x.shape
    dims = range(x.ndim) if dim is None else (dim,) if isinstance(dim, int) else dim
    ones = tuple(dim for dim in dims if x.ndim and before[dim] == 1)
    return np.squeeze(x, axis=ones), lambda grad: grad.reshape(before)


@op
def unsqueeze(x: Array, dim: int) -> Any:
    """With a new dimension of size 1 at `dim`."""
    before = x.shape
    return np.expand_dims(x, dim), lambda grad: grad.reshape(before)


@op
def permute(x: Array, *dims: int) -> Any:
    """The dimensions in the given order."""
    order = flat_sizes(dims)
    back = np.argsort([range(x.ndim)[dim] for dim in order])
    return np.transpose(x, order), lambda grad: np.transpose(grad, back)


@op
def transpose(x: Array, dim0: int = -2, dim1: int = -1) -> Any:
    """Two dimensions exchanged; of a matrix, its transpose."""
    return np.swapaxes(x, dim0, dim1), lambda grad: np.swapaxes(grad, dim0, dim1)


@op
def expand(x: Array, *shape: int) -> Any:
    """Repeated, without copying, along dimensions of size 1 and new leading ones; -1 keeps a size.

    The gradient of what was repeated is the sum, which the engine takes for every op.
    """
    sizes = flat_sizes(shape)
    kept = (1,) * (len(sizes) - x.ndim) + x.shape
    full = tuple(have if size == -1 else size for size, have in zip(sizes, kept, strict=True))
    return np.broadcast_to(x, full), lambda grad: grad


@op
def pad(x: Array, padding: Sequence[Any], value: float = 0.0) -> Any:
    """With `value` around it: (before, after) per dimension, or PyTorch's flat list, last first."""
    pairs = pad_pairs(padding, x.ndim)
    inner = tuple(
        slice(before, before + size) for (before, _), size in zip(pairs, x.shape, strict=True)
    )
    return np.pad(x, pairs, constant_values=value), lambda grad: grad[inner]


def pad_pairs(padding: Sequence[Any], ndim: int) -> list[tuple[int, int]]:
    """(before, after) for each of `ndim` dimensions, from either way to write a padding."""
    if padding and not isinstance(padding[0], Sequence):
        pairs = [(padding[k], padding[k + 1]) for k in range(0, len(padding) - 1, 2)][::-1]
        pairs = [(0, 0)] * (ndim - len(pairs)) + pairs
    else:
        pairs = [tuple(pair) for pair in padding]
    if len(pairs) != ndim or min((width for pair in pairs for width in pair), default=0) < 0:
        raise ValueError(
            f"pad: {padding} does not fit {ndim} dimensions. Give (before, after), none negative, "
            "for each of them, or a flat list beginning with the last; shrink takes away."
        )
    return pairs


@op
def shrink(x: Array, ranges: Sequence[tuple[int, int] | None]) -> Any:
    """The part from start to end in each dimension; None keeps a whole dimension."""
    if len(ranges) != x.ndim:
        raise ValueError(f"shrink: {len(ranges)} ranges for a tensor of shape {x.shape}.")
    part = tuple(slice(*(each or (None,))) for each in ranges)
    shape, dtype = x.shape, x.dtype

    def backward(grad: Array) -> Array:
        whole = np.zeros(shape, dtype)
        whole[part] = grad
        return whole

    return x[part], backward
