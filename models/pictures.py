"""What a run draws: the network's graph, and what it says about images. Leans on matplotlib."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import viz
from minitorch.digits import LabelledImages
from minitorch.tensor import Tensor
from viz import theme

Array = np.ndarray


def draw_network(loss: Tensor, path: Path) -> Path:
    """Draw the computation graph of a loss with its gradients."""
    return viz.draw_graph(loss).save(path)


def draw_predictions(
    data: LabelledImages, probabilities: Array, label: Callable[[int], Any], path: Path
) -> Path:
    """Twenty test images and the twenty worst mistakes, each with what the model says."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    theme.use()
    predicted = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != data.labels)
    worst = wrong[np.argsort(-probabilities[wrong, predicted[wrong]])][:20]
    shown = [*range(20), *worst]
    figure, axes = plt.subplots(4, 10, figsize=(10, 4.9))
    for axis in axes.flat:
        axis.axis("off")
    for axis, index in zip(axes.flat, shown, strict=False):
        right = predicted[index] == data.labels[index]
        says = f"{label(predicted[index])}  {probabilities[index].max():.0%}"
        pixels = data.images[index].transpose(1, 2, 0)
        axis.imshow(pixels, cmap="gray_r")  # the colours of grey images
        axis.set_title(
            says if right else f"✗ {says}\nis {label(data.labels[index])}",
            color=theme.INK if right else theme.TROUBLE,
            fontsize=9,
            loc="center",
        )
    accuracy = 1 - len(wrong) / len(predicted)
    figure.suptitle(
        f"{accuracy:.1%} of {len(predicted):,} unseen images right. Above any twenty with the "
        f"answer and how sure it is,\nbelow the {len(worst)} surest mistakes.",
        fontsize=10,
    )
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path
