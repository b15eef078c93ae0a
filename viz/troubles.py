"""What is wrong in a step, in plain sentences, each with the moment and the vertex to look at.

Leans on recording and words; the page shows these as links, and marks each only from the moment
at which it can be known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from viz.arrays import Summary
from viz.graph import Edge, Vertex
from viz.recording import Recording
from viz.words import listed, repeats_both, sentence

if TYPE_CHECKING:
    from viz.payload import Payload

BIG = 1e3  # a gradient norm that catches the eye


@dataclass(slots=True)
class Trouble:
    """One thing to look at: the recording's number of the moment, and the vertex to select."""

    kind: str
    text: str
    moment: int
    vertex: str


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
            first.setdefault(flag, index)
    told = [TOLD[kind](view.recording, index) for kind, index in first.items() if kind in TOLD]
    cut, ended = cuts(view), dead_ends(view)
    told += [cut_at(view.recording, edge, names) for edge, names in cut[:3]]
    known = {name for _, names in cut for name in names}
    fresh = [(vertex, names) for vertex, names in ended if not known.issuperset(names)]
    told += [end_at(view.recording, vertex, names) for vertex, names in fresh[:3]]
    told += unused(view, {name for _, names in [*cut, *ended] for name in names})
    return [
        {
            "kind": each.kind, "text": each.text, "moment": view.position_of(each.moment),
            "node": each.vertex if each.vertex in view.shown and is_elsewhere(view, each) else None,
        }
        for each in told
    ]  # fmt: skip


def is_elsewhere(view: Payload, trouble: Trouble) -> bool:
    """Whether the place to look at is another than the one where the moment happens."""
    return view.recording.moments[trouble.moment].vertex != trouble.vertex


# ---- one sentence per kind ---------------------------------------------------------------------


def place_words(recording: Recording, vertex: str) -> str:
    """`in In [5], line 3`, where the code is known."""
    place = recording.growing.places.get(vertex)
    return f"{place.where}, line {place.line}" if place else "code that was not recorded"


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
        )
    elif moment.phase == "backward":
        text = (
            f"The first gradient that is not finite comes from the rule of {vertex.title} "
            f"({place_words(recording, vertex.id)})."
        )
    else:
        text = f"The update leaves numbers in {vertex.title} that are not finite."
    return Trouble("nonfinite", text + where_nan(recording, index), index, vertex.id)


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


# ---- parameters that nothing reaches -----------------------------------------------------------


def missed_parameters(view: Payload) -> list[Vertex]:
    """Parameters of the shown step that want a gradient and got none, though backward ran."""
    recording = view.recording
    backward = [recording.moments[k].phase == "backward" for k in view.indices]
    if not any(backward) or any(recording.moments[k].act == "error" for k in view.indices):
        return []
    vertices = (view.graph.vertices[name] for name in view.vertices)
    known = recording.arrays.summaries
    return [
        vertex
        for vertex in vertices
        if vertex.kind == "parameter" and vertex.wants_grad and f"{vertex.id}.grad" not in known
    ]


def cuts(view: Payload) -> list[tuple[Edge, list[str]]]:
    """Where the graph was left, with the parameters before that therefore get no gradient."""
    missed = {vertex.id: vertex.title for vertex in missed_parameters(view)}
    cut = [edge for edge in view.edges if edge.detached] if missed else []
    behind = {tuple(behind_of(view, edge.source, missed)): edge for edge in cut}
    return [(edge, list(names)) for names, edge in behind.items() if names]


def cut_at(recording: Recording, edge: Edge, names: list[str]) -> Trouble:
    """One cut, and who is behind it."""
    source, target = (recording.graph.vertices[name] for name in (edge.source, edge.target))
    first = next(k for k, each in enumerate(recording.moments) if each.vertex == target.id)
    text = (
        f"{brief(names)} get{'s' * (len(names) == 1)} no gradient: {target.title} "
        f"({place_words(recording, target.id)}) uses {source.title}"
        f"{made_at(recording, source)} without a way back. It was taken out of the graph between "
        "the two: by .detach(), .data or no_grad."
    )
    return Trouble("detached", text, first, source.id)


def made_at(recording: Recording, source: Vertex) -> str:
    """Where an op ran, in brackets; nothing for a leaf."""
    return f" ({place_words(recording, source.id)})" if source.kind == "op" else ""


def behind_of(view: Payload, vertex: str, missed: dict[str, str]) -> list[str]:
    """Titles of the missed parameters that a vertex was computed from, in the graph's order."""
    before = sources_of(view, vertex)
    return [title for name, title in missed.items() if name in before]


def sources_of(view: Payload, vertex: str) -> set[str]:
    """Every vertex that a value was computed from, and its own."""
    seen, waiting = {vertex}, [vertex]
    while waiting:
        for before in view.recording.growing.into[waiting.pop()]:
            if before.source not in seen:
                seen.add(before.source)
                waiting.append(before.source)
    return seen


def dead_ends(view: Payload) -> list[tuple[str, list[str]]]:
    """Ops that nothing recorded uses, though parameters that got no gradient went into them."""
    missed = {vertex.id: vertex.title for vertex in missed_parameters(view)}
    growing = view.recording.growing
    ends = [name for name in view.ops if name in view.shown and not growing.out_of[name]]
    last: dict[tuple[str, ...], str] = {}  # of several ends with the same behind them
    for name in ends if missed else []:
        behind = behind_of(view, name, missed)
        if behind and f"{name}.grad" not in view.recording.arrays.summaries:
            last[tuple(behind)] = name
    return [(name, list(behind)) for behind, name in last.items()]


def end_at(recording: Recording, vertex: str, names: list[str]) -> Trouble:
    """One dead end, and who is behind it."""
    last = recording.graph.vertices[vertex]
    moment = next(k for k, each in enumerate(recording.moments) if each.vertex == vertex)
    text = (
        f"{brief(names)} get{'s' * (len(names) == 1)} no gradient: the way to the loss ends at "
        f"{last.title} ({place_words(recording, vertex)}). Nothing uses its result as a tensor; "
        "did it go on through .numpy(), .data or a new tensor made of it?"
    )
    return Trouble("dead-end", text, moment, vertex)


def unused(view: Payload, told: set[str]) -> list[Trouble]:
    """Parameters that an optimizer holds and that got no gradient for another reason."""
    names = view.recording.without_gradient.get(view.step, [])
    left = [name for name in names if name not in told]
    if not left:
        return []
    moments = [k for k in view.indices if view.recording.moments[k].phase == "update"]
    by_name = {view.graph.vertices[name].name: name for name in view.vertices}
    here = next((by_name[name] for name in left if name in by_name), "")
    them, its = ("it", "its") if len(left) == 1 else ("them", "their")
    text = (
        f"No gradient reached {brief(left)}, and the optimizer left {them} as before: no op on the "
        f"way to the loss uses {them}, or one has only a copy of {its} numbers (.detach(), .data, "
        ".numpy())."
    )
    return [Trouble("unused", text, moments[0] if moments else view.indices[-1], here)]


def brief(names: list[str]) -> str:
    """A few names, and how many more there are."""
    names = list(dict.fromkeys(names))
    rest = len(names) - 4
    return listed(names) if rest <= 0 else f"{', '.join(names[:4])} and {rest} more"


def known_flags(vertex: Vertex, recording: Recording) -> tuple[list[str], list[str]]:
    """What is suspicious about a vertex's value, and about its gradient."""
    known = recording.arrays.summaries
    value, grad = (known.get(f"{vertex.id}.{what}") for what in ("value", "grad"))
    flags = list(value.flags) if value else []
    if repeats_both(recording, vertex.id):
        flags.append("repeats-both")
    return flags, list(grad.flags) if grad else []
