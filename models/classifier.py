"""What all image classifiers share: data by name, SGD in one cycle, accuracy, pictures.

Leans on `recipe` and minitorch's data sets, loader and transforms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from minitorch.callbacks import Schedule
from minitorch.data import DataLoader, TensorDataset
from minitorch.datasets import CIFAR10_CLASSES, cifar10, fashion_mnist, mnist
from minitorch.digits import LabelledImages, digits
from minitorch.functional import cross_entropy
from minitorch.nn import Module
from minitorch.optim import SGD, Optimizer, lr_scheduler
from minitorch.tensor import Tensor
from minitorch.trainers import Trainer, accuracy
from minitorch.transforms import Compose, Normalize, Transform
from models.image_files import like_mnist, read_picture
from models.recipe import Recipe

Array = np.ndarray

PATIENCE = 3.0  # seconds before a bar is shown
KEPT = 40  # pictures of mistakes that are kept with the results
SAMPLE = 100  # of the first test images, whatever is said of them


@dataclass(frozen=True)
class Classifier(Recipe):
    """A recipe for a network that gives one score per class.

    It is trained by SGD in one cycle of the learning rate: up to `lr` for `warmup`, a part of all
    steps, then down to almost 0 (Smith and Topin 2017).
    """

    sets: ClassVar[tuple[str, ...]] = ("digits", "mnist", "fashion", "cifar10")

    batch_size: int = 128
    pixel_mean: tuple[float, ...] = (0.1307,)  # per channel, of the training images, 0 to 1
    pixel_std: tuple[float, ...] = (0.3081,)
    lr: float = 0.1
    warmup: float = 0.2
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 1e-4
    label_smoothing: float = 0.0

    def images(self) -> tuple[LabelledImages, LabelledImages]:
        """Images to train on, and images to measure on."""
        if self.data not in self.sets:
            raise ValueError(
                f"There is no data set {self.data!r} for {self.name}: choose from "
                f"{', '.join(self.sets)}."
            )
        makers = {"digits": digits, "mnist": mnist, "fashion": fashion_mnist, "cifar10": cifar10}
        return makers[self.data]()

    def prepared(self) -> Normalize:
        """How the network wants to see pixels 0..255."""
        return Normalize(self.pixel_mean, self.pixel_std)

    def augmentations(self) -> Sequence[Transform]:
        """Random changes of training images that keep the class."""
        return ()

    def training_batches(self) -> DataLoader:
        """What to train on: augmented, and in a new order each time it is iterated."""
        train, _ = self.images()
        transform = Compose(*self.augmentations(), self.prepared())
        return DataLoader(
            TensorDataset(*train),
            self.batch_size,
            shuffle=True,
            transform=transform,
            seed=self.seed,
        )

    def test_batches(self) -> DataLoader:
        """What to measure on."""
        _, test = self.images()
        return DataLoader(TensorDataset(*test), 500, transform=self.prepared(), seed=0)

    def optimizer(self, model: Module) -> Optimizer:
        """SGD with momentum."""
        return SGD(
            model.parameters(),
            self.lr,
            self.momentum,
            weight_decay=self.weight_decay,
            nesterov=self.nesterov,
        )

    def schedule(self, optimizer: Optimizer, steps: int) -> lr_scheduler.LRScheduler:
        """One cycle of the learning rate."""
        return lr_scheduler.OneCycleLR(
            optimizer, self.lr, steps, pct_start=self.warmup, cycle_momentum=False
        )

    def trainer(self, model: Module, batches_per_epoch: int) -> Trainer:
        """The optimizer and its schedule on the cross entropy."""
        optimizer = self.optimizer(model)
        schedule = self.schedule(optimizer, steps=max(self.epochs * batches_per_epoch, 2))
        loss = partial(cross_entropy, label_smoothing=self.label_smoothing)
        callbacks = [Schedule(schedule, every="batch")]
        return Trainer(model, optimizer, loss, {"accuracy": accuracy}, callbacks)

    def evaluate(self, model: Module) -> dict[str, Any]:
        """Accuracy on the test images."""
        from tqdm import tqdm

        batches = self.test_batches()
        with tqdm(batches, "evaluating", leave=False, delay=PATIENCE) as bar:
            figures = self.trainer(model, 1).evaluate(bar)
        return {
            "data": f"{self.data}-test",
            "accuracy": round(figures["accuracy"], 6),
            "images": len(batches.dataset),
        }

    def answers(self, model: Module) -> dict[str, Array]:
        """For each test image `truth`, `says` and how `sure`; the surest mistakes, best first.

        With the `images` of those mistakes, and the first test images as a `sample`.
        """
        _, test = self.images()
        probabilities = self.probabilities(model, test.images)
        says, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
        wrong = np.flatnonzero(says != test.labels)
        worst = wrong[np.argsort(-sure[wrong], kind="stable")][:KEPT]
        return {
            "truth": test.labels.astype(np.uint8),
            "says": says.astype(np.uint8),
            "sure": sure.astype(np.float32),
            "worst": worst.astype(np.int32),
            "images": np.ascontiguousarray(test.images[worst]),
            "sample": np.ascontiguousarray(test.images[:SAMPLE]),
        }

    def predict(self, model: Module, image: Path) -> dict[str, Any]:
        """The most likely class of a picture, and its probability."""
        probabilities = self.probabilities(model, self.read_image(image))[0]
        best = int(probabilities.argmax())
        return {"class": self.label(best), "probability": round(float(probabilities[best]), 4)}

    def label(self, index: int) -> Any:
        """What a class is called."""
        return index

    def read_image(self, path: Path) -> Array:
        """A picture file as one image 0..255 of the network's size, (1, channels, H, W)."""
        raise NotImplementedError

    def probabilities(self, model: Module, images: Array) -> Array:
        """The probability of each class for images 0..255 of shape (N, channels, height, width)."""
        scores = self.trainer(model, 1).predict(self.prepared()(images))
        return Tensor(scores).softmax(dim=1).numpy()

    def pictures(self, model: Module, folder: Path) -> list[Path]:
        """Draw the computation graph of one loss, 20 predictions and the 20 worst mistakes."""
        from models.pictures import draw_network, draw_predictions

        _, test = self.images()
        loss = cross_entropy(model(Tensor(self.prepared()(test.images[:8]))), test.labels[:8])
        loss.backward()
        probabilities = self.probabilities(model, test.images)
        return [
            draw_network(loss, folder / "graph.svg"),
            draw_predictions(test, probabilities, self.label, folder / "predictions.png"),
        ]


@dataclass(frozen=True)
class DigitClassifier(Classifier):
    """A classifier of handwritten digits, 28 x 28 grey pixels."""

    sets: ClassVar[tuple[str, ...]] = ("digits", "mnist", "fashion")

    data: str = "mnist"

    def read_image(self, path: Path) -> Array:
        """A picture of one digit as (1, 1, 28, 28), light on dark and in the middle as in MNIST."""
        gray = np.asarray(read_picture(path).convert("L"), np.float32)
        return like_mnist(gray, path)[None, None]


@dataclass(frozen=True)
class PhotoClassifier(Classifier):
    """A classifier of CIFAR-10's photos, 32 x 32 in colour; takes grey digits in their place."""

    data: str = "cifar10"
    epochs: int = 30
    pixel_mean: tuple[float, ...] = (0.4914, 0.4822, 0.4465)
    pixel_std: tuple[float, ...] = (0.2470, 0.2435, 0.2616)

    def images(self) -> tuple[LabelledImages, LabelledImages]:
        """Images to train on, and images to measure on: in colour, and large enough."""
        train, test = super().images()
        return in_colour(train), in_colour(test)

    def label(self, index: int) -> Any:
        """What a class is called."""
        return CIFAR10_CLASSES[index] if self.data == "cifar10" else index

    def read_image(self, path: Path) -> Array:
        """The middle of a picture as (1, 3, 32, 32)."""
        from PIL import Image, ImageOps

        photo = ImageOps.fit(read_picture(path), (32, 32), Image.Resampling.LANCZOS)
        return np.asarray(photo).transpose(2, 0, 1)[None]


def in_colour(data: LabelledImages) -> LabelledImages:
    """Grey images of 28 x 28 with an edge of 2 pixels, and in three equal colours; others as is."""
    if data.images.shape[1] == 3:
        return data
    edges = ((0, 0), (2, 2), (2, 2), (0, 2))  # in memory a pixel's colours lie side by side
    pixels = np.pad(data.images.transpose(0, 2, 3, 1), edges, mode="edge")
    return LabelledImages(pixels.transpose(0, 3, 1, 2), data.labels)
