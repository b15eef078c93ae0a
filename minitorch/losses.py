"""Loss functions (`F.mse_loss`), and the softmax that they stand on; as modules: `criteria`.

Those of classes are in `class_losses`. Leans on `op` and `reductions`.

A loss compares an output with its target. Its `reduction` says what becomes of the values that it
finds: "mean", "sum", or "none", which keeps them all.
"""

# Grown in notebooks: 2_06_modules. Edit there, then `make extract`.

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch.op import op
from minitorch.reductions import require_float, total_dtype
from minitorch.shapes import checked_dim

__all__ = [
    "Array",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "check_chances",
    "check_target",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "log_softmax",
    "mse_loss",
    "reduced",
    "smooth_l1_loss",
    "softmax",
    "to_normalize",
]


Array = np.ndarray


@op
def softmax(x: Array, dim: int | None = None, *, dtype: Any = None) -> Any:
    """exp(x) / sum(exp(x)) along `dim`, shifted by the maximum so that exp cannot overflow."""
    x, dim = to_normalize("softmax", x, dim, dtype)
    y = np.exp(x - x.max(axis=dim, keepdims=True, initial=-np.inf))
    y /= y.sum(axis=dim, keepdims=True)
    return y, lambda grad: y * (grad - (grad * y).sum(axis=dim, keepdims=True))


@op
def log_softmax(x: Array, dim: int | None = None, *, dtype: Any = None) -> Any:
    """log(softmax(x)) along `dim`, without the detour over a number that may round to 0."""
    x, dim = to_normalize("log_softmax", x, dim, dtype)
    shifted = x - x.max(axis=dim, keepdims=True, initial=-np.inf)
    y = shifted - np.log(np.exp(shifted).sum(axis=dim, keepdims=True))
    return y, lambda grad: grad - np.exp(y) * grad.sum(axis=dim, keepdims=True)


def to_normalize(name: str, x: Array, dim: int | None, dtype: Any) -> tuple[Array, int]:
    """What a softmax is of, in `dtype`, and along which dimension; one must be said."""
    if dim is None:
        raise TypeError(
            f"{name}: along which dim should x of shape {x.shape} sum to 1? Say {name}(x, dim=1) "
            "for scores (N, C)."
        )
    x = x if dtype is None else x.astype(dtype)
    require_float(name, x)
    return x, checked_dim(name, dim, x.ndim)


def reduced(
    name: str, values: Array, reduction: str, total: Any = None, dropped: Any = ()
) -> tuple[Array, Callable[[Array], Array]]:
    """What `reduction` makes of a loss's values, and a function from its gradient to theirs.

    A mean divides by `total`, the number of values if not given. `dropped` is an axis of size 1
    that only the values have.
    """
    if reduction == "none":
        return np.squeeze(values, axis=dropped), lambda grad: grad.reshape(values.shape)
    if reduction == "sum":
        return np.add.reduce(values, axis=None, dtype=total_dtype(values)), lambda grad: grad
    if reduction != "mean":
        raise ValueError(f'{name}: reduction is "mean", "sum" or "none", not {reduction!r}.')
    count = values.size if total is None else total
    if not count:
        raise ValueError(
            f"{name}: the batch is empty, or all its targets are ignored, so there is no mean to "
            "take."
        )
    total = np.add.reduce(values, axis=None, dtype=total_dtype(values))
    return total / count, lambda grad: grad / count


def check_target(name: str, x: Array, target: Array) -> None:
    """Raise where an output and its target differ in shape or are whole, or the target has NaN."""
    if np.shape(x) != getattr(target, "shape", ()):
        raise ValueError(
            f"{name}: shapes {np.shape(x)} and {np.shape(target)} differ. Broadcasting here is "
            "nearly always a mistake; reshape one of them."
        )
    squares = np.vdot(target, target)  # NaN if there is one among them, and quickly told
    if squares != squares:
        raise ValueError(f"{name}: the target holds NaN, which would make every weight NaN.")
    if squares.dtype.kind != "f":  # of two whole numbers: a difference of uint8 knows no minus
        require_float(name, x)


def check_chances(name: str, target: Array) -> None:
    """Raise ValueError where a target is no probability: labels -1 and 1, or class numbers."""
    outside = (target < 0) | (target > 1)
    if outside.any():
        raise ValueError(
            f"{name}: the target holds {target[outside].flat[0]}, but a probability lies from 0 "
            "to 1. Turn labels -1 and 1 into 0 and 1; for class numbers take cross_entropy."
        )


@op
def mse_loss(x: Array, target: Array, reduction: str = "mean") -> Any:
    """(x - target) squared, over tensors of one shape."""
    check_target("mse_loss", x, target)
    difference = x - target
    value, share = reduced("mse_loss", difference * difference, reduction)

    def backward(grad: Array) -> Array:
        return 2 * share(grad) * (x - target)

    return value, (backward, lambda grad: -backward(grad))


@op
def l1_loss(x: Array, target: Array, reduction: str = "mean") -> Any:
    """|x - target|; where they are equal the gradient is taken as 0."""
    check_target("l1_loss", x, target)
    difference = x - target
    value, share = reduced("l1_loss", np.abs(difference), reduction)

    def backward(grad: Array) -> Array:
        return share(grad) * np.sign(difference)

    return value, (backward, lambda grad: -backward(grad))


@op
def huber_loss(x: Array, target: Array, reduction: str = "mean", delta: float = 1.0) -> Any:
    """Half the square of x - target up to `delta`, then a straight line: outliers pull less.

    Huber 1964. Its slope is the difference, cut off at -delta and delta.
    """
    check_target("huber_loss", x, target)
    if isinstance(delta, complex) or delta <= 0:
        raise ValueError(f"huber_loss: delta must be above 0, not {delta}.")
    difference = x - target
    slope = np.clip(difference, -delta, delta)
    value, share = reduced("huber_loss", slope * (difference - 0.5 * slope), reduction)

    def backward(grad: Array) -> Array:
        return share(grad) * slope

    return value, (backward, lambda grad: -backward(grad))


def smooth_l1_loss(x: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Any:
    """The Huber loss divided by `beta`, so that its straight lines have slope 1 (Girshick 2015)."""
    if not beta:
        return l1_loss(x, target, reduction=reduction)
    return huber_loss(x, target, reduction=reduction, delta=beta) / beta


@op
def binary_cross_entropy(
    probability: Array, target: Array, weight: Any = None, reduction: str = "mean"
) -> Any:
    """-(target log p + (1 - target) log(1 - p)), log not below -100; prefer it from logits."""
    require_float("binary_cross_entropy", probability)
    check_target("binary_cross_entropy", probability, target)
    check_chances("binary_cross_entropy", target)
    if not ((probability >= 0) & (probability <= 1)).all():
        raise ValueError(
            "binary_cross_entropy: probabilities must lie from 0 to 1. For any numbers there is "
            "binary_cross_entropy_with_logits."
        )
    with np.errstate(divide="ignore"):  # log(0) is cut off
        yes = np.maximum(np.log(probability), -100)
        no = np.maximum(np.log1p(-probability), -100)
    counts = np.ones((), probability.dtype) if weight is None else np.asarray(weight)
    values = -counts * (target * yes + (1 - target) * no)
    value, share = reduced("binary_cross_entropy", values, reduction)

    def to_probability(grad: Array) -> Array:
        spread = np.maximum(probability * (1 - probability), 1e-12)
        return share(grad) * counts * (probability - target) / spread

    return value, (to_probability, lambda grad: share(grad) * counts * (no - yes))


@op
def binary_cross_entropy_with_logits(
    logits: Array,
    target: Array,
    weight: Any = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    """Binary cross entropy of sigmoid(logits), stable: log(1 + exp(-|x|)) cannot overflow.

    `weight` scales every value, `pos_weight` only the part of the target that is 1.
    """
    name = "binary_cross_entropy_with_logits"
    require_float(name, logits)
    check_target(name, logits, target)
    check_chances(name, target)
    small = np.exp(-np.abs(logits))
    if_one = np.log1p(small) - np.minimum(logits, 0)  # -log(sigmoid(x))
    if_zero = if_one + logits  # -log(1 - sigmoid(x))
    ones = np.ones((), logits.dtype)
    counts = ones if weight is None else np.asarray(weight)
    positive = ones if pos_weight is None else np.asarray(pos_weight)
    values = counts * (positive * target * if_one + (1 - target) * if_zero)
    value, share = reduced(name, values, reduction)

    def to_logits(grad: Array) -> Array:
        sigmoid = np.where(logits >= 0, ones, small) / (1 + small)
        slope = (1 - target) * sigmoid - positive * target * (1 - sigmoid)
        return share(grad) * counts * slope

    def to_target(grad: Array) -> Array:
        return share(grad) * counts * (positive * if_one - if_zero)

    return value, (to_logits, to_target)


@op
def kl_div(x: Array, target: Array, reduction: str = "mean", log_target: bool = False) -> Any:
    """Where the target is above 0, target * (log(target) - x), x being log probabilities; else 0.

    Divergence of Kullback and Leibler 1951, whose mean is taken by `reduction="batchmean"`.
    """
    require_float("kl_div", x)
    require_float("kl_div", target)
    check_target("kl_div", x, target)
    chance = np.exp(target) if log_target else target
    if (chance < 0).any():
        raise ValueError(
            f"kl_div: the target holds {chance.min():.4g}, but a probability lies from 0 on. If it "
            "holds logarithms of probabilities, say log_target=True."
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        log_chance = target if log_target else np.log(target)
        values = np.where(chance > 0, chance * (log_chance - x), 0).astype(chance.dtype)
    batchmean = reduction == "batchmean"
    total = len(x) if batchmean and x.ndim else None
    value, share = reduced("kl_div", values, "mean" if batchmean else reduction, total)

    def to_target(grad: Array) -> Array:
        slope = chance * (log_chance - x + 1) if log_target else log_chance - x + 1
        return share(grad) * np.where(chance > 0, slope, 0)

    return value, (lambda grad: -share(grad) * chance, to_target)
