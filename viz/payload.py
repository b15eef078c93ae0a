"""A recorded training step as one JSON-ready object: all that a page needs to step through it.

Heavy parts (the inspections) are inside when there are few moments, else asked for one at a time.
Numbers that JSON does not know are words; what was not computed is null. Leans on recording,
inspection and layout.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from viz.arrays import array_record, plain
from viz.fold import Folding
from viz.geometry import Layout
from viz.graph import Vertex, size_text
from viz.inspection import inspect_moment
from viz.layout import lay_out
from viz.recording import Recording
from viz.records import bytes_text, layout_record, op_record, source_record
from viz.sources import Place
from viz.words import repeats_both, sentence

FORMAT = 1
FEW = 80  # moments whose inspections are sent at once
BIG = 1e3  # a gradient norm that catches the eye


class Payload:
    """Builds the data of one step of a recording; `step` counts from 0."""

    def __init__(self, recording: Recording, step: int = 0) -> None:
        self.recording = recording
        self.step = step
        self.graph = recording.graph
        of = recording.growing.step_of
        self.vertices = [name for name in self.graph.vertices if of[name] == step]
        self.edges = [e for e in self.graph.edges.values() if of[e.target] == step]
        self.indices = [k for k, each in enumerate(recording.moments) if each.step == step]
        self.first = self.indices[0] if self.indices else 0
        self.folding = Folding(self.graph, self.vertices)
        self._sources: dict[Place, int] = {}
        self._forward_at: dict[str, int] = {}
        self._backward_at: dict[str, int] = {}
        self._update_at: dict[str, int] = {}
        self._counts: Counter[str] = Counter()
        self._numbers: list[int] = []
        for position, index in enumerate(self.indices):
            moment = recording.moments[index]
            self._counts[moment.phase] += 1
            self._numbers.append(self._counts[moment.phase])
            at = {"forward": self._forward_at, "update": self._update_at}.get(moment.phase)
            if at is not None:
                at[moment.vertex] = position
            elif moment.act == "rule":
                self._backward_at[moment.vertex] = position
            self._backward_at.update(dict.fromkeys(moment.leaves, position))

    def build(self, everything: bool = False) -> dict[str, Any]:
        """The whole object; with `everything`, all inspections and the layouts of all foldings."""
        few = everything or len(self.indices) <= FEW
        inspections = {str(k): self.inspect(k) for k in range(len(self.indices))} if few else {}
        nodes = [self.node(self.graph.vertices[name]) for name in self.vertices]
        moments = [self.moment(position) for position in range(len(self.indices))]
        boxes = {
            box
            for name in self.vertices
            for box in self.graph.box_path(self.graph.vertices[name].box)
        }
        known = self.recording.arrays.summaries
        wanted = self.array_names(nodes, moments, inspections) if few else self.seen_first(nodes)
        ops = {
            self.recording.growing.ops[name]
            for name in self.vertices
            if name in self.recording.growing.ops
        }
        arrays = {name: array_record(known[name]) for name in wanted if name in known}
        record: dict[str, Any] = {
            "format": FORMAT,
            "title": f"step {self.step + 1}",
            "steps": self.recording.steps,
            "step": self.step,
            "nodes": nodes,
            "edges": [self.edge(edge) for edge in self.edges],
            "modules": [self.module(box) for box in self.graph.boxes if box in boxes],
            "moments": moments,
            "sources": [source_record(place) for place in self._sources],
            "ops": {op.__name__: op_record(op) for op in ops},
            "inspections": inspections,
            "layout": layout_record(self.layout(None)),
            "parameter_bytes": sum(
                known[f"{name}.value"].bytes
                for name in self.vertices
                if self.graph.vertices[name].kind == "parameter" and f"{name}.value" in known
            ),
            "breakpoints": [],
            "watches": [],
            "start": 0,
            "error": None,
            "notes": self.notes(),
        }
        if everything:
            record["layouts"] = self.all_layouts()
        return {**plain(record), "arrays": arrays}

    def index(self, position: int) -> int:
        """The recording's number of a moment of this step."""
        return self.indices[position]

    def notes(self) -> list[str]:
        """What the reader should know about what is shown."""
        dropped = self.recording.arrays.dropped
        notes = []
        if dropped:
            notes.append(f"The values of {dropped} arrays were not kept: past the budget.")
        without = self.recording.without_gradient.get(self.step, [])
        if without:
            names = ", ".join(without[:5]) + (" ..." if len(without) > 5 else "")
            notes.append(f"No gradient reached {names}: the optimizer left it as it was.")
        return notes

    # ---- parts ---------------------------------------------------------------------------------

    def inspect(self, position: int) -> dict[str, Any]:
        """One moment looked into, with positions counted in this step."""
        return {**inspect_moment(self.recording, self.index(position)), "moment": position}

    def array_names(self, *records: Any) -> list[str]:
        """Every array id that occurs in the records."""
        found: dict[str, None] = {}

        def look(value: Any) -> None:
            if isinstance(value, dict):
                for each in value.values():
                    look(each)
            elif isinstance(value, list):
                for each in value:
                    look(each)
            elif isinstance(value, str) and value in self.recording.arrays.summaries:
                found[value] = None

        look(list(records))
        for edge in self.edges:
            look([f"{edge.id}.grad"])
        return list(found)

    def seen_first(self, nodes: list[dict[str, Any]]) -> list[str]:
        """The arrays of a large recording that are not left for later: values and gradients."""
        return [name for node in nodes for name in (node["value"], node["grad"]) if name]

    def node(self, vertex: Vertex) -> dict[str, Any]:
        """One vertex."""
        known = self.recording.arrays.summaries
        value, grad = (known.get(f"{vertex.id}.{what}") for what in ("value", "grad"))
        saved = self.saved(vertex)
        place = self.recording.growing.places.get(vertex.id)
        flags = sorted(
            {
                *(value.flags if value else []),
                *(grad.flags if grad else []),
                *(["repeats-both"] if repeats_both(self.recording, vertex.id) else []),
            }
        )
        return {
            "id": vertex.id, "kind": vertex.kind,
            "op": vertex.label if vertex.kind == "op" else None,
            "number": vertex.number, "name": vertex.name, "label": vertex.label,
            "shape": None if vertex.shape is None else list(vertex.shape), "size": vertex.size,
            "dtype": vertex.dtype, "module": vertex.box, "wants_grad": vertex.wants_grad,
            "settings": vertex.settings,
            "forward_at": self._forward_at.get(vertex.id),
            "backward_at": self._backward_at.get(vertex.id),
            "update_at": self._update_at.get(vertex.id),
            "value": f"{vertex.id}.value" if value else None,
            "grad": f"{vertex.id}.grad" if grad else None,
            "saved": saved, "saved_bytes": sum(each["bytes"] for each in saved),
            "source": None if place is None else self.source(place),
            "flags": flags, "norm": value.norm if value else None,
            "grad_norm": grad.norm if grad else None,
        }  # fmt: skip

    def source(self, place: Place) -> int:
        """The number of a place in the code, each listed once."""
        return self._sources.setdefault(place, len(self._sources))

    def saved(self, vertex: Vertex) -> list[dict[str, Any]]:
        """What the op keeps for backward, by the names of its source."""
        found = []
        for name, kept in self.recording.growing.saved.get(vertex.id, {}).items():
            array = f"{vertex.id}.saved.{name}"
            summary = self.recording.arrays.summaries.get(array)
            if summary is None and callable(kept):
                continue
            size = summary.bytes if summary else 0
            if summary is not None:
                text = f"{size_text(summary.shape)} · {summary.dtype} · {bytes_text(size)}"
            else:
                text = f"{kept!r:.60}"
            found.append({
                "name": name, "array": array if summary else None,
                "same_as": self.same_as(vertex, kept), "text": text, "bytes": size,
            })  # fmt: skip
        return found

    def same_as(self, vertex: Vertex, kept: Any) -> str | None:
        """The value that a saved array is, where it is the op's result or one of its inputs."""
        growing = self.recording.growing
        names = [vertex.id, *(edge.source for edge in growing.into[vertex.id])]
        for name in names:
            subject = self.recording.arrays.summaries.get(f"{name}.value")
            if subject is not None and subject.values is kept:
                return f"{name}.value"
        return None

    def edge(self, edge: Any) -> dict[str, Any]:
        """One edge."""
        sent = self.recording.sent_at.get(edge.id)
        summary = self.recording.arrays.summaries.get(f"{edge.id}.grad")
        source = self.graph.vertices[edge.source]
        wide = edge.broadcast
        return {
            "id": edge.id, "from": edge.source, "to": edge.target, "slot": edge.slot,
            "input": edge.input, "wants_grad": edge.wants_grad, "detached": edge.detached,
            "sent_at": None if sent is None else sent - self.first,
            "grad": f"{edge.id}.grad" if summary else None,
            "norm": summary.norm if summary else None,
            "broadcast": {"from": list(source.shape or ()), "to": list(wide)} if wide else None,
        }  # fmt: skip

    def module(self, box: str) -> dict[str, Any]:
        """One module call."""
        here = self.graph.boxes[box]
        inside = list(self.folding.ops_in.get(box, []))
        return {
            "id": box, "path": here.path, "type": here.type, "label": here.label,
            "parent": here.parent, "call": here.call, "nodes": inside,
            "boxed": box in self.folding.drawn,
        }  # fmt: skip

    def moment(self, position: int) -> dict[str, Any]:
        """One moment."""
        index = self.index(position)
        moment = self.recording.moments[index]
        summary = self.recording.arrays.summaries.get(moment.array or "")
        return {
            "phase": moment.phase, "act": moment.act, "node": moment.vertex,
            "number": self._numbers[position], "of": self._counts[moment.phase],
            "text": sentence(self.recording, index),
            "stack": self.graph.box_path(self.graph.vertices[moment.vertex].box),
            "edges": moment.edges, "arrived": moment.arrived, "leaves": moment.leaves,
            "array": moment.array, "norm": summary.norm if summary else None,
            "flags": self.flags(index), "memory": moment.kept + moment.gradients,
            "kept": moment.kept, "gradients": moment.gradients,
        }  # fmt: skip

    def flags(self, index: int) -> list[str]:
        """What is suspicious at a moment."""
        return moment_flags(self.recording, index)

    # ---- layouts -------------------------------------------------------------------------------

    def layout(self, opened: list[str] | None) -> Layout:
        """The geometry with these modules open; None opens as many as stay readable."""
        return lay_out(self.folding.scene(opened), self.graph.labels())

    def all_layouts(self) -> dict[str, Any]:
        """Layouts for an export: all folded, each module opened alone, all open."""
        wanted: dict[str, list[str]] = {"": [], "*": list(self.folding.drawn)}
        wanted.update({box: [box] for box in self.folding.drawn})
        return {name: layout_record(self.layout(opened)) for name, opened in wanted.items()}


def moment_flags(recording: Recording, index: int) -> list[str]:
    """What is suspicious at a moment: non-finite numbers, a gradient of zeros, or a big one."""
    moment = recording.moments[index]
    names = [moment.array, *(f"{edge}.grad" for edge in moment.edges)]
    names = names[:1] if moment.phase != "backward" else names
    found = [recording.arrays.summaries[n] for n in names if n in recording.arrays.summaries]
    flags = {flag for summary in found for flag in summary.flags}
    if moment.phase == "backward":
        if any(summary.norm == 0 for summary in found):
            flags.add("zero-gradient")
        if any(summary.norm > BIG for summary in found):
            flags.add("big")
    if moment.phase == "forward" and repeats_both(recording, moment.vertex):
        flags.add("repeats-both")
    if moment.act == "error":
        flags.add("error")
    return sorted(flags)
