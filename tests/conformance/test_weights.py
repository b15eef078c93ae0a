"""Weights saved here, read by PyTorch users: the same logits from the same safetensors file."""

import numpy as np
import pytest

from minitorch.digits import digits
from minitorch.state import save
from minitorch.tensor import Tensor
from models import FOLDER
from models.mnist_mlp import RECIPE
from models.training import load

torch = pytest.importorskip("torch")


def test_the_mnist_mlp_gives_the_same_logits_in_torch(tmp_path):
    safetensors = pytest.importorskip("safetensors.torch")
    model = load(RECIPE(), FOLDER / "weights" / "mnist_mlp.safetensors").eval()
    save(model.state_dict(), tmp_path / "mlp.safetensors")
    layers = torch.nn
    twin = layers.Sequential(
        layers.Flatten(),
        layers.Linear(784, 512),
        layers.ReLU(),
        layers.Dropout(),
        layers.Linear(512, 256),
        layers.ReLU(),
        layers.Dropout(),
        layers.Linear(256, 10),
    ).eval()
    twin.load_state_dict(safetensors.load_file(tmp_path / "mlp.safetensors"))
    images = RECIPE().prepared()(digits()[1].images[:200])
    expected = twin(torch.tensor(images)).detach().numpy()
    np.testing.assert_allclose(model(Tensor(images)).data, expected, rtol=1e-4, atol=1e-4)
