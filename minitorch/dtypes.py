"""PyTorch's names for numpy's dtypes and limits: `minitorch.float32`, `finfo(float32).eps`."""

# Grown in notebooks: 2_05_the_tensor. Edit there, then `make extract`.

from typing import Any

import numpy as np

__all__ = [
    "Size",
    "bool",
    "double",
    "dtype",
    "finfo",
    "float",
    "float16",
    "float32",
    "float64",
    "half",
    "iinfo",
    "int",
    "int8",
    "int16",
    "int32",
    "int64",
    "long",
    "short",
    "uint8",
]


float16 = half = np.dtype(np.float16)
float32 = float = np.dtype(np.float32)
float64 = double = np.dtype(np.float64)
uint8 = np.dtype(np.uint8)
int8 = np.dtype(np.int8)
int16 = short = np.dtype(np.int16)
int32 = int = np.dtype(np.int32)
int64 = long = np.dtype(np.int64)
bool = np.dtype(np.bool_)
dtype = np.dtype
finfo, iinfo = np.finfo, np.iinfo
Size: type[tuple[Any, ...]] = tuple  # what x.shape is
