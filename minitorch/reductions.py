"""Reductions: many numbers into one, along `dim`. Leans on `op` and `shapes`.

`dim` is None for all dimensions, one dimension, or several; `keepdim` keeps them with size 1.
"""

# Grown in notebooks: 2_03_shapes. Edit there, then `make extract`.

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minitorch.op import masked, op
from minitorch.shapes import checked_dims

__all__ = [
    "Array",
    "Dims",
    "all",
    "amax",
    "amin",
    "any",
    "axes_of",
    "count_nonzero",
    "logsumexp",
    "mean",
    "prod",
    "product_of_others",
    "refuse_zeros_in_replay",
    "require_float",
    "share_among_ties",
    "spread",
    "spread_of",
    "std",
    "std_mean",
    "sum",
    "total_dtype",
    "var",
    "var_mean",
]


Array = np.ndarray
Dims = int | Sequence[int] | None


# ---- along which dimensions ------------------------------------------------------------------


def axes_of(name: str, x: Array, dim: Dims) -> tuple[int, ...]:
    """The dimensions that are meant, counted from 0; None, or an empty list, means all."""
    if dim is None or x.ndim == 0 or dim == () or dim == []:
        if x.ndim == 0 and dim is not None:
            checked_dims(name, dim, 0)
        return tuple(range(x.ndim))
    return checked_dims(name, dim, x.ndim)


def spread(y: Any, shape: tuple[int, ...], axes: tuple[int, ...], keepdim: bool) -> Any:
    """A reduction's result or gradient laid out over what was reduced, without copying."""
    if not keepdim and y.ndim:
        y = y.reshape([1 if axis in axes else size for axis, size in enumerate(shape)])
    return np.broadcast_to(y, shape)


def require_float(name: str, x: Array, dtype: Any = None) -> None:
    """Raise TypeError for integers and booleans, of which no such average exists."""
    kind = np.dtype(dtype or x.dtype)
    if kind.kind != "f":
        raise TypeError(f"{name}: takes floats, not {kind}. Convert it first: x.float().")


def total_dtype(x: Array) -> Any:
    """In which dtype to add up: int64 for integers and booleans, float32 for float16.

    Half precision overflows at 65,504; the engine turns the finished total back into it.
    """
    return np.int64 if x.dtype.kind != "f" else np.float32 if x.dtype.itemsize == 2 else x.dtype


# ---- sums and averages -----------------------------------------------------------------------


@op
def sum(x, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Sum along `dim`; of integers and booleans an int64, unless `dtype` says otherwise."""
    shape, axes = x.shape, axes_of("sum", x, dim)
    y = np.add.reduce(x, axis=axes, keepdims=keepdim, dtype=dtype or total_dtype(x))
    return y, lambda grad: spread(grad, shape, axes, keepdim)


@op
def mean(x, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Mean along `dim`; nan where there is nothing to average."""
    if dtype is None or np.dtype(dtype).kind != "f":
        require_float("mean", x, dtype)
    shape, axes = x.shape, axes_of("mean", x, dim)
    count = math.prod([shape[axis] for axis in axes])
    total = np.add.reduce(x, axis=axes, keepdims=keepdim, dtype=dtype or total_dtype(x))
    return total / (count or math.nan), lambda grad: spread(
        grad / (count or math.nan), shape, axes, keepdim
    )


# ---- extremes --------------------------------------------------------------------------------


@op
def amax(x, dim: Dims = None, keepdim: bool = False) -> Any:
    """Largest element along `dim`; elements that tie share the gradient evenly."""
    axes = axes_of("amax", x, dim)
    y = np.maximum.reduce(x, axis=axes, keepdims=keepdim)
    return y, lambda grad: share_among_ties(grad, x, y, axes, keepdim)


@op
def amin(x, dim: Dims = None, keepdim: bool = False) -> Any:
    """Smallest element along `dim`; elements that tie share the gradient evenly."""
    axes = axes_of("amin", x, dim)
    y = np.minimum.reduce(x, axis=axes, keepdims=keepdim)
    return y, lambda grad: share_among_ties(grad, x, y, axes, keepdim)


def share_among_ties(grad: Any, x: Any, y: Any, axes: tuple[int, ...], keepdim: bool) -> Any:
    """The gradient of an extreme value, in equal parts to all elements that have it."""
    ties = x == spread(y, x.shape, axes, keepdim)
    count = np.add.reduce(ties, axis=axes, keepdims=True)
    return masked(spread(grad, x.shape, axes, keepdim), ties) / count


# ---- products --------------------------------------------------------------------------------


@op
def prod(x, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Product along `dim`; of integers and booleans an int64.

    The derivative by one element is the product of all others, also where elements are 0.
    """
    axes = axes_of("prod", x, dim)
    y = np.multiply.reduce(x, axis=axes, keepdims=keepdim, dtype=dtype or total_dtype(x))
    return y, lambda grad: spread(grad, x.shape, axes, keepdim) * product_of_others(x, axes)


def product_of_others(x: Any, axes: tuple[int, ...]) -> Any:
    """For each element the product of all others along `axes`, without dividing by 0."""
    zero = x == 0
    zeros = np.add.reduce(zero, axis=axes, keepdims=True)
    refuse_zeros_in_replay("prod", x)
    nonzero = np.where(zero, 1, x)
    others = np.prod(nonzero, axis=axes, keepdims=True) / nonzero
    return others * (zeros == zero)  # 0 where one of the others is


def refuse_zeros_in_replay(name: str, x: Any) -> None:
    """Raise where a rule that treats zeros as a case of their own is itself differentiated."""
    if not isinstance(x, np.ndarray) and not x.array.all():
        raise RuntimeError(f"{name}: not where an element is 0.")


@op
def var(
    x,
    dim: Dims = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    """Mean squared distance from the mean, over count - `correction` (1, or 0 if not unbiased)."""
    shape, axes, count, degrees = spread_of("var", x, dim, unbiased, correction)
    total = np.add.reduce(x, axis=axes, keepdims=True, dtype=total_dtype(x))
    centred = x - total / (count or math.nan)
    y = np.add.reduce(centred * centred, axis=axes, keepdims=keepdim) / degrees

    def backward(grad):
        centred = x - np.add.reduce(x, axis=axes, keepdims=True) / (count or math.nan)
        return spread(grad, shape, axes, keepdim) * (2 / degrees) * centred

    return y, backward


@op
def std(
    x,
    dim: Dims = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    """Square root of `var`; where all elements are equal the gradient is 0."""
    shape, axes, count, degrees = spread_of("std", x, dim, unbiased, correction)
    total = np.add.reduce(x, axis=axes, keepdims=True, dtype=total_dtype(x))
    centred = x - total / (count or math.nan)
    y = np.sqrt(np.add.reduce(centred * centred, axis=axes, keepdims=keepdim) / degrees)

    def backward(grad):
        centred = x - np.add.reduce(x, axis=axes, keepdims=True) / (count or math.nan)
        slope = grad / (degrees * (y + (y == 0)))
        return spread(slope, shape, axes, keepdim) * centred

    return y, backward


def spread_of(
    name: str, x: Any, dim: Dims, unbiased: bool, correction: float | None
) -> tuple[tuple[int, ...], tuple[int, ...], int, float]:
    """What `var` and `std` share: shape, axes, how many are averaged, and what divides."""
    require_float(name, x)
    if isinstance(dim, bool):  # the old form x.var(False)
        unbiased = dim
    axes = axes_of(name, x, None if isinstance(dim, bool) else dim)
    count = math.prod([x.shape[axis] for axis in axes])
    degrees = count - (int(unbiased) if correction is None else correction)
    return x.shape, axes, count, degrees if degrees > 0 else math.nan


def var_mean(
    x: Any,
    dim: Dims = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Any, Any]:
    """`var` and `mean` at once."""
    axes = None if isinstance(dim, bool) else dim
    return var(x, dim, unbiased, keepdim, correction=correction), mean(x, axes, keepdim)


def std_mean(
    x: Any,
    dim: Dims = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Any, Any]:
    """`std` and `mean` at once."""
    axes = None if isinstance(dim, bool) else dim
    return std(x, dim, unbiased, keepdim, correction=correction), mean(x, axes, keepdim)


@op
def logsumexp(x, dim: Dims, keepdim: bool = False) -> Any:
    """log(sum(exp(x))) along `dim`, shifted by the maximum so that exp cannot overflow."""
    x = x if x.dtype.kind == "f" else x.astype(np.float32)
    shape, axes = x.shape, axes_of("logsumexp", x, dim)
    peak = np.maximum.reduce(x, axis=axes, keepdims=True, initial=-np.inf)
    peak = np.where(np.isfinite(peak), peak, 0)
    with np.errstate(divide="ignore"):  # log(0) is -inf: the sum of nothing, or of exp(-inf)
        total = np.add.reduce(np.exp(x - peak), axis=axes, keepdims=True, dtype=total_dtype(x))
        total = np.log(total) + peak
    y = total if keepdim else np.squeeze(total, axes)

    def backward(grad):
        top = spread(y, shape, axes, keepdim)
        share = np.exp(x - np.where(top == -np.inf, 0, top))
        return spread(grad, shape, axes, keepdim) * share

    return y, backward


# ---- yes or no, and how many: no gradient ----------------------------------------------------


@op
def any(x, dim: Dims = None, keepdim: bool = False) -> Any:
    """Whether any element along `dim` is true, or not 0."""
    return np.logical_or.reduce(x, axis=axes_of("any", x, dim), keepdims=keepdim), None


@op
def all(x, dim: Dims = None, keepdim: bool = False) -> Any:
    """Whether all elements along `dim` are true, or not 0."""
    return np.logical_and.reduce(x, axis=axes_of("all", x, dim), keepdims=keepdim), None


@op
def count_nonzero(x, dim: Dims = None) -> Any:
    """How many elements along `dim` are not 0."""
    return np.add.reduce(x != 0, axis=axes_of("count_nonzero", x, dim), dtype=np.int64), None
