"""Normalization: activations brought to mean 0 and deviation 1, over a batch or within a sample.

Works in any memory order. Leans on `module` and `op`.
"""

# Grown in notebooks: 3_03_batch_norm. Edit there, then `make extract`.

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minitorch.module import Buffer, Module, Parameter
from minitorch.op import op
from minitorch.tensor import Tensor
from minitorch.versions import clock

__all__ = [
    "Array",
    "BatchNorm",
    "BatchNorm1d",
    "GroupNorm",
    "LayerNorm",
    "batch_norm",
    "check_floats",
    "group_norm",
    "layer_norm",
    "scaled",
    "standardize",
    "standardized",
    "through_standardized",
]


Array = np.ndarray


def check_floats(name: str, x: Any) -> None:
    """Raise TypeError where x holds whole numbers: no eps fits between those."""
    if x.dtype.kind != "f":
        raise TypeError(f"{name}: x is {x.dtype}; it takes floats, as from x.float().")


def standardized(x: Array, dims: tuple[int, ...], eps: float) -> tuple[Array, ...]:
    """Return x with mean 0, variance 1 over `dims`; then 1 / deviation, mean and variance."""
    mean = x.mean(axis=dims, keepdims=True)
    y = x - mean
    variance = np.square(y).mean(axis=dims, keepdims=True)
    inverse = 1 / np.sqrt(variance + x.dtype.type(eps))
    y *= inverse
    return y, inverse, mean, variance


def through_standardized(grad: Array, y: Array, inverse: Array, dims: tuple[int, ...]) -> Array:
    """The gradient for x, given that for y = standardized(x).

    Of `grad`, what would move the mean (all the same) or the deviation (along y) has no effect on
    y, and is taken out.
    """
    along_y = (grad * y).mean(axis=dims, keepdims=True)
    return inverse * (grad - grad.mean(axis=dims, keepdims=True) - y * along_y)


def scaled(y: Array, weight: Array | None, bias: Array | None, shape: tuple[int, ...]) -> Array:
    """Return y * weight + bias, both brought to `shape`; either may be missing."""
    if weight is not None:
        y = y * weight.reshape(shape)
    return y if bias is None else y + bias.reshape(shape)


@op
def batch_norm(
    x: Array,
    running_mean: Array | None,
    running_var: Array | None,
    weight: Array | None = None,
    bias: Array | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Each channel of x (N, C, ...) brought to mean 0, deviation 1, then times weight plus bias.

    While `training` over the batch, whose mean and variance enter the running ones in place; else
    by the running ones. Ioffe and Szegedy 2015.
    """
    if x.ndim < 2:
        raise ValueError(f"batch_norm: x has shape {x.shape}, not a batch of channels (N, C, ...).")
    check_floats("batch_norm", x)
    dims = (0, *range(2, x.ndim))
    per_channel = (1, -1, *(1,) * (x.ndim - 2))
    count = x.size // max(x.shape[1], 1)
    by_batch = training or running_mean is None or running_var is None
    if by_batch and count < 2:
        raise ValueError(
            f"batch_norm: x of shape {x.shape} has {count} values per channel; over one value "
            "there is no variance. Use a larger batch, or model.eval()."
        )
    if by_batch:
        y, inverse, mean, variance = standardized(x, dims, eps)
        if training and running_mean is not None and running_var is not None:
            unbiased = variance * count / (count - 1)
            for running, now in ((running_mean, mean), (running_var, unbiased)):
                running += momentum * (now.reshape(-1) - running)
                clock.stamp(running)
    else:
        running_mean, running_var = np.asarray(running_mean), np.asarray(running_var)
        inverse = (1 / np.sqrt(running_var + x.dtype.type(eps))).reshape(per_channel)
        y = (x - running_mean.reshape(per_channel)) * inverse

    def backward(grad: Array, needed: tuple[bool, ...]) -> tuple[Array | None, ...]:
        to_x = None
        if needed[0]:
            to_y = scaled(grad, weight, None, per_channel)
            to_x = through_standardized(to_y, y, inverse, dims) if by_batch else to_y * inverse
        to_weight = (grad * y).sum(axis=dims) if needed[3] else None
        to_bias = grad.sum(axis=dims) if needed[4] else None
        return to_x, None, None, to_weight, to_bias

    return scaled(y, weight, bias, per_channel), backward


@op
def standardize(x: Array, dim: tuple[int, ...], eps: float = 1e-5) -> Any:
    """Bring x to mean 0 and deviation 1 over the dimensions `dim`."""
    y, inverse, _, _ = standardized(x, dim, eps)
    return y, lambda grad: through_standardized(grad, y, inverse, dim)


def layer_norm(
    x: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """The last dimensions of x, `normalized_shape`, brought to mean 0 and deviation 1 together.

    Every sample for itself, so training and use are the same: Ba, Kiros and Hinton 2016.
    """
    sizes = tuple(normalized_shape)
    if not sizes or x.shape[-len(sizes) :] != sizes:
        raise ValueError(f"layer_norm: x of shape {x.shape} does not end in {sizes}.")
    check_floats("layer_norm", x)
    y = standardize(x, dim=tuple(range(-len(sizes), 0)), eps=eps)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def group_norm(
    x: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Each sample's channels (N, C, ...), in groups, brought to mean 0 and deviation 1.

    Independent of the batch, with statistics of a few channels: Wu and He 2018.
    """
    if x.ndim < 2 or x.shape[1] % num_groups:
        raise ValueError(
            f"group_norm: the channels of x of shape {x.shape} make no {num_groups} equal groups."
        )
    check_floats("group_norm", x)
    groups = x.reshape(len(x), num_groups, math.prod(x.shape[1:]) // num_groups)
    y = standardize(groups, dim=(2,), eps=eps).reshape(*x.shape)
    per_channel = (-1, *(1,) * (x.ndim - 2))
    y = y if weight is None else y * weight.reshape(*per_channel)
    return y if bias is None else y + bias.reshape(*per_channel)


class BatchNorm(Module):
    """Base of the batch norms: a weight and a bias per channel, and running statistics.

    Parameters
    ----------
    num_features : channels
    eps : added to the variance, against division by 0
    momentum : how much of each batch enters the running statistics; None for their plain average
    affine : whether there are a weight and a bias
    track_running_stats : whether use differs from training
    """

    dims: tuple[int, ...] = ()
    normalize = staticmethod(batch_norm)

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
    ) -> None:
        if eps <= 0:
            raise ValueError(f"{type(self).__name__}: eps must be above 0, not {eps}.")
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        ones, zeros = np.ones(num_features, np.float32), np.zeros(num_features, np.float32)
        self.weight = Parameter(ones) if affine else None
        self.bias = Parameter(zeros) if affine else None
        self.running_mean = Buffer(zeros.copy()) if track_running_stats else None
        self.running_var = Buffer(ones.copy()) if track_running_stats else None
        self.num_batches_tracked = Buffer(np.zeros((), np.int64)) if track_running_stats else None

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        return self.run(x)

    def run(self, x: Tensor, *arrays: Any, **settings: Any) -> Tensor:
        """Check x, and normalize it; what else is given is for a subclass's `normalize`."""
        if x.ndim not in self.dims or x.shape[1] != self.num_features:
            raise ValueError(
                f"{type(self).__name__}({self.num_features}): x of shape {x.shape} does not fit: "
                f"it takes {' or '.join(map(str, self.dims))} dimensions, the second of them "
                f"{self.num_features} channels."
            )
        check_floats(type(self).__name__, x)
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.array += 1
        momentum = self.momentum
        if momentum is None:
            seen = self.num_batches_tracked
            momentum = 0.0 if seen is None else 1 / max(int(seen.array), 1)
        return self.normalize(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            *arrays,
            training=self.training,
            momentum=momentum,
            eps=self.eps,
            **settings,
        )

    def extra_repr(self) -> str:
        """Channels."""
        return str(self.num_features)


class BatchNorm1d(BatchNorm):
    """Batch norm of x (N, C) or (N, C, L): Ioffe and Szegedy 2015."""

    dims = (2, 3)


class LayerNorm(Module):
    """Each sample's last dimensions brought to mean 0, deviation 1: Ba, Kiros and Hinton 2016."""

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
    ) -> None:
        sizes = (normalized_shape,) if isinstance(normalized_shape, int) else normalized_shape
        self.normalized_shape, self.eps = tuple(sizes), eps
        ones = np.ones(self.normalized_shape, np.float32)
        self.weight = Parameter(ones) if elementwise_affine else None
        self.bias = Parameter(np.zeros_like(ones)) if elementwise_affine and bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        return layer_norm(x, self.normalized_shape, self.weight, self.bias, eps=self.eps)

    def extra_repr(self) -> str:
        """The shape that is normalized."""
        return str(self.normalized_shape)


class GroupNorm(Module):
    """Each sample's channels, in `num_groups` groups, brought to mean 0: Wu and He 2018."""

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True
    ) -> None:
        if num_groups < 1 or num_channels % num_groups:
            raise ValueError(
                f"GroupNorm: {num_channels} channels make no {num_groups} equal groups."
            )
        self.num_groups, self.eps = num_groups, eps
        ones = np.ones(num_channels, np.float32)
        self.weight = Parameter(ones) if affine else None
        self.bias = Parameter(np.zeros_like(ones)) if affine else None

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        return group_norm(x, self.num_groups, self.weight, self.bias, eps=self.eps)

    def extra_repr(self) -> str:
        """Groups."""
        return str(self.num_groups)
