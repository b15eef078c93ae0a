"""What nbval may overlook between two runs of a chapter, and what it must not."""

import configparser
import re
from pathlib import Path

import pytest

RULES = Path(__file__).with_name("nbval_sanitize.cfg")


def sanitized(text):
    rules = configparser.RawConfigParser()
    rules.read(RULES, encoding="utf-8")
    for name in rules.sections():
        text = re.sub(rules.get(name, "regex"), rules.get(name, "replace"), text)
    return text


@pytest.mark.parametrize(
    "once, again",
    [
        ("at_once       97 µs per batch", "at_once      104 µs per batch"),
        ("fast 9.97 ms: done", "fast 10.02 ms: done"),
        (" 99.5 images/s", "101.0 images/s"),
        ("loss 0.69314718", "loss 0.69312222"),
        ("<Op at 0x7f00>", "<Op at 0x7fab>"),
    ],
)
def test_what_differs_from_run_to_run_is_overlooked(once, again):
    assert sanitized(once) == sanitized(again)


@pytest.mark.parametrize(
    "once, again",
    [
        ("3 of 5 right", "4 of 5 right"),
        ("loss 0.6931", "loss 0.6932"),
        ("shape (2, 3)", "shape (2, 4)"),
    ],
)
def test_what_a_chapter_tells_is_compared(once, again):
    assert sanitized(once) != sanitized(again)
