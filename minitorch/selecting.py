"""Finding elements by their size: extremes, sorting, medians. Leans on `op` and `indexing`."""

# Grown in notebooks: 2_04_indexing. Edit there, then `make extract`.

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minitorch.indexing import gather
from minitorch.op import as_tensor, op
from minitorch.operations import maximum, minimum
from minitorch.reductions import amax, amin, share_among_ties
from minitorch.shapes import checked_dim

__all__ = [
    "Array",
    "Selected",
    "argmax",
    "argmin",
    "argsort",
    "bincount",
    "bucketize",
    "max",
    "median",
    "median_of_all",
    "min",
    "picked",
    "searchsorted",
    "sort",
    "topk",
    "unique",
]


Array = np.ndarray


class Selected(NamedTuple):
    """What was found, and where along the dimension it was."""

    values: Any
    indices: Any


# ---- the largest and the smallest ------------------------------------------------------------


@op
def argmax(x: Array, dim: int | None = None, keepdim: bool = False) -> Any:
    """Where the largest element is, the first of several; in the flat x when dim is None."""
    axis = None if dim is None else checked_dim("argmax", dim, x.ndim)
    return np.argmax(x, axis if x.ndim else None, keepdims=keepdim), None


@op
def argmin(x: Array, dim: int | None = None, keepdim: bool = False) -> Any:
    """Where the smallest element is, the first of several; in the flat x when dim is None."""
    axis = None if dim is None else checked_dim("argmin", dim, x.ndim)
    return np.argmin(x, axis if x.ndim else None, keepdims=keepdim), None


def max(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest element of x; max(x, dim): those along dim, and where; max(x, y): `maximum`."""
    if dim is None:
        return amax(x)
    if not isinstance(dim, int):
        return maximum(x, dim)
    x = as_tensor(x)
    checked_dim("max", dim, x.ndim)
    return picked(x, dim, argmax(x, dim, keepdim=True), keepdim)


def min(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest element of x; min(x, dim): those along dim, and where; min(x, y): `minimum`."""
    if dim is None:
        return amin(x)
    if not isinstance(dim, int):
        return minimum(x, dim)
    x = as_tensor(x)
    checked_dim("min", dim, x.ndim)
    return picked(x, dim, argmin(x, dim, keepdim=True), keepdim)


def picked(x: Any, dim: int, indices: Any, keepdim: bool) -> Selected:
    """The elements of x at one index per slice along `dim`."""
    values = gather(x, dim, indices)
    if keepdim or not x.ndim:
        return Selected(values, indices)
    return Selected(values.squeeze(dim), indices.squeeze(dim))


# ---- in order --------------------------------------------------------------------------------


@op
def argsort(x: Array, dim: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """The indices that sort x along `dim`; nan counts as largest.

    Equal elements keep their order: `stable` is there because PyTorch has it.
    """
    axis = checked_dim("argsort", dim, x.ndim)
    if not x.ndim:
        return np.zeros((), np.int64), None
    if not descending:
        return np.argsort(x, axis, kind="stable"), None
    turned = np.argsort(np.flip(x, axis), axis, kind="stable")  # from the end: keeps the order
    return x.shape[axis] - 1 - np.flip(turned, axis), None


def sort(x: Any, dim: int = -1, descending: bool = False, stable: bool = True) -> Selected:
    """The elements in order along `dim`, and where each one was."""
    indices = argsort(x, dim, descending, stable)
    return Selected(gather(x, dim, indices), indices)


def topk(x: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Selected:
    """The `k` largest (or smallest) elements along `dim`, in order, and where each one was."""
    axis = checked_dim("topk", dim, x.ndim)
    size = x.shape[axis] if x.ndim else 1
    if not 0 <= k <= size:
        raise ValueError(f"topk: {k} of the {size} elements along dim {dim} of shape {x.shape}.")
    indices = argsort(x, axis, descending=largest)
    if x.ndim:
        indices = indices.narrow(axis, 0, k)
    return Selected(gather(x, axis, indices), indices)


def unique(
    x: Any,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The different elements (or slices along `dim`) in order; where each went; how many each."""
    values, _, inverse, counts = np.unique(
        x.array, return_index=True, return_inverse=True, return_counts=True, axis=dim
    )
    inverse = inverse.reshape(x.shape if dim is None else -1)
    answers = zip((values, inverse, counts), (True, return_inverse, return_counts), strict=True)
    found = tuple([type(x)(answer) for answer, asked in answers if asked])
    return found if len(found) > 1 else found[0]


def median(x: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle element, of two the lower one; nan where there is one. With dim, also where it is.

    Without `dim`, elements that tie share the gradient evenly.
    """
    if dim is None:
        return median_of_all(x)
    axis = checked_dim("median", dim, x.ndim)
    indices = argsort(x, axis)
    if x.ndim:
        size = x.shape[axis]
        with_nan = np.isnan(x.array).any(axis, keepdims=True)
        middle = np.where(with_nan, size - 1, (size - 1) // 2)  # nan is sorted to the end
        indices = gather(indices, axis, middle)
    return picked(x, axis, indices, keepdim)


@op
def median_of_all(x: Array) -> Any:
    """The middle element of all, of two the lower one."""
    if not x.size:
        raise ValueError(f"median: a tensor of shape {x.shape} has no elements.")
    ordered = np.sort(x, axis=None)
    y = ordered[-1] if np.isnan(ordered[-1]) else ordered[(x.size - 1) // 2]
    return y, lambda grad: share_among_ties(grad, x, y, tuple(range(x.ndim)), keepdim=False)


# ---- counting ---------------------------------------------------------------------------------


def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each whole number from 0 on occurs in the vector x, or the sum of its weights."""
    if x.ndim != 1 or x.dtype.kind not in "iu" or (x.numel() and x.array.min() < 0):
        raise ValueError(
            f"bincount: x is {x.dtype} {x.shape}; it takes a vector of whole numbers from 0 on. "
            "x.flatten().long() makes one."
        )
    if weights is None:
        return as_tensor(np.bincount(x.array, minlength=minlength))
    sums = np.bincount(x.array, as_tensor(weights).array, minlength)
    return as_tensor(sums.astype(np.float32) if weights.dtype == np.float32 else sums)


def searchsorted(
    sorted_sequence: Any,
    values: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Any = None,
) -> Any:
    """The first place in a sorted vector (or per row) where each value may stand, or the last one.

    The last with `right`, or side="right". `sorter` is what argsort says of a vector not in order.
    """
    sequence, wanted = as_tensor(sorted_sequence).array, as_tensor(values).array
    if sorter is not None:
        sequence = np.take_along_axis(sequence, as_tensor(sorter).array, -1)
    if sequence.ndim != 1 and sequence.shape[:-1] != wanted.shape[:-1]:
        raise ValueError(
            f"searchsorted: sequences of shape {sequence.shape} and values of shape {wanted.shape}:"
            " all sizes but the last must be equal, or the sequence one vector."
        )
    end: Any = "right" if right or side == "right" else "left"
    if sequence.ndim == 1:
        places = np.asarray(np.searchsorted(sequence, wanted, end))
    else:
        places = np.empty(wanted.shape, np.int64)
        for row in np.ndindex(wanted.shape[:-1]):
            places[row] = np.searchsorted(sequence[row], wanted[row], end)
    return as_tensor(places.astype(np.int32 if out_int32 else np.int64))


def bucketize(x: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False) -> Any:
    """The number of the interval between sorted `boundaries` in which each element lies."""
    return searchsorted(boundaries, x, out_int32=out_int32, right=right)
