"""PyTorch's name for ops as functions: `import minitorch.functional as F`."""

# Grown in notebooks: 2_04_indexing, 2_05_the_tensor, 4_04_pooling. Edit there, then `make extract`.

from minitorch.activations import (
    elu,
    gelu,
    hardsigmoid,
    hardswish,
    hardtanh,
    leaky_relu,
    logsigmoid,
    mish,
    prelu,
    relu6,
    selu,
    silu,
    softplus,
    softsign,
)
from minitorch.convolution import conv1d, conv2d, conv_transpose2d
from minitorch.joining import pad
from minitorch.losses import cross_entropy, log_softmax, mse_loss, softmax
from minitorch.operations import linear, relu, sigmoid, tanh
from minitorch.pooling import adaptive_max_pool2d, avg_pool2d, max_pool2d
from minitorch.resizing import adaptive_avg_pool2d, interpolate

__all__ = [
    "adaptive_avg_pool2d",
    "adaptive_max_pool2d",
    "avg_pool2d",
    "conv1d",
    "conv2d",
    "conv_transpose2d",
    "cross_entropy",
    "elu",
    "gelu",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "interpolate",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsigmoid",
    "max_pool2d",
    "mish",
    "mse_loss",
    "pad",
    "prelu",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "tanh",
]
