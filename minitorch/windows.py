"""How a kernel moves over an input: stride, padding, dilation, and where it fits how often.

What convolution and pooling share: reading their settings, and saying what does not fit.
"""

# Grown in notebooks: 4_01_convolution_by_loops. Edit there, then `make extract`.

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

__all__ = [
    "Array",
    "Axis",
    "Padding",
    "Pair",
    "axes",
    "check_channels",
    "is_whole",
    "paddings",
    "pairs",
    "whole_numbers",
]


Array = np.ndarray
Pair = int | Sequence[int]
Padding = Pair | str | Sequence[Sequence[int]]


class Axis(NamedTuple):
    """How a kernel moves along one dimension; negative padding leaves out what it covers."""

    size: int
    stride: int = 1
    before: int = 0
    after: int = 0
    dilation: int = 1

    @property
    def span(self) -> int:
        """How many neighbours in the input the kernel reaches over."""
        return self.dilation * (self.size - 1) + 1

    def outputs(self, length: int) -> int:
        """In how many places the kernel fits into an input of `length`."""
        return (length + self.before + self.after - self.span) // self.stride + 1

    def position(self, place: int, tap: int) -> int:
        """Which input element meets this element of the kernel in this place; < 0 in padding."""
        return place * self.stride + tap * self.dilation - self.before


def axes(
    name: str,
    x: Array,
    weight: Array,
    stride: Pair,
    padding: Padding,
    dilation: Pair,
    transposed: bool = False,
) -> list[Axis]:
    """How the kernel moves along each dimension after the channels; raises where it cannot."""
    count = 1 if name == "conv1d" else 2
    if not x.ndim == weight.ndim == count + 2:
        hint = " unsqueeze(0) makes a batch of one." if x.ndim == count + 1 else ""
        raise ValueError(
            f"{name}: x of shape {x.shape} has {x.ndim} dimensions and weight of shape "
            f"{weight.shape} has {weight.ndim}; both need {count + 2}.{hint}"
        )
    if x.dtype.kind != "f" or x.dtype != weight.dtype:
        raise TypeError(
            f"{name}: x is {x.dtype} and weight {weight.dtype}; they must be floats of one kind. "
            "Convert one of them, as with .float()."
        )
    strides = whole_numbers(name, "stride", stride, count, 1)
    dilations = whole_numbers(name, "dilation", dilation, count, 1)
    sizes = weight.shape[2:]
    if 0 in (len(weight), *sizes):
        raise ValueError(
            f"{name}: weight of shape {weight.shape} holds no kernel; there must be one at "
            "least, of one pixel at least."
        )
    pads = paddings(name, padding, sizes, strides, dilations)
    moves = [
        Axis(size, step, before, after, far)
        for size, step, (before, after), far in zip(sizes, strides, pads, dilations, strict=True)
    ]
    for dim, (axis, length) in enumerate(zip(moves, x.shape[2:], strict=True), start=2):
        padded = length + axis.before + axis.after
        if not transposed and axis.span > padded:
            raise ValueError(
                f"{name}: the kernel reaches over {axis.span} in dimension {dim}, where x of shape "
                f"{x.shape} has {padded} with its padding. A kernel of at most "
                f"{(padded - 1) // axis.dilation + 1} or a padding of at least "
                f"{-(-(axis.span - length) // 2)} would fit."
            )
    return moves


def paddings(
    name: str,
    padding: Padding,
    sizes: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
) -> list[tuple[int, int]]:
    """(before, after) per dimension from numbers or words, for kernels of `sizes`."""
    if padding == "same" and any(step != 1 for step in strides):
        raise ValueError(f"{name}: padding 'same' needs stride 1, not {strides}. Give numbers.")
    if not isinstance(padding, str):
        return pairs(name, padding, len(sizes))
    if padding not in ("same", "valid"):
        raise ValueError(f"{name}: padding is 'same', 'valid' or numbers, not {padding!r}.")
    reach = [(size - 1) * far for size, far in zip(sizes, dilations, strict=True)]
    return [(each // 2, each - each // 2) if padding == "same" else (0, 0) for each in reach]


def whole_numbers(name: str, what: str, value: Pair, count: int, least: int) -> list[int]:
    """One number per dimension from a setting given once for all or for each."""
    numbers = list(value) if isinstance(value, Sequence) else [value]
    numbers = numbers * count if len(numbers) == 1 else numbers
    if len(numbers) != count or not all(is_whole(number, least) for number in numbers):
        raise ValueError(
            f"{name}: {what} must be a whole number from {least}, or {count} of them, not {value}."
        )
    return [int(number) for number in numbers]


def is_whole(number: Any, least: int) -> bool:
    """Whether it is a whole number, and not smaller than `least`."""
    try:
        return bool(int(number) == number >= least)
    except (TypeError, ValueError, OverflowError):  # a word, None, infinity
        return False


def pairs(name: str, padding: Any, count: int) -> list[tuple[int, int]]:
    """(before, after) per dimension from a number, one per dimension, or the pairs themselves."""
    entries = list(padding) if isinstance(padding, Sequence) else [padding] * count
    if len(entries) != count:
        raise ValueError(f"{name}: padding {padding} must have {count} entries.")
    both = [whole_numbers(name, "padding", entry, 2, 0) for entry in entries]
    return [(before, after) for before, after in both]


def check_channels(
    name: str, x: Array, weight: Array, bias: Array | None, groups: int, transposed: bool = False
) -> None:
    """Raise ValueError where channels, groups and bias do not fit together."""
    if not hasattr(groups, "__index__"):
        raise TypeError(f"{name}: groups must be a whole number from 1, not {groups!r}.")
    inputs, features = x.shape[1], weight.shape[1] * groups if transposed else len(weight)
    takes = len(weight) if transposed else weight.shape[1] * groups
    if groups < 1 or inputs % groups or features % groups:
        raise ValueError(
            f"{name}: {groups} groups do not divide {inputs} input and {features} output channels."
        )
    if inputs != takes:
        raise ValueError(
            f"{name}: x of shape {x.shape} has {inputs} channels, but weight of shape "
            f"{weight.shape} takes {takes}" + (f" in {groups} groups." if groups > 1 else ".")
        )
    if bias is not None and bias.shape != (features,):
        raise ValueError(
            f"{name}: bias of shape {bias.shape} does not fit {features} output channels; "
            f"it must have shape ({features},)."
        )
