"""A recipe that is no classifier: another metric, two stages, samples that are drawn."""

import json
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from minitorch import nn
from minitorch.callbacks import Callback
from minitorch.optim import SGD
from minitorch.random import generator
from minitorch.trainers import Trainer
from models import NETWORKS, training
from models.__main__ import main
from models.recipe import Recipe
from tools.readme import Result


class Draws:
    """Points of a line, new ones each epoch, from the one generator; it knows how many it gave."""

    done = 0

    def __len__(self):
        return 4

    def __iter__(self):
        while self.done < len(self):
            x = generator().standard_normal((8, 1)).astype(np.float32)
            self.done += 1
            yield x, 3 * x + 1
        self.done = 0

    def state_dict(self):
        return {"done": self.done}

    def load_state_dict(self, state):
        self.done = int(state["done"])


class Stages(Callback):
    """A loss that changes after the first epoch, and the rate with it."""

    def __init__(self):
        self.stage = 1

    def __call__(self, output, target):
        difference = output - target
        return (difference.abs() if self.stage == 1 else difference**2).mean()

    def on_epoch_end(self, trainer):
        self.stage = 2
        trainer.optimizer.param_groups[0]["lr"] = 0.02

    def state_dict(self):
        return {"stage": self.stage}

    def load_state_dict(self, state):
        self.stage = int(state["stage"])


@dataclass(frozen=True)
class LineRecipe(Recipe):
    """A line through points."""

    name: ClassVar[str] = "line"
    metric: ClassVar[str] = "AP50"
    watch: ClassVar[tuple[str, str]] = ("validation_loss", "min")

    data: str = "drawn"
    epochs: int = 3

    def network(self):
        return nn.Linear(1, 1)

    def training_batches(self):
        return Draws()

    def test_batches(self):
        x = np.linspace(-1, 1, 8, dtype=np.float32)[:, None]
        return [(x, 3 * x + 1)]

    def trainer(self, model, batches_per_epoch):
        stages = Stages()
        return Trainer(model, SGD(model.parameters(), 0.1), stages, callbacks=[stages])

    def evaluate(self, model):
        ((x, y),) = self.test_batches()
        error = np.abs(model.weight.array * x + model.bias.array - y).mean()
        return {"data": "line-test", "AP50": round(1 / (1 + float(error)), 4), "false_alarms": 2}

    def answers(self, model):
        return {"slope": model.weight.array}

    def predict(self, model, image):
        return {"boxes": [[1, 2, 3, 4]], "scores": [0.5]}


@pytest.fixture
def line(monkeypatch, tmp_path):
    monkeypatch.setitem(NETWORKS, "line", f"{__name__}:LineRecipe")
    monkeypatch.setattr(training, "FOLDER", tmp_path / "models")
    for name in ("weights", "results"):
        (tmp_path / "models" / name).mkdir(parents=True)
    return tmp_path


def test_training_evaluation_and_publication_carry_it(line, capsys):
    run = ["--out", str(line / "run")]
    assert main(["train", "line", *run]) == 0
    assert main(["publish", "line", *run]) == 0
    assert main(["evaluate", "line"]) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures.keys() == {"model", "data", "AP50", "false_alarms"}
    result = json.loads((line / "models" / "results" / "line.json").read_text())
    assert result["metric"] == "AP50"
    assert result["value"] == figures["AP50"]
    row = Result(**{name: result[name] for name in Result.__annotations__}).row()
    assert row[:4] == ("line", "line-test", "AP50", f"**{figures['AP50']:.3f}**")
    assert main(["predict", "line", "any.png"]) == 0
    assert json.loads(capsys.readouterr().out)["boxes"] == [[1, 2, 3, 4]]


def test_stages_go_on_where_they_were_broken_off(line, monkeypatch):
    monkeypatch.setattr(training, "CHECKPOINT_MINUTES", 0.0)
    training.train(LineRecipe(), line / "whole")
    train_batch, calls = Trainer.train_batch, []

    def killed(*arguments):
        calls.append(1)
        if len(calls) == 7:  # within the second stage
            raise MemoryError
        train_batch(*arguments)

    monkeypatch.setattr(Trainer, "train_batch", killed)
    with pytest.raises(MemoryError):
        training.train(LineRecipe(), line / "killed")
    training.train(LineRecipe(), line / "killed", resume=True)
    whole, again = (
        [
            {name: value for name, value in json.loads(row).items() if name != "seconds"}
            for row in (line / folder / "log.jsonl").read_text().splitlines()
        ]
        for folder in ("whole", "killed")
    )
    assert len(whole) == 3
    assert whole == again
    assert [row["lr"] for row in whole] == [0.1, 0.02, 0.02]
