"""Static pictures of a computation graph: `draw_graph(loss)` in a notebook, or saved to a file.

Leans on graph, fold and layout for what is drawn where, on svg for the drawing.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from minitorch.tensor import Tensor
from viz.fold import Folding, Scene
from viz.geometry import Layout
from viz.graph import Graph, graph_of
from viz.layout import dot_of, lay_out
from viz.svg import escaped, svg
from viz.table import table_html, table_text


class GraphPicture:
    """A drawn graph: shows itself in a notebook, and `save`s as .svg, .png, .dot or .html."""

    def __init__(self, graph: Graph, opened: list[str] | None = None) -> None:
        self.graph = graph
        folding = Folding(graph)
        self.scene: Scene = folding.scene(opened)
        self.layout: Layout = lay_out(self.scene, folding.captions())

    @property
    def svg(self) -> str | None:
        """The picture as SVG, or None where no layout engine is installed."""
        return svg(self.layout, title=repr(self)) if self.layout.width else None

    @property
    def dot(self) -> str:
        """The graph in Graphviz's language, with labels."""
        return dot_of(self.graph, self.scene)

    def save(self, path: str | Path) -> Path:
        """Write the picture; the ending says as what: .svg, .png, .dot or .html.

        Raises ValueError for another ending, RuntimeError where the layout engine is missing.
        """
        path = Path(path)
        if path.suffix == ".dot":
            path.write_text(self.dot, encoding="utf-8")
        elif path.suffix == ".html":
            page = f"<!doctype html><meta charset='utf-8'><title>{escaped(repr(self))}</title>"
            path.write_text(page + self._html(), encoding="utf-8")
        elif path.suffix not in (".svg", ".png"):
            raise ValueError(f"save: {path.name} should end in .svg, .png, .dot or .html.")
        elif self.svg is None:
            raise RuntimeError(f"save: {self.layout.note}")
        elif path.suffix == ".svg":
            path.write_text(self.svg, encoding="utf-8")
        else:
            from viz.raster import png

            path.write_bytes(png(self.layout))
        return path

    def __repr__(self) -> str:
        ops = sum(vertex.kind == "op" for vertex in self.graph.vertices.values())
        parameters = sum(vertex.kind == "parameter" for vertex in self.graph.vertices.values())
        return f"Graph({ops} ops, {parameters} parameters)"

    def _html(self) -> str:
        note = f"<p>{escaped(self.layout.note)}</p>" if self.layout.note else ""
        if self.svg is None:
            return note + table_html(self.graph)
        data = base64.b64encode(self.svg.encode()).decode()
        source = f"data:image/svg+xml;base64,{data}"
        alt = escaped(repr(self))
        return f'<img style="max-width:100%" alt="{alt}" src="{source}">{note}'

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """A picture that GitHub keeps too, and words for where there are no pictures."""
        words = repr(self) if self.svg else f"{self.layout.note}\n{table_text(self.graph)}"
        return {"text/plain": words, "text/html": self._html()}


def draw_graph(result: Tensor | Any, opened: list[str] | None = None) -> GraphPicture:
    """Draw how `result` was computed: ops, shapes, parameters, and their gradients.

    `result` is a tensor, or a recording, which also knows the modules. A gradient that has not been
    computed says "not yet". `opened` names the modules to show open, by path; by itself the picture
    opens as many as stay readable.
    """
    if isinstance(result, Tensor):
        return GraphPicture(graph_of(result))
    if not isinstance(getattr(result, "graph", None), Graph):
        raise TypeError(
            f"draw_graph: {result!r:.80} is neither a tensor nor a recording. Give it what an op "
            "returned, such as the loss."
        )
    graph = result.graph
    boxes = [box.id for box in graph.boxes.values() if opened and box.path in opened]
    return GraphPicture(graph, None if opened is None else boxes)
