"""New tensors: from numbers, filled with a constant, or random. Leans on `tensor` and `random`."""

# Grown in notebooks: 2_05_the_tensor. Edit there, then `make extract`.

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from typing import Any

import numpy as np

from minitorch.devices import Device
from minitorch.random import Generator, drawing_from, generator
from minitorch.shapes import flat_sizes
from minitorch.tensor import Tensor, as_array

__all__ = [
    "RELU_GAIN",
    "BoolTensor",
    "DoubleTensor",
    "FloatTensor",
    "LongTensor",
    "TensorOf",
    "arange",
    "as_tensor",
    "bernoulli",
    "checked_sizes",
    "drawn",
    "empty",
    "empty_like",
    "eye",
    "from_numpy",
    "full",
    "full_like",
    "gaussian",
    "kaiming_uniform",
    "linspace",
    "multinomial",
    "normal",
    "ones",
    "ones_like",
    "rand",
    "rand_like",
    "randint",
    "randn",
    "randn_like",
    "randperm",
    "takes_device",
    "tensor",
    "uniform",
    "zeros",
    "zeros_like",
]


RELU_GAIN = math.sqrt(2)


def takes_device(create: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The function `create` with PyTorch's `generator` and `device`, which may only be the CPU."""

    @wraps(create)
    def create_there(
        *sizes: Any, device: Any = "cpu", generator: Generator | None = None, **settings: Any
    ) -> Tensor:
        Device(device or "cpu")
        with nullcontext() if generator is None else drawing_from(generator):
            return create(*sizes, **settings)

    return create_there


@takes_device
def tensor(data: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor with its own copy of `data`: numbers, nested lists, an array or a tensor."""
    return Tensor(np.array(as_array(data, dtype)), requires_grad=requires_grad)


def checked_sizes(name: str, shape: tuple[Any, ...]) -> tuple[int, ...]:
    """The sizes as one tuple, whichever way they were given; ValueError for what is no size."""
    sizes = flat_sizes(shape)
    if not all(isinstance(size, int | np.integer) and size >= 0 for size in sizes):
        raise ValueError(f"{name}: sizes are whole numbers from 0 on, not {sizes}.")
    return sizes


@takes_device
def as_tensor(data: Any, dtype: Any = None) -> Tensor:
    """`data` as a tensor: itself if it is one of that dtype, sharing the memory of an array."""
    return data.to(dtype=dtype) if isinstance(data, Tensor) else Tensor(as_array(data, dtype))


class TensorOf:
    """PyTorch's older constructors and names of dtypes: `LongTensor([1])`, `x.type(LongTensor)`."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = np.dtype(dtype)

    def __call__(self, data: Any) -> Tensor:
        """The data as a tensor of this dtype."""
        return tensor(Tensor(data) if isinstance(data, int) else data, dtype=self.dtype)


BoolTensor, LongTensor = TensorOf(np.bool_), TensorOf(np.int64)
FloatTensor, DoubleTensor = TensorOf(np.float32), TensorOf(np.float64)


def from_numpy(array: np.ndarray) -> Tensor:
    """A tensor that shares the array's memory: writing to one changes the other."""
    if not isinstance(array, np.ndarray):
        raise TypeError(
            f"from_numpy takes a numpy array, not {type(array).__name__}; use tensor()."
        )
    return Tensor(array)


@takes_device
def full(shape: Any, fill_value: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """All `fill_value`, in its own dtype (float32 for a float) unless one is given."""
    value = as_array(fill_value, dtype)
    return Tensor(np.full(checked_sizes("full", (shape,)), value), requires_grad=requires_grad)


@takes_device
def zeros(*shape: Any, dtype: Any = np.float32, requires_grad: bool = False) -> Tensor:
    """All 0."""
    return Tensor(np.zeros(checked_sizes("zeros", shape), dtype), requires_grad=requires_grad)


@takes_device
def ones(*shape: Any, dtype: Any = np.float32, requires_grad: bool = False) -> Tensor:
    """All 1."""
    return Tensor(np.ones(checked_sizes("ones", shape), dtype), requires_grad=requires_grad)


@takes_device
def empty(*shape: Any, dtype: Any = np.float32, requires_grad: bool = False) -> Tensor:
    """Memory as it was found, to be written to before it is read."""
    return Tensor(np.empty(checked_sizes("empty", shape), dtype), requires_grad=requires_grad)


@takes_device
def eye(
    rows: int, columns: int | None = None, dtype: Any = np.float32, requires_grad: bool = False
) -> Tensor:
    """A matrix with 1 on the diagonal, else 0."""
    sizes = checked_sizes("eye", (rows, rows if columns is None else columns))
    return Tensor(np.eye(*sizes, dtype=dtype), requires_grad=requires_grad)


@takes_device
def arange(
    start: float,
    end: float | None = None,
    step: float = 1,
    dtype: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers from `start` (0 when only the end is given) up to, not including, `end`."""
    if end is None:
        start, end = 0, start
    if dtype is not None and np.dtype(dtype).kind in "iu":
        start, end, step = int(start), int(end), int(step)
    if step == 0 or (end - start) / step < 0:
        raise ValueError(f"arange: no steps of {step} lead from {start} to {end}.")
    whole = all(isinstance(number, int | np.integer) for number in (start, end, step))
    dtype = dtype or (np.int64 if whole else np.float32)
    return Tensor(np.arange(start, end, step).astype(dtype), requires_grad=requires_grad)


@takes_device
def linspace(
    start: float, end: float, steps: int, dtype: Any = np.float32, requires_grad: bool = False
) -> Tensor:
    """`steps` numbers, evenly spaced from `start` to `end`, both included.

    As integers they are cut off towards 0, the second half counted back from the end.
    """
    (count,) = checked_sizes("linspace", (steps,))
    first, last = float(start), float(end)
    if np.dtype(dtype).kind in "iu":
        first, last = int(first), int(last)
        places, step = np.arange(count), (last - first) / max(count - 1, 1)
        from_end = last - step * (count - 1 - places)
        values = np.where(places < max(count // 2, 1), first + step * places, from_end).astype(
            dtype
        )
    else:
        values = np.linspace(first, last, count, dtype=dtype)
    return Tensor(values, requires_grad=requires_grad)


@takes_device
def randn(*shape: Any, dtype: Any = np.float32, requires_grad: bool = False) -> Tensor:
    """Normally distributed, mean 0, standard deviation 1."""
    values = generator().standard_normal(checked_sizes("randn", shape), dtype=drawn(dtype))
    return Tensor(np.asarray(values, dtype), requires_grad=requires_grad)


def gaussian(*shape: Any, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Normally distributed with the given mean and standard deviation; float32."""
    return randn(*shape) * std + mean


def uniform(*shape: Any, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Evenly distributed from `low` up to, not including, `high`; float32."""
    if not low <= high:
        raise ValueError(f"uniform: low must not be above high: {low} and {high}.")
    values = generator().random(checked_sizes("uniform", shape), dtype=np.float32)
    return Tensor(np.asarray(values) * np.float32(high - low) + np.float32(low))


@takes_device
def rand(*shape: Any, dtype: Any = np.float32, requires_grad: bool = False) -> Tensor:
    """Evenly distributed from 0 up to, not including, 1."""
    values = generator().random(checked_sizes("rand", shape), dtype=drawn(dtype))
    return Tensor(np.asarray(values, dtype), requires_grad=requires_grad)


def drawn(dtype: Any) -> Any:
    """The dtype in which random floats are drawn for `dtype`: numpy draws float32 and float64."""
    return np.float64 if np.dtype(dtype) == np.float64 else np.float32


@takes_device
def randint(low: int, high: Any, shape: Any = None, dtype: Any = np.int64) -> Tensor:
    """Whole numbers from `low` up to, not including, `high`; `randint(high, shape)` begins at 0."""
    if shape is None:
        low, high, shape = 0, low, high
    if not low < high:
        raise ValueError(f"randint: no whole number lies from {low} up to, not including, {high}.")
    shape = checked_sizes("randint", (shape,))
    return Tensor(np.asarray(generator().integers(low, high, shape, dtype)))


@takes_device
def randperm(count: int) -> Tensor:
    """The numbers from 0 to `count` - 1 in random order; int64."""
    return Tensor(generator().permutation(count))


def kaiming_uniform(*shape: Any, gain: float = RELU_GAIN) -> Tensor:
    """Evenly distributed weights (out, in, ...) that keep the variance through a ReLU layer.

    Bound gain * sqrt(3 / fan_in), fan_in being the inputs of one output: He et al. 2015.
    """
    sizes = checked_sizes("kaiming_uniform", shape)
    if not math.prod(sizes[1:]):
        raise ValueError(f"kaiming_uniform: a weight (out, in, ...) of shape {sizes} has no input.")
    bound = gain * math.sqrt(3 / math.prod(sizes[1:]))
    return uniform(*sizes, low=-bound, high=bound)


@takes_device
def zeros_like(x: Tensor, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """All 0, in the shape of x, and in its dtype unless one is given."""
    return Tensor(np.zeros_like(x.array, dtype), requires_grad=requires_grad)


@takes_device
def ones_like(x: Tensor, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """All 1, in the shape of x, and in its dtype unless one is given."""
    return Tensor(np.ones_like(x.array, dtype), requires_grad=requires_grad)


@takes_device
def full_like(x: Tensor, fill_value: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """All `fill_value`, in the shape of x, and in its dtype unless one is given."""
    return Tensor(np.full_like(x.array, fill_value, dtype), requires_grad=requires_grad)


@takes_device
def empty_like(x: Tensor, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Memory as it was found, in the shape of x."""
    return Tensor(np.empty_like(x.array, dtype), requires_grad=requires_grad)


@takes_device
def randn_like(x: Tensor, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Normally distributed, mean 0, standard deviation 1, in the shape and dtype of x."""
    return randn(x.shape, dtype=dtype or x.dtype, requires_grad=requires_grad)


@takes_device
def rand_like(x: Tensor, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Evenly distributed from 0 up to, not including, 1, in the shape and dtype of x."""
    return rand(x.shape, dtype=dtype or x.dtype, requires_grad=requires_grad)


# ---- drawn from a distribution that is given -------------------------------------------------


@takes_device
def normal(mean: Any = 0.0, std: Any = 1.0, size: Any = None) -> Tensor:
    """Normally distributed; `mean` and `std` are numbers for all, or tensors, one per element."""
    shape = np.broadcast_shapes(np.shape(mean), np.shape(std)) if size is None else size
    return randn(*shape) * std + mean


@takes_device
def bernoulli(x: Tensor) -> Tensor:
    """1 with the probability that x gives for each element, else 0."""
    if not ((x.array >= 0) & (x.array <= 1)).all():
        raise ValueError("bernoulli: takes probabilities, from 0 to 1.")
    return Tensor((generator().random(x.shape) < x.array).astype(x.dtype))


@takes_device
def multinomial(weights: Tensor, num_samples: int, replacement: bool = False) -> Tensor:
    """Per row `num_samples` of its indices, the more likely the larger the weight; int64.

    Raises ValueError for negative weights, or where there are too few above 0.
    """
    rows = np.atleast_2d(weights.array).astype(np.float64)
    enough = np.count_nonzero(rows, axis=1) >= (1 if replacement else num_samples)
    if not (rows >= 0).all() or not enough.all():
        raise ValueError(
            f"multinomial: {num_samples} samples from weights of shape {weights.shape}: each row "
            "needs that many weights above 0 (one, with replacement=True), and none below."
        )
    drawn = [
        generator().choice(row.size, num_samples, replacement, row / row.sum()) for row in rows
    ]
    return Tensor(np.reshape(drawn, (*weights.shape[:-1], num_samples)))
