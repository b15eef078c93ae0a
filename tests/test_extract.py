"""The extractor: what becomes of a cell, and what it refuses. Leans on notebooks/extract.py."""

import importlib
import json
import sys
from pathlib import Path

import pytest

import extract

DOC = '"""Says what lives here."""'


def write_notebook(folder: Path, name: str, *cells: str) -> Path:
    path = folder / f"{name}.ipynb"
    rows = [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells]
    path.write_text(json.dumps({"cells": rows}), encoding="utf-8")
    return path


def modules_of(folder: Path, *cells: str) -> dict[str, str]:
    return extract.extract([write_notebook(folder, "2_01_steps", *cells)])


def run(folder: Path, *options: str) -> int:
    return extract.main(["--notebooks", str(folder), "--to", str(folder / "package"), *options])


def test_a_module_reads_as_written_by_hand(tmp_path: Path) -> None:
    first = write_notebook(
        tmp_path,
        "2_07_descent",
        "#| default_exp optim",
        f"#| export\n{DOC}",
        "demonstration = 1",
        "#| export\n# ---- plain ----\nimport numpy as np\n\n\nclass SGD:\n"
        "    def step(self, grad):\n        return -np.sign(grad)  # the direction only",
    )
    second = write_notebook(
        tmp_path,
        "3_02_adam",
        "#| default_exp optim",
        "#| export\nimport math\nimport numpy as np\nfrom minitorch.optim import SGD\n\n"
        "_START = 2\n\nclass Adam(SGD):\n    rate = math.pi * np.e",
    )
    assert extract.extract([first, second]) == {
        "optim.py": '''\
"""Says what lives here."""

# Grown in notebooks: 2_07_descent, 3_02_adam. Edit there, then `make extract`.

import math

import numpy as np

__all__ = ["SGD", "Adam"]


# ---- plain ----


class SGD:
    def step(self, grad):
        return -np.sign(grad)  # the direction only


_START = 2


class Adam(SGD):
    rate = math.pi * np.e
'''
    }


def test_a_cell_can_name_another_module(tmp_path: Path) -> None:
    modules = modules_of(
        tmp_path,
        "#| default_exp optim",
        f"#| export\n{DOC}\nrate = 1",
        f"#| export tensor\n{DOC}\nshape = ()",
    )
    assert list(modules) == ["optim.py", "tensor.py"]
    assert "shape" not in modules["optim.py"]


def test_typing_blocks_are_merged_and_give_way_to_runtime_imports(tmp_path: Path) -> None:
    block = "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n"
    text = modules_of(
        tmp_path,
        f"#| export tensor\n{DOC}\n{block}    from pathlib import Path\n    import ast\n"
        "def a(x: 'Path', y: 'ast.AST'): ...",
        f"#| export tensor\nimport ast\n{block}    from pathlib import Path\n    import json\n"
        "def b(x: 'Path', y: 'json.JSONDecoder'): return ast.dump",
    )["tensor.py"]
    assert text.count("if TYPE_CHECKING:") == 1
    assert "if TYPE_CHECKING:\n    import json\n    from pathlib import Path\n\n__all__" in text
    assert text.count("import ast\n") == text.count("import TYPE_CHECKING\n") == 1


def test_a_namespace_keeps_the_all_that_its_cells_write(tmp_path: Path) -> None:
    text = modules_of(
        tmp_path,
        f'#| export __init__\n{DOC}\nfrom os import sep\n\n__all__ = ["sep"]',
        '#| export __init__\nfrom os import curdir\n\n__all__ = ["curdir"]',
    )["__init__.py"]
    assert text.endswith('from os import curdir, sep\n\n__all__ = ["curdir", "sep"]\n')


def test_overloads_share_their_name(tmp_path: Path) -> None:
    text = modules_of(
        tmp_path,
        f"#| export tensor\n{DOC}\nfrom typing import overload\n\n"
        "@overload\ndef f(x: int) -> int: ...\n@overload\ndef f(x: str) -> str: ...\n"
        "def f(x): return x",
    )["tensor.py"]
    assert '__all__ = ["f"]' in text


def test_the_package_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_notebook(
        tmp_path,
        "1_01_start",
        f"#| export __init__\n{DOC}\nfrom package import tensor\n\n__all__ = ['tensor']",
        f"#| export tensor\n{DOC}\nclass Tensor: ...",
    )
    assert run(tmp_path) == 0
    monkeypatch.syspath_prepend(str(tmp_path))
    package = importlib.import_module("package")
    assert package.tensor.__all__ == ["Tensor"]
    del sys.modules["package"], sys.modules["package.tensor"]


CLASS = f"#| export tensor\n{DOC}\nclass Tensor: ..."
BAD_CELLS = {
    "a name twice": (
        [CLASS, "#| export tensor\nTensor = 1"],
        "cell 2: `Tensor` is already defined",
    ),
    "a name twice in one cell": (
        [CLASS + "\nclass Tensor: ..."],
        "cell 1: Redefinition of unused `Tensor`",
    ),
    "a class opened twice": (
        [CLASS, "#| export tensor\nclass Tensor:\n    x = 1"],
        "2_01_steps.ipynb, cell 1.*a class is whole in one cell",
    ),
    "a class patched": (
        [CLASS, "#| export exp\n'''Exp.'''\nfrom minitorch.tensor import Tensor\nTensor.exp = 1"],
        "`Tensor.exp` is added to a class of 2_01_steps.ipynb, cell 1.*is whole in one cell",
    ),
    "a class patched by setattr": (
        [CLASS, "#| export tensor\nsetattr(Tensor, 'exp', 1)"],
        "cell 2: `Tensor.exp` is added to a class",
    ),
    "a class patched by two names at once": (
        [CLASS, "#| export tensor\nTensor.exp = Tensor.e = 1"],
        "cell 2: `Tensor.exp` is added to a class",
    ),
    "a class patched in a loop": (
        [CLASS, "#| export tensor\nfor _name in 'xy':\n    setattr(Tensor, _name, 1)"],
        "cell 2: `Tensor._name` is added to a class",
    ),
    "code behind an import": (
        [f"#| export nn\n{DOC}\nimport os; os.umask(2)"],
        "cell 1: two statements on one line, `import os; os.umask.2.`",
    ),
    "an unused import": (
        [CLASS, "#| export tensor\nimport os\nimport sys\nroot = os.sep"],
        "cell 2: `sys` imported but unused.*Delete the import",
    ),
    "a forgotten import": (
        [CLASS, "import os", "#| export tensor\nroot = os.sep"],
        "cell 3: Undefined name `os`.*Import it in an exported cell",
    ),
    "an unknown name in __all__": (
        [f"#| export nn\n{DOC}\n__all__ = ['Linear']"],
        "cell 1: Undefined name `Linear` in `__all__`",
    ),
    "a computed __all__": (
        [f"#| export nn\n{DOC}\nx = 1\n__all__ = list('x')"],
        "cell 1: `__all__` is no list of names",
    ),
    "no module": (["#| export\nx = 1"], "cell 1: exported, but to no module.*default_exp NAME"),
    "no module name": (["#| export a.b\nx = 1"], "`a.b` is not a module name"),
    "a misspelt directive": (["#| exprot nn\nx = 1"], "`#| exprot nn` says nothing"),
    "a directive too low": (["x = 1\n#| export nn"], "`#| export nn` is not the first line"),
    "no docstring": (["#| export nn\nx = 1"], "module nn has no docstring"),
    "two docstrings": ([f"#| export nn\n{DOC}"] * 2, "cell 2: a second docstring for nn.py"),
    "a syntax error": (["#| export nn\n\nx = ("], "cell 1: syntax error in line 3"),
    "a magic": (["#| export nn\n%matplotlib inline"], "`%matplotlib inline` is notebook magic"),
    "a shell line": (["#| export nn\n!ls"], "`!ls` is notebook magic"),
}


@pytest.mark.parametrize("cells, message", BAD_CELLS.values(), ids=BAD_CELLS)
def test_refused(tmp_path: Path, cells: list[str], message: str) -> None:
    with pytest.raises(extract.ExtractError, match=message.replace("|", r"\|")):
        modules_of(tmp_path, *cells)


@pytest.mark.parametrize("text", ['<<<<<<< HEAD\n{"cells": []}', '{"cells": [{}]}'])
def test_refuses_what_is_no_notebook(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (tmp_path / "2_01_steps.ipynb").write_text(text, encoding="utf-8")
    assert run(tmp_path) == 1
    assert "2_01_steps.ipynb: not a notebook" in capsys.readouterr().err


def test_check_shows_the_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_notebook(tmp_path, "2_01_steps", f"#| export nn\n{DOC}\nwidth = 1")
    assert run(tmp_path) == 0
    assert run(tmp_path, "--check") == 0
    write_notebook(tmp_path, "2_01_steps", f"#| export nn\n{DOC}\nwidth = 2")
    capsys.readouterr()
    assert run(tmp_path, "--check") == 1
    shown = capsys.readouterr().out
    assert "-width = 1\n+width = 2\n" in shown
    assert "`make extract`" in shown
    assert "width = 1" in (tmp_path / "package" / "nn.py").read_text(encoding="utf-8")


def test_a_module_that_lost_its_cells_is_removed(tmp_path: Path) -> None:
    notebook = write_notebook(tmp_path, "2_01_steps", f"#| export nn\n{DOC}\nwidth = 1")
    write_notebook(tmp_path, "2_02_more", f"#| export optim\n{DOC}\nrate = 1")
    assert run(tmp_path) == 0
    notebook.unlink()
    assert run(tmp_path, "--check") == 1
    assert run(tmp_path) == 0
    assert [path.name for path in (tmp_path / "package").iterdir()] == ["optim.py"]


def test_a_folder_without_chapters_does_not_empty_the_package(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_notebook(tmp_path, "2_01_steps", f"#| export nn\n{DOC}\nwidth = 1")
    assert run(tmp_path) == 0
    assert run(tmp_path, "--notebooks", str(tmp_path / "elsewhere")) == 1
    assert "There is no chapter in" in capsys.readouterr().err
    assert (tmp_path / "package" / "nn.py").exists()


def test_a_module_written_by_hand_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stranger = tmp_path / "package" / "stranger.py"
    stranger.parent.mkdir()
    stranger.write_text("", encoding="utf-8")
    write_notebook(tmp_path, "2_01_steps", f"#| export nn\n{DOC}\nwidth = 1")
    assert run(tmp_path, "--check") == 1
    assert run(tmp_path) == 0
    assert "stranger.py was written by hand" in capsys.readouterr().err
    assert stranger.exists()


def test_a_phase_needs_only_itself_and_earlier_ones(tmp_path: Path) -> None:
    write_notebook(tmp_path, "1_01_start", f"#| export nn\n{DOC}\nwidth = 1")
    write_notebook(tmp_path, "2_01_steps", "#| export nn\ndepth = 2")
    write_notebook(tmp_path, "10_01_far", f"#| export far\n{DOC}\nheight = 3")
    write_notebook(tmp_path, "notes", f"#| export notes\n{DOC}\nx = 4")
    assert run(tmp_path, "--phase", "2") == 0
    (module,) = (tmp_path / "package").iterdir()
    assert '__all__ = ["depth", "width"]' in module.read_text(encoding="utf-8")


def test_a_phase_is_never_written_over_the_package(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        extract.main(["--notebooks", str(tmp_path), "--phase", "1"])
