"""Running a recorded step again: with one leaf changed, or one input nudged for a numeric gradient.

The recorded ops run again on the recorded inputs; the user's code does not, so nothing of the
user's changes. Leans on recording.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from minitorch.autograd import sum_to_shape
from minitorch.op import op
from minitorch.tensor import Tensor
from viz.recording import Moment, Recording, record

NUDGE = 1e-6  # relative step of the numeric gradient, in float64


def inputs_of(recording: Recording, vertex: str) -> tuple[list[Any], dict[str, Any]]:
    """The inputs and settings of an op as arrays, with the values that they had.

    Raises ValueError when one was not kept.
    """
    growing = recording.growing
    given, settings = list(growing.inputs[vertex]), dict(growing.settings[vertex])
    for edge in growing.into[vertex]:
        value = recording.arrays.values(f"{edge.source}.value")
        if value is None:
            title = recording.graph.vertices[edge.source].title
            raise ValueError(
                f"the values of {title} were not kept: past the budget, or overwritten."
            )
        if isinstance(edge.slot, str):
            settings[edge.slot] = value
        else:
            given[edge.slot] = value
    return given, settings


@dataclass(slots=True)
class NumericCheck:
    """One element of a rule's gradient beside the difference quotient."""

    index: tuple[int, ...]
    rule: float
    numeric: float

    @property
    def difference(self) -> float:
        """How far they are apart."""
        return abs(self.rule - self.numeric)

    @property
    def agrees(self) -> bool:
        """Whether they are the same but for rounding."""
        return self.difference <= 1e-3 * max(abs(self.rule), abs(self.numeric), 1e-6)


def numeric_gradient(recording: Recording, edge_id: str) -> NumericCheck:
    """The largest element of the gradient that an edge carries, against central differences.

    Only this op runs, in float64; what its output pulls with is the recorded gradient.
    """
    edge = recording.graph.edges[edge_id]
    run = recording.growing.ops[edge.target]
    grad = recording.arrays.values(f"{edge.target}.grad")
    analytic = recording.arrays.values(f"{edge_id}.grad")
    if grad is None or analytic is None or not analytic.size:
        raise ValueError("this edge carries no gradient yet, or its values were not kept.")
    given, settings = inputs_of(recording, edge.target)
    slot = int(edge.slot)
    exact = [widened(value) for value in given]
    where = np.unravel_index(int(np.abs(analytic).argmax()), analytic.shape)
    step = NUDGE * max(1.0, abs(float(exact[slot][where])))
    sums = []
    for sign in (1, -1):
        exact[slot] = widened(given[slot]).copy()
        exact[slot][where] += sign * step
        with np.errstate(all="ignore"):
            value, _ = run(*exact, **settings)
        sums.append(float((np.asarray(value, np.float64) * grad).sum()))
    # Rules may run in float32: redo this one on the same numbers in float64.
    rule = float(rule_in_float64(run, given, settings, slot, grad)[where])
    return NumericCheck(tuple(map(int, where)), rule, (sums[0] - sums[1]) / (2 * step))


def widened(value: Any) -> Any:
    """Floats in float64, everything else as it is."""
    if isinstance(value, np.ndarray):
        return value.astype(np.float64) if value.dtype.kind == "f" else value
    return np.float64(value) if isinstance(value, float) else value


def rule_in_float64(
    run: Any, given: list[Any], settings: dict[str, Any], slot: int, grad: np.ndarray
) -> np.ndarray:
    """What the op's own rule sends to one input, computed in float64."""
    _, rules = run(*map(widened, given), **settings)
    wide = grad.astype(np.float64)
    if isinstance(rules, tuple):
        back = rules[slot](wide)
    elif slot == 0 and sum(isinstance(each, np.ndarray) for each in given) == 1:
        back = rules(wide)
    else:
        back = rules(wide, tuple(k == slot for k in range(len(given))))[slot]
    return sum_to_shape(np.asarray(back), np.shape(given[slot]), run.__name__)


def replayed(recording: Recording, step: int, changes: dict[str, np.ndarray]) -> Recording:
    """A new recording of one step's forward and backward, with some leaves' values changed.

    Random ops draw anew. Raises ValueError when values are missing.
    """
    old = recording.growing
    ran = [m.vertex for m in recording.moments if m.step == step and m.act == "op"]
    roots = [m.vertex for m in recording.moments if m.step == step and starts(m)]
    tensors: dict[str, Any] = {}
    with record(recording.arrays.whole_budget) as new:
        new.growing.continue_as(old, step)
        for name in ran:
            new.growing.stand_in([old.graph.boxes[box] for box in boxes_of(recording, name)])
            given, settings = list(old.inputs[name]), dict(old.settings[name])
            for edge in old.into[name]:
                if edge.source not in tensors:
                    tensors[edge.source] = leaf_again(recording, edge.source, changes)
                known = tensors[edge.source]
                known = known.detach() if edge.detached else known
                if isinstance(edge.slot, str):
                    settings[edge.slot] = known
                else:
                    given[edge.slot] = known
            tensors[name] = op(old.ops[name])(*given, **settings)
        new.growing.stand_in([])
        for root in roots[:1]:
            start = recording.arrays.values(f"{root}.grad")
            tensors[root].backward(None if start is None else Tensor(start.copy()))
    again = [m.vertex for m in new.moments if m.act == "op"]
    for before, after in zip(ran, again, strict=True):
        new.growing.places[after] = old.places[before]
        new.graph.vertices[after].name = recording.graph.vertices[before].name
    return new


def starts(moment: Moment) -> bool:
    """Whether a backward begins at a moment."""
    return moment.act == "rule" and not moment.arrived


def boxes_of(recording: Recording, vertex: str) -> list[str]:
    """The module calls around a vertex."""
    return recording.graph.box_path(recording.graph.vertices[vertex].box)


def leaf_again(recording: Recording, name: str, changes: dict[str, np.ndarray]) -> Any:
    """A leaf with its recorded or its new value."""
    vertex = recording.graph.vertices[name]
    if vertex.kind == "constant" and not isinstance(vertex.subject, Tensor):
        return vertex.subject
    value = changes.get(name, recording.arrays.values(f"{name}.value"))
    if value is None:
        raise ValueError(f"the values of {vertex.title} were not kept: past the budget.")
    tensor = Tensor(np.array(value), requires_grad=vertex.wants_grad)
    tensor.name = vertex.name
    return tensor
