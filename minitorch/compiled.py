"""The passes over memory as loops, compiled by numba where it is installed and wanted.

`minitorch.compiled.use()` puts them in the place of numpy's, `use(False)` takes them away. Each
walks once over memory where numpy walks several times. They give numpy's numbers: sums in the same
order, no approximations. (Of one channel alone numpy may add in pairs: then the last digits
differ.) Leans on `passes`.
"""

# Grown in notebooks: 4_05_loops_compiled. Edit there, then `make extract`.

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from minitorch import depthwise, im2col, norm_passes, pooling, winograd
from minitorch.passes import Pass
from minitorch.windows import Axis

__all__ = [
    "Array",
    "Loops",
    "copy_windows",
    "gradient_for_x",
    "gradient_sums",
    "in_place_of",
    "in_use",
    "instead_of",
    "scale_and_shift",
    "send_own_back",
    "send_to_largest",
    "sums_around",
    "sums_of_own",
    "tiles",
    "translated",
    "translator",
    "use",
    "write_largest",
    "write_own",
]


Array = np.ndarray
Loops = Callable[..., Any]

in_place_of: dict[Pass, Loops] = {}  # the loops that can do a pass, in Python
translated: dict[Loops, Loops] = {}  # what numba has made of them, once it was asked


def instead_of(numpy_pass: Pass) -> Callable[[Loops], Loops]:
    """Say that the decorated loops do what `numpy_pass` does; they stay plain Python here."""

    def note(loops: Loops) -> Loops:
        in_place_of[numpy_pass] = loops
        return loops

    return note


def use(wanted: bool = True) -> None:
    """Let compiled loops do every pass over memory from here on; with False, numpy again.

    The first call of each loop compiles it, all together some seconds, once per machine: numba
    keeps them. Raises ImportError where there is no numba.
    """
    missing = [loops for loops in in_place_of.values() if wanted and loops not in translated]
    if missing:
        translate = translator()
        translated.update({loops: translate(loops) for loops in missing})
    for numpy_pass, loops in in_place_of.items():
        numpy_pass.compiled = translated[loops] if wanted else None


def in_use() -> bool:
    """Whether compiled loops do the passes."""
    return any(numpy_pass.compiled is not None for numpy_pass in in_place_of)


def translator() -> Callable[[Loops], Loops]:
    """What makes compiled functions of loops: they let go of Python's lock, and are kept.

    Where there is no folder to keep them in, each process compiles its own.
    """
    try:
        numba: Any = import_module("numba")
    except ImportError as error:
        raise ImportError(
            f"compiled: numba cannot be imported ({error}). Install it beside minitorch, "
            "`pip install numba`, or stay with numpy: everything works without."
        ) from error

    def translate(loops: Loops, kept: bool = True) -> Loops:
        try:
            return numba.njit(loops, nogil=True, cache=kept, error_model="numpy")
        except RuntimeError:  # of numba's search for a folder
            if not kept:
                raise
            return translate(loops, kept=False)

    return translate


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


@instead_of(winograd.tiles)
def tiles(x: Array, size: int, top: int, left: int, counts: tuple[int, int]) -> Array:
    """`winograd.tiles` from x itself, without a frame of zeros."""
    images, height, width, channels = x.shape
    step, (down, across) = winograd.STEP, counts
    columns = np.empty((size * size, images * down * across, channels), x.dtype)
    for pixel in range(size * size):
        tile = 0
        for image in range(images):
            for i in range(down):
                row = top + step * i + pixel // size
                for j in range(across):
                    place = left + step * j + pixel % size
                    if 0 <= row < height and 0 <= place < width:
                        for k in range(channels):
                            columns[pixel, tile, k] = x[image, row, place, k]
                    else:
                        columns[pixel, tile] = 0
                    tile += 1
    return columns


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
    left, nothing = np.empty(channels, y.dtype), np.zeros(channels, y.dtype)
    for image in range(y.shape[0]):
        for i in range(y.shape[1] - 1, -1, -1):
            for j in range(y.shape[2] - 1, -1, -1):
                for k in range(channels):
                    left[k] = grads[image, i, j, k]
                for tap in range(taps):
                    r, s = (
                        i * down.stride + tap // across.size,
                        j * across.stride + tap % across.size,
                    )
                    for k in range(channels):
                        found = tap == taps - 1 or pixels[image, r, s, k] == y[image, i, j, k]
                        share = left[k] if found else nothing[k]
                        left[k] = nothing[k] if found else left[k]
                        back[image, r, s, k] = share if tiled else back[image, r, s, k] + share


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
