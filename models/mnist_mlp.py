"""A multi-layer perceptron for MNIST: three linear layers, and every pixel an input of its own."""

from __future__ import annotations

from minitorch import nn


class MnistMLP(nn.Sequential):
    """784 pixels - 512 - 256 - 10 scores."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__(
            nn.Flatten(),
            nn.Linear(28 * 28, 512),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(512, 256),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(256, 10),
        )
