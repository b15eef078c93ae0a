"""The debugger in JupyterLab: both ways between page and Python, and what a saved one keeps."""

import re

import nbformat
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watched
from tests.browser.lab import Lab
from tests.browser.steps import (
    RECORD,
    at,
    debugger_on,
    edges,
    focus,
    go_to_notebook,
    open_notebook,
    printed,
    run_cell,
    run_command,
    wait_for_kernel,
    write_notebook,
)

ASK = "print('selected', debugger.selected_id, 'at', debugger.position + 1)"


@pytest.fixture
def page(watched: Watched) -> Page:
    return watched.page


def test_both_ways_between_page_and_python(page: Page, lab: Lab):
    cells = [RECORD + "\ndebugger", ASK, "debugger.position = 0; debugger.selected = 'fc1.weight'"]
    write_notebook(lab, "ways.ipynb", cells)
    open_notebook(page, lab, "ways.ipynb")
    cell_count = page.locator(".jp-Cell").count()
    run_cell(page, 0)
    debugger = debugger_on(page)
    focus(debugger)
    for key in ("n", "n", "b", "n", "a", "x"):  # a and x are Jupyter's for new and cut cell
        page.keyboard.press(key)
    at(debugger, 3)
    assert page.locator(".jp-Cell").count() == cell_count
    debugger.locator("g.node.op", has_text="tanh").click()
    run_cell(page, 1)
    expect(printed(page, 1)).to_have_text(re.compile(r"selected n\d+ at 3"))
    run_cell(page, 2)
    at(debugger, 1)
    expect(debugger.locator("g.pill.selected")).to_have_count(1)
    expect(debugger.locator("h3 b")).to_have_text("fc1.weight")


def test_a_breakpoint_set_on_the_page_stops_continue(page: Page, lab: Lab):
    write_notebook(lab, "break.ipynb", [RECORD + "\ndebugger"])
    open_notebook(page, lab, "break.ipynb")
    run_cell(page, 0)
    debugger = debugger_on(page)
    debugger.get_by_role("button", name="break on…").click()
    debugger.get_by_label("what to stop at").fill("tanh")
    debugger.get_by_role("button", name="add").click()
    expect(debugger.locator(".breakpoints li")).to_contain_text("2 moments")
    page.keyboard.press("Escape")
    focus(debugger)
    page.keyboard.press("c")
    at(debugger, 2)
    page.keyboard.press("c")
    expect(debugger.locator(".phase")).to_have_text("backward")
    page.keyboard.press("r")
    at(debugger, 2)


def test_the_kernel_answers_values_folding_the_numeric_gradient_and_what_if(page: Page, lab: Lab):
    larger = RECORD.replace("nn.Linear(2, 3)", "nn.Linear(2, 40)").replace("(3, 1)", "(40, 1)")
    write_notebook(lab, "ask.ipynb", [larger + "\ndebugger"])
    open_notebook(page, lab, "ask.ipynb")
    run_cell(page, 0)
    debugger = debugger_on(page)
    debugger.get_by_role("button", name="export").wait_for()
    debugger.locator(".formula .tensor.strong .picture").click()
    expect(debugger.locator(".lens td")).to_have_count(160)
    expect(debugger.locator(".lens tbody th")).to_have_text(["0", "1", "2", "3"])
    page.keyboard.press("Escape")
    focus(debugger)
    page.keyboard.press("End")
    debugger.locator("g.node.op", has_text="tanh").click()
    debugger.get_by_role("button", name="check against the numeric gradient").click()
    expect(debugger.locator(".check .ok")).to_contain_text("differ by")
    debugger.locator("g.pill", has_text="bias").first.click()
    slider = debugger.get_by_label("new value")
    statistics = debugger.locator(".stats").first
    as_recorded = statistics.text_content()
    assert as_recorded
    slider.fill("0.5")
    expect(debugger.locator(".notices")).to_contain_text("What if")
    expect(slider).to_be_focused()
    expect(statistics).not_to_have_text(as_recorded)


def test_it_fits_into_a_notebook_on_a_laptop(page: Page, lab: Lab):
    page.set_viewport_size({"width": 1366, "height": 768})
    write_notebook(lab, "laptop.ipynb", ["print(1)", RECORD + "\ndebugger", "print(2)"])
    open_notebook(page, lab, "laptop.ipynb")
    run_cell(page, 1)
    debugger = debugger_on(page)
    debugger.evaluate("root => root.scrollIntoView({ block: 'center' })")
    above, below = edges(page.locator(".jp-WindowedPanel-outer"))
    for part in ("header", ".canvas", ".formula", ".numbers", "footer"):
        top, bottom = edges(debugger.locator(part))
        assert above <= top < bottom <= below, part


def test_a_live_run_pauses_at_a_breakpoint_and_goes_on(page: Page, lab: Lab):
    live = (
        RECORD.split("with record()")[0]
        + """
import viz

def step():
    minitorch.functional.mse_loss(net(x), y).backward()
    optimizer.step()

debugger = viz.debug(step, live=True, breakpoints=[("op", "tanh")])
debugger"""
    )
    write_notebook(lab, "live.ipynb", [live, "print(2 + 2)"])
    open_notebook(page, lab, "live.ipynb")
    run_cell(page, 0)
    debugger = debugger_on(page)
    expect(debugger.locator(".live")).to_contain_text("paused")
    expect(debugger.locator("g.node.now")).to_contain_text("tanh")
    run_cell(page, 1)  # the kernel is free while the run waits
    expect(printed(page, 1)).to_have_text("4")
    debugger.get_by_role("button", name="continue the run").click()
    expect(debugger.locator(".phase")).to_have_text("backward")
    debugger.get_by_role("button", name="continue the run").click()
    expect(debugger.locator(".live")).to_contain_text("finished")


def test_two_debuggers_in_one_page_do_not_meet(page: Page, lab: Lab):
    cells = [RECORD + "\ndebugger", "other = Debugger(recording)\nother", "debugger"]
    write_notebook(lab, "two.ipynb", cells)
    open_notebook(page, lab, "two.ipynb")
    for number in range(3):
        run_cell(page, number)
        debugger_on(page, number)
    first, second, again = (debugger_on(page, number) for number in range(3))
    focus(second)
    page.keyboard.press("n")
    at(second, 2)
    at(first, 1)
    focus(first)
    page.keyboard.press("n")
    page.keyboard.press("n")
    at(first, 3)
    at(second, 2)
    at(again, 3)  # the same debugger, shown twice


def test_stepping_goes_on_when_the_kernel_restarts(page: Page, lab: Lab):
    write_notebook(lab, "restart.ipynb", [RECORD + "\ndebugger"])
    open_notebook(page, lab, "restart.ipynb")
    run_cell(page, 0)
    debugger = debugger_on(page)
    run_command(page, "notebook:restart-kernel")
    page.locator(".jp-Dialog .jp-mod-accept").click()
    wait_for_kernel(page)
    focus(debugger)
    page.keyboard.press("n")
    at(debugger, 2)
    debugger.get_by_role("button", name="break on…").click()
    debugger.get_by_label("what to stop at").fill("tanh")
    debugger.get_by_role("button", name="add").click()
    expect(debugger.locator(".panel [role=status]")).to_contain_text(
        "has ended: run the cell again"
    )


def test_a_saved_notebook_steps_without_a_kernel(page: Page, lab: Lab):
    path = write_notebook(lab, "saved.ipynb", [RECORD + "\ndebugger"])
    open_notebook(page, lab, "saved.ipynb")
    run_cell(page, 0)
    debugger_on(page)
    run_command(page, "docmanager:save")
    page.wait_for_function("!document.querySelector('.jp-mod-dirty')")
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.pop("widgets", None)  # frozen, as committed notebooks are
    for output in notebook.cells[0].outputs:
        output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
    nbformat.write(notebook, lab.folder / "frozen.ipynb")
    go_to_notebook(page, lab, "frozen.ipynb")
    run_command(page, "notebook:trust")
    page.locator(".jp-Dialog .jp-mod-accept").click()
    frame = page.frame_locator("iframe[title^=Debugger]")
    expect(frame.locator(".pos b")).to_have_text("1")
    frame.locator(".where").click()
    page.keyboard.press("n")
    expect(frame.locator(".pos b")).to_have_text("2")
