"""Batch norm of images in few passes over memory; the same numbers as `normalization.batch_norm`.

Channels are few and pixels many, so the images are seen as lines of about 1,024 numbers, several
pixels each, and every value per channel is repeated to such a line: numpy's inner loops are long.
The work goes block by block through a core's cache, in all threads. Leans on `threads`.
"""

# Grown in notebooks: 4_03_convolution_made_fast. Edit there, then `make extract`.

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import gcd
from typing import Any

import numpy as np

from minitorch.convolution import channels_last
from minitorch.normalization import BatchNorm
from minitorch.op import masked, op
from minitorch.threads import threads
from minitorch.versions import clock

__all__ = [
    "BLOCK_LINES",
    "LINE",
    "Array",
    "BatchNorm2d",
    "BatchNormReLU2d",
    "as_lines",
    "batch_norm",
    "batch_norm_relu",
    "by_blocks",
    "mean_and_variance",
    "normalized",
    "per_channel",
    "through_slope",
    "to_line",
]


Array = np.ndarray

LINE = 1024  # numbers: inner loops of this length cost numpy nothing per call
BLOCK_LINES = 128  # of 4 kB: what is read again lies in a cache, and calls are few


@op
def batch_norm(
    x: Array,
    running_mean: Array | None,
    running_var: Array | None,
    weight: Array | None = None,
    bias: Array | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """`normalization.batch_norm` for images (N, C, H, W), fused: y = x * scale + shift per channel.

    Keeps x alone for backward. Raises ValueError where there is one value per channel to train on.
    """
    return normalized(x, running_mean, running_var, weight, bias, training, momentum, eps)


@op
def batch_norm_relu(
    x: Array,
    running_mean: Array | None,
    running_var: Array | None,
    weight: Array | None = None,
    bias: Array | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    negative_slope: float = 0.0,
) -> Any:
    """`batch_norm`, then leaky_relu, or relu while the slope is 0, in the same passes.

    Keeps x and the result for backward.
    """
    settings = training, momentum, eps, negative_slope
    return normalized(x, running_mean, running_var, weight, bias, *settings)


def normalized(
    x: Array,
    running_mean: Array | None,
    running_var: Array | None,
    weight: Array | None,
    bias: Array | None,
    training: bool,
    momentum: float,
    eps: float,
    negative_slope: float | None = None,
) -> Any:
    """Value and backward of `batch_norm`, and with a slope of `batch_norm_relu`."""
    shape, channels, count = x.shape, x.shape[1], x.size // max(x.shape[1], 1)
    by_batch = training or running_mean is None or running_var is None
    if by_batch and count < 2:
        raise ValueError(
            f"batch_norm: x of shape {shape} has {count} values per channel; over one value there "
            "is no variance. Use a larger batch, or model.eval()."
        )
    pixels = channels_last(x)
    lines = as_lines(pixels)
    width = lines.shape[1]
    if by_batch:
        mean, variance = mean_and_variance(lines, channels, count)
        if training and running_mean is not None and running_var is not None:
            for running, now in (
                (running_mean, mean),
                (running_var, variance * count / (count - 1)),
            ):
                running += momentum * (now - running)
                clock.stamp(running)
    else:
        mean, variance = np.asarray(running_mean, float), np.asarray(running_var, float)
    inverse = 1 / np.sqrt(variance + eps)
    scale = inverse if weight is None else inverse * weight
    shift = -mean * scale if bias is None else bias - mean * scale
    y = np.empty_like(pixels)
    scale_line, shift_line = (to_line(each, width, x.dtype) for each in (scale, shift))

    def forward(part: slice) -> None:
        out = as_lines(y)[part]
        np.multiply(lines[part], scale_line, out=out)
        out += shift_line
        if negative_slope is not None:
            np.maximum(out, negative_slope and negative_slope * out, out=out)

    by_blocks(forward, lines)
    results = None if negative_slope is None else as_lines(y)  # kept only where backward reads them

    def backward(grad: Array, needed: tuple[bool, ...]) -> tuple[Array | None, ...]:
        grads = as_lines(channels_last(grad))
        back = np.empty_like(pixels)
        backs = as_lines(back)
        mean_line = to_line(mean, width, x.dtype)

        def sums(part: slice) -> tuple[Array, Array]:
            if results is not None:
                backs[part] = through_slope(grads[part], results[part] > 0, negative_slope)
            arriving = grads[part] if results is None else backs[part]
            along_x = lines[part] - mean_line
            along_x *= arriving
            return np.add.reduce(arriving, axis=0), np.add.reduce(along_x, axis=0)

        to_bias, along_x = per_channel(by_blocks(sums, lines), channels)
        to_weight = along_x * inverse
        by_x = -scale * inverse * to_weight / count if by_batch else np.zeros(channels)
        constant = -scale * to_bias / count - by_x * mean if by_batch else np.zeros(channels)
        by_x_line, constant_line = (to_line(each, width, x.dtype) for each in (by_x, constant))

        def to_x(part: slice) -> None:
            arriving = grads[part] if results is None else backs[part]
            scaled = arriving * scale_line
            np.multiply(lines[part], by_x_line, out=backs[part])
            backs[part] += scaled
            backs[part] += constant_line

        if needed[0]:
            by_blocks(to_x, lines)
        return (
            back.transpose(0, 3, 1, 2) if needed[0] else None,
            None,
            None,
            to_weight.astype(x.dtype),
            to_bias.astype(x.dtype),
        )

    return y.transpose(0, 3, 1, 2), backward


def through_slope(grad: Array, positive: Array, negative_slope: float | None) -> Array:
    """The gradient before leaky_relu: as it is where the result is positive, else sloped."""
    if not negative_slope:
        return masked(grad, positive)
    factor = positive * grad.dtype.type(1 - negative_slope)
    factor += grad.dtype.type(negative_slope)
    return factor * grad


def mean_and_variance(lines: Array, channels: int, count: int) -> tuple[Array, Array]:
    """Mean and variance of each channel, in float64, reading the images once.

    Sums are taken around the channels of the first pixel: squares of numbers far from 0 would
    swallow their differences.
    """
    centre = lines[0, :channels].astype(float)
    centre_line = to_line(centre, lines.shape[1], lines.dtype)

    def sums(part: slice) -> tuple[Array, Array]:
        away = lines[part] - centre_line
        total = np.add.reduce(away, axis=0)
        return total, np.add.reduce(np.square(away, out=away), axis=0)

    total, squares = per_channel(by_blocks(sums, lines), channels)
    return centre + total / count, squares / count - (total / count) ** 2


def as_lines(pixels: Array) -> Array:
    """The same memory (N, H, W, C) as lines of whole pixels, about `LINE` numbers each."""
    channels = pixels.shape[3]
    together = gcd(pixels.size // channels, max(LINE // channels, 1))
    return pixels.reshape(-1, together * channels)


def to_line(values: Array, width: int, dtype: Any) -> Array:
    """One value per channel, repeated to a line."""
    return np.tile(values.astype(dtype), width // len(values))


def per_channel(sums: list[tuple[Array, Array]], channels: int) -> Array:
    """Pairs of lines, one pair per block, added up per channel in float64: (2, channels)."""
    if not sums:  # no images
        return np.zeros((2, channels))
    lines = np.array(sums).sum(axis=0, dtype=float)
    return lines.reshape(2, -1, channels).sum(axis=1)


def by_blocks(work: Callable[[slice], Any], lines: Array) -> list[Any]:
    """Call `work` on one block of lines after the other, in all threads; what it returned."""
    step = max(1, BLOCK_LINES * LINE // max(lines.shape[1], 1))
    parts = [slice(start, start + step) for start in range(0, len(lines), step)]

    def work_share(share: Sequence[slice]) -> list[Any]:
        return [work(part) for part in share]

    return [result for results in threads.share(work_share, parts) for result in results]


class BatchNorm2d(BatchNorm):
    """Batch norm of images (N, C, H, W): Ioffe and Szegedy 2015."""

    dims = (4,)
    normalize = staticmethod(batch_norm)


class BatchNormReLU2d(BatchNorm2d):
    """`BatchNorm2d` and then ReLU, or with a `negative_slope` LeakyReLU, in the same passes."""

    def __init__(self, num_features: int, negative_slope: float = 0.0, **settings: Any) -> None:
        super().__init__(num_features, **settings)
        self.normalize = partial(batch_norm_relu, negative_slope=negative_slope)
