"""Gradients kept from exploding: cut off by value, or scaled down by their norm.

PyTorch knows them as `nn.utils`. Leans on `tensor`.
"""

# Grown in notebooks: 3_06_long_training. Edit there, then `make extract`.

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from minitorch.tensor import Tensor
from minitorch.versions import clock

__all__ = ["Array", "clip_grad_norm_", "clip_grad_value_", "gradient_of", "with_gradients"]


Array = np.ndarray


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = True,
) -> float:
    """Scale all gradients down together so that their common norm is at most `max_norm`.

    Returns the norm before: Pascanu et al. 2013. Raises FloatingPointError when it is no number,
    with the names of the parameters whose fault it is; without `error_if_nonfinite`, PyTorch's
    choice, the gradients become NaN or 0.
    """
    if not max_norm >= 0:
        raise ValueError(f"clip_grad_norm_: max_norm is from 0 on, not {max_norm}.")
    trained = with_gradients(parameters)
    gradients = [gradient_of(parameter) for parameter in trained]
    with np.errstate(over="ignore"):
        norms = [float(np.linalg.norm(grad.ravel(), norm_type)) for grad in gradients]
    total = float(np.linalg.norm(np.array(norms), norm_type)) if norms else 0.0
    if error_if_nonfinite and not math.isfinite(total):
        faults = [
            f"{parameter.name or f'parameter {number}'}: {norm}"
            for number, (parameter, norm) in enumerate(zip(trained, norms, strict=True))
            if not math.isfinite(norm)
        ]
        raise FloatingPointError(
            f"clip_grad_norm_: the norm of the gradients is {total} ({', '.join(faults)})."
        )
    if not total <= max_norm:
        for grad in gradients:
            with np.errstate(invalid="ignore"):  # infinity * 0, if that is what was asked for
                grad *= max_norm / (total + 1e-6)
            clock.stamp(grad)
    return total


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Cut every element of every gradient off at -clip_value and clip_value."""
    if not clip_value >= 0:
        raise ValueError(f"clip_grad_value_: clip_value is from 0 on, not {clip_value}.")
    for parameter in with_gradients(parameters):
        grad = gradient_of(parameter)
        np.clip(grad, -clip_value, clip_value, out=grad)
        clock.stamp(grad)


def with_gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    """Those that have a gradient."""
    if not isinstance(parameters, Tensor | Iterable):
        raise TypeError(f"clip_grad: {parameters!r:.60} is no list; say model.parameters().")
    given = [parameters] if isinstance(parameters, Tensor) else parameters
    return [parameter for parameter in given if parameter.grad is not None]


def gradient_of(parameter: Tensor) -> Array:
    """The array of the gradient, which is there."""
    assert parameter.grad is not None
    return parameter.grad.array
