"""Convolution as matrix products, block by block: the value and the kernel's gradient.

Arrays are channels-last here: images (N, H, W, C), kernels (R, S, C, K). A block's windows stay in
the cache until the products have used them. Leans on `windows` and `threads`.
"""

# Grown in notebooks: 4_03_convolution_made_fast. Edit there, then `make extract`.

from __future__ import annotations

from collections.abc import Sequence
from math import prod
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
    "copy_padded",
    "correlate_by_rows",
    "kernel_gradient_by_rows",
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
    total_bytes = images * rows * row_bytes
    if total_bytes <= SMALL_BYTES:
        return [Block(slice(0, images), slice(0, rows))] if images else []
    budget = min(max(BLOCK_BYTES, least_bytes), -(-total_bytes // threads.count))
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
        top = down.stride * block.rows.start - down.before
        copy_padded(self.x[block.images], top, -across.before, self.padded)
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

    def tap(self, row: int) -> Array:
        """The windows that this row of the kernel meets, one per line: (lines, S * C)."""
        offset, phase = divmod(row * self.down.dilation, self.down.stride)
        start = offset * self.columns
        together = self.windows[phase].reshape(prod(self.results), -1)
        return together[start : start + self.lines]


def copy_padded(x: Array, top: int, left: int, out: Array) -> None:
    """Copy x (N, H, W, C) from pixel (top, left) on into `out`, zeros where x has no pixels."""
    _, height, width, _ = out.shape
    first, last = max(top, 0), min(top + height, x.shape[1])
    start, stop = max(left, 0), min(left + width, x.shape[2])
    if (last - first, stop - start) != (height, width):
        out.fill(0)
    if last > first and stop > start:
        out[:, first - top : last - top, start - left : stop - left] = x[:, first:last, start:stop]


def correlate_by_rows(x: Array, kernel: Array, down: Axis, across: Axis, out: Array) -> None:
    """Write the sum over each patch of x times `kernel` (R, S, C, K) into `out` (N, OH, OW, K)."""
    images, rows, columns, features = out.shape
    by_row = kernel.reshape(len(kernel), -1, features)

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


def kernel_gradient_by_rows(x: Array, grad: Array, down: Axis, across: Axis) -> Array:
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
    total = sum(totals[1:], totals[0])
    return total.reshape(down.size, across.size, x.shape[3], features)
