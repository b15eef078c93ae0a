"""Who overwrote what: a clock of in-place writes, so that backward never uses changed values.

Arrays that share memory share one owner, the array at the end of their `.base` chain. A write
stamps the owner with the time; whoever kept the array can ask whether it changed since.
"""

# Grown in notebooks: 2_01_the_graph. Edit there, then `make extract`.

from __future__ import annotations

import weakref
from functools import partial
from itertools import count
from typing import Any

import numpy as np

__all__ = ["Array", "WriteClock", "clock", "owner_of"]


Array = np.ndarray


class WriteClock:
    """Counts in-place writes, and remembers the time of the last one of each memory owner."""

    def __init__(self) -> None:
        self.now = 0
        self._ticks = count(1)
        self._last_write: dict[int, list[Any]] = {}  # time, how often, the owner
        self.tangled: dict[int, int] = {}
        self.captured: dict[int, int] = {}

    def stamp(self, *arrays: Array) -> None:
        """Say that the memory of these arrays is being written to."""
        self.now = now = next(self._ticks)
        for array in arrays:
            owner = array if array.base is None else owner_of(array)
            key = id(owner)
            entry = self._last_write.get(key)
            if entry is None:
                self._last_write[key] = [now, 1, weakref.ref(owner, partial(self.forget, key))]
            else:
                entry[0] = now
                entry[1] += 1

    def stamp_in_graph(self, array: Array, constant: bool = False) -> None:
        """Say that an op of the graph wrote there: other tensors on that memory are out of date.

        Detached ones are not, unless it wrote through a view of a `constant`, which they are.
        """
        self.stamp(array)
        self.tangled[id(owner_of(array))] = self.now
        if constant:
            self.captured[id(owner_of(array))] = self.now

    def forget(self, key: int, gone: weakref.ref[Array]) -> None:
        """Drop what is known of a memory owner that no longer exists."""
        self._last_write.pop(key, None)
        self.tangled.pop(key, None)
        self.captured.pop(key, None)

    def last_write(self, array: Array) -> int:
        """Time of the last write into the memory of `array`; 0 when there was none."""
        entry = self._last_write.get(id(owner_of(array)))
        return entry[0] if entry else 0

    def writes(self, array: Array) -> int:
        """How often the memory of `array` was written to in place."""
        entry = self._last_write.get(id(owner_of(array)))
        return entry[1] if entry else 0


def owner_of(array: Array) -> Array:
    """The array that owns the memory of which `array` is a view."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


clock = WriteClock()
