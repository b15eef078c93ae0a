"""Losses, and the softmax that they stand on. Leans on `op`."""

# Grown in notebooks: 2_06_modules. Edit there, then `make extract`.

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minitorch.op import op

__all__ = ["Array", "check_classes", "cross_entropy", "log_softmax", "mse_loss", "softmax"]


Array = np.ndarray


@op
def softmax(x: Array, dim: int = -1) -> Any:
    """exp(x) / sum(exp(x)) along `dim`, shifted by the maximum so that exp cannot overflow."""
    y = np.exp(x - x.max(axis=dim, keepdims=True))
    y /= y.sum(axis=dim, keepdims=True)
    return y, lambda grad: y * (grad - (grad * y).sum(axis=dim, keepdims=True))


@op
def log_softmax(x: Array, dim: int = -1) -> Any:
    """log(softmax(x)) along `dim`, without the detour over a number that may round to 0."""
    shifted = x - x.max(axis=dim, keepdims=True)
    y = shifted - np.log(np.exp(shifted).sum(axis=dim, keepdims=True))
    return y, lambda grad: grad - np.exp(y) * grad.sum(axis=dim, keepdims=True)


@op
def cross_entropy(logits: Array, target: Any) -> Any:
    """Mean of -log(softmax(logits)) at each sample's class: logits (N, C), target (N,) of ints.

    Softmax and logarithm in one step: its gradient is simply (softmax - one_hot) / N.
    """
    check_classes(logits, target)
    rows = np.arange(len(logits))
    shifted = logits - logits.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    totals = exponentials.sum(axis=1)
    loss = (np.log(totals) - shifted[rows, target]).sum() / len(logits)

    def backward(grad: Array) -> Array:
        back = exponentials / totals[:, None]
        back[rows, target] -= 1
        back *= grad / len(back)
        return back

    return loss, backward


def check_classes(logits: Array, target: Array) -> None:
    """Raise ValueError where targets are no class indices that fit logits (N, C)."""
    if logits.ndim != 2 or target.shape != logits.shape[:1]:
        raise ValueError(
            f"cross_entropy: logits of shape {logits.shape} and target of shape {target.shape} do "
            "not fit. It takes logits (N, C) and one class index per sample, (N,)."
        )
    if not len(logits):
        raise ValueError("cross_entropy: the batch is empty, so there is no mean to take.")
    if target.dtype.kind not in "iu":
        raise TypeError(
            f"cross_entropy: target is {target.dtype}, not integer class indices"
            f"{' (and holds NaN)' if np.isnan(target).any() else ''}. Convert it with .long()."
        )
    if target.min() < 0 or target.max() >= logits.shape[1]:
        worst = target[(target < 0) | (target >= logits.shape[1])][0]
        raise IndexError(
            f"cross_entropy: class {worst} is out of range: logits of shape {logits.shape} have "
            f"classes 0 to {logits.shape[1] - 1}."
        )


@op
def mse_loss(x: Array, target: Array) -> Any:
    """Mean of (x - target) squared, over tensors of one shape."""
    if np.shape(x) != np.shape(target):
        raise ValueError(
            f"mse_loss: shapes {np.shape(x)} and {np.shape(target)} differ. Broadcasting here is "
            "nearly always a mistake; reshape one of them."
        )
    if not math.prod(x.shape):
        raise ValueError("mse_loss: the batch is empty, so there is no mean to take.")
    difference = x - target

    def backward(grad: Array) -> Array:
        return grad * (2 / difference.size) * difference

    return (difference * difference).sum() / difference.size, (
        backward,
        lambda grad: -backward(grad),
    )
