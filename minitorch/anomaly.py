"""Where the first NaN or infinity came from, forward or backward. Leans on `graph`."""

# Grown in notebooks: 2_09_in_place_and_twice. Edit there, then `make extract`.

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch.graph import Listener, Node, Step, listening, mode, user_frame

if TYPE_CHECKING:
    from minitorch.tensor import Tensor

__all__ = ["WORDS", "AnomalyFinder", "detect_anomaly", "set_detect_anomaly", "span", "worst"]


WORDS = ("only finite numbers", "infinity", "NaN")


class AnomalyFinder(Listener):
    """Raises FloatingPointError in the op that turns finite numbers into infinity, or any into NaN.

    It looks at every number of every step, so it costs time: for finding a fault, not for training.
    """

    def on_op(
        self, op: Callable[..., Any], inputs: tuple[Any, ...], settings: Any, output: Tensor
    ) -> None:
        """Compare what came out of an op with what went in."""
        got = worst(getattr(value, "array", value) for value in inputs)
        made = worst([output.array])
        if made > got:
            frame = user_frame()
            place = f"{frame.f_code.co_filename}:{frame.f_lineno}"
            raise FloatingPointError(
                f"{op.__name__} at {place} gave {WORDS[made]}; what went in had "
                f"{WORDS[got]}: {', '.join(span(value) for value in inputs)}."
            )

    def on_step(self, step: Step) -> None:
        """Compare what a rule sent back with the gradient that it got."""
        got = worst([step.grad])
        made = worst(step.contributions)
        if isinstance(step.node, Node) and made > got:
            raise FloatingPointError(
                f"the backward of {step.node.name}, called at {step.node.source}, gave "
                f"{WORDS[made]}; the gradient that it got had {WORDS[got]}."
            )


def worst(values: Iterable[Any]) -> int:
    """2 when NaN is among the values, else 1 for an infinity, else 0."""
    level = 0
    for value in values:
        array = np.asarray(getattr(value, "array", value)) if value is not None else np.zeros(())
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            level = max(level, 2 if np.isnan(array).any() else 1)
    return level


def span(value: Any) -> str:
    """Smallest and largest element of an input, in words; settings as they are."""
    array = getattr(value, "array", value)
    if not isinstance(array, np.ndarray) or not array.size:
        return f"{array!r:.40}"
    return f"{array.dtype} {array.shape} from {array.min():.4g} to {array.max():.4g}"


class detect_anomaly(listening):
    """A context that raises where the first NaN or infinity arises, naming op and source line."""

    def __init__(self) -> None:
        super().__init__(AnomalyFinder())


def set_detect_anomaly(wanted: bool) -> None:
    """Look for NaN and infinity in everything that this thread does from here on, or no longer."""
    others = tuple(each for each in mode.listeners if not isinstance(each, AnomalyFinder))
    mode.listeners = (*others, AnomalyFinder()) if wanted else others
