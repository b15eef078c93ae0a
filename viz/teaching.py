"""Small drawings of the chapters: grids of numbers that move, functions above their slopes.

Blue is a value on its way forward, orange a gradient on its way back. Leans on theme.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from viz import theme

Array = np.ndarray[Any, np.dtype[Any]]

CELL = 0.42  # inches
GAP = 1.5  # cells between two grids
DARK_FROM = 0.55  # share of the full colour from which numbers on it are white


@dataclass(frozen=True)
class Grid:
    """Numbers to draw as cells: a title, and what they are, "value" or "gradient".

    Dashed cells, where `ghost` is true, are not in memory: broadcasting only imagines them. What
    is NaN is drawn empty.
    """

    title: str
    cells: Any
    kind: str = "value"
    ghost: Any = False

    @property
    def table(self) -> Array:
        """The cells as rows and columns; a vector is one row."""
        return np.atleast_2d(np.asarray(getattr(self.cells, "array", self.cells), np.float64))


def draw_grids(*grids: Grid, signs: Sequence[str] = ()) -> None:
    """Draw the grids in a row, with a sign between each two of them; an arrow if none is given."""
    import matplotlib.pyplot as plt

    signs = [*signs, *["→"] * (len(grids) - 1 - len(signs))]
    rows = max(grid.table.shape[0] for grid in grids)
    widths = [max(grid.table.shape[1], len(grid.title) * 0.17) for grid in grids]
    across = sum(widths) + GAP * (len(grids) - 1)
    figure = plt.figure(figsize=(across * CELL + 0.2, (rows + 0.9) * CELL + 0.1), layout="none")
    axes = figure.add_axes((0, 0, 1, 1), aspect="equal")
    axes.axis("off")
    axes.set(xlim=(-0.1, across + 0.1), ylim=(rows + 0.1, -0.9))
    left = 0.0
    for position, (grid, width) in enumerate(zip(grids, widths, strict=True)):
        draw_cells(axes, grid, left, (rows - grid.table.shape[0]) / 2)
        if position < len(signs):
            place = left + width + GAP / 2
            axes.text(place, rows / 2, signs[position], ha="center", va="center", fontsize=15)
        left += width + GAP


def draw_cells(axes: Any, grid: Grid, left: float, top: float) -> None:
    """Draw one grid: the larger a number, the fuller its colour."""
    from matplotlib.patches import Rectangle

    table, size = grid.table, np.nanmax(np.abs(grid.table), initial=0) or 1
    ghost = np.broadcast_to(np.atleast_2d(grid.ghost), table.shape)
    full, soft = theme.LIGHT[grid.kind], theme.LIGHT[f"{grid.kind}-soft"]
    axes.text(left, top - 0.25, grid.title, color=full, fontsize=9.5, va="bottom")
    for (row, column), number in np.ndenumerate(table):
        if np.isnan(number):
            continue
        share = 0.0 if ghost[row, column] else abs(number) / size * 0.85
        axes.add_patch(
            Rectangle(
                (left + column, top + row),
                1,
                1,
                facecolor=mixed(soft, full, share),
                edgecolor=full if ghost[row, column] else "white",
                linestyle="--" if ghost[row, column] else "-",
                linewidth=0.8 if ghost[row, column] else 1.5,
            )
        )
        color = "white" if share > DARK_FROM else theme.INK
        place = (left + column + 0.5, top + row + 0.52)
        axes.text(*place, in_few_digits(number), color=color, ha="center", va="center", fontsize=9)


def in_few_digits(number: float) -> str:
    """A number that fits into a cell."""
    return f"{number:.3g}" if abs(number) >= 1 else f"{number:.2g}"


def mixed(soft: str, full: str, share: float) -> tuple[float, ...]:
    """A colour between two, `share` of the way to the second."""
    start, end = (np.array(theme.rgb(color)) / 255 for color in (soft, full))
    return tuple(start + (end - start) * share)


def draw_slopes(
    functions: dict[str, Callable[[Any], Any]],
    tensor: Callable[..., Any],
    low: float = -4.0,
    high: float = 4.0,
) -> None:
    """Draw each function of a tensor above its slope, as its own backward tells it."""
    import matplotlib.pyplot as plt

    count = len(functions)
    width, height = min(1.75 * count + 0.7, 11), 3.1
    figure, panels = plt.subplots(
        2, count, figsize=(width, height), sharex=True, sharey="row", squeeze=False, layout="none"
    )
    figure.subplots_adjust(0.7 / width, 0.3 / height, 1 - 0.1 / width, 1 - 0.25 / height, 0.1, 0.15)
    for (name, function), (above, below) in zip(functions.items(), panels.T, strict=True):
        x = tensor(np.linspace(low, high, 401), requires_grad=True)
        y = function(x)
        y.sum().backward()
        for panel, heights, color in ((above, y, theme.VALUE), (below, x.grad, theme.GRADIENT)):
            panel.axhline(0, color=theme.LIGHT["line"], linewidth=0.8, zorder=0)
            panel.axvline(0, color=theme.LIGHT["line"], linewidth=0.8, zorder=0)
            panel.plot(x.array, without_jumps(heights.array), color=color)
        above.set_title(name)
    panels[0, 0].set_ylabel("value")
    panels[1, 0].set_ylabel("slope")
    figure.align_ylabels()


def without_jumps(heights: Array) -> Array:
    """A copy with a gap where a curve jumps, so that no line is drawn there."""
    curve = np.array(heights, np.float64)
    steps = np.abs(np.diff(curve))
    jumps = steps > max(20 * float(np.median(steps)), 0.1 * float(np.ptp(curve)))
    curve[:-1][jumps] = np.nan
    return curve
