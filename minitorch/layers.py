"""Layers: modules with one op inside, and the containers that chain them. Leans on `module`."""

# Grown in notebooks: 2_06_modules. Edit there, then `make extract`.

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from minitorch import operations, shapes
from minitorch.creation import kaiming_uniform, uniform
from minitorch.module import Module, Parameter
from minitorch.tensor import Tensor

__all__ = ["Flatten", "Linear", "ReLU", "Sequential", "Sigmoid", "Tanh"]


class Linear(Module):
    """y = x @ weight.T + bias: x (..., in_features) to y (..., out_features).

    Weights and bias start as PyTorch's: uniform within 1 / sqrt(in_features).
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        self.weight = Parameter(kaiming_uniform(out_features, in_features, gain=1 / math.sqrt(3)))
        bound = 1 / math.sqrt(in_features)
        self.bias = Parameter(uniform(out_features, low=-bound, high=bound)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        return operations.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Sizes."""
        out_features, in_features = self.weight.shape
        return f"{in_features}, {out_features}" + ("" if self.bias is not None else ", bias=False")


class ReLU(Module):
    """x where it is positive, else 0."""

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        return operations.relu(x)


class Tanh(Module):
    """Hyperbolic tangent."""

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        return operations.tanh(x)


class Sigmoid(Module):
    """1 / (1 + exp(-x))."""

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        return operations.sigmoid(x)


class Flatten(Module):
    """All dimensions but the first merged into one."""

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        return shapes.flatten(x, 1)


class Sequential(Module):
    """Modules applied one after the other; also indexed and iterated in that order."""

    def __init__(self, *modules: Module) -> None:
        for index, module in enumerate(modules):
            setattr(self, str(index), module)

    def forward(self, x: Any) -> Any:
        """Apply the modules in order."""
        for module in self:
            x = module(x)
        return x

    def __iter__(self) -> Iterator[Module]:
        return self.children()

    def __len__(self) -> int:
        return len(list(self.children()))

    def __getitem__(self, index: int) -> Module:
        return list(self.children())[index]
