"""matmul under stricter names, and einsum. Leans on `op` and `operations`."""

# Grown in notebooks: 2_02_operations, 2_04_indexing. Edit there, then `make extract`.

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

import numpy as np

from minitorch.diagonals import diagonal
from minitorch.op import in_rule, op
from minitorch.operations import matmul

__all__ = [
    "addmm",
    "bmm",
    "dot",
    "einsum",
    "mm",
    "mv",
    "outer",
    "require_ndim",
    "sizes_of_letters",
    "spelled_out",
    "sum_of_products",
]


# ---- products whose name says how many dimensions ---------------------------------------------


def require_ndim(name: str, a: Any, a_ndim: int, b: Any, b_ndim: int) -> None:
    """Raise ValueError unless both have the number of dimensions that `name` is about."""
    if a.ndim != a_ndim or b.ndim != b_ndim:
        raise ValueError(
            f"{name}: takes {a_ndim} and {b_ndim} dimensions, got shapes {a.shape} and {b.shape}. "
            "matmul takes any that fit."
        )


def dot(a: Any, b: Any) -> Any:
    """Sum of the products of two vectors of one length."""
    require_ndim("dot", a, 1, b, 1)
    return matmul(a, b)


def mv(a: Any, b: Any) -> Any:
    """Matrix times vector."""
    require_ndim("mv", a, 2, b, 1)
    return matmul(a, b)


def mm(a: Any, b: Any) -> Any:
    """Matrix times matrix."""
    require_ndim("mm", a, 2, b, 2)
    return matmul(a, b)


def bmm(a: Any, b: Any) -> Any:
    """As many matrix products as the batch is long: (batch, n, m) @ (batch, m, p)."""
    require_ndim("bmm", a, 3, b, 3)
    if a.shape[0] != b.shape[0]:
        raise ValueError(
            f"bmm: batches of {a.shape[0]} and {b.shape[0]} differ in {a.shape} and {b.shape}. "
            "matmul broadcasts them."
        )
    return matmul(a, b)


def outer(a: Any, b: Any) -> Any:
    """Every element of one vector times every element of another."""
    require_ndim("outer", a, 1, b, 1)
    return a.unsqueeze(1) * b


def addmm(x: Any, a: Any, b: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """`beta * x + alpha * (a @ b)`, for matrices a and b."""
    return beta * x + alpha * mm(a, b)


# ---- sums of products, spelled with letters --------------------------------------------------


def einsum(equation: str, *operands: Any) -> Any:
    """Sum of products by letters: "ij,jk->ik" is a matrix product; what is not kept is summed.

    A letter twice in one operand means its diagonal; "..." stands for any leading dimensions.
    Without "->" the result keeps, in alphabetical order, the letters that appear once.
    """
    several = len(operands) == 1 and isinstance(operands[0], list | tuple)
    given = list(operands[0] if several else operands)
    inputs, output = spelled_out(equation, [each.ndim for each in given])
    for k, letters in enumerate(inputs):
        for letter in sorted(set(letters)):
            while inputs[k].count(letter) > 1:
                first, last = inputs[k].index(letter), inputs[k].rindex(letter)
                if given[k].shape[first] != given[k].shape[last]:
                    raise ValueError(
                        f"einsum: {letter} twice in one operand is its diagonal, but that of "
                        f"{equation!r} has shape {given[k].shape}."
                    )
                given[k] = diagonal(given[k], 0, first, last)
                rest = [c for place, c in enumerate(inputs[k]) if place not in (first, last)]
                inputs[k] = "".join(rest) + letter
    sizes_of_letters(inputs, given)
    return sum_of_products(*given, inputs=tuple(inputs), output=output)


def sizes_of_letters(inputs: Sequence[str], operands: Sequence[Any]) -> dict[str, int]:
    """How many elements each letter of `einsum` stands for; ValueError when operands disagree."""
    sizes: dict[str, int] = {}
    for letters, operand in zip(inputs, operands, strict=True):
        for letter, size in zip(letters, operand.shape, strict=True):
            known = sizes.setdefault(letter, size)
            if size not in (1, known) and known != 1:
                raise ValueError(f"einsum: {letter} stands for {known} and for {size} elements.")
            sizes[letter] = known if size == 1 else size
    return sizes


def spelled_out(equation: str, ndims: list[int]) -> tuple[list[str], str]:
    """The letters of every operand and of the output, "..." replaced by letters not used yet."""
    left, arrow, output = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    free = [letter for letter in string.ascii_letters if letter not in equation]
    if len(terms) != len(ndims):
        raise ValueError(f"einsum: {equation!r} names {len(terms)} operands, got {len(ndims)}.")
    inputs, widest = [], ""
    for term, ndim in zip(terms, ndims, strict=True):
        named = term.replace("...", "", 1)
        missing = ndim - len(named)
        fits = missing >= 0 if "..." in term else missing == 0
        if not fits or not set(named) <= set(string.ascii_letters):
            raise ValueError(
                f"einsum: {term!r} in {equation!r} does not describe {ndim} dimensions. Give each "
                "a letter, or ... for those in front."
            )
        dots = "".join(free[len(free) - missing :]) if missing else ""
        widest = dots if len(dots) > len(widest) else widest
        inputs.append(term.replace("...", dots))
    if not arrow:
        every = "".join(terms).replace("...", "")
        output = "..." + "".join(
            letter for letter in sorted(set(every)) if every.count(letter) == 1
        )
    spelled = output.replace("...", widest)
    if len(set(spelled)) != len(spelled) or not set(spelled) <= set("".join(inputs)):
        raise ValueError(
            f"einsum: the output of {equation!r} may name each letter once, and only letters that "
            "an operand has."
        )
    return inputs, spelled


@op
def sum_of_products(*operands: np.ndarray, inputs: tuple[str, ...], output: str) -> Any:
    """The op behind `einsum`: its letters are spelled out, none is twice in one operand."""
    sizes = sizes_of_letters(inputs, operands)
    value = np.einsum(f"{','.join(inputs)}->{output}", *operands, optimize=len(operands) > 1)

    def rule_for(place: int) -> Any:
        letters = inputs[place]
        others = operands[:place] + operands[place + 1 :]
        spelled = (output, *inputs[:place], *inputs[place + 1 :])
        reached = "".join(letter for letter in letters if letter in "".join(spelled))
        kept = [sizes[letter] if letter in reached else 1 for letter in letters]
        full = [sizes[letter] for letter in letters]

        def back(grad: Any) -> Any:
            # The gradient takes the operand's place, and the operand's letters the output's.
            product = in_rule(sum_of_products, grad, *others, inputs=spelled, output=reached)
            return np.broadcast_to(product.reshape(kept), full)

        return back

    return value, tuple(rule_for(place) for place in range(len(inputs)))
