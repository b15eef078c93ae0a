"""Parameters that no gradient reaches: where the way to the loss was cut, ended or never began.

Leans on recording and words; `entry_of` names the line where bare numbers come in, when their
memory or all of them tell whose they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from minitorch.tensor import Tensor
from minitorch.versions import owner_of
from viz.graph import Edge, Vertex
from viz.recording import Recording
from viz.words import Trouble, listed, place_words

if TYPE_CHECKING:
    from viz.payload import Payload


def missing_ways(view: Payload) -> list[Trouble]:
    """What cut parameters of the shown step off from the loss."""
    cut, ended = cuts(view), dead_ends(view)
    known = {name for _, names in cut for name in names}
    fresh = [(vertex, names) for vertex, names in ended if not known.issuperset(names)]
    told = {name for _, names in [*cut, *ended] for name in names}
    return [
        *(cut_at(view.recording, each) for each in cuts_by_line(view.recording, cut)[:3]),
        *(end_at(view, vertex, names) for vertex, names in fresh[:3]),
        *unused(view, told),
    ]


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


def cuts_by_line(
    recording: Recording, cut: list[tuple[Edge, list[str]]]
) -> list[list[tuple[Edge, list[str]]]]:
    """Cuts on one line of code together: they are one thing to mend."""
    lines: dict[tuple[str, int] | str, list[tuple[Edge, list[str]]]] = {}
    for edge, names in cut:
        place = recording.growing.places.get(edge.target)
        key = (place.file, place.line) if place else edge.target
        lines.setdefault(key, []).append((edge, names))
    return list(lines.values())


def cut_at(recording: Recording, cut: list[tuple[Edge, list[str]]]) -> Trouble:
    """The cuts on one line, and who is behind them."""
    vertices = recording.graph.vertices
    names = list(dict.fromkeys(name for _, behind in cut for name in behind))
    sources = [vertices[edge.source] for edge, _ in cut]
    targets = list(dict.fromkeys(vertices[edge.target].title for edge, _ in cut))
    used = brief([f"{source.title}{made_at(recording, source)}" for source in sources])
    taken = "It was taken out of the graph between the two"
    if len(cut) > 1:
        taken = "They were taken out of the graph on the way"
        used = "them" if [source.title for source in sources] == names else used
    edge = cut[0][0]
    first = next(k for k, each in enumerate(recording.moments) if each.vertex == edge.target)
    text = (
        f"{brief(names)} get{'s' * (len(names) == 1)} no gradient: {brief(targets)} "
        f"({place_words(recording, edge.target)}) use{'s' * (len(targets) == 1)} {used} without "
        f"a way back. {taken}: by .detach(), .data, .numpy() or no_grad."
    )
    return Trouble("detached", text, first, edge.source)


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


def end_at(view: Payload, vertex: str, names: list[str]) -> Trouble:
    """One dead end, and who is behind it; where its numbers come back in, when that is certain."""
    recording = view.recording
    last = recording.graph.vertices[vertex]
    moment = next(k for k, each in enumerate(recording.moments) if each.vertex == vertex)
    text = (
        f"{brief(names)} get{'s' * (len(names) == 1)} no gradient: the way to the loss ends at "
        f"{last.title} ({place_words(recording, vertex)}). Nothing uses its result as a tensor"
    )
    values = recording.arrays.values(f"{vertex}.value")
    edge = None if values is None else entry_of(view, values)
    if edge is None:
        text += "; did it go on through .numpy(), .data or a new tensor made of it?"
    else:
        text += f": its numbers go on as a copy, into {user_of(recording, edge)}."
    return Trouble("dead-end", text, moment, vertex)


def unused(view: Payload, told: set[str]) -> list[Trouble]:
    """Parameters that an optimizer holds and that got no gradient for another reason."""
    skipped = view.recording.without_gradient.get(view.step, [])
    left = [each for each in skipped if name_of(each) not in told]
    entries = [(each, entry_of(view, each.array)) for each in left]
    copied = [(each, edge) for each, edge in entries if edge is not None]
    names = [name_of(each) for each, edge in entries if edge is None]
    return [*(copy_at(view.recording, each, edge) for each, edge in copied[:3]), *lost(view, names)]


def name_of(parameter: Tensor) -> str:
    """What a parameter is called."""
    return parameter.name or "a parameter"


def lost(view: Payload, names: list[str]) -> list[Trouble]:
    """Parameters of which nothing is known but that no gradient came."""
    if not names:
        return []
    moments = [k for k in view.indices if view.recording.moments[k].phase == "update"]
    by_name = {view.graph.vertices[name].name: name for name in view.vertices}
    here = next((by_name[name] for name in names if name in by_name), "")
    them, its = ("it", "its") if len(names) == 1 else ("them", "their")
    text = (
        f"No gradient reached {brief(names)}, and the optimizer left {them} as before: no op on "
        f"the way to the loss uses {them}, or one has only a copy of {its} numbers (.detach(), "
        ".data, .numpy())."
    )
    return [Trouble("unused", text, moments[0] if moments else view.indices[-1], here)]


def copy_at(recording: Recording, parameter: Tensor, edge: Edge) -> Trouble:
    """The op that works with a parameter's numbers, but not with the parameter."""
    first = next(k for k, each in enumerate(recording.moments) if each.vertex == edge.target)
    text = (
        f"{name_of(parameter)} gets no gradient: {user_of(recording, edge)} takes exactly its "
        "numbers, but as an array without a way back, as .numpy(), .data and tensor(...) make it."
    )
    return Trouble("detached", text, first, edge.source)


def user_of(recording: Recording, edge: Edge) -> str:
    """`mul #2 (In [3], line 4)`: the op that takes what comes along an edge."""
    title = recording.graph.vertices[edge.target].title
    return f"{title} ({place_words(recording, edge.target)})"


def entry_of(view: Payload, values: np.ndarray) -> Edge | None:
    """Where an array enters the graph as a leaf without gradient: its memory, or all its numbers.

    Numbers that are all the same, as those of a bias at first, could be anybody's.
    """
    growing = view.recording.growing
    telling = values.size > 1 and bool(np.any(values != values.flat[0]))
    for name in view.vertices:
        leaf = view.graph.vertices[name]
        if leaf.kind == "op" or leaf.wants_grad or not growing.out_of[name]:
            continue
        array = getattr(leaf.subject, "array", leaf.subject)
        shares = isinstance(array, np.ndarray) and owner_of(array) is owner_of(values)
        numbers = view.recording.arrays.values(f"{name}.value") if telling else None
        if shares or is_same(numbers, values):
            return growing.out_of[name][0]
    return None


def is_same(numbers: np.ndarray | None, values: np.ndarray) -> bool:
    """Whether two arrays hold the same numbers, perhaps one of them transposed."""
    return numbers is not None and any(np.array_equal(numbers, each) for each in (values, values.T))


def brief(names: list[str]) -> str:
    """A few names, and how many more there are."""
    names = list(dict.fromkeys(names))
    rest = len(names) - 4
    return listed(names) if rest <= 0 else f"{', '.join(names[:4])} and {rest} more"
