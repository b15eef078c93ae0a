"""Scans: running sums and products, as long as what they run over. Leans on `op` and `shapes`."""

# Grown in notebooks: 2_03_shapes. Edit there, then `make extract`.

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.op import in_rule, op
from minitorch.reductions import refuse_zeros_in_replay, total_dtype
from minitorch.shapes import checked_dim

__all__ = ["Array", "cumprod", "cumsum", "sum_from_here"]


Array = np.ndarray


@op
def cumsum(x, dim: int, *, dtype: Any = None) -> Any:
    """Sum of all elements up to and with each one along `dim`; of integers an int64."""
    axis = checked_dim("cumsum", dim, x.ndim)
    kind = dtype or total_dtype(x)
    if x.ndim == 0:
        return x.astype(kind), lambda grad: grad
    return np.add.accumulate(x, axis, dtype=kind), lambda grad: sum_from_here(grad, axis)


def sum_from_here(x: Any, axis: int) -> Any:
    """Sum of all elements from each one on: `cumsum` from the other end."""
    return np.flip(in_rule(cumsum, np.flip(x, axis), axis), axis)


@op
def cumprod(x, dim: int, *, dtype: Any = None) -> Any:
    """Product of all elements up to and with each one along `dim`; of integers an int64."""
    axis = checked_dim("cumprod", dim, x.ndim)
    kind = dtype or total_dtype(x)
    if x.ndim == 0:
        return x.astype(kind), lambda grad: grad
    y = np.multiply.accumulate(x, axis, dtype=kind)

    def backward(grad):
        # Behind the first 0 all products are 0, whatever changes there. By the 0 itself they
        # change as if it were 1.
        refuse_zeros_in_replay("cumprod", x)
        zero = np.asarray(x == 0)
        first = zero & (np.add.accumulate(zero, axis, dtype=np.int64) == 1)
        before = np.add.accumulate(zero, axis, dtype=np.int64) == 0
        without = in_rule(cumprod, np.where(first, 1, x), axis)
        slope = np.where(before, sum_from_here(grad * y, axis), 0)
        slope = np.where(first, sum_from_here(grad * without * ~before, axis), slope)
        return slope / np.where(zero, 1, x)

    return y, backward
