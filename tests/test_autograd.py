"""The way back: order, freeing, retaining, hooks, deep graphs, memory, second derivatives."""

import gc
import tracemalloc
from typing import Any

import numpy as np
import pytest

import minitorch
import minitorch.functional as F
from minitorch import Tensor, nn, optim, tensor
from minitorch.autograd import Function, grad
from minitorch.op import op


def leaf(*shape, dtype=np.float64):
    return minitorch.randn(*shape, dtype=dtype, requires_grad=True)


@pytest.fixture(autouse=True)
def _seed():
    minitorch.manual_seed(0)


def test_twenty_thousand_ops_in_a_row():
    x = leaf(2)
    y = x
    for _ in range(20_000):
        y = y + 1
    y.sum().backward()
    assert x.grad.tolist() == [1, 1]


def test_diamond_thirty_deep_takes_linear_time():
    x = leaf(1)
    y = x
    for _ in range(30):
        y = y + y
    assert sum(1 for _ in y.backward_steps()) == 31
    assert x.grad.item() == 2**30


def test_a_freed_graph_says_so_and_a_retained_one_runs_again():
    x = leaf(3)
    y = x.exp().sum()
    y.backward(retain_graph=True)
    y.backward()
    np.testing.assert_allclose(x.grad.array, 2 * np.exp(x.array))
    with pytest.raises(RuntimeError, match="freed by an earlier backward"):
        y.backward()


def test_gradients_of_leaves_do_not_share_memory():
    a, b = leaf(3), leaf(3)
    (a + b).sum().backward()
    a.grad.mul_(0)
    assert b.grad.tolist() == [1, 1, 1]


def test_hooks_see_and_replace_complete_gradients_until_removed():
    x = leaf(3)
    y = x * 2
    seen: list[Tensor] = []
    handle = y.register_hook(seen.append)
    y.register_hook(lambda gradient: gradient * 10)
    y.retain_grad()
    y.retain_grad()
    (y.sum() + y.sum()).backward()
    assert [each.tolist() for each in seen] == [[2, 2, 2]]
    assert x.grad.tolist() == [40, 40, 40]
    assert y.grad.tolist() == [20, 20, 20]
    handle.remove()
    handle.remove()
    with x.register_hook(seen.append):
        x.sum().backward()
    x.sum().backward()
    assert len(seen) == 2


def test_a_handle_takes_away_its_own_registration_only():
    def double(gradient):
        return gradient * 2

    x = leaf(2)
    first, _ = x.register_hook(double), x.register_hook(double)
    first.remove()
    first.remove()
    x.sum().backward()
    assert x.grad.tolist() == [2, 2]


def test_no_grad_nests_and_decorates_a_recursive_function():
    @minitorch.no_grad()
    def depth(n):
        return (leaf(1) * 2).requires_grad if n == 0 else depth(n - 1)

    assert depth(3) is False
    assert (leaf(1) * 2).requires_grad
    with minitorch.no_grad(), minitorch.enable_grad():
        assert (leaf(1) * 2).requires_grad


def training_step():
    minitorch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    optimizer = optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    x, y = minitorch.randn(16, 4), minitorch.randint(0, 3, (16,))

    def step():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def test_without_the_garbage_collector_training_leaves_nothing_behind():
    step = training_step()
    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            step()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(200):
            step()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
        gc.enable()
    assert grown < 20_000
    assert gc.collect() < 200


def test_a_rule_that_nobody_asks_does_not_count():
    x = leaf(1000)
    assert "a" not in (x * 3.0).node.saved
    assert (x * 3.0).node.saved == {"b": 3.0}


@op
def half_flat(a, b):
    return a + b, lambda grad, needed: (None, grad)


@pytest.mark.parametrize("flat_first", [True, False])
def test_a_consumer_without_a_gradient_to_give_still_counts(flat_first):
    x = leaf(3)
    y = x * 1
    for made in (x, y):  # a leaf, and a result on the way
        x.grad = None
        flat, steep = half_flat(made, leaf(3)), made * 2
        (flat + steep if flat_first else steep + flat).sum().backward(retain_graph=True)
        np.testing.assert_array_equal(x.grad.array, 2)
    x.grad = None
    half_flat(y, leaf(3)).sum().backward()
    assert x.grad is None


def test_an_output_that_another_one_came_from():
    x = leaf(2, 3)
    y = x * 3
    (into_x,) = grad([y, (y * y).sum()], x, [minitorch.ones(2, 3, dtype=np.float64), None])
    np.testing.assert_allclose(into_x.array, 3 + 18 * x.array)


def test_a_single_number_may_have_any_dimensions():
    x = leaf(1, 1, 1)
    (x * 2).backward()
    np.testing.assert_array_equal(x.grad.array, np.full((1, 1, 1), 2.0))


# ---- gradients of gradients --------------------------------------------------------------------


CASES = {
    "tanh": lambda x, y: (x.exp() * x).tanh(),
    "division": lambda x, y: x / (y * y + 1),
    "matmul": lambda x, y: (x @ x.T).sigmoid(),
    "batched matmul": lambda x, y: (x.unsqueeze(0) @ y.unsqueeze(1)).square(),
    "softmax": lambda x, y: x.softmax(1)[:, 1:] * y[1:],
    "log softmax": lambda x, y: (x - y).log_softmax(1),
    "mean and reshape": lambda x, y: x.reshape(2, 6).T.mean(0).square(),
    "pow": lambda x, y: (x * x + 1) ** (y * y),
    "cat": lambda x, y: minitorch.cat([x, x * x], 1) ** 3,
    "gather by index": lambda x, y: x[[0, 0, 2]] ** 3,
    "where": lambda x, y: minitorch.where(x > 0, x**3, x * y),
    "norm": lambda x, y: (x * x).sum(1).sqrt(),
    "0-d": lambda x, y: (x.sum().exp() * 1e-2).log1p(),
}


@pytest.mark.parametrize("function", CASES.values(), ids=CASES)
def test_second_gradients_agree_with_differences_of_first_ones(function):
    def first(x, y):
        (gradient,) = grad(function(x, y).square().sum(), x, create_graph=True)
        return gradient

    assert minitorch.gradcheck(first, [leaf(3, 4), leaf(4)])


def test_third_derivative():
    x = leaf(5)
    y = x.sin().sum()
    for _ in range(3):
        (gradient,) = grad(y, x, create_graph=True)
        y = gradient.sum()
    np.testing.assert_allclose(gradient.array, -np.cos(x.array))


def test_one_array_as_two_inputs_of_which_one_is_a_constant():
    x = leaf(3)
    (gradient,) = grad((x * x.detach()).sum(), x, create_graph=True)
    assert not gradient.requires_grad
    (gradient,) = grad((x.exp() * x.detach()).sum(), x, create_graph=True)
    (second,) = grad(gradient.sum(), x)
    np.testing.assert_allclose(second.array, x.array * np.exp(x.array))


def test_an_op_that_cannot_be_differentiated_twice_says_so():
    @minitorch.op
    def cubed(x):
        square = x * x
        return square * x, lambda gradient: gradient * 3 * square

    x = leaf(3)
    with pytest.raises(RuntimeError, match=r"cubed.*test_autograd.*differentiated twice.*`square`"):
        grad(cubed(x).sum(), x, create_graph=True)

    @minitorch.op
    def doubled(x):
        def rule(gradient):
            back = np.zeros(x.shape)
            back[...] = gradient * 2 * x
            return back

        return x * x, rule

    with pytest.raises(RuntimeError, match="plain array"):
        grad(doubled(x).sum(), x, create_graph=True)


# ---- grad --------------------------------------------------------------------------------------


def test_grad_of_several_outputs_leaves_grad_alone():
    x = leaf(3)
    y = x * 2
    z = y * y
    from_x, from_y = grad([z.sum(), y.sum()], [x, y])
    np.testing.assert_allclose(from_y.array, 2 * y.array + 1)
    np.testing.assert_allclose(from_x.array, 2 * from_y.array)
    assert x.grad is None


def test_grad_refuses_what_it_cannot_answer():
    x = leaf(3)
    with pytest.raises(RuntimeError, match="do not depend on input 1"):
        grad(x.sum(), [x, leaf(2)])
    assert grad(x.sum(), [x, leaf(2)], allow_unused=True)[1] is None
    with pytest.raises(RuntimeError, match="input 0 does not require"):
        grad(x.sum(), minitorch.ones(2))
    with minitorch.no_grad(), pytest.raises(RuntimeError, match="records nothing"):
        grad(leaf(1) if x.sum().requires_grad else x, x, create_graph=True)


class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return grad_output * 3 * x**2


def test_function_in_pytorchs_form():
    assert minitorch.gradcheck(Cube.apply, leaf(4))
    x = leaf(4)
    y = x * 1
    z = Cube.apply(y)
    with minitorch.no_grad():
        y.zero_()
    with pytest.raises(RuntimeError, match="overwritten in place"):
        z.sum().backward()
    with pytest.raises(RuntimeError, match="write it as an @op"):
        grad(Cube.apply(x).sum(), x, create_graph=True)


def test_a_view_of_a_gradient_sees_the_next_one_added():
    x = leaf(2)
    x.sum().backward()
    first = x.grad[:1]
    x.sum().backward()
    assert first.tolist() == [2.0]


@pytest.mark.parametrize("length", [2, 3])
def test_an_op_without_a_backward_is_named(length):
    """Two elements would pass for a value and a rule."""

    @minitorch.op
    def forgetful(a):
        return a * 2

    with pytest.raises(TypeError, match=r"forgetful: it returned a ndarray\. An op returns"):
        forgetful(leaf(length))


def test_an_op_with_a_rule_too_few_is_named():
    @minitorch.op
    def forgetful(a, b):
        return a * b, (lambda gradient: gradient * b,)

    with pytest.raises(TypeError, match="forgetful: it returned 1 rules for 2 inputs"):
        forgetful(leaf(2), leaf(2))


def test_a_joint_rule_with_a_gradient_too_few_is_named():
    @minitorch.op
    def forgetful(a, b):
        return a * b, lambda gradient, needed: (gradient * b,)

    with pytest.raises(TypeError, match="forgetful: its rule gave 1 gradients for 2 inputs"):
        forgetful(leaf(2), leaf(2)).sum().backward()


def test_a_node_knows_the_line_of_each_call():
    x = leaf(2)
    first, second = x.exp(), x.log1p()
    third = x.sin()
    line = test_a_node_knows_the_line_of_each_call.__code__.co_firstlineno
    assert [y.node.line - line for y in (first, second, third)] == [2, 2, 3]


def test_gradcheck_names_input_and_element():
    @minitorch.op
    def wrong(a, b):
        return a * b, (lambda gradient: gradient * b, lambda gradient: gradient * a * 1.5)

    with pytest.raises(AssertionError, match=r"6 of 6 derivatives for input 1.*Worst at \["):
        minitorch.gradcheck(wrong, [leaf(2, 3), leaf(2, 3)])


def test_anomaly_names_op_and_line():
    x = minitorch.zeros(3, requires_grad=True)
    with np.errstate(all="ignore"), minitorch.detect_anomaly():
        with pytest.raises(
            FloatingPointError, match=r"log at .*test_autograd.py:\d+ gave infinity"
        ):
            x.log()
        root = x.sqrt()
        with pytest.raises(
            FloatingPointError, match=r"backward of sqrt, called at .*:\d+, gave inf"
        ):
            root.sum().backward()
    minitorch.set_detect_anomaly(True)
    minitorch.set_detect_anomaly(False)
    with np.errstate(all="ignore"):
        assert x.log().tolist() == [-np.inf] * 3


FLAT = {
    "relu": lambda x: x.relu().sqrt(),
    "relu6": lambda x: F.relu6(x).sqrt(),
    "hardtanh": lambda x: F.hardtanh(x, 0.0, 6.0).sqrt(),
    "hardsigmoid": lambda x: F.hardsigmoid(3 * x).sqrt(),
    "clamp": lambda x: x.clamp(min=0).sqrt(),
    "maximum": lambda x: minitorch.maximum(x, minitorch.zeros(2)).sqrt(),
    "minimum": lambda x: (-minitorch.minimum(-x, minitorch.zeros(2))).sqrt(),
    "masked_fill": lambda x: x.masked_fill(x < 0, 0.0).sqrt(),
    "max_pool2d": lambda x: F.max_pool2d(x.reshape(1, 1, 1, 2).relu(), (1, 2), 1).sqrt() * 1,
    "floor": lambda x: x.floor().clamp(min=0).sqrt(),
    "setitem": lambda x: overwritten(x, 0, 0.0).sqrt(),
}


def overwritten(x, index, value):
    y = x * 1
    y[index] = value
    return y


@pytest.mark.parametrize("name", FLAT)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_where_an_op_is_flat_an_infinite_gradient_is_stopped(name):
    x = tensor([-1.0, 4.0], requires_grad=True)
    FLAT[name](x).sum().backward()
    slope = 0 if name in ("hardsigmoid", "floor") else 0.25
    assert x.grad.tolist() == [0, slope]


def test_retain_grad_keeps_what_the_other_hooks_leave_also_after_a_write():
    x = minitorch.ones(2, requires_grad=True)
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda grad: grad * 10)
    y.sum().backward()
    assert y.grad.tolist() == [10, 10]
    assert x.grad.tolist() == [20, 20]
    z = x * 2
    z.retain_grad()
    z.mul_(3)
    z.sum().backward()
    assert z.grad.tolist() == [1, 1]
    assert z.retains_grad
    with pytest.raises(RuntimeError, match="retain_grad: this tensor requires no gradient"):
        minitorch.ones(2).retain_grad()


def test_a_gradient_of_another_shape_or_dtype_is_refused():
    x = minitorch.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"float32 \(2,\) does not belong .* float32 \(3,\)"):
        x.grad = minitorch.ones(2)
    with pytest.raises(RuntimeError, match="float64"):
        x.grad = minitorch.ones(3, dtype=np.float64)
    x.grad = minitorch.ones(3)
    x.register_hook(lambda grad: grad[:2])
    with pytest.raises(RuntimeError, match=r"hook: .*\(3,\) came in, and \(2,\) came back"):
        x.sum().backward()


def test_gradients_are_added_in_the_memory_that_is_there():
    x = minitorch.ones(2, requires_grad=True)
    x.sum().backward()
    seen = x.grad
    (3 * x).sum().backward()
    assert x.grad is seen
    assert seen.tolist() == [4, 4]
    single = tensor(1.0, requires_grad=True)
    for _ in range(2):
        (single * single).backward()
    assert single.grad.item() == 4


def test_what_a_hook_kept_is_not_written_to():
    x = minitorch.ones(2, requires_grad=True)
    kept: list[Tensor] = []
    x.register_hook(kept.append)
    for _ in range(2):
        x.sum().backward()
    assert [grad.tolist() for grad in kept] == [[1, 1], [1, 1]]
    assert x.grad.tolist() == [2, 2]


def test_modes_with_and_without_parentheses():
    x = minitorch.ones(2, requires_grad=True)

    def double(x):
        return x * 2

    modes: list[Any] = [minitorch.no_grad, minitorch.inference_mode]
    for mode in modes:
        assert not mode(double)(x).requires_grad
        assert not mode()(double)(x).requires_grad
        with mode():
            assert not double(x).requires_grad
    with minitorch.set_grad_enabled(False):
        assert not minitorch.is_grad_enabled()
        with minitorch.set_grad_enabled(True):
            assert (x * 2).requires_grad
    minitorch.set_grad_enabled(False)
    without = x * 2
    minitorch.set_grad_enabled(True)
    assert not without.requires_grad
    assert minitorch.autograd.detect_anomaly is minitorch.detect_anomaly


def test_full_backward_hook_sees_the_gradients_at_the_modules_door():
    layer, seen = nn.Linear(3, 2), []
    x = minitorch.randn(4, 3, requires_grad=True)
    handle = layer.register_full_backward_hook(lambda *given: seen.append(given))
    (layer(x) * 2).sum().backward()
    ((module, (below,), (above,)),) = seen
    assert module is layer
    assert above.tolist() == [[2, 2]] * 4
    np.testing.assert_allclose(below.array, 2 * layer.weight.array.sum(0) * np.ones((4, 1)), 1e-6)
    layer(minitorch.ones(1, 3)).sum().backward()
    assert seen[1][1] == (None,)
    handle.remove()
    layer(x).sum().backward()
    assert len(seen) == 2
    layer.register_full_backward_hook(lambda module, below, above: (below[0] * 0,))
    x.grad = None
    (x + layer(x) @ minitorch.ones(2, 3)).sum().backward()  # only the layer's part is replaced
    assert x.grad.tolist() == [[1, 1, 1]] * 4


def test_leaves_that_got_one_and_the_same_gradient_keep_one_each():
    c, d = (minitorch.ones(3, requires_grad=True) for _ in range(2))
    (c + d).backward(minitorch.ones(3))
    assert not np.shares_memory(c.grad.array, d.grad.array)
    (2 * c + d).backward(minitorch.ones(3))  # added to each in place
    np.testing.assert_array_equal(c.grad.array, [3, 3, 3])
    np.testing.assert_array_equal(d.grad.array, [2, 2, 2])


def test_leaves_that_a_joint_rule_gives_one_array_keep_one_each():
    @op
    def both(a, b):
        def backward(gradient, needed):
            doubled = 2 * gradient
            return doubled, doubled

        return 2 * (a + b), backward

    c, d = leaf(2), leaf(2)
    both(c, d).sum().backward()
    c.sum().backward()
    assert c.grad.tolist() == [3, 3]
    assert d.grad.tolist() == [2, 2]


def test_a_recorded_gradient_is_each_leaf_s_own():
    c, d, weight = leaf(2), leaf(2), minitorch.ones(2, dtype=np.float64)
    (c + d).backward(weight, create_graph=True)
    c.sum().backward()
    assert (c.grad.tolist(), d.grad.tolist(), weight.tolist()) == ([2, 2], [1, 1], [1, 1])
    e = leaf(2)
    e.sum().backward(create_graph=True)  # of one number, repeated in a view
    e.sum().backward()
    assert e.grad.tolist() == [2, 2]


@pytest.mark.parametrize("answer", [2.0, 2, [2.0, 2.0]])
def test_a_rule_that_gives_no_array_is_named(answer):
    @op
    def doubled(x):
        return 2 * x, lambda grad: answer

    x = minitorch.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(TypeError, match=r"doubled: its rule gave .*grad \* slope"):
        doubled(x).sum().backward()


@pytest.mark.parametrize("recorded", [False, True])
def test_what_broadcasting_repeated_in_half_precision_is_summed_up_in_more(recorded):
    bias = minitorch.Tensor(np.zeros(3, np.float16), requires_grad=True)
    x = minitorch.Tensor(np.zeros((20_000, 3), np.float16))
    (x + bias).backward(minitorch.Tensor(np.full(x.shape, 0.5, np.float16)), create_graph=recorded)
    assert bias.grad.dtype == np.float16
    np.testing.assert_array_equal(bias.grad.array, [10_000] * 3)  # halves alone stop at 1,024
