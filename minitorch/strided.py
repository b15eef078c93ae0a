"""Windows that slide over a dimension, and any other view of the same memory. Leans on `op`."""

# Grown in notebooks: 2_03_shapes. Edit there, then `make extract`.

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided as view_with_strides
from numpy.lib.stride_tricks import sliding_window_view

from minitorch.op import in_rule, op
from minitorch.shapes import checked_dim

__all__ = ["Array", "add_strided", "as_strided", "fold_windows", "unfold"]


Array = np.ndarray


@op
def unfold(x: Array, dimension: int, size: int, step: int) -> Any:
    """All windows of `size` elements along a dimension, `step` apart, in a new last dimension.

    Windows may overlap: an element gets the sum of the gradients from all windows that hold it.
    """
    dim, shape = checked_dim("unfold", dimension, x.ndim), x.shape or (1,)
    if not 0 <= size <= shape[dim] or step < 1:
        raise ValueError(
            f"unfold: windows of {size}, {step} apart, do not fit dim {dim} of shape {shape}. "
            "The size must be at most the dimension's, the step at least 1."
        )
    if not x.ndim:
        return x.reshape(1)[:size], lambda grad: np.add.reduce(grad, axis=0)
    windows = sliding_window_view(x, size, axis=dim, writeable=True)
    every = (slice(None),) * dim + (slice(None, None, step),)
    return windows[every], lambda grad: in_rule(fold_windows, grad, shape, dim, step)


@op
def fold_windows(x: Array, shape: tuple[int, ...], dim: int, step: int) -> Any:
    """The sum of windows laid back to where `unfold` took them from."""
    whole = np.zeros(shape, x.dtype)
    count, size = x.shape[dim], x.shape[-1]
    for offset in range(size):  # one strided addition per place in the window: no slow add.at
        places = slice(offset, offset + (count - 1) * step + 1, step)
        whole[(slice(None),) * dim + (places,)] += x[..., offset]
    return whole, lambda grad: in_rule(unfold, grad, dim, size, step)


@op
def as_strided(
    x: Array, size: Sequence[int], stride: Sequence[int], storage_offset: int = 0
) -> Any:
    """A view in which one step along dimension k is `stride[k]` elements further in memory.

    Windows that overlap share elements; an element gets the sum of the gradients from all places
    where it appears. Raises ValueError where the memory of x is not in row-major order.
    """
    before, shape, steps = x.shape, tuple(size), tuple(stride)
    if not x.flags.c_contiguous:
        raise ValueError(
            f"as_strided: x of shape {before} is not contiguous: its memory is in another order. "
            "Say x.contiguous().as_strided(...)."
        )
    reach = int(np.dot(steps, np.subtract(shape, 1)))
    if math.prod(shape) and not 0 <= storage_offset <= storage_offset + reach < x.size:
        raise ValueError(
            f"as_strided: size {shape} with stride {steps} from {storage_offset} reaches beyond "
            f"the {x.size} elements of shape {before}."
        )
    if min(steps, default=0) < 0:
        raise ValueError(f"as_strided: negative stride in {steps}; flip() turns the order.")
    flat = x.reshape(-1)[storage_offset:]
    view = view_with_strides(flat, shape, [step * x.itemsize for step in steps])
    return view, lambda grad: in_rule(add_strided, grad, before, steps, storage_offset)


@op
def add_strided(
    x: Array, shape: tuple[int, ...], stride: tuple[int, ...], storage_offset: int
) -> Any:
    """Zeros of `shape`, with x added at the places where `as_strided` took its elements from."""
    whole, size = np.zeros(shape, x.dtype), x.shape
    places = np.full(size, storage_offset)
    grids: Sequence[Array] = np.indices(size, sparse=True)
    for count, step, grid in zip(size, stride, grids, strict=True):
        places += step * grid if count else 0
    np.add.at(whole.reshape(-1), places.reshape(-1), np.ravel(x))
    return whole, lambda grad: in_rule(as_strided, grad, size, stride, storage_offset)
