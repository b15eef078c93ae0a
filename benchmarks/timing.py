"""Fair times on a machine that others use too: peers take turns, and only quiet samples count."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

Step = Callable[[], object]

SAMPLE_SECONDS = 0.15  # a sample repeats the step for about so long
# Until the worker threads of the peer before have stopped spinning: those of numpy's OpenBLAS do so
# for 2^28 ticks of the processor, 0.11 s, on a core that the next peer needs.
PAUSE_SECONDS = 0.15
CPU_TIMES = Path("/proc/stat")  # Linux; without it all samples count as equally quiet


class Sample(NamedTuple):
    """One peer's turn: seconds per step, and how many cores other processes kept busy."""

    seconds: float
    others: float


def interleave(steps: dict[str, Step], rounds: int) -> dict[str, list[Sample]]:
    """Give each peer a turn per round, so that a noisy minute falls on all of them."""
    repeats = {name: repeats_for(step) for name, step in steps.items()}
    samples: dict[str, list[Sample]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            time.sleep(PAUSE_SECONDS)
            samples[name].append(take_sample(step, repeats[name]))
    return samples


def repeats_for(step: Step) -> int:
    """How many steps fill a sample; the calls that find out also warm the step up."""
    step()
    start = time.perf_counter()
    step()
    return max(1, round(SAMPLE_SECONDS / (time.perf_counter() - start)))


def take_sample(step: Step, repeats: int) -> Sample:
    """Time `repeats` steps after one more that brings caches and threads back."""
    if repeats > 1:
        step()
    busy, own, start = all_cpu_seconds(), own_cpu_seconds(), time.perf_counter()
    for _ in range(repeats):
        step()
    elapsed = time.perf_counter() - start
    others = (all_cpu_seconds() - busy) - (own_cpu_seconds() - own)
    return Sample(elapsed / repeats, max(0.0, others / elapsed))


def all_cpu_seconds() -> float:
    """CPU time that all processes of the machine have used."""
    if not CPU_TIMES.exists():
        return 0.0
    user, nice, system, _idle, _wait, irq, soft_irq, steal, *_ = map(
        int, CPU_TIMES.read_text().splitlines()[0].split()[1:]
    )
    return (user + nice + system + irq + soft_irq + steal) / os.sysconf("SC_CLK_TCK")


def own_cpu_seconds() -> float:
    """CPU time that this process and the ones that it started have used, a browser's too."""
    return sum(os.times()[:4]) + running_children_seconds() if CPU_TIMES.exists() else 0.0


def running_children_seconds() -> float:
    """CPU time of all processes below this one that still run."""
    children: dict[int, list[int]] = {}
    ticks: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        process = int(stat.parent.name)
        children.setdefault(int(fields[1]), []).append(process)
        ticks[process] = int(fields[11]) + int(fields[12])
    waiting, total = list(children.get(os.getpid(), [])), 0
    for process in waiting:
        total += ticks[process]
        waiting += children.get(process, [])
    return total / os.sysconf("SC_CLK_TCK")


def quiet_median(samples: list[Sample]) -> float:
    """Median time of the half of the samples in which other processes took least."""
    quiet = sorted(samples, key=lambda sample: sample.others)[: (len(samples) + 1) // 2]
    return statistics.median(sample.seconds for sample in quiet)


def noise(samples: dict[str, list[Sample]]) -> float:
    """Cores that other processes kept busy in the samples that counted, on average."""
    counted = [
        sorted(sample.others for sample in each)[: (len(each) + 1) // 2]
        for each in samples.values()
    ]
    return statistics.mean(value for each in counted for value in each)
