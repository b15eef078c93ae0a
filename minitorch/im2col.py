"""Convolution as matrix products, block by block: the forward and both gradients.

Arrays are channels-last here: images (N, H, W, C), kernels (R, S, C, K). A block's windows stay in
the cache until the products have used them. Leans on `windows` and `threads`.
"""

# Grown in notebooks: 4_03_convolution_made_fast. Edit there, then `make extract`.

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import gcd, prod
from typing import NamedTuple

import numpy as np

from minitorch.threads import threads
from minitorch.windows import Axis

__all__ = [
    "BLOCK_BYTES",
    "SMALL_BYTES",
    "Array",
    "Block",
    "RowWindows",
    "blocks",
    "correlate",
    "input_gradient",
    "is_pointwise",
    "kernel_gradient",
    "multiply",
    "multiply_rows",
    "phases",
]


Array = np.ndarray

BLOCK_BYTES = 256 * 1024  # of windows: what a core's own cache holds beside the kernel
SMALL_BYTES = 64 * 1024  # of windows in all: less is not worth a second thread


class Block(NamedTuple):
    """A part of the output that is computed at once: some images, and some of their rows."""

    images: slice
    rows: slice


def blocks(images: int, rows: int, row_bytes: int, least_bytes: int = 0) -> list[Block]:
    """Cut (images, rows) into blocks of about `BLOCK_BYTES`: whole images, or rows of one.

    `least_bytes` makes them larger where the other factor of the product is large: each product
    reads all of it.
    """
    if images * rows * row_bytes <= SMALL_BYTES:
        return [Block(slice(0, images), slice(0, rows))] if images else []
    budget = max(BLOCK_BYTES, least_bytes)
    if row_bytes * rows > budget:
        step = max(1, budget // row_bytes)
        parts = [slice(start, min(start + step, rows)) for start in range(0, rows, step)]
        return [Block(slice(k, k + 1), part) for k in range(images) for part in parts]
    step = min(max(1, budget // max(row_bytes * rows, 1)), -(-images // threads.count))
    starts = range(0, images, max(step, 1))
    return [Block(slice(k, min(k + step, images)), slice(0, rows)) for k in starts]


class RowWindows:
    """The windows of each image row, for one block after the other, in memory that is reused.

    A kernel of R rows meets every window of S pixels R times, once per kernel row. So only windows
    of one row are copied, S times the input instead of R * S times; those that kernel row r meets
    lie one behind the other, from `tap(r)` on. The last windows of an image run on into the next:
    their results, `extra` rows per image, mean nothing. With stride s, windows of every s-th row
    lie together.
    """

    def __init__(self, x: Array, down: Axis, across: Axis) -> None:
        self.x, self.down, self.across = x, down, across
        self.columns = across.outputs(x.shape[2])
        self.extra = (down.span - 1) // down.stride
        self.results = (0, 0, 0)  # images, rows with the extra ones, columns
        self.lines = 0  # how many of them have a window for every row of the kernel
        self.padded = self.windows = np.empty(0, x.dtype)

    def fill(self, block: Block) -> None:
        """Copy the windows of the block's rows."""
        down, across, channels = self.down, self.across, self.x.shape[3]
        images, rows = (part.stop - part.start for part in block)
        results = (images, rows + self.extra, self.columns)
        if self.results != results:
            self.results = results
            self.lines = (images * results[1] - self.extra) * self.columns
            width = across.stride * (self.columns - 1) + across.span
            padded = (images, results[1] * down.stride, width, channels)
            self.padded = np.empty(padded, self.x.dtype)
            self.windows = np.empty((down.stride, *results, across.size, channels), self.x.dtype)
        self.pad(block, down.stride * block.rows.start - down.before)
        each_image, each_row, each_column, each_channel = self.padded.strides
        strides = (
            each_row,
            each_image,
            each_row * down.stride,
            each_column * across.stride,
            each_column * across.dilation,
            each_channel,
        )
        view = np.lib.stride_tricks.as_strided(self.padded, self.windows.shape, strides)
        np.copyto(self.windows, view)

    def pad(self, block: Block, top: int) -> None:
        """Copy the block's input, whose first row is `top`, with zeros where there is none."""
        _, height, width, _ = self.padded.shape
        _, x_height, x_width, _ = self.x.shape
        left = -self.across.before
        first, last = max(top, 0), min(top + height, x_height)
        start, stop = max(left, 0), min(left + width, x_width)
        if (last - first, stop - start) != (height, width):
            self.padded.fill(0)
        if last > first and stop > start:
            inside = np.s_[:, first - top : last - top, start - left : stop - left]
            self.padded[inside] = self.x[block.images, first:last, start:stop]

    def tap(self, row: int) -> Array:
        """The windows that this row of the kernel meets, one per line: (lines, S * C)."""
        offset, phase = divmod(row * self.down.dilation, self.down.stride)
        start = offset * self.columns
        together = self.windows[phase].reshape(prod(self.results), -1)
        return together[start : start + self.lines]


def correlate(x: Array, kernel: Array, down: Axis, across: Axis, out: Array) -> None:
    """Write the sum over each patch of x times `kernel` (R, S, C, K) into `out` (N, OH, OW, K)."""
    images, rows, columns, features = out.shape
    by_row = kernel.reshape(len(kernel), -1, features)
    if is_pointwise(down, across):
        return multiply_rows(x, by_row[0], out)

    def work(share: Sequence[Block]) -> None:
        windows = RowWindows(x, down, across)
        for block in share:
            windows.fill(block)
            total = np.empty((*windows.results, features), x.dtype)
            lines = total.reshape(-1, features)[: windows.lines]
            np.matmul(windows.tap(0), by_row[0], out=lines)
            for row in range(1, len(kernel)):
                lines += windows.tap(row) @ by_row[row]
            out[block] = total[:, : block.rows.stop - block.rows.start]

    row_bytes = columns * down.stride * by_row.shape[1] * x.itemsize
    threads.share(work, blocks(images, rows, row_bytes, kernel.nbytes))
    return None


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


def kernel_gradient(x: Array, grad: Array, down: Axis, across: Axis) -> Array:
    """The gradient for the kernel (R, S, C, K): each patch times the gradient of its result."""
    images, rows, columns, features = grad.shape
    shape = (down.size, across.size * x.shape[3], features)

    def work(share: Sequence[Block]) -> Array:
        windows = RowWindows(x, down, across)
        total = np.zeros(shape, x.dtype)
        for block in share:
            windows.fill(block)
            grads = np.zeros((*windows.results, features), x.dtype)  # 0 for what means nothing
            grads[:, : block.rows.stop - block.rows.start] = grad[block]
            lines = grads.reshape(-1, features)[: windows.lines]
            for row in range(down.size):
                total[row] += windows.tap(row).T @ lines
        return total

    row_bytes = columns * down.stride * shape[1] * x.itemsize
    totals = threads.share(work, blocks(images, rows, row_bytes, prod(shape) * x.itemsize // 4))
    total = totals[0]
    for other in totals[1:]:
        total += other
    return total.reshape(down.size, across.size, x.shape[3], features)


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
