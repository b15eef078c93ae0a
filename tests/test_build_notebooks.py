"""Building chapters: executed from a fresh kernel, frozen, and refused where they are not."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import build

DOC = '"""Says what lives here."""'


@pytest.fixture
def course(tmp_path):
    """A folder of chapters beside a package that nothing else on this machine has."""
    (tmp_path / "notebooks").mkdir()

    def write(name, *cells, **metadata):
        path = tmp_path / "notebooks" / f"{name}.ipynb"
        nbformat.write(new_notebook(cells=list(cells), metadata=metadata), path)
        return path

    def run(*options):
        folders = ["--notebooks", str(tmp_path / "notebooks"), "--package", str(tmp_path / "tiny")]
        return build.main([*options, *folders])

    return write, run


def test_a_chapter_is_executed_against_its_own_package_and_frozen(course, capsys):
    write, run = course
    chapter = write(
        "1_01_start",
        new_markdown_cell("# How wide?"),
        new_code_cell(f"#| export sizes\n{DOC}\n\nwidth = 3"),
        new_code_cell("from tiny.sizes import width\n\nprint('wide')\nwidth", metadata={"a": 1}),
        jupytext={"formats": "ipynb"},
    )
    assert run("--check-frozen") == 1
    assert run() == 0
    assert "1_01_start" in capsys.readouterr().out
    built = nbformat.read(chapter, as_version=4)
    stream, result = built.cells[2].outputs
    assert (stream.text, result.data) == ("wide\n", {"text/plain": "3"})
    assert built.cells[2].metadata == {}
    assert set(built.metadata) == {"kernelspec", "language_info"}
    assert run("--check-frozen") == 0
    first = chapter.read_bytes()
    assert run("1_01") == 0
    assert chapter.read_bytes() == first


def test_a_failing_cell_is_shown_and_nothing_is_written(course, capsys):
    write, run = course
    chapter = write("1_01_start", new_code_cell("1 + 1"), new_code_cell("width = 3\n\nwidth / 0"))
    other = write("1_02_more", new_code_cell("2"))
    before = chapter.read_bytes()
    assert run() == 1
    shown = capsys.readouterr().err
    assert "1_01_start.ipynb, cell 2 failed:\n\n    width = 3\n\n    width / 0\n\n" in shown
    assert shown.count("width / 0") == 2  # the cell, and the arrow of the traceback
    assert shown.rstrip().endswith("ZeroDivisionError: division by zero")
    assert chapter.read_bytes() == before
    assert build.faults(nbformat.read(other, as_version=4)) == []


def test_a_phase_is_proved_without_later_ones(course, tmp_path, capsys):
    write, run = course
    chapter = write("1_01_start", new_code_cell("from tiny import far"))
    write("2_01_far", new_code_cell(f"#| export far\n{DOC}\n\nheight = 3"))
    before = chapter.read_bytes()
    assert run("1_01") == 0
    built = chapter.read_bytes()
    assert built != before
    assert run("--phase", "1") == 1
    assert "cannot import name 'far'" in capsys.readouterr().err
    assert run("--phase", "2") == 0
    assert chapter.read_bytes() == built
    assert (tmp_path / "tiny" / "far.py").exists()


def test_unknown_chapters_and_faults_of_the_source(course, capsys):
    write, run = course
    write("1_01_start", new_code_cell("#| export far\n%time"))
    assert run() == 1
    assert "`%time` is notebook magic" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        run("7_01")
    assert "is named 7_01..." in capsys.readouterr().err


def built_notebook():
    widget = {build.WIDGET_VIEW: {"model_id": "1"}, "text/html": "<img>", "text/plain": "Graph()"}
    cells = [
        new_markdown_cell("# Why?"),
        new_code_cell("1", execution_count=1, metadata={"tags": ["exercise"], "scrolled": True}),
        new_code_cell("1", execution_count=2, outputs=[new_output("display_data", widget)]),
    ]
    return new_notebook(cells=cells, metadata={"widgets": {"state": {}}, "training": True})


def test_freezing_keeps_tags_pictures_and_the_training_flag():
    frozen = build.freeze(built_notebook())
    assert frozen.metadata.training is True
    assert "widgets" not in frozen.metadata
    assert frozen.cells[1].metadata == {"tags": ["exercise"]}
    assert set(frozen.cells[2].outputs[0].data) == {"text/html", "text/plain"}
    assert len({cell.id for cell in frozen.cells}) == 3
    assert build.faults(frozen) == []
    assert build.freeze(frozen) == frozen


def test_a_long_list_of_names_is_folded_and_code_is_not():
    imports = "\n".join(f"from minitorch.shapes import name_{k}" for k in range(30))
    sources = [f"#| export nn\n{imports}", f"#| export nn\n{imports}\n\ndef f(): ...", imports]
    frozen = build.freeze(new_notebook(cells=[new_code_cell(source) for source in sources]))
    folded = [cell.metadata.get("jupyter", {}).get("source_hidden", False) for cell in frozen.cells]
    assert folded == [True, False, False]


def edit_source(notebook):
    notebook.cells[2].source = "2"


def run_out_of_order(notebook):
    notebook.cells[1].execution_count = 3


def keep_widget_state(notebook):
    notebook.metadata.widgets = {"state": {}}


@pytest.mark.parametrize(
    "spoil, reason",
    [
        (edit_source, "cell 3 was edited after it was executed"),
        (run_out_of_order, "not executed once each, from top to bottom"),
        (keep_widget_state, "it holds widget state"),
    ],
)
def test_what_is_not_frozen_is_told(spoil, reason):
    notebook = build.freeze(built_notebook())
    spoil(notebook)
    (fault,) = build.faults(notebook)
    assert reason in fault
