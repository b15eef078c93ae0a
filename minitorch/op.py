"""What an op is: one function that returns its value and its backward.

`op` turns such a function of numpy arrays into one of tensors, which leaves a `Node` of the graph
behind, keeps PyTorch's dtypes, and explains numpy's errors. Leans on `graph`.
"""

# Grown in notebooks: 2_01_the_graph, 2_02_operations. Edit there, then `make extract`.

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch.graph import Node, mode
from minitorch.versions import clock, owner_of

if TYPE_CHECKING:
    from minitorch.tensor import Tensor

__all__ = [
    "BITS",
    "NUMPY_WORDS",
    "Array",
    "arrays_first",
    "as_tensor",
    "connected",
    "describe",
    "in_dtype",
    "in_rule",
    "is_array",
    "masked",
    "new_object",
    "op",
    "promoted",
    "promoted_integer",
    "raise_explained",
    "refuse_out_of_date",
    "returned_by_ops",
]


Array = np.ndarray
NUMPY_WORDS = {"axis": "dim", "keepdims": "keepdim"}
new_object = object.__new__


def op(function: Callable[..., tuple[Any, Any]]) -> Callable[..., Tensor]:
    """Turn a function of arrays into one of tensors that remembers how to go back.

    The function takes arrays first (annotated `Array`, or not at all), then settings. It returns
    its value and its backward: one rule per array; or a single `rule(grad, needed)` for several
    arrays whose gradients share work; or None where there is no gradient. A rule may leave its
    gradient in the broadcast shape: the engine sums it back.
    """
    parameters = inspect.signature(function).parameters.values()
    arrays_taken = [entry for entry in parameters if is_array(entry)]
    names = [entry.name for entry in arrays_taken]
    takes_any_number = any(entry.kind is entry.VAR_POSITIONAL for entry in arrays_taken)
    arity = sys.maxsize if takes_any_number else len(names)
    all_names = {entry.name for entry in parameters}
    words = {word: name for word, name in NUMPY_WORDS.items() if name in all_names}

    @wraps(function)
    def apply(*inputs: Any, **settings: Any) -> Tensor:
        if settings:
            inputs, settings = arrays_first(function, names, words, inputs, settings)
        if tangled := clock.tangled:
            refuse_out_of_date(function.__name__, inputs)
        arrays, parents, wanted = [], [], False
        for given in inputs:
            if isinstance(given, Tensor):
                parent = given.node or (given if given.wants_grad else None)
                arrays.append(given.array)
                parents.append(parent)
                if parent is not None:
                    wanted = True
            else:
                arrays.append(given)
                parents.append(None)
        try:
            returned = function(*arrays, **settings)
        except Exception as error:
            for listener in mode.listeners:
                listener.on_error(function, inputs, settings, error)
            raise_explained(error, function.__name__, arrays[:arity])
            raise
        if type(returned) is not tuple or len(returned) != 2:  # an array would be taken apart
            raise TypeError(
                f"{function.__name__}: it returned a {type(returned).__name__}. An op returns its "
                "value and its backward, as in `return y, lambda grad: grad * slope`."
            )
        made, rules = returned
        value = made if type(made) is Array else np.asarray(made)
        first = arrays[0]
        if value.dtype is not getattr(first, "dtype", None) or (value.ndim and not first.ndim):
            kind = promoted(value.dtype, arrays[:arity])
            if kind != value.dtype and not settings.get("dtype"):
                if kind.kind != "f" or kind.itemsize > value.dtype.itemsize:
                    arrays[:arity] = in_dtype(kind, arrays[:arity])
                    made, rules = function(*arrays, **settings)
                value = np.asarray(made).astype(kind, copy=False)
        node = None
        if wanted and rules is not None and mode.grad_enabled:
            if len(parents) != arity:
                parents = parents[:arity] + [None] * (len(names) - len(parents))
            if type(rules) is tuple and len(rules) != len(parents):
                raise TypeError(
                    f"{function.__name__}: it returned {len(rules)} rules for {len(parents)} "
                    "inputs. Return one per array, None for an array without a gradient."
                )
            node = Node(function, parents, rules, value, [*map(id, arrays), id(made)])
        output = new_object(Tensor)  # as Tensor.made_by, without the call
        output.array = value
        output.node = node
        if tangled:
            output.written = clock.now
        for listener in mode.listeners:
            listener.on_op(function, inputs, settings, output)
        return output

    return apply


def is_array(parameter: inspect.Parameter) -> bool:
    """Whether an op takes the parameter as an array: annotated so, or bare and not optional."""
    if parameter.annotation is parameter.empty:
        return parameter.default is parameter.empty
    return "array" in str(parameter.annotation).lower()


def returned_by_ops(tensor_class: type) -> type:
    """Make the decorated class the one that every op takes and returns: `Tensor`."""
    globals()["Tensor"] = tensor_class
    return tensor_class


def as_tensor(value: Any) -> Tensor:
    """The value as a tensor, of its own class if it is one, else outside the graph."""
    return value if isinstance(value, Tensor) else Tensor.made_by(None, np.asarray(value))


def connected(parent: Node | Tensor | None, array: Any) -> Any:
    """The array as a tensor that came from `parent`, a node or leaf; without one, as it is."""
    if parent is None:
        return array
    if not isinstance(parent, Tensor):
        tensor = Tensor.made_by(parent, np.asarray(array))
        tensor.written = clock.now  # whoever kept the array has looked: it is as it was
        return tensor
    if parent.array is not array:
        raise TypeError("a leaf's .array was replaced since the op ran.")
    return parent


def refuse_out_of_date(name: str, inputs: Sequence[Any]) -> None:
    """Raise RuntimeError for a tensor whose memory was overwritten through another tensor."""
    for given in inputs:
        if isinstance(given, Tensor):
            owner = id(owner_of(given.array))
            if given.written == np.inf:  # detached: only a write through a view of its own counts
                written, in_step = clock.captured.get(owner, 0), float(given.tangled_before)
            else:
                written = clock.tangled.get(owner, 0)
                in_step = max(given.written, given.node.clock if given.node else 0)
            if written > in_step:
                raise RuntimeError(
                    f"{name}: its input of shape {given.shape} shares memory with a tensor that "
                    "was changed in place since, so the graph does not know its values. Read it "
                    "again from the changed one, clone() before writing, or write with "
                    "x[index] = value and then use x."
                )


def arrays_first(
    function: Callable[..., Any],
    names: Sequence[str],
    words: dict[str, str],
    inputs: tuple[Any, ...],
    settings: dict[str, Any],
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Arrays given by keyword moved to their places, tensors among the settings unwrapped."""
    if not settings.keys().isdisjoint(names):
        signature = inspect.signature(function)
        bound = signature.bind(*inputs, **settings)
        for name in names:  # one left out before one that is given, as in clamp(x, max=y)
            bound.arguments.setdefault(name, signature.parameters[name].default)
        return bound.args, bound.kwargs
    plain = {
        words.get(key, key): value.array if isinstance(value, Tensor) else value
        for key, value in settings.items()
    }
    return inputs, plain


def promoted(dtype: np.dtype[Any], arrays: Sequence[Any]) -> np.dtype[Any]:
    """The dtype of a result for which numpy gave `dtype`, by PyTorch's rules.

    Integers never widen a float, a 0-d array never widens one with dimensions of its kind, from
    integers alone comes float32, and integers that come from booleans alone are int64.
    """
    if dtype.kind in "iu":
        return promoted_integer(dtype, arrays)
    if dtype.kind != "f":
        return dtype
    if len(arrays) == 1 and arrays[0].dtype.kind == "f":
        return arrays[0].dtype
    floats = [value for value in arrays if getattr(value, "dtype", dtype).kind == "f"]
    floats = [value for value in floats if isinstance(value, np.ndarray)]
    if not floats:
        return np.dtype(np.float32)
    with_dimensions = [value.dtype for value in floats if value.ndim]
    return np.result_type(*(with_dimensions or [value.dtype for value in floats]))


def promoted_integer(dtype: np.dtype[Any], arrays: Sequence[Any]) -> np.dtype[Any]:
    """What `promoted` says of integers; places and counts, which ops make in int64, stay."""
    numbers = [value for value in arrays if isinstance(value, np.ndarray | np.generic)]
    whole = [value for value in numbers if value.dtype.kind in "iu"]
    if any(value.dtype.kind == "f" for value in numbers):
        return dtype
    if not whole:
        return np.dtype(np.int64)
    if dtype != np.result_type(*[value.dtype for value in whole]):
        return dtype
    alike = [value for value in whole if isinstance(value, np.ndarray)]
    with_dimensions = [value.dtype for value in alike if value.ndim]
    return np.result_type(*(with_dimensions or [value.dtype for value in alike or whole]))


def in_dtype(kind: np.dtype[Any], arrays: Sequence[Any]) -> list[Any]:
    """The arrays as `kind`, where numpy computed in half precision or in wider integers.

    Among integers, booleans stay what they are: an op may choose by them.
    """
    kept = "" if kind.kind == "f" else "b"
    return [
        value.astype(kind)
        if isinstance(value, np.ndarray | np.generic) and value.dtype.kind != kept
        else value
        for value in arrays
    ]


def raise_explained(error: Exception, name: str, arrays: Sequence[Any]) -> None:
    """Raise numpy's `error` again with the op's name, the shapes and the cure; not an op's own."""
    if str(error).startswith(name):
        return
    shapes = " and ".join(describe(value) for value in arrays)
    cure = ""
    if "broadcast" in str(error):
        cure = (
            " Sizes are compared from the right; each pair must be equal or have a 1."
            " reshape, unsqueeze or transpose one of them."
        )
    if "zero-size" in str(error) or "empty sequence" in str(error):
        cure = " There is no largest or smallest of nothing: look for an empty batch or selection."
    kinds = (ValueError, TypeError, IndexError, MemoryError, RuntimeError)
    kind = next((kind for kind in kinds if isinstance(error, kind)), RuntimeError)
    raise kind(f"{name}({shapes}): {str(error).rstrip(' .')}.{cure}") from error


def describe(value: Any) -> str:
    """Dtype and shape of an array in words; other values as they print."""
    return f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else repr(value)


BITS = {np.dtype(f"f{size}"): np.dtype(f"i{size}") for size in (2, 4, 8)}


def masked(grad: Any, chosen: Any) -> Any:
    """`grad` where `chosen` is true, else 0: a product that survives an infinite gradient."""
    if not isinstance(grad, np.ndarray):  # a single number, or a tensor: the rule is recorded
        return np.where(chosen, grad, 0)
    bits = grad.view(BITS[grad.dtype])  # those of 0.0 are all 0
    return (bits * chosen).view(grad.dtype)


def in_rule(operation: Any, grad: Any, *inputs: Any, **settings: Any) -> Any:
    """An op at work inside another's rule: on an array, or on a tensor when a rule is recorded."""
    if isinstance(grad, np.ndarray | np.generic):
        return operation.__wrapped__(grad, *inputs, **settings)[0]
    return operation(grad, *inputs, **settings)
