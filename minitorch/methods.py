"""The ops as methods and operators of a tensor: `x.exp()`, `x + y`, `x[0]`.

Each line makes one op a method. Leans on all op modules.
"""

# Grown in notebooks: 2_04_indexing. Edit there, then `make extract`.

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minitorch import (
    activations,
    comparisons,
    diagonals,
    indexing,
    joining,
    lengths,
    mathematics,
    operations,
    products,
    reductions,
    scans,
    selecting,
    shapes,
    strided,
)

if TYPE_CHECKING:
    from minitorch.tensor import Tensor

__all__ = ["Methods"]


class Methods:
    """What a tensor inherits: every op under its name, and Python's operators."""

    # ---- operators ---------------------------------------------------------------------------

    __neg__ = neg = negative = operations.neg
    __abs__ = abs = absolute = operations.abs
    __add__ = __radd__ = add = operations.add
    __mul__ = __rmul__ = mul = multiply = operations.mul
    __sub__ = sub = subtract = operations.sub
    __truediv__ = div = divide = true_divide = operations.div
    __pow__ = pow = operations.pow
    __matmul__ = matmul = operations.matmul
    __floordiv__ = floor_divide = mathematics.floor_divide
    __mod__ = remainder = mathematics.remainder
    fmod = mathematics.fmod

    def __rsub__(self, other: Any) -> Tensor:
        return operations.sub(other, self)

    def __rtruediv__(self, other: Any) -> Tensor:
        return operations.div(other, self)

    def __rpow__(self, other: Any) -> Tensor:
        return operations.pow(other, self)

    def __rmatmul__(self, other: Any) -> Tensor:
        return operations.matmul(other, self)

    def __rfloordiv__(self, other: Any) -> Tensor:
        return mathematics.floor_divide(other, self)

    def __rmod__(self, other: Any) -> Tensor:
        return mathematics.remainder(other, self)

    def __getitem__(self, index: Any) -> Tensor:
        picked: Any = self
        for step in indexing.ints_first(indexing.plain_index(index)):
            picked = indexing.getitem(picked, step)
        return picked

    # A comparison gives a tensor of booleans, as in numpy, not the one bool that object promises.
    def __eq__(self, other: Any) -> Any:
        return other is not None and comparisons.eq(self, other)

    def __ne__(self, other: Any) -> Any:
        return other is None or comparisons.ne(self, other)

    __hash__ = object.__hash__  # as it must be said where __eq__ is
    eq = comparisons.eq
    ne = comparisons.ne
    __lt__ = lt = less = comparisons.lt
    __le__ = le = less_equal = comparisons.le
    __gt__ = gt = greater = comparisons.gt
    __ge__ = ge = greater_equal = comparisons.ge
    __and__ = __rand__ = bitwise_and = comparisons.bitwise_and
    __or__ = __ror__ = bitwise_or = comparisons.bitwise_or
    __xor__ = __rxor__ = bitwise_xor = comparisons.bitwise_xor
    __invert__ = bitwise_not = comparisons.bitwise_not

    # ---- element by element ------------------------------------------------------------------

    exp = operations.exp
    log = operations.log
    sqrt = operations.sqrt
    square = operations.square
    reciprocal = operations.reciprocal
    sin = operations.sin
    cos = operations.cos
    tanh = operations.tanh
    sigmoid = operations.sigmoid
    relu = operations.relu
    maximum = operations.maximum
    minimum = operations.minimum
    masked_fill = operations.masked_fill
    clamp = clip = operations.clamp

    exp2 = mathematics.exp2
    expm1 = mathematics.expm1
    log2 = mathematics.log2
    log10 = mathematics.log10
    log1p = mathematics.log1p
    logit = mathematics.logit
    rsqrt = mathematics.rsqrt
    logaddexp = mathematics.logaddexp
    xlogy = mathematics.xlogy
    erf = mathematics.erf
    tan = mathematics.tan
    sinc = mathematics.sinc
    asin = arcsin = mathematics.asin
    acos = arccos = mathematics.acos
    atan = arctan = mathematics.atan
    atan2 = arctan2 = mathematics.atan2
    hypot = mathematics.hypot
    sinh = mathematics.sinh
    cosh = mathematics.cosh
    asinh = arcsinh = mathematics.asinh
    acosh = arccosh = mathematics.acosh
    atanh = arctanh = mathematics.atanh
    sign = mathematics.sign
    floor = mathematics.floor
    ceil = mathematics.ceil
    trunc = mathematics.trunc
    frac = mathematics.frac
    round = mathematics.round
    lerp = mathematics.lerp
    addcmul = mathematics.addcmul
    addcdiv = mathematics.addcdiv
    clamp_min = mathematics.clamp_min
    clamp_max = mathematics.clamp_max

    gelu = activations.gelu
    silu = swish = activations.silu
    elu = activations.elu
    leaky_relu = activations.leaky_relu
    relu6 = activations.relu6
    softplus = activations.softplus
    hardswish = activations.hardswish
    mish = activations.mish

    def where(self, condition: Any, other: Any) -> Tensor:
        """Self where `condition` is true, else `other`."""
        return operations.where(condition, self, other)

    isclose = comparisons.isclose
    allclose = comparisons.allclose
    equal = comparisons.equal
    isnan = comparisons.isnan
    isinf = comparisons.isinf
    isfinite = comparisons.isfinite
    logical_and = comparisons.logical_and
    logical_or = comparisons.logical_or
    logical_xor = comparisons.logical_xor
    logical_not = comparisons.logical_not

    # ---- products ----------------------------------------------------------------------------

    dot = products.dot
    mv = products.mv
    mm = products.mm
    bmm = products.bmm
    outer = products.outer
    addmm = products.addmm

    # ---- reductions and scans ----------------------------------------------------------------

    sum = reductions.sum
    mean = reductions.mean
    var = reductions.var
    std = reductions.std
    prod = reductions.prod
    amax = reductions.amax
    amin = reductions.amin
    norm = lengths.norm
    logsumexp = reductions.logsumexp
    any = reductions.any
    all = reductions.all
    count_nonzero = reductions.count_nonzero
    cumsum = scans.cumsum
    cumprod = scans.cumprod

    # ---- movement ----------------------------------------------------------------------------

    reshape = view = shapes.reshape
    flatten = shapes.flatten
    ravel = shapes.ravel
    unflatten = shapes.unflatten
    squeeze = shapes.squeeze
    unsqueeze = shapes.unsqueeze
    permute = shapes.permute
    transpose = swapaxes = shapes.transpose
    movedim = moveaxis = shapes.movedim
    flip = shapes.flip
    roll = shapes.roll
    expand = broadcast_to = shapes.expand
    expand_as = shapes.expand_as
    view_as = reshape_as = shapes.reshape_as
    repeat = shapes.repeat
    tile = shapes.tile
    shrink = shapes.shrink
    stride = shapes.stride
    tril = diagonals.tril
    triu = diagonals.triu
    diagonal = diagonals.diagonal
    diag = diagonals.diag
    trace = diagonals.trace
    unfold = strided.unfold
    as_strided = strided.as_strided
    t = shapes.t
    T = property(shapes.all_turned)
    mT = property(shapes.transpose)

    pad = joining.pad
    split = joining.split
    chunk = joining.chunk
    unbind = joining.unbind
    repeat_interleave = joining.repeat_interleave

    # ---- picking and placing -----------------------------------------------------------------

    index_select = indexing.index_select
    narrow = indexing.narrow
    select = indexing.select
    masked_select = indexing.masked_select
    nonzero = indexing.nonzero
    argwhere = indexing.argwhere
    gather = indexing.gather
    take_along_dim = indexing.take_along_dim
    scatter = indexing.scatter
    scatter_add = indexing.scatter_add
    index_add = indexing.index_add

    max = selecting.max
    min = selecting.min
    argmax = selecting.argmax
    argmin = selecting.argmin
    sort = selecting.sort
    argsort = selecting.argsort
    topk = selecting.topk
    median = selecting.median
    unique = selecting.unique
    bincount = selecting.bincount
