"""Functions of each element, as layers. Leans on `operations` and `module`."""

# Grown in notebooks: 2_06_modules. Edit there, then `make extract`.

from __future__ import annotations

from typing import Any

from minitorch import losses, operations
from minitorch.module import Module
from minitorch.tensor import Tensor

__all__ = ["LogSoftmax", "Nonlinearity", "ReLU", "Sigmoid", "Softmax", "Tanh"]


class Nonlinearity(Module):
    """A function as a layer; each subclass names it, and the settings that it takes."""

    function: Any

    def __init__(self, **settings: Any) -> None:
        self.settings = settings

    def forward(self, x: Tensor) -> Tensor:
        """Apply the function."""
        return type(self).function(x, **self.settings)

    def extra_repr(self) -> str:
        """The settings that were given."""
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
