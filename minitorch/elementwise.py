"""Updates that treat every number alike: large parameters in pieces, small ones side by side.

Leans on `versions`.
"""

# Grown in notebooks: 2_07_descent. Edit there, then `make extract`.

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import compress
from operator import attrgetter, is_, not_
from typing import Any

import numpy as np

from minitorch.versions import owner_of

__all__ = [
    "BLOCK",
    "SMALL",
    "Array",
    "SideBySide",
    "State",
    "array_of",
    "in_blocks",
    "in_place",
    "kind_of",
]


Array = np.ndarray
State = dict[str, Any]

BLOCK = 1 << 16  # elements: 256 kB of float32; value, gradient and state together fit the cache
SMALL = 1 << 12  # elements: an update of so few takes about as long as it takes to call numpy
array_of = attrgetter("array")


def in_blocks(value: Array, grad: Array, state: State) -> Iterator[tuple[Array, Array, State]]:
    """Flat pieces of a large parameter, its gradient and its state, small enough for the cache.

    Several passes over one piece cost about as much as one over main memory. Where the arrays do
    not lie in memory in one and the same order, the whole is the only piece.
    """
    arrays = {name: kept for name, kept in state.items() if isinstance(kept, np.ndarray)}
    flat_value = value.ravel(order="K")
    same_order = all(array.strides == value.strides for array in arrays.values())
    if not same_order or not np.may_share_memory(flat_value, value):
        yield value, grad, state
        return
    if grad.strides != value.strides:
        ordered = np.empty_like(value)
        ordered[...] = grad
        grad = ordered
    flat_grad = grad.ravel(order="K")
    flat_state = {name: array.ravel(order="K") for name, array in arrays.items()}
    for start in range(0, value.size, BLOCK):
        piece = slice(start, start + BLOCK)
        kept = {name: array[piece] for name, array in flat_state.items()}
        yield flat_value[piece], flat_grad[piece], {**state, **kept}


class SideBySide:
    """The small ones of some parameters in one array, to be updated in the calls of one.

    Those that suit are `members`, the rest `others`. Values and gradients of members are copied in,
    and values back. What is kept for each becomes a view of what is `kept` for all.
    """

    def __init__(self, parameters: Sequence[Any], state: dict[Any, State]) -> None:
        kinds = [kind_of(each.array, state[each]) for each in parameters]
        ((common, count),) = Counter(filter(None, kinds)).most_common(1) or [(None, 0)]
        owners = [id(owner_of(each.array)) for each in parameters]
        shares = Counter(owners)  # who shares memory is updated one after the other
        chosen = [
            count > 1 and kind == common and shares[owner] == 1
            for kind, owner in zip(kinds, owners, strict=True)
        ]
        self.parameters = parameters
        self.members = list(compress(parameters, chosen))
        self.others = list(compress(parameters, map(not_, chosen)))
        self.states = [state[member] for member in self.members]
        self.arrays = list(map(array_of, self.members))
        self.kept: dict[str, Array] = {}
        if self.members:
            self.lay_out()

    def lay_out(self) -> None:
        """Make the arrays that the members share."""
        ends = np.cumsum([array.size for array in self.arrays])[:-1]

        def parts(array: Array) -> list[Array]:
            pieces = zip(np.split(array, ends), self.arrays, strict=True)
            return [piece.reshape(own.shape) for piece, own in pieces]

        self.value = np.concatenate([array.ravel() for array in self.arrays])
        self.grad = np.empty_like(self.value)
        self.values, self.grads = parts(self.value), parts(self.grad)
        for name in self.states[0].keys() - {"step"}:
            kept = self.kept[name] = np.concatenate([own[name].ravel() for own in self.states])
            for own, part in zip(self.states, parts(kept), strict=True):
                own[name] = part

    def holds(self, parameters: Sequence[Any], state: dict[Any, State], names: set[str]) -> bool:
        """Whether it is for these, with these names kept, and nobody replaced anything since."""
        return (
            (names <= self.kept.keys() or not self.members)
            and len(parameters) == len(self.parameters)
            and all(map(is_, parameters, self.parameters))
            and all(map(is_, map(state.get, self.members), self.states))
            and all(map(is_, map(array_of, self.members), self.arrays))
            and len({own["step"] for own in self.states}) <= 1  # more after an interruption
            and all(
                own[name].base is kept for name, kept in self.kept.items() for own in self.states
            )
        )

    def update(self, formula: Callable[..., None], group: dict[str, Any]) -> None:
        """Change the members in place: `formula(value, grad, state, group)`, once for all."""
        rows = zip(self.members, self.arrays, self.values, self.grads, self.states, strict=True)
        for member, array, value, grad, own in rows:
            value[...] = array
            grad[...] = member.kept_grad.array
            own["step"] += 1
        in_place(formula, self.value, self.grad, {**self.states[0], **self.kept}, group)
        for array, value in zip(self.arrays, self.values, strict=True):
            array[...] = value


def in_place(
    formula: Callable[..., None], value: Array, grad: Array, state: State, group: dict[str, Any]
) -> None:
    """Let a formula update a piece, or neighbours: what is kept is theirs only where it lies.

    Raises TypeError where the formula put something else into `state`, which would be lost.
    """
    before = dict(state)
    formula(value, grad, state, group)
    if [*map(id, state.values())] != [*map(id, before.values())]:
        new = [name for name, kept in state.items() if kept is not before.get(name)]
        raise TypeError(
            f"update: {', '.join(new)} of the state must be written to in place, as in "
            "state[name][...] = new, where an optimizer says that it is elementwise."
        )


def kind_of(value: Array, state: State) -> Any:
    """What parameters that go side by side have in common; None for one that must go alone."""
    kept = {name: array for name, array in state.items() if name != "step"}
    alike = all(
        getattr(array, "shape", None) == value.shape and array.dtype == value.dtype
        for array in kept.values()
    )
    small = value.size <= SMALL
    return (value.dtype, state["step"], frozenset(kept)) if small and alike else None
