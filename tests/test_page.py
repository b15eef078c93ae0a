"""The browser side as text: joined scripts, the page that steps by itself, nothing injected."""

import json
import re
import shutil
import subprocess

import pytest

from viz import export, page, theme

HOSTILE = "</script><img src=x onerror=alert(1)>\u2028\"'&<!--"
EMPTY = {
    "format": 1, "title": HOSTILE, "steps": 1, "step": 0, "nodes": [], "edges": [], "modules": [],
    "moments": [], "sources": [], "ops": {}, "arrays": {}, "inspections": {}, "breakpoints": [],
    "watches": [], "start": 0, "error": None, "notes": [], "layouts": {},
    "layout": {"width": 1, "height": 1, "engine": "dot", "open": [], "note": None, "boxes": [],
               "nodes": [], "edges": []},
}  # fmt: skip


def test_every_script_is_reached_and_every_import_is_exported():
    joined = page.script("widget") + page.script("step")
    for path in page.STATIC.glob("*.js"):
        text = path.read_text()
        assert path.stem in ("widget", "step") or f"const module_{path.stem} = " in joined
        for names, module in page.IMPORT.findall(text):
            exported = page.EXPORT.findall((page.STATIC / f"{module}.js").read_text())
            assert {name.strip() for name in names.split(",")} <= set(exported), path.name


def test_no_class_is_taken_by_the_icons_that_jupyterlab_loads():
    icons = {"fa", "fab", "fad", "fal", "far", "fas"}  # a line of code of class far lost its font
    words = re.findall(r'"([\w -]+)"', page.script("widget"))
    assert icons.isdisjoint(name for each in words for name in each.split())


def test_a_module_stands_once_and_before_those_that_use_it():
    joined = page.script("widget")
    for name in re.findall(r"= module_(\w+);", joined):
        assert joined.count(f"const module_{name} = ") == 1
        assert joined.index(f"const module_{name} = ") < joined.index(f"= module_{name};")


@pytest.mark.skipif(shutil.which("node") is None, reason="no node to parse JavaScript")
@pytest.mark.parametrize("entry", ["widget", "step"])
def test_the_joined_script_parses(entry, tmp_path):
    script = tmp_path / f"{entry}.mjs"
    script.write_text(page.script(entry))
    found = subprocess.run(["node", "--check", script], check=False, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr


def test_both_sets_of_colours_are_in_the_style():
    for colors in (theme.LIGHT, theme.DARK):
        for name, color in colors.items():
            assert f"--{name}:{color};" in page.style()


def test_data_cannot_end_its_script_element():
    text = export.as_script_data({"title": HOSTILE})
    assert "<" not in text
    assert "\u2028" not in text
    assert json.loads(text) == {"title": HOSTILE}


def test_the_page_names_no_address_and_forbids_the_network():
    text = export.stepper(EMPTY)
    assert "default-src 'none'" in text
    allowed = {"http://www.w3.org/2000/svg"}  # a namespace, never fetched
    assert set(re.findall(r"https?://[^\"'`\s)]+", text)) <= allowed


def test_a_hostile_title_stays_text():
    head, _, body = export.stepper(EMPTY).partition("</title>")
    assert "<img" not in head
    assert "<img src=x" not in body


def test_the_saved_notebook_keeps_a_picture_and_a_frame_without_rights():
    html = export.static_html("<svg/>", export.stepper(EMPTY), HOSTILE)
    assert 'sandbox="allow-scripts"' in html
    assert "<img src=x" not in html
    assert "</script>" not in html  # inside srcdoc all is escaped
    assert "iframe" not in export.static_html("<svg/>", None, "words")
