"""The height of a training step's memory, ResNet-20 at batch 128: `python -m benchmarks memory`.

Each framework has a process of its own; what it holds once the network is built does not count.
Linux only: the kernel says how much a process has held at most.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks import machine
from benchmarks.networks import RESNET20

PEERS = ("minitorch", "torch", "torch channels last")
STEPS = 3  # what is freed in one is used again in the next
STATUS = Path("/proc/self/status")


def measure(results: Path, keep: bool) -> None:
    """Measure every peer, print what each needs, and keep it."""
    print("\nmemory: the height of a training step, ResNet-20, batch 128")
    heights = {}
    for peer in PEERS:
        command = [sys.executable, "-m", "benchmarks.memory", peer]
        answer = subprocess.run(command, check=True, capture_output=True, text=True)
        heights[peer] = float(answer.stdout)
    ratios = {peer: round(height / heights["torch"], 2) for peer, height in heights.items()}
    for peer, ratio in ratios.items():
        print(f"  {peer:<24}{heights[peer]:12.0f} MB{ratio:8.2f}")
    if keep:
        record = {
            **machine.head("memory", "height of a training step's memory, ResNet-20, batch 128"),
            "bar": 1.3,
            "megabytes": heights,
            "ratios": ratios,
            "peers": {},
        }
        (results / "memory.json").write_text(json.dumps(record, indent=2) + "\n")


def height(peer: str) -> float:
    """Megabytes that a few steps add, at most, to what this process holds before them."""
    step = RESNET20.peers()[peer]()
    before = held("VmRSS")
    for _ in range(STEPS):
        step()
    return (held("VmHWM") - before) / 1000


def held(what: str) -> int:
    """Kilobytes in memory: "VmRSS" now, "VmHWM" at most."""
    lines = STATUS.read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what))


if __name__ == "__main__":
    print(height(sys.argv[1]))
