"""Every solution that a chapter folds away passes the checks of its exercise.

notebooks/README.md says which cells make an exercise. Leans on notebooks/build.py.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from build import execute

ROOT = Path(__file__).resolve().parent.parent
SOLUTION = re.compile(r"<summary>Solution</summary>\s*```python\n(.*?)```\s*</details>", re.DOTALL)


@dataclass
class Exercise:
    """The cells of one exercise, and its number among the notebook's cells."""

    number: int
    cell: nbformat.NotebookNode
    checks: list[nbformat.NotebookNode] = field(default_factory=list)
    solution: str = ""


def exercises_of(notebook):
    found = []
    for number, cell in enumerate(notebook.cells, start=1):
        tags = cell.metadata.get("tags", [])
        if "exercise" in tags:
            found.append(Exercise(number, cell))
        elif "exercise-check" in tags:
            found[-1].checks.append(cell)
        elif found and cell.cell_type == "markdown" and (folded := SOLUTION.search(cell.source)):
            found[-1].solution = folded[1].strip()
    return found


def complaints(notebook, name, folder):
    """Solve a notebook's exercises, run it, and return what does not pass, in words."""
    exercises = exercises_of(notebook)
    unfinished = [
        f"the exercise in cell {exercise.number} has no {part}"
        for exercise in exercises
        for part, there in [("check", exercise.checks), ("solution", exercise.solution)]
        if not there
    ]
    if unfinished:
        return unfinished
    for exercise in exercises:
        exercise.cell.source = exercise.solution
    execute(notebook, name, folder, [ROOT])
    return [
        f"the solution in cell {exercise.number}: {line}"
        for exercise in exercises
        for cell in exercise.checks
        for line in printed(cell).splitlines() or ["its check printed nothing"]
        if not line.startswith("✓")
    ]


def printed(cell):
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def notebooks_with_exercises():
    paths = sorted((ROOT / "notebooks").glob("*.ipynb"))
    return [path for path in paths if exercises_of(nbformat.read(path, as_version=4))]


@pytest.mark.parametrize("path", notebooks_with_exercises(), ids=lambda path: path.stem)
def test_solutions(path):
    assert complaints(nbformat.read(path, as_version=4), path.name, path.parent) == []


def chapter(*exercises):
    """Return a notebook that asks for x², with these solutions folded under it."""
    cells = [new_code_cell("import numpy as np\nfrom viz.exercises import check_function")]
    for solution in exercises:
        cells += [
            new_code_cell("def square(x): ...", metadata={"tags": ["exercise"]}),
            new_code_cell(
                "check_function(square, lambda x: x * x, [np.arange(3.0)])",
                metadata={"tags": ["exercise-check"]},
            ),
            new_markdown_cell("<details><summary>Hint</summary>\n\nOnce more.\n</details>"),
            new_markdown_cell(solution),
        ]
    return new_notebook(cells=cells)


def folded(code):
    return f"<details><summary>Solution</summary>\n\n```python\n{code}\n```\n</details>"


def test_a_wrong_solution_is_found(tmp_path):
    right, wrong = folded("def square(x):\n    return x * x"), folded("square = np.sqrt")
    (complaint,) = complaints(chapter(right, wrong), "it", tmp_path)
    assert complaint.startswith("the solution in cell 6: ✗ case 1 of 1, sqrt([0.0, 1.0, 2.0])")


def test_an_unfinished_exercise_is_found(tmp_path):
    notebook = chapter("Nothing folded here.")
    assert complaints(notebook, "it", tmp_path) == ["the exercise in cell 2 has no solution"]
    del notebook.cells[2:]
    assert len(complaints(notebook, "it", tmp_path)) == 2
