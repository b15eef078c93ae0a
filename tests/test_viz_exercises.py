"""The exercise checker: what it says about right, near, wrong and missing answers."""

from functools import partial

import numpy as np
import pytest

from minitorch import Tensor
from viz.comparison import draw_difference
from viz.exercises import check, check_function, check_gradient, check_guess

RIGHT = np.array([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]])


def changed(place, value, dtype=np.float64):
    answer = RIGHT.astype(dtype)
    answer[place] = value
    return answer


class Tensorlike:
    def numpy(self):
        return RIGHT


@pytest.mark.parametrize(
    "mine, passed, message",
    [
        (RIGHT, True, "✓ y: right (exact: yes | approximate: yes | largest difference: 0)"),
        (Tensorlike(), True, "✓ y: right (exact: yes"),
        (RIGHT.tolist(), True, "✓ y: right (exact: yes"),
        (
            RIGHT + 1e-7,
            True,
            "✓ y: right (exact: no | approximate: yes | largest",
        ),
        (
            changed((1, 0), 4.5),
            False,
            "approximate: no | largest difference: 0.5 at [1, 0] (yours 4.5",
        ),
        (changed((0, 1), np.nan), False, "nan at [0, 1] (yours nan, expected -2)"),
        (RIGHT[0], False, "✗ y: your shape is (3,), expected (2, 3)"),
        (
            RIGHT.astype(np.float32),
            True,
            "(your dtype is float32, expected float64): right",
        ),
        (RIGHT > 0, False, "your dtype is bool"),
        (None, False, "○ y: not yet, it is still None"),
        (..., False, "○ y: not yet, it is still ..."),
    ],
)
def test_check_says_how_near(capsys, mine, passed, message):
    finding = check(mine, RIGHT, name="y")
    assert finding.passed is passed
    assert message in finding.message
    assert capsys.readouterr().out == f"{finding!r}\n"


def test_tolerance_follows_the_size_of_the_numbers():
    assert not check(1e-9 * changed((0, 0), 2), 1e-9 * RIGHT, name="tiny").passed
    assert check(1e9 * RIGHT + 1, 1e9 * RIGHT, name="large").passed


def test_scalars_words_and_infinities():
    assert "0.25 (yours 0.5, expected 0.25)" in check(0.5, 0.25, name="loss").message
    assert check(["mul", "add"], ["mul", "add"], name="order").passed
    assert not check(["add", "mul"], ["mul", "add"], name="order").passed
    assert check([np.inf, np.nan], [np.inf, np.nan], name="edges").passed
    assert not check([-np.inf, 1], [np.inf, 1], name="edges").passed


def test_several_values_are_compared_one_by_one():
    assert check((RIGHT, RIGHT[0]), (RIGHT, RIGHT[0]), name="grads").passed
    assert "value 2 of 2" in check((RIGHT, RIGHT[0]), (RIGHT, RIGHT[1]), name="grads").message
    assert "2 values, expected 3" in check((1, 2), (RIGHT, RIGHT, 1), name="grads").message
    assert "1 values, expected 2" in check(RIGHT, (RIGHT, RIGHT[1]), name="grads").message
    assert "value 1 of 2: not yet" in check((None, 1), (RIGHT, 1), name="grads").message


def relu(x):
    return np.maximum(x, 0)


def test_check_function_reports_the_first_miss():
    cases = [np.ones(3), np.array([-1.0, 0.0, 2.0]), RIGHT]
    assert check_function(relu, relu, cases).message == "✓ relu: all 3 cases agree"
    finding = check_function(lambda x: x, relu, cases)
    assert finding.message.startswith("✗ case 2 of 3, your function([-1.0, 0.0, 2.0]): no (")
    assert "float64 array of shape (4, 4)" in check_function(np.abs, relu, [-np.eye(4)]).message


def test_check_function_tells_missing_answers_and_errors():
    def unfilled(x):
        return None

    def broken(x):
        raise ValueError("no such luck")

    assert check_function(unfilled, relu, [1, 2]).message == (
        "○ unfilled: not yet, it is still None"
    )
    with pytest.raises(ValueError, match="no such luck") as raised:
        check_function(broken, relu, [1, 2])
    assert raised.value.__notes__ == ["This happened in case 1 of 2, broken(1)."]


def mul(a, b):
    return a * b, (lambda grad: grad * b, lambda grad: grad * a)


def wrong_mul(a, b):
    return a * b, (lambda grad: grad * b, lambda grad: grad * b)


def shared_mul(a, b):
    return a * b, lambda grad, needed: (grad * b, grad * a)


def half_filled_mul(a, b):
    return a * b, (lambda grad: grad * b, lambda grad: None)


def power(x, exponent):
    return x**exponent, lambda grad: grad * exponent * x ** (exponent - 1)


def take(x, index):
    def back(grad):
        gradient = np.zeros_like(x)
        np.add.at(gradient, index, grad)
        return gradient

    return x[index], (back, None)


@pytest.mark.parametrize(
    "function, inputs, message",
    [
        (mul, (RIGHT, RIGHT[0] / 2), "✓ mul: the backward agrees with central differences"),
        (shared_mul, (RIGHT, RIGHT[:, :1]), "✓ shared_mul"),
        (take, (RIGHT, np.array([0, 0, 1])), "✓ take"),
        (partial(power, exponent=3), (RIGHT,), "✓ your function"),
        (wrong_mul, (RIGHT, RIGHT / 2), "✗ wrong_mul, gradient by `b`: no (exact: no"),
        (half_filled_mul, (RIGHT, RIGHT), "○ half_filled_mul, gradient by `b`: not yet"),
        (lambda x: (x * x, None), (RIGHT,), "○ your function, backward: not yet"),
        (lambda x: None, (RIGHT,), "○ your function: not yet"),
        (lambda x: x * x, (RIGHT,), "✗ your function: return the value and its backward"),
        (lambda x: (x, lambda grad: grad[0]), (RIGHT,), "your shape is (3,), expected (2, 3)"),
    ],
)
def test_check_gradient_of_an_op(function, inputs, message):
    finding = check_gradient(function, *inputs)
    assert message in finding.message
    assert finding.passed is message.startswith("✓")


def test_check_gradient_of_tensors():
    x, y = Tensor(RIGHT), Tensor(RIGHT[0] / 3)
    assert check_gradient(lambda a, b: (a * b).tanh(), x, y).passed
    finding = check_gradient(lambda a, b: a * b.detach(), x, y)
    assert finding.message.startswith("✗ your function, gradient by `b`: none arrived")


def test_check_gradient_refuses_to_take_minutes():
    with pytest.raises(ValueError, match="smaller input"):
        check_gradient(lambda x: (x, lambda grad: grad), np.ones((100, 100)))


@pytest.mark.parametrize(
    "wrong",
    [changed((0, 1), 9), changed((0, 1), np.nan), changed((0, 1), np.inf), RIGHT.astype(int) + 1],
)
def test_the_picture_is_drawn(wrong):
    pytest.importorskip("matplotlib")
    for mine, expected in [(wrong, RIGHT), (wrong[0], RIGHT[0]), (wrong[0, 1], RIGHT[0, 1])]:
        assert draw_difference(np.asarray(mine), np.asarray(expected)).startswith(b"\x89PNG")


def test_a_wrong_guess_is_not_told_the_answer() -> None:
    assert (
        check_guess(1, 2, name="count").message
        == "✗ count: not this. Think again, or open the hint."
    )
    assert check_guess(None, 2, name="count").message.startswith("○ count: not yet")
    assert check_guess(2, 2, name="count").passed
