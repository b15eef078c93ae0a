"""A layout as a picture: shapes with a meaning each, written as SVG or drawn by matplotlib.

The SVG stands alone: its colours follow the reader's light or dark setting, user text is escaped.
Leans on geometry for places and on theme for colours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape

from viz import theme
from viz.geometry import Curve, Layout, Path, Pill, Point, Spot, visible


@dataclass(slots=True)
class Shape:
    """One thing to draw. `look` names its colours: see `COLORS`."""

    kind: str  # "rect", "path", "text", "dot"
    look: str
    at: Point = (0, 0)
    size: Point = (0, 0)
    radius: float = 0
    path: Path | None = None
    text: str = ""
    font: float = 13


@dataclass(slots=True)
class States:
    """How a moment colours the picture: by item or pill id, and by edge id."""

    of: dict[str, str] = field(default_factory=dict)  # "now", "done", "waiting", "trouble"
    sent: set[str] = field(default_factory=set)
    now: set[str] = field(default_factory=set)
    gradients: bool = True  # whether ways back are drawn at all


# look: fill, line, line width, dashes
COLORS: dict[str, tuple[str, str, float, str]] = {
    "canvas": ("canvas", "line", 1.0, ""),
    "frame": ("none", "line", 1.2, ""),
    "op": ("panel", "muted", 1.2, ""),
    "op no-grad": ("panel", "line", 1.2, ""),
    "op now": ("gradient", "gradient", 2.0, ""),
    "op done": ("gradient-soft", "gradient", 1.4, ""),
    "op waiting": ("panel", "muted", 1.4, "4 3"),
    "op trouble": ("trouble-soft", "trouble", 2.0, ""),
    "module": ("panel", "muted", 1.4, ""),
    "behind": ("panel", "line", 1.2, ""),
    "input": ("value-soft", "value", 1.2, ""),
    "parameter": ("panel", "parameter", 1.2, ""),
    "parameter got": ("parameter-soft", "parameter", 1.2, ""),
    "constant": ("panel", "line", 1.2, ""),
    "forward": ("none", "value", 1.6, ""),
    "forward plain": ("none", "line", 1.4, ""),
    "backward": ("none", "gradient", 1.6, ""),
    "backward cut": ("none", "trouble", 1.6, "3 3"),
    "stub": ("none", "line", 1.2, ""),
    "dot": ("panel", "muted", 1.3, ""),
    "dot full": ("gradient", "panel", 1.3, ""),
    "text": ("ink", "none", 0, ""),
    "text panel": ("panel", "none", 0, ""),
    "text muted": ("muted", "none", 0, ""),
    "text parameter": ("parameter", "none", 0, ""),
    "text gradient": ("gradient", "none", 0, ""),
    "text trouble": ("trouble", "none", 0, ""),
}


def shapes(layout: Layout, states: States | None = None) -> Iterator[Shape]:
    """Everything to draw, from back to front."""
    states = states or States()
    yield Shape("rect", "canvas", (0.5, 0.5), (layout.width - 1, layout.height - 1), 10)
    for frame in layout.frames:
        yield Shape("rect", "frame", (frame.x, frame.y), (frame.width, frame.height), 10)
        yield Shape(
            "text", "text muted start", (frame.x + 10, frame.y + 15), text=frame.label, font=10.5
        )
    for curve in layout.curves:
        yield from curve_shapes(curve, states)
    for spot in layout.spots.values():
        for pill in spot.pills:
            yield from pill_shapes(pill, spot, states)
        yield from spot_shapes(spot, states)


def curve_shapes(curve: Curve, states: States) -> Iterator[Shape]:
    """Both directions of a line."""
    yield Shape("path", "forward", path=curve.forward)
    if curve.backward and states.gradients:
        yield Shape("path", "backward", path=curve.backward)
    elif any(edge.detached for edge in curve.link.edges):
        x, y = curve.chip
        yield Shape("text", "text trouble", (x, y + 3), text="detached", font=10.5)


def spot_shapes(spot: Spot, states: States) -> Iterator[Shape]:
    """An item: its box, two or three lines of text, and its counter dots."""
    item, (x, y) = spot.item, (spot.x, spot.y)
    middle = x + spot.width / 2
    round_end = 9 if item.kind in ("op", "module") else min(spot.height / 2, 19)
    state = states.of.get(item.id, "got" if is_there(item.gradient) else "")
    for k in range(min(item.times - 1, 2), 0, -1):
        yield Shape("rect", "behind", (x + 4 * k, y - 4 * k), (spot.width, spot.height), 9)
    yield Shape(
        "rect", f"{item.kind} {state}".strip(), (x, y), (spot.width, spot.height), round_end
    )
    ink = (
        "text panel" if state == "now" else "text parameter" if item.kind == "parameter" else "text"
    )
    label = f"{spot.label} ×{item.times}" if item.times > 1 else spot.label
    yield Shape("text", f"{ink} bold", (middle, y + 19), text=label, font=13)
    muted = "text panel" if state == "now" else "text muted"
    yield Shape("text", f"{muted} mono", (middle, y + 34), text=spot.sub, font=10.5)
    if item.gradient:
        yield Shape(
            "text", gradient_look(item.gradient), (middle, y + 48), text=item.gradient, font=10.5
        )
    if item.kind in ("op", "module"):
        for k, edge in enumerate(item.dots[:6] if states.gradients else []):
            look = "dot full" if edge in states.sent else "dot"
            yield Shape("dot", look, (x + spot.width - 10 - 11 * k, y), (4.4, 4.4))


def pill_shapes(pill: Pill, spot: Spot, states: States) -> Iterator[Shape]:
    """A leaf at its op, and the short line between them."""
    leaf, middle = pill.vertex, pill.x + pill.width / 2
    got = leaf.kind == "parameter" and (states.of.get(leaf.id) == "done" or is_there(leaf.gradient))
    if pill.above:
        path = Path([("M", [(middle, pill.y + pill.height)]), ("L", [(middle, spot.y - 1)])])
        yield Shape("path", "forward", path=path)
    elif pill is next(each for each in spot.pills if not each.above):
        path = Path([("M", [(middle, spot.y + spot.height)]), ("L", [(middle, pill.y - 1)])])
        sends = pill.edge.wants_grad and states.gradients
        yield Shape("path", "backward" if sends else "stub", path=path)
    look = f"{leaf.kind} got" if got else leaf.kind
    radius = pill.height / 2 if pill.height < 30 or pill.above else 10
    yield Shape("rect", look, (pill.x, pill.y), (pill.width, pill.height), radius)
    if pill.above:
        yield Shape("text", "text bold", (middle, pill.y + 17), text=pill.label, font=13)
        yield Shape("text", "text muted mono", (middle, pill.y + 30), text=pill.sub, font=10.5)
        return
    ink = "text parameter mono" if leaf.kind == "parameter" else "text muted mono"
    yield Shape(
        "text", ink, (middle, pill.y + 14), text=f"{pill.label} {pill.sub}".strip(), font=10.5
    )
    if leaf.gradient:
        yield Shape(
            "text",
            gradient_look(leaf.gradient),
            (middle, pill.y + 28),
            text=leaf.gradient,
            font=10.5,
        )


def is_there(gradient: str | None) -> bool:
    """Whether a line about a gradient tells of one."""
    return gradient is not None and not gradient.endswith("not yet")


def gradient_look(text: str) -> str:
    """Orange once it is there, grey while it is not."""
    return "text gradient mono" if is_there(text) else "text muted mono"


def svg(layout: Layout, states: States | None = None, title: str = "computation graph") -> str:
    """The picture as an SVG document that needs nothing else."""
    drawn = "".join(svg_shape(shape) for shape in shapes(layout, states))
    width, height = round(layout.width), round(layout.height)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img"><title>{escaped(title)}</title>'
        f"<style>{style()}</style><defs>{marker('forward', 'value')}"
        f"{marker('backward', 'gradient')}</defs>{drawn}</svg>"
    )


def style() -> str:
    """The looks as CSS."""
    rules = [theme.css("svg")]
    for look, (fill, line, width, dashes) in COLORS.items():
        selector = "." + look.replace(" ", ".")
        paint = "none" if fill == "none" else f"var(--{fill})"
        stroke = "none" if line == "none" else f"var(--{line})"
        dash = f";stroke-dasharray:{dashes}" if dashes else ""
        rules.append(f"{selector}{{fill:{paint};stroke:{stroke};stroke-width:{width}{dash}}}")
    rules.append(f"text{{font-family:{fonts(theme.SANS)};text-anchor:middle}}")
    rules.append(
        f".mono{{font-family:{fonts(theme.MONO)}}}.bold{{font-weight:600}}.start{{text-anchor:start}}"
    )
    rules.append(".forward{opacity:.75}")
    return "".join(rules)


def fonts(names: list[str]) -> str:
    """A list of fonts for CSS."""
    return ",".join(f"'{name}'" if " " in name else name for name in names)


def marker(name: str, color: str) -> str:
    """An arrowhead."""
    return (
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6.5" '
        f'markerHeight="6.5" orient="auto"><path d="M0,0.8 L7.5,4 L0,7.2z" '
        f'style="fill:var(--{color})"/></marker>'
    )


def svg_shape(shape: Shape) -> str:
    """One shape as SVG."""
    (x, y), (width, height) = shape.at, shape.size
    if shape.kind == "rect":
        return (
            f'<rect class="{shape.look}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
            f'height="{height:.1f}" rx="{shape.radius:.1f}"/>'
        )
    if shape.kind == "dot":
        return f'<circle class="{shape.look}" cx="{x:.1f}" cy="{y:.1f}" r="{width}"/>'
    if shape.kind == "path" and shape.path is not None:
        direction = shape.look.split(" ")[0]
        tip = f' marker-end="url(#{direction})"' if direction != "stub" else ""
        return f'<path class="{shape.look}" d="{shape.path.text()}"{tip}/>'
    return (
        f'<text class="{shape.look}" x="{x:.1f}" y="{y:.1f}" font-size="{shape.font}">'
        f"{escaped(shape.text)}</text>"
    )


def escaped(text: str) -> str:
    """User text for SVG and HTML: markup is spelled out, what XML cannot hold is replaced."""
    printable = "".join(
        letter if letter >= " " and not 0xD800 <= ord(letter) <= 0xDFFF else "\ufffd"
        for letter in visible(text)
    )
    return escape(printable, quote=True)
