"""The debugger without a face: what a page asks, answered; what Python sets, told to the page.

`Debugger` holds a recording, a controller and the view of one training step. A widget forwards
its messages to `handle` and shows what `on_change` callbacks are told; everything works, and is
tested, without one. Leans on controller, payload, replay and answers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from minitorch.graph import Node
from minitorch.tensor import Tensor
from viz.answers import ANSWERS
from viz.controller import Controller
from viz.payload import Payload
from viz.postmortem import error_record
from viz.recording import Recording
from viz.words import sentence

Changed = Callable[[str, Any], None]


def result_of(recording: Recording, step: int) -> float:
    """The single number that a step's forward ended with, or nan."""
    ran = [m for m in recording.moments if m.step == step and m.act == "op"]
    value = recording.arrays.values(ran[-1].array or "") if ran else None
    return float(value.sum()) if value is not None and value.size == 1 else float("nan")


class Debugger:
    """Steps through a recording.

    Attributes
    ----------
    recording : what is looked at
    controller : moves, breakpoints, watches; positions count over all recorded steps
    """

    def __init__(self, recording: Recording, step: int = 0) -> None:
        self.recording = recording
        self.controller = Controller(recording)
        self.lock = threading.RLock()
        self.live: dict[str, Any] | None = None
        self.changed_leaves: dict[str, np.ndarray] = {}
        self.widget: Any = None  # made when first shown, the same for every view
        self._listeners: list[Changed] = []
        self._selected: str | None = None
        self.original = recording
        self.view = Payload(recording, step)
        if recording.error is not None and recording.moments:
            self.controller.to(self.controller.last)
            self.view = Payload(recording, recording.moments[-1].step, self.controller.position)
        elif self.view.indices:
            self.controller.to(self.view.indices[0])

    # ---- what a page needs ---------------------------------------------------------------------

    def payload(self, everything: bool = False) -> dict[str, Any]:
        """The shown step as data; with `everything`, for a page that has no kernel to ask."""
        with self.lock:
            data = self.view.build(everything)
            data["start"] = self.position
            data["error"] = error_record(self.recording, self.position)
            data["breakpoints"] = self.breakpoint_records()
            data["watches"] = self.watch_records()
            if self.live is not None:
                data["live"] = self.live
            return data

    def handle(self, message: dict[str, Any]) -> dict[str, Any]:
        """Answer a page's message. What goes wrong becomes an answer of type "error"."""
        with self.lock:
            kind = message.get("type")
            try:
                if kind not in ANSWERS:
                    raise ValueError(f"no message of type {kind!r}.")
                answer = ANSWERS[kind](self, message)
            except (ValueError, KeyError, IndexError, TypeError, RuntimeError) as error:
                answer = {"type": "error", "message": f"{error}"}
            if "id" in message:
                answer["id"] = message["id"]
            return answer

    def breakpoint_records(self) -> list[dict[str, Any]]:
        """The breakpoints with the moments of this step at which they stop."""
        place = self.view.place
        return [
            {
                "id": each.id,
                "text": each.text,
                "enabled": each.enabled,
                "moments": [place[k] for k in self.controller.hits(each) if k in place],
            }
            for each in self.controller.breakpoints.values()
        ]

    def watch_records(self) -> list[dict[str, Any]]:
        """The watches with their history in this step."""
        place = self.view.place
        return [
            {
                "text": each.text,
                "history": [
                    [place[k], number] for k, number in each.history(self.recording) if k in place
                ],
            }
            for each in self.controller.watches
        ]

    # ---- what Python does ----------------------------------------------------------------------

    def on_change(self, callback: Changed) -> None:
        """Call `callback(what, value)` when Python moves, selects, or has new data."""
        self._listeners.append(callback)

    def tell(self, what: str, value: Any) -> None:
        """Let the page know."""
        for callback in list(self._listeners):
            callback(what, value)

    @property
    def position(self) -> int:
        """The moment in the shown step, from 0."""
        return self.view.position_of(self.controller.position)

    @position.setter
    def position(self, position: int) -> None:
        self.move_to(position)
        self.tell("position", self.position)

    def move_to(self, position: int) -> None:
        """Follow the page to a moment of the shown step, without telling it back."""
        if self.view.indices:
            position = max(0, min(position, len(self.view.indices) - 1))
            self.controller.to(self.view.indices[position])

    def show_position(self, tell: bool = True) -> None:
        """After a move of the controller: show the step that it led to, and the moment."""
        moment = self.controller.moment
        if moment is not None and self.controller.position not in self.view.place:
            self.view = Payload(self.recording, moment.step, self.controller.position)
            if tell:
                self.tell("payload", self.payload())
        if tell:
            self.tell("position", self.position)

    def command(self, line: str) -> str:
        """Move by words: `step`, `back 3`, `over`, `until nan`, `break op tanh`, `continue`, ..."""
        answer = self.controller.command(line)
        self.show_position()
        self.tell("breakpoints", self.breakpoint_records())
        return answer

    def run(self, commands: Iterable[str]) -> list[str]:
        """Several commands, and what each answered."""
        commands = [commands] if isinstance(commands, str) else commands
        return [self.command(line) for line in commands]

    def break_on(self, kind: str, value: Any = None) -> None:
        """Add a breakpoint: see `Controller.break_on`."""
        self.controller.break_on(kind, value)
        self.tell("breakpoints", self.breakpoint_records())

    def watch(self, what: str, quantity: str = "norm") -> list[tuple[int, float]]:
        """Follow a number over time; returns what it has been so far."""
        found = self.controller.watch(what, quantity).history(self.recording)
        self.tell("watches", self.watch_records())
        return found

    def step(self, count: int = 1) -> str:
        """Go on by some moments."""
        return self.command(f"step {count}")

    def back(self, count: int = 1) -> str:
        """Go back by some moments."""
        return self.command(f"back {count}")

    # ---- selection -----------------------------------------------------------------------------

    @property
    def selected(self) -> Node | Tensor | Any:
        """The live Tensor or Node behind what is selected on the page; set it to select there."""
        name = self.selected_id
        return None if name is None else self.recording.graph.vertices[name].subject

    @selected.setter
    def selected(self, wanted: Node | Tensor | str | None) -> None:
        self.select_id(None if wanted is None else self.find(wanted))
        self.tell("selected", self._selected)

    @property
    def selected_id(self) -> str | None:
        """The id of what is selected; without a choice, of what happens now."""
        moment = self.controller.moment
        return self._selected or (moment.vertex if moment else None)

    def select_id(self, name: str | None) -> None:
        """Follow the page's selection."""
        if name is not None and name not in self.recording.graph.vertices:
            raise ValueError(f"selected: there is no node {name!r}.")
        self._selected = name

    def find(self, wanted: Node | Tensor | str) -> str:
        """The id of a vertex given as itself, by id, by name, or as `tanh #3`; the shown step's."""
        step_of = self.recording.growing.step_of
        vertices = reversed(self.recording.graph.vertices.values())
        for vertex in sorted(vertices, key=lambda vertex: step_of[vertex.id] != self.view.step):
            known = [vertex.subject, getattr(vertex.subject, "node", None)]
            node = getattr(wanted, "node", None)
            if any(each is not None and (each is wanted or each is node) for each in known):
                return vertex.id
            if isinstance(wanted, str) and wanted in (vertex.id, vertex.name, vertex.title):
                return vertex.id
        raise ValueError(f"selected: {wanted!r:.80} is not in the recording.")

    @property
    def value(self) -> np.ndarray | None:
        """The selected one's value as it was, or None when it was not kept."""
        return self.recording.arrays.values(f"{self.selected_id}.value")

    @property
    def grad(self) -> np.ndarray | None:
        """The selected one's complete gradient, or None when there is none (yet)."""
        return self.recording.arrays.values(f"{self.selected_id}.grad")

    # ---- questions -----------------------------------------------------------------------------

    def who_wrote(self, wanted: Node | Tensor | str) -> list[str]:
        """The backward steps that added to a gradient, in words."""
        moments = self.controller.writers(f"{self.find(wanted)}.grad")
        return [sentence(self.recording, index) for index in moments]

    def check_rules(self, wanted: Node | Tensor | str) -> list[str]:
        """An op's backward rules beside difference quotients, one line per input."""
        into = self.recording.growing.into[self.find(wanted)]
        edges = [edge for edge in into if edge.id in self.recording.sent_at]
        asked = ({"type": "numeric", "edge": edge.id} for edge in edges)
        answers = [self.handle(message) for message in asked]
        lines = (answer.get("text", answer.get("message")) for answer in answers)
        return [f"{edge.input}: {line}" for edge, line in zip(edges, lines, strict=True)]

    def what_if(self, wanted: Tensor | str, index: tuple[int, ...], value: float) -> str:
        """Change one number of a leaf, and run forward and backward again on the side.

        Answers with the result before and after; `look_at(original)` shows the real run again.
        """
        message = {"type": "whatif", "node": self.find(wanted), "index": index, "value": value}
        before = result_of(self.recording, self.view.step)
        answer = self.handle(message)
        if answer["type"] == "error":
            raise ValueError(f"what_if: {answer['message']}")
        self.tell("payload", answer["payload"])
        after = result_of(self.recording, self.view.step)
        return f"the result was {before:.6g}, now it is {after:.6g}"

    # ---- replacing what is looked at -----------------------------------------------------------

    def look_at(self, recording: Recording, step: int = 0) -> None:
        """Show another recording, keeping breakpoints and watches."""
        kept, watches, position = (
            self.controller.breakpoints,
            self.controller.watches,
            self.position,
        )
        self.recording = recording
        self.controller = Controller(recording)
        self.controller.breakpoints, self.controller.watches = kept, watches
        self.view = Payload(recording, step)
        self._selected = None
        self.move_to(position)

    def __repr__(self) -> str:
        moments = len(self.view.indices)
        at = self.position + 1 if moments else 0
        return f"Debugger({at} of {moments}: {self.controller.where()})"

    def save(self, path: str | Path) -> Path:
        """Write a page that needs no network and no kernel: `debugger.save("step.html")`.

        Ending in .svg, .png or .dot it is a picture of the graph, as `draw_graph` makes it.
        """
        from viz.drawing import draw_graph
        from viz.export import write_page

        if Path(path).suffix in (".svg", ".png", ".dot"):
            return draw_graph(self.recording).save(path)
        return write_page(self, Path(path))

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """The live widget, a picture and stepper for a saved notebook, and words."""
        from viz.widget import mimebundle

        return mimebundle(self)
