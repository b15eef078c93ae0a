"""The command line of the models, on the embedded digits."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch.datasets import CIFAR10_CLASSES
from minitorch.digits import LabelledImages, digits
from minitorch.state import load, save
from minitorch.trainers import Trainer
from models import FOLDER, NETWORKS, classifier, find, training
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


@pytest.mark.parametrize("name", ["mnist_mlp", "alexnet"])
def test_committed_weights_read_the_embedded_digits(name, capsys):
    assert main(["evaluate", name, "--data", "digits"]) == 0
    assert last_line(capsys)["accuracy"] > 0.98  # digits of MNIST's training set


@pytest.mark.parametrize("name", ["mnist_mlp", "alexnet"])
def test_committed_answers_are_those_of_the_result(name):
    result = json.loads((FOLDER / "results" / f"{name}.json").read_text())
    answers = np.load(FOLDER / "results" / f"{name}.answers.npz")
    assert len(answers["truth"]) == result["images"]
    assert np.mean(answers["truth"] == answers["says"]) == pytest.approx(result["accuracy"])
    worst = answers["worst"]
    assert (answers["truth"][worst] != answers["says"][worst]).all()
    assert (np.diff(answers["sure"][worst]) <= 0).all()


# ---- the same seed, and a run that is killed -----------------------------------------------------


@pytest.fixture
def few_digits(monkeypatch):
    """96 digits to train on: three batches of 32; and 40 to measure on."""
    train, test = digits()
    few = LabelledImages(*(part[:96] for part in train)), LabelledImages(*(p[:40] for p in test))
    monkeypatch.setattr(classifier, "digits", lambda: few)


SMALL: dict[str, Any] = {"batch_size": 32}


def small(name):
    return replace(find(name)(data="digits", epochs=2, seed=3), **SMALL)


def curve(folder):
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


def assert_same_run(one, other, name):
    assert len(curve(one)) == 2
    assert curve(one) == curve(other)
    weights = [load(folder / f"{name}.safetensors") for folder in (one, other)]
    assert weights[0].keys() == weights[1].keys()
    for key, value in weights[0].items():
        np.testing.assert_array_equal(value, weights[1][key], err_msg=key)


@pytest.mark.parametrize("name", ["mnist_mlp", "alexnet", "resnet20"])
def test_the_same_seed_gives_the_same_curve_even_after_a_kill(
    name, few_digits, tmp_path, monkeypatch
):
    training.train(small(name), tmp_path / "whole")
    training.train(small(name), tmp_path / "again")
    assert_same_run(tmp_path / "whole", tmp_path / "again", name)

    monkeypatch.setattr(training, "CHECKPOINT_MINUTES", 0.0)
    train_batch, calls = Trainer.train_batch, []

    def killed(*arguments):
        calls.append(1)
        if len(calls) in (3, 6):  # within the first epoch, and after its end
            raise MemoryError
        train_batch(*arguments)

    monkeypatch.setattr(Trainer, "train_batch", killed)
    for resume in (False, True):
        with pytest.raises(MemoryError):
            training.train(small(name), tmp_path / "killed", resume=resume)
    training.train(small(name), tmp_path / "killed", resume=True)
    assert len(calls) == 8  # six batches, two of them tried twice
    assert_same_run(tmp_path / "whole", tmp_path / "killed", name)


def test_resume_takes_the_settings_of_the_run(few_digits, capsys, tmp_path):
    begin = ["train", "mnist_mlp", "--data", "digits", "--epochs", "1", "--seed", "5"]
    assert main([*begin, "--out", str(tmp_path)]) == 0
    assert main(["train", "mnist_mlp", "--resume", "--out", str(tmp_path)]) == 0
    assert "Going on after 1 epochs" in capsys.readouterr().out
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["command"] == (
        "python -m models train mnist_mlp --seed 5 --data digits --epochs 1"
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_has_a_recipe_of_its_own_name(name):
    recipe = find(name)()
    assert recipe.name == name
    assert recipe.epochs > 0


def test_weights_that_nobody_trained_are_named(capsys):
    assert main(["evaluate", "resnet110", "--data", "digits"]) == 1
    assert "python -m models train resnet110" in capsys.readouterr().err


def test_without_a_network_the_digits_are_offered(capsys, monkeypatch, tmp_path):
    def offline(*arguments):
        raise OSError("no network")

    monkeypatch.setenv("MINITORCH_DATA", str(tmp_path))
    monkeypatch.setattr("minitorch.downloads.receive", offline)
    for name in ("mnist_mlp", "resnet20"):
        assert main(["train", name, "--out", str(tmp_path / "run")]) == 1
        found = capsys.readouterr().err
        assert "could not be downloaded" in found
        assert "--data digits" in found


def test_prediction_names_what_is_in_a_photo(capsys, tmp_path):
    image = pytest.importorskip("PIL.Image")
    photo = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    image.fromarray(photo).save(tmp_path / "it.png")
    minitorch.manual_seed(0)
    save(find("resnet20")().network().state_dict(), tmp_path / "weights.safetensors")
    weights = ["--weights", str(tmp_path / "weights.safetensors")]
    assert main(["predict", "resnet20", *weights, str(tmp_path / "it.png")]) == 0
    assert last_line(capsys)["class"] in CIFAR10_CLASSES


HERE = Path(os.environ.get("MINITORCH_DATA", "nowhere")) / "mnist"


@pytest.mark.skipif(not HERE.is_dir(), reason="MNIST is not in MINITORCH_DATA")
@pytest.mark.parametrize("name, least", [("mnist_mlp", 0.984), ("alexnet", 0.995)])
def test_committed_weights_reach_the_committed_accuracy(name, least, capsys):
    assert main(["evaluate", name]) == 0
    found = last_line(capsys)
    result = json.loads((FOLDER / "results" / f"{name}.json").read_text())
    assert found["images"] == 10000
    assert found["accuracy"] == pytest.approx(result["accuracy"], abs=2e-4)
    assert found["accuracy"] >= least
