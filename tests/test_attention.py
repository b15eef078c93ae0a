"""Attention by its formula, its masks, its heads, and the transformer's block."""

import numpy as np
import pytest

import minitorch
from minitorch import functional as F
from minitorch import gradcheck, nn
from minitorch.attention import attention_weights


def leaves(*shapes, seed=0):
    random = np.random.default_rng(seed)
    return [minitorch.Tensor(random.standard_normal(s), requires_grad=True) for s in shapes]


def test_each_query_takes_a_mean_weighted_by_its_keys():
    query, key, value = leaves((3, 4), (5, 4), (5, 2))
    loud = np.exp(query.array @ key.array.T / 2)
    expected = loud / loud.sum(axis=1, keepdims=True) @ value.array
    found = F.scaled_dot_product_attention(query, key, value)
    np.testing.assert_allclose(found.array, expected, rtol=1e-12)
    assert gradcheck(F.scaled_dot_product_attention, [query, key, value])


@pytest.mark.parametrize("hidden", [np.eye(3, dtype=bool), np.where(np.eye(3), -np.inf, 0)])
def test_what_is_hidden_has_no_weight(hidden):
    query, key = leaves((2, 3, 4), (2, 3, 4))
    weights = attention_weights(query, key, hidden).array
    assert (weights[:, np.eye(3, dtype=bool)] == 0).all()
    np.testing.assert_allclose(weights.sum(axis=-1), 1)


def test_with_causal_attention_no_place_notices_what_comes_later():
    (x,) = leaves((1, 4, 2))
    later = x.array.copy()
    later[0, 2:] = 9
    one, other = (
        F.scaled_dot_product_attention(y, y, y, is_causal=True).array
        for y in (x, minitorch.Tensor(later))
    )
    np.testing.assert_array_equal(one[0, :2], other[0, :2])
    assert (one[0, 2:] != other[0, 2:]).all()


def test_bool_masks_mean_what_pytorch_means():
    """For the function True is what may be seen, for the module what may not."""
    minitorch.manual_seed(0)
    layer = nn.MultiheadAttention(4, 2, batch_first=True).eval()
    x = minitorch.randn(1, 3, 4)
    _, weights = layer(x, x, x, attn_mask=np.eye(3, dtype=bool))
    assert weights is not None
    assert np.diagonal(weights.array[0]).tolist() == [0, 0, 0]
    only_self = F.scaled_dot_product_attention(x, x, x, attn_mask=np.eye(3, dtype=bool))
    np.testing.assert_array_equal(only_self.array, x.array)


def test_dropout_is_for_training_only():
    minitorch.manual_seed(0)
    layer = nn.MultiheadAttention(4, 2, dropout=0.5, batch_first=True)
    x = minitorch.randn(2, 3, 4)
    assert (layer(x, x, x)[0].array != layer(x, x, x)[0].array).any()
    layer.eval()
    np.testing.assert_array_equal(layer(x, x, x)[0].array, layer(x, x, x)[0].array)


def test_a_block_keeps_the_shape_and_trains_all_its_parameters():
    minitorch.manual_seed(0)
    for norm_first in (False, True):
        block = nn.TransformerEncoderLayer(8, 2, 16, norm_first=norm_first)
        x = minitorch.randn(5, 3, 8)
        y = block(x)
        assert y.shape == x.shape
        (y * y * y).sum().backward()
        for name, parameter in block.named_parameters():
            assert parameter.grad is not None, name


def test_wrong_shapes_are_explained():
    with pytest.raises(ValueError, match=r"\(3, 4\).*\(3, 5\) differ"):
        F.scaled_dot_product_attention(*leaves((3, 4), (3, 5), (3, 5)))
    with pytest.raises(ValueError, match="10 numbers make no 4 equal heads"):
        nn.MultiheadAttention(10, 4)
    x = minitorch.randn(3, 4)
    with pytest.raises(ValueError, match="not both"):
        F.scaled_dot_product_attention(x, x, x, attn_mask=np.eye(3), is_causal=True)
    with pytest.raises(ValueError, match="three dimensions"):
        nn.MultiheadAttention(4, 2)(x, x.unsqueeze(0), x)


def test_what_pytorch_expects_in_fifth_place_is_not_taken_for_something_else():
    layer = nn.TransformerEncoderLayer(8, 2, 16, 0.1, minitorch.functional.gelu)  # as PyTorch's
    assert layer.activation is minitorch.functional.gelu
    with pytest.raises(TypeError):  # PyTorch: add_bias_kv
        nn.MultiheadAttention(8, 2, 0.0, True, True)  # type: ignore[call-arg]


def test_numbers_added_to_the_scores_can_be_learned():
    query, key, value = (minitorch.randn(3, 4, dtype=np.float64) for _ in range(3))
    bias = minitorch.randn(3, 3, dtype=np.float64, requires_grad=True)
    assert gradcheck(lambda bias: F.scaled_dot_product_attention(query, key, value, bias), [bias])


def test_filling_is_not_looked_at():
    attention = nn.MultiheadAttention(4, 2, batch_first=True)
    x = minitorch.randn(2, 3, 4)
    filling = minitorch.tensor([[False, False, True], [False, False, False]])
    output, seen = attention(x, x, x, filling)
    assert (seen.array[0, :, 2] == 0).all()
    short, _ = attention(x[:1, :2], x[:1, :2], x[:1, :2])
    np.testing.assert_allclose(output.detach().array[0, :2], short.detach().array[0], rtol=1e-5)
    apart, _ = attention(x, x, x, filling, attn_mask=np.zeros((4, 3, 3), bool))
    np.testing.assert_array_equal(apart.detach().array, output.detach().array)
    block = nn.TransformerEncoderLayer(4, 2, dropout=0.0, batch_first=True)
    found = block(x, src_key_padding_mask=filling).detach().array[0, :2]
    np.testing.assert_allclose(found, block(x[:1, :2]).detach().array[0], rtol=1e-4, atol=1e-6)


def test_one_sequence_needs_no_batch():
    x = minitorch.randn(3, 4)
    for first in (True, False):
        attention = nn.MultiheadAttention(4, 2, batch_first=first)
        output, seen = attention(x, x, x)
        batch = x.unsqueeze(0 if first else 1)
        expected, weights = attention(batch, batch, batch)
        np.testing.assert_array_equal(output.detach().array, expected.detach().array.reshape(3, 4))
        np.testing.assert_array_equal(seen.detach().array, weights.detach().array[0])
