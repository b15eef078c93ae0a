"""Where a step's time goes, op by op: `python -m benchmarks profile resnet20`."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Any

from benchmarks.timing import Step
from minitorch.graph import Listener, Node, listening
from minitorch.graph import Step as BackwardStep


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
        name = step.node.name if isinstance(step.node, Node) else "leaf"
        self.count(f"backward {name:<16}{step.node.shape}")

    def on_update(self, optimizer: Any, finished: bool) -> None:
        """The optimizer begins or has finished."""
        self.count("optimizer" if finished else "between")


def print_profile(step: Step, steps: int = 3, lines: int = 25) -> None:
    """Run `step` a few times and print what took longest, per step."""
    step()
    profile = Profile()
    with listening(profile):
        for _ in range(steps):
            step()
    total = sum(profile.seconds.values())
    print(f"  {1e3 * total / steps:.1f} ms per step")
    for name, seconds in sorted(profile.seconds.items(), key=lambda item: -item[1])[:lines]:
        calls = profile.calls[name] // steps
        print(f"  {1e3 * seconds / steps:9.1f} ms {seconds / total:5.0%} {calls:4d} × {name}")
