"""Curves of a training: what is drawn, and what is drawn anew."""

from types import SimpleNamespace
from typing import Any

import IPython
import IPython.display
import pytest

from viz.training import LivePlot, draw_history

HISTORY = [
    {"epoch": k, "loss": 1 / k, "validation_loss": 2 / k, "lr": 0.1, "seconds": 3.0}
    for k in range(1, 4)
]


def test_a_panel_for_each_figure_with_unseen_data_beside():
    loss, lr = draw_history(HISTORY).axes
    assert (loss.get_title(loc="left"), lr.get_title(loc="left")) == ("loss", "lr")
    seen, new = (list(line.get_ydata()) for line in loss.lines)
    assert seen == pytest.approx([1, 1 / 2, 1 / 3])
    assert new == pytest.approx([2, 1, 2 / 3])
    assert len(lr.lines) == 1


class Handle:
    """What IPython gives for a drawing that can be replaced."""

    def __init__(self):
        self.updates = []

    def update(self, figure):
        self.updates.append(figure)


def trained_for(epochs) -> Any:
    return SimpleNamespace(history=HISTORY[:epochs])


def test_live_plot_replaces_its_drawing(monkeypatch):
    handles = []

    def display(figure, display_id):
        handles.append(Handle())
        return handles[-1]

    monkeypatch.setattr(IPython, "get_ipython", object)
    monkeypatch.setattr(IPython.display, "display", display)
    plot = LivePlot()
    plot.on_fit_start(trained_for(0))
    for epochs in (1, 2, 3):
        plot.on_epoch_end(trained_for(epochs))
    assert len(handles) == 1
    assert len(handles[0].updates) == 2
    plot.on_fit_start(trained_for(3))
    plot.on_epoch_end(trained_for(3))
    assert len(handles) == 2


def test_live_plot_is_quiet_outside_a_notebook(capsys):
    LivePlot().on_epoch_end(trained_for(1))
    assert capsys.readouterr().out == ""
