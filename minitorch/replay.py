"""The gradient of a gradient: a node's rules run again, on tensors, so that they are recorded.

A rule is arithmetic on `grad` and on the arrays that it kept. Give it tensors in their place, and
its arithmetic leaves a graph of its own. Leans on `graph` and `op`.
"""

# Grown in notebooks: 2_09_in_place_and_twice. Edit there, then `make extract`.

from __future__ import annotations

import inspect
from types import CellType, FunctionType
from typing import Any

import numpy as np

from minitorch.graph import Node, mode
from minitorch.op import as_tensor, connected

__all__ = ["Array", "in_graph", "on_tensors", "send_back_recorded"]


Array = np.ndarray


def send_back_recorded(node: Node, grad: Any) -> tuple[Any, ...]:
    """What the node's rules make of the tensor `grad`, as tensors that know how they were made.

    Raises RuntimeError when a rule does what only arrays can do.
    """
    node.check_saved()
    mode.replaying = True
    try:
        if isinstance(node.rules, tuple):
            pairs = zip(node.rules, node.parents, strict=True)
            rules: Any = tuple(
                None if parent is None else on_tensors(rule, node) for rule, parent in pairs
            )
        else:
            rules = on_tensors(node.rules, node)
        answers = node.send_back(as_tensor(grad), rules)
        return tuple(None if answer is None else as_tensor(answer) for answer in answers)
    except Exception as error:
        raise RuntimeError(
            f"{node.name}, called at {node.source}, cannot be differentiated twice: {error} "
            "Take the first derivative without create_graph, or build the step from other ops."
        ) from error
    finally:
        mode.replaying = False


def on_tensors(rule: Any, node: Node) -> Any:
    """A copy of the function `rule` that holds tensors where it held the node's arrays."""
    if not isinstance(rule, FunctionType):
        raise TypeError("its rule is not a plain function.")
    names = rule.__code__.co_freevars
    cells = [
        CellType(in_graph(name, cell.cell_contents, node))
        for name, cell in zip(names, rule.__closure__ or (), strict=True)
    ]
    return FunctionType(
        rule.__code__, rule.__globals__, rule.__name__, rule.__defaults__, tuple(cells)
    )


def in_graph(name: str, kept: Any, node: Node, place: int | None = None) -> Any:
    """What a rule kept under `name`, as a tensor with its place in the graph if it has one.

    Where one array came in as several inputs, the name tells which is meant, or, for an element of
    a list, its `place` there.
    """
    if isinstance(kept, FunctionType) and kept.__closure__:
        return on_tensors(kept, node)
    if isinstance(kept, list | tuple):
        return type(kept)([in_graph(name, each, node, place) for place, each in enumerate(kept)])
    if not isinstance(kept, np.ndarray | np.floating) or kept.dtype.kind != "f":
        return kept
    *inputs, output = node.identities
    if id(kept) == output:
        return connected(node, kept)
    places = [place for place, identity in enumerate(inputs) if identity == id(kept)]
    if not places:
        raise TypeError(
            f"its rule uses `{name}`, which the op computed on the way; only its inputs and its "
            "result are in the graph."
        )
    parents = {node.parents[place] for place in places}
    if len(parents) > 1:
        names = list(inspect.signature(node.op).parameters)
        place = names.index(name) if place is None and name in names else place
        if place not in places:
            raise TypeError(f"one array came in twice, and `{name}` does not say which it is.")
        return connected(node.parents[place], kept)
    return connected(parents.pop(), kept)
