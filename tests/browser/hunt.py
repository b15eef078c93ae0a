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


class Norm(nn.Module):
    """Layer norm by hand: no epsilon, and a shift that goes in as bare numbers."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(minitorch.ones(size))
        self.shift = nn.Parameter(minitorch.randn(size))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, size) to (batch, size)."""
        centered = x - x.mean(dim=1, keepdim=True)
        spread = (centered * centered).mean(dim=1, keepdim=True).sqrt()
        return centered / spread * self.gain + self.shift.detach().numpy()


class Block(nn.Module):
    """Adds what two layers see to what came in."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.norm = Norm(size)
        self.up = nn.Linear(size, 2 * size)
        self.down = nn.Linear(2 * size, size)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, size) to (batch, size)."""
        return x + self.down(self.up(self.norm(x)).relu())


class Deep(nn.Module):
    """A net in which both faults lie deep: a row of zeros meets the missing epsilon."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(2, 8, bias=False)
        self.blocks = nn.Sequential(Block(8), Block(8))
        self.head = nn.Linear(8, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 2) to (batch, 1)."""
        x = x * (minitorch.arange(len(x)).reshape(-1, 1) != 3)
        return self.head(self.blocks(self.first(x)))


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


def all_three() -> Debugger:
    """The three faults in one net of modules: 0/0, a shift without a way back, (16, 1) - (16,)."""
    minitorch.manual_seed(0)
    return one_step(Deep(), target_shape=(16,))
