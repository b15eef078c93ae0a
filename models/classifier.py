"""What all image classifiers share: data by name, cross entropy, accuracy, pictures.

Leans on `recipe` and minitorch's data sets.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import minitorch
from minitorch.digits import LabelledImages, digits
from minitorch.functional import cross_entropy
from minitorch.nn import Module
from minitorch.random import generator
from minitorch.trainers import Trainer, accuracy
from models.recipe import Recipe

Array = np.ndarray


@dataclass(frozen=True)
class Classifier(Recipe):
    """A recipe for a network that gives one score per class."""

    batch_size: int = 128
    pixel_mean: float = 0.1307  # of the training images, 0 to 1
    pixel_std: float = 0.3081

    def images(self) -> tuple[LabelledImages, LabelledImages]:
        """Images to train on, and images to measure on."""
        sets = {"digits": digits, "mnist": mnist}
        if self.data not in sets:
            raise ValueError(f"There is no data set {self.data!r}: choose from {', '.join(sets)}.")
        return sets[self.data]()

    def prepared(self, images: Array) -> Array:
        """Pixels 0..255 as the network wants to see them: float32 with mean 0 and deviation 1."""
        scale = np.float32(1 / (255 * self.pixel_std))
        return images * scale - np.float32(self.pixel_mean / self.pixel_std)

    def augmented(self, images: Array) -> Array:
        """A batch of training images, changed at random in ways that keep the class."""
        return images

    def training_batches(self) -> Batches:
        """What to train on, in a new order each time it is iterated."""
        train, _ = self.images()
        return Batches(train, self.batch_size, self)

    def test_batches(self) -> Batches:
        """What to measure on."""
        _, test = self.images()
        return Batches(test, 500, self, training=False)

    def evaluate(self, model: Module) -> dict[str, Any]:
        """Accuracy on the test images."""
        batches = self.test_batches()
        trainer = self.trainer(model, len(batches))
        figures = trainer.evaluate(batches)
        return {
            "data": f"{self.data}-test",
            "accuracy": round(figures["accuracy"], 6),
            "images": len(batches.images),
        }

    def predict(self, model: Module, image: Path) -> dict[str, Any]:
        """The most likely class of a picture of a light or dark digit, and its probability."""
        probabilities = self.probabilities(model, read_image(image))[0]
        best = int(probabilities.argmax())
        return {"class": best, "probability": round(float(probabilities[best]), 4)}

    def probabilities(self, model: Module, images: Array) -> Array:
        """The probability of each class for images 0..255 of shape (N, channels, height, width)."""
        scores = self.trainer(model, 1).predict(self.prepared(images))
        return minitorch.tensor(scores).softmax(dim=1).numpy()

    def pictures(self, model: Module, folder: Path) -> list[Path]:
        """Draw 20 predictions and the 20 worst mistakes."""
        from models.pictures import draw_predictions

        _, test = self.images()
        probabilities = self.probabilities(model, test.images)
        return [draw_predictions(test, probabilities, folder / "predictions.png")]

    def fitting(self, model: Module, optimizer: Any, callbacks: Any = ()) -> Trainer:
        """A trainer for classification."""
        return Trainer(model, optimizer, cross_entropy, {"accuracy": accuracy}, callbacks)


class Batches:
    """Images in batches, prepared for the network; shuffled and augmented for training."""

    def __init__(
        self, data: LabelledImages, batch_size: int, recipe: Classifier, training: bool = True
    ) -> None:
        self.images, self.labels = data
        self.batch_size = batch_size
        self.recipe = recipe
        self.training = training

    def __len__(self) -> int:
        return math.ceil(len(self.images) / self.batch_size)

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        order = np.arange(len(self.images))
        if self.training:
            order = generator().permutation(order)
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            images = self.images[rows]
            if self.training:
                images = self.recipe.augmented(images)
            yield self.recipe.prepared(images), self.labels[rows]


def mnist() -> tuple[LabelledImages, LabelledImages]:
    """Temporary."""
    import gzip
    import os

    folder = Path(os.environ["MINITORCH_DATA"]) / "mnist"

    def read(name: str, skip: int) -> Array:
        return np.frombuffer(gzip.decompress((folder / name).read_bytes()), np.uint8)[skip:]

    return (
        LabelledImages(
            read("train-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28),
            read("train-labels-idx1-ubyte.gz", 8).astype(np.int64),
        ),
        LabelledImages(
            read("t10k-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28),
            read("t10k-labels-idx1-ubyte.gz", 8).astype(np.int64),
        ),
    )


def read_image(path: Path) -> Array:
    """A picture file as one digit image: light on dark, 28 x 28, (1, 1, 28, 28) of uint8."""
    from PIL import Image

    with Image.open(path) as picture:
        small = np.asarray(picture.convert("L").resize((28, 28), Image.Resampling.LANCZOS))
    if np.median(small) > 127:  # dark ink on light paper
        small = 255 - small
    return small[None, None]
