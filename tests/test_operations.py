"""Every op of the table: value, dtype, gradient, odd layouts, untouched inputs; then the edges."""

from __future__ import annotations

import importlib
import math
import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minitorch
from minitorch import Tensor, functional, gradcheck, tensor
from tests.op_table import TABLE, Row, sample

OP_MODULES = [
    "activations",
    "comparisons",
    "diagonals",
    "indexing",
    "joining",
    "lengths",
    "mathematics",
    "operations",
    "products",
    "reductions",
    "scans",
    "selecting",
    "shapes",
    "strided",
]
INNER = {"concatenate", "sum_of_products", "median_of_all", "put_back", "fold_windows"} | {
    "add_strided",
    "put_on_diagonal",
}  # ops that the table reaches through the one that is named there

every_row = pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
differentiable = pytest.mark.parametrize(
    "row", [row for row in TABLE if row.differentiable], ids=lambda row: row.name
)


def contiguous(array):
    return array


def backwards(array):
    """The same numbers, read from the end of memory."""
    return np.flip(np.flip(array).copy())


def strided(array):
    """The same numbers in a transposed view with gaps."""
    wide = np.repeat(array.T[..., None], 2, -1) if array.ndim else np.repeat(array[None], 2)
    return wide[..., 0].T


def results(answer):
    """The arrays in what an op answers."""
    return [each.array for each in (answer if isinstance(answer, tuple) else (answer,))]


def grad_of(leaf):
    """The gradient that a backward left on a tensor."""
    assert leaf.grad is not None
    return leaf.grad


# ---- what holds for every op -------------------------------------------------------------------


@every_row
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layout", [contiguous, backwards, strided])
def test_value_dtype_and_untouched_inputs(row: Row, dtype, layout):
    for shapes in row.shapes:
        arrays = [layout(array.astype(dtype)) for array in sample(shapes, row.low, row.high)]
        before = [array.copy() for array in arrays]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # numpy's, for the mean of nothing
            expected = np.asarray(row.reference(*arrays))
        (value,) = results(row.call(*map(Tensor, arrays)))
        assert value.shape == expected.shape, shapes
        assert value.dtype == (dtype if row.differentiable else expected.dtype)
        tolerance = 1e-9 if dtype == np.float64 else 2e-5
        np.testing.assert_allclose(value, expected, rtol=tolerance, atol=tolerance)
        for array, copy in zip(arrays, before, strict=True):
            np.testing.assert_array_equal(array, copy)


@differentiable
def test_gradient_against_central_differences(row: Row):
    for shapes in row.shapes:
        for layout in (contiguous, strided):
            inputs = [Tensor(layout(array)) for array in sample(shapes, row.low, row.high)]
            before = [each.array.copy() for each in inputs]
            assert gradcheck(row.call, inputs, atol=1e-6, rtol=1e-5), shapes
            for each, copy in zip(inputs, before, strict=True):
                np.testing.assert_array_equal(each.array, copy)


@differentiable
def test_gradient_has_the_input_s_shape_and_dtype(row: Row):
    for shapes in row.shapes:
        arrays = sample(shapes, row.low, row.high)
        inputs = [Tensor(array.astype(np.float32), requires_grad=True) for array in arrays]
        output = row.call(*inputs)
        grad = np.ones(output.shape, np.float32)
        output.backward(Tensor(grad))
        np.testing.assert_array_equal(grad, 1)
        for each in inputs:
            assert grad_of(each).shape == each.shape, shapes
            assert grad_of(each).dtype == np.float32


@differentiable
def test_second_derivative_against_differences_of_the_first(row: Row):
    for shapes in row.shapes:
        point = sample(shapes, row.low, row.high)
        random = np.random.default_rng(1)
        weight = random.standard_normal(row.call(*map(Tensor, point)).shape)
        along, step = ([random.standard_normal(size) for size in shapes] for _ in range(2))

        def slopes(arrays, row=row, weight=weight, **settings):
            leaves = [Tensor(array, requires_grad=True) for array in arrays]
            row.call(*leaves).backward(Tensor(weight), **settings)
            return leaves, [grad_of(leaf) for leaf in leaves]

        leaves, grads = slopes(point, create_graph=True)
        parts = [(grad * Tensor(each)).sum() for grad, each in zip(grads, along, strict=True)]
        for leaf in leaves:
            leaf.grad = None
        for part in parts:
            if part.requires_grad:
                part.backward(retain_graph=True)
        found = [leaf.grad.numpy() if leaf.grad is not None else 0 for leaf in leaves]
        moved = []
        for epsilon in (1e-6, -1e-6):
            near = [array + epsilon * each for array, each in zip(point, step, strict=True)]
            moved.append(dots([grad.numpy() for grad in slopes(near)[1]], along))
        expected = (moved[0] - moved[1]) / 2e-6
        assert dots(found, step) == pytest.approx(expected, rel=1e-5, abs=1e-5), shapes


def dots(arrays, others):
    """Sum of the products of all elements."""
    return sum(float(np.sum(a * b)) for a, b in zip(arrays, others, strict=True))


def test_what_is_not_twice_differentiable_says_so():
    for function in (lambda x: x.prod(), lambda x: x.cumprod(0).sum()):
        x = tensor([2.0, 0.0], requires_grad=True)
        with pytest.raises(RuntimeError, match=r"prod.* twice.*element is 0"):
            function(x).backward(create_graph=True)


def test_no_op_is_forgotten():
    modules = [importlib.import_module(f"minitorch.{name}") for name in OP_MODULES]
    ops = {
        name
        for module in modules
        for name, value in vars(module).items()
        if hasattr(value, "__wrapped__") and value.__module__ == module.__name__
    }
    assert len(ops) > 100
    assert ops - INNER - {row.name.split()[0] for row in TABLE} == set()


# ---- properties: numpy says what is right ------------------------------------------------------


@given(shapes=hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=4))
@settings(max_examples=60, deadline=None)
def test_broadcast_gradients_are_summed_back(shapes):
    a, b = (Tensor(array, requires_grad=True) for array in sample(shapes.input_shapes, -2.0, 2.0))
    product = a * b
    assert product.shape == shapes.result_shape
    product.sum().backward()
    for one, other in ((a, b), (b, a)):
        assert grad_of(one).shape == one.shape
        repeated = np.broadcast_to(other.array, product.shape)
        positions = np.broadcast_to(np.arange(one.numel()).reshape(one.shape), product.shape)
        expected = np.bincount(positions.ravel(), repeated.ravel(), minlength=one.numel())
        np.testing.assert_allclose(grad_of(one).numpy().ravel(), expected, atol=1e-12)


def picks(array, index):
    """How often x[index] picks each element of x."""
    positions = np.arange(array.size).reshape(array.shape)[index]
    return np.bincount(np.ravel(positions), minlength=array.size).reshape(array.shape)


@given(data=st.data(), shape=hnp.array_shapes(max_dims=4, max_side=5, min_side=0))
@settings(max_examples=80, deadline=None)
def test_basic_indexing_as_numpy(data, shape):
    index = data.draw(hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True))
    x = Tensor(sample([shape], -1.0, 1.0)[0], requires_grad=True)
    picked = x[index]
    np.testing.assert_array_equal(picked.array, x.array[index])
    picked.sum().backward()
    np.testing.assert_array_equal(grad_of(x).numpy(), picks(x.array, index))


@given(data=st.data(), shape=hnp.array_shapes(max_dims=3, max_side=4))
@settings(max_examples=80, deadline=None)
def test_index_arrays_count_every_repeat(data, shape):
    index = data.draw(hnp.integer_array_indices(shape))
    x = Tensor(sample([shape], -1.0, 1.0)[0], requires_grad=True)
    picked = x[tuple(tensor(part) for part in index)]
    np.testing.assert_array_equal(picked.array, x.array[index])
    picked.sum().backward()
    np.testing.assert_array_equal(grad_of(x).numpy(), picks(x.array, index))


@given(
    data=st.data(),
    shape=hnp.array_shapes(max_dims=4, max_side=4),
    name=st.sampled_from(["sum", "mean", "amax", "amin", "prod"]),
    keepdim=st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_reductions_as_numpy(data, shape, name, keepdim):
    count = data.draw(st.integers(1, len(shape)))
    dims = data.draw(st.permutations(range(len(shape))))[:count]
    dims = tuple(dim - len(shape) * data.draw(st.booleans()) for dim in dims)
    (array,) = sample([shape], 0.5, 1.5)
    x = Tensor(array, requires_grad=True)
    reduced = getattr(x, name)(dim=dims, keepdim=keepdim)
    expected = getattr(np, name)(array, axis=dims, keepdims=keepdim)
    np.testing.assert_allclose(reduced.array, expected, rtol=1e-12)
    assert gradcheck(lambda t: getattr(t, name)(dim=dims, keepdim=keepdim), x)


@given(shape=hnp.array_shapes(max_dims=4, max_side=4), data=st.data())
@settings(max_examples=40, deadline=None)
def test_movement_there_and_back(shape, data):
    assume(math.prod(shape) > 0)
    order = data.draw(st.permutations(range(len(shape))))
    (array,) = sample([shape], -1.0, 1.0)
    x = Tensor(array, requires_grad=True)
    moved = x.permute(*order).flip(0).reshape(-1).roll(3)
    weights = np.arange(1.0, x.numel() + 1)
    moved.backward(Tensor(weights))
    back = np.roll(weights, -3).reshape([shape[k] for k in order])[::-1]
    np.testing.assert_array_equal(grad_of(x).numpy(), back.transpose(np.argsort(order)))


# ---- edges -------------------------------------------------------------------------------------


def gradient(function, values, dtype=np.float64):
    """The gradient of the sum of `function` at `values`, as a list."""
    x = Tensor(np.array(values, dtype), requires_grad=True)
    function(x).sum().backward()
    return grad_of(x).tolist()


def test_ties_share_a_maximum_but_an_index_chooses_one():
    assert gradient(lambda x: x.max(), [1, 3, 3]) == [0, 0.5, 0.5]
    assert gradient(lambda x: x.amin(0), [[1, 1], [1, 2]]) == [[0.5, 1], [0.5, 0]]
    assert gradient(lambda x: x.max(0).values, [1, 3, 3]) == [0, 1, 0]
    assert gradient(lambda x: x.maximum(tensor([3.0, 3.0, 0.0])), [1, 3, 3]) == [0, 0.5, 1]
    assert gradient(lambda x: x.median(), [2, 1, 2, 3]) == [0.5, 0, 0.5, 0]


def test_kinks_have_pytorch_s_gradient():
    assert gradient(lambda x: x.relu(), [-1, 0, 1]) == [0, 0, 1]
    assert gradient(lambda x: x.abs(), [-1, 0, 1]) == [-1, 0, 1]
    assert gradient(lambda x: x.sinc(), [-1, 0, 1]) == pytest.approx([1, 0, -1])
    assert gradient(lambda x: x.clamp(-1, 1), [-2, -1, 0, 1, 2]) == [0, 1, 1, 1, 0]
    assert gradient(lambda x: x.relu6(), [0, 6]) == [0, 0]
    assert gradient(lambda x: x.norm(), [0, 0]) == [0, 0]
    assert gradient(lambda x: x.std(), [2, 2, 2]) == [0, 0, 0]
    assert gradient(lambda x: x.norm(1.5), [0, 3]) == pytest.approx([0, 1])
    assert gradient(lambda x: x.atan2(tensor([0.0, 2.0])), [0, 0]) == [0, 0.5]
    assert gradient(lambda x: tensor([0.0, 0.0]).atan2(x), [0, -1]) == [0, 0]


def test_clamp_with_crossed_bounds_gives_the_upper_one():
    x, low, high = (tensor(value, requires_grad=True) for value in (0.5, 2.0, 1.0))
    y = x.clamp(low, high)
    y.backward()
    assert (y.item(), grad_of(x).item(), grad_of(low).item(), grad_of(high).item()) == (1, 0, 0, 1)


def test_powers_of_what_is_not_positive():
    assert gradient(lambda x: x**2, [-3, 0]) == [-6, 0]
    assert gradient(lambda x: x**0, [-3, 0]) == [0, 0]
    assert gradient(lambda x: x**1, [0]) == [1]
    exponent = tensor([2.0, 0.0], requires_grad=True)
    (tensor([0.0, 0.0]) ** exponent).sum().backward()
    assert grad_of(exponent).tolist() == [0, 0]
    exponent = tensor([2.0], requires_grad=True)
    with np.errstate(invalid="ignore"):
        (tensor([-1.0]) ** exponent).sum().backward()
    assert math.isnan(grad_of(exponent).item())


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_what_never_happens_has_no_logarithm():
    x = minitorch.tensor([0.0, 0, 0, 0, 1], requires_grad=True)
    y = minitorch.tensor([0.0, 2, -1, math.inf, 0], requires_grad=True)
    assert minitorch.xlogy(x, y).tolist() == [0, 0, 0, 0, -math.inf]
    minitorch.xlogy(x, y).sum().backward()
    expected = [0, math.log(2), 0, math.inf, -math.inf]
    np.testing.assert_allclose(grad_of(x).numpy(), expected, rtol=1e-6)
    np.testing.assert_equal(grad_of(y).numpy(), [math.nan, 0, 0, 0, math.inf])
    assert math.isnan(minitorch.xlogy(0.0, minitorch.tensor(math.nan)).item())


def test_products_with_zeros():
    assert gradient(lambda x: x.prod(), [2, 0, 3]) == [0, 6, 0]
    assert gradient(lambda x: x.prod(), [2, 0, 0]) == [0, 0, 0]
    assert gradient(lambda x: x.cumprod(0), [2, 0, 3]) == [1, 8, 0]
    (array,) = sample([(5, 6)], -1.0, 1.0)
    array[np.abs(array) < 0.4] = 0
    assert gradcheck(lambda x: x.cumprod(1), Tensor(array))


def test_repeated_indices_add_up():
    assert gradient(lambda x: x[[0, 0, 2]] * tensor([1.0, 2.0, 4.0]), [5, 5, 5]) == [3, 0, 4]
    assert gradient(lambda x: x.gather(0, tensor([1, 1, 1])), [5, 5, 5]) == [0, 3, 0]


def test_an_overwritten_source_gets_no_gradient():
    source = tensor([1.0, 2.0, 4.0], requires_grad=True)
    y = minitorch.zeros(3).scatter(0, tensor([0, 0, 2]), source)
    assert y.tolist() == [2, 0, 4]
    y.sum().backward()
    assert grad_of(source).tolist() == [0, 1, 1]


def test_sorting_is_stable_and_puts_nan_last():
    x = tensor([[2.0, 1.0, 2.0, 1.0]])
    assert x.argsort().tolist() == [[1, 3, 0, 2]]
    assert x.argsort(descending=True).tolist() == [[0, 2, 1, 3]]
    assert tensor([1.0, math.nan, 0.0]).argsort().tolist() == [2, 0, 1]
    assert tensor([1.0, 4.0, 3.0]).topk(2).indices.tolist() == [1, 2]


def test_medians():
    assert tensor([4.0, 1.0, 3.0, 2.0]).median().item() == 2
    assert math.isnan(tensor([4.0, math.nan, 3.0]).median().item())
    found = tensor([[4.0, 1.0, 3.0, 2.0], [1.0, math.nan, 0.0, 2.0]]).median(1)
    assert found.indices.tolist() == [3, 1]
    assert found.values.tolist() == [2, pytest.approx(math.nan, nan_ok=True)]


def test_sums_of_whole_numbers_stay_whole():
    for dtype in (np.bool_, np.uint8, np.int32, np.int64):
        x = Tensor(np.ones((2, 3), dtype))
        for y in (x.sum(), x.sum(0), x.prod(1), x.cumsum(1), x.cumprod(0), x.count_nonzero()):
            assert y.dtype == np.int64
    assert (tensor([1, 2]) / 2).dtype == np.float32
    assert tensor([1, 4]).sqrt().dtype == np.float32
    assert tensor([1, 4]).erf().dtype == np.float32
    assert (tensor([7, -7]) // 2).tolist() == [3, -4]
    assert (tensor([7, -7]) % 4).tolist() == [3, 1]


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.uint16, np.uint32, np.uint64])
def test_numbers_that_know_no_minus_are_turned_into_floats_before(dtype):
    ones = Tensor(np.ones(3, dtype))
    for name in ("sigmoid", "logsigmoid", "softplus", "silu", "mish", "tanh"):
        function = getattr(functional, name)
        expected = function(minitorch.ones(3)).tolist()
        assert function(ones).tolist() == pytest.approx(expected, rel=1e-6), name
    with np.errstate(divide="ignore", invalid="ignore"):
        assert np.isnan((ones + ones).logit().array).all() or dtype is np.bool_


def test_far_out_values_neither_overflow_nor_warn():
    far = [-1000.0, 1000.0]
    assert tensor(far).sigmoid().tolist() == [0, 1]
    assert functional.logsigmoid(tensor(far)).tolist() == [-1000, 0]
    assert tensor(far).softplus().tolist() == [0, 1000]
    assert tensor(far).logsumexp(0).item() == 1000
    assert gradient(lambda x: x.logsumexp(0), [-math.inf, 0]) == [0, 1]
    with np.errstate(invalid="ignore"):
        assert gradient(lambda x: x.logsumexp(0), [math.inf, 1])[1] == 0
    assert gradient(lambda x: minitorch.logaddexp(x, x.detach()), [1e30, -1e30]) == [0.5, 0.5]
    assert gradient(lambda x: minitorch.logaddexp(x, x - math.inf), [1.0]) == [1]
    assert tensor(far).mish().tolist() == [0, 1000]
    for name in ("sigmoid", "softplus", "silu", "gelu", "elu", "mish", "tanh"):
        slopes = gradient(lambda x, name=name: getattr(x, name)(), far)
        assert slopes == pytest.approx([0, float(name not in ("sigmoid", "tanh"))])


def test_reductions_of_nothing():
    nothing = minitorch.zeros(0, 3)
    assert nothing.sum(0).tolist() == [0, 0, 0]
    assert nothing.prod().item() == 1
    assert math.isnan(nothing.mean().item())
    assert math.isnan(tensor([1.0]).var().item())
    assert nothing.any().item() is False
    assert nothing.all().item() is True
    assert nothing.logsumexp(0).tolist() == [-math.inf] * 3
    assert gradient(lambda x: x.mean(0), np.zeros((0, 2))) == []


def test_a_single_number_may_be_asked_about_dimension_0():
    x = tensor(3.0)
    for y in (x.sum(0), x.mean(-1), x.max(0).values, x.cumsum(0), x.sort(0).values, x.median(0)[0]):
        assert y.shape == ()
        assert y.item() == 3
    assert x.flatten().shape == x.reshape(-1).shape == x.unsqueeze(0).shape == (1,)


def test_a_single_number_is_seen_as_a_list_of_one():
    x = tensor(3.0, requires_grad=True)
    (x.gather(0, tensor([0, 0])).sum() + x.unfold(0, 1, 1).sum()).backward()
    assert x.gather(0, tensor([0, 0])).tolist() == [3, 3]
    assert x.unfold(0, 1, 1).tolist() == [3]
    assert grad_of(x).item() == 3
    assert tensor(3.0).index_add(0, tensor([0]), tensor([2.0]), alpha=2).item() == 7


def test_integers_keep_to_whole_steps_and_bounds():
    assert minitorch.linspace(-2.5, 3.9, 5, dtype=np.int64).tolist() == [-2, 0, 0, 1, 3]
    assert minitorch.linspace(4, 9, 1, dtype=np.int64).tolist() == [4]
    assert minitorch.arange(-0.9, 2.1, dtype=np.int64).tolist() == [0, 1]
    assert functional.hardtanh(tensor([-2, 0, 2]), -1.5, 1.5).tolist() == [-1, 0, 1]


def test_ends_of_a_range_may_be_tensors_and_keep_their_precision():
    found = minitorch.linspace(tensor(-3.9), 2, 3, dtype=np.float64)
    assert found.array[0] == np.float64(np.float32(-3.9))


def test_views_share_memory():
    x = minitorch.zeros(3, 4)
    views = [x.reshape(12), x.T, x.permute(1, 0), x[1:], x.stride((-1, 2)), x.expand(2, 3, 4)]
    views += [x.unfold(1, 2, 1), x.diagonal(), x.split(2)[0], x.unsqueeze(0), x.narrow(1, 0, 2)]
    for view in views:
        assert np.shares_memory(view.array, x.array)


def test_what_pytorch_copies_shares_no_memory():
    x = minitorch.zeros(1, 3, 4)
    copies = [x.flip(1), x.roll(0), x.pad((0, 0)), x.repeat(1, 1, 1), x.clone()]
    copies += [x.pad((0, 0), mode=mode) for mode in ("reflect", "replicate", "circular")]
    copies += [x.pad((-1, 0), mode="circular")]
    for copied in copies:
        assert not np.shares_memory(copied.array, x.array)


def test_operators_with_numbers_on_the_left():
    x = tensor([1.0, 2.0, 4.0])
    assert (1 - x).tolist() == [0, -1, -3]
    assert (4 / x).tolist() == [4, 2, 1]
    assert (2**x).tolist() == [2, 4, 16]
    assert (5 // x).tolist() == [5, 2, 1]
    assert (5 % x).tolist() == [0, 1, 1]
    assert abs(-x).tolist() == [1, 2, 4]


REFUSED = [
    (
        "softmax",
        lambda: functional.softmax(minitorch.ones(2, 3)),
        TypeError,
        r"softmax\(x, dim=1\)",
    ),
    (
        "log_softmax",
        lambda: minitorch.nn.LogSoftmax()(minitorch.ones(2, 3)),
        TypeError,
        r"along which dim .* \(2, 3\)",
    ),
    (
        "as_strided",
        lambda: minitorch.ones(2, 3).t().as_strided((2,), (1,)),
        ValueError,
        "not contiguous",
    ),
    (
        "max_pool2d",
        lambda: functional.max_pool2d(minitorch.ones(1, 1, 4, 4), 2, 2, 0, 2),
        ValueError,
        "dilation is 2",
    ),
    (
        "matmul",
        lambda: minitorch.ones(3) @ minitorch.ones(1, 3),
        ValueError,
        r"\(3,\) and \(1, 3\)",
    ),
    ("matmul", lambda: minitorch.ones(3, 2) @ 2, ValueError, r"\(3, 2\) and \(\)"),
    (
        "linear",
        lambda: functional.linear(minitorch.ones(2, 3), minitorch.ones(4, 5)),
        ValueError,
        "takes 5",
    ),
    ("add", lambda: minitorch.ones(3) + minitorch.ones(2), ValueError, "compared from the right"),
    (
        "sum",
        lambda: minitorch.ones(2, 2).sum(3),
        IndexError,
        "dim 3 of a tensor with 2 dim.*-2 to 1",
    ),
    ("sum", lambda: minitorch.ones(2, 2).sum((0, -2)), ValueError, "twice"),
    ("sum", lambda: minitorch.ones(2, 2).sum(0.5), TypeError, "whole number"),
    ("mean", lambda: tensor([1, 2]).mean(), TypeError, r"int64.*float\(\)"),
    (
        "reshape",
        lambda: minitorch.ones(2, 3).reshape(4, 2),
        ValueError,
        r"6 elements of shape \(2, 3\)",
    ),
    ("expand", lambda: minitorch.ones(2, 3).expand(-1, 2, 3), ValueError, "need a size"),
    ("expand", lambda: minitorch.ones(2, 3).expand(4, 3), ValueError, "broadcast"),
    ("permute", lambda: minitorch.ones(2, 3).permute(0), ValueError, "name each once"),
    ("squeeze", lambda: minitorch.ones(2, 1).squeeze(2), IndexError, "-2 to 1"),
    (
        "cat",
        lambda: minitorch.cat([minitorch.ones(2, 3), minitorch.ones(3, 2)]),
        ValueError,
        "differ",
    ),
    ("cat", lambda: minitorch.cat([]), ValueError, "no tensor"),
    ("cat", lambda: minitorch.cat([tensor(1.0), tensor(2.0)]), ValueError, "stack"),
    ("stack", lambda: minitorch.stack([minitorch.ones(2), minitorch.ones(3)]), ValueError, "equal"),
    ("split", lambda: minitorch.ones(4).split([1, 2]), ValueError, "add up to 3"),
    ("chunk", lambda: minitorch.ones(4).chunk(0), ValueError, "at least 1"),
    ("getitem", lambda: minitorch.ones(3)[5], IndexError, "out of bounds"),
    ("getitem", lambda: minitorch.ones(3)[tensor([0.5])], IndexError, "integer"),
    ("gather", lambda: minitorch.ones(3).gather(0, tensor([3])), IndexError, "index 3.*0 to 2"),
    ("gather", lambda: minitorch.ones(3).gather(0, tensor([-1])), IndexError, "index -1"),
    (
        "gather",
        lambda: minitorch.ones(3).gather(0, tensor([[0]])),
        ValueError,
        "as many dimensions",
    ),
    (
        "scatter",
        lambda: minitorch.ones(3).scatter(0, tensor([0, 1]), tensor([1.0])),
        ValueError,
        "src",
    ),
    (
        "index_select",
        lambda: minitorch.ones(3).index_select(0, tensor([[0]])),
        ValueError,
        "vector",
    ),
    ("narrow", lambda: minitorch.ones(3).narrow(0, 2, 2), IndexError, "beyond"),
    ("where", lambda: minitorch.where(tensor([1.0]), 1.0, 2.0), TypeError, "float32, not bool"),
    ("masked_fill", lambda: tensor([1.0]).masked_fill(tensor([1]), 0), TypeError, "not bool"),
    ("clamp", lambda: tensor([1.0]).clamp(), ValueError, "min, max or both"),
    ("topk", lambda: tensor([1.0]).topk(2), ValueError, "2 of the 1"),
    ("amax", lambda: minitorch.zeros(0).amax(), ValueError, r"float32 \(0,\).*empty batch"),
    ("tril", lambda: minitorch.ones(3).tril(), ValueError, "2 dimensions"),
    ("dot", lambda: minitorch.ones(2, 2).dot(minitorch.ones(2)), ValueError, "1 and 1 dimensions"),
    ("bmm", lambda: minitorch.ones(2, 1, 1).bmm(minitorch.ones(3, 1, 1)), ValueError, "2 and 3"),
    ("einsum", lambda: minitorch.einsum("ij->ii", minitorch.ones(2, 2)), ValueError, "once"),
    ("einsum", lambda: minitorch.einsum("ii->i", minitorch.ones(2, 3)), ValueError, "diagonal"),
    (
        "einsum",
        lambda: minitorch.einsum("ij,jk", minitorch.ones(2, 3)),
        ValueError,
        "2 operands, got 1",
    ),
    ("einsum", lambda: minitorch.einsum("ij", minitorch.ones(2)), ValueError, "describe 1"),
    (
        "einsum",
        lambda: minitorch.einsum("i,i", minitorch.ones(2), minitorch.ones(3)),
        ValueError,
        "2 and for 3",
    ),
    ("unfold", lambda: minitorch.ones(3).unfold(0, 4, 1), ValueError, "windows of 4"),
    ("as_strided", lambda: minitorch.ones(4).as_strided((3,), (2,)), ValueError, "beyond"),
    ("roll", lambda: minitorch.ones(4).roll((1, 2), 0), ValueError, "one shift for each"),
    ("pad", lambda: minitorch.ones(4).pad((1, 2, 3)), ValueError, "1 dimensions"),
    (
        "pad",
        lambda: functional.pad(minitorch.ones(1, 2), (2, 0), mode="reflect"),
        ValueError,
        "reflect",
    ),
    ("shrink", lambda: minitorch.ones(4, 4).shrink(((0, 1),)), ValueError, "1 ranges"),
    ("shrink", lambda: minitorch.ones(4, 4).shrink(((0, 9), None)), ValueError, "from 0 to 4"),
    ("shrink", lambda: minitorch.ones(4, 4).shrink(((3, 1), None)), ValueError, "is no part of"),
    ("pad", lambda: minitorch.ones(4, 4).pad((-5, 2)), ValueError, "takes more than there is"),
    ("var", lambda: tensor([1, 2]).var(), TypeError, "takes floats"),
    (
        "prelu",
        lambda: functional.prelu(minitorch.ones(2, 3), minitorch.ones(2)),
        ValueError,
        "channels",
    ),
    ("mean", lambda: minitorch.ones(3).mean(dtype=minitorch.int64), TypeError, "floats, not int64"),
    ("t", lambda: minitorch.ones(2, 3, 4).t(), ValueError, r"\(2, 3, 4\).*transpose"),
    (
        "scatter",
        lambda: minitorch.ones(2).scatter(0, tensor([1]), minitorch.ones(1, dtype=np.float64)),
        TypeError,
        "source is float64, but x float32",
    ),
    (
        "index_add",
        lambda: minitorch.ones(2).index_add(0, tensor([1]), tensor([1])),
        TypeError,
        "source is int64",
    ),
    ("cat", lambda: minitorch.cat([minitorch.ones(2), None]), TypeError, "list of tensors"),
    (
        "masked_fill",
        lambda: minitorch.ones(2).masked_fill(tensor([True, False]), 1j),
        TypeError,
        "1j does not fit",
    ),
    (
        "isclose",
        lambda: minitorch.isclose(minitorch.ones(2), minitorch.ones(2), rtol=-1),
        ValueError,
        "negative",
    ),
    ("hardtanh", lambda: functional.hardtanh(minitorch.ones(2), 1, -1), ValueError, "above"),
    (
        "embedding",
        lambda: functional.embedding(tensor([0]), minitorch.ones(2)),
        ValueError,
        r"rows, features.*\(2,\)",
    ),
    (
        "embedding",
        lambda: functional.embedding(tensor([0]), minitorch.ones(2, 2), 2),
        IndexError,
        "no row 2",
    ),
    (
        "BatchNorm2d",
        lambda: minitorch.nn.BatchNorm2d(3, eps=0),
        ValueError,
        "eps must be above 0",
    ),
    (
        "batch_norm",
        lambda: functional.batch_norm(minitorch.ones(3), None, None),
        ValueError,
        "batch of channels",
    ),
    (
        "batch_norm",
        lambda: functional.batch_norm(minitorch.arange(4).reshape(2, 2), None, None),
        TypeError,
        "int64; it takes floats",
    ),
    (
        "layer_norm",
        lambda: functional.layer_norm(minitorch.arange(4).reshape(2, 2), (2,)),
        TypeError,
        "int64; it takes floats",
    ),
    (
        "BatchNorm2d",
        lambda: minitorch.nn.BatchNorm2d(1)(minitorch.arange(4).reshape(1, 1, 2, 2)),
        TypeError,
        "x is int64; it takes floats",
    ),
    (
        "Embedding",
        lambda: minitorch.nn.Embedding(5, 2, padding_idx=5),
        IndexError,
        r"no row 5 \(padding_idx\) of 5",
    ),
    (
        "avg_pool2d",
        lambda: functional.avg_pool2d(minitorch.ones(1, 1, 2, 2), 2, divisor_override=0),
        ValueError,
        "divisor_override",
    ),
    ("max", lambda: minitorch.max(2, 3), IndexError, "dim 3 of a tensor with 0"),
]


@pytest.mark.parametrize("name, call, kind, words", REFUSED, ids=[case[0] for case in REFUSED])
def test_refused_with_the_op_the_cause_and_the_cure(name, call, kind, words):
    with pytest.raises(kind, match=rf"(?s)^{name}.*{words}"):
        call()


def test_pow_takes_plain_numbers():
    assert minitorch.pow(3, 2).item() == 9
