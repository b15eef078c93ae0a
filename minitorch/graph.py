"""The graph that a computation leaves behind, and who may listen while it grows.

A `Node` is one op that ran. Nodes point to where their inputs came from, so the last one holds the
whole graph, and dropping it frees the graph: there is no cycle. Leans on `versions` to notice
overwritten values.
"""

# Grown in notebooks: 2_01_the_graph. Edit there, then `make extract`.

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import ContextDecorator
from types import CodeType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minitorch.versions import clock

if TYPE_CHECKING:
    from minitorch.tensor import Tensor

__all__ = [
    "Listener",
    "Mode",
    "Node",
    "Step",
    "enable_grad",
    "listening",
    "mode",
    "no_grad",
    "user_line",
]


class Mode(threading.local):
    """Per thread: whether ops leave nodes behind, and who listens while they do."""

    grad_enabled = True
    listeners: tuple[Listener, ...] = ()


mode = Mode()


class no_grad(ContextDecorator):
    """A context or decorator within which ops leave no graph behind."""

    grad_enabled = False

    def __enter__(self) -> None:
        self.before = mode.grad_enabled
        mode.grad_enabled = self.grad_enabled

    def __exit__(self, *error: object) -> None:
        mode.grad_enabled = self.before


class enable_grad(no_grad):
    """A context or decorator within which ops leave a graph behind, also inside `no_grad`."""

    grad_enabled = True


class Node:
    """One op that ran: where its inputs came from, and the rules that send a gradient to them.

    `parents` has one entry per input: the node that made it, the leaf tensor itself, or None when
    no gradient is wanted there. What backward keeps is what the closures in `rules` hold.
    """

    __slots__ = ("clock", "code", "dtype", "hooks", "line", "op", "parents", "rules", "shape")

    def __init__(
        self, op: Callable[..., Any], parents: tuple[Any, ...], rules: Any, value: np.ndarray
    ):
        self.op = op
        self.parents = parents
        self.rules = rules
        self.shape = value.shape
        self.dtype = value.dtype
        self.clock = clock.now
        self.hooks: list[Callable[[Tensor], Tensor | None]] | None = None
        self.code, self.line = user_line()

    @property
    def name(self) -> str:
        """The op's name, as the user calls it."""
        return self.op.__name__

    @property
    def source(self) -> str:
        """The file and line of the user's code that called the op."""
        return f"{self.code.co_filename}:{self.line}"

    @property
    def saved(self) -> dict[str, Any]:
        """What is kept for backward, under the names it has in the op's source."""
        rules = self.rules if isinstance(self.rules, tuple) else (self.rules,)
        kept: dict[str, Any] = {}
        for rule in rules:
            if rule is not None and rule.__closure__:
                names = rule.__code__.co_freevars
                kept.update(
                    zip(names, (cell.cell_contents for cell in rule.__closure__), strict=True)
                )
        return kept

    def send_back(self, grad: Any) -> tuple[Any, ...]:
        """What the rules make of `grad`: one contribution per parent, None where none is wanted.

        Raises RuntimeError when an earlier backward freed the rules, or when a value that they
        kept was overwritten in place.
        """
        if self.rules is None:
            raise RuntimeError(
                f"{self.name}: its saved values were freed by an earlier backward. Call that one "
                "with retain_graph=True, or run the forward again."
            )
        if clock.now != self.clock:
            self.check_saved()
        if isinstance(self.rules, tuple):
            pairs = zip(self.parents, self.rules, strict=True)
            return tuple([None if parent is None else rule(grad) for parent, rule in pairs])
        if len(self.parents) == 1:
            return (self.rules(grad),)
        return self.rules(grad, tuple([parent is not None for parent in self.parents]))

    def check_saved(self) -> None:
        """Raise RuntimeError when a saved array was written to after the op ran."""
        for name, kept in self.saved.items():
            for array in kept if isinstance(kept, list | tuple) else (kept,):
                if isinstance(array, np.ndarray) and clock.last_write(array) > self.clock:
                    raise RuntimeError(
                        f"{self.name}: {name}, which it saved for backward at {self.source}, was "
                        "overwritten in place since. Use the op that returns a new tensor instead, "
                        "or clone() before writing."
                    )

    def __repr__(self) -> str:
        return f"<{self.name} {self.shape} {self.dtype}>"


class Step(NamedTuple):
    """One step of a backward pass: a node, or a leaf tensor, whose consumers have all answered."""

    node: Node | Tensor
    grad: Any
    contributions: tuple[Any, ...]


class Listener:
    """Hears of every op, backward step, module call and update; subclass what you need."""

    def on_op(
        self, op: Callable[..., Any], inputs: tuple[Any, ...], settings: Any, output: Tensor
    ) -> None:
        """An op ran; `output.node` is its node, or None where no gradient is wanted."""

    def on_error(
        self, op: Callable[..., Any], inputs: tuple[Any, ...], settings: Any, error: Exception
    ) -> None:
        """An op raised."""

    def on_step(self, step: Step) -> None:
        """A backward step was taken."""

    def on_module(self, module: Any, entered: bool) -> None:
        """A module's forward begins (`entered`) or ends."""

    def on_update(self, optimizer: Any, finished: bool) -> None:
        """An optimizer is about to update its parameters, or has `finished`."""


class listening:
    """A context that lets `listener` hear what happens in this thread."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener

    def __enter__(self) -> Listener:
        mode.listeners += (self.listener,)
        return self.listener

    def __exit__(self, *error: object) -> None:
        mode.listeners = tuple(other for other in mode.listeners if other is not self.listener)


def user_line() -> tuple[CodeType, int]:
    """Code object and line number of the innermost caller outside this package."""
    frame = sys._getframe(2)
    while frame.f_back and frame.f_globals.get("__name__", "").startswith("minitorch."):
        frame = frame.f_back
    return frame.f_code, frame.f_lineno
