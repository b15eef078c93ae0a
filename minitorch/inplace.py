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

from minitorch import indexing, operations
from minitorch.graph import mode
from minitorch.indexing import getitem, ints_first, names_each_once, plain_index
from minitorch.op import masked, op, raise_explained
from minitorch.random import generator
from minitorch.versions import clock, owner_of

if TYPE_CHECKING:
    from minitorch.tensor import Tensor

__all__ = [
    "Array",
    "InPlace",
    "fill",
    "in_place",
    "overwrite",
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
        return overwrite(tensor, operation(tensor, *inputs, **settings), name)

    write.__name__ = f"{operation.__name__}_"
    return write


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
        tensor.node = result.node
        if tensor.keeper is not None:
            tensor.retain_grad()  # from now on the new values' gradient
        clock.stamp_in_graph(memory)
        tensor.written = clock.now
    else:
        clock.stamp(memory)
    return tensor


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
    if in_graph and mode.grad_enabled:
        if rest:
            part = getitem(tensor, first).clone()
            set_items(part, rest[0], value)
            value = part
        overwrite(tensor, setitem(tensor, value, first), "x[index] = value")
    else:
        memory = tensor.array[first] if rest else tensor.array
        plain = value if isinstance(value, int | float) else np.asarray(value)
        try:
            memory[rest[0] if rest else first] = plain
        except Exception as error:
            raise_explained(error, "x[index] = value", [memory, plain])
        clock.stamp(tensor.array)


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
    sqrt_ = in_place(operations.sqrt)
    neg_ = in_place(operations.neg)
    abs_ = in_place(operations.abs)
    relu_ = relu_
    sigmoid_ = in_place(operations.sigmoid)
    tanh_ = in_place(operations.tanh)
    clamp_ = clip_ = in_place(operations.clamp)
    masked_fill_ = in_place(operations.masked_fill)
    scatter_ = in_place(indexing.scatter)
    scatter_add_ = in_place(indexing.scatter_add)
    index_add_ = in_place(indexing.index_add)
    fill_ = copy_ = in_place(fill)

    def zero_(self) -> Tensor:
        """Set every element to 0."""
        return self.fill_(0)

    def normal_(self, mean: float = 0.0, std: float = 1.0) -> Tensor:
        """Draw every element anew, normally distributed."""
        return self.copy_(generator().normal(mean, std, self.array.shape))

    def uniform_(self, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Draw every element anew, evenly from `low` to `high`."""
        return self.copy_(generator().uniform(low, high, self.array.shape))

    __setitem__ = set_items
