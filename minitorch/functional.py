"""PyTorch's name for ops as functions: `import minitorch.functional as F`."""

# Grown in notebooks: 2_04_indexing, 2_05_the_tensor, 2_06_modules, 3_03_batch_norm, 3_05_attention,
# 4_02_im2col, 4_04_pooling. Edit there, then `make extract`.

from minitorch.activations import (
    elu,
    gelu,
    hardsigmoid,
    hardswish,
    hardtanh,
    leaky_relu,
    logsigmoid,
    mish,
    prelu,
    relu6,
    selu,
    silu,
    softplus,
    softsign,
)
from minitorch.attention import scaled_dot_product_attention
from minitorch.class_losses import cross_entropy, nll_loss
from minitorch.convolution import conv1d, conv2d, conv_transpose2d
from minitorch.inplace import relu, relu_
from minitorch.joining import pad
from minitorch.layers import dropout, dropout2d, embedding, one_hot
from minitorch.lengths import cosine_similarity, normalize, pairwise_distance
from minitorch.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    huber_loss,
    kl_div,
    l1_loss,
    log_softmax,
    mse_loss,
    smooth_l1_loss,
    softmax,
)
from minitorch.normalization import batch_norm, group_norm, layer_norm
from minitorch.operations import linear, sigmoid, tanh
from minitorch.pooling import adaptive_max_pool2d, avg_pool2d, max_pool2d
from minitorch.resizing import adaptive_avg_pool2d, interpolate
from minitorch.unfolding import fold, unfold

__all__ = [
    "adaptive_avg_pool2d",
    "adaptive_max_pool2d",
    "avg_pool2d",
    "batch_norm",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "conv1d",
    "conv2d",
    "conv_transpose2d",
    "cosine_similarity",
    "cross_entropy",
    "dropout",
    "dropout2d",
    "elu",
    "embedding",
    "fold",
    "gelu",
    "group_norm",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "huber_loss",
    "interpolate",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsigmoid",
    "max_pool2d",
    "mish",
    "mse_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "pad",
    "pairwise_distance",
    "prelu",
    "relu",
    "relu6",
    "relu_",
    "scaled_dot_product_attention",
    "selu",
    "sigmoid",
    "silu",
    "smooth_l1_loss",
    "softmax",
    "softplus",
    "softsign",
    "tanh",
    "unfold",
]
