"""Depthwise convolution: every channel has M kernels of its own, and no other channel is met.

Nothing here is a matrix product. Tap by tap, the pixels that a tap of the kernel meets are one view
of the images, times one number per channel. Images (N, H, W, C), kernels (R, S, C, M), results
(N, OH, OW, C * M). Leans on `im2col`, `passes` and `threads`.
"""

# Grown in notebooks: 4_03_convolution_made_fast. Edit there, then `make extract`.

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from minitorch.im2col import Block, blocks, copy_padded
from minitorch.passes import Pass
from minitorch.reductions import total_dtype
from minitorch.threads import threads
from minitorch.windows import Axis

__all__ = [
    "Array",
    "by_images",
    "correlate_depthwise",
    "depthwise_input_gradient",
    "depthwise_kernel_gradient",
    "padded",
    "send_own_back",
    "sums_of_own",
    "taps",
    "write_own",
]


Array = np.ndarray


def correlate_depthwise(x: Array, kernel: Array, down: Axis, across: Axis, out: Array) -> None:
    """Write what each channel's own kernels give into `out`."""

    def work(images: slice) -> None:
        write_own(x[images], kernel, down, across, out[images])

    by_images(work, out)


@Pass
def write_own(x: Array, kernel: Array, down: Axis, across: Axis, out: Array) -> None:
    """`correlate_depthwise` of a few images."""
    total = np.zeros((*out.shape[:3], *kernel.shape[2:]), x.dtype)
    for tap, pixels in taps(padded(x, down, across, out), down, across, out):
        total += pixels[..., None] * kernel[tap]
    out[...] = total.reshape(out.shape)


def depthwise_input_gradient(
    grad: Array, kernel: Array, down: Axis, across: Axis, out: Array
) -> None:
    """Write the gradient for x into `out`: every result sends its own back to what it met."""

    def work(images: slice) -> None:
        send_own_back(grad[images], kernel, down, across, out[images])

    by_images(work, grad)


@Pass
def send_own_back(grad: Array, kernel: Array, down: Axis, across: Axis, out: Array) -> None:
    """`depthwise_input_gradient` of a few images."""
    grads = grad.reshape(*grad.shape[:3], *kernel.shape[2:])
    back = np.zeros_like(padded(out, down, across, grad))
    for tap, pixels in taps(back, down, across, grad):
        pixels += np.add.reduce(grads * kernel[tap], axis=-1)
    copy_padded(back, down.before, across.before, out)


def depthwise_kernel_gradient(x: Array, grad: Array, down: Axis, across: Axis) -> Array:
    """The gradient for the kernels: each tap's pixels times the gradients of their results."""
    channels, features = x.shape[3], grad.shape[3]
    shape = down.size, across.size, channels, features // channels

    def work(images: slice) -> Array:
        return sums_of_own(x[images], grad[images], down, across).reshape(shape)

    return sum(by_images(work, grad), np.zeros(shape, x.dtype))


@Pass
def sums_of_own(x: Array, grad: Array, down: Axis, across: Axis) -> Array:
    """`depthwise_kernel_gradient` of a few images: (R, S, C * M)."""
    channels, features = x.shape[3], grad.shape[3]
    grads = grad.reshape(*grad.shape[:3], channels, features // channels)
    total = np.empty((down.size, across.size, *grads.shape[3:]), total_dtype(x))
    for tap, pixels in taps(padded(x, down, across, grad), down, across, grad):
        total[tap] = np.add.reduce(pixels[..., None] * grads, axis=(0, 1, 2), dtype=total.dtype)
    return total.reshape(down.size, across.size, features)


def padded(x: Array, down: Axis, across: Axis, results: Array) -> Array:
    """A copy of x with all that the kernels meet for `results`, zeros outside."""
    height, width = (
        axis.stride * (count - 1) + axis.span
        for axis, count in zip((down, across), results.shape[1:3], strict=True)
    )
    copy = np.empty((len(x), height, width, x.shape[3]), x.dtype)
    copy_padded(x, -down.before, -across.before, copy)
    return copy


def taps(
    pixels: Array, down: Axis, across: Axis, results: Array
) -> Iterator[tuple[tuple[int, ...], Array]]:
    """For each tap of the kernel the pixels that it meets, one per result: a view."""
    _, rows, columns, _ = results.shape
    for r, s in np.ndindex(down.size, across.size):
        top, left = r * down.dilation, s * across.dilation
        yield (
            (r, s),
            pixels[
                :,
                top : top + down.stride * (rows - 1) + 1 : down.stride,
                left : left + across.stride * (columns - 1) + 1 : across.stride,
            ],
        )


def by_images(work: Callable[[slice], Any], results: Array) -> list[Any]:
    """Call `work` with slices of the images, small enough for the cache, in all threads."""

    def work_share(share: Sequence[Block]) -> list[Any]:
        return [work(images) for images, _ in share]

    images, *rest = results.shape
    parts = threads.share(work_share, blocks(images, 1, int(np.prod(rest)) * results.itemsize))
    return [answer for part in parts for answer in part]
