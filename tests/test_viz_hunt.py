"""Faults that raise nothing, deep in a net of modules: the debugger names each, and its line."""

import linecache
import re

from tests.browser import hunt


def test_three_faults_at_once_are_told_apart_each_with_its_line():
    troubles = hunt.all_three().payload()["troubles"]
    lines = {}
    for trouble in troubles:
        number = re.search(r"hunt\.py, line (\d+)", trouble["text"])
        assert number is not None
        lines[trouble["text"].split(" ", 3)[0]] = linecache.getline(
            hunt.__file__, int(number[1])
        ).strip()
    assert [trouble["kind"] for trouble in troubles] == ["nonfinite", "repeats-both", "detached"]
    assert "div #" in troubles[0]["text"]
    last = "return centered / spread * self.gain + self.shift.detach().numpy()"
    assert lines == {
        "The": last,
        "sub": "error = net(x) - y",
        "blocks.0.norm.shift": last,
    }
    assert troubles[2]["text"].startswith("blocks.0.norm.shift and blocks.1.norm.shift get no")
