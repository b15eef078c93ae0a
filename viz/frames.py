"""The boxes of open modules around what is in them, and the size of the whole picture.

Leans on geometry.
"""

from __future__ import annotations

from viz.fold import Scene
from viz.geometry import Curve, Frame, Layout, Rectangle, Spot, shortened, text_width

MARGIN = 14.0

Corners = tuple[float, float, float, float]  # left, top, right, bottom


def frames_of(scene: Scene, spots: dict[str, Spot], labels: dict[str, str]) -> list[Frame]:
    """The boxes of open modules, around what is in them; inner ones come last."""
    corners: dict[str, Corners] = {}
    depth = {box: len(list(outwards(scene, box))) for box in scene.boxes}
    for spot in spots.values():
        if spot.item.box is not None:
            for place in [spot, *(pill for pill in spot.pills if not pill.above)]:
                widen(corners, spot.item.box, place)
    frames = []
    for box in sorted(scene.boxes, key=lambda name: -depth[name]):
        if box not in corners:
            continue
        left, top, right, bottom = corners[box]
        label = shortened(labels[box], 30)
        spare = max(0.0, caption_width(label) - (right - left)) / 2
        width = right - left + 20 + 2 * spare
        frame = Frame(left - 10 - spare, top - 26, width, bottom - top + 38, box, label)
        frames.append(frame)
        around = scene.boxes[box]
        if around is not None:
            widen(corners, around, frame)
    return frames[::-1]


def caption_width(label: str) -> float:
    """How wide a box must be inside, so that its caption fits."""
    return text_width(shortened(label, 30), 11) + 8


def outwards(scene: Scene, box: str | None) -> list[str]:
    """A box and those around it."""
    found = []
    while box is not None:
        found.append(box)
        box = scene.boxes[box]
    return found


def widen(corners: dict[str, Corners], box: str, place: Rectangle) -> None:
    """Let a box reach over one more rectangle."""
    right, bottom = place.x + place.width, place.y + place.height
    old = corners.get(box, (place.x, place.y, right, bottom))
    corners[box] = (
        min(old[0], place.x), min(old[1], place.y), max(old[2], right), max(old[3], bottom)
    )  # fmt: skip


def heights_of(curve: Curve) -> list[float]:
    """How far up and down a line and its number reach."""
    paths = (path for path in (curve.forward, curve.backward) if path is not None)
    points = [y for path in paths for _, part in path for _, y in part]
    return [*points, curve.chip[1] - 10, curve.chip[1] + 10]


def shift_into_view(layout: Layout) -> None:
    """Move everything so that the picture begins at `MARGIN`, and measure it."""
    places = list(layout.rectangles())
    if not places:
        layout.width = layout.height = 2 * MARGIN
        return
    left = min(place.x for place in places)
    right = max(place.x + place.width for place in places)
    heights = [height for curve in layout.curves for height in heights_of(curve)]
    top = min([*(place.y for place in places), *heights])
    bottom = max([*(place.y + place.height for place in places), *heights])
    move_x, move_y = MARGIN - left, MARGIN - top
    layout.width, layout.height = right - left + 2 * MARGIN, bottom - top + 2 * MARGIN
    for place in places:
        place.x += move_x
        place.y += move_y
    for curve in layout.curves:
        curve.forward = curve.forward.moved(move_x, move_y)
        curve.backward = curve.backward.moved(move_x, move_y) if curve.backward else None
        curve.chip = (curve.chip[0] + move_x, curve.chip[1] + move_y)
