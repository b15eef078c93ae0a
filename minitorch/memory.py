"""Freed memory stays with the process, for the next array of that size; Linux with glibc only.

By default glibc gives every array above 128 kB back to the kernel when it is freed, and the next
one comes in fresh pages of 4 kB, each of which costs a fault when it is first touched. A training
step makes and frees the same arrays again and again. Set MINITORCH_MALLOC=0 to leave malloc alone.
"""

# Grown in notebooks: 4_03_convolution_made_fast. Edit there, then `make extract`.

from __future__ import annotations

import ctypes
import os
import sys

__all__ = ["LARGEST", "M_MMAP_THRESHOLD", "M_TRIM_THRESHOLD", "keep_freed_memory", "kept"]


# Names and numbers from glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGEST = 1 << 30  # bytes; larger arrays still go back at once


def keep_freed_memory() -> bool:
    """Tell malloc to keep what is freed; whether it took it."""
    if sys.platform != "linux" or os.environ.get("MINITORCH_MALLOC") == "0":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # musl has none
        return False
    return all([mallopt(M_MMAP_THRESHOLD, LARGEST), mallopt(M_TRIM_THRESHOLD, LARGEST)])


kept = keep_freed_memory()
