"""What the tests do with a debugger on a page, and the recordings that they look at."""

from __future__ import annotations

import linecache
import re
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Locator, Page, expect

from tests.browser.lab import Lab
from viz.debugger import Debugger

RECORD = """
import minitorch
from minitorch import nn, optim
from viz.debugger import Debugger
from viz.recording import record

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(2, 3)
        self.act = nn.Tanh()
        self.fc2 = nn.Linear(3, 1)

    def forward(self, x):
        return self.fc2(self.act(self.fc1(x)))

minitorch.manual_seed(0)
net = Net()
x, y = minitorch.randn(4, 2), minitorch.randn(4, 1)
optimizer = optim.SGD(net.parameters(), lr=0.1)
with record() as recording:
    loss = minitorch.functional.mse_loss(net(x), y)
    loss.backward()
    optimizer.step()
debugger = Debugger(recording)
"""


def recorded(code: str = RECORD) -> Debugger:
    """Run code that makes `debugger`; return the debugger."""
    names: dict[str, Any] = {}
    linecache.cache["<recorded>"] = (len(code), None, code.splitlines(keepends=True), "<recorded>")
    exec(compile(code, "<recorded>", "exec"), names)
    debugger: Debugger = names["debugger"]
    return debugger


def write_notebook(lab: Lab, name: str, cells: list[str]) -> Path:
    """A notebook of code cells in the server's folder."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    path = lab.folder / name
    nbformat.write(notebook, path)
    return path


def open_notebook(page: Page, lab: Lab, name: str) -> None:
    """Open a notebook and wait for its kernel, as the status bar tells it."""
    go_to_notebook(page, lab, name)
    wait_for_kernel(page)


def go_to_notebook(page: Page, lab: Lab, name: str) -> None:
    """Open a notebook, whatever its kernel does; a busy machine takes its time."""
    page.goto(lab.url(name), wait_until="domcontentloaded")
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=90_000)


def wait_for_kernel(page: Page) -> None:
    page.locator("#jp-main-statusbar").get_by_text(re.compile(r"\| Idle$")).wait_for(timeout=90_000)


def run_command(page: Page, command: str) -> None:
    """Start one of JupyterLab's own commands; one that asks ends only when it is answered."""
    page.evaluate("name => { window.jupyterapp.commands.execute(name) }", command)


def run_cell(page: Page, number: int) -> None:
    """Run one cell, as a reader would, and wait until the kernel has done it."""
    page.locator(".jp-CodeCell").nth(number).locator(".jp-InputArea-editor").click()
    page.keyboard.press("Shift+Enter")


def printed(page: Page, number: int) -> Locator:
    """What a cell printed."""
    return page.locator(".jp-CodeCell").nth(number).locator(".jp-OutputArea-output pre")


def debugger_on(page: Page, number: int = 0) -> Locator:
    """A debugger on the page, drawn."""
    found = page.locator(".minitorch-debugger").nth(number)
    found.locator(".canvas g.node.now, .canvas g.node").first.wait_for(timeout=30_000)
    return found


def at(debugger: Locator, position: int) -> None:
    """Expect a debugger to stand at a moment, counted from 1."""
    expect(debugger.locator(".pos b")).to_have_text(str(position))


def focus(debugger: Locator) -> None:
    """Give the keys to a debugger, as a click on its title does."""
    debugger.locator(".where").click()


def edges(part: Locator) -> tuple[float, float]:
    """Where a part of the page begins and ends, from the top of the window."""
    box = part.bounding_box()
    assert box is not None
    return box["y"], box["y"] + box["height"]
