"""Convolution as matrix products, block by block: the value and the kernel's gradient.

Arrays are channels-last here: images (N, H, W, C), kernels (R, S, C, K). A block's windows stay in
the cache until the products have used them. Leans on `windows`, `passes` and `threads`.
"""

# Grown in notebooks: 4_03_convolution_made_fast. Edit there, then `make extract`.

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minitorch.passes import Pass
from minitorch.threads import threads
from minitorch.windows import Axis

__all__ = [
    "BLOCK_BYTES",
    "FEW_CHANNELS",
    "LEAST_COLUMNS",
    "SMALL_BYTES",
    "SMALL_PRODUCT",
    "Array",
    "Block",
    "Job",
    "RowWindows",
    "blocks",
    "both_by_rows",
    "copy_padded",
    "copy_windows",
    "correlate_by_rows",
    "jobs",
    "kernel_gradient_by_rows",
    "multiplied",
    "total_of",
    "write_sums",
]


Array = np.ndarray

BLOCK_BYTES = 1024 * 1024  # of windows: fits a core's cache, and keeps a thread busy for a while
SMALL_BYTES = 64 * 1024  # of windows in all: less is not worth a second thread
SMALL_PRODUCT = 1_000_000  # multiplications: up to here OpenBLAS works without copying first
LEAST_COLUMNS = 28  # of a product that is one row of results: shorter ones are slow
FEW_CHANNELS = 10  # numpy copies the taps of a window in one run, compiled loops tap by tap


class Block(NamedTuple):
    """A part of the output that is computed at once: some images, and some of their rows."""

    images: slice
    rows: slice


Job = tuple[Block, slice]  # a block, and for which features


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


def total_of(
    products: Callable[[Block], Array], parts: Sequence[Block], shape: tuple[int, ...], dtype: Any
) -> Array:
    """The sum of `products(part)`, new arrays of that shape, over all parts, in all threads."""

    def work(share: Sequence[Block]) -> Array | None:
        total = None
        for part in share:
            product = products(part)
            total = product if total is None else np.add(total, product, out=total)
        return total

    totals = [total for total in threads.share(work, parts) if total is not None]
    return sum(totals[1:], totals[0]) if totals else np.zeros(shape, dtype)


class RowWindows:
    """The windows of each image row, for one block after the other, in memory that is reused.

    A kernel of R rows meets every window of S pixels R times, once per kernel row. So only windows
    of one row are copied, S times the input instead of R * S times; those that kernel row r meets
    are `tap(r)`, a view. With stride s, windows of every s-th row lie together.
    """

    def __init__(self, x: Array, down: Axis, across: Axis, features: int) -> None:
        self.x, self.down, self.across, self.features = x, down, across, features
        self.columns = across.outputs(x.shape[2])
        self.images = self.rows = 0  # of results in this block
        self.padded = self.windows = self.view = self.term = np.empty(0, x.dtype)

    def fill(self, block: Block) -> None:
        """Copy the windows of the block's rows."""
        images, rows = (part.stop - part.start for part in block)
        if (images, rows) != (self.images, self.rows):
            self.images, self.rows = images, rows
            self.make_room()
        top = self.down.stride * block.rows.start - self.down.before
        copy = copy_windows if self.x.shape[3] > FEW_CHANNELS else copy_windows.in_numpy
        copy(self.x[block.images], top, self.across, self.windows, self.padded, self.view)

    def make_room(self) -> None:
        """Memory for the padded images, a view of their windows, memory for a copy of those."""
        down, across, channels = self.down, self.across, self.x.shape[3]
        lines = self.rows + (down.span - 1) // down.stride  # that a row of the kernel can meet
        width = across.stride * (self.columns - 1) + across.span
        self.padded = np.empty((self.images, lines * down.stride, width, channels), self.x.dtype)
        shape = (down.stride, self.images, lines, self.columns, across.size, channels)
        each_image, each_row, each_column, each_channel = self.padded.strides
        strides = (
            each_row,
            each_image,
            each_row * down.stride,
            each_column * across.stride,
            each_column * across.dilation,
            each_channel,
        )
        self.view = np.lib.stride_tricks.as_strided(self.padded, shape, strides)
        self.windows = np.empty(shape, self.x.dtype)

    def tap(self, row: int) -> Array:
        """The windows that this row of the kernel meets, a stack of matrices (..., S * C).

        One matrix per image; where an image has few results, one for all; where it has many, one
        per row of results.
        """
        offset, phase = divmod(row * self.down.dilation, self.down.stride)
        windows = self.windows[phase, :, offset : offset + self.rows]
        windows = windows.reshape(*windows.shape[:3], -1)
        results, length = self.rows * self.columns, windows.shape[3]
        if results < self.features:
            return windows.reshape(1, -1, length)
        if results * length * self.features > SMALL_PRODUCT and self.columns >= LEAST_COLUMNS:
            return windows
        return windows.reshape(self.images, results, length)

    def write_products(self, by_row: Array, out: Array) -> None:
        """Write each window times the kernel, whose rows are (R, S * C, K), into `out`."""
        stack, in_place = self.tap(0), out.flags.c_contiguous
        total = out.reshape(*stack.shape[:-1], -1) if in_place else self.term[:0]
        total = multiplied(stack, by_row[0], total)
        for row in range(1, len(by_row)):
            self.term = multiplied(self.tap(row), by_row[row], self.term)
            total += self.term
        if not in_place:
            out[...] = total.reshape(out.shape)

    def times(self, row: int, pixels: Array) -> Array:
        """The sum of each result's pixel (K) times the window that this row meets: (K, S * C)."""
        stack = self.tap(row)
        factor = pixels.reshape(*stack.shape[:-1], -1)
        if len(stack) == 1 and stack.ndim == 3:
            return factor[0].T @ stack[0]
        products = np.matmul(factor.swapaxes(-1, -2), stack)
        return np.add.reduce(products, axis=tuple(range(stack.ndim - 2)))


def copy_padded(x: Array, top: int, left: int, out: Array) -> None:
    """Copy x (N, H, W, C) from pixel (top, left) on into `out`, zeros where x has no pixels."""
    _, height, width, _ = out.shape
    first, last = max(top, 0), min(top + height, x.shape[1])
    start, stop = max(left, 0), min(left + width, x.shape[2])
    if (last - first, stop - start) != (height, width):
        out.fill(0)
    if last > first and stop > start:
        out[:, first - top : last - top, start - left : stop - left] = x[:, first:last, start:stop]


@Pass
def copy_windows(
    x: Array, top: int, across: Axis, windows: Array, padded: Array, view: Array
) -> None:
    """Copy the windows of x (N, H, W, C), from row `top` on, into (phase, N, line, column, S, C).

    Row `phase` of line k is row `phases * k + phase`. `view` shows those windows in `padded`.
    """
    copy_padded(x, top, -across.before, padded)
    np.copyto(windows, view)


def correlate_by_rows(x: Array, kernel: Array, down: Axis, across: Axis, out: Array) -> None:
    """Write the sum over each patch of x times `kernel` (R, S, C, K) into `out` (N, OH, OW, K)."""
    images, rows, columns, features = out.shape
    by_row = kernel.reshape(len(kernel), -1, features)

    def work(share: Sequence[Job]) -> None:
        windows = RowWindows(x, down, across, features)
        for block, chosen in share:
            windows.fill(block)
            windows.write_products(by_row[..., chosen], out[block][..., chosen])

    row_bytes = columns * down.stride * by_row.shape[1] * x.itemsize
    threads.share(work, jobs(images, rows, row_bytes, kernel.nbytes, features))


def multiplied(stack: Array, matrix: Array, memory: Array) -> Array:
    """Each matrix of the stack times `matrix`; written into `memory` where that has the size."""
    shape = (*stack.shape[:-1], matrix.shape[1])
    return np.matmul(stack, matrix, out=memory if memory.shape == shape else None)


def jobs(images: int, rows: int, row_bytes: int, kernel_bytes: int, features: int) -> list[Job]:
    """Blocks for all features; or where the kernel is larger, all for some of the features.

    Then each thread reads its part of the kernel only.
    """
    if not images or kernel_bytes <= max(images * rows * row_bytes, SMALL_BYTES):
        parts = blocks(images, rows, row_bytes, kernel_bytes)
        return [(block, slice(0, features)) for block in parts]
    whole = Block(slice(0, images), slice(0, rows))
    step = -(-features // threads.count)
    return [
        (whole, slice(start, min(start + step, features))) for start in range(0, features, step)
    ]


def kernel_gradient_by_rows(x: Array, grad: Array, down: Axis, across: Axis) -> Array:
    """The gradient for the kernel (R, S, C, K): each patch times the gradient of its result."""
    kernel = np.empty((down.size, across.size, x.shape[3], grad.shape[3]), x.dtype)
    write_sums(x, grad, down, across, kernel.transpose(0, 3, 1, 2))
    return kernel


def write_sums(
    x: Array,
    pixels: Array,
    down: Axis,
    across: Axis,
    sums: Array,
    also: Callable[[RowWindows, Block, slice], None] | None = None,
) -> None:
    """Write each pixel (N, OH, OW, K) times the window of x that it meets into `sums` (R, K, S, C).

    `also` is called with the windows of each job, its block and its features.
    """
    images, rows, columns, features = pixels.shape
    row_bytes = columns * down.stride * across.size * x.shape[3] * x.itemsize
    shares = jobs(images, rows, row_bytes, sums.nbytes, features)
    apart = any(chosen != slice(0, features) for _, chosen in shares)  # each has its own features

    def work(share: Sequence[Job]) -> Array:
        windows = RowWindows(x, down, across, features)
        own = sums if apart else np.zeros(sums.shape, x.dtype)
        for block, chosen in share:
            windows.fill(block)
            if also is not None:
                also(windows, block, chosen)
            for row in range(down.size):
                product = windows.times(row, pixels[block][..., chosen])
                product = product.reshape(-1, *sums.shape[2:])
                if apart:
                    own[row, chosen] = product
                else:
                    own[row] += product
        return own

    totals = threads.share(work, shares)
    if not apart:
        sums[...] = sum(totals[1:], totals[0])


def both_by_rows(
    grad: Array, x: Array, turned: Array, down: Axis, across: Axis, back: Array
) -> Array:
    """Write the sum over each patch of grad times `turned` (R, S, K, C) into `back` (N, H, W, C).

    From the same windows comes what is returned, (R, S, C, K), the gradient for the kernel: each
    patch times its pixel of x, turned back.
    """
    by_row = turned.reshape(len(turned), -1, back.shape[3])
    kernel = np.empty((down.size, across.size, x.shape[3], grad.shape[3]), x.dtype)

    def write(windows: RowWindows, block: Block, chosen: slice) -> None:
        windows.write_products(by_row[..., chosen], back[block][..., chosen])

    write_sums(grad, x, down, across, kernel[::-1, ::-1].transpose(0, 2, 1, 3), write)
    return kernel
