"""One sample of PyTorch's database, run on both sides: value, dtype, gradient, second gradient.

Nothing of PyTorch's is copied: its samples are taken from the installed package as it runs.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

import minitorch
from minitorch import functional
from minitorch.autograd import grad
from tests.conformance.exclusions import PYTORCH_DEFAULTS, settings_reason

Tensor = minitorch.Tensor
TOLERANCES = {  # relative, absolute
    np.dtype(np.float16): (1e-2, 1e-3),
    np.dtype(np.float32): (2e-5, 2e-5),
    np.dtype(np.float64): (1e-10, 1e-10),
}

# Where and how a tensor lies in memory: we have one device, and numpy's layouts.
ONE_WAY_ONLY = {"device", "layout", "memory_format", "pin_memory", "non_blocking"}


class DiffersError(AssertionError):
    """The two sides disagree."""


@dataclass
class Tally:
    """What became of one operator's samples."""

    passed: int = 0
    failures: list[str] = field(default_factory=list)
    excluded: dict[str, int] = field(default_factory=dict)
    refused: int = 0
    not_refused: list[str] = field(default_factory=list)
    taken: dict[str, int] = field(default_factory=dict)
    twice: int = 0
    not_twice: int = 0

    def exclude(self, reason: str) -> None:
        """Count a sample that was not run."""
        self.excluded[reason] = self.excluded.get(reason, 0) + 1

    def take(self, reason: str) -> None:
        """Count an input that PyTorch refuses and that we take on purpose."""
        self.taken[reason] = self.taken.get(reason, 0) + 1

    def run(self, words: str, compare: Callable[..., None], *given: Any) -> None:
        """Count a comparison, which raises where the two sides differ."""
        try:
            compare(*given)
            self.passed += 1
        except NotImplementedError as error:
            self.exclude(str(error))
        except Exception as error:
            if reason := settings_reason(error):
                self.exclude(reason)
                return
            kind = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
            self.failures.append(f"{words}: {kind}{error}"[:600])

    def expect_refusal(self, words: str, call: Callable[..., Any], *given: Any) -> None:
        """Count what PyTorch refuses, and we must refuse too."""
        try:
            call(*given)
        except (ValueError, TypeError, IndexError, RuntimeError, ArithmeticError) as error:
            self.refused += not settings_reason(error)
        except Exception as error:
            self.not_refused.append(f"{error!r} for {words}")
        else:
            self.not_refused.append(words)


def adaptive_max_pool2d(x: Any, output_size: Any, return_indices: bool = False) -> Any:
    """Ours, called as the database does: whether places are wanted too is in third place."""
    if return_indices:
        raise NotImplementedError("the setting `return_indices` is not offered")
    return functional.adaptive_max_pool2d(x, output_size)


def to(x: Any, *kinds: Any) -> Any:
    """Ours without the device and the two settings of how it is copied there: we have one."""
    return x.to(*[kind for kind in kinds if not isinstance(kind, bool | str | torch.device)])


# Where the database calls an operator with its arguments in another order than users do, by place
# with settings that change nothing in the result, or on a copy of its input.
REORDERED: dict[str, Callable[..., Any]] = {
    "to": to,
    "zero_": lambda x: x.clone().zero_(),
    "cdist": lambda x1, x2, p=2.0, compute_mode=None: minitorch.cdist(x1, x2, p),
    "nn.functional.adaptive_max_pool2d": adaptive_max_pool2d,
    "einsum": lambda operands, equation: minitorch.einsum(equation, *operands),
    "where": lambda x, condition, other: minitorch.where(condition, x, other),
    "nn.functional.embedding": lambda weight, index, **settings: functional.embedding(
        index, weight, **settings
    ),
}


def ours(name: str) -> Callable[..., Any] | None:
    """Our function for PyTorch's operator `name`, None where there is none."""
    if name in REORDERED:
        return REORDERED[name]
    if name.startswith("nn.functional."):
        return getattr(functional, name.removeprefix("nn.functional."), None)
    if callable(getattr(minitorch, name, None)):
        return getattr(minitorch, name)
    method = getattr(Tensor, name, None)
    return (lambda x: getattr(x, name)) if isinstance(method, property) else method


def leaves(tree: Any, kind: type) -> Iterator[Any]:
    """The tensors in nested tuples, lists and dicts, in order."""
    if isinstance(tree, kind):
        yield tree
    elif isinstance(tree, list | tuple):
        for each in tree:
            yield from leaves(each, kind)
    elif isinstance(tree, dict):
        yield from leaves(list(tree.values()), kind)


def converted(tree: Any) -> Any:
    """PyTorch's inputs as ours, with memory of their own; shape, strides and dtype are kept."""
    if isinstance(tree, torch.Tensor):
        if tree.dtype.is_complex or tree.dtype in (torch.bfloat16, torch.complex32):
            raise NotImplementedError("complex numbers and bfloat16, which numpy or we do not have")
        if tree.ndim > 64:
            raise NotImplementedError("more than 64 dimensions, which numpy does not have")
        memory = tree.detach().clone(memory_format=torch.preserve_format)
        return Tensor(memory.numpy(), requires_grad=tree.requires_grad)
    if isinstance(tree, torch.dtype):
        return np.dtype(str(tree).removeprefix("torch."))
    if isinstance(tree, torch.Size):
        return tuple(tree)
    if isinstance(tree, dict):
        return {key: converted(value) for key, value in tree.items() if key not in ONE_WAY_ONLY}
    if isinstance(tree, list | tuple):
        return type(tree)([converted(each) for each in tree])
    return tree


def offered(function: Callable[..., Any], settings: dict[str, Any]) -> dict[str, Any]:
    """The settings without those that we do not offer and that are at PyTorch's default anyway."""
    known = inspect.signature(function).parameters.values()
    if any(each.kind is each.VAR_KEYWORD for each in known):
        return settings
    names = {each.name for each in known}
    return {
        name: value
        for name, value in settings.items()
        if name in names or PYTORCH_DEFAULTS.get(name, ...) != value
    }


def expect_equal(mine: Any, theirs: Any, what: str) -> None:
    """Raise DiffersError unless both have the same structure, shapes, dtypes and values."""
    if isinstance(theirs, torch.Tensor):
        array = mine.array if isinstance(mine, Tensor) else np.asarray(mine)
        expected = theirs.detach().numpy(force=True)
        if array.shape != expected.shape:
            raise DiffersError(f"{what}: shape {array.shape}, PyTorch's {expected.shape}")
        if array.dtype != expected.dtype:
            raise DiffersError(f"{what}: {array.dtype}, PyTorch's {expected.dtype}")
        relative, absolute = TOLERANCES.get(array.dtype, (0, 0))
        if not np.allclose(array, expected, relative, absolute, equal_nan=True):
            raise DiffersError(f"{what}: largest difference {largest(array, expected):.2g}")
    elif isinstance(theirs, list | tuple):
        if len(mine) != len(theirs):
            raise DiffersError(f"{what}: {len(mine)} results, PyTorch's {len(theirs)}")
        for one, other in zip(mine, theirs, strict=True):
            expect_equal(one, other, what)
    elif mine != theirs and not (mine != mine and theirs != theirs):
        raise DiffersError(f"{what}: {mine!r:.60}, PyTorch's {theirs!r:.60}")


def largest(array: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference between two arrays, NaN where only one is."""
    with np.errstate(all="ignore"):
        return float(np.max(np.abs(array.astype(float) - expected.astype(float)), initial=0))


def run_sample(operator: Any, function: Callable[..., Any], sample: Any, tally: Tally) -> None:
    """Run one sample on both sides and compare; raises what fails."""
    inputs = (sample.input, *sample.args)
    mine_in, mine_settings = converted(inputs), offered(function, converted(sample.kwargs))
    theirs = operator.op(*inputs, **sample.kwargs)
    mine = function(*mine_in, **mine_settings)
    expect_equal(mine, theirs, "value")
    # Whatever PyTorch leaves alone we must leave alone; running statistics both have moved.
    expect_equal(list(leaves(mine_in, Tensor)), list(leaves(inputs, torch.Tensor)), "an input")
    compare_gradients((mine_in, mine_settings), mine, (inputs, sample.kwargs), theirs, tally)


def compare_gradients(mine_in: Any, mine: Any, theirs_in: Any, theirs: Any, tally: Tally) -> None:
    """Compare first gradients, and second ones where both sides have them."""
    sources = [each for each in leaves(theirs_in, torch.Tensor) if each.requires_grad]
    targets = [each for each in leaves(theirs, torch.Tensor) if each.requires_grad]
    if not sources or not targets:
        return
    my_sources = [each for each in leaves(mine_in, Tensor) if each.requires_grad]
    pairs = zip(leaves(mine, Tensor), leaves(theirs, torch.Tensor), strict=True)
    my_targets = [one for one, other in pairs if other.requires_grad]
    random = np.random.default_rng(0)
    weights = [random.standard_normal(tuple(each.shape)) for each in targets]
    their_weights = [
        torch.from_numpy(np.asarray(weight)).to(target.dtype)
        for weight, target in zip(weights, targets, strict=True)
    ]
    my_weights = [
        Tensor(np.asarray(w, t.array.dtype)) for w, t in zip(weights, my_targets, strict=True)
    ]
    expected = torch.autograd.grad(
        targets, sources, their_weights, create_graph=True, allow_unused=True
    )
    first = grad(my_targets, my_sources, my_weights, retain_graph=True, allow_unused=True)
    expect_gradients(first, expected, sources, "gradient")
    if targets[0].dtype == torch.float64:  # rounding errors of float32 are too large after squaring
        compare_second(my_targets, my_sources, my_weights, expected, sources, tally)


def expect_gradients(mine: Any, theirs: Any, sources: Any, what: str) -> None:
    """Compare gradients one by one; none at all counts as zeros."""
    for number, (one, other, source) in enumerate(zip(mine, theirs, sources, strict=True)):
        zeros = torch.zeros_like(source)
        one = Tensor(zeros.numpy()) if one is None else one
        expect_equal(one, zeros if other is None else other, f"{what} {number}")


def compare_second(
    targets: Any, sources: Any, weights: Any, expected: Any, their_sources: Any, tally: Tally
) -> None:
    """Compare the gradient of the squared first gradients, unless either side declines."""
    try:
        first = grad(targets, sources, weights, create_graph=True, allow_unused=True)
        mine_sum: Any = sum(
            ((each * each).sum() for each in first if each is not None), minitorch.tensor(0)
        )
        squares = [(each * each).sum() for each in expected if each is not None]
        theirs_sum = torch.stack(squares).sum() if squares else torch.zeros(())
        if not mine_sum.requires_grad and not theirs_sum.requires_grad:
            return  # a straight line: no second gradient on either side
        mine: Any = [None] * len(sources)
        theirs: Any = [None] * len(sources)
        if mine_sum.requires_grad:
            mine = grad(mine_sum, sources, allow_unused=True)
        if theirs_sum.requires_grad:
            theirs = torch.autograd.grad(theirs_sum, their_sources, allow_unused=True)
    except RuntimeError as error:
        if "differentiated twice" in str(error) or "derivative for" in str(error):
            tally.not_twice += 1
            return
        raise
    expect_gradients(mine, theirs, their_sources, "second gradient")
    tally.twice += 1
