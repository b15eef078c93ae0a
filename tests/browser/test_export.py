"""The exported page, opened from a file: steps, folds, predicts, and stays what it is."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.browser import hunt
from tests.browser.conftest import Watched
from tests.browser.steps import RECORD, at, debugger_on, edges, focus, recorded
from viz.debugger import Debugger

NAN = RECORD.replace("with record()", "import numpy\nwith numpy.errstate(all='ignore'), record()")
NAN = NAN.replace("net(x), y)", "(net(x) - net(x)).log(), y)")
LATE = """
import minitorch, numpy
from viz.debugger import Debugger
from viz.recording import record
x = minitorch.tensor([0.0, 4.0], requires_grad=True)
with numpy.errstate(all="ignore"), record() as recording:
    (x * 1.0).sqrt().sum().backward()
debugger = Debugger(recording)
"""
HOSTILE = "<img src=x onerror=document.title='injected'>\"'&é漢" + "x" * 10_000
NAMED = RECORD.replace(
    "self.act = ", f"setattr(self, {HOSTILE!r}, nn.Linear(3, 3))\n        self.act = "
)
NAMED = NAMED.replace("self.act(", f"getattr(self, {HOSTILE!r})(")
NANS = """
import numpy
with record() as recording:
    x = minitorch.tensor(numpy.full((2, 1, 1, 2, 3), numpy.nan), requires_grad=True)
    (x * minitorch.ones(4, 1, 1, 3)).sum().backward()
"""
TALL = """
import minitorch
from viz.debugger import Debugger
from viz.recording import record
x = minitorch.randn(4, requires_grad=True)
with record() as recording:
    minitorch.cat([(x * k).exp() for k in range(2, 16)]).sum().backward()
debugger = Debugger(recording)
"""
DEEP = """
with record() as recording:
    minitorch.randn(2, 8, 4).exp()
debugger = Debugger(recording)
"""
FAILED = """
import minitorch, viz
from minitorch import nn
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(9, 2))
debugger = viz.debug(lambda: net(minitorch.randn(5, 4)).sum().backward())
"""
ODD = {
    "nothing": "with record() as recording:\n    pass",
    "one op": "with record() as recording:\n    minitorch.randn(3).exp()",
    "empty arrays": "with record() as recording:\n    minitorch.zeros(0, 3).exp().sum()",
    "all NaN, 5-d, broadcast": NANS,
}


@pytest.fixture
def shown(watched: Watched, tmp_path: Path):
    def opened(debugger: Debugger) -> Locator:
        watched.page.goto(debugger.save(tmp_path / "step.html").as_uri())
        return debugger_on(watched.page)

    return opened


@pytest.fixture
def open_page(shown):
    return lambda code=RECORD: shown(recorded(code))


def test_steps_forward_and_back_and_to_the_ends(open_page, watched: Watched):
    debugger = open_page()
    press = watched.page.keyboard.press
    at(debugger, 1)
    for key, position in (("n", 2), ("ArrowRight", 3), ("b", 2), ("ArrowLeft", 1), ("b", 1)):
        press(key)
        at(debugger, position)
    press("End")
    total = debugger.locator(".pos").inner_text().split("/")[1].split()[0]
    at(debugger, int(total))
    press("n")
    at(debugger, int(total))
    press("Home")
    at(debugger, 1)


def test_a_value_that_is_not_computed_says_not_yet(open_page):
    debugger = open_page()
    expect(debugger.locator(".stats td.absent").first).to_have_text("not yet")
    debugger.locator("g.node", has_text="mse_loss").click()
    expect(debugger.locator(".formula")).to_contain_text("not yet")


def test_a_selected_parameter_shows_its_picture(open_page, watched: Watched):
    debugger = open_page()
    for pill in debugger.locator("g.pill").all():
        pill.click()
        expect(debugger.locator(".formula .tensor.value .picture")).to_be_visible()
        assert "[object" not in watched.page.locator("body").inner_text()


def test_states_are_told_by_shape_and_words_too(open_page, watched: Watched):
    debugger = open_page()
    tanh = debugger.locator("g.node.op", has_text="tanh")
    expect(tanh).to_have_class(re.compile("future"))
    watched.page.keyboard.press("n")
    expect(tanh).to_have_class(re.compile("now"))
    watched.page.keyboard.press("End")
    expect(tanh).to_have_class(re.compile("done"))
    expect(tanh.locator(".tick")).to_be_visible()


def test_kahns_counters_fill_when_the_consumer_has_sent(open_page, watched: Watched):
    debugger = open_page()
    tanh = debugger.locator("g.node.op", has_text="tanh")
    for _ in range(4):
        watched.page.keyboard.press("n")
    expect(debugger.locator(".phase")).to_have_text("backward")
    expect(tanh.locator("circle.dot")).to_have_class("dot")
    watched.page.keyboard.press("n")
    expect(tanh.locator("circle.dot")).to_have_class("dot full")


def test_play_runs_to_the_end_and_space_stops_it(open_page, watched: Watched):
    debugger = open_page()
    debugger.locator("select[aria-label=speed]").select_option("10×")
    focus(debugger)
    watched.page.keyboard.press(" ")
    expect(debugger.locator(".phase")).to_have_text("update", timeout=10_000)
    watched.page.keyboard.press("Home")
    at(debugger, 1)


def test_the_scrubber_goes_where_it_is_clicked(open_page):
    debugger = open_page()
    slider = debugger.get_by_role("slider", name="time")
    box = slider.bounding_box()
    assert box is not None
    slider.click(position={"x": box["width"] - 3, "y": 25})
    expect(debugger.locator(".phase")).to_have_text("update")
    assert slider.get_attribute("aria-valuenow") == slider.get_attribute("aria-valuemax")


def test_modules_fold_and_open_from_what_the_page_holds(open_page, watched: Watched):
    debugger = open_page()
    before = debugger.locator("g.node.op").count()
    watched.page.keyboard.press("f")
    expect(debugger.locator("g.node.module").first).to_be_visible()
    assert debugger.locator("g.node.op").count() < before
    watched.page.keyboard.press("f")
    expect(debugger.locator("g.node.op")).to_have_count(before)


def test_what_needs_a_kernel_is_not_offered(open_page):
    debugger = open_page()
    for name in ("export", "watch value"):
        expect(debugger.get_by_role("button", name=name, exact=True)).to_be_hidden()


def test_breakpoints_work_without_a_kernel(open_page, watched: Watched):
    debugger = open_page()
    debugger.get_by_role("button", name="break on…").click()
    debugger.get_by_label("what to stop at").fill("t*nh")
    debugger.get_by_role("button", name="add").click()
    expect(debugger.locator(".breakpoints li")).to_contain_text("2 moments")
    watched.page.keyboard.press("Escape")
    focus(debugger)
    watched.page.keyboard.press("c")
    at(debugger, 2)
    watched.page.keyboard.press("c")
    expect(debugger.locator(".phase")).to_have_text("backward")


@pytest.mark.parametrize("pattern, words", [("[", "0 moments"), ("[!x]anh", "2 moments")])
def test_a_pattern_means_what_it_means_in_python(open_page, pattern: str, words: str):
    debugger = open_page()
    debugger.get_by_role("button", name="break on…").click()
    debugger.get_by_label("what to stop at").fill(pattern)
    debugger.get_by_role("button", name="add").click()
    expect(debugger.locator(".breakpoints li")).to_contain_text(words)


def test_continue_says_where_it_stopped_and_offers_what_to_stop_at(open_page, watched: Watched):
    debugger = open_page()
    press, say = watched.page.keyboard.press, debugger.locator(".say")
    press("n")
    press("c")
    expect(say).to_contain_text("Went to the end: no breakpoint is set.")
    say.get_by_role("button", name="every tanh").click()
    expect(say).to_contain_text("Stopped where op is tanh.")
    expect(debugger.locator(".phase")).to_have_text("backward")
    press("c")
    expect(say).to_contain_text("Went to the end: no breakpoint is on the way.")
    press("r")
    press("r")
    at(debugger, 2)
    press("r")
    expect(say).to_contain_text("Went to the beginning: no breakpoint is on the way.")
    say.get_by_role("button", name="something else…").click()
    expect(debugger.get_by_label("kind of breakpoint")).to_be_focused()


@pytest.mark.parametrize("size", [(1366, 768), (1440, 900), (1366, 560)])
@pytest.mark.parametrize("code", [RECORD, NAN], ids=["net", "nan"])
def test_all_is_on_a_laptops_screen_at_once(open_page, watched: Watched, size, code: str):
    width, height = size
    watched.page.set_viewport_size({"width": width, "height": height})
    debugger = open_page(code)
    watched.page.keyboard.press("End")
    for part in ("header", ".say", ".canvas", ".formula", ".numbers", ".listing .here", "footer"):
        top, bottom = edges(debugger.locator(part))
        assert 0 <= top < bottom - 15, part
        assert bottom <= height, part
    assert watched.page.evaluate("document.documentElement.scrollHeight") <= height


@pytest.mark.parametrize("size", [(1366, 768), (1366, 660), (1040, 560)])
@pytest.mark.parametrize("made", [hunt.all_three, lambda: recorded(FAILED)], ids=["three", "error"])
def test_banners_leave_room_for_the_rest(shown, watched: Watched, size, made):
    width, height = size
    watched.page.set_viewport_size({"width": width, "height": height})
    debugger = shown(made())
    watched.page.keyboard.press("End")
    bottom = edges(debugger)[1]
    assert bottom <= height
    for part, least in (("header", 30), (".canvas", 105), (".inspect", 135), ("footer", 50)):
        top, end = edges(debugger.locator(part))
        assert end - top >= least, part
        assert end <= bottom, part
    above, below = edges(debugger.locator(".canvas"))
    watched.page.wait_for_timeout(300)  # the view glides
    now = edges(debugger.locator("g.node.now, g.node.error").last.locator(".face"))
    assert above <= now[0] < now[1] <= below


def test_a_high_screen_gives_the_inspector_more(open_page, watched: Watched):
    heights = []
    for height in (900, 1300):
        watched.page.set_viewport_size({"width": 1500, "height": height})
        top, bottom = edges(open_page().locator(".inspect"))
        heights.append(bottom - top)
    assert heights[1] >= heights[0] + 80


@pytest.mark.parametrize("code", [RECORD, NAN], ids=["net", "nan"])
def test_the_inspector_does_not_depend_on_the_way_there(open_page, watched: Watched, code: str):
    debugger = open_page(code)
    total = int(debugger.locator(".pos").inner_text().split("/")[1].split()[0])
    looks = (
        "async root => { await new Promise(requestAnimationFrame); await new Promise(setTimeout);"
        " return ['.inspect', '.source', '.where', '.say'].map(part =>"
        " root.querySelector(part).innerHTML).join() }"
    )
    watched.page.keyboard.press("Home")
    there = [debugger.evaluate(looks)]
    for _ in range(total - 1):
        watched.page.keyboard.press("n")
        there.append(debugger.evaluate(looks))
    for before in reversed(there[:-1]):
        watched.page.keyboard.press("b")
        assert debugger.evaluate(looks) == before
    assert len(set(there)) == total


def test_a_step_leaves_the_focus_where_it_was(open_page, watched: Watched):
    debugger = open_page()
    watched.page.keyboard.press("n")
    head = debugger.locator(".stats").get_by_role("button", name="value")
    head.focus()
    watched.page.keyboard.press("n")
    at(debugger, 3)
    expect(head).to_be_focused()


@pytest.mark.parametrize("width", [520, 760, 1280])
def test_no_control_is_cut_off(open_page, watched: Watched, width: int):
    watched.page.set_viewport_size({"width": width, "height": 720})
    debugger = open_page()
    for name in ("break on…", "?"):
        debugger.get_by_role("button", name=name, exact=True).click()
        cut_off = debugger.locator("button:visible, input:visible, select:visible").evaluate_all(
            "all => all.filter(each => { const box = each.getBoundingClientRect();"
            "return box.left < 0 || box.right > innerWidth || each.scrollWidth > box.width + 1; })"
            ".map(each => each.textContent || each.ariaLabel)"
        )
        assert cut_off == []
        debugger.get_by_role("button", name=name, exact=True).click()


def test_rings_of_trouble_wait_for_the_gradient_that_is_in_trouble(open_page, watched: Watched):
    debugger = open_page(LATE)
    expect(debugger.locator(".node.trouble")).to_have_count(0)
    debugger.locator("[data-trouble=nonfinite]").click()
    assert "backward" in debugger.locator(".phase").inner_text()
    expect(debugger.locator(".node.trouble")).to_have_count(1)
    watched.page.keyboard.press("Home")
    expect(debugger.locator(".node.trouble")).to_have_count(0)


def test_a_long_source_can_be_read_whole(open_page):
    debugger = open_page()
    code = debugger.locator(".formula pre.code")
    hidden = "code => code.scrollHeight > code.clientHeight + 1"
    assert code.evaluate(hidden)
    debugger.get_by_role("button", name=re.compile(r"all \d+ lines")).click()
    assert not code.evaluate(hidden)
    debugger.get_by_role("button", name="fewer lines").click()
    assert code.evaluate(hidden)


def test_the_update_shows_the_line_that_let_it_happen_and_its_settings(open_page):
    debugger = open_page()
    debugger.press("End")
    expect(debugger.locator(".listing .line.here")).to_contain_text("optimizer.step()")
    expect(debugger.locator(".formula .explain").first).to_contain_text("lr = 0.1")


def test_predict_covers_the_result_checks_and_reveals(open_page, watched: Watched):
    debugger = open_page()
    watched.page.keyboard.press("p")
    for _ in range(3):
        watched.page.keyboard.press("n")
    card = debugger.locator("form.predict")
    card.get_by_role("textbox").fill("-123")
    card.get_by_role("button", name="check").click()
    expect(card.locator(".answer")).to_contain_text("not yet")
    expect(card.locator(".answer table td")).to_have_count(1)
    card.get_by_role("button", name="reveal").click()
    expect(card).to_have_count(0)


def test_predict_covers_the_numbers_too(open_page, watched: Watched):
    debugger = open_page()
    for key in "pnnn":
        watched.page.keyboard.press(key)
    value = debugger.locator(".stats td").first
    expect(value).to_have_text("covered")
    expect(debugger.locator(".stats td").nth(1)).to_have_text("not yet")
    debugger.locator("form.predict").get_by_role("button", name="reveal").click()
    expect(value).not_to_have_text("covered")


def test_predict_says_so_where_there_is_too_much_to_type(open_page, watched: Watched):
    debugger = open_page(f"{RECORD.split('class Net')[0]}from viz.debugger import Debugger\n{DEEP}")
    expect(debugger.locator(".formula")).not_to_contain_text("Nothing to predict here")
    watched.page.keyboard.press("p")
    expect(debugger.locator(".formula")).to_contain_text("more than 16 numbers is not covered")


def test_numbers_with_exponents_are_not_cut(open_page):
    tiny = "with record() as recording:\n    (minitorch.randn(3, 6) * 1e-9).tanh()"
    head = RECORD.split("class Net")[0]
    debugger = open_page(f"{head}{tiny}\ndebugger = Debugger(recording)")
    debugger.press("End")
    cut_off = "all => all.map(each => each.scrollWidth > each.clientWidth + 1)"
    pictures = debugger.locator(".formula .picture:has(.grid)")
    assert pictures.evaluate_all(cut_off) == [False, False]


def test_exact_numbers_are_named_by_row_and_column(open_page, watched: Watched):
    debugger = open_page(f"{RECORD.split('class Net')[0]}from viz.debugger import Debugger\n{DEEP}")
    debugger.locator(".formula .picture").first.click()
    dialog = debugger.get_by_role("dialog")
    expect(dialog.get_by_role("columnheader")).to_have_text(["0", "1", "2", "3"])
    names = [f"{k}, {row}" for k in range(2) for row in range(8)]
    expect(dialog.get_by_role("rowheader")).to_have_text(names)


def test_numbers_open_on_a_picture_and_close_with_escape(open_page, watched: Watched):
    debugger = open_page()
    debugger.locator(".formula .picture").first.click()
    expect(debugger.get_by_role("dialog", name="exact numbers").locator("td").first).to_be_visible()
    watched.page.keyboard.press("Escape")
    expect(debugger.get_by_role("dialog", name="exact numbers")).to_be_hidden()


def test_nan_is_magenta_where_it_is_born(open_page):
    debugger = open_page(NAN)
    debugger.press("End")
    expect(debugger.locator("g.node.trouble", has_text="log")).to_be_visible()
    debugger.locator("g.node", has_text="log").click()
    expect(debugger.locator(".stats")).to_contain_text("infinite")


def test_the_hunt_for_a_nan_ends_at_the_op_that_made_it(shown):
    debugger = shown(hunt.nan())
    debugger.locator("[data-trouble=nonfinite]").click()
    expect(debugger.locator("g.node.now")).to_contain_text("log")
    expect(debugger.locator(".listing .line.here")).to_contain_text("h.log()")


def test_the_hunt_for_a_detached_parameter_ends_at_the_cut(shown):
    debugger = shown(hunt.detached())
    debugger.press("End")
    expect(debugger.locator("g.pill.missed")).to_have_count(2)
    expect(debugger.locator("path.wire.detached")).to_have_count(1)
    debugger.locator("g.pill.missed", has_text="weight").click()
    expect(debugger.locator(".numbers")).to_contain_text("none arrived")


def test_the_hunt_for_a_wrong_broadcast_ends_at_the_op_that_repeats_both(shown):
    debugger = shown(hunt.broadcast())
    debugger.locator("[data-trouble=repeats-both]").click()
    expect(debugger.locator("g.node.now")).to_contain_text("sub")
    expect(debugger.locator(".say")).to_contain_text("16×16: is that meant?")


def test_hostile_names_stay_text(open_page, watched: Watched):
    debugger = open_page(NAMED)
    debugger.press("End")
    debugger.locator("input[type=search]").fill("onerror")
    expect(debugger.locator(".results button").first).to_be_visible()
    assert watched.page.locator("img[src=x]").count() == 0
    assert "injected" not in watched.page.title()


def test_the_page_is_named_for_screen_readers(open_page):
    debugger = open_page()
    unnamed = debugger.locator("button:visible, input:visible, select:visible").evaluate_all(
        "all => all.filter(e => !(e.textContent.trim() || e.ariaLabel || e.labels?.length)).length"
    )
    assert unnamed == 0
    expect(debugger.locator("[aria-live=polite]")).to_contain_text("linear #1")


def test_the_graph_is_walked_and_told_without_a_mouse(open_page, watched: Watched):
    debugger = open_page()
    press, chosen = watched.page.keyboard.press, debugger.get_by_role("status")
    expect(debugger.get_by_role("img", name="tanh #2: 4×3 float32")).to_have_count(1)
    press("n")
    press("Shift+ArrowLeft")
    expect(chosen).to_have_text(
        "selected: linear #1 4×3; computed; from x, fc1.weight, fc1.bias; to tanh #2"
    )
    for _ in range(3):
        press("Shift+ArrowRight")
    expect(chosen).to_have_text(re.compile("selected: mse_loss #4 scalar; not computed yet; from"))
    press("Enter")
    at(debugger, 4)
    ops = debugger.locator("g.node.op")
    expect(ops).to_have_count(4)
    press("m")  # the loss is in no module
    expect(ops).to_have_count(4)
    press("b")
    press("f")
    expect(debugger.locator("g.node.module")).to_have_count(2)
    press("m")
    expect(debugger.locator("g.node.module")).to_have_count(1)
    press("Escape")
    expect(chosen).to_have_text("")
    focused = (
        "() => { const here = document.activeElement; return [here.tagName,"
        " here.ariaLabel ?? here.textContent, getComputedStyle(here).outlineStyle] }"
    )
    seen = set()
    for _ in range(30):
        press("Tab")
        tag, name, outline = watched.page.evaluate(focused)
        seen.add("the page" if tag == "BODY" else name)
        assert tag == "BODY" or outline == "solid"
    assert {"break on…", "predict", "step (n)", "time", "speed", "zoom in", "the page"} <= seen


def looks_of(page: Page, node: Locator) -> tuple[bool, bool, bool | None]:
    """How a node looks in grey: is it filled, is its border broken, is its counter full."""
    face = node.locator(".face").bounding_box()
    assert face is not None
    picture = page.screenshot(clip=face)
    grey = np.asarray(Image.open(io.BytesIO(picture)).convert("L")).astype(int)
    paper = 248
    filled = bool(grey[4, grey.shape[1] // 2] < paper - 80)
    left = grey[14:-14, :4].min(axis=1) < paper - 45
    dot = node.locator("circle.dot").first
    full = None
    if dot.count():
        place = dot.bounding_box()
        assert place is not None
        x, y = place["x"] + place["width"] / 2 - 1, place["y"] + place["height"] / 2 - 1
        inside = page.screenshot(clip={"x": x, "y": y, "width": 2, "height": 2})
        full = bool(np.asarray(Image.open(io.BytesIO(inside)).convert("L")).mean() < paper - 45)
    return filled, bool(np.abs(np.diff(left.astype(int))).sum() > 2), full


def test_states_are_told_apart_by_eyes_that_see_other_colours(open_page, watched: Watched):
    page, debugger = watched.page, open_page()
    for _ in range(5):
        page.keyboard.press("n")
    expect(debugger.locator("g.node.now.op")).to_contain_text("linear")
    page.wait_for_timeout(400)  # colours fade for 0.12 s
    see = page.context.new_cdp_session(page)
    for kind in ("deuteranopia", "protanopia", "tritanopia", "achromatopsia"):
        see.send("Emulation.setEmulatedVisionDeficiency", {"type": kind})
        looks = {
            state: looks_of(page, debugger.locator(f"g.node.op.{state}"))
            for state in ("now", "ready", "waiting", "done")
        }
        assert [state for state, (filled, _, _) in looks.items() if filled] == ["now"]
        assert [state for state, (_, broken, _) in looks.items() if broken] == ["ready", "waiting"]
        assert (looks["ready"][2], looks["waiting"][2]) == (True, False)
        expect(debugger.locator("g.node.done .tick").first).to_be_visible()


def test_trouble_has_a_sign_beside_its_colour(open_page):
    debugger = open_page(NAN)
    debugger.press("End")
    expect(debugger.locator("g.node.op.trouble", has_text="log").locator(".alarm")).to_be_visible()
    debugger.press("Home")
    expect(debugger.locator("g.node.op", has_text="log").locator(".alarm")).to_be_hidden()


@pytest.mark.parametrize("code", ODD.values(), ids=ODD)
def test_odd_recordings_open(watched: Watched, tmp_path: Path, code: str):
    head = "import minitorch\nfrom viz.debugger import Debugger\nfrom viz.recording import record\n"
    path = recorded(f"{head}{code}\ndebugger = Debugger(recording)").save(tmp_path / "odd.html")
    watched.page.goto(path.as_uri())
    debugger = watched.page.locator(".minitorch-debugger")
    expect(debugger).to_be_visible()
    for key in ("n", "n", "End", "b", "Home", "f", "p", "c", "r"):
        watched.page.keyboard.press(key)
    expect(debugger.locator(".say")).not_to_be_empty()


@pytest.mark.parametrize("code", [RECORD, LATE, NAN], ids=["net", "late", "nan"])
def test_a_step_paints_what_a_jump_paints(open_page, watched: Watched, code: str):
    looks = (
        "root => [...root.querySelectorAll('.drawing [class]')].map(each =>"
        " each.getAttribute('class')).join('|')"
    )
    debugger = open_page(code)
    total = int(debugger.locator(".pos").inner_text().split("/")[1].split()[0])
    watched.page.keyboard.press("Home")
    for key in ["n"] * total + ["b"] * total:
        watched.page.keyboard.press(key)
        stepped = debugger.evaluate(looks)
        watched.page.keyboard.press("Escape")  # paints all anew
        assert debugger.evaluate(looks) == stepped


def test_a_tall_graph_stands_beside_the_inspector_where_there_is_room(open_page, watched: Watched):
    debugger = open_page(TALL)
    graph, formula = debugger.locator(".graph"), debugger.locator(".formula")

    def boxes():
        return graph.bounding_box(), formula.bounding_box()

    drawn, read = boxes()
    assert drawn["x"] + drawn["width"] <= read["x"] + 1
    assert drawn["height"] > read["height"]
    assert edges(debugger.locator("footer"))[1] <= 1100
    watched.page.keyboard.press("End")
    expect(debugger.locator("g.node.op.now")).to_be_in_viewport()
    watched.page.set_viewport_size({"width": 1000, "height": 1100})
    expect(debugger).not_to_have_class(re.compile("beside"))
    drawn, read = boxes()
    assert drawn["y"] + drawn["height"] <= read["y"] + 1


def test_a_chain_stays_above_the_inspector(open_page):
    expect(open_page()).not_to_have_class(re.compile("beside"))
