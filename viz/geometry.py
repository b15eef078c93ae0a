"""The shapes of a picture as data: spots, pills, frames, curves, free of colour. Leans on fold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from viz.fold import Item, Link, Scene
from viz.graph import Edge, Vertex

LONGEST = 26  # characters of a label

Point = tuple[float, float]


class Path(list[tuple[str, list[Point]]]):
    """An SVG path as data: letters with their points."""

    def text(self) -> str:
        """As SVG writes it."""
        return " ".join(
            letter + " ".join(f"{x:.1f},{y:.1f}" for x, y in points) for letter, points in self
        )

    def moved(self, by_x: float, by_y: float) -> Path:
        """The same path elsewhere."""
        return Path((letter, [(x + by_x, y + by_y) for x, y in points]) for letter, points in self)


@dataclass(slots=True)
class Rectangle:
    """A place on the page; x and y are the top left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(slots=True)
class Pill(Rectangle):
    """A leaf at its op."""

    vertex: Vertex
    edge: Edge
    label: str
    sub: str
    above: bool


@dataclass(slots=True)
class Spot(Rectangle):
    """An item in its place."""

    item: Item
    pills: list[Pill] = field(default_factory=list)

    @property
    def label(self) -> str:
        """Its first line, shortened."""
        return shortened(self.item.label)

    @property
    def sub(self) -> str:
        """Its second line, shortened."""
        return shortened(self.item.sub)

    @property
    def middle(self) -> Point:
        """Its centre."""
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(slots=True)
class Frame(Rectangle):
    """An open module's box."""

    id: str
    label: str


@dataclass(slots=True)
class Curve:
    """One line with its two directions; `chip` is where a number may stand."""

    link: Link
    forward: Path
    backward: Path | None
    chip: Point


@dataclass(slots=True)
class Layout:
    """A picture's geometry, free of colour."""

    scene: Scene
    engine: str
    width: float = 0
    height: float = 0
    spots: dict[str, Spot] = field(default_factory=dict)
    frames: list[Frame] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    note: str | None = None

    def rectangles(self) -> Iterator[Rectangle]:
        """Everything that covers a part of the page."""
        for spot in self.spots.values():
            yield spot
            yield from spot.pills
        yield from self.frames


# Signs that turn the direction of the text after them: a name with one could look like another.
TURNING = {
    code: f"[U+{code:04X}]"
    for code in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}


def visible(text: str) -> str:
    """`text` with signs that nobody sees, and that turn what follows around, spelled out."""
    return text.translate(TURNING)


def shortened(text: str, most: int = LONGEST) -> str:
    """One line of at most `most` characters: the middle gives way."""
    line = visible(" ".join(text.split()))
    return line if len(line) <= most else f"{line[: most - most // 2 - 1]}…{line[-(most // 2) :]}"


def text_width(text: str, size: float) -> float:
    """A generous guess at the width of a line of text; wide scripts count double."""
    return size * sum(1.0 if ord(letter) > 0x2E80 else 0.6 for letter in text)
