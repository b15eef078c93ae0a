"""What may happen during training besides training: schedules, clipping, logs, early stopping.

Leans on `trainers`.
"""

# Grown in notebooks: 3_02_adam. Edit there, then `make extract`.

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from minitorch.checkpoints import Checkpoints
from minitorch.clipping import clip_grad_norm_
from minitorch.state import save
from minitorch.trainers import Callback, Trainer

__all__ = ["ClipGradients", "EarlyStopping", "LogFile", "SaveCheckpoints", "Schedule", "figure"]


class Schedule(Callback):
    """Step a learning-rate schedule after every "batch" or "epoch".

    One that looks at a figure, as `ReduceLROnPlateau` does, is shown the one of the history that
    `watch` names.
    """

    def __init__(self, scheduler: Any, every: str = "epoch", watch: str | None = None) -> None:
        if every not in ("batch", "epoch") or (watch is not None and every == "batch"):
            raise ValueError(
                f'Schedule: every is "batch" or "epoch", not {every!r}; figures are there to '
                "watch after an epoch."
            )
        self.scheduler, self.every, self.watch = scheduler, every, watch

    def on_batch_end(self, trainer: Trainer) -> None:
        """Step, if it is time; after the last batch of all no other one needs a rate."""
        last_epoch = trainer.epoch + 1 == trainer.last_epoch
        last = last_epoch and trainer.batches_per_epoch == trainer.batch
        if self.every == "batch" and not last:
            self.scheduler.step()

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Step, if it is time."""
        if self.watch is not None:
            self.scheduler.step(figure(trainer, self.watch))
        elif self.every == "epoch":
            self.scheduler.step()

    def state_dict(self) -> dict[str, Any]:
        """The schedule's."""
        state: dict[str, Any] = self.scheduler.state_dict()
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The schedule's."""
        self.scheduler.load_state_dict(state)


class ClipGradients(Callback):
    """Scale the gradients of a batch down to a common norm of at most `max_norm`."""

    def __init__(self, max_norm: float) -> None:
        self.max_norm = max_norm

    def on_gradients(self, trainer: Trainer) -> None:
        """Clip."""
        clip_grad_norm_(trainer.optimizer.parameters, self.max_norm)


class EarlyStopping(Callback):
    """Stop when the figure `watch` has not become better for `patience` epochs."""

    def __init__(
        self, watch: str = "validation_loss", patience: int = 5, mode: str = "min"
    ) -> None:
        if mode not in ("min", "max"):
            raise ValueError(f'EarlyStopping: mode is "min" or "max", not {mode!r}.')
        self.watch, self.patience = watch, patience
        self.sign = 1 if mode == "min" else -1
        self.best, self.best_epoch = math.inf, 0

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Compare with the best so far."""
        now = self.sign * figure(trainer, self.watch)
        if now < self.best:
            self.best, self.best_epoch = now, trainer.epoch
        elif trainer.epoch - self.best_epoch >= self.patience:
            trainer.stop(f"{self.watch} was best in epoch {self.best_epoch}")

    def state_dict(self) -> dict[str, Any]:
        """The best so far."""
        return {"best": self.best, "best_epoch": self.best_epoch}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        self.best, self.best_epoch = float(state["best"]), int(state["best_epoch"])


class SaveCheckpoints(Callback):
    """Save all that training needs to go on, after every epoch and when it is stopped.

    Give it as the last callback, so that it sees what the others did.

    Parameters
    ----------
    folder : where `last.safetensors`, the one before it and `best.safetensors` lie
    batches : the loader that is trained on, if it has a state; then a stop within an epoch loses
        nothing
    watch, mode : the figure of the history by which the best weights are kept beside
    """

    def __init__(
        self,
        folder: str | Path,
        batches: Any = None,
        watch: str = "validation_accuracy",
        mode: str = "max",
    ) -> None:
        self.folder, self.batches = Path(folder), batches
        self.watch, self.sign = watch, 1 if mode == "max" else -1
        self.best = -math.inf

    def checkpoints(self, trainer: Trainer) -> Checkpoints:
        """The parts that are saved together."""
        parts: dict[str, Any] = {"model": trainer.model, "optimizer": trainer.optimizer}
        if self.batches is not None:
            parts["batches"] = self.batches
        return Checkpoints(self.folder, **parts, trainer=trainer)

    def resume(self, trainer: Trainer) -> bool:
        """Go on from the last checkpoint; False where there is none."""
        checkpoints = self.checkpoints(trainer)
        if not checkpoints.exists():
            return False
        checkpoints.load()
        return True

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Save, and keep the weights if they are the best so far."""
        if self.watch in trainer.history[-1]:
            now = self.sign * figure(trainer, self.watch)
            if now > self.best:
                self.best = now
                save(trainer.model.state_dict(), self.folder / "best.safetensors")
        self.checkpoints(trainer).save()

    def on_fit_end(self, trainer: Trainer) -> None:
        """Save where training was stopped."""
        if trainer.stopped:
            self.checkpoints(trainer).save()

    def state_dict(self) -> dict[str, Any]:
        """The best so far."""
        return {"best": self.best}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        self.best = float(state["best"])


class LogFile(Callback):
    """Append the figures of each epoch to a file: one JSON object per line, or CSV by its name."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def on_fit_start(self, trainer: Trainer) -> None:
        """Begin the file with the history that there is: none, or that of a checkpoint."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text("", encoding="utf-8")
        for row in trainer.history:
            self.append(row)

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Append a line at once, so that a run that is killed leaves its history."""
        self.append(trainer.history[-1])

    def append(self, row: dict[str, Any]) -> None:
        """Add one row to the file."""
        lines = [json.dumps(row)]
        if self.path.suffix == ".csv":
            head = [] if self.path.stat().st_size else [",".join(row)]
            lines = [*head, ",".join(str(value) for value in row.values())]
        with self.path.open("a", encoding="utf-8") as log:
            log.write("\n".join(lines) + "\n")


def figure(trainer: Trainer, name: str) -> float:
    """A figure of the last epoch; raises KeyError with the names that there are."""
    row = trainer.history[-1]
    if name not in row:
        raise KeyError(f"there is no figure {name!r} in the history, only {', '.join(row)}.")
    return float(row[name])
