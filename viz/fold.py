"""What of a graph is drawn: which modules are open, what folds into what, and where to stop.

Parameters and constants fold into the op that uses them; a closed module is one item; identical
modules in a row are one item with "×N"; past `MOST` items the older ones become a single one that
says how many it hides. Leans on graph only: no geometry here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from viz.graph import Edge, Graph, Vertex

MOST = 1500  # items laid out
LEFT_OPEN = 300  # items kept when there are more
MOST_LINES = 6  # from one leaf; used more often, it is drawn at each use
LONGEST_CAPTION = 30  # characters; the type of a module is left out of a longer one
MOST_PARALLEL = 3  # lines between the same two ops: `x * x` has two
AT_FIRST = 40  # modules open by themselves while there are no more items than this


@dataclass(slots=True, eq=False)
class Item:
    """Something drawn as one box: an op, a leaf on its own, a closed module, or the rest."""

    id: str
    kind: str  # "op", "parameter", "input", "constant", "module"
    label: str
    sub: str = ""
    box: str | None = None  # the open module around it
    members: list[str] = field(default_factory=list)
    times: int = 1
    gradient: str | None = None
    openable: bool = False
    pills: list[tuple[Vertex, Edge]] = field(default_factory=list)
    shared: dict[str, int] = field(default_factory=dict)  # of pills: how often they are used
    dots: list[str] = field(default_factory=list)  # edges of consumers that send a gradient


@dataclass(slots=True, eq=False)
class Link:
    """One drawn line: all edges from one item to another, or between two ops one of several."""

    source: str
    target: str
    edges: list[Edge]
    lane: int = 0  # which of the lines between the same two
    lanes: int = 1

    @property
    def wants_grad(self) -> bool:
        """Whether a gradient comes back along it."""
        return any(edge.wants_grad for edge in self.edges)


@dataclass(slots=True, eq=False)
class Scene:
    """All that is drawn, before it has a place."""

    items: dict[str, Item]
    links: list[Link]
    boxes: dict[str, str | None]  # open modules, each with the open one around it
    opened: list[str]
    note: str | None = None


class Folding:
    """Answers what is visible of `vertices` for any set of open modules."""

    def __init__(self, graph: Graph, vertices: Iterable[str] | None = None) -> None:
        self.graph = graph
        self.shown = dict.fromkeys(graph.vertices if vertices is None else vertices)
        self.edges = [edge for edge in graph.edges.values() if edge.target in self.shown]
        self.ops_in: dict[str, list[str]] = {}
        for name in self.shown:
            for box in graph.box_path(graph.vertices[name].box):
                self.ops_in.setdefault(box, []).append(name)
        self.uses: dict[str, list[Edge]] = {}
        self.into: dict[str, list[Edge]] = {}
        for edge in self.edges:
            self.uses.setdefault(edge.source, []).append(edge)
            self.into.setdefault(edge.target, []).append(edge)
        roots = sum(graph.boxes[box].parent is None for box in self.ops_in)
        self.drawn = {
            box
            for box, inside in self.ops_in.items()
            if self._worth_a_box(box, inside, alone=roots == 1)
        }

    def _worth_a_box(self, box: str, inside: list[str], alone: bool) -> bool:
        """Not the whole net, nor a lone op without parameters: a box around it tells nothing."""
        whole = self.graph.boxes[box].parent is None and alone
        leaves = (
            self.graph.vertices[edge.source] for name in inside for edge in self.into.get(name, [])
        )
        bare = len(inside) == 1 and not any(leaf.kind == "parameter" for leaf in leaves)
        return not bare and not (whole and self.graph.boxes[box].path == "")

    def boxes_around(self, vertex: Vertex) -> list[str]:
        """The modules around a vertex that are worth a box, outermost first."""
        return [box for box in self.graph.box_path(vertex.box) if box in self.drawn]

    def open_at_first(self) -> list[str]:
        """As many levels of modules as leave no more than `AT_FIRST` items."""
        levels: dict[int, list[str]] = {}
        for box in self.drawn:
            depth = sum(other in self.drawn for other in self.graph.box_path(box))
            levels.setdefault(depth, []).append(box)
        opened: list[str] = []
        for depth in sorted(levels):
            more = opened + levels[depth]
            if self._count(more) > AT_FIRST:
                break
            opened = more
        return opened

    def _count(self, opened: list[str]) -> int:
        ops = (
            self.graph.vertices[name]
            for name in self.shown
            if self.graph.vertices[name].kind == "op"
        )
        chosen = set(opened)
        return len({self._item_of(vertex, chosen) for vertex in ops})

    def _item_of(self, vertex: Vertex, opened: set[str]) -> str:
        """The item that shows an op: its outermost closed module, or the op itself."""
        closed = (box for box in self.boxes_around(vertex) if box not in opened)
        return next(closed, vertex.id)

    # ---- names -------------------------------------------------------------------------------

    def input_size(self, box: str) -> str:
        """The shape that goes into a module call, where one does."""
        inside = set(self.ops_in.get(box, []))
        edges = (edge for name in self.ops_in.get(box, []) for edge in self.into.get(name, []))
        given = (self.graph.vertices[edge.source] for edge in edges if edge.source not in inside)
        return next((leaf.size for leaf in given if leaf.kind in ("op", "input")), "")

    def captions(self) -> dict[str, str]:
        """What stands on each open module: its dotted path, its type, and what goes in."""
        captions = {}
        for name in self.drawn:
            box = self.graph.boxes[name]
            size = self.input_size(name)
            whole = " · ".join(filter(None, [box.path, box.kind, size]))
            short = " · ".join(filter(None, [box.path or box.kind, size]))
            captions[name] = whole if len(whole) <= LONGEST_CAPTION else short
        return captions

    # ---- the scene -----------------------------------------------------------------------------

    def scene(self, opened: Iterable[str] | None = None) -> Scene:
        """What is drawn when these modules are open (and those around them)."""
        chosen = self.open_at_first() if opened is None else list(opened)
        open_boxes = {
            outer for box in chosen if box in self.graph.boxes for outer in self.graph.box_path(box)
        }
        open_boxes &= self.drawn
        items: dict[str, Item] = {}
        item_of: dict[str, str] = {}
        ops = [name for name in self.shown if self.graph.vertices[name].kind == "op"]
        for name in ops:
            item = self._add_item(items, self.graph.vertices[name], open_boxes)
            item_of[name] = item.id
        note = self._cut(items, item_of)
        self._join_repeats(items, item_of)
        self._add_leaves(items, item_of)
        links = self._links(items, item_of)
        boxes = {
            box: self._box_around(self.graph.boxes[box].parent)
            for box in self.graph.boxes
            if box in open_boxes
        }
        used = {outer for item in items.values() for outer in self.graph.box_path(item.box)}
        boxes = {box: parent for box, parent in boxes.items() if box in used}
        return Scene(items, links, boxes, sorted(open_boxes), note)

    def _add_item(self, items: dict[str, Item], vertex: Vertex, opened: set[str]) -> Item:
        name = self._item_of(vertex, opened)
        if name in items:
            items[name].members.append(vertex.id)
            return items[name]
        if name == vertex.id:
            items[name] = Item(
                name, "op", vertex.label, vertex.size, self._box_around(vertex.box), [name]
            )
            return items[name]
        box = self.graph.boxes[name]
        own = box.path.rpartition(".")[2]
        numbered = own.isdigit()  # one of a Sequential: what it is says more than its number
        label = box.type if numbered or not own else own
        about = box.path if numbered or own != box.path else box.type
        sub = " · ".join(filter(None, [about, self.input_size(name)]))
        items[name] = Item(
            name, "module", label, sub, self._box_around(box.parent), [vertex.id], openable=True
        )
        return items[name]

    def _box_around(self, box: str | None) -> str | None:
        """The innermost module from `box` outwards that is worth a box."""
        return next((each for each in self.graph.box_path(box)[::-1] if each in self.drawn), None)

    def _cut(self, items: dict[str, Item], item_of: dict[str, str]) -> str | None:
        """Past `MOST` items, put all but the last ones into one that says so."""
        if len(items) <= MOST:
            return None
        older = list(items)[:-LEFT_OPEN]
        members = [name for old in older for name in items.pop(old).members]
        rest = Item("rest", "module", f"{len(members):,} more", "not drawn", members=members)
        for name in members:
            item_of[name] = "rest"
        kept = dict(items)
        items.clear()
        items["rest"] = rest
        items.update(kept)
        return (
            f"{len(older) + len(kept):,} items are more than the {MOST:,} that are laid out: "
            f"the first {len(members):,} ops are folded into one."
        )

    def _join_repeats(self, items: dict[str, Item], item_of: dict[str, str]) -> None:
        """Closed modules of one kind that feed each other in a row become one item, ×N."""
        reader = self._only_neighbours(item_of)
        kinds = {name: self._signature(name) for name, item in items.items() if item.openable}
        for name in list(kinds):
            following = reader.get(name)
            while name in items and following in kinds and kinds[name] == kinds[following]:
                merged = items.pop(following)
                items[name].members += merged.members
                items[name].times += 1
                for member in merged.members:
                    item_of[member] = name
                del kinds[following]
                following = reader.get(following)

    def _only_neighbours(self, item_of: dict[str, str]) -> dict[str, str]:
        """For each item with a single reader, that reader."""
        readers: dict[str, set[str]] = {}
        for edge in self.edges:
            source, target = item_of.get(edge.source), item_of[edge.target]
            if source is not None and source != target:
                readers.setdefault(source, set()).add(target)
        return {name: next(iter(found)) for name, found in readers.items() if len(found) == 1}

    def _signature(self, box: str) -> tuple[object, ...]:
        """Equal for modules that do the same to the same shapes."""
        inside = self.ops_in[box]
        leaves = [
            (edge.input, self.graph.vertices[edge.source].shape)
            for name in inside
            for edge in self.into.get(name, [])
            if self.graph.vertices[edge.source].kind == "parameter"
        ]
        ops = [
            (self.graph.vertices[name].label, self.graph.vertices[name].shape) for name in inside
        ]
        here = self.graph.boxes[box]
        return (here.type, here.parent, tuple(ops), tuple(leaves))

    def _add_leaves(self, items: dict[str, Item], item_of: dict[str, str]) -> None:
        """Leaves: pills of the one op that uses them, else items; inside closed modules none."""
        for name in self.shown:
            leaf = self.graph.vertices[name]
            uses = self.uses.get(name, [])
            readers = {item_of[edge.target] for edge in uses}
            if leaf.kind == "op" or (not readers and len(self.shown) > 1):
                continue
            calls = {self.graph.vertices[edge.target].box for edge in uses} - {None}
            if len(readers) > MOST_LINES or (leaf.kind == "parameter" and len(calls) > 1):
                self._hang_everywhere(leaf, uses, items, item_of)
                continue
            reader = items[next(iter(readers))] if len(readers) == 1 else None
            if reader is not None and reader.kind == "module" and leaf.kind != "input":
                continue
            if (
                reader is not None
                and reader.kind == "op"
                and len(uses) == 1
                and self._hangs_on(leaf, reader)
            ):
                reader.pills.append((leaf, uses[0]))
                continue
            items[name] = Item(name, leaf.kind, leaf.label, leaf.size, members=[name])
            items[name].gradient = leaf.gradient
            item_of[name] = name

    def _hang_everywhere(
        self, leaf: Vertex, uses: list[Edge], items: dict[str, Item], item_of: dict[str, str]
    ) -> None:
        """A leaf used by many ops, or by several calls of a module, stands at each use.

        Lines from one place to all of them would hide the rest.
        """
        for edge in uses:
            reader = items[item_of[edge.target]]
            if reader.kind == "op":
                reader.pills.append((leaf, edge))
                reader.shared[leaf.id] = len(uses)

    def _hangs_on(self, leaf: Vertex, reader: Item) -> bool:
        """Whether a leaf is drawn at its op: where the op stands on something else already."""
        kinds = {self.graph.vertices[edge.source].kind for edge in self.into[reader.id]}
        return (
            leaf.kind == "constant" or "op" in kinds or (leaf.kind != "input" and "input" in kinds)
        )

    def _links(self, items: dict[str, Item], item_of: dict[str, str]) -> list[Link]:
        """The lines between items; and on each item a dot for every consumer's gradient."""
        links: dict[tuple[str, str], list[Link]] = {}
        for edge in self.edges:
            source, target = item_of.get(edge.source), item_of[edge.target]
            if source is None or source == target:
                continue
            between = links.setdefault((source, target), [])
            folded = "module" in (items[source].kind, items[target].kind)
            if between and (folded or len(between) == MOST_PARALLEL):
                between[-1].edges.append(edge)
            else:
                between.append(Link(source, target, [edge], len(between)))
            if edge.wants_grad and items[source].kind != "input":
                items[source].dots.append(edge.id)
        for between in links.values():
            for link in between:
                link.lanes = len(between)
        return [link for between in links.values() for link in between]
