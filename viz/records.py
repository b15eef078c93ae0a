"""Places in the code, ops and layouts as JSON-ready data: the parts of a payload that only copy.

Leans on sources and geometry.
"""

from __future__ import annotations

from typing import Any

from viz.geometry import Layout, Spot
from viz.sources import Place, op_source


def source_record(place: Place) -> dict[str, Any]:
    """A place in the user's code with the lines around it."""
    return {
        "where": place.where, "file": place.short_file, "line": place.line,
        "function": place.function, "lines": [list(each) for each in place.lines()],
    }  # fmt: skip


def op_record(op: Any) -> dict[str, Any]:
    """What an op's source says."""
    source = op_source(op)
    file = Place(source.file, source.line, op.__name__).short_file
    return {"doc": source.doc, "code": source.code, "file": file, "line": source.line}


def bytes_text(count: int) -> str:
    """`2 kB`."""
    for unit, size in (("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} B"


def layout_record(layout: Layout) -> dict[str, Any]:
    """The geometry for a page."""
    return {
        "width": round(layout.width, 1), "height": round(layout.height, 1),
        "engine": layout.engine, "open": layout.scene.opened, "note": layout.note,
        "boxes": [
            {"id": frame.id, "label": frame.label, **rectangle(frame)} for frame in layout.frames
        ],
        "nodes": [spot_record(spot) for spot in layout.spots.values()],
        "edges": [
            {
                "edges": [edge.id for edge in curve.link.edges],
                "from": curve.link.source, "to": curve.link.target,
                "forward": curve.forward.text(),
                "backward": curve.backward.text() if curve.backward else None,
                "detached": any(edge.detached for edge in curve.link.edges),
                "chip": [round(each, 1) for each in curve.chip],
            }
            for curve in layout.curves
        ],
    }  # fmt: skip


def spot_record(spot: Spot) -> dict[str, Any]:
    """One item with its pills."""
    item = spot.item
    return {
        "id": item.id, "kind": item.kind, "label": spot.label, "sub": spot.sub,
        "members": item.members, "times": item.times, "openable": item.openable,
        "dots": item.dots, **rectangle(spot),
        "pills": [
            {
                "id": pill.vertex.id, "kind": pill.vertex.kind, "edge": pill.edge.id,
                "label": f"{pill.label} {pill.sub}".strip() if not pill.above else pill.label,
                "sub": pill.sub if pill.above else "", "above": pill.above, **rectangle(pill),
            }
            for pill in spot.pills
        ],
    }  # fmt: skip


def rectangle(place: Any) -> dict[str, float]:
    """Top left corner and size."""
    return {name: round(getattr(place, name), 1) for name in ("x", "y", "width", "height")}
