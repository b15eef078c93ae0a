"""Layers for images: convolution, pooling and resizing as modules. Leans on `layers`' parts."""

# Grown in notebooks: 4_04_pooling. Edit there, then `make extract`.

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minitorch import convolution, joining, pooling, resizing, unfolding
from minitorch.creation import kaiming_uniform, uniform
from minitorch.module import Module, Parameter
from minitorch.pooling import GridSize
from minitorch.tensor import Tensor
from minitorch.windows import Padding, Pair, paddings, whole_numbers

__all__ = [
    "AdaptiveAvgPool2d",
    "AdaptiveMaxPool2d",
    "AvgPool2d",
    "Conv1d",
    "Conv2d",
    "ConvTranspose2d",
    "Convolution",
    "Fold",
    "MaxPool2d",
    "Unfold",
    "Upsample",
    "around",
    "check_groups",
    "kernels_last",
]


def kernels_last(weight: np.ndarray) -> np.ndarray:
    """The same (K, C, R, S), in memory (R, S, C, K): the matrix that im2col's product needs."""
    order = range(2, weight.ndim)
    memory = np.ascontiguousarray(weight.transpose(*order, 1, 0))
    return memory.transpose(weight.ndim - 1, weight.ndim - 2, *range(weight.ndim - 2))


def around(
    name: str, mode: str, padding: Padding, sizes: list[int], stride: Pair, dilation: Pair
) -> list[int]:
    """How much `pad` puts around, last dimension first; raises ValueError for an unknown mode."""
    modes = ("zeros", "reflect", "replicate", "circular")
    if mode not in modes:
        raise ValueError(f"{name}: padding_mode {mode!r} is none of {', '.join(modes)}.")
    strides = whole_numbers(name, "stride", stride, len(sizes), 1)
    dilations = whole_numbers(name, "dilation", dilation, len(sizes), 1)
    pads = paddings(name, padding, sizes, strides, dilations)
    return [width for pair in reversed(pads) for width in pair]


def check_groups(name: str, in_channels: int, out_channels: int, groups: int) -> None:
    """Raise ValueError where `groups` does not divide the channels."""
    if groups < 1 or in_channels % groups or out_channels % groups:
        raise ValueError(
            f"{name}: {groups} groups do not divide {in_channels} input and {out_channels} output "
            "channels."
        )


class Convolution(Module):
    """What convolution layers share: kernels, bias, and how the kernels move.

    Weights and bias start as PyTorch's: uniform within 1 / sqrt(inputs of one output). A subclass
    names the op and how many dimensions it slides along.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias : as the op's
    padding_mode : "zeros", or what `pad` puts around: "reflect", "replicate", "circular"
    """

    dims: int
    function: Any
    transposed = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Padding = 0,
        dilation: Pair = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        **moves: Any,
    ) -> None:
        name = type(self).__name__
        check_groups(name, in_channels, out_channels, groups)
        sizes = whole_numbers(name, "kernel_size", kernel_size, self.dims, 1)
        rows, columns = out_channels, in_channels
        if self.transposed:
            rows, columns = columns, rows
        shape = (rows, columns // groups, *sizes)
        weight = kaiming_uniform(*shape, gain=1 / math.sqrt(3))
        bound = 1 / math.sqrt(math.prod(shape[1:]))
        self.weight = Parameter(kernels_last(weight.array))
        self.bias = Parameter(uniform(out_channels, low=-bound, high=bound)) if bias else None
        self.padding_mode, self.around = padding_mode, []
        if padding_mode != "zeros":
            self.around = around(name, padding_mode, padding, sizes, stride, dilation)
            padding = 0
        settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        self.moves = settings | moves

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        if self.around:
            x = joining.pad(x, self.around, mode=self.padding_mode)
        return type(self).function(x, self.weight, self.bias, **self.moves)

    def extra_repr(self) -> str:
        """Shape of the weight, and what is not as usual."""
        usual = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "output_padding": 0}
        parts = [f"{name}={move}" for name, move in self.moves.items() if move != usual[name]]
        if self.around:
            parts.append(f"padding_mode={self.padding_mode!r}, around={self.around}")
        return ", ".join([str(self.weight.shape), *parts, *(["bias=False"] * (self.bias is None))])


class Conv2d(Convolution):
    """`conv2d` with its own weight (out_channels, in_channels / groups, R, S) and bias."""

    dims = 2
    function = staticmethod(convolution.conv2d)


class Conv1d(Convolution):
    """`conv1d` with its own weight (out_channels, in_channels / groups, S) and bias."""

    dims = 1
    function = staticmethod(convolution.conv1d)


class ConvTranspose2d(Convolution):
    """`conv_transpose2d` with its own weight (in_channels, out_channels / groups, R, S)."""

    dims, transposed = 2, True
    function = staticmethod(convolution.conv_transpose2d)

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Padding = 0,
        output_padding: Pair = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Pair = 1,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            bias,
            output_padding=output_padding,
        )


class MaxPool2d(Module):
    """`max_pool2d` as a layer."""

    def __init__(
        self,
        kernel_size: Pair,
        stride: Pair | None = None,
        padding: Pair = 0,
        dilation: Pair = 1,
        *,
        ceil_mode: bool = False,
    ) -> None:
        self.window = (kernel_size, stride, padding, dilation, ceil_mode)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        return pooling.max_pool2d(x, *self.window)


class AvgPool2d(Module):
    """`avg_pool2d` as a layer."""

    def __init__(
        self,
        kernel_size: Pair,
        stride: Pair | None = None,
        padding: Pair = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        self.window = (kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        return pooling.avg_pool2d(x, *self.window)


class AdaptiveAvgPool2d(Module):
    """The mean of each cell of a grid laid over the images."""

    def __init__(self, output_size: GridSize) -> None:
        self.output_size = output_size

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        return resizing.adaptive_avg_pool2d(x, self.output_size)


class AdaptiveMaxPool2d(Module):
    """The largest number in each cell of a grid laid over the images."""

    def __init__(self, output_size: GridSize) -> None:
        self.output_size = output_size

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        return pooling.adaptive_max_pool2d(x, output_size=self.output_size)


class Upsample(Module):
    """`interpolate` as a layer."""

    def __init__(
        self,
        size: Pair | None = None,
        scale_factor: float | Sequence[float] | None = None,
        mode: str = "nearest",
        align_corners: bool = False,
    ) -> None:
        self.target = (size, scale_factor, mode, align_corners)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        return resizing.interpolate(x, *self.target)


class Unfold(Module):
    """`unfold` as a layer: images to columns."""

    def __init__(
        self, kernel_size: Pair, dilation: Pair = 1, padding: Pair = 0, stride: Pair = 1
    ) -> None:
        self.window = (kernel_size, dilation, padding, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        return unfolding.unfold(x, *self.window)


class Fold(Unfold):
    """`fold` as a layer: columns added up to images of `output_size`."""

    def __init__(
        self,
        output_size: Pair,
        kernel_size: Pair,
        dilation: Pair = 1,
        padding: Pair = 0,
        stride: Pair = 1,
    ) -> None:
        super().__init__(kernel_size, dilation, padding, stride)
        self.output_size = output_size

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        return unfolding.fold(x, self.output_size, *self.window)
