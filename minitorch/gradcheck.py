"""Is this gradient right? Every derivative against a difference of two values.

Leans on `tensor` only: it knows nothing of the rules that it checks.
"""

# Grown in notebooks: 2_05_the_tensor. Edit there, then `make extract`.

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minitorch.tensor import Tensor

__all__ = [
    "Array",
    "any_requires_grad",
    "gradcheck",
    "in_double",
    "outputs_of",
    "raise_worst_element",
    "requires_grad",
]


Array = np.ndarray


def gradcheck(
    function: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
) -> bool:
    """Check the gradients of `function` at `inputs` against central differences, in float64.

    Checks the inputs that require a gradient (every float tensor, when none does) along random
    directions. Raises AssertionError naming the input and the element that are furthest off.
    """
    given = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    doubles = [in_double(value, alone=not any_requires_grad(given)) for value in given]
    checked = [k for k, value in enumerate(doubles) if requires_grad(value)]
    if not checked:
        raise ValueError("gradcheck: no input is a float tensor, so there is nothing to check.")
    random = np.random.default_rng(0)  # its own: a check must not change the training that follows
    outputs = outputs_of(function, doubles)
    weights = [random.standard_normal(output.shape) for output in outputs]
    for output, weight in zip(outputs, weights, strict=True):
        if output.requires_grad:
            output.backward(Tensor(weight), retain_graph=True)

    def slope(position: int, direction: Array) -> float:
        values = doubles[position].array
        before = values.copy()
        totals = []
        for sign in (1, -1):
            values[...] = before + sign * eps * direction
            moved = outputs_of(function, doubles)
            totals.append(sum(np.sum(w * y.array) for w, y in zip(weights, moved, strict=True)))
        values[...] = before
        return float((totals[0] - totals[1]) / (2 * eps))

    for position in checked:
        tensor = doubles[position]
        analytic = np.zeros(tensor.shape) if tensor.grad is None else tensor.grad.array
        direction = random.standard_normal(tensor.shape)
        expected = slope(position, direction)
        if not np.isclose(np.sum(analytic * direction), expected, rtol, atol):
            raise_worst_element(position, analytic, slope, atol, rtol)
    return True


def raise_worst_element(
    position: int, analytic: Array, slope: Callable[[int, Array], float], atol: float, rtol: float
) -> None:
    """Raise AssertionError for the element whose derivative is furthest off, if one is."""
    numeric = np.zeros_like(analytic)
    for index in np.ndindex(analytic.shape):
        direction = np.zeros_like(analytic)
        direction[index] = 1
        numeric[index] = slope(position, direction)
    wrong = ~np.isclose(analytic, numeric, rtol, atol)
    if wrong.any():
        distance = np.where(wrong, np.nan_to_num(np.abs(analytic - numeric), nan=np.inf), -1)
        worst = tuple(int(k) for k in np.unravel_index(np.argmax(distance), distance.shape))
        raise AssertionError(
            f"gradcheck: {wrong.sum()} of {wrong.size} derivatives for input {position} are "
            f"wrong. Worst at {list(worst)}: backward gives {analytic[worst]:.6g}, the difference "
            f"of two values {numeric[worst]:.6g}."
        )


def outputs_of(function: Callable[..., Any], inputs: Sequence[Any]) -> list[Tensor]:
    """The float tensors that `function` returns."""
    result = function(*inputs)
    results = [result] if isinstance(result, Tensor) else list(result)
    return [each for each in results if each.dtype.kind == "f"]


def in_double(value: Any, alone: bool) -> Any:
    """A float64 leaf with the values of a float tensor; anything else as it is."""
    if not isinstance(value, Tensor) or value.dtype.kind != "f":
        return value
    return Tensor(value.array.astype(np.float64), requires_grad=alone or value.requires_grad)


def any_requires_grad(values: Sequence[Any]) -> bool:
    """Whether one of the values is a tensor that requires a gradient."""
    return any(requires_grad(value) for value in values)


def requires_grad(value: Any) -> bool:
    """Whether the value is a tensor that requires a gradient."""
    return isinstance(value, Tensor) and value.requires_grad
