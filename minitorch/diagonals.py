"""Triangles and diagonals of matrices. Leans on `op` and `shapes`."""

# Grown in notebooks: 2_03_shapes. Edit there, then `make extract`.

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.op import in_rule, op
from minitorch.shapes import checked_dims

__all__ = [
    "Array",
    "diag",
    "diagonal",
    "put_on_diagonal",
    "require_matrix",
    "trace",
    "tril",
    "triu",
]


Array = np.ndarray


@op
def tril(x: Array, diagonal: int = 0) -> Any:
    """The lower triangle of the last two dimensions, up to and with `diagonal`; 0 elsewhere."""
    require_matrix("tril", x)
    return np.tril(x, diagonal), lambda grad: in_rule(tril, grad, diagonal)


@op
def triu(x: Array, diagonal: int = 0) -> Any:
    """The upper triangle of the last two dimensions, from `diagonal` on; 0 elsewhere."""
    require_matrix("triu", x)
    return np.triu(x, diagonal), lambda grad: in_rule(triu, grad, diagonal)


@op
def diagonal(x: Array, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonal of two dimensions, put last; `offset` counts to the right of the main one."""
    require_matrix("diagonal", x)
    rows, columns = checked_dims("diagonal", (dim1, dim2), x.ndim)
    shape = x.shape
    view = np.diagonal(x, offset, rows, columns)
    view.flags.writeable = x.flags.writeable  # numpy's own is for reading only
    return view, lambda grad: in_rule(put_on_diagonal, grad, shape, offset, rows, columns)


@op
def put_on_diagonal(x: Array, shape: tuple[int, ...], offset: int, dim1: int, dim2: int) -> Any:
    """Zeros of `shape` with x on the diagonal of two dimensions: the way back of `diagonal`."""
    whole = np.zeros(shape, x.dtype)
    view = np.diagonal(whole, offset, dim1, dim2)
    view.flags.writeable = True
    view[...] = x
    return whole, lambda grad: np.diagonal(grad, offset, dim1, dim2)


def diag(x: Any, offset: int = 0) -> Any:
    """Of a matrix its diagonal; of a vector the matrix that has it there, else 0."""
    if x.ndim == 2:
        return diagonal(x, offset)
    if x.ndim != 1:
        raise ValueError(f"diag: takes a vector or a matrix, got shape {x.shape}.")
    size = x.shape[0] + abs(offset)
    return put_on_diagonal(x, (size, size), offset, 0, 1)


def trace(x: Any) -> Any:
    """Sum of the diagonal of a matrix."""
    if x.ndim != 2:
        raise ValueError(f"trace: takes a matrix, got shape {x.shape}.")
    return diagonal(x).sum()


def require_matrix(name: str, x: Array) -> None:
    """Raise ValueError when there are fewer than two dimensions."""
    if x.ndim < 2:
        raise ValueError(f"{name}: takes at least 2 dimensions, got shape {x.shape}.")
