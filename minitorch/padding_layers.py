"""Layers that put something around images. Leans on `joining`."""

# Grown in notebooks: 4_04_pooling. Edit there, then `make extract`.

from __future__ import annotations

from collections.abc import Sequence

from minitorch import joining
from minitorch.module import Module
from minitorch.tensor import Tensor

__all__ = ["CircularPad2d", "ConstantPad2d", "ReflectionPad2d", "ReplicationPad2d", "ZeroPad2d"]


class ZeroPad2d(Module):
    """`pad` around images with zeros: left, right, top, bottom, or one width for all four."""

    mode, value = "constant", 0.0

    def __init__(self, padding: int | Sequence[int]) -> None:
        self.padding = list(padding) if isinstance(padding, Sequence) else [padding] * 4
        if len(self.padding) != 4:
            raise ValueError(
                f"{type(self).__name__}: padding is one width, or four (left, right, top, bottom), "
                f"not {padding}."
            )

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        return joining.pad(x, self.padding, mode=self.mode, value=self.value)


class ConstantPad2d(ZeroPad2d):
    """`ZeroPad2d` with another number."""

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value


class ReflectionPad2d(ZeroPad2d):
    """`ZeroPad2d` with what lies before the border."""

    mode = "reflect"


class ReplicationPad2d(ZeroPad2d):
    """`ZeroPad2d` with the border itself."""

    mode = "replicate"


class CircularPad2d(ZeroPad2d):
    """`ZeroPad2d` with the other end."""

    mode = "circular"
