"""What is not run, and why: every exclusion has a reason that a reader can judge."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from typing import Any

import torch
from torch.testing._internal.opinfo.core import BinaryUfuncInfo

RANDOM = "random or uninitialised values: there is nothing to compare"
IMAGES = "interpolate is for images (N, C, H, W), nearest and bilinear"
COMPLEX = "complex numbers"

# How many dimensions an input must have where PyTorch also takes one without the batch.
BATCHED = {
    "nn.functional.adaptive_avg_pool2d": 4,
    "nn.functional.adaptive_max_pool2d": 4,
    "nn.functional.avg_pool2d": 4,
    "nn.functional.max_pool2d": 4,
    "nn.functional.conv1d": 3,
    "nn.functional.conv2d": 4,
    "nn.functional.conv_transpose2d": 4,
    "nn.functional.interpolate": 4,
    "nn.functional.dropout2d": 4,
}

# Settings that minitorch does not offer, at the value that changes nothing in PyTorch.
PYTORCH_DEFAULTS: dict[str, Any] = {
    "add_bias_kv": False,
    "add_zero_attn": False,
    "average_attn_weights": True,
    "amsgrad": False,
    "bias": True,
    "compute_mode": "use_mm_for_euclid_dist_if_necessary",
    "divisor_override": None,
    "maximize": False,
    "max_norm": None,
    "output_size": None,
    "padding_idx": None,
    "recompute_scale_factor": None,
    "return_indices": False,
    "scale_grad_by_freq": False,
    "key_padding_mask": None,
    "need_weights": True,
    "sparse": False,
    "src_key_padding_mask": None,
    "src_mask": None,
}

# Operators that minitorch has under PyTorch's name, or in one of PyTorch's variants, and that are
# not run. The first pattern that fits gives the reason.
NOT_COMPARED = {
    "empty*": RANDOM,
    "rand*": RANDOM,
    "new_empty*": RANDOM,
    "uniform": RANDOM,
    "bernoulli*": RANDOM,
    "multinomial": RANDOM,
    "normal*": RANDOM,
    "nn.functional.dropout": RANDOM,
    "nn.functional.interpolate.area": IMAGES,
    "nn.functional.interpolate.bicubic": IMAGES,
    "nn.functional.interpolate.linear": IMAGES,
    "nn.functional.interpolate.nearest-exact": IMAGES,
    "nn.functional.interpolate.trilinear": IMAGES,
    "norm.nuc": "norms of matrices by their singular values",
    "as_strided.partial_views": "steps outside the view that is given, into the memory around it",
}

# Operators that minitorch does not have, by name and then by pattern.
BY_NAME = {
    COMPLEX: (
        "angle cdouble cfloat chalf complex conj conj_physical imag isreal polar real "
        "resolve_conj resolve_neg view_as_complex view_as_real"
    ),
    "linear algebra beyond matmul and einsum": (
        "cholesky cholesky_inverse cholesky_solve geqrf inner cross lu lu_solve lu_unpack "
        "logdet matrix_exp ormqr pca_lowrank pinverse qr svd svd_lowrank triangular_solve "
        "addbmm addmm addmm.decomposed addmv addr baddbmm chain_matmul cdist tensordot "
        "kron block_diag"
    ),
    RANDOM: "bernoulli cauchy exponential geometric log_normal multinomial normal",
    "dtypes that the course does not use": "bfloat16 byte char",
}

NOT_WRITTEN = {
    "linalg.*": "linear algebra by decomposition",
    "fft.*": "Fourier transforms",
    "special.*": "special functions of physics",
    "masked.*": "reductions over masked tensors",
    "signal.*": "windows of signal processing",
    "sparse.*": "sparse tensors",
    "torch.ops.*": "internal to PyTorch",
    "_*": "internal to PyTorch",
    "ops.*": "internal to PyTorch",
    "*_copy": "copies in place of views, for PyTorch's compiler",
    "*_scatter": "writing into a view as a function; x[index] = value does it here",
    "*_like": "creation",
    "new_*": "creation beside an existing tensor; the *_like functions do it here",
    "nn.functional.*": "layers that the course does not build",
    **{name: reason for reason, names in BY_NAME.items() for name in names.split()},
    "*": "not in the course: composed of what is here, or seldom met in deep learning",
}


def operator_reason(operator: Any, function: Any) -> str:
    """Why a whole operator is not run; empty when it is."""
    full = f"{operator.name}.{operator.variant_test_name}".rstrip(".")
    patterns = NOT_WRITTEN if function is None else NOT_COMPARED
    if full.endswith((".complex", ".without_cudnn")):
        return "variants for complex numbers, or for CUDA, without a sample in a dtype of ours"
    return next((reason for pattern, reason in patterns.items() if fnmatch(full, pattern)), "")


def sample_reason(operator: Any, sample: Any) -> str:
    """Why one sample is not run; empty when it is."""
    kwargs = sample.kwargs
    dims = BATCHED.get(operator.name)
    if dims and isinstance(sample.input, torch.Tensor) and sample.input.ndim != dims:
        return f"inputs that do not have {dims} dimensions, the batch among them"
    if kwargs.get("dropout_p"):
        return RANDOM
    drops = kwargs.get("training", True) and 0 < kwargs.get("p", 0.5) < 1
    if operator.name == "nn.functional.dropout2d" and drops:
        return RANDOM
    dtype = getattr(sample.input, "dtype", torch.float32)
    if dims and not dtype.is_floating_point:
        return "convolving and pooling whole numbers"
    if operator.name in ("sigmoid", "sign", "square") and dtype == torch.bool:
        return "arithmetic on booleans, which numpy refuses"
    if operator.name in ("sort", "argsort", "topk") and has_ties(sample.input):
        return "equal elements, whose order PyTorch leaves open"
    whole = isinstance(sample.input, torch.Tensor) and not sample.input.dtype.is_floating_point
    if operator.name == "__rpow__" and whole:
        return "integers to negative integer powers, which PyTorch rounds to 0 and we refuse"
    if (
        operator.name == "nn.functional.hardsigmoid"
        and sample.input.requires_grad
        and sample.input.ndim == 1
    ):
        return "PyTorch's slope of 1/6 is in single precision, ours in double"
    if operator.name == "gather" and sample.args[1].shape == (2, 0) != sample.input.shape[:1]:
        return "an empty index of another number of dimensions than the input: refused"
    if operator.name == "nn.functional.batch_norm" and sample.input.ndim < 2:
        return "an input without a dimension of channels: refused"
    if operator.name == "nn.functional.max_pool2d" and kwargs.get("dilation", 1) not in (1, (1, 1)):
        return "windows with gaps in them (dilation): refused"
    if operator.name == "nonzero" and kwargs.get("as_tuple") and sample.input.ndim == 0:
        return "positions in a single number"
    return ""


def error_reason(operator: Any, sample: Any) -> str:
    """Why an input that PyTorch refuses is no error here; empty when it must be one."""
    numbers = [not isinstance(each, torch.Tensor) for each in (sample.input, *sample.args[:1])]
    is_dim = operator.variant_test_name == "binary" and numbers[-1]  # max(x, 3): 3 is a dim here
    if isinstance(operator, BinaryUfuncInfo) and any(numbers) and not is_dim:
        return "plain numbers where PyTorch insists on tensors, taken as tensors without dimensions"
    return ""


def module_error_reason(name: str) -> str:
    """Why what PyTorch refuses is no error of a module here; empty when it must be one."""
    return "HuberLoss(delta=1j), which is refused when it is called" * (name == "nn.HuberLoss")


def optimizer_error_reason(name: str, description: str) -> str:
    """Why what PyTorch refuses is no error of an optimizer here; empty when it must be one."""
    kernels = (name, description) == ("Muon", "only support 2D parameters")
    return "Muon with the kernels of convolutions, which it learns as matrices" * kernels


UNBATCHED = "inputs without the batch's dimension"
MODULE_SAMPLES = {  # by the description that PyTorch's sample has
    "nn.*Pool2d no_batch_dim": UNBATCHED,
    "nn.MaxPool2d 3d_input": UNBATCHED,
    "nn.Conv* no_batch_dim": UNBATCHED,
    "nn.Adaptive* tuple_none": "None as an output size",
    "nn.BatchNorm* *simple_average": "momentum=None, the plain mean of all batches",
    "nn.KLDivLoss *": "one tensor as input and as target, of any sign; mostly NaN",
    "nn.CrossEntropyLoss 2d_ignore_index_*": "targets of which none may count, which has no mean",
    "nn.BatchNorm* zero_batch": "an empty batch, which has no variance: refused",
}


def module_reason(name: str, sample: Any) -> str:
    """Why one sample of a module is not run; empty when it is."""
    words = f"{name} {sample.desc}"
    return next((why for pattern, why in MODULE_SAMPLES.items() if fnmatch(words, pattern)), "")


def has_ties(x: Any) -> bool:
    """Whether an element occurs twice."""
    return isinstance(x, torch.Tensor) and x.unique().numel() < x.numel()


def settings_reason(error: Exception) -> str:
    """Why a sample cannot be put to our function: a setting that it does not offer."""
    if isinstance(error, TypeError):
        if found := re.search(r"unexpected keyword argument '(\w+)'", str(error)):
            return f"the setting `{found[1]}` is not offered"
        if re.search(r"takes .*positional arguments? but \d+ were given", str(error)):
            return "more settings than ours takes"
    return ""
