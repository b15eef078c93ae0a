"""The one source of random numbers: same seed, same result."""

# Grown in notebooks: 2_05_the_tensor. Edit there, then `make extract`.

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

import numpy as np

__all__ = ["Generator", "drawing_from", "generator", "manual_seed"]


_source = np.random.default_rng()


def manual_seed(seed: int) -> np.random.Generator:
    """Start the generator anew from `seed`; returns it."""
    fresh = np.random.default_rng(seed)
    _source.bit_generator.state = fresh.bit_generator.state
    return _source


def generator() -> np.random.Generator:
    """The generator that every random choice of this package goes through."""
    return _source


class Generator:
    """A source of one's own: `randn(3, generator=Generator().manual_seed(0))`."""

    def __init__(self, device: str = "cpu") -> None:
        self.source = np.random.default_rng()

    def manual_seed(self, seed: int) -> Self:
        """Start anew from `seed`."""
        self.source = np.random.default_rng(seed)
        return self


@contextmanager
def drawing_from(other: Generator) -> Iterator[None]:
    """Within it, random choices go through `other`."""
    ours, theirs = _source.bit_generator, other.source.bit_generator
    before, ours.state = ours.state, theirs.state
    try:
        yield
    finally:
        theirs.state, ours.state = ours.state, before
