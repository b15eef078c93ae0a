"""Losses of classes: scores or log probabilities against class numbers. Leans on `losses`."""

# Grown in notebooks: 2_06_modules. Edit there, then `make extract`.

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.losses import check_target, reduced
from minitorch.op import op
from minitorch.reductions import require_float

__all__ = ["Array", "check_classes", "class_weights", "cross_entropy", "nll_loss"]


Array = np.ndarray


def class_weights(
    name: str, scores: Array, target: Array, weight: Any, ignore_index: int, smoothing: float
) -> tuple[Array, Any]:
    """How much each class of each sample counts, in the shape of `scores`; and their total.

    Raises where `target` is neither class indices nor probabilities that fit the scores.
    """
    require_float(name, scores)
    axis = min(1, scores.ndim - 1)
    classes = scores.shape[axis]
    along = (classes, *(1,) * (scores.ndim - 1 - axis))  # broadcasts along the class axis
    per_class = np.ones(along, scores.dtype)
    if weight is not None:
        per_class = np.asarray(weight, scores.dtype).reshape(along)
    if not 0 <= smoothing <= 1:
        raise ValueError(f"{name}: label_smoothing must lie from 0 to 1, not {smoothing}.")
    if target.dtype.kind == "f" and target.ndim == scores.ndim:
        check_target(name, scores, target)
        if ignore_index >= 0:
            raise ValueError(f"{name}: ignore_index is for class indices, not probabilities.")
        hot, counts, total = target, 1, scores.size / max(classes, 1)
    else:
        check_classes(name, scores, target, classes, axis, ignore_index)
        # not np.expand_dims, which in numpy 2.4 leaves 48 bytes behind at every call
        labels = target.reshape(*target.shape[:axis], 1, *target.shape[axis:])
        counts = labels != ignore_index
        hot = (labels == np.arange(classes).reshape(along)) & counts
        total = np.add.reduce(hot * per_class, axis=None)
    if smoothing:
        hot = ((1 - smoothing) * hot + smoothing / classes) * counts
    return hot * per_class, total


def check_classes(
    name: str, scores: Array, target: Array, classes: int, axis: int, ignore_index: int
) -> None:
    """Raise where targets are no class indices that fit the scores."""
    if target.shape != scores.shape[:axis] + scores.shape[axis + 1 :]:
        raise ValueError(
            f"{name}: scores of shape {scores.shape} and target of shape {target.shape} do not "
            "fit. It takes scores (N, C, ...) and one class index per sample, (N, ...)."
        )
    if target.dtype.kind not in "iu":
        raise TypeError(
            f"{name}: target is {target.dtype}; class indices are integers. Say target.long()."
        )
    outside = ((target < 0) | (target >= classes)) & (target != ignore_index)
    if outside.any():
        raise IndexError(
            f"{name}: class {target[outside].flat[0]} is out of range: scores of shape "
            f"{scores.shape} have classes 0 to {classes - 1}."
        )


@op
def cross_entropy(
    logits: Array,
    target: Array,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """-log(softmax(logits)) at each sample's class: logits (N, C, ...), target (N, ...) of ints.

    Softmax and logarithm in one step: the gradient is simply softmax - one_hot. The target may
    also be probabilities in the shape of the logits. `weight` (C,) makes classes count more,
    samples of class `ignore_index` do not count, and `label_smoothing` shares that part of each
    target out over all classes (Szegedy et al. 2016).
    """
    axis = min(1, logits.ndim - 1)
    if not logits.size:
        raise ValueError(f"cross_entropy: the batch is empty: logits of shape {logits.shape}.")
    wanted, total = class_weights(
        "cross_entropy", logits, target, weight, ignore_index, label_smoothing
    )
    shifted = logits - logits.max(axis=axis, keepdims=True)
    exponentials = np.exp(shifted)
    totals = exponentials.sum(axis=axis, keepdims=True)
    log_probabilities = shifted - np.log(totals)
    missed = np.multiply(
        wanted, log_probabilities, where=wanted != 0, out=np.zeros_like(exponentials)
    )  # 0 * log(0) counts as 0
    values = -missed.sum(axis=axis, keepdims=True)
    value, share = reduced("cross_entropy", values, reduction, total, axis)

    def to_logits(grad: Array) -> Array:
        softmax = exponentials / totals
        return share(grad) * (softmax * wanted.sum(axis=axis, keepdims=True) - wanted)

    def to_target(grad: Array) -> Array:
        counts = 1 if weight is None else np.reshape(weight, (-1, *(1,) * (logits.ndim - 1 - axis)))
        return share(grad) * (label_smoothing - 1) * counts * log_probabilities

    return value, (to_logits, to_target)


@op
def nll_loss(
    log_probabilities: Array,
    target: Array,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Any:
    """-log_probabilities (N, C, ...) at each sample's class, target (N, ...) of ints.

    After `log_softmax` it is the cross entropy: the negative log likelihood.
    """
    if target.dtype.kind == "f":
        raise TypeError(
            f"nll_loss: target is {target.dtype}; class indices are integers. Say target.long()."
        )
    axis = min(1, log_probabilities.ndim - 1)
    wanted, total = class_weights(
        "nll_loss", log_probabilities, target, weight, ignore_index, smoothing=0
    )
    values = -np.multiply(
        wanted, log_probabilities, where=wanted != 0, out=np.zeros_like(log_probabilities)
    ).sum(axis=axis, keepdims=True)
    value, share = reduced("nll_loss", values, reduction, total, axis)
    return value, (lambda grad: -share(grad) * wanted, None)
