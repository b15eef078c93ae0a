"""The graph as it grows under a recording: which live object is which vertex, and what is known.

Objects are recognized by identity, so they are kept alive as long as the recording. Leans on graph
and sources.
"""

from __future__ import annotations

import inspect
import sys
from functools import lru_cache
from typing import Any

import numpy as np

from minitorch.graph import Node
from minitorch.op import is_array
from minitorch.tensor import Tensor
from viz.arrays import dtype_name
from viz.graph import (
    Box,
    Edge,
    Graph,
    Slot,
    Vertex,
    ancestors_first,
    input_name,
    leaf_kind,
)
from viz.sources import Place, place_of, user_frame, variable_name


class GrowingGraph:
    """A `Graph` with its live side: places in the code, rules, saved values, inputs as given."""

    def __init__(self) -> None:
        self.graph = Graph()
        self.into: dict[str, list[Edge]] = {}
        self.out_of: dict[str, list[Edge]] = {}
        self.step = 0
        self.step_of: dict[str, int] = {}
        self.places: dict[str, Place] = {}
        self.ops: dict[str, Any] = {}  # the op's own function
        self.inputs: dict[str, tuple[Any, ...]] = {}  # as the user gave them
        self.settings: dict[str, dict[str, Any]] = {}
        self.rules: dict[str, Any] = {}
        self.saved: dict[str, dict[str, Any]] = {}
        self._vertices: dict[int, str] = {}
        self._alive: list[Any] = []
        self._gradients: dict[int, str] = {}
        self._stack: list[Box] = []
        self._paths: dict[int, str] = {}
        self._parameters: dict[int, Tensor] = {}  # of the modules that are being called, by array
        self._calls: dict[tuple[str, str], int] = {}
        self._ops_in_step = 0

    # ---- modules -------------------------------------------------------------------------------

    def enter(self, module: Any) -> None:
        """A module was called: what happens until `leave` is in its box."""
        if not self._stack:
            self._paths = {id(inner): path for path, inner in module.named_modules()}
            self._parameters = {id(each.array): each for each in module.parameters()}
        path, kind = self._paths.get(id(module), ""), type(module).__name__
        call = self._calls[path, kind] = self._calls.get((path, kind), 0) + 1
        parent = self._stack[-1].id if self._stack else None
        box = Box(f"m{len(self.graph.boxes)}", path, kind, parent, call)
        self.graph.boxes[box.id] = box
        self._stack.append(box)

    def leave(self) -> None:
        """The module called last has returned."""
        self._stack.pop()

    def stand_in(self, boxes: list[Box]) -> None:
        """Say which module calls surround what comes, when nothing calls them: in a replay."""
        self._stack = boxes

    def continue_as(self, other: GrowingGraph, step: int) -> None:
        """Give what comes the ids that `other` gave it in `step`, for a replay of that step."""
        before = [name for name in other.graph.vertices if other.step_of[name] < step]
        self.graph.vertex_offset = len(before)
        self.graph.edge_offset = sum(len(other.into[name]) for name in before)
        self.graph.boxes.update(other.graph.boxes)
        self.step = step

    # ---- steps ---------------------------------------------------------------------------------

    def continues(self, inputs: tuple[Any, ...]) -> bool:
        """Whether an op on `inputs` belongs to the step so far, because it uses a result of it."""
        for given in inputs:
            known = self._find(given)
            if known is not None and (self.graph.vertices[known].kind == "op"):
                return True
            if id(getattr(given, "array", given)) in self._gradients:
                return True
        return False

    def next_step(self) -> None:
        """Begin a training step: leaves get new vertices, for their values have changed."""
        self.step += 1
        self._vertices.clear()
        self._gradients.clear()
        self._calls = {(box.path, box.type): 1 for box in self._stack}
        for box in self._stack:
            box.call = 1
        self._ops_in_step = 0

    # ---- vertices ------------------------------------------------------------------------------

    def add_op(
        self, op: Any, inputs: tuple[Any, ...], settings: dict[str, Any], output: Tensor | None
    ) -> Vertex:
        """A vertex for an op that ran, or failed (then without `output`), and its edges."""
        frame = user_frame()
        given: dict[Slot, Any] = dict(enumerate(inputs))
        given.update(settings)
        values = {slot: value for slot, value in given.items() if is_value(op, slot, value)}
        sources = {slot: self._source(value, op, slot, frame) for slot, value in values.items()}
        self._ops_in_step += 1
        vertex = self._new(
            "op", op.__name__, None if output is None else output.shape,
            dtype="" if output is None else dtype_name(output.dtype), number=self._ops_in_step,
            box=self._stack[-1].id if self._stack else None,
            wants_grad=output is not None and output.node is not None,
        )  # fmt: skip
        vertex.settings = ", ".join(
            f"{slot}={value!r:.60}" if isinstance(slot, str) else f"{value!r:.60}"
            for slot, value in given.items()
            if slot not in values
        )
        node = None if output is None else output.node
        for slot, source in sources.items():
            self._connect(source, vertex, slot, op, values[slot], node)
        self.ops[vertex.id] = op
        self.inputs[vertex.id], self.settings[vertex.id] = inputs, settings
        self.places[vertex.id] = place_of(frame)
        if output is not None:
            vertex.subject = output.node or output
            self._know(vertex.id, output, output.array, output.node)
        if node is not None:
            self.rules[vertex.id], self.saved[vertex.id] = node.rules, node.saved
        return vertex

    def vertex_of(self, subject: Node | Tensor) -> str:
        """The vertex of a node or leaf; one from before the recording comes with its ancestors."""
        if id(subject) not in self._vertices:
            for each in ancestors_first(subject):
                if id(each) not in self._vertices:
                    self._adopt(each)
        return self._vertices[id(subject)]

    def know_gradient(self, leaf: Tensor) -> None:
        """Recognize the leaf's gradient when the user's own update uses it."""
        if leaf.grad is not None:
            self._gradients[id(leaf.grad.array)] = self._vertices[id(leaf)]
            self._alive.append(leaf.grad.array)

    def _adopt(self, subject: Node | Tensor) -> None:
        if isinstance(subject, Tensor):
            self._leaf(subject, subject.name or leaf_kind(subject))
            return
        self._ops_in_step += 1
        vertex = self._new(
            "op", subject.name, subject.shape, dtype=dtype_name(subject.dtype),
            number=self._ops_in_step, wants_grad=True,
        )  # fmt: skip
        vertex.subject = subject
        self.ops[vertex.id] = subject.op
        self.places[vertex.id] = Place(subject.code.co_filename, subject.line, subject.code.co_name)
        self._know(vertex.id, subject)
        for slot, parent in enumerate(subject.parents):
            if parent is not None:
                name = input_name(subject.op, slot)
                self._edge(self._vertices[id(parent)], vertex.id, slot, input=name, wants_grad=True)

    def _new(self, kind: str, label: str, shape: Any, **known: Any) -> Vertex:
        vertex = Vertex(self.graph.next_vertex(), kind, label, shape, **known)
        self.graph.vertices[vertex.id] = vertex
        self.into[vertex.id], self.out_of[vertex.id] = [], []
        self.step_of[vertex.id] = self.step
        return vertex

    def _know(self, vertex: str, *objects: Any) -> None:
        for each in objects:
            if each is not None:
                self._vertices[id(each)] = vertex
                self._alive.append(each)

    def _find(self, given: Any) -> str | None:
        """The vertex of a value: by its node, itself, or the array that a detached one shares."""
        if isinstance(given, Tensor):
            if given.node is not None:
                return self._vertices.get(id(given.node))
            return self._vertices.get(id(given)) or self._vertices.get(id(given.array))
        return self._vertices.get(id(given)) if isinstance(given, np.ndarray) else None

    def _source(self, given: Any, op: Any, slot: Slot, frame: Any) -> str:
        """The vertex that a value comes from; a leaf is added, under its name in the code."""
        found = self._find(given)
        if found is None and isinstance(given, Tensor) and given.node is not None:
            found = self.vertex_of(given.node)
        if found is not None:
            vertex = self.graph.vertices[found]
            if vertex.kind == "op" and vertex.name is None:
                vertex.name = variable_name(frame, given)
            return found
        owner = self._parameters.get(id(getattr(given, "array", given)))
        if owner is not None and owner is not given:  # a detached parameter, before the real one
            return self._leaf(owner, owner.name or leaf_kind(owner))
        if isinstance(given, Tensor | np.ndarray) and given.ndim:
            gradient_of = self._gradients.get(id(getattr(given, "array", given)))
            if gradient_of is not None:
                return self._leaf(given, f"{self.graph.vertices[gradient_of].label}.grad")
            own = getattr(given, "name", None)
            return self._leaf(given, own or variable_name(frame, given) or input_name(op, slot))
        if isinstance(given, Tensor):
            own = given.name or variable_name(frame, given)
            return self._leaf(given, own or f"{given.array.item():.4g}")
        vertex = self._new("constant", f"{given:.4g}", (), dtype=type(given).__name__)
        vertex.subject = given
        return vertex.id

    def _leaf(self, given: Any, label: str) -> str:
        tensor = given if isinstance(given, Tensor) else None
        wants_grad = tensor is not None and tensor.requires_grad
        kind = leaf_kind(tensor) if tensor is not None else "input"
        vertex = self._new(
            kind, label, given.shape, dtype=dtype_name(given.dtype), name=label,
            wants_grad=wants_grad,
        )  # fmt: skip
        vertex.subject = given
        self._know(vertex.id, given, None if tensor is None else tensor.array)
        return vertex.id

    # ---- edges ---------------------------------------------------------------------------------

    def _connect(
        self, source: str, target: Vertex, slot: Slot, op: Any, given: Any, node: Node | None
    ) -> None:
        before = self.graph.vertices[source]
        flows = node is not None and has_parent(node, slot)
        cut = before.wants_grad and not getattr(given, "requires_grad", False)
        edge = self._edge(
            source, target.id, slot, input=input_name(op, slot), wants_grad=flows, detached=cut
        )
        repeats = op.__name__ in BROADCASTING and target.shape is not None
        if repeats and before.shape != target.shape and before.kind != "constant":
            edge.broadcast = target.shape

    def _edge(self, source: str, target: str, slot: Slot, **known: Any) -> Edge:
        edge = self.graph.add_edge(source, target, slot, **known)
        self.into[target].append(edge)
        self.out_of[source].append(edge)
        return edge


BROADCASTING = {"add", "sub", "mul", "div", "pow", "maximum", "minimum", "where", "expand"}


def has_parent(node: Node, slot: Slot) -> bool:
    """Whether a gradient goes back through this input."""
    return isinstance(slot, int) and slot < len(node.parents) and node.parents[slot] is not None


def is_value(op: Any, slot: Slot, given: Any) -> bool:
    """Whether an input is a value of the graph, and not a setting such as `dim`."""
    if isinstance(given, Tensor | np.ndarray):
        return True
    if isinstance(given, bool) or not isinstance(given, int | float) or isinstance(slot, str):
        return False
    return slot in array_slots(op)


@lru_cache(maxsize=4096)
def array_slots(op: Any) -> range:
    """Which of the op's positional parameters are arrays."""
    parameters = list(inspect.signature(op).parameters.values())
    count = sum(is_array(each) for each in parameters)
    starred = any(each.kind is each.VAR_POSITIONAL and is_array(each) for each in parameters)
    return range(sys.maxsize if starred else count)
