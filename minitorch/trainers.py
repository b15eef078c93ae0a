"""The training loop, written once: batches, epochs, progress, history, interruption.

Leans on `module`, `optim` and `graph`; what else should happen during training is a callback.
"""

# Grown in notebooks: 2_08_training. Edit there, then `make extract`.

from __future__ import annotations

import math
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from contextlib import contextmanager
from typing import Any

import numpy as np

from minitorch.graph import no_grad
from minitorch.module import Module
from minitorch.optim import Optimizer
from minitorch.tensor import Tensor

__all__ = [
    "Array",
    "Averages",
    "Callback",
    "InterruptRequest",
    "Metric",
    "ProgressBar",
    "Trainer",
    "accuracy",
    "as_tensor",
    "evaluating",
    "in_words",
]


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


class InterruptRequest:
    """Within it, a first Ctrl-C is only noted, in `made`; a second one interrupts at once."""

    made = False

    def __enter__(self) -> InterruptRequest:
        self.in_main_thread = threading.current_thread() is threading.main_thread()
        if self.in_main_thread:  # Python lets no other thread listen to signals
            self.before = signal.signal(signal.SIGINT, self.note)
        return self

    def note(self, *details: Any) -> None:
        """Note the request, and let the next one through."""
        self.made = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def __exit__(self, *error: object) -> None:
        if self.in_main_thread:
            signal.signal(signal.SIGINT, self.before)


class Averages:
    """Running averages of named numbers, weighted by how many samples each stands for."""

    def __init__(self) -> None:
        self.count = 0
        self.totals: dict[str, float] = {}

    def add(self, values: dict[str, float], count: int) -> None:
        """Count `values`, averages over `count` samples, in."""
        self.count += count
        for name, value in values.items():
            self.totals[name] = self.totals.get(name, 0.0) + value * count

    def result(self) -> dict[str, float]:
        """The averages so far."""
        return {name: total / self.count for name, total in self.totals.items()}


class Callback:
    """What should happen during training besides training; override the moments of interest."""

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


class ProgressBar(Callback):
    """One bar for the whole training, with the time that is left, and a line per epoch."""

    def on_fit_start(self, trainer: Trainer) -> None:
        """Open the bar."""
        from tqdm.auto import tqdm  # here, because it costs more to import than all of minitorch

        epochs = trainer.last_epoch - trainer.epoch
        total = trainer.batches_per_epoch and trainer.batches_per_epoch * epochs
        self.bar = tqdm(total=total, unit="batch", mininterval=0.2, dynamic_ncols=True)

    def on_batch_end(self, trainer: Trainer) -> None:
        """Move on by one batch."""
        self.bar.set_description(f"epoch {trainer.epoch + 1}/{trainer.last_epoch}", refresh=False)
        if trainer.batch % 20 == 1:
            self.bar.set_postfix_str(in_words(trainer.averages.result()), refresh=False)
        self.bar.update()

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Print the figures of the epoch."""
        row = trainer.history[-1]
        self.bar.write(f"epoch {row['epoch']:3}/{trainer.last_epoch}  {in_words(row)}")

    def on_fit_end(self, trainer: Trainer) -> None:
        """Close the bar."""
        self.bar.close()
        if trainer.stopped:
            print(f"Stopped: {trainer.stopped}.")


def in_words(row: dict[str, Any]) -> str:
    """The figures of an epoch on one line."""
    figures = {name: value for name, value in row.items() if isinstance(value, float)}
    return "  ".join(f"{name} {value:.4g}" for name, value in figures.items())


class Trainer:
    """Trains a model on batches, and measures and uses it.

    Parameters
    ----------
    model, optimizer : what is trained, and how
    loss : of (output, target), the number to make small
    metrics : more functions of (output, target), by name, to watch
    callbacks : what else should happen on the way

    Batches are anything that gives (input, target) pairs anew each time it is iterated.
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
        self.callbacks = list(callbacks)
        self.history: list[dict[str, Any]] = []
        self.epoch = 0  # how many are complete
        self.last_epoch = 0
        self.batch = 0  # how many of this epoch are complete
        self.batches_per_epoch: int | None = None
        self.averages = Averages()
        self.stopped: str | None = None
        self.going_on = False  # in the middle of an epoch, from a checkpoint

    def fit(
        self,
        batches: Iterable[Any],
        epochs: int,
        validation: Iterable[Any] | None = None,
        progress: bool = True,
    ) -> list[dict[str, Any]]:
        """Train for `epochs` more epochs; returns the history, one row of figures per epoch.

        An epoch that a checkpoint broke off is finished first, and counts. Ctrl-C stops after the
        batch at hand: the model is usable, `stopped` says so. Raises FloatingPointError when the
        loss is no longer a number, ValueError when there is no batch.
        """
        self.last_epoch = self.epoch + epochs
        self.batches_per_epoch = len(batches) if isinstance(batches, Sized) else None
        self.stopped = None
        if not self.going_on:
            self.batch, self.averages = 0, Averages()
        self.going_on = False
        callbacks = [*self.callbacks, ProgressBar()] if progress else self.callbacks
        self.tell(callbacks, "on_fit_start")
        try:
            with InterruptRequest() as interrupt:
                while self.epoch < self.last_epoch and not self.stopped:
                    self.run_epoch(batches, validation, callbacks, interrupt)
        finally:
            self.tell(callbacks, "on_fit_end")
        return self.history

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
        for inputs, target in batches:
            self.train_batch(as_tensor(inputs), as_tensor(target), callbacks)
            if interrupt.made:
                self.stop(f"Ctrl-C in epoch {self.epoch + 1}, after batch {self.batch}")
            if self.stopped and self.batch != self.batches_per_epoch:
                return
        if not self.batch:
            raise ValueError("fit: there was no batch. Is the data set smaller than one batch?")
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

    def train_batch(self, inputs: Tensor, target: Tensor, callbacks: Sequence[Callback]) -> None:
        """Forward, backward, update: the whole of learning."""
        self.optimizer.zero_grad()
        output = self.model(inputs)
        loss = self.loss(output, target)
        loss.backward()
        self.tell(callbacks, "on_gradients")
        self.optimizer.step()
        figures = self.measure(output, target, loss)
        self.batch += 1
        self.averages.add(figures, len(target))
        if not math.isfinite(figures["loss"]):
            raise FloatingPointError(
                f"fit: the loss is {figures['loss']} in epoch {self.epoch + 1}, "
                f"batch {self.batch}. "
                "A smaller lr often helps; look for log of 0, division by 0 and huge inputs."
            )
        self.tell(callbacks, "on_batch_end")

    def measure(self, output: Tensor, target: Tensor, loss: Tensor) -> dict[str, float]:
        """The loss and the metrics of one batch as plain numbers."""
        values = {name: float(metric(output, target)) for name, metric in self.metrics.items()}
        return {"loss": float(loss), **values}

    def evaluate(self, batches: Iterable[Any]) -> dict[str, float]:
        """Loss and metrics over all batches, in evaluation mode."""
        averages = Averages()
        with evaluating(self.model):
            for inputs, target in batches:
                output, target = self.model(as_tensor(inputs)), as_tensor(target)
                loss = self.loss(output, target)
                averages.add(self.measure(output, target, loss), len(target))
        if not averages.count:
            raise ValueError("evaluate: there was no batch.")
        return averages.result()

    def predict(self, inputs: Array | Tensor, batch_size: int = 256) -> Array:
        """The model's output for each of the inputs, in evaluation mode."""
        inputs = as_tensor(inputs)
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
        """How far training is, figures included, and the state of each callback."""
        return {
            "epoch": self.epoch,
            "batch": self.batch,
            "history": [dict(row) for row in self.history],
            "averages": {"count": self.averages.count, "totals": dict(self.averages.totals)},
            "callbacks": [callback.state_dict() for callback in self.callbacks],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Let the next `fit` go on from `state_dict`; its batches must go on there too."""
        self.epoch, self.batch = int(state["epoch"]), int(state["batch"])
        self.history = [dict(row) for row in state["history"]]
        self.averages = Averages()
        self.averages.count = int(state["averages"]["count"])
        self.averages.totals = dict(state["averages"]["totals"])
        for callback, kept in zip(self.callbacks, state["callbacks"], strict=True):
            callback.load_state_dict(kept)
        self.going_on = True

    def tell(self, callbacks: Sequence[Callback], moment: str) -> None:
        """Tell the callbacks that a moment has come."""
        for callback in callbacks:
            getattr(callback, moment)(self)


def as_tensor(values: Any) -> Tensor:
    """Wrap what a batch holds as a tensor; a tensor stays itself."""
    return values if isinstance(values, Tensor) else Tensor(values)
