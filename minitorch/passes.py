"""A pass over memory: numpy shows what it does, and other code may do it faster.

Which code that is, and who chooses: `compiled`.
"""

# Grown in notebooks: 4_03_convolution_made_fast. Edit there, then `make extract`.

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

import numpy as np

__all__ = ["Array", "Pass"]


Array = np.ndarray


class Pass:
    """A function of arrays that reads and writes each number once, or nearly so; a decorator.

    `in_numpy` is what it decorates: the default, and what any other way is tested against. Where
    there are `compiled` loops, they are called in its place, for the floats that they know.
    """

    def __init__(self, in_numpy: Callable[..., Any]) -> None:
        update_wrapper(self, in_numpy)
        self.in_numpy = in_numpy
        self.compiled: Callable[..., Any] | None = None

    def __call__(self, first: Array, *others: Any) -> Any:
        """Do the pass."""
        if self.compiled is not None and first.dtype.char in "fd":
            return self.compiled(first, *others)
        return self.in_numpy(first, *others)
