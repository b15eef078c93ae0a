"""Loss functions as modules (`nn.MSELoss`), for code that builds its loss once.

As functions they are in `losses` and `class_losses`. Leans on these and on `module`.
"""

# Grown in notebooks: 2_06_modules. Edit there, then `make extract`.

from __future__ import annotations

from typing import Any

from minitorch import class_losses, losses
from minitorch.module import Module
from minitorch.tensor import Tensor

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "Criterion",
    "CrossEntropyLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "MSELoss",
    "NLLLoss",
    "SmoothL1Loss",
]


class Criterion(Module):
    """A loss of (output, target) with settings; each subclass names its function."""

    loss: Any

    def __init__(self, **settings: Any) -> None:
        self.settings = settings

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """Compute the loss."""
        return type(self).loss(output, target, **self.settings)

    def extra_repr(self) -> str:
        """The settings that were given."""
        return ", ".join(f"{name}={value}" for name, value in self.settings.items())


class CrossEntropyLoss(Criterion):
    """-log(softmax(logits)) at each sample's class; see `class_losses.cross_entropy`."""

    loss = staticmethod(class_losses.cross_entropy)


class NLLLoss(Criterion):
    """-log_probabilities at each sample's class; see `class_losses.nll_loss`."""

    loss = staticmethod(class_losses.nll_loss)


class MSELoss(Criterion):
    """(output - target) squared; see `losses.mse_loss`."""

    loss = staticmethod(losses.mse_loss)


class L1Loss(Criterion):
    """|output - target|; see `losses.l1_loss`."""

    loss = staticmethod(losses.l1_loss)


class SmoothL1Loss(Criterion):
    """Huber's loss divided by `beta`; see `losses.smooth_l1_loss`."""

    loss = staticmethod(losses.smooth_l1_loss)


class HuberLoss(Criterion):
    """A parabola, then straight lines; see `losses.huber_loss`."""

    loss = staticmethod(losses.huber_loss)


class BCELoss(Criterion):
    """Binary cross entropy of probabilities; see `losses.binary_cross_entropy`."""

    loss = staticmethod(losses.binary_cross_entropy)


class BCEWithLogitsLoss(Criterion):
    """Binary cross entropy of scores; see `losses.binary_cross_entropy_with_logits`."""

    loss = staticmethod(losses.binary_cross_entropy_with_logits)


class KLDivLoss(Criterion):
    """Divergence of Kullback and Leibler; see `losses.kl_div`."""

    loss = staticmethod(losses.kl_div)
