"""Every op in one table: how it is called, what numpy makes of the same, and on which shapes.

A row is all that a new op needs here: value, dtype, gradient, second gradient, odd layouts and
untouched inputs follow from it in test_operations.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import minitorch
from minitorch import functional
from minitorch.comparisons import allclose, equal
from minitorch.indexing import add_back, add_into, put_into
from minitorch.shapes import constant_pad

Array = np.ndarray
Shape = tuple[int, ...]

UNARY: list[tuple[Shape, ...]] = [((3, 4),), ((),), ((0, 3),), ((2, 1, 3),)]
BINARY: list[tuple[Shape, ...]] = [
    ((3, 4), (3, 4)),
    ((3, 4), (4,)),
    ((3, 1), (1, 4)),
    ((), (2, 3)),
    ((2, 1, 3), ()),
    ((), ()),
    ((0, 3), (3,)),
]
MATRIX: list[tuple[Shape, ...]] = [((3, 4),)]
CUBE: list[tuple[Shape, ...]] = [((2, 3, 4),)]


@dataclass(frozen=True)
class Row:
    """One way to call an op. `call` gets tensors, `reference` arrays; both the same numbers."""

    name: str
    call: Callable[..., Any]
    reference: Callable[..., Any]
    shapes: Sequence[tuple[Shape, ...]] = ()
    low: float = -2.0
    high: float = 2.0
    differentiable: bool = True


def sample(shapes: Sequence[Shape], low: float, high: float, seed: int = 0) -> list[Array]:
    """Arrays in float64 whose elements are all different, well apart, and never whole numbers."""
    random = np.random.default_rng(seed)
    sizes = [math.prod(shape) for shape in shapes]
    steps = random.permutation(sum(sizes)) + random.uniform(0.3, 0.7, sum(sizes))
    values = low + (high - low) * steps / max(sum(sizes), 1)
    parts = np.split(values, np.cumsum(sizes)[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def unary(name: str, reference: Callable[..., Any], low: float = -2.0, high: float = 2.0) -> Row:
    """A row for an op of one tensor that works element by element."""
    function = getattr(minitorch, name, None) or getattr(functional, name)
    return Row(name, function, reference, UNARY, low, high)


def binary(name: str, reference: Callable[..., Any], low: float = -2.0, high: float = 2.0) -> Row:
    """A row for an op of two tensors that broadcast."""
    return Row(name, getattr(minitorch, name), reference, BINARY, low, high)


def question(name: str, reference: Callable[..., Any], shapes: Any = BINARY) -> Row:
    """A row for an op whose answer is yes or no, so that it has no gradient."""
    return Row(name, getattr(minitorch, name), reference, shapes, differentiable=False)


def logistic(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def bell_share(x: Array) -> Array:
    return (1 + np.vectorize(math.erf, otypes=[float])(x / math.sqrt(2))) / 2


def windows_by_loop(x: Array, size: int, step: int) -> Array:
    """unfold(1, size, step) of a matrix, one window after the other."""
    starts = range(0, x.shape[1] - size + 1, step)
    return np.stack([x[:, start : start + size] for start in starts], 1)


ROWS = np.array([[2, 0], [1, 1]])  # indices with a repeat, for gather and scatter along dim 0
MASK = np.array([[True, False, True, True], [False] * 4, [True, True, False, False]])


def scattered(x: Array, source: Array, add: bool) -> Array:
    """scatter and scatter_add along dim 0 with ROWS, one element after the other."""
    y = x.copy()
    for place in np.ndindex(ROWS.shape):
        target = (ROWS[place], place[1])
        y[target] = (y[target] if add else 0) + source[place]
    return y


ELEMENTWISE = [
    unary("neg", np.negative),
    unary("exp", np.exp),
    unary("exp2", np.exp2),
    unary("expm1", np.expm1),
    unary("log", np.log, 0.1, 3),
    unary("log2", np.log2, 0.1, 3),
    unary("log10", np.log10, 0.1, 3),
    unary("log1p", np.log1p, -0.9, 3),
    unary("logit", lambda x: np.log(x / (1 - x)), 0.1, 0.9),
    unary("sqrt", np.sqrt, 0.1, 3),
    unary("rsqrt", lambda x: 1 / np.sqrt(x), 0.1, 3),
    unary("square", np.square),
    unary("reciprocal", lambda x: 1 / x, 0.2, 3),
    unary("erf", np.vectorize(math.erf, otypes=[float])),
    unary("sin", np.sin),
    unary("cos", np.cos),
    unary("tan", np.tan, -1.2, 1.2),
    unary("sinc", np.sinc),
    unary("asin", np.arcsin, -0.9, 0.9),
    unary("acos", np.arccos, -0.9, 0.9),
    unary("atan", np.arctan),
    unary("sinh", np.sinh),
    unary("cosh", np.cosh),
    unary("asinh", np.arcsinh),
    unary("acosh", np.arccosh, 1.1, 4),
    unary("atanh", np.arctanh, -0.9, 0.9),
    unary("abs", np.abs),
    unary("sign", np.sign),
    unary("floor", np.floor),
    unary("ceil", np.ceil),
    unary("trunc", np.trunc),
    unary("round", np.round),
    Row(
        "logit",
        lambda x: minitorch.logit(x, eps=0.2),
        lambda x: np.log(np.clip(x, 0.2, 0.8) / (1 - np.clip(x, 0.2, 0.8))),
        MATRIX,
        -0.5,
        1.5,
    ),
    Row("round", lambda x: x.round(decimals=1), lambda x: np.round(x, 1), MATRIX),
    binary("add", np.add),
    binary("sub", np.subtract),
    binary("mul", np.multiply),
    binary("div", np.divide, 0.3, 2),
    binary("pow", np.power, 0.3, 2),
    Row("pow", lambda x: x**3, lambda x: x**3, UNARY),
    Row("pow", lambda x: x**-1.5, lambda x: x**-1.5, UNARY, 0.3, 2),
    Row("pow", lambda x: 2**x, lambda x: 2**x, UNARY),
    binary("maximum", np.maximum),
    binary("minimum", np.minimum),
    binary("floor_divide", np.floor_divide, 0.3, 5),
    binary("remainder", np.remainder, 0.3, 5),
    binary("fmod", np.fmod, 0.3, 5),
    unary("frac", lambda x: x - np.trunc(x)),
    Row("add", lambda a, b: minitorch.add(a, b, alpha=-3), lambda a, b: a - 3 * b, BINARY),
    Row("sub", lambda a, b: minitorch.sub(a, b, alpha=-3), lambda a, b: a + 3 * b, BINARY),
    Row(
        "div",
        lambda a, b: minitorch.div(a, b, rounding_mode="trunc"),
        lambda a, b: np.trunc(a / b),
        BINARY,
        differentiable=False,
    ),
    Row(
        "div",
        lambda a, b: minitorch.div(a, b, rounding_mode="floor"),
        np.floor_divide,
        BINARY,
        differentiable=False,
    ),
    binary("atan2", np.arctan2),
    binary("hypot", np.hypot),
    binary("logaddexp", np.logaddexp),
    binary("xlogy", lambda x, y: x * np.log(y), 0.1, 3),
    Row("lerp", minitorch.lerp, lambda a, b, w: a + w * (b - a), [((3, 4), (4,), ())]),
    Row(
        "addcmul",
        lambda x, a, b: minitorch.addcmul(x, a, b, value=-2),
        lambda x, a, b: x - 2 * a * b,
        [((3, 4), (4,), (3, 1)), ((), (), ()), ((3,), (0, 3), ())],
    ),
    Row(
        "addcdiv",
        lambda x, a, b: minitorch.addcdiv(x, a, b, value=-2),
        lambda x, a, b: x - 2 * a / b,
        [((3, 4), (4,), (3, 1)), ((), (), ()), ((3,), (0, 3), ())],
        0.3,
        3,
    ),
    Row("where", lambda a, b: minitorch.where(a > b, a, b), np.maximum, BINARY),
    Row(
        "masked_fill",
        lambda x, v: x.masked_fill(x > 0, v),
        lambda x, v: np.where(x > 0, v, x),
        [((3, 4), ()), ((), ()), ((0, 3), ())],
    ),
    Row("clamp", lambda x: x.clamp(-0.5, 1), lambda x: np.clip(x, -0.5, 1), UNARY),
    Row("clamp", lambda x: x.clip(max=0.5), lambda x: np.minimum(x, 0.5), UNARY),
    Row("clamp", minitorch.clamp, np.clip, [((3, 4), (4,), (3, 1)), ((), (), ())]),
    Row("clamp_min", minitorch.clamp_min, np.maximum, BINARY),
    Row("clamp_max", minitorch.clamp_max, np.minimum, BINARY),
]

ACTIVATIONS = [
    unary("tanh", np.tanh),
    unary("sigmoid", logistic),
    unary("relu", lambda x: np.maximum(x, 0)),
    unary("logsigmoid", lambda x: np.log(logistic(x))),
    unary("softsign", lambda x: x / (1 + np.abs(x))),
    unary("hardtanh", lambda x: np.clip(x, -1, 1)),
    unary("hardsigmoid", lambda x: np.clip(x / 6 + 0.5, 0, 1), -5, 5),
    unary("relu6", lambda x: np.clip(x, 0, 6), -3, 9),
    unary("leaky_relu", lambda x: np.where(x > 0, x, 0.01 * x)),
    unary("elu", lambda x: np.where(x > 0, x, np.exp(x) - 1)),
    unary(
        "selu", lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x))
    ),
    unary("softplus", lambda x: np.log(1 + np.exp(x))),
    Row(
        "softplus",
        lambda x: functional.softplus(x, beta=3.0, threshold=2.0),
        lambda x: np.where(3 * x > 2, x, np.log(1 + np.exp(3 * x)) / 3),
        UNARY,
    ),
    unary("silu", lambda x: x * logistic(x)),
    unary("gelu", lambda x: x * bell_share(x)),
    Row(
        "gelu",
        lambda x: functional.gelu(x, approximate="tanh"),
        lambda x: x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2,
        UNARY,
    ),
    unary("hardswish", lambda x: x * np.clip(x / 6 + 0.5, 0, 1), -5, 5),
    unary("mish", lambda x: x * np.tanh(np.log(1 + np.exp(x)))),
    Row(
        "prelu",
        functional.prelu,
        lambda x, w: np.where(x > 0, x, x * w.reshape(-1, 1)),
        [((2, 3, 4), (3,)), ((2, 3, 4), (1,))],
    ),
]

PRODUCTS = [
    Row(
        "matmul",
        minitorch.matmul,
        np.matmul,
        [
            ((3, 4), (4, 2)),
            ((4,), (4,)),
            ((4,), (4, 2)),
            ((3, 4), (4,)),
            ((2, 3, 4), (4,)),
            ((4,), (2, 4, 3)),
            ((2, 1, 3, 4), (5, 4, 2)),
            ((0, 4), (4, 2)),
            ((3, 0), (0, 2)),
        ],
    ),
    Row(
        "linear",
        functional.linear,
        lambda x, w, b: x @ w.T + b,
        [((3, 4), (2, 4), (2,)), ((4,), (2, 4), (2,)), ((2, 3, 4), (5, 4), (5,))],
    ),
    Row("linear", functional.linear, lambda x, w: x @ w.T, [((3, 4), (2, 4))]),
    Row("dot", minitorch.dot, np.dot, [((4,), (4,)), ((0,), (0,))]),
    Row("mv", minitorch.mv, np.dot, [((3, 4), (4,))]),
    Row("mm", minitorch.mm, np.dot, [((3, 4), (4, 2))]),
    Row("bmm", minitorch.bmm, np.matmul, [((2, 3, 4), (2, 4, 5))]),
    Row("outer", minitorch.outer, np.outer, [((3,), (4,))]),
    Row(
        "addmm",
        lambda x, a, b: minitorch.addmm(x, a, b, beta=2, alpha=3),
        lambda x, a, b: 2 * x + 3 * (a @ b),
        [((2, 4), (2, 3), (3, 4)), ((4,), (2, 3), (3, 4))],
    ),
    Row(
        "cdist",
        minitorch.cdist,
        lambda a, b: np.sqrt(((a[:, None] - b[None]) ** 2).sum(-1)),
        [((2, 3), (4, 3))],
    ),
    Row(
        "pairwise_distance",
        functional.pairwise_distance,
        lambda a, b: np.sqrt(((a - b + 1e-6) ** 2).sum(-1)),
        [((2, 3), (2, 3)), ((2, 3), (3,))],
    ),
    Row(
        "cosine_similarity",
        functional.cosine_similarity,
        lambda a, b: (a * b).sum(1) / np.sqrt((a * a).sum(1) * (b * b).sum(-1)),
        [((2, 3), (2, 3)), ((2, 3), (3,))],
    ),
    Row(
        "normalize",
        lambda x: functional.normalize(x, dim=-1),
        lambda x: x / np.sqrt((x * x).sum(-1, keepdims=True)),
        MATRIX + CUBE,
    ),
    *[
        Row(
            f"einsum {equation}",
            lambda *t, equation=equation: minitorch.einsum(equation, *t),
            lambda *a, equation=equation: np.einsum(equation, *a),
            [shapes],
        )
        for equation, shapes in [
            ("ij,jk->ik", ((3, 4), (4, 2))),
            ("ij,jk", ((3, 4), (4, 2))),
            ("ii->i", ((3, 3),)),
            ("ii", ((3, 3),)),
            ("iji->j", ((3, 2, 3),)),
            ("ij->", ((3, 4),)),
            ("ij,k->k", ((3, 4), (2,))),
            ("...ij,...jk->...ik", ((5, 1, 3, 4), (2, 4, 2))),
            ("b...,b->...b", ((2, 3, 4), (2,))),
            ("i,j,k->kji", ((2,), (3,), (4,))),
            ("ij,ij->ij", ((3, 4), (1, 4))),
        ]
    ],
]

REDUCED: dict[str, Callable[..., Any]] = {
    "sum": np.sum,
    "mean": np.mean,
    "amax": np.max,
    "amin": np.min,
    "std": lambda x, **dims: np.std(x, ddof=1, **dims),
    "var": lambda x, **dims: np.var(x, ddof=1, **dims),
    "logsumexp": lambda x, **dims: np.log(np.sum(np.exp(x), **dims)),
    "norm": lambda x, **dims: np.sqrt(np.sum(x * x, **dims)),
}

REDUCTIONS = [
    row
    for name, reference in REDUCED.items()
    for row in [
        Row(name, lambda x, n=name: getattr(x, n)(dim=None), reference, [((3, 4),), ((2, 3, 4),)]),
        Row(
            name,
            lambda x, n=name: getattr(x, n)(dim=1),
            lambda x, f=reference: f(x, axis=1),
            [((3, 4),), ((2, 3, 4),), ((0, 3),)],
        ),
        Row(
            name,
            lambda x, n=name: getattr(x, n)(dim=(0, -1), keepdim=True),
            lambda x, f=reference: f(x, axis=(0, -1), keepdims=True),
            CUBE,
        ),
    ]
] + [
    Row("sum", lambda x: x.sum(), np.sum, UNARY),
    Row("mean", lambda x: x.mean(), np.mean, [((3, 4),), ((),)]),
    Row("var", lambda x: x.var(0, unbiased=False), lambda x: np.var(x, 0), MATRIX),
    Row("std", lambda x: x.std(1, correction=2), lambda x: np.std(x, 1, ddof=2), MATRIX),
    Row("prod", lambda x: x.prod(), np.prod, [((3, 4),), ((),), ((0, 3),)]),
    Row("prod", lambda x: x.prod(-1, keepdim=True), lambda x: x.prod(-1, keepdims=True), CUBE),
    Row("norm", lambda x: x.norm(1), lambda x: np.abs(x).sum(), MATRIX),
    Row("norm", lambda x: x.norm(3, 1), lambda x: (np.abs(x) ** 3).sum(1) ** (1 / 3), MATRIX),
    Row("norm", lambda x: x.norm(1.5), lambda x: (np.abs(x) ** 1.5).sum() ** (2 / 3), MATRIX),
    Row("norm", lambda x: x.norm(math.inf, 0), lambda x: np.abs(x).max(0), MATRIX),
    Row("norm", lambda x: x.norm(-math.inf), lambda x: np.abs(x).min(), MATRIX),
    Row("norm", lambda x: x.norm(0), lambda x: np.float64(np.count_nonzero(x)), MATRIX),
    Row("cumsum", lambda x: x.cumsum(1), lambda x: x.cumsum(1), [((3, 4),), ((2, 0),)]),
    Row("cumprod", lambda x: x.cumprod(-2), lambda x: x.cumprod(-2), [((3, 4),), ((2, 3, 2),)]),
    Row("median", lambda x: x.median(), lambda x: np.sort(x, None)[(x.size - 1) // 2], MATRIX),
    Row("median", lambda x: x.median(1).values, lambda x: np.sort(x, 1)[:, 1], MATRIX),
    Row("max", lambda x: x.max(), np.max, [((3, 4),), ((),)]),
    Row("max", lambda x: x.max(1).values, lambda x: x.max(1), MATRIX),
    Row("max", minitorch.max, np.maximum, BINARY),
    Row("min", lambda x: x.min(), np.min, [((3, 4),), ((),)]),
    Row("min", lambda x: x.min(0, keepdim=True)[0], lambda x: x.min(0, keepdims=True), MATRIX),
    Row("min", minitorch.min, np.minimum, BINARY),
]

MOVEMENT = [
    Row("reshape", lambda x: x.reshape(2, -1), lambda x: x.reshape(2, -1), MATRIX),
    Row("reshape", lambda x: x.reshape((2, 6)), lambda x: x.reshape(2, 6), MATRIX),
    Row("ravel", lambda x: x.ravel(), np.ravel, UNARY),
    Row("flatten", lambda x: x.flatten(1), lambda x: x.reshape(2, 12), CUBE),
    Row("unflatten", lambda x: x.unflatten(1, (2, -1)), lambda x: x.reshape(3, 2, 2), MATRIX),
    Row("squeeze", lambda x: x.squeeze(), np.squeeze, [((2, 1, 3),), ((1, 1),), ((),)]),
    Row("squeeze", lambda x: x.squeeze(1), lambda x: x.squeeze(1), [((2, 1, 3),)]),
    Row("squeeze", lambda x: x.squeeze((0, -1)), lambda x: x.squeeze(-1), [((2, 3, 1),)]),
    Row("unsqueeze", lambda x: x.unsqueeze(-1), lambda x: x[..., None], UNARY),
    Row("permute", lambda x: x.permute(2, 0, -2), lambda x: x.transpose(2, 0, 1), CUBE),
    Row("permute", lambda x: x.permute((2, 0, 1)), lambda x: x.transpose(2, 0, 1), CUBE),
    Row("transpose", lambda x: x.transpose(0, 2), lambda x: x.swapaxes(0, 2), CUBE),
    Row("t", lambda x: x.T, np.transpose, [((3, 4),), ((4,),), ((),), ((2, 3, 4),)]),
    Row("movedim", lambda x: x.movedim(0, -1), lambda x: np.moveaxis(x, 0, -1), CUBE),
    Row(
        "movedim",
        lambda x: x.movedim((0, 1), (2, 0)),
        lambda x: np.moveaxis(x, (0, 1), (2, 0)),
        CUBE,
    ),
    Row("flip", lambda x: x.flip(0, -1), lambda x: np.flip(x, (0, 2)), CUBE),
    Row("flip", lambda x: x.flip((1,)), lambda x: np.flip(x, 1), CUBE),
    Row("roll", lambda x: x.roll(5), lambda x: np.roll(x, 5), MATRIX),
    Row("roll", lambda x: x.roll((1, -2), (0, 1)), lambda x: np.roll(x, (1, -2), (0, 1)), MATRIX),
    Row("expand", lambda x: x.expand(2, 3, -1), lambda x: np.tile(x, (2, 1, 1)), MATRIX),
    Row("expand", lambda x: x.expand(3, 4), lambda x: np.tile(x, (1, 4)), [((3, 1),)]),
    Row("expand_as", lambda x, y: x.expand_as(y) * y, np.multiply, [((4,), (3, 4))]),
    Row(
        "reshape_as",
        lambda x, y: x.view_as(y) + y,
        lambda x, y: x.reshape(4, 3) + y,
        [((12,), (4, 3))],
    ),
    Row("repeat", lambda x: x.repeat(2, 1, 3), lambda x: np.tile(x, (2, 1, 3)), MATRIX),
    Row("repeat", lambda x: x.repeat((2, 0)), lambda x: np.tile(x, (2, 0)), MATRIX),
    Row("tile", lambda x: x.tile(2), lambda x: np.tile(x, 2), MATRIX),
    Row("flip", lambda x: x.flip(dims=(1,)), lambda x: np.flip(x, 1), MATRIX),
    Row("repeat_interleave", lambda x: x.repeat_interleave(2, 1), lambda x: x.repeat(2, 1), MATRIX),
    Row("repeat_interleave", lambda x: x.repeat_interleave(3), lambda x: x.repeat(3), MATRIX),
    Row(
        "constant_pad",
        lambda x: constant_pad(x, [(1, 0), (0, 2)], 7),
        lambda x: np.pad(x, [(1, 0), (0, 2)], constant_values=7),
        MATRIX,
    ),
    Row("pad", lambda x: x.pad(((1, 0), None)), lambda x: np.pad(x, ((1, 0), (0, 0))), MATRIX),
    Row(
        "pad",
        lambda x: functional.pad(x, (1, -1, -1, 2), "constant", 3.0),
        lambda x: np.pad(x[1:, :-1], ((0, 2), (1, 0)), constant_values=3),
        MATRIX,
    ),
    *[
        Row(
            "pad",
            lambda x, mode=mode: functional.pad(x, (2, 1), mode=mode),
            lambda x, mode=numpy_mode: np.pad(x, ((0, 0), (2, 1)), mode=mode),
            MATRIX,
        )
        for mode, numpy_mode in [
            ("reflect", "reflect"),
            ("replicate", "edge"),
            ("circular", "wrap"),
        ]
    ],
    Row("shrink", lambda x: x.shrink(((1, 3), None)), lambda x: x[1:3], MATRIX),
    Row("stride", lambda x: x.stride((2, -3)), lambda x: x[::2, ::-3], MATRIX),
    Row("tril", lambda x: x.tril(-1), lambda x: np.tril(x, -1), [((3, 4),), ((2, 3, 3),)]),
    Row("triu", lambda x: x.triu(1), lambda x: np.triu(x, 1), [((3, 4),), ((2, 3, 3),)]),
    Row("diagonal", lambda x: x.diagonal(1), lambda x: np.diagonal(x, 1), MATRIX),
    Row("diagonal", lambda x: x.diagonal(-1, -1, 0), lambda x: np.diagonal(x, -1, -1, 0), CUBE),
    Row("diag", lambda x: x.diag(1), lambda x: np.diag(x, 1), [((3, 4),), ((3,),)]),
    Row("trace", lambda x: x.trace(), np.trace, MATRIX),
    Row("unfold", lambda x: x.unfold(1, 3, 1), lambda x: windows_by_loop(x, 3, 1), [((2, 7),)]),
    Row("unfold", lambda x: x.unfold(-1, 2, 3), lambda x: windows_by_loop(x, 2, 3), [((2, 7),)]),
    Row(
        "as_strided",
        lambda x: x.contiguous().as_strided((3, 3), (1, 2), 1),
        lambda x: np.ravel(x)[1 + np.arange(3)[:, None] + 2 * np.arange(3)],
        MATRIX,
    ),
    Row(
        "cat",
        lambda *t: minitorch.cat(t, -1),
        lambda *a: np.concatenate(a, -1),
        [((3, 2), (3, 0), (3, 4))],
    ),
    Row("cat", lambda a: minitorch.cat([a, a]), lambda a: np.concatenate([a, a]), MATRIX),
    Row(
        "stack",
        lambda *t: minitorch.stack(t, 1),
        lambda *a: np.stack(a, 1),
        [((3, 2), (3, 2)), ((2,),)],
    ),
    Row("stack", lambda *t: minitorch.stack(t), lambda *a: np.stack(a), [((), ())]),
    Row("vstack", lambda *t: minitorch.vstack(t), lambda *a: np.vstack(a), [((3,), (2, 3))]),
    Row(
        "hstack",
        lambda *t: minitorch.hstack(t),
        lambda *a: np.hstack(a),
        [((3,), (2,)), ((2, 1), (2, 3))],
    ),
    Row("split", lambda x: x.split(3, 1)[1], lambda x: x[:, 3:], MATRIX),
    Row("split", lambda x: x.split([1, 2])[1], lambda x: x[1:], MATRIX),
    Row("chunk", lambda x: x.chunk(3, 1)[0], lambda x: x[:, :2], MATRIX),
    Row("unbind", lambda x: x.unbind(1)[2], lambda x: x[:, 2], MATRIX),
]

INDEXING = [
    *[
        Row(f"getitem {text}", lambda x, k=key: x[k], lambda x, k=key: x[k], CUBE)
        for text, key in [
            ("int", 1),
            ("negative int", (0, -1)),
            ("slices", (slice(None), slice(0, 3, 2))),
            ("negative step", (slice(None, None, -1), slice(2, None, -2))),
            ("none and dots", (None, ..., 0)),
            ("repeated", [0, 1, 0, 0]),
            ("two arrays", (np.array([0, 1, 0]), np.array([2, 2, 2]))),
            ("arrays apart", (np.array([0, 1]), slice(None), np.array([3, 3]))),
            ("broadcast", (np.array([[0], [1]]), np.array([1, 1, 2]))),
            ("mask", (slice(None), np.array([True, False, True]))),
            ("full mask", np.arange(24).reshape(2, 3, 4) % 3 == 0),
            ("empty", (slice(0, 0),)),
            ("all", ()),
        ]
    ],
    Row(
        "add_back",
        lambda x: add_back(x, (4,), [0, 3, 0]),
        lambda x: np.array([x[0] + x[2], 0, 0, x[1]]),
        [((3,),)],
    ),
    Row("index_select", lambda x: x.index_select(1, [3, 0, 3]), lambda x: x[:, [3, 0, 3]], MATRIX),
    Row("narrow", lambda x: x.narrow(1, -3, 2), lambda x: x[:, 1:3], MATRIX),
    Row("select", lambda x: x.select(1, -1), lambda x: x[:, -1], MATRIX),
    Row(
        "masked_select",
        lambda x: x.masked_select(minitorch.tensor(MASK)),
        lambda x: x[MASK],
        MATRIX,
    ),
    Row(
        "gather",
        lambda x: x.gather(0, ROWS),
        lambda x: np.take_along_axis(x[:, :2], ROWS, 0),
        MATRIX,
    ),
    Row(
        "take_along_dim",
        lambda x: x.take_along_dim(np.array([[2], [0]]), 0),
        lambda x: x[[2, 0]],
        MATRIX,
    ),
    Row(
        "take_along_dim",
        lambda x: x.take_along_dim(np.array([5, 5])),
        lambda x: x.ravel()[[5, 5]],
        MATRIX,
    ),
    Row(
        "scatter",
        lambda x, s: x.scatter(0, ROWS, s),
        lambda x, s: scattered(x, s, add=False),
        [((3, 4), (2, 2)), ((3, 4), (2, 3))],
    ),
    Row(
        "scatter_add",
        lambda x, s: x.scatter_add(0, ROWS, s),
        lambda x, s: scattered(x, s, add=True),
        [((3, 4), (2, 2)), ((3, 4), (4, 2))],
    ),
    Row(
        "index_add",
        lambda x, s: x.index_add(0, [1, 1], s),
        lambda x, s: x + np.stack([x[0] * 0, s[0] + s[1], x[2] * 0]),
        [((3, 4), (2, 4))],
    ),
    Row(
        "add_into",
        lambda x, s: add_into(x, s, [1, 1]),
        lambda x, s: x + np.array([0, 2 * s, 0, 0]),
        [((4,), ())],
    ),
    Row(
        "put_into",
        lambda x, s: put_into(x, s, [1, 1, 3]),
        lambda x, s: np.array([x[0], s[1], x[2], s[2]]),
        [((4,), (3,))],
    ),
    Row("sort", lambda x: x.sort(0).values, lambda x: np.sort(x, 0), [((3, 4),), ((0, 3),)]),
    Row("sort", lambda x: x.sort(descending=True)[0], lambda x: -np.sort(-x), MATRIX),
    Row("topk", lambda x: x.topk(2, 1).values, lambda x: -np.sort(-x)[:, :2], MATRIX),
    Row("topk", lambda x: x.topk(2, 0, largest=False)[0], lambda x: np.sort(x, 0)[:2], MATRIX),
]

QUESTIONS = [
    question("eq", np.equal),
    question("ne", np.not_equal),
    question("lt", np.less),
    question("le", np.less_equal),
    question("gt", np.greater),
    question("ge", np.greater_equal),
    question("isclose", np.isclose),
    question("logical_and", np.logical_and),
    question("logical_or", np.logical_or),
    question("logical_xor", np.logical_xor),
    question("logical_not", np.logical_not, UNARY),
    question("isnan", np.isnan, UNARY),
    question("isinf", np.isinf, UNARY),
    question("isfinite", np.isfinite, UNARY),
    question("any", np.any, UNARY),
    question("all", np.all, UNARY),
    question("count_nonzero", np.count_nonzero, UNARY),
    question("argmax", np.argmax, MATRIX),
    question("argmin", np.argmin, MATRIX),
    question("argsort", np.argsort, MATRIX),
    question("nonzero", np.argwhere, [((3, 4),), ((),), ((0, 3),)]),
    Row(
        "argmax",
        lambda x: x.argmax(1, keepdim=True),
        lambda x: np.argmax(x, 1, keepdims=True),
        MATRIX,
        differentiable=False,
    ),
    Row("any", lambda x: (x > 1).any(1), lambda x: (x > 1).any(1), MATRIX, differentiable=False),
    Row(
        "bitwise_and",
        lambda x: (x > 0) & (x < 1),
        lambda x: (x > 0) & (x < 1),
        UNARY,
        differentiable=False,
    ),
    Row(
        "bitwise_or",
        lambda x: (x > 1) | (x < 0),
        lambda x: (x > 1) | (x < 0),
        UNARY,
        differentiable=False,
    ),
    Row(
        "bitwise_xor",
        lambda x: (x > 1) ^ (x > 0),
        lambda x: (x > 1) ^ (x > 0),
        UNARY,
        differentiable=False,
    ),
    Row("bitwise_not", lambda x: ~(x > 1), lambda x: ~(x > 1), UNARY, differentiable=False),
    Row(
        "allclose",
        lambda x: minitorch.tensor(allclose(x, x + 1e-12)),
        lambda x: np.True_,
        UNARY,
        differentiable=False,
    ),
    Row(
        "equal",
        lambda x: minitorch.tensor(equal(x, x)),
        lambda x: np.True_,
        UNARY,
        differentiable=False,
    ),
]

TABLE = [
    *ELEMENTWISE,
    *ACTIVATIONS,
    *PRODUCTS,
    *REDUCTIONS,
    *MOVEMENT,
    *INDEXING,
    *QUESTIONS,
]
