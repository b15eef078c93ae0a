"""The lines between boxes: straight, led around, or as an arc over what they skip.

Every line has two directions side by side: the value on its way, and its gradient coming back.
Leans on geometry.
"""

from __future__ import annotations

from collections import Counter

from viz.engine import Placed
from viz.fold import Link
from viz.geometry import Curve, Layout, Path, Point, Spot

# By the number of lines between two boxes: how far they are apart, and how far forward runs above
# and backward below each.
BESIDE = {1: (0.0, 8.0), 2: (22.0, 5.0), 3: (14.0, 3.0)}
MOST_LANES = 4  # for the arcs from one item


Doors = dict[
    tuple[str, str, str], float
]  # (item, "in" or "out", other item): height off its middle


def doors_of(links: list[Link], spots: dict[str, Spot]) -> Doors:
    """Where lines enter and leave an item: below one another, ordered by where they come from."""
    doors: Doors = {}
    for side, here, there in (("in", "target", "source"), ("out", "source", "target")):
        meeting: dict[str, list[str]] = {}
        for link in (each for each in links if not each.lane):
            meeting.setdefault(getattr(link, here), []).append(getattr(link, there))
        for name, others in meeting.items():
            middle = spots[name].middle[1]
            others.sort(key=lambda other: spots[other].middle[1])
            level = [
                k for k, other in enumerate(others) if abs(spots[other].middle[1] - middle) < 2
            ]
            centre = level[0] if level else (len(others) - 1) / 2
            step = min(16.0, (spots[name].height - 14) / len(others))
            for k, other in enumerate(others):
                doors[name, side, other] = (k - centre) * step
    return doors


def lead(link: Link, spots: dict[str, Spot], placed: Placed, doors: Doors) -> Curve:
    """The line of a link as Graphviz led it, forward a little above, backward a little below."""
    source, target = spots[link.source], spots[link.target]
    points = placed.edges[link.source, link.target]
    apart, lane = BESIDE[min(link.lanes, 3)]
    beside = (link.lane - (link.lanes - 1) / 2) * apart
    x1 = source.x + source.width
    y1 = source.middle[1] + doors[link.source, "out", link.target] + beside
    x2, y2 = target.x, target.middle[1] + doors[link.target, "in", link.source] + beside
    middle = (x1 + x2) / 2
    if max(abs(y + beside - y1) for _, y in points) < 2 and abs(y1 - y2) < 2:
        above = lane if link.wants_grad else 0
        forward = Path([("M", [(x1, y1 - above)]), ("L", [(x2 - 1, y1 - above)])])
        backward = Path([("M", [(x2, y1 + lane)]), ("L", [(x1 + 1, y1 + lane)])])
        chip = (middle, y1 + lane + 14)
        return Curve(link, forward, backward if link.wants_grad else None, chip)
    near = len(points) <= 4 or x2 - x1 < 60  # neighbours: one calm curve
    between = [(middle, y1), (middle, y2)] if near else [(x, y + beside) for x, y in points[1:-1]]
    led = [(x1, y1), *between, (x2, y2)]
    off = lane / 2
    forward = path([(x, y - off) for x, y in led], end=-1)
    backward = path([(x, y + off) for x, y in led[::-1]], end=1)
    chip = (middle, (y1 + y2) / 2 + off)
    return Curve(link, forward, backward if link.wants_grad else None, chip)


def path(points: list[Point], end: float = 0) -> Path:
    """Cubic curves through Graphviz's control points; the arrow's tip stays `end` off the box."""
    last = (points[-1][0] + end, points[-1][1])
    return Path([("M", points[:1]), ("C", [*points[1:-1], last])])


def span(spots: dict[str, Spot], link: Link) -> float:
    """How far a link reaches to the right."""
    return spots[link.target].middle[0] - spots[link.source].middle[0]


def draw_arcs(links: list[Link], layout: Layout) -> list[Curve]:
    """Skip connections as arcs above all that they jump over, short ones below long ones."""
    curves: list[Curve] = []
    lanes: list[tuple[float, float, float]] = []  # from, to, height taken
    for group in sharing_lanes(links):
        ends = [(layout.spots[link.source], layout.spots[link.target]) for link in group]
        x1 = min(source.middle[0] for source, _ in ends)
        x2 = max(target.middle[0] for _, target in ends)
        tops = [
            spot.y - (46 if spot.pills and spot.pills[0].above else 0)
            for spot in layout.spots.values()
            if x1 - 1 <= spot.middle[0] <= x2 + 1
        ]
        tops += [frame.y for frame in layout.frames if frame.x < x2 and frame.x + frame.width > x1]
        lane = min(tops) - 16
        lane = min(
            [lane, *(height - 22 for left, right, height in lanes if left < x2 and right > x1)]
        )
        lanes.append((x1, x2, lane - 10))
        curves += [
            arc(link, (source.middle[0], source.y), (target.middle[0], target.y), lane)
            for link, (source, target) in zip(group, ends, strict=True)
        ]
    return curves


def sharing_lanes(links: list[Link]) -> list[list[Link]]:
    """Each link on its own, but the many from one item together: a lane each would be a tower."""
    count = Counter(link.source for link in links)
    groups: list[list[Link]] = []
    shared: dict[str, list[Link]] = {}
    for link in links:
        if count[link.source] <= MOST_LANES:
            groups.append([link])
        else:
            shared.setdefault(link.source, []).append(link)
    return [*groups, *shared.values()]


def arc(link: Link, start: Point, end: Point, lane: float) -> Curve:
    """An arc from the top of one box to the top of another: the gradient runs outside the value."""
    (x1, y1), (x2, y2) = start, end
    bend = min(60.0, (x2 - x1) / 4)

    def over(x_from: float, y_from: float, x_to: float, y_to: float, height: float) -> Path:
        step = bend if x_to > x_from else -bend
        up = [(x_from, height), (x_from + step / 3, height), (x_from + step, height)]
        down = [(x_to - step / 3, height), (x_to, height), (x_to, y_to - 1)]
        return Path(
            [("M", [(x_from, y_from)]), ("C", up), ("L", [(x_to - step, height)]), ("C", down)]
        )

    forward = over(x1 + 5, y1, x2 - 5, y2, lane)
    backward = over(x2 + 5, y2, x1 - 5, y1, lane - 12) if link.wants_grad else None
    return Curve(link, forward, backward, ((x1 + x2) / 2, lane - 12))
