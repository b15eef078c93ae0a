"""The one source of random numbers: same seed, same result."""

# Grown in notebooks: 2_05_the_tensor. Edit there, then `make extract`.

from __future__ import annotations

import numpy as np

__all__ = ["generator", "manual_seed"]


_source = np.random.default_rng()


def manual_seed(seed: int) -> np.random.Generator:
    """Start the generator anew from `seed`; returns it."""
    fresh = np.random.default_rng(seed)
    _source.bit_generator.state = fresh.bit_generator.state
    return _source


def generator() -> np.random.Generator:
    """The generator that every random choice of this package goes through."""
    return _source
