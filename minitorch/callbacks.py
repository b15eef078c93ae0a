"""What should happen during training besides training; `trainers` tells each of its moments."""

# Grown in notebooks: 2_08_training, 3_06_long_training. Edit there, then `make extract`.

from __future__ import annotations

import math
import time
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from minitorch.batches import lost_values
from minitorch.checkpoints import Checkpoints
from minitorch.clipping import clip_grad_norm_
from minitorch.lr_scheduler import ReduceLROnPlateau
from minitorch.state import StateError, save

if TYPE_CHECKING:
    from minitorch.trainers import Trainer

__all__ = [
    "Callback",
    "ClipGradients",
    "EarlyStopping",
    "SaveCheckpoints",
    "Schedule",
    "check_figure",
    "sign_of",
]


class Callback:
    """What should happen during training besides training; override the moments of interest."""

    saves = False  # those that save are told last, so that they see what the others did

    def on_fit_start(self, trainer: Trainer) -> None:
        """Training begins, or goes on."""

    def on_gradients(self, trainer: Trainer) -> None:
        """The gradients of a batch are there, the optimizer has not used them yet."""

    def on_batch_end(self, trainer: Trainer) -> None:
        """A batch is done; `trainer.averages` holds the figures of the epoch so far."""

    def on_epoch_end(self, trainer: Trainer) -> None:
        """An epoch is done; the last row of `trainer.history` holds its figures."""

    def on_fit_end(self, trainer: Trainer) -> None:
        """Training ended; `trainer.stopped` says why if it was before its time."""

    def state_dict(self) -> dict[str, Any]:
        """What to keep in a checkpoint."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave."""


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
        if isinstance(scheduler, ReduceLROnPlateau) != (watch is not None):
            raise ValueError(
                f"Schedule: {type(scheduler).__name__} with watch={watch!r}. ReduceLROnPlateau, "
                "and no other schedule, needs the name of a figure to watch."
            )
        self.scheduler, self.every, self.watch = scheduler, every, watch
        self.due = False

    def on_fit_start(self, trainer: Trainer) -> None:
        """See that there will be a figure to watch."""
        if self.watch is not None:
            check_figure(trainer, self.watch)

    def on_gradients(self, trainer: Trainer) -> None:
        """Step before each batch but the first: after the last one none needs a rate."""
        if self.every == "batch":
            if self.due:
                self.scheduler.step()
            self.due = True

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Step, if it is time."""
        if self.watch is not None:
            self.scheduler.step(trainer.history[-1][self.watch])
        elif self.every == "epoch":
            self.scheduler.step()

    def state_dict(self) -> dict[str, Any]:
        """The schedule's, and whether it steps before the next batch."""
        return {"scheduler": self.scheduler.state_dict(), "due": self.due}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        self.scheduler.load_state_dict(state["scheduler"])
        self.due = bool(state["due"])


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
        self.watch, self.patience = watch, patience
        self.sign = sign_of(mode)
        self.best, self.best_epoch = math.inf, 0

    def on_fit_start(self, trainer: Trainer) -> None:
        """See that there will be a figure to watch."""
        check_figure(trainer, self.watch)

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Compare with the best so far."""
        now = self.sign * float(trainer.history[-1][self.watch])
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
    """Save all that training needs to go on: after every epoch, and when it is broken off.

    Parameters
    ----------
    folder : where `last.safetensors`, the one before it and `best.safetensors` lie
    watch, mode : the figure of the history by which the best weights are kept beside; without it
        `validation_accuracy`, where there is one
    minutes : within an epoch, save so often; a kill loses no more
    """

    saves = True

    def __init__(
        self,
        folder: str | Path,
        watch: str | None = None,
        mode: str = "max",
        minutes: float = 10.0,
    ) -> None:
        if not minutes >= 0:
            raise ValueError(f"SaveCheckpoints: minutes is from 0 on, not {minutes}.")
        self.folder, self.minutes = Path(folder), minutes
        self.watch, self.sign = watch, -sign_of(mode)
        self.best = -math.inf
        self.saved_at = -math.inf

    def resume(self, trainer: Trainer) -> bool:
        """Go on from the last checkpoint; False where there is none."""
        checkpoints = self.checkpoints(trainer)
        if not checkpoints.exists():
            return False
        checkpoints.load()
        return True

    def checkpoints(self, trainer: Trainer) -> Checkpoints:
        """The parts that are saved together."""
        parts: dict[str, Any] = {"model": trainer.model, "optimizer": trainer.optimizer}
        return Checkpoints(self.folder, **parts, trainer=trainer)

    def save(self, trainer: Trainer) -> None:
        """Save, and look at the clock."""
        self.refuse_nan(trainer)
        self.checkpoints(trainer).save()
        self.saved_at = time.monotonic()

    def on_fit_start(self, trainer: Trainer) -> None:
        """See that one can save, and a figure to watch will be there; begin to count minutes."""
        if self.watch is not None:
            check_figure(trainer, self.watch)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            TemporaryFile(dir=self.folder).close()
        except OSError as error:
            raise StateError(
                f"SaveCheckpoints: nothing can be written to {self.folder} ({error.strerror}). "
                "Choose another folder; training has not begun."
            ) from error
        self.saved_at = time.monotonic()

    def on_batch_end(self, trainer: Trainer) -> None:
        """Save, if it is time; after the last batch of an epoch its end does."""
        last = trainer.batch == trainer.batches_per_epoch
        if not last and time.monotonic() - self.saved_at >= 60 * self.minutes:
            self.save(trainer)

    def refuse_nan(self, trainer: Trainer) -> None:
        """Raise FloatingPointError, rather than save weights that are lost over whole ones."""
        if lost := lost_values(trainer.model):
            raise FloatingPointError(
                f"SaveCheckpoints: NaN is in {', '.join(lost)}; it is not saved, and "
                f"{self.folder} holds what was before. Clipping or a smaller lr often helps."
            )

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Save, and keep the weights if they are the best so far."""
        self.refuse_nan(trainer)
        now = trainer.history[-1].get(self.watch or "validation_accuracy", -math.inf * self.sign)
        if self.sign * now > self.best:
            save(trainer.model.state_dict(), self.folder / "best.safetensors")
            self.best = self.sign * now  # not before they are kept
        self.save(trainer)

    def on_fit_end(self, trainer: Trainer) -> None:
        """Save where an epoch was broken off, unless that was in the middle of a batch."""
        if trainer.batch and not trainer.in_batch:
            self.save(trainer)

    def state_dict(self) -> dict[str, Any]:
        """The best so far."""
        return {"best": self.best}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        self.best = float(state["best"])


def check_figure(trainer: Trainer, name: str) -> None:
    """Raise KeyError, with the names that there are, where the history will not hold a figure."""
    if name not in trainer.figures:
        raise KeyError(f"there is no figure {name!r}, only {', '.join(trainer.figures)}.")


def sign_of(mode: str) -> int:
    """1 where small is good, -1 where large is."""
    if mode not in ("min", "max"):
        raise ValueError(f'mode is "min" or "max", not {mode!r}.')
    return 1 if mode == "min" else -1
