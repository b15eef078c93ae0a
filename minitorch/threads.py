"""Who uses the cores: threads inside BLAS, or Python threads, one choice for the whole process.

A matrix product of an MLP is fast when BLAS splits it. A convolution is many small products and
copies: there two Python threads, each with its share of the images and BLAS at one thread, are
nearly twice as fast. The two must not be mixed: after each product OpenBLAS's idle worker spins
and takes the core from whoever works next. So a process starts with BLAS threads, and the first
large convolution moves it to Python threads for good, unless `use` said which.
"""

# Grown in notebooks: 4_03_convolution_made_fast. Edit there, then `make extract`.

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from threading import Barrier
from typing import Any, TypeVar

import numpy as np

__all__ = [
    "PREFIXES",
    "SUFFIXES",
    "VARIABLES",
    "WORK_SPACE",
    "Item",
    "Result",
    "Threads",
    "find_blas_function",
    "threads",
]


Item = TypeVar("Item")
Result = TypeVar("Result")

PREFIXES = ("scipy_openblas", "openblas")  # numpy's own wheels rename OpenBLAS's functions
SUFFIXES = ("64_", "")
VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")  # of other BLAS
WORK_SPACE = 768  # a product of this size fills what the kernels read ahead


class Threads:
    """The choice in force: `mode` is "blas" or "python", `count` how many threads it uses."""

    def __init__(self) -> None:
        self.set_blas = find_blas_function("set_num_threads")
        get_blas = find_blas_function("get_num_threads")
        self.count: int = get_blas() if get_blas else os.cpu_count() or 1
        self.mode = "blas"
        self.chosen = False
        self.pool: ThreadPoolExecutor | None = None

    def use(self, mode: str, count: int | None = None) -> None:
        """Give the cores to "blas" or to "python" threads, `count` of them.

        Raises ValueError for another mode or count, RuntimeError for Python threads next to a BLAS
        that cannot be told to use one thread.
        """
        count = self.count if count is None else count
        if mode not in ("blas", "python") or not isinstance(count, int) or count < 1:
            raise ValueError(
                f'threads: "blas" or "python" and a count from 1, not {mode!r}, {count}.'
            )
        if self.set_blas is not None:
            self.set_blas(count if mode == "blas" else 1)
        elif mode == "python" and count > 1 and "1" not in map(os.environ.get, VARIABLES):
            raise RuntimeError(
                "threads: this numpy's BLAS is not OpenBLAS, and cannot be set to one thread while "
                f"Python runs. Start Python with its variable set to 1: {' or '.join(VARIABLES)}."
            )
        if count != self.count and self.pool is not None:
            self.pool.shutdown()
            self.pool = None
        self.mode, self.count, self.chosen = mode, count, True

    def share(
        self, work: Callable[[Sequence[Item]], Result], items: Sequence[Item]
    ) -> list[Result]:
        """Call `work` with consecutive shares of `items`, one per thread; its results in order.

        Moves the process to Python threads, unless the user has chosen or this BLAS cannot be told.
        """
        if len(items) > 1 and not self.chosen and self.set_blas is not None:
            self.use("python")
        count = min(self.count, len(items)) if self.mode == "python" else 1
        if count <= 1:
            return [work(items)]
        pool = self.pool or self.start_pool()
        edges = [len(items) * k // count for k in range(count + 1)]
        parts = [items[start:end] for start, end in pairwise(edges)]
        others = [pool.submit(work, part) for part in parts[1:]]
        return [work(parts[0]), *(other.result() for other in others)]

    def start_pool(self) -> ThreadPoolExecutor:
        """Start the other threads, and let every thread multiply once at the same moment.

        OpenBLAS keeps a work space per product under way. Its kernels prefetch beyond the part that
        they fill: where the kernel has not yet given that memory pages, each prefetch is a search
        in vain, and products of some shapes take up to ten times as long. A large one fills it.
        """
        pool = self.pool = ThreadPoolExecutor(self.count - 1, thread_name_prefix="minitorch")
        together = Barrier(self.count)

        def multiply() -> None:
            square = np.ones((WORK_SPACE, WORK_SPACE), np.float32)
            together.wait()
            square @ square

        others = [pool.submit(multiply) for _ in range(self.count - 1)]
        multiply()
        for other in others:
            other.result()
        return pool

    def forget_pool(self) -> None:
        """Leave the other threads to the parent: a forked process has none of them."""
        self.pool = None


def find_blas_function(name: str) -> Any:
    """OpenBLAS's function of that name in the library that numpy has loaded, None without one."""
    numpy_folder = Path(np.__file__).parent
    libraries = [Path(np._core._multiarray_umath.__file__)]  # type: ignore[attr-defined]
    libraries += (numpy_folder.parent / "numpy.libs").glob("*openblas*")  # where Windows looks
    for library in libraries:
        loaded = ctypes.CDLL(str(library))
        for prefix in PREFIXES:
            for suffix in SUFFIXES:
                if function := getattr(loaded, f"{prefix}_{name}{suffix}", None):
                    return function
    return None


threads = Threads()
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=threads.forget_pool)
