"""The way back: Kahn's walk over the graph from a result to the leaves.

`backward_steps` is the only backward there is: `Tensor.backward` exhausts it, a debugger stops
between its steps. Leans on `graph`, and on `replay` for the gradient of a gradient.
"""

# Grown in notebooks: 2_01_the_graph. Edit there, then `make extract`.

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch.graph import Node, Step, mode
from minitorch.op import as_tensor
from minitorch.replay import send_back_recorded

if TYPE_CHECKING:
    from minitorch.tensor import Tensor

__all__ = ["backward_steps", "count_consumers", "fitted", "sum_to_shape", "through_hooks"]


def count_consumers(roots: Iterable[Node | Tensor]) -> dict[Node | Tensor, int]:
    """How many edges lead into each node and leaf that a gradient from the roots can reach."""
    consumers = dict.fromkeys(roots, 0)
    to_visit = list(consumers)
    while to_visit:
        node = to_visit.pop()
        for parent in node.parents:
            if parent is None:
                continue
            if parent not in consumers:
                consumers[parent] = 0
                to_visit.append(parent)
            consumers[parent] += 1
    return consumers


def backward_steps(
    gradients: dict[Node | Tensor, Any],
    *,
    retain_graph: bool = False,
    create_graph: bool = False,
    into_leaves: bool = True,
) -> Iterator[Step]:
    """Walk back in Kahn's order (1962), one step per node and leaf; `gradients` has the roots'.

    A node's turn comes when all its consumers have answered, so its gradient is complete when its
    rules see it. Gradients of the interior live here only; leaves get theirs in `.grad`, unless
    `into_leaves` is False. Rules are dropped as soon as they are used, unless `retain_graph`. With
    `create_graph` the gradients are tensors, and the rules' own ops are recorded.
    """
    listeners = mode.listeners
    waiting = count_consumers(gradients)
    ready = [root for root in gradients if not waiting[root]]
    while ready:
        node = ready.pop()
        grad = gradients.pop(node, None)
        if grad is None:
            contributions: Sequence[Any] = (None,) * len(node.parents)
        else:
            if node.hooks:
                grad = through_hooks(node.hooks, grad)
            if create_graph and isinstance(node, Node):
                contributions = send_back_recorded(node, grad)
            else:
                contributions = node.send_back(grad) if node.parents or into_leaves else ()
        step = Step(node, grad, contributions)
        if not retain_graph:
            node.rules = None
        for listener in listeners:
            listener.on_step(step)
        yield step
        for parent, contribution in zip(node.parents, contributions, strict=True):
            if parent is None:
                continue
            if contribution is not None:
                if contribution.shape != parent.shape or contribution.dtype is not parent.dtype:
                    contribution = fitted(contribution, parent, node)
                if parent in gradients:
                    gradients[parent] = gradients[parent] + contribution
                else:
                    # Whoever passes `grad` on unchanged shares it: a leaf must own what it keeps.
                    shared = contribution is grad and not parent.parents and not create_graph
                    gradients[parent] = contribution.copy("K") if shared else contribution
            waiting[parent] -= 1
            if not waiting[parent]:
                ready.append(parent)


def through_hooks(hooks: Sequence[Callable[[Tensor], Tensor | None]], grad: Any) -> Any:
    """The gradient as the hooks leave it; a hook that returns None has only looked."""
    for hook in hooks:
        answer = hook(as_tensor(grad))
        if answer is not None:
            grad = answer if isinstance(grad, type(answer)) else answer.data
    return grad


def fitted(contribution: Any, parent: Node | Tensor, node: Any) -> Any:
    """A contribution in its parent's shape and dtype: what broadcasting repeated is summed up."""
    if contribution.shape != parent.shape:
        contribution = sum_to_shape(contribution, parent.shape, node.name)
    if contribution.dtype is not parent.dtype:
        contribution = contribution.astype(parent.dtype)
    return contribution


def sum_to_shape(grad: Any, shape: tuple[int, ...], name: str) -> Any:
    """Sum `grad` over the dimensions along which an array of `shape` was broadcast.

    Raises RuntimeError when no broadcast leads from `shape` to the gradient's shape.
    """
    added = grad.ndim - len(shape)
    pairs = list(zip(grad.shape[max(added, 0) :], shape, strict=False))
    if added < 0 or any(size not in (1, have) for have, size in pairs):
        raise RuntimeError(
            f"{name}: its backward gave a gradient of shape {grad.shape} for an input of shape "
            f"{shape}. The rule must return the input's shape, or one broadcast from it."
        )
    repeated = [added + dim for dim, (have, size) in enumerate(pairs) if size == 1 and have != 1]
    return np.add.reduce(grad, axis=(*range(added), *repeated), keepdims=True).reshape(shape)
