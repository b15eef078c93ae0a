"""Conditions on moments, and numbers followed over time. Leans on recording."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from viz.recording import Moment, Recording

Test = Callable[["View"], bool]


@dataclass(frozen=True, slots=True)
class View:
    """A moment as a predicate sees it."""

    recording: Recording
    moment: Moment

    @property
    def phase(self) -> str:
        """forward, backward or update."""
        return self.moment.phase

    @property
    def op(self) -> str:
        """The op's name; of a leaf, the leaf's."""
        return self.recording.graph.vertices[self.moment.vertex].label

    @property
    def names(self) -> list[str]:
        """What is touched: the vertex by name, the leaves it reads or sends gradients to."""
        graph = self.recording.graph
        touched = [self.moment.vertex, *self.moment.leaves]
        touched += [graph.edges[edge].source for edge in self.moment.edges]
        vertices = [graph.vertices[name] for name in dict.fromkeys(touched)]
        return [vertex.name for vertex in vertices if vertex.name]

    @property
    def modules(self) -> list[str]:
        """Paths of the modules around it, outermost first."""
        graph = self.recording.graph
        boxes = graph.box_path(graph.vertices[self.moment.vertex].box)
        return [graph.boxes[box].path for box in boxes]

    @property
    def array(self) -> np.ndarray | None:
        """The value or gradient that the moment is about, while it is kept."""
        return self.recording.arrays.values(self.moment.array or "")

    @property
    def summaries(self) -> list[Any]:
        """Summaries of that array and of the gradients that are sent on."""
        sent = self.moment.edges if self.moment.phase == "backward" else []
        names = [self.moment.array, *(f"{edge}.grad" for edge in sent)]
        known = self.recording.arrays.summaries
        return [known[name] for name in names if name in known]


def condition(kind: str, value: Any) -> tuple[str, Test]:
    """A condition in words and as a function; ValueError when there is none of that kind."""
    named = isinstance(value, str) and bool(value)
    if kind == "op" and named:
        return f"op is {value}", lambda view: fnmatch.fnmatchcase(view.op, value)
    if kind == "name" and named:
        return f"{value} is touched", lambda view: bool(fnmatch.filter(view.names, value))
    if kind == "module" and named:
        return f"inside module {value}", lambda view: bool(fnmatch.filter(view.modules, value))
    if kind == "nonfinite":
        return "a number is not finite", lambda view: any(s.nan or s.inf for s in view.summaries)
    if kind == "zero":
        return "a gradient is all zero", is_zero_gradient
    if kind == "norm" and (limit := number_of(value)) is not None:
        return f"a gradient's norm is above {limit:g}", lambda view: exceeds(view, limit)
    if kind == "predicate" and callable(value):
        return f"{getattr(value, '__name__', 'predicate')} holds", value
    raise ValueError(
        f"no breakpoint of kind {kind!r} with {value!r}; there are: op NAME, name NAME, "
        "module PATH, nonfinite, zero, norm NUMBER, predicate FUNCTION."
    )


def number_of(value: Any) -> float | None:
    """A limit as a number; None where it is none."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return None if math.isnan(number) else number


def is_zero_gradient(view: View) -> bool:
    """Whether a gradient is there and all zero."""
    return view.phase == "backward" and any(summary.all_zero for summary in view.summaries)


def exceeds(view: View, limit: float) -> bool:
    """Whether a gradient is larger than `limit`, or not even a number."""
    if view.phase != "backward":
        return False
    return any(summary.norm > limit or math.isnan(summary.norm) for summary in view.summaries)


class Breakpoint:
    """A condition at which to stop."""

    def __init__(self, name: str, kind: str, value: Any = None) -> None:
        self.id = name
        self.kind = kind
        self.value = value
        self.enabled = True
        self.text, self._holds = condition(kind, value)

    def hits(self, recording: Recording, index: int) -> bool:
        """Whether it stops at a moment."""
        return bool(self._holds(View(recording, recording.moments[index])))


class Watch:
    """A number of an array at every moment at which it was seen."""

    def __init__(self, what: str, quantity: str = "norm") -> None:
        quantities = ("norm", "mean", "std", "low", "high", "zeros")
        if quantity not in quantities:
            raise ValueError(f"watch: {quantity!r} is not one of {', '.join(quantities)}.")
        self.what = what
        self.quantity = quantity

    @property
    def text(self) -> str:
        """What is followed."""
        return f"{self.what} {self.quantity}"

    def history(self, recording: Recording) -> list[tuple[int, float]]:
        """(moment, number) for each time; over all steps when it is a name."""
        found = []
        for index, moment in enumerate(recording.moments):
            summary = recording.arrays.summaries.get(self.seen_as(recording, moment) or "")
            if summary is not None:
                found.append((index, float(getattr(summary, self.quantity))))
        return found

    def seen_as(self, recording: Recording, moment: Moment) -> str | None:
        """The array id under which it appears at a moment, or None."""
        if moment.array == self.what:
            return self.what
        vertices = recording.graph.vertices
        name = self.what.removesuffix(".grad")
        if self.what.endswith(".grad"):
            leaves = (leaf for leaf in moment.leaves if name in (leaf, vertices[leaf].name))
            return next((f"{leaf}.grad" for leaf in leaves), None)
        return moment.array if vertices[moment.vertex].name == name else None
