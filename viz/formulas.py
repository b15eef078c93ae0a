"""A backward rule taken apart: the terms of its formula, each with this node's arrays in it.

`grad * (1 - y * y)` becomes three pictures, `grad`, `1 - y * y` and what is passed on, by
evaluating the pieces of the rule's own source with the values that its closure holds. Nothing
about single ops is written here, except where a formula needs to be told in another way. Leans on
sources.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from viz.sources import op_source, rule_text, rule_tree

SIGNS: dict[type[ast.operator], str] = {
    ast.Mult: "×", ast.Div: "÷", ast.MatMult: "@", ast.Add: "+", ast.Sub: "−",
}  # fmt: skip

KINDS = {
    "matmul": ["matmul", "linear", "einsum", "outer", "dot", "bmm"],
    "reduction": ["sum", "mean", "amax", "amin", "max", "min", "prod", "var", "std", "logsumexp"],
    "movement": [
        "reshape", "flatten", "squeeze", "unsqueeze", "permute", "transpose", "expand", "pad",
        "shrink", "flip", "cat", "stack", "repeat", "roll", "view",
    ],
    "indexing": ["getitem", "gather", "scatter", "take", "index_select", "embedding", "where"],
    "cross_entropy": ["cross_entropy", "nll_loss", "binary_cross_entropy_with_logits"],
    "softmax": ["softmax", "log_softmax"],
    "convolution": ["conv2d", "conv1d", "conv_transpose2d"],
    "pooling": ["max_pool2d", "avg_pool2d", "adaptive_avg_pool2d"],
    "batch_norm": ["batch_norm", "batch_norm_train", "layer_norm"],
}  # fmt: skip
KIND_OF = {name: kind for kind, names in KINDS.items() for name in names}

EXPLAINED = {
    "passthrough": "The gradient is passed on as it came.",
    "elementwise": "Each element of the gradient is multiplied by the local slope at that element.",
    "matmul": "The gradient times the other factor, turned so that the shapes fit.",
    "reduction": "What was added up shares one gradient: it is spread back over all of it.",
    "sum": "What was added to every sample gets the sum of their gradients.",
    "movement": "The numbers only moved: the gradient moves back the same way.",
    "indexing": "The gradient returns to the places that were picked, and is 0 elsewhere.",
    "cross_entropy": "The probabilities, less 1 at the right class, shared among the samples.",
    "softmax": "Each output pulls all inputs, because they share one sum.",
    "convolution": "Every window that saw a value sends it a part of its gradient.",
    "pooling": "The gradient goes to the places that each window took its value from.",
    "batch_norm": "The gradient, less what the mean and the spread of the batch take out of it.",
    "other": "The rule as the op's source has it.",
}


@dataclass(slots=True)
class Term:
    """A piece of a formula with its value, or the sign between two pieces."""

    text: str
    value: Any = None
    is_sign: bool = False
    names: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Formula:
    """One rule as text and as terms; `kind` says which picture tells it best."""

    text: str
    kind: str
    terms: list[Term]

    @property
    def explain(self) -> str:
        """The rule in one sentence."""
        return EXPLAINED[self.kind]


def rule_formula(op: Callable[..., Any], rule: Any, grad: np.ndarray | None) -> Formula:
    """The formula of one backward rule of an op, its terms evaluated where `grad` is known."""
    text = rule_text(op, rule)
    closure = held(rule)
    told = TOLD.get(op.__name__)
    if told is not None and grad is not None and told[0] <= closure.keys():
        return Formula(text, KIND_OF.get(op.__name__, "other"), told[1](closure, grad))
    closure["grad"] = grad
    expression = expression_of(op, rule, closure)
    if expression is None:
        terms = [Term("grad", grad, names={"grad"})]
        return Formula(text, KIND_OF.get(op.__name__, "other"), terms)
    text = ast.unparse(expression)
    summed = summed_up(expression)
    terms = [piece(summed), Term("Σ", is_sign=True)] if summed is not None else split(expression)
    scope = {**getattr(rule, "__globals__", {}), **closure}
    for term in terms:
        if not term.is_sign and grad is not None:
            term.value = evaluate(term.text, scope)
    return Formula(text, "sum" if summed is not None else kind_of(op.__name__, terms), terms)


def summed_up(expression: ast.expr) -> ast.expr | None:
    """What an expression sums, when it is nothing but a sum."""
    if isinstance(expression, ast.Call) and expression.args:
        called = ast.unparse(expression.func)
        return expression.args[0] if called in ("np.add.reduce", "np.sum") else None
    return None


def held(rule: Any) -> dict[str, Any]:
    """What the rule's closure holds, by name."""
    cells = getattr(rule, "__closure__", None) or ()
    names = rule.__code__.co_freevars if cells else ()
    return {name: cell.cell_contents for name, cell in zip(names, cells, strict=True)}


def kind_of(op: str, terms: list[Term]) -> str:
    """Which picture tells the formula best."""
    if len(terms) == 1 and terms[0].text == "grad" and KIND_OF.get(op) != "movement":
        return "passthrough"
    return KIND_OF.get(op, "elementwise" if len(terms) > 1 else "other")


def expression_of(op: Callable[..., Any], rule: Any, closure: dict[str, Any]) -> ast.expr | None:
    """What the rule returns as one expression, inner one-line functions written out; or None."""
    expression = returned(rule_tree(op, rule))
    return None if expression is None else Inlined(op, closure).visit(copy.deepcopy(expression))


def returned(tree: ast.Lambda | ast.FunctionDef | None) -> ast.expr | None:
    """The expression of a lambda or of a function that only returns."""
    if isinstance(tree, ast.Lambda):
        return tree.body
    if tree is not None and len(tree.body) == 1 and isinstance(tree.body[0], ast.Return):
        return tree.body[0].value
    return None


class Inlined(ast.NodeTransformer):
    """Writes out `backward(grad)` where the closure holds such a one-line function."""

    def __init__(self, op: Callable[..., Any], closure: dict[str, Any]) -> None:
        self.op = op
        self.closure = closure

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Replace a call of an inner function with `grad` by what that function returns.

        And leave out a reshape that does nothing, as `x.reshape(-1, x.shape[-1])` to a matrix.
        """
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
            array = node.func.value.id
            flattens = ast.unparse(node) == f"{array}.reshape(-1, {array}.shape[-1])"
            if flattens and getattr(self.closure.get(array), "ndim", 0) == 2:
                return node.func.value
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        inner = self.closure.get(name)
        plain = [ast.unparse(argument) for argument in node.args] == ["grad"]
        body = returned(rule_tree(self.op, inner)) if plain and callable(inner) else None
        if body is None:
            return node
        self.closure.update(held(inner))
        return copy.deepcopy(body)


def split(expression: ast.expr) -> list[Term]:
    """The factors of a product, or the parts of a sum, with the signs between them."""
    if isinstance(expression, ast.BinOp) and type(expression.op) in SIGNS:
        sign = Term(SIGNS[type(expression.op)], is_sign=True)
        if isinstance(expression.op, ast.Add | ast.Sub):
            return [piece(expression.left), sign, piece(expression.right)]
        left = expression.left
        factors = split(left) if is_product(left) else [piece(left)]
        return [*factors, sign, piece(expression.right)]
    return [piece(expression)]


def is_product(expression: ast.expr) -> bool:
    """Whether an expression multiplies or divides."""
    product = ast.Mult | ast.Div | ast.MatMult
    return isinstance(expression, ast.BinOp) and isinstance(expression.op, product)


def piece(expression: ast.expr) -> Term:
    """One term."""
    names = {each.id for each in ast.walk(expression) if isinstance(each, ast.Name)}
    return Term(ast.unparse(expression), names=names)


def evaluate(text: str, scope: dict[str, Any]) -> Any:
    """The value of a piece of the rule's own source; None where it cannot stand alone."""
    try:
        with np.errstate(all="ignore"):
            return eval(compile(text, "<rule>", "eval"), scope)
    except Exception:  # a piece that needs more than its names is shown as text only
        return None


def forward_text(op: Callable[..., Any]) -> str:
    """How the op computes its value, as its source says it, in one line where there is one."""
    tree = op_source(op).tree
    returns = [each for each in ast.walk(tree) if isinstance(each, ast.Return)] if tree else []
    found = next((each.value for each in returns if isinstance(each.value, ast.Tuple)), None)
    if tree is None or found is None:
        return ""
    value = found.elts[0]
    if not isinstance(value, ast.Name):
        return ast.unparse(value)
    lines = []
    for each in tree.body:
        target = each.targets[0] if isinstance(each, ast.Assign) else getattr(each, "target", None)
        if isinstance(target, ast.Name) and target.id == value.id:
            lines.append(ast.unparse(each))
    return "\n".join(lines)


# ---- formulas that are better told in another way than their source ------------------------------


def tell_cross_entropy(closure: dict[str, Any], grad: np.ndarray) -> list[Term]:
    """Softmax less one-hot, over the number of samples."""
    softmax = closure["exponentials"] / closure["totals"][:, None]
    one_hot = np.zeros_like(softmax)
    one_hot[closure["rows"], closure["target"]] = 1
    return [
        Term("softmax", softmax),
        Term("−", is_sign=True),
        Term("one_hot(target)", one_hot),
        Term("×", is_sign=True),
        Term(f"grad / {len(softmax)}", grad / len(softmax), names={"grad"}),
    ]


TOLD: dict[str, tuple[set[str], Callable[[dict[str, Any], np.ndarray], list[Term]]]] = {
    "cross_entropy": ({"exponentials", "totals", "rows", "target"}, tell_cross_entropy),
}
