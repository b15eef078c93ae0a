"""The residual networks: the names and shapes of torchvision and of the paper's tables."""

import numpy as np
import pytest

import minitorch
from models import resnet

# Of one stage's first block by hand: (name, out, in, kernel size); the width is that of stage 2.
BASIC = {
    "layer2.0.conv1.weight": (128, 64, 3, 3),
    "layer2.0.bn1.running_var": (128,),
    "layer2.0.conv2.weight": (128, 128, 3, 3),
    "layer2.0.downsample.0.weight": (128, 64, 1, 1),
    "layer2.0.downsample.1.bias": (128,),
    "layer2.1.conv1.weight": (128, 128, 3, 3),
    "layer4.1.bn2.num_batches_tracked": (),
    "fc.weight": (1000, 512),
}
BOTTLENECK = {
    "layer1.0.downsample.0.weight": (256, 64, 1, 1),
    "layer2.0.conv1.weight": (128, 256, 1, 1),
    "layer2.0.conv2.weight": (128, 128, 3, 3),
    "layer2.0.conv3.weight": (512, 128, 1, 1),
    "layer2.0.bn3.weight": (512,),
    "layer2.0.downsample.0.weight": (512, 256, 1, 1),
    "layer2.1.conv1.weight": (128, 512, 1, 1),
    "layer4.2.bn3.num_batches_tracked": (),
    "fc.weight": (1000, 2048),
}
STEM = {"conv1.weight": (64, 3, 7, 7), "bn1.weight": (64,), "fc.bias": (1000,)}
# Layers: blocks per stage, parameters (torchvision's documentation), shapes of one block
IMAGENET = {
    18: ((2, 2, 2, 2), 11_689_512, BASIC),
    34: ((3, 4, 6, 3), 21_797_672, BASIC),
    50: ((3, 4, 6, 3), 25_557_032, BOTTLENECK),
    101: ((3, 4, 23, 3), 44_549_160, BOTTLENECK),
    152: ((3, 8, 36, 3), 60_192_808, BOTTLENECK),
}


@pytest.mark.parametrize("layers", IMAGENET)
def test_imagenet_family_has_torchvisions_names_and_shapes(layers):
    blocks, parameters, one_block = IMAGENET[layers]
    model = getattr(resnet, f"resnet{layers}")()
    shapes = {name: np.shape(value) for name, value in model.state_dict().items()}
    assert {name: shapes[name] for name in (*STEM, *one_block)} == STEM | one_block
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters
    for stage, count in enumerate(blocks, start=1):
        found = {name.split(".")[1] for name in shapes if name.startswith(f"layer{stage}.")}
        assert found == {str(number) for number in range(count)}
    basic = one_block is BASIC
    assert ("layer1.0.downsample.0.weight" in shapes) != basic  # stage 1 keeps the width of 64
    per_norm, convolutions = 5, sum(blocks) * (2 if basic else 3) + 1 + (3 if basic else 4)
    assert len(shapes) == convolutions * (1 + per_norm) + 2


# Table 6 of the paper gives millions: 0.27, 0.46, 0.66, 0.85, 1.7
CIFAR = {20: 269_722, 32: 464_154, 44: 658_586, 56: 853_018, 110: 1_727_962}


@pytest.mark.parametrize("layers", CIFAR)
def test_cifar_family_has_6n_plus_2_layers(layers):
    model = getattr(resnet, f"resnet{layers}")()
    weights = [value for value in model.parameters() if value.ndim > 1]
    assert len(weights) == layers
    assert sum(parameter.numel() for parameter in model.parameters()) == CIFAR[layers]


def test_projections_add_two_convolutions_to_option_a():
    names_a = resnet.resnet20("A").state_dict().keys()
    names_b = resnet.resnet20("B").state_dict().keys()
    assert names_a < names_b
    assert {name.split(".downsample")[0] for name in names_b - names_a} == {"layer2.0", "layer3.0"}


def test_option_a_takes_every_second_pixel_and_adds_zeros_on_both_sides():
    shortcut = resnet.ZeroPadded(channels=2, width=4, stride=2)
    x = np.arange(32, dtype=np.float32).reshape(1, 2, 4, 4)
    y = shortcut(minitorch.tensor(x)).numpy()
    assert y.shape == (1, 4, 2, 2)
    np.testing.assert_array_equal(y[0, 1:3], x[0, :, ::2, ::2])
    assert not y[0, [0, 3]].any()


@pytest.mark.parametrize("build", [resnet.resnet18, resnet.resnet50])
def test_imagenet_family_gives_a_score_per_class_for_other_sizes_too(build):
    minitorch.manual_seed(0)
    model = build(classes=7)
    model.eval()
    for size in (64, 96):
        assert model(minitorch.randn(1, 3, size, size)).shape == (1, 7)


@pytest.mark.parametrize("layers", IMAGENET)
def test_imagenet_family_takes_both_options(layers):
    build = getattr(resnet, f"resnet{layers}")
    with_a, with_b = (build(classes=2, option=option).state_dict().keys() for option in "AB")
    assert with_a < with_b
    assert all("downsample" in name for name in with_b - with_a)


def test_option_a_of_a_bottleneck_computes_too():
    minitorch.manual_seed(0)
    model = resnet.resnet50(classes=3, option="A", stem="cifar")
    scores = model(minitorch.randn(2, 3, 32, 32))
    scores.sum().backward()
    assert scores.shape == (2, 3)
    assert np.abs(model.conv1.weight.grad.numpy()).max() > 0


def test_misspelt_options_and_stems_are_refused():
    with pytest.raises(ValueError, match=r'"A" or "B".*not \'C\''):
        resnet.resnet20("C")
    with pytest.raises(ValueError, match=r'"imagenet" or "cifar", not \'cifra\''):
        resnet.resnet18(stem="cifra")
