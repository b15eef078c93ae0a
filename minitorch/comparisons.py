"""Questions with yes or no for an answer: tensors of booleans, no gradient. Leans on `op`."""

# Grown in notebooks: 2_02_operations. Edit there, then `make extract`.

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.op import op

__all__ = [
    "allclose",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "eq",
    "equal",
    "ge",
    "gt",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "le",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "lt",
    "ne",
]


# ---- comparisons ------------------------------------------------------------------------------


@op
def eq(a, b):
    """Where a equals b."""
    return a == b, None


@op
def ne(a, b):
    """Where a differs from b."""
    return a != b, None


@op
def lt(a, b):
    """Where a is less than b."""
    return a < b, None


@op
def le(a, b):
    """Where a is at most b."""
    return a <= b, None


@op
def gt(a, b):
    """Where a is greater than b."""
    return a > b, None


@op
def ge(a, b):
    """Where a is at least b."""
    return a >= b, None


@op
def isclose(a, b, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False):
    """Where a and b differ by at most atol + rtol * |b|."""
    if not (rtol >= 0 and atol >= 0):
        raise ValueError(f"isclose: rtol and atol must not be negative: {rtol} and {atol}.")
    return np.isclose(a, b, rtol, atol, equal_nan), None


def allclose(
    a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Whether a and b are close everywhere."""
    return bool(isclose(a, b, rtol, atol, equal_nan).array.all())


def equal(a: Any, b: Any) -> bool:
    """Whether a and b have the same shape and elements."""
    return a.shape == b.shape and bool(eq(a, b).array.all())


# ---- what kind of number ----------------------------------------------------------------------


@op
def isnan(x):
    """Where x is not a number."""
    return np.isnan(x), None


@op
def isinf(x):
    """Where x is infinite."""
    return np.isinf(x), None


@op
def isfinite(x):
    """Where x is neither infinite nor nan."""
    return np.isfinite(x), None


# ---- logic: of numbers, 0 is false ------------------------------------------------------------


@op
def logical_and(a, b):
    """Where both are true."""
    return np.logical_and(a, b), None


@op
def logical_or(a, b):
    """Where at least one is true."""
    return np.logical_or(a, b), None


@op
def logical_xor(a, b):
    """Where exactly one is true."""
    return np.logical_xor(a, b), None


@op
def logical_not(x):
    """Where x is false."""
    return np.logical_not(x), None


# ---- bits: of integers and booleans -----------------------------------------------------------


@op
def bitwise_and(a, b):
    """`a & b`."""
    return a & b, None


@op
def bitwise_or(a, b):
    """`a | b`."""
    return a | b, None


@op
def bitwise_xor(a, b):
    """`a ^ b`."""
    return a ^ b, None


@op
def bitwise_not(x):
    """`~x`."""
    return ~x, None
