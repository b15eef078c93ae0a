"""minitorch: a deep-learning framework in readable numpy, grown in notebooks."""

# Grown in notebooks: 2_05_the_tensor. Edit there, then `make extract`.

from minitorch import functional, nn, optim
from minitorch.creation import (
    arange,
    eye,
    gaussian,
    kaiming_uniform,
    ones,
    rand,
    randint,
    randn,
    randperm,
    tensor,
    uniform,
    zeros,
)
from minitorch.gradcheck import gradcheck
from minitorch.graph import enable_grad, no_grad
from minitorch.random import manual_seed
from minitorch.tensor import Tensor

__all__ = [
    "Tensor",
    "arange",
    "enable_grad",
    "eye",
    "functional",
    "gaussian",
    "gradcheck",
    "kaiming_uniform",
    "manual_seed",
    "nn",
    "no_grad",
    "ones",
    "optim",
    "rand",
    "randint",
    "randn",
    "randperm",
    "tensor",
    "uniform",
    "zeros",
]
