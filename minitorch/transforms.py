"""Augmentations: every epoch sees each picture a little differently. Leans on numpy alone.

A transform is called with images (N, channels, height, width) and a random generator, and works
on the whole batch at once. How pixels lie in memory is kept, colours first or last.
"""

# Grown in notebooks: 3_04_data. Edit there, then `make extract`.

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = [
    "Array",
    "Compose",
    "Cutout",
    "Normalize",
    "RandomAffine",
    "RandomCrop",
    "RandomHorizontalFlip",
    "Transform",
    "check_images",
]


Array = np.ndarray
Transform = Callable[[Array, np.random.Generator], Array]


def check_images(name: str, images: Array) -> None:
    """Raise ValueError where `images` is no batch of pictures."""
    if images.ndim != 4:
        raise ValueError(f"{name}: images are (N, channels, height, width), not {images.shape}.")


class Compose:
    """Transforms one after the other."""

    def __init__(self, *transforms: Transform) -> None:
        self.transforms = transforms

    def __call__(self, images: Array, random: np.random.Generator) -> Array:
        """Apply them in order."""
        for transform in self.transforms:
            images = transform(images, random)
        return images


@dataclass(frozen=True)
class Normalize:
    """(x - mean) / std per channel as float32, where bytes first become numbers from 0 to 1."""

    mean: Sequence[float]
    std: Sequence[float]

    def __post_init__(self) -> None:
        numbers = np.isfinite([*np.ravel(self.mean), *np.ravel(self.std)]).all()
        if np.size(self.mean) != np.size(self.std) or not np.min(self.std) > 0 or not numbers:
            raise ValueError(
                f"Normalize: a mean and a std above 0 per channel, not {self.mean} and {self.std}."
            )

    def __call__(self, images: Array, random: np.random.Generator | None = None) -> Array:
        """Return float32."""
        check_images("Normalize", images)
        if np.size(self.mean) not in (1, images.shape[1]):
            raise ValueError(
                f"Normalize: {np.size(self.mean)} means for images of shape {images.shape}; it "
                "takes one per channel, the second number."
            )
        mean = np.array(self.mean, np.float32).reshape(-1, 1, 1)
        std = np.array(self.std, np.float32).reshape(-1, 1, 1)
        white = np.float32(255 if images.dtype == np.uint8 else 1)
        out = np.multiply(images, 1 / (white * std), dtype=np.float32)
        out -= mean / std
        return out


@dataclass(frozen=True)
class RandomHorizontalFlip:
    """Left and right exchanged, with probability `p` for each image."""

    p: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.p <= 1:
            raise ValueError(f"RandomHorizontalFlip: p is a probability from 0 to 1, not {self.p}.")

    def __call__(self, images: Array, random: np.random.Generator) -> Array:
        """Return a flipped copy."""
        check_images("RandomHorizontalFlip", images)
        chosen = random.random(len(images)) < self.p
        out = images.copy(order="K")
        out[chosen] = images[chosen, :, :, ::-1]
        return out


@dataclass(frozen=True)
class RandomCrop:
    """Pad each side with `padding` zeros, and cut the old size out at a random place."""

    padding: int = 4

    def __post_init__(self) -> None:
        if not isinstance(self.padding, int | np.integer) or self.padding < 0:
            raise ValueError(
                f"RandomCrop: padding is a whole number from 0 on, not {self.padding}."
            )

    def __call__(self, images: Array, random: np.random.Generator) -> Array:
        """Return a moved copy."""
        check_images("RandomCrop", images)
        count, channels, height, width = images.shape
        edge = self.padding
        padded = np.zeros((count, height + 2 * edge, width + 2 * edge, channels), images.dtype)
        padded[:, edge : edge + height, edge : edge + width] = images.transpose(0, 2, 3, 1)
        # Every place at which one may cut, as views: (N, down, right, channels, height, width)
        cuts = np.lib.stride_tricks.sliding_window_view(padded, (height, width), axis=(1, 2))
        down, right = random.integers(0, 2 * edge + 1, (2, count))
        chosen = cuts.transpose(0, 1, 2, 4, 5, 3)[np.arange(count), down, right]
        return chosen.transpose(0, 3, 1, 2)


@dataclass(frozen=True)
class Cutout:
    """A square of `size` set to zero around a random pixel of each image: DeVries, Taylor 2017."""

    size: int

    def __post_init__(self) -> None:
        if not isinstance(self.size, int | np.integer) or self.size < 0:
            raise ValueError(f"Cutout: size is a whole number from 0 on, not {self.size}.")

    def __call__(self, images: Array, random: np.random.Generator) -> Array:
        """Return a copy with holes."""
        check_images("Cutout", images)
        count, _, height, width = images.shape
        top = random.integers(0, height, (count, 1)) - self.size // 2
        left = random.integers(0, width, (count, 1)) - self.size // 2
        rows, columns = np.arange(height) - top, np.arange(width) - left
        in_rows = (rows >= 0) & (rows < self.size)
        in_columns = (columns >= 0) & (columns < self.size)
        return images * ~(in_rows[:, :, None] & in_columns[:, None])[:, None]


@dataclass(frozen=True)
class RandomAffine:
    """Turned by up to `degrees` and shifted by up to `shift` pixels, with zeros from outside.

    Each new pixel looks up where it comes from, and mixes the four pixels around that place.
    """

    degrees: float = 0.0
    shift: float = 0.0

    def __post_init__(self) -> None:
        if not (0 <= self.degrees <= 180 and 0 <= self.shift < np.inf):
            raise ValueError(
                f"RandomAffine: degrees from 0 to 180 and a shift from 0 on, not {self.degrees} "
                f"and {self.shift}."
            )

    def __call__(self, images: Array, random: np.random.Generator) -> Array:
        """Return a turned copy; whole numbers are rounded to whole numbers."""
        check_images("RandomAffine", images)
        count, channels, height, width = images.shape
        of_image = np.arange(count)[:, None, None]
        angle = np.deg2rad(random.uniform(-self.degrees, self.degrees, (count, 1, 1)))
        down, right = random.uniform(-self.shift, self.shift, (2, count, 1, 1))
        y = np.arange(height)[:, None] - (height - 1) / 2 - down
        x = np.arange(width) - (width - 1) / 2 - right
        from_y = np.cos(angle) * y + np.sin(angle) * x + (height - 1) / 2
        from_x = np.cos(angle) * x - np.sin(angle) * y + (width - 1) / 2
        top, left = np.floor(from_y).astype(int), np.floor(from_x).astype(int)
        below, beside = from_y - top, from_x - left
        out = np.zeros((count, height, width, channels), np.float32)
        for step_y, share_y in ((0, 1 - below), (1, below)):
            for step_x, share_x in ((0, 1 - beside), (1, beside)):
                rows, columns = top + step_y, left + step_x
                inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
                weight = (share_y * share_x * inside).astype(np.float32)
                pixels = images.transpose(0, 2, 3, 1)[of_image, rows % height, columns % width]
                out += weight[..., None] * pixels
        turned = out.transpose(0, 3, 1, 2)
        return np.rint(turned).astype(images.dtype) if images.dtype.kind in "iu" else turned
