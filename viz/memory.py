"""How many bytes a training step holds as it goes: what backward needs, and gradients under way.

A model of what the engine itself keeps, so that watching does not change the figure. Leans on
minitorch's notion of who owns memory.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from minitorch.versions import owner_of


class MemoryCount:
    """Bytes of saved arrays (each owner of memory once) and of gradients that wait."""

    def __init__(self) -> None:
        self.kept = 0  # bytes held for backward
        self.waiting = 0  # bytes of gradients
        self._gradients: dict[str, int] = {}
        self._leaves: set[int] = set()
        self._sizes: dict[int, int] = {}
        self._holders: Counter[int] = Counter()
        self._held_by: dict[str, list[int]] = {}

    def ignore(self, array: np.ndarray) -> None:
        """Parameters and inputs live anyway, so keeping them for backward costs nothing."""
        self._leaves.add(id(owner_of(array)))

    def keep(self, vertex: str, saved: dict[str, Any]) -> None:
        """An op saved these for its backward."""
        owners = {id(owner): owner for owner in map(owner_of, saved_arrays(saved))}
        for key, owner in owners.items():
            if key not in self._leaves:
                self._holders[key] += 1
                if key not in self._sizes:
                    self._sizes[key] = owner.nbytes
                    self.kept += owner.nbytes
                self._held_by.setdefault(vertex, []).append(key)

    def waits(self, vertex: str, size: int) -> None:
        """A gradient for a vertex is there, or has grown by a contribution."""
        self.waiting += size - self._gradients.get(vertex, 0)
        self._gradients[vertex] = size

    def release(self, vertex: str) -> None:
        """The backward of an op is done: its saved arrays and its gradient are no longer needed."""
        self.waiting -= self._gradients.pop(vertex, 0)
        for key in self._held_by.pop(vertex, []):
            self._holders[key] -= 1
            if not self._holders[key]:
                del self._holders[key]
                self.kept -= self._sizes.pop(key)


def saved_arrays(saved: dict[str, Any]) -> list[np.ndarray]:
    """The arrays among the saved values, also those in lists and tuples."""
    found = []
    for kept in saved.values():
        parts = kept if isinstance(kept, list | tuple) else (kept,)
        found += [part for part in parts if isinstance(part, np.ndarray)]
    return found
