"""The computation graph as plain data: vertices, edges, and the boxes of the modules around them.

A vertex is one op that ran, or a leaf: a parameter, an input without gradient, a constant. The
graph comes from a result, by walking its nodes back (`graph_of`), or from a recording, which also
knows what needs no gradient and which module each op ran in. Leans on minitorch's graph.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from minitorch.graph import Node
from minitorch.module import Buffer, Parameter
from minitorch.tensor import Tensor

Slot = int | str


@dataclass(slots=True, eq=False)
class Vertex:
    """An op that ran, or a leaf. `subject` is the live Node or Tensor that it stands for."""

    id: str
    kind: str  # "op", "parameter", "input", "constant"
    label: str  # the op's name, or the leaf's
    shape: tuple[int, ...] | None
    dtype: str = ""
    number: int = 0  # ops are counted in the order in which they ran; leaves have 0
    name: str | None = None
    box: str | None = None  # the module call that it ran in
    wants_grad: bool = False
    settings: str = ""
    subject: Any = None
    value: float | None = None  # of a single number, where it is known
    gradient: str | None = None  # a line for pictures that show gradients in words

    @property
    def size(self) -> str:
        """The shape in the form of every picture."""
        if self.value is not None:
            return f"{self.value:.4g}"
        return "" if self.shape is None else size_text(self.shape)

    @property
    def title(self) -> str:
        """How a sentence calls it: `tanh #3`, `fc1.weight`."""
        return f"{self.label} #{self.number}" if self.kind == "op" else self.label


@dataclass(slots=True, eq=False)
class Edge:
    """A value on its way from the vertex that made it to one that uses it."""

    id: str
    source: str
    target: str
    slot: Slot  # its place among the inputs, or the name it was given by
    input: str  # what the target's source code calls it
    wants_grad: bool
    detached: bool = False  # the source could give a gradient a way, but the path was cut here
    broadcast: tuple[int, ...] | None = None  # the shape that the input was repeated to


@dataclass(slots=True, eq=False)
class Box:
    """One call of a module."""

    id: str
    path: str
    type: str
    parent: str | None
    call: int = 1

    @property
    def kind(self) -> str:
        """The type, and which call it is when there are several."""
        return f"{self.type} ({self.call})" if self.call > 1 else self.type

    @property
    def label(self) -> str:
        """Path and type."""
        return f"{self.path} · {self.kind}" if self.path else self.kind


@dataclass(slots=True, eq=False)
class Graph:
    """All vertices and edges in the order in which they came to be, and the module calls."""

    vertices: dict[str, Vertex] = field(default_factory=dict)
    edges: dict[str, Edge] = field(default_factory=dict)
    boxes: dict[str, Box] = field(default_factory=dict)
    vertex_offset: int = 0  # where ids begin to count
    edge_offset: int = 0

    def next_vertex(self) -> str:
        """The next free id."""
        return f"n{self.vertex_offset + len(self.vertices)}"

    def add_edge(self, source: str, target: str, slot: Slot, **known: Any) -> Edge:
        """Draw an edge, with the next free id."""
        edge = Edge(f"e{self.edge_offset + len(self.edges)}", source, target, slot, **known)
        self.edges[edge.id] = edge
        return edge

    def into(self) -> dict[str, list[Edge]]:
        """The edges that lead into each vertex, in the order of its inputs."""
        found: dict[str, list[Edge]] = {name: [] for name in self.vertices}
        for edge in self.edges.values():
            found[edge.target].append(edge)
        return found

    def out_of(self) -> dict[str, list[Edge]]:
        """The edges that lead out of each vertex, one per consumer."""
        found: dict[str, list[Edge]] = {name: [] for name in self.vertices}
        for edge in self.edges.values():
            found[edge.source].append(edge)
        return found

    def box_path(self, box: str | None) -> list[str]:
        """A box and those around it, outermost first."""
        path: list[str] = []
        while box is not None:
            path.append(box)
            box = self.boxes[box].parent
        return path[::-1]


def size_text(shape: tuple[int, ...]) -> str:
    """A shape as in the pictures: `32×16`, `scalar`."""
    return "×".join(str(size) for size in shape) if shape else "scalar"


@lru_cache(maxsize=4096)
def input_names(op: Callable[..., Any]) -> tuple[str, ...]:
    """What the op's own source calls its positional inputs; a starred one ends the list."""
    try:
        entries = inspect.signature(op).parameters.values()
    except (TypeError, ValueError):
        return ()
    return tuple(
        f"*{entry.name}" if entry.kind is entry.VAR_POSITIONAL else entry.name
        for entry in entries
        if entry.kind is not entry.KEYWORD_ONLY
    )


def input_name(op: Callable[..., Any], slot: Slot) -> str:
    """The name of one input; those of a starred parameter are numbered."""
    if isinstance(slot, str):
        return slot
    names = input_names(op)
    if names and names[-1].startswith("*") and slot >= len(names) - 1:
        return f"{names[-1][1:]}[{slot - len(names) + 1}]"
    return names[slot] if slot < len(names) else f"input {slot}"


def leaf_kind(tensor: Tensor) -> str:
    """Whether a leaf is trained, is a module's own state, or only goes in."""
    if tensor.wants_grad or isinstance(tensor, Parameter):
        return "parameter"
    return "constant" if isinstance(tensor, Buffer) else "input"


def ancestors_first(root: Node | Tensor) -> Iterator[Node | Tensor]:
    """Every node and leaf that a gradient from `root` can reach, inputs before their users."""
    seen = {id(root)}
    stack: list[tuple[Any, Iterator[Any]]] = [(root, iter(root.parents))]
    while stack:
        node, parents = stack[-1]
        parent = next((each for each in parents if each is not None and id(each) not in seen), None)
        if parent is None:
            stack.pop()
            yield node
        else:
            seen.add(id(parent))
            stack.append((parent, iter(parent.parents)))


def graph_of(result: Tensor) -> Graph:
    """The graph that `result` holds; of inputs without gradient, those that backward keeps."""
    graph = Graph()
    names: dict[int, str] = {}
    ops = 0
    for number, subject in enumerate(ancestors_first(result.node or result)):
        vertex_id = names[id(subject)] = f"n{number}"
        if isinstance(subject, Tensor):
            label = subject.name or "input"
            graph.vertices[vertex_id] = Vertex(
                vertex_id, leaf_kind(subject), label, subject.shape, str(subject.dtype),
                name=subject.name, wants_grad=subject.requires_grad, subject=subject,
                value=single(subject.array), gradient=gradient_text(subject),
            )  # fmt: skip
            continue
        ops += 1
        graph.vertices[vertex_id] = Vertex(
            vertex_id, "op", subject.name, subject.shape, str(subject.dtype), ops,
            wants_grad=True, subject=subject,
        )  # fmt: skip
        saved = subject.saved if subject.rules is not None else {}
        for slot, parent in enumerate(subject.parents):
            name = input_name(subject.op, slot)
            if parent is not None:
                graph.add_edge(names[id(parent)], vertex_id, slot, input=name, wants_grad=True)
            elif name in saved and saved[name] is not None:
                leaf = plain_leaf(f"{vertex_id}_{slot}", saved[name], name)
                graph.vertices[leaf.id] = leaf
                graph.add_edge(leaf.id, vertex_id, slot, input=name, wants_grad=False)
            elif slot == 0 and not any(isinstance(each, Node) for each in subject.parents):
                # An input goes in here, of which no trace is left but its place.
                leaf = Vertex(f"{vertex_id}_{slot}", "input", name, None, name=name)
                graph.vertices[leaf.id] = leaf
                graph.add_edge(leaf.id, vertex_id, slot, input=name, wants_grad=False)
    return graph


def single(array: Any) -> float | None:
    """The only element of an array, or None when there are more."""
    return float(array) if np.ndim(array) == 0 else None


def gradient_text(leaf: Tensor) -> str | None:
    """The gradient in a few signs; "not yet" before a backward, None where none is wanted."""
    if not leaf.requires_grad:
        return None
    if leaf.grad is None:
        return "grad not yet"
    if leaf.grad.array.ndim == 0:
        return f"grad {leaf.grad.array.item():.4g}"
    return f"grad ±{np.abs(leaf.grad.array).max(initial=0):.2g}"


def plain_leaf(vertex_id: str, value: Any, name: str) -> Vertex:
    """A vertex for an array or number that no gradient goes to; single numbers show their value."""
    array = np.asarray(value)
    kind = "constant" if array.ndim == 0 else "input"
    label = f"{array.item():.4g}" if kind == "constant" and array.dtype.kind in "fiub" else name
    return Vertex(vertex_id, kind, label, array.shape, str(array.dtype), name=name, subject=value)
