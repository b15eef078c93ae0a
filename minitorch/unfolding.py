"""Windows of images as columns of a matrix, and back: im2col and col2im. Leans on `windows`."""

# Grown in notebooks: 4_02_im2col. Edit there, then `make extract`.

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minitorch.op import op
from minitorch.windows import Axis, Pair, whole_numbers

__all__ = ["Array", "add_patches", "fold", "patches_of", "two_axes", "unfold"]


Array = np.ndarray


def patches_of(x: Array, down: Axis, across: Axis) -> Array:
    """All windows of x (N, C, H, W) as a view (N, C, R, S, OH, OW) of a padded copy."""
    padded = np.pad(x, ((0, 0), (0, 0), (down.before, down.after), (across.before, across.after)))
    image, channel, row, column = padded.strides
    shape = (down.size, across.size, down.outputs(x.shape[2]), across.outputs(x.shape[3]))
    to_tap = (row * down.dilation, column * across.dilation)
    to_place = (row * down.stride, column * across.stride)
    strides = (image, channel, *to_tap, *to_place)
    return np.lib.stride_tricks.as_strided(padded, (*x.shape[:2], *shape), strides, writeable=False)


def add_patches(patches: Array, down: Axis, across: Axis, height: int, width: int) -> Array:
    """The images (N, C, height, width) in which every window has been added to its place.

    Tap by tap: the pixels that one tap meets are all different, so one strided view takes them.
    """
    count, channels, taps_down, taps_across, rows, columns = patches.shape
    sizes = (height + down.before + down.after, width + across.before + across.after)
    padded = np.zeros((count, channels, *sizes), patches.dtype)
    for r, s in np.ndindex(taps_down, taps_across):
        top, left = r * down.dilation, s * across.dilation
        bottom, right = top + down.stride * rows, left + across.stride * columns
        padded[:, :, top : bottom : down.stride, left : right : across.stride] += patches[
            :, :, r, s
        ]
    return padded[:, :, down.before : down.before + height, across.before : across.before + width]


def two_axes(
    name: str, kernel_size: Pair, dilation: Pair, padding: Pair, stride: Pair, sizes: Sequence[int]
) -> list[Axis]:
    """How the window moves down and across images of `sizes`; ValueError where it does not fit."""
    settings = [
        whole_numbers(name, "kernel_size", kernel_size, 2, 1),
        whole_numbers(name, "stride", stride, 2, 1),
        whole_numbers(name, "padding", padding, 2, 0),
        whole_numbers(name, "dilation", dilation, 2, 1),
    ]
    axes = [Axis(size, step, pad, pad, far) for size, step, pad, far in zip(*settings, strict=True)]
    for axis, length in zip(axes, sizes, strict=True):
        if axis.outputs(length) < 1:
            raise ValueError(
                f"{name}: a window that reaches over {axis.span} does not fit into {length} pixels "
                f"with a padding of {axis.before} on both sides."
            )
    return axes


@op
def unfold(
    x: Array, kernel_size: Pair, dilation: Pair = 1, padding: Pair = 0, stride: Pair = 1
) -> Any:
    """The windows of x (N, C, H, W) as columns: (N, C * R * S, places).

    Raises ValueError where no window fits.
    """
    if x.ndim != 4:
        raise ValueError(f"unfold: x must be images (N, C, H, W), not of shape {x.shape}.")
    count, channels, height, width = x.shape
    down, across = two_axes("unfold", kernel_size, dilation, padding, stride, (height, width))
    patches = patches_of(x, down, across)
    shape = patches.shape
    places = shape[-2] * shape[-1]
    columns = patches.reshape(count, channels * down.size * across.size, places)
    return columns, lambda grad: add_patches(grad.reshape(shape), down, across, height, width)


@op
def fold(
    x: Array,
    output_size: Pair,
    kernel_size: Pair,
    dilation: Pair = 1,
    padding: Pair = 0,
    stride: Pair = 1,
) -> Any:
    """Columns x (N, C * R * S, places) added up to images (N, C, *output_size).

    Raises ValueError where the columns are not those of such images.
    """
    height, width = whole_numbers("fold", "output_size", output_size, 2, 1)
    down, across = two_axes("fold", kernel_size, dilation, padding, stride, (height, width))
    taps = down.size * across.size
    places = (down.outputs(height), across.outputs(width))
    if x.ndim != 3 or x.shape[1] % taps or x.shape[2] != places[0] * places[1]:
        raise ValueError(
            f"fold: x of shape {x.shape} are not the windows of images of {height} x {width}; they "
            f"have shape (N, {taps} * channels, {places[0] * places[1]})."
        )
    before = x.shape
    patches = x.reshape(before[0], before[1] // taps, down.size, across.size, *places)

    def backward(grad: Array) -> Array:
        return patches_of(grad, down, across).reshape(before)

    return add_patches(patches, down, across, height, width), backward
