"""The layout engine: Graphviz, from wherever it is installed. DOT text in, coordinates out.

`dot` on PATH comes first, then the pip package `graphviz-pure`; without either, pictures fall back
to a table and say what to install. Leans on nothing of ours.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

MISSING = (
    "No layout engine found, so the graph is shown as a table. `pip install graphviz-pure`, or "
    "install Graphviz (its program is called dot), and draw it again."
)
PATIENCE = 6  # seconds


@dataclass(slots=True)
class Placed:
    """What the engine answers, in points, y downwards: centres of nodes and curves of edges."""

    width: float
    height: float
    nodes: dict[str, tuple[float, float]]
    edges: dict[tuple[str, str], list[tuple[float, float]]]


def find_engine() -> str | None:
    """The program that lays graphs out, or None."""
    here = Path(sys.executable).parent
    return (
        shutil.which("dot")
        or shutil.which("graphviz-pure")
        or shutil.which("graphviz-pure", path=str(here))
    )


def engine_name() -> str:
    """`dot`, `graphviz-pure`, or `none`."""
    found = find_engine()
    return Path(found).stem if found else "none"


def place(dot: str) -> Placed | None:
    """Lay out a graph given as DOT; None where no engine is, or where it gives up."""
    engine = find_engine()
    return None if engine is None else run(engine, dot)


@lru_cache(maxsize=64)
def run(engine: str, dot: str) -> Placed | None:
    """What an engine makes of a graph given as DOT; None when it takes too long or fails."""
    try:
        done = subprocess.run(
            [engine, "-Tplain"], input=dot, capture_output=True, text=True, encoding="utf-8",
            timeout=PATIENCE, check=False,
        )  # fmt: skip
    except (subprocess.TimeoutExpired, OSError):  # or it does not start: an environment was moved
        return None
    failed = done.returncode or not done.stdout.startswith("graph")
    return None if failed else read_plain(done.stdout)


def read_plain(text: str) -> Placed:
    """Graphviz's plain format: inches, y upwards. Names are ours: words without spaces."""
    placed = Placed(0, 0, {}, {})
    for line in text.splitlines():
        kind, *words = line.split(" ")
        if kind == "graph":
            placed.width, placed.height = (72 * float(word) for word in words[1:3])
        elif kind == "node":
            placed.nodes[words[0]] = (72 * float(words[1]), placed.height - 72 * float(words[2]))
        elif kind == "edge":
            count = int(words[2])
            numbers = [72 * float(word) for word in words[3 : 3 + 2 * count]]
            points = zip(numbers[::2], numbers[1::2], strict=True)
            placed.edges[words[0], words[1]] = [(x, placed.height - y) for x, y in points]
    return placed
