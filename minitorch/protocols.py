"""What Python itself asks of a tensor: its size, to be a number, a list, a condition."""

# Grown in notebooks: 2_05_the_tensor. Edit there, then `make extract`.

from __future__ import annotations

import builtins
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from minitorch.tensor import Tensor

__all__ = ["Array", "SpeaksPython"]


Array = np.ndarray


class SpeaksPython:
    """What an array tells of itself, and the ways to numpy and to Python's numbers and loops."""

    array: Array
    requires_grad: bool
    __getitem__: Any

    @property
    def shape(self) -> tuple[int, ...]:
        """Size of each dimension."""
        return self.array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Numpy's dtype of the elements."""
        return self.array.dtype

    @property
    def ndim(self) -> builtins.int:
        """Number of dimensions."""
        return self.array.ndim

    def dim(self) -> builtins.int:
        """Number of dimensions."""
        return self.array.ndim

    def numel(self) -> builtins.int:
        """Number of elements."""
        return self.array.size

    nelement = numel

    def element_size(self) -> builtins.int:
        """Bytes of one element."""
        return self.array.itemsize

    def is_floating_point(self) -> builtins.bool:
        """Whether its elements are floats."""
        return self.array.dtype.kind == "f"

    def size(self, dim: builtins.int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        return self.shape if dim is None else self.shape[dim]

    # ---- to numpy and Python -----------------------------------------------------------------

    def numpy(self) -> Array:
        """The values as a numpy array that shares memory; refused where a gradient is wanted."""
        if self.requires_grad:
            raise RuntimeError(
                f"numpy: this tensor of shape {self.shape} requires a gradient, which would be "
                "lost. Say detach().numpy()."
            )
        return self.array

    def item(self) -> Any:
        """The only element, as a Python number."""
        if self.array.size != 1:
            raise ValueError(f"item(): a tensor of shape {self.shape} has {self.numel()} elements.")
        return self.array.item()

    def tolist(self) -> Any:
        """The values as nested Python lists."""
        return self.array.tolist()

    def __float__(self) -> builtins.float:
        return builtins.float(self.item())

    def __int__(self) -> builtins.int:
        return builtins.int(self.item())

    def __index__(self) -> builtins.int:
        if self.dtype.kind not in "iu":
            raise TypeError(f"a tensor of {self.dtype} cannot be an index; use int() or .long().")
        return builtins.int(self.item())

    def __bool__(self) -> builtins.bool:
        if self.array.size != 1:
            raise ValueError(
                f"is a tensor of shape {self.shape} true? Say which you mean: .any() or .all()."
            )
        return builtins.bool(self.array.item())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    def __len__(self) -> builtins.int:
        if not self.ndim:
            raise TypeError("len() of a 0-d tensor: it is a single number.")
        return len(self.array)

    def __iter__(self) -> Iterator[Tensor]:
        if not self.ndim:
            raise TypeError("a 0-d tensor cannot be iterated: it is a single number; use item().")
        return (self[k] for k in range(len(self.array)))

    def __contains__(self, value: Any) -> builtins.bool:
        return builtins.bool(np.any(self.array == np.asarray(value)))
