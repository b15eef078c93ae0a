"""Three training steps that run without an error and are wrong: for tests, and for fresh eyes."""

from __future__ import annotations

import numpy as np

import minitorch
from minitorch import Tensor, nn, optim
from viz import debug
from viz.debugger import Debugger


class Gate(nn.Module):
    """Takes the logarithm of something that can be zero."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(2, 8)
        self.fc2 = nn.Linear(8, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 2) to (batch, 1)."""
        h = self.fc1(x).relu()
        return self.fc2(h * h.log())


class Cut(nn.Module):
    """Leaves the graph and comes back: nothing before the way out is trained."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(2, 8)
        self.fc2 = nn.Linear(8, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 2) to (batch, 1)."""
        h = self.fc1(x).tanh().detach()
        return self.fc2(h)


class Plain(nn.Module):
    """Right in itself; what it is compared with has another shape."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(2, 8)
        self.fc2 = nn.Linear(8, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 2) to (batch, 1)."""
        return self.fc2(self.fc1(x).tanh())


def one_step(net: nn.Module, target_shape: tuple[int, ...] = (16, 1)) -> Debugger:
    """One training step of `net` in the debugger."""
    minitorch.manual_seed(0)
    x, y = minitorch.randn(16, 2), minitorch.randn(*target_shape)
    optimizer = optim.SGD(net.parameters(), lr=0.1)

    def step() -> None:
        error = net(x) - y
        (error * error).mean().backward()
        optimizer.step()

    with np.errstate(all="ignore"):
        return debug(step)


def nan() -> Debugger:
    """A logarithm of zero, and zero times infinity."""
    minitorch.manual_seed(0)
    return one_step(Gate())


def detached() -> Debugger:
    """The first layer never gets a gradient."""
    minitorch.manual_seed(0)
    return one_step(Cut())


def broadcast() -> Debugger:
    """(16, 1) minus (16,) is (16, 16): every prediction against every target."""
    minitorch.manual_seed(0)
    return one_step(Plain(), target_shape=(16,))
