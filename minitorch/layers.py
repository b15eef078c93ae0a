"""Layers: modules with one op inside. Leans on `module` and the op modules."""

# Grown in notebooks: 2_06_modules. Edit there, then `make extract`.

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minitorch import operations, shapes
from minitorch.creation import kaiming_uniform, ones, randn, uniform
from minitorch.module import Module, Parameter
from minitorch.op import op
from minitorch.random import generator
from minitorch.tensor import Tensor

__all__ = [
    "Array",
    "Dropout",
    "Dropout2d",
    "Embedding",
    "Flatten",
    "Identity",
    "Linear",
    "Unflatten",
    "dropout",
    "dropout2d",
    "embedding",
    "one_hot",
]


Array = np.ndarray


class Linear(Module):
    """y = x @ weight.T + bias: x (..., in_features) to y (..., out_features).

    Weights and bias start as PyTorch's: uniform within 1 / sqrt(in_features).
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        if in_features < 1 or out_features < 1:
            raise ValueError(
                f"Linear: {in_features} features in, {out_features} out: both must be at least 1."
            )
        self.weight = Parameter(kaiming_uniform(out_features, in_features, gain=1 / math.sqrt(3)))
        bound = 1 / math.sqrt(in_features)
        self.bias = Parameter(uniform(out_features, low=-bound, high=bound)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        return operations.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Sizes."""
        out_features, in_features = self.weight.shape
        return f"{in_features}, {out_features}" + ("" if self.bias is not None else ", bias=False")


class Flatten(Module):
    """The dimensions from `start_dim` to `end_dim` merged into one."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        return shapes.flatten(x, self.start_dim, self.end_dim)


class Unflatten(Module):
    """Dimension `dim` spread over the sizes of `unflattened_size`: what undoes `Flatten`."""

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        return shapes.unflatten(x, self.dim, self.unflattened_size)


class Identity(Module):
    """Nothing: what stands where a layer may be left out."""

    def forward(self, x: Any) -> Any:
        """Return what came in."""
        return x


@op
def dropout(x: Array, p: float = 0.5, training: bool = True) -> Any:
    """Each element 0 with probability `p`, the others divided by 1 - p; nothing if not `training`.

    The expected value stays as it is: Srivastava et al. 2014.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"dropout: p is a probability, from 0 to 1, not {p}.")
    if not training or not p:
        return x, lambda grad: grad
    kept = generator().random(x.shape, dtype=np.float32) >= p
    mask = kept * x.dtype.type(0 if p == 1 else 1 / (1 - p))
    return x * mask, lambda grad: grad * mask


class Dropout(Module):
    """While training, each element is 0 with probability `p`, the others divided by 1 - p."""

    def __init__(self, p: float = 0.5) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"Dropout: p is a probability, from 0 to 1, not {p}.")
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        return dropout(x, p=self.p, training=self.training)

    def extra_repr(self) -> str:
        """The probability."""
        return f"p={self.p}"


def dropout2d(x: Tensor, p: float = 0.5, training: bool = True) -> Tensor:
    """Whole channels of images (N, C, H, W) 0 with probability `p`, the others divided by 1 - p."""
    if x.ndim != 4:
        raise ValueError(f"dropout2d: x has shape {x.shape}, but images are (N, C, H, W).")
    return x * dropout(ones(*x.shape[:2], 1, 1, dtype=x.dtype), p=p, training=training)


class Dropout2d(Dropout):
    """While training, each channel is 0 with probability `p`, the others divided by 1 - p."""

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        return dropout2d(x, p=self.p, training=self.training)


@op
def embedding(index: Array, weight: Array, padding_idx: int | None = None) -> Any:
    """The rows of `weight` (rows, features) that `index` (...) names: (..., features).

    A row that is named more than once gets the sum of its gradients, row `padding_idx` none.
    """
    if index.dtype.kind not in "iu":
        raise TypeError(f"embedding: the index is {index.dtype}; rows are named by integers.")
    if weight.ndim != 2:
        raise ValueError(f"embedding: the weight is (rows, features), not {weight.shape}.")
    if padding_idx is not None and not -len(weight) <= padding_idx < len(weight):
        raise IndexError(f"embedding: there is no row {padding_idx} (padding_idx) in the weight.")
    if index.size and (index.min() < 0 or index.max() >= len(weight)):
        raise IndexError(f"embedding: an index lies outside the {len(weight)} rows of the weight.")

    def to_weight(grad: Array) -> Array:
        total = np.zeros_like(weight)
        np.add.at(total, index, grad)
        if padding_idx is not None:
            total[padding_idx] = 0
        return total

    return weight[index], (None, to_weight)


class Embedding(Module):
    """A table of vectors, looked up by number; starts normally distributed.

    Row `padding_idx` starts as zeros and gets no gradient: it stands for nothing.
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None
    ) -> None:
        weight = randn(num_embeddings, embedding_dim)
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise IndexError(
                    f"Embedding: there is no row {padding_idx} (padding_idx) of {num_embeddings}."
                )
            weight[padding_idx] = 0
        self.weight, self.padding_idx = Parameter(weight), padding_idx

    def forward(self, index: Tensor) -> Tensor:
        """Look up."""
        return embedding(index, self.weight, padding_idx=self.padding_idx)

    def extra_repr(self) -> str:
        """Rows and features."""
        return ", ".join(map(str, self.weight.shape))


@op
def one_hot(index: Array, num_classes: int = -1) -> Any:
    """1 at the class that `index` (...) names, else 0: (..., classes) of int64.

    Without `num_classes`, the largest index says how many there are.
    """
    if index.dtype.kind not in "iu":
        raise TypeError(f"one_hot: the index is {index.dtype}; classes are named by integers.")
    if num_classes == -1 and not index.size:
        raise ValueError("one_hot: an empty index does not tell how many classes there are.")
    classes = int(index.max()) + 1 if num_classes == -1 else num_classes
    if index.size and (index.min() < 0 or index.max() >= classes):
        raise IndexError(f"one_hot: a class lies outside 0 to {classes - 1}.")
    return (index[..., None] == np.arange(classes)).astype(np.int64), None
