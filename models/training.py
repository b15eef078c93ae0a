"""A training run in a folder: what is logged, what is saved, and how it is measured again.

The folder holds `recipe.json`, `log.jsonl` (one line per epoch), checkpoints, the weights, and
`result.json`. Leans on `recipe` and minitorch's callbacks.
"""

from __future__ import annotations

import itertools
import json
import textwrap
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
from models import FOLDER, find
from models.recipe import Recipe

RUNS = Path("out")  # where runs go unless something else is said, each by its network's name
CHECKPOINT_MINUTES = 2.0
CHECKPOINTS = ("last.safetensors", "previous.safetensors")


class Unfinished(Exception):
    """Ctrl-C has ended a run before its last epoch; says how to go on with it."""


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
    """Train by the recipe, save everything in `folder`, and return the figures on unseen data.

    Raises Unfinished after Ctrl-C: then there is a checkpoint, and no result.
    """
    settings = {"name": recipe.name, **asdict(recipe)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise StateError(
            f"{folder} is no folder but a file: name another one with --out."
        ) from error
    minitorch.manual_seed(recipe.seed)
    model = recipe.network()
    batches, validation = recipe.training_batches(), recipe.test_batches()
    trainer = recipe.trainer(model, len(batches))
    watch, mode = recipe.watch
    checkpoints = SaveCheckpoints(folder, watch=watch, mode=mode, minutes=CHECKPOINT_MINUTES)
    clock = Clock()
    trainer.callbacks += [LogFile(folder / "log.jsonl"), clock, checkpoints]
    if not resume:
        put_aside(folder, settings)
    elif checkpoints.resume(trainer):
        print(f"Going on after {trainer.epoch} epochs and {trainer.batch} batches.")
    else:
        print(f"There is nothing in {folder} to go on from: beginning.")
    write_json(folder / "recipe.json", settings)
    try:
        trainer.fit(batches, recipe.epochs - trainer.epoch, validation)
    except KeyboardInterrupt as stop:
        raise Unfinished(going_on(recipe, folder)) from stop
    if trainer.epoch < recipe.epochs and (trainer.stopped or "").startswith("Ctrl-C"):
        raise Unfinished(going_on(recipe, folder))
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


def put_aside(folder: Path, settings: dict[str, Any]) -> None:
    """Keep what another run has left in the folder: one that was broken off, or of other settings.

    A finished run of the same settings is about to be made again: no more than its weights stay.
    """
    recipe, result = folder / "recipe.json", folder / "result.json"
    if not recipe.exists():
        return
    before = read_json(recipe)
    if result.exists() and before == as_json(settings):
        for name in ("result.json", *CHECKPOINTS):
            (folder / name).unlink(missing_ok=True)
        return
    names = ("best.safetensors", f"{before.get('name')}.safetensors", "log.jsonl", "result.json")
    made = [folder / name for name in (*CHECKPOINTS, *names) if (folder / name).exists()]
    if not made:
        return
    numbered = (folder / f"before-{number}" for number in itertools.count(1))
    kept = next(path for path in numbered if not path.exists())
    kept.mkdir()
    for path in (recipe, *made):
        path.rename(kept / path.name)
    print(f"{folder} held another run: it is kept in {kept}.")


def going_on(recipe: Recipe, folder: Path) -> str:
    """How to go on with a run that was broken off."""
    out = "" if folder == RUNS / recipe.name else f' --out "{folder}"'
    same = " --compiled" if minitorch.compiled.in_use() else ""
    return f"Go on with it: python -m models train {recipe.name} --resume{out}{same}"


def command(recipe: Recipe) -> str:
    """What to type to train by this recipe again."""
    words = f"python -m models train {recipe.name} --seed {recipe.seed}"
    for setting in fields(recipe):
        value = getattr(recipe, setting.name)
        if setting.name in ("data", "epochs") and value != setting.default:
            words += f" --{setting.name} {value}"
    return words


def settings_of(folder: Path, name: str) -> dict[str, Any]:
    """The settings of the run of the network `name` in a folder; none where there is no run yet."""
    path = folder / "recipe.json"
    if not path.exists():
        return {}
    settings = read_json(path)
    if (found := settings.pop("name", None)) != name:
        raise StateError(
            f"{folder} holds a run of {found}, not of {name}: name another folder with --out."
        )
    if unknown := settings.keys() - {field.name for field in fields(find(name))}:
        raise StateError(f"{path} is of another version: {', '.join(sorted(unknown))} is unknown.")
    return {
        key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()
    }


def settings_to_go_on(folder: Path, name: str, given: dict[str, Any]) -> dict[str, Any]:
    """The settings of the run in a folder, which what is `given` must not contradict."""
    settings = settings_of(folder, name)
    for key, value in given.items():
        if settings and settings[key] != value:
            raise StateError(
                f"The run in {folder} has {key} {settings[key]}, not {value}: go on with it "
                f"without --{key}, or begin another one, without --resume."
            )
    return settings or given


def load(recipe: Recipe, weights: Path | None) -> Module:
    """The network with saved weights: the given file's, or those that come with the repository."""
    path = weights or FOLDER / "weights" / f"{recipe.name}.safetensors"
    if weights is None and not path.exists():
        raise StateError(
            f"{recipe.name}: no trained weights come with this repository. Train it with `python "
            f"-m models train {recipe.name}`, or name a file: --weights FILE.safetensors."
        )
    model, state = recipe.network(), load_state(path)
    try:
        model.load_state_dict(state)
    except ValueError as error:
        shown = textwrap.shorten(str(error), 300, placeholder=" ...")
        raise StateError(f"{path} does not hold the weights of {recipe.name}: {shown}") from error
    return model


def publish(recipe: Recipe, folder: Path) -> dict[str, Any]:
    """Put a run's weights (as float16), log and result beside the code; measure them there."""
    if not (folder / "result.json").exists():
        raise StateError(f"There is no finished run in {folder}. {going_on(recipe, folder)}")
    if recipe.data != (due := find(recipe.name)().data):
        raise StateError(
            f"The run in {folder} has learned from {recipe.data}; what comes with the repository "
            f"learns from {due}. Publish a run without --data; this one is measured by `evaluate "
            f"{recipe.name} --data {recipe.data} --weights`."
        )
    state = load_state(folder / f"{recipe.name}.safetensors")
    halves = {
        name: value.astype(np.float16) if value.dtype == np.float32 else value
        for name, value in state.items()
    }
    save(halves, FOLDER / "weights" / f"{recipe.name}.safetensors")
    model = load(recipe, None)
    figures = recipe.evaluate(model)
    write_answers(recipe, model)
    result = read_json(folder / "result.json")
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


def read_json(path: Path) -> dict[str, Any]:
    """The one JSON object in a file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise StateError(f"{path} is damaged: {error}.") from error
    if not isinstance(content, dict):
        raise StateError(f"{path} is damaged: it holds no JSON object.")
    return content


def as_json(content: dict[str, Any]) -> dict[str, Any]:
    """What is read when `content` was written: tuples have become lists."""
    read: dict[str, Any] = json.loads(json.dumps(content))
    return read
