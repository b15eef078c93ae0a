"""How a training tells of itself: a progress bar, a file of figures. Leans on `callbacks`."""

# Grown in notebooks: 2_08_training, 3_06_long_training. Edit there, then `make extract`.

from __future__ import annotations

import csv
import io
import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minitorch.callbacks import Callback
from minitorch.files import write_safely

if TYPE_CHECKING:
    from minitorch.trainers import Trainer

__all__ = ["LogFile", "ProgressBar", "in_words"]


class ProgressBar(Callback):
    """One bar for the whole training, with the time that is left, and a line per epoch."""

    def on_fit_start(self, trainer: Trainer) -> None:
        """Open the bar."""
        from tqdm.auto import tqdm  # here, because it costs more to import than all of minitorch

        epochs = trainer.last_epoch - trainer.epoch
        total = trainer.batches_per_epoch and trainer.batches_per_epoch * epochs - trainer.batch
        self.bar = tqdm(total=total, unit="batch", mininterval=0.2, dynamic_ncols=True)

    def on_batch_end(self, trainer: Trainer) -> None:
        """Move on by one batch."""
        self.bar.set_description(f"epoch {trainer.epoch + 1}/{trainer.last_epoch}", refresh=False)
        if trainer.batch % 20 == 1:
            self.bar.set_postfix_str(in_words(trainer.averages.result()), refresh=False)
        self.bar.update()

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Print the figures of the epoch."""
        row = trainer.history[-1]
        self.bar.write(f"epoch {row['epoch']:3}/{trainer.last_epoch}  {in_words(row)}")

    def on_fit_end(self, trainer: Trainer) -> None:
        """Close the bar."""
        self.bar.close()
        if trainer.stopped:
            print(f"Stopped: {trainer.stopped}.")


def in_words(row: dict[str, Any]) -> str:
    """The figures of an epoch on one line."""
    figures = {name: value for name, value in row.items() if isinstance(value, float)}
    return "  ".join(f"{name} {value:.4g}" for name, value in figures.items())


class LogFile(Callback):
    """Keep the figures of each epoch in a file: one JSON object per line, or CSV by its name.

    A file of another training that bears this name is kept, under a number.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def on_fit_start(self, trainer: Trainer) -> None:
        """Go on with the file of this training, or begin one."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        before = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
        now = self.in_lines(trainer.history)
        if before and not (now and (before.startswith(now) or now.startswith(before))):
            self.path.rename(self.free_name())
        self.write(now)

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Write at once, so that a run that is killed leaves its history."""
        self.write(self.in_lines(trainer.history))

    def in_lines(self, history: list[dict[str, Any]]) -> str:
        """The history as text; a figure that came later has a column of its own, empty before."""
        if self.path.suffix != ".csv":
            return "".join(json.dumps(row) + "\n" for row in history)
        text = io.StringIO()
        columns = dict.fromkeys(name for row in history for name in row)
        writer = csv.DictWriter(text, list(columns), lineterminator="\n")
        if history:
            writer.writeheader()
        writer.writerows(history)
        return text.getvalue()

    def write(self, text: str) -> None:
        """Put `text` in place of what is in the file."""
        write_safely(self.path, text.encode())

    def free_name(self) -> Path:
        """The name with the first number that no file has."""
        numbered = (
            self.path.with_name(f"{self.path.stem}.{number}{self.path.suffix}")
            for number in itertools.count(1)
        )
        return next(path for path in numbered if not path.exists())
