"""The answers to a page's messages: one function per type of message.

Leans on what a `Debugger` offers; the names and forms are the contract with the page.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from viz.arrays import Summary, array_record, plain
from viz.records import layout_record
from viz.replay import numeric_gradient, replayed

if TYPE_CHECKING:
    from viz.debugger import Debugger

Answer = dict[str, Any]
MOST_ROWS = 40  # rows and columns of exact numbers sent at once
WORDS_OF = {"matrix": "matrix", "row": "from row", "column": "from column"}


def layout(debugger: Debugger, message: dict[str, Any]) -> Answer:
    """The picture with other modules open."""
    geometry = debugger.view.layout(list(message["open"]))
    return {"type": "layout", "layout": layout_record(geometry)}


def inspect(debugger: Debugger, message: dict[str, Any]) -> Answer:
    """One moment looked into, with the arrays that it names."""
    position = int(message["moment"])
    found = debugger.view.inspect(position)
    known = debugger.recording.arrays.summaries
    arrays = {name: array_record(known[name]) for name in debugger.view.array_names(found)}
    return plain({"type": "inspection", "moment": position, "inspection": found, "arrays": arrays})


def values(debugger: Debugger, message: dict[str, Any]) -> Answer:
    """Exact numbers: of a large array one matrix, and of that a part of a readable size."""
    name = str(message["array"])
    array = debugger.recording.arrays.values(name)
    if array is None:
        raise ValueError("only the summary of this array was kept.")
    matrices, table = array.shape[:-2], np.atleast_2d(array)
    count, (high, wide) = int(np.prod(matrices)), table.shape[-2:]
    limits = {"matrix": count - 1, "row": high - MOST_ROWS, "column": wide - MOST_ROWS}
    start = {key: max(0, min(int(message.get(key, 0)), last)) for key, last in limits.items()}
    at = [int(k) for k in np.unravel_index(start["matrix"], matrices)] if count else []
    row, column = start["row"], start["column"]
    cut = table[tuple(at)][row : row + MOST_ROWS, column : column + MOST_ROWS]
    places = [
        {"name": key, "words": WORDS_OF[key], "last": last}
        for key, last in limits.items()
        if last > 0
    ]
    shown = cut[0] if array.ndim == 1 else cut if array.ndim else cut[0, 0]
    note = f"{' × '.join(map(str, cut.shape))} of them shown" if cut.size < array.size else None
    return {
        "type": "values", "array": name, "values": plain(shown.tolist()), "note": note,
        "places": places, "at": at, "from": [row, column],
    }  # fmt: skip


def numeric(debugger: Debugger, message: dict[str, Any]) -> Answer:
    """The rule of an edge beside the difference quotient."""
    check = numeric_gradient(debugger.recording, str(message["edge"]))
    mark = "✓" if check.agrees else "✗"
    text = (
        f"check at {list(check.index)}: rule {check.rule:+.6g}, numeric {check.numeric:+.6g}, "
        f"{mark} differ by {check.difference:.1g}"
    )
    return plain({
        "type": "numeric", "edge": message["edge"], "index": check.index, "rule": check.rule,
        "numeric": check.numeric, "difference": check.difference, "ok": check.agrees,
        "text": text,
    })  # fmt: skip


def add_break(debugger: Debugger, message: dict[str, Any]) -> Answer:
    """A new breakpoint. A predicate is Python, so none comes from a page."""
    kind = str(message["kind"])
    if kind == "predicate":
        raise ValueError("a predicate is set in Python: debugger.break_on('predicate', function).")
    debugger.controller.break_on(kind, message.get("value"))
    return breakpoints(debugger)


def remove_break(debugger: Debugger, message: dict[str, Any]) -> Answer:
    """A breakpoint less."""
    del debugger.controller.breakpoints[message["breakpoint"]]
    return breakpoints(debugger)


def toggle_break(debugger: Debugger, message: dict[str, Any]) -> Answer:
    """A breakpoint switched off or on."""
    found = debugger.controller.breakpoints[message["breakpoint"]]
    found.enabled = not found.enabled
    return breakpoints(debugger)


def breakpoints(debugger: Debugger) -> Answer:
    """All breakpoints with their moments."""
    return {"type": "breakpoints", "breakpoints": debugger.breakpoint_records()}


def what_if(debugger: Debugger, message: dict[str, Any]) -> Answer:
    """One number of a leaf changed, and forward and backward run again."""
    if message.get("reset"):
        debugger.changed_leaves.clear()
        debugger.look_at(debugger.original, debugger.view.step)
        return {"type": "payload", "payload": debugger.payload()}
    name = str(message["node"])
    recording = debugger.recording
    before = recording.arrays.values(f"{name}.value")
    if before is None or recording.graph.vertices[name].kind not in ("parameter", "input"):
        raise ValueError("only the values of a parameter or an input can be changed here.")
    changed = np.array(debugger.changed_leaves.get(name, before))
    index = np.atleast_1d(message["index"]).tolist() if changed.ndim else []
    if len(index) != changed.ndim:
        raise ValueError(
            f"{recording.graph.vertices[name].title} of shape {changed.shape} needs {changed.ndim} "
            f"numbers to say which element, not {len(index)}."
        )
    changed[tuple(index)] = float(message["value"])
    debugger.changed_leaves[name] = changed
    step = debugger.view.step
    debugger.look_at(replayed(debugger.original, step, debugger.changed_leaves), step)
    data = debugger.payload()
    data["notes"].append(
        "What if: values were changed by hand; the optimizer's update is not shown."
    )
    return {"type": "payload", "payload": data}


def predict(debugger: Debugger, message: dict[str, Any]) -> Answer:
    """A guess of an array against the true one."""
    right = debugger.recording.arrays.values(str(message["array"]))
    if right is None:
        raise ValueError("there is nothing to compare with: the values were not kept.")
    guess = message["guess"]
    if isinstance(guess, str):
        try:
            guess = json.loads(guess)
        except json.JSONDecodeError:
            raise ValueError("write a number, or an array like [[1, 2], [3, 4]].") from None
    guessed = np.asarray(guess, np.float64)
    if guessed.shape != right.shape and guessed.size == 1 == right.size:
        guessed = guessed.reshape(right.shape)
    if guessed.shape != right.shape:
        text = f"The shape is {list(right.shape)}, your answer has {list(guessed.shape)}."
        return prediction(False, text, None, right)
    apart = guessed - right
    ok = bool(np.allclose(guessed, right, rtol=1e-2, atol=1e-4))
    worst = float(np.abs(apart).max(initial=0))
    text = "Right." if ok else f"Not yet: off by up to {worst:.3g}."
    if not ok and np.allclose(guessed, -right, rtol=1e-2, atol=1e-4):
        text = "Not yet: the size is right, the sign is not."
    return prediction(ok, text, apart, right)


def prediction(ok: bool, text: str, apart: Any, right: Any) -> Answer:
    """How a guess went."""
    difference = None if apart is None else seen(apart)
    return plain({
        "type": "prediction", "ok": ok, "text": text, "difference": difference,
        "right": seen(right),
    })  # fmt: skip


def seen(array: Any) -> dict[str, Any]:
    """An array that is in no recording, as data."""
    return array_record(Summary(array, array))


def who(debugger: Debugger, message: dict[str, Any]) -> Answer:
    """The moments that made a value, or added to a gradient."""
    place = debugger.view.place
    array = str(message["array"])
    found = [place[k] for k in debugger.controller.writers(array) if k in place]
    many = f"{len(found)} backward steps added to it" if len(found) != 1 else "one step wrote it"
    text = many if found else "nothing recorded wrote it"
    return {"type": "who", "array": array, "moments": found, "text": text}


def other_step(debugger: Debugger, message: dict[str, Any]) -> Answer:
    """Another recorded training step."""
    index = int(message["index"])
    if not 0 <= index < debugger.original.steps:
        raise ValueError(f"there are {debugger.original.steps} recorded steps.")
    debugger.changed_leaves.clear()
    debugger.look_at(debugger.original, index)
    return {"type": "payload", "payload": debugger.payload()}


def window(debugger: Debugger, message: dict[str, Any]) -> Answer:
    """Other ops of a long step: those around the op of this number, counted from 0."""
    ops = debugger.view.ops
    number = max(0, min(int(message["op"]), len(ops) - 1))
    moments = enumerate(debugger.recording.moments)
    debugger.controller.to(next(k for k, each in moments if each.vertex == ops[number]))
    debugger.show_position(tell=False)
    return {"type": "payload", "payload": debugger.payload()}


def move(debugger: Debugger, message: dict[str, Any]) -> Answer:
    """A move of the controller."""
    reason = debugger.command(str(message["command"]))
    return {"type": "moved", "moment": debugger.position, "reason": reason}


def watch(debugger: Debugger, message: dict[str, Any]) -> Answer:
    """A number to follow."""
    debugger.controller.watch(str(message["what"]), str(message.get("quantity", "norm")))
    return plain({"type": "watches", "watches": debugger.watch_records()})


ANSWERS: dict[Any, Callable[[Any, dict[str, Any]], Answer]] = {
    "layout": layout,
    "inspect": inspect,
    "values": values,
    "numeric": numeric,
    "break": add_break,
    "unbreak": remove_break,
    "toggle": toggle_break,
    "whatif": what_if,
    "predict": predict,
    "who": who,
    "step": other_step,
    "window": window,
    "move": move,
    "watch": watch,
}
