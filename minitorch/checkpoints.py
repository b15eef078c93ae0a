"""Checkpoints: all that training needs to go on as if nothing had happened. Leans on `state`."""

# Grown in notebooks: 3_01_keeping_state. Edit there, then `make extract`.

from __future__ import annotations

import copy
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from minitorch.files import sync_folder
from minitorch.random import generator
from minitorch.state import StateError, load_with_notes, save
from minitorch.stateful import Stateful
from minitorch.tensor import Tensor

__all__ = [
    "Checkpoints",
    "RandomState",
    "plain_key",
    "put_together",
    "read_checkpoint",
    "taken_apart",
]


def taken_apart(value: Any, path: str, arrays: dict[str, np.ndarray]) -> Any:
    """`value` in the terms of JSON; its arrays go to `arrays`, and leave their name behind.

    A dict or list becomes {"dict": [[key, value] ...]} or {"list": [...]}, so that no key that a
    user chose can be taken for a mark, and integer keys stay integers.
    """
    if isinstance(value, Tensor):
        value = value.array
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        while path in arrays:  # {"a.b": ...} beside {"a": {"b": ...}}
            path += "_"
        arrays[path] = value
        return {"array": path}
    if isinstance(value, dict):
        items = [
            [plain_key(key, path), taken_apart(inner, f"{path}.{key}".lstrip("."), arrays)]
            for key, inner in value.items()
        ]
        return {"dict": items}
    if isinstance(value, list | tuple):
        return {"list": [taken_apart(v, f"{path}.{k}", arrays) for k, v in enumerate(value)]}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise StateError(f"A checkpoint cannot hold {path}: {type(value).__name__} is not plain data.")


def plain_key(key: Any, path: str) -> Any:
    """A key of a dict in the terms of JSON; raises StateError where it would not come back."""
    key = key.item() if isinstance(key, np.generic) else key
    if key is None or isinstance(key, bool | int | float | str):
        return key
    raise StateError(
        f"A checkpoint cannot hold {path}: its key {key!r:.40} is a {type(key).__name__}, no text "
        "or number."
    )


def put_together(outline: Any, arrays: dict[str, np.ndarray]) -> Any:
    """What `taken_apart` took apart; a tuple comes back as a list."""
    match outline:
        case {"array": path}:
            return arrays[path]
        case {"dict": items}:
            return {key: put_together(inner, arrays) for key, inner in items}
        case {"list": items}:
            return [put_together(inner, arrays) for inner in items]
    return outline


class RandomState:
    """The state of the one random generator, in the form of every other part."""

    def state_dict(self) -> Any:
        """Where the generator stands."""
        return generator().bit_generator.state

    def load_state_dict(self, state: Any) -> None:
        """Put the generator back to where it stood."""
        generator().bit_generator.state = state


class Checkpoints:
    """A folder with the last checkpoint of some parts, and the one before it.

    Parameters
    ----------
    folder : where `last.safetensors` and `previous.safetensors` lie; a kill may leave the newest
        as `next.safetensors`, which is loaded where there is no last one
    parts : by name, what is to be saved: model, optimizer, scheduler, loader ...; the state of
        the random generator is always with them
    """

    def __init__(self, folder: str | Path, **parts: Stateful) -> None:
        self.last = Path(folder) / "last.safetensors"
        self.previous = Path(folder) / "previous.safetensors"
        self.next = Path(folder) / "next.safetensors"
        self.parts: dict[str, Stateful] = {**parts, "random": RandomState()}

    def exists(self) -> bool:
        """Whether there is a checkpoint to load."""
        return bool(self.files())

    def files(self) -> list[Path]:
        """What there is to load, the newest first."""
        newest = self.last if self.last.exists() else self.next
        return [path for path in (newest, self.previous) if path.exists()]

    def save(self, **progress: Any) -> None:
        """Save all parts and `progress` (epoch, history: numbers, texts, lists, dicts, arrays).

        A kill at any moment leaves this checkpoint or the one before, whole. Raises StateError.
        """
        states = {name: part.state_dict() for name, part in self.parts.items()}
        arrays: dict[str, np.ndarray] = {}
        try:
            outline = json.dumps(taken_apart({"parts": states, "progress": progress}, "", arrays))
        except RecursionError as error:
            raise StateError("A checkpoint cannot hold a list in itself, forever.") from error
        save(arrays, self.next, {"checkpoint": outline})
        try:
            if self.last.exists():
                self.last.replace(self.previous)
            self.next.replace(self.last)
            sync_folder(self.last.parent)
        except OSError as error:
            raise StateError(
                f"save: {self.next} cannot take the place of {self.last} ({error.strerror})."
            ) from error

    def load(self) -> dict[str, Any]:
        """Put all parts back to the last whole checkpoint; returns the progress saved with it.

        When the last one is damaged, a warning says so and the one before is taken. Raises
        StateError, with every part as it was, when none is whole or one does not fit.
        """
        faults = []
        for path in self.files():
            try:
                content = read_checkpoint(path)
            except StateError as error:
                faults.append(str(error))
                continue
            if faults:
                warnings.warn(f"{faults[0]} Went on from {path}.", stacklevel=2)
            self.restore(content["parts"], path)
            return content["progress"]
        found = " ".join(faults) or "there is none."
        raise StateError(f"No checkpoint in {self.last.parent}: {found}")

    def restore(self, states: dict[str, Any], path: Path) -> None:
        """Give each part its state; if one does not fit, give all back what they had."""
        if states.keys() != self.parts.keys():
            raise StateError(
                f"{path} holds {', '.join(sorted(states))}, not {', '.join(sorted(self.parts))}."
            )
        before = {name: copy.deepcopy(part.state_dict()) for name, part in self.parts.items()}
        try:
            for name, part in self.parts.items():
                part.load_state_dict(states[name])
        except Exception as error:  # whatever one part objects to, all get back what they had
            for name, part in self.parts.items():
                part.load_state_dict(before[name])
            raise StateError(f"{path} does not fit, nothing was changed: {error}") from error


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The states and the progress in a checkpoint's file; raises StateError for any other file."""
    arrays, notes = load_with_notes(path)
    try:
        content = put_together(json.loads(notes["checkpoint"]), arrays)
        return {"parts": dict(content["parts"]), "progress": dict(content["progress"])}
    except (LookupError, TypeError, ValueError, RecursionError) as error:
        raise StateError(
            f"{path} is no checkpoint, or a damaged one ({type(error).__name__}: {error}). If it "
            "holds weights only, read it with minitorch.load."
        ) from error
