"""YOLOv3-tiny as a plain stack, to measure what its layers cost: Redmon and Farhadi 2018.

Only shapes and operations are the network's; there are no anchors and no boxes here. In PyTorch's
words, so that PyTorch runs the same file.
"""

from __future__ import annotations

from itertools import pairwise

import minitorch.functional as F
from minitorch import Tensor, cat, nn


def layer(channels: int, width: int, size: int = 3) -> nn.Sequential:
    """A convolution that keeps the size, batch norm and leaky ReLU."""
    kernels = nn.Conv2d(channels, width, size, padding=size // 2, bias=False)
    return nn.Sequential(kernels, nn.BatchNormReLU2d(width, negative_slope=0.1))


class YoloTiny(nn.Module):
    """8.7 M parameters; maps of 1/32 and 1/16 of the image, 18 channels each."""

    def __init__(self, channels: int = 18) -> None:
        super().__init__()
        widths = (3, 16, 32, 64, 128)
        shrinking = [
            part
            for before, after in pairwise(widths)
            for part in (layer(before, after), nn.MaxPool2d(2))
        ]
        self.fine = nn.Sequential(*shrinking, layer(128, 256))
        self.shrink = nn.Sequential(nn.MaxPool2d(2), layer(256, 512))
        self.coarse = nn.Sequential(layer(512, 1024), layer(1024, 256, 1))
        self.large = nn.Sequential(layer(256, 512), nn.Conv2d(512, channels, 1))
        self.up = nn.Sequential(layer(256, 128, 1), nn.Upsample(scale_factor=2))
        self.small = nn.Sequential(layer(384, 256), nn.Conv2d(256, channels, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Both maps of predictions: images (N, 3, H, W), H and W multiples of 32."""
        fine = self.fine(x)
        same_size = F.max_pool2d(F.pad(self.shrink(fine), (0, 1, 0, 1)), 2, 1)
        coarse = self.coarse(same_size)
        return self.large(coarse), self.small(cat((self.up(coarse), fine), 1))
