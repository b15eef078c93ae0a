"""A learning rate that falls when training no longer gets on. Leans on `optimizer`."""

# Grown in notebooks: 3_06_long_training. Edit there, then `make extract`.

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minitorch.optimizer import Optimizer

__all__ = ["ReduceLROnPlateau"]


class ReduceLROnPlateau:
    """Times `factor` when a watched number has not become better for more than `patience` steps.

    `mode` is "min" or "max"; better means better by the part `threshold`. After a reduction
    it waits for `cooldown` steps before it counts again.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        if mode not in ("min", "max"):
            raise ValueError(f'ReduceLROnPlateau: mode is "min" or "max", not {mode!r}.')
        if not 0 <= factor < 1:
            raise ValueError(f"ReduceLROnPlateau: factor is from 0 to below 1, not {factor}.")
        for name, count in (("patience", patience), ("cooldown", cooldown)):
            if not isinstance(count, int) or count < 0:
                raise ValueError(
                    f"ReduceLROnPlateau: {name} is a whole number from 0 on, not {count!r}."
                )
        self.optimizer = optimizer
        self.sign = 1 if mode == "min" else -1
        self.factor, self.patience, self.threshold = factor, patience, threshold
        self.cooldown, self.min_lr = cooldown, min_lr
        self.best = math.inf
        self.bad_steps = 0
        self.waiting = 0

    def step(self, metric: float) -> None:
        """Look at the number, and reduce the rates if it is time."""
        number = self.sign * float(metric)
        margin = 0.0 if math.isinf(self.best) else self.threshold * abs(self.best)
        if number < self.best - margin:  # what is no number is never better
            self.best, self.bad_steps = number, 0
        else:
            self.bad_steps += 1
        if self.waiting:
            self.waiting -= 1
            self.bad_steps = 0
        if self.bad_steps > self.patience:
            for group in self.optimizer.param_groups:
                group["lr"] = max(group["lr"] * self.factor, self.min_lr)
            self.bad_steps, self.waiting = 0, self.cooldown

    def get_last_lr(self) -> list[float]:
        """The rate of each group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """What is needed to go on."""
        return {"best": self.best, "bad_steps": self.bad_steps, "waiting": self.waiting}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        if state.keys() != self.state_dict().keys():
            raise ValueError(
                f"ReduceLROnPlateau: its state has {', '.join(self.state_dict())}, not "
                f"{', '.join(state)}."
            )
        self.best = float(state["best"])
        self.bad_steps, self.waiting = int(state["bad_steps"]), int(state["waiting"])
