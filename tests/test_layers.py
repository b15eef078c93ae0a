"""Modules as trees, containers, hooks, layers, normalization, initial weights, statistics."""

import math

import numpy as np
import pytest

import minitorch
from minitorch import activations, gradcheck, nn
from minitorch import functional as F
from minitorch.layer_statistics import LayerStatistics
from minitorch.nonlinearities import Nonlinearity

RANDOM = np.random.default_rng(0)


def leaf(*shape):
    return minitorch.Tensor(RANDOM.standard_normal(shape), requires_grad=True)


def test_shared_parameters_are_yielded_once_and_saved_under_both_names():
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    assert [path for path, _ in model.named_parameters()] == ["0.weight", "0.bias", "1.bias"]
    assert list(model.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]


def test_containers_hold_modules_by_position_and_by_name():
    layers = nn.ModuleList([nn.Linear(2, 3), nn.ReLU()]).append(nn.Linear(3, 1))
    assert len(layers) == 3
    assert isinstance(layers[-1], nn.Linear)
    assert [type(layer).__name__ for layer in layers[1:]] == ["ReLU", "Linear"]
    heads = nn.ModuleDict({"left": nn.Linear(2, 1)})
    heads["right"] = nn.Linear(2, 1)
    assert list(heads) == ["left", "right"]
    assert "left" in heads
    assert [path for path, _ in heads.named_parameters()][2] == "right.weight"
    with pytest.raises(KeyError, match="method"):
        heads["forward"] = nn.Linear(1, 1)


@pytest.mark.parametrize("kind", [nn.Sequential, nn.ModuleDict])
def test_a_module_is_not_put_in_a_methods_place(kind):
    with pytest.raises(KeyError, match=f"{kind.__name__}: 'train' is a method of every module"):
        kind({"train": nn.ReLU()})


def test_a_tensor_in_a_parameters_place_is_refused():
    """It would be used, and never trained."""
    layer = nn.Linear(2, 3)
    with pytest.raises(TypeError, match=r"weight is a parameter.*nn\.Parameter\(tensor\)"):
        layer.weight = minitorch.zeros(3, 2)  # type: ignore[assignment]
    layer.weight.data = minitorch.zeros(3, 2)
    layer.bias = nn.Parameter(minitorch.ones(3))
    assert layer(minitorch.ones(1, 2)).tolist() == [[1, 1, 1]]
    layer.bias = None
    assert [name for name, _ in layer.named_parameters()] == ["weight"]


def test_sequential_takes_names_and_slices():
    model = nn.Sequential({"first": nn.Linear(2, 4), "act": nn.Tanh()}, nn.Linear(4, 1))
    x = minitorch.randn(3, 2)
    np.testing.assert_allclose(model[2](model[:2](x)).array, model(x).array)
    assert next(model.named_parameters())[0] == "first.weight"


def test_sequential_heeds_hooks_and_a_call_of_a_modules_own():
    class Doubled(nn.Linear):
        def __call__(self, *inputs, **settings):
            return 2 * super().__call__(*inputs, **settings)

    doubled, hooked, x = Doubled(2, 2), nn.Linear(2, 2), minitorch.randn(3, 2)
    hooked.register_forward_hook(lambda module, inputs, output: output + 1)
    after = nn.Sequential(doubled, hooked)(x)
    expected = hooked.forward(2 * doubled.forward(x)) + 1
    np.testing.assert_array_equal(after.array, expected.array)


def test_a_node_in_a_sequential_knows_the_line_that_called_it():
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    y = model(minitorch.randn(3, 2))
    line = test_a_node_in_a_sequential_knows_the_line_that_called_it.__code__.co_firstlineno
    nodes = [y.node, y.node.parents[0]]
    assert [(node.code.co_filename, node.line - line) for node in nodes] == [(__file__, 2)] * 2


MODULES = sorted(set(nn.__all__) & {kind.__name__ for kind in Nonlinearity.__subclasses__()})
MODULES = [name for name in MODULES if "Softmax" not in name]  # these want to know along what


@pytest.mark.parametrize("name", MODULES)
def test_activations_as_modules_compute_what_the_functions_do(name):
    x = minitorch.randn(3, 4)
    function = getattr(F, SPELLING.get(name, name.lower()))
    np.testing.assert_array_equal(getattr(nn, name)()(x).array, function(x).array)


SPELLING = {"LeakyReLU": "leaky_relu"}


def test_every_activation_has_its_module():
    functions = {SPELLING.get(name, name.lower()) for name in [*MODULES, "PReLU"]}
    assert functions >= {name for name in activations.__all__ if hasattr(F, name)}


def test_settings_of_an_activation():
    x = minitorch.randn(3, 4)
    layer = nn.LeakyReLU(0.3, inplace=True)
    np.testing.assert_array_equal(layer(x).array, F.leaky_relu(x, 0.3).array)
    assert repr(layer) == "LeakyReLU(negative_slope=0.3)"
    assert repr(nn.GELU(approximate="tanh")) == "GELU(approximate=tanh)"
    with pytest.raises(TypeError, match="slope"):
        nn.LeakyReLU(slope=0.3)


def test_prelu_learns_its_slopes():
    layer = nn.PReLU(3)
    x = leaf(2, 3, 4)
    np.testing.assert_allclose(layer(x).array, F.leaky_relu(x, 0.25).array, rtol=1e-6)
    layer(x).sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.shape == (3,)


def test_state_of_another_shape_changes_nothing():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    before = {name: value.copy() for name, value in model.state_dict().items()}
    state = {name: value + 1 for name, value in before.items()} | {"1.bias": np.ones(3)}
    with pytest.raises(ValueError, match=r"1\.bias has shape \(3,\) instead of \(2,\)"):
        model.load_state_dict(state)
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_names_missing_and_unexpected_are_listed():
    model = nn.Linear(2, 2)
    with pytest.raises(ValueError, match=r"bias is missing; extra is unexpected"):
        model.load_state_dict({"weight": np.ones((2, 2)), "extra": np.ones(1)})
    missing, unexpected = model.load_state_dict({"extra": np.ones(1)}, strict=False)
    assert (missing, unexpected) == (["weight", "bias"], ["extra"])


def test_hooks_see_and_replace_inputs_and_outputs():
    layer = nn.Linear(2, 2)
    x = minitorch.ones(1, 2)
    plain = layer(x).array
    before = layer.register_forward_pre_hook(lambda module, inputs: inputs[0] * 0)
    np.testing.assert_array_equal(layer(x).array[0], layer.state_dict()["bias"])
    before.remove()
    with layer.register_forward_hook(lambda module, inputs, output: output + 1):
        np.testing.assert_allclose(layer(x).array, plain + 1)
    np.testing.assert_array_equal(layer(x).array, plain)


def test_dropout_keeps_the_expected_value_and_is_off_in_use():
    minitorch.manual_seed(0)
    layer, x = nn.Dropout(0.25), minitorch.ones(200, 200)
    y = layer(x).array
    assert set(np.unique(y)) == {0, np.float32(1 / 0.75)}
    assert y.mean() == pytest.approx(1, abs=0.02)
    np.testing.assert_array_equal(layer.eval()(x).array, x.array)
    x = leaf(50)
    y = F.dropout(x, p=0.5)
    y.sum().backward()
    assert x.grad is not None
    np.testing.assert_array_equal(x.grad.array, np.where(y.array == 0, 0, 2.0))


def test_dropping_everything_gives_zeros_and_no_nan():
    assert F.dropout(minitorch.ones(5), p=1.0).tolist() == [0] * 5
    with pytest.raises(ValueError, match="probability"):
        F.dropout(minitorch.ones(5), p=1.5)


def test_the_row_of_an_embedding_that_stands_for_nothing_stays_0():
    layer = nn.Embedding(3, 2, padding_idx=-1)
    layer(minitorch.tensor([0, 2, 2])).sum().backward()
    assert layer.weight[2].tolist() == [0, 0]
    assert layer.weight.grad.tolist() == [[1, 1], [0, 0], [0, 0]]


def test_embedding_sums_the_gradients_of_repeated_rows():
    table = nn.Embedding(4, 2)
    table(minitorch.tensor([[1, 1], [3, 1]])).sum().backward()
    assert table.weight.grad is not None
    assert table.weight.grad.tolist() == [[0, 0], [3, 3], [0, 0], [1, 1]]
    with pytest.raises(IndexError, match="4 rows"):
        table(minitorch.tensor([4]))
    with pytest.raises(TypeError, match="integers"):
        table(minitorch.tensor([1.0]))


def test_one_hot():
    assert F.one_hot(minitorch.tensor([2, 0])).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert F.one_hot(minitorch.tensor([1]), num_classes=4).tolist() == [[0, 1, 0, 0]]
    with pytest.raises(IndexError, match="0 to 1"):
        F.one_hot(minitorch.tensor([2]), num_classes=2)


@pytest.mark.parametrize("shape", [(5, 3), (4, 3, 2), (3, 3, 2, 4)])
@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_gradients_agree_with_differences(shape, training):
    mean, variance = np.array([0.1, -0.2, 0.3]), np.array([0.5, 1.0, 2.0])

    def normalized(x, weight, bias):
        running = mean.copy(), variance.copy()
        return F.batch_norm(x, *running, weight, bias, training=training)

    gradcheck(normalized, (leaf(*shape), leaf(3), leaf(3)))


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_layer_and_group_norm_gradients_agree_with_differences(groups):
    gradcheck(lambda x, w, b: F.group_norm(x, groups, w, b), (leaf(2, 4, 3), leaf(4), leaf(4)))
    gradcheck(
        lambda x, w, b: F.layer_norm(x, (4, 3), w, b), (leaf(2, 4, 3), leaf(4, 3), leaf(4, 3))
    )


def test_normalization_keeps_the_memory_order():
    x = minitorch.Tensor(RANDOM.standard_normal((2, 5, 5, 3)).transpose(0, 3, 1, 2))
    y = F.batch_norm(x, None, None, training=True)
    assert y.array.strides == x.array.strides


def test_running_statistics_by_hand():
    layer, x = nn.BatchNorm1d(1, momentum=0.5), np.array([[1.0], [2.0], [6.0]], np.float32)
    layer(minitorch.tensor(x))
    state = layer.state_dict()
    assert state["running_mean"].item() == pytest.approx(0.5 * 0 + 0.5 * 3)
    assert state["running_var"].item() == pytest.approx(0.5 * 1 + 0.5 * 7)
    assert state["num_batches_tracked"].item() == 1


BAD = [
    (lambda: nn.BatchNorm1d(3)(minitorch.ones(1, 3)), "no variance"),
    (lambda: nn.BatchNorm1d(3)(minitorch.ones(4, 2)), "3 channels"),
    (lambda: nn.BatchNorm2d(3)(minitorch.ones(4, 3)), "4 dimensions|dimensions"),
    (lambda: nn.LayerNorm(3)(minitorch.ones(4, 2)), r"does not end in \(3,\)"),
    (lambda: nn.GroupNorm(2, 3), "2 equal groups"),
    (lambda: nn.GroupNorm(0, 3), "0 equal groups"),
    (lambda: F.group_norm(minitorch.ones(4, 3), 2), "2 equal groups"),
    (lambda: nn.init.normal_(minitorch.zeros(2), 0, -1), "a std from 0"),
    (lambda: nn.init.uniform_(minitorch.zeros(2), 1, 0), "no interval"),
    (lambda: nn.init.kaiming_uniform_(minitorch.zeros(2)), "no fans"),
]


@pytest.mark.parametrize("call, words", BAD)
def test_inputs_that_do_not_fit_are_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_a_weight_without_elements_has_nothing_to_begin():
    for name in ("kaiming_uniform_", "kaiming_normal_", "xavier_uniform_", "orthogonal_"):
        assert getattr(nn.init, name)(minitorch.zeros(3, 0)).shape == (3, 0)


def test_whole_numbers_take_no_random_weights():
    assert nn.init.constant_(minitorch.zeros(2, dtype=np.int64), 3.0).tolist() == [3, 3]
    with pytest.raises(TypeError, match="int64 holds whole numbers"):
        nn.init.normal_(minitorch.zeros(2, dtype=np.int64))


def test_without_momentum_the_running_statistics_are_plain_averages():
    layer = nn.BatchNorm1d(1, momentum=None)
    for values in ([0.0, 2.0], [4.0, 8.0], [1.0, 1.0]):
        layer(minitorch.tensor(values).reshape(2, 1))
    state = layer.state_dict()
    assert state["running_mean"].item() == pytest.approx((1 + 6 + 1) / 3)
    assert state["running_var"].item() == pytest.approx((2 + 8 + 0) / 3)


def test_initial_deviations_follow_the_fans():
    minitorch.manual_seed(0)
    weight = minitorch.zeros(400, 100)
    assert nn.init.kaiming_normal_(weight, nonlinearity="relu").array.std() == pytest.approx(
        math.sqrt(2 / 100), rel=0.02
    )
    fan_out = nn.init.kaiming_uniform_(weight, mode="fan_out", nonlinearity="linear")
    assert np.abs(fan_out.array).max() == pytest.approx(math.sqrt(3 / 400), rel=0.01)
    assert nn.init.xavier_normal_(weight).array.std() == pytest.approx(math.sqrt(2 / 500), rel=0.02)
    with pytest.raises(ValueError, match="no fans"):
        nn.init.kaiming_normal_(minitorch.zeros(3))


@pytest.mark.parametrize("shape", [(5, 8), (8, 5), (4, 2, 3, 3)])
def test_orthogonal_weights_keep_lengths(shape):
    rows = nn.init.orthogonal_(minitorch.zeros(*shape), gain=2.0).array.reshape(shape[0], -1)
    product = rows @ rows.T if shape[0] <= rows.shape[1] else rows.T @ rows
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-5)


def test_truncated_normal_stays_inside():
    minitorch.manual_seed(0)
    values = nn.init.trunc_normal_(minitorch.zeros(5000), std=1.0, a=-1, b=1.5).array
    assert values.min() >= -1
    assert values.max() <= 1.5
    assert values.max() > 1.4


@pytest.mark.parametrize(
    "low, high, mean",
    [
        (-2, 2, 0.0),
        (4.9, 5.0, 4.9459),
        (8.0, np.inf, 8.1213),
        (-np.inf, -30, -30.0333),
        (-0.01, 0.01, 0.0),
        (-1, 6, 0.2876),
    ],
)
def test_truncated_normal_has_the_mean_of_its_interval(low, high, mean):
    """Also where a normal number would never fall; the mean is (pdf(a) - pdf(b)) / probability."""
    minitorch.manual_seed(0)
    tensor = minitorch.zeros(20_000, dtype=np.float64)
    values = nn.init.trunc_normal_(tensor, a=low, b=high).array
    assert low <= values.min()
    assert values.max() <= high
    assert values.mean() == pytest.approx(mean, abs=4 * values.std() / 20_000**0.5)


@pytest.mark.parametrize("settings", [{"a": 3, "b": 2}, {"std": 0}, {"mean": np.nan}])
def test_truncated_normal_without_an_interval_is_refused(settings):
    with pytest.raises(ValueError, match="no interval"):
        nn.init.trunc_normal_(minitorch.zeros(5), **settings)


def test_statistics_see_outputs_and_gradients_and_leave_no_hook():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Sequential(nn.Linear(4, 1)))
    with LayerStatistics(model) as statistics:
        output = model(minitorch.randn(8, 3))
        output.sum().backward()
    assert [row["layer"] for row in statistics.rows] == ["0", "1", "2.0"]
    assert statistics.rows[2]["mean"] == pytest.approx(float(output.array.mean()))
    assert statistics.rows[2]["gradient_mean"] == 1
    assert 0 < statistics.rows[1]["zeros"] < 1
    model(minitorch.randn(8, 3))
    assert len(statistics.rows) == 3


def test_relu_in_place_overwrites_its_input():
    x = minitorch.tensor([-1.0, 2.0], requires_grad=True)
    h = x * 3
    y = F.relu(h, inplace=True)
    assert y is h
    y.sum().backward()
    assert (h.tolist(), x.grad.tolist()) == ([0, 6], [0, 3])
    assert F.relu(minitorch.tensor([-1.0])).tolist() == nn.ReLU(True)(x[:1]).tolist() == [0]
    assert nn.LeakyReLU(0.5, True)(x).tolist() == [-0.5, 2]


def test_a_module_takes_another_dtype_and_a_buffer():
    layer = nn.Linear(3, 2).to("cpu").to(minitorch.float64)
    layer.register_buffer("seen", minitorch.zeros(2))
    assert list(layer.state_dict()) == ["weight", "bias", "seen"]
    assert layer(minitorch.ones(1, 3, dtype=minitorch.float64)).dtype == minitorch.float64
    layer(minitorch.ones(1, 3)).sum().backward()
    assert layer.to(minitorch.float32).weight.grad.dtype == minitorch.float32


def test_dropout2d_drops_whole_channels():
    minitorch.manual_seed(0)
    layer = nn.Dropout2d(0.5)
    y = layer(minitorch.ones(4, 8, 3, 3)).array.reshape(32, 9)
    assert set(np.unique(y)) == {0, 2}
    assert (y == y[:, :1]).all()
    layer.eval()
    assert (layer(minitorch.ones(1, 2, 3, 3)).array == 1).all()


def test_unflatten_undoes_flatten():
    x = minitorch.randn(2, 3, 4)
    assert (nn.Unflatten(1, (3, 4))(nn.Flatten()(x)) == x).all()
