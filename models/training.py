"""A training run in a folder: what is logged, what is saved, and how it is measured again.

The folder holds `recipe.json`, `log.jsonl` (one line per epoch), checkpoints, the weights, and
`result.json`. Leans on `recipe` and minitorch's callbacks.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import minitorch
from minitorch.callbacks import LogFile, SaveCheckpoints
from minitorch.nn import Module
from minitorch.state import load as load_state
from minitorch.state import save
from models import FOLDER
from models.recipe import Recipe


def train(
    recipe: Recipe, folder: Path, command: str, resume: bool = False, pictures: bool = False
) -> dict[str, Any]:
    """Train by the recipe, save everything in `folder`, and return the figures on unseen data."""
    folder.mkdir(parents=True, exist_ok=True)
    minitorch.manual_seed(recipe.seed)
    model = recipe.network()
    batches, validation = recipe.training_batches(), recipe.test_batches()
    trainer = recipe.trainer(model, len(batches))
    checkpoints = SaveCheckpoints(folder, batches, watch=f"validation_{recipe.metric}")
    trainer.callbacks += [LogFile(folder / "log.jsonl"), checkpoints]
    if resume and checkpoints.resume(trainer):
        print(f"Going on after {trainer.epoch} epochs and {trainer.batch} batches.")
    write_json(folder / "recipe.json", {"name": recipe.name, **asdict(recipe)})
    cpu = time.process_time()
    trainer.fit(batches, recipe.epochs - trainer.epoch, validation)
    cpu = time.process_time() - cpu
    weights = folder / f"{recipe.name}.safetensors"
    save(model.state_dict(), weights)
    figures = {"model": recipe.name, **recipe.evaluate(model)}
    seconds = sum(row["seconds"] for row in trainer.history)
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
    files = [weights, *(recipe.pictures(model, folder) if pictures else [])]
    print(f"{trainer.epoch} epochs in {seconds:.0f} s: {recipe.metric} {result['value']:.4g}.")
    print("Written:", *files, sep="\n  ")
    return figures


def load(recipe: Recipe, weights: Path | None) -> Module:
    """The network with saved weights: the given file's, or those that come with the repository."""
    model = recipe.network()
    model.load_state_dict(load_state(weights or FOLDER / "weights" / f"{recipe.name}.safetensors"))
    return model


def publish(recipe: Recipe, folder: Path) -> dict[str, Any]:
    """Put a run's weights (as float16), log and result beside the code; measure them there."""
    state = load_state(folder / f"{recipe.name}.safetensors")
    halves = {
        name: value.astype(np.float16) if value.dtype == np.float32 else value
        for name, value in state.items()
    }
    save(halves, FOLDER / "weights" / f"{recipe.name}.safetensors")
    figures = recipe.evaluate(load(recipe, None))
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    result |= {**figures, "value": figures[recipe.metric]}
    write_json(FOLDER / "results" / f"{recipe.name}.json", result)
    log = (folder / "log.jsonl").read_text(encoding="utf-8")
    (FOLDER / "results" / f"{recipe.name}.log.jsonl").write_text(log, encoding="utf-8")
    return {"model": recipe.name, **figures}


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write one JSON object, readable for people."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
