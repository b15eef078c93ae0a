"""ResNet: He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", 2015.

Two families: for ImageNet (table 1: 18, 34, 50, 101, 152 layers, names of parameters as in
torchvision) and for CIFAR-10 (section 4.2: 6n + 2 layers, 16 to 64 channels). A batch norm that a
ReLU follows does both in one pass, and adds the shortcut in between.
"""

from __future__ import annotations

from collections.abc import Sequence

import minitorch.functional as F
from minitorch import Tensor, nn


class BasicBlock(nn.Module):
    """y = relu(x + F(x)), where F is two 3x3 convolutions (figure 5, left)."""

    expansion = 1

    def __init__(self, channels: int, width: int, stride: int, shortcut: nn.Module | None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNormReLU2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNormReLU2d(width)
        self.downsample = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """Add what two layers see to what came in."""
        shortcut = x if self.downsample is None else self.downsample(x)
        y = self.bn1(self.conv1(x))
        return self.bn2(self.conv2(y), shortcut)


class Bottleneck(nn.Module):
    """The same with a 1x1, a 3x3 and a 1x1 convolution, narrow in the middle (figure 5, right)."""

    expansion = 4

    def __init__(self, channels: int, width: int, stride: int, shortcut: nn.Module | None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = nn.BatchNormReLU2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNormReLU2d(width)
        self.conv3 = nn.Conv2d(width, width * self.expansion, 1, bias=False)
        self.bn3 = nn.BatchNormReLU2d(width * self.expansion)
        self.downsample = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """Add what three layers see to what came in."""
        shortcut = x if self.downsample is None else self.downsample(x)
        y = self.bn1(self.conv1(x))
        y = self.bn2(self.conv2(y))
        return self.bn3(self.conv3(y), shortcut)


class ZeroPadded(nn.Module):
    """Shortcut A (section 3.3): every second pixel, the new channels zero; no parameters."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.before = (width - channels) // 2
        self.after = width - channels - self.before

    def forward(self, x: Tensor) -> Tensor:
        """Leave out pixels, add channels on both sides."""
        x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, self.before, self.after))


def projection(channels: int, width: int, stride: int) -> nn.Module:
    """Shortcut B (section 3.3): a 1x1 convolution learns how to match the channels."""
    convolution = nn.Conv2d(channels, width, 1, stride=stride, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(width))


SHORTCUTS = {"A": ZeroPadded, "B": projection}


def stage(
    block: type[BasicBlock | Bottleneck],
    channels: int,
    width: int,
    blocks: int,
    stride: int,
    option: str,
) -> nn.Sequential:
    """Blocks of one width; the first may change the number of channels and of pixels."""
    if option not in SHORTCUTS:
        raise ValueError(f'ResNet: option is "A" or "B" (section 3.3), not {option!r}.')
    result = width * block.expansion
    changes = stride != 1 or channels != result
    shortcut = SHORTCUTS[option](channels, result, stride) if changes else None
    first = block(channels, width, stride, shortcut)
    return nn.Sequential(first, *(block(result, width, 1, None) for _ in range(blocks - 1)))


class CifarResNet(nn.Module):
    """The family for 32x32 images: three stages of n blocks, 16, 32 and 64 channels (4.2)."""

    def __init__(self, blocks: int, option: str = "A", classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNormReLU2d(16)
        self.layer1 = stage(BasicBlock, 16, 16, blocks, 1, option)
        self.layer2 = stage(BasicBlock, 16, 32, blocks, 2, option)
        self.layer3 = stage(BasicBlock, 32, 64, blocks, 2, option)
        self.linear = nn.Linear(64, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Scores of the classes: (N, 3, 32, 32) to (N, classes)."""
        x = self.bn1(self.conv1(x))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean(dim=(2, 3)))


class ResNet(nn.Module):
    """The family for 224x224 images: a stem, four stages, the mean over the pixels (table 1).

    `stem` is "imagenet" (7x7, stride 2, max pooling) or "cifar" (one 3x3 convolution).
    """

    def __init__(
        self,
        block: type[BasicBlock | Bottleneck],
        blocks: Sequence[int],
        classes: int = 1000,
        option: str = "B",
        stem: str = "imagenet",
    ) -> None:
        super().__init__()
        if stem not in ("imagenet", "cifar"):
            raise ValueError(f'ResNet: stem is "imagenet" or "cifar", not {stem!r}.')
        large = stem == "imagenet"
        size, stride, padding = (7, 2, 3) if large else (3, 1, 1)
        self.conv1 = nn.Conv2d(3, 64, size, stride=stride, padding=padding, bias=False)
        self.bn1 = nn.BatchNormReLU2d(64)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1) if large else None
        widths = [64 * block.expansion, 128 * block.expansion, 256 * block.expansion]
        self.layer1 = stage(block, 64, 64, blocks[0], 1, option)
        self.layer2 = stage(block, widths[0], 128, blocks[1], 2, option)
        self.layer3 = stage(block, widths[1], 256, blocks[2], 2, option)
        self.layer4 = stage(block, widths[2], 512, blocks[3], 2, option)
        self.fc = nn.Linear(512 * block.expansion, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Scores of the classes: (N, 3, H, W) to (N, classes)."""
        x = self.bn1(self.conv1(x))
        if self.maxpool is not None:
            x = self.maxpool(x)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean(dim=(2, 3)))


def resnet20(option: str = "A") -> CifarResNet:
    """0.27 M parameters; table 6: 91.25 % on CIFAR-10."""
    return CifarResNet(3, option)


def resnet32(option: str = "A") -> CifarResNet:
    """0.46 M parameters; table 6: 92.49 % on CIFAR-10."""
    return CifarResNet(5, option)


def resnet44(option: str = "A") -> CifarResNet:
    """0.66 M parameters; table 6: 92.83 % on CIFAR-10."""
    return CifarResNet(7, option)


def resnet56(option: str = "A") -> CifarResNet:
    """0.85 M parameters; table 6: 93.03 % on CIFAR-10."""
    return CifarResNet(9, option)


def resnet110(option: str = "A") -> CifarResNet:
    """1.7 M parameters; table 6: 93.57 % on CIFAR-10."""
    return CifarResNet(18, option)


def resnet18(classes: int = 1000, stem: str = "imagenet", option: str = "B") -> ResNet:
    """11.7 M parameters."""
    return ResNet(BasicBlock, (2, 2, 2, 2), classes, option, stem)


def resnet34(classes: int = 1000, stem: str = "imagenet", option: str = "B") -> ResNet:
    """21.8 M parameters."""
    return ResNet(BasicBlock, (3, 4, 6, 3), classes, option, stem)


def resnet50(classes: int = 1000, stem: str = "imagenet", option: str = "B") -> ResNet:
    """25.6 M parameters."""
    return ResNet(Bottleneck, (3, 4, 6, 3), classes, option, stem)


def resnet101(classes: int = 1000, stem: str = "imagenet", option: str = "B") -> ResNet:
    """44.5 M parameters."""
    return ResNet(Bottleneck, (3, 4, 23, 3), classes, option, stem)


def resnet152(classes: int = 1000, stem: str = "imagenet", option: str = "B") -> ResNet:
    """60.2 M parameters."""
    return ResNet(Bottleneck, (3, 8, 36, 3), classes, option, stem)
