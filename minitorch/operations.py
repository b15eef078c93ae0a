"""Elementwise operations and matrix products: each one function, value and backward together.

Inside an op everything is a plain numpy array; `grad` is the gradient of the op's result. The
engine sums broadcast gradients back, so no rule here speaks of broadcasting. Leans on `op`.
"""

# Grown in notebooks: 2_02_operations. Edit there, then `make extract`.

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.op import op

__all__ = [
    "Array",
    "add",
    "div",
    "eq",
    "exp",
    "ge",
    "gt",
    "le",
    "linear",
    "log",
    "lt",
    "matmul",
    "mul",
    "ne",
    "neg",
    "pow",
    "relu",
    "sigmoid",
    "sin",
    "square",
    "sub",
    "tanh",
]


Array = np.ndarray

# ---- unary -----------------------------------------------------------------------------------


@op
def neg(x: Array) -> Any:
    """Minus x."""
    return -x, lambda grad: -grad


@op
def exp(x: Array) -> Any:
    """E to the power of x."""
    y = np.exp(x)
    return y, lambda grad: grad * y


@op
def log(x: Array) -> Any:
    """Natural logarithm."""
    return np.log(x), lambda grad: grad / x


@op
def sin(x: Array) -> Any:
    """Sine of x in radians."""
    return np.sin(x), lambda grad: grad * np.cos(x)


@op
def tanh(x: Array) -> Any:
    """Hyperbolic tangent, from -1 to 1."""
    y = np.tanh(x)
    return y, lambda grad: grad * (1 - y * y)


@op
def sigmoid(x: Array) -> Any:
    """1 / (1 + exp(-x)), from 0 to 1; computed so that exp never overflows."""
    small = np.exp(-np.abs(x))
    y = np.where(x >= 0, 1, small) / (1 + small)
    return y, lambda grad: grad * y * (1 - y)


@op
def relu(x: Array) -> Any:
    """X where it is positive, else 0."""
    y = np.maximum(x, 0)
    return y, lambda grad: grad * (y > 0)


# ---- binary ----------------------------------------------------------------------------------


@op
def add(a: Array, b: Array) -> Any:
    """A + b."""
    return a + b, (lambda grad: grad, lambda grad: grad)


@op
def sub(a: Array, b: Array) -> Any:
    """A - b."""
    return a - b, (lambda grad: grad, lambda grad: -grad)


@op
def mul(a: Array, b: Array) -> Any:
    """A * b, element by element."""
    return a * b, (lambda grad: grad * b, lambda grad: grad * a)


@op
def div(a: Array, b: Array) -> Any:
    """A / b."""
    return a / b, (lambda grad: grad / b, lambda grad: -grad * a / (b * b))


@op
def square(x: Array) -> Any:
    """X * x."""
    return x * x, lambda grad: grad * 2 * x


@op
def pow(x: Array, exponent: Array) -> Any:
    """X to the power of `exponent`; where x <= 0 the exponent's gradient is taken as 0."""
    y = x**exponent
    return y, (
        lambda grad: grad * np.where(exponent == 0, 0, exponent * x ** (exponent - 1)),
        lambda grad: grad * y * np.log(np.where(x > 0, x, 1)),
    )


@op
def matmul(a: Array, b: Array) -> Any:
    """Matrix product of the last two dimensions; the ones before them broadcast.

    A vector on the left is a row, one on the right a column, as in numpy and PyTorch.
    """
    if np.ndim(a) == 0 or np.ndim(b) == 0 or a.shape[-1] != b.shape[-2 if b.ndim > 1 else 0]:
        raise ValueError(
            f"matmul: shapes {np.shape(a)} and {np.shape(b)} do not fit. The last size of the left "
            "must equal the second to last of the right; transpose one of them?"
        )
    if a.ndim == 2 and b.ndim == 2:
        return a @ b, (lambda grad: grad @ b.T, lambda grad: a.T @ grad)
    row = a if a.ndim > 1 else a[None, :]
    column = b if b.ndim > 1 else b[:, None]
    added = tuple(-dim for dim, array in ((2, a), (1, b)) if array.ndim == 1)

    def to_a(grad: Array) -> Array:
        back = np.expand_dims(grad, added) @ np.swapaxes(column, -1, -2)
        return back if a.ndim > 1 else np.squeeze(back, -2)

    def to_b(grad: Array) -> Array:
        back = np.swapaxes(row, -1, -2) @ np.expand_dims(grad, added)
        return back if b.ndim > 1 else np.squeeze(back, -1)

    return a @ b, (to_a, to_b)


@op
def linear(x: Array, weight: Array, bias: Array | None = None) -> Any:
    """X @ weight.T + bias in one step: x (..., in), weight (out, in), bias (out,)."""
    if x.shape[-1] != weight.shape[1]:
        raise ValueError(
            f"linear: x of shape {x.shape} has {x.shape[-1]} features, but weight of shape "
            f"{weight.shape} takes {weight.shape[1]}."
        )
    y = x @ weight.T
    if bias is not None:
        y += bias

    def to_weight(grad: Array) -> Array:
        return grad.reshape(-1, grad.shape[-1]).T @ x.reshape(-1, x.shape[-1])

    def to_bias(grad: Array) -> Array:
        return np.add.reduce(grad.reshape(-1, grad.shape[-1]), axis=0)

    return y, (lambda grad: grad @ weight, to_weight, to_bias)


# ---- comparisons: no gradient ----------------------------------------------------------------


@op
def eq(a: Array, b: Array) -> Any:
    """Where a equals b."""
    return a == b, None


@op
def ne(a: Array, b: Array) -> Any:
    """Where a differs from b."""
    return a != b, None


@op
def lt(a: Array, b: Array) -> Any:
    """Where a is less than b."""
    return a < b, None


@op
def le(a: Array, b: Array) -> Any:
    """Where a is at most b."""
    return a <= b, None


@op
def gt(a: Array, b: Array) -> Any:
    """Where a is greater than b."""
    return a > b, None


@op
def ge(a: Array, b: Array) -> Any:
    """Where a is at least b."""
    return a >= b, None
