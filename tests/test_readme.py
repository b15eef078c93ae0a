import json

import pytest

from tools import readme


def notebook(*sources):
    return json.dumps({"cells": [{"source": source.splitlines(True)} for source in sources]})


@pytest.fixture
def repository(tmp_path):
    for folder in ("notebooks", "models/results", "benchmarks/results"):
        (tmp_path / folder).mkdir(parents=True)
    marks = [f"<!-- {name}:begin -->\nold\n<!-- {name}:end -->" for name in readme.TABLES]
    (tmp_path / "README.md").write_text("before\n" + "\n".join(marks) + "\nafter\n")
    return tmp_path


RESULT = {
    "model": "MNIST MLP",
    "data": "MNIST, 10,000",
    "metric": "accuracy",
    "value": 0.98612,
    "published": 0.984,
    "source": "somebody 2010",
    "epochs": 10,
    "seconds": 41.3,
    "cpu_seconds": 9000.0,
    "command": "python -m models train mnist_mlp",
}


def test_tables_are_written_once_and_then_in_step(repository, capsys):
    (repository / "notebooks/1_01_net.ipynb").write_text(
        notebook(
            "![picture](x)\n# What is a net?\n", "#| default_exp tensor", "#| export autograd\n"
        )
    )
    (repository / "models/results/mlp.json").write_text(json.dumps(RESULT))
    peers = {"minitorch": {"ms": 1.234, "ratio": 0.7}, "jax": {"ms": 1.6, "ratio": 0.9}}
    (repository / "benchmarks/results/mlp.json").write_text(
        json.dumps({"name": "mlp", "does": "step", "peers": peers, "date": "left out"})
    )
    assert readme.main(["--check"], repository) == 1
    assert "out of step" in capsys.readouterr().err
    assert readme.main([], repository) == 0
    assert readme.main(["--check"], repository) == 0
    text = (repository / "README.md").read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    link = "[What is a net?](notebooks/1_01_net.ipynb)"
    assert f"| 1: a net by hand | {link} | `tensor`, `autograd` |" in text
    assert "| **98.61 %** | 98.40 %, somebody 2010 | 10 | 2.5 h | 41 s |" in text
    assert "| benchmark | what it does | minitorch takes | minitorch | jax |" in text
    assert "| `mlp` | step | 1.23 ms | **0.70** | 0.90 |" in text


def test_a_result_without_a_field_names_file_and_field(repository, capsys):
    incomplete = {name: value for name, value in RESULT.items() if name != "seconds"}
    (repository / "models/results/mlp.json").write_text(json.dumps(incomplete))
    assert readme.main([], repository) == 1
    complaint = capsys.readouterr().err
    assert "mlp.json" in complaint
    assert "seconds" in complaint


def test_a_notebook_without_a_heading_is_named(repository, capsys):
    (repository / "notebooks/2_01_graph.ipynb").write_text(notebook("no heading"))
    assert readme.main([], repository) == 1
    assert "2_01_graph.ipynb" in capsys.readouterr().err


def test_a_lost_mark_is_an_error(repository, capsys):
    path = repository / "README.md"
    path.write_text(path.read_text().replace("<!-- speed:end -->", ""))
    assert readme.main([], repository) == 1
    assert "<!-- speed:end -->" in capsys.readouterr().err
