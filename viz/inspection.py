"""One moment looked into: code, formula in terms, contributions, update. Plain JSON-ready data.

Arrays are put into the recording's store under new ids and named by them. Leans on formulas.
"""

from __future__ import annotations

import inspect
import textwrap
from typing import Any

import numpy as np

from viz.formulas import Formula, forward_text, rule_formula
from viz.graph import Edge, Vertex, size_text
from viz.overwritten import AsItWas
from viz.pictures import FORWARD, Term, told_forward
from viz.recording import Recording
from viz.sources import code_that_ran

JOINED = {"add": "+", "sub": "−", "mul": "×", "div": "÷", "matmul": "@", "pow": "^"}


def inspect_moment(recording: Recording, index: int) -> dict[str, Any]:
    """What the inspector shows of a moment; see the contract in `payload`."""
    moment = recording.moments[index]
    vertex = recording.graph.vertices[moment.vertex]
    op = recording.growing.ops.get(vertex.id)
    box = recording.graph.boxes.get(vertex.box)
    found: dict[str, Any] = {
        "moment": index,
        "node": vertex.id,
        "title": vertex.label,
        "subtitle": box.label if box else "",
        "code": code_that_ran(op, recording.growing.rules.get(vertex.id)) if op else "",
        "rules": [],
        "forward": None,
        "arrived": [],
        "update": None,
    }
    if moment.phase == "forward":
        found["forward"] = forward_record(recording, index)
    elif moment.phase == "backward":
        found["arrived"] = [arrival(recording, edge) for edge in moment.arrived]
        rules = (rule_record(recording, index, edge) for edge in edges_sent(recording, index))
        found["rules"] = list(rules)
    else:
        found["update"] = update_record(recording, index)
    return found


def edges_sent(recording: Recording, index: int) -> list[Edge]:
    """The edges that the rules of this moment's vertex send a gradient along."""
    moment = recording.moments[index]
    if moment.act == "unbroadcast":
        return [recording.graph.edges[edge] for edge in moment.edges]
    into = recording.growing.into[moment.vertex]
    return [edge for edge in into if f"{edge.id}.raw" in recording.arrays.summaries]


def arrival(recording: Recording, edge_id: str) -> dict[str, Any]:
    """One contribution that arrived."""
    edge = recording.graph.edges[edge_id]
    name = f"{edge_id}.grad"
    return {
        "edge": edge_id,
        "from": recording.graph.vertices[edge.target].title,
        "array": name,
        "norm": recording.arrays.summaries[name].norm,
    }


def rule_record(recording: Recording, index: int, edge: Edge) -> dict[str, Any]:
    """The rule of one edge."""
    growing, store = recording.growing, recording.arrays
    source = recording.graph.vertices[edge.source]
    rules = growing.rules.get(edge.target)
    rule = AsItWas(recording, edge.target)(
        rules[int(edge.slot)] if isinstance(rules, tuple) else rules
    )
    op = growing.ops[edge.target]
    grad = store.values(f"{edge.target}.grad")
    given = inputs_by_name(recording, edge.target)
    formula = (
        rule_formula(op, rule, grad, edge.input, given)
        if rule
        else Formula("", "other", [Term("grad")])
    )
    raw, shape = store.summaries[f"{edge.id}.raw"].shape, source.shape or ()
    return {
        "edge": edge.id,
        "input": edge.input,
        "target": source.title,
        "text": formula.text,
        "kind": formula.kind,
        "parts": [
            part_record(recording, f"x{index}.{edge.slot}.{k}", term, edge)
            for k, term in enumerate(formula.terms)
        ],
        "result": f"{edge.id}.raw",
        "explain": formula.explain,
        "unbroadcast": unbroadcast_record(edge, raw, shape) if raw != shape else None,
    }


def part_record(recording: Recording, name: str, term: Term, edge: Edge) -> dict[str, Any]:
    """A term as a picture: its array under an id that the store knows."""
    if term.is_sign:
        return {"sign": term.text}
    role = "grad" if term.names == {"grad"} else "value"
    if term.text == "grad":
        return {"text": "grad", "array": f"{edge.target}.grad", "role": role}
    if isinstance(term.value, np.ndarray | np.generic | int | float):
        recording.arrays.keep(name, np.asarray(term.value))
        if role == "value" and is_parameter(recording, edge.target, term.value):
            role = "parameter"
        return {"text": term.text, "array": name, "role": role}
    return {"text": term.text, "array": None, "role": role}


def is_parameter(recording: Recording, vertex: str, value: Any) -> bool:
    """Whether a term is one of the op's parameters, or a view of it."""
    leaves = (recording.graph.vertices[edge.source] for edge in recording.growing.into[vertex])
    parameters = [leaf for leaf in leaves if leaf.kind == "parameter"]
    arrays = [leaf.subject.array for leaf in parameters]  # and as they were before the update
    arrays += [recording.arrays.values(f"{leaf.id}.value") for leaf in parameters]
    return isinstance(value, np.ndarray) and any(
        each is not None and np.may_share_memory(value, each) for each in arrays
    )


def unbroadcast_record(edge: Edge, raw: tuple[int, ...], shape: tuple[int, ...]) -> dict[str, Any]:
    """The sum that brings a broadcast gradient back to its input's shape."""
    added = len(raw) - len(shape)
    dims = [*range(added)]
    dims += [added + k for k, size in enumerate(shape) if size == 1 and raw[added + k] != 1]
    times = int(np.prod([raw[dim] for dim in dims]))
    words = " and ".join(map(str, dims))
    return {
        "from": list(raw),
        "to": list(shape),
        "dims": dims,
        "raw": f"{edge.id}.raw",
        "result": f"{edge.id}.grad",
        "text": f"summed over dim {words}: {size_text(raw)} becomes {size_text(shape)}, "
        f"because it was used {times} times",
    }


def inputs_by_name(recording: Recording, vertex: str) -> dict[str, Any]:
    """What an op was given, as arrays, while they are kept."""
    values = {
        edge.input: recording.arrays.values(f"{edge.source}.value")
        for edge in recording.growing.into[vertex]
    }
    return {name: value for name, value in values.items() if value is not None}


def forward_record(recording: Recording, index: int) -> dict[str, Any]:
    """How the value was made from the inputs."""
    moment = recording.moments[index]
    op = recording.growing.ops[moment.vertex]
    given = inputs_by_name(recording, moment.vertex)
    as_it_was, saved = AsItWas(recording, moment.vertex), recording.growing.saved
    kept = {
        name: as_it_was(value)
        for name, value in saved.get(moment.vertex, {}).items()
        if value is None or as_it_was(value) is not None
    }
    told = told_forward(op.__name__, {**given, **kept}) if op.__name__ in FORWARD else None
    sources = {
        edge.input: recording.graph.vertices[edge.source]
        for edge in recording.growing.into[moment.vertex]
    }
    parts = plain_parts(recording, sources, op) if told is None else []
    for k, term in enumerate(told or []):
        if term.is_sign:
            parts.append({"sign": term.text})
        elif term.text in sources:
            parts.append(source_part(recording, term.text, sources[term.text]))
        else:
            name = f"f{index}.{k}"
            recording.arrays.keep(name, np.asarray(term.value))
            origin = sources.get(term.text.partition(".")[0])
            is_trained = origin is not None and origin.kind == "parameter"
            role = "parameter" if is_trained else "value"
            parts.append({"text": term.text, "array": name, "role": role})
    joined = [part["sign"] for part in parts if "sign" in part]
    return {
        "parts": parts,
        "result": moment.array,
        "text": forward_text(op),
        "kind": op.__name__,
        "arrow": "=" if joined and parts[-1].get("sign") is None and "," not in joined else "→",
        "settings": recording.graph.vertices[moment.vertex].settings,
    }


def plain_parts(recording: Recording, sources: dict[str, Vertex], op: Any) -> list[dict[str, Any]]:
    """The inputs side by side, with the op's sign between them where it has one."""
    parts: list[dict[str, Any]] = []
    for name, source in sources.items():
        if parts:
            parts.append({"sign": JOINED.get(op.__name__, ",")})
        parts.append(source_part(recording, name, source))
    return parts


def source_part(recording: Recording, text: str, source: Vertex) -> dict[str, Any]:
    """One input as it came."""
    name = f"{source.id}.value"
    role = "parameter" if source.kind == "parameter" else "value"
    known = name if name in recording.arrays.summaries else None
    return {"text": text, "array": known, "role": role, "from": source.title}


def update_record(recording: Recording, index: int) -> dict[str, Any]:
    """What the optimizer did to one parameter."""
    update = recording.updates[index]
    vertex = recording.moments[index].vertex
    try:
        source = textwrap.dedent(inspect.getsource(update.method))
    except (OSError, TypeError):
        source = ""
    lines = [line for line in source.split("\n")[1:] if '"""' not in line]
    grads = (f"u{index}.grad", f"{vertex}.grad")  # what the optimizer found, else what was brought
    return {
        "optimizer": update.optimizer,
        "text": textwrap.dedent("\n".join(lines)).strip(),
        "before": f"u{index}.before",
        "grad": next((grad for grad in grads if grad in recording.arrays.summaries), None),
        "change": f"u{index}.change",
        "after": f"u{index}.after",
        "settings": update.settings,
    }
