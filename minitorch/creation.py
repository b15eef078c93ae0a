"""New tensors: from numbers, filled with a constant, or random. Leans on `tensor` and `random`."""

# Grown in notebooks: 2_05_the_tensor. Edit there, then `make extract`.

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minitorch.random import generator
from minitorch.shapes import flat_sizes
from minitorch.tensor import Tensor, as_array

__all__ = [
    "arange",
    "eye",
    "gaussian",
    "kaiming_uniform",
    "ones",
    "rand",
    "randint",
    "randn",
    "randperm",
    "tensor",
    "uniform",
    "zeros",
]


def tensor(data: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor with its own copy of `data`: numbers, nested lists, an array or a tensor."""
    return Tensor(np.array(as_array(data, dtype)), requires_grad=requires_grad)


def zeros(*shape: int, dtype: Any = np.float32, requires_grad: bool = False) -> Tensor:
    """All 0."""
    return Tensor(np.zeros(flat_sizes(shape), dtype), requires_grad=requires_grad)


def ones(*shape: int, dtype: Any = np.float32, requires_grad: bool = False) -> Tensor:
    """All 1."""
    return Tensor(np.ones(flat_sizes(shape), dtype), requires_grad=requires_grad)


def eye(rows: int, columns: int | None = None, dtype: Any = np.float32) -> Tensor:
    """A matrix with 1 on the diagonal, else 0."""
    return Tensor(np.eye(rows, columns, dtype=dtype))


def arange(start: float, end: float | None = None, step: float = 1, dtype: Any = None) -> Tensor:
    """Numbers from `start` (0 when only the end is given) up to, not including, `end`."""
    if end is None:
        start, end = 0, start
    whole = all(isinstance(number, int) for number in (start, end, step))
    return Tensor(np.arange(start, end, step, dtype=dtype or (np.int64 if whole else np.float32)))


def randn(*shape: int, requires_grad: bool = False) -> Tensor:
    """Normally distributed, mean 0, standard deviation 1; float32."""
    values = generator().standard_normal(flat_sizes(shape), dtype=np.float32)
    return Tensor(np.asarray(values), requires_grad=requires_grad)


def gaussian(*shape: int, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Normally distributed with the given mean and standard deviation; float32."""
    return randn(*shape) * std + mean


def uniform(*shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Evenly distributed from `low` up to, not including, `high`; float32."""
    values = generator().random(flat_sizes(shape), dtype=np.float32)
    return Tensor(np.asarray(values) * np.float32(high - low) + np.float32(low))


def rand(*shape: int) -> Tensor:
    """Evenly distributed from 0 up to, not including, 1; float32."""
    return uniform(*shape)


def randint(low: int, high: int, shape: tuple[int, ...]) -> Tensor:
    """Whole numbers from `low` up to, not including, `high`; int64."""
    return Tensor(np.asarray(generator().integers(low, high, shape)))


def randperm(count: int) -> Tensor:
    """The numbers from 0 to `count` - 1 in random order; int64."""
    return Tensor(generator().permutation(count))


def kaiming_uniform(*shape: int, gain: float = math.sqrt(2)) -> Tensor:
    """Evenly distributed weights (out, in, ...) that keep the variance through a ReLU layer.

    Bound gain * sqrt(3 / fan_in), fan_in being the inputs of one output: He et al. 2015.
    """
    sizes = flat_sizes(shape)
    bound = gain * math.sqrt(3 / math.prod(sizes[1:]))
    return uniform(*sizes, low=-bound, high=bound)
