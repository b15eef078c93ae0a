"""Gradients kept from exploding: cut off by value, or scaled down by their norm.

PyTorch knows them as `nn.utils`. Leans on `tensor`.
"""

# Grown in notebooks: 3_02_adam. Edit there, then `make extract`.

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from minitorch.tensor import Tensor
from minitorch.versions import clock

__all__ = ["Array", "clip_grad_norm_", "clip_grad_value_", "gradients_of"]


Array = np.ndarray


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, norm_type: float = 2.0
) -> float:
    """Scale all gradients down together so that their common norm is at most `max_norm`.

    Returns the norm before: Pascanu et al. 2013. Raises FloatingPointError when it is no number.
    """
    gradients = gradients_of(parameters)
    norms = [np.linalg.norm(grad.ravel(), norm_type) for grad in gradients]
    total = float(np.linalg.norm(np.array(norms, np.float64), norm_type)) if norms else 0.0
    if not math.isfinite(total):
        raise FloatingPointError(f"clip_grad_norm_: the norm of the gradients is {total}.")
    if total > max_norm:
        for grad in gradients:
            grad *= max_norm / (total + 1e-6)
            clock.stamp(grad)
    return total


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Cut every element of every gradient off at -clip_value and clip_value."""
    for grad in gradients_of(parameters):
        np.clip(grad, -clip_value, clip_value, out=grad)
        clock.stamp(grad)


def gradients_of(parameters: Tensor | Iterable[Tensor]) -> list[Array]:
    """The gradients that are there."""
    given = [parameters] if isinstance(parameters, Tensor) else parameters
    return [parameter.grad.array for parameter in given if parameter.grad is not None]
