"""Convolution by loops: every multiplication by name. Slow, and what the fast one is tested by.

Leans on `op` and `windows`.
"""

# Grown in notebooks: 4_01_convolution_by_loops. Edit there, then `make extract`.

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minitorch.op import op
from minitorch.windows import Axis

__all__ = ["Array", "Index", "conv2d_by_loops", "meetings"]


Array = np.ndarray
Index = tuple[int, int, int, int]


def meetings(
    x_shape: Index, weight_shape: Index, down: Axis, across: Axis, groups: int = 1
) -> Iterator[tuple[Index, Index, Index]]:
    """Every multiplication of a convolution: the places of the result, the pixel and the weight.

    n image, k kernel, i and j row and column of the result, c channel, r and s row and column of
    the kernel. What would meet the padding meets zeros, and is left out.
    """
    images, _, height, width = x_shape
    kernels, channels, kernel_height, kernel_width = weight_shape
    sizes = (images, kernels, down.outputs(height), across.outputs(width))
    for n, k, i, j in np.ndindex(sizes):
        first_channel = k // (kernels // groups) * channels
        for c, r, s in np.ndindex(channels, kernel_height, kernel_width):
            row, column = down.position(i, r), across.position(j, s)
            if 0 <= row < height and 0 <= column < width:
                yield (n, k, i, j), (n, first_channel + c, row, column), (k, c, r, s)


@op
def conv2d_by_loops(x: Array, weight: Array, down: Axis, across: Axis, groups: int = 1) -> Any:
    """`conv2d` in the words of its definition: x (N, C, H, W), weight (K, C / groups, R, S)."""
    places = list(meetings(x.shape, weight.shape, down, across, groups))
    y = np.zeros(
        (len(x), len(weight), down.outputs(x.shape[2]), across.outputs(x.shape[3])), x.dtype
    )
    for result, pixel, tap in places:
        y[result] += x[pixel] * weight[tap]

    def to_x(grad: Array) -> Array:
        back = np.zeros_like(x)
        for result, pixel, tap in places:
            back[pixel] += grad[result] * weight[tap]
        return back

    def to_weight(grad: Array) -> Array:
        back = np.zeros_like(weight)
        for result, pixel, tap in places:
            back[tap] += grad[result] * x[pixel]
        return back

    return y, (to_x, to_weight)
