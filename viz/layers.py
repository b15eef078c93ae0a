"""A plain layered layout of our own: for graphs that Graphviz is too slow for, or fails on.

Every item stands one column to the right of the last of its inputs, in the row that its inputs
suggest. One pass, so that the time grows with the size of the graph. Leans on geometry.
"""

from __future__ import annotations

from viz.engine import Placed
from viz.fold import Link, Scene

GAP_ACROSS, GAP_DOWN = 30.0, 23.0  # between columns and between rows, in points

Sizes = dict[str, tuple[float, float]]


def columns_of(scene: Scene) -> dict[str, int]:
    """The column of each item: past all its inputs; a leaf stands just before its first reader."""
    into: dict[str, list[str]] = {name: [] for name in scene.items}
    readers: dict[str, list[str]] = {name: [] for name in scene.items}
    for link in scene.links:
        into[link.target].append(link.source)
        readers[link.source].append(link.target)
    waiting = {name: len(sources) for name, sources in into.items()}
    order = [name for name, count in waiting.items() if not count]
    columns = dict.fromkeys(scene.items, 0)
    for name in order:
        for target in readers[name]:
            columns[target] = max(columns[target], columns[name] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                order.append(target)
    for name in order:
        if not into[name] and readers[name]:
            columns[name] = max(0, min(columns[target] for target in readers[name]) - 1)
    return columns


def is_long(link: Link, columns: dict[str, int]) -> bool:
    """Whether a link passes over columns: it is drawn as an arc above them."""
    return columns[link.target] - columns[link.source] > 1


def place_in_layers(scene: Scene, sizes: Sizes, columns: dict[str, int]) -> Placed:
    """Centres of all items, and straight lines between them."""
    members: dict[int, list[str]] = {}
    for name, column in columns.items():
        members.setdefault(column, []).append(name)
    into: dict[str, list[str]] = {name: [] for name in scene.items}
    for link in scene.links:
        into[link.target].append(link.source)
    nodes: dict[str, tuple[float, float]] = {}
    left = 0.0
    for column in sorted(members):
        wide = max(sizes[name][0] for name in members[column])
        for name, height in rows(members[column], sizes, into, nodes).items():
            nodes[name] = (left + wide / 2, height)
        left += wide + GAP_ACROSS
    edges = {
        (link.source, link.target): [nodes[link.source], nodes[link.target]] for link in scene.links
    }
    return Placed(left, 0.0, nodes, edges)


def rows(
    names: list[str],
    sizes: Sizes,
    into: dict[str, list[str]],
    nodes: dict[str, tuple[float, float]],
) -> dict[str, float]:
    """Heights for one column: near the mean of the inputs, pushed apart where they would meet."""
    wanted = {}
    for name in names:
        known = [nodes[source][1] for source in into[name] if source in nodes]
        wanted[name] = sum(known) / len(known) if known else 0.0
    ordered = sorted(names, key=lambda name: wanted[name])
    found: dict[str, float] = {}
    free = -float("inf")
    for name in ordered:
        half = sizes[name][1] / 2
        found[name] = max(wanted[name], free + half)
        free = found[name] + half + GAP_DOWN
    pushed = sum(found[name] - wanted[name] for name in ordered) / len(ordered)
    return {name: height - pushed for name, height in found.items()}
