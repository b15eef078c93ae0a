"""The trainer: it learns, stops, goes on, and complains where learning cannot work."""

import csv
import json
import math
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import nn, optim
from minitorch.callbacks import (
    Callback,
    ClipGradients,
    EarlyStopping,
    SaveCheckpoints,
    Schedule,
)
from minitorch.data import DataLoader, TensorDataset
from minitorch.functional import cross_entropy
from minitorch.logs import LogFile
from minitorch.state import StateError
from minitorch.trainers import Trainer, accuracy


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


UNSEEN = DataLoader(TensorDataset(*two_rings()), 20)
RATES: dict[str, Any] = {
    "each batch": lambda optimizer: Schedule(
        optim.lr_scheduler.OneCycleLR(optimizer, 0.01, 40), every="batch"
    ),
    "each epoch": lambda optimizer: Schedule(optim.lr_scheduler.StepLR(optimizer, 1, 0.5)),
    "by a figure": lambda optimizer: Schedule(
        optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode="max", patience=0), watch="loss"
    ),
}


def fresh(folder, *others, rates="each batch", minutes=10.0):
    """A training that saves, with its callbacks in the order that would be the worst."""
    checkpoints = SaveCheckpoints(folder, minutes=minutes)
    trainer = build([checkpoints, *others], dropout=0.2)
    trainer.callbacks.append(RATES[rates](trainer.optimizer))
    minitorch.manual_seed(5)
    return trainer, loader(), checkpoints


def uninterrupted(folder, rates="each batch"):
    trainer, batches, _ = fresh(folder, Callback(), rates=rates)
    trainer.fit(batches, 4, validation=UNSEEN, progress=False)
    return trainer


def assert_same_training(one, two):
    assert_same_weights(one, two)
    kept, expected = one.optimizer.state_dict(), two.optimizer.state_dict()
    assert kept["param_groups"] == expected["param_groups"]
    for row, other in zip(one.history, two.history, strict=True):
        for name in row.keys() - {"seconds"}:
            assert row[name] == other[name], name


@pytest.mark.parametrize("rates", RATES)
@pytest.mark.parametrize("batch", [3, 10])
def test_resumed_training_gives_bit_identical_weights(tmp_path, batch, rates):
    broken, batches, _ = fresh(tmp_path / "broken", StopAt(batch, epoch=1), rates=rates)
    broken.fit(batches, 4, validation=UNSEEN, progress=False)
    assert broken.stopped
    resumed, batches, checkpoints = fresh(tmp_path / "broken", Callback(), rates=rates)
    assert checkpoints.resume(resumed)
    resumed.fit(batches, 4 - resumed.epoch, validation=UNSEEN, progress=False)
    assert_same_training(resumed, uninterrupted(tmp_path / "whole", rates))


@pytest.mark.parametrize("rates", RATES)
def test_training_in_parts_is_one_training(tmp_path, rates):
    """Fitted twice, and saved at the end of an epoch that was planned to be the last."""
    planned, batches, _ = fresh(tmp_path / "parts", Callback(), rates=rates)
    for _ in range(2):
        planned.fit(batches, 1, validation=UNSEEN, progress=False)
    resumed, batches, checkpoints = fresh(tmp_path / "parts", Callback(), rates=rates)
    assert checkpoints.resume(resumed)
    resumed.fit(batches, 2, validation=UNSEEN, progress=False)
    assert_same_training(resumed, uninterrupted(tmp_path / "whole", rates))


def test_fit_goes_on_after_an_interrupt_although_the_loader_was_looked_into(tmp_path):
    trainer, batches, _ = fresh(tmp_path / "parts", StopAt(3, epoch=1))
    trainer.fit(batches, 4, validation=UNSEEN, progress=False)
    next(iter(batches))
    trainer.fit(batches, 4 - trainer.epoch, validation=UNSEEN, progress=False)
    assert_same_training(trainer, uninterrupted(tmp_path / "whole"))


def test_other_batches_begin_an_epoch_anew():
    trainer = build([StopAt(3)])
    trainer.fit(loader(), 1, progress=False)
    assert trainer.batch == 3
    trainer.callbacks = []
    trainer.fit(loader(), 1, progress=False)
    assert trainer.averages.count == 0
    assert trainer.batch == 0
    assert trainer.epoch == 1


def test_batches_without_a_state_go_on_where_they_were():
    batches = list(loader())
    whole, broken = build(), build([StopAt(3)])
    whole.fit(batches, 2, progress=False)
    broken.fit(batches, 2, progress=False)
    broken.fit(batches, 2, progress=False)
    assert_same_weights(whole, broken)


class Fails(Callback):
    """Raise an error at a moment of training: `when` is the moment, the epoch and the batch."""

    def __init__(self, moment, epoch, batch):
        self.when = (epoch, batch)
        setattr(self, moment, self.fail)

    def fail(self, trainer):
        if (trainer.epoch, trainer.batch) == self.when:
            raise OSError("the cable")


@pytest.mark.parametrize("moment, minutes", [("on_batch_end", 10.0), ("on_gradients", 0.0)])
def test_an_error_within_an_epoch_loses_nothing(tmp_path, moment, minutes):
    """Between batches it is saved then; within one, the checkpoint before it stays."""
    failing = Fails(moment, 1, 5)
    broken, batches, _ = fresh(tmp_path / "broken", failing, minutes=minutes)
    with pytest.raises(OSError, match="cable"):
        broken.fit(batches, 4, validation=UNSEEN, progress=False)
    assert broken.stopped == "OSError in epoch 2, after batch 5"
    resumed, batches, checkpoints = fresh(tmp_path / "broken", Callback())
    assert checkpoints.resume(resumed)
    assert (resumed.epoch, resumed.batch) == (1, 5)
    resumed.fit(batches, 3, validation=UNSEEN, progress=False)
    assert_same_training(resumed, uninterrupted(tmp_path / "whole"))


class Interrupting:
    """Batches that press Ctrl-C, once or twice, the first time that they are gone through."""

    def __init__(self, times):
        self.times = times

    def __iter__(self):
        for _ in range(self.times):
            signal.raise_signal(signal.SIGINT)
        self.times = 0
        return iter(loader())


def test_an_interrupt_of_the_last_validation_is_not_lost():
    trainer = build()
    trainer.fit(loader(), 1, validation=Interrupting(1), progress=False)
    assert trainer.stopped == "Ctrl-C after epoch 1"
    assert trainer.epoch == 1


class StopAfter(Callback):
    """Press Ctrl-C when an epoch is over, as while a checkpoint is written."""

    def on_epoch_end(self, trainer):
        signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("epochs", [1, 2])
def test_an_interrupt_between_epochs_stops_there(epochs):
    trainer = build([StopAfter()])
    trainer.fit(loader(), epochs, progress=False)
    assert trainer.stopped == "Ctrl-C after epoch 1"
    assert (trainer.epoch, trainer.batch) == (1, 0)


def test_what_runs_in_the_background_stays_deaf_to_ctrl_c():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell does for `python ... &`
    try:
        trainer = build([StopAt(3)])
        trainer.fit(loader(), 1, progress=False)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    assert (trainer.epoch, trainer.stopped) == (1, None)


def test_a_validation_that_was_broken_off_is_done_again(tmp_path):
    broken, batches, _ = fresh(tmp_path / "broken", Callback())
    with pytest.raises(KeyboardInterrupt):
        broken.fit(batches, 4, validation=Interrupting(2), progress=False)
    resumed, batches, checkpoints = fresh(tmp_path / "broken", Callback())
    assert checkpoints.resume(resumed)
    assert (resumed.epoch, resumed.batch) == (0, 10)
    resumed.fit(batches, 4, validation=UNSEEN, progress=False)
    assert_same_training(resumed, uninterrupted(tmp_path / "whole"))


def test_resume_where_there_is_no_checkpoint(tmp_path):
    trainer, _, checkpoints = fresh(tmp_path)
    assert not checkpoints.resume(trainer)


def test_best_weights_are_kept(tmp_path):
    trainer = build([SaveCheckpoints(tmp_path)])
    trainer.fit(loader(), 3, validation=loader(), progress=False)
    best = max(row["validation_accuracy"] for row in trainer.history)
    trainer.model.load_state_dict(minitorch.state.load(tmp_path / "best.safetensors"))
    assert trainer.evaluate(loader())["accuracy"] == pytest.approx(best)


def test_best_weights_that_could_not_be_saved_do_not_count(tmp_path, monkeypatch):
    trainer, batches, checkpoints = fresh(tmp_path, Callback())

    def full(*arguments):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        with pytest.raises(StateError, match="No space left"):
            trainer.fit(batches, 1, validation=UNSEEN, progress=False)
    assert checkpoints.best == -math.inf
    assert trainer.epoch == 1  # nothing is lost: it goes on where there is room again
    trainer.fit(batches, 1, validation=UNSEEN, progress=False)
    assert (tmp_path / "best.safetensors").exists()


def test_early_stopping():
    trainer = build([EarlyStopping("loss", patience=2, mode="max")])
    trainer.fit(loader(), 20, progress=False)
    assert trainer.epoch == 3
    assert trainer.stopped == "loss was best in epoch 1"


WATCHERS: list[Any] = [
    lambda trainer, folder: EarlyStopping("los"),
    lambda trainer, folder: SaveCheckpoints(folder, watch="los"),
    lambda trainer, folder: Schedule(
        optim.lr_scheduler.ReduceLROnPlateau(trainer.optimizer), watch="los"
    ),
]


@pytest.mark.parametrize("watcher", WATCHERS)
def test_watching_a_figure_that_will_not_be_there_is_explained_at_once(tmp_path, watcher):
    trainer = build()
    trainer.callbacks.append(watcher(trainer, tmp_path))
    with pytest.raises(KeyError, match="only epoch, loss, accuracy, lr"):
        trainer.fit(loader(), 1, progress=False)
    assert not trainer.optimizer.state


def test_settings_of_callbacks_that_cannot_work():
    for minutes in (-1, math.nan):
        with pytest.raises(ValueError, match="minutes is from 0 on"):
            SaveCheckpoints("folder", minutes=minutes)
    optimizer = build().optimizer
    with pytest.raises(ValueError, match='"min" or "max"'):
        SaveCheckpoints("folder", mode="maximum")
    with pytest.raises(ValueError, match='"min" or "max"'):
        EarlyStopping(mode="least")
    with pytest.raises(ValueError, match="needs the name of a figure"):
        Schedule(optim.lr_scheduler.ReduceLROnPlateau(optimizer))
    with pytest.raises(ValueError, match="and no other schedule"):
        Schedule(optim.lr_scheduler.StepLR(optimizer, 1), watch="loss")


def test_plateau_takes_nan_for_no_progress():
    optimizer = build(lr=1.0).optimizer
    plateau = optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, factor=0.5)
    rates = []
    for figure in (np.nan, 3.0, np.nan, 2.0, 2.0):
        plateau.step(figure)
        rates += plateau.get_last_lr()
    assert rates == [0.5, 0.5, 0.25, 0.25, 0.125]


@pytest.mark.parametrize("name", ["log.jsonl", "log.csv"])
def test_log_file_holds_the_history(tmp_path, name):
    path = tmp_path / name
    trainer = build([LogFile(path)])
    trainer.fit(loader(), 2, progress=False)
    trainer.fit(loader(), 1, validation=loader(), progress=False)
    lines = path.read_text().splitlines()
    if name.endswith("csv"):
        rows = list(csv.DictReader(lines))
        assert rows[0].keys() == trainer.history[2].keys()
        for row, expected in zip(rows, trainer.history, strict=True):
            assert {name: float(text) for name, text in row.items() if text} == expected
    else:
        assert [json.loads(line) for line in lines] == trainer.history
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["log.jsonl", "log.csv"])
def test_log_of_another_training_is_kept(tmp_path, name):
    texts = []
    for _ in range(3):
        trainer = build([LogFile(tmp_path / name), StopAt(1, epoch=1)])
        trainer.fit(loader(), 2, progress=False)
        texts.append((tmp_path / name).read_text())
    stem, suffix = name.split(".")
    for number, text in enumerate(texts[:2], start=1):
        assert (tmp_path / f"{stem}.{number}.{suffix}").read_text() == text != ""
    assert (tmp_path / name).read_text() == texts[2]


def test_log_goes_on_after_a_resume_without_the_epochs_that_were_lost(tmp_path):
    path = tmp_path / "log.csv"
    trainer, batches, _ = fresh(tmp_path, LogFile(path))
    trainer.fit(batches, 2, progress=False)
    first = path.read_text()
    with path.open("a") as log:
        log.write(first.splitlines()[-1] + "\n")  # as if killed before the checkpoint
    resumed, batches, checkpoints = fresh(tmp_path, LogFile(path))
    checkpoints.resume(resumed)
    resumed.fit(batches, 1, progress=False)
    assert path.read_text().startswith(first)
    assert len(path.read_text().splitlines()) == 4
    assert not list(tmp_path.glob("log.1*"))


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
    trainer = build([StopAt(2)])
    trainer.fit(batches, 1, progress=False)
    before = {name: value.copy() for name, value in trainer.model.state_dict().items()}
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match="epoch 1, batch 3"):
        trainer.fit(batches, 1, progress=False)
    for name, value in trainer.model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


class NoGradient(Callback):
    """Make the gradients of a batch NaN, as a square root at 0 does."""

    def __init__(self, epoch, batch):
        self.when = (epoch, batch)

    def on_gradients(self, trainer):
        if (trainer.epoch, trainer.batch) == self.when:
            trainer.model[3].bias.grad.array[...] = np.nan


def test_a_loss_that_is_no_number_tells_which_weights_are_lost():
    trainer = build([NoGradient(0, 3)])
    with pytest.raises(FloatingPointError, match=r"batch 5; NaN is in 3\.bias already: go back"):
        trainer.fit(loader(), 1, progress=False)


def test_running_statistics_of_a_batch_that_is_no_number_are_told_of():
    points, labels = two_rings()
    points[50] = np.nan
    trainer = build()
    trainer.model = nn.Sequential(nn.BatchNorm1d(2), *trainer.model.children())
    with pytest.raises(FloatingPointError, match=r"NaN is in 0\.running_mean, 0\.running_var"):
        trainer.fit(DataLoader(TensorDataset(points, labels), 20), 1, progress=False)


def test_weights_that_are_no_numbers_are_not_saved_over_whole_ones(tmp_path):
    trainer, batches, _ = fresh(tmp_path, NoGradient(1, 9))
    with pytest.raises(FloatingPointError, match=r"NaN is in 3\.bias; it is not saved"):
        trainer.fit(batches, 4, validation=UNSEEN, progress=False)
    resumed, _, checkpoints = fresh(tmp_path, Callback())
    assert checkpoints.resume(resumed)
    assert resumed.epoch == 1
    for path in tmp_path.glob("*.safetensors"):
        assert all(np.isfinite(values).all() for values in minitorch.load(path).values())


def test_a_folder_that_cannot_be_written_to_is_noticed_before_training(tmp_path):
    (tmp_path / "file").write_text("in the way")
    trainer = build([SaveCheckpoints(tmp_path / "file")])
    with pytest.raises(StateError, match=r"nothing can be written to .*file \(.*has not begun"):
        trainer.fit(loader(), 1, progress=False)
    assert not trainer.history


@pytest.mark.parametrize("with_loader", [True, False])
def test_an_epoch_goes_on_only_with_batches_of_the_kind_it_began_with(tmp_path, with_loader):
    kinds: list[Any] = [loader(), list(loader())]
    broken = build([StopAt(3), SaveCheckpoints(tmp_path)])
    broken.fit(kinds[not with_loader], 1, progress=False)
    checkpoints = SaveCheckpoints(tmp_path)
    resumed = build([Callback(), checkpoints])
    assert checkpoints.resume(resumed)
    with pytest.raises(ValueError, match=r"from within an epoch, .* cannot go on from it"):
        resumed.fit(kinds[with_loader], 1, progress=False)


def test_predicting_nothing_is_explained():
    with pytest.raises(ValueError, match=r"\(0, 2\)"):
        build().predict(np.ones((0, 2), np.float32))
    with pytest.raises(ValueError, match="batch_size is a whole number from 1 on, not 0"):
        build().predict(np.ones((3, 2), np.float32), batch_size=0)


def test_a_checkpoint_of_other_callbacks_is_refused(tmp_path):
    trainer, batches, _ = fresh(tmp_path)
    trainer.fit(batches, 1, progress=False)
    other, _, checkpoints = fresh(tmp_path, Callback())
    with pytest.raises(minitorch.state.StateError, match="2 callbacks, there are 3"):
        checkpoints.resume(other)


@pytest.mark.parametrize("epochs", [1.5, -1, "2"])
def test_epochs_are_whole_numbers(epochs):
    with pytest.raises(ValueError, match="epochs is a whole number"):
        build().fit(loader(), epochs, progress=False)


def test_a_metric_cannot_take_the_place_of_the_loss():
    """Under its name it would hide a loss that is no number."""
    trainer = build()
    for name in ("loss", "lr", "validation_loss"):
        with pytest.raises(ValueError, match=f"another name than {name}"):
            Trainer(trainer.model, trainer.optimizer, cross_entropy, {name: accuracy})


def test_a_loss_and_a_metric_are_one_number():
    trainer = build()
    trainer.loss = lambda output, target: output
    with pytest.raises(ValueError, match=r"loss is one number, not of shape \(20, 2\)"):
        trainer.fit(loader(), 1, progress=False)
    trainer = build()
    trainer.metrics = {"hits": lambda output, target: output.array.argmax(axis=1) == target.array}
    with pytest.raises(ValueError, match=r"hits is one number, not of shape \(20,\)"):
        trainer.fit(loader(), 1, progress=False)
    trainer.metrics = {"hits": lambda output, target: None}
    with pytest.raises(ValueError, match="hits is one number, not None"):
        trainer.fit(loader(), 1, progress=False)


def test_a_loss_that_has_left_the_graph_is_explained():
    trainer = build()
    trainer.loss = lambda output, target: cross_entropy(output, target).item()
    with pytest.raises(TypeError, match=r"loss is a float, .* without item\(\)"):
        trainer.fit(loader(), 1, progress=False)


def test_a_data_set_in_place_of_batches_is_explained():
    for use in (lambda data: build().fit(data, 1, progress=False), build().evaluate):
        with pytest.raises(TypeError, match=r"of shape \(2,\) is a single number.* DataLoader"):
            use(TensorDataset(*two_rings()))


def test_batches_that_are_used_up_are_explained():
    used_up = iter(list(loader()))
    with pytest.raises(ValueError, match="iterator that is used up"):
        build().fit(used_up, 2, progress=False)
    unseen = iter(list(loader()))
    with pytest.raises(ValueError, match=r"evaluate: .* iterator that an earlier epoch used up"):
        build().fit(loader(), 2, validation=unseen, progress=False)


@pytest.mark.parametrize(
    "batch, words",
    [
        ((np.zeros((4, 2)), np.zeros(4, int), np.ones(4)), "not a tuple of 3"),
        ([np.zeros((4, 2))], "not a list of 1"),
        ({"x": np.zeros((4, 2)), "y": np.zeros(4, int)}, "not a dict of 'x', 'y'"),
        (np.zeros((2, 4, 2)), "not a ndarray"),
        (None, "not a NoneType"),
    ],
)
def test_a_batch_that_is_no_pair_is_explained(batch, words):
    trainer = build()
    for use in (lambda: trainer.fit([batch], 1, progress=False), lambda: trainer.evaluate([batch])):
        with pytest.raises(TypeError, match=rf"a batch is a pair \(inputs, target\), {words}"):
            use()


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


def test_classes_in_a_list_stay_whole_numbers():
    model = nn.Linear(2, 3)
    trainer = Trainer(model, optim.SGD(model.parameters(), 0.1), cross_entropy)
    history = trainer.fit([([[1.0, 2.0], [0.0, 1.0]], [0, 2])], 1, progress=False)
    assert np.isfinite(history[-1]["loss"])
