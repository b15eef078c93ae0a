"""The tensor: a numpy array that remembers how it was made. Leans on `op` and the op modules."""

# Grown in notebooks: 2_05_the_tensor. Edit there, then `make extract`.

from __future__ import annotations

import builtins
import copy
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np

from minitorch import conversions, losses
from minitorch.autograd import backward_steps, starting_gradient
from minitorch.conversions import Conversions
from minitorch.graph import HookHandle, Node
from minitorch.inplace import InPlace
from minitorch.interop import AnswersNumpy
from minitorch.methods import Methods
from minitorch.op import returned_by_ops
from minitorch.protocols import SpeaksPython
from minitorch.versions import clock

__all__ = ["Array", "Tensor", "as_array", "is_tensor", "numel"]


Array = np.ndarray


@returned_by_ops
class Tensor(Methods, InPlace, Conversions, SpeaksPython, AnswersNumpy):
    """An n-dimensional array with a place in the graph.

    Parameters
    ----------
    data : nested lists of numbers, or a numpy array (whose memory is shared)
    dtype : numpy dtype; lists become float32, also those of ints (`tensor` makes int64 of these),
        arrays keep theirs
    requires_grad : whether backward collects a gradient for it in `.grad`; floats only
    """

    array: Array
    node: Node | None = None
    name: str | None = None
    hooks: list[Callable[[Tensor], Tensor | None]] | None = None
    parents: tuple[()] = ()  # a leaf stands in the graph for itself
    rules: Any = None
    wants_grad = False
    kept_grad: Any = None  # a tensor, once a backward has come by
    keeper: HookHandle | None = None  # the hook of retain_grad
    written = 0.0  # when its values were last known to be in step with its memory
    tangled_before = 0  # when the graph wrote to that memory before this tensor did

    def __init__(self, data: Any, dtype: Any = None, requires_grad: builtins.bool = False) -> None:
        if isinstance(data, int) and (dtype is None or isinstance(dtype, int)):
            raise TypeError(
                f"Tensor: {data} is no data. Whole numbers are sizes here in PyTorch, of memory as "
                f"it was found: say empty(2, 3) or zeros(2, 3), or tensor({data}) for the number."
            )
        if dtype is None and isinstance(data, list | tuple):
            dtype = np.float32
        self.array = as_array(data, dtype)
        self.written = clock.now
        if requires_grad:
            self.requires_grad_()

    @staticmethod
    def made_by(node: Node | None, data: Array) -> Tensor:
        """The result of an op: `data`, and the node that knows the way back."""
        tensor = object.__new__(Tensor)
        tensor.array = data
        tensor.node = node
        return tensor

    # ---- what it is --------------------------------------------------------------------------

    @property
    def grad(self) -> Any:
        """The gradient that backward has collected, a tensor; None before the first one."""
        return self.kept_grad

    @grad.setter
    def grad(self, grad: Any) -> None:
        if grad is not None and not isinstance(grad, Tensor):
            raise TypeError(f"grad: a {type(grad).__name__} is no tensor; say Tensor(...).")
        if grad is not None and (grad.shape != self.shape or grad.dtype != self.dtype):
            raise RuntimeError(
                f"grad: a gradient of {grad.dtype} {grad.shape} does not belong to a tensor of "
                f"{self.dtype} {self.shape}; both must be equal."
            )
        self.kept_grad = grad

    @property
    def grad_fn(self) -> Node | None:
        """PyTorch's name for `node`."""
        return self.node

    @property
    def is_leaf(self) -> builtins.bool:
        """Whether no op made it."""
        return self.node is None

    @property
    def requires_grad(self) -> builtins.bool:
        """Whether a gradient flows to or through this tensor."""
        return self.node is not None or self.wants_grad

    @requires_grad.setter
    def requires_grad(self, wanted: builtins.bool) -> None:
        self.requires_grad_(wanted)

    def requires_grad_(self, requires_grad: builtins.bool = True) -> Self:
        """Ask for a gradient (or no longer); raises TypeError for integers and booleans."""
        if self.node is not None and not requires_grad:
            raise RuntimeError("only a leaf can stop wanting a gradient; use detach() here.")
        if requires_grad and self.dtype.kind != "f":
            raise TypeError(
                f"a tensor of {self.dtype} cannot require a gradient: its values have no small "
                "changes. Make it a float: tensor(..., dtype=float32)."
            )
        self.wants_grad = requires_grad
        return self

    @property
    def _version(self) -> builtins.int:
        """How often its memory was written to in place; tensors that share memory share this."""
        return clock.writes(self.array)

    # ---- the way back ------------------------------------------------------------------------

    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: builtins.bool | None = None,
        create_graph: builtins.bool = False,
    ) -> None:
        """Add d(self)/d(leaf), weighted with `gradient`, to `.grad` of every leaf it came from.

        `retain_graph` keeps what another backward needs; `create_graph` also records this one, so
        that gradients can be differentiated. Raises RuntimeError when nothing here requires a
        gradient, or when `self` is not a single number and no `gradient` of its shape is given.
        """
        for _ in self.backward_steps(gradient, retain_graph, create_graph):
            pass

    def backward_steps(
        self,
        gradient: Tensor | None = None,
        retain_graph: builtins.bool | None = None,
        create_graph: builtins.bool = False,
    ) -> Iterator[Any]:
        """The same walk as `backward`, one `Step` at a time."""
        start = starting_gradient(self, gradient, create_graph)
        return backward_steps(
            {self.node or self: start},
            retain_graph=create_graph if retain_graph is None else retain_graph,
            create_graph=create_graph,
        )

    def send_back(self, grad: Any) -> tuple[()]:
        """A leaf keeps what arrives: in memory of its own, where later gradients are added."""
        kept = self.kept_grad
        if isinstance(grad, Tensor):  # recorded by create_graph
            self.kept_grad = conversions.clone(grad) if kept is None else kept + grad
        elif kept is None:
            owned = grad.base is None and isinstance(grad, np.ndarray)
            # a copy lies in memory in the same order
            self.kept_grad = Tensor.made_by(None, grad if owned else np.array(grad))
        elif kept.requires_grad:
            self.kept_grad = kept.detach() + grad
        else:
            clock.stamp(kept.array)
            kept.array += grad
        return ()

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> HookHandle:
        """Call `hook` with the complete gradient in each backward; what it returns replaces it.

        The handle that comes back has `remove()`. Raises RuntimeError where no gradient will come.
        """
        if not self.requires_grad:
            raise RuntimeError("register_hook: this tensor requires no gradient; none will come.")
        owner = self.node or self
        owner.hooks = [] if owner.hooks is None else owner.hooks
        handle = HookHandle(owner.hooks, hook)
        if self.keeper is not None:
            self.retain_grad()  # once more: it keeps what all other hooks leave
        return handle

    def retain_grad(self) -> None:
        """Keep the gradient of this result of an op in `.grad`, as for a leaf."""
        if not self.requires_grad:
            raise RuntimeError("retain_grad: this tensor requires no gradient; none will come.")
        if self.node is None:
            return
        tensor = weakref.ref(self)

        def keep(grad: Tensor) -> None:
            if (alive := tensor()) is not None:
                alive.send_back(grad if grad.node else grad.array.copy())

        if self.keeper is not None:
            self.keeper.remove()
        self.node.hooks = self.node.hooks or []
        self.keeper = HookHandle(self.node.hooks, keep)

    @property
    def retains_grad(self) -> builtins.bool:
        """Whether `retain_grad` was called."""
        return self.keeper is not None

    def detach(self) -> Tensor:
        """The same values, sharing memory, outside the graph."""
        tensor = Tensor(self.array)
        tensor.written = np.inf  # a constant to the graph, whatever the graph writes there
        tensor.tangled_before = clock.now
        return tensor

    @property
    def data(self) -> Tensor:
        """The values alone, as `detach()` gives them: `weight.array -= 0.1 * weight.grad.array`."""
        return self.detach()

    @data.setter
    def data(self, values: Any) -> None:
        self.array = as_array(values)

    def detach_(self) -> Self:
        """Leave the graph: from here on a leaf that wants no gradient."""
        self.node, self.wants_grad = None, False
        return self

    def __deepcopy__(self, memo: dict[builtins.int, Any]) -> Self:
        if self.node is not None:
            raise RuntimeError(
                f"deepcopy: this tensor is a result of {self.node.name}, and the graph behind it "
                "cannot be copied. Copy its values: x.detach().clone()."
            )
        twin = memo[id(self)] = object.__new__(type(self))
        twin.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return twin

    def zero_grad(self) -> None:
        """Forget the gradient."""
        self.grad = None

    # ---- the rest ----------------------------------------------------------------------------

    clone = conversions.clone
    contiguous = conversions.contiguous

    def __repr__(self) -> str:
        notes = [f"shape={self.shape}", f"dtype={self.dtype}"]
        if self.node is not None:
            notes.append(f"made by {self.node.name}")
        elif self.wants_grad:
            notes.append(f"requires_grad, grad {'not yet' if self.grad is None else 'there'}")
        values = np.array2string(
            self.array, precision=4, separator=", ", prefix="tensor(", threshold=200
        )
        return f"tensor({', '.join([values, *notes])})"

    softmax = losses.softmax
    log_softmax = losses.log_softmax


def as_array(data: Any, dtype: Any = None) -> Array:
    """`data` as a numpy array; Python floats become float32, as in PyTorch."""
    if isinstance(data, Tensor):
        data = data.array
    try:
        array = np.asarray(data, dtype)
    except ValueError as error:
        if "inhomogeneous" not in str(error):
            raise
        raise ValueError(
            f"tensor: the lists in {data!r:.80} are not equally long. Pad the short ones, or make "
            "one tensor of each."
        ) from error
    if array.dtype.kind not in "fiub":
        raise TypeError(f"a tensor holds numbers or booleans, not {array.dtype}: {data!r:.80}")
    if (
        dtype is None
        and array.dtype == np.float64
        and not isinstance(data, np.ndarray | np.generic)
    ):
        array = array.astype(np.float32)
    return array


def is_tensor(value: Any) -> builtins.bool:
    """Whether the value is a tensor."""
    return isinstance(value, Tensor)


def numel(x: Tensor) -> builtins.int:
    """Number of elements."""
    return x.numel()
