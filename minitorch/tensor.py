"""The tensor: a numpy array that remembers how it was made. Leans on `op` and the op modules."""

# Grown in notebooks: 2_05_the_tensor. Edit there, then `make extract`.

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np

from minitorch import losses
from minitorch.autograd import backward_steps
from minitorch.graph import Node
from minitorch.methods import Methods
from minitorch.op import returned_by_ops

__all__ = ["Array", "Tensor", "as_array", "starting_gradient"]


Array = np.ndarray


@returned_by_ops
class Tensor(Methods):
    """An n-dimensional array with a place in the graph.

    Parameters
    ----------
    data : numbers, nested lists, or a numpy array (whose memory is shared)
    dtype : numpy dtype; Python floats become float32, ints int64, arrays keep theirs
    requires_grad : whether backward collects a gradient for it in `.grad`; floats only
    """

    data: Array
    node: Node | None = None
    grad: Tensor | None = None
    name: str | None = None
    hooks: list[Callable[[Tensor], Tensor | None]] | None = None
    parents: tuple[()] = ()  # a leaf stands in the graph for itself
    rules: Any = None
    wants_grad = False

    def __init__(self, data: Any, dtype: Any = None, requires_grad: bool = False) -> None:
        self.data = as_array(data, dtype)
        if requires_grad:
            self.requires_grad_()

    @staticmethod
    def made_by(node: Node | None, data: Array) -> Tensor:
        """The result of an op: `data`, and the node that knows the way back."""
        tensor = object.__new__(Tensor)
        tensor.data = data
        tensor.node = node
        return tensor

    # ---- what it is --------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """Size of each dimension."""
        return self.data.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Numpy's dtype of the elements."""
        return self.data.dtype

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return self.data.ndim

    @property
    def requires_grad(self) -> bool:
        """Whether a gradient flows to or through this tensor."""
        return self.node is not None or self.wants_grad

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        self.requires_grad_(wanted)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
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
    def is_leaf(self) -> bool:
        """Whether no op made it."""
        return self.node is None

    def numel(self) -> int:
        """Number of elements."""
        return self.data.size

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        return self.shape if dim is None else self.shape[dim]

    # ---- the way back ------------------------------------------------------------------------

    def backward(self, gradient: Tensor | None = None, *, retain_graph: bool = False) -> None:
        """Add d(self)/d(leaf), weighted with `gradient`, to `.grad` of every leaf it came from.

        Raises RuntimeError when nothing here requires a gradient, or when `self` is not a single
        number and no `gradient` of its shape is given.
        """
        for _ in self.backward_steps(gradient, retain_graph=retain_graph):
            pass

    def backward_steps(
        self, gradient: Tensor | None = None, *, retain_graph: bool = False
    ) -> Iterator[Any]:
        """The same walk as `backward`, one `Step` at a time."""
        start = starting_gradient(self, gradient)
        root = self if self.node is None else self.node
        return backward_steps(root, start, retain_graph=retain_graph)

    def send_back(self, grad: Array) -> tuple[()]:
        """A leaf keeps what arrives: add `grad` to `.grad`, copying memory that is not its own."""
        if self.grad is not None:
            grad = self.grad.data + grad
        elif grad.base is not None:
            grad = grad.copy("K")  # in the same order of memory
        self.grad = Tensor.made_by(None, grad)
        return ()

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> None:
        """Call `hook` with the complete gradient in each backward; what it returns replaces it."""
        owner = self if self.node is None else self.node
        owner.hooks = [*(owner.hooks or []), hook]

    def retain_grad(self) -> None:
        """Keep the gradient of this result of an op in `.grad`, as for a leaf."""
        if self.node is None:
            return
        tensor = weakref.ref(self)

        def keep(grad: Tensor) -> None:
            if (alive := tensor()) is not None:
                alive.send_back(grad.data.copy())

        self.register_hook(keep)

    def detach(self) -> Tensor:
        """The same values, sharing memory, outside the graph."""
        return Tensor.made_by(None, self.data)

    def zero_grad(self) -> None:
        """Forget the gradient."""
        self.grad = None

    # ---- to and from Python and numpy --------------------------------------------------------

    def numpy(self) -> Array:
        """The values as a numpy array that shares memory."""
        return self.data

    def item(self) -> Any:
        """The only element, as a Python number."""
        if self.data.size != 1:
            raise ValueError(f"item(): a tensor of shape {self.shape} has {self.numel()} elements.")
        return self.data.item()

    def tolist(self) -> Any:
        """The values as nested Python lists."""
        return self.data.tolist()

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __bool__(self) -> bool:
        return bool(self.item())

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of a 0-d tensor: it is a single number.")
        return len(self.data)

    def __iter__(self) -> Iterator[Tensor]:
        return (self[k] for k in range(len(self)))

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        values = np.array2string(self.data, precision=4, separator=", ", prefix="tensor(")
        notes = [] if self.dtype in (np.float32, np.int64, np.bool_) else [f"dtype={self.dtype}"]
        if self.ndim:
            notes.append(f"shape={self.shape}")
        if self.node is not None:
            notes.append(f"made by {self.node.name}")
        elif self.requires_grad:
            notes.append(f"requires_grad, grad {'not yet' if self.grad is None else 'there'}")
        return f"tensor({', '.join([values, *notes])})"

    # ---- operations that later chapters add ------------------------------------------------

    softmax = losses.softmax
    log_softmax = losses.log_softmax


def as_array(data: Any, dtype: Any = None) -> Array:
    """`data` as a numpy array; Python floats become float32, as in PyTorch."""
    if isinstance(data, Tensor):
        data = data.data
    array = np.asarray(data, dtype)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"a tensor holds numbers or booleans, not {array.dtype}: {data!r:.80}")
    if (
        dtype is None
        and array.dtype == np.float64
        and not isinstance(data, np.ndarray | np.generic)
    ):
        array = array.astype(np.float32)
    return array


def starting_gradient(result: Tensor, gradient: Tensor | None) -> Array:
    """The gradient with which a backward from `result` begins."""
    if not result.requires_grad:
        raise RuntimeError(
            "backward: nothing that this tensor came from requires a gradient. Set "
            "requires_grad=True on an input, or look for no_grad() or detach() on the way."
        )
    if gradient is None:
        if result.data.size != 1:
            raise RuntimeError(
                f"backward: a tensor of shape {result.shape} is not a single number. Reduce it, "
                "as with .sum(), or give a gradient of its shape."
            )
        return np.ones_like(result.data)
    given = np.array(as_array(gradient), result.dtype)  # a copy: a leaf may keep it
    if given.shape != result.shape:
        raise RuntimeError(
            f"backward: the gradient has shape {given.shape}, the tensor {result.shape}."
        )
    return given
