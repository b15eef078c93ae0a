"""The command line of the models, on the embedded digits."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from minitorch.digits import digits
from models import FOLDER
from models.__main__ import main


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    arguments = ["train", "mnist_mlp", "--data", "digits", "--epochs", "2", "--out", str(folder)]
    assert main([*arguments, "--pictures"]) == 0
    return folder


def last_line(capsys):
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_training_leaves_weights_log_and_pictures(run):
    names = {"mnist_mlp.safetensors", "log.jsonl", "result.json", "recipe.json", "graph.svg"}
    assert names <= {path.name for path in run.iterdir()}
    assert (run / "predictions.png").read_bytes().startswith(b"\x89PNG")
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2]
    assert rows[1]["validation_accuracy"] > 0.8


def test_evaluation_ends_in_one_json_object(run, capsys):
    weights = str(run / "mnist_mlp.safetensors")
    assert main(["evaluate", "mnist_mlp", "--data", "digits", "--weights", weights]) == 0
    found = last_line(capsys)
    result = json.loads((run / "result.json").read_text())
    assert found == {key: result[key] for key in ("model", "data", "accuracy", "images")}
    assert found["images"] == 1000


def test_prediction_reads_dark_ink_on_light_paper(run, capsys, tmp_path):
    image = pytest.importorskip("PIL.Image")
    _, held_out = digits()
    ones = np.flatnonzero(held_out.labels == 1)[:5]
    answers = []
    for index in ones:
        image.fromarray(255 - held_out.images[index, 0]).resize((90, 90)).save(tmp_path / "it.png")
        weights = str(run / "mnist_mlp.safetensors")
        assert main(["predict", "mnist_mlp", "--weights", weights, str(tmp_path / "it.png")]) == 0
        answers.append(last_line(capsys)["class"])
    assert answers.count(1) >= 4


def test_resume_finishes_what_was_begun(run, capsys):
    arguments = ["--data", "digits", "--epochs", "3", "--out", str(run), "--resume"]
    assert main(["train", "mnist_mlp", *arguments]) == 0
    rows = (run / "log.jsonl").read_text().splitlines()
    assert [json.loads(row)["epoch"] for row in rows] == [1, 2, 3]
    assert "Going on after 2 epochs" in capsys.readouterr().out


def test_mistakes_are_one_sentence(capsys, tmp_path):
    assert main(["evaluate", "mnist_mlp", "--weights", str(tmp_path / "none.safetensors")]) == 1
    assert "none.safetensors" in capsys.readouterr().err
    assert main(["train", "mnist_mlp", "--data", "mnits", "--out", str(tmp_path)]) == 1
    assert "choose from digits, mnist" in capsys.readouterr().err


def test_committed_weights_read_the_embedded_digits(capsys):
    assert main(["evaluate", "mnist_mlp", "--data", "digits"]) == 0
    assert last_line(capsys)["accuracy"] > 0.98  # digits of MNIST's training set


HERE = Path(os.environ.get("MINITORCH_DATA", "nowhere")) / "mnist"


@pytest.mark.skipif(not HERE.is_dir(), reason="MNIST is not in MINITORCH_DATA")
def test_committed_weights_reach_the_committed_accuracy(capsys):
    assert main(["evaluate", "mnist_mlp"]) == 0
    found = last_line(capsys)
    result = json.loads((FOLDER / "results" / "mnist_mlp.json").read_text())
    assert found["images"] == 10000
    assert found["accuracy"] == pytest.approx(result["accuracy"], abs=2e-4)
    assert found["accuracy"] >= 0.984
