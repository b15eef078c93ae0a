"""Optimizers, schedules and layers follow PyTorch step for step, within float32 rounding."""

from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import functional as F
from minitorch import nn, optim

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")

OPTIMIZERS = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.01}),
    ("Adam", {"lr": 0.01, "betas": (0.8, 0.95), "weight_decay": 0.1, "eps": 1e-6}),
    ("AdamW", {"lr": 0.01, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.01}),
    ("RMSprop", {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.1, "alpha": 0.9}),
    ("RMSprop", {"lr": 0.01, "momentum": 0.5, "centered": True}),
]


def pair_of_parameters(shapes):
    random = np.random.default_rng(0)
    values = [random.standard_normal(shape).astype(np.float32) for shape in shapes]
    ours = [nn.Parameter(value.copy()) for value in values]
    theirs = [torch.nn.Parameter(torch.tensor(value)) for value in values]
    return ours, theirs


@pytest.mark.parametrize("name, settings", OPTIMIZERS)
@pytest.mark.parametrize("shapes", [[(5, 3), (3,), ()], [(600, 500)]])
def test_optimizer_follows_torch_over_100_steps(name, settings, shapes):
    ours, theirs = pair_of_parameters(shapes)
    mine = getattr(optim, name)(ours, **settings)
    reference = getattr(torch.optim, name)(theirs, **settings)
    random = np.random.default_rng(1)
    for _ in range(100):
        for parameter, twin in zip(ours, theirs, strict=True):
            grad = random.standard_normal(parameter.shape).astype(np.float32)
            parameter.grad = minitorch.Tensor(np.asarray(grad))
            twin.grad = torch.tensor(grad)
        mine.step()
        reference.step()
    for parameter, twin in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(parameter.array, twin.detach().numpy(), rtol=2e-4, atol=2e-6)


MUON = [
    {},
    {"lr": 0.02, "nesterov": False, "weight_decay": 0.0},
    {"lr": 0.02, "momentum": 0.5, "ns_steps": 3},
]


@pytest.mark.parametrize("settings", MUON)
@pytest.mark.parametrize("exact", [True, False])
def test_muon_follows_torch_over_100_steps(settings, exact, monkeypatch):
    """PyTorch iterates in bfloat16, to 8 bits; in float32 its steps and ours are the same."""
    if exact:
        monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    ours, theirs = pair_of_parameters([(8, 36), (40, 10), (7, 7), (1, 5)])
    before = [parameter.array.copy() for parameter in ours]
    mine, reference = optim.Muon(ours, **settings), torch.optim.Muon(theirs, **settings)
    random = np.random.default_rng(1)
    for _ in range(100):
        for parameter, twin in zip(ours, theirs, strict=True):
            grad = random.standard_normal(parameter.shape).astype(np.float32)
            parameter.grad, twin.grad = minitorch.Tensor(grad), torch.tensor(grad)
        mine.step()
        reference.step()
    for parameter, twin, start in zip(ours, theirs, before, strict=True):
        way = np.linalg.norm(parameter.array - start)
        apart = np.linalg.norm(parameter.array - twin.detach().numpy())
        assert apart < (2e-5 if exact else 0.02) * way


SCHEDULES = [
    ("StepLR", {"step_size": 7, "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [5, 9, 20], "gamma": 0.3}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("LinearLR", {"start_factor": 0.1, "total_iters": 12}),
    ("CosineAnnealingLR", {"T_max": 40, "eta_min": 0.01}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 40}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 40, "pct_start": 0.2, "div_factor": 5.0}),
    ("LambdaLR", {"lr_lambda": lambda step: 1 / (1 + step)}),
]


@pytest.mark.parametrize("name, settings", SCHEDULES)
def test_schedule_follows_torch(name, settings):
    ours, theirs = pair_of_parameters([(2,)])
    mine = optim.SGD(ours, lr=0.2, momentum=0.9)
    reference = torch.optim.SGD(theirs, lr=0.2, momentum=0.9)
    schedule = getattr(optim.lr_scheduler, name)(mine, **settings)
    twin = getattr(torch.optim.lr_scheduler, name)(reference, **settings)
    for _ in range(39):
        assert mine.param_groups[0]["lr"] == pytest.approx(reference.param_groups[0]["lr"])
        expected = reference.param_groups[0]["momentum"]
        assert mine.param_groups[0]["momentum"] == pytest.approx(expected)
        schedule.step()
        reference.step()
        twin.step()


def test_plateau_schedule_follows_torch():
    ours, theirs = pair_of_parameters([(2,)])
    settings: Any = {"factor": 0.5, "patience": 2, "cooldown": 1, "min_lr": 0.01}
    mine, reference = optim.SGD(ours, lr=0.2), torch.optim.SGD(theirs, lr=0.2)
    schedule = optim.lr_scheduler.ReduceLROnPlateau(mine, **settings)
    twin = torch.optim.lr_scheduler.ReduceLROnPlateau(reference, **settings)
    metrics = [3.0, 2.0, 2.5, *[2.0] * 12, 1.0, 0.5, *[0.6] * 9]
    for metric in metrics:
        schedule.step(metric)
        twin.step(metric)
        assert mine.param_groups[0]["lr"] == pytest.approx(reference.param_groups[0]["lr"])


def test_warm_up_then_cosine_follows_torch():
    ours, theirs = pair_of_parameters([(2,)])

    def build(package, parameters):
        optimizer = package.optim.SGD(parameters, lr=0.2)
        rates = package.optim.lr_scheduler
        parts = [
            rates.LinearLR(optimizer, start_factor=0.1, total_iters=5),
            rates.CosineAnnealingLR(optimizer, T_max=20),
        ]
        return optimizer, rates.SequentialLR(optimizer, parts, milestones=[5])

    (mine, schedule), (reference, twin) = build(minitorch, ours), build(torch, theirs)
    for _ in range(24):
        assert mine.param_groups[0]["lr"] == pytest.approx(reference.param_groups[0]["lr"])
        schedule.step()
        reference.step()
        twin.step()


LAYERS = [
    (lambda package: package.nn.BatchNorm1d(4), (6, 4)),
    (lambda package: package.nn.BatchNorm1d(4, momentum=0.3, affine=False), (6, 4, 5)),
    (lambda package: package.nn.BatchNorm2d(3), (4, 3, 5, 2)),
    (lambda package: package.nn.BatchNorm2d(3, momentum=None), (4, 3, 5, 2)),
    (lambda package: package.nn.BatchNorm2d(3, track_running_stats=False), (4, 3, 5, 2)),
    (lambda package: package.nn.LayerNorm(5), (4, 3, 5)),
    (lambda package: package.nn.LayerNorm((3, 5)), (4, 3, 5)),
    (lambda package: package.nn.LayerNorm(5, bias=False), (2, 5)),
    (lambda package: package.nn.GroupNorm(2, 6), (3, 6, 4, 4)),
    (lambda package: package.nn.GroupNorm(3, 6, affine=False), (3, 6)),
]


def assert_close(mine, reference):
    np.testing.assert_allclose(mine.array, reference.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("build, shape", LAYERS)
def test_normalization_follows_torch(build, shape):
    mine, reference = build(minitorch), build(torch)
    random = np.random.default_rng(0)
    state = {
        name: random.random(value.shape).astype(np.float32)
        for name, value in mine.state_dict().items()
        if "num_batches" not in name
    }
    mine.load_state_dict(state, strict=False)
    reference.load_state_dict({k: torch.tensor(v) for k, v in state.items()}, strict=False)
    for training in (True, True, False):
        mine.train(training)
        reference.train(training)
        x = (3 * random.standard_normal(shape) + 2).astype(np.float32)
        mine_x = minitorch.tensor(x, requires_grad=True)
        reference_x = torch.tensor(x, requires_grad=True)
        y, expected = mine(mine_x), reference(reference_x)
        grad = random.standard_normal(shape).astype(np.float32)
        y.backward(minitorch.tensor(grad))
        expected.backward(torch.tensor(grad))
        assert_close(y, expected.detach())
        assert_close(mine_x.grad, reference_x.grad)
    theirs = dict(reference.named_parameters())
    for name, parameter in mine.named_parameters():
        assert_close(parameter.grad, theirs[name].grad)
    for name, value in reference.state_dict().items():
        np.testing.assert_allclose(mine.state_dict()[name], value.numpy(), rtol=1e-5, err_msg=name)


def test_optimizer_state_has_the_names_of_torch():
    ours, theirs = pair_of_parameters([(3, 2)])
    mine, reference = optim.Adam(ours), torch.optim.Adam(theirs)
    ours[0].grad = minitorch.ones(3, 2)
    theirs[0].grad = torch.ones(3, 2)
    mine.step()
    reference.step()
    assert mine.state_dict()["state"][0].keys() == reference.state_dict()["state"][0].keys()


def as_torch_state(state):
    """An optimizer's state with tensors in place of arrays."""
    kept = {
        number: {
            name: torch.tensor(value) if isinstance(value, np.ndarray) else value
            for name, value in each.items()
        }
        for number, each in state["state"].items()
    }
    return {**state, "state": kept}


CARRIED = [*OPTIMIZERS, ("Muon", {"lr": 0.02})]


@pytest.mark.parametrize("name, settings", CARRIED)
@pytest.mark.parametrize("there", [True, False])
def test_optimizer_goes_on_from_the_state_of_the_other_side(name, settings, there, monkeypatch):
    """Three steps on one side, three on the other: as six on one."""
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)  # in which Muon iterates
    ours, theirs = pair_of_parameters([(5, 3), (3, 4)])
    mine, reference = (
        getattr(optim, name)(ours, **settings),
        getattr(torch.optim, name)(theirs, **settings),
    )
    random = np.random.default_rng(1)
    for number in range(6):
        for parameter, twin in zip(ours, theirs, strict=True):
            grad = random.standard_normal(parameter.shape).astype(np.float32)
            parameter.grad, twin.grad = minitorch.Tensor(grad), torch.tensor(grad)
        mine.step()
        reference.step()
        if number == 2 and there:
            reference = getattr(torch.optim, name)(theirs, **{**settings, "lr": 7.0})
            reference.load_state_dict(as_torch_state(mine.state_dict()))
        elif number == 2:
            mine = getattr(optim, name)(ours, **{**settings, "lr": 7.0})
            mine.load_state_dict(reference.state_dict())
    for parameter, twin in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(parameter.array, twin.detach().numpy(), rtol=2e-4, atol=2e-6)


@pytest.mark.parametrize("setting", ["amsgrad", "maximize"])
def test_state_of_torch_with_settings_that_are_not_here_is_refused(setting):
    ours, theirs = pair_of_parameters([(3,)])
    with pytest.raises(ValueError, match=setting):
        optim.Adam(ours).load_state_dict(torch.optim.Adam(theirs, **{setting: True}).state_dict())
    with pytest.raises(ValueError, match="decoupled_weight_decay"):
        optim.Adam(ours).load_state_dict(torch.optim.AdamW(theirs).state_dict())
    with pytest.raises(ValueError, match="decoupled_weight_decay"):
        optim.AdamW(ours).load_state_dict(torch.optim.Adam(theirs).state_dict())


def test_initial_deviations_are_those_of_torch():
    minitorch.manual_seed(0)
    torch.manual_seed(0)
    for name in ("xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_"):
        mine, reference = minitorch.zeros(300, 20, 3, 3), torch.zeros(300, 20, 3, 3)
        getattr(nn.init, name)(mine)
        getattr(torch.nn.init, name)(reference)
        assert mine.array.std() == pytest.approx(float(reference.std()), rel=0.02)
        assert np.abs(mine.array).max() == pytest.approx(float(reference.abs().max()), rel=0.3)


def as_torch(mine, reference):
    """Give torch's module the weights of ours, under the same names."""
    reference.load_state_dict({k: torch.tensor(v) for k, v in mine.state_dict().items()})
    return reference.eval()


def assert_same_gradients(mine, reference):
    theirs = dict(reference.named_parameters())
    for name, parameter in mine.named_parameters():
        assert_close(parameter.grad, theirs[name].grad)


MASKS = {
    "none": None,
    "hidden": np.triu(np.ones((5, 5), bool), 1),
    "added": np.random.default_rng(1).standard_normal((5, 5)).astype(np.float32),
}


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("average", [False, True])
def test_multihead_attention_is_that_of_torch(mask, batch_first, bias, average):
    minitorch.manual_seed(0)
    mine = nn.MultiheadAttention(8, 2, bias=bias, batch_first=batch_first).eval()
    reference = as_torch(mine, torch.nn.MultiheadAttention(8, 2, 0, bias, batch_first=batch_first))
    random = np.random.default_rng(0)
    arrays = [random.standard_normal((5, 5, 8)).astype(np.float32) for _ in range(3)]
    ours = [minitorch.Tensor(array, requires_grad=True) for array in arrays]
    theirs = [torch.tensor(array, requires_grad=True) for array in arrays]
    hidden = MASKS[mask]
    found, weights = mine(*ours, attn_mask=hidden, average_attn_weights=average)
    expected, expected_weights = reference(
        *theirs,
        attn_mask=None if hidden is None else torch.tensor(hidden),
        average_attn_weights=average,
    )
    assert_close(found, expected.detach())
    assert_close(weights, expected_weights.detach())
    (found * found).sum().backward()
    (expected * expected).sum().backward()
    assert_same_gradients(mine, reference)
    for one, other in zip(ours, theirs, strict=True):
        assert_close(one.grad, other.grad)


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
def test_a_transformer_block_is_that_of_torch(batch_first, norm_first):
    minitorch.manual_seed(0)
    settings: dict[str, Any] = {"batch_first": batch_first, "norm_first": norm_first}
    mine = nn.TransformerEncoderLayer(8, 4, 16, **settings).eval()
    reference = as_torch(mine, torch.nn.TransformerEncoderLayer(8, 4, 16, **settings))
    x = np.random.default_rng(0).standard_normal((3, 5, 8)).astype(np.float32)
    hidden = np.triu(np.ones((x.shape[1 if batch_first else 0],) * 2, bool), 1)
    found = mine(minitorch.tensor(x), src_mask=hidden)
    expected = reference(torch.tensor(x), src_mask=torch.tensor(hidden))
    assert_close(found, expected.detach())
    (found * found).sum().backward()
    (expected * expected).sum().backward()
    assert_same_gradients(mine, reference)


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("settings", [{}, {"is_causal": True}, {"scale": 0.3}])
def test_scaled_dot_product_attention_is_that_of_torch(mask, settings):
    shown: Any = MASKS[mask]
    if settings.get("is_causal") and shown is not None:
        pytest.skip("one of the two")
    random = np.random.default_rng(0)
    arrays = [random.standard_normal((2, 3, 5, 4)).astype(np.float32) for _ in range(3)]
    if mask == "hidden":
        shown = np.tril(np.ones((5, 5), bool))
    ours = [minitorch.tensor(array) for array in arrays]
    theirs = [torch.tensor(array) for array in arrays]
    found = F.scaled_dot_product_attention(ours[0], ours[1], ours[2], attn_mask=shown, **settings)
    expected = torch.nn.functional.scaled_dot_product_attention(
        *theirs, attn_mask=None if shown is None else torch.tensor(shown), **settings
    )
    assert_close(found, expected)
