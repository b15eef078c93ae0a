"""A multi-layer perceptron for MNIST: three linear layers, and every pixel an input of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from minitorch import optim
from minitorch.callbacks import Schedule
from minitorch.nn import Dropout, Flatten, Linear, Module, ReLU, Sequential
from minitorch.trainers import Trainer
from minitorch.transforms import RandomCrop, Transform
from models.classifier import Classifier

Array = np.ndarray


class MnistMLP(Sequential):
    """784 pixels - 512 - 256 - 10 scores."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__(
            Flatten(),
            Linear(28 * 28, 512),
            ReLU(),
            Dropout(dropout),
            Linear(512, 256),
            ReLU(),
            Dropout(dropout),
            Linear(256, 10),
        )


@dataclass(frozen=True)
class MnistMLPRecipe(Classifier):
    """SGD with momentum in one cycle of the learning rate; images shifted by up to one pixel."""

    name: ClassVar[str] = "mnist_mlp"
    published: ClassVar[float | None] = 0.984
    source: ClassVar[str] = "Cireşan et al. 2010, a large MLP without deformations"

    data: str = "mnist"
    epochs: int = 10
    lr: float = 0.06
    momentum: float = 0.9
    weight_decay: float = 1e-4
    dropout: float = 0.1
    shift: int = 1

    def network(self) -> Module:
        """The network, with fresh weights."""
        return MnistMLP(self.dropout)

    def augmentations(self) -> Sequence[Transform]:
        """Each image moved a little."""
        return (RandomCrop(self.shift),)

    def trainer(self, model: Module, batches_per_epoch: int) -> Trainer:
        """SGD with momentum; the rate goes up for a fifth of the time, then down."""
        optimizer = optim.SGD(
            model.parameters(), self.lr, self.momentum, weight_decay=self.weight_decay
        )
        cycle = optim.lr_scheduler.OneCycleLR(
            optimizer,
            self.lr,
            total_steps=max(self.epochs * batches_per_epoch, 2),
            pct_start=0.2,
            cycle_momentum=False,
        )
        return self.fitting(model, optimizer, [Schedule(cycle, every="batch")])

    def read_image(self, path: Path) -> Array:
        """A picture of one digit as (1, 1, 28, 28), light on dark as in MNIST."""
        from PIL import Image

        with Image.open(path) as picture:
            small = np.asarray(picture.convert("L").resize((28, 28), Image.Resampling.LANCZOS))
        if np.median(small) > 127:  # dark ink on light paper
            small = 255 - small
        return small[None, None]


RECIPE = MnistMLPRecipe
