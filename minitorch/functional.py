"""PyTorch's name for ops as functions: `import minitorch.functional as F`."""

# Grown in notebooks: 2_04_indexing, 2_05_the_tensor. Edit there, then `make extract`.

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
from minitorch.joining import pad
from minitorch.losses import cross_entropy, log_softmax, mse_loss, softmax
from minitorch.operations import linear, relu, sigmoid, tanh

__all__ = [
    "cross_entropy",
    "elu",
    "gelu",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsigmoid",
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
