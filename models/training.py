"""A training run in a folder: what is logged, what is saved, and how it is measured again.

The folder holds `recipe.json`, `log.jsonl` (one line per epoch), checkpoints, the weights, and
`result.json`. Leans on `recipe` and minitorch's callbacks.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

import minitorch
from minitorch.callbacks import Callback, SaveCheckpoints
from minitorch.logs import LogFile
from minitorch.nn import Module
from minitorch.state import StateError, save
from minitorch.state import load as load_state
from minitorch.trainers import Trainer
from models import FOLDER
from models.recipe import Recipe

CHECKPOINT_MINUTES = 2.0


class Clock(Callback):
    """Measures how long training took, on the clock and of the processors, over all resumptions."""

    def __init__(self) -> None:
        self.totals = np.zeros(2)
        self.start = self.now()

    def now(self) -> np.ndarray:
        """Seconds of the clock, and of the processors."""
        return np.array([time.perf_counter(), time.process_time()])

    def on_fit_start(self, trainer: Trainer) -> None:
        """Begin to count, or go on."""
        self.start = self.now()

    def seconds(self) -> list[float]:
        """On the clock and of the processors, so far."""
        return [round(float(total), 1) for total in self.totals + self.now() - self.start]

    def state_dict(self) -> dict[str, Any]:
        """The time so far."""
        return {"seconds": self.seconds()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        self.totals = np.array(state["seconds"])


def train(
    recipe: Recipe, folder: Path, resume: bool = False, pictures: bool = False
) -> dict[str, Any]:
    """Train by the recipe, save everything in `folder`, and return the figures on unseen data."""
    folder.mkdir(parents=True, exist_ok=True)
    minitorch.manual_seed(recipe.seed)
    model = recipe.network()
    batches, validation = recipe.training_batches(), recipe.test_batches()
    trainer = recipe.trainer(model, len(batches))
    checkpoints = SaveCheckpoints(
        folder, watch=f"validation_{recipe.metric}", minutes=CHECKPOINT_MINUTES
    )
    clock = Clock()
    trainer.callbacks += [LogFile(folder / "log.jsonl"), clock, checkpoints]
    if resume and checkpoints.resume(trainer):
        print(f"Going on after {trainer.epoch} epochs and {trainer.batch} batches.")
    write_json(folder / "recipe.json", {"name": recipe.name, **asdict(recipe)})
    trainer.fit(batches, recipe.epochs - trainer.epoch, validation)
    seconds, cpu_seconds = clock.seconds()
    weights = folder / f"{recipe.name}.safetensors"
    save(model.state_dict(), weights)
    figures = {"model": recipe.name, **recipe.evaluate(model)}
    result = {
        **figures,
        "metric": recipe.metric,
        "value": figures[recipe.metric],
        "published": recipe.published,
        "source": recipe.source,
        "epochs": trainer.epoch,
        "seed": recipe.seed,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "command": command(recipe),
    }
    write_json(folder / "result.json", result)
    files = [weights, *(recipe.pictures(model, folder) if pictures else [])]
    print(f"{trainer.epoch} epochs in {seconds:.0f} s: {recipe.metric} {result['value']:.4g}.")
    print("Written:", *files, sep="\n  ")
    return figures


def command(recipe: Recipe) -> str:
    """What to type to train by this recipe again."""
    words = f"python -m models train {recipe.name} --seed {recipe.seed}"
    for setting in fields(recipe):
        value = getattr(recipe, setting.name)
        if setting.name in ("data", "epochs") and value != setting.default:
            words += f" --{setting.name} {value}"
    return words


def settings_of(folder: Path) -> dict[str, Any]:
    """The settings of the run in a folder; none where there is no run yet."""
    path = folder / "recipe.json"
    if not path.exists():
        return {}
    settings = json.loads(path.read_text(encoding="utf-8"))
    del settings["name"]
    return {
        key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()
    }


def load(recipe: Recipe, weights: Path | None) -> Module:
    """The network with saved weights: the given file's, or those that come with the repository."""
    path = weights or FOLDER / "weights" / f"{recipe.name}.safetensors"
    if weights is None and not path.exists():
        raise StateError(
            f"{recipe.name}: no trained weights come with this repository. Train it with `python "
            f"-m models train {recipe.name}`, or name a file: --weights FILE.safetensors."
        )
    model = recipe.network()
    model.load_state_dict(load_state(path))
    return model


def publish(recipe: Recipe, folder: Path) -> dict[str, Any]:
    """Put a run's weights (as float16), log and result beside the code; measure them there."""
    state = load_state(folder / f"{recipe.name}.safetensors")
    halves = {
        name: value.astype(np.float16) if value.dtype == np.float32 else value
        for name, value in state.items()
    }
    save(halves, FOLDER / "weights" / f"{recipe.name}.safetensors")
    model = load(recipe, None)
    figures = recipe.evaluate(model)
    write_answers(recipe, model)
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    result |= {**figures, "value": figures[recipe.metric]}
    write_json(FOLDER / "results" / f"{recipe.name}.json", result)
    log = (folder / "log.jsonl").read_text(encoding="utf-8")
    (FOLDER / "results" / f"{recipe.name}.log.jsonl").write_text(log, encoding="utf-8")
    return {"model": recipe.name, **figures}


def write_answers(recipe: Recipe, model: Module) -> None:
    """Keep what the model says of each unseen sample, for whoever has not the data."""
    answers: dict[str, Any] = recipe.answers(model)
    np.savez_compressed(FOLDER / "results" / f"{recipe.name}.answers.npz", **answers)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write one JSON object, readable for people."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
