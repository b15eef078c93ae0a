"""A multi-layer perceptron for MNIST: three linear layers, and every pixel an input of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from minitorch import optim
from minitorch.nn import Flatten, Linear, Module, ReLU, Sequential
from minitorch.random import generator
from minitorch.trainers import Trainer
from models.classifier import Classifier

Array = np.ndarray


class MnistMLP(Sequential):
    """784 pixels - 512 - 256 - 10 scores."""

    def __init__(self) -> None:
        super().__init__(
            Flatten(), Linear(28 * 28, 512), ReLU(), Linear(512, 256), ReLU(), Linear(256, 10)
        )


@dataclass(frozen=True)
class MnistMLPRecipe(Classifier):
    """SGD with momentum, images shifted by up to `shift` pixels."""

    name: ClassVar[str] = "mnist_mlp"
    published: ClassVar[float | None] = 0.984
    source: ClassVar[str] = "LeCun et al. 1998: 2-layer net, 800 units"

    data: str = "mnist"
    epochs: int = 20
    lr: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 1e-4
    shift: int = 1

    def network(self) -> Module:
        """The network, with fresh weights."""
        return MnistMLP()

    def augmented(self, images: Array) -> Array:
        """Each image moved by up to `shift` pixels in both directions, zeros coming in."""
        around = (0, 0), (0, 0), (self.shift,) * 2, (self.shift,) * 2
        windows = np.lib.stride_tricks.sliding_window_view(
            np.pad(images, around), images.shape[2:], axis=(2, 3)
        )
        down, right = generator().integers(0, 2 * self.shift + 1, (2, len(images)))
        return windows[np.arange(len(images)), :, down, right]

    def trainer(self, model: Module, batches_per_epoch: int) -> Trainer:
        """SGD with momentum."""
        optimizer = optim.SGD(
            model.parameters(), self.lr, self.momentum, weight_decay=self.weight_decay
        )
        return self.fitting(model, optimizer)


RECIPE = MnistMLPRecipe
