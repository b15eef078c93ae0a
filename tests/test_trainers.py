"""The trainer: it learns, stops, goes on, and complains where learning cannot work."""

import json
import signal
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import nn, optim
from minitorch.callbacks import (
    ClipGradients,
    EarlyStopping,
    LogFile,
    SaveCheckpoints,
    Schedule,
)
from minitorch.data import DataLoader, TensorDataset
from minitorch.functional import cross_entropy
from minitorch.trainers import Callback, Trainer, accuracy


def two_rings(count=200):
    random = np.random.default_rng(0)
    inner = np.arange(count) % 2
    angle = random.uniform(0, 2 * np.pi, count)
    radius = np.where(inner, 1, 2) + random.normal(0, 0.1, count)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
    return points.astype(np.float32), inner


def build(callbacks=(), dropout=0.0, lr=0.01, metrics=True):
    minitorch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Dropout(dropout), nn.Linear(16, 2))
    optimizer = optim.Adam(model.parameters(), lr=lr)
    watched: Any = {"accuracy": accuracy} if metrics else None
    return Trainer(model, optimizer, cross_entropy, watched, callbacks)


def loader():
    return DataLoader(TensorDataset(*two_rings()), 20, shuffle=True, seed=0)


class StopAt(Callback):
    """Press Ctrl-C after a batch."""

    def __init__(self, batch, epoch=0):
        self.when = (epoch, batch)

    def on_batch_end(self, trainer):
        if (trainer.epoch, trainer.batch) == self.when:
            signal.raise_signal(signal.SIGINT)


def test_fit_learns_and_keeps_its_history():
    trainer = build(lr=0.03)
    history = trainer.fit(loader(), 15, validation=loader(), progress=False)
    assert [row["epoch"] for row in history] == list(range(1, 16))
    assert history[-1]["validation_accuracy"] > 0.95
    assert history[-1]["loss"] < history[0]["loss"] / 2
    again = trainer.evaluate(loader())
    assert again["loss"] == pytest.approx(history[-1]["validation_loss"])


def test_the_same_seed_gives_the_same_weights():
    one, two = build(dropout=0.2), build(dropout=0.2)
    for trainer in (one, two):
        minitorch.manual_seed(1)
        trainer.fit(loader(), 2, progress=False)
    assert_same_weights(one, two)


def assert_same_weights(one, two):
    for name, value in one.model.state_dict().items():
        np.testing.assert_array_equal(value, two.model.state_dict()[name])


def test_predict_gives_the_model_output_in_evaluation_mode():
    trainer, (points, _) = build(dropout=0.5), two_rings()
    expected = trainer.model.eval()(minitorch.tensor(points)).array
    trainer.model.train()
    predicted = trainer.predict(points, batch_size=7)
    np.testing.assert_allclose(predicted, expected, rtol=1e-5)
    assert trainer.model.training


def test_evaluation_leaves_modes_as_they_were():
    trainer = build()
    trainer.model[2].eval()
    trainer.evaluate(loader())
    assert [module.training for module in trainer.model] == [True, True, False, True]


def test_interrupt_stops_after_the_batch_and_leaves_a_usable_model():
    trainer = build([StopAt(batch=3)])
    trainer.fit(loader(), 5, progress=False)
    assert trainer.stopped == "Ctrl-C in epoch 1, after batch 3"
    assert trainer.batch == 3
    assert np.isfinite(trainer.predict(two_rings()[0])).all()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_second_interrupt_stops_at_once():
    class Impatient(Callback):
        def on_batch_end(self, trainer):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        build([Impatient()]).fit(loader(), 1, progress=False)


def fresh(folder, *others):
    batches = loader()
    checkpoints = SaveCheckpoints(folder, batches)
    trainer = build(others, dropout=0.2)
    schedule = Schedule(optim.lr_scheduler.CosineAnnealingLR(trainer.optimizer, 40), every="batch")
    trainer.callbacks += [schedule, checkpoints]
    minitorch.manual_seed(5)
    return trainer, batches, checkpoints


@pytest.mark.parametrize("batch", [3, 10])
def test_resumed_training_gives_bit_identical_weights(tmp_path, batch):
    whole, batches, _ = fresh(tmp_path / "whole", Callback())
    whole.fit(batches, 4, validation=loader(), progress=False)
    broken, batches, _ = fresh(tmp_path / "broken", StopAt(batch, epoch=1))
    broken.fit(batches, 4, validation=loader(), progress=False)
    assert broken.stopped
    resumed, batches, checkpoints = fresh(tmp_path / "broken", Callback())
    assert checkpoints.resume(resumed)
    resumed.fit(batches, 4 - resumed.epoch, validation=loader(), progress=False)
    assert_same_weights(whole, resumed)
    for row, expected in zip(resumed.history, whole.history, strict=True):
        assert row["loss"] == expected["loss"]
        assert row["validation_accuracy"] == expected["validation_accuracy"]


def test_resume_where_there_is_no_checkpoint(tmp_path):
    trainer, _, checkpoints = fresh(tmp_path)
    assert not checkpoints.resume(trainer)


def test_best_weights_are_kept(tmp_path):
    trainer = build([SaveCheckpoints(tmp_path)])
    trainer.fit(loader(), 3, validation=loader(), progress=False)
    best = max(row["validation_accuracy"] for row in trainer.history)
    trainer.model.load_state_dict(minitorch.state.load(tmp_path / "best.safetensors"))
    assert trainer.evaluate(loader())["accuracy"] == pytest.approx(best)


def test_early_stopping():
    trainer = build([EarlyStopping("loss", patience=2, mode="max")])
    trainer.fit(loader(), 20, progress=False)
    assert trainer.epoch == 3
    assert trainer.stopped == "loss was best in epoch 1"


def test_watching_a_figure_that_is_not_there_is_explained():
    with pytest.raises(KeyError, match="only epoch, loss, accuracy"):
        build([EarlyStopping("los")]).fit(loader(), 1, progress=False)


@pytest.mark.parametrize("name", ["log.jsonl", "log.csv"])
def test_log_file_holds_the_history(tmp_path, name):
    path = tmp_path / name
    trainer = build([LogFile(path)])
    trainer.fit(loader(), 2, progress=False)
    lines = path.read_text().splitlines()
    if name.endswith("csv"):
        assert lines[0].split(",") == list(trainer.history[0])
        assert float(lines[2].split(",")[1]) == trainer.history[1]["loss"]
    else:
        assert [json.loads(line) for line in lines] == trainer.history


def test_schedules_by_epoch_and_by_watched_figure():
    trainer = build()
    by_epoch = Schedule(optim.lr_scheduler.StepLR(trainer.optimizer, 1, gamma=0.5))
    trainer.callbacks.append(by_epoch)
    trainer.fit(loader(), 3, progress=False)
    assert [row["lr"] for row in trainer.history] == [0.01, 0.005, 0.0025]
    plateau = build()
    watch = optim.lr_scheduler.ReduceLROnPlateau(plateau.optimizer, mode="max", patience=0)
    plateau.callbacks.append(Schedule(watch, watch="loss"))
    plateau.fit(loader(), 3, progress=False)
    assert [row["lr"] for row in plateau.history] == pytest.approx([0.01, 0.01, 0.001])


def test_clipping_happens_before_the_update():
    trainer = build([ClipGradients(0.0)])
    before = {name: value.copy() for name, value in trainer.model.state_dict().items()}
    trainer.optimizer = optim.SGD(trainer.model.parameters(), lr=1.0)
    trainer.fit(loader(), 1, progress=False)
    for name, value in trainer.model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_a_loss_that_is_no_number_stops_training():
    points, labels = two_rings()
    points[50] = np.inf
    batches = DataLoader(TensorDataset(points, labels), 20)
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match="epoch 1, batch 3"):
        build().fit(batches, 1, progress=False)


def test_no_batch_is_an_error():
    with pytest.raises(ValueError, match="no batch"):
        build().fit([], 1, progress=False)
    with pytest.raises(ValueError, match="no batch"):
        build().evaluate([])


def test_parameters_that_get_no_gradient_are_reported():
    trainer = build()
    trainer.model.spare = nn.Linear(2, 2)
    trainer.model.forward = lambda x: x @ trainer.model[0].weight[:2].T
    trainer.optimizer = optim.SGD(trainer.model.parameters(), lr=0.01)
    with pytest.warns(UserWarning, match=r"0\.bias, 3\.weight, 3\.bias, spare\.weight"):
        trainer.fit(loader(), 1, progress=False)


def test_progress_bar_counts_batches_and_prints_epochs(capsys):
    build().fit(loader(), 2)
    shown = capsys.readouterr()
    assert "20/20" in shown.err
    assert "epoch   2/2  loss" in shown.out
