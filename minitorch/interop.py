"""What numpy's functions do with a tensor: the same as ours, and the result is a tensor.

numpy asks its arguments first (NEP 13 and 18): a tensor answers with the op from these tables.
Leans on the op modules.
"""

# Grown in notebooks: 2_05_the_tensor. Edit there, then `make extract`.

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch import (
    comparisons,
    diagonals,
    indexing,
    joining,
    mathematics,
    operations,
    products,
    reductions,
    scans,
    shapes,
)
from minitorch.graph import mode
from minitorch.op import as_tensor
from minitorch.versions import clock

if TYPE_CHECKING:
    from minitorch.tensor import Tensor

__all__ = [
    "FUNCTIONS",
    "UFUNCS",
    "AnswersNumpy",
    "Array",
    "Table",
    "unsqueezed",
    "without_graph",
    "written_to",
]


Array = np.ndarray
Table = dict[Any, Callable[..., Any]]


def unsqueezed(x: Any, axis: int | Sequence[int]) -> Tensor:
    """np.expand_dims: new dimensions of size 1, at these places of the result."""
    axes = [axis] if isinstance(axis, int) else list(axis)
    ndim = x.ndim + len(axes)
    for place in sorted(place % ndim for place in axes):
        x = x.unsqueeze(place)
    return x


UFUNCS: Table = {
    np.abs: operations.abs,
    np.add: operations.add,
    np.arccos: mathematics.acos,
    np.arcsin: mathematics.asin,
    np.arctan2: mathematics.atan2,
    np.arctan: mathematics.atan,
    np.bitwise_and: comparisons.bitwise_and,
    np.bitwise_not: comparisons.bitwise_not,
    np.bitwise_or: comparisons.bitwise_or,
    np.bitwise_xor: comparisons.bitwise_xor,
    np.ceil: mathematics.ceil,
    np.cos: operations.cos,
    np.cosh: mathematics.cosh,
    np.divide: operations.div,
    np.equal: comparisons.eq,
    np.exp2: mathematics.exp2,
    np.exp: operations.exp,
    np.expm1: mathematics.expm1,
    np.floor: mathematics.floor,
    np.floor_divide: mathematics.floor_divide,
    np.greater: comparisons.gt,
    np.greater_equal: comparisons.ge,
    np.isfinite: comparisons.isfinite,
    np.isinf: comparisons.isinf,
    np.isnan: comparisons.isnan,
    np.less: comparisons.lt,
    np.less_equal: comparisons.le,
    np.log10: mathematics.log10,
    np.log1p: mathematics.log1p,
    np.log2: mathematics.log2,
    np.log: operations.log,
    np.logaddexp: mathematics.logaddexp,
    np.logical_and: comparisons.logical_and,
    np.logical_not: comparisons.logical_not,
    np.logical_or: comparisons.logical_or,
    np.logical_xor: comparisons.logical_xor,
    np.matmul: operations.matmul,
    np.maximum: operations.maximum,
    np.minimum: operations.minimum,
    np.multiply: operations.mul,
    np.negative: operations.neg,
    np.not_equal: comparisons.ne,
    np.power: operations.pow,
    np.reciprocal: operations.reciprocal,
    np.remainder: mathematics.remainder,
    np.sign: mathematics.sign,
    np.sin: operations.sin,
    np.sinh: mathematics.sinh,
    np.sqrt: operations.sqrt,
    np.square: operations.square,
    np.subtract: operations.sub,
    np.tan: mathematics.tan,
    np.tanh: operations.tanh,
    np.trunc: mathematics.trunc,
}

FUNCTIONS: Table = {
    np.broadcast_to: shapes.expand,
    np.clip: operations.clamp,
    np.concatenate: joining.cat,
    np.cumprod: scans.cumprod,
    np.cumsum: scans.cumsum,
    np.diagonal: diagonals.diagonal,
    np.dot: operations.matmul,
    np.einsum: products.einsum,
    np.expand_dims: unsqueezed,
    np.flip: shapes.flip,
    np.max: reductions.amax,
    np.mean: reductions.mean,
    np.min: reductions.amin,
    np.moveaxis: shapes.movedim,
    np.prod: reductions.prod,
    np.reshape: shapes.reshape,
    np.roll: shapes.roll,
    np.squeeze: shapes.squeeze,
    np.stack: joining.stack,
    np.sum: reductions.sum,
    np.swapaxes: shapes.transpose,
    np.take_along_axis: indexing.take_along_dim,
    np.transpose: shapes.permute,
    np.tril: diagonals.tril,
    np.triu: diagonals.triu,
    np.where: operations.where,
}


class AnswersNumpy:
    """What makes numpy's functions work on tensors, and keep the graph."""

    array: Array
    requires_grad: bool

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if mode.replaying and self.requires_grad:
            raise TypeError("its rule turns a tensor into a plain array, which ends the graph.")
        return np.array(self.array, dtype, copy=copy)

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = (), **settings: Any
    ) -> Any:
        inputs = tuple(each.item() if isinstance(each, np.generic) else each for each in inputs)
        if method == "__call__" and ufunc in UFUNCS:
            result = UFUNCS[ufunc](*inputs, **settings)
        elif method == "reduce" and ufunc is np.add:
            result = reductions.sum(*inputs, **{"axis": 0, **settings})
        else:
            result = without_graph(getattr(ufunc, method), ufunc.__name__, inputs, settings)
        return written_to(out[0], result) if out else result

    def __array_function__(
        self, function: Callable[..., Any], types: Any, inputs: Any, settings: Any
    ) -> Any:
        if function in FUNCTIONS:
            return FUNCTIONS[function](*inputs, **settings)
        return without_graph(function, function.__name__, inputs, settings)


def without_graph(
    function: Callable[..., Any], name: str, inputs: Sequence[Any], settings: dict[str, Any]
) -> Any:
    """A numpy function for which there is no op, on the values alone.

    Raises TypeError when a gradient would be lost by that.
    """

    def plain(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return type(value)([plain(each) for each in value])
        if not isinstance(value, AnswersNumpy):
            return value
        if value.requires_grad and mode.grad_enabled:
            raise TypeError(
                f"numpy's {name} has no way back here, and this tensor requires a gradient. Use "
                "a tensor's own methods, or detach() to leave the graph."
            )
        return value.array

    result = function(*plain(tuple(inputs)), **{key: plain(each) for key, each in settings.items()})
    return as_tensor(result) if isinstance(result, np.ndarray | np.generic) else result


def written_to(out: Any, result: Any) -> Any:
    """`result` written into `out`, the array or tensor left of `+=` or given as `out=`.

    Raises TypeError for an array that would swallow a gradient.
    """
    if not isinstance(out, np.ndarray):
        return out.copy_(result)
    if getattr(result, "requires_grad", False):
        raise TypeError(
            "an array cannot take in a tensor that requires a gradient: the way back would be "
            "lost. Make the array a tensor, or detach() the other."
        )
    np.copyto(out, np.asarray(result))
    clock.stamp(out)
    return out
