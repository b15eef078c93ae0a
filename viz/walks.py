"""Small pictures of a walk over a graph: who has been told what, one frame per step.

The chapters build their own tiny graphs; this draws them, whatever their nodes are. Leans on theme.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from viz.theme import GRADIENT, LIGHT, STRUCTURE, VALUE

CLEAR = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}  # a message hides its arrow
Edge = tuple[str, str]  # (who used it, who was used): a message travels this way


@dataclass(frozen=True)
class Frame:
    """One moment: whose turn it is, what stands under each node, what is said along each edge."""

    title: str = ""
    now: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)
    messages: Mapping[Edge, str] = field(default_factory=dict)
    missing: Mapping[str, int] = field(default_factory=dict)


def draw_walk(
    places: Mapping[str, tuple[float, float]], edges: Sequence[Edge], frames: Sequence[Frame]
) -> None:
    """Draw the graph once per frame, two in a row; an edge given twice is drawn as two arrows."""
    import matplotlib.pyplot as plt

    width = max(x for x, _ in places.values()) - min(x for x, _ in places.values()) + 1.2
    height = max(y for _, y in places.values()) - min(y for _, y in places.values()) + 1.5
    columns = min(len(frames), 2)
    rows = -(-len(frames) // columns)
    size = (1.2 * width * columns, 1.1 * height * rows)
    _, grid = plt.subplots(rows, columns, figsize=size, squeeze=False)
    for axes in grid.flat[len(frames) :]:
        axes.axis("off")
    for axes, frame in zip(grid.flat, frames, strict=False):
        for edge in dict.fromkeys(edges):
            draw_edge(axes, places, edge, list(edges).count(edge), frame)
        for name, place in places.items():
            draw_node(axes, name, place, frame)
        axes.set_title(frame.title, loc="center")
        axes.set_xlim(
            min(x for x, _ in places.values()) - 0.6, max(x for x, _ in places.values()) + 0.6
        )
        axes.set_ylim(
            min(y for _, y in places.values()) - 0.8, max(y for _, y in places.values()) + 0.7
        )
        axes.axis("off")
    plt.show()


def draw_node(axes: Any, name: str, place: tuple[float, float], frame: Frame) -> None:
    """A node: filled when it is its turn, with a ring per answer that is still missing."""
    now = name == frame.now
    box = {
        "boxstyle": "round,pad=0.35",
        "facecolor": GRADIENT if now else "white",
        "edgecolor": GRADIENT if now else STRUCTURE,
    }
    ink = "white" if now else LIGHT["ink"]
    axes.text(*place, name, ha="center", va="center", fontsize=13, color=ink, bbox=box, zorder=3)
    for k in range(frame.missing.get(name, 0)):
        ring = {"marker": "o", "markersize": 7, "markerfacecolor": "white", "zorder": 4}
        axes.plot(place[0] + 0.2 - 0.13 * k, place[1] + 0.25, color=STRUCTURE, **ring)
    if note := frame.notes.get(name):
        axes.text(
            place[0], place[1] - 0.42, note, ha="center", va="top", color=GRADIENT, fontsize=9
        )


def draw_edge(
    axes: Any, places: Mapping[str, tuple[float, float]], edge: Edge, count: int, frame: Frame
) -> None:
    """An edge: grey while nothing has been said along it, orange with the message after."""
    (x0, y0), (x1, y1) = places[edge[0]], places[edge[1]]
    message = frame.messages.get(edge)
    arrow = {
        "arrowstyle": "-|>",
        "color": GRADIENT if message else STRUCTURE,
        "shrinkA": 13,
        "shrinkB": 13,
    }
    bends = [0.0] if count == 1 else [-0.35, 0.35]
    for bend in bends:
        arrow["connectionstyle"] = f"arc3,rad={bend}"
        axes.annotate("", (x1, y1), (x0, y0), arrowprops=arrow)
        if message:
            side = 0.0 if count == 1 else 0.5 * bend
            at = ((x0 + x1) / 2 - side * (y1 - y0), (y0 + y1) / 2 + side * abs(x1 - x0))
            axes.text(
                *at, message, color=GRADIENT, ha="center", va="center", fontsize=9, bbox=CLEAR
            )


def draw_broadcast(row: Sequence[float], copies: int = 3) -> None:
    """Numbers repeated on the way forward, and the sum of what comes back for each."""
    import matplotlib.pyplot as plt
    from matplotlib.patches import Rectangle

    _, pair = plt.subplots(1, 2, figsize=(8.5, 2.6))
    for axes, color, title in zip(
        pair,
        (VALUE, GRADIENT),
        ("forward: the row is repeated", "back: what was repeated is summed"),
        strict=True,
    ):
        forward = color == VALUE
        axes.set(title=title, xlim=(-0.6, len(row) - 0.4), ylim=(copies + 1.6, -0.6))
        axes.axis("off")
        for column, number in enumerate(row):
            words = {"ha": "center", "va": "center", "color": color}
            for line in range(copies):
                cell = Rectangle(
                    (column - 0.45, line - 0.45), 0.9, 0.9, facecolor="white", edgecolor=color
                )
                axes.add_patch(cell)
                axes.text(column, line, f"{number:g}" if forward else "1", **words)
            axes.text(
                column,
                copies + 1,
                f"{number:g}" if forward else f"{copies}",
                weight="bold",
                **words,
            )
            ends = [(column, copies + 0.7), (column, copies - 0.45)]
            start, end = ends if forward else ends[::-1]
            axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": color})
    plt.show()
