"""Modules and optimizers on PyTorch's samples: the same state, the same numbers.

Leans on `compare`, which knows how one sample is compared.
"""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import numpy as np
import torch

import minitorch
from minitorch import functional, nn, optim
from tests.conformance.compare import (
    DiffersError,
    Tally,
    compare_gradients,
    converted,
    expect_equal,
    offered,
)
from tests.conformance.exclusions import (
    module_error_reason,
    module_reason,
    optimizer_error_reason,
)

STEPS = 100
DTYPES = (torch.float64, torch.float32)


def run_module(info: Any) -> Tally | str:
    """Forward, and the gradients of inputs and parameters, while training and in use."""
    ours = getattr(nn, info.module_cls.__name__, None)
    if ours is None:
        return "modules that the course does not build"
    tally = Tally()
    for dtype in DTYPES:
        for training in (True, False) if info.train_and_eval_differ else (True,):
            torch.manual_seed(0)
            for sample in info.module_inputs_func(
                info, device="cpu", dtype=dtype, requires_grad=True, training=training
            ):
                if reason := module_reason(info.name, sample):
                    tally.exclude(reason)
                    continue
                given = sample.constructor_input
                words = f"{dtype} {sample.desc} {given.args} {given.kwargs}"
                tally.run(words, compare_module, info, ours, sample, dtype, training)
    if info.module_error_inputs_func is not None:
        for wrong in info.module_error_inputs_func(info, "cpu", torch.float32, True, True):
            given = wrong.module_error_input.constructor_input
            words = f"{given.args} {given.kwargs} {wrong.error_regex}"
            if reason := module_error_reason(info.name):
                tally.take(reason)
                continue
            tally.expect_refusal(words, build_and_run, ours, wrong.module_error_input)
    return tally


def build(cls: Any, sample: Any) -> Any:
    """The module that a sample asks for."""
    given = sample.constructor_input
    return cls(
        *converted([our_part(arg) for arg in given.args]), **offered(cls, converted(given.kwargs))
    )


def our_part(layer: Any) -> Any:
    """Ours for what a module of PyTorch's is built from: a function, or a layer of Transformers."""
    if not isinstance(layer, torch.nn.Module):
        return getattr(functional, layer.__name__) if callable(layer) else layer
    theirs: Any = layer
    if theirs.linear1.bias is None:
        raise NotImplementedError("the setting `bias` is not offered")
    return nn.TransformerEncoderLayer(
        theirs.linear1.in_features,
        theirs.self_attn.num_heads,
        theirs.linear1.out_features,
        theirs.dropout.p,
        theirs.activation.__name__,
        batch_first=theirs.self_attn.batch_first,
        norm_first=theirs.norm_first,
    )


def build_and_run(cls: Any, sample: Any) -> Any:
    """What the module makes of the sample's input."""
    module = build(cls, sample)
    return sample.forward_input and module(*converted(sample.forward_input.args))


def compare_module(info: Any, ours: Any, sample: Any, dtype: Any, training: bool) -> None:
    """Run one sample on both sides; raises what fails."""
    given = sample.constructor_input
    reference = info.module_cls(*given.args, **given.kwargs).to(dtype).train(training)
    module = build(ours, sample).to(np.dtype(str(dtype).removeprefix("torch."))).train(training)
    kept = module.state_dict()  # a loss has no state here; its weights came with its settings
    state = {name: each for name, each in reference.state_dict().items() if name in kept}
    module.load_state_dict({name: each.numpy() for name, each in state.items()})
    inputs, named = tuple(sample.forward_input.args), {**sample.forward_input.kwargs}
    inputs += tuple(named.pop(name) for name in ("input",) if name in named)  # x by place here
    mine_in, mine_named = converted(inputs), offered(module.forward, converted(named))
    theirs, mine = reference(*inputs, **named), module(*mine_in, **mine_named)
    expect_equal(mine, theirs, "value")
    parameters = dict(module.named_parameters())
    theirs_in = [inputs, named, [each for _, each in reference.named_parameters()]]
    names = [name for name, _ in reference.named_parameters()]
    if names != list(parameters):
        raise DiffersError(f"parameters {list(parameters)}, PyTorch's {names}")
    mine_in = [mine_in, mine_named, list(parameters.values())]
    compare_gradients(mine_in, mine, theirs_in, theirs, Tally())
    for name, each in state.items():
        expect_equal(module.state_dict()[name], each, name)


def run_optimizer(info: Any) -> Tally | str:
    """A hundred steps with the same gradients from the same weights, for each setting."""
    ours = getattr(optim, info.optim_cls.__name__, None)
    if ours is None:
        return "optimizers that the course does not build"
    tally = Tally()
    for sample in info.optim_inputs_func(device="cpu"):
        if any(isinstance(value, torch.Tensor) for value in sample.kwargs.values()):
            tally.exclude("settings as tensors")
            continue
        with patch.object(torch.Tensor, "bfloat16", torch.Tensor.clone):  # in which Muon iterates
            tally.run(sample.desc, compare_optimizer, info, ours, sample.kwargs)
    for wrong in info.optim_error_inputs_func(device="cpu", dtype=torch.float32):
        given = wrong.optimizer_error_input
        if wrong.error_type is UserWarning:
            continue
        if reason := optimizer_error_reason(info.optim_cls.__name__, given.desc):
            tally.take(reason)
            continue
        tally.expect_refusal(given.desc, build_optimizer, ours, given)
    return tally


def build_optimizer(cls: Any, given: Any) -> Any:
    """The optimizer that a sample asks for."""
    return cls(my_parameters(given.params, {}), **converted(given.kwargs))


def my_parameters(tree: Any, made: dict[int, Any]) -> Any:
    """Parameters, or groups of them, as ours; one that is named twice is one here too."""
    if isinstance(tree, torch.Tensor):
        return made.setdefault(id(tree), nn.Parameter(tree.detach().numpy().copy()))
    if isinstance(tree, dict):
        return {key: my_parameters(value, made) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)([my_parameters(each, made) for each in tree])
    return tree


def compare_optimizer(info: Any, ours: Any, settings: dict[str, Any]) -> None:
    """Run one setting on both sides; raises what fails."""
    random = np.random.default_rng(0)
    matrices: list[tuple[int, ...]] = [(5, 3), (3, 4)]
    shapes = matrices if ours is optim.Muon else [(5, 3), (3,), ()]
    values = [np.asarray(random.standard_normal(shape)) for shape in shapes]
    theirs = [torch.nn.Parameter(torch.from_numpy(value.copy())) for value in values]
    mine = [nn.Parameter(value.copy()) for value in values]
    reference = info.optim_cls(theirs, **settings)
    optimizer = ours(mine, **offered(ours, converted(settings)))
    for _ in range(STEPS):
        for one, other in zip(mine, theirs, strict=True):
            grad = np.asarray(random.standard_normal(one.shape))
            one.grad, other.grad = minitorch.Tensor(grad), torch.from_numpy(grad.copy())
        optimizer.step()
        reference.step()
    for number, (one, other) in enumerate(zip(mine, theirs, strict=True)):
        expect_equal(one, other, f"parameter {number} after {STEPS} steps")
