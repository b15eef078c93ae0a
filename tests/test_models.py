"""The command line of the models, on the embedded digits."""

import json
import os
import signal
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import nn
from minitorch.datasets import CIFAR10_CLASSES
from minitorch.digits import LabelledImages, digits
from minitorch.downloads import data_folder
from minitorch.optim import SGD
from minitorch.state import load, save
from minitorch.trainers import Trainer
from models import FOLDER, NETWORKS, classifier, find, training
from models.__main__ import main
from models.classifier import DigitClassifier

COMMITTED = sorted(path.stem for path in (FOLDER / "weights").glob("*.safetensors"))


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


def test_mistakes_are_one_sentence(capsys, tmp_path):
    def said(*arguments):
        assert main([str(argument) for argument in arguments]) == 1
        return capsys.readouterr().err

    assert "none.safetensors" in said(
        "evaluate", "mnist_mlp", "--weights", tmp_path / "none.safetensors"
    )
    unknown = said("train", "mnist_mlp", "--data", "mnits", "--out", tmp_path)
    assert "'mnits' for mnist_mlp: choose from digits, mnist, fashion." in unknown
    assert "choose from" in said("evaluate", "alexnet", "--data", "cifar10")  # of another size
    weights = FOLDER / "weights" / "mnist_mlp.safetensors"
    foreign = said("evaluate", "alexnet", "--data", "digits", "--weights", weights)
    assert "does not hold the weights of alexnet" in foreign
    assert len(foreign) < 500
    assert "There is no finished run" in said("publish", "mnist_mlp", "--out", tmp_path)
    assert "no data set ''" in said("evaluate", "mnist_mlp", "--data", "")
    file = tmp_path / "file"
    file.touch()
    for out in (file, file / "run"):
        assert "is no folder but a file" in said(
            "train", "mnist_mlp", "--data", "digits", "--out", out
        )
    (tmp_path / "recipe.json").write_text('{"name": "mnist_mlp", "data": "digits"}')
    (tmp_path / "result.json").write_text("{}")
    other = said("publish", "mnist_mlp", "--out", tmp_path)
    assert "has learned from digits; what comes with the repository learns from mnist" in other
    (tmp_path / "recipe.json").write_text("{")
    assert "recipe.json is damaged" in said("train", "mnist_mlp", "--resume", "--out", tmp_path)


@pytest.mark.parametrize("number", ["--epochs=0", "--epochs=-3", "--epochs=1.5", "--seed=-1"])
def test_numbers_that_make_no_run_are_refused(number, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["train", "mnist_mlp", "--data", "digits", number])
    assert "is no whole number from" in capsys.readouterr().err


# ---- what is committed ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMITTED)
def test_committed_weights_read_the_embedded_digits(name, capsys):
    if not issubclass(find(name), DigitClassifier):
        pytest.skip("it reads no digits")
    assert main(["evaluate", name, "--data", "digits"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out.splitlines()[-1])["accuracy"] > 0.98
    assert "learned from mnist: these digits are a part of it, nothing new." in printed.err


@pytest.mark.parametrize("name", COMMITTED)
def test_committed_answers_are_those_of_the_result(name):
    result = json.loads((FOLDER / "results" / f"{name}.json").read_text())
    answers = np.load(FOLDER / "results" / f"{name}.answers.npz")
    assert len(answers["truth"]) == result["images"]
    assert np.mean(answers["truth"] == answers["says"]) == pytest.approx(result["accuracy"])
    worst = answers["worst"]
    assert (answers["truth"][worst] != answers["says"][worst]).all()
    assert (np.diff(answers["sure"][worst]) <= 0).all()
    rows = (FOLDER / "results" / f"{name}.log.jsonl").read_text().splitlines()
    assert [json.loads(row)["epoch"] for row in rows] == list(range(1, result["epochs"] + 1))
    assert json.loads(rows[-1])["validation_accuracy"] == pytest.approx(
        result["accuracy"], abs=1e-3
    )


@pytest.mark.parametrize("name", COMMITTED)
def test_committed_weights_give_the_committed_answers(name):
    recipe: Any = find(name)()
    answers = np.load(FOLDER / "results" / f"{name}.answers.npz")
    found = recipe.probabilities(training.load(recipe, None), answers["images"])
    np.testing.assert_array_equal(found.argmax(axis=1), answers["says"][answers["worst"]])
    np.testing.assert_allclose(found.max(axis=1), answers["sure"][answers["worst"]], atol=1e-3)


LEAST = {"mnist_mlp": 0.984, "alexnet": 0.995, "resnet20": 0.9125}


@pytest.mark.parametrize("name", COMMITTED)
def test_committed_weights_reach_the_committed_accuracy(name, capsys):
    folder = data_folder(find(name)().data)
    if not any(path.suffix != ".part" for path in folder.glob("*")):
        pytest.skip(f"the data is not at hand: {folder}")
    assert main(["evaluate", name]) == 0
    found = last_line(capsys)
    result = json.loads((FOLDER / "results" / f"{name}.json").read_text())
    assert found["images"] == 10000
    assert found["accuracy"] == pytest.approx(result["accuracy"], abs=2e-4)
    assert found["accuracy"] >= LEAST[name]


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


BEGIN = ["train", "mnist_mlp", "--data", "digits", "--epochs", "3", "--seed", "5", "--out"]


@pytest.fixture
def interrupted(few_digits, monkeypatch, tmp_path, capsys):
    """A folder with a run of three epochs that Ctrl-C has ended after the first."""
    train_batch = Trainer.train_batch

    def with_ctrl_c(*arguments):
        train_batch(*arguments)
        os.kill(os.getpid(), signal.SIGINT)

    folder = tmp_path / "interrupted"
    with monkeypatch.context() as context:
        context.setattr(Trainer, "train_batch", with_ctrl_c)
        assert main([*BEGIN, str(folder)]) == 130
    assert f'train mnist_mlp --resume --out "{folder}"' in capsys.readouterr().err
    return folder


def test_after_ctrl_c_there_is_a_checkpoint_and_no_result(interrupted):
    assert {path.name for path in interrupted.iterdir()} == {
        "recipe.json",
        "log.jsonl",
        "last.safetensors",
        "best.safetensors",
    }


def test_resume_takes_the_settings_of_the_run(interrupted, capsys, tmp_path):
    assert main(["train", "mnist_mlp", "--resume", "--out", str(interrupted)]) == 0
    assert "Going on after 1 epochs and 0 batches" in capsys.readouterr().out
    result = json.loads((interrupted / "result.json").read_text())
    assert result["command"] == (
        "python -m models train mnist_mlp --seed 5 --data digits --epochs 3"
    )
    assert result["epochs"] == 3
    assert main([*BEGIN, str(tmp_path / "whole")]) == 0
    assert curve(interrupted) == curve(tmp_path / "whole")


@pytest.mark.parametrize("change", ["--seed=6", "--epochs=4", "--data=mnist"])
def test_resume_does_not_change_the_run(interrupted, change, capsys):
    assert main(["train", "mnist_mlp", "--resume", change, "--out", str(interrupted)]) == 1
    name = change.partition("=")[0]
    assert f"go on with it without {name}, or begin another one" in capsys.readouterr().err
    assert main([*BEGIN, str(interrupted), "--resume"]) == 0  # the same, said again


def test_resume_refuses_the_run_of_another_network(interrupted, capsys):
    assert main(["train", "alexnet", "--resume", "--out", str(interrupted)]) == 1
    assert "holds a run of mnist_mlp, not of alexnet" in capsys.readouterr().err


def test_a_new_run_keeps_the_one_that_was_broken_off(interrupted, capsys):
    kept = interrupted / "before-1"
    for _ in range(2):  # the second time a finished run of the same settings is there
        assert main([*BEGIN[:-2], "7", "--out", str(interrupted)]) == 0
        assert {path.name for path in interrupted.glob("before-*")} == {kept.name}
    assert main([*BEGIN, str(kept), "--resume"]) == 0
    assert "Going on after 1 epochs and 0 batches" in capsys.readouterr().out


def test_a_new_run_keeps_a_finished_one_of_other_settings(few_digits, tmp_path):
    for seed in ("1", "2"):
        command = ["train", "mnist_mlp", "--data", "digits", "--epochs", "1", "--seed", seed]
        assert main([*command, "--out", str(tmp_path)]) == 0
    assert json.loads((tmp_path / "before-1" / "result.json").read_text())["seed"] == 1
    assert (tmp_path / "before-1" / "mnist_mlp.safetensors").exists()
    assert json.loads((tmp_path / "result.json").read_text())["seed"] == 2


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
    for name, offered in (("mnist_mlp", True), ("resnet20", False)):  # its weights know photos
        assert main(["evaluate", name]) == 1
        assert ("--data digits" in capsys.readouterr().err) == offered


# ---- pictures ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def threes():
    """Held-out threes of the embedded digits."""
    _, held_out = digits()
    return held_out.images[held_out.labels == 3][:5, 0]


def as_it_is(image, digit):
    return image.fromarray(255 - digit)


def light_on_dark(image, digit):
    return image.fromarray(digit).resize((90, 90))


def transparent(image, digit):
    black = np.zeros((28, 28, 4), np.uint8)
    black[..., 3] = digit
    return image.fromarray(black).resize((140, 140))


def with_16_bits(image, digit):
    return image.fromarray(65535 - 257 * digit.astype(np.uint16)).resize((140, 140))


def small_in_a_corner_of_gray_paper(image, digit):
    paper = np.full((300, 500), 180, np.uint8)
    paper[5:65, 420:480] -= np.asarray(image.fromarray(digit // 2).resize((60, 60)))
    return image.fromarray(paper)


def lying(image, digit):
    """As cameras store it: lying, with a note that it has to be turned."""
    return image.fromarray(np.rot90(255 - digit)).resize((90, 90))


DRAWINGS = [as_it_is, light_on_dark, transparent, with_16_bits, small_in_a_corner_of_gray_paper]


@pytest.mark.parametrize("drawing", [*DRAWINGS, lying])
def test_digits_are_read_however_they_are_drawn(drawing, threes, capsys, tmp_path):
    image = pytest.importorskip("PIL.Image")
    answers = []
    for digit in threes:
        picture = drawing(image, digit)
        notes = picture.getexif()
        if drawing is lying:
            notes[0x0112] = 6  # to be turned by a quarter
        picture.save(tmp_path / "it.png", exif=notes)
        assert main(["predict", "mnist_mlp", str(tmp_path / "it.png")]) == 0
        answers.append(last_line(capsys)["class"])
    assert answers.count(3) == len(threes)


def test_pictures_that_show_nothing_are_named(capsys, tmp_path):
    image = pytest.importorskip("PIL.Image")
    image.new("L", (300, 200), 250).save(tmp_path / "white.png")
    image.new("1", (15000, 15000)).save(tmp_path / "huge.png")
    image.new("F", (30, 30)).save(tmp_path / "float.tiff")
    (tmp_path / "text.png").write_text("no picture")
    whole = (FOLDER.parent / "docs" / "pictures").glob("*.png")
    (tmp_path / "cut.png").write_bytes(next(iter(sorted(whole))).read_bytes()[:3000])
    for name, reason in {
        "white.png": "shows no digit",
        "huge.png": "too many pixels",
        "float.tiff": "floating-point",
        "text.png": "cannot be read as a picture",
        "cut.png": "cannot be read as a picture",
        "missing.png": "cannot be read as a picture: No such file",
    }.items():
        assert main(["predict", "mnist_mlp", str(tmp_path / name)]) == 1
        found = capsys.readouterr().err
        assert name in found
        assert reason in found
        assert found.count("\n") == 1


def test_prediction_names_what_is_in_a_photo(capsys, tmp_path):
    image = pytest.importorskip("PIL.Image")
    photo = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    image.fromarray(photo).save(tmp_path / "it.png")
    minitorch.manual_seed(0)
    save(find("resnet20")().network().state_dict(), tmp_path / "weights.safetensors")
    weights = ["--weights", str(tmp_path / "weights.safetensors")]
    assert main(["predict", "resnet20", *weights, str(tmp_path / "it.png")]) == 0
    assert last_line(capsys)["class"] in CIFAR10_CLASSES


def test_the_rates_of_resnet20_rise_fall_and_fall_once_more():
    recipe: Any = find("resnet20")()
    weight = nn.Parameter(np.zeros((2, 2, 1, 1), np.float32))
    optimizer = SGD([weight], lr=1.0)
    schedule, rates = recipe.schedule(optimizer, steps=320), []
    for _ in range(320):
        rates.append(optimizer.param_groups[0]["lr"])
        schedule.step()
    peak, restart = 16, 200  # warmup and restart, of 320 steps
    assert rates[0] == pytest.approx(1 / 16)
    assert rates[peak - 1] == max(rates) == 1.0
    assert rates[restart - 1] == pytest.approx(1 / 185)
    assert rates[restart] == pytest.approx(0.4)
    assert rates[-1] == pytest.approx(0.4 / 120)
    assert np.all(np.diff(rates[:peak]) > 0)
    assert np.all(np.diff(rates[peak:restart]) < 0)
    assert np.all(np.diff(rates[restart:]) < 0)
