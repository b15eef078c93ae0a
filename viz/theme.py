"""The colours of every picture: one colour, one meaning, and never colour alone.

Blue is a value on its way forward, orange a gradient on its way back, green a parameter, grey
structure, magenta trouble; numbers with a sign run from purple over white to teal. All pairs stay
apart for colour-blind eyes. Leans on numpy; matplotlib is loaded only when it is asked for.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

LIGHT = {
    "ink": "#1c2430",
    "muted": "#66717f",
    "line": "#d5dbe3",
    "panel": "#ffffff",
    "canvas": "#f8f9fb",
    "value": "#1f6fb4",
    "value-soft": "#e3eef8",
    "gradient": "#c25a00",
    "gradient-soft": "#fdeedd",
    "parameter": "#2b7d5c",
    "parameter-soft": "#e2f2ea",
    "trouble": "#b3124f",
    "trouble-soft": "#fbe4ec",
}
DARK = {
    "ink": "#e7eaef",
    "muted": "#97a3b4",
    "line": "#3a4450",
    "panel": "#1a1f26",
    "canvas": "#14181e",
    "value": "#6cb4ee",
    "value-soft": "#1b3347",
    "gradient": "#f2a04e",
    "gradient-soft": "#43301c",
    "parameter": "#6cc79f",
    "parameter-soft": "#1d382d",
    "trouble": "#ff7aa8",
    "trouble-soft": "#4a1f30",
}

VALUE = LIGHT["value"]
GRADIENT = LIGHT["gradient"]
PARAMETER = LIGHT["parameter"]
STRUCTURE = "#7f8a99"  # a grey that can be read on white and on black
TROUBLE = LIGHT["trouble"]
INK = LIGHT["ink"]

SIGNED = ["#7b3fa0", "#ffffff", "#0b7a75"]  # below zero, zero, above zero

SANS = ["Inter", "Helvetica Neue", "Arial", "DejaVu Sans", "sans-serif"]
MONO = ["JetBrains Mono", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace"]


def use() -> None:
    """Give matplotlib calm defaults in these colours, and the colormap "signed"."""
    import matplotlib as mpl
    from cycler import cycler

    if "signed" not in mpl.colormaps:
        mpl.colormaps.register(signed_colormap(), name="signed")
    mpl.rcParams.update(
        {
            "axes.edgecolor": STRUCTURE,
            "axes.labelcolor": INK,
            "axes.prop_cycle": cycler(
                color=[VALUE, GRADIENT, PARAMETER, TROUBLE, SIGNED[0], STRUCTURE]
            ),
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlelocation": "left",
            "axes.titlesize": 11,
            "figure.constrained_layout.use": True,
            "figure.dpi": 100,
            "figure.facecolor": "white",
            "figure.figsize": (7.0, 3.2),
            "font.size": 10,
            "grid.color": LIGHT["line"],
            "grid.linewidth": 0.6,
            "image.cmap": "signed",
            "image.interpolation": "nearest",
            "legend.frameon": False,
            "lines.linewidth": 1.8,
            "savefig.facecolor": "white",
            "text.color": INK,
            "xtick.color": STRUCTURE,
            "xtick.labelcolor": INK,
            "ytick.color": STRUCTURE,
            "ytick.labelcolor": INK,
        }
    )


def signed_colormap() -> Any:
    """Matplotlib's form of `signed_colors`, for `vmin=-limit, vmax=limit`; NaN is magenta."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("signed", SIGNED).with_extremes(bad=TROUBLE)


def signed_colors(values: Array, limit: float) -> Array:
    """Red, green and blue bytes, (..., 3), of numbers from -limit (purple) to limit (teal).

    What is not finite is magenta, so that it cannot hide.
    """
    finite = np.isfinite(values)
    share = np.clip(np.where(finite, values, 0) / (limit or 1), -1, 1)
    below, zero, above = (np.array(rgb(color), np.float32) for color in SIGNED)
    end = np.where(share[..., None] < 0, below, above)
    colors = zero + (end - zero) * np.abs(share)[..., None]
    return np.where(finite[..., None], colors.round(), rgb(TROUBLE)).astype(np.uint8)


def rgb(color: str) -> tuple[int, int, int]:
    """The three bytes of "#rrggbb"."""
    red, green, blue = bytes.fromhex(color[1:])
    return red, green, blue


def css(selector: str = ":root") -> str:
    """The colours as CSS variables (`--value`, ...), dark where the reader prefers it."""
    light, dark = (
        "".join(f"--{name}:{color};" for name, color in colors.items()) for colors in (LIGHT, DARK)
    )
    return f"{selector}{{{light}}}@media (prefers-color-scheme:dark){{{selector}{{{dark}}}}}"
