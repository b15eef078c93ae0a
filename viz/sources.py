"""Where in the user's code something happened, and what an op's own code says.

The line that called an op with its neighbours, the name under which the caller knows a tensor,
and each backward rule as the piece of source that it was written as. Leans on linecache, which
also holds the cells of a notebook, and on ast.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import sys
import sysconfig
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any

INSTALLED = tuple({sysconfig.get_path(kind) for kind in ("stdlib", "purelib", "platlib")})
AROUND = 3  # lines shown before and after


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the user's code."""

    file: str
    line: int
    function: str

    @property
    def where(self) -> str:
        """`In [5]` for a cell, else the file's name."""
        return cell_name(self.file) or Path(self.file).name

    def lines(self) -> list[tuple[int, str]]:
        """The line in its context, numbered, without the indentation that all share."""
        numbers = range(max(1, self.line - AROUND), self.line + AROUND + 1)
        found = [(number, linecache.getline(self.file, number)) for number in numbers]
        kept = [(number, text.rstrip("\n")) for number, text in found if text]
        if self.function != "<module>":  # what comes after the function is another story
            outside = (k for k, (number, text) in enumerate(kept) if self.is_after(number, text))
            kept = kept[: next(outside, len(kept))]
        while kept and not kept[-1][1].strip():
            kept.pop()
        text = textwrap.dedent("\n".join(line for _, line in kept)).split("\n")
        return [(number, line) for (number, _), line in zip(kept, text, strict=False)]

    def is_after(self, number: int, text: str) -> bool:
        """Whether a line below begins something else at the left margin."""
        return number > self.line and bool(text) and not text[0].isspace() and text[0] not in ")]}"

    @property
    def short_file(self) -> str:
        """The last two parts of the path; of a cell, nothing: its place is a temporary file."""
        return "" if cell_name(self.file) else "/".join(Path(self.file).parts[-2:])


def cell_name(file: str) -> str | None:
    """`In [5]` when the file is a notebook's cell that IPython ran."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None:
        return None
    named = shell.compile.format_code_name(file)
    return named[1].replace("In[", "In [") if named and named[0] == "Cell" else None


def user_frame() -> FrameType:
    """The innermost frame outside minitorch and viz, or the outermost there is."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(("minitorch.", "viz.")):
        frame = frame.f_back
    return frame


def place_of(frame: FrameType) -> Place:
    """Where a frame is now."""
    return Place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)


def place_of_error(trace: TracebackType | None) -> Place | None:
    """The innermost line that is neither minitorch's nor viz's nor an installed package's."""
    found = None
    while trace is not None:
        frame = trace.tb_frame
        name, file = frame.f_globals.get("__name__", ""), frame.f_code.co_filename
        if not (name.startswith(("minitorch.", "viz.")) or file.startswith(INSTALLED)):
            found = Place(file, trace.tb_lineno, frame.f_code.co_name)
        trace = trace.tb_next
    return found


def variable_name(frame: FrameType, value: Any) -> str | None:
    """What the code in `frame` calls `value`: a local, an attribute of self, or a global."""
    scopes = [("", frame.f_locals)]
    if "self" in frame.f_locals:
        scopes.append(("", getattr(frame.f_locals["self"], "__dict__", {})))
    scopes.append(("", frame.f_globals))
    for _, scope in scopes:
        for name, other in list(scope.items()):
            if other is value and not name.startswith("_"):
                return name
    return None


# ---- the op's own code -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpSource:
    """The body of an op as text, without decorator and docstring, and the tree it was read from."""

    doc: str
    code: str
    file: str
    line: int
    tree: ast.FunctionDef | None
    lines: tuple[str, ...] = ()  # all of it, as the tree's line numbers count from `line` on


@lru_cache(maxsize=4096)
def op_source(op: Callable[..., Any]) -> OpSource:
    """What the op's source says; empty where Python no longer has it."""
    file = op.__code__.co_filename
    line = op.__code__.co_firstlineno
    doc = inspect.getdoc(op) or ""
    try:
        lines, line = inspect.getsourcelines(op)
        tree = ast.parse(textwrap.dedent("".join(lines))).body[0]
    except (OSError, TypeError, SyntaxError, IndentationError):
        return OpSource(doc, "", file, line, None)
    if not isinstance(tree, ast.FunctionDef):
        return OpSource(doc, "".join(lines), file, line, None)
    text = tuple(textwrap.dedent("".join(lines)).split("\n"))
    source = OpSource(doc, "", file, line, ast.increment_lineno(tree, line - 1), text)
    return replace(source, code=code_of(source, spoken(tree)))


def spoken(tree: ast.FunctionDef) -> list[ast.stmt]:
    """The statements that tell about the op: neither docstring nor checks."""
    statements = tree.body[1:] if ast.get_docstring(tree) is not None else tree.body
    return [each for each in statements if not only_checks(each)]


def code_of(source: OpSource, statements: list[ast.stmt]) -> str:
    """Some statements of an op as text."""
    rows = [row for each in statements for row in source.lines[slice(*span(each, source.line))]]
    return textwrap.dedent("\n".join(rows))


def span(statement: ast.stmt, first: int) -> tuple[int, int]:
    """Where a statement begins and ends, in lines from `first`."""
    return statement.lineno - first, (statement.end_lineno or statement.lineno) - first + 1


def code_that_ran(op: Callable[..., Any], rules: Any) -> str:
    """An op's code without the early exits that were not taken, where its rules tell which were.

    What is left begins with what ran: three lines are all that a laptop's page has room for.
    """
    source = op_source(op)
    given = rules if isinstance(rules, tuple) else (rules,)
    trees = [tree for tree in (rule_tree(op, rule) for rule in given) if tree is not None]
    if source.tree is None or not trees:
        return source.code
    returned = [each for each in ast.walk(source.tree) if isinstance(each, ast.Return)]
    if not all(any(uses(each, tree) for each in returned) for tree in trees):
        return source.code
    kept: list[ast.stmt] = []
    for each in spoken(source.tree):
        if not is_exit(each):
            kept.append(each)
        elif any(uses(each, tree) for tree in trees):
            return code_of(source, [*kept, each])
    return code_of(source, kept)


def is_exit(statement: ast.stmt) -> bool:
    """Whether a statement is `if ...: return ...`."""
    return (
        isinstance(statement, ast.If)
        and isinstance(statement.body[-1], ast.Return)
        and not statement.orelse
    )


def uses(part: ast.AST, rule: ast.Lambda | ast.FunctionDef) -> bool:
    """Whether a part of an op holds a rule, or names it."""
    name = getattr(rule, "name", None)
    return any(
        each is rule or (isinstance(each, ast.Name) and each.id == name) for each in ast.walk(part)
    )


def only_checks(statement: ast.stmt) -> bool:
    """Whether a statement only guards against bad input, and tells nothing about the op."""
    if isinstance(statement, ast.If):
        return isinstance(statement.body[-1], ast.Raise) and not statement.orelse
    call = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(call, ast.Call) and ast.unparse(call.func).startswith("check_")


def rule_tree(op: Callable[..., Any], rule: Any) -> ast.Lambda | ast.FunctionDef | None:
    """The lambda or inner function in the op's source that became `rule`."""
    code = getattr(rule, "__code__", None)
    return None if code is None else tree_of_code(op, code)


@lru_cache(maxsize=4096)
def tree_of_code(op: Callable[..., Any], code: CodeType) -> ast.Lambda | ast.FunctionDef | None:
    """The part of the op's source that was compiled to `code`."""
    tree = op_source(op).tree
    if tree is None or code.co_filename != op_source(op).file:
        return None
    if code.co_name != "<lambda>":
        inner = (each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef))
        return next((each for each in inner if each.name == code.co_name), None)
    places = [place for place in code.co_positions() if None not in place and place[2] != place[3]]
    for each in lambdas(tree):
        inside = (each.body.lineno, shifted(each, op, each.body.col_offset))
        end = (each.body.end_lineno or 0, shifted(each, op, each.body.end_col_offset or 0))
        if places and all(inside <= (p[0], p[2]) and (p[1], p[3]) <= end for p in places):
            return each
    return None


def lambdas(tree: ast.AST) -> Iterator[ast.Lambda]:
    """The lambdas below `tree`, innermost first."""
    found = [each for each in ast.walk(tree) if isinstance(each, ast.Lambda)]
    return reversed(found)  # ast.walk goes breadth first


def shifted(node: ast.AST, op: Callable[..., Any], column: int) -> int:
    """A column of the dedented source as the column of the file."""
    first = linecache.getline(op_source(op).file, op_source(op).line)
    return column + len(first) - len(first.lstrip())


def rule_text(op: Callable[..., Any], rule: Any) -> str:
    """The rule as a reader would say it: a lambda's expression, or an inner function's source."""
    tree = rule_tree(op, rule)
    return f"{getattr(rule, '__name__', 'rule')}(grad)" if tree is None else text_of_rule(tree)


@lru_cache(maxsize=4096)
def text_of_rule(tree: ast.Lambda | ast.FunctionDef) -> str:
    """A lambda's expression, or an inner function's source."""
    if isinstance(tree, ast.Lambda):
        return ast.unparse(tree.body)
    statements = tree.body
    if len(statements) == 1 and isinstance(statements[0], ast.Return) and statements[0].value:
        return ast.unparse(statements[0].value)
    return ast.unparse(tree)
