"""Activation functions as modules (`nn.ReLU`); as functions: `operations`, `activations`.

Leans on these and on `losses` and `module`.
"""

# Grown in notebooks: 2_06_modules. Edit there, then `make extract`.

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from minitorch import activations, losses, operations
from minitorch.module import Module, Parameter
from minitorch.tensor import Tensor

__all__ = [
    "ELU",
    "GELU",
    "SELU",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "Nonlinearity",
    "PReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Softsign",
    "Tanh",
]


class Nonlinearity(Module):
    """A function as a layer; each subclass names it. Settings are the function's.

    `inplace`, which saves memory in PyTorch, changes nothing here.
    """

    function: Any

    def __init__(self, *values: Any, inplace: bool = False, **settings: Any) -> None:
        numbers = [each for each in values if not isinstance(each, bool)]  # ReLU(True): inplace
        bound = inspect.signature(self.function).bind(None, *numbers, **settings)
        bound.apply_defaults()
        self.settings = dict(list(bound.arguments.items())[1:])

    def forward(self, x: Tensor) -> Tensor:
        """Apply the function."""
        return type(self).function(x, **self.settings)

    def extra_repr(self) -> str:
        """The settings."""
        return ", ".join(f"{name}={value}" for name, value in self.settings.items())


class ReLU(Nonlinearity):
    """x where it is positive, else 0."""

    function = staticmethod(operations.relu)


class Tanh(Nonlinearity):
    """Hyperbolic tangent."""

    function = staticmethod(operations.tanh)


class Sigmoid(Nonlinearity):
    """1 / (1 + exp(-x))."""

    function = staticmethod(operations.sigmoid)


class Softmax(Nonlinearity):
    """Positive numbers that sum to 1 along `dim`."""

    function = staticmethod(losses.softmax)

    def __init__(self, dim: int | None = None) -> None:
        super().__init__(dim=dim)


class LogSoftmax(Nonlinearity):
    """log(softmax(x)) along `dim`."""

    function = staticmethod(losses.log_softmax)

    def __init__(self, dim: int | None = None) -> None:
        super().__init__(dim=dim)


class ReLU6(Nonlinearity):
    """x, cut off at 0 and 6."""

    function = staticmethod(activations.relu6)


class LeakyReLU(Nonlinearity):
    """x where it is positive, else `negative_slope` times x."""

    function = staticmethod(activations.leaky_relu)


class ELU(Nonlinearity):
    """x where it is positive, else `alpha` * (exp(x) - 1)."""

    function = staticmethod(activations.elu)


class SELU(Nonlinearity):
    """An ELU that keeps mean 0 and variance 1 from layer to layer."""

    function = staticmethod(activations.selu)


class Softplus(Nonlinearity):
    """log(1 + exp(`beta` * x)) / `beta`, a smooth ReLU."""

    function = staticmethod(activations.softplus)


class SiLU(Nonlinearity):
    """x * sigmoid(x), also called swish."""

    function = staticmethod(activations.silu)


class GELU(Nonlinearity):
    """x * Phi(x), Phi being the normal distribution's share below x."""

    function = staticmethod(activations.gelu)


class Mish(Nonlinearity):
    """x * tanh(softplus(x))."""

    function = staticmethod(activations.mish)


class LogSigmoid(Nonlinearity):
    """log(sigmoid(x))."""

    function = staticmethod(activations.logsigmoid)


class Softsign(Nonlinearity):
    """x / (1 + |x|)."""

    function = staticmethod(activations.softsign)


class Hardtanh(Nonlinearity):
    """x, cut off at `min_val` and `max_val`."""

    function = staticmethod(activations.hardtanh)


class Hardsigmoid(Nonlinearity):
    """(x + 3) / 6, cut off at 0 and 1."""

    function = staticmethod(activations.hardsigmoid)


class Hardswish(Nonlinearity):
    """x * hardsigmoid(x)."""

    function = staticmethod(activations.hardswish)


class PReLU(Module):
    """A leaky ReLU that learns its slope: one, or one per channel."""

    def __init__(self, num_parameters: int = 1, init: float = 0.25) -> None:
        self.weight = Parameter(np.full(num_parameters, init, np.float32))

    def forward(self, x: Tensor) -> Tensor:
        """Apply the function."""
        return activations.prelu(x, self.weight)
