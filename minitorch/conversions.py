"""The same values in another array: copies and other dtypes. Leans on `op`."""

# Grown in notebooks: 2_05_the_tensor. Edit there, then `make extract`.

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from minitorch.devices import Device
from minitorch.op import as_tensor, op
from minitorch.shapes import flat_sizes

__all__ = ["Array", "Conversions", "astype", "clone", "contiguous"]


Array = np.ndarray


@op
def clone(x: Array) -> Any:
    """A copy with memory of its own."""
    return x.copy(), lambda grad: grad


@op
def contiguous(x: Array) -> Any:
    """The same values in row-major order in memory; copied only if they are not."""
    return np.ascontiguousarray(x).reshape(x.shape), lambda grad: grad


@op
def astype(x: Array, *, dtype: Any) -> Any:
    """The values as `dtype`; floats keep their way back, integers and booleans end it."""
    y = x.astype(dtype, copy=False)
    return y, (lambda grad: grad) if y.dtype.kind == "f" else None


class Conversions:
    """The methods of a tensor that give it another dtype, or a new tensor of its dtype."""

    array: Array

    def to(self, *kinds: Any, dtype: Any = None, device: Any = "cpu") -> Any:
        """As another dtype, or that of another tensor; "cpu", the only device, changes nothing."""
        for kind in (device, *kinds):
            if isinstance(kind, str | Device):
                Device(kind)  # raises for any but the CPU
            else:
                dtype = kind.array.dtype if isinstance(kind, Conversions) else kind
        if dtype is None or np.dtype(dtype) == self.array.dtype:
            return self
        return astype(self, dtype=np.dtype(dtype))

    astype = to

    def double(self) -> Any:
        """As float64."""
        return self.to(np.float64)

    def float(self) -> Any:
        """As float32."""
        return self.to(np.float32)

    def half(self) -> Any:
        """As float16."""
        return self.to(np.float16)

    def long(self) -> Any:
        """As int64."""
        return self.to(np.int64)

    def short(self) -> Any:
        """As int16."""
        return self.to(np.int16)

    def int(self) -> Any:
        """As int32."""
        return self.to(np.int32)

    def bool(self) -> Any:
        """As booleans: False where 0."""
        return self.to(np.bool_)

    def type(self, dtype: Any = None) -> Any:
        """As `dtype`; without one, the name of its dtype."""
        return self.to(dtype) if dtype is not None else str(self.array.dtype)

    def type_as(self, other: Any) -> Any:
        """As the dtype of `other`."""
        return self.to(other)

    def cpu(self) -> Any:
        """Itself: it is there already."""
        return self

    @property
    def device(self) -> Device:
        """The CPU."""
        return Device()

    def is_contiguous(self) -> builtins.bool:
        """Whether its elements lie in row-major order in memory, without gaps."""
        return self.array.flags.c_contiguous

    def new_zeros(self, *size: Any, dtype: Any = None) -> Any:
        """All 0, of its dtype."""
        return as_tensor(np.zeros(flat_sizes(size), dtype or self.array.dtype))

    def new_ones(self, *size: Any, dtype: Any = None) -> Any:
        """All 1, of its dtype."""
        return as_tensor(np.ones(flat_sizes(size), dtype or self.array.dtype))

    def new_empty(self, *size: Any, dtype: Any = None) -> Any:
        """Memory as it was found, of its dtype."""
        return as_tensor(np.empty(flat_sizes(size), dtype or self.array.dtype))

    def new_tensor(self, data: Any, dtype: Any = None) -> Any:
        """A tensor with its own copy of `data`, of its dtype."""
        return as_tensor(np.array(data, dtype or self.array.dtype))

    def new_full(self, size: Any, fill_value: Any, dtype: Any = None) -> Any:
        """All `fill_value`, of its dtype."""
        return as_tensor(np.full(size, fill_value, dtype or self.array.dtype))
