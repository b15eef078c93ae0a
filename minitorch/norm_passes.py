"""What a fused batch norm does to a block of lines, in one pass each. Leans on `passes`.

Lines (L, width) are pixels side by side; what holds per channel is repeated to a line (width,).
"""

# Grown in notebooks: 4_03_convolution_made_fast. Edit there, then `make extract`.

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.op import masked
from minitorch.passes import Pass
from minitorch.reductions import total_dtype

__all__ = [
    "Array",
    "gradient_for_x",
    "gradient_sums",
    "scale_and_shift",
    "sums_around",
    "write_through_slope",
]


Array = np.ndarray


@Pass
def sums_around(lines: Array, centre: Array) -> tuple[Array, Array]:
    """The sum over lines of how far they are from `centre`, and that of the squares of it."""
    away = np.subtract(lines, centre, dtype=total_dtype(lines))  # half precision would lose them
    total = np.add.reduce(away, axis=0)
    return total, np.add.reduce(np.square(away, out=away), axis=0)


@Pass
def scale_and_shift(
    lines: Array, scale: Array, shift: Array, added: Array | None, slope: Any, out: Array
) -> None:
    """Write lines * scale + shift, plus what is `added`, through a leaky ReLU if it has a slope."""
    np.multiply(lines, scale, out=out)
    out += shift
    if added is not None:
        out += added
    if slope is not None:  # zeros as an array, for numpy is slow at the maximum with one number
        np.maximum(out, slope * out if slope else np.zeros_like(shift), out=out)


@Pass
def gradient_sums(
    grads: Array, results: Array | None, slope: Any, lines: Array, mean: Array, passed: Array
) -> tuple[Array, Array]:
    """The sums over lines of the gradients before the slope, and of these times lines - mean.

    Writes the former to `passed`; without results there is no slope, and they are there already.
    """
    if results is not None:
        write_through_slope(grads, results > 0, slope, passed)
    along_x = np.subtract(lines, mean, dtype=total_dtype(lines))
    along_x *= passed
    total = np.add.reduce(passed, axis=0, dtype=along_x.dtype)
    return total, np.add.reduce(along_x, axis=0)


def write_through_slope(grad: Array, positive: Array, slope: Any, out: Array) -> None:
    """Write the gradient before leaky_relu: as it is where the result is positive, else sloped."""
    if not slope:
        out[...] = masked(grad, positive)
    else:
        np.multiply(positive, 1 - slope, out=out)
        out += slope
        out *= grad


@Pass
def gradient_for_x(
    passed: Array, lines: Array, scale: Array, by_x: Array, constant: Array, out: Array
) -> None:
    """Write the gradient * scale + lines * by_x + constant."""
    np.multiply(lines, by_x, out=out)
    out += passed * scale
    out += constant
