"""Batch norm and max pooling as loops that `compiled` may translate.

They give numpy's numbers: sums in the same order, no approximations. (Of one channel alone numpy
may add in pairs: then the last digits differ.) Leans on `compiled`.
"""

# Grown in notebooks: 4_05_loops_compiled. Edit there, then `make extract`.

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch import norm_passes, pooling
from minitorch.compiled import instead_of
from minitorch.windows import Axis

__all__ = [
    "Array",
    "gradient_for_x",
    "gradient_sums",
    "scale_and_shift",
    "send_to_largest",
    "sums_around",
    "write_largest",
]


Array = np.ndarray


@instead_of(norm_passes.sums_around)
def sums_around(lines: Array, centre: Array) -> tuple[Array, Array]:
    """`norm_passes.sums_around` in one walk."""
    total, squares = np.zeros(lines.shape[1], lines.dtype), np.zeros(lines.shape[1], lines.dtype)
    for i in range(lines.shape[0]):
        for j in range(lines.shape[1]):
            away = lines[i, j] - centre[j]
            total[j] += away
            squares[j] += away * away
    return total, squares


@instead_of(norm_passes.scale_and_shift)
def scale_and_shift(
    lines: Array, scale: Array, shift: Array, added: Array | None, slope: Any, out: Array
) -> None:
    """`norm_passes.scale_and_shift` in one walk."""
    for i in range(lines.shape[0]):
        for j in range(lines.shape[1]):
            value = lines[i, j] * scale[j] + shift[j]
            if added is not None:
                value += added[i, j]
            if slope is not None and value < 0:
                value = slope * value if slope else slope  # which is 0, also for minus infinity
            out[i, j] = value


@instead_of(norm_passes.gradient_sums)
def gradient_sums(
    grads: Array, results: Array | None, slope: Any, lines: Array, mean: Array, passed: Array
) -> tuple[Array, Array]:
    """`norm_passes.gradient_sums` in one walk."""
    total, along_x = np.zeros(lines.shape[1], lines.dtype), np.zeros(lines.shape[1], lines.dtype)
    for i in range(lines.shape[0]):
        for j in range(lines.shape[1]):
            grad = grads[i, j]
            if results is not None:
                if not results[i, j] > 0:
                    grad = slope * grad if slope else slope
                passed[i, j] = grad
            total[j] += grad
            along_x[j] += (lines[i, j] - mean[j]) * grad
    return total, along_x


@instead_of(norm_passes.gradient_for_x)
def gradient_for_x(
    passed: Array, lines: Array, scale: Array, by_x: Array, constant: Array, out: Array
) -> None:
    """`norm_passes.gradient_for_x` in one walk."""
    for i in range(lines.shape[0]):
        for j in range(lines.shape[1]):
            out[i, j] = lines[i, j] * by_x[j] + passed[i, j] * scale[j] + constant[j]


@instead_of(pooling.write_largest)
def write_largest(pixels: Array, down: Axis, across: Axis, y: Array) -> None:
    """`pooling.write_largest` in one walk."""
    for image in range(y.shape[0]):
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                row, place = i * down.stride, j * across.stride
                for k in range(y.shape[3]):
                    y[image, i, j, k] = pixels[image, row, place, k]
                for tap in range(1, down.size * across.size):
                    r, s = row + tap // across.size, place + tap % across.size
                    for k in range(y.shape[3]):
                        value = pixels[image, r, s, k]
                        if value > y[image, i, j, k] or value != value:  # NaN wins
                            y[image, i, j, k] = value


@instead_of(pooling.send_to_largest)
def send_to_largest(
    pixels: Array, y: Array, grads: Array, down: Axis, across: Axis, tiled: bool, back: Array
) -> None:
    """`pooling.send_to_largest` in one walk.

    The last window comes first: a pixel gets its gradients in numpy's order, tap by tap.
    """
    channels, taps = y.shape[3], down.size * across.size
    left, zero = np.empty(channels, y.dtype), y.dtype.type(0)
    for image in range(y.shape[0]):
        for i in range(y.shape[1] - 1, -1, -1):
            for j in range(y.shape[2] - 1, -1, -1):
                largest = y[image, i, j]
                for k in range(channels):
                    left[k] = grads[image, i, j, k]
                for tap in range(taps):
                    r, s = tap // across.size, tap % across.size
                    pixel = pixels[image, i * down.stride + r, j * across.stride + s]
                    target = back[image, i * down.stride + r, j * across.stride + s]
                    last = tap == taps - 1
                    for k in range(channels):
                        found = last or pixel[k] == largest[k]
                        share = left[k] if found else zero
                        left[k] = zero if found else left[k]
                        target[k] = share if tiled else target[k] + share
