"""The recording: every op, backward step and update of some code, on one line of time.

`with record() as recording:` listens while the code runs and keeps a moment for each event: what
happened, to which vertex, along which edges, with which arrays, where in the code. Everything else
(the controller, the pictures, the widget) reads recordings. Leans on growing, arrays and memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import numpy as np

from minitorch.autograd import sum_to_shape
from minitorch.graph import Listener, Node, Step, listening
from minitorch.tensor import Tensor
from viz.arrays import Store
from viz.growing import GrowingGraph
from viz.memory import MemoryCount
from viz.progress import Progress
from viz.sources import Place, place_of, place_of_error, user_frame

DEFAULT_BUDGET = 256 << 20  # bytes of values kept alive


@dataclass(slots=True, eq=False)
class Moment:
    """One event. `array` names what it is about; `edges` are those that something passes along."""

    phase: str  # "forward", "backward", "update"
    act: str  # "op", "rule", "unbroadcast", "update", "error"
    vertex: str
    step: int
    array: str | None = None
    edges: list[str] = field(default_factory=list)
    arrived: list[str] = field(default_factory=list)  # edges whose contributions made the gradient
    leaves: list[str] = field(default_factory=list)  # leaves whose gradient is complete now
    kept: int = 0  # bytes held for backward after this moment
    gradients: int = 0  # bytes of gradients alive after this moment


@dataclass(slots=True)
class Update:
    """What an optimizer did to one parameter."""

    optimizer: str
    settings: dict[str, Any]
    method: Any


class RecordingDone(BaseException):
    """Leaves the user's loop when enough was recorded; no `except Exception` there stops it."""


class Recording(Listener):
    """A graph, its moments, and its arrays: `n3.value`, `n3.grad`, `e5.raw`, `e5.grad`, ...

    Attributes
    ----------
    growing : the graph with what is known of each vertex: place, rules, saved values
    moments : the events in the order in which they happened
    arrays : summaries by id, and values while the budget lasts
    error : what the code raised, when it did
    on_moment : called after each new moment, in the thread that runs the code
    """

    def __init__(self, budget: int = DEFAULT_BUDGET, steps: int | None = None) -> None:
        self.most_steps = steps
        self.was_left = False  # the code had not ended when the last step that was asked for had
        self.growing = GrowingGraph()
        self.moments: list[Moment] = []
        self.arrays = Store(budget)
        self.updates: dict[int, Update] = {}
        self.without_gradient: dict[int, list[Tensor]] = {}  # by step: what the optimizer skipped
        self.update_places: dict[int, Place] = {}  # by step: the line that let the optimizer act
        self.error: BaseException | None = None
        self.error_place: Place | None = None  # the line of the user's code that raised it
        self.on_moment: Callable[[Recording], None] | None = None
        self.added: set[str] = set()  # leaves whose `.grad` held something before a backward added
        self.sent_at: dict[str, int] = {}  # by edge: the moment at which a gradient passed it
        self._memory = MemoryCount()
        self._progress = Progress()
        self._before: dict[int, np.ndarray] = {}
        self._found: dict[int, np.ndarray | None] = {}
        self._answered = False
        self._listening = listening(self)

    @property
    def graph(self) -> Any:
        """The vertices, edges and module calls."""
        return self.growing.graph

    @property
    def steps(self) -> int:
        """How many training steps were recorded."""
        return self.growing.step + 1

    def __enter__(self) -> Self:
        self._progress = Progress()
        self._listening.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listening.__exit__()
        self._progress.close()
        if error is None or isinstance(error, RecordingDone):
            return
        failed = None if self.error is error else node_in(trace)
        self.error, self.error_place = error, place_of_error(trace)
        if failed is not None:  # a rule raised: no listener hears of that
            self._happened("backward", "error", self.growing.vertex_of(failed), None)

    # ---- what listeners hear -------------------------------------------------------------------

    def on_module(self, module: Any, entered: bool) -> None:
        """Open or close a box."""
        if entered:
            self.growing.enter(module)
        else:
            self.growing.leave()

    def on_op(self, op: Any, inputs: tuple[Any, ...], settings: Any, output: Tensor) -> None:
        """An op ran: a vertex, its edges, and a moment of the forward."""
        if self._answered and not self.growing.continues((*inputs, *settings.values())):
            if self.steps == self.most_steps:
                self.was_left = True
                raise RecordingDone
            self._answered = False
            self._memory = MemoryCount()
            self.growing.next_step()
        vertex = self.growing.add_op(op, inputs, settings, output)
        self._keep_leaves(vertex.id)
        self.arrays.keep(f"{vertex.id}.value", output.array)
        saved = self.growing.saved.get(vertex.id, {})
        self._memory.keep(vertex.id, saved)
        for name, value in saved.items():
            if isinstance(value, np.ndarray):
                self.arrays.keep(f"{vertex.id}.saved.{name}", value, again=True)
        self._happened(
            "forward", "op", vertex.id, f"{vertex.id}.value",
            edges=[edge.id for edge in self.growing.into[vertex.id]],
        )  # fmt: skip

    def on_error(self, op: Any, inputs: tuple[Any, ...], settings: Any, error: Exception) -> None:
        """An op raised: its vertex stands at the end of the recording."""
        vertex = self.growing.add_op(op, inputs, settings, None)
        self._keep_leaves(vertex.id)
        self.error = error
        self._happened(
            "forward", "error", vertex.id, None,
            edges=[edge.id for edge in self.growing.into[vertex.id]],
        )  # fmt: skip

    def on_step(self, step: Step) -> None:
        """A backward step: contributions leave a vertex, or a leaf has its whole gradient."""
        self._answered = True
        vertex = self.growing.vertex_of(step.node)
        arrived = [edge.id for edge in self.growing.out_of[vertex] if edge.id in self.sent_at]
        if step.grad is not None:
            self.arrays.keep(f"{vertex}.grad", as_values(step.grad), again=True)
        if isinstance(step.node, Tensor):
            self._note_sum(vertex, step)
        if isinstance(step.node, Tensor) and arrived:
            self.moments[max(self.sent_at[edge] for edge in arrived)].leaves.append(vertex)
            self.growing.know_gradient(step.node)
            return
        self._memory.release(vertex)
        now = len(self.moments)
        summed = []
        sent = []
        for edge in self.growing.into[vertex]:
            raw = step.contributions[int(edge.slot)] if edge.wants_grad else None
            if raw is None:
                continue
            raw, shape = as_values(raw), self.graph.vertices[edge.source].shape
            self._memory.waits(edge.source, raw.itemsize * math.prod(shape))
            self.arrays.keep(f"{edge.id}.raw", raw, again=True)
            if raw.shape == shape:
                self.arrays.summaries[f"{edge.id}.grad"] = self.arrays.summaries[f"{edge.id}.raw"]
                self.sent_at[edge.id] = now
                sent.append(edge.id)
            else:
                summed.append((edge, raw, shape))
        self._happened("backward", "rule", vertex, f"{vertex}.grad", edges=sent, arrived=arrived)
        for edge, raw, shape in summed:
            name = self.graph.vertices[vertex].label
            self.arrays.keep(f"{edge.id}.grad", sum_to_shape(raw, shape, name))
            self.sent_at[edge.id] = len(self.moments)
            self._happened("backward", "unbroadcast", vertex, f"{edge.id}.grad", edges=[edge.id])

    def on_update(self, optimizer: Any, finished: bool) -> None:
        """An optimizer's step: one moment per parameter that it changed."""
        self._answered = True
        trained = [each for each in optimizer.parameters if each.grad is not None]
        if not finished:
            skipped = [each for each in optimizer.parameters if each.grad is None]
            self.without_gradient[self.growing.step] = skipped
            self._before = {id(each): self._value_now(each) for each in trained}
            self._found = {id(each): self._other_gradient(each) for each in trained}
            return
        self.update_places[self.growing.step] = place_of(user_frame())
        for parameter in trained:
            vertex = self.growing.vertex_of(parameter)
            now = len(self.moments)
            before = self._before.pop(id(parameter))
            after = parameter.array
            self.arrays.keep(f"u{now}.before", before, again=True)
            self.arrays.keep(f"u{now}.after", after)
            self.arrays.keep(f"u{now}.change", after - before)
            if (found := self._found.pop(id(parameter))) is not None:
                self.arrays.keep(f"u{now}.grad", found)
            settings = settings_of(optimizer, parameter)
            self.updates[now] = Update(type(optimizer).__name__, settings, optimizer.update)
            self._happened("update", "update", vertex, f"u{now}.after")

    # ---- inside --------------------------------------------------------------------------------

    def _value_now(self, parameter: Tensor) -> np.ndarray:
        """A copy of a parameter's value: the one from the forward, if nothing wrote to it since."""
        summary = self.arrays.summaries.get(f"{self.growing.vertex_of(parameter)}.value")
        kept = summary.values if summary is not None else None
        if kept is not None and np.array_equal(kept, parameter.array):
            return kept
        return parameter.array.copy()

    def _note_sum(self, leaf: str, step: Step) -> None:
        """Note whether `.grad` holds more than this backward has brought."""
        held, brought = getattr(step.node, "grad", None), step.grad
        if held is None or brought is None:
            return
        held, brought = as_values(held), as_values(brought)
        if held is brought or np.array_equal(held, brought, equal_nan=True):
            self.added.discard(leaf)
        else:
            self.added.add(leaf)

    def _other_gradient(self, parameter: Tensor) -> np.ndarray | None:
        """A copy of what the optimizer finds in `.grad`, where no backward of the step brought it.

        Something was there before and was added to, or it was changed since, as by clipping.
        """
        name = f"{self.growing.vertex_of(parameter)}.grad"
        found, brought = as_values(parameter.grad), self.arrays.summaries.get(name)
        values = self.arrays.values(name)
        if values is not None:
            same = np.array_equal(values, found, equal_nan=True)
        else:  # its values are not kept, or were written to
            norm = float(np.linalg.norm(found))
            same = brought is not None and bool(np.isclose(brought.norm, norm, equal_nan=True))
        return None if same else found.copy()

    def _keep_leaves(self, vertex: str) -> None:
        """Keep the values of leaves seen for the first time."""
        for edge in self.growing.into[vertex]:
            leaf = self.graph.vertices[edge.source]
            name = f"{leaf.id}.value"
            if leaf.kind != "op" and name not in self.arrays.summaries:
                values = as_values(leaf.subject)
                self.arrays.keep(name, values, copy=leaf.kind == "parameter")
                self._memory.ignore(values)

    def _happened(self, phase: str, act: str, vertex: str, array: str | None, **also: Any) -> None:
        """Add a moment, and let whoever follows live look at it."""
        if array not in self.arrays.summaries:
            array = None
        moment = Moment(phase, act, vertex, self.growing.step, array, **also)
        moment.kept, moment.gradients = self._memory.kept, self._memory.waiting
        self.moments.append(moment)
        if self.on_moment is None:
            self._progress.reach(len(self.moments))
        else:  # someone follows live, and may let it wait at will
            self.on_moment(self)


def record(budget: int = DEFAULT_BUDGET, steps: int | None = None) -> Recording:
    """A context within which everything that minitorch does is recorded.

    Values are kept up to `budget` bytes. When a training step after the first `steps` begins,
    `RecordingDone` leaves the recorded code.
    """
    return Recording(budget, steps)


def settings_of(optimizer: Any, parameter: Tensor) -> dict[str, Any]:
    """The numbers that an optimizer is told for one parameter: `lr`, `momentum`, ..."""
    for group in getattr(optimizer, "param_groups", []):
        if any(each is parameter for each in group["params"]):
            return {
                name: value
                for name, value in group.items()
                if isinstance(value, int | float | tuple) and value is not False
            }
    return {}


def node_in(trace: TracebackType | None) -> Node | None:
    """The node whose backward was under way when an error was raised, or None."""
    found = None
    while trace is not None:
        owner = trace.tb_frame.f_locals.get("self")
        found = owner if isinstance(owner, Node) else found
        trace = trace.tb_next
    return found


def as_values(value: Any) -> np.ndarray:
    """The numpy array of a tensor, of an array, or of a number."""
    return value.array if isinstance(value, Tensor) else np.asarray(value)
