"""Convolutional networks: a complete training step, and inference, in minitorch and in PyTorch.

Both run the same file: ours speaks PyTorch's words, so that PyTorch's version is the file with its
imports exchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks.timing import Step

ROOT = Path(__file__).parent.parent
IMPORTS = {
    "import minitorch.functional as F": "import torch.nn.functional as F",
    "from minitorch import": "from torch import",
    "nn.BatchNormReLU2d": "BatchNormReLU2d",
}


@dataclass(frozen=True)
class Network:
    """A module, what in it builds the network, with which settings, and the batch."""

    module: str
    build: str
    settings: tuple[Any, ...]
    batch: tuple[int, int, int, int]
    training: bool = True

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Random images and classes."""
        random = np.random.default_rng(0)
        images = random.standard_normal(self.batch, dtype=np.float32)
        return images, random.integers(0, 10, self.batch[0])

    def peers(self) -> dict[str, Callable[[], Step]]:
        """The builders by the name of their framework."""
        return {
            "minitorch": lambda: minitorch_step(self),
            "minitorch, numba": lambda: minitorch_step(self, compiled=True),
            "torch": lambda: torch_step(self, channels_last=False),
            "torch channels last": lambda: torch_step(self, channels_last=True),
        }


RESNET20 = Network("models.resnet", "resnet20", ("B",), (128, 3, 32, 32))
RESNET18 = Network("models.resnet", "resnet18", (10, "cifar"), (64, 3, 32, 32))
ALEXNET = Network("models.alexnet", "AlexNet", (), (64, 1, 28, 28))
YOLO_TINY = Network("benchmarks.yolo_tiny", "YoloTiny", (), (8, 3, 224, 224))
RESNET20_USE, RESNET18_USE, ALEXNET_USE = (
    replace(network, training=False) for network in (RESNET20, RESNET18, ALEXNET)
)
YOLO_TINY_USE = replace(YOLO_TINY, batch=(1, 3, 224, 224), training=False)


def torch_twin(module: str) -> ModuleType:
    """A module of ours as PyTorch code."""
    path = ROOT / f"{module.replace('.', '/')}.py"
    source = path.read_text()
    for ours, theirs in IMPORTS.items():
        source = source.replace(ours, theirs)
    twin = ModuleType(f"torch_{module}")
    vars(twin)["BatchNormReLU2d"] = torch_batch_norm_relu()
    exec(compile(source, str(path), "exec"), vars(twin))
    return twin


def torch_batch_norm_relu() -> Any:
    """PyTorch's batch norm, sum and ReLU in place, under the name of our layer that fuses them."""
    torch: Any = import_module("torch")

    class BatchNormReLU2d(torch.nn.BatchNorm2d):  # type: ignore[misc]  # torch is optional
        def __init__(self, num_features: int, negative_slope: float = 0.0) -> None:
            super().__init__(num_features)
            self.negative_slope = negative_slope

        def forward(self, x: Any, shortcut: Any = None) -> Any:
            y = super().forward(x)
            if shortcut is not None:
                y += shortcut
            if not self.negative_slope:
                return torch.relu_(y)
            return torch.nn.functional.leaky_relu_(y, self.negative_slope)

    return BatchNormReLU2d


def minitorch_step(network: Network, compiled: bool = False) -> Step:
    """Ours, its passes over memory by numpy or as loops compiled by numba."""
    minitorch: Any = import_module("minitorch")
    model = getattr(import_module(network.module), network.build)(*network.settings)
    images, classes = (minitorch.tensor(part) for part in network.data())
    step = step_of(network, model, images, classes, "minitorch", "minitorch.functional")
    return with_passes(step, compiled)


def with_passes(step: Step, compiled: bool) -> Step:
    """The step, before which the passes are exchanged: it takes a microsecond.

    Raises ImportError where they cannot be compiled.
    """
    use: Any = import_module("minitorch.compiled").use
    use(compiled)

    def exchanged() -> None:
        use(compiled)
        step()

    return exchanged


def torch_step(network: Network, channels_last: bool) -> Step:
    """PyTorch, eager, in its usual order of memory or in the one that its kernels like best."""
    torch: Any = import_module("torch")
    model = getattr(torch_twin(network.module), network.build)(*network.settings)
    images, classes = (torch.from_numpy(part) for part in network.data())
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    return step_of(network, model, images, classes, "torch", "torch.nn.functional")


def step_of(
    network: Network, model: Any, images: Any, classes: Any, package: str, functions: str
) -> Step:
    """The step that both share, word for word."""
    cross_entropy = import_module(functions).cross_entropy

    def loss_of(output: Any) -> Any:
        """Cross entropy of scores; of maps, any number that every element enters."""
        if isinstance(output, tuple):
            return sum((part * part).mean() for part in output)
        return cross_entropy(output, classes)

    no_grad: Any = import_module(package).no_grad
    sgd: Any = import_module(f"{package}.optim").SGD
    optimizer = sgd(model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)

    def train() -> None:
        optimizer.zero_grad()
        loss_of(model(images)).backward()
        optimizer.step()

    def use() -> None:
        with no_grad():
            model(images)

    if not network.training:
        model.eval()
    return train if network.training else use
