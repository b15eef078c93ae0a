"""Execute chapters in a fresh kernel and freeze what they show, so that it can be committed.

    python notebooks/build.py                   extract, then build every chapter
    python notebooks/build.py 2_01 2_07         ... those whose names begin like this
    python notebooks/build.py --phase 2         prove that phases 1 and 2 need no later one
    python notebooks/build.py --check-frozen    fail when a notebook is not as built

Frozen means: run from top to bottom, without widget state and without what changes from run to
run. Leans on nbclient, and on extract.py beside this file.
"""

import argparse
import ast
import hashlib
import os
import re
import sys
import tempfile
import textwrap
import time
from collections import Counter
from copy import deepcopy
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from extract import ROOT, ExtractError, chapters, extract, write

SECONDS, TRAINING_SECONDS = 60, 180  # a chapter that trains has "training": true in its metadata
CELL_SECONDS = 600
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
FOLDED_LINES = 20  # of nothing but imports and `__all__`
UNDER_SOURCE = "-" * 18 + "\n"  # nbclient draws this line between the cell and its traceback
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}

Notebook = Any  # nbformat and nbclient have no types


class BuildError(Exception):
    """A cell failed; the message shows where, what it says and how the traceback ends."""


def execute(notebook: Notebook, name: str, folder: Path, packages: list[Path]) -> None:
    """Run all cells in a fresh kernel that imports from `packages`, and fill their outputs."""
    cells_begun: list[int] = []
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=CELL_SECONDS,
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--log-level=ERROR"],
        store_widget_state=False,
        record_timing=False,
        coalesce_streams=True,
        on_cell_start=lambda cell, cell_index: cells_begun.append(cell_index),
    )
    try:
        client.execute(env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, packages))})
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        position = cells_begun[-1]
        source = textwrap.indent(notebook.cells[position].source, "    ")
        said = COLOUR.sub("", str(error)).split(UNDER_SOURCE)[-1].strip()
        end = "\n".join(said.splitlines()[-12:])
        message = f"{name}, cell {position + 1} failed:\n\n{source}\n\n{end}"
        raise BuildError(message) from error


def freeze(notebook: Notebook) -> Notebook:
    """Return the notebook without what depends on the machine, the moment or a live kernel.

    A cell's id is made from its source: it stays when other cells come and go, and it tells when
    the source was changed after the cell was executed.
    """
    frozen = deepcopy(notebook)
    frozen.nbformat, frozen.nbformat_minor = 4, 5
    training = {"training": True} if notebook.metadata.get("training") else {}
    frozen.metadata = nbformat.from_dict(METADATA | training)
    seen: Counter[str] = Counter()
    for cell in frozen.cells:
        digest = hashlib.sha256(cell.source.encode()).hexdigest()[:8]
        seen[digest] += 1
        cell.id = f"{digest}-{seen[digest]}"
        tags = {"tags": cell.metadata.tags} if cell.metadata.get("tags") else {}
        folded = {"jupyter": {"source_hidden": True}} if only_lists_names(cell) else {}
        cell.metadata = nbformat.from_dict(tags | folded)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET_VIEW, None)
    return frozen


def only_lists_names(cell: Any) -> bool:
    """Whether a cell does no more than offer a long list of names to users: it is shown folded."""
    source = cell.source
    if not source.startswith("#| export") or source.count("\n") < FOLDED_LINES:
        return False
    statements = ast.parse(source).body
    return all(isinstance(each, ast.Import | ast.ImportFrom | ast.Assign) for each in statements)


def faults(notebook: Notebook) -> list[str]:
    """Return what keeps a notebook from being committed, in words."""
    frozen = freeze(notebook)
    pairs = list(zip(notebook.cells, frozen.cells, strict=True))
    found = [
        f"cell {number} was edited after it was executed, or never built"
        for number, (cell, built) in enumerate(pairs, start=1)
        if cell.get("id") != built.id
    ]
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        found.append("its cells were not executed once each, from top to bottom")
    if not found and notebook != frozen:
        found.append("it holds widget state or other things that change from run to run")
    return found


def check_frozen(paths: list[Path]) -> int:
    """Print what is not frozen; 1 if there is anything."""
    found = {path: faults(nbformat.read(path, as_version=4)) for path in paths}
    for path, reasons in found.items():
        for reason in reasons[:3]:
            print(f"{path.name}: {reason}: run `python notebooks/build.py {path.stem}`.")
    return 1 if any(found.values()) else 0


def build(path: Path, packages: list[Path], keep: bool) -> None:
    """Execute one chapter, freeze and save it, and say how long it took."""
    notebook = nbformat.read(path, as_version=4)
    begun = time.perf_counter()
    execute(notebook, path.name, path.parent, packages)
    seconds = time.perf_counter() - begun
    limit = TRAINING_SECONDS if notebook.metadata.get("training") else SECONDS
    verdict = f"  longer than the {limit} s that a learner waits" if seconds > limit else ""
    print(f"{path.stem:40}{seconds:6.1f} s{verdict}", flush=True)
    if keep:
        nbformat.write(freeze(notebook), path)


def build_all(paths: list[Path], packages: list[Path], keep: bool) -> int:
    """Build the chapters in order, the later ones also when one fails; 1 if one did."""
    failed = 0
    for path in paths:
        try:
            build(path, packages, keep)
        except BuildError as error:
            failed = 1
            print(f"\n{error}\n", file=sys.stderr, flush=True)
    return failed


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 1 when a chapter fails or is not frozen."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="how the names of the wanted chapters begin")
    parser.add_argument("--phase", type=int, help="without later modules; writes nothing")
    parser.add_argument("--check-frozen", action="store_true", help="execute nothing, only look")
    parser.add_argument("--notebooks", type=Path, default=ROOT / "notebooks", metavar="DIR")
    parser.add_argument("--package", type=Path, default=ROOT / "minitorch", metavar="DIR")
    options = parser.parse_args(arguments)
    paths = chapters(options.notebooks, options.phase)
    wanted = [path for path in paths if path.name.startswith(tuple(options.names) or "")]
    if not wanted:
        parser.error(f"no chapter of {options.notebooks} is named {' or '.join(options.names)}...")
    if options.check_frozen:
        return check_frozen(wanted)
    try:
        modules = extract(paths)
        if options.phase is None:
            write(modules, options.package)
            return build_all(wanted, [options.package.parent, ROOT], keep=True)
        with tempfile.TemporaryDirectory() as folder:
            package = Path(folder) / options.package.name
            write(modules, package)
            return build_all(wanted, [package.parent, ROOT], keep=False)
    except ExtractError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
