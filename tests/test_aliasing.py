"""Which tensors share memory, and that backward knows when shared memory was written to."""

import numpy as np
import pytest

import minitorch
from minitorch import tensor


@pytest.mark.parametrize(
    "element",
    [lambda x: x[1, 2], lambda x: x[1][2], lambda x: x.select(0, 1)[2], lambda x: x[1].unbind()[2]],
)
def test_a_single_element_is_a_view(element):
    x = minitorch.zeros(2, 3)
    element(x).add_(5)
    assert x.tolist() == [[0, 0, 0], [0, 0, 5]]
    x[0, 0] += 2
    assert x[0].tolist() == [2, 0, 0]


def test_a_write_into_a_single_element_is_noticed():
    y = minitorch.ones(3, requires_grad=True) * 2
    y[0].mul_(3)
    with pytest.raises(RuntimeError, match="shares memory"):
        y.sum()


def test_ints_beside_an_index_array_select_first():
    x = minitorch.arange(24.0).reshape(2, 3, 4)
    values = x.array
    pick, mask = tensor([0, 1]), tensor([True, False, True])
    for index, expected in [
        ((0, slice(None), pick), values[0][:, [0, 1]]),
        ((0, None, pick), values[0][None, [0, 1]]),
        ((slice(None), pick, 3), values[:, :, 3][:, [0, 1]]),
        ((tensor(1), ..., [2, 0]), values[1][..., [2, 0]]),
        ((0, mask, slice(1, 3)), values[0][[0, 2], 1:3]),
        ((pick, slice(None), 2), values[:, :, 2]),
    ]:
        np.testing.assert_array_equal(x[index].array, expected)
        for graph in (False, True):
            whole = minitorch.zeros(2, 3, 4, requires_grad=graph) * 1
            whole[index] = tensor(expected + 1)
            np.testing.assert_array_equal(whole[index].array, expected + 1)
            assert (whole.array != 0).sum() == expected.size


def test_the_gradient_of_ints_beside_an_index_array():
    x = minitorch.zeros(2, 2, 3, requires_grad=True)
    weights = tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    (x[1, :, tensor([0, 0, 2])] * weights).sum().backward()
    assert x.grad.tolist() == [[[0] * 3] * 2, [[3, 0, 3], [9, 0, 6]]]
    y, value = x * 1, minitorch.ones(2, 2, requires_grad=True)
    y[0, :, tensor([2, 0])] = value
    x.grad = None
    (y[0] * weights).sum().backward()
    assert value.grad.tolist() == [[3, 1], [6, 4]]
    assert x.grad.tolist() == [[[0, 2, 0], [0, 5, 0]], [[0] * 3] * 2]


@pytest.mark.parametrize(
    "pick",
    [
        lambda x, index: (x.gather(0, index), index),
        lambda x, _: x.max(1),
        lambda x, _: x.topk(2),
        lambda x, _: x.sort(),
    ],
    ids=["gather", "max", "topk", "sort"],
)
def test_an_overwritten_index_is_noticed(pick):
    x = tensor([[1.0, 3.0, 2.0], [6.0, 4.0, 5.0]], requires_grad=True)
    values, indices = pick(x, tensor([[0, 1, 1]]))
    indices.zero_()
    with pytest.raises(RuntimeError, match="gather: grid, which it saved"):
        values.sum().backward()
