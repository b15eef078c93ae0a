"""Lengths of vectors, and what is made of them: distances, angles. Leans on `reductions`."""

# Grown in notebooks: 2_03_shapes. Edit there, then `make extract`.

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minitorch.op import masked, op
from minitorch.reductions import Dims, axes_of, require_float, share_among_ties, spread, total_dtype

__all__ = ["Array", "cdist", "cosine_similarity", "norm", "normalize", "pairwise_distance"]


Array = np.ndarray


@op
def norm(x: Array, p: Any = 2, dim: Dims = None, keepdim: bool = False) -> Any:
    """Length of a vector: (sum of |x|**p) ** (1/p); p may be inf, -inf or "fro", which is 2.

    Where the length is 0 the gradient is taken as 0.
    """
    p = 2 if p in ("fro", None) else p
    require_float("norm", x)
    shape, axes = x.shape, axes_of("norm", x, dim)
    size = np.abs(x).astype(total_dtype(x), copy=False)
    if p in (math.inf, -math.inf):
        extreme = np.maximum if p > 0 else np.minimum
        y = extreme.reduce(size, axis=axes, keepdims=keepdim)
        return y, lambda grad: np.sign(x) * share_among_ties(grad, np.abs(x), y, axes, keepdim)
    if p == 0:
        y = np.add.reduce(x != 0, axis=axes, keepdims=keepdim, dtype=x.dtype)
        return y, lambda grad: masked(spread(grad, shape, axes, keepdim), False)
    y = np.add.reduce(size**p, axis=axes, keepdims=keepdim) ** (1 / p)

    def backward(grad):
        length = spread(y, shape, axes, keepdim)
        size = np.abs(x) / (length + (length == 0))
        # 0 to a power below 0 would be infinite; the step there has no slope to speak of
        steepness = (size + (size == 0)) ** (p - 1) * (size != 0) if p < 2 else size ** (p - 1)
        return spread(grad, shape, axes, keepdim) * np.sign(x) * steepness

    return y, backward


def normalize(x: Any, p: float = 2.0, dim: Dims = 1, eps: float = 1e-12) -> Any:
    """`x` with length 1 along `dim`; what is shorter than `eps` is divided by that."""
    return x / norm(x, p, dim, keepdim=True).clamp(min=eps)


def cdist(x1: Any, x2: Any, p: float = 2.0) -> Any:
    """From each row of x1 (..., n, d) to each row of x2 (..., m, d) the distance: (..., n, m)."""
    return norm(x1.unsqueeze(-2) - x2.unsqueeze(-3), p, -1)


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """The cosine of the angle between two vectors along `dim`: 1 where they point the same way."""
    shape = np.broadcast_shapes(x1.shape, x2.shape)
    x1, x2 = (normalize(x.expand(*shape), dim=dim, eps=eps) for x in (x1, x2))
    return (x1 * x2).sum(dim)


def pairwise_distance(
    x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Any:
    """The length of x1 - x2 along the last dimension; `eps` is added, so that it is never 0."""
    return norm(x1 - x2 + eps, p, -1, keepdim)
