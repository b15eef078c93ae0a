"""Bad input: each an error that names the op, what it got, and the cure; never a wrong number."""

import numpy as np
import pytest

import minitorch
import minitorch.functional as F
from minitorch import nn

ones = minitorch.ones


def freed():
    loss = (ones(2, requires_grad=True) * 2).exp().sum()
    loss.backward()
    loss.backward()


CASES = {
    "shapes that do not broadcast": (
        lambda: ones(2, 3) + ones(2),
        ValueError,
        r"add\(float32 \(2, 3\) and float32 \(2,\)\).*unsqueeze",
    ),
    "inner sizes of matmul": (
        lambda: ones(2, 3) @ ones(2, 3),
        ValueError,
        r"matmul: shapes \(2, 3\) and \(2, 3\).*transpose",
    ),
    "a vector against a row": (lambda: ones(3) @ ones(1, 3), ValueError, "matmul: shapes"),
    "reshape": (lambda: ones(4).reshape(3, -1), ValueError, r"reshape.*4.*\(3, -1\)"),
    "dim out of range": (lambda: ones(2, 3).sum(2), IndexError, "sum: dim 2.*-2 to 1"),
    "backward from many numbers": (
        ones(3, requires_grad=True).exp().backward,
        RuntimeError,
        r"shape \(3,\) is not a single number.*\.sum\(\)",
    ),
    "backward to nowhere": (ones(()).backward, RuntimeError, "requires_grad=True"),
    "a gradient of another shape": (
        lambda: ones(3, requires_grad=True).exp().backward(ones(2)),
        RuntimeError,
        r"shape \(2,\), the tensor \(3,\)",
    ),
    "integers with a gradient": (
        lambda: minitorch.tensor([1, 2], requires_grad=True),
        TypeError,
        "int64 cannot require a gradient.*float32",
    ),
    "freed": (freed, RuntimeError, "freed by an earlier backward.*retain_graph=True"),
    "NaN labels": (
        lambda: F.cross_entropy(ones(2, 3), minitorch.full((2, 3), np.nan)),
        ValueError,
        "cross_entropy.*NaN",
    ),
    "class out of range": (
        lambda: F.cross_entropy(ones(2, 3), minitorch.tensor([0, 3])),
        IndexError,
        r"class 3 .*\(2, 3\).*0 to 2",
    ),
    "empty batch": (
        lambda: F.cross_entropy(ones(0, 3), minitorch.zeros(0, dtype=minitorch.long)),
        ValueError,
        "batch is empty",
    ),
    "no probability": (
        lambda: F.binary_cross_entropy_with_logits(ones(2), minitorch.tensor([1.0, -1.0])),
        ValueError,
        "holds -1.0, but a probability.*labels -1 and 1 into 0 and 1",
    ),
    "logarithms for probabilities": (
        lambda: F.kl_div(ones(2), minitorch.tensor([0.5, -0.7])),
        ValueError,
        "kl_div: the target holds -0.7.*say log_target=True",
    ),
    "class labels with NaN": (
        lambda: F.cross_entropy(ones(2, 3), minitorch.tensor([0.0, float("nan")])),
        TypeError,
        "target is float32; class indices are integers. Say target.long",
    ),
    "a layer without inputs": (lambda: nn.Linear(0, 5), ValueError, "Linear: 0 features in"),
    "no layer": (
        lambda: nn.Sequential(3),  # type: ignore[arg-type]
        TypeError,
        "Sequential: 3 is no module",
    ),
    "no part of 1": (lambda: nn.Dropout(2.0), ValueError, "Dropout: p is a probability"),
    "lists of two lengths": (
        lambda: minitorch.tensor([[1, 2], [3]]),
        ValueError,
        "not equally long. Pad",
    ),
    "a size below 0": (lambda: minitorch.zeros(-1), ValueError, r"zeros: sizes.*not \(-1,\)"),
    "half a size": (lambda: minitorch.randn(2.5), ValueError, "randn: sizes are whole numbers"),
    "an empty range": (lambda: minitorch.randint(5, 5, (2,)), ValueError, "from 5 up to"),
    "bounds in the wrong order": (
        lambda: minitorch.uniform(3, low=2, high=1),
        ValueError,
        "low must not be above high",
    ),
    "a dimension too far": (lambda: ones(2, 3).max(dim=5), IndexError, "max: dim 5.*2 dimensions"),
    "text": (lambda: minitorch.tensor(["a"]), TypeError, "numbers or booleans"),
    "truth of many": (lambda: bool(ones(2)), ValueError, r"\.any\(\) or \.all\(\)"),
}


@pytest.mark.parametrize("call,kind,words", CASES.values(), ids=CASES)
def test_says_what_is_wrong_and_what_to_do(call, kind, words):
    with pytest.raises(kind, match=words):
        call()
