"""Batch norm of images in few passes over memory; the same numbers as `normalization.batch_norm`.

Channels are few and pixels many, so the images are seen as lines of about 1,024 numbers, several
pixels each, and every value per channel is repeated to such a line: numpy's inner loops are long.
The work goes block by block through a core's cache, in all threads. Leans on `norm_passes`.
"""

# Grown in notebooks: 4_03_convolution_made_fast. Edit there, then `make extract`.

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import gcd
from typing import Any

import numpy as np

from minitorch.convolution import channels_last
from minitorch.norm_passes import gradient_for_x, gradient_sums, scale_and_shift, sums_around
from minitorch.normalization import BatchNorm
from minitorch.op import op
from minitorch.tensor import Tensor
from minitorch.threads import threads
from minitorch.versions import clock

__all__ = [
    "BLOCK_LINES",
    "FAR",
    "LINE",
    "Array",
    "BatchNorm2d",
    "BatchNormReLU2d",
    "as_lines",
    "batch_norm",
    "batch_norm_relu",
    "by_blocks",
    "mean_and_variance",
    "mean_and_variance_around",
    "normalized",
    "of",
    "per_channel",
    "statistics",
    "to_line",
]


Array = np.ndarray

LINE = 1024  # numbers: inner loops of this length cost numpy nothing per call
BLOCK_LINES = 128  # of 4 kB: what is read again lies in a cache, and calls are few
FAR = 10  # standard deviations: sums of squares around what lies farther off lose their digits


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
    running = running_mean, running_var
    return normalized(x, running, weight, bias, None, training, momentum, eps, None)


@op
def batch_norm_relu(
    x: Array,
    running_mean: Array | None,
    running_var: Array | None,
    weight: Array | None = None,
    bias: Array | None = None,
    shortcut: Array | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    negative_slope: float = 0.0,
) -> Any:
    """`batch_norm`, plus `shortcut` if there is one, then leaky_relu (relu while the slope is 0).

    In the same passes; keeps x and the result for backward. Raises ValueError where the shortcut
    is not of x's shape, or the slope is not from 0 to 1.
    """
    if shortcut is not None and np.shape(shortcut) != x.shape:
        raise ValueError(
            f"batch_norm_relu: the shortcut has shape {np.shape(shortcut)}, x {x.shape}. What is "
            "added to x must have its shape."
        )
    if not 0 <= negative_slope <= 1:
        raise ValueError(f"batch_norm_relu: negative_slope is from 0 to 1, not {negative_slope}.")
    running = running_mean, running_var
    settings = training, momentum, eps, x.dtype.type(negative_slope)
    return normalized(x, running, weight, bias, shortcut, *settings)


def normalized(
    x: Array,
    running: tuple[Array | None, Array | None],
    weight: Array | None,
    bias: Array | None,
    shortcut: Array | None,
    training: bool,
    momentum: float,
    eps: float,
    slope: Any,
) -> Any:
    """Value and backward of `batch_norm`; with a slope, of `batch_norm_relu`."""
    pixels, channels = channels_last(x), x.shape[1]
    lines = as_lines(pixels)
    width, count = lines.shape[1], x.size // max(channels, 1)
    by_batch = training or running[0] is None or running[1] is None
    if by_batch:
        kept = running if training else (None, None)
        name = "batch_norm" if slope is None else "batch_norm_relu"
        mean, variance = statistics(name, lines, x.shape, kept, momentum)
    else:
        mean, variance = (np.asarray(each, float) for each in running)
    inverse = 1 / np.sqrt(variance + eps)
    scale = inverse if weight is None else inverse * weight
    shift = -mean * scale if bias is None else bias - mean * scale
    scale_line, shift_line = (to_line(each, width, x.dtype) for each in (scale, shift))
    added = None if shortcut is None else as_lines(channels_last(np.asarray(shortcut, x.dtype)))
    adds = added is not None  # all that backward need know of it
    y = np.empty_like(pixels)
    ys = as_lines(y)
    by_blocks(
        lambda part: scale_and_shift(
            lines[part], scale_line, shift_line, of(added, part), slope, ys[part]
        ),
        lines,
    )
    results = None if slope is None else ys  # kept only where backward reads them

    def backward(grad: Array, needed: tuple[bool, ...]) -> tuple[Array | None, ...]:
        grads = as_lines(channels_last(grad))
        passed = grads if results is None else np.empty_like(grads)  # by the slope
        mean_line = to_line(mean, width, x.dtype)
        sums = by_blocks(
            lambda part: gradient_sums(
                grads[part], of(results, part), slope, lines[part], mean_line, passed[part]
            ),
            lines,
        )
        to_bias, along_x = per_channel(sums, channels)
        to_weight = along_x * inverse
        back = None
        if needed[0]:
            by_x = -scale * inverse * to_weight / count if by_batch else np.zeros(channels)
            constant = -scale * to_bias / count - by_x * mean if by_batch else np.zeros(channels)
            factors = [scale_line, *(to_line(each, width, x.dtype) for each in (by_x, constant))]
            back = np.empty_like(pixels)
            backs = as_lines(back)
            by_blocks(
                lambda part: gradient_for_x(passed[part], lines[part], *factors, backs[part]), lines
            )
        to_x, to_shortcut = (
            None if each is None else each.reshape(pixels.shape).transpose(0, 3, 1, 2)
            for each in (back, passed if adds else None)
        )
        to_weight, to_bias = (each.astype(x.dtype) for each in (to_weight, to_bias))
        return to_x, None, None, to_weight, to_bias, *([] if slope is None else [to_shortcut])

    return y.transpose(0, 3, 1, 2), backward


def statistics(
    name: str,
    lines: Array,
    shape: tuple[int, ...],
    running: tuple[Array | None, Array | None],
    momentum: float,
) -> tuple[Array, Array]:
    """Mean and variance of a batch's channels; running ones, where there are any, move there.

    Raises ValueError where there is one value per channel.
    """
    channels = shape[1]
    count = lines.size // max(channels, 1)
    if count < 2:
        raise ValueError(
            f"{name}: x of shape {shape} has {count} values per channel; over one value there "
            "is no variance. Use a larger batch, or model.eval()."
        )
    mean, variance = mean_and_variance(lines, channels, count)
    for kept, now in zip(running, (mean, variance * count / (count - 1)), strict=True):
        if kept is not None:
            kept += momentum * (now - kept)
            clock.stamp(kept)
    return mean, variance


def mean_and_variance(lines: Array, channels: int, count: int) -> tuple[Array, Array]:
    """Mean and variance of each channel, in float64, reading the images once, seldom twice.

    Sums are taken around the channels of the first pixel: squares of numbers far from 0 would
    swallow their differences. Where that pixel is itself far off, once more around the mean.
    """
    first = lines[0, :channels].astype(float)
    mean, variance = mean_and_variance_around(first, lines, count)
    if ((mean - first) ** 2 > FAR**2 * variance).any():  # below 0 it may be, by rounding
        mean, variance = mean_and_variance_around(mean, lines, count)
    return mean, variance


def mean_and_variance_around(centre: Array, lines: Array, count: int) -> tuple[Array, Array]:
    """`mean_and_variance`, from sums around numbers that are near enough."""
    centre_line = to_line(centre, lines.shape[1], lines.dtype)
    centre = centre_line[: len(centre)].astype(float)
    sums = by_blocks(lambda part: sums_around(lines[part], centre_line), lines)
    total, squares = per_channel(sums, len(centre))
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


def of(lines: Array | None, part: slice) -> Array | None:
    """A part of lines that may be missing."""
    return None if lines is None else lines[part]


class BatchNorm2d(BatchNorm):
    """Batch norm of images (N, C, H, W): Ioffe and Szegedy 2015."""

    dims = (4,)
    normalize = staticmethod(batch_norm)


class BatchNormReLU2d(BatchNorm2d):
    """`BatchNorm2d` and then ReLU, or with a `negative_slope` LeakyReLU, in the same passes.

    Called with two tensors it adds the second in between, as a residual block does.
    """

    normalize = staticmethod(batch_norm_relu)

    def __init__(self, num_features: int, negative_slope: float = 0.0, **settings: Any) -> None:
        super().__init__(num_features, **settings)
        self.negative_slope = negative_slope

    def forward(self, x: Tensor, shortcut: Tensor | None = None) -> Tensor:
        """Apply the layer."""
        return self.run(x, shortcut, negative_slope=self.negative_slope)
