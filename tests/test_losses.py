"""The losses: values worked out by hand in float64, gradients by differences, and bad input."""

import math

import numpy as np
import pytest

import minitorch
from minitorch import functional as F
from minitorch import gradcheck, nn

RANDOM = np.random.default_rng(0)


def leaf(*shape):
    return minitorch.Tensor(RANDOM.standard_normal(shape), requires_grad=True)


def test_cross_entropy_of_equal_scores_is_log_of_the_number_of_classes():
    loss = F.cross_entropy(minitorch.zeros(4, 10), minitorch.tensor([0, 3, 9, 9]))
    assert loss.item() == pytest.approx(math.log(10))


def test_gradient_of_cross_entropy_is_softmax_minus_one_hot():
    logits, target = leaf(3, 4), np.array([1, 0, 3])
    F.cross_entropy(logits, target).backward()
    softmax = np.exp(logits.array) / np.exp(logits.array).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(logits.grad.array, (softmax - np.eye(4)[target]) / 3)


def test_cross_entropy_survives_scores_at_which_exp_overflows():
    logits = minitorch.tensor([[1000.0, -1000.0]], requires_grad=True)
    loss = F.cross_entropy(logits, minitorch.tensor([1]))
    loss.backward()
    assert loss.item() == 2000
    assert logits.grad is not None
    assert logits.grad.tolist() == [[1, -1]]


def test_where_all_targets_are_ignored_only_the_mean_does_not_exist():
    scores, target = minitorch.ones(2, 3), minitorch.tensor([-100, -100])
    assert F.nll_loss(scores, target, reduction="sum").item() == 0
    assert F.cross_entropy(scores, target, reduction="none").tolist() == [0, 0]


def test_weights_smoothing_and_ignored_classes_by_hand():
    logits = RANDOM.standard_normal((4, 3))
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    target, weight = np.array([0, 2, 1, 2]), np.array([1.0, 2.0, 3.0])
    loss = F.cross_entropy(minitorch.Tensor(logits), target, weight=weight, ignore_index=1)
    expected = -(log_p[0, 0] + 3 * log_p[1, 2] + 3 * log_p[3, 2]) / 7
    assert loss.item() == pytest.approx(expected)
    smooth = F.cross_entropy(minitorch.Tensor(logits), target, label_smoothing=0.3)
    picked = log_p[np.arange(4), target]
    assert smooth.item() == pytest.approx(-(0.7 * picked + 0.1 * log_p.sum(axis=1)).mean())


def test_probabilities_as_targets_agree_with_classes():
    logits, target = leaf(5, 3), np.array([0, 1, 2, 2, 1])
    by_class = F.cross_entropy(logits, target, reduction="none")
    by_probability = F.cross_entropy(logits, np.eye(3)[target], reduction="none")
    np.testing.assert_allclose(by_class.array, by_probability.array)


def test_images_of_scores_count_pixel_by_pixel():
    logits, target = leaf(2, 3, 4, 5), RANDOM.integers(0, 3, (2, 4, 5))
    flat = np.moveaxis(logits.array, 1, -1).reshape(-1, 3)
    whole = F.cross_entropy(logits, target)
    assert whole.item() == pytest.approx(
        F.cross_entropy(minitorch.Tensor(flat), target.ravel()).item()
    )


def test_log_softmax_then_nll_is_cross_entropy():
    logits, target = leaf(6, 4), RANDOM.integers(0, 4, 6)
    one = F.cross_entropy(logits, target)
    two = F.nll_loss(F.log_softmax(logits, dim=1), target)
    assert one.item() == pytest.approx(two.item())


HALF = np.array([[0.2, 0.9, 0.5], [0.7, 0.4, 0.1]])
PAIRS = [
    (F.mse_loss, {}),
    (F.l1_loss, {}),
    (F.huber_loss, {"delta": 0.7}),
    (F.smooth_l1_loss, {"beta": 0.5}),
    (F.binary_cross_entropy_with_logits, {}),
    (F.binary_cross_entropy_with_logits, {"pos_weight": np.array([1.0, 2.0, 3.0])}),
    (F.kl_div, {}),
    (F.kl_div, {"log_target": True}),
]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("loss, settings", PAIRS)
def test_gradients_of_losses_agree_with_differences(loss, settings, reduction):
    x = leaf(2, 3)
    target = minitorch.Tensor(HALF.copy(), requires_grad=True)
    gradcheck(lambda x, target: loss(x, target, reduction=reduction, **settings), (x, target))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_gradients_of_class_losses_agree_with_differences(reduction):
    settings = {"weight": np.array([1.0, 2.0, 0.5]), "reduction": reduction}
    target = np.array([2, 0, -100, 1])
    gradcheck(lambda x: F.cross_entropy(x, target, label_smoothing=0.1, **settings), (leaf(4, 3),))
    gradcheck(lambda x: F.nll_loss(x, target, **settings), (leaf(4, 3),))
    p = minitorch.Tensor(HALF.copy(), requires_grad=True)
    gradcheck(lambda p: F.binary_cross_entropy(p, 1 - HALF, reduction=reduction), (p,))


def test_binary_cross_entropy_from_logits_is_that_of_the_sigmoid():
    x = leaf(2, 3)
    direct = F.binary_cross_entropy(F.sigmoid(x), HALF)
    assert F.binary_cross_entropy_with_logits(x, HALF).item() == pytest.approx(direct.item())
    far = F.binary_cross_entropy_with_logits(minitorch.tensor([-2000.0]), minitorch.tensor([1.0]))
    assert far.item() == 2000


def test_divergence_of_a_distribution_from_itself_is_zero():
    p = minitorch.tensor([[0.5, 0.5, 0.0]])
    log_p = minitorch.Tensor(np.log(np.array([[0.5, 0.5, 0.3]], np.float32)))
    assert F.kl_div(log_p, p, reduction="sum").item() == 0


def test_modules_compute_the_same_as_functions():
    x, target = leaf(4, 3), np.array([0, 1, 2, 0])
    module = nn.CrossEntropyLoss(label_smoothing=0.1)
    expected = F.cross_entropy(x, target, label_smoothing=0.1)
    assert module(x, target).item() == expected.item()
    assert repr(module) == "CrossEntropyLoss(label_smoothing=0.1)"


NAN = np.array([0.5, np.nan])
BYTES = minitorch.tensor([1, 200], dtype=np.uint8)
BAD = [
    (lambda: F.cross_entropy(leaf(2, 3), np.array([0, 3])), IndexError, "class 3 is out of range"),
    (lambda: F.cross_entropy(leaf(2, 3), np.array([0, -1])), IndexError, "classes 0 to 2"),
    (lambda: F.cross_entropy(leaf(2, 3), np.array([0, 1, 2])), ValueError, "do not fit"),
    (
        lambda: F.cross_entropy(leaf(2, 3), np.array([0.0, 1.0])),
        TypeError,
        "class indices are integers",
    ),
    (lambda: F.cross_entropy(leaf(0, 3), np.array([], int)), ValueError, "empty"),
    (lambda: F.cross_entropy(leaf(2, 3), np.full((2, 3), np.nan)), ValueError, "NaN"),
    (lambda: F.cross_entropy(leaf(1, 3), np.array([-100])), ValueError, "ignored"),
    (lambda: F.cross_entropy(leaf(1, 3), np.array([0]), reduction="men"), ValueError, "'men'"),
    (lambda: F.nll_loss(leaf(2, 3), NAN), TypeError, "integers"),
    (lambda: F.mse_loss(leaf(2), NAN), ValueError, "NaN"),
    (lambda: F.mse_loss(leaf(3, 1), np.zeros(3)), ValueError, r"\(3, 1\) and \(3,\) differ"),
    (lambda: F.mse_loss(leaf(0), np.zeros(0)), ValueError, "empty"),
    (lambda: F.huber_loss(leaf(2), np.zeros(2), delta=0), ValueError, "above 0"),
    (lambda: F.cross_entropy(BYTES, np.array(0)), TypeError, "takes floats, not uint8"),
    (lambda: F.nll_loss(BYTES, np.array(0)), TypeError, "takes floats, not uint8"),
    (lambda: F.mse_loss(BYTES, BYTES), TypeError, "mse_loss: takes floats, not uint8"),
    (lambda: F.l1_loss(BYTES, BYTES), TypeError, "l1_loss: takes floats, not uint8"),
    (lambda: F.kl_div(leaf(2), BYTES > 1), TypeError, "kl_div: takes floats, not bool"),
    (lambda: F.kl_div(BYTES, leaf(2)), TypeError, "kl_div: takes floats, not uint8"),
    (lambda: F.binary_cross_entropy(BYTES, HALF[0, :2]), TypeError, "takes floats, not uint8"),
    (
        lambda: F.binary_cross_entropy_with_logits(BYTES, HALF[0, :2]),
        TypeError,
        "takes floats, not uint8",
    ),
    (lambda: F.binary_cross_entropy(leaf(2) + 5, np.zeros(2)), ValueError, "from 0 to 1"),
]


@pytest.mark.parametrize("call, error, words", BAD)
def test_bad_input_is_explained(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_picture_of_bytes_against_one_of_floats():
    """Between two of bytes a difference below 0 would be one of 255."""
    assert F.mse_loss(BYTES, minitorch.tensor([3.0, 202.0])).item() == 4
    assert F.mse_loss(minitorch.tensor([-1.0, 198.0]), BYTES).item() == 4


def test_settings_of_cross_entropy_that_have_no_meaning_are_refused():
    logits, chances = minitorch.ones(2, 3), minitorch.full((2, 3), 1 / 3)
    with pytest.raises(ValueError, match=r"label_smoothing must lie from 0 to 1, not 1\.5"):
        F.cross_entropy(logits, chances, label_smoothing=1.5)
    with pytest.raises(ValueError, match="ignore_index is for class indices"):
        F.cross_entropy(logits, chances, ignore_index=1)
    with pytest.raises(TypeError, match="softmax: takes floats, not int64"):
        F.softmax(minitorch.arange(3), 0)
    assert F.softmax(minitorch.zeros(5, 0), 1).shape == (5, 0)
