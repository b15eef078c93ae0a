"""Rules as they were when their op ran, though what they hold has been written to since.

A rule holds arrays, not copies: after the optimizer's step the weight in it is the next one, and a
picture of the rule would show numbers that do not make the recorded gradient. Leans on recording.
"""

from __future__ import annotations

import operator
from types import CellType, FunctionType
from typing import Any

import numpy as np

from minitorch.versions import clock
from viz.recording import Recording


class AsItWas:
    """Gives for what the rules of one op hold what it was; None for numbers that are gone."""

    def __init__(self, recording: Recording, vertex: str) -> None:
        store = recording.arrays
        made = store.summaries.get(f"{vertex}.value")  # an op that raised made none
        self._time = clock.now if made is None else made.seen_at
        self._copies = {
            id(value): store.values(f"{vertex}.saved.{name}")
            for name, value in recording.growing.saved.get(vertex, {}).items()
        }
        self._known: dict[int, Any] = {}

    def __call__(self, value: Any) -> Any:
        """An array or a function as it was; anything else as it is."""
        if isinstance(value, np.ndarray):
            copy = self._copies.get(id(value))
            is_old = copy is None and clock.last_write(value) > self._time
            return None if is_old else value if copy is None else copy
        if isinstance(value, FunctionType) and value.__closure__:
            return self.function(value)
        return value

    def function(self, function: FunctionType) -> FunctionType:
        """A function with what it holds as it was; itself where that is the same."""
        if id(function) in self._known:
            return self._known[id(function)]
        self._known[id(function)] = function  # it may hold itself
        cells = tuple(self.cell(each) for each in function.__closure__ or ())
        if all(map(operator.is_, cells, function.__closure__ or ())):
            return function
        again = FunctionType(
            function.__code__, function.__globals__, function.__name__, function.__defaults__, cells
        )
        again.__kwdefaults__ = function.__kwdefaults__
        self._known[id(function)] = again
        return again

    def cell(self, cell: CellType) -> CellType:
        """One place of a closure; itself where nothing has changed, or nothing is in it yet."""
        try:
            value = cell.cell_contents
        except ValueError:
            return cell
        before = self(value)
        return cell if before is value else CellType(before)
