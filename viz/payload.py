"""A recorded training step as one JSON-ready object: all that a page needs to step through it.

Heavy parts (the inspections) are inside when there are few moments, else asked for one at a time.
Numbers that JSON does not know are words; what was not computed is null. Leans on recording,
inspection and layout.
"""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from typing import Any

from viz.arrays import Summary, array_record, plain
from viz.fold import Folding
from viz.geometry import Layout
from viz.graph import Vertex, size_text
from viz.inspection import inspect_moment
from viz.layout import lay_out
from viz.recording import Recording
from viz.records import bytes_text, layout_record, op_record, source_record
from viz.sources import Place
from viz.troubles import known_flags, moment_flags, troubles_of
from viz.words import sentence

FORMAT = 1
FEW = 80  # moments whose inspections are sent at once
WINDOW = 1000  # ops of a step shown at once


class Payload:
    """Builds the data of one step of a recording; `step` counts from 0.

    Of a step with more than `WINDOW` ops it is those around the moment `around`, with their
    moments: a page can hold no more, and nobody could read it.
    """

    def __init__(self, recording: Recording, step: int = 0, around: int | None = None) -> None:
        self.recording = recording
        self.step = step
        self.graph = recording.graph
        of = recording.growing.step_of
        every = [name for name in self.graph.vertices if of[name] == step]
        self.ops = [name for name in every if self.graph.vertices[name].kind == "op"]
        self.window = self._window(around)
        self.shown = set(every)
        if len(self.ops) > WINDOW:
            self.shown = self._with_leaves(self.ops[self.window.start : self.window.stop])
        shown = self.shown
        self.vertices = [name for name in every if name in shown]
        edges = self.graph.edges.values()
        self.edges = [each for each in edges if each.target in shown and each.source in shown]
        moments = enumerate(recording.moments)
        self.indices = [k for k, each in moments if each.step == step and each.vertex in shown]
        self.place = {index: position for position, index in enumerate(self.indices)}
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

    def _window(self, around: int | None) -> range:
        """Which of the step's ops are shown, counted from 0."""
        middle = 0
        if around is not None and len(self.ops) > WINDOW:
            number = {name: k for k, name in enumerate(self.ops)}
            edges = self.recording.growing.out_of[self.recording.moments[around].vertex]
            names = [self.recording.moments[around].vertex, *(edge.target for edge in edges)]
            middle = next((number[name] for name in names if name in number), 0)
        first = max(0, min(middle - WINDOW // 2, len(self.ops) - WINDOW))
        return range(first, min(first + WINDOW, len(self.ops)))

    def _with_leaves(self, ops: list[str]) -> set[str]:
        """Ops, and the leaves that they use."""
        into = self.recording.growing.into
        sources = {edge.source for name in ops for edge in into[name]}
        leaves = (name for name in sources if self.graph.vertices[name].kind != "op")
        return {*ops, *leaves}

    def position_of(self, index: int) -> int:
        """The position of a moment of the recording, or of the nearest before it that is shown."""
        return self.place.get(index, max(0, bisect(self.indices, index) - 1))

    def build(self, everything: bool = False) -> dict[str, Any]:
        """The whole object; with `everything`, all inspections and the layouts of all foldings."""
        few = everything or len(self.indices) <= FEW
        inspections = {str(k): self.inspect(k) for k in range(len(self.indices))} if few else {}
        nodes = [self.node(self.graph.vertices[name]) for name in self.vertices]
        moments = [self.moment(position) for position in range(len(self.indices))]
        update = self.recording.update_places.get(self.step)
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
            "update_source": None if update is None else self.source(update),
            "sources": [source_record(place) for place in self._sources],
            "ops": {op.__name__: op_record(op) for op in ops},
            "inspections": inspections,
            "layout": layout_record(self.layout(None)),
            "parameter_bytes": sum(
                known[f"{name}.value"].bytes
                for name in self.vertices
                if self.graph.vertices[name].kind == "parameter" and f"{name}.value" in known
            ),
            "window": self.window_record(),
            "breakpoints": [],
            "watches": [],
            "start": 0,
            "error": None,
            "notes": self.notes(),
            "troubles": troubles_of(self),
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
        if len(self.ops) > WINDOW:
            notes.append(
                f"This step has {len(self.ops):,} ops; ops {self.window.start + 1:,} to "
                f"{self.window.stop:,} are shown, with their moments. Commands such as "
                'debugger.command("until nan") look through all of them.'
            )
        if self.recording.was_left:
            steps = "step was" if self.recording.steps == 1 else "steps were"
            notes.append(
                f"{self.recording.steps:,} training {steps} recorded, then the code was left: "
                f"viz.debug(..., steps={self.recording.steps + 1:,}) goes on."
            )
        if dropped:
            notes.append(
                f"To save memory, the numbers of {dropped} arrays were not kept, only what "
                "describes them (least, largest, mean, ...): more `budget` keeps more."
            )
        return notes

    def window_record(self) -> dict[str, int] | None:
        """Which ops of a long step are shown, and how many there are; None when it is all."""
        if len(self.ops) <= WINDOW:
            return None
        return {"first": self.window.start, "end": self.window.stop, "ops": len(self.ops)}

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
        flags, gradient_flags = known_flags(vertex, self.recording)
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
            "flags": flags, "gradient_flags": gradient_flags,
            "norm": value.norm if value else None,
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
                "same_as": self.same_as(vertex, summary), "text": text, "bytes": size,
            })  # fmt: skip
        return found

    def same_as(self, vertex: Vertex, kept: Summary | None) -> str | None:
        """The value that a saved array is, where it is the op's result or one of its inputs."""
        known = self.recording.arrays.summaries
        names = [vertex.id, *(edge.source for edge in self.recording.growing.into[vertex.id])]
        same = (f"{name}.value" for name in names if known.get(f"{name}.value") is kept)
        return next(same, None) if kept is not None else None

    def edge(self, edge: Any) -> dict[str, Any]:
        """One edge."""
        sent = self.recording.sent_at.get(edge.id)
        summary = self.recording.arrays.summaries.get(f"{edge.id}.grad")
        source = self.graph.vertices[edge.source]
        wide = edge.broadcast
        return {
            "id": edge.id, "from": edge.source, "to": edge.target, "slot": edge.slot,
            "input": edge.input, "wants_grad": edge.wants_grad, "detached": edge.detached,
            "sent_at": self.place.get(sent) if sent is not None else None,
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
            "flags": moment_flags(self.recording, index), "memory": moment.kept + moment.gradients,
            "kept": moment.kept, "gradients": moment.gradients,
        }  # fmt: skip

    # ---- layouts -------------------------------------------------------------------------------

    def layout(self, opened: list[str] | None) -> Layout:
        """The geometry with these modules open; None opens as many as stay readable."""
        return lay_out(self.folding.scene(opened), self.folding.captions())

    def all_layouts(self) -> dict[str, Any]:
        """Layouts for an export: all folded, each module opened alone, all open."""
        wanted: dict[str, list[str]] = {"": [], "*": list(self.folding.drawn)}
        wanted.update({box: [box] for box in self.folding.drawn})
        return {name: layout_record(self.layout(opened)) for name, opened in wanted.items()}
