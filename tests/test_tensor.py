"""The tensor: dtypes, conversions, numpy both ways, printing."""

import builtins
import copy
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import Tensor, tensor


def test_python_numbers_never_widen():
    x = minitorch.ones(2, requires_grad=True)
    for y in (x * 2, 2.0 * x, x / 3, x**2, np.float64(2) * x, x * np.float64(2), 1 - x):
        assert y.dtype == minitorch.float32
    assert (minitorch.arange(3) * 1.5).dtype == minitorch.float32
    assert (minitorch.arange(3) / 2).dtype == minitorch.float32
    assert (x * minitorch.tensor(2.0, dtype=np.float64)).dtype == minitorch.float32
    assert (x * minitorch.ones(2, dtype=np.float64)).dtype == minitorch.float64
    assert (x.half() * minitorch.arange(2)).dtype == minitorch.float16


def test_a_tensor_without_dimensions_never_widens_one_with_them():
    many = minitorch.tensor([1.0, 2.0])
    one = minitorch.tensor(2.0, dtype=np.float64)
    for y in (one * many, one / many, one - many, one**many, minitorch.maximum(one, many)):
        assert y.dtype == minitorch.float32
    small = minitorch.tensor([200, 7], dtype=np.uint8)
    whole = minitorch.tensor(3, dtype=np.int32)
    for y in (whole * small, small * whole, small * np.int64(3)):
        assert y.dtype == minitorch.uint8
        assert y.tolist() == [88, 21]  # 600 - 2 * 256
    assert minitorch.where(small > 9, whole, small).tolist() == [3, 7]
    assert minitorch.where(small > 9, whole, small).dtype == minitorch.uint8
    assert (small // minitorch.tensor(-3, dtype=np.int32)).tolist() == [0, 0]  # -3 is 253 there
    assert (small + minitorch.tensor([3], dtype=np.int32)).dtype == minitorch.int32
    assert (whole + minitorch.tensor([True])).dtype == minitorch.int32
    assert small.sum().dtype == minitorch.int64
    assert small.argmax().dtype == minitorch.int64


def test_numbers_made_of_booleans_are_int64():
    chosen = minitorch.tensor([True, False])
    for y in (chosen.square(), chosen**2, chosen + 1):
        assert y.dtype == minitorch.int64
    with pytest.raises(TypeError, match="pow: a boolean to the power of a boolean"):
        chosen**True


def test_a_number_that_its_integers_cannot_hold_is_refused():
    small = minitorch.zeros(2, dtype=np.uint8)
    with pytest.raises(RuntimeError, match=r"x\[index\] = value\(uint8 .*300 out of bounds"):
        small[0] = 300
    with pytest.raises(RuntimeError, match=r"masked_fill\(uint8 .*-1 out of bounds"):
        small.masked_fill(small == 0, -1)
    with pytest.raises(ValueError, match=r"x\[index\] = value.*NaN"):
        minitorch.zeros(2, dtype=np.int64)[0] = float("nan")
    assert small.tolist() == [0, 0]


def test_an_index_that_numpy_and_pytorch_read_differently_is_refused():
    index = minitorch.tensor([1, 0, 1], dtype=np.uint8)
    x = minitorch.arange(3)
    with pytest.raises(IndexError, match=r"uint8 is a mask to PyTorch.*bool\(\) or index.long"):
        x[index]
    with pytest.raises(IndexError, match="uint8 is a mask to PyTorch"):
        x[index] = 1
    assert x[index.bool()].tolist() == [0, 2]
    assert x[index.long()].tolist() == [1, 0, 1]


def test_what_is_equal_in_the_dtype_of_the_result_is_a_tie():
    many = minitorch.tensor([0.1], dtype=np.float16, requires_grad=True)
    one = minitorch.tensor(0.1, dtype=np.float64, requires_grad=True)  # 0.1 is not what many has
    for choose in (minitorch.maximum, minitorch.minimum):
        many.grad = one.grad = None
        choose(many, one).backward(minitorch.ones(1))
        assert many.grad.item() == one.grad.item() == 0.5


def test_booleans_are_not_computed_in_half_precision():
    expected = np.arccos(np.float32(0))
    assert minitorch.tensor([False]).acos().array[0] == expected


def test_a_gradient_is_a_tensor_of_the_same_kind():
    weight = Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(TypeError, match=r"a ndarray is no tensor; say Tensor\(...\)"):
        weight.grad = np.ones(2, np.float32)
    for wrong in (Tensor([1.0]), Tensor(np.ones(2))):
        with pytest.raises(RuntimeError, match="both must be equal"):
            weight.grad = wrong


def test_gradient_has_the_parameters_dtype():
    weight = minitorch.ones(3, dtype=np.float16, requires_grad=True)
    (weight * minitorch.ones(3, dtype=np.float64)).sum().backward()
    assert weight.grad.dtype == np.float16


def test_conversions_keep_the_way_back_for_floats():
    x = minitorch.ones(3, requires_grad=True)
    x.double().half().to(x).to("cpu", minitorch.float64).sum().backward()
    assert x.grad.tolist() == [1, 1, 1]
    assert not x.long().requires_grad
    assert x.float() is x
    assert x.bool().dtype == bool
    with pytest.raises(RuntimeError, match="no 'cuda' here"):
        x.to(device="cuda")


def test_numpy_functions_stay_in_the_graph():
    x = minitorch.randn(3, requires_grad=True)
    y: Any = np.exp(x) + np.ones(3, np.float32) + np.where(x.detach() > 0, x, 0) + np.float32(1)
    assert isinstance(y, Tensor)
    assert y.requires_grad
    assert np.sum(np.concatenate([x, y]), axis=0, keepdims=True).shape == (1,)
    with pytest.raises(TypeError, match="median has no way back"):
        np.median(x)
    assert isinstance(np.median(x.detach()), Tensor)


def test_numpy_shares_memory_both_ways():
    array = np.zeros(3, np.float32)
    x = minitorch.from_numpy(array)
    x += 1
    array[0] = 5
    assert x.tolist() == [5, 1, 1]
    assert x.numpy() is array
    array += x
    with pytest.raises(TypeError, match="way back would be lost"):
        array += minitorch.ones(3, requires_grad=True)


def test_python_protocols():
    x = minitorch.arange(6).reshape(2, 3)
    assert len(x) == 2
    assert [row.tolist() for row in x] == x.tolist()
    assert "abc"[x[0, 1]] == "b"
    assert f"{minitorch.tensor(2.5):.2f}" == "2.50"
    assert 5 in x
    for wrong, words in (
        (lambda: bool(x), "any"),
        (x.item, "6 elements"),
        (lambda: len(x[0, 0]), "0-d"),
        (lambda: iter(x[0, 0]), "0-d"),
        (lambda: "abc"[minitorch.tensor(1.0)], "index"),
    ):
        with pytest.raises((TypeError, ValueError), match=words):
            wrong()


def test_deepcopy_has_memory_of_its_own():
    x = minitorch.ones(2, requires_grad=True)
    other = copy.deepcopy(x)
    with minitorch.no_grad():
        other.zero_()
    assert x.tolist() == [1, 1]
    assert other.requires_grad


def test_deepcopy_of_a_result_is_refused_and_of_a_leaf_keeps_what_it_is():
    x = minitorch.nn.Parameter(minitorch.ones(2))
    x.sum().backward()
    with pytest.raises(RuntimeError, match=r"deepcopy: this tensor is a result of mul"):
        copy.deepcopy(x * 2)
    first, second = copy.deepcopy([x, x])
    assert first is second
    assert isinstance(first, minitorch.nn.Parameter)
    assert first.requires_grad
    first.grad.zero_()
    assert x.grad.tolist() == [1, 1]


def test_none_equals_no_tensor():
    x = minitorch.ones(2)
    assert (x == None) is False  # noqa: E711
    assert (x != None) is True  # noqa: E711
    assert None not in [x]


def test_half_precision_adds_up_in_single_precision():
    x = tensor([60_000.0, -60_000.0, 60_000.0, 0.0], dtype=np.float16)
    assert x.sum().item() == 60_000
    assert x[[0, 2]].mean().item() == 60_000
    assert minitorch.functional.l1_loss(x, x * 0).item() == pytest.approx(45_000, rel=1e-3)
    assert tensor([300.0, 400.0], dtype=np.float16).norm().item() == 500
    assert tensor([256.0, 512.0, 0.25], dtype=np.float16).prod().item() == 32_768
    tenths = minitorch.full((4096,), 0.1, dtype=np.float16)
    assert abs(tenths.cumsum(0)[-1].item() - 409.5) < 0.5
    assert {
        each.dtype for each in (x.sum(), x.mean(), x.cumsum(0), tenths.prod(), tenths.var())
    } == {np.dtype(np.float16)}


@pytest.mark.parametrize("divide", [minitorch.floor_divide, minitorch.remainder])
def test_integers_are_not_divided_by_zero(divide):
    with pytest.raises(ZeroDivisionError, match=f"{divide.__name__}: an integer divided by 0"):
        divide(tensor([3, 4]), tensor([1, 0]))
    with np.errstate(all="ignore"):
        assert not np.isfinite(divide(tensor([3.0]), 0).item())


def test_repr_teaches():
    x = minitorch.ones(2, requires_grad=True)
    assert repr(x) == "tensor([1., 1.], shape=(2,), dtype=float32, requires_grad, grad not yet)"
    (x * 2).sum().backward()
    assert repr(x).endswith("grad there)")
    assert repr(x * 2) == "tensor([2., 2.], shape=(2,), dtype=float32, made by mul)"
    lines = repr(minitorch.eye(2)).splitlines()
    assert lines[0].index("[1.") == lines[1].index("[0.")


def test_pytorchs_names_for_what_is_always_the_cpu():
    device = minitorch.device("cuda" if minitorch.cuda.is_available() else "cpu")
    x = minitorch.zeros(2, 3, device=device, dtype=minitorch.float64)
    assert x.device == device == minitorch.device("cpu:0")
    assert f"{device} {device!r}" == "cpu device(type='cpu')"
    assert x.to(device) is x.cpu() is x
    for elsewhere in (lambda: minitorch.device("cuda:0"), lambda: minitorch.ones(2, device="mps")):
        with pytest.raises(RuntimeError, match="device: there is no"):
            elsewhere()


def test_star_import_shadows_no_builtin():
    assert not set(minitorch.__all__) & set(dir(builtins))
    for module in (minitorch, minitorch.functional, minitorch.nn, minitorch.optim):
        assert all(hasattr(module, name) for name in module.__all__)


def test_as_tensor_shares_what_tensor_copies():
    array = np.zeros(3, np.float32)
    shared, copied = minitorch.as_tensor(array), tensor(array)
    array[0] = 7
    assert (shared[0].item(), copied[0].item()) == (7, 0)
    assert minitorch.as_tensor(shared) is shared
    assert minitorch.is_tensor(shared)
    assert not minitorch.is_tensor(array)
    assert minitorch.numel(shared) == 3


def test_new_tensors_have_the_dtype_of_the_old_one():
    x = minitorch.ones(2, dtype=minitorch.float64)
    new = [x.new_zeros(2, 3), x.new_ones((2, 3)), x.new_full((2, 3), 4)]
    assert {(each.dtype, each.shape) for each in new} == {(minitorch.float64, (2, 3))}
    assert [each.sum().item() for each in new] == [0, 6, 24]
    assert (x.type(), x.type(minitorch.int64).dtype) == ("float64", minitorch.int64)
    assert (minitorch.ones(2, 3).is_contiguous(), minitorch.ones(2, 3).T.is_contiguous()) == (1, 0)


def test_numpy_refuses_to_lose_a_gradient():
    x = minitorch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"detach\(\)\.numpy\(\)"):
        (x * 2).numpy()
    assert x.detach().numpy() is x.array


def test_random_draws_follow_their_weights_and_the_seed():
    weights = tensor([[0.0, 0.3, 0.7], [1.0, 0.0, 3.0]])
    minitorch.manual_seed(0)
    drawn = minitorch.multinomial(weights, 4000, replacement=True)
    shares = np.stack([np.bincount(row, minlength=3) / 4000 for row in drawn.array])
    np.testing.assert_allclose(shares, [[0, 0.3, 0.7], [0.25, 0, 0.75]], atol=0.03)
    without = minitorch.multinomial(weights, 2).array
    assert [set(row) for row in without.tolist()] == [{1, 2}, {0, 2}]
    with pytest.raises(ValueError, match=r"multinomial: 3 samples .* needs that many weights"):
        minitorch.multinomial(weights, 3)
    coins = minitorch.bernoulli(minitorch.full((4000,), 0.2))
    assert abs(coins.mean().item() - 0.2) < 0.03
    with pytest.raises(ValueError, match="bernoulli: takes probabilities"):
        minitorch.bernoulli(tensor([1.5]))
    spread = minitorch.empty(4000).uniform_(-1, 3)
    assert -1 <= spread.min().item() < -0.9 < 2.9 < spread.max().item() <= 3
    normal = minitorch.empty(4000).normal_(5, 2)
    assert abs(normal.mean().item() - 5) < 0.2
    assert abs(minitorch.normal(tensor([0.0, 9.0]), 0.1)[1].item() - 9) < 1


def test_unique_meshgrid_and_where_with_one_argument():
    x = tensor([[3, 1], [3, 2]])
    values, inverse, counts = minitorch.unique(x, return_inverse=True, return_counts=True)
    assert (values.tolist(), counts.tolist()) == ([1, 2, 3], [1, 1, 2])
    assert values[inverse].tolist() == x.tolist()
    assert minitorch.unique(tensor([[1, 2], [1, 2]]), dim=0).tolist() == [[1, 2]]
    rows, columns = minitorch.meshgrid(minitorch.arange(2.0), minitorch.arange(3.0), indexing="ij")
    assert (rows.tolist(), columns.tolist()) == ([[0] * 3, [1] * 3], [[0, 1, 2]] * 2)
    across, down = minitorch.meshgrid(tensor([5.0, 6]), tensor([7.0]), indexing="xy")
    assert (across.shape, across.tolist(), down.tolist()) == ((1, 2), [[5, 6]], [[7, 7]])
    assert [each.tolist() for each in minitorch.where(x > 2)] == [[0, 1], [0, 0]]


def test_memory_is_what_the_elements_take():
    x = minitorch.zeros(2, 3, dtype=np.float64)
    assert x.element_size() * x.nelement() == 48
    assert x.is_floating_point()
    assert not x.long().is_floating_point()


def test_lists_become_float32_in_the_constructor_and_keep_their_ints_in_tensor():
    assert minitorch.Tensor([1, 2]).dtype == np.float32
    assert minitorch.tensor([1, 2]).dtype == np.int64
    assert minitorch.as_tensor(3).dtype == np.int64
    assert minitorch.Tensor(np.array([1, 2])).dtype == np.int64
    assert minitorch.LongTensor([1, 2]).dtype == np.int64
    assert minitorch.tensor([1.5]).type(minitorch.LongTensor).tolist() == [1]
    for sizes in ((2, 3), (5,)):
        with pytest.raises(TypeError, match=r"zeros\(2, 3\)"):
            minitorch.Tensor(*sizes)


@pytest.mark.parametrize("graph", [False, True])
def test_an_assignment_that_does_not_fit_says_both_shapes(graph):
    x = minitorch.zeros(3, 3, requires_grad=graph) * 1
    with pytest.raises(ValueError, match=r"the value has shape \(2,\), but the place \(3,\)"):
        x[0] = minitorch.ones(2)


def test_an_array_that_is_left_out_before_one_that_is_given():
    x = minitorch.tensor([1.0, 5.0], requires_grad=True)
    most = minitorch.tensor([2.0, 2.0], requires_grad=True)
    x.clamp(max=most).sum().backward()
    assert x.grad.tolist() == [1, 0]
    assert most.grad.tolist() == [0, 1]


def test_counting_and_finding_places():
    assert minitorch.bincount(minitorch.tensor([0, 2, 2]), minlength=4).tolist() == [1, 0, 2, 0]
    weights = minitorch.tensor([0.5, 1, 2])
    assert minitorch.bincount(minitorch.tensor([0, 2, 2]), weights).tolist() == [0.5, 0, 3]
    with pytest.raises(ValueError, match="whole numbers from 0 on"):
        minitorch.bincount(minitorch.tensor([-1]))
    edges = minitorch.tensor([1.0, 3.0, 5.0])
    assert minitorch.searchsorted(edges, minitorch.tensor([[0.0, 3.0], [4, 9]])).tolist() == [
        [0, 1],
        [2, 3],
    ]
    assert minitorch.bucketize(minitorch.tensor([3.0]), edges, right=True).tolist() == [2]
    rows = minitorch.tensor([[1, 3], [2, 4]])
    assert minitorch.searchsorted(rows, minitorch.tensor([[2], [5]])).tolist() == [[1], [2]]
    assert minitorch.argwhere(minitorch.tensor([[0, 1], [2, 0]])).tolist() == [[0, 1], [1, 0]]
    with pytest.raises(IndexError, match="index_select: place -1"):
        minitorch.arange(3).index_select(0, minitorch.tensor([0, -1]))


def test_spread_and_mean_at_once():
    x = minitorch.tensor([[1.0, 3.0], [2.0, 6.0]])
    assert [each.tolist() for each in minitorch.var_mean(x, 1)] == [[2, 8], [2, 4]]
    assert minitorch.std_mean(x, 1, unbiased=False)[0].tolist() == [1, 2]
    assert minitorch.std_mean(x)[1].item() == 3
