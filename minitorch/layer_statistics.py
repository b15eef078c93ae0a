"""What flows through a model: figures of each layer's output and of the gradient that comes back.

Leans on the hooks of `module` and `tensor`.
"""

# Grown in notebooks: 3_03_batch_norm. Edit there, then `make extract`.

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.module import HookHandle, Module
from minitorch.tensor import Tensor

__all__ = ["Array", "LayerStatistics", "figures_of", "note_gradient"]


Array = np.ndarray


def figures_of(values: Array) -> dict[str, float]:
    """Mean, median and deviation of an array, and which part of it is 0."""
    return {
        "mean": float(np.mean(values)),
        "median": float(np.median(values)),
        "std": float(np.std(values)),
        "zeros": float(np.mean(values == 0)),
    }


class LayerStatistics:
    """Within it, each call of a layer without layers inside adds a row of figures to `rows`.

    A row has `layer` (its path), `kind`, `mean`, `median`, `std` and `zeros` of the output, and,
    after a backward, the same of its gradient as `gradient_mean` and so on.
    """

    def __init__(self, model: Module) -> None:
        self.model = model
        self.rows: list[dict[str, Any]] = []
        self.handles: list[HookHandle] = []

    def __enter__(self) -> LayerStatistics:
        for path, module in self.model.named_modules():
            if not list(module.children()):
                self.listen(path, module)
        return self

    def __exit__(self, *error: object) -> None:
        for handle in self.handles:
            handle.remove()

    def listen(self, path: str, module: Module) -> None:
        """Write down what this layer gives, and arrange for its gradient."""

        def note(module: Module, inputs: Any, output: Any) -> None:
            if not isinstance(output, Tensor):
                return
            row = {"layer": path, "kind": type(module).__name__, **figures_of(output.array)}
            self.rows.append(row)
            if output.requires_grad:
                output.register_hook(lambda grad: note_gradient(row, grad))

        self.handles.append(module.register_forward_hook(note))


def note_gradient(row: dict[str, Any], grad: Tensor) -> None:
    """Add the figures of a gradient to the row of its output."""
    row |= {f"gradient_{name}": value for name, value in figures_of(grad.array).items()}
