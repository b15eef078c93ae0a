"""Extract minitorch/ from the notebooks: the `#| export` cells, module by module.

    python notebooks/extract.py                        write minitorch/
    python notebooks/extract.py --check                fail, with a diff, when out of step
    python notebooks/extract.py --phase 2 --to DIR     write what phases 1 and 2 built

README.md beside this file tells authors which cell goes where. Leans on ruff for order and layout.
"""

import argparse
import ast
import difflib
import itertools
import json
import re
import subprocess
import symtable
import sys
import tempfile
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIRECTIVE = re.compile(r"^#\|[ \t]*(\w*)[ \t]*(.*)", re.MULTILINE)
SOURCE_NOTE = "Grown in notebooks: "


class ExtractError(Exception):
    """The notebooks make no package; the message names the place, the cause and the cure."""


@dataclass(frozen=True)
class Cell:
    """One exported cell, and where an author finds it."""

    notebook: str
    number: int
    module: str
    source: str

    @property
    def place(self) -> str:
        """The words by which an error message names the cell."""
        return f"{self.notebook}.ipynb, cell {self.number}"

    def error(self, cause: str, cure: str) -> ExtractError:
        """Return the error for the caller to raise."""
        return ExtractError(f"{self.place}: {cause}. {cure}.")


@dataclass
class Module:
    """What the cells of one module add up to; each piece remembers the cell that it came from."""

    cells: list[Cell] = field(default_factory=list)
    docstring: str = ""
    imports: dict[str, Cell] = field(default_factory=dict)
    typing_imports: dict[str, Cell] = field(default_factory=dict)
    written_all: list[str] = field(default_factory=list)
    names: dict[str, Cell] = field(default_factory=dict)
    bodies: list[tuple[Cell, str]] = field(default_factory=list)


def read_cells(notebook: Path) -> Iterator[Cell]:
    """Yield the exported cells of one notebook in order, numbered from 1 among all its cells."""
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        sources = [(raw["cell_type"], "".join(raw["source"]).lstrip()) for raw in cells]
    except (ValueError, KeyError, TypeError) as error:
        raise ExtractError(
            f"{notebook.name}: not a notebook ({error!r}). Restore it with `git checkout`, "
            "or look for conflict marks left by a merge."
        ) from error
    module = ""
    for number, (kind, source) in enumerate(sources, start=1):
        if kind != "code" or not (found := DIRECTIVE.search(source)):
            continue
        directive, name = found[1], found[2].strip() or module
        cell = Cell(notebook.stem, number, name, source)
        if directive not in ("export", "default_exp"):
            raise cell.error(
                f"`{found[0]}` says nothing to the extractor", "Write `export` or `default_exp`"
            )
        if found.start():
            raise cell.error(f"`{found[0]}` is not the first line", "Move it to the top")
        if not name.isidentifier():
            cause = f"`{name}` is not a module name" if name else "exported, but to no module"
            cure = "Write `#| export NAME`, or a cell `#| default_exp NAME` above it"
            raise cell.error(cause, cure)
        if directive == "default_exp":
            module = name
        else:
            yield cell


def parse(cell: Cell) -> list[ast.stmt]:
    """Return the cell's statements."""
    try:
        return ast.parse(cell.source).body
    except SyntaxError as error:
        if magic := re.search(r"^\s*[%!].*", cell.source, re.MULTILINE):
            cause, cure = f"`{magic[0].strip()}` is notebook magic", "Move it to a cell of its own"
        else:
            cause, cure = f"syntax error in line {error.lineno}, {error.msg}", "Mend that line"
        raise cell.error(cause, cure) from error


def is_import(statement: ast.stmt) -> bool:
    """Tell both spellings of an import from other statements."""
    return isinstance(statement, ast.Import | ast.ImportFrom)


def import_lines(statements: Iterable[ast.stmt], module: str) -> Iterator[str]:
    """Yield one line per imported name, without what the module itself defines."""
    for statement in statements:
        match statement:
            case ast.Import(names):
                yield from (f"import {ast.unparse(alias)}" for alias in names)
            case ast.ImportFrom(source, names, level) if source != f"minitorch.{module}":
                origin = "." * level + (source or "")
                yield from (f"from {origin} import {ast.unparse(alias)}" for alias in names)


def defined_names(cell: Cell) -> list[str]:
    """Return the names that the cell's own code gives to the module."""
    symbols = symtable.symtable(cell.source, cell.place, "exec").get_symbols()
    assigned = [symbol.get_name() for symbol in symbols if symbol.is_assigned()]
    return [name for name in assigned if not name.startswith("__")]


def add_cell(module: Module, cell: Cell) -> None:
    """Sort the cell's statements into the module; definitions, code and comments stay together."""
    module.cells.append(cell)
    lines = cell.source.split("\n")
    body = set(range(1, len(lines)))  # line 0 is the directive
    reached = 0
    for position, statement in enumerate(parse(cell)):
        span = range(statement.lineno - 1, statement.end_lineno or statement.lineno)
        if span.start < reached:
            cause = f"two statements on one line, `{lines[span.start].strip()}`"
            raise cell.error(cause, "Give each a line of its own")
        reached = span.stop
        match statement:
            case ast.Expr(ast.Constant(str())) if position == 0:
                if module.docstring:
                    raise cell.error(f"a second docstring for {cell.module}.py", "Keep one of them")
                module.docstring = "\n".join(lines[number] for number in span)
            case ast.Import() | ast.ImportFrom():
                for line in import_lines([statement], cell.module):
                    module.imports.setdefault(line, cell)
            case ast.If(ast.Name("TYPE_CHECKING"), block, []) if all(map(is_import, block)):
                for line in import_lines(block, cell.module):
                    module.typing_imports.setdefault(line, cell)
            case ast.Assign([ast.Name("__all__")], value):
                try:
                    module.written_all += ast.literal_eval(value)
                except (ValueError, TypeError) as error:
                    raise cell.error("`__all__` is no list of names", "Write them out") from error
            case _:
                continue
        body.difference_update(span)
    if text := "\n".join(lines[number] for number in sorted(body)).strip():
        module.bodies.append((cell, text))
    for name in defined_names(cell):
        if other := module.names.get(name):
            cause = f"`{name}` is already defined in {cell.module}.py ({other.place})"
            raise cell.error(cause, "Keep one of the two; a class is whole in one cell")
        module.names[name] = cell


def patched(statement: ast.stmt) -> Iterator[tuple[str, str]]:
    """Yield `("Tensor", "exp")` where the statement says `Tensor.exp = ...`, in any spelling."""
    for part in ast.walk(statement):
        match part:
            case ast.Attribute(ast.Name(owner), name, ast.Store()):
                yield owner, name
            case ast.Call(ast.Name("setattr"), [ast.Name(owner), name, *_]):
                yield owner, ast.unparse(name).strip("'")


def forbid_patching(modules: Iterable[Module]) -> None:
    """Raise where a cell adds to a class that another cell defines, as in `Tensor.exp = exp`."""
    parsed = [(cell, ast.parse(body).body) for module in modules for cell, body in module.bodies]
    homes = {s.name: cell for cell, body in parsed for s in body if isinstance(s, ast.ClassDef)}
    for cell, body in parsed:
        for owner, name in itertools.chain.from_iterable(map(patched, body)):
            if homes.get(owner, cell) != cell:
                cause = f"`{owner}.{name}` is added to a class of {homes[owner].place}"
                raise cell.error(cause, f"Write it into the class: {owner} is whole in one cell")


def assemble(module: Module) -> Iterator[tuple[str, Cell]]:
    """Yield the module's pieces in order, each with the cell that answers for it."""
    first = module.cells[0]
    if not module.docstring:
        cure = "Begin the cell with one that says what lives here and what it leans on"
        raise first.error(f"module {first.module} has no docstring", cure)
    notebooks = dict.fromkeys(cell.notebook for cell in module.cells)
    note = f"{SOURCE_NOTE}{', '.join(notebooks)}. Edit there, then `make extract`."
    note = textwrap.fill(note, 100, initial_indent="# ", subsequent_indent="# ")
    yield f"{module.docstring}\n\n{note}\n", first
    yield from module.imports.items()
    typing_only = {k: v for k, v in module.typing_imports.items() if k not in module.imports}
    if typing_only:
        yield "if TYPE_CHECKING:", first
        yield from ((f"    {line}", cell) for line, cell in typing_only.items())
        yield "", first
    public = module.written_all or [name for name in module.names if name[0] != "_"]
    yield f"__all__ = {public}", first
    yield from ((f"\n\n{body}", cell) for cell, body in module.bodies)


def ruff(*arguments: str | Path) -> str:
    """Run ruff with the repository's settings and return what it prints."""
    command = [sys.executable, "-m", "ruff", *arguments, "--config", "pyproject.toml", "--no-cache"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    if done.returncode > 1 or "No module named ruff" in done.stderr:
        raise ExtractError(f"ruff does not run; `make setup` installs it.\n{done.stderr.strip()}")
    return done.stdout


def check_names(folder: Path, origins: dict[str, list[Cell]]) -> None:
    """Raise for the first name that is imported and not used, or used and not known."""
    cures = {
        "F401": "Delete the import, or move it to a cell that is not exported",
        "F811": "Keep one of the two",
        "F821": "Import it in an exported cell of this module",
        "F822": "Take it out of `__all__`, or define it",
    }
    report = ruff("check", f"--select={','.join(cures)}", "--output-format=json", folder)
    for problem in json.loads(report):
        file, row = Path(problem["filename"]).name, problem["location"]["row"]
        cause = f"{problem['message']} (module {Path(file).stem})"
        raise origins[file][row - 1].error(cause, cures[problem["code"]])


def extract(notebooks: Iterable[Path]) -> dict[str, str]:
    """Return the text of every module of the package, by file name."""
    modules: dict[str, Module] = {}
    for notebook in notebooks:
        for cell in read_cells(notebook):
            add_cell(modules.setdefault(cell.module, Module()), cell)
    forbid_patching(modules.values())
    with tempfile.TemporaryDirectory() as temporary:
        folder, origins = Path(temporary), {}
        for name, module in modules.items():
            pieces = list(assemble(module))
            origins[f"{name}.py"] = [cell for text, cell in pieces for _ in text.split("\n")]
            text = "\n".join(text for text, _ in pieces) + "\n"
            (folder / f"{name}.py").write_text(text, encoding="utf-8")
        check_names(folder, origins)
        first_party = 'lint.isort.known-first-party=["minitorch"]'
        ruff("check", "--select=I,RUF022", "--fix", "--config", first_party, folder)
        ruff("format", folder)
        return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.iterdir())}


def differences(modules: dict[str, str], package: Path) -> dict[Path, str]:
    """Return a unified diff for each file of the package that the notebooks would change."""
    files = {package / name for name in modules} | set(package.glob("*.py"))
    diffs = {}
    for path in sorted(files):
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        new = modules.get(path.name, "")
        if old != new or path.name not in modules:
            lines = old.splitlines(True), new.splitlines(True)
            diffs[path] = "".join(difflib.unified_diff(*lines, str(path), "notebooks"))
    return diffs


def write(modules: dict[str, str], package: Path) -> list[Path]:
    """Bring the package in step with the notebooks and return the files that changed.

    A file that lost its cells is deleted; one that never had any is left, and named.
    """
    package.mkdir(parents=True, exist_ok=True)
    changed = differences(modules, package)
    for path in changed:
        if path.name in modules:
            path.write_text(modules[path.name], encoding="utf-8")
        elif SOURCE_NOTE in path.read_text(encoding="utf-8"):
            path.unlink()
        else:
            print(
                f"{path.name} was written by hand, but the package is extracted: "
                "move it into `#| export` cells of a notebook, or out of the package.",
                file=sys.stderr,
            )
    return list(changed)


def chapters(folder: Path, phase: int | None = None) -> list[Path]:
    """Return the notebooks in name order; with `phase`, those of this phase and earlier ones."""
    found = sorted(folder.glob("*.ipynb"))
    if phase is None:
        return found
    numbers = {path: re.match(r"\d+", path.name) for path in found}
    return [path for path, number in numbers.items() if number and int(number[0]) <= phase]


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 1 when the notebooks have a fault or the package is out of step."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing, fail when out of step")
    parser.add_argument("--phase", type=int, help="leave out the notebooks of later phases")
    parser.add_argument("--notebooks", type=Path, default=ROOT / "notebooks", metavar="DIR")
    parser.add_argument("--to", type=Path, default=ROOT / "minitorch", metavar="DIR")
    options = parser.parse_args(arguments)
    if options.phase is not None and options.to == ROOT / "minitorch":
        parser.error("--phase leaves modules out: say with --to where the smaller package goes")
    try:
        if not (notebooks := chapters(options.notebooks, options.phase)):
            raise ExtractError(
                f"There is no chapter in {options.notebooks}, and no package without one: "
                "name with --notebooks the folder where they are."
            )
        modules = extract(notebooks)
        if not options.check:
            changed = write(modules, options.to)
            print(f"{options.to.name}: {len(modules)} modules, {len(changed)} changed")
            return 0
    except ExtractError as error:
        print(error, file=sys.stderr)
        return 1
    diffs = differences(modules, options.to)
    sys.stdout.writelines(diffs.values())
    if diffs:
        print(f"{options.to.name} is out of step with the notebooks: run `make extract`.")
    return 1 if diffs else 0


if __name__ == "__main__":
    sys.exit(main())
