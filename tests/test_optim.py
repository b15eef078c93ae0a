"""Optimizers by their formulas in float64, groups, state, warnings, clipping and schedules."""

import copy
import itertools
import json
import math
import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import nn, optim
from minitorch.elementwise import BLOCK
from minitorch.muon import orthogonalized


def parameter(*shape):
    random = np.random.default_rng(0)
    return nn.Parameter(random.standard_normal(shape))


def steps(optimizer, parameters, count, seed=1):
    random = np.random.default_rng(seed)
    gradients = []
    for _ in range(count):
        for each in parameters:
            each.grad = minitorch.Tensor(random.standard_normal(each.shape), dtype=each.dtype)
            gradients.append(each.grad.array)
        optimizer.step()
    return gradients


@pytest.mark.parametrize("dampening, nesterov", [(0, False), (0.5, False), (0, True)])
def test_sgd_follows_its_formula(dampening, nesterov):
    weight = parameter(3)
    value, velocity = weight.array.copy(), np.zeros(3)
    settings: Any = {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}
    optimizer = optim.SGD([weight], **settings, dampening=dampening, nesterov=nesterov)
    for number, grad in enumerate(steps(optimizer, [weight], 5)):
        decayed = grad + 0.01 * value
        velocity = 0.9 * velocity + (1 - dampening if number else 1) * decayed
        value = value - 0.1 * (decayed + 0.9 * velocity if nesterov else velocity)
    np.testing.assert_allclose(weight.array, value)


@pytest.mark.parametrize("decoupled", [False, True])
def test_adam_follows_its_formula(decoupled):
    weight = parameter(3)
    value, average, square = weight.array.copy(), np.zeros(3), np.zeros(3)
    build = optim.AdamW if decoupled else optim.Adam
    gradients = steps(build([weight], lr=0.1, eps=1e-3, weight_decay=0.2), [weight], 5)
    for number, grad in enumerate(gradients, start=1):
        decayed = grad if decoupled else grad + 0.2 * value
        average = 0.9 * average + 0.1 * decayed
        square = 0.999 * square + 0.001 * decayed**2
        root = np.sqrt(square / (1 - 0.999**number))
        value = value * (1 - 0.1 * 0.2) if decoupled else value
        value = value - 0.1 * average / (1 - 0.9**number) / (root + 1e-3)
    np.testing.assert_allclose(weight.array, value)


@pytest.mark.parametrize("momentum, centered", [(0, False), (0.5, False), (0.5, True)])
def test_rmsprop_follows_its_formula(momentum, centered):
    weight = parameter(3)
    value = weight.array.copy()
    average, square, velocity = np.zeros((3, 3))
    settings: Any = {"lr": 0.1, "alpha": 0.9, "eps": 1e-3, "weight_decay": 0.2}
    optimizer = optim.RMSprop([weight], **settings, momentum=momentum, centered=centered)
    for grad in steps(optimizer, [weight], 5):
        decayed = grad + 0.2 * value
        average = 0.9 * average + 0.1 * decayed
        square = 0.9 * square + 0.1 * decayed**2
        deviation = np.sqrt(square - average**2 if centered else square)
        velocity = momentum * velocity + decayed / (deviation + 1e-3)
        value = value - 0.1 * velocity
    np.testing.assert_allclose(weight.array, value)


def test_lion_follows_its_formula():
    weight = parameter(3)
    value, average = weight.array.copy(), np.zeros(3)
    settings: Any = {"lr": 0.1, "betas": (0.8, 0.95), "weight_decay": 0.2}
    optimizer = optim.Lion([weight], **settings)
    for grad in steps(optimizer, [weight], 5):
        direction = np.sign(0.8 * average + 0.2 * grad)
        value = value - 0.1 * (direction + 0.2 * value)
        average = 0.95 * average + 0.05 * grad
    np.testing.assert_allclose(weight.array, value)
    np.testing.assert_allclose(optimizer.state[weight]["exp_avg"], average)  # a sign shows little


def newton_schulz(matrix, steps):
    """The iteration as it is written in the paper, in float64."""
    x = matrix.astype(np.float64) / np.linalg.norm(matrix)
    for _ in range(steps):
        square = x @ x.T
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x


@pytest.mark.parametrize("shape", [(8, 30), (30, 8), (8, 8), (1, 5), (5, 1), (8, 3, 3, 3)])
def test_muon_follows_its_formula(shape):
    weight = parameter(*shape)
    value, velocity = weight.array.reshape(shape[0], -1).copy(), 0
    gradients = steps(optim.Muon([weight], lr=0.1, weight_decay=0.2), [weight], 5)
    for grad in (each.reshape(value.shape) for each in gradients):
        velocity = 0.95 * velocity + 0.05 * grad
        step = newton_schulz(0.95 * velocity + 0.05 * grad, 5)
        value = (
            value * (1 - 0.1 * 0.2) - 0.1 * max(1, value.shape[0] / value.shape[1]) ** 0.5 * step
        )
    np.testing.assert_allclose(weight.array.reshape(value.shape), value, rtol=1e-9)


@pytest.mark.parametrize("decades", [0, 3, 7])
@pytest.mark.parametrize("count", [1, 5, 6, 10, 50])
def test_orthogonalizing_in_float32_survives_directions_that_hardly_count(decades, count):
    """In small squares rounding grows from step to step; left alone it overflows after ten."""
    random = np.random.default_rng(0)
    left, _ = np.linalg.qr(random.standard_normal((16, 16)))
    right, _ = np.linalg.qr(random.standard_normal((100, 16)))
    matrix = (left * np.geomspace(1, 10.0**-decades, 16)) @ right.T
    found = orthogonalized(matrix.astype(np.float32), count)
    expected = newton_schulz(matrix, count)
    assert np.linalg.norm(found - expected) < 0.05 * np.linalg.norm(expected)
    if count <= 5:
        assert np.linalg.norm(found - expected) < 2e-3 * np.linalg.norm(expected)


def test_muon_moves_a_large_matrix_as_a_whole_in_any_memory_order():
    side = math.isqrt(BLOCK) + 8
    values = np.random.default_rng(0).standard_normal((side, side)).astype(np.float32)
    one, two = nn.Parameter(values.copy()), nn.Parameter(np.asfortranarray(values))
    for weight in (one, two):
        steps(optim.Muon([weight], lr=1.0, weight_decay=0.0, ns_steps=1), [weight], 1)
    np.testing.assert_allclose(one.array, two.array, rtol=1e-3, atol=1e-6)
    moved = np.linalg.svd(one.array - values, compute_uv=False)
    gradient = np.random.default_rng(1).standard_normal((side, side))
    expected = np.linalg.svd(newton_schulz(gradient, 1), compute_uv=False)
    np.testing.assert_allclose(moved, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("bad", [math.nan, math.inf, 1e30])
def test_muon_refuses_gradients_without_a_norm(bad):
    weight = nn.Parameter(np.ones((2, 2), np.float32))
    weight.grad = minitorch.Tensor(np.array([[1, bad], [0, 1]], np.float32))
    with pytest.raises(FloatingPointError, match=r"Muon: .*\(2, 2\) is (nan|inf)"):
        optim.Muon([weight]).step()
    assert (weight.array == 1).all()


def matrices_and_the_rest(model):
    """Muon for the weights, SGD for the biases, as one."""
    weights = [each for each in model.parameters() if each.ndim >= 2]
    biases = [each for each in model.parameters() if each.ndim < 2]
    return optim.Together(optim.Muon(weights, lr=0.02), optim.SGD(biases, lr=0.1, momentum=0.9))


def test_together_steps_as_each_alone_and_carries_its_state_over():
    one, two = nn.Linear(3, 2), nn.Linear(3, 2)
    two.load_state_dict(one.state_dict())
    joined, apart = matrices_and_the_rest(one), matrices_and_the_rest(two).optimizers
    schedule = optim.lr_scheduler.StepLR(joined, 1, gamma=0.5)
    schedule.step()
    for group in (group for each in apart for group in each.param_groups):
        group["lr"] *= 0.5
    for seed in range(3):
        steps(joined, list(one.parameters()), 1, seed)
        for parameter, twin in zip(one.parameters(), two.parameters(), strict=True):
            twin.grad = parameter.grad
        for optimizer in apart:
            optimizer.step()
        again = matrices_and_the_rest(one)
        again.load_state_dict(joined.state_dict())
        joined = again
    for parameter, twin in zip(one.parameters(), two.parameters(), strict=True):
        np.testing.assert_array_equal(parameter.array, twin.array)
    assert joined.never_updated() == []


def test_together_takes_all_of_a_state_or_nothing():
    joined = matrices_and_the_rest(nn.Linear(3, 2))
    steps(joined, joined.parameters, 1)
    state = copy.deepcopy(joined.state_dict())
    wrong = copy.deepcopy(state)
    wrong["optimizers"][0]["param_groups"][0]["lr"] = 7.0
    del wrong["optimizers"][1]["param_groups"][0]["momentum"]
    with pytest.raises(ValueError, match="another kind"):
        joined.load_state_dict(wrong)
    with pytest.raises(ValueError, match="joins 2 optimizers, the saved state is of 0"):
        joined.load_state_dict(joined.optimizers[0].state_dict())
    assert repr(joined.state_dict()) == repr(state)


KINDS = [
    lambda params: optim.SGD(params, lr=0.1),  # which keeps nothing
    lambda params: optim.SGD(params, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    lambda params: optim.Adam(params, weight_decay=0.1),
    optim.AdamW,
    lambda params: optim.RMSprop(params, momentum=0.9, centered=True),
    optim.Lion,
]
MATRIX_KINDS = [*KINDS, lambda params: optim.Muon(params, lr=0.1)]


def alone(kind):
    """The same optimizer, but every parameter is updated by calls of its own."""
    return type(kind.__name__, (kind,), {"elementwise": False})


def nothing(model, optimizer, step):
    """An ordinary run."""


def some_without_gradient(model, optimizer, step):
    if step in (2, 5):
        model[0].bias.grad = None


def each_in_turn_without_gradient(model, optimizer, step):
    without = {0: model[0].bias, 1: model[2].bias, 3: model[3].bias}
    if step % 5 in without:
        without[step % 5].grad = None


def a_setting_turned_on(model, optimizer, step):
    if step == 3 and "momentum" in optimizer.defaults:
        optimizer.param_groups[0]["momentum"] = 0.5


def state_loaded(model, optimizer, step):
    if step == 3:
        optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))


def state_replaced(model, optimizer, step):
    if step == 3:
        for name, kept in optimizer.state[model[2].bias].items():
            if name != "step":
                optimizer.state[model[2].bias][name] = kept * 2


def state_written_to(model, optimizer, step):
    if step == 3:
        for name, kept in optimizer.state[model[0].weight].items():
            if name != "step":
                kept *= 2


def state_forgotten(model, optimizer, step):
    if step == 3:
        del optimizer.state[model[0].weight]


def more_kept(model, optimizer, step):
    if step == 3:
        optimizer.state[model[0].weight]["mine"] = np.ones_like(model[0].weight.array)


def values_replaced(model, optimizer, step):
    if step == 3:
        turned = np.asfortranarray(model[0].weight.array)
        model[0].weight.array = turned


def values_made_finer(model, optimizer, step):
    if step == 3:
        model[0].weight.array = model[0].weight.array.astype(np.float64)


def values_shared(model, optimizer, step):
    if step == 0:
        model[0].bias.array = model[0].weight.array[:, 0]


def steps_apart(model, optimizer, step):
    """As a step leaves them that was interrupted halfway."""
    if step == 3:
        optimizer.state[model[0].weight]["step"] += 1


@pytest.mark.parametrize(
    "happens",
    [
        nothing,
        some_without_gradient,
        each_in_turn_without_gradient,
        a_setting_turned_on,
        state_loaded,
        state_replaced,
        state_written_to,
        state_forgotten,
        more_kept,
        values_replaced,
        values_made_finer,
        values_shared,
        steps_apart,
    ],
)
@pytest.mark.parametrize(
    "kind, settings",
    [
        (optim.SGD, {"lr": 0.1}),
        (optim.SGD, {"lr": 0.1, "momentum": 0.9, "dampening": 0.5}),
        (optim.AdamW, {}),
        (optim.RMSprop, {"centered": True}),
        (optim.Lion, {}),
    ],
)
def test_small_parameters_side_by_side_move_as_each_alone(kind, settings, happens):
    models, optimizers = [], []
    for build in (kind, alone(kind)):
        minitorch.manual_seed(0)
        model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 600), nn.Linear(600, 2))
        model[3].bias = nn.Parameter(model[3].bias.array.astype(np.float64))
        models.append(model)
        optimizers.append(build(model.parameters(), **settings))
    x = minitorch.randn(5, 3)
    for step in range(8):
        for model, optimizer in zip(models, optimizers, strict=True):
            optimizer.zero_grad()
            (model(x) ** 2).mean().backward()
            happens(model, optimizer, step)
            optimizer.step()
    assert len(optimizers[0].side_by_side[0].members) >= 2
    assert not optimizers[1].side_by_side
    for one, other in zip(models[0].parameters(), models[1].parameters(), strict=True):
        np.testing.assert_array_equal(one.array, other.array)
    states = [optimizer.state_dict()["state"] for optimizer in optimizers]
    for number, kept in states[0].items():
        for name, value in kept.items():
            np.testing.assert_array_equal(value, states[1][number][name])


def through_pickle(both):
    return pickle.loads(pickle.dumps(both))  # noqa: S301 - its own


@pytest.mark.parametrize("copied", [copy.deepcopy, through_pickle])
@pytest.mark.parametrize("momentum", [0, 0.9])
def test_a_copy_of_an_optimizer_steps_on_its_own(momentum, copied):
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=momentum)
    x = minitorch.randn(5, 3)

    def step(model, optimizer):
        optimizer.zero_grad()
        (model(x) ** 2).mean().backward()
        optimizer.step()

    step(model, optimizer)
    twin, twin_optimizer = copied((model, optimizer))
    for _ in range(3):
        step(model, optimizer)
        step(twin, twin_optimizer)
    for one, other in zip(model.parameters(), twin.parameters(), strict=True):
        np.testing.assert_array_equal(one.array, other.array)


def test_an_optimizer_that_looks_at_all_of_a_parameter_gets_all_of_it_alone():
    class Normalized(optim.Optimizer):
        def update(self, value, grad, state, group):
            value -= group["lr"] * grad / np.linalg.norm(grad)

    parameters = [parameter(2), parameter(3)]
    before = [each.array.copy() for each in parameters]
    for each in parameters:
        each.grad = minitorch.ones(*each.shape, dtype=np.float64)
    Normalized(parameters, lr=1.0).step()
    for each, start in zip(parameters, before, strict=True):
        assert np.linalg.norm(each.array - start) == pytest.approx(1)


def test_a_formula_of_one_s_own_is_not_taken_for_elementwise_after_its_parent():
    class Normalized(optim.SGD):
        def update(self, value, grad, state, group):
            super().update(value, grad / np.linalg.norm(grad), state, group)

    parameters = [parameter(2), parameter(3)]
    before = [each.array.copy() for each in parameters]
    steps(Normalized(parameters, lr=1.0), parameters, 1)
    for each, start in zip(parameters, before, strict=True):
        assert np.linalg.norm(each.array - start) == pytest.approx(1)


@pytest.mark.parametrize("sizes", [(2, 3), (BLOCK + 1,)])
def test_kept_arrays_that_an_elementwise_formula_replaces_are_not_lost_in_silence(sizes):
    class Averaged(optim.Optimizer):
        elementwise = True

        def start(self, value, group):
            return {"step": 0, "average": np.zeros_like(value)}

        def update(self, value, grad, state, group):
            state["average"] = 0.9 * state["average"] + grad
            value -= group["lr"] * state["average"]

    parameters = [parameter(size) for size in sizes]
    with pytest.raises(TypeError, match="average of the state must be written to in place"):
        steps(Averaged(parameters, lr=1.0), parameters, 1)


@pytest.mark.parametrize("build", KINDS)
@pytest.mark.parametrize("order", ["whole", "transposed", "strided"])
def test_large_parameters_in_any_memory_order_move_as_small_ones(build, order):
    side = math.isqrt(BLOCK) + 40
    values = np.random.default_rng(0).standard_normal((side, 2 * side))
    large = nn.Parameter(
        {"whole": values, "transposed": values.T.copy().T, "strided": values[:, ::2]}[order]
    )
    small = [nn.Parameter(row.copy()) for row in large.array[:: side // 3]]
    gradient = np.random.default_rng(1).standard_normal(large.shape)
    mine, reference = build([large]), build(small)
    for _ in range(3):
        large.grad = minitorch.Tensor(gradient)
        for row, grad in zip(small, gradient[:: side // 3], strict=True):
            row.grad = minitorch.Tensor(grad)
        mine.step()
        reference.step()
    for row, expected in zip(large.array[:: side // 3], small, strict=True):
        np.testing.assert_array_equal(row, expected.array)


@pytest.mark.parametrize("build", MATRIX_KINDS)
def test_state_carries_over_bit_for_bit(build):
    one, two = parameter(4, 3), parameter(4, 3)
    whole = build([one])
    steps(whole, [one], 3, seed=1)
    steps(whole, [one], 3, seed=2)
    first = build([two])
    steps(first, [two], 3, seed=1)
    second = build([two])
    second.load_state_dict(first.state_dict())
    steps(second, [two], 3, seed=2)
    np.testing.assert_array_equal(one.array, two.array)


def test_a_single_number_has_state_too():
    scale = nn.Parameter(np.array(2.0))
    first, second = optim.Adam([scale]), optim.Adam([scale])
    steps(first, [scale], 2)
    second.load_state_dict(first.state_dict())
    np.testing.assert_equal(second.state[scale], first.state[scale])


@pytest.mark.parametrize("kind", [optim.SGD, optim.Adam])
def test_numpy_s_numbers_as_settings_are_the_same_after_a_resume(kind):
    """Its float64, times float32, is float64; a checkpoint holds Python's, which is float32."""
    weights = []
    for loaded in (False, True):
        weight = nn.Parameter(np.linspace(1, 2, 50, dtype=np.float32))
        given = {"betas": (np.float64(0.9), np.float64(0.99))} if kind is optim.Adam else {}
        optimizer = kind([weight], lr=np.float64(0.1), weight_decay=np.float64(0.3), **given)
        schedule = rates.LambdaLR(optimizer, lambda step: np.exp(-step))
        schedule.step()
        if loaded:
            plain = json.loads(json.dumps(optimizer.state_dict()["param_groups"]))
            optimizer.load_state_dict({"state": {}, "param_groups": plain})
        steps(optimizer, [weight], 3)
        weights.append(weight.array)
    np.testing.assert_array_equal(weights[0], weights[1])


def test_gradients_are_not_changed_by_a_step():
    weight = parameter(1, 5)
    for build in MATRIX_KINDS:
        optimizer = build([weight])
        weight.grad = minitorch.Tensor(np.arange(5.0)[None])
        optimizer.step()
        assert weight.grad.tolist() == [[0, 1, 2, 3, 4]]


def test_groups_have_their_own_settings():
    one, two = nn.Parameter(np.ones(2)), nn.Parameter(np.ones(2))
    groups = [{"params": [one]}, {"params": two, "lr": 1.0}]
    optimizer = optim.SGD(groups, lr=0.5)
    one.grad = two.grad = minitorch.Tensor(np.ones(2))
    optimizer.step()
    assert one.tolist() == [0.5, 0.5]
    assert two.tolist() == [0, 0]


def test_zero_grad_forgets_or_zeroes():
    weight = parameter(2)
    optimizer = optim.SGD([weight])
    weight.grad = minitorch.Tensor(np.ones(2))
    optimizer.zero_grad(set_to_none=False)
    assert weight.grad.tolist() == [0, 0]
    optimizer.zero_grad()
    assert weight.grad is None


def test_step_in_evaluation_mode_warns_once():
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    model.eval()
    model(minitorch.ones(1, 2)).sum().backward()
    with pytest.warns(UserWarning, match=r"model.train\(\)"):
        optimizer.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer.step()


def test_step_with_a_frozen_part_in_evaluation_mode_does_not_warn():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    model[0].eval()
    model(minitorch.ones(1, 2)).sum().backward()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optim.SGD(model.parameters()).step()


def test_step_without_any_gradient_warns():
    with pytest.warns(UserWarning, match=r"loss.backward\(\)"):
        optim.SGD(nn.Linear(2, 1).parameters()).step()


def test_parameters_without_gradient_are_named():
    class Forgetful(nn.Module):
        def __init__(self):
            self.used, self.unused = nn.Linear(2, 2), nn.Linear(2, 2)

        def forward(self, x):
            return self.used(x)

    model = Forgetful()
    optimizer = optim.Adam(model.parameters())
    model(minitorch.ones(1, 2)).sum().backward()
    optimizer.step()
    optimizer.zero_grad()
    assert optimizer.never_updated() == ["unused.weight", "unused.bias"]


WEIGHT = [parameter(2)]
BAD = [
    (lambda: optim.SGD([]), ValueError, "no parameters"),
    (lambda: optim.SGD([minitorch.ones(2)]), ValueError, r"requires a gradient\. Freeze it later"),
    (lambda: optim.SGD(parameter(2)), TypeError, r"say \[tensor\]"),
    (lambda: optim.SGD(nn.Linear(2, 1)), TypeError, r"say model\.parameters\(\)"),  # type: ignore[arg-type]
    (lambda: optim.SGD([{"lr": 1.0}]), TypeError, "names its `params`"),
    (lambda: optim.SGD([parameter(2) * 2]), ValueError, "leaf"),
    (lambda: optim.SGD([parameter(2)], lr=-1), ValueError, "lr must be a number from 0"),
    (lambda: optim.SGD([parameter(2)], lr=math.nan), ValueError, "lr must be a number from 0"),
    (lambda: optim.SGD([parameter(2)], nesterov=True), ValueError, "momentum above 0"),
    (lambda: optim.Adam([parameter(2)], betas=(1.0, 0.9)), ValueError, "betas"),
    (
        lambda: optim.Adam([parameter(2)], lr=float(np.float32(-1))),
        ValueError,
        "lr must be a number from",
    ),
    (lambda: optim.Adam([{"params": [parameter(2)], "lr": None}]), ValueError, "not None"),
    (lambda: optim.Adam([{"params": [parameter(2)], "betas": (1.5, 0)}]), ValueError, "betas"),
    (lambda: optim.Lion([{"params": [parameter(2)], "betas": 0.9}]), ValueError, "two numbers"),
    (lambda: optim.RMSprop([parameter(2)], alpha=2), ValueError, "alpha"),
    (lambda: optim.SGD([{"params": [parameter(2)], "nesterov": True}]), ValueError, "nesterov"),
    (lambda: optim.SGD([{"params": [parameter(2)], "momentun": 1}]), TypeError, "momentun"),
    (lambda: optim.SGD([parameter(2)] * 2), ValueError, "a second time|twice"),
    (lambda: optim.SGD({parameter(2)}), TypeError, "a set has no order"),
    (lambda: optim.SGD([{"params": {parameter(2)}}]), TypeError, "a set has no order"),
    (lambda: optim.Muon(nn.Linear(3, 2).parameters()), ValueError, r"bias.*\(2,\).*AdamW"),
    (lambda: optim.Muon([parameter(2, 0)]), ValueError, r"\(2, 0\) is no matrix"),
    (lambda: optim.Muon([parameter(2, 2)], ns_steps=0), ValueError, "ns_steps is 1 or more"),
    (optim.Together, ValueError, "no optimizer"),
    (lambda: optim.Together(*[optim.SGD(WEIGHT)] * 2), ValueError, "two of the optimizers train"),
    (lambda: optim.Together(optim.SGD(WEIGHT)).add_param_group({}), TypeError, "before they are"),
]


@pytest.mark.parametrize("call, error, words", BAD)
def test_bad_settings_are_explained(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_state_of_other_parameters_is_refused():
    two, three = optim.Adam([parameter(2)]), optim.Adam([parameter(3)])
    steps(two, two.parameters, 1)
    with pytest.raises(ValueError, match=r"shape \(2,\)"):
        three.load_state_dict(two.state_dict())
    with pytest.raises(ValueError, match="groups"):
        optim.Adam([parameter(2), parameter(2)]).load_state_dict(two.state_dict())


KINDS = [optim.SGD, optim.Adam, optim.RMSprop, optim.Lion]


@pytest.mark.parametrize("saved, other", list(itertools.permutations(KINDS, 2)))
def test_state_of_another_kind_is_refused_and_changes_nothing(saved, other):
    first, second = saved([parameter(2)], lr=0.5), other([parameter(2)], lr=0.25)
    for optimizer in (first, second):
        steps(optimizer, optimizer.parameters, 1)
    before = copy.deepcopy(second.state_dict())
    with pytest.raises(ValueError, match=f"of {other.__name__}.*another kind"):
        second.load_state_dict(first.state_dict())
    assert repr(second.state_dict()) == repr(before)


def altered(state, **kept):
    """An optimizer's state with other values kept for its first parameter."""
    return {**state, "state": {0: {**state["state"][0], **kept}}}


ALTERED = [
    (lambda state: altered(state, exp_avg=np.full(2, 1e300)), "exp_avg holds numbers beyond"),
    (lambda state: altered(state, exp_avg=np.array("hello")), "exp_avg has shape"),
    (lambda state: altered(state, exp_avg=np.array(["a", "b"])), "exp_avg is <U1"),
    (lambda state: {**state, "state": {0: {"step": 1}}}, "no exp_avg, exp_avg_sq"),
    (lambda state: {**state, "state": {7: state["state"][0]}}, "in no group"),
    (
        lambda state: {**state, "param_groups": [{**state["param_groups"][0], "lr": -1.0}]},
        "lr must be",
    ),
]


def test_a_state_of_which_the_second_group_does_not_fit_changes_nothing():
    optimizer = optim.Adam([{"params": [parameter(2)]}, {"params": [parameter(3)]}])
    state = copy.deepcopy(optimizer.state_dict())
    wrong = copy.deepcopy(state)
    wrong["param_groups"][0]["lr"], wrong["param_groups"][1]["lr"] = 0.5, -1.0
    with pytest.raises(ValueError, match="lr must be"):
        optimizer.load_state_dict(wrong)
    assert optimizer.state_dict() == state


@pytest.mark.parametrize("change, words", ALTERED)
def test_state_that_does_not_fit_is_refused_by_name(change, words):
    weight = nn.Parameter(np.ones(2, np.float32))
    optimizer = optim.Adam([weight])
    weight.grad = minitorch.ones(2)
    optimizer.step()
    state = copy.deepcopy(optimizer.state_dict())
    with pytest.raises(ValueError, match=words):
        optimizer.load_state_dict(change(state))
    assert repr(optimizer.state_dict()) == repr(state)


@pytest.mark.parametrize("sizes", [[2], [2, 5], [BLOCK + 1]])
@pytest.mark.parametrize("kind", [optim.SGD, optim.Adam, optim.Muon])
def test_a_parameter_that_got_another_shape_is_refused(kind, sizes):
    weights = [nn.Parameter(np.ones((1, size), np.float32)) for size in sizes]
    optimizer = kind(weights)
    steps(optimizer, weights, 1)
    weights[0].array = np.ones((3, sizes[0]), np.float32)
    with pytest.raises(ValueError, match=r"shape \(3, .* its grad of \(1, .* backward\(\) anew"):
        optimizer.step()
    if kind is optim.Adam:
        with pytest.raises(ValueError, match=r"its exp_avg of \(1, .* another optimizer"):
            steps(optimizer, weights, 1)


def test_loaded_state_lies_in_memory_as_the_parameter_does():
    """Else a large parameter could not be updated piece by piece after a resume."""
    weight = nn.Parameter(np.ones((3, 4), np.float32, order="F"))
    first, second = optim.Adam([weight]), optim.Adam([weight])
    steps(first, [weight], 1)
    state = first.state_dict()
    state["state"][0]["exp_avg"] = np.ascontiguousarray(state["state"][0]["exp_avg"])
    second.load_state_dict(state)
    assert second.state[weight]["exp_avg"].strides == weight.array.strides


@pytest.mark.parametrize(
    "kind, setting, value",
    [
        (optim.SGD, "momentum", 0.9),
        (optim.RMSprop, "momentum", 0.9),
        (optim.RMSprop, "centered", 1),
    ],
)
@pytest.mark.parametrize("size", [3, BLOCK + 3])
def test_a_setting_turned_on_after_the_first_step_begins_its_average_then(
    kind, setting, value, size
):
    weight = nn.Parameter(np.zeros(size))
    optimizer = kind([weight], lr=0.1)
    steps(optimizer, [weight], 1)
    optimizer.param_groups[0][setting] = value
    if kind is optim.SGD:
        optimizer.param_groups[0]["dampening"] = 0.5
    early = kind([weight], lr=0.1)
    early.load_state_dict(optimizer.state_dict())  # saved before the step that needs the average
    assert not early.state[weight][{"momentum": "momentum_buffer"}.get(setting, "grad_avg")].any()
    before = weight.array.copy()
    (grad,) = steps(optimizer, [weight], 1)
    if kind is optim.SGD:
        np.testing.assert_allclose(before - weight.array, 0.1 * grad)  # the first is not dampened
    again = kind([weight], lr=0.1)
    again.load_state_dict(optimizer.state_dict())
    assert again.param_groups[0][setting] == value
    assert len(again.state[weight]) == (2 if kind is optim.SGD else 3)


@pytest.mark.parametrize("kind", [optim.Adam, optim.AdamW, optim.RMSprop, optim.Lion])
@pytest.mark.parametrize("coarse_first", [True, False])
def test_float64_beside_float32_keeps_its_precision(kind, coarse_first):
    alone, beside = parameter(3), parameter(3)
    coarse = nn.Parameter(np.ones(5, np.float32))
    by_itself, both = kind([alone]), kind([coarse, beside] if coarse_first else [beside, coarse])
    for seed in range(3):
        (gradient,) = steps(by_itself, [alone], 1, seed)
        beside.grad, coarse.grad = minitorch.Tensor(gradient), minitorch.ones(5)
        both.step()
    np.testing.assert_array_equal(alone.array, beside.array)


def test_what_the_loaded_state_does_not_say_begins_anew():
    one, two = parameter(2), parameter(2)
    before = optim.Adam([one, two])
    steps(before, [one], 1)
    after = optim.Adam([one, two])
    steps(after, [one, two], 3)
    after.load_state_dict(before.state_dict())
    assert list(after.state) == [one]
    assert after.never_updated() == ["parameter 1 of shape (2,)"]


@pytest.mark.parametrize("maximize, accepted", [(False, True), (True, False)])
def test_settings_of_pytorch_that_ask_for_nothing_are_left_out(maximize, accepted):
    optimizer = optim.Adam(WEIGHT)
    steps(optimizer, WEIGHT, 2)
    state = optimizer.state_dict()
    state["state"][0]["step"] = np.float32(2)  # PyTorch counts in float32
    theirs = {"maximize": maximize, "amsgrad": False, "foreach": True, "fused": None}
    state["param_groups"][0] |= {**theirs, "lr": 0.5, "betas": [0.8, 0.9]}
    if accepted:
        optimizer.load_state_dict(state)
        assert optimizer.param_groups[0]["lr"] == 0.5
        assert optimizer.param_groups[0]["betas"] == (0.8, 0.9)
        assert "foreach" not in optimizer.param_groups[0]
        assert isinstance(optimizer.state[WEIGHT[0]]["step"], int)
    else:
        with pytest.raises(ValueError, match="has the settings maximize"):
            optimizer.load_state_dict(state)


@pytest.mark.parametrize("state", [{}, None, {"state": {}, "param_groups": [{}]}])
def test_what_is_no_state_of_an_optimizer_is_refused(state):
    with pytest.raises(ValueError, match="load_state_dict of SGD: this is no state"):
        optim.SGD(WEIGHT).load_state_dict(state)


rates = optim.lr_scheduler
BAD_SCHEDULES: list[tuple[Any, Any, str]] = [
    (lambda sgd: rates.StepLR(sgd, 0), ValueError, "StepLR: step_size"),
    (lambda sgd: rates.StepLR(sgd, 2.5), ValueError, "whole number"),  # type: ignore[arg-type]
    (lambda sgd: rates.LambdaLR(sgd, lambda _: math.inf), ValueError, "rate of inf"),
    (lambda sgd: rates.SequentialLR(sgd, [], []), ValueError, "between n schedules"),
    (lambda sgd: rates.LinearLR(sgd, total_iters=0), ValueError, "LinearLR: total_iters"),
    (lambda sgd: rates.CosineAnnealingLR(sgd, 0), ValueError, "CosineAnnealingLR: T_max"),
    (lambda sgd: rates.OneCycleLR(sgd, 1.0), ValueError, "epochs [*] steps_per_epoch"),
    (lambda sgd: rates.OneCycleLR(sgd, 1.0, 9, pct_start=2), ValueError, "pct_start"),
    (lambda sgd: rates.OneCycleLR(sgd, [1.0, 2.0], 9), ValueError, "2 of max_lr for 1 groups"),
    (lambda sgd: rates.ReduceLROnPlateau(sgd, factor=2), ValueError, "factor is from 0 to below"),
    (lambda sgd: rates.ReduceLROnPlateau(sgd, patience=-1), ValueError, "patience is a whole"),
    (lambda sgd: rates.OneCycleLR(sgd, -1.0, 9), ValueError, "rate of -0.04 at step 0"),
    (
        lambda sgd: rates.SequentialLR(sgd, [rates.StepLR(sgd, 2) for _ in range(3)], [4, 2]),
        ValueError,
        r"milestones \[4, 2\] do not rise",
    ),
    (lambda sgd: rates.LambdaLR(sgd, [math.exp]), TypeError, "no function of the step"),  # type: ignore[arg-type]
    (lambda sgd: rates.LambdaLR(sgd, lambda _: math.nan), ValueError, "LambdaLR.*rate of nan"),
    (lambda sgd: rates.ExponentialLR(sgd, -0.5).step(), ValueError, "rate of -.* at step 1"),
    (
        lambda sgd: rates.SequentialLR(sgd, [rates.ReduceLROnPlateau(sgd)], []),  # type: ignore[list-item]
        TypeError,
        "ReduceLROnPlateau cannot be told",
    ),
    (
        lambda sgd: rates.StepLR(sgd, 2).load_state_dict(rates.ReduceLROnPlateau(sgd).state_dict()),
        ValueError,
        "schedule of another kind",
    ),
    (
        lambda sgd: rates.ReduceLROnPlateau(sgd).load_state_dict(rates.StepLR(sgd, 2).state_dict()),
        ValueError,
        "its state has best",
    ),
]


WAYS: list[tuple[Any, list[float]]] = [
    (
        lambda sgd: rates.SequentialLR(
            sgd, [rates.ExponentialLR(sgd, 0.5), rates.LinearLR(sgd, 0.1, total_iters=3)], [2]
        ),
        [1, 0.5, 0.1, 0.4, 0.7],
    ),
    (lambda sgd: rates.StepLR(sgd, 2, gamma=0.5), [1, 1, 0.5, 0.5, 0.25]),
    (lambda sgd: rates.MultiStepLR(sgd, [1, 3]), [1, 0.1, 0.1, 0.01, 0.01]),
    (lambda sgd: rates.ExponentialLR(sgd, 0.5), [1, 0.5, 0.25]),
    (lambda sgd: rates.LambdaLR(sgd, lambda step: 1 / (1 + step)), [1, 1 / 2, 1 / 3]),
    (lambda sgd: rates.LinearLR(sgd, 0.5, total_iters=2), [0.5, 0.75, 1, 1]),
    (lambda sgd: rates.CosineAnnealingLR(sgd, 3, eta_min=0.2), [1, 0.8, 0.4, 0.2]),
    (
        lambda sgd: rates.SequentialLR(
            sgd, [rates.LinearLR(sgd, 0.5, total_iters=2), rates.ExponentialLR(sgd, 0.5)], [2]
        ),
        [0.5, 0.75, 1, 0.5, 0.25],
    ),
    (
        lambda sgd: rates.OneCycleLR(sgd, 2.0, 5, pct_start=0.6, final_div_factor=10),
        [0.08, 1.04, 2, 1.004, 0.008],
    ),
]


@pytest.mark.parametrize("build, expected", WAYS)
def test_rates_worked_out_by_hand(build, expected):
    schedule = build(optim.SGD([parameter(2)], lr=1.0))
    found = schedule.get_last_lr()
    for _ in expected[1:]:
        schedule.step()
        found += schedule.get_last_lr()
    assert found == pytest.approx(expected)


def test_a_second_schedule_begins_where_the_first_one_did():
    optimizer = optim.SGD([parameter(2)], lr=1.0)
    rates.ExponentialLR(optimizer, 0.5).step()
    assert rates.StepLR(optimizer, 2).get_last_lr() == [1.0]


def test_two_schedules_at_once_do_not_pass_for_their_product():
    """In PyTorch each multiplies what it finds; here each follows its formula, and says so."""
    optimizer = optim.SGD([parameter(2)], lr=1.0)
    one, two = rates.ExponentialLR(optimizer, 0.5), rates.StepLR(optimizer, 1, gamma=0.1)
    one.step()
    with pytest.warns(UserWarning, match=r"StepLR: the rates were \[1.0\], .* made them \[0.5\]"):
        two.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        two.step()


@pytest.mark.parametrize("build", [optim.SGD, optim.Adam])
def test_one_cycle_takes_momentum_the_other_way(build):
    optimizer = build([parameter(2)])
    cycle = rates.OneCycleLR(optimizer, 1.0, 5, pct_start=0.6)
    found = []
    for _ in range(5):
        group = optimizer.param_groups[0]
        found.append(group["betas"][0] if "betas" in group else group["momentum"])
        if len(found) < 5:
            cycle.step()
    assert found == pytest.approx([0.95, 0.9, 0.85, 0.9, 0.95])


def test_a_plateau_waits_and_has_a_floor():
    optimizer = optim.SGD([parameter(2)], lr=1.0)
    plateau = rates.ReduceLROnPlateau(optimizer, factor=0.5, patience=1, cooldown=2, min_lr=0.3)
    found = []
    for _ in range(7):
        plateau.step(1.0)
        found += plateau.get_last_lr()
    assert found == [1, 1, 0.5, 0.5, 0.5, 0.5, 0.3]


def test_a_plateau_wants_a_part_of_the_best_and_carries_it_over():
    def build():
        optimizer = optim.SGD([parameter(2)], lr=1.0)
        return rates.ReduceLROnPlateau(optimizer, "max", factor=0.5, patience=0, threshold=0.1)

    one, two = build(), build()
    one.step(100.0)
    two.load_state_dict(one.state_dict())
    for figure, rate in ((111.0, 1.0), (121.0, 0.5), (123.0, 0.5)):
        two.step(figure)
        assert two.get_last_lr() == [rate]


@pytest.mark.parametrize("call, error, words", BAD_SCHEDULES)
def test_bad_schedules_are_explained(call, error, words):
    with pytest.raises(error, match=words):
        call(optim.SGD([parameter(2)]))


def test_a_schedule_refuses_groups_that_came_after_it():
    optimizer = optim.SGD([parameter(2)], lr=1.0)
    schedule = rates.StepLR(optimizer, 2)
    optimizer.add_param_group({"params": [parameter(3)]})
    with pytest.raises(ValueError, match="knows 1 parameter groups, the optimizer has 2"):
        schedule.step()


def test_one_cycle_by_group_and_by_epochs():
    groups = [{"params": [parameter(2)]}, {"params": [parameter(3)]}]
    cycle = rates.OneCycleLR(optim.SGD(groups), [1.0, 0.1], epochs=2, steps_per_epoch=5)
    found = [cycle.get_last_lr()]
    for _ in range(9):
        cycle.step()
        found.append(cycle.get_last_lr())
    np.testing.assert_allclose([one / 10 for one, _ in found], [two for _, two in found])
    assert max(found) == [1.0, 0.1]
    last = cycle.get_last_lr()
    cycle.step()  # after the last of ten batches, as in a loop of PyTorch's
    assert cycle.get_last_lr() == last
    with pytest.raises(ValueError, match="step 11 of 10"):
        cycle.step()
    assert rates.OneCycleLR(optim.SGD(WEIGHT), 1.0, 2, pct_start=0.5).get_last_lr() == [1.0]


def test_clipping_names_the_parameters_at_fault_and_refuses_bad_limits():
    model = nn.Linear(2, 1)
    model(minitorch.ones(1, 2)).sum().backward()
    assert model.bias is not None
    assert model.bias.grad is not None
    model.bias.grad.array[...] = np.float32(1e30)  # whose square is beyond float32
    with pytest.raises(FloatingPointError, match=r"is inf \(bias: inf\)"):
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for limit in (-1.0, math.nan):
        with pytest.raises(ValueError, match="max_norm"):
            nn.utils.clip_grad_norm_(model.parameters(), limit)
        with pytest.raises(ValueError, match="clip_value"):
            nn.utils.clip_grad_value_(model.parameters(), limit)
    with pytest.raises(TypeError, match=r"Linear.* say model\.parameters\(\)"):
        nn.utils.clip_grad_norm_(model, 1.0)  # type: ignore[arg-type]


def test_clipping_by_norm_keeps_the_direction():
    one, two = parameter(2), parameter(1)
    one.grad, two.grad = minitorch.Tensor(np.array([3.0, 0.0])), minitorch.Tensor(np.array([4.0]))
    assert nn.utils.clip_grad_norm_([one, two], max_norm=1.0) == pytest.approx(5)
    np.testing.assert_allclose(one.grad.array, [0.6, 0], rtol=1e-5)
    np.testing.assert_allclose(two.grad.array, [0.8], rtol=1e-5)
    assert nn.utils.clip_grad_norm_([one, two], max_norm=2.0) == pytest.approx(1, rel=1e-5)
    np.testing.assert_allclose(two.grad.array, [0.8], rtol=1e-5)


@pytest.mark.parametrize("norm_type, expected", [(1, 8), (2, 26**0.5), (math.inf, 4)])
def test_clipping_by_other_norms(norm_type, expected):
    one, two = parameter(3), parameter(1)
    one.grad = minitorch.Tensor(np.array([3.0, 0.0, -1.0]))
    two.grad = minitorch.Tensor(np.array([4.0]))
    found = nn.utils.clip_grad_norm_([one, two], 0.5, norm_type)
    assert found == pytest.approx(expected)
    np.testing.assert_allclose(one.grad.array, np.array([3, 0, -1]) * 0.5 / (expected + 1e-6))


@pytest.mark.parametrize("norm_type", [2, math.inf])
def test_clipping_of_one_tensor_to_nothing_and_of_none(norm_type):
    weight = parameter(2)
    assert nn.utils.clip_grad_norm_(weight, 1.0, norm_type) == 0  # it has no gradient
    weight.grad = minitorch.Tensor(np.array([3.0, 4.0]))
    nn.utils.clip_grad_norm_(weight, 0.0, norm_type)
    assert weight.grad.tolist() == [0, 0]


@pytest.mark.parametrize("clip", [nn.utils.clip_grad_norm_, nn.utils.clip_grad_value_])
def test_an_older_graph_notices_that_a_gradient_in_it_was_clipped(clip):
    weight = parameter(2)
    weight.grad = minitorch.Tensor(np.array([3.0, 4.0]))
    penalty = (weight * weight.grad).sum()
    clip([weight], 1.0)
    with pytest.raises(RuntimeError, match="overwritten in place"):
        penalty.backward()


def test_clipping_by_value_and_of_what_is_no_number():
    weight = parameter(3)
    weight.grad = minitorch.Tensor(np.array([-3.0, 0.5, 9.0]))
    nn.utils.clip_grad_value_([weight], 1.0)
    assert weight.grad.tolist() == [-1, 0.5, 1]
    weight.grad = minitorch.Tensor(np.array([np.inf, 0, 0]))
    with pytest.raises(FloatingPointError, match="inf"):
        nn.utils.clip_grad_norm_([weight], 1.0)


@pytest.mark.parametrize(
    "bad, left", [(math.inf, [math.nan, 0, 0]), (math.nan, [math.nan, math.nan, math.nan])]
)
def test_clipping_of_what_is_no_number_as_pytorch_does_if_asked(bad, left):
    weight = parameter(3)
    weight.grad = minitorch.Tensor(np.array([bad, 2.0, 0.0]))
    norm = nn.utils.clip_grad_norm_([weight], 1.0, error_if_nonfinite=False)
    np.testing.assert_equal(norm, bad)
    np.testing.assert_equal(weight.grad.tolist(), left)


def test_one_cycle_goes_up_and_down_and_then_refuses():
    optimizer = optim.SGD([parameter(2)], lr=1.0)
    cycle = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=10)
    rates = [optimizer.param_groups[0]["lr"]]
    for _ in range(9):
        cycle.step()
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates[0] == pytest.approx(1 / 25)
    assert max(rates) == rates[2] == pytest.approx(1)
    assert rates[-1] == pytest.approx(1 / 25 / 1e4)
    cycle.step()
    with pytest.raises(ValueError, match="total_steps"):
        cycle.step()


def test_schedule_goes_on_from_its_state():
    def build(lr):
        optimizer = optim.SGD([parameter(2)], lr=lr)
        return optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10)

    one, two = build(1.0), build(0.3)
    for _ in range(4):
        one.step()
    two.load_state_dict(one.state_dict())
    assert two.get_last_lr() == one.get_last_lr()


def test_an_older_graph_notices_an_update_that_was_broken_off():
    class BrokenOff(optim.SGD):
        def update(self, value, grad, state, group):
            value += 1
            raise KeyboardInterrupt

    weight = nn.Parameter(np.ones(3, np.float32))
    loss = (weight * weight).sum()
    weight.grad = minitorch.ones(3)
    with pytest.raises(KeyboardInterrupt):
        BrokenOff([weight], lr=0.1).step()
    with pytest.raises(RuntimeError, match="overwritten in place"):
        loss.backward()
