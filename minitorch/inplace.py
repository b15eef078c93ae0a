"""Writing over a tensor's values, in a way that backward knows of. Leans on `op` and `versions`.

The op runs as always and leaves its node; then its result is written over the first tensor, which
takes the node as its own. The clock remembers the write, so that whoever relied on the old values
says so instead of using the new ones.
"""

# Grown in notebooks: 2_09_in_place_and_twice. Edit there, then `make extract`.

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch import indexing, mathematics, operations, shapes
from minitorch.graph import Node, mode
from minitorch.indexing import getitem, ints_first, names_each_once, plain_index
from minitorch.op import in_rule, masked, op, raise_explained
from minitorch.random import generator
from minitorch.versions import clock, owner_of

if TYPE_CHECKING:
    from minitorch.tensor import Tensor

__all__ = [
    "Array",
    "InPlace",
    "accept_own_place",
    "fill",
    "in_place",
    "in_shape",
    "keep_old_values",
    "overwrite",
    "raise_misfit",
    "refuse_leaf",
    "relu",
    "relu_",
    "set_items",
    "setitem",
]


Array = np.ndarray


def in_place(operation: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The op `operation` as one that writes its result over its first tensor, and returns that."""

    @wraps(operation)
    def write(tensor: Tensor, *inputs: Any, **settings: Any) -> Tensor:
        name = f"{operation.__name__}_"
        refuse_leaf(tensor, name)
        result = operation(tensor, *inputs, **settings)
        if result.node is not None:
            keep_old_values(result.node, tensor.array)
        return overwrite(tensor, result, name)

    write.__name__ = f"{operation.__name__}_"
    return write


def keep_old_values(node: Node, memory: Array) -> None:
    """Give the rules that hold `memory` a copy of it: it is about to be overwritten.

    So `y.mul_(w)` has the gradient for w. Only the op that writes knows in time; what other nodes
    hold of that memory is lost, and their backward says so.
    """
    several = isinstance(node.rules, tuple)
    rules = zip(node.rules, node.parents, strict=True) if several else [(node.rules, node)]
    cells = [
        cell
        for rule, parent in rules
        if parent is not None and rule is not None
        for cell in rule.__closure__ or ()
        if cell.cell_contents is memory
    ]
    if cells:
        kept = memory.copy()
        for cell in cells:
            cell.cell_contents = kept
        places = node.identities  # by which a backward that is recorded knows the input again
        node.identities = [id(kept) if place == id(memory) else place for place in places]


def overwrite(tensor: Tensor, result: Tensor, name: str) -> Tensor:
    """Write the values of `result` over `tensor`, which takes its place in the graph.

    Raises RuntimeError when shape or dtype do not fit, or memory is shared by several elements.
    """
    memory = tensor.array
    if result.shape != memory.shape or not np.can_cast(result.dtype, memory.dtype, "same_kind"):
        raise RuntimeError(
            f"{name}: a result of {result.dtype} {result.shape} does not fit into a tensor of "
            f"{memory.dtype} {memory.shape}. Use the op that returns a new tensor."
        )
    if not memory.flags.writeable:
        raise RuntimeError(
            f"{name}: this tensor of shape {tensor.shape} is expanded or read-only, so several "
            "elements may share one place in memory. clone() it first."
        )
    result = result.to(memory.dtype)
    in_graph = mode.grad_enabled and (result.requires_grad or tensor.requires_grad)
    np.copyto(memory, result.array)
    if in_graph:
        constant = not tensor.requires_grad and tensor.written != np.inf
        tensor.node = result.node
        if tensor.keeper is not None:
            tensor.retain_grad()  # from now on the new values' gradient
        tensor.tangled_before = clock.tangled.get(id(owner_of(memory)), 0)
        clock.stamp_in_graph(memory, constant)
        tensor.written = clock.now
    else:
        clock.stamp(memory)
    return tensor


def in_shape(operation: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """An op that only looks at the memory in another shape, as one that changes its tensor so."""

    @wraps(operation)
    def change(tensor: Tensor, *dims: Any, **settings: Any) -> Tensor:
        refuse_leaf(tensor, f"{operation.__name__}_")
        result = operation(tensor, *dims, **settings)
        tensor.array, tensor.node = result.array, result.node
        if tensor.keeper is not None:
            tensor.retain_grad()
        return tensor

    change.__name__ = f"{operation.__name__}_"
    return change


def refuse_leaf(tensor: Tensor, name: str) -> None:
    """Raise RuntimeError for a leaf that requires a gradient, or a view of one, outside no_grad."""
    if not mode.grad_enabled or not tensor.requires_grad:
        return
    origin: Any = tensor.node or tensor
    while origin.parents and tensor.array.base is not None:
        origin = next(parent for parent in origin.parents if parent is not None)
    if not origin.parents and owner_of(origin.array) is owner_of(tensor.array):
        raise RuntimeError(
            f"{name}: this is a leaf that requires a gradient, or a view of one; the gradient with "
            "respect to the old values would be lost. Write inside `with no_grad():`, or use the "
            "op that returns a new tensor."
        )


@op
def fill(x: Array, value: Array) -> Any:
    """`value` in the shape and dtype of x, of which only these matter."""
    y = np.empty_like(x)
    y[...] = value
    return y, (lambda grad: masked(grad, False), lambda grad: grad)


@op
def setitem(x: Array, value: Array, index: Any) -> Any:
    """A copy of x with x[index] = value; where an index repeats, the last value stays."""
    y = x.copy()
    y[index] = value
    kept = np.ones(x.shape, bool)
    kept[index] = False
    stays: Any = True
    if not names_each_once(index):
        turn = np.zeros(x.shape, np.int64)
        turns = np.arange(turn[index].size).reshape(turn[index].shape)
        turn[index] = turns
        stays = turn[index] == turns
    return y, (lambda grad: masked(grad, kept), lambda grad: masked(grad[index], stays))


def set_items(tensor: Tensor, index: Any, value: Any) -> None:
    """tensor[index] = value, with the gradient for both when one is wanted."""
    first, *rest = ints_first(plain_index(index))
    refuse_leaf(tensor, "x[index] = value")
    in_graph = tensor.requires_grad or getattr(value, "requires_grad", False)
    plain = value if isinstance(value, int | float) else np.asarray(getattr(value, "array", value))
    try:
        if in_graph and mode.grad_enabled:
            accept_own_place(tensor, first, value)
            if rest:
                part = getitem(tensor, first).clone()
                set_items(part, rest[0], value)
                value = part
            overwrite(tensor, setitem(tensor, value, first), "x[index] = value")
        else:
            memory = tensor.array[first] if rest else tensor.array
            memory[rest[0] if rest else first] = plain
            clock.stamp(tensor.array)
    except Exception as error:
        raise_misfit(error, tensor.array, [first, *rest], plain)


def accept_own_place(tensor: Tensor, index: Any, value: Any) -> None:
    """Let `x[index] += y` pass: a view of the place was written to, and is now assigned to it.

    The view's write was the only one since `tensor` was in step with its memory, so the graph
    knows all its values.
    """
    owner = id(owner_of(tensor.array))
    written = getattr(value, "written", 0.0)
    if clock.tangled.get(owner) != written or id(owner_of(value.array)) != owner:
        return
    place = in_rule(getitem, tensor.array, index)  # a view, also of a single element
    same = place.__array_interface__ == value.array.__array_interface__
    in_step = max(tensor.written, tensor.node.clock if tensor.node else 0)
    if same and in_step >= value.tangled_before:
        tensor.written = written


def raise_misfit(error: Exception, memory: Array, steps: list[Any], value: Any) -> None:
    """Raise `error` of an assignment again, in the words of who assigned."""
    name = "x[index] = value"
    if isinstance(error, ValueError) and np.ndim(value):
        place = memory
        for step in steps:
            place = place[step]
        raise ValueError(
            f"{name}: the value has shape {value.shape}, but the place {place.shape}. The value is "
            "broadcast to the place: its sizes, from the right, must be equal or 1. reshape or "
            "unsqueeze it, or choose another index."
        ) from error
    raise_explained(error, name, [memory, value])
    raise error


relu_ = in_place(operations.relu)


def relu(x: Tensor, inplace: bool = False) -> Tensor:
    """`x` where it is positive, else 0; `inplace` writes that over x."""
    return relu_(x) if inplace else operations.relu(x)


class InPlace:
    """The methods of a tensor that overwrite it; each returns the tensor itself."""

    array: Array

    add_ = __iadd__ = in_place(operations.add)
    sub_ = __isub__ = in_place(operations.sub)
    mul_ = __imul__ = in_place(operations.mul)
    div_ = __itruediv__ = in_place(operations.div)
    pow_ = __ipow__ = in_place(operations.pow)
    exp_ = in_place(operations.exp)
    log_ = in_place(operations.log)
    sqrt_ = in_place(operations.sqrt)
    rsqrt_ = in_place(mathematics.rsqrt)
    reciprocal_ = in_place(operations.reciprocal)
    square_ = in_place(operations.square)
    neg_ = in_place(operations.neg)
    abs_ = in_place(operations.abs)
    relu_ = relu_
    sigmoid_ = in_place(operations.sigmoid)
    tanh_ = in_place(operations.tanh)
    floor_ = in_place(mathematics.floor)
    ceil_ = in_place(mathematics.ceil)
    round_ = in_place(mathematics.round)
    clamp_ = clip_ = in_place(operations.clamp)
    clamp_min_ = in_place(mathematics.clamp_min)
    clamp_max_ = in_place(mathematics.clamp_max)
    lerp_ = in_place(mathematics.lerp)
    addcmul_ = in_place(mathematics.addcmul)
    addcdiv_ = in_place(mathematics.addcdiv)
    masked_fill_ = in_place(operations.masked_fill)
    scatter_ = in_place(indexing.scatter)
    scatter_add_ = in_place(indexing.scatter_add)
    index_add_ = in_place(indexing.index_add)
    fill_ = copy_ = in_place(fill)
    unsqueeze_ = in_shape(shapes.unsqueeze)
    squeeze_ = in_shape(shapes.squeeze)
    transpose_ = in_shape(shapes.transpose)
    t_ = in_shape(shapes.t)

    def zero_(self) -> Tensor:
        """Set every element to 0."""
        return self.fill_(0)

    def normal_(self, mean: float = 0.0, std: float = 1.0) -> Tensor:
        """Draw every element anew, normally distributed."""
        return self.copy_(generator().normal(mean, std, self.array.shape))

    def uniform_(self, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Draw every element anew, evenly from `low` to `high`."""
        return self.copy_(generator().uniform(low, high, self.array.shape))

    def random_(self, low: int, high: int | None = None) -> Tensor:
        """Draw every element anew: whole numbers from `low` (or 0) up to the last before `high`."""
        low, high = (0, low) if high is None else (low, high)
        return self.copy_(generator().integers(low, high, self.array.shape))

    def bernoulli_(self, p: float = 0.5) -> Tensor:
        """Draw every element anew: 1 with probability `p`, else 0."""
        return self.copy_(generator().random(self.array.shape) < p)

    __setitem__ = set_items
