"""Training as a picture: curves that grow epoch by epoch, while the cell still runs.

Leans on minitorch's callbacks; matplotlib and IPython are loaded when they are needed.
"""

from __future__ import annotations

from typing import Any

from minitorch.callbacks import Callback
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


class LivePlot(Callback):
    """Draw the history anew after every epoch, in place of the drawing before."""

    def __init__(self) -> None:
        self.display: Any = None

    def on_fit_start(self, trainer: Trainer) -> None:
        """Begin a drawing of its own below the cell."""
        self.display = None

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Draw, if anybody can see it."""
        from IPython import get_ipython
        from IPython.display import display

        if get_ipython() is None:
            return
        figure = draw_history(trainer.history)
        if self.display is None:
            self.display = display(figure, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self.display.update(figure)
