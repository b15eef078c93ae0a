"""The training loop, written once: batches, epochs, progress, history, interruption.

Leans on `module`, `optim` and `graph`; what else should happen during training is a callback.
"""

# Grown in notebooks: 2_08_training. Edit there, then `make extract`.

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from contextlib import contextmanager
from itertools import islice
from typing import Any

import numpy as np

from minitorch.batches import Averages, as_number, as_pair, as_tensor, lost_values
from minitorch.callbacks import Callback
from minitorch.graph import no_grad
from minitorch.interrupts import InterruptRequest
from minitorch.logs import ProgressBar
from minitorch.module import Module
from minitorch.optimizer import Optimizer
from minitorch.stateful import Stateful
from minitorch.tensor import Tensor

__all__ = ["Array", "Metric", "Trainer", "accuracy", "evaluating"]


Array = np.ndarray
Metric = Callable[[Tensor, Tensor], Any]


def accuracy(output: Tensor, target: Tensor) -> float:
    """The part of the samples whose largest output (N, C) is at their class, target (N,)."""
    if output.ndim != 2 or target.shape != output.shape[:1]:
        raise ValueError(
            f"accuracy: output {output.shape} and target {target.shape} do not fit. It takes "
            "(N, classes) and one class index per sample, (N,)."
        )
    return float(np.count_nonzero(output.array.argmax(axis=1) == target.array) / len(target.array))


@contextmanager
def evaluating(model: Module) -> Iterator[None]:
    """Within it the model is in evaluation mode and leaves no graph; afterwards it is as before."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with no_grad():
            yield
    finally:
        for module, training in modes:
            module.set_mode(training)


class Trainer:
    """Trains a model on batches, and measures and uses it.

    Parameters
    ----------
    model, optimizer : what is trained, and how
    loss : of (output, target), the number to make small
    metrics : more functions of (output, target), by name, to watch
    callbacks : what else should happen on the way

    Batches are anything that gives (input, target) pairs anew each time it is iterated. If they
    have a `state_dict`, as a `DataLoader` has, an epoch that was broken off goes on bit for bit.
    """

    def __init__(
        self,
        model: Module,
        optimizer: Optimizer,
        loss: Metric,
        metrics: dict[str, Metric] | None = None,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.loss = loss
        self.metrics = metrics or {}
        for name in self.metrics:
            if name in ("epoch", "loss", "lr", "seconds") or name.startswith("validation_"):
                raise ValueError(
                    f"Trainer: a metric needs another name than {name}, which a row of the history "
                    "has for a figure of its own."
                )
        self.callbacks = list(callbacks)
        self.history: list[dict[str, Any]] = []
        self.epoch = 0  # how many are complete
        self.last_epoch = 0
        self.batch = 0  # how many of this epoch are complete
        self.batches_per_epoch: int | None = None
        self.averages = Averages()
        self.stopped: str | None = None
        self.figures: list[str] = []  # what a row of the history will hold
        self.batches: Iterable[Any] | None = None  # of the last fit
        self.loaded = False  # a checkpoint, since then
        self.left_at: Any = None  # the state of the batches where an epoch was broken off
        self.in_batch = False  # while model and batches do not stand at the same place

    def fit(
        self,
        batches: Iterable[Any],
        epochs: int,
        validation: Iterable[Any] | None = None,
        progress: bool = True,
    ) -> list[dict[str, Any]]:
        """Train for `epochs` more epochs; returns the history, one row of figures per epoch.

        An epoch that was broken off is finished first, and counts. Ctrl-C stops after the batch at
        hand: the model is usable, `stopped` says so. Raises FloatingPointError when the loss is
        no longer a number, ValueError when there is no batch.
        """
        if not isinstance(epochs, int | np.integer) or epochs < 0:
            raise ValueError(f"fit: epochs is a whole number from 0 on, not {epochs!r}.")
        self.last_epoch = self.epoch + epochs
        self.batches_per_epoch = len(batches) if isinstance(batches, Sized) else None
        measured = ["loss", *self.metrics]
        unseen = [f"validation_{name}" for name in measured] if validation is not None else []
        self.figures = ["epoch", *measured, *unseen, "lr", "seconds"]
        self.stopped = None
        self.take_up(batches)
        callbacks = sorted(self.callbacks, key=lambda callback: callback.saves)
        callbacks += [ProgressBar()] if progress else []
        self.tell(callbacks, "on_fit_start")
        try:
            with InterruptRequest() as interrupt:
                while self.epoch < self.last_epoch and not self.stopped:
                    self.run_epoch(batches, validation, callbacks, interrupt)
        except BaseException as error:
            self.stop(f"{type(error).__name__} in epoch {self.epoch + 1}, after batch {self.batch}")
            raise
        finally:
            self.tell(callbacks, "on_fit_end")
            self.left_at = self.state_of_batches() if self.batch else None
        return self.history

    def take_up(self, batches: Iterable[Any]) -> None:
        """Go on with the epoch that was broken off, if these are its batches; else begin one."""
        if self.in_batch or not (self.loaded or batches is self.batches):
            self.batch, self.averages, self.left_at = 0, Averages(), None
        if self.loaded and self.batch and (self.left_at is None) == isinstance(batches, Stateful):
            raise ValueError(
                "fit: the checkpoint is from within an epoch, of batches that could "
                f"{'not ' if self.left_at is None else ''}tell where they are; a "
                f"{type(batches).__name__} cannot go on from it. Build them as they were."
            )
        if self.left_at is not None and isinstance(batches, Stateful):
            batches.load_state_dict(self.left_at)
        self.batches, self.loaded, self.in_batch = batches, False, False

    def left_of(self, batches: Iterable[Any]) -> Iterable[Any]:
        """The batches of this epoch that were not trained on yet."""
        if self.batch and self.batch == self.batches_per_epoch:  # stopped while validating
            return ()
        return batches if isinstance(batches, Stateful) else islice(batches, self.batch, None)

    def run_epoch(
        self,
        batches: Iterable[Any],
        validation: Iterable[Any] | None,
        callbacks: Sequence[Callback],
        interrupt: InterruptRequest,
    ) -> None:
        """Train on every batch once, and add a row to the history."""
        start = time.perf_counter()
        self.model.train()
        for batch in self.left_of(batches):
            inputs, target = as_pair(batch)
            self.in_batch = True
            self.train_batch(inputs, target, callbacks)
            if interrupt.made:
                self.stop(f"Ctrl-C in epoch {self.epoch + 1}, after batch {self.batch}")
            if self.stopped and self.batch != self.batches_per_epoch:
                return
        if not self.batch:
            raise ValueError(
                "fit: there was no batch. Is the data set smaller than one, or are the batches an "
                "iterator that is used up? A DataLoader or a list can be gone through again."
            )
        row = {"epoch": self.epoch + 1, **self.averages.result()}
        if validation is not None:
            figures = self.evaluate(validation)
            row |= {f"validation_{name}": value for name, value in figures.items()}
        row["lr"] = float(self.optimizer.param_groups[0]["lr"])
        row["seconds"] = time.perf_counter() - start
        self.history.append(row)
        self.epoch += 1
        self.batch, self.averages = 0, Averages()
        if self.epoch == 1:
            self.report_never_updated()
        self.tell(callbacks, "on_epoch_end")
        if interrupt.made and not self.stopped:
            self.stop(f"Ctrl-C after epoch {self.epoch}")

    def train_batch(self, inputs: Tensor, target: Tensor, callbacks: Sequence[Callback]) -> None:
        """Forward, backward, update: the whole of learning."""
        self.optimizer.zero_grad()
        output = self.model(inputs)
        loss = self.loss(output, target)
        figures = self.measure(output, target, loss)
        if not math.isfinite(figures["loss"]):  # before the update, which would ruin the weights
            raise FloatingPointError(
                f"fit: the loss is {figures['loss']} in epoch {self.epoch + 1}, "
                f"batch {self.batch + 1}; {self.what_is_left()}. "
                "A smaller lr often helps; look for log of 0, division by 0 and huge inputs."
            )
        if not isinstance(loss, Tensor):
            raise TypeError(
                f"fit: the loss is a {type(loss).__name__}, which no gradient comes from. Let it "
                "return the tensor itself, without item(), float() or numpy()."
            )
        loss.backward()
        self.tell(callbacks, "on_gradients")
        self.optimizer.step()
        self.batch += 1
        self.averages.add(figures, len(target))
        self.in_batch = False
        self.tell(callbacks, "on_batch_end")

    def measure(self, output: Tensor, target: Tensor, loss: Tensor) -> dict[str, float]:
        """The loss and the metrics of one batch as plain numbers."""
        values = {"loss": loss}
        values |= {name: metric(output, target) for name, metric in self.metrics.items()}
        return {name: as_number(name, value) for name, value in values.items()}

    def what_is_left(self) -> str:
        """In words, what a loss that is no number has left of the model."""
        if lost := lost_values(self.model):
            return f"NaN is in {', '.join(lost)} already: go back to a checkpoint before it"
        return "the weights are still those before it"

    def evaluate(self, batches: Iterable[Any]) -> dict[str, float]:
        """Loss and metrics over all batches, in evaluation mode."""
        averages = Averages()
        with evaluating(self.model):
            for batch in batches:
                inputs, target = as_pair(batch)
                output = self.model(inputs)
                loss = self.loss(output, target)
                averages.add(self.measure(output, target, loss), len(target))
        if not averages.count:
            raise ValueError(
                "evaluate: there was no batch. Are the batches an iterator that an earlier epoch "
                "used up? A DataLoader or a list can be gone through again."
            )
        return averages.result()

    def predict(self, inputs: Array | Tensor, batch_size: int = 256) -> Array:
        """The model's output for each of the inputs, in evaluation mode."""
        inputs = as_tensor(inputs)
        if not len(inputs):
            raise ValueError(f"predict: there is nothing in inputs of shape {inputs.shape}.")
        if batch_size < 1:
            raise ValueError(f"predict: batch_size is a whole number from 1 on, not {batch_size}.")
        with evaluating(self.model):
            outputs = [
                self.model(inputs[start : start + batch_size]).array
                for start in range(0, len(inputs), batch_size)
            ]
        return np.concatenate(outputs)

    def report_never_updated(self) -> None:
        """Warn of parameters that no gradient has reached, by name."""
        if names := self.optimizer.never_updated():
            warnings.warn(
                f"no gradient has reached {', '.join(names)} in the first epoch: does forward use "
                "them, without detach() or no_grad() on the way?",
                stacklevel=4,
            )

    def stop(self, reason: str) -> None:
        """End training after the batch or epoch at hand."""
        self.stopped = reason

    def state_dict(self) -> dict[str, Any]:
        """How far training is, figures included, and the state of the batches and callbacks."""
        return {
            "batches": self.state_of_batches(),
            "epoch": self.epoch,
            "batch": self.batch,
            "history": [dict(row) for row in self.history],
            "averages": {"count": self.averages.count, "totals": dict(self.averages.totals)},
            "callbacks": [callback.state_dict() for callback in self.callbacks],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Let the next `fit` go on from `state_dict`, with batches that are built alike."""
        if len(state["callbacks"]) != len(self.callbacks):
            raise ValueError(
                f"Trainer: the state is of {len(state['callbacks'])} callbacks, there are "
                f"{len(self.callbacks)}. Build the trainer as it was when the state was saved."
            )
        self.epoch, self.batch = int(state["epoch"]), int(state["batch"])
        self.history = [dict(row) for row in state["history"]]
        self.averages = Averages()
        self.averages.count = int(state["averages"]["count"])
        self.averages.totals = dict(state["averages"]["totals"])
        for callback, kept in zip(self.callbacks, state["callbacks"], strict=True):
            callback.load_state_dict(kept)
        self.left_at, self.loaded, self.in_batch = state["batches"], True, False

    def state_of_batches(self) -> Any:
        """Where the batches stand, if they can tell."""
        return self.batches.state_dict() if isinstance(self.batches, Stateful) else None

    def tell(self, callbacks: Sequence[Callback], moment: str) -> None:
        """Tell the callbacks that a moment has come."""
        for callback in callbacks:
            getattr(callback, moment)(self)
