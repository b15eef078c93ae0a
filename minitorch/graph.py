"""The graph that a computation leaves behind, and who may listen while it grows.

A `Node` is one op that ran. Nodes point to where their inputs came from, so the last one holds the
whole graph, and dropping it frees the graph: there is no cycle. Leans on `versions` to notice
overwritten values.
"""

# Grown in notebooks: 2_01_the_graph. Edit there, then `make extract`.

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ContextDecorator
from types import FrameType
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch.versions import clock

if TYPE_CHECKING:
    from minitorch.tensor import Tensor

__all__ = [
    "HookHandle",
    "Listener",
    "Mode",
    "Node",
    "Step",
    "enable_grad",
    "is_grad_enabled",
    "listening",
    "mode",
    "no_grad",
    "set_grad_enabled",
    "user_frame",
]


class Mode(threading.local):
    """Per thread: whether ops leave nodes behind, and who listens while they do."""

    grad_enabled = True
    replaying = False  # whether a backward is being recorded, to be differentiated again
    listeners: tuple[Listener, ...] = ()


mode = Mode()


class no_grad(ContextDecorator):
    """A context or decorator within which ops leave no graph behind."""

    grad_enabled = False

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        """As `@no_grad()`, or without the parentheses."""
        return super().__new__(cls) if function is None else cls()(function)

    def __init__(self, function: Callable[..., Any] | None = None) -> None:
        self.before: list[bool] = []  # a stack: a decorated function may call itself

    def __enter__(self) -> None:
        self.before.append(mode.grad_enabled)
        mode.grad_enabled = self.grad_enabled

    def __exit__(self, *error: object) -> None:
        mode.grad_enabled = self.before.pop()


class enable_grad(no_grad):
    """A context or decorator within which ops leave a graph behind, also inside `no_grad`."""

    grad_enabled = True


class set_grad_enabled:
    """Whether ops leave a graph behind, from this line on, or within `with` only."""

    def __init__(self, wanted: bool) -> None:
        self.before = mode.grad_enabled
        mode.grad_enabled = wanted

    def __enter__(self) -> None:
        """Nothing is left to do."""

    def __exit__(self, *error: object) -> None:
        mode.grad_enabled = self.before


def is_grad_enabled() -> bool:
    """Whether ops leave a graph behind here."""
    return mode.grad_enabled


class Node:
    """One op that ran: where its inputs came from, and the rules that send a gradient to them.

    `parents` has one entry per input: the node that made it, the leaf tensor itself, or None when
    no gradient is wanted there. What backward keeps is what the closures in `rules` hold;
    `identities` (of the inputs, then of the value) tell which of that came in, and which went out.
    """

    __slots__ = (
        "__weakref__",
        "clock",
        "code",
        "dtype",
        "hooks",
        "identities",
        "op",
        "parents",
        "place",
        "rules",
        "shape",
    )

    def __init__(
        self,
        op: Callable[..., Any],
        parents: Sequence[Any],
        rules: Any,
        value: np.ndarray,
        identities: Sequence[int],
    ) -> None:
        self.op = op
        self.parents = parents
        self.rules = rules
        self.identities = identities
        self.shape = value.shape
        self.dtype = value.dtype
        self.clock = clock.now
        self.hooks: list[Callable[[Tensor], Tensor | None]] | None = None
        frame = user_frame()
        self.code, self.place = frame.f_code, frame.f_lasti

    @property
    def name(self) -> str:
        """The op's name, as the user calls it."""
        return self.op.__name__

    @property
    def line(self) -> int:
        """The line of the user's code that called the op."""
        lines = self.code.co_lines()
        return next(line for start, end, line in lines if start <= self.place < end) or 0

    @property
    def source(self) -> str:
        """The file and line of the user's code that called the op."""
        return f"{self.code.co_filename}:{self.line}"

    @property
    def saved(self) -> dict[str, Any]:
        """What is kept for backward, under the names it has in the op's source."""
        return dict(self.kept())

    def kept(self) -> Iterator[tuple[str, Any]]:
        """Everything `saved`, where two rules may keep different things under one name."""
        several = isinstance(self.rules, tuple)
        rules = zip(self.rules, self.parents, strict=True) if several else [(self.rules, self)]
        for rule, parent in rules:  # a rule that nobody asks does not count
            if parent is not None and rule is not None:
                for name, cell in zip(
                    rule.__code__.co_freevars, rule.__closure__ or (), strict=True
                ):
                    yield name, cell.cell_contents

    def send_back(self, grad: Any, rules: Any = None) -> Sequence[Any]:
        """What the rules make of `grad`: one contribution per parent, None where none is wanted.

        `rules` stand in for the node's own when the backward itself is recorded.

        Raises RuntimeError when an earlier backward freed the rules, or when a value that they
        kept was overwritten in place.
        """
        if self.rules is None or clock.now != self.clock:
            self.check_saved()
        rules = rules or self.rules
        if type(rules) is tuple:
            answers: list[Any] = []  # filled by a plain loop: a comprehension is a call of its own
            for parent, rule in zip(self.parents, rules):  # noqa: B905 (`op` counted them)
                answers.append(None if parent is None else rule(grad))
            return answers
        if len(self.parents) == 1:
            return (rules(grad),)
        contributions = rules(grad, tuple([parent is not None for parent in self.parents]))
        if len(contributions) != len(self.parents):
            raise TypeError(
                f"{self.name}: its rule gave {len(contributions)} gradients for "
                f"{len(self.parents)} inputs. Return one per array, None where none is needed."
            )
        arrays = [id(each) for each in contributions if each is not None]
        if len(set(arrays)) < len(arrays):  # a leaf must own what it keeps
            return [
                each.copy("K") if isinstance(each, np.ndarray) else each for each in contributions
            ]
        return contributions

    def check_saved(self) -> None:
        """Raise RuntimeError when the rules are gone, or a saved array was written to since."""
        if self.rules is None:
            raise RuntimeError(
                f"{self.name}: its saved values were freed by an earlier backward. Call that one "
                "with retain_graph=True, or run the forward again."
            )
        for name, kept in self.kept():
            for array in kept if isinstance(kept, list | tuple) else (kept,):
                if isinstance(array, np.ndarray) and clock.last_write(array) > self.clock:
                    raise RuntimeError(
                        f"{self.name}: {name}, which it saved for backward at {self.source}, was "
                        "overwritten in place since. Use the op that returns a new tensor instead, "
                        "or clone() before writing."
                    )

    def __repr__(self) -> str:
        return f"<{self.name} {self.shape} {self.dtype}>"


class Step:
    """One step of a backward pass: a node, or a leaf tensor, whose consumers have all answered."""

    __slots__ = ("contributions", "grad", "node")

    node: Node | Tensor
    grad: Any
    contributions: Sequence[Any]


class HookHandle:
    """What registering a hook returns: `remove()`, or leaving `with handle:`, takes it away."""

    def __init__(self, hooks: list[Any], hook: Callable[..., Any]) -> None:
        self.hooks, self.hook = hooks, hook
        hooks.append(hook)

    def remove(self) -> None:
        """Take the hook away; nothing happens when it is gone already."""
        if self.hook in self.hooks:
            self.hooks.remove(self.hook)
        self.hooks = []  # which may hold the same function for another handle

    def __enter__(self) -> HookHandle:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


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


def user_frame() -> FrameType:
    """The frame of the innermost caller outside this package."""
    frame = sys._getframe(3)  # this function, Node.__init__ and the op itself are ours
    while frame.f_globals.get("__package__") == "minitorch":
        frame = frame.f_back  # type: ignore[assignment]  # the outermost frame is never ours
    return frame
