"""What a batch is to the trainer, averages over batches, and what one that failed has left.

Leans on `module` and `tensor`.
"""

# Grown in notebooks: 2_08_training. Edit there, then `make extract`.

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minitorch.module import Module
from minitorch.tensor import Tensor, as_array

__all__ = ["Averages", "as_number", "as_pair", "as_tensor", "lost_values"]


class Averages:
    """Running averages of named numbers, weighted by how many samples each stands for."""

    def __init__(self) -> None:
        self.count = 0
        self.totals: dict[str, float] = {}

    def add(self, values: dict[str, float], count: int) -> None:
        """Count `values`, averages over `count` samples, in."""
        self.count += count
        for name, value in values.items():
            self.totals[name] = self.totals.get(name, 0.0) + value * count

    def result(self) -> dict[str, float]:
        """The averages so far."""
        return {name: total / self.count for name, total in self.totals.items()}


def as_tensor(values: Any) -> Tensor:
    """What a batch holds as a tensor: a tensor stays itself, lists of whole numbers are classes."""
    return values if isinstance(values, Tensor) else Tensor(as_array(values))


def as_number(name: str, value: Any) -> float:
    """What a loss or metric gave as a plain number; raises ValueError where it is not one."""
    shape = getattr(value, "shape", ())
    if value is None:
        raise ValueError(f"Trainer: {name} is one number, not None. Does its function return it?")
    if math.prod(shape) != 1:
        raise ValueError(f"Trainer: {name} is one number, not of shape {shape}.")
    return float(value)


def lost_values(model: Module) -> list[str]:
    """Names of the weights and buffers in which there is NaN."""
    return [name for name, values in model.state_dict().items() if np.isnan(values).any()]


def as_pair(batch: Any) -> tuple[Tensor, Tensor]:
    """Inputs and target of a batch; raises TypeError, with what it is, where it is no such pair."""
    if not isinstance(batch, (tuple, list)) or len(batch) != 2:
        names = f" of {', '.join(map(repr, batch))}" if isinstance(batch, dict) else ""
        size = f" of {len(batch)}" if isinstance(batch, (tuple, list)) else names
        raise TypeError(
            f"Trainer: a batch is a pair (inputs, target), not a {type(batch).__name__}{size}. "
            "A DataLoader's collate can make pairs; a loss that needs more than a target needs a "
            "loop of its own."
        )
    inputs, target = map(as_tensor, batch)
    if not target.ndim:
        raise TypeError(
            f"Trainer: the target of inputs of shape {inputs.shape} is a single number. Is this a "
            "sample, where a batch is wanted? DataLoader(dataset, batch_size) makes batches of a "
            "data set."
        )
    return inputs, target
