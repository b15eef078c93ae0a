"""What may happen during training besides training: schedules, clipping, logs, early stopping.

Leans on `trainers`.
"""

# Grown in notebooks: 3_02_adam. Edit there, then `make extract`.

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from minitorch.clipping import clip_grad_norm_
from minitorch.lr_scheduler import LRScheduler, ReduceLROnPlateau
from minitorch.trainers import Callback, Trainer

__all__ = ["ClipGradients", "EarlyStopping", "LogFile", "Schedule", "figure"]


class Schedule(Callback):
    """Step a learning-rate schedule after every "batch" or "epoch".

    A `ReduceLROnPlateau` is shown the figure of the history that `watch` names.
    """

    def __init__(
        self,
        scheduler: LRScheduler | ReduceLROnPlateau,
        every: str = "epoch",
        watch: str = "validation_loss",
    ) -> None:
        if every not in ("batch", "epoch"):
            raise ValueError(f'Schedule: every is "batch" or "epoch", not {every!r}.')
        self.scheduler, self.every, self.watch = scheduler, every, watch

    def on_batch_end(self, trainer: Trainer) -> None:
        """Step, if it is time; the last batch of all has no next one."""
        last = (
            trainer.batches_per_epoch == trainer.batch and trainer.epoch + 1 == trainer.last_epoch
        )
        if self.every == "batch" and not last and isinstance(self.scheduler, LRScheduler):
            self.scheduler.step()

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Step, if it is time."""
        if isinstance(self.scheduler, ReduceLROnPlateau):
            self.scheduler.step(figure(trainer, self.watch))
        elif self.every == "epoch":
            self.scheduler.step()

    def state_dict(self) -> dict[str, Any]:
        """The schedule's."""
        return self.scheduler.state_dict()

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


class LogFile(Callback):
    """Append the figures of each epoch to a file: one JSON object per line, or CSV by its name."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Append a line, so that a run that is killed leaves its history."""
        row = trainer.history[-1]
        lines = [json.dumps(row)]
        if self.path.suffix == ".csv":
            lines = [",".join(str(value) for value in row.values())]
            if not self.path.exists():
                lines.insert(0, ",".join(row))
        with self.path.open("a", encoding="utf-8") as log:
            log.write("\n".join(lines) + "\n")


def figure(trainer: Trainer, name: str) -> float:
    """A figure of the last epoch; raises KeyError with the names that there are."""
    row = trainer.history[-1]
    if name not in row:
        raise KeyError(f"there is no figure {name!r} in the history, only {', '.join(row)}.")
    return float(row[name])
