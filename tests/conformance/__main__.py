"""Run what both sides have on PyTorch's samples, and write down how it went.

python -m tests.conformance              all; fails when something is worse than expected.json
python -m tests.conformance add sort     these (or nn.Linear, optim.SGD), with all failures
python -m tests.conformance --accept     take the outcome as the new expectation
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.common_modules import module_db
from torch.testing._internal.common_optimizers import optim_db
from torch.testing._internal.common_utils import freeze_rng_state

from tests.conformance.compare import Tally, converted, expect_equal, ours, run_sample
from tests.conformance.exclusions import error_reason, operator_reason, sample_reason
from tests.conformance.modules import run_module, run_optimizer

HERE = Path(__file__).parent
DTYPES = (torch.float64, torch.float32, torch.int64, torch.bool)


def run_operator(operator: Any) -> Tally | str:
    """Run the samples of one operator; the reason when it is not run at all."""
    function = ours(operator.name)
    if reason := operator_reason(operator, function):
        return reason
    assert function is not None
    tally = Tally()
    for dtype in DTYPES:
        if dtype not in operator.dtypes:
            continue
        gradients = operator.supports_autograd and dtype == torch.float64
        torch.manual_seed(0)
        for sample in operator.sample_inputs("cpu", dtype, requires_grad=gradients):
            if reason := sample_reason(operator, sample):
                tally.exclude(reason)
                continue
            words = f"{dtype} {sample.summary()[:300]}"
            tally.run(words, run_sample, operator, function, sample, tally)
    if operator.error_inputs_func is not None:
        run_errors(operator, function, tally)
    return tally


def run_errors(operator: Any, function: Any, tally: Tally) -> None:
    """What PyTorch refuses, we must refuse too."""
    for wrong in operator.error_inputs("cpu"):
        sample = wrong.sample_input
        if sample_reason(operator, sample):
            continue
        try:
            inputs = converted((sample.input, *sample.args))
            settings = converted(sample.kwargs)
        except NotImplementedError:
            continue
        if reason := error_reason(operator, sample):
            whole = torch.int64 in operator.dtypes  # else PyTorch has it for floats only
            kind = None if whole else torch.float32
            tensors = [torch.as_tensor(each, dtype=kind) for each in (sample.input, *sample.args)]
            expect_equal(function(*inputs), operator.op(*tensors), reason)
            tally.take(reason)
            continue
        tally.expect_refusal(sample.summary()[:200], partial(function, *inputs, **settings))


Outcome = dict[str, Tally | str]


def page(operators: Outcome, modules: Outcome, optimizers: Outcome) -> str:
    """The outcome as a page of Markdown."""
    tallies = ran(operators)
    words = [
        "# Conformance with PyTorch's databases of operators, modules and optimizers",
        "",
        f"Made by `make conformance` (PyTorch {torch.__version__.split('+')[0]}, its `op_db`, "
        "`module_db` and `optim_db` on the CPU, in float64, float32, int64 and bool); not edited "
        "by hand.",
        "",
        f"**{agree_on_all(tallies)} of {len(tallies)} operators that minitorch has agree on every "
        f"sample that is run**: {sum(t.passed for t in tallies.values())} samples agree in value, "
        "shape, dtype and, in float64, gradients; "
        f"{sum(len(t.failures) for t in tallies.values())} do not. "
        f"{sum(t.twice for t in tallies.values())} second gradients agree; "
        f"{sum(t.not_twice for t in tallies.values())} are declined with an error. "
        + refusals(tallies),
        "",
        f"**{agree_on_all(ran(modules))} of {len(ran(modules))} modules** do, with the gradients "
        f"of their inputs and parameters, in {sum(t.passed for t in ran(modules).values())} "
        f"samples. {refusals(ran(modules))}",
        "",
        f"**{agree_on_all(ran(optimizers))} of {len(ran(optimizers))} optimizers** do, after a "
        f"hundred steps, with {sum(t.passed for t in ran(optimizers).values())} choices of "
        f"settings. {refusals(ran(optimizers))}",
    ]
    for title, outcome in (
        ("Operators", operators),
        ("Modules", modules),
        ("Optimizers", optimizers),
    ):
        words += ["", f"## {title}", "", *table(outcome)]
        words += ["", f"## {title} that are not run", "", *left_out(outcome)]
    return "\n".join(words) + "\n"


def ran(outcome: Outcome) -> dict[str, Tally]:
    """What was run at all."""
    return {name: tally for name, tally in outcome.items() if isinstance(tally, Tally)}


def agree_on_all(tallies: dict[str, Tally]) -> int:
    """How many agree wherever they were run."""
    return sum(not tally.failures and tally.passed > 0 for tally in tallies.values())


def refusals(tallies: dict[str, Tally]) -> str:
    """How often we refuse what PyTorch refuses, as a sentence."""
    refused = sum(tally.refused for tally in tallies.values())
    total = refused + sum(len(tally.not_refused) for tally in tallies.values())
    taken: dict[str, int] = {}
    for tally in tallies.values():
        for reason, count in tally.taken.items():
            taken[reason] = taken.get(reason, 0) + count
    on_purpose = "".join(
        f" {count} more are taken on purpose: {reason}." for reason, count in sorted(taken.items())
    )
    return f"Of the inputs that PyTorch refuses, we refuse {refused} of {total}.{on_purpose}"


def table(outcome: Outcome) -> list[str]:
    """A row for each that was run."""
    lines = [
        "| name | agree | of | excluded, and why | refused | second gradients |",
        "|---|--:|--:|---|--:|--:|",
    ]
    for name, tally in ran(outcome).items():
        reasons = [f"{count}: {reason}" for reason, count in sorted(tally.excluded.items())]
        reasons += [f"{count} not refused: {reason}" for reason, count in tally.taken.items()]
        why = "; ".join(reasons)
        errors = tally.refused + len(tally.not_refused)
        second = tally.twice + tally.not_twice
        lines.append(
            f"| {name} | {tally.passed} | {tally.passed + len(tally.failures)} | {why} | "
            f"{f'{tally.refused} of {errors}' if errors else ''} | "
            f"{f'{tally.twice} of {second}' if second else ''} |"
        )
    return lines


def left_out(outcome: Outcome) -> list[str]:
    """The names that were not run, by their reason."""
    reasons: dict[str, list[str]] = {}
    for name, reason in outcome.items():
        if isinstance(reason, str):
            reasons.setdefault(reason, []).append(f"`{name}`")
    return [
        f"- **{reason}** ({len(names)}): {', '.join(names)}"
        for reason, names in sorted(reasons.items())
    ]


def run_all(
    entries: dict[str, Any], run: Callable[[Any], Tally | str], chosen: list[str]
) -> Outcome:
    """Run the entries that are chosen, or all, and print what fails."""
    outcome: Outcome = {}
    for name, entry in sorted(entries.items()):
        if chosen and name.split(".")[0] not in chosen and name not in chosen:
            continue
        with freeze_rng_state():
            outcome[name] = run(entry)
        tally = outcome[name]
        if isinstance(tally, Tally):
            for failure in tally.failures[: None if chosen else 2]:
                print(f"  {name}: {failure}")
            if chosen:
                print(name, tally)
    return outcome


def main() -> int:
    """Run the command line; 1 when something is worse than expected."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("operators", nargs="*", help="names; all when none is given")
    parser.add_argument("--accept", action="store_true", help="write expected.json")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    torch.set_num_threads(1)
    optimizers: list[Any] = optim_db
    databases: list[tuple[dict[str, Any], Callable[[Any], Tally | str]]] = [
        ({f"{op.name}.{op.variant_test_name}".rstrip("."): op for op in op_db}, run_operator),
        ({module.name: module for module in module_db}, run_module),
        ({f"optim.{each.optim_cls.__name__}": each for each in optimizers}, run_optimizer),
    ]
    outcomes = [run_all(entries, run, options.operators) for entries, run in databases]
    if options.operators:
        return 0
    text = page(*outcomes)
    (HERE / "RESULTS.md").write_text(text, encoding="utf-8")
    print("\n".join(text.split("\n")[4:9]))
    counts = {}
    for name, tally in [pair for outcome in outcomes for pair in ran(outcome).items()]:
        counts[name] = tally.passed
        if tally.refused:
            counts[f"{name} refusals"] = tally.refused
    expectation = HERE / "expected.json"
    if options.accept:
        expectation.write_text(json.dumps(counts, indent=1) + "\n", encoding="utf-8")
        return 0
    expected = json.loads(expectation.read_text(encoding="utf-8"))
    worse = [
        f"{name}: {counts.get(name, 0)} agree, expected {count}"
        for name, count in expected.items()
        if counts.get(name, 0) < count
    ]
    print("\n".join(worse))
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
