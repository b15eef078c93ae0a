"""A graph as a table, for where nothing can be laid out. Leans on graph."""

from __future__ import annotations

from viz.graph import Graph
from viz.svg import escaped

ROWS = 200  # more are only counted


def rows_of(graph: Graph) -> list[tuple[str, str, str]]:
    """One row per op: what ran, on what, and the shape that came out."""
    into = graph.into()
    rows = []
    for vertex in graph.vertices.values():
        if vertex.kind == "op":
            inputs = ", ".join(graph.vertices[edge.source].title for edge in into[vertex.id])
            rows.append((vertex.title, inputs, vertex.size))
    return rows


def table_text(graph: Graph) -> str:
    """The table in plain text."""
    rows = [("op", "inputs", "shape"), *rows_of(graph)]
    shown = [tuple(" ".join(cell.split())[:60] for cell in row) for row in rows[: ROWS + 1]]
    widths = [max(len(row[k]) for row in shown) for k in range(3)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in shown
    ]
    return "\n".join(
        lines + ([f"and {len(rows) - 1 - ROWS:,} more"] if len(rows) > ROWS + 1 else [])
    )


def table_html(graph: Graph) -> str:
    """The table for a notebook."""
    rows = rows_of(graph)
    body = "".join(
        "<tr>" + "".join(f"<td>{escaped(cell[:200])}</td>" for cell in row) + "</tr>"
        for row in rows[:ROWS]
    )
    more = f"<p>and {len(rows) - ROWS:,} more</p>" if len(rows) > ROWS else ""
    return f"<table><tr><th>op</th><th>inputs</th><th>shape</th></tr>{body}</table>{more}"
