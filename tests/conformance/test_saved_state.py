"""What is saved here loads into PyTorch, gives the same numbers there, and the other way round."""

import numpy as np
import pytest

import minitorch as mt
from minitorch.digits import digits
from minitorch.state import StateError, load, save
from models import FOLDER
from models.mnist_mlp import MnistMLP

torch = pytest.importorskip("torch")
safetensors_torch = pytest.importorskip("safetensors.torch")


def torch_mlp():
    layers = torch.nn
    return layers.Sequential(
        layers.Flatten(),
        layers.Linear(784, 512),
        layers.ReLU(),
        layers.Dropout(0),
        layers.Linear(512, 256),
        layers.ReLU(),
        layers.Dropout(0),
        layers.Linear(256, 10),
    )


def images():
    return np.random.default_rng(0).standard_normal((20, 1, 28, 28)).astype(np.float32)


def test_the_mnist_mlp_gives_the_same_logits_in_torch(tmp_path):
    model, theirs = MnistMLP(), torch_mlp()
    save(model.state_dict(), tmp_path / "mlp.safetensors")
    theirs.load_state_dict(safetensors_torch.load_file(tmp_path / "mlp.safetensors"))
    with torch.no_grad():
        expected = theirs(torch.from_numpy(images())).numpy()
    np.testing.assert_allclose(model(mt.tensor(images())).array, expected, rtol=1e-4, atol=1e-5)


def test_the_trained_mnist_mlp_reads_digits_in_torch_with_the_same_logits():
    """The committed weights, on 1,000 digits that no training saw."""
    path = FOLDER / "weights" / "mnist_mlp.safetensors"
    model, theirs = MnistMLP(), torch_mlp()
    model.load_state_dict(load(path))
    theirs.load_state_dict(safetensors_torch.load_file(path))
    _, (digits_seen_by_none, labels) = digits()
    pixels = ((digits_seen_by_none / 255 - 0.1307) / 0.3081).astype(np.float32)
    with torch.no_grad():
        expected = theirs(torch.from_numpy(pixels)).numpy()
    found = model(mt.tensor(pixels)).array
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert (expected.argmax(axis=1) == labels).mean() > 0.95


def test_the_mnist_mlp_of_torch_gives_the_same_logits_here(tmp_path):
    model, theirs = MnistMLP(), torch_mlp()
    safetensors_torch.save_file(theirs.state_dict(), tmp_path / "mlp.safetensors")
    model.load_state_dict(load(tmp_path / "mlp.safetensors"))
    with torch.no_grad():
        expected = theirs(torch.from_numpy(images())).numpy()
    np.testing.assert_allclose(model(mt.tensor(images())).array, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "name", ["float64", "float32", "float16", "bfloat16", "int64", "uint8", "bool"]
)
def test_every_dtype_of_torch_comes_here(tmp_path, name):
    values = (torch.arange(12).reshape(3, 4) % 5).to(getattr(torch, name))
    safetensors_torch.save_file({"a": values}, tmp_path / "file")
    ours = load(tmp_path / "file")["a"]
    np.testing.assert_array_equal(ours, values.to(torch.float64).numpy())
    assert ours.dtype == ("float32" if name == "bfloat16" else name)


@pytest.mark.parametrize("legacy", [False, True])
def test_torch_save_is_refused_with_the_way_out(tmp_path, legacy):
    torch.save({"a": torch.ones(2)}, tmp_path / "file", _use_new_zipfile_serialization=not legacy)
    with pytest.raises(StateError, match=r"safetensors\.torch"):
        load(tmp_path / "file")
