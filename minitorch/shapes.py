"""Movement: the same numbers in another shape or order. Leans on `op`.

Where numpy can, the result is a view and shares memory with its input.
"""

# Grown in notebooks: 2_03_shapes. Edit there, then `make extract`.

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minitorch.op import in_rule, op

__all__ = [
    "Array",
    "all_turned",
    "checked_dim",
    "checked_dims",
    "constant_pad",
    "expand",
    "expand_as",
    "flat_sizes",
    "flatten",
    "flip",
    "movedim",
    "permute",
    "put_back",
    "ravel",
    "repeat",
    "reshape",
    "reshape_as",
    "roll",
    "shrink",
    "squeeze",
    "stride",
    "t",
    "tile",
    "transpose",
    "unflatten",
    "unsqueeze",
]


Array = np.ndarray


# ---- which dimension is meant ----------------------------------------------------------------


def checked_dim(name: str, dim: Any, ndim: int) -> int:
    """`dim`, which may count from the end, as a number from 0; IndexError when there is no such."""
    count = ndim or 1  # a single number lets itself be asked about dimension 0, as in PyTorch
    if not hasattr(dim, "__index__"):
        raise TypeError(f"{name}: dim must be a whole number, not {dim!r}.")
    if not -count <= dim < count:
        raise IndexError(
            f"{name}: dim {dim} of a tensor with {ndim} dimensions; valid are {-count} to "
            f"{count - 1}."
        )
    return int(dim) % count


def checked_dims(name: str, dims: Any, ndim: int) -> tuple[int, ...]:
    """Several dimensions, or one, counted from 0; ValueError when one is named twice."""
    several = dims if isinstance(dims, Sequence) else (dims,)
    checked = tuple([checked_dim(name, dim, ndim) for dim in several])
    if len(set(checked)) != len(checked):
        raise ValueError(f"{name}: dims {tuple(several)} name one dimension twice.")
    return checked


def flat_sizes(sizes: tuple[Any, ...]) -> tuple[int, ...]:
    """Sizes given one by one, `f(2, 3)`, or as one sequence, `f((2, 3))`."""
    if len(sizes) == 1 and isinstance(sizes[0], Sequence):
        return tuple(sizes[0])
    return sizes


# ---- another shape, the same order -----------------------------------------------------------


@op
def reshape(x: Array, *shape: int) -> Any:
    """The same elements, in row-major order, in another shape; one size may be -1."""
    before, after = x.shape, flat_sizes(shape)
    try:
        return x.reshape(after), lambda grad: grad.reshape(before)
    except ValueError as error:
        raise ValueError(
            f"reshape: {x.size} elements of shape {before} do not fit into {after}. "
            "The sizes must multiply to the same number; one of them may be -1."
        ) from error


def ravel(x: Any) -> Any:
    """All elements in one dimension, in row-major order."""
    return reshape(x, -1)


def reshape_as(x: Any, other: Any) -> Any:
    """`x` in the shape of `other`."""
    return reshape(x, *other.shape)


@op
def unflatten(x: Array, dim: int, sizes: Sequence[int]) -> Any:
    """Dimension `dim` split into several; one size may be -1."""
    before, place = x.shape, checked_dim("unflatten", dim, x.ndim)
    try:
        shape = np.empty(before[place], np.bool_).reshape(tuple(sizes)).shape
    except ValueError as error:
        raise ValueError(
            f"unflatten: size {before[place]} of dim {dim} does not split into {tuple(sizes)}."
        ) from error
    after = (*before[:place], *shape, *before[place + 1 :])
    return x.reshape(after), lambda grad: grad.reshape(before)


@op
def flatten(x: Array, start_dim: int = 0, end_dim: int = -1) -> Any:
    """The dimensions from `start_dim` to `end_dim`, inclusive, merged into one."""
    before = x.shape
    start, end = (checked_dim("flatten", dim, x.ndim) for dim in (start_dim, end_dim))
    if start > end:
        raise ValueError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}.")
    merged = math.prod(before[start : end + 1])
    shape = (*before[:start], merged, *before[end + 1 :])
    return x.reshape(shape), lambda grad: grad.reshape(before)


@op
def squeeze(x: Array, dim: int | tuple[int, ...] | None = None) -> Any:
    """Without dimensions of size 1: all of them, or those in `dim` that have size 1."""
    before = x.shape
    dims = range(x.ndim) if dim is None else checked_dims("squeeze", dim, x.ndim)
    shape = [size for k, size in enumerate(before) if size != 1 or k not in dims]
    return x.reshape(shape), lambda grad: grad.reshape(before)


@op
def unsqueeze(x: Array, dim: int) -> Any:
    """With a new dimension of size 1 at `dim`."""
    before, place = x.shape, checked_dim("unsqueeze", dim, x.ndim + 1)
    return x.reshape(*before[:place], 1, *before[place:]), lambda grad: grad.reshape(before)


# ---- another order ---------------------------------------------------------------------------


@op
def permute(x: Array, dims: Any = (), *more: int) -> Any:
    """The dimensions in the given order."""
    named = flat_sizes((dims, *more))
    order = checked_dims("permute", named, x.ndim) if x.ndim else ()
    if len(order) != x.ndim:
        raise ValueError(
            f"permute: {named} names {len(order)} of the {x.ndim} dimensions of shape "
            f"{x.shape}; name each once."
        )
    back = tuple(int(place) for place in np.argsort(order))
    return np.transpose(x, order), lambda grad: np.transpose(grad, back)


@op
def transpose(x: Array, dim0: int = -2, dim1: int = -1) -> Any:
    """Two dimensions exchanged; of a matrix, its transpose."""
    first, second = (checked_dim("transpose", dim, x.ndim) for dim in (dim0, dim1))
    if x.ndim == 0:
        return x, lambda grad: grad
    return np.swapaxes(x, first, second), lambda grad: np.swapaxes(grad, first, second)


def t(x: Any) -> Any:
    """Of a matrix its transpose; of fewer dimensions the same."""
    if x.ndim > 2:
        raise ValueError(
            f"t: a tensor of shape {x.shape} has more than 2 dimensions. Say which to exchange: "
            "transpose(dim0, dim1)."
        )
    return all_turned(x)


def all_turned(x: Any) -> Any:
    """The dimensions in reverse order; of a matrix, its transpose."""
    return transpose(x) if x.ndim == 2 else permute(x, *reversed(range(x.ndim)))


@op
def movedim(x: Array, source: Any, destination: Any) -> Any:
    """Dimension `source` (or several) moved to `destination`; the others keep their order."""
    starts = checked_dims("movedim", source, x.ndim)
    ends = checked_dims("movedim", destination, x.ndim)
    if x.ndim == 0:
        return x, lambda grad: grad
    return np.moveaxis(x, starts, ends), lambda grad: np.moveaxis(grad, ends, starts)


@op
def flip(x: Array, dims: Any = (), *more: int) -> Any:
    """The order of the elements reversed along `dims`."""
    turned = checked_dims("flip", flat_sizes((dims, *more)), x.ndim) if x.ndim else ()
    return np.flip(x, turned).copy("K"), lambda grad: np.flip(grad, turned)


@op
def roll(x: Array, shifts: Any, dims: Any = None) -> Any:
    """Elements shifted along `dims`, those that fall off coming in again; None rolls it flat."""
    steps = tuple(shifts) if isinstance(shifts, Sequence) else (shifts,)
    axes = None if dims is None else dims if isinstance(dims, Sequence) else (dims,)
    if len(steps) != (1 if axes is None else len(axes)):
        raise ValueError(f"roll: {shifts} shifts for dims {dims}; give one shift for each.")
    axes = axes and tuple([checked_dim("roll", dim, x.ndim) for dim in axes])
    back = tuple(-step for step in steps)
    if axes is None:
        return np.roll(x, steps[0]), lambda grad: np.roll(grad, back[0])
    return np.roll(x, steps, axes), lambda grad: np.roll(grad, back, axes)


# ---- more, by repeating ----------------------------------------------------------------------


@op
def expand(x: Array, *shape: int) -> Any:
    """Repeated, without copying, along dimensions of size 1 and new leading ones; -1 keeps a size.

    The gradient of what was repeated is the sum, which the engine takes for every op.
    """
    sizes = flat_sizes(shape)
    added = len(sizes) - x.ndim
    kept = (-1,) * added + x.shape
    full = tuple(have if size == -1 else size for size, have in zip(sizes, kept, strict=False))
    if added < 0 or min(full, default=0) < 0:
        raise ValueError(
            f"expand: {sizes} is no shape for a tensor of shape {x.shape}. New dimensions come "
            "first and need a size; -1 keeps the size of one that is there."
        )
    return np.broadcast_to(x, full), lambda grad: grad


def expand_as(x: Any, other: Any) -> Any:
    """`x`, repeated to the shape of `other`."""
    return expand(x, *other.shape)


@op
def repeat(x: Array, *sizes: int) -> Any:
    """Copies of the whole, `sizes[dim]` of them along each dimension; new dimensions come first."""
    times = flat_sizes(sizes)
    added = len(times) - x.ndim
    if added < 0 or min(times, default=0) < 0:
        raise ValueError(
            f"repeat: {times} does not fit shape {x.shape}. Give a number of copies, 0 or more, "
            "for every dimension."
        )
    one_copy = (1,) * added + x.shape
    pairs = [size for pair in zip(times, one_copy, strict=True) for size in pair]
    copies, before = tuple(range(0, 2 * len(times), 2)), x.shape

    def backward(grad: Array) -> Array:
        return np.add.reduce(grad.reshape(pairs), axis=copies).reshape(before)

    return np.tile(x, times), backward


def tile(x: Any, *sizes: int) -> Any:
    """`repeat`, but dimensions without a number of copies keep one."""
    times = flat_sizes(sizes)
    return repeat(x, *(1,) * (x.ndim - len(times)), *times)


# ---- more around it, or less -----------------------------------------------------------------


@op
def constant_pad(x: Array, pairs: Sequence[tuple[int, int]], value: float = 0.0) -> Any:
    """With `value` around it: (before, after) for each dimension, none of them negative."""
    inner = tuple(
        slice(before, before + size) for (before, _), size in zip(pairs, x.shape, strict=True)
    )
    shape = [size + before + after for size, (before, after) in zip(x.shape, pairs, strict=True)]
    whole = np.full_like(x, value, shape=shape)  # in the memory order of x
    whole[inner] = x
    return whole, lambda grad: grad[inner]


@op
def shrink(x: Array, ranges: Sequence[tuple[int, int] | None]) -> Any:
    """The part from start to end in each dimension; None keeps a whole dimension."""
    if len(ranges) != x.ndim:
        raise ValueError(
            f"shrink: {len(ranges)} ranges for a tensor of shape {x.shape}; give (start, end) or "
            "None for each dimension."
        )
    bounds = [given or (0, size) for given, size in zip(ranges, x.shape, strict=True)]
    for dim, ((start, end), size) in enumerate(zip(bounds, x.shape, strict=True)):
        if not 0 <= start <= end <= size:
            raise ValueError(
                f"shrink: from {start} to {end} is no part of dim {dim} of shape {x.shape}, which "
                f"goes from 0 to {size}."
            )
    cut = [(start, size - end) for (start, end), size in zip(bounds, x.shape, strict=True)]
    parts = tuple(slice(start, end) for start, end in bounds)
    return x[parts], lambda grad: in_rule(constant_pad, grad, cut)


@op
def stride(x: Array, steps: Sequence[int]) -> Any:
    """Every k-th element along each dimension; where k is negative, from the end."""
    if len(steps) != x.ndim or 0 in steps:
        raise ValueError(
            f"stride: steps {tuple(steps)} for a tensor of shape {x.shape}; give one for each "
            "dimension, not 0."
        )
    index, shape = tuple(slice(None, None, step) for step in steps), x.shape
    return x[index], lambda grad: in_rule(put_back, grad, shape, index)


@op
def put_back(x: Array, shape: tuple[int, ...], index: Any) -> Any:
    """Zeros of `shape` with x at `index`, which names no element twice: the way back of a view."""
    whole = np.zeros(shape, x.dtype)
    whole[index] = x
    return whole, lambda grad: grad[index]
