"""The same shapes as in the SVG, drawn by matplotlib into a PNG. Leans on svg and theme."""

from __future__ import annotations

import io
import warnings
from typing import Any

from viz import theme
from viz.geometry import Layout, Path
from viz.svg import COLORS, Shape, States, shapes

DOTS_PER_POINT = 2  # sharp on a dense screen
LARGEST = 12_000  # pixels on a side; a larger picture is drawn smaller


def png(layout: Layout, states: States | None = None) -> bytes:
    """The picture in light colours."""
    from matplotlib.figure import Figure

    scale = min(DOTS_PER_POINT, LARGEST / max(layout.width, layout.height))
    figure = Figure(figsize=(layout.width / 72, layout.height / 72), dpi=72 * scale)
    figure.set_layout_engine("none")
    figure.patch.set_alpha(0)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, layout.width), ylim=(layout.height, 0))
    axes.axis("off")
    for order, shape in enumerate(shapes(layout, states)):
        draw(axes, shape, order)
    data = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # drawn as an empty box
        figure.savefig(data, format="png")
    return data.getvalue()


def draw(axes: Any, shape: Shape, order: int) -> None:
    """One shape."""
    from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

    look = next(name for name in candidates(shape.look) if name in COLORS)
    fill, line, width, dashes = COLORS[look]
    paint: dict[str, Any] = {
        "facecolor": color(fill),
        "edgecolor": color(line),
        "linewidth": width,
        "linestyle": (0, [float(part) for part in dashes.split()]) if dashes else "solid",
        "zorder": order,
    }
    (x, y), (wide, high) = shape.at, shape.size
    if shape.kind == "rect":
        round_corners = f"round,pad=0,rounding_size={min(shape.radius, high / 2)}"
        axes.add_patch(FancyBboxPatch((x, y), wide, high, boxstyle=round_corners, **paint))
    elif shape.kind == "dot":
        axes.add_patch(Circle((x, y), wide, **paint))
    elif shape.kind == "path" and shape.path is not None:
        arrow = "-" if look == "stub" else "-|>,head_width=2.6,head_length=5"
        curve = matplotlib_path(shape.path)
        paint["facecolor"] = color(line)
        alpha = 0.75 if look == "forward" else 1
        axes.add_patch(
            FancyArrowPatch(
                path=curve, arrowstyle=arrow, shrinkA=0, shrinkB=0, alpha=alpha, **paint
            )
        )
    elif shape.text:
        words = shape.look.split()
        axes.text(
            x, y, shape.text.replace("$", r"\$"),
            color=color(fill), fontsize=shape.font, zorder=order,
            ha="left" if "start" in words else "center", va="baseline",
            family="monospace" if "mono" in words else "sans-serif",
            weight="bold" if "bold" in words else "normal",
        )  # fmt: skip


def candidates(look: str) -> list[str]:
    """A look, and the more general ones that it falls back to."""
    words = look.split()
    return [" ".join(words[:count]) for count in range(len(words), 0, -1)]


def color(name: str) -> str:
    """A colour of the light theme."""
    return "none" if name == "none" else theme.LIGHT[name]


def matplotlib_path(path: Path) -> Any:
    """Our path as matplotlib's."""
    from matplotlib.path import Path as Outline

    codes = {"M": Outline.MOVETO, "L": Outline.LINETO, "C": Outline.CURVE4}
    points = [point for _, part in path for point in part]
    return Outline(points, [codes[letter] for letter, part in path for _ in part])
