"""Activation functions (`F.gelu`), relu's kin; as modules: `nonlinearities`. Leans on `op`."""

# Grown in notebooks: 2_02_operations. Edit there, then `make extract`.

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minitorch.mathematics import erf
from minitorch.op import in_rule, masked, op
from minitorch.operations import logistic

__all__ = [
    "Array",
    "elu",
    "gelu",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "logsigmoid",
    "mish",
    "prelu",
    "relu6",
    "selu",
    "share_below",
    "silu",
    "slope_of_share",
    "softplus",
    "softsign",
    "tanh_of_softplus",
    "to_slopes",
]


Array = np.ndarray


# ---- that saturate ----------------------------------------------------------------------------


@op
def logsigmoid(x):
    """`log(sigmoid(x))`, without the detour over a number that may round to 0."""
    y = np.minimum(x, 0) - np.log1p(np.exp(-1.0 * np.abs(x)))
    return y, lambda grad: grad * logistic(-x)


@op
def softsign(x):
    """`x / (1 + |x|)`, from -1 to 1."""
    return x / (1 + np.abs(x)), lambda grad: grad / (1 + np.abs(x)) ** 2


@op
def hardtanh(x, min_val: float = -1.0, max_val: float = 1.0):
    """`x`, cut off at `min_val` and `max_val`."""
    if min_val > max_val:
        raise ValueError(f"hardtanh: min_val {min_val} is above max_val {max_val}.")
    if x.dtype.kind in "iu":
        min_val, max_val = int(min_val), int(max_val)
    y = np.minimum(np.maximum(x, min_val), max_val)
    return y, lambda grad: masked(grad, (x > min_val) & (x < max_val))


@op
def hardsigmoid(x):
    """(x + 3) / 6, cut off at 0 and 1."""
    y = np.minimum(np.maximum(x + 3, 0), 6) / 6
    return y, lambda grad: masked(grad, (x > -3) & (x < 3)) / 6


# ---- relatives of relu ------------------------------------------------------------------------


@op
def relu6(x):
    """`x`, cut off at 0 and 6."""
    y = np.minimum(np.maximum(x, 0), 6)
    return y, lambda grad: masked(grad, (x > 0) & (x < 6))


@op
def leaky_relu(x, negative_slope: float = 0.01):
    """`x` where it is positive, else x times a small slope: Maas et al. 2013."""
    return (
        np.where(x > 0, x, negative_slope * x),
        lambda grad: np.where(x > 0, grad, negative_slope * grad),
    )


@op
def prelu(x, weight):
    """A leaky relu whose slope is learned: one, or one per channel, dim 1: He et al. 2015."""
    if weight.ndim > 1 or weight.size not in (1, x.shape[1] if x.ndim > 1 else 1):
        raise ValueError(
            f"prelu: weight of shape {weight.shape} does not fit x of shape {x.shape}. It must "
            "have one element, or as many as x has channels (dimension 1)."
        )
    across = () if weight.size == 1 else (-1,) + (1,) * (x.ndim - 2)
    slopes = weight.reshape(across)
    return np.where(x > 0, x, slopes * x), (
        lambda grad: np.where(x > 0, grad, weight.reshape(across) * grad),
        lambda grad: to_slopes(np.where(x > 0, 0, grad * x), weight.shape),
    )


def to_slopes(grad: Array, shape: tuple[int, ...]) -> Any:
    """Gradients per element, summed up per channel, or into the only slope."""
    if math.prod(shape) == 1:
        return np.add.reduce(grad, axis=None).reshape(shape)
    return np.add.reduce(grad, axis=(0, *range(2, grad.ndim)))


@op
def elu(x, alpha: float = 1.0):
    """`x` where it is positive, else alpha * (exp(x) - 1): Clevert et al. 2015."""
    return (
        np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))),
        lambda grad: np.where(x > 0, grad, grad * alpha * np.exp(np.minimum(x, 0))),
    )


@op
def selu(x):
    """An elu that keeps mean 0 and variance 1 from layer to layer: Klambauer et al. 2017."""
    alpha, scale = 1.6732632423543772, 1.0507009873554805
    return (
        scale * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))),
        lambda grad: grad * scale * np.where(x > 0, 1, alpha * np.exp(np.minimum(x, 0))),
    )


@op
def softplus(x, beta: float = 1.0, threshold: float = 20.0):
    """`log(1 + exp(beta * x)) / beta`, a smooth relu; x itself where beta * x > threshold."""
    bent = np.maximum(beta * x, 0) + np.log1p(np.exp(-np.abs(beta * x)))
    return (
        np.where(beta * x > threshold, x, bent / beta),
        lambda grad: np.where(beta * x > threshold, grad, grad * logistic(beta * x)),
    )


# ---- x times a gate ---------------------------------------------------------------------------


@op
def silu(x):
    """`x * sigmoid(x)`, also called swish: Ramachandran et al. 2017."""

    def backward(grad):
        gate = logistic(x)
        return grad * gate * (1 + x * (1 - gate))

    return x * logistic(x), backward


@op
def gelu(x, approximate: str = "none"):
    """`x * Phi(x)`, Phi being the normal distribution's share below x: Hendrycks & Gimpel 2016.

    approximate="tanh" takes Phi(x) = (1 + tanh(sqrt(2/pi) * (x + 0.044715 x³))) / 2.
    """
    if approximate not in ("none", "tanh"):
        raise ValueError(f"gelu: approximate is {approximate!r}; it must be 'none' or 'tanh'.")
    exact = approximate == "none"

    def backward(grad):
        return grad * (share_below(x, exact) + x * slope_of_share(x, exact))

    return x * share_below(x, exact), backward


def share_below(x: Array, exact: bool) -> Array:
    """Phi(x): how much of the normal distribution lies below x."""
    if exact:
        return (1 + in_rule(erf, x * math.sqrt(0.5))) / 2
    return (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x))) / 2


def slope_of_share(x: Array, exact: bool) -> Array:
    """The derivative of `share_below`: for the exact one, the normal density."""
    if exact:
        return np.exp(x * x / -2) * (1 / math.sqrt(2 * math.pi))
    share = share_below(x, exact)
    return share * (1 - share) * (math.sqrt(8 / math.pi) * (1 + 3 * 0.044715 * x * x))


@op
def hardswish(x):
    """`x * hardsigmoid(x)`: Howard et al. 2019."""
    gate = np.minimum(np.maximum(x + 3, 0), 6) / 6
    return x * gate, lambda grad: masked(grad, x > -3) * np.where(x < 3, x / 3 + 0.5, 1)


@op
def mish(x):
    """`x * tanh(softplus(x))`: Misra 2019."""

    def backward(grad):
        gate = tanh_of_softplus(x)
        return grad * (gate + x * (1 - gate * gate) * logistic(x))

    return x * tanh_of_softplus(x), backward


def tanh_of_softplus(x: Array) -> Array:
    """The gate of mish."""
    return np.tanh(np.maximum(x, 0) + np.log1p(np.exp(-1.0 * np.abs(x))))
