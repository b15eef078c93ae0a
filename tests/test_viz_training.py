"""Curves of a training: what is drawn, and what is drawn anew."""

from types import SimpleNamespace
from typing import Any

import IPython
import IPython.display
import numpy as np
import pytest

from minitorch import nn, optim
from minitorch.functional import cross_entropy
from minitorch.trainers import Trainer
from viz.training import LiveLayers, LivePlot, draw_history, draw_layers

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


def test_live_layers_look_at_one_batch_per_epoch_and_leave_no_hook():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    layers = LiveLayers()
    trainer = Trainer(model, optim.SGD(model.parameters()), cross_entropy, callbacks=[layers])
    batch = (np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32), np.arange(5) % 2)
    trainer.fit([batch, batch, batch], 2, validation=[batch], progress=False)
    assert len(layers.batches) == 2
    assert [row["kind"] for row in layers.batches[0]] == ["Flatten", "Linear", "ReLU", "Linear"]
    assert all(module.hooks is None for module in model.modules())
    values, gradients = draw_layers(layers.batches).axes
    assert [tick.get_text() for tick in values.get_xticklabels()] == [
        "1 Linear",
        "2 ReLU",
        "3 Linear",
    ]
    expected = [row["gradient_std"] for row in layers.batches[1][1:]]
    assert list(gradients.lines[1].get_ydata()) == pytest.approx(expected)
    assert values.lines[0].get_alpha() < values.lines[1].get_alpha()
