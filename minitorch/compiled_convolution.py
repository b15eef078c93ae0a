"""What surrounds the products of a convolution, as loops that `compiled` may translate.

Windows and depthwise convolutions give numpy's numbers, to the last digit. Points of tiles differ
in the last digits: their sums are written out here, where numpy multiplies by matrices of which
most numbers are 0. Leans on `compiled`.
"""

# Grown in notebooks: 4_05_loops_compiled. Edit there, then `make extract`.

from __future__ import annotations

import numpy as np

from minitorch import depthwise, im2col, winograd
from minitorch.compiled import instead_of
from minitorch.windows import Axis

__all__ = [
    "EIGHT",
    "FIVE",
    "FOUR",
    "LINE",
    "SPARE_TILES",
    "TWO",
    "Array",
    "copy_windows",
    "points_of",
    "send_own_back",
    "sums_of_own",
    "write_own",
    "write_results",
]


Array = np.ndarray

TWO, FOUR, FIVE, EIGHT = map(np.float32, (2, 4, 5, 8))  # for numba, 2 * float32 is float64
SPARE_TILES = 1  # points a power of two apart would push each other out of the cache
LINE = 64  # numbers that are added up at once, of several tiles if need be


@instead_of(im2col.copy_windows)
def copy_windows(
    x: Array, top: int, across: Axis, windows: Array, padded: Array, view: Array
) -> None:
    """`im2col.copy_windows` from x itself: `padded`, which `view` shows, is not needed."""
    phases, images, lines, columns, taps, channels = windows.shape
    for phase in range(phases):
        for image in range(images):
            for line in range(lines):
                row = top + line * phases + phase
                for column in range(columns):
                    for tap in range(taps):
                        place = column * across.stride + tap * across.dilation - across.before
                        if 0 <= row < x.shape[1] and 0 <= place < x.shape[2]:
                            for k in range(channels):
                                pixel = x[image, row, place, k]
                                windows[phase, image, line, column, tap, k] = pixel
                        else:
                            windows[phase, image, line, column, tap] = 0


@instead_of(winograd.points_of)
def points_of(x: Array, size: int, top: int, left: int, counts: tuple[int, int]) -> Array:
    """`winograd.points_of` by sums: down each column of a tile, then along each row."""

    def add_inputs(a: Array, points: Array) -> None:
        for k in range(a.shape[1]):
            even, odd = a[4, k] - FOUR * a[2, k], a[3, k] - FOUR * a[1, k]
            near, far = a[4, k] - a[2, k], TWO * (a[3, k] - a[1, k])
            points[0, k] = FOUR * a[0, k] - FIVE * a[2, k] + a[4, k]
            points[1, k], points[2, k] = even + odd, even - odd
            points[3, k], points[4, k] = near + far, near - far
            points[5, k] = FOUR * a[1, k] - FIVE * a[3, k] + a[5, k]

    def add_results(a: Array, points: Array) -> None:
        for k in range(a.shape[1]):
            even, odd = a[0, k] + a[2, k], a[1, k] + a[3, k]
            near, far = a[0, k] + FOUR * a[2, k], TWO * a[1, k] + EIGHT * a[3, k]
            points[0, k], points[5, k] = a[0, k], a[3, k]
            points[1, k], points[2, k] = even + odd, even - odd
            points[3, k], points[4, k] = near + far, near - far

    images, height, width, channels = x.shape
    (down, across), total, few = counts, images * counts[0] * counts[1], max(1, LINE // channels)
    points = np.empty((36, total + SPARE_TILES, channels), x.dtype)
    line = np.zeros((6, 6, few * channels), x.dtype)
    half, tile = np.empty_like(line), line.reshape(6, 6, few, channels)
    for first in range(0, total, few):
        last = min(first + few, total)
        for number in range(first, last):
            image, i, j = number // (down * across), number // across % down, number % across
            for r in range(size):
                for s in range(size):
                    row, column = top + 4 * i + r, left + 4 * j + s
                    if 0 <= row < height and 0 <= column < width:
                        for k in range(channels):
                            tile[r, s, number - first, k] = x[image, row, column, k]
                    else:
                        tile[r, s, number - first] = 0
        for s in range(size):
            if size == winograd.SIZE:
                add_inputs(line[:, s], half[:, s])
            else:
                add_results(line[:, s], half[:, s])
        for r in range(6):
            if size == winograd.SIZE:
                add_inputs(half[r], line[r])
            else:
                add_results(half[r], line[r])
        for r in range(6):
            for s in range(6):
                for number in range(first, last):
                    for k in range(channels):
                        points[6 * r + s, number, k] = tile[r, s, number - first, k]
    return points[:, :total]


@instead_of(winograd.write_results)
def write_results(products: Array, counts: tuple[int, int], out: Array) -> None:
    """`winograd.write_results` by sums: down each column of a tile, then along each row."""

    def add_products(a: Array, results: Array) -> None:
        for k in range(a.shape[1]):
            even, odd = a[1, k] + a[2, k], a[1, k] - a[2, k]
            near, far = a[3, k] + a[4, k], a[3, k] - a[4, k]
            results[0, k], results[1, k] = a[0, k] + even + near, odd + TWO * far
            results[2, k], results[3, k] = even + FOUR * near, odd + EIGHT * far + a[5, k]

    images, height, width, channels = out.shape
    (down, across), total, few = counts, images * counts[0] * counts[1], max(1, LINE // channels)
    line = np.zeros((6, 6, few * channels), out.dtype)
    half, tile = np.empty_like(line), line.reshape(6, 6, few, channels)
    for first in range(0, total, few):
        last = min(first + few, total)
        for r in range(6):
            for s in range(6):
                for number in range(first, last):
                    for k in range(channels):
                        tile[r, s, number - first, k] = products[6 * r + s, number, k]
        for s in range(6):
            add_products(line[:, s], half[:, s])
        for r in range(4):
            add_products(half[r], line[r])
        for number in range(first, last):
            image, i, j = number // (down * across), number // across % down, number % across
            for r in range(min(4, height - 4 * i)):
                for s in range(min(4, width - 4 * j)):
                    for k in range(channels):
                        out[image, 4 * i + r, 4 * j + s, k] = tile[r, s, number - first, k]


@instead_of(depthwise.write_own)
def write_own(x: Array, kernel: Array, down: Axis, across: Axis, out: Array) -> None:
    """`depthwise.write_own` from x itself, row by row."""
    rows, columns, channels, kernels = kernel.shape
    out[:] = 0
    for image in range(len(out)):
        for i in range(out.shape[1]):
            for tap in range(rows * columns):
                r, s = tap // columns, tap % columns
                row = i * down.stride + r * down.dilation - down.before
                for j in range(out.shape[2] if 0 <= row < x.shape[1] else 0):
                    place = j * across.stride + s * across.dilation - across.before
                    if 0 <= place < x.shape[2] and kernels == 1:
                        for k in range(channels):
                            out[image, i, j, k] += x[image, row, place, k] * kernel[r, s, k, 0]
                    elif 0 <= place < x.shape[2]:
                        for k in range(channels * kernels):
                            pixel = x[image, row, place, k // kernels]
                            out[image, i, j, k] += pixel * kernel[r, s, k // kernels, k % kernels]


@instead_of(depthwise.send_own_back)
def send_own_back(grad: Array, kernel: Array, down: Axis, across: Axis, out: Array) -> None:
    """`depthwise.send_own_back` to x itself, row by row."""
    rows, columns, channels, kernels = kernel.shape
    out[:] = 0
    for image in range(len(out)):
        for tap in range(rows * columns):
            r, s = tap // columns, tap % columns
            for i in range(grad.shape[1]):
                row = i * down.stride + r * down.dilation - down.before
                for j in range(grad.shape[2] if 0 <= row < out.shape[1] else 0):
                    place = j * across.stride + s * across.dilation - across.before
                    if 0 <= place < out.shape[2] and kernels == 1:
                        for k in range(channels):
                            out[image, row, place, k] += grad[image, i, j, k] * kernel[r, s, k, 0]
                    elif 0 <= place < out.shape[2]:
                        for k in range(channels):
                            total = grad[image, i, j, k * kernels] * kernel[r, s, k, 0]
                            for m in range(1, kernels):
                                total += grad[image, i, j, k * kernels + m] * kernel[r, s, k, m]
                            out[image, row, place, k] += total


@instead_of(depthwise.sums_of_own)
def sums_of_own(x: Array, grad: Array, down: Axis, across: Axis) -> Array:
    """`depthwise.sums_of_own` from x itself, row by row."""
    features = grad.shape[3]
    kernels = features // x.shape[3]
    total = np.zeros((down.size, across.size, features), x.dtype)
    for image in range(len(grad)):
        for i in range(grad.shape[1]):
            for tap in range(down.size * across.size):
                r, s = tap // across.size, tap % across.size
                row = i * down.stride + r * down.dilation - down.before
                for j in range(grad.shape[2] if 0 <= row < x.shape[1] else 0):
                    place = j * across.stride + s * across.dilation - across.before
                    if 0 <= place < x.shape[2] and kernels == 1:
                        for k in range(features):
                            total[r, s, k] += x[image, row, place, k] * grad[image, i, j, k]
                    elif 0 <= place < x.shape[2]:
                        for k in range(features):
                            pixel = x[image, row, place, k // kernels]
                            total[r, s, k] += pixel * grad[image, i, j, k]
    return total
