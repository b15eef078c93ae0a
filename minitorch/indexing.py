"""Picking elements: `x[index]` in numpy's style. Leans on `op`."""

# Grown in notebooks: 2_04_indexing. Edit there, then `make extract`.

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.op import op

__all__ = ["Array", "getitem", "is_basic"]


Array = np.ndarray


@op
def getitem(x: Array, index: Any) -> Any:
    """x[index] for ints, slices, None, ..., index arrays and masks.

    An element that is picked more than once gets the sum of its gradients.
    """
    shape, dtype = x.shape, x.dtype

    def backward(grad: Array) -> Array:
        whole = np.zeros(shape, dtype)
        if is_basic(index):
            whole[index] = grad
        else:
            np.add.at(whole, index, grad)
        return whole

    return x[index], backward


def is_basic(index: Any) -> bool:
    """Whether numpy answers `index` with a view, in which no element appears twice."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(part is None or part is ... or isinstance(part, int | slice) for part in parts)
