"""Attention: places that choose from what they see where to look; and a transformer's block.

Vaswani et al. 2017. Leans on `functional`, `layers` and `normalization`.
"""

# Grown in notebooks: 3_05_attention. Edit there, then `make extract`.

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch import functional
from minitorch.containers import ModuleList
from minitorch.initialization import xavier_uniform_
from minitorch.layers import Dropout, Linear
from minitorch.module import Module, Parameter
from minitorch.normalization import LayerNorm
from minitorch.tensor import Tensor

__all__ = [
    "Array",
    "MultiheadAttention",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "as_numbers",
    "attention_weights",
    "scaled_dot_product_attention",
]


Array = np.ndarray


def attention_weights(
    query: Tensor, key: Tensor, hidden: Any = None, scale: float | None = None
) -> Tensor:
    """How much each query (..., L, E) looks at each key (..., S, E): (..., L, S), summing to 1.

    `hidden` is True, or minus infinity, where it may not look; other numbers are added.
    """
    if query.shape[-1] != key.shape[-1]:
        raise ValueError(
            f"attention: queries {query.shape} and keys {key.shape} differ in their last number."
        )
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = (query * scale) @ key.transpose(-2, -1)
    if hidden is not None:
        scores = scores + as_numbers(hidden).to(scores.dtype)
    return functional.softmax(scores, dim=-1)


def as_numbers(mask: Any) -> Tensor:
    """What a mask adds to the scores: minus infinity where it is True; numbers as they are."""
    mask = mask if isinstance(mask, Tensor) else Tensor(np.asarray(mask))
    return mask if mask.dtype != bool else Tensor(np.where(mask.array, -np.inf, 0))


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
) -> Tensor:
    """For each query (..., L, E) the mean of the values (..., S, V), weighted by keys (..., S, E).

    `attn_mask` (..., L, S) is True where it may look, or is added to the scores; `is_causal` lets
    place k see none after k.
    """
    hidden = attn_mask
    if is_causal:
        if attn_mask is not None:
            raise ValueError("attention: give attn_mask or is_causal, not both.")
        hidden = ~np.tril(np.ones((query.shape[-2], key.shape[-2]), bool))
    elif attn_mask is not None:
        mask = attn_mask if isinstance(attn_mask, Tensor) else Tensor(np.asarray(attn_mask))
        hidden = ~mask if mask.dtype == bool else mask
    weights = attention_weights(query, key, hidden, scale)
    return (functional.dropout(weights, dropout_p) if dropout_p else weights) @ value


class MultiheadAttention(Module):
    """Attention by several heads, each on its part of the vectors; a linear layer joins them.

    Parameters
    ----------
    embed_dim : numbers in each vector, the same for queries, keys and values
    num_heads : parts that they are cut into
    dropout : the share of weights that is dropped in training
    bias : whether the linear layers have one
    batch_first : whether inputs are (N, L, E); as in PyTorch they are (L, N, E) by default
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        *,
        batch_first: bool = False,
    ) -> None:
        if embed_dim % num_heads:
            raise ValueError(
                f"MultiheadAttention: {embed_dim} numbers make no {num_heads} equal heads."
            )
        self.num_heads, self.dropout, self.batch_first = num_heads, dropout, batch_first
        weight = Parameter(np.empty((3 * embed_dim, embed_dim), np.float32))
        self.in_proj_weight = xavier_uniform_(weight)
        self.in_proj_bias = Parameter(np.zeros(3 * embed_dim, np.float32)) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias=bias)
        if self.out_proj.bias is not None:
            self.out_proj.bias.array[...] = 0

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
    ) -> tuple[Tensor, Tensor | None]:
        """What the queries found, and the weights, of all heads or their mean: (N, L, S).

        `attn_mask` (L, S), or (N * heads, L, S), is True where a query may not look, or is added
        to the scores; `key_padding_mask` (N, S) says so for all queries: these keys are filling.
        """
        inputs: tuple[Tensor, ...] = (query, key, value)
        settings = (key_padding_mask, need_weights, attn_mask, average_attn_weights)
        if all(x.ndim == 2 for x in inputs):
            place = 0 if self.batch_first else 1
            output, seen = self(*[x.unsqueeze(place) for x in inputs], *settings)
            return output.squeeze(place), None if seen is None else seen.squeeze(0)
        if any(x.ndim != 3 for x in inputs):
            shapes = ", ".join(str(x.shape) for x in inputs)
            raise ValueError(f"MultiheadAttention: inputs have three dimensions, not {shapes}.")
        if not self.batch_first:
            inputs = tuple(x.transpose(0, 1) for x in inputs)
        heads = [self.to_heads(x, number) for number, x in enumerate(inputs)]
        hidden = None if attn_mask is None else as_numbers(attn_mask)
        if hidden is not None and hidden.ndim == 3:
            hidden = hidden.reshape(-1, self.num_heads, *hidden.shape[1:])
        if key_padding_mask is not None:
            filling = as_numbers(key_padding_mask)
            filling = filling.reshape(-1, 1, 1, filling.shape[-1])
            hidden = filling if hidden is None else hidden + filling
        weights = attention_weights(heads[0], heads[1], hidden)
        mixed = functional.dropout(weights, self.dropout, self.training) @ heads[2]
        joined = self.out_proj(mixed.transpose(1, 2).reshape(*inputs[0].shape))
        output = joined if self.batch_first else joined.transpose(0, 1)
        if not need_weights:
            return output, None
        return output, weights.mean(dim=1) if average_attn_weights else weights

    def to_heads(self, x: Tensor, number: int) -> Tensor:
        """Through linear layer `number`, and cut into heads: (N, heads, L, E / heads)."""
        size = x.shape[-1]
        rows = slice(number * size, (number + 1) * size)
        bias = None if self.in_proj_bias is None else self.in_proj_bias[rows]
        y = functional.linear(x, self.in_proj_weight[rows], bias)
        return y.reshape(*x.shape[:2], self.num_heads, -1).transpose(1, 2)


class TransformerEncoderLayer(Module):
    """Attention, then two linear layers; each is added to its input, and normalized.

    Parameters
    ----------
    d_model, nhead : numbers in each vector, and heads
    dim_feedforward : numbers between the two linear layers
    dropout : the share that is dropped in training, in all four places
    activation : what stands between the two linear layers, a function or its name: "relu", "gelu"
    batch_first : whether the input is (N, L, E); as in PyTorch it is (L, N, E) by default
    norm_first : whether to normalize before, not after: Xiong et al. 2020
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Tensor], Tensor] = "relu",
        *,
        batch_first: bool = False,
        norm_first: bool = False,
    ) -> None:
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, batch_first=batch_first)
        self.linear1 = Linear(d_model, dim_feedforward)
        self.linear2 = Linear(dim_feedforward, d_model)
        self.norm1, self.norm2 = LayerNorm(d_model), LayerNorm(d_model)
        self.dropout = Dropout(dropout)
        if isinstance(activation, str):
            activation = getattr(functional, activation)
        self.activation: Any = activation
        self.norm_first = norm_first

    def forward(
        self, src: Tensor, src_mask: Any = None, src_key_padding_mask: Any = None
    ) -> Tensor:
        """The same shape; `src_mask` (L, L) is True where a place may not look.

        `src_key_padding_mask` (N, L) is True where there is only filling.
        """
        masks = (src_mask, src_key_padding_mask)
        if self.norm_first:
            src = src + self.look(self.norm1(src), *masks)
            return src + self.think(self.norm2(src))
        src = self.norm1(src + self.look(src, *masks))
        return self.norm2(src + self.think(src))

    def look(self, x: Tensor, mask: Any, filling: Any) -> Tensor:
        """What each place finds at the others."""
        found, _ = self.self_attn(x, x, x, filling, need_weights=False, attn_mask=mask)
        return self.dropout(found)

    def think(self, x: Tensor) -> Tensor:
        """Two linear layers, for each place alone."""
        return self.dropout(self.linear2(self.dropout(self.activation(self.linear1(x)))))


class TransformerEncoder(Module):
    """`num_layers` copies of `encoder_layer`, one after the other, then `norm` if there is one."""

    def __init__(self, encoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        self.layers = ModuleList([copy.deepcopy(encoder_layer) for _ in range(num_layers)])
        self.norm = norm

    def forward(self, src: Tensor, mask: Any = None, src_key_padding_mask: Any = None) -> Tensor:
        """The same shape; the masks are those of the layers."""
        for layer in self.layers:
            src = layer(src, mask, src_key_padding_mask)
        return src if self.norm is None else self.norm(src)
