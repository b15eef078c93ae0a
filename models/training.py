"""A training run in a folder: what is logged, what is saved, and how it is measured again.

The folder holds `recipe.json`, `log.jsonl` (one line per epoch) and the weights. Leans on `recipe`.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import minitorch
from minitorch.nn import Module
from minitorch.trainers import Callback, Trainer
from models import FOLDER
from models.recipe import Recipe


class EpochLog(Callback):
    """One JSON object per epoch, appended to a file as soon as the epoch is over."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Append the figures."""
        with self.path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(trainer.history[-1]) + "\n")


def weights_path(folder: Path, recipe: Recipe) -> Path:
    """Where a run's weights lie."""
    return folder / f"{recipe.name}.safetensors"


def train(recipe: Recipe, folder: Path, command: str, pictures: bool = False) -> dict[str, Any]:
    """Train by the recipe, save everything in `folder`, and return the figures on unseen data."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "recipe.json", {"name": recipe.name, **asdict(recipe)})
    log = folder / "log.jsonl"
    log.unlink(missing_ok=True)
    minitorch.manual_seed(recipe.seed)
    model = recipe.network()
    batches, validation = recipe.training_batches(), recipe.test_batches()
    trainer = recipe.trainer(model, len(batches))
    trainer.callbacks.append(EpochLog(log))
    start, cpu = time.perf_counter(), time.process_time()
    trainer.fit(batches, recipe.epochs, validation)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    save_weights(model, weights_path(folder, recipe))
    figures = {"model": recipe.name, **recipe.evaluate(model)}
    result = {
        **figures,
        "metric": recipe.metric,
        "value": figures[recipe.metric],
        "published": recipe.published,
        "source": recipe.source,
        "epochs": trainer.epoch,
        "seed": recipe.seed,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu, 1),
        "command": command,
    }
    write_json(folder / "result.json", result)
    print(f"Trained {trainer.epoch} epochs in {seconds:.0f} s. In {folder}:")
    files = [weights_path(folder, recipe), log, folder / "result.json"]
    for path in [*files, *(recipe.pictures(model, folder) if pictures else [])]:
        print(f"  {path.relative_to(folder)}")
    return figures


def load(recipe: Recipe, weights: Path | None) -> Module:
    """The network with saved weights: the given file's, or those that come with the package."""
    from safetensors.numpy import load_file

    path = weights or weights_path(FOLDER / "weights", recipe)
    model = recipe.network()
    model.load_state_dict(load_file(path))
    return model


def save_weights(model: Module, path: Path) -> None:
    """Temporary."""
    from safetensors.numpy import save_file

    temporary = path.with_suffix(".tmp")
    save_file(model.state_dict(), temporary)
    temporary.replace(path)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write one JSON object, readable for people."""
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
