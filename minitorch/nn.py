"""PyTorch's name for modules and layers: `from minitorch import nn`."""

# Grown in notebooks: 2_05_the_tensor, 4_04_pooling. Edit there, then `make extract`.

from minitorch import functional
from minitorch.convolution_layers import (
    AdaptiveAvgPool2d,
    AdaptiveMaxPool2d,
    AvgPool2d,
    Conv1d,
    Conv2d,
    ConvTranspose2d,
    MaxPool2d,
    Upsample,
)
from minitorch.layers import Flatten, Linear, ReLU, Sequential, Sigmoid, Tanh
from minitorch.module import Buffer, Module, Parameter

__all__ = [
    "AdaptiveAvgPool2d",
    "AdaptiveMaxPool2d",
    "AvgPool2d",
    "Buffer",
    "Conv1d",
    "Conv2d",
    "ConvTranspose2d",
    "Flatten",
    "Linear",
    "MaxPool2d",
    "Module",
    "Parameter",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Tanh",
    "Upsample",
    "functional",
]
