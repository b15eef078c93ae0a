"""Measure minitorch against its peers: `python -m benchmarks NAME...`, all when none is named.

`python -m benchmarks profile NAME...` says instead where our own step's time goes, op by op.

Ratios are to PyTorch eager in the same run: below 1 is faster than PyTorch. Results are written to
`benchmarks/results/NAME.json`, from which `benchmarks/README.md` and the README's table are made.
`layers` means every single layer, `scale` how a step's time grows with batch, depth and area,
`memory` what a step holds at most.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import debugger, imports, layers, machine, memory, mlps, networks, scale, tables
from benchmarks.profile import print_profile, profiled
from benchmarks.timing import Sample, Step, interleave, noise, quiet_median

RESULTS = Path(__file__).parent / "results"
THREADS = 2  # for everybody
QUIET = 0.3  # cores: a run in which other processes took more is shown, but not kept
UNIT = "torch"  # the peer whose time is 1


@dataclass(frozen=True)
class Benchmark:
    """What is measured: a line that says it, and the peers that build its step.

    `goal` and `bar` are the ratios that we want, and that we ask for; a benchmark that has them is
    a step of ours, whose profile is kept too.
    """

    does: str
    peers: Callable[[], dict[str, Callable[[], Step]]]
    rounds: int = 9
    goal: float | None = None
    bar: float | None = None


BENCHMARKS = {
    "import": Benchmark("start Python and import", imports.peers, rounds=5),
    "tiny_mlp": Benchmark(
        "training step, 2-16-16-1, batch 32", mlps.TINY_MLP.peers, 25, goal=0.15, bar=0.3
    ),
    "debugger": Benchmark("a step painted, a step opened", debugger.peers, rounds=7),
    "mnist_mlp": Benchmark(
        "training step, 784-512-256-10, batch 128", mlps.MNIST_MLP.peers, 25, goal=0.75, bar=0.9
    ),
    "mnist_mlp_use": Benchmark(
        "inference, 784-512-256-10, batch 128", mlps.MNIST_MLP.users, rounds=25
    ),
    "alexnet": Benchmark(
        "training step, AlexNet with batch norm, batch 64",
        networks.ALEXNET.peers,
        goal=1.0,
        bar=1.25,
    ),
    "alexnet_use": Benchmark("inference, AlexNet, batch 64", networks.ALEXNET_USE.peers),
    "resnet20": Benchmark(
        "training step, ResNet-20, batch 128", networks.RESNET20.peers, 7, goal=1.0, bar=1.3
    ),
    "resnet20_use": Benchmark(
        "inference, ResNet-20, batch 128", networks.RESNET20_USE.peers, rounds=7
    ),
    "resnet18": Benchmark(
        "training step, ResNet-18, batch 64", networks.RESNET18.peers, 5, goal=0.9, bar=1.1
    ),
    "resnet18_use": Benchmark("inference, ResNet-18, batch 64", networks.RESNET18_USE.peers, 5),
    "yolo_tiny": Benchmark(
        "training step, YOLOv3-tiny at 224 pixels, batch 8",
        networks.YOLO_TINY.peers,
        rounds=7,
        goal=1.0,
        bar=1.4,
    ),
    "yolo_tiny_use": Benchmark(
        "inference, YOLOv3-tiny at 224 pixels, one image",
        networks.YOLO_TINY_USE.peers,
        goal=0.8,
        bar=1.0,
    ),
}
LAYERS = {
    f"layers/{name}": Benchmark(layer.does, layer.peers) for name, layer in layers.LAYERS.items()
}

OTHERS = {"scale": scale.measure, "memory": memory.measure}  # which are no ratios of times


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join([*BENCHMARKS, 'layers', *OTHERS])}"
    )
    parser.add_argument("--rounds", type=int, help="turns that each peer gets")
    parser.add_argument("--only", help="peers to measure, separated by commas")
    parser.add_argument("--dry", action="store_true", help="print, but write no result")
    options = parser.parse_args()
    profiling = options.names[:1] == ["profile"]
    known = BENCHMARKS | LAYERS
    names = options.names[profiling:] or [*BENCHMARKS, "layers", *OTHERS]
    names = [each for name in names for each in (LAYERS if name == "layers" else [name])]
    if unknown := [name for name in names if name not in known and name not in OTHERS]:
        parser.error(
            f"no benchmark {', '.join(unknown)}; there are: {', '.join([*known, *OTHERS])}"
        )
    # Before a framework is imported: each reads its thread count once.
    os.environ.update(OMP_NUM_THREADS=str(THREADS), OPENBLAS_NUM_THREADS=str(THREADS))
    for name in names:
        if name in OTHERS:
            OTHERS[name](RESULTS, keep=not options.dry)
            continue
        benchmark = known[name]
        print(f"\n{name}: {benchmark.does}")
        if profiling:
            print_profile(benchmark.peers()["minitorch"]())
            continue
        only = options.only.split(",") if options.only else None
        steps, skipped = built(benchmark.peers(), only)
        samples = interleave(steps, options.rounds or benchmark.rounds)
        result = summary(name, benchmark.does, samples, skipped)
        if benchmark.bar is not None and "minitorch" in steps:
            shares = profiled(steps["minitorch"]).by_op()
            result |= {
                "goal": benchmark.goal,
                "bar": benchmark.bar,
                "profile": {op: round(share, 3) for op, share in shares.items()},
            }
        print_result(result)
        if noise(samples) > QUIET:
            print("  not kept: other processes were too busy; run it again on a quiet machine")
        elif not options.dry and only is None:
            path = RESULTS / f"{name}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(result, indent=2) + "\n")
    tables.write(RESULTS)


def built(
    peers: dict[str, Callable[[], Step]], only: list[str] | None
) -> tuple[dict[str, Step], dict[str, str]]:
    """The steps of the peers that are installed, and why the others are left out."""
    steps, skipped = {}, {}
    for name, build in peers.items():
        if only is not None and name not in only:
            continue
        try:
            steps[name] = build()
        except ImportError as error:
            skipped[name] = str(error)
            print(f"  {name}: left out ({error})")
    return steps, skipped


def summary(
    name: str, does: str, samples: dict[str, list[Sample]], skipped: dict[str, str]
) -> dict[str, object]:
    """All that is kept of a run."""
    times = {peer: quiet_median(taken) for peer, taken in samples.items()}
    unit = times.get(UNIT)
    peers = {
        peer: {"ms": round(1e3 * seconds, 4), "ratio": round(seconds / unit, 3) if unit else None}
        for peer, seconds in times.items()
    }
    return {
        **machine.head(name, does),
        "threads": THREADS,
        "libraries": machine.blas_kernels(),
        "cores_taken_by_others": round(noise(samples), 2),
        "peers": peers,
        "skipped": skipped,
    }


def print_result(result: dict[str, object]) -> None:
    """Print the run as a small table."""
    for key in ("machine", "versions", "libraries", "cores_taken_by_others"):
        print(f"  {key}: {result[key]}")
    peers = result["peers"]
    assert isinstance(peers, dict)
    for peer, figures in peers.items():
        ratio = "" if figures["ratio"] is None else f"{figures['ratio']:8.2f}"
        print(f"  {peer:<24}{figures['ms']:12.3f} ms{ratio}")


if __name__ == "__main__":
    main()
