"""The debugger's two bars, in Chromium: a step painted at 500 nodes, and ResNet-18 opened.

A step is timed from the key until the frame that shows it is painted, with the browser's frame
limit off, so that waiting for the screen does not count; the same without a step tells how much of
that is the measuring itself. Opening is all from the recording to the drawn page: payload, page,
browser.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import minitorch
from benchmarks.timing import Step
from minitorch import functional, optim
from viz.debugger import Debugger
from viz.export import stepper
from viz.recording import record

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-frame-rate-limit", "--disable-gpu-vsync"]
OPS = 500
PRESS = """async (isStep) => {
  const root = document.querySelector(".minitorch-debugger");
  const position = root.querySelector("[role=slider]");
  const atEnd = position.ariaValueNow === position.ariaValueMax;
  const press = (key) => root.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  if (isStep) press(atEnd ? "Home" : "n");
  await new Promise(requestAnimationFrame); // the frame that draws it
  const painted = new MessageChannel();
  await new Promise((done) => { painted.port1.onmessage = done; painted.port2.postMessage(0); });
}"""


def peers() -> dict[str, Callable[[], Step]]:
    """What is timed."""
    return {
        "step painted, 500 nodes": step_painted,
        "a frame without a step": frame_painted,
        "ResNet-18 step opened": resnet_opened,
    }


@cache
def browser() -> Any:
    """A browser that ends with this process."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        raise ImportError("no chromium")
    playwright = sync_playwright().start()
    return playwright.chromium.launch(executable_path=path, args=ARGUMENTS)


@cache
def page_for(name: str) -> Any:
    """A page for one of the two."""
    return browser().new_page(viewport={"width": 1320, "height": 900}, reduced_motion="reduce")


@cache
def folder() -> Path:
    """Where pages are written; removed with the system's other temporary files."""
    return Path(tempfile.mkdtemp(prefix="minitorch-debugger-"))


def show(debugger: Debugger, name: str) -> Any:
    """Open a debugger as a page, wait until its graph is drawn, and return the page."""
    path = folder() / f"{name}.html"
    path.write_text(stepper(debugger.payload()), encoding="utf-8")
    page = page_for(name)
    page.goto(path.as_uri())
    page.wait_for_selector(".minitorch-debugger g.node, .minitorch-debugger tr.node")
    return page


def step_painted() -> Step:
    """A step through 500 ops, all of them drawn."""
    page = chain_shown()
    return lambda: page.evaluate(PRESS, True)


def frame_painted() -> Step:
    """The same without a key: what asking the browser and waiting for a frame takes by itself."""
    page = chain_shown()
    return lambda: page.evaluate(PRESS, False)


@cache
def chain_shown() -> Any:
    """The page with 500 ops."""
    value = minitorch.randn(8, 8, requires_grad=True)
    with record() as recording:
        result = value
        for number in range(OPS):
            result = result.tanh() if number % 5 else result + value
        result.sum().backward()
    return show(Debugger(recording), "chain")


def resnet_opened() -> Step:
    """The debugger on one training step of ResNet-18 on eight CIFAR-sized images."""
    from models.resnet import resnet18

    minitorch.manual_seed(0)
    net = resnet18(classes=10, stem="cifar")
    optimizer = optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    images = minitorch.randn(8, 3, 32, 32)
    labels = minitorch.tensor(list(range(8)))
    with record() as recording:
        functional.cross_entropy(net(images), labels).backward()
        optimizer.step()
    return lambda: show(Debugger(recording), "resnet18")
