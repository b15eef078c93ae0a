"""Writing over values: right, or refused; never a silent wrong gradient."""

import numpy as np
import pytest

import minitorch


@pytest.fixture(autouse=True)
def _seed():
    minitorch.manual_seed(0)


def leaf(*shape):
    return minitorch.randn(*shape, dtype=np.float64, requires_grad=True)


def test_backward_refuses_overwritten_values_by_op_and_line():
    y = leaf(3).exp()
    y.mul_(2)
    with pytest.raises(RuntimeError, match=r"exp: y, which it saved .*test_in_place.py:\d+, was"):
        y.sum().backward()


def test_what_no_rule_holds_may_be_overwritten():
    x = leaf(3)
    y = x * 2
    y.mul_(3).add_(1)
    y.sum().backward()
    assert x.grad.tolist() == [6, 6, 6]
    assert y._version == 2


def test_the_optimizers_write_is_noticed():
    weight = minitorch.nn.Parameter(minitorch.ones(3))
    loss = (weight * weight).sum()
    loss.backward(retain_graph=True)
    minitorch.optim.SGD([weight], lr=0.1).step()
    with pytest.raises(RuntimeError, match="overwritten in place"):
        loss.backward()


def test_a_leaf_that_wants_a_gradient_is_written_only_in_no_grad():
    x = leaf(4)
    for write in (lambda: x.add_(1), x[:2].zero_, lambda: x.__setitem__(0, 1.0)):
        with pytest.raises(RuntimeError, match="leaf that requires a gradient"):
            write()
    with minitorch.no_grad():
        x -= 0.1 * x
        x[0] = 7.0
    assert x.array[0] == 7
    assert x.is_leaf


def test_writing_through_a_view_makes_the_others_out_of_date():
    x = leaf(4)
    whole = x * 1
    part = whole[:2]
    part.mul_(2)
    with pytest.raises(RuntimeError, match="shares memory with a tensor that was changed"):
        whole.sum()
    part.sum().backward()
    assert x.grad.tolist() == [2, 2, 0, 0]


def test_a_diagonal_can_be_written():
    x = minitorch.zeros(2, 3)
    x.diagonal().fill_(1)
    assert x.tolist() == [[1, 0, 0], [0, 1, 0]]
    assert minitorch.diagonal(x.expand(2, 2, 3)).shape == (3, 2)
    with pytest.raises(RuntimeError, match="read-only"):
        minitorch.zeros(1).expand(2, 2).diagonal().fill_(1)


def test_writing_to_a_base_makes_its_views_out_of_date():
    whole = leaf(4) * 1
    part = whole[:2]
    whole.mul_(2)
    with pytest.raises(RuntimeError, match="shares memory"):
        part.sum()
    assert whole[:2].sum().requires_grad


def test_a_gradient_written_into_a_constant_reaches_it_or_is_refused():
    w = leaf(2)
    table = minitorch.zeros(3, 2, dtype=np.float64)
    row = table[1]
    table[1] = w
    with pytest.raises(RuntimeError, match="shares memory"):
        row.sum()
    (table * table).sum().backward()
    np.testing.assert_allclose(w.grad.array, 2 * w.array)


@pytest.mark.parametrize("index", [1, slice(1, 3), [0, 2], [0, 0, 1], (slice(None), 1), "mask"])
def test_item_assignment_has_both_gradients(index):
    def assign(x, value):
        y = x * 1
        y[x.detach() > 0 if index == "mask" else index] = value
        return y.square()

    assert minitorch.gradcheck(assign, [leaf(3, 2), leaf(())])


def test_repeated_index_gives_the_gradient_to_the_value_that_stayed():
    value = leaf(3)
    y = leaf(4) * 1
    y[[0, 0, 1]] = value
    y.sum().backward()
    assert value.grad.tolist() == [0, 1, 1]


def test_shapes_and_dtypes_must_fit():
    with pytest.raises(RuntimeError, match=r"float32 \(3,\) does not fit .* int64 \(3,\)"):
        minitorch.arange(3).add_(0.5)
    with pytest.raises(RuntimeError, match=r"\(2, 3\) does not fit"):
        minitorch.ones(3).add_(minitorch.ones(2, 3))
    with pytest.raises(RuntimeError, match="expanded"):
        minitorch.ones(1, 3).expand(2, 3).add_(1)


def test_sum_collected_in_place():
    x = leaf(3)
    total = minitorch.tensor(0.0, dtype=np.float64)
    for k in range(3):
        total += x[k] * x[k]
    total.backward()
    np.testing.assert_allclose(x.grad.array, 2 * x.array)


def test_a_detached_tensor_whose_row_the_graph_wrote_to_is_out_of_date():
    """It was taken for a constant, so that w got no gradient through it."""
    w, h = leaf(3), minitorch.zeros(2, 3, dtype=np.float64)
    d, other = h.detach(), h.detach()
    row = d[0]
    row += w
    with pytest.raises(RuntimeError, match=r"sum: its input of shape .* shares memory"):
        d.sum()
    row.sum().backward()
    assert w.grad.tolist() == [1, 1, 1]
    assert h.detach().sum().item() == w.sum().item()
    d = h.detach()
    d.add_(w)
    assert d.sum().requires_grad
    assert not other.detach().requires_grad


def test_detached_is_a_constant_that_shares_memory():
    h = leaf(3) * 2
    seen = h.detach()
    h.relu_()
    assert seen.tolist() == h.tolist()
    (seen * h).sum().backward()


def test_gradients_go_back_through_what_was_filled_and_copied():
    x, y = (minitorch.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    z = x.clone()
    z.copy_(y)
    (z * 3).sum().backward()
    assert x.grad.tolist() == [0, 0]
    assert y.grad.tolist() == [3, 3]
    z = y.clone()
    z.zero_()
    (z + y).sum().backward()
    assert y.grad.tolist() == [4, 4]


WRITES = {
    "mul_": lambda y, w: y.mul_(w),
    "mul_ by a number": lambda y, w: y.mul_(2).mul_(w).mul_(3),
    "div_": lambda y, w: y.div_(w),
    "pow_": lambda y, w: y.abs_().pow_(w),
    "square_": lambda y, w: y.square_().mul_(w),
    "clamp_": lambda y, w: y.clamp_(-0.5, 0.5).add_(w),
    "clamp_min_": lambda y, w: y.clamp_min_(w),
    "log_": lambda y, w: y.abs_().log_().sub_(w),
    "reciprocal_": lambda y, w: y.reciprocal_().mul_(w),
    "lerp_": lambda y, w: y.lerp_(w, w),
    "addcmul_": lambda y, w: y.addcmul_(w, w, value=2),
    "addcdiv_": lambda y, w: y.addcdiv_(w, w + 5, value=2),
    "by itself": lambda y, w: y.mul_(y).add_(w),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_a_write_keeps_what_its_own_backward_needs(write):
    def in_place(x, w):
        y = x * 1
        assert write(y, w) is y
        return y

    assert minitorch.gradcheck(in_place, [leaf(3, 2), leaf(2)])


def test_a_write_into_a_constant_keeps_the_old_values_for_the_other_s_gradient():
    weights = minitorch.tensor([2.0, 3.0], requires_grad=True)
    constant = minitorch.tensor([5.0, 7.0])
    constant.mul_(weights).mul_(weights)
    constant.sum().backward()
    assert weights.grad.tolist() == [2 * 5 * 2, 2 * 7 * 3]


def test_gradients_of_gradients_go_through_writes():
    x = minitorch.tensor([2.0, 3.0], requires_grad=True)
    y = x * 1
    y.pow_(3)
    (slope,) = minitorch.autograd.grad(y.sum(), x, create_graph=True)
    slope.sum().backward()
    assert slope.tolist() == [12, 27]
    assert x.grad.tolist() == [12, 18]


def test_gradients_of_gradients_go_through_what_used_the_written_values():
    x = minitorch.tensor([2.0, 3.0], requires_grad=True)
    y = x * 1
    y.mul_(x)
    (slope,) = minitorch.autograd.grad((y**2).sum(), x, create_graph=True)  # of x to the 4th
    slope.sum().backward()
    assert slope.tolist() == [4 * 2**3, 4 * 3**3]
    assert x.grad.tolist() == [12 * 2**2, 12 * 3**2]


def test_each_of_several_rules_is_asked_what_it_kept():
    a, b, c = (leaf(2) * 1 for _ in range(3))
    product = minitorch.einsum("i,j,k->kji", a, b, c)  # three rules, made by one function
    c.mul_(3)
    with pytest.raises(RuntimeError, match=r"sum_of_products: .* overwritten in place"):
        product.sum().backward()


def test_other_nodes_do_not_see_the_copy():
    x = leaf(3)
    w = leaf(3)
    y = x * 1
    product = y * w
    y.mul_(w)
    y.sum().backward()
    np.testing.assert_array_equal(w.grad.array, x.array)
    with pytest.raises(RuntimeError, match=r"mul: a, which it saved .*test_in_place.py:\d+, was"):
        product.sum().backward()


def test_nothing_is_copied_where_no_rule_needs_it():
    y = leaf(3) * 1
    y.mul_(2)
    assert y.node.saved == {"b": 2}


def test_the_shape_may_change_in_place():
    x = leaf(2, 3)
    y = x * 2
    assert y.unsqueeze_(0).shape == (1, 2, 3)
    assert y.squeeze_().t_().shape == (3, 2)
    y[0].sum().backward()
    np.testing.assert_array_equal(x.grad.array, [[2, 0, 0], [2, 0, 0]])
    with pytest.raises(RuntimeError, match="unsqueeze_: this is a leaf"):
        x.unsqueeze_(0)


def test_random_whole_numbers_and_coins_in_place():
    counts = minitorch.empty(1000, dtype=minitorch.long).random_(5).bincount()
    assert counts.shape == (5,)
    assert counts.min() > 100
    assert 400 < minitorch.empty(1000).bernoulli_(0.5).sum() < 600


def test_adding_to_a_place_goes_through_the_graph():
    def add_to_places(x, w):
        y = x * 1
        y[0] += w
        y[1, 1:] *= w[1:]
        y[2] -= y[0]
        return y.square()

    assert minitorch.gradcheck(add_to_places, [leaf(3, 2), leaf(2)])
    table, w = minitorch.zeros(3, 2, dtype=np.float64), leaf(2)
    for row in (0, 2, 0):
        table[row] += w
    table.sum().backward()
    assert table[0].tolist() == (2 * w.detach()).tolist()
    assert w.grad.tolist() == [3, 3]


def test_adding_to_a_single_element_goes_through_the_graph():
    """Of which numpy's own index gives a copy."""

    def convolved(x, w):
        y = x * 1
        for i in range(2):
            for j in range(2):
                y[i] += w[j] * x[i + j]
        z = y.reshape(2, 2) * 1
        z[0, 1] *= w[0]
        return z.square()

    assert minitorch.gradcheck(convolved, [leaf(4), leaf(2)])


def test_a_place_is_not_assigned_to_a_tensor_that_missed_an_earlier_write():
    y = leaf(3, 2) * 1
    other = y[1]
    other.mul_(2)
    part = other[:1]
    part.mul_(3)
    with pytest.raises(RuntimeError, match="shares memory with a tensor that was changed"):
        y[1, :1] = part
