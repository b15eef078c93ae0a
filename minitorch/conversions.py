"""The same values in another array: copies and other dtypes. Leans on `op`."""

# Grown in notebooks: 2_05_the_tensor. Edit there, then `make extract`.

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.op import op

__all__ = ["Array", "astype", "clone", "contiguous"]


Array = np.ndarray


@op
def clone(x: Array) -> Any:
    """A copy with memory of its own."""
    return x.copy(), lambda grad: grad


@op
def contiguous(x: Array) -> Any:
    """The same values in row-major order in memory; copied only if they are not."""
    return np.ascontiguousarray(x).reshape(x.shape), lambda grad: grad


@op
def astype(x: Array, *, dtype: Any) -> Any:
    """The values as `dtype`; floats keep their way back, integers and booleans end it."""
    y = x.astype(dtype, copy=False)
    return y, (lambda grad: grad) if y.dtype.kind == "f" else None
