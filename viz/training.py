"""Training as a picture that grows epoch by epoch, while the cell still runs: curves, layers.

Leans on minitorch's callbacks; matplotlib and IPython are loaded when they are needed.
"""

from __future__ import annotations

from typing import Any

from minitorch.callbacks import Callback
from minitorch.layer_statistics import LayerStatistics
from minitorch.trainers import Trainer
from viz import theme

BESIDES = ("epoch", "seconds")  # figures of a row that are no measure of learning


def draw_history(history: list[dict[str, Any]]) -> Any:
    """Draw the figures of a trainer's history, one panel for each; returns matplotlib's figure.

    What was measured on unseen data is drawn beside what was measured while training.
    """
    from matplotlib.figure import Figure

    theme.use()
    names = [name for name in history[0] if name not in BESIDES]
    panels = [name for name in names if not name.startswith("validation_")]
    figure = Figure(figsize=(3.2 * len(panels), 2.6))
    epochs = [row["epoch"] for row in history]
    for axes, name in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        axes.plot(epochs, [row[name] for row in history], ".-", color=theme.STRUCTURE, label="seen")
        if (unseen := f"validation_{name}") in names:
            axes.plot(epochs, [row[unseen] for row in history], ".-", label="new")
            axes.legend()
        axes.set(title=name, xlabel="epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
    return figure


def draw_layers(batches: list[list[dict[str, Any]]]) -> Any:
    """Draw how far activations and gradients spread in each layer; returns matplotlib's figure.

    One line for the rows that `LayerStatistics` gave for a batch, the later the darker.
    """
    from matplotlib.figure import Figure

    theme.use()
    rows = [[row for row in batch if row.get("gradient_std")] for batch in batches]
    names = [f"{row['layer']} {row['kind']}" for row in rows[0]]
    figure = Figure(figsize=(9, 2.6))
    panels = (("std", "activations", theme.VALUE), ("gradient_std", "gradients", theme.GRADIENT))
    for axes, (key, title, color) in zip(figure.subplots(1, 2), panels, strict=True):
        for number, batch in enumerate(rows, start=1):
            age = number / len(rows)
            axes.semilogy([row[key] for row in batch], ".-", color=color, alpha=0.15 + 0.85 * age)
        axes.set(title=f"{title}: deviation, by layer")
        axes.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
    return figure


class LiveDrawing(Callback):
    """Base of what is drawn anew after every epoch, in place of the drawing before."""

    def __init__(self) -> None:
        self.display: Any = None

    def draw(self, trainer: Trainer) -> Any:
        """Return the figure of this moment; every subclass writes its own."""
        raise NotImplementedError(f"{type(self).__name__} has no draw.")

    def on_fit_start(self, trainer: Trainer) -> None:
        """Begin a drawing of its own below the cell."""
        self.display = None

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Draw, if anybody can see it."""
        from IPython import get_ipython
        from IPython.display import display

        if get_ipython() is None:
            return
        figure = self.draw(trainer)
        if self.display is None:
            self.display = display(figure, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self.display.update(figure)


class LivePlot(LiveDrawing):
    """The figures of the history as curves that grow epoch by epoch."""

    def draw(self, trainer: Trainer) -> Any:
        """Draw the history."""
        return draw_history(trainer.history)


class LiveLayers(LiveDrawing):
    """What flows through the layers in the first batch of each epoch, and what comes back."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[dict[str, Any]]] = []
        self.statistics: LayerStatistics | None = None

    def draw(self, trainer: Trainer) -> Any:
        """Draw the batches so far."""
        return draw_layers(self.batches)

    def on_fit_start(self, trainer: Trainer) -> None:
        """Begin a drawing, and listen to the first batch."""
        super().on_fit_start(trainer)
        self.listen(trainer)

    def listen(self, trainer: Trainer) -> None:
        """Listen to the next batch."""
        self.statistics = LayerStatistics(trainer.model).__enter__()

    def on_batch_end(self, trainer: Trainer) -> None:
        """Listen to one batch only: looking at every number takes time."""
        if self.statistics is not None:
            self.batches.append(self.statistics.rows)
            self.leave()

    def leave(self) -> None:
        """Listen no more."""
        if self.statistics is not None:
            self.statistics.__exit__()
            self.statistics = None

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Draw, and listen to the first batch of the next epoch."""
        super().on_epoch_end(trainer)
        self.listen(trainer)

    def on_fit_end(self, trainer: Trainer) -> None:
        """Leave no hook behind."""
        self.leave()
