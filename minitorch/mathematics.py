"""The other functions of a pocket calculator. Leans on `op` and `operations`."""

# Grown in notebooks: 2_02_operations. Edit there, then `make extract`.

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minitorch.op import masked, op
from minitorch.operations import clamp, logistic, refuse_division_by_zero

__all__ = [
    "acos",
    "acosh",
    "addcdiv",
    "addcmul",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "ceil",
    "clamp_max",
    "clamp_min",
    "cosh",
    "erf",
    "erf_of_each",
    "exp2",
    "expm1",
    "floor",
    "floor_divide",
    "fmod",
    "frac",
    "hypot",
    "lerp",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logit",
    "remainder",
    "round",
    "rsqrt",
    "sign",
    "sinc",
    "sinh",
    "tan",
    "trunc",
    "xlogy",
]


# ---- exponentials and logarithms --------------------------------------------------------------


@op
def exp2(x):
    """2 to the power of x."""
    y = np.exp2(x)
    return y, lambda grad: grad * y * math.log(2)


@op
def expm1(x):
    """`exp(x) - 1`, also precise where x is tiny."""
    y = np.expm1(x)
    return y, lambda grad: grad * (y + 1)


@op
def log2(x):
    """Logarithm with base 2."""
    return np.log2(x), lambda grad: grad / (x * math.log(2))


@op
def log10(x):
    """Logarithm with base 10."""
    return np.log10(x), lambda grad: grad / (x * math.log(10))


@op
def log1p(x):
    """`log(1 + x)`, also precise where x is tiny."""
    return np.log1p(x), lambda grad: grad / (1 + x)


@op
def rsqrt(x):
    """1 / sqrt(x)."""
    y = 1 / np.sqrt(x)
    return y, lambda grad: grad * y**3 / -2


@op
def logit(x, eps: float | None = None):
    """`log(x / (1 - x))`, the inverse of the sigmoid: what a probability was as a score.

    With `eps`, x is first cut off at eps and 1 - eps.
    """
    if eps is None:
        return np.log(x / (1.0 - x)), lambda grad: grad / (x * (1 - x))

    def inside(x):
        return np.minimum(np.maximum(x, eps), 1 - eps)

    return np.log(
        inside(x) / (1 - inside(x))
    ), lambda grad: masked(grad, (x >= eps) & (x <= 1 - eps)) / (inside(x) * (1 - inside(x)))


@op
def logaddexp(a, b):
    """`log(exp(a) + exp(b))`, without overflow."""
    return np.logaddexp(a, b), (
        lambda grad: grad * logistic(a - b),
        lambda grad: grad * logistic(b - a),
    )


@op
def xlogy(x, y):
    """`x * log(y)`, and 0 wherever x is 0: as entropies count what never happens."""
    never = (x == 0) & ~np.isnan(y)
    no_log = never & (y <= 0)  # x is told nothing by a logarithm that there is not
    return np.where(never, 0, x * np.log(np.where(never, 1, y))), (
        lambda grad: masked(grad * np.log(np.where(no_log, 1, y)), ~no_log),
        lambda grad: grad * x / y,
    )


# ---- the bell curve's integral ----------------------------------------------------------------

erf_of_each: Any = np.frompyfunc(math.erf, 1, 1)  # numpy has none; this is Python's


@op
def erf(x):
    """Error function: 2 / sqrt(pi) times the integral of exp(-t²) from 0 to x."""
    kind = x.dtype if x.dtype.kind == "f" else np.float32
    return np.asarray(
        erf_of_each(x), kind
    ), lambda grad: grad * (2 / math.sqrt(math.pi)) * np.exp(-x * x)


# ---- waves and angles -------------------------------------------------------------------------


@op
def tan(x):
    """Tangent of x in radians."""
    y = np.tan(x)
    return y, lambda grad: grad * (1 + y * y)


@op
def sinc(x):
    """sin(pi x) / (pi x), and 1 at 0: the wave that a sampled impulse stands for."""
    y = np.sinc(x)
    return y, lambda grad: masked(grad * (np.cos(np.pi * x) - y) / np.where(x == 0, 1, x), x != 0)


@op
def asin(x):
    """Angle, from -pi/2 to pi/2, whose sine is x."""
    return np.arcsin(x), lambda grad: grad / np.sqrt(1 - x * x)


@op
def acos(x):
    """Angle, from 0 to pi, whose cosine is x."""
    return np.arccos(x), lambda grad: -grad / np.sqrt(1 - x * x)


@op
def atan(x):
    """Angle, from -pi/2 to pi/2, whose tangent is x."""
    return np.arctan(x), lambda grad: grad / (1 + x * x)


@op
def atan2(y, x):
    """Angle of the point (x, y) seen from the origin, from -pi to pi."""
    origin = (x == 0) & (y == 0)  # there is no slope there: it is taken as 0
    return np.arctan2(y, x), (
        lambda grad: grad * x / (x * x + y * y + origin),
        lambda grad: -grad * y / (x * x + y * y + origin),
    )


@op
def hypot(a, b):
    """`sqrt(a * a + b * b)`, the long side of a right triangle, without overflow on the way."""
    y = np.hypot(a, b)
    # at 0, the corner, there is no slope: it is taken as 0
    return y, (lambda grad: grad * a / (y + (y == 0)), lambda grad: grad * b / (y + (y == 0)))


@op
def sinh(x):
    """Hyperbolic sine."""
    return np.sinh(x), lambda grad: grad * np.cosh(x)


@op
def cosh(x):
    """Hyperbolic cosine."""
    return np.cosh(x), lambda grad: grad * np.sinh(x)


@op
def asinh(x):
    """Inverse of the hyperbolic sine."""
    return np.arcsinh(x), lambda grad: grad / np.sqrt(x * x + 1)


@op
def acosh(x):
    """Inverse of the hyperbolic cosine, for x from 1 on."""
    return np.arccosh(x), lambda grad: grad / np.sqrt(x * x - 1)


@op
def atanh(x):
    """Inverse of the hyperbolic tangent, for x between -1 and 1."""
    return np.arctanh(x), lambda grad: grad / (1 - x * x)


# ---- steps: flat nearly everywhere, so the gradient is 0 --------------------------------------


@op
def sign(x):
    """-1, 0 or 1."""
    return np.sign(x), lambda grad: masked(grad, False)


@op
def floor(x):
    """Largest whole number that is at most x."""
    return np.floor(x), lambda grad: masked(grad, False)


@op
def ceil(x):
    """Smallest whole number that is at least x."""
    return np.ceil(x), lambda grad: masked(grad, False)


@op
def trunc(x):
    """`x` without its fraction."""
    return np.trunc(x), lambda grad: masked(grad, False)


@op
def frac(x):
    """What `trunc` takes away: the fraction, with the sign of x."""
    return x - np.trunc(x), lambda grad: grad


@op
def round(x, decimals: int = 0):
    """Nearest whole number, or the nearest with so many decimals; halves go to the even one."""
    return np.round(x, decimals), lambda grad: masked(grad, False)


@op
def floor_divide(a, b):
    """`a / b`, rounded down; the gradient is 0."""
    refuse_division_by_zero("floor_divide", a, b)
    return a // b, (lambda grad: masked(grad, False), lambda grad: masked(grad, False))


@op
def remainder(a, b):
    """What is left of a after taking away whole b's; it has the sign of b, as Python's %."""
    refuse_division_by_zero("remainder", a, b)
    return a % b, (lambda grad: grad, lambda grad: -grad * (a // b))


@op
def fmod(a, b):
    """What is left of a after taking away whole b's; it has the sign of a, as C's %."""
    refuse_division_by_zero("fmod", a, b)
    return np.fmod(a, b), (lambda grad: grad, lambda grad: -grad * np.trunc(a / b))


# ---- between two points -----------------------------------------------------------------------


@op
def lerp(start, end, weight):
    """On the way from `start` (weight 0) to `end` (weight 1)."""
    return start + weight * (end - start), (
        lambda grad: grad * (1 - weight),
        lambda grad: grad * weight,
        lambda grad: grad * (end - start),
    )


@op
def addcmul(x, a, b, *, value: float = 1):
    """`x + value * a * b`."""
    return x + value * a * b, (
        lambda grad: grad,
        lambda grad: grad * value * b,
        lambda grad: grad * value * a,
    )


@op
def addcdiv(x, a, b, *, value: float = 1):
    """`x + value * a / b`: the step of Adam."""
    return x + value * a / b, (
        lambda grad: grad,
        lambda grad: grad * value / b,
        lambda grad: -grad * value * a / (b * b),
    )


def clamp_min(x: Any, min: Any) -> Any:
    """`x`, but at least `min`."""
    return clamp(x, min=min)


def clamp_max(x: Any, max: Any) -> Any:
    """`x`, but at most `max`."""
    return clamp(x, max=max)
