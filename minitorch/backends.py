"""Other devices that PyTorch's scripts ask for: `backends.mps.is_available()`."""

# Grown in notebooks: 2_05_the_tensor. Edit there, then `make extract`.

from minitorch import cuda as mps

__all__ = ["mps"]
