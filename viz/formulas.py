"""A backward rule taken apart: the terms of its formula, each with this node's arrays in it.

`grad * (1 - y * y)` becomes three pictures, `grad`, `1 - y * y` and what is passed on, by
evaluating the pieces of the rule's own source with the values that its closure holds. Nothing
about single ops is written here: what needs to be told in another way is in pictures. Leans on
sources and pictures.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType
from typing import Any

import numpy as np

from viz.pictures import LEADS_TO, Term, told_backward
from viz.sources import op_source, rule_text, rule_tree

SIGNS: dict[type[ast.operator], str] = {
    ast.Mult: "×", ast.Div: "÷", ast.MatMult: "@", ast.Add: "+", ast.Sub: "−",
}  # fmt: skip

KINDS = {
    "matmul": ["matmul", "linear", "sum_of_products"],
    "reduction": ["sum", "mean", "amax", "amin", "prod", "var", "std", "norm", "logsumexp"],
    "movement": [
        "reshape", "flatten", "squeeze", "unsqueeze", "permute", "transpose", "expand", "pad",
        "shrink", "flip", "repeat", "roll", "movedim", "unflatten", "constant_pad", "concatenate",
    ],
    "indexing": ["getitem", "gather", "narrow", "embedding", "diagonal", "tril", "triu"],
    "cross_entropy": ["cross_entropy", "nll_loss", "binary_cross_entropy_with_logits"],
    "softmax": ["softmax", "log_softmax"],
    "convolution": ["conv2d", "conv1d", "conv_transpose2d"],
    "pooling": ["max_pool2d", "avg_pool2d", "adaptive_max_pool2d"],
    "batch_norm": ["batch_norm", "batch_norm_relu", "standardize"],
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
class Formula:
    """One rule as text and as terms; `kind` says which picture tells it best."""

    text: str
    kind: str
    terms: list[Term]
    words: str = ""

    @property
    def explain(self) -> str:
        """The rule in one sentence."""
        return self.words or EXPLAINED[self.kind]


def rule_formula(
    op: Callable[..., Any], rule: Any, grad: np.ndarray | None, slot: str = "",
    given: dict[str, Any] | None = None,
) -> Formula:  # fmt: skip
    """The formula of one backward rule of an op, its terms evaluated where `grad` is known.

    `slot` is the input that the rule sends to, `given` holds all inputs by name.
    """
    text, kind = rule_text(op, rule), KIND_OF.get(op.__name__)
    scope = {**getattr(rule, "__globals__", {}), **held(rule), "grad": grad}
    told = told_backward(op.__name__, slot, {**(given or {}), **scope}, rule)
    if told is not None:
        return Formula(text, kind or "other", *told)
    expression = expression_of(op, rule, scope)
    if expression is None:
        return Formula(text, kind or "other", [Term("grad", grad, names={"grad"}), LEADS_TO])
    text, terms = ast.unparse(expression), split(expression)
    summed = summed_up(expression)
    if text == "grad":
        kind = "passthrough"
    elif summed is not None:
        kind, terms = "sum", [piece(summed), Term("Σ", is_sign=True)]
    elif len(terms) == 1 and isinstance(expression, ast.Call):
        kind, terms = kind or "other", called_with(expression, scope, kind)
    for term in terms:
        if not term.is_sign and grad is not None:
            term.value = evaluate(term.text, scope)
    return Formula(text, kind or ("elementwise" if len(terms) > 1 else "other"), terms)


def summed_up(expression: ast.expr) -> ast.expr | None:
    """What an expression sums, when it is nothing but a sum."""
    if isinstance(expression, ast.Call) and expression.args:
        called = ast.unparse(expression.func)
        sums = called in ("np.add.reduce", "np.sum") or called.startswith("sum_")
        return expression.args[0] if sums else None
    return None


def called_with(call: ast.Call, scope: dict[str, Any], kind: str | None) -> list[Term]:
    """The arrays that a function is called with, and an arrow to what it makes of them."""
    owner = [call.func.value] if isinstance(call.func, ast.Attribute) else []
    given = [piece(each) for each in [*owner, *call.args]]
    for term in given:
        term.value = evaluate(term.text, scope)
    arrays = [term for term in given if isinstance(term.value, np.ndarray) and term.value.ndim]
    arrays = arrays or [Term("grad", scope["grad"], names={"grad"})]
    sign = Term("✱" if kind == "convolution" else "with", is_sign=True)
    joined = [each for term in arrays for each in (sign, term)]
    return [*joined[1:], LEADS_TO]


def held(rule: Any) -> dict[str, Any]:
    """What the rule's closure holds, by name."""
    cells = getattr(rule, "__closure__", None) or ()
    names = rule.__code__.co_freevars if cells else ()
    return {name: cell.cell_contents for name, cell in zip(names, cells, strict=True)}


def expression_of(op: Callable[..., Any], rule: Any, scope: dict[str, Any]) -> ast.expr | None:
    """What the rule returns as one expression, inner one-line functions written out; or None.

    Names that the rule gives to steps on its way are added to `scope`.
    """
    tree = rule_tree(op, rule)
    expression = returned(tree)
    if expression is None:
        return None
    for line in tree.body[:-1] if isinstance(tree, ast.FunctionDef) else []:
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            scope[line.targets[0].id] = evaluate(ast.unparse(line.value), scope)
    return Inlined(op, scope).visit(copy.deepcopy(expression))


def returned(tree: ast.Lambda | ast.FunctionDef | None) -> ast.expr | None:
    """The expression that a lambda or a plain function returns; None where it does more."""
    if isinstance(tree, ast.Lambda):
        return tree.body
    if tree is None or not isinstance(tree.body[-1], ast.Return):
        return None
    steps = tree.body[:-1]
    plain = all(
        isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name) for line in steps
    )
    return tree.body[-1].value if plain and not isinstance(tree.body[-1].value, ast.Tuple) else None


class Inlined(ast.NodeTransformer):
    """Writes out `backward(grad)` where that is a one-line function next to the rule.

    And leaves out reshapes that change nothing here, as `x.reshape(-1, x.shape[-1])` of a matrix.
    """

    def __init__(self, op: Callable[..., Any], scope: dict[str, Any]) -> None:
        self.op = op
        self.scope = scope

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """One call, simplified where it can be."""
        self.generic_visit(node)
        if ast.unparse(node.func) in ("np.dot", "np.matmul") and len(node.args) == 2:
            return ast.BinOp(node.args[0], ast.MatMult(), node.args[1])
        if isinstance(node.func, ast.Attribute) and node.func.attr == "reshape":
            before = evaluate(ast.unparse(node.func.value), self.scope)
            after = evaluate(ast.unparse(node), self.scope)
            same = before is not None and np.shape(before) == np.shape(after)
            return node.func.value if same and np.ndim(after) > 1 else node
        if ast.unparse(node.func) == "masked":
            return ast.BinOp(node.args[0], ast.Mult(), node.args[1])
        inner = self.scope.get(node.func.id) if isinstance(node.func, ast.Name) else None
        plain = [ast.unparse(argument) for argument in node.args] == ["grad"]
        tree = rule_tree(self.op, inner) if plain and callable(inner) else None
        body = returned(tree)
        if body is None or (isinstance(tree, ast.FunctionDef) and len(tree.body) > 1):
            return node
        self.scope.update(held(inner))
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
            return eval(compiled(text), scope)
    except Exception:  # a piece that needs more than its names is shown as text only
        return None


@lru_cache(maxsize=4096)
def compiled(text: str) -> CodeType:
    """A piece of a rule, ready to be evaluated."""
    return compile(text, "<rule>", "eval")


@lru_cache(maxsize=4096)
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
