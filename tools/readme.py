"""Write the README's tables from what is committed: notebooks, results of training, speed.

A table stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->`. With `--check` nothing is
written, and a table that is out of step is an error.

- chapters: every `notebooks/PHASE_NN_title.ipynb`, its first heading and the modules it exports to.
- results: every `models/results/*.json`, with the fields of `Result`.
- speed: every `benchmarks/results/*.json`, with the fields of `Speed`.
"""

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PHASES = {
    "1": "a net by hand",
    "2": "the engine",
    "3": "what training needs",
    "4": "convolution",
    "5": "the models",
    "6": "the debugger",
}


@dataclass(frozen=True)
class Result:
    """What one trained model reached on data that it had not seen."""

    model: str
    data: str
    metric: str
    value: float
    published: float | None
    source: str
    epochs: int
    seconds: float
    cpu_seconds: float
    command: str

    def row(self) -> tuple[str, ...]:
        """Return the cells of the table's row."""
        published = "" if self.published is None else f"{self.score(self.published)}, {self.source}"
        reached = f"**{self.score(self.value)}**"
        cost = (str(self.epochs), duration(self.cpu_seconds), duration(self.seconds))
        return (self.model, self.data, self.metric, reached, published, *cost, f"`{self.command}`")

    def score(self, value: float) -> str:
        """Return a value in the metric's usual form."""
        return f"{100 * value:.2f} %" if "accuracy" in self.metric else f"{value:.3f}"


@dataclass(frozen=True)
class Speed:
    """What one benchmark measured: each peer's `ms`, and its `ratio` to PyTorch's eager mode."""

    name: str
    does: str
    peers: dict[str, dict[str, float]]


def duration(seconds: float) -> str:
    """Return a time in the unit that one would say it in."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


class Problem(Exception):
    """What is wrong with a file that a table is made from."""


def records(folder: Path, kind: type) -> list[Any]:
    """Return a record for each JSON file of a folder; fields that are none of its own are left."""
    found = []
    for path in sorted(folder.glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        missing = [field.name for field in fields(kind) if field.name not in content]
        if missing:
            raise Problem(f"{path}: the fields {', '.join(missing)} are missing.")
        found.append(kind(**{field.name: content[field.name] for field in fields(kind)}))
    return found


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def chapters(root: Path) -> str:
    """Return the map of the chapters, phase by phase."""
    rows = []
    for path in sorted((root / "notebooks").glob("[0-9]_*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources = ["".join(cell["source"]) for cell in cells]
        heading = re.search(r"^# +(.+)$", sources[0], re.MULTILINE)
        if heading is None:
            raise Problem(f"{path}: the first cell has no heading, `# The chapter's question`.")
        exported = re.findall(r"^#\| *(?:default_exp|export) +(\w+)", "\n".join(sources), re.M)
        modules = ", ".join(f"`{name}`" for name in dict.fromkeys(exported))
        phase = path.name[0]
        link = f"[{heading[1].strip()}](notebooks/{path.name})"
        rows.append((f"{phase}: {PHASES[phase]}", link, modules))
    return table(("phase", "chapter", "writes"), rows) if rows else "The first chapter is coming."


def results(root: Path) -> str:
    """Return what the trained models reached, beside what was published."""
    found = records(root / "models" / "results", Result)
    head = "model, unseen data, measure, reached, published, epochs, processor time, by the clock"
    columns = [*head.split(", "), "command"]
    rows = [result.row() for result in found]
    return table(columns, rows) if found else "Nothing is trained yet."


def speed(root: Path) -> str:
    """Return the ratios to PyTorch's eager mode, minitorch first."""
    measured = records(root / "benchmarks" / "results", Speed)
    found = [record for record in measured if "minitorch" in record.peers]  # others have no peer
    peers = {name for record in found for name in record.peers} - {"minitorch"}
    others = sorted(peers, key=lambda name: (not name.startswith("minitorch"), name))
    rows = []
    for record in found:
        ratios = [
            f"{record.peers[name]['ratio']:.2f}" if name in record.peers else ""
            for name in ("minitorch", *others)
        ]
        time = f"{record.peers['minitorch']['ms']:.3g} ms"
        rows.append((f"`{record.name}`", record.does, time, f"**{ratios[0]}**", *ratios[1:]))
    head = ("benchmark", "what it does", "minitorch takes", "minitorch", *others)
    return table(head, rows) if found else "Nothing is measured yet."


TABLES = {"chapters": chapters, "results": results, "speed": speed}


def with_tables(text: str, root: Path) -> str:
    """Return the README's text with each table made anew."""
    for name, make in TABLES.items():
        begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
        if text.count(begin) != 1 or text.count(end) != 1:
            raise Problem(f"README.md: {begin} and {end} must stand there, once each.")
        before, rest = text.split(begin)
        text = f"{before}{begin}\n{make(root)}\n{end}{rest.split(end)[1]}"
    return text


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Write the tables, or with `--check` compare them; return the exit code."""
    path = root / "README.md"
    text = path.read_text(encoding="utf-8")
    try:
        made = with_tables(text, root)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 1
    if made == text:
        return 0
    if "--check" in arguments:
        print("README.md is out of step: run `make readme` and commit it.", file=sys.stderr)
        return 1
    path.write_text(made, encoding="utf-8", newline="\n")
    print("README.md is written.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
