"""Convolution: `conv2d` and its relatives. Leans on `op`, `correlation`, `depthwise`.

Shapes are PyTorch's, images (N, C, H, W) and kernels (K, C, R, S). Memory is channels-last: what
these ops return is a view of an (N, H, W, C) array, in which the channels of a pixel lie side by
side; numpy's elementwise functions keep that order, so a whole network runs without conversions.
"""

# Grown in notebooks: 4_03_convolution_made_fast. Edit there, then `make extract`.

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minitorch.correlation import both_gradients, correlate, input_gradient, kernel_gradient
from minitorch.depthwise import (
    correlate_depthwise,
    depthwise_input_gradient,
    depthwise_kernel_gradient,
)
from minitorch.op import op
from minitorch.reductions import total_dtype
from minitorch.windows import Axis, Padding, Pair, axes, check_channels, whole_numbers

__all__ = [
    "Array",
    "channel_groups",
    "channels_last",
    "conv1d",
    "conv2d",
    "conv_transpose2d",
    "own_kernels",
    "slide",
    "slide_back",
    "slide_both",
    "slide_weight",
    "sum_over_pixels",
]


Array = np.ndarray


@op
def conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Any:
    """Each of K kernels slid over the images: x (N, C, H, W), weight (K, C / groups, R, S).

    `padding` is a number, one per dimension, a (before, after) pair per dimension, "same" or
    "valid". With groups, each group of kernels sees its own group of channels. Raises ValueError
    where sizes do not fit.
    """
    down, across = axes("conv2d", x, weight, stride, padding, dilation)
    check_channels("conv2d", x, weight, bias, groups)
    y = slide(x, weight, down, across, groups)
    if bias is not None:
        y += bias

    def backward(grad: Array, needed: tuple[bool, ...]) -> tuple[Array | None, ...]:
        to_x, to_weight = slide_both(x, weight, grad, down, across, groups, needed)
        return to_x, to_weight, sum_over_pixels(grad) if needed[2] else None

    return y.transpose(0, 3, 1, 2), backward


@op
def conv1d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: int = 1,
    padding: Padding = 0,
    dilation: int = 1,
    groups: int = 1,
) -> Any:
    """`conv2d` with one dimension to slide along: x (N, C, L), weight (K, C / groups, S)."""
    (across,) = axes("conv1d", x, weight, stride, padding, dilation)
    check_channels("conv1d", x, weight, bias, groups)
    image, kernel = x[:, :, None], weight[:, :, None]
    y = slide(image, kernel, Axis(1), across, groups)
    if bias is not None:
        y += bias

    def backward(grad: Array, needed: tuple[bool, ...]) -> tuple[Array | None, ...]:
        grads = grad[:, :, None]
        both = slide_both(image, kernel, grads, Axis(1), across, groups, needed)
        to_x, to_weight = (None if each is None else each[:, :, 0] for each in both)
        return to_x, to_weight, sum_over_pixels(grad) if needed[2] else None

    return y.transpose(0, 3, 1, 2)[:, :, 0], backward


@op
def conv_transpose2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Pair = 1,
    padding: Padding = 0,
    output_padding: Pair = 0,
    groups: int = 1,
    dilation: Pair = 1,
) -> Any:
    """`conv2d` backwards: x (N, K, H, W), weight (K, C / groups, R, S), result (N, C, ...).

    Its value is conv2d's input gradient, its input gradient conv2d's value. `output_padding` says
    which of the `stride` lengths that conv2d maps to this one is meant.
    """
    moves = axes("conv_transpose2d", x, weight, stride, padding, dilation, transposed=True)
    check_channels("conv_transpose2d", x, weight, bias, groups, transposed=True)
    extras = whole_numbers("conv_transpose2d", "output_padding", output_padding, 2, 0)
    for axis, extra in zip(moves, extras, strict=True):
        if extra >= max(axis.stride, axis.dilation):
            raise ValueError(
                f"conv_transpose2d: output_padding {extra} must be smaller than the stride or the "
                f"dilation, {max(axis.stride, axis.dilation)}."
            )
    moves = [
        axis._replace(after=axis.after - extra) for axis, extra in zip(moves, extras, strict=True)
    ]
    sizes = [
        (length - 1) * axis.stride + axis.span - axis.before - axis.after
        for length, axis in zip(x.shape[2:], moves, strict=True)
    ]
    if min(sizes) < 1:
        raise ValueError(
            f"conv_transpose2d: x of shape {x.shape} would become {tuple(sizes)} pixels large; "
            "the padding takes more away than there is."
        )
    down, across = moves
    shape = (len(x), weight.shape[1] * groups, *sizes)
    y = slide_back(x, weight, down, across, groups, shape)
    if bias is not None:
        y += bias[:, None, None]
    return y, (
        lambda grad: slide(grad, weight, down, across, groups).transpose(0, 3, 1, 2),
        lambda grad: slide_weight(grad, x, down, across, groups),
        sum_over_pixels,
    )


# ---- from PyTorch's order of dimensions to channels-last and back ----------------------------


def channels_last(x: Array) -> Array:
    """(N, C, H, W) as an (N, H, W, C) array: a view where its memory has that order already."""
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1))


def slide(x: Array, weight: Array, down: Axis, across: Axis, groups: int) -> Array:
    """The convolution of x (N, C, H, W), channels-last: (N, OH, OW, K)."""
    pixels, kernel = channels_last(x), weight.transpose(2, 3, 1, 0)
    images, height, width, _ = pixels.shape
    y = np.empty((images, down.outputs(height), across.outputs(width), len(weight)), x.dtype)
    if groups == x.shape[1] > 1:
        correlate_depthwise(pixels, own_kernels(weight, groups), down, across, y)
        return y
    for inputs, outputs in channel_groups(x.shape[1], len(weight), groups):
        correlate(pixels[..., inputs], kernel[..., outputs], down, across, y[..., outputs])
    return y


def slide_back(
    grad: Array, weight: Array, down: Axis, across: Axis, groups: int, shape: Sequence[int]
) -> Array:
    """The gradient for an input of `shape` (N, C, H, W)."""
    grads, kernel = channels_last(grad), weight.transpose(2, 3, 1, 0)
    images, channels, height, width = shape
    back = np.empty((images, height, width, channels), grad.dtype)
    if groups == channels > 1:
        depthwise_input_gradient(grads, own_kernels(weight, groups), down, across, back)
        return back.transpose(0, 3, 1, 2)
    for inputs, outputs in channel_groups(channels, len(weight), groups):
        input_gradient(grads[..., outputs], kernel[..., outputs], down, across, back[..., inputs])
    return back.transpose(0, 3, 1, 2)


def slide_weight(x: Array, grad: Array, down: Axis, across: Axis, groups: int) -> Array:
    """The gradient for the weight (K, C / groups, R, S)."""
    pixels, grads = channels_last(x), channels_last(grad)
    if groups == x.shape[1] > 1:
        own = depthwise_kernel_gradient(pixels, grads, down, across)
        return own.transpose(2, 3, 0, 1).reshape(grad.shape[1], 1, down.size, across.size)
    parts = [
        kernel_gradient(pixels[..., inputs], grads[..., outputs], down, across)
        for inputs, outputs in channel_groups(x.shape[1], grad.shape[1], groups)
    ]
    kernel = parts[0] if groups == 1 else np.concatenate(parts, axis=-1)
    return kernel.transpose(3, 2, 0, 1)


def slide_both(
    x: Array,
    weight: Array,
    grad: Array,
    down: Axis,
    across: Axis,
    groups: int,
    needed: Sequence[bool],
) -> tuple[Array | None, Array | None]:
    """The gradients for x and weight, of those that are needed; together where that is faster."""
    if not (needed[0] and needed[1]) or groups == x.shape[1] > 1:
        return (
            slide_back(grad, weight, down, across, groups, x.shape) if needed[0] else None,
            slide_weight(x, grad, down, across, groups) if needed[1] else None,
        )
    pixels, grads, kernel = channels_last(x), channels_last(grad), weight.transpose(2, 3, 1, 0)
    back, parts = np.empty_like(pixels), []
    for inputs, outputs in channel_groups(x.shape[1], len(weight), groups):
        moves = kernel[..., outputs], down, across, back[..., inputs]
        parts.append(both_gradients(pixels[..., inputs], grads[..., outputs], *moves))
    to_weight = parts[0] if groups == 1 else np.concatenate(parts, axis=-1)
    return back.transpose(0, 3, 1, 2), to_weight.transpose(3, 2, 0, 1)


def sum_over_pixels(grad: Array) -> Array:
    """The gradient for a bias: the sum over all dimensions but the channels."""
    return np.add.reduce(grad, axis=(0, *range(2, grad.ndim)), dtype=total_dtype(grad))


def channel_groups(inputs: int, outputs: int, groups: int) -> list[tuple[slice, slice]]:
    """The input and output channels of each group."""
    ins, outs = inputs // groups, outputs // groups
    return [(slice(k * ins, (k + 1) * ins), slice(k * outs, (k + 1) * outs)) for k in range(groups)]


def own_kernels(weight: Array, groups: int) -> Array:
    """Depthwise kernels (C * M, 1, R, S) as (R, S, C, M)."""
    return weight.reshape(groups, -1, *weight.shape[2:]).transpose(2, 3, 0, 1)
