"""What is wrong in a step, in plain sentences, each with the moment and the vertex to look at.

Leans on recording, missed and words; the page shows these as links, and marks each only from the
moment at which it can be known.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from viz.arrays import Summary
from viz.graph import Vertex
from viz.missed import missing_ways
from viz.recording import Recording
from viz.words import Trouble, listed, place_words, repeats_both, sentence

if TYPE_CHECKING:
    from viz.payload import Payload

BIG = 1e3  # a gradient norm that catches the eye


def moment_flags(recording: Recording, index: int) -> list[str]:
    """What is suspicious at a moment: non-finite numbers, a gradient of zeros, or a big one."""
    moment = recording.moments[index]
    names = [moment.array, *(f"{edge}.grad" for edge in moment.edges)]
    names = names[:1] if moment.phase != "backward" else names
    found = [recording.arrays.summaries[n] for n in names if n in recording.arrays.summaries]
    flags = {flag for summary in found for flag in summary.flags}
    if moment.phase == "backward":
        if any(summary.all_zero for summary in found):
            flags.add("zero-gradient")
        if any(BIG < summary.norm < math.inf for summary in found):
            flags.add("big")
    if moment.phase == "forward" and repeats_both(recording, moment.vertex):
        flags.add("repeats-both")
    if moment.act == "error":
        flags.add("error")
    return sorted(flags)


def troubles_of(view: Payload) -> list[dict[str, Any]]:
    """The first trouble of each kind in the shown step, as data for the page."""
    first: dict[str, int] = {}
    for index in view.indices:
        for flag in moment_flags(view.recording, index):
            if flag != "zero-gradient" or is_sound(view.recording, index):
                first.setdefault(flag, index)
    told = [TOLD[kind](view.recording, index) for kind, index in first.items() if kind in TOLD]
    told += missing_ways(view)
    return [
        {
            "kind": each.kind, "text": each.text, "moment": view.position_of(each.moment),
            "node": each.vertex if each.vertex in view.shown and is_elsewhere(view, each) else None,
        }
        for each in told
    ]  # fmt: skip


def is_sound(recording: Recording, index: int) -> bool:
    """Whether a moment's op made finite numbers: the mask of NaN is all zeros, but no cause."""
    value = recording.arrays.summaries.get(f"{recording.moments[index].vertex}.value")
    return value is None or not value.flags


def is_elsewhere(view: Payload, trouble: Trouble) -> bool:
    """Whether the place to look at is another than the one where the moment happens."""
    return view.recording.moments[trouble.moment].vertex != trouble.vertex


# ---- one sentence per kind ---------------------------------------------------------------------


def count_words(summary: Summary) -> str:
    """`2 NaN and 1 infinite number`."""
    words = [f"{summary.nan:,} NaN"] if summary.nan else []
    if summary.inf:
        words.append(f"{summary.inf:,} infinite number{'s' * (summary.inf > 1)}")
    return listed(words)


def not_finite(recording: Recording, index: int) -> Trouble:
    """Where NaN or infinity appears first: brought in by a leaf, or made by an op or a rule."""
    moment = recording.moments[index]
    vertex, known = recording.graph.vertices[moment.vertex], recording.arrays.summaries
    for edge in recording.growing.into[vertex.id] if moment.phase == "forward" else []:
        leaf = recording.graph.vertices[edge.source]
        brought = known.get(f"{leaf.id}.value")
        if leaf.kind != "op" and brought is not None and brought.flags:
            text = (
                f"{leaf.title} already holds {count_words(brought)} when {vertex.title}, the first "
                f"to use it, begins ({place_words(recording, vertex.id)}). No recorded op made it."
            )
            return Trouble("nonfinite", text, index, leaf.id)
    if moment.phase == "forward":
        made = known[moment.array or ""]
        text = (
            f"The first numbers that are not finite: {vertex.title} makes {count_words(made)} "
            f"from inputs that are all finite ({place_words(recording, vertex.id)})."
            f"{why_not_finite(recording, vertex)}"
        )
    elif moment.phase == "backward":
        text = (
            f"The first gradient that is not finite comes from the rule of {vertex.title} "
            f"({place_words(recording, vertex.id)})."
        )
    else:
        text = f"The update leaves numbers in {vertex.title} that are not finite."
    return Trouble("nonfinite", text + where_nan(recording, index), index, vertex.id)


def why_not_finite(recording: Recording, vertex: Vertex) -> str:
    """What about its input does it, of an op that has a place where it cannot go; or no words."""
    edges = recording.growing.into[vertex.id]
    if not edges:
        return ""
    source = edges[-1].source  # of a quotient, what it divides by
    held, title = recording.arrays.summaries.get(f"{source}.value"), name_of(recording, source)
    if held is None:
        return ""
    if vertex.label == "div" and held.zeros > 0:
        is_number = recording.graph.vertices[source].kind == "constant"
        return f" It divides by {title}{'' if is_number else ', which holds 0'}."
    if vertex.label in ("log", "log2", "log10", "sqrt", "rsqrt") and held.low <= 0:
        return f" Its input {title} goes down to {held.low:.3g}."
    if vertex.label in ("exp", "exp2", "expm1") and held.high > 0:
        return f" Its input {title} goes up to {held.high:.3g}."
    return ""


def name_of(recording: Recording, vertex: str) -> str:
    """How the page calls a vertex."""
    return recording.graph.vertices[vertex].title


def where_nan(recording: Recording, index: int) -> str:
    """Where NaN comes of what began as infinity, or no words."""
    known, moments = recording.arrays.summaries, recording.moments
    if known[moments[index].array or ""].nan:
        return ""
    for later in moments[index + 1 :]:
        if later.array in known and known[later.array].nan:
            title = recording.graph.vertices[later.vertex].title
            return f" NaN comes of them {'in' if later.phase == 'forward' else 'behind'} {title}."
    return ""


def zero_gradient(recording: Recording, index: int) -> Trouble:
    """A gradient that is 0 everywhere."""
    vertex = recording.graph.vertices[recording.moments[index].vertex]
    text = (
        f"A gradient is 0 everywhere at {vertex.title} ({place_words(recording, vertex.id)}): "
        "nothing before it learns from what comes back this way."
    )
    return Trouble("zero-gradient", text, index, vertex.id)


def big_gradient(recording: Recording, index: int) -> Trouble:
    """A gradient far larger than usual."""
    moment = recording.moments[index]
    vertex = recording.graph.vertices[moment.vertex]
    names = [moment.array or "", *(f"{edge}.grad" for edge in moment.edges)]
    known = recording.arrays.summaries
    norm = max(
        known[name].norm for name in names if name in known and BIG < known[name].norm < math.inf
    )
    text = f"A gradient is large at {vertex.title}: its norm is {norm:.3g}, more than {BIG:g}."
    return Trouble("big", text, index, vertex.id)


def both_repeated(recording: Recording, index: int) -> Trouble:
    """Two inputs broadcast against each other: the moment's own sentence asks about it."""
    vertex = recording.moments[index].vertex
    text = f"{sentence(recording, index)} ({place_words(recording, vertex)})"
    return Trouble("repeats-both", text, index, vertex)


TOLD = {
    "nonfinite": not_finite,
    "repeats-both": both_repeated,
    "zero-gradient": zero_gradient,
    "big": big_gradient,
}


def known_flags(vertex: Vertex, recording: Recording) -> tuple[list[str], list[str]]:
    """What is suspicious about a vertex's value, and about its gradient."""
    known = recording.arrays.summaries
    value, grad = (known.get(f"{vertex.id}.{what}") for what in ("value", "grad"))
    flags = list(value.flags) if value else []
    if repeats_both(recording, vertex.id):
        flags.append("repeats-both")
    return flags, list(grad.flags) if grad else []
