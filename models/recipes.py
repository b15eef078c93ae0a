"""How each network is trained: all settings, with the defaults that the weights stand for.

Leans on `classifier` and on one file per network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from minitorch.nn import Module
from minitorch.transforms import RandomAffine, RandomCrop, RandomHorizontalFlip, Transform
from models import resnet
from models.alexnet import AlexNet
from models.classifier import DigitClassifier, PhotoClassifier
from models.mnist_mlp import MnistMLP


@dataclass(frozen=True)
class MnistMLPRecipe(DigitClassifier):
    """Images shifted by up to one pixel, a little dropout."""

    name: ClassVar[str] = "mnist_mlp"
    published: ClassVar[float | None] = 0.984
    source: ClassVar[str] = "Cireşan et al. 2010, a large MLP without deformations"

    epochs: int = 10
    lr: float = 0.06
    dropout: float = 0.1
    shift: int = 1

    def network(self) -> Module:
        """The network, with fresh weights."""
        return MnistMLP(self.dropout)

    def augmentations(self) -> Sequence[Transform]:
        """Each image moved a little."""
        return (RandomCrop(self.shift),)


@dataclass(frozen=True)
class AlexNetRecipe(DigitClassifier):
    """Images turned and shifted a little, as another hand would write them."""

    name: ClassVar[str] = "alexnet"

    epochs: int = 6
    lr: float = 0.1
    nesterov: bool = True
    weight_decay: float = 5e-4
    dropout: float = 0.2
    degrees: float = 10.0
    shift: float = 1.5

    def network(self) -> Module:
        """The network, with fresh weights."""
        return AlexNet(dropout=self.dropout)

    def augmentations(self) -> Sequence[Transform]:
        """Each image turned and moved by fractions of a pixel."""
        return (RandomAffine(self.degrees, self.shift),)


@dataclass(frozen=True)
class ResNet20Recipe(PhotoClassifier):
    """CIFAR-10, moved by up to 4 pixels and mirrored, as in He et al. 2015, but in one cycle."""

    name: ClassVar[str] = "resnet20"
    published: ClassVar[float | None] = 0.9125
    source: ClassVar[str] = "He et al. 2015, table 6"

    epochs: int = 30
    lr: float = 0.2
    nesterov: bool = True
    weight_decay: float = 5e-4
    shortcut: str = "A"
    shift: int = 4

    def network(self) -> Module:
        """The network, with fresh weights."""
        build = getattr(resnet, self.name)
        network: Module = build(self.shortcut)
        return network

    def augmentations(self) -> Sequence[Transform]:
        """Each photo moved a little, every second one mirrored."""
        return RandomCrop(self.shift), RandomHorizontalFlip()


@dataclass(frozen=True)
class ResNet32Recipe(ResNet20Recipe):
    """The same with five blocks in a stage."""

    name: ClassVar[str] = "resnet32"
    published: ClassVar[float | None] = 0.9249


@dataclass(frozen=True)
class ResNet44Recipe(ResNet20Recipe):
    """The same with seven blocks in a stage."""

    name: ClassVar[str] = "resnet44"
    published: ClassVar[float | None] = 0.9283


@dataclass(frozen=True)
class ResNet56Recipe(ResNet20Recipe):
    """The same with nine blocks in a stage."""

    name: ClassVar[str] = "resnet56"
    published: ClassVar[float | None] = 0.9303


@dataclass(frozen=True)
class ResNet110Recipe(ResNet20Recipe):
    """The same with eighteen blocks in a stage."""

    name: ClassVar[str] = "resnet110"
    published: ClassVar[float | None] = 0.9357
