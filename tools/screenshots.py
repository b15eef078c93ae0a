"""Take the pictures of the debugger in `docs/pictures/` again: `python tasks.py screenshots`.

Each picture is an exported page opened in Chromium, stepped with the keys that a reader would
press, once in light and once in dark colours.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

import minitorch
from minitorch import nn, optim
from viz import debug
from viz.debugger import Debugger

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
WIDTH, HEIGHT = 1320, 860


class Residual(nn.Module):
    """Two layers with a way around the second: the gradient comes back by both."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(2, 16)
        self.act1 = nn.Tanh()
        self.fc2 = nn.Linear(16, 16)
        self.act2 = nn.Tanh()
        self.head = nn.Linear(16, 1)

    def forward(self, x: Any) -> Any:
        """Predictions, (batch, 1), of points, (batch, 2)."""
        h = self.act1(self.fc1(x))
        return self.head(self.act2(self.fc2(h)) + h)


class Small(nn.Module):
    """A convolution, a pooling and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Linear(4 * 7 * 7, 10)

    def forward(self, x: Any) -> Any:
        """Logits, (batch, 10), of images, (batch, 1, 14, 14)."""
        h = self.pool(self.conv(x).relu())
        return self.head(h.flatten(1))


def residual_step() -> Debugger:
    """One training step of the residual net on random points."""
    minitorch.manual_seed(0)
    net = Residual()
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    x, y = minitorch.randn(32, 2), minitorch.randn(32, 1)

    def step() -> None:
        minitorch.functional.mse_loss(net(x), y).backward()
        optimizer.step()

    return debug(step)


def image_step() -> Debugger:
    """One training step of the small convolutional net."""
    minitorch.manual_seed(0)
    net = Small()
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    x, y = minitorch.randn(8, 1, 14, 14), minitorch.tensor(list(range(8)))

    def step() -> None:
        minitorch.functional.cross_entropy(net(x), y).backward()
        optimizer.step()

    return debug(step)


def bias_step() -> Debugger:
    """A bias that is added to every row, so that its gradient is a sum."""
    minitorch.manual_seed(0)
    x = minitorch.randn(8, 4)
    bias = minitorch.randn(4, requires_grad=True)
    return debug(lambda: ((x + bias).tanh() * bias).sum().backward())


def misfit() -> Debugger:
    """A matrix product of shapes that do not fit, opened where it failed."""
    x, weight = minitorch.randn(32, 3), minitorch.randn(2, 16, requires_grad=True)
    return debug(lambda: (x.tanh() @ weight).sum().backward())


@dataclass(frozen=True)
class Shot:
    """One picture: what is recorded, and the keys to press; "click:..." clicks on an element."""

    name: str
    make: Callable[[], Debugger]
    keys: tuple[str, ...]


SHOTS = [
    Shot("debugger-backward", residual_step, ("End", *"bbbbbbb")),
    Shot("debugger-forward", residual_step, tuple("nn")),
    Shot("debugger-update", residual_step, ("End", *"bbb")),
    Shot("debugger-folded", residual_step, ("f", "End", *"bbbbbbbbb")),
    Shot("debugger-predict", bias_step, ("p", "End", "b")),
    Shot("debugger-broadcast", bias_step, ("End",)),
    Shot("debugger-convolution", image_step, ("End", *"bbbb")),
    Shot("debugger-cross-entropy", image_step, tuple("nnnnnn")),
    Shot("debugger-error", misfit, ()),
]


def main() -> None:
    """Take all pictures, or those that are named."""
    wanted = [shot for shot in SHOTS if not sys.argv[1:] or shot.name in sys.argv[1:]]
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        sys.exit("The pictures are taken in chromium: install it first.")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for shot in wanted:
            page = shot.make().save(Path(folder) / f"{shot.name}.html")
            for scheme in ("light", "dark"):
                take(browser, page, shot, scheme)
        browser.close()


def take(browser: Browser, path: Path, shot: Shot, scheme: Any) -> None:
    """Open a page, press the keys, and keep the picture."""
    context = browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.set_default_timeout(180_000)  # milliseconds; the machine may be busy
    page.goto(path.as_uri())
    for key in shot.keys:
        page.keyboard.press(key)
    page.wait_for_timeout(200)
    target = PICTURES / f"{shot.name}-{scheme}.png"
    page.locator(".minitorch-debugger").screenshot(path=target)
    context.close()
    print(target.relative_to(PICTURES.parents[1]))


if __name__ == "__main__":
    main()
