"""PyTorch's name for ops as functions: `import minitorch.functional as F`."""

# Grown in notebooks: 2_05_the_tensor, 4_04_pooling. Edit there, then `make extract`.

from minitorch.convolution import conv1d, conv2d, conv_transpose2d
from minitorch.losses import cross_entropy, log_softmax, mse_loss, softmax
from minitorch.operations import linear, relu, sigmoid, tanh
from minitorch.pooling import adaptive_max_pool2d, avg_pool2d, max_pool2d
from minitorch.resizing import adaptive_avg_pool2d, interpolate
from minitorch.shapes import pad

__all__ = [
    "adaptive_avg_pool2d",
    "adaptive_max_pool2d",
    "avg_pool2d",
    "conv1d",
    "conv2d",
    "conv_transpose2d",
    "cross_entropy",
    "interpolate",
    "linear",
    "log_softmax",
    "max_pool2d",
    "mse_loss",
    "pad",
    "relu",
    "sigmoid",
    "softmax",
    "tanh",
]
