"""Pictures that a user has, brought to the form that networks know. Leans on pillow."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray
FAINT = 24.0  # grey values, of 255, that tell ink from paper


def read_picture(path: Path) -> Any:
    """A picture file in RGB: upright, on white where it is transparent. Raises ValueError."""
    try:
        from PIL import Image, ImageOps
    except ImportError as error:
        raise ImportError(
            "Pictures are read by the package pillow, which is not installed: "
            'pip install "minitorch-course[pictures]".'
        ) from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as file:
                picture = ImageOps.exif_transpose(file)
    except (OSError, ValueError, SyntaxError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"{path} cannot be read as a picture: {reason}.") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(f"{path} has too many pixels: make it smaller first.") from error
    if picture.mode.startswith("I"):  # 16 bits, which `convert` would cut off at 255
        return Image.fromarray((np.asarray(picture) // 257).astype(np.uint8)).convert("RGB")
    if picture.mode == "F":
        raise ValueError(f"{path} holds floating-point pixels: save it as PNG with 8 bits.")
    layers = picture.convert("RGBA")
    paper = Image.new("RGBA", layers.size, "white")
    return Image.alpha_composite(paper, layers).convert("RGB")


def like_mnist(gray: Array, path: Path) -> Array:
    """One digit (height, width) as MNIST has it, (28, 28), light on dark.

    Its longer side becomes 20 pixels, and its centre of mass the middle (LeCun et al. 1998).
    Raises ValueError where there is nothing but paper.
    """
    from PIL import Image

    ink = gray - np.median(gray)  # paper is what most of a picture is
    ink = (ink if ink.max() > -ink.min() else -ink).clip(0)
    if (strongest := ink.max()) < FAINT:
        raise ValueError(f"{path} shows no digit: all its pixels are nearly the same.")
    rows, columns = (np.flatnonzero((ink > strongest / 4).any(axis=axis)) for axis in (1, 0))
    digit = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] / strongest * 255
    height, width = (max(round(side * 20 / max(digit.shape)), 1) for side in digit.shape)
    small = Image.fromarray(digit).resize((width, height), Image.Resampling.BILINEAR)
    pixels = np.asarray(small)
    places = np.indices(pixels.shape)
    middle = [float((place * pixels).sum() / pixels.sum()) for place in places]
    row, column = (
        int(np.clip(round(13.5 - at), 0, 28 - side))
        for at, side in zip(middle, pixels.shape, strict=True)
    )
    result = np.zeros((28, 28), np.uint8)
    result[row : row + height, column : column + width] = np.rint(pixels)
    return result
