"""What went wrong, told by the op that failed: its inputs' shapes, and the shape rule in words.

Leans on recording and sources.
"""

from __future__ import annotations

import linecache
from typing import Any

from viz.graph import size_text
from viz.recording import Recording
from viz.sources import Place

ELEMENTWISE = (
    "Sizes are compared from the right. Each pair must be equal, or one of the two must be 1 and "
    "is then repeated."
)
RULES = {
    "matmul": "The last size of the left must equal the second to last size of the right: "
    "(n × k) @ (k × m) gives n × m.",
    "linear": "The last size of x must equal the weight's number of inputs: "
    "x (n × in) with weight (out × in) gives n × out.",
    "cross_entropy": "Logits are (samples × classes), the target is one whole number per sample.",
    "mse_loss": "Both must have the same shape: here nothing is repeated.",
    "reshape": "The number of elements must stay the same.",
    "conv2d": "The input is (samples × channels × height × width), and its channels must be the "
    "weight's: (out × in × height × width).",
    "cat": "All sizes but the one that is joined along must be equal.",
}
BROADCASTING = {"add", "sub", "mul", "div", "pow", "maximum", "minimum", "where", "eq", "lt", "gt"}


def error_record(recording: Recording, position: int) -> dict[str, Any] | None:
    """The error for the page, or None when all went well."""
    error = recording.error
    if error is None:
        return None
    failed = next((m for m in reversed(recording.moments) if m.act == "error"), None)
    kind = type(error).__name__
    if failed is None:
        return {
            "moment": position, "node": None, "title": f"{kind} in your code",
            "message": str(error)[:2000], "words": raised_by(recording.error_place), "inputs": [],
        }  # fmt: skip
    vertex = recording.graph.vertices[failed.vertex]
    inputs = [input_record(recording, edge) for edge in recording.growing.into[vertex.id]]
    is_shape = failed.phase == "forward" and isinstance(error, ValueError)  # others say it all
    return {
        "moment": position, "node": vertex.id, "title": f"{vertex.title}: {kind}",
        "message": str(error)[:2000], "inputs": inputs,
        "words": words(vertex.label, inputs) if is_shape else "",
    }  # fmt: skip


def raised_by(place: Place | None) -> str:
    """The line of the user's code that raised, which made no op that could be shown."""
    if place is None:
        return ""
    text = linecache.getline(place.file, place.line).strip()
    return f"Raised by {place.where}, line {place.line}" + (f": {text[:200]}" if text else "")


def input_record(recording: Recording, edge: Any) -> dict[str, Any]:
    """One input of the op that failed."""
    source = recording.graph.vertices[edge.source]
    shape = source.shape or ()
    return {
        "name": edge.input,
        "from": source.title,
        "shape": list(shape),
        "text": f"{source.dtype} {size_text(shape)}",
    }


def words(op: str, inputs: list[dict[str, Any]]) -> str:
    """The op's shape rule, and where these inputs break it."""
    rule = ELEMENTWISE if op in BROADCASTING else RULES.get(op, "")
    shapes = [each["shape"] for each in inputs]
    if op in BROADCASTING and len(shapes) >= 2:
        where = clash(shapes[-2], shapes[-1])
        return f"{rule} {where}" if where else ""
    if op == "matmul" and len(shapes) == 2 and all(shapes):
        left, right = shapes[0][-1], shapes[1][-2 if len(shapes[1]) > 1 else 0]
        return f"{rule} Here {left} meets {right}." if left != right else rule
    if op == "linear" and len(shapes) >= 2:
        return f"{rule} Here x ends in {shapes[0][-1:]}, the weight takes {shapes[1][1:]}."
    return rule


def clash(left: list[int], right: list[int]) -> str:
    """The first pair of sizes, from the right, that does not fit."""
    for k, (a, b) in enumerate(zip(reversed(left), reversed(right), strict=False), start=1):
        if a != b and 1 not in (a, b):
            return f"Here {a} meets {b} at the {'last' if k == 1 else f'{k}. last'} dimension."
    return ""
