"""The operations that networks are made of: each is one function, value and backward together.

Inside an op everything is a plain numpy array; `grad` is the gradient of the op's result. The
engine sums broadcast gradients back, so no rule here speaks of broadcasting. Leans on `op`.
"""

# Grown in notebooks: 2_02_operations. Edit there, then `make extract`.

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.op import masked, op, promoted

__all__ = [
    "Array",
    "abs",
    "add",
    "clamp",
    "cos",
    "div",
    "exp",
    "in_one_dtype",
    "linear",
    "log",
    "logistic",
    "masked_fill",
    "matmul",
    "maximum",
    "minimum",
    "mul",
    "neg",
    "pow",
    "reciprocal",
    "refuse_division_by_zero",
    "relu",
    "sigmoid",
    "sin",
    "sqrt",
    "square",
    "sub",
    "tanh",
    "where",
    "whole_quotient",
]


Array = np.ndarray


# ---- unary ------------------------------------------------------------------------------------


@op
def neg(x):
    """Minus x."""
    return -x, lambda grad: -grad


@op
def exp(x):
    """`e` to the power of x."""
    y = np.exp(x)
    return y, lambda grad: grad * y


@op
def log(x):
    """Natural logarithm."""
    return np.log(x), lambda grad: grad / x


@op
def sqrt(x):
    """Square root."""
    y = np.sqrt(x)
    return y, lambda grad: grad / (2 * y)


@op
def square(x):
    """`x * x`."""
    return np.square(x), lambda grad: grad * 2 * x


@op
def reciprocal(x):
    """1 / x."""
    y = 1 / x
    return y, lambda grad: -grad * y * y


@op
def sin(x):
    """Sine of x in radians."""
    return np.sin(x), lambda grad: grad * np.cos(x)


@op
def cos(x):
    """Cosine of x in radians."""
    return np.cos(x), lambda grad: -grad * np.sin(x)


@op
def abs(x):
    """`x` without its sign; the gradient at 0 is 0."""
    return np.abs(x), lambda grad: grad * np.sign(x)


@op
def tanh(x):
    """Hyperbolic tangent, from -1 to 1."""
    y = np.tanh(x)
    return y, lambda grad: grad * (1 - y * y)


@op
def relu(x):
    """`x` where it is positive, else 0."""
    y = np.maximum(x, 0)
    return y, lambda grad: masked(grad, y > 0)


@op
def sigmoid(x):
    """1 / (1 + exp(-x)), from 0 to 1."""
    y = logistic(x)
    return y, lambda grad: grad * y * (1 - y)


def logistic(x: Array) -> Array:
    """The sigmoid of an array, written so that exp only ever sees negative numbers."""
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(-1.0 * np.abs(x)))  # uint knows no minus


# ---- binary -----------------------------------------------------------------------------------


@op
def add(a, b, *, alpha: float = 1):
    """`a + alpha * b`."""
    if alpha != 1:
        return a + alpha * b, (lambda grad: grad, lambda grad: grad * alpha)
    return a + b, (lambda grad: grad, lambda grad: grad)


@op
def sub(a, b, *, alpha: float = 1):
    """`a - alpha * b`."""
    if alpha != 1:
        return a - alpha * b, (lambda grad: grad, lambda grad: grad * -alpha)
    return a - b, (lambda grad: grad, lambda grad: -grad)


@op
def mul(a, b):
    """`a * b`, element by element."""
    return a * b, (lambda grad: grad * b, lambda grad: grad * a)


@op
def div(a, b, *, rounding_mode: str | None = None):
    """`a / b`; with rounding_mode "floor" rounded down, with "trunc" towards 0 (gradient 0)."""
    if rounding_mode is not None:
        whole = whole_quotient(a, b, rounding_mode)
        return whole, (lambda grad: masked(grad, False), lambda grad: masked(grad, False))
    return a / b, (lambda grad: grad / b, lambda grad: -grad * a / (b * b))


def whole_quotient(a: Any, b: Any, rounding_mode: str) -> Any:
    """`a / b` without its fraction; of integers an integer."""
    refuse_division_by_zero("div", a, b)
    if rounding_mode == "floor":
        return a // b
    if rounding_mode == "trunc":
        return np.trunc(a / b).astype(np.result_type(a, b))
    raise ValueError(f'div: rounding_mode is {rounding_mode!r}; it may be "floor" or "trunc".')


def refuse_division_by_zero(name: str, a: Any, b: Any) -> None:
    """Raise ZeroDivisionError where integers are divided by 0, for which they have no infinity."""
    if np.result_type(a, b).kind != "f" and not np.all(b):
        raise ZeroDivisionError(
            f"{name}: an integer divided by 0. Make one of them a float, or leave the zeros out."
        )


@op
def pow(x, exponent):
    """`x` to the power of `exponent`; a negative x has no derivative by the exponent (nan)."""
    y = x**exponent
    if getattr(y, "dtype", None) == np.int8 and np.result_type(x, exponent) == np.bool_:
        raise TypeError("pow: a boolean to the power of a boolean. Convert one of them: x.long().")

    def to_x(grad):
        return grad * exponent * x ** (exponent - (exponent != 0))

    def to_exponent(grad):
        settled = (x == 0) & (exponent >= 0)  # 0 to any positive power stays 0
        return grad * np.where(settled, 0, y * np.log(np.where(settled, 1, x)))

    return y, (to_x, to_exponent)


@op
def maximum(a, b):
    """The larger of the two; where they are equal, each gets half of the gradient."""
    a, b = in_one_dtype(a, b)
    return np.maximum(a, b), (
        lambda grad: masked(grad, a > b) + masked(grad, a == b) / 2,
        lambda grad: masked(grad, b > a) + masked(grad, a == b) / 2,
    )


def in_one_dtype(a: Any, b: Any) -> tuple[Any, Any]:
    """Two arrays of floats in the dtype of their result, so that what is equal there is a tie."""
    if not isinstance(a, Array) or not isinstance(b, Array) or a.dtype is b.dtype:
        return a, b
    kind = promoted(np.result_type(a, b), (a, b))
    return (a.astype(kind, copy=False), b.astype(kind, copy=False)) if kind.kind == "f" else (a, b)


@op
def minimum(a, b):
    """The smaller of the two; where they are equal, each gets half of the gradient."""
    a, b = in_one_dtype(a, b)
    return np.minimum(a, b), (
        lambda grad: masked(grad, a < b) + masked(grad, a == b) / 2,
        lambda grad: masked(grad, b < a) + masked(grad, a == b) / 2,
    )


# ---- choosing ---------------------------------------------------------------------------------


@op
def where(condition, a, b):
    """`a` where `condition`, a tensor of booleans, is true, else b."""
    if getattr(condition, "dtype", np.dtype(type(condition))) != np.bool_:
        raise TypeError(
            f"where: the condition is {condition.dtype}, not bool. Compare it: where(x > 0, ...)."
        )
    return np.where(condition, a, b), (
        None,
        lambda grad: masked(grad, condition),
        lambda grad: masked(grad, np.logical_not(condition)),
    )


@op
def masked_fill(x, mask, value):
    """`x`, with `value` where `mask` is true."""
    if mask.dtype != np.bool_:
        raise TypeError(f"masked_fill: the mask is {mask.dtype}, not bool. Compare it: x == 0.")
    if np.ndim(value):
        raise ValueError(
            f"masked_fill: the value has shape {value.shape}, but it must be a single number. "
            "where(mask, value, x) takes one per element."
        )
    kind = np.asarray(value).dtype.kind
    if kind not in "biuf" or (x.dtype.kind != "f" and kind == "f"):
        raise TypeError(
            f"masked_fill: {value!r} does not fit into {x.dtype}. Convert x: x.float()."
        )
    if isinstance(value, int) and x.dtype.kind in "iu":
        value = x.dtype.type(value)  # raises for a number out of its range
    return np.where(mask, value, x).astype(x.dtype, copy=False), (
        lambda grad: masked(grad, ~mask),
        None,
        lambda grad: masked(grad, mask),
    )


@op
def clamp(x: Array, min: Array | None = None, max: Array | None = None) -> Any:
    """`x`, but at least `min` and at most `max`; where they cross, `max` wins.

    The gradient goes to whichever of the three the result is.
    """
    if min is None and max is None:
        raise ValueError("clamp: give min, max or both.")
    lowest = -np.inf if min is None else min
    highest = np.inf if max is None else max
    y = x if min is None else np.maximum(x, min)
    return y if max is None else np.minimum(y, max), (
        lambda grad: masked(grad, (x >= lowest) & (x <= highest)),
        lambda grad: masked(grad, (x < lowest) & (lowest < highest)),
        lambda grad: masked(grad, (x > highest) | (highest < lowest)),
    )


# ---- matrix products --------------------------------------------------------------------------


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
        return np.dot(a, b), (lambda grad: np.dot(grad, b.T), lambda grad: np.dot(a.T, grad))
    added = tuple(-dim for dim, array in ((2, a), (1, b)) if array.ndim == 1)

    def to_a(grad: Array) -> Array:
        column = b if b.ndim > 1 else b[:, None]
        back = np.expand_dims(grad, added) @ np.swapaxes(column, -1, -2)
        return back if a.ndim > 1 else np.squeeze(back, -2)

    def to_b(grad: Array) -> Array:
        row = a if a.ndim > 1 else a[None, :]
        back = np.swapaxes(row, -1, -2) @ np.expand_dims(grad, added)
        return back if b.ndim > 1 else np.squeeze(back, -1)

    return a @ b, (to_a, to_b)


@op
def linear(x: Array, weight: Array, bias: Array | None = None) -> Any:
    """`x @ weight.T + bias` in one step: x (..., in), weight (out, in), bias (out,)."""
    if weight.ndim != 2 or x.ndim == 0 or x.shape[-1] != weight.shape[1]:
        raise ValueError(
            f"linear: x of shape {x.shape} has {x.shape[-1] if x.ndim else 'no'} features, but "
            f"weight of shape {weight.shape} takes {weight.shape[-1] if weight.ndim else 'none'}."
        )
    y = np.dot(x, weight.T)
    if bias is not None:
        y += bias
    if x.ndim == 2:
        return y, (
            lambda grad: np.dot(grad, weight),
            lambda grad: np.dot(grad.T, x),
            lambda grad: np.add.reduce(grad, axis=0),
        )

    def to_weight(grad: Array) -> Array:
        return grad.reshape(-1, weight.shape[0]).T @ x.reshape(-1, weight.shape[1])

    def to_bias(grad: Array) -> Array:
        return np.add.reduce(grad.reshape(-1, weight.shape[0]), axis=0)

    return y, (lambda grad: grad @ weight, to_weight, to_bias)
