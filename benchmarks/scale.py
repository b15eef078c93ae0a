"""How a training step's time grows: with the batch, the network's depth, the image's area."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.networks import Network, minitorch_step
from benchmarks.timing import Sample, interleave, noise

ROUNDS = 3
QUIET = 0.3
BATCHES = (16, 32, 64, 128, 256)
DEPTHS = (20, 32, 44, 56)
SIDES = (16, 24, 32, 48, 64)  # pixels


def cifar_resnet(depth: int, batch: int, side: int) -> Network:
    """A ResNet of 6n + 2 layers on square images."""
    return Network("models.resnet", f"resnet{depth}", ("B",), (batch, 3, side, side))


SERIES: dict[str, dict[int, Network]] = {
    "batch": {batch: cifar_resnet(20, batch, 32) for batch in BATCHES},
    "depth": {depth: cifar_resnet(depth, 32, 32) for depth in DEPTHS},
    "side": {side: cifar_resnet(20, 32, side) for side in SIDES},
}


def measure(results: Path, keep: bool) -> None:
    """Measure every point, print it, and keep the figures and the drawing of a quiet run."""
    print("\nscale: a training step of ResNets, milliseconds")
    series: dict[str, dict[int, float]] = {}
    taken: dict[str, list[Sample]] = {}
    for name, networks in SERIES.items():
        steps = {f"{name} {at}": minitorch_step(network) for at, network in networks.items()}
        samples = interleave(steps, ROUNDS)
        taken |= samples
        series[name] = {
            at: round(1e3 * min(sample.seconds for sample in samples[f"{name} {at}"]), 2)
            for at in networks
        }
        print(f"  {name}: {series[name]}")
    if noise(taken) > QUIET:
        print("  not kept: other processes were too busy; run it again on a quiet machine")
    elif keep:
        result = {
            **machine.head(
                "scale", "training step of ResNets by batch, depth and side of the images"
            ),
            "cores_taken_by_others": round(noise(taken), 2),
            "ms": series,
            "peers": {},
        }
        results.mkdir(exist_ok=True)
        (results / "scale.json").write_text(json.dumps(result, indent=2) + "\n")
        draw(series, results / "scale.svg")


def draw(series: dict[str, dict[int, float]], path: Path) -> None:
    """Three plots, each with the line that the ideal would follow."""
    plt: Any = import_module("matplotlib.pyplot")
    theme: Any = import_module("viz.theme")
    theme.use()
    plt.rcParams["svg.hashsalt"] = "minitorch"
    figure, axes = plt.subplots(1, 3, figsize=(9, 2.6), layout="constrained")
    plots = {
        "batch, time per image": {at: ms / at for at, ms in series["batch"].items()},
        "layers, batch 32": series["depth"],
        "pixels of an image, batch 32": {at * at: ms for at, ms in series["side"].items()},
    }
    for axis, (title, points) in zip(axes, plots.items(), strict=True):
        places, times = list(points), list(points.values())
        flat = title.startswith("batch")
        ideal = [times[-1] if flat else times[-1] * place / places[-1] for place in places]
        axis.plot(places, ideal, color=theme.STRUCTURE, linestyle="--", label="ideal")
        axis.plot(places, times, color=theme.VALUE, marker="o", label="measured")
        axis.set(xlabel=title, ylim=(0, 1.15 * max(times)))
    axes[0].set(ylabel="milliseconds", xscale="log", xticks=BATCHES, xticklabels=BATCHES)
    axes[0].minorticks_off()
    axes[0].legend()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
