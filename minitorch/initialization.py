"""How weights begin: so that signals neither fade nor explode on their way. Leans on `tensor`.

Each function writes into the tensor that it is given. `fan_in` is how many numbers one output
adds up, `fan_out` how many outputs one input enters.
"""

# Grown in notebooks: 3_03_batch_norm. Edit there, then `make extract`.

from __future__ import annotations

import math

import numpy as np

from minitorch.random import generator
from minitorch.tensor import Tensor
from minitorch.versions import clock

__all__ = [
    "Array",
    "calculate_gain",
    "constant_",
    "fans",
    "filled",
    "kaiming_normal_",
    "kaiming_std",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "part_of_normal",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_std",
    "xavier_uniform_",
    "zeros_",
]


Array = np.ndarray


def filled(tensor: Tensor, values: Array | float) -> Tensor:
    """Write `values` into the tensor and return it."""
    if tensor.array.dtype.kind != "f" and not np.array_equal(values, np.rint(values)):
        raise TypeError(f"initialization: {tensor.dtype} holds whole numbers only.")
    tensor.array[...] = values
    clock.stamp(tensor.array)
    return tensor


def fans(tensor: Tensor) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight (out, in, ...), kernels counted in."""
    if tensor.ndim < 2:
        raise ValueError(f"a tensor of shape {tensor.shape} has no fans: it takes (out, in, ...).")
    kernel = math.prod(tensor.shape[2:])
    return tensor.shape[1] * kernel, tensor.shape[0] * kernel


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much the deviation must grow to make up for what a nonlinearity takes away."""
    slope = 0.01 if param is None else param
    gains = {
        "linear": 1.0,
        "sigmoid": 1.0,
        "tanh": 5 / 3,
        "relu": math.sqrt(2),
        "leaky_relu": math.sqrt(2 / (1 + slope**2)),
        "selu": 3 / 4,
    }
    if nonlinearity not in gains:
        raise ValueError(f"no gain is known for {nonlinearity!r}, only for {', '.join(gains)}.")
    return gains[nonlinearity]


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0) -> Tensor:
    """Evenly distributed from a to b."""
    if not -math.inf < a <= b < math.inf:
        raise ValueError(f"uniform_: from {a} to {b} is no interval.")
    return filled(tensor, generator().uniform(a, b, tensor.shape))


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Normally distributed."""
    if not (0 <= std < math.inf and math.isfinite(mean)):
        raise ValueError(f"normal_: mean {mean} and std {std}: a std from 0 on is needed.")
    return filled(tensor, generator().normal(mean, std, tensor.shape))


def constant_(tensor: Tensor, val: float) -> Tensor:
    """All the same."""
    return filled(tensor, val)


def ones_(tensor: Tensor) -> Tensor:
    """All 1."""
    return filled(tensor, 1)


def zeros_(tensor: Tensor) -> Tensor:
    """All 0."""
    return filled(tensor, 0)


def xavier_std(tensor: Tensor, gain: float) -> float:
    """The deviation that keeps both activations and gradients steady: Glorot and Bengio 2010."""
    return gain * math.sqrt(2 / max(sum(fans(tensor)), 1))


def xavier_uniform_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Evenly distributed with Glorot's deviation."""
    bound = math.sqrt(3) * xavier_std(tensor, gain)
    return uniform_(tensor, -bound, bound)


def xavier_normal_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Normally distributed with Glorot's deviation."""
    return normal_(tensor, 0, xavier_std(tensor, gain))


def kaiming_std(tensor: Tensor, slope: float, mode: str, nonlinearity: str) -> float:
    """The deviation that keeps activations ("fan_in") or gradients ("fan_out") steady.

    He et al. 2015.
    """
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f'mode is "fan_in" or "fan_out", not {mode!r}.')
    fan = fans(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, slope) / math.sqrt(max(fan, 1))


def kaiming_uniform_(
    tensor: Tensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu"
) -> Tensor:
    """Evenly distributed with He's deviation; `a` is the slope of a leaky ReLU below 0."""
    bound = math.sqrt(3) * kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound)


def kaiming_normal_(
    tensor: Tensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu"
) -> Tensor:
    """Normally distributed with He's deviation; `a` is the slope of a leaky ReLU below 0."""
    return normal_(tensor, 0, kaiming_std(tensor, a, mode, nonlinearity))


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0
) -> Tensor:
    """Normally distributed between a and b, wherever the mean is; raises ValueError."""
    if not (a < b and 0 < std < math.inf and math.isfinite(mean)):
        raise ValueError(f"trunc_normal_: mean {mean}, std {std}, from {a} to {b} is no interval.")
    values = np.empty(tensor.array.size)
    count = 0
    while count < values.size:
        drawn = part_of_normal((a - mean) / std, (b - mean) / std, values.size - count)
        values[count : count + len(drawn)] = drawn
        count += len(drawn)
    return filled(tensor, np.clip(mean + std * values, a, b).reshape(tensor.shape))


def part_of_normal(low: float, high: float, draws: int) -> Array:
    """Standard normal numbers between low and high: as many of the draws as are accepted.

    From a wide interval around 0 normal draws, of which most fall into it; from any other, where
    they might never, even ones, accepted as often as the density there asks: Robert 1995.
    """
    likeliest = min(max(low, 0.0), high)
    if likeliest == 0 and high - low > 2:
        x = generator().normal(size=draws)
        return x[(low <= x) & (x <= high)]
    reach = math.hypot(likeliest, 9) - abs(likeliest)  # beyond, the density is e^-40 of the highest
    x = generator().uniform(max(low, likeliest - reach), min(high, likeliest + reach), draws)
    density = np.exp((likeliest - x) * (likeliest + x) / 2)
    return x[generator().random(draws) < density]


def orthogonal_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Rows (or columns, the fewer) at right angles and of length `gain`: Saxe et al. 2013."""
    fan_in, _ = fans(tensor)
    rows, columns = len(tensor), fan_in
    tall = generator().standard_normal((max(rows, columns), min(rows, columns)))
    basis, upper = np.linalg.qr(tall)
    basis *= np.sign(np.diag(upper))  # without this the angles are not evenly distributed
    return filled(tensor, gain * (basis.T if rows < columns else basis).reshape(tensor.shape))
