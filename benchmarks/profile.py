"""Where a step's time goes, op by op: `python -m benchmarks profile resnet20`."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Any

from benchmarks.timing import Step
from minitorch.graph import Listener, Node, listening
from minitorch.graph import Step as BackwardStep

LEAST = 0.02  # of a step's time: an op that takes less belongs to the rest


class Profile(Listener):
    """Sums the time since the last event under the name of the op that has just ended."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.calls: dict[str, int] = defaultdict(int)
        self.last = time.perf_counter()

    def count(self, name: str) -> None:
        """Book the time since the last event."""
        self.seconds[name] += time.perf_counter() - self.last
        self.calls[name] += 1
        self.last = time.perf_counter()

    def on_op(self, op: Any, inputs: tuple[Any, ...], settings: Any, output: Any) -> None:
        """A forward op ended."""
        self.count(f"forward  {op.__name__:<16}{inputs[0].shape}")

    def on_step(self, step: BackwardStep) -> None:
        """A backward step ended."""
        name = step.node.name if isinstance(step.node, Node) else "leaves"
        self.count(f"backward {name:<16}{step.node.shape}")

    def on_update(self, optimizer: Any, finished: bool) -> None:
        """The optimizer begins or has finished."""
        self.count("optimizer" if finished else "between")

    def by_op(self) -> dict[str, float]:
        """The share of each op, whatever the shapes, the largest first; small ones are the rest."""
        total, shares = sum(self.seconds.values()), defaultdict[str, float](float)
        for name, seconds in self.seconds.items():
            shares[" ".join(name.split("(")[0].split())] += seconds / total
        large = {name: share for name, share in shares.items() if share >= LEAST}
        ordered = dict(sorted(large.items(), key=lambda item: -item[1]))
        return {**ordered, "rest": 1 - sum(large.values())}


def profiled(step: Step, steps: int = 3) -> Profile:
    """What a few steps spend, after one that warms up."""
    step()
    profile = Profile()
    with listening(profile):
        for _ in range(steps):
            step()
    return profile


def print_profile(step: Step, steps: int = 3, lines: int = 25) -> None:
    """Run `step` a few times and print what took longest, per step."""
    profile = profiled(step, steps)
    total = sum(profile.seconds.values())
    print(f"  {1e3 * total / steps:.1f} ms per step")
    for name, seconds in sorted(profile.seconds.items(), key=lambda item: -item[1])[:lines]:
        calls = profile.calls[name] // steps
        print(f"  {1e3 * seconds / steps:9.1f} ms {seconds / total:5.0%} {calls:4d} × {name}")
