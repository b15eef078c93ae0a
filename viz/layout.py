"""Where everything stands: a scene becomes boxes, pills and curves with coordinates.

Graphviz decides the order and the distances; the rest is ours. Time runs to the right. An edge that
jumps over others is left out of the DOT, so that a chain is straight, and drawn as an arc above it.
What is too much for Graphviz is placed by layers instead. Leans on fold for the scene, on engine
for Graphviz, and on curves and frames.
"""

from __future__ import annotations

from collections import Counter

from viz.curves import doors_of, draw_arcs, lead, span
from viz.engine import MISSING, engine_name, place
from viz.fold import Item, Scene
from viz.frames import caption_width, frames_of, shift_into_view
from viz.geometry import Layout, Pill, Spot, shortened, text_width
from viz.graph import Graph, Vertex
from viz.layers import columns_of, is_long, place_in_layers

OP_HEIGHT, LEAF_HEIGHT, PILL_HEIGHT = 44.0, 38.0, 20.0
PILL_GAP, BETWEEN = 13.0, 4.0
FOR_GRAPHVIZ = 600  # items; of more it would take many seconds
LINE = 14.0  # one more line of text, for the gradient


def lay_out(scene: Scene, labels: dict[str, str]) -> Layout:
    """Place a scene; `labels` are the captions of open modules. Without an engine, only a note."""
    layout = Layout(scene, engine_name(), note=scene.note)
    if layout.engine == "none":
        layout.note = MISSING
        return layout
    spots = {name: measured(item) for name, item in scene.items.items()}
    jumps = jumping(scene)
    few = len(scene.items) <= FOR_GRAPHVIZ
    placed = place(dot_text(scene, spots, jumps, labels)) if few else None
    if placed is None:
        columns = columns_of(scene)
        sizes = {item.id: room_of(item, spots) for item in scene.items.values()}
        placed = place_in_layers(scene, sizes, columns)
        jumps |= {(each.source, each.target) for each in scene.links if is_long(each, columns)}
    for name, spot in spots.items():
        x, y = placed.nodes[name]
        spot.x, spot.y = x - spot.width / 2, y - spot.height / 2
        hang_pills(spot)
    layout.spots = spots
    layout.frames = frames_of(scene, spots, labels)
    arcs = sorted(
        (link for link in scene.links if (link.source, link.target) in jumps),
        key=lambda link: span(spots, link),
    )
    near = [link for link in scene.links if (link.source, link.target) not in jumps]
    doors = doors_of(near, spots)
    layout.curves = [lead(link, spots, placed, doors) for link in near]
    layout.curves += draw_arcs(arcs, layout)
    shift_into_view(layout)
    return layout


def room_of(item: Item, spots: dict[str, Spot], least: float = 0) -> tuple[float, float]:
    """Width and height of an item with all that hangs on it."""
    pills = (measured_pill(leaf, item.shared.get(leaf.id, 1))[0] for leaf, _ in item.pills)
    spot = spots[item.id]
    return max([spot.width, *pills, least]), spot.height + 2 * room_for_pills(item)


# ---- sizes -------------------------------------------------------------------------------------


def measured(item: Item) -> Spot:
    """An item with its size, not yet placed."""
    label, sub = shortened(item.label), shortened(item.sub)
    label += f" ×{item.times}" if item.times > 1 else ""
    label += "▸ " if item.openable else ""
    least = 72.0 if item.kind in ("op", "module") else 48.0
    lines = [text_width(label, 13) + 22, text_width(sub, 10.5) + 20]
    lines += [text_width(item.gradient, 10.5) + 20] if item.gradient else []
    height = OP_HEIGHT if item.kind in ("op", "module") else LEAF_HEIGHT
    return Spot(0, 0, max(least, *lines), height + (LINE + 4 if item.gradient else 0), item)


def measured_pill(leaf: Vertex, uses: int = 1) -> tuple[float, float, str, str]:
    """Width, height, label and size of a leaf that hangs on its op."""
    if leaf.kind == "input":
        label, sub = shortened(leaf.label), leaf.size
        return (
            max(48.0, text_width(label, 13) + 20, text_width(sub, 10.5) + 18),
            LEAF_HEIGHT,
            label,
            sub,
        )
    is_state = leaf.kind == "parameter" or bool(leaf.shape)
    label = shortened(leaf.label.rpartition(".")[2] if is_state else leaf.label, 18)
    sub = leaf.size if is_state else ""
    sub += f" · {uses} uses" if uses > 1 else ""
    width = max(64.0 if sub else 34.0, text_width(f"{label} {sub}", 10.5) + 18)
    if not leaf.gradient:
        return width, PILL_HEIGHT, label, sub
    return max(width, text_width(leaf.gradient, 10.5) + 18), PILL_HEIGHT + LINE, label, sub


def room_for_pills(item: Item) -> float:
    """Height that pills need below the op, or inputs above it, whichever is more."""
    above = [LEAF_HEIGHT + PILL_GAP + 8 for leaf, _ in item.pills if leaf.kind == "input"]
    below = [measured_pill(leaf)[1] + BETWEEN for leaf, _ in item.pills if leaf.kind != "input"]
    return max(sum(above), sum(below) + PILL_GAP if below else 0)


def hang_pills(spot: Spot) -> None:
    """Give an item's pills their places: parameters and constants below, inputs above."""
    centre = spot.x + spot.width / 2
    top, bottom = spot.y, spot.y + spot.height + PILL_GAP
    for leaf, edge in spot.item.pills:
        uses = spot.item.shared.get(leaf.id, 1)
        width, height, label, sub = measured_pill(leaf, uses)
        above = leaf.kind == "input"
        if above:
            top -= height + PILL_GAP + 8
        y = top if above else bottom
        spot.pills.append(Pill(centre - width / 2, y, width, height, leaf, edge, label, sub, above))
        if not above:
            bottom += height + BETWEEN


# ---- DOT ---------------------------------------------------------------------------------------


def dot_text(
    scene: Scene, spots: dict[str, Spot], jumps: set[tuple[str, str]], labels: dict[str, str]
) -> str:
    """The scene in DOT: only our own ids and sizes enter it, never a user's text."""
    lines = [
        "digraph {",
        "rankdir=LR; nodesep=0.32; ranksep=0.4; edge [arrowhead=none];",
        'node [shape=box fixedsize=true label=""];',
    ]

    inside = Counter(item.box for item in scene.items.values())
    captions = {  # a box around a single item must be wide enough for its caption
        box: caption_width(labels[box]) for box in scene.boxes if inside[box] == 1
    }

    def write(box: str | None) -> None:
        for item in scene.items.values():
            if item.box == box:
                wide, high = room_of(item, spots, captions.get(box or "", 0))
                lines.append(f"{item.id} [width={wide / 72:.4f} height={high / 72:.4f}];")
        for inner, around in scene.boxes.items():
            if around == box:
                lines.append(f"subgraph cluster_{inner} {{ margin=10;")
                write(inner)
                lines.append("}")

    write(None)
    for link in scene.links:
        if (link.source, link.target) not in jumps and not link.lane:
            weight = 8 if link.wants_grad else 1
            lines.append(f"{link.source} -> {link.target} [weight={weight}];")
    lines.append("}")
    return "\n".join(lines)


def dot_of(graph: Graph, scene: Scene) -> str:
    """The scene in DOT for other programs: with labels, escaped."""
    lines = ["digraph {", "rankdir=LR; node [shape=box style=rounded fontname=Helvetica];"]
    for item in scene.items.values():
        text = f"{shortened(item.label)}\n{shortened(item.sub)}".strip()
        shape = "ellipse" if item.kind not in ("op", "module") else "box"
        lines.append(f"{item.id} [label={quoted(text)} shape={shape}];")
        for leaf, edge in item.pills:
            name = f"{leaf.id}_{edge.id}".replace("-", "_")
            lines.append(
                f"{name} [label={quoted(f'{shortened(leaf.label)} {leaf.size}')} shape=ellipse];"
            )
            lines.append(f"{name} -> {item.id};")
    lines += [f"{link.source} -> {link.target};" for link in scene.links]
    return "\n".join([*lines, "}"])


def quoted(text: str) -> str:
    """User text as a DOT string: backslashes, quotes and line ends cannot break out."""
    safe = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", " ")
    return '"' + "".join(letter for letter in safe if letter >= " ") + '"'


def jumping(scene: Scene) -> set[tuple[str, str]]:
    """Links that a longer way also connects: skip connections."""
    after: dict[str, list[str]] = {name: [] for name in scene.items}
    waiting = dict.fromkeys(scene.items, 0)
    for link in scene.links:
        after[link.source].append(link.target)
        waiting[link.target] += 1
    order = [name for name, count in waiting.items() if not count]
    for name in order:
        for target in after[name]:
            waiting[target] -= 1
            if not waiting[target]:
                order.append(target)
    bit = {name: 1 << k for k, name in enumerate(order)}
    reached: dict[str, int] = {}
    jumps = set()
    for name in reversed(order):
        further = 0
        for target in after[name]:
            further |= reached[target]
        if scene.items[name].kind in ("op", "module"):  # leaves stand in a column: led around
            jumps |= {(name, target) for target in after[name] if further & bit[target]}
        for target in after[name]:
            further |= bit[target]
        reached[name] = further
    return jumps
