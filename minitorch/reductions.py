"""Reductions: many numbers into one, along `dim`. Leans on `op`.

`dim` is None for all dimensions, one dimension, or several; `keepdim` keeps them with size 1.
"""

# Grown in notebooks: 2_03_shapes. Edit there, then `make extract`.

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minitorch.op import op

__all__ = ["Array", "Dims", "amax", "amin", "mean", "share_among_ties", "spread", "sum"]


Array = np.ndarray
Dims = int | tuple[int, ...] | None


def spread(grad: Array, shape: tuple[int, ...], dim: Dims, keepdim: bool) -> Array:
    """The gradient of a reduction laid out over what was reduced, without copying."""
    if not keepdim and dim is not None:
        grad = np.expand_dims(grad, dim)
    return np.broadcast_to(grad, shape)


@op
def sum(x: Array, dim: Dims = None, keepdim: bool = False) -> Any:
    """Sum along `dim`."""
    shape = x.shape
    y = np.sum(x, axis=dim, keepdims=keepdim)
    return y, lambda grad: spread(grad, shape, dim, keepdim)


@op
def mean(x: Array, dim: Dims = None, keepdim: bool = False) -> Any:
    """Mean along `dim`; nan where there is nothing to average."""
    shape = x.shape
    total = np.sum(x, axis=dim, keepdims=keepdim)
    count = math.prod(shape) // max(np.size(total), 1)
    return total / (count or np.nan), lambda grad: spread(grad / count, shape, dim, keepdim)


@op
def amax(x: Array, dim: Dims = None, keepdim: bool = False) -> Any:
    """Largest element along `dim`; elements that tie share the gradient evenly."""
    y = np.max(x, axis=dim, keepdims=keepdim)
    return y, lambda grad: share_among_ties(grad, x, y, dim, keepdim)


@op
def amin(x: Array, dim: Dims = None, keepdim: bool = False) -> Any:
    """Smallest element along `dim`; elements that tie share the gradient evenly."""
    y = np.min(x, axis=dim, keepdims=keepdim)
    return y, lambda grad: share_among_ties(grad, x, y, dim, keepdim)


def share_among_ties(grad: Array, x: Array, y: Array, dim: Dims, keepdim: bool) -> Array:
    """The gradient of an extreme value, in equal parts to all elements that have it."""
    ties = x == spread(y, x.shape, dim, keepdim)
    return spread(grad, x.shape, dim, keepdim) * ties / np.sum(ties, axis=dim, keepdims=True)
