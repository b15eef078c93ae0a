"""`benchmarks/README.md`: every committed result as a table, with the machine that it is from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HEAD = """\
# How fast it is

Made from `results/` by `python -m benchmarks`. Each figure is the time of one step as a ratio to
PyTorch's eager mode in the same run, two threads for everybody: below 1 is faster. Steps take
turns, and only samples in which other processes kept quiet count. `python -m benchmarks profile
NAME` says op by op where our own time goes. "minitorch, numba" is the same code after
`minitorch.compiled.use()`: its passes over memory are loops that numba has compiled."""
SCALE = """
## By scale

![Time of a training step of ResNets over batch, depth and image area.](results/scale.svg)

`python -m benchmarks scale`: ours alone, per image where the batch grows.
"""


PRODUCTS = """
The rows named `product` are matrix products and nothing else, in numpy's BLAS (OpenBLAS) and in
PyTorch's. What a layer that is made of products takes beyond their ratio is copies, sums, and
whatever else is not the product."""


PROFILES = """
## Where our time goes

Beside the ratio that was reached and the bar that was set: shares of our step, of the ops that
take 2 % of it and more.
"""


def write(results: Path) -> None:
    """Write the page beside the folder of results."""
    records = [json.loads(path.read_text()) for path in sorted(results.rglob("*.json"))]
    compared = [record for record in records if "minitorch" in record["peers"]]
    lines = [HEAD]
    for title, found in (
        ("Whole steps", [each for each in compared if "/" not in each["name"]]),
        ("Single layers", [each for each in compared if "/" in each["name"]]),
    ):
        if found:
            lines += [f"\n## {title}\n", *table(found)]
            lines += [PRODUCTS] if title == "Single layers" else []
    if profiles := [each for each in compared if "profile" in each]:
        lines += [PROFILES, *profile_table(profiles)]
    lines += [line for record in records if "megabytes" in record for line in memory_lines(record)]
    if (results / "scale.svg").exists():
        lines.append(SCALE.rstrip("\n"))
    (results.parent / "README.md").write_text("\n".join(lines) + "\n")


def table(records: list[dict[str, Any]]) -> list[str]:
    """One row per result: what, ours in milliseconds, all ratios, when and on what."""
    peers = list(dict.fromkeys(peer for record in records for peer in record["peers"]))
    head = ["benchmark", "does", "ms", *peers, "bar", "goal", "date", "processor"]
    rows = [head, ["---"] * len(head)]
    for record in records:
        ratios = [record["peers"].get(peer, {}).get("ratio") for peer in peers]
        rows.append(
            [
                f"`{record['name']}`",
                record["does"],
                f"{record['peers']['minitorch']['ms']:.3g}",
                *("" if ratio is None else f"{ratio:.2f}" for ratio in ratios),
                str(record.get("bar") or ""),
                str(record.get("goal") or ""),
                record["date"],
                str(record["machine"]["cpu"]),
            ]
        )
    return [f"| {' | '.join(row)} |" for row in rows]


def profile_table(records: list[dict[str, Any]]) -> list[str]:
    """One row per result: ours beside its bar, and which op takes which share."""
    rows = [["benchmark", "ratio", "bar", "ours, by op"], ["---"] * 4]
    for record in records:
        shares = [f"{op} {share:.0%}" for op, share in record["profile"].items()]
        ratio = record["peers"]["minitorch"]["ratio"]
        rows.append([f"`{record['name']}`", f"{ratio:.2f}", str(record["bar"]), ", ".join(shares)])
    return [f"| {' | '.join(row)} |" for row in rows]


def memory_lines(record: dict[str, Any]) -> list[str]:
    """What each framework holds at most in a step, as a table of its own."""
    rows = [["framework", "MB", "ratio", "bar"], ["---"] * 4]
    for peer, megabytes in record["megabytes"].items():
        bar = str(record["bar"]) if peer == "minitorch" else ""
        rows.append([peer, f"{megabytes:.0f}", f"{record['ratios'][peer]:.2f}", bar])
    head = f"\n## Memory\n\nThe {record['does']}, beside what is held before it.\n"
    return [head, *(f"| {' | '.join(row)} |" for row in rows)]
