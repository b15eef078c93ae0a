"""How each network is trained: all settings, with the defaults that the weights stand for.

Leans on `classifier` and on one file per network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from minitorch.nn import Module
from minitorch.optim import SGD, Muon, Optimizer, Together, lr_scheduler
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

    epochs: int = 8
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
    """CIFAR-10, moved by a few pixels and mirrored, in a fifth of the epochs of He et al. 2015.

    Kernels learn by Muon, the rest by SGD. All rates rise in a straight line for `warmup`, a part
    of all steps, and fall in another one to 0 until `restart`; from there they fall to 0 once
    more, from `second_peak` times their own (a warm restart: Loshchilov and Hutter 2017).
    """

    name: ClassVar[str] = "resnet20"
    published: ClassVar[float | None] = 0.9125
    source: ClassVar[str] = "He et al. 2015, table 6"

    epochs: int = 32
    lr: float = 0.1
    nesterov: bool = True
    weight_decay: float = 5e-4
    muon_lr: float = 0.05
    muon_momentum: float = 0.6
    muon_weight_decay: float = 0.025  # half the rate: a kernel's norm settles at sqrt(outputs)
    warmup: float = 0.05
    restart: float = 0.625
    second_peak: float = 0.4
    shortcut: str = "A"
    shift: int = 3

    def network(self) -> Module:
        """The network, with fresh weights."""
        build = getattr(resnet, self.name)
        network: Module = build(self.shortcut)
        return network

    def augmentations(self) -> Sequence[Transform]:
        """Each photo moved a little, every second one mirrored."""
        return RandomCrop(self.shift), RandomHorizontalFlip()

    def optimizer(self, model: Module) -> Optimizer:
        """Muon for the kernels, SGD for all else."""
        kernels = [parameter for parameter in model.parameters() if parameter.ndim == 4]
        others = [parameter for parameter in model.parameters() if parameter.ndim != 4]
        return Together(
            Muon(kernels, self.muon_lr, self.muon_weight_decay, self.muon_momentum, ns_steps=3),
            SGD(
                others,
                self.lr,
                self.momentum,
                weight_decay=self.weight_decay,
                nesterov=self.nesterov,
            ),
        )

    def schedule(self, optimizer: Optimizer, steps: int) -> lr_scheduler.LRScheduler:
        """Up and down in straight lines, and down again from less high."""
        peak, restart = max(1, round(self.warmup * steps)), round(self.restart * steps)

        def part_of_rate(step: int) -> float:
            if step < restart:
                return min((step + 1) / peak, (restart - step) / (restart - peak + 1))
            return self.second_peak * (steps - step) / (steps - restart)

        return lr_scheduler.LambdaLR(optimizer, part_of_rate)


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
