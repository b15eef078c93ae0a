"""Picking elements by their place. Leans on `op` and `shapes`."""

# Grown in notebooks: 2_04_indexing. Edit there, then `make extract`.

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch import operations
from minitorch.op import in_rule, masked, op
from minitorch.shapes import checked_dim

__all__ = [
    "Array",
    "add_back",
    "add_into",
    "argwhere",
    "gather",
    "getitem",
    "grid_along",
    "index_add",
    "index_select",
    "ints_first",
    "masked_select",
    "names_each_once",
    "narrow",
    "nonzero",
    "plain_index",
    "put_into",
    "same_dtype",
    "scatter",
    "scatter_add",
    "select",
    "source_for",
    "take_along_dim",
    "where",
    "whole_index",
]


Array = np.ndarray


# ---- x[index] --------------------------------------------------------------------------------


@op
def getitem(x: Array, index: Any) -> Any:
    """x[index] for ints, slices, None, ..., index arrays and masks.

    An element that is picked more than once gets the sum of its gradients.
    """
    shape, y = x.shape, x[index]
    if not isinstance(y, np.ndarray):  # a single element: numpy copies it, we want a view
        y = x[(*index, ...) if isinstance(index, tuple) else (index, ...)]
    return y, lambda grad: in_rule(add_back, grad, shape, index)


def plain_index(index: Any) -> Any:
    """An index in which tensors have become arrays, and those of a single integer ints."""
    if isinstance(index, tuple):
        return tuple([plain_index(part) for part in index])
    index = getattr(index, "array", index) if not isinstance(index, np.ndarray) else index
    if not isinstance(index, np.ndarray):
        return index
    if index.dtype == np.uint8 and index.ndim:
        raise IndexError(
            "x[index]: an index of uint8 is a mask to PyTorch, but places to numpy. Say which you "
            "mean: index.bool() or index.long()."
        )
    return int(index) if index.ndim == 0 and index.dtype.kind in "iu" else index


def ints_first(index: Any) -> tuple[Any, ...]:
    """The indices to use one after the other: ints beside arrays select before the arrays pick.

    At once, numpy would move the dimensions of the arrays to the front; PyTorch does not.
    """
    parts = index if isinstance(index, tuple) else ()
    whole = [isinstance(part, int | np.integer) and not isinstance(part, bool) for part in parts]
    if not any(whole) or not any(isinstance(part, np.ndarray | list) for part in parts):
        return (index,)
    first: list[Any] = []
    for part, is_int in zip(parts, whole, strict=True):
        if is_int or part is ...:
            first.append(part)
        elif isinstance(part, np.ndarray | list) and np.asarray(part).dtype == np.bool_:
            first += [slice(None)] * np.ndim(part)  # a mask spans as many dimensions as it has
        elif part is not None:
            first.append(slice(None))
    rest = tuple([part for part, is_int in zip(parts, whole, strict=True) if not is_int])
    return tuple(first), rest


@op
def add_back(x: Array, shape: tuple[int, ...], index: Any) -> Any:
    """Zeros of `shape`, with x added at `index`: the way back of `getitem`."""
    whole = np.zeros(shape, x.dtype)
    if names_each_once(index):
        whole[index] = x
    else:
        places = np.arange(whole.size).reshape(shape)[index]
        np.add.at(whole.reshape(-1), places.reshape(-1), np.ravel(x))  # fastest when flat
    return whole, lambda grad: grad[index]


def names_each_once(index: Any) -> bool:
    """Whether no element can appear twice in x[index]: it has no arrays, or only masks."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        part is None
        or part is ...
        or isinstance(part, int | slice | np.integer)
        or (isinstance(part, np.ndarray) and (part.dtype == np.bool_ or part.ndim == 0))
        for part in parts
    )


# ---- along one dimension ---------------------------------------------------------------------


def whole_index(index: Any) -> Array:
    """An index as an array of integers."""
    places = index if isinstance(index, np.ndarray) else np.asarray(getattr(index, "array", index))
    if places.dtype.kind not in "iu" and places.size:
        raise TypeError(f"an index must hold integers, not {places.dtype}. Convert it with long().")
    return places.astype(np.int64, copy=False)


def index_select(x: Any, dim: int, index: Any) -> Any:
    """The slices of x at the places that a one-dimensional `index` lists along `dim`."""
    places = whole_index(index)
    axis = checked_dim("index_select", dim, x.ndim)
    if places.ndim > 1:
        raise ValueError(f"index_select: index has shape {places.shape}; it must be a vector.")
    places, size = places.reshape(-1), x.shape[axis] if x.ndim else 1
    if places.size and not 0 <= places.min() <= places.max() < size:
        wrong = places[(places < 0) | (places >= size)][0]
        raise IndexError(f"index_select: place {wrong} of dim {dim}; valid are 0 to {size - 1}.")
    if x.ndim == 0:
        return getitem(x.reshape(1), places).reshape(())
    return getitem(x, (slice(None),) * axis + (places,))


@op
def narrow(x: Array, dim: int, start: int, length: int) -> Any:
    """`length` slices along `dim`, from `start` on; a view."""
    axis, shape = checked_dim("narrow", dim, x.ndim), x.shape
    if x.ndim == 0:
        raise ValueError("narrow: a single number has no dimension to narrow.")
    begin = start + shape[axis] if start < 0 else start
    if length < 0 or not 0 <= begin <= begin + length <= shape[axis]:
        raise IndexError(
            f"narrow: {length} from {start} reaches beyond dimension {dim} of shape {shape}."
        )
    index = (slice(None),) * axis + (slice(begin, begin + length),)
    return x[index], lambda grad: in_rule(add_back, grad, shape, index)


def select(x: Any, dim: int, index: int) -> Any:
    """The slice at `index` of dimension `dim`, which disappears."""
    axis = checked_dim("select", dim, x.ndim)
    return getitem(x, (slice(None),) * axis + (int(index),))


def masked_select(x: Any, mask: Any) -> Any:
    """The elements where `mask` is true, one after the other; the two broadcast."""
    shape = np.broadcast_shapes(x.shape, mask.shape)
    if mask.dtype != np.bool_:
        raise TypeError(f"masked_select: the mask is {mask.dtype}, not bool. Compare it: x > 0.")
    return getitem(x.expand(*shape), np.broadcast_to(mask.array, shape))


def nonzero(x: Any, as_tuple: bool = False) -> Any:
    """The places of the elements that are not 0: (count, ndim), or one vector per dimension."""
    places = np.nonzero(x.array) if x.ndim else np.nonzero(x.array.reshape(1))[: x.ndim]
    vectors = tuple(type(x)(place) for place in places)
    if as_tuple:
        return vectors
    return type(x)(np.argwhere(x.array))


def argwhere(x: Any) -> Any:
    """The places of the elements that are not 0, one per row: (count, ndim)."""
    return nonzero(x)


def where(condition: Any, a: Any = None, b: Any = None) -> Any:
    """`a` where the condition is true, else b; without them, the places where it is true."""
    if a is None and b is None:
        return nonzero(condition, as_tuple=True)
    return operations.where(condition, a, b)


# ---- one index per element -------------------------------------------------------------------


def grid_along(name: str, x: Any, dim: int, index: Any) -> tuple[Array, ...]:
    """The full index by which `index` picks along `dim`, and everything else stays in its place.

    Raises ValueError when index has other dimensions than x or is longer than x but along `dim`,
    IndexError when it points outside.
    """
    places, axis = whole_index(index), checked_dim(name, dim, x.ndim)
    pairs = enumerate(zip(places.shape, x.shape, strict=False))
    too_long = any(have > most for k, (have, most) in pairs if k != axis)
    if (places.ndim or 1) != (x.ndim or 1) or too_long:
        raise ValueError(
            f"{name}: index of shape {places.shape} does not fit x of shape {x.shape}. It needs as "
            f"many dimensions, and may be longer only along dim {dim}."
        )
    size = x.shape[axis] if x.ndim else 1
    if places.size and not 0 <= places.min() <= places.max() < size:
        wrong = places[(places < 0) | (places >= size)].flat[0]
        raise IndexError(f"{name}: index {wrong} for dim {dim}; valid are 0 to {size - 1}.")
    if not places.ndim:
        return (places,) * x.ndim
    grid: list[Array] = [*np.indices(places.shape, sparse=True)]
    grid[axis] = places
    return tuple(grid)


@op
def gather(x: Array, dim: int, index: Any) -> Any:
    """For each element of `index` the element of x that lies there along `dim`."""
    grid, shape = grid_along("gather", x, dim, index), x.shape
    if not shape and grid:  # a list of places in a single number
        return x.reshape(1)[grid], lambda grad: np.add.reduce(grad, axis=0)
    return x[grid], lambda grad: in_rule(add_back, grad, shape, grid)


def take_along_dim(x: Any, index: Any, dim: int | None = None) -> Any:
    """`gather`, with x and index broadcast to each other; over the flat x when dim is None."""
    places = whole_index(index)
    if dim is None:
        return gather(x.reshape(-1), 0, places.reshape(-1))
    axis = checked_dim("take_along_dim", dim, x.ndim)
    sizes = [[*each.shape[:axis], 1, *each.shape[axis + 1 :]] for each in (x, places)]
    shape = [*np.broadcast_shapes(*map(tuple, sizes))]
    places = places + x.shape[axis] * (places < 0)
    whole, wanted = [*shape], [*shape]
    whole[axis], wanted[axis] = x.shape[axis], places.shape[axis]
    return gather(x.expand(*whole), axis, np.broadcast_to(places, wanted))


# ---- writing into a copy ---------------------------------------------------------------------


@op
def add_into(x: Array, source: Array, index: Any) -> Any:
    """A copy of x with `source` added at x[index], as often as an element is named there."""
    y = x.copy()
    np.add.at(y, index, source)
    return y, (lambda grad: grad, lambda grad: grad[index])


@op
def put_into(x: Array, source: Array, index: Any) -> Any:
    """A copy of x with `source` at x[index]; of two for one element the last one stays."""
    y = x.copy()
    y[index] = source
    overwritten = np.zeros(x.shape, np.bool_)
    overwritten[index] = True

    def to_source(grad: Array) -> Array:
        last = np.zeros(x.shape, np.int64)
        number = np.arange(last[index].size).reshape(last[index].shape)
        last[index] = number
        return masked(grad[index], last[index] == number)

    return y, (lambda grad: masked(grad, ~overwritten), to_source)


def scatter_add(x: Any, dim: int, index: Any, src: Any) -> Any:
    """A copy of x with each element of `src` added at the place that `index` gives along `dim`."""
    grid = grid_along("scatter_add", x, dim, index)
    return add_into(x, source_for("scatter_add", x, src, index), grid)


def scatter(x: Any, dim: int, index: Any, src: Any) -> Any:
    """A copy of x with each element of `src` at the place that `index` gives along `dim`."""
    grid = grid_along("scatter", x, dim, index)
    return put_into(x, source_for("scatter", x, src, index), grid)


def same_dtype(name: str, x: Any, source: Any) -> None:
    """Raise TypeError where `source` is a tensor of another dtype than x."""
    if isinstance(source, type(x)) and source.dtype != x.dtype:
        raise TypeError(
            f"{name}: the source is {source.dtype}, but x {x.dtype}. Convert one of them, as with "
            "source.to(x.dtype)."
        )


def source_for(name: str, x: Any, source: Any, index: Any) -> Any:
    """The part of `source` that an index uses; numbers as they are."""
    same_dtype(name, x, source)
    shape, places = getattr(source, "shape", ()), whole_index(index)
    if shape == places.shape or not shape:
        return source
    if len(shape) != places.ndim or any(np.array(shape) < places.shape):
        raise ValueError(
            f"{name}: index of shape {places.shape} needs a src that is at least as large in every "
            f"dimension, not {shape}."
        )
    return getitem(source, tuple(slice(0, size) for size in places.shape))


def index_add(x: Any, dim: int, index: Any, source: Any, *, alpha: float = 1) -> Any:
    """A copy of x with `alpha` times the slices of `source` added at the places in `index`."""
    same_dtype("index_add", x, source)
    places, axis = whole_index(index), checked_dim("index_add", dim, x.ndim)
    expected = (*x.shape[:axis], places.size, *x.shape[axis + 1 :])
    if places.size == 1 and not x.ndim:
        return index_add(
            x.reshape(1), 0, places.reshape(1), source.reshape(1), alpha=alpha
        ).reshape()
    if places.ndim != 1 or source.shape != expected:
        raise ValueError(
            f"index_add: {places.size} places along dim {dim} of shape {x.shape} take a source of "
            f"shape {expected}, not {source.shape}."
        )
    scaled = source if alpha == 1 else source * alpha
    return add_into(x, scaled, (slice(None),) * axis + (places,))
