"""Run every operator that both sides have on PyTorch's samples, and write down how it went.

python -m tests.conformance              all; fails when something is worse than expected.json
python -m tests.conformance add sort     some operators, with their failures in full
python -m tests.conformance --accept     take the outcome as the new expectation
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.common_utils import freeze_rng_state

from tests.conformance.compare import Tally, converted, ours, run_sample
from tests.conformance.exclusions import operator_reason, sample_reason, settings_reason

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
            try:
                run_sample(operator, function, sample, tally)
                tally.passed += 1
            except NotImplementedError as error:
                tally.exclude(str(error))
            except Exception as error:
                if reason := settings_reason(error):
                    tally.exclude(reason)
                    continue
                kind = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
                tally.failures.append(f"{dtype} {sample.summary()[:300]}: {kind}{error}"[:600])
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
        try:
            function(*inputs, **settings)
        except (ValueError, TypeError, IndexError, RuntimeError) as error:
            tally.refused += not settings_reason(error)
        except Exception as error:
            tally.not_refused.append(f"{error!r} for {sample.summary()[:200]}")
        else:
            tally.not_refused.append(sample.summary()[:200])


def table(outcome: dict[str, Tally | str]) -> str:
    """The outcome as a page of Markdown."""
    tallies = {name: tally for name, tally in outcome.items() if isinstance(tally, Tally)}
    reasons: dict[str, list[str]] = {}
    for name, reason in outcome.items():
        if isinstance(reason, str):
            reasons.setdefault(reason, []).append(name)
    clean = sum(not tally.failures and tally.passed > 0 for tally in tallies.values())
    lines = [
        "# Conformance with PyTorch's operator database",
        "",
        f"Made by `make conformance` (PyTorch {torch.__version__.split('+')[0]}, its `op_db` on "
        "the CPU, in float64, float32, int64 and bool); not edited by hand.",
        "",
        f"**{clean} of {len(tallies)} operators that minitorch has agree on every sample that is "
        f"run**: {sum(t.passed for t in tallies.values())} samples agree in value, shape, dtype "
        f"and, in float64, gradients; {sum(len(t.failures) for t in tallies.values())} do not. "
        f"{sum(t.twice for t in tallies.values())} second gradients agree; "
        f"{sum(t.not_twice for t in tallies.values())} are declined with an error. Of the inputs "
        f"that PyTorch refuses, we refuse {sum(t.refused for t in tallies.values())} of "
        f"{sum(t.refused + len(t.not_refused) for t in tallies.values())}.",
        "",
        "| operator | agree | of | excluded, and why | refused | second gradients |",
        "|---|--:|--:|---|--:|--:|",
    ]
    for name, tally in tallies.items():
        why = "; ".join(f"{count}: {reason}" for reason, count in sorted(tally.excluded.items()))
        errors = tally.refused + len(tally.not_refused)
        second = tally.twice + tally.not_twice
        lines.append(
            f"| {name} | {tally.passed} | {tally.passed + len(tally.failures)} | {why} | "
            f"{f'{tally.refused} of {errors}' if errors else ''} | "
            f"{f'{tally.twice} of {second}' if second else ''} |"
        )
    lines += ["", "## Operators that are not run", ""]
    for reason, names in sorted(reasons.items()):
        lines.append(f"- **{reason}** ({len(names)}): {', '.join(f'`{name}`' for name in names)}")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run the command line; 1 when something is worse than expected."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("operators", nargs="*", help="names; all when none is given")
    parser.add_argument("--accept", action="store_true", help="write expected.json")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    torch.set_num_threads(1)
    chosen = [op for op in op_db if not options.operators or op.name in options.operators]
    outcome: dict[str, Tally | str] = {}
    for operator in sorted(chosen, key=lambda op: (op.name, op.variant_test_name)):
        name = f"{operator.name}.{operator.variant_test_name}".rstrip(".")
        with freeze_rng_state():
            outcome[name] = run_operator(operator)
        tally = outcome[name]
        if isinstance(tally, Tally):
            for failure in tally.failures[: None if options.operators else 2]:
                print(f"  {name}: {failure}")
            if options.operators:
                print(name, tally)
    if options.operators:
        return 0
    text = table(outcome)
    (HERE / "RESULTS.md").write_text(text, encoding="utf-8")
    print(text.split("\n")[4])
    counts = {name: t.passed for name, t in outcome.items() if isinstance(t, Tally)}
    expectation = HERE / "expected.json"
    if options.accept:
        expectation.write_text(json.dumps(counts, indent=1) + "\n", encoding="utf-8")
        return 0
    expected = json.loads(expectation.read_text(encoding="utf-8"))
    worse = [
        f"{name}: {counts.get(name, 0)} samples agree, expected {count}"
        for name, count in expected.items()
        if counts.get(name, 0) < count
    ]
    print("\n".join(worse))
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
