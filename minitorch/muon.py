"""Muon, whose steps are as strong in every direction; optimizers of several kinds as one."""

# Grown in notebooks: 3_07_muon. Edit there, then `make extract`.

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from minitorch.optimizer import Array, Optimizer

__all__ = ["COEFFICIENTS", "Muon", "Together", "orthogonalized", "polynomial"]


COEFFICIENTS = 3.4445, -4.7750, 2.0315  # Jordan's: a steep start, then between 0.7 and 1.2


def orthogonalized(matrix: Array, steps: int) -> Array:
    """The matrix with its singular values all brought near 1: Newton-Schulz, in small squares.

    Every step is x <- polynomial(x @ x.T) @ x. The polynomials are multiplied first; rounding
    grows in their product, so that it is used up after five of them.
    """
    x = matrix.astype(np.promote_types(matrix.dtype, np.float32))
    x /= max(float(np.linalg.norm(x)), 1e-7)
    tall = x.shape[0] > x.shape[1]
    for begun in range(0, steps, 5):
        square = x.T @ x if tall else x @ x.T
        product = factor = polynomial(square)
        for _ in range(begun + 1, min(begun + 5, steps)):
            square = factor @ square @ factor
            factor = polynomial(square)
            product = factor @ product
        x = x @ product if tall else product @ x
    return x


def polynomial(square: Array) -> Array:
    """The factor a + b * square + c * square @ square of one step."""
    a, b, c = COEFFICIENTS
    factor = square @ square
    factor *= c
    factor += b * square
    factor.flat[:: len(factor) + 1] += a
    return factor


class Muon(Optimizer):
    """Momentum whose directions all get the same strength: Jordan et al. 2024.

    For hidden weights: matrices, and kernels as (out, rest). Biases, gains, embeddings and the last
    layer are better off with AdamW or SGD beside it: see `Together`. High matrices get a rate
    sqrt(rows / columns) times as large, as in PyTorch.
    """

    assumed: ClassVar[dict[str, Any]] = {"step": 1}  # PyTorch counts none
    fixed: ClassVar[dict[str, Any]] = {
        "ns_coefficients": COEFFICIENTS,
        "eps": 1e-7,
        "adjust_lr_fn": None,
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        *,
        ns_steps: int = 5,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            weight_decay=weight_decay,
            momentum=momentum,
            nesterov=nesterov,
            ns_steps=ns_steps,
        )

    def check_settings(self, settings: dict[str, Any]) -> None:
        """Raise ValueError where a setting is out of its range, or a parameter is no matrix."""
        super().check_settings(settings)
        if not isinstance(settings["ns_steps"], int) or settings["ns_steps"] < 1:
            raise ValueError(f"Muon: ns_steps is 1 or more, not {settings['ns_steps']!r}.")
        for parameter in settings["params"]:
            if parameter.ndim < 2 or 0 in parameter.shape:
                raise ValueError(
                    f"Muon: {parameter.name or 'a parameter'} of shape {parameter.shape} is no "
                    "matrix. Give Muon the parameters with ndim >= 2, and the others to AdamW or "
                    "SGD; Together(muon, adamw) steps both."
                )

    def start(self, value: Array, group: dict[str, Any]) -> dict[str, Any]:
        """The velocity, at rest."""
        return {"step": 0, "momentum_buffer": np.zeros_like(value)}

    def update(self, value: Array, grad: Array, state: dict[str, Any], group: Any) -> None:
        """Change `value` in place."""
        with np.errstate(over="ignore"):
            norm = float(np.linalg.norm(grad))
        if not math.isfinite(norm):
            raise FloatingPointError(f"Muon: the norm of a gradient {grad.shape} is {norm}.")
        lr, momentum, velocity = group["lr"], group["momentum"], state["momentum_buffer"]
        velocity += (1 - momentum) * (grad - velocity)
        direction = grad + momentum * (velocity - grad) if group["nesterov"] else velocity
        matrix = direction.reshape(len(value), -1)
        rows, columns = matrix.shape
        step = orthogonalized(matrix, group["ns_steps"])
        step *= lr * math.sqrt(max(1, rows / columns))
        value *= 1 - lr * group["weight_decay"]
        value -= step.reshape(value.shape)


class Together(Optimizer):
    """Optimizers of several kinds, each over parameters of its own, that step as one.

    `param_groups` are theirs, one after the other: a schedule sets the rates of all.
    """

    def __init__(self, *optimizers: Optimizer) -> None:
        if not optimizers:
            raise ValueError("Together: there is no optimizer.")
        self.optimizers = optimizers
        self.param_groups = [group for each in optimizers for group in each.param_groups]
        known = set()
        for parameter in self.parameters:
            if parameter in known:
                name = parameter.name or "a parameter"
                raise ValueError(f"Together: two of the optimizers train {name}.")
            known.add(parameter)

    def add_param_group(self, group: dict[str, Any]) -> None:
        """Refuse, since it is not said whose it would be."""
        raise TypeError("Together: add the group to one of the optimizers before they are joined.")

    def step(self) -> None:
        """Let each of them step."""
        for optimizer in self.optimizers:
            optimizer.step()

    def never_updated(self) -> list[str]:
        """Names of the parameters that had no gradient in any step so far."""
        return [name for optimizer in self.optimizers for name in optimizer.never_updated()]

    def state_dict(self) -> dict[str, Any]:
        """The state of each."""
        return {"optimizers": [optimizer.state_dict() for optimizer in self.optimizers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a `state_dict` of the same kinds, in the same order; else all is as before."""
        before, given = self.state_dict()["optimizers"], state_dict.get("optimizers", [])
        if len(given) != len(before):
            raise ValueError(
                f"load_state_dict of Together: it joins {len(before)} optimizers, the saved state "
                f"is of {len(given)}."
            )
        try:
            for optimizer, kept in zip(self.optimizers, given, strict=True):
                optimizer.load_state_dict(kept)
        except ValueError:
            for optimizer, kept in zip(self.optimizers, before, strict=True):
                optimizer.load_state_dict(kept)
            raise

    def __repr__(self) -> str:
        return f"Together({', '.join(repr(optimizer) for optimizer in self.optimizers)})"
