"""The way back: Kahn's walk over the graph from a result to the leaves.

`backward_steps` is the only backward there is: `Tensor.backward` exhausts it, a debugger stops
between its steps. Leans on `graph`, and on `replay` for the gradient of a gradient.
"""

# Grown in notebooks: 2_01_the_graph, 2_05_the_tensor, 2_09_in_place_and_twice. Edit there, then
# `make extract`.

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch.anomaly import detect_anomaly, set_detect_anomaly
from minitorch.graph import Node, Step, mode, no_grad
from minitorch.op import as_tensor, new_object, op, refuse_out_of_date
from minitorch.replay import send_back_recorded
from minitorch.versions import clock

if TYPE_CHECKING:
    from minitorch.tensor import Tensor

__all__ = ["Function", "detect_anomaly", "grad", "set_detect_anomaly"]


Array = np.ndarray


def count_consumers(roots: Iterable[Node | Tensor]) -> dict[Node | Tensor, int]:
    """How many edges lead into each node and leaf that a gradient from the roots can reach."""
    consumers = dict.fromkeys(roots, 0)
    reached = list(consumers)
    for node in reached:  # which grows meanwhile
        for parent in node.parents:
            if parent in consumers:
                consumers[parent] += 1
            elif parent is not None:
                consumers[parent] = 1
                reached.append(parent)
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
    ready = [(root, gradients.pop(root)) for root in [*gradients] if not waiting[root]]
    while ready:
        node, grad = ready.pop()
        if grad is None:
            contributions: Sequence[Any] = (None,) * len(node.parents)
        else:
            if node.hooks:
                grad = through_hooks(node.hooks, grad)
            if create_graph and isinstance(node, Node):
                contributions = send_back_recorded(node, grad)
            elif node.parents or into_leaves:
                contributions = node.send_back(grad)
            else:
                contributions = ()
        step = new_object(Step)  # without the call of an `__init__`: there are many steps
        step.node, step.grad, step.contributions = node, grad, contributions
        if not retain_graph:
            node.rules = None
        for listener in listeners:
            listener.on_step(step)
        yield step
        if not contributions:  # it was a leaf
            continue
        for parent, contribution in zip(node.parents, contributions):  # noqa: B905 (counted)
            if parent is None:
                continue
            if contribution is not None:
                like = parent if parent.parents else parent.array  # of a leaf, whose own are calls
                try:
                    fits = contribution.shape == like.shape and contribution.dtype is like.dtype
                except AttributeError as error:
                    raise no_array(node, contribution) from error
                if not fits:
                    contribution = fitted(contribution, parent, node)
                if contribution is grad and not parent.parents and not create_graph:
                    contribution = contribution.copy("K")  # a leaf must own what it keeps
            if parent in gradients:
                contribution = summed(gradients.pop(parent), contribution)
            left = waiting[parent] - 1
            if left:
                waiting[parent], gradients[parent] = left, contribution
            else:
                ready.append((parent, contribution))


def summed(grad: Any, contribution: Any) -> Any:
    """The sum of two gradients, either of which may be None."""
    if grad is None or contribution is None:
        return contribution if grad is None else grad
    return grad + contribution


def no_array(node: Node | Tensor, contribution: Any) -> TypeError:
    """The error for a rule that gave a plain number or a list."""
    return TypeError(
        f"{node.name}: its rule gave {contribution!r:.80}, a {type(contribution).__name__}. It "
        "returns an array, what arrived times the slope: lambda grad: grad * slope."
    )


def through_hooks(hooks: Sequence[Callable[[Tensor], Tensor | None]], grad: Any) -> Any:
    """The gradient as the hooks leave it; a hook that returns None has only looked."""
    for hook in hooks:
        answer = hook(as_tensor(grad))
        if answer is not None:
            if answer.shape != grad.shape:
                raise RuntimeError(
                    f"hook: a gradient of shape {grad.shape} came in, and {answer.shape} came "
                    "back. A hook returns a gradient of the same shape, or None."
                )
            grad = answer if isinstance(grad, type(answer)) else answer.array
    return grad.copy("K") if isinstance(grad, np.ndarray) else grad  # a hook may have kept it


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
    wide = np.float32 if grad.dtype == np.float16 else None  # half precision stops growing
    axes = (*range(added), *repeated)
    return np.add.reduce(grad, axis=axes, dtype=wide, keepdims=True).reshape(shape)


def starting_gradient(result: Tensor, gradient: Any, create_graph: bool = False) -> Any:
    """The gradient with which a backward from `result` begins; a tensor if it is to be recorded."""
    if not result.requires_grad:
        raise RuntimeError(
            "backward: nothing that this tensor came from requires a gradient. Set "
            "requires_grad=True on an input, or look for no_grad() or detach() on the way."
        )
    if clock.tangled:
        refuse_out_of_date("backward", [result])
    if create_graph and not mode.grad_enabled:
        raise RuntimeError("backward: create_graph=True records nothing inside no_grad().")
    if gradient is None:
        array = result.array
        if array.size != 1:
            raise RuntimeError(
                f"backward: a tensor of shape {result.shape} is not a single number. Reduce it, "
                "as with .sum(), or give a gradient of its shape."
            )
        one = np.array(1, array.dtype, ndmin=array.ndim)  # of its shape, as all its sizes are 1
        return as_tensor(one) if create_graph else one
    # A copy, for a leaf may keep it; what is recorded is never written to.
    given: Any = as_tensor(gradient) if create_graph else np.array(gradient, result.dtype)
    if given.shape != result.shape:
        raise RuntimeError(
            f"backward: the gradient has shape {given.shape}, the tensor {result.shape}."
        )
    return given


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Any, ...]:
    """d(outputs)/d(input) for each input, summed over the outputs; no `.grad` is touched.

    Parameters
    ----------
    outputs, inputs : a tensor, or several; an input may be any result on the way, not only a leaf
    grad_outputs : the weight of each output, of its shape; may be left out for single numbers
    retain_graph : keep what another backward needs; as `create_graph` unless given
    create_graph : record this backward, so that the gradients can be differentiated in turn
    allow_unused : None for an input that the outputs do not depend on, instead of RuntimeError
    """
    results, wanted = as_list(outputs), as_list(inputs)
    weights = [None] * len(results) if grad_outputs is None else as_list(grad_outputs)
    for position, tensor in enumerate(wanted):
        if not tensor.requires_grad:
            raise RuntimeError(f"grad: input {position} does not require a gradient.")
    starts: dict[Node | Tensor, Any] = {}
    for result, weight in zip(results, weights, strict=True):
        start = starting_gradient(result, weight, create_graph)
        root = result.node or result
        starts[root] = starts[root] + start if root in starts else start
    found: dict[Node | Tensor, Any] = dict.fromkeys(tensor.node or tensor for tensor in wanted)
    retain_graph = create_graph if retain_graph is None else retain_graph
    for step in backward_steps(
        starts, retain_graph=retain_graph, create_graph=create_graph, into_leaves=False
    ):
        if step.node in found and step.grad is not None:
            found[step.node] = step.grad if create_graph else np.array(step.grad)
    gradients = [found[tensor.node or tensor] for tensor in wanted]
    unused = [position for position, gradient in enumerate(gradients) if gradient is None]
    if unused and not allow_unused:
        raise RuntimeError(
            f"grad: the outputs do not depend on input {', '.join(map(str, unused))}. "
            "allow_unused=True gives None for it."
        )
    return tuple(None if gradient is None else as_tensor(gradient) for gradient in gradients)


def as_list(tensors: Any) -> list[Any]:
    """One tensor, or several, as a list."""
    return list(tensors) if isinstance(tensors, list | tuple) else [tensors]


class Context:
    """What the forward of a `Function` leaves for its backward."""

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self.saved_tensors: tuple[Tensor, ...] = ()

    def save_for_backward(self, *tensors: Tensor) -> None:
        """Keep tensors for backward, which finds them in `saved_tensors`."""
        self.saved_tensors = tensors


class Function:
    """An op in PyTorch's form: `forward(ctx, ...)` and `backward(ctx, grad)`, static methods.

    Call it by `apply`. With `@op` the same is one function; this is for code that comes from
    PyTorch. It gives one tensor, and is differentiable once.
    """

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Tensor:
        """The value; `ctx.save_for_backward` keeps what backward needs."""
        raise NotImplementedError("a Function needs a forward(ctx, ...).")

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Any:
        """One gradient per input of forward, None where there is none."""
        raise NotImplementedError("a Function needs a backward(ctx, grad_output).")

    @classmethod
    def apply(cls, *inputs: Any) -> Tensor:
        """Run forward on tensors outside the graph, and leave one node for it."""
        context = Context(tuple(getattr(each, "requires_grad", False) for each in inputs))

        def run(*arrays: Array) -> Any:
            given = [as_tensor(each) if isinstance(each, np.ndarray) else each for each in arrays]
            with no_grad():
                value = cls.forward(context, *given)
            saved = [tensor.array for tensor in context.saved_tensors]  # to check overwrites

            def rule(grad: Array, needed: Any = None) -> Any:
                if len(saved) and mode.replaying:
                    raise TypeError("a Function is differentiable once; write it as an @op.")
                with no_grad():
                    answers = as_list(cls.backward(context, as_tensor(grad)))
                plain = [None if answer is None else as_tensor(answer).array for answer in answers]
                return plain[0] if len(arrays) == 1 else plain

            return value.array, rule

        run.__name__ = cls.__name__
        return op(run)(*inputs)
