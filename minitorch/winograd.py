"""Convolution with 3 x 3 kernels in a quarter of the multiplications: Winograd's F(4 x 4, 3 x 3).

Tiles of 6 x 6 pixels, one every 4, give 4 x 4 results each: y = A [(G kernel) * (B tile)], where
the product is one of matrices, (tiles, C) @ (C, K), for each of 36 points. Everything is a matrix
product here. The price is rounding, about ten times that of im2col: float32 only, where many
channels pay for the sums, and not at all with `enabled = False` or MINITORCH_WINOGRAD=0.
Lavin and Gray 2015, "Fast algorithms for convolutional neural networks". Leans on `im2col`.
"""

# Grown in notebooks: 4_03_convolution_made_fast. Edit there, then `make extract`.

from __future__ import annotations

import os
from collections.abc import Sequence
from math import prod

import numpy as np

from minitorch.im2col import Block, blocks, copy_padded, total_of
from minitorch.passes import Pass
from minitorch.threads import threads
from minitorch.windows import Axis

__all__ = [
    "INPUT_1D",
    "KERNEL_1D",
    "LEAST_CHANNELS",
    "LEAST_COMPILED",
    "LEAST_TILES",
    "OUTPUT_1D",
    "SIZE",
    "STEP",
    "TILE_BYTES",
    "A",
    "Array",
    "B",
    "G",
    "both_by_tiles",
    "correlate_by_tiles",
    "counts_in",
    "enabled",
    "grid_of",
    "input_points",
    "kernel_gradient_by_tiles",
    "part_of",
    "points_of",
    "result_points",
    "suits_tiles",
    "tile_blocks",
    "tiles",
    "transform",
    "write_results",
]


Array = np.ndarray

enabled = os.environ.get("MINITORCH_WINOGRAD") != "0"  # minitorch.winograd.enabled = False
LEAST_CHANNELS = 64  # of input and output: with fewer the sums cost more than they save
LEAST_COMPILED = 32  # the same where the sums are compiled loops
LEAST_TILES = 96  # in all: each point's product has a row per tile, and reads a whole kernel
TILE_BYTES = 1024 * 1024  # of tiles, as points: more than for windows, each point is a product

STEP, SIZE = 4, 6  # results and pixels of a tile
INPUT_1D = [
    [4, 0, -5, 0, 1, 0],
    [0, -4, -4, 1, 1, 0],
    [0, 4, -4, -1, 1, 0],
    [0, -2, -1, 2, 1, 0],
    [0, 2, -1, -2, 1, 0],
    [0, 4, 0, -5, 0, 1],
]
KERNEL_1D = (
    np.array(
        [[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]],
    )
    / 24
)
OUTPUT_1D = [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]

B, G, A = (
    np.kron(matrix, matrix).astype(np.float32) for matrix in (INPUT_1D, KERNEL_1D, OUTPUT_1D)
)


def suits_tiles(x: Array, features: int, down: Axis, across: Axis) -> bool:
    """Whether tiles are faster: 3 x 3 kernels side by side, many channels, many tiles, float32.

    Most of what the tiles cover must be results: of 5 pixels in a row, two tiles waste 3.
    """
    least = LEAST_CHANNELS if points_of.compiled is None else LEAST_COMPILED
    if not enabled or x.dtype != np.float32 or min(x.shape[3], features) < least:
        return False
    if any(axis[:2] != (3, 1) or axis.dilation != 1 for axis in (down, across)):
        return False
    sizes = down.outputs(x.shape[1]), across.outputs(x.shape[2])
    each = prod(grid_of(*sizes))
    return len(x) * each >= LEAST_TILES and 2 * prod(sizes) > STEP * STEP * each


def grid_of(rows: int, columns: int) -> tuple[int, int]:
    """How many tiles there are down and across."""
    return -(-rows // STEP), -(-columns // STEP)


def tiles(x: Array, size: int, top: int, left: int, counts: tuple[int, int]) -> Array:
    """Tiles of x, one every 4 pixels, as columns of their pixels: (size * size, tiles, C).

    The first begins at pixel (top, left) of x (N, H, W, C); `counts` are down and across.
    """
    height, width = (STEP * (count - 1) + size for count in counts)
    padded = np.empty((len(x), height, width, x.shape[3]), x.dtype)
    copy_padded(x, top, left, padded)
    image, row, column, channel = padded.strides
    view = np.lib.stride_tricks.as_strided(
        padded,
        (size, size, len(x), *counts, x.shape[3]),
        (row, column, image, STEP * row, STEP * column, channel),
    )
    return view.reshape(size * size, -1, x.shape[3])


def transform(matrix: Array, columns: Array) -> Array:
    """Apply B, G or A to the first dimension; the others stay."""
    return (matrix @ columns.reshape(len(columns), -1)).reshape(-1, *columns.shape[1:])


def tile_blocks(images: int, counts: tuple[int, int], channels: int, features: int) -> list[Block]:
    """Blocks of images and of rows of tiles, large beside the kernel that each block reads."""
    point_bytes = SIZE * SIZE * np.dtype(np.float32).itemsize
    row_bytes = point_bytes * counts[1] * (channels + features)
    least = max(TILE_BYTES, 2 * point_bytes * channels * features)
    return blocks(images, counts[0], row_bytes, least)


@Pass
def points_of(x: Array, size: int, top: int, left: int, counts: tuple[int, int]) -> Array:
    """The tiles of x from pixel (top, left) on, transformed: (36, tiles, C).

    Those of `SIZE` pixels are of inputs and go through B; of `STEP`, of results, back through A.
    """
    return transform(B if size == SIZE else A.T, tiles(x, size, top, left, counts))


def input_points(x: Array, block: Block, down: Axis, across: Axis, columns: int) -> Array:
    """The points of the inputs that a block of results needs."""
    top = STEP * block.rows.start - down.before
    return points_of(x[block.images], SIZE, top, -across.before, counts_in(block, columns))


def counts_in(block: Block, columns: int) -> tuple[int, int]:
    """How many tiles of a block there are down and across."""
    return block.rows.stop - block.rows.start, columns


def part_of(results: Array, block: Block) -> Array:
    """The results (N, OH, OW, K) that the tiles of a block give."""
    return results[block.images, STEP * block.rows.start : STEP * block.rows.stop]


@Pass
def write_results(products: Array, counts: tuple[int, int], out: Array) -> None:
    """Transform the products (36, tiles, K) back, and write them into `out` (N, OH, OW, K)."""
    results = transform(A, products).reshape(STEP, STEP, -1, *counts, out.shape[3])
    for i, j in np.ndindex(STEP, STEP):
        every_fourth = out[:, i::STEP, j::STEP]
        _, height, width, _ = every_fourth.shape
        every_fourth[...] = results[i, j, :, :height, :width]


def correlate_by_tiles(x: Array, kernel: Array, down: Axis, across: Axis, out: Array) -> None:
    """Write the sum over each patch of x times `kernel` (3, 3, C, K) into `out` (N, OH, OW, K)."""
    images, rows, columns, features = out.shape
    counts = grid_of(rows, columns)
    kernels = transform(G, kernel.reshape(9, -1, features))

    def work(share: Sequence[Block]) -> None:
        for block in share:
            points = input_points(x, block, down, across, counts[1])
            write_results(points @ kernels, counts_in(block, counts[1]), part_of(out, block))

    threads.share(work, tile_blocks(images, counts, kernels.shape[1], features))


def result_points(grad: Array, block: Block, columns: int) -> Array:
    """The points of the gradients of a block of results, from (N, OH, OW, K)."""
    return points_of(part_of(grad, block), STEP, 0, 0, counts_in(block, columns))


def kernel_gradient_by_tiles(x: Array, grad: Array, down: Axis, across: Axis) -> Array:
    """The gradient for the kernel (3, 3, C, K): back through A, the products, and G."""
    images, rows, columns, features = grad.shape
    counts, channels = grid_of(rows, columns), x.shape[3]

    def products(block: Block) -> Array:
        points = input_points(x, block, down, across, counts[1])
        return points.transpose(0, 2, 1) @ result_points(grad, block, counts[1])

    parts = tile_blocks(images, counts, channels, features)
    total = total_of(products, parts, (SIZE * SIZE, channels, features), x.dtype)
    return transform(G.T, total).reshape(3, 3, channels, features)


def both_by_tiles(
    grad: Array, x: Array, turned: Array, down: Axis, across: Axis, back: Array
) -> Array:
    """What `im2col.both_by_rows` does, from one set of points: 3 x 3 kernels.

    The kernel's gradient goes back through A, the products, and G, its taps in reverse.
    """
    images, rows, columns, channels = back.shape
    counts, features = grid_of(rows, columns), grad.shape[3]
    kernels = transform(G, turned.reshape(9, features, channels))

    def products(block: Block) -> Array:
        points = input_points(grad, block, down, across, counts[1])
        write_results(points @ kernels, counts_in(block, counts[1]), part_of(back, block))
        return result_points(x, block, counts[1]).transpose(0, 2, 1) @ points

    parts = tile_blocks(images, counts, features, channels)
    total = total_of(products, parts, (SIZE * SIZE, channels, features), x.dtype)
    return transform(G.T[::-1], total).reshape(3, 3, channels, features)
