"""What every network's recipe answers: the settings of a run, and what to do with them.

A recipe is a frozen dataclass, so that a run is described by its name and the fields that differ.
Leans on minitorch's trainer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

from minitorch.nn import Module
from minitorch.trainers import Trainer


class Batches(Protocol):
    """(input, target) pairs, anew each time it is iterated; what a data loader is.

    With a `state_dict`, as a data loader has, a run goes on bit for bit within an epoch; without
    one the batches that were done are made again, and skipped.
    """

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Any]: ...


@dataclass(frozen=True)
class Recipe:
    """All settings of a training run. A subclass gives the defaults that the weights stand for."""

    name: ClassVar[str]
    metric: ClassVar[str] = "accuracy"  # of the figures of `evaluate`, the one that counts
    watch: ClassVar[tuple[str, str]] = ("validation_accuracy", "max")  # of the log: what is best
    published: ClassVar[float | None] = None
    source: ClassVar[str] = ""

    data: str = "digits"
    epochs: int = 10
    seed: int = 0

    def network(self) -> Module:
        """The network, with fresh weights."""
        raise NotImplementedError

    def training_batches(self) -> Batches:
        """What to train on, augmented and in a new order each time it is iterated."""
        raise NotImplementedError

    def test_batches(self) -> Batches:
        """What to measure on: data that training never sees."""
        raise NotImplementedError

    def trainer(self, model: Module, batches_per_epoch: int) -> Trainer:
        """How the model is trained: optimizer, loss, schedule."""
        raise NotImplementedError

    def evaluate(self, model: Module) -> dict[str, Any]:
        """The figures on unseen data: `data`, the metric, and how much there was."""
        raise NotImplementedError

    def answers(self, model: Module) -> dict[str, np.ndarray]:
        """What the model says of each sample of the unseen data, small enough to be kept."""
        raise NotImplementedError

    def predict(self, model: Module, image: Path) -> dict[str, Any]:
        """What the model says about an image file."""
        raise NotImplementedError

    def pictures(self, model: Module, folder: Path) -> list[Path]:
        """Draw the network and some of its predictions; returns the files."""
        raise NotImplementedError
