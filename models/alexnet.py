"""AlexNet for 28x28 digits: five convolutions, three dense layers, as Krizhevsky et al. 2012.

Batch norm after each convolution takes the place of local response normalization and lets it
train in a few epochs; kernels are 3x3, for images an eighth as large as the original's.
"""

from __future__ import annotations

from minitorch import Tensor, nn


def convolution(channels: int, width: int) -> list[nn.Module]:
    """A 3x3 convolution that keeps the size, then batch norm and ReLU in the same passes."""
    return [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNormReLU2d(width)]


class AlexNet(nn.Module):
    """0.50 M parameters; 28 pixels become 14, 7 and 3 by max pooling."""

    def __init__(self, classes: int = 10, dropout: float = 0.0) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *convolution(1, 32),
            nn.MaxPool2d(2),
            *convolution(32, 64),
            nn.MaxPool2d(2),
            *convolution(64, 128),
            *convolution(128, 128),
            *convolution(128, 64),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(64 * 3 * 3, 256),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(256, 128),
            nn.ReLU(),
            nn.Linear(128, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Scores of the classes: (N, 1, 28, 28) to (N, classes)."""
        return self.classifier(self.features(x).flatten(1))
