"""A kernel slid over images, and both ways back: which algorithm does it is chosen here.

Arrays are channels-last: images (N, H, W, C), kernels (R, S, C, K). Leans on `im2col` and
`winograd`.
"""

# Grown in notebooks: 4_03_convolution_made_fast. Edit there, then `make extract`.

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import gcd

import numpy as np

from minitorch.im2col import (
    Block,
    blocks,
    both_by_rows,
    correlate_by_rows,
    kernel_gradient_by_rows,
    total_of,
)
from minitorch.threads import threads
from minitorch.windows import Axis
from minitorch.winograd import (
    both_by_tiles,
    correlate_by_tiles,
    kernel_gradient_by_tiles,
    suits_tiles,
)

__all__ = [
    "PANEL",
    "Array",
    "both_gradients",
    "correlate",
    "input_gradient",
    "is_pointwise",
    "kernel_gradient",
    "multiplied_rows",
    "multiply",
    "multiply_rows",
    "phases",
    "turned_round",
]


Array = np.ndarray

PANEL = 128  # channels that are turned at once


def correlate(x: Array, kernel: Array, down: Axis, across: Axis, out: Array) -> None:
    """Write the sum over each patch of x times `kernel` (R, S, C, K) into `out` (N, OH, OW, K)."""
    if is_pointwise(down, across):
        multiply_rows(x, kernel[0, 0], out)
    elif suits_tiles(x, out.shape[3], down, across):
        correlate_by_tiles(x, kernel, down, across, out)
    else:
        correlate_by_rows(x, kernel, down, across, out)


def kernel_gradient(x: Array, grad: Array, down: Axis, across: Axis) -> Array:
    """The gradient for the kernel (R, S, C, K), given that of the results (N, OH, OW, K)."""
    if is_pointwise(down, across):
        return multiplied_rows(x, grad)[None, None]
    if suits_tiles(x, grad.shape[3], down, across):
        return kernel_gradient_by_tiles(x, grad, down, across)
    return kernel_gradient_by_rows(x, grad, down, across)


def multiply(left: Array, right: Array, out: Array) -> None:
    """Write left @ right into `out`, whose last dimension are the columns."""
    rows = out.reshape(-1, out.shape[-1])
    np.matmul(left, right, out=rows)
    if not np.may_share_memory(rows, out):  # then reshape could only copy
        out[...] = rows.reshape(out.shape)


def is_pointwise(down: Axis, across: Axis) -> bool:
    """Whether each patch is one pixel and each pixel a patch, so that nothing need be copied."""
    return down[:4] == across[:4] == (1, 1, 0, 0)


def multiply_rows(x: Array, weights: Array, out: Array) -> None:
    """The convolution with a kernel of one pixel: one matrix product, shared by rows."""
    images, height, width, channels = x.shape

    def work(share: Sequence[Block]) -> None:
        for images, rows in share:
            multiply(x[images, rows].reshape(-1, channels), weights, out[images, rows])

    threads.share(work, blocks(images, height, width * channels * x.itemsize, weights.nbytes))


def multiplied_rows(x: Array, grad: Array) -> Array:
    """The gradient for a kernel of one pixel, (C, K): one matrix product, shared by rows."""
    images, height, width, channels = x.shape
    features = grad.shape[3]

    def products(block: Block) -> Array:
        return x[block].reshape(-1, channels).T @ grad[block].reshape(-1, features)

    row_bytes = width * (channels + features) * x.itemsize
    parts = blocks(images, height, row_bytes, channels * features * x.itemsize)
    return total_of(products, parts, (channels, features), x.dtype)


def input_gradient(grad: Array, kernel: Array, down: Axis, across: Axis, out: Array) -> None:
    """Write the gradient for x (N, H, W, C), whose results had `grad`, into `out`.

    A pixel gets gradients from the results whose patches it was in, through the kernel turned
    round: a convolution again. With stride s, every s-th pixel meets the same part of the kernel:
    s * s smaller convolutions, each of which writes every s-th pixel.
    """
    turned = kernel.transpose(0, 1, 3, 2)
    for rows, row_taps, down_part in phases(down, out.shape[1], grad.shape[1]):
        for columns, column_taps, across_part in phases(across, out.shape[2], grad.shape[2]):
            part = np.ascontiguousarray(turned[row_taps, column_taps])
            target = out[:, rows, columns]
            if not part.size:
                target[...] = 0
            elif target.size:
                correlate(grad, part, down_part, across_part, target)


def phases(axis: Axis, length: int, outputs: int) -> Iterator[tuple[slice, slice, Axis]]:
    """Each `stride`-th input position, the taps that it meets in reverse, and how they move.

    Position p (counted from the padding's start) and tap t meet result r where
    p = stride * r + dilation * t. For p = stride * q + offset that is r = q - shift - step * k,
    with t = first + every * k.
    """
    stride, dilation = axis.stride, axis.dilation
    every, step = stride // gcd(stride, dilation), dilation // gcd(stride, dilation)
    for offset in range(stride):
        start = (offset - axis.before) % stride
        positions = slice(start, length, stride)
        first = next((t for t in range(every) if (dilation * t - offset) % stride == 0), axis.size)
        count = len(range(first, axis.size, every))
        taps = slice(first + every * (count - 1), first - 1 if first else None, -every)
        if not count:
            yield positions, slice(0), Axis(0)
            continue
        shift = (dilation * first - offset) // stride
        reach = step * (count - 1)
        before = reach + shift - (start + axis.before) // stride
        needed = len(range(start, length, stride)) + reach
        yield positions, taps, Axis(count, 1, before, needed - outputs - before, step)


def both_gradients(
    x: Array, grad: Array, kernel: Array, down: Axis, across: Axis, back: Array
) -> Array:
    """Write the gradient for x into `back`, and return that for the kernel (R, S, C, K).

    With stride 1 both take the windows of `grad` around each pixel: times the turned kernel, and
    times the pixel. They are copied once.
    """
    if (down.stride, across.stride) != (1, 1) or is_pointwise(down, across):
        input_gradient(grad, kernel, down, across, back)
        return kernel_gradient(x, grad, down, across)
    ((_, _, down_back),) = phases(down, x.shape[1], grad.shape[1])
    ((_, _, across_back),) = phases(across, x.shape[2], grad.shape[2])
    turned = turned_round(kernel)
    by_tiles = suits_tiles(grad, x.shape[3], down_back, across_back)
    both = both_by_tiles if by_tiles else both_by_rows
    return both(grad, x, turned, down_back, across_back, back)


def turned_round(kernel: Array) -> Array:
    """The kernel (R, S, C, K) by half a turn, inputs and outputs exchanged: (R, S, K, C).

    Some input channels at a time, so that what is read and what is written stay in the cache.
    """
    view = kernel[::-1, ::-1].transpose(0, 1, 3, 2)
    turned = np.empty(view.shape, view.dtype)

    def work(share: Sequence[slice]) -> None:
        for channels in share:
            turned[..., channels] = view[..., channels]

    count = view.shape[3]
    threads.share(work, [slice(start, start + PANEL) for start in range(0, count, PANEL)])
    return turned
