"""Pooling: windows of an image summed up in one number each. Leans on `convolution`.

A window is seen tap by tap: the first pixel of every window is one strided view of the images, the
second another, so a few elementwise calls over views do all windows at once.
"""

# Grown in notebooks: 4_04_pooling. Edit there, then `make extract`.

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from minitorch.convolution import channels_last
from minitorch.im2col import Block, blocks
from minitorch.op import BITS, op
from minitorch.passes import Pass
from minitorch.threads import threads
from minitorch.windows import Axis, Pair, whole_numbers

__all__ = [
    "Array",
    "GridSize",
    "Tap",
    "adaptive_max_pool2d",
    "avg_pool2d",
    "by_images",
    "combine_taps",
    "fill_padding",
    "fills",
    "grid",
    "max_pool2d",
    "outputs",
    "padded_pixels",
    "pixels_per_window",
    "pool_axes",
    "send_to_largest",
    "taps",
    "without_padding",
    "write_largest",
]


Array = np.ndarray
GridSize = int | Sequence[int | None]
Tap = tuple[slice, slice, slice]


@op
def max_pool2d(
    x: Array,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    dilation: Pair = 1,
    ceil_mode: bool = False,
) -> Any:
    """The largest number of each window: x (N, C, H, W), windows side by side unless `stride`.

    The gradient goes to the largest pixel, the first one in reading order where several are.
    Raises ValueError where no window fits, or for a `dilation` other than 1.
    """
    if dilation not in (1, (1, 1)):
        raise ValueError(f"max_pool2d: dilation is {dilation}, but windows here have no gaps: 1.")
    axes = down, across = pool_axes("max_pool2d", x, kernel_size, stride, padding, ceil_mode)
    shape, size = x.shape, down.size * across.size
    pixels = padded_pixels(x, axes, -np.inf)
    y = np.empty((len(x), *outputs(axes, shape), x.shape[1]), x.dtype)

    def forward(images: slice) -> None:
        write_largest(pixels[images], down, across, y[images])

    def backward(grad: Array) -> Array:
        grads = channels_last(grad)
        tiled = fills(axes, pixels.shape)
        back = (np.empty if tiled else np.zeros)(pixels.shape, grad.dtype)

        def send_back(images: slice) -> None:
            found = y[images], grads[images]
            send_to_largest(pixels[images], *found, down, across, tiled, back[images])

        by_images(send_back, y, size)
        return without_padding(back, axes, shape)

    by_images(forward, y, size)
    fill_padding(pixels, axes, np.nan)  # equal to no result, where -inf may be one
    return y.transpose(0, 3, 1, 2), backward


@Pass
def write_largest(pixels: Array, down: Axis, across: Axis, y: Array) -> None:
    """Write the largest pixel of each window of (N, H, W, C) into `y` (N, OH, OW, C)."""
    combine_taps(np.maximum, pixels, taps([down, across], y), y)


@Pass
def send_to_largest(
    pixels: Array, y: Array, grads: Array, down: Axis, across: Axis, tiled: bool, back: Array
) -> None:
    """Send the gradient of each result to the first pixel of its window that is equal to it.

    It is added to `back`; where the windows are `tiled`, each pixel in one, it is written.
    """
    left = grads.view(BITS[grads.dtype]).copy()  # of 0.0 all bits are 0
    windows = taps([down, across], y)
    for tap in windows:
        last = tap is windows[-1]
        found = left if last else left * (pixels[tap] == y)
        if tiled:
            back[tap] = found.view(grads.dtype)
        else:
            back[tap] += found.view(grads.dtype)
        if not last:
            left -= found


@op
def avg_pool2d(
    x: Array,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The mean of each window: x (N, C, H, W), windows side by side unless `stride`.

    Zeros of the padding count in the mean, unless `count_include_pad` is False; a sum divided by
    `divisor_override` if there is one. Raises ValueError where no window fits.
    """
    if divisor_override == 0:
        raise ValueError("avg_pool2d: divisor_override must not be 0.")
    axes = pool_axes("avg_pool2d", x, kernel_size, stride, padding, ceil_mode)
    shape = x.shape
    pixels = padded_pixels(x, axes, 0)
    padded_shape = pixels.shape
    y = np.empty((len(x), *outputs(axes, shape), x.shape[1]), x.dtype)
    windows = taps(axes, y)
    divisors = divisor_override or pixels_per_window(axes, shape, count_include_pad)
    weight = np.asarray(1 / divisors, x.dtype)

    def forward(images: slice) -> None:
        combine_taps(np.add, pixels[images], windows, y[images])
        y[images] *= weight

    def backward(grad: Array) -> Array:
        grads = channels_last(grad)
        tiled = fills(axes, padded_shape)
        back = (np.empty if tiled else np.zeros)(padded_shape, grad.dtype)

        def send_back(images: slice) -> None:
            shares = grads[images] * weight
            for tap in windows:
                if tiled:
                    back[images][tap] = shares
                else:
                    back[images][tap] += shares

        by_images(send_back, grads, len(windows))
        return without_padding(back, axes, shape)

    by_images(forward, y, len(windows))
    return y.transpose(0, 3, 1, 2), backward


def pool_axes(
    name: str, x: Array, kernel_size: Pair, stride: Pair | None, padding: Pair, ceil_mode: bool
) -> list[Axis]:
    """How the window moves down and across; raises ValueError where it cannot."""
    if x.ndim != 4 or x.dtype.kind != "f":
        raise ValueError(f"{name}: x must be floats (N, C, H, W), not {x.dtype} {x.shape}.")
    sizes = whole_numbers(name, "kernel_size", kernel_size, 2, 1)
    apart = kernel_size if stride is None or stride == () else stride
    strides = whole_numbers(name, "stride", apart, 2, 1)
    pads = whole_numbers(name, "padding", padding, 2, 0)
    axes = []
    for length, size, step, pad in zip(x.shape[2:], sizes, strides, pads, strict=True):
        if pad > size // 2:
            raise ValueError(f"{name}: padding {pad} is more than half of the window {size}.")
        room = length + 2 * pad - size
        count = (-(-room // step) if ceil_mode else room // step) + 1
        if ceil_mode and (count - 1) * step >= length + pad:
            count -= 1  # the last window would begin outside the image
        if count < 1:
            raise ValueError(
                f"{name}: a window of {size} does not fit into x of shape {x.shape}, which has "
                f"{length + 2 * pad} pixels there with its padding."
            )
        axes.append(Axis(size, step, pad, max(pad, (count - 1) * step + size - length - pad)))
    return axes


def padded_pixels(x: Array, axes: Sequence[Axis], value: float) -> Array:
    """The images channels-last, with `value` around them where the axes ask for padding."""
    pixels = channels_last(x)
    widths = [(axis.before, axis.after) for axis in axes]
    if not any(width for pair in widths for width in pair):
        return pixels
    return np.pad(pixels, [(0, 0), *widths, (0, 0)], constant_values=value)


def fill_padding(pixels: Array, axes: Sequence[Axis], value: float) -> None:
    """Write `value` around the images, where `padded_pixels` has put padding."""
    for dim, axis in enumerate(axes, start=1):
        before = (slice(None),) * dim
        if axis.before:
            pixels[(*before, slice(axis.before))] = value
        if axis.after:
            pixels[(*before, slice(-axis.after, None))] = value


def without_padding(back: Array, axes: Sequence[Axis], shape: Sequence[int]) -> Array:
    """The gradient of the padded images cut to x's shape (N, C, H, W)."""
    rows, columns = (
        slice(axis.before, axis.before + length)
        for axis, length in zip(axes, shape[2:], strict=True)
    )
    return back[:, rows, columns].transpose(0, 3, 1, 2)


def fills(axes: Sequence[Axis], shape: Sequence[int]) -> bool:
    """Whether every pixel of images (N, H, W, C) is in one window and in no other."""
    return all(
        axis.stride == axis.size and length % axis.size == 0
        for axis, length in zip(axes, shape[1:3], strict=True)
    )


def outputs(axes: Sequence[Axis], shape: Sequence[int]) -> list[int]:
    """How many windows there are down and across images of `shape` (N, C, H, W)."""
    return [axis.outputs(length) for axis, length in zip(axes, shape[2:], strict=True)]


def taps(axes: Sequence[Axis], y: Array) -> list[Tap]:
    """For each pixel of a window, in reading order, where it lies for all windows of `y`."""
    down, across = axes
    rows, columns = (
        axis.stride * (count - 1) + 1 for axis, count in zip(axes, y.shape[1:3], strict=True)
    )
    return [
        (slice(None), slice(r, r + rows, down.stride), slice(s, s + columns, across.stride))
        for r in range(down.size)
        for s in range(across.size)
    ]


def combine_taps(combine: np.ufunc, pixels: Array, windows: Sequence[Tap], out: Array) -> None:
    """Write the first tap of each window, combined with the others one by one, into `out`."""
    out[...] = pixels[windows[0]]
    for tap in windows[1:]:
        combine(out, pixels[tap], out=out)


def by_images(work: Callable[[slice], None], y: Array, pixels_per_result: int) -> None:
    """Call `work` with slices of the images, small enough for the cache, in all threads."""

    def work_share(share: Sequence[Block]) -> None:
        for images, _ in share:
            work(images)

    image_bytes = prod(y.shape[1:]) * y.itemsize * (pixels_per_result + 1)
    threads.share(work_share, blocks(len(y), 1, image_bytes))


def pixels_per_window(axes: Sequence[Axis], shape: Sequence[int], with_padding: bool) -> Array:
    """How many pixels each window's mean is taken over: (OH, OW, 1)."""
    counts = []
    for axis, length in zip(axes, shape[2:], strict=True):
        starts = np.arange(axis.outputs(length)) * axis.stride - axis.before
        low, high = (-axis.before, length + axis.before) if with_padding else (0, length)
        counts.append(np.minimum(starts + axis.size, high) - np.maximum(starts, low))
    return np.multiply.outer(*counts)[:, :, None]


def grid(x: Array, output_size: GridSize, name: str) -> list[list[slice]]:
    """The rows and the columns of each cell; they overlap where they do not divide the image."""
    if x.ndim != 4 or 0 in x.shape[2:]:
        raise ValueError(f"{name}: x must be images (N, C, H, W), not of shape {x.shape}.")
    given = [output_size] * 2 if isinstance(output_size, int) else output_size
    kept = [x.shape[2 + k % 2] if size is None else size for k, size in enumerate(given)]
    sizes = whole_numbers(name, "output_size", kept, 2, 1)
    return [
        [slice(k * length // count, -(-(k + 1) * length // count)) for k in range(count)]
        for length, count in zip(x.shape[2:], sizes, strict=True)
    ]


@op
def adaptive_max_pool2d(x: Array, output_size: GridSize) -> Any:
    """The largest number in each cell of a grid of `output_size` laid over x (N, C, H, W).

    Cells begin and end where `adaptive_avg_pool2d`'s do. The first of several largest gets the
    gradient.
    """
    rows, columns = grid(x, output_size, "adaptive_max_pool2d")
    shape = x.shape
    y = np.empty((*shape[:2], len(rows), len(columns)), x.dtype)
    largest = np.empty(y.shape, np.int64)  # where each was found, counted along the cell
    for i, down in enumerate(rows):
        for j, across in enumerate(columns):
            places = (down.stop - down.start) * (across.stop - across.start)
            cell = x[:, :, down, across].reshape(*shape[:2], places)
            largest[:, :, i, j] = cell.argmax(-1)
            y[:, :, i, j] = cell.max(-1)

    def backward(grad: Array) -> Array:
        back = np.zeros(shape, grad.dtype)
        image, channel = np.indices(shape[:2])
        for i, down in enumerate(rows):
            for j, across in enumerate(columns):
                r, s = np.divmod(largest[:, :, i, j], across.stop - across.start)
                back[image, channel, down.start + r, across.start + s] += grad[:, :, i, j]
        return back

    return y, backward


# ---- where the windows lie -------------------------------------------------------------------
