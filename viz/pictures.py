"""Formulas that are better told in another way than their source: one picture per such op.

Each teller gets what the op was given and what its closures hold, by name, and answers with terms;
a missing name (its values were not kept) makes the plain formula stand in. Leans on numpy alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(slots=True)
class Term:
    """A piece of a formula with its value, or the sign between two pieces."""

    text: str
    value: Any = None
    is_sign: bool = False
    names: set[str] = field(default_factory=set)


def sign(text: str) -> Term:
    """What stands between two pieces."""
    return Term(text, is_sign=True)


LEADS_TO = sign("→")
Scope = dict[str, Any]
Teller = Callable[[Scope, Any], list[Term]]


# ---- forward: (given and kept) -> terms ----------------------------------------------------------


def told_forward(op: str, scope: Scope) -> list[Term] | None:
    """The forward of an op as terms, or None where its inputs side by side say enough."""
    teller = FORWARD.get(op)
    try:
        return teller(scope) if teller else None
    except (KeyError, TypeError, ValueError, AttributeError):  # values that were not kept
        return None


def with_bias(terms: list[Term], scope: Scope) -> list[Term]:
    """And the bias, where there is one."""
    bias = scope.get("bias")
    return terms if bias is None else [*terms, sign("+"), Term("bias", bias)]


def linear(scope: Scope) -> list[Term]:
    """The product with the weight turned, and the bias."""
    turned = Term("weight.T", scope["weight"].T)
    return with_bias([Term("x", scope["x"]), sign("@"), turned], scope)


def convolution(scope: Scope) -> list[Term]:
    """Kernels slid over images."""
    return with_bias([Term("x", scope["x"]), sign("✱"), Term("weight", scope["weight"])], scope)


@dataclass(slots=True)
class Channels:
    """What batch norm subtracted and divided by; arrays of a number per channel, and their form."""

    mean: Any
    std: Any
    form: tuple[int, ...]
    dims: tuple[int, ...]


def channels_of(scope: Scope) -> Channels:
    """By the batch or by the running figures, whichever was used."""
    x = scope["x"]
    dims = (0, *range(2, x.ndim))
    mean = x.mean(axis=dims) if scope["by_batch"] else np.asarray(scope["running_mean"])
    form = (1, -1, *(1,) * (x.ndim - 2))
    return Channels(mean, (1 / scope["inverse"].reshape(-1)).astype(x.dtype), form, dims)


def normalized(scope: Scope) -> Any:
    """The x of a batch norm with mean 0 and deviation 1."""
    of = channels_of(scope)
    return (scope["x"] - of.mean.reshape(of.form)) / of.std.reshape(of.form)


def batch_norm(scope: Scope) -> list[Term]:
    """(x - mean) / std * weight + bias."""
    of, whose = channels_of(scope), "of the batch" if scope["by_batch"] else "running"
    terms = [Term("x", scope["x"]), sign("−"), Term(f"mean {whose}", of.mean), sign("÷")]
    terms.append(Term(f"std {whose}", of.std))
    if scope.get("weight") is not None:
        terms += [sign("×"), Term("weight", scope["weight"])]
    return with_bias(terms, scope)


def batch_norm_relu(scope: Scope) -> list[Term]:
    """The same, a shortcut, and then negative numbers times the slope, mostly 0."""
    slope, terms = scope["slope"], batch_norm(scope)
    if scope["adds"]:
        terms += [sign("+"), Term("shortcut", scope["shortcut"])]
    return [*terms, sign(f"below 0: × {slope:g}" if slope else "max with 0")]


def cross_entropy(scope: Scope) -> list[Term]:
    """-log of softmax at the right class."""
    return [
        Term("logits", scope["logits"]), sign("softmax"),
        Term("probabilities", scope["exponentials"] / scope["totals"]), sign("at"),
        Term("one_hot(target)", np.asarray(scope["wanted"], scope["logits"].dtype)),
        sign("−log, then mean"),
    ]  # fmt: skip


def mse_loss(scope: Scope) -> list[Term]:
    """The mean of squared differences."""
    given = list(scope)[:2]
    first, second = (Term(name, scope[name]) for name in given)
    return [first, sign("−"), second, sign("squared, then mean")]


def one_input(words: str) -> Callable[[Scope], list[Term]]:
    """x, and in words what becomes of it."""
    return lambda scope: [Term("x", scope["x"]), sign(words)]


FORWARD: dict[str, Callable[[Scope], list[Term]]] = {
    "linear": linear,
    "conv2d": convolution,
    "batch_norm": batch_norm,
    "batch_norm_relu": batch_norm_relu,
    "cross_entropy": cross_entropy,
    "mse_loss": mse_loss,
    "max_pool2d": one_input("largest of each window"),
    "avg_pool2d": one_input("mean of each window"),
    "softmax": one_input("exp, then each by the sum"),
}


# ---- backward: (given and kept, with `grad` and the rule itself) -> terms ------------------------


def told_backward(op: str, slot: str, scope: Scope, rule: Any) -> tuple[list[Term], str] | None:
    """The rule of one input as terms with a sentence, or None where its source says it best."""
    told = BACKWARD.get((op, slot))
    if told is None or scope.get("grad") is None:
        return None
    words = RUNNING.get((op, slot), told[1]) if scope.get("by_batch") is False else told[1]
    try:
        return told[0](scope, rule), words
    except (KeyError, TypeError, ValueError, AttributeError):  # values that were not kept
        return None


def grad_term(scope: Scope) -> Term:
    """The gradient that has arrived."""
    return Term("grad", scope["grad"], names={"grad"})


def from_cross_entropy(scope: Scope, rule: Any) -> list[Term]:
    """Softmax less one-hot, shared among the samples."""
    softmax = scope["exponentials"] / scope["totals"]
    share = np.asarray(scope["share"](scope["grad"]))
    return [
        Term("probabilities", softmax), sign("−"),
        Term("one_hot(target)", np.asarray(scope["wanted"], softmax.dtype)), sign("×"),
        Term("grad shared", share, names={"grad"}),
    ]  # fmt: skip


def from_batch_norm(scope: Scope, rule: Any) -> list[Term]:
    """What the weight passes on, less what mean and spread take out of it."""
    grad, weight, of = scope["grad"], scope.get("weight"), channels_of(scope)
    to_y = grad if weight is None else grad * weight.reshape(of.form)
    head = grad_term(scope) if weight is None else Term("grad × weight", to_y, names={"grad"})
    scale = [sign("÷"), Term("std", of.std)]
    if not scope["by_batch"]:
        return [head, *scale]
    y = normalized(scope)
    along = (to_y * y).mean(axis=of.dims, keepdims=True)
    return [
        head, sign("−"), Term("its mean", to_y.mean(axis=of.dims), names={"grad"}), sign("−"),
        Term("its part along y", y * along), *scale,
    ]  # fmt: skip


def weight_of_batch_norm(scope: Scope, rule: Any) -> list[Term]:
    """The gradient times what the weight was multiplied with."""
    return [grad_term(scope), sign("×"), Term("y, normalized x", normalized(scope)), sign("Σ")]


def through_relu(teller: Teller) -> Teller:
    """What a rule of batch norm makes of the gradient that the ReLU after it lets through."""

    def tell(scope: Scope, rule: Any) -> list[Term]:
        of, y = channels_of(scope), normalized(scope)
        weight, bias = scope.get("weight"), scope.get("bias")
        y = y if weight is None else y * weight.reshape(of.form)
        y = y if bias is None else y + bias.reshape(of.form)
        y = y + scope["shortcut"] if scope["adds"] else y
        passed = np.where(y > 0, scope["grad"], scope["slope"] * scope["grad"])
        terms = teller({**scope, "grad": passed}, rule)
        for term in terms:
            if term.text == "grad":
                term.text = "grad that ReLU lets through"
        return terms

    return tell


def passed_on(scope: Scope, rule: Any) -> list[Term]:
    """The gradient as it came."""
    return [grad_term(scope)]


def summed(scope: Scope, rule: Any) -> list[Term]:
    """All that one number was added to."""
    return [grad_term(scope), sign("Σ")]


def image_of_convolution(scope: Scope, rule: Any) -> list[Term]:
    """The gradient under the kernels turned by half a circle."""
    turned = scope["weight"][..., ::-1, ::-1]
    return [grad_term(scope), sign("✱"), Term("weight, turned round", turned)]


def weight_of_convolution(scope: Scope, rule: Any) -> list[Term]:
    """The image under the gradient as a kernel."""
    return [Term("x", scope["x"]), sign("✱"), grad_term(scope)]


def pooled(words: str) -> Teller:
    """Which part of its window's gradient each pixel gets: what the rule makes of ones."""

    def tell(scope: Scope, rule: Any) -> list[Term]:
        share = np.asarray(rule(np.ones_like(scope["grad"])))
        return [grad_term(scope), sign("of its window ×"), Term(words, share)]

    return tell


RUNNING = {  # what is said instead where batch norm took the running figures
    ("batch_norm", "x"): "The gradient times the weight, divided by the deviation: mean and "
    "deviation are the running ones, which x does not move.",
    ("batch_norm_relu", "x"): "The gradient where the result is above 0, times the weight, divided "
    "by the deviation: mean and deviation are the running ones, which x does not move.",
}
OVER_ALL = "over all samples and pixels"
BACKWARD: dict[tuple[str, str], tuple[Teller, str]] = {
    ("cross_entropy", "logits"): (
        from_cross_entropy,
        "The probabilities, less 1 at the right class, shared among the samples.",
    ),
    ("batch_norm", "x"): (
        from_batch_norm,
        "The gradient, less its mean and less its part along y, the normalized x: x cannot change "
        "the mean and the spread of its channel, for they are taken out.",
    ),
    ("batch_norm", "weight"): (
        weight_of_batch_norm,
        f"The weight multiplied every normalized number of its channel: summed {OVER_ALL}.",
    ),
    ("batch_norm", "bias"): (
        summed,
        f"The bias was added to every number of its channel: summed {OVER_ALL}.",
    ),
    ("batch_norm_relu", "x"): (
        through_relu(from_batch_norm),
        "The gradient where the result is above 0; then, as in a batch norm, less its mean and "
        "less its part along y, the normalized x.",
    ),
    ("batch_norm_relu", "weight"): (
        through_relu(weight_of_batch_norm),
        f"What the ReLU lets through, times what the weight multiplied: summed {OVER_ALL}.",
    ),
    ("batch_norm_relu", "bias"): (
        through_relu(summed),
        f"What the ReLU lets through, to every number of the channel: summed {OVER_ALL}.",
    ),
    ("batch_norm_relu", "shortcut"): (
        through_relu(passed_on),
        "The shortcut was added: it gets what the ReLU lets through, as it is.",
    ),
    ("conv2d", "x"): (
        image_of_convolution,
        "Every window that saw a pixel sends it its gradient, times the weight that it saw it "
        "with: a convolution again, with the kernels turned round.",
    ),
    ("conv2d", "weight"): (
        weight_of_convolution,
        "Each weight met one pixel of every window: the image under the gradient, "
        f"summed {OVER_ALL}.",
    ),
    ("conv2d", "bias"): (
        summed,
        f"The bias was added to every number of its channel: summed {OVER_ALL}.",
    ),
    ("max_pool2d", "x"): (
        pooled("the largest of each window"),
        "Only the largest of each window made the output, so it gets all of the gradient.",
    ),
    ("avg_pool2d", "x"): (
        pooled("the share of each pixel"),
        "Every pixel of a window had the same share in the mean, and gets that of the gradient.",
    ),
}
