"""PyTorch's name for modules and layers: `from minitorch import nn`."""

# Grown in notebooks: 2_05_the_tensor. Edit there, then `make extract`.

from minitorch import functional
from minitorch.layers import Flatten, Linear, ReLU, Sequential, Sigmoid, Tanh
from minitorch.module import Buffer, Module, Parameter

__all__ = [
    "Buffer",
    "Flatten",
    "Linear",
    "Module",
    "Parameter",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Tanh",
    "functional",
]
