"""The checker of the exercises: says how near an answer is, and draws where it is not.

`check` compares two values, `check_function` a function with a reference over several cases,
`check_gradient` a backward with central differences. Each prints one line at once and returns it
as a `Finding`. Leans on comparison.
"""

from __future__ import annotations

import inspect
import reprlib
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from viz.comparison import Array, distance, draw_difference, finite_size

TOLERANCE = 1e-5  # of the largest expected number: float32 rounding passes, a wrong formula not
MOST_ELEMENTS = 4096  # central differences evaluate twice for each


@dataclass(frozen=True)
class Finding:
    """What a check found: one line, and the two arrays where they can be drawn side by side."""

    passed: bool
    message: str
    mine: Array | None = None
    expected: Array | None = None

    def __repr__(self) -> str:
        return self.message

    def _ipython_display_(self) -> None:
        """Stay silent as the last value of a cell: the check has shown its finding already."""

    def show(self) -> Finding:
        """Print the line; in a notebook draw yours, expected and the difference if it is wrong."""
        print(self.message)
        mine, expected = self.mine, self.expected
        if mine is not None and expected is not None and mine.size > 1 and not self.passed:
            self.draw(mine, expected)
        return self

    @staticmethod
    def draw(mine: Array, expected: Array) -> None:
        """In a notebook, display the two arrays and their difference."""
        ipython = sys.modules.get("IPython")
        if ipython is not None and ipython.get_ipython() is not None:
            ipython.display.display(ipython.display.Image(draw_difference(mine, expected)))


def check(mine: Any, expected: Any, *, name: str, tolerance: float = TOLERANCE) -> Finding:
    """Say how near an answer (array, Tensor, number, tuple of them) is to the expected one."""
    return compare(mine, expected, name, tolerance).show()


def check_guess(mine: Any, expected: Any, *, name: str) -> Finding:
    """Say whether a prediction is right, without giving away what is."""
    finding = compare(mine, expected, name, TOLERANCE)
    if finding.message.startswith("✗"):
        finding = Finding(False, f"✗ {name}: not this. Think again, or open the hint.")
    return (Finding(True, f"✓ {name}: right") if finding.passed else finding).show()


def check_function(
    mine: Callable[..., Any],
    reference: Callable[..., Any],
    cases: Iterable[Any],
    *,
    tolerance: float = TOLERANCE,
) -> Finding:
    """Call both functions on each case (a tuple of arguments or a single one); tell the first miss.

    What your function raises comes through, with a note that says in which case.
    """
    name, cases = name_of(mine), list(cases)
    for number, case in enumerate(cases, start=1):
        arguments = case if isinstance(case, tuple) else (case,)
        call = f"case {number} of {len(cases)}, {name}({', '.join(map(in_words, arguments))})"
        try:
            answer = mine(*arguments)
        except Exception as error:
            error.add_note(f"This happened in {call}.")
            raise
        finding = compare(answer, reference(*arguments), call, tolerance)
        if not finding.passed:
            return (not_yet(answer, name) or finding).show()
    return Finding(True, f"✓ {name}: all {len(cases)} cases agree").show()


def check_gradient(
    function: Callable[..., Any], *inputs: Any, tolerance: float = TOLERANCE
) -> Finding:
    """Compare the backward of a function with central differences, in float64.

    With plain arrays, `function` is an op's body, which returns its value and its backward; with
    Tensors it is any function of Tensors. Arrays of integers are passed on as they are.
    """
    name, arrays = name_of(function), [in_double(as_array(value)) for value in inputs]
    tensor = next((type(value) for value in inputs if hasattr(value, "requires_grad")), None)
    answer = function(*map(tensor, arrays)) if tensor else function(*arrays)
    if missing := not_yet(answer, name):
        return missing.show()
    if not tensor and not (isinstance(answer, tuple) and len(answer) == 2):
        message = f"✗ {name}: return the value and its backward: `return y, lambda grad: ...`"
        return Finding(False, message).show()
    if not tensor and (missing := not_yet(answer[1], f"{name}, backward")):
        return missing.show()

    def value_of(*arrays: Array) -> Array:
        return as_array(function(*map(tensor, arrays)) if tensor else function(*arrays)[0])

    grad = np.asarray(np.random.default_rng(0).standard_normal(value_of(*arrays).shape))
    if tensor:
        gradients = gradients_of_leaves(function, tensor, arrays, grad)
    else:
        gradients = gradients_of_rules(answer[1], arrays, grad)
    labels = [position for position, array in enumerate(arrays) if array.dtype.kind == "f"]
    for position in labels:
        label = f"{name}, gradient by {parameter_name(function, position)}"
        expected = central_differences(lambda *at: np.sum(grad * value_of(*at)), arrays, position)
        mine = gradients[position]
        if tensor and mine is None:
            return Finding(False, f"✗ {label}: none arrived, the graph does not lead to it").show()
        if missing := not_yet(mine, label):
            return missing.show()
        finding = compare(summed_to(as_array(mine), expected.shape), expected, label, tolerance)
        if not finding.passed:
            return finding.show()
    return Finding(True, f"✓ {name}: the backward agrees with central differences").show()


def gradients_of_rules(rules: Any, arrays: Sequence[Array], grad: Array) -> Sequence[Any]:
    """Return what an op's backward passes to each input: one rule each, or one rule for all."""
    if not callable(rules):
        return [rule and rule(grad) for rule in rules]
    if len(arrays) == 1:
        return [rules(grad)]
    takes_needed = len(inspect.signature(rules).parameters) > 1
    return list(rules(grad, (True,) * len(arrays)) if takes_needed else rules(grad))


def gradients_of_leaves(
    function: Callable[..., Any], tensor: Callable[..., Any], arrays: Sequence[Array], grad: Array
) -> Sequence[Any]:
    """Return the gradients that a backward through the graph leaves on the inputs."""
    leaves = [tensor(array, requires_grad=array.dtype.kind == "f") for array in arrays]
    function(*leaves).backward(tensor(grad))
    return [leaf.grad for leaf in leaves]


def central_differences(
    function: Callable[..., Any], inputs: Sequence[Array], position: int, epsilon: float = 1e-6
) -> Array:
    """Return the gradient of a scalar function by one input, from a small step either way.

    Raises ValueError where the input has so many elements that this would take minutes.
    """
    point = inputs[position].astype(np.float64)
    if point.size > MOST_ELEMENTS:
        raise ValueError(
            f"central differences of an input of shape {point.shape} call the function "
            f"{2 * point.size} times: check the gradient on a smaller input"
        )
    gradient = np.empty_like(point)
    for index in np.ndindex(point.shape):
        values = []
        for step in (epsilon, -epsilon):
            moved = point.copy()
            moved[index] += step
            values.append(function(*inputs[:position], moved, *inputs[position + 1 :]))
        gradient[index] = (values[0] - values[1]) / (2 * epsilon)
    return gradient


def summed_to(gradient: Array, shape: tuple[int, ...]) -> Array:
    """Sum a gradient over the dimensions that broadcasting added, as the engine does."""
    extra = gradient.ndim - len(shape)
    if extra < 0:
        return gradient
    gradient = gradient.sum(axis=tuple(range(extra)))
    stretched = tuple(i for i, size in enumerate(shape) if size == 1 != gradient.shape[i])
    return np.asarray(gradient.sum(axis=stretched, keepdims=True))


def compare(mine: Any, expected: Any, name: str, tolerance: float) -> Finding:
    """Return the finding about one answer; a tuple of several arrays is compared one by one."""
    if missing := not_yet(mine, name):
        return missing
    if isinstance(expected, tuple) and any(np.ndim(as_array(value)) for value in expected):
        return compare_tuples(mine, expected, name, tolerance)
    typed = hasattr(mine, "dtype") and hasattr(expected, "dtype")
    mine, expected = as_array(mine), as_array(expected)
    if mine.shape != expected.shape:
        return Finding(False, f"✗ {name}: your shape is {mine.shape}, expected {expected.shape}")
    if not {mine.dtype.kind, expected.dtype.kind} <= set("biuf"):
        same = bool(np.all(mine == expected))
        return Finding(same, f"{'✓' if same else '✗'} {name}: exact: {'yes' if same else 'no'}")
    if typed and mine.dtype != expected.dtype:
        name += f" (your dtype is {mine.dtype}, expected {expected.dtype})"
    return compare_numbers(mine, expected, name, tolerance)


def compare_tuples(mine: Any, expected: tuple[Any, ...], name: str, tolerance: float) -> Finding:
    """Return the first finding that did not pass, or the last."""
    if not isinstance(mine, tuple | list) or len(mine) != len(expected):
        count = len(mine) if isinstance(mine, tuple | list) else 1
        return Finding(False, f"✗ {name}: you returned {count} values, expected {len(expected)}")
    for number, pair in enumerate(zip(mine, expected, strict=True), start=1):
        finding = compare(*pair, f"{name}, value {number} of {len(expected)}", tolerance)
        if not finding.passed:
            return finding
    return Finding(True, f"✓ {name}: all {len(expected)} values agree")


def compare_numbers(mine: Array, expected: Array, name: str, tolerance: float) -> Finding:
    """Return exact, approximate and the largest difference of two arrays of the same shape."""
    difference = distance(mine, expected)
    largest = difference.max(initial=0)
    exact, near = bool(largest == 0), bool(largest <= tolerance * finite_size(expected))
    words = [
        f"exact: {'yes' if exact else 'no'}",
        f"approximate: {'yes' if near else 'no'}",
        f"largest difference: {largest:.2g}",
    ]
    if not near:
        worst = np.unravel_index(np.argmax(difference), difference.shape)
        where = f" at [{', '.join(map(str, worst))}]" if worst else ""
        words[-1] += f"{where} (yours {mine[worst]:.4g}, expected {expected[worst]:.4g})"
    message = f"{'✓' if near else '✗'} {name}: {'right' if near else 'no'} ({' | '.join(words)})"
    return Finding(near, message, mine, expected)


def not_yet(answer: Any, name: str) -> Finding | None:
    """Return the finding for an exercise that has not been filled in."""
    if answer is None or answer is ...:
        return Finding(False, f"○ {name}: not yet, it is still {'...' if answer is ... else None}")
    return None


def as_array(value: Any) -> Array:
    """Return the numbers of an array, a Tensor or a list; on the way no gradient is tracked."""
    value = value.detach() if hasattr(value, "detach") else value
    return np.asarray(value.numpy() if hasattr(value, "numpy") else value)


def in_double(array: Array) -> Array:
    """Return a float array as float64, other arrays as they are."""
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def in_words(argument: Any) -> str:
    """Return an argument as one would say it: small arrays with their values, others by shape."""
    if not hasattr(argument, "shape"):
        return reprlib.repr(argument)
    array = as_array(argument)
    if array.size <= 6:
        return reprlib.repr(array.round(4).tolist())
    return f"{array.dtype} array of shape {array.shape}"


def name_of(function: Callable[..., Any]) -> str:
    """Return the name of a function; partial functions and lambdas have none of their own."""
    return getattr(function, "__name__", "<lambda>").replace("<lambda>", "your function")


def parameter_name(function: Callable[..., Any], position: int) -> str:
    """Return the name by which the function's author calls an input."""
    names = list(inspect.signature(function).parameters)
    return f"`{names[position]}`" if position < len(names) else f"input {position}"
