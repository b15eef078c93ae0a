"""PyTorch's name for ops as functions: `import minitorch.functional as F`."""

# Grown in notebooks: 2_05_the_tensor. Edit there, then `make extract`.

from minitorch.losses import cross_entropy, log_softmax, mse_loss, softmax
from minitorch.operations import linear, relu, sigmoid, tanh
from minitorch.shapes import pad

__all__ = [
    "cross_entropy",
    "linear",
    "log_softmax",
    "mse_loss",
    "pad",
    "relu",
    "sigmoid",
    "softmax",
    "tanh",
]
