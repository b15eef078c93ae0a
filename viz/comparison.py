"""How far apart two arrays are, as a number and as a picture.

Leans on theme; matplotlib is loaded only when there is something to draw.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from viz.theme import STRUCTURE, TROUBLE, signed_colormap

Array = np.ndarray[Any, np.dtype[Any]]


def distance(mine: Array, expected: Array) -> Array:
    """Return the absolute difference, 0 where both are the same infinity or both NaN."""
    mine, expected = mine.astype(np.float64), expected.astype(np.float64)
    same = (mine == expected) | (np.isnan(mine) & np.isnan(expected))
    with np.errstate(invalid="ignore"):
        return np.where(same, 0.0, np.abs(mine - expected))


def finite_size(values: Array) -> float:
    """Return the largest absolute value that is finite, or 1 where there is none but zero."""
    return float(np.abs(values[np.isfinite(values)]).max(initial=0)) or 1.0


def draw_difference(mine: Array, expected: Array) -> bytes:
    """Return a PNG: yours, expected and the difference side by side, the worst place framed."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    apart = distance(mine, expected)
    shape = (-1, mine.shape[-1]) if mine.ndim else (1, 1)
    row, column = np.unravel_index(np.argmax(apart), apart.reshape(shape).shape)
    shape_rows = mine.size // max(shape[1], 1)
    signed_apart = np.where(mine < expected, -apart, apart)
    figure = Figure(figsize=(8, min(2.4, 0.8 + 0.4 * shape_rows)), layout="constrained")
    figure.patch.set_alpha(0)  # a page may be light or dark; the words are grey enough for both
    titles = ["yours", "expected", "yours - expected"]
    shared = finite_size(np.stack([mine, expected]))
    limits = [shared, shared, finite_size(apart)]
    for axes, title, values, limit in zip(
        figure.subplots(1, 3), titles, [mine, expected, signed_apart], limits, strict=True
    ):
        table = values.reshape(shape)
        axes.imshow(table, cmap=signed_colormap(), vmin=-limit, vmax=limit, aspect="auto")
        axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, color=TROUBLE, lw=2))
        axes.set_title(f"{title} (colours to ±{limit:.2g})", color=STRUCTURE, fontsize=9)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_color(STRUCTURE)
        for (at_row, at_column), value in np.ndenumerate(table if table.size <= 40 else table[:0]):
            ink = "black" if abs(value) < 0.6 * limit else "white"  # NaN too is on a dark ground
            axes.text(at_column, at_row, f"{value:.2g}", color=ink, ha="center", va="center")
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=110)
    return png.getvalue()
