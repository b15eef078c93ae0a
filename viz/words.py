"""What happens, in one sentence each: the line under the controls, and what screen readers say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from viz.geometry import visible
from viz.growing import GrowingGraph
from viz.recording import Moment, Recording


@dataclass(slots=True)
class Trouble:
    """One thing to look at: the recording's number of the moment, and the vertex to select."""

    kind: str
    text: str
    moment: int
    vertex: str


def listed(names: list[str]) -> str:
    """`a, b and c`."""
    names = list(dict.fromkeys(names))
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + f" and {names[-1]}"


def place_words(recording: Recording, vertex: str) -> str:
    """`in In [5], line 3`, where the code is known."""
    place = recording.growing.places.get(vertex)
    return f"{place.where}, line {place.line}" if place else "code that was not recorded"


def sentence(recording: Recording, index: int) -> str:
    """One moment in words."""
    moment = recording.moments[index]
    vertex = recording.graph.vertices[moment.vertex]
    return visible(WORDS[moment.act](recording.growing, moment, vertex.title, recording, index))


def repeats_both(recording: Recording, vertex: str) -> bool:
    """Whether an op broadcast every input, as (n, 1) with (n,): rarely what was meant."""
    edges = recording.growing.into[vertex]
    return len(edges) > 1 and all(edge.broadcast for edge in edges)


def op_words(
    growing: GrowingGraph, moment: Moment, title: str, recording: Recording, _: int
) -> str:
    """An op of the forward."""
    if repeats_both(recording, moment.vertex):
        graph = growing.graph
        shapes = [graph.vertices[edge.source] for edge in growing.into[moment.vertex]]
        inputs = listed([f"{each.title} ({each.size})" for each in shapes])
        size = graph.vertices[moment.vertex].size
        return f"{title} repeats {inputs} against each other to make {size}: is that meant?"
    vertices = growing.graph.vertices
    size = vertices[moment.vertex].size
    what = "a single number" if size == "scalar" else size
    sources = [vertices[edge.source].title for edge in growing.into[moment.vertex]]
    return f"{title} makes {what}" + (f" from {listed(sources)}." if sources else ".")


def rule_words(growing: GrowingGraph, moment: Moment, title: str, *_: object) -> str:
    """A step of the backward."""
    vertices, edges = growing.graph.vertices, growing.graph.edges
    count = len(moment.arrived)
    arrived = (
        "The backward begins here with gradient 1"
        if not count
        else f"The gradient of {title} has arrived"
        if count == 1
        else f"{count} gradients arrive at {title} and add up"
    )
    if moment.array is None:
        return f"No gradient reaches {title}, so it sends none on."
    targets = [vertices[edges[edge].source].title for edge in moment.edges]
    if not targets:
        return f"{arrived}."
    what = "their sum" if count > 1 else "it"
    return f"{arrived}: its rule sends {what} on to {listed(targets)}."


def unbroadcast_words(
    growing: GrowingGraph, moment: Moment, title: str, recording: Recording, _: int
) -> str:
    """A broadcast gradient summed back."""
    edge = growing.graph.edges[moment.edges[0]]
    source = growing.graph.vertices[edge.source]
    raw = recording.arrays.summaries[f"{edge.id}.raw"].shape
    wide = "×".join(map(str, raw))
    return (
        f"{title} repeated {source.title} from {source.size} to {wide}, "
        f"so its gradient is summed back to {source.size}."
    )


def update_words(
    growing: GrowingGraph, moment: Moment, title: str, recording: Recording, index: int
) -> str:
    """An optimizer's update."""
    moves = f"{recording.updates[index].optimizer} moves {title} against its gradient"
    if f"u{index}.grad" not in recording.arrays.summaries:
        return f"{moves}."
    if moment.vertex in recording.added:
        return f"{moves}, which was added to what .grad held before: is zero_grad() missing?"
    if f"{moment.vertex}.grad" in recording.arrays.summaries:
        return f"{moves}, which was changed after the backward, as clipping does."
    return f"{moves}, which .grad held before: no backward of this step brought one."


def error_words(growing: GrowingGraph, moment: Moment, title: str, *_: object) -> str:
    """The op that raised."""
    vertices = growing.graph.vertices
    sources = [
        f"{vertices[edge.source].title} ({vertices[edge.source].size})"
        for edge in growing.into[moment.vertex]
    ]
    return f"{title} fails" + (f" on {listed(sources)}." if sources else ".")


WORDS: dict[str, Callable[..., str]] = {
    "op": op_words,
    "rule": rule_words,
    "unbroadcast": unbroadcast_words,
    "update": update_words,
    "error": error_words,
}
