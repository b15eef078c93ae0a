"""ResNets of PyTorch give the same numbers here, with random weights and with published ones."""

import os
from pathlib import Path

import numpy as np
import pytest

import minitorch as mt
from minitorch.datasets import cifar10
from minitorch.state import load
from minitorch.trainers import evaluating
from minitorch.transforms import Normalize
from models import resnet
from tools import convert_checkpoint

torch = pytest.importorskip("torch")
safetensors_torch = pytest.importorskip("safetensors.torch")

DATA = Path(os.environ.get("MINITORCH_DATA", "nowhere"))
CHECKPOINT = DATA / "weights" / "resnet20-12fca82f.th"


def random_state(blocks, bottleneck):
    """Random weights under torchvision's names, for a network of these blocks."""
    state, channels = {}, 64

    def convolution(number, bn, out, given, size):
        deviation = (2 / (given * size * size)) ** 0.5
        state[f"{number}.weight"] = torch.randn(out, given, size, size) * deviation
        state[f"{bn}.weight"], state[f"{bn}.bias"] = torch.rand(out) + 0.5, torch.randn(out) / 10
        state[f"{bn}.running_mean"] = torch.randn(out) / 10
        state[f"{bn}.running_var"] = torch.rand(out) + 0.5
        state[f"{bn}.num_batches_tracked"] = torch.tensor(7)

    convolution("conv1", "bn1", 64, 3, 7)
    for stage, count in enumerate(blocks, start=1):
        width = 64 * 2 ** (stage - 1)
        result = 4 * width if bottleneck else width
        for number in range(count):
            block = f"layer{stage}.{number}"
            sizes = (1, 3, 1) if bottleneck else (3, 3)
            widths = (channels, width, width, result) if bottleneck else (channels, width, width)
            for k, size in enumerate(sizes, start=1):
                convolution(f"{block}.conv{k}", f"{block}.bn{k}", widths[k], widths[k - 1], size)
            if number == 0 and (stage > 1 or bottleneck):
                names = (f"{block}.downsample.0", f"{block}.downsample.1")
                convolution(*names, result, channels, 1)
            channels = result
    state["fc.weight"] = torch.randn(1000, channels) / channels**0.5
    state["fc.bias"] = torch.randn(1000)
    return state


def torch_resnet(state, x, bottleneck):
    """PyTorch's functions on a state dict: the network of figure 5 and table 1."""
    functional = torch.nn.functional

    def convolution(x, number, bn, stride=1):
        kernels = state[f"{number}.weight"]
        x = functional.conv2d(x, kernels, stride=stride, padding=kernels.shape[-1] // 2)
        parts = (state[f"{bn}.{part}"] for part in ("running_mean", "running_var"))
        return functional.batch_norm(x, *parts, state[f"{bn}.weight"], state[f"{bn}.bias"])

    x = torch.relu(convolution(x, "conv1", "bn1", stride=2))
    x = functional.max_pool2d(x, 3, stride=2, padding=1)
    for stage in range(1, 5):
        number = 0
        while f"layer{stage}.{number}.conv1.weight" in state:
            block = f"layer{stage}.{number}"
            stride = 2 if stage > 1 and number == 0 else 1
            strides = (1, stride, 1) if bottleneck else (stride, 1)
            y = x
            for k, step in enumerate(strides, start=1):
                y = convolution(y, f"{block}.conv{k}", f"{block}.bn{k}", step)
                y = torch.relu(y) if k < len(strides) else y
            if f"{block}.downsample.0.weight" in state:
                x = convolution(x, f"{block}.downsample.0", f"{block}.downsample.1", stride)
            x = torch.relu(x + y)
            number += 1
    return functional.linear(x.mean(dim=(2, 3)), state["fc.weight"], state["fc.bias"])


@pytest.mark.parametrize(
    "layers, blocks, bottleneck", [(18, (2, 2, 2, 2), False), (50, (3, 4, 6, 3), True)]
)
def test_weights_under_torchvisions_names_give_the_same_logits(
    layers, blocks, bottleneck, tmp_path
):
    torch.manual_seed(0)
    state = random_state(blocks, bottleneck)
    safetensors_torch.save_file(state, tmp_path / "resnet.safetensors")
    model = getattr(resnet, f"resnet{layers}")()
    model.load_state_dict(load(tmp_path / "resnet.safetensors"))
    images = torch.randn(2, 3, 64, 64)
    expected = torch_resnet(state, images, bottleneck).numpy()
    with evaluating(model):
        found = model(mt.tensor(images.numpy())).numpy()
    assert np.abs(expected).max() > 1
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


@pytest.mark.skipif(not CHECKPOINT.exists(), reason=f"{CHECKPOINT.name} is not in MINITORCH_DATA")
def test_the_published_resnet20_gives_its_published_logits(tmp_path):
    weights = tmp_path / "resnet20.safetensors"
    assert convert_checkpoint.main([str(CHECKPOINT), str(weights)]) == 0
    model = resnet.resnet20("A")
    model.load_state_dict(load(weights))
    expected = np.load(CHECKPOINT.with_name("resnet20_reference_logits.npz"))["logits"][:1000]
    _, test = cifar10()
    prepared = Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    with evaluating(model):
        batches = [prepared(test.images[start : start + 250]) for start in range(0, 1000, 250)]
        found = np.concatenate([model(mt.tensor(batch)).numpy() for batch in batches])
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert np.mean(found.argmax(axis=1) == test.labels[:1000]) == pytest.approx(0.915)
