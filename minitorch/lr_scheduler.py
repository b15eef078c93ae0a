"""Learning rates that change during training. Leans on `optimizer`.

A schedule counts its own steps and sets the rate of every parameter group of an optimizer; whether
a step is a batch or an epoch is up to who calls it.
"""

# Grown in notebooks: 3_02_adam. Edit there, then `make extract`.

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from minitorch.optimizer import NUMBER

if TYPE_CHECKING:
    from minitorch.optimizer import Optimizer

__all__ = [
    "CosineAnnealingLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "OneCycleLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
    "check_steps",
    "cosine",
]


def check_steps(schedule: str, name: str, count: Any) -> None:
    """Raise ValueError where `count` is no number of steps."""
    if not isinstance(count, NUMBER) or count < 1 or count % 1:
        raise ValueError(f"{schedule}: {name} is a whole number from 1 on, not {count!r}.")


class LRScheduler:
    """Base of the schedules: a subclass says in `rate` what a rate is after so many steps."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.last_epoch = 0
        self.base_lrs = [
            group.setdefault("initial_lr", group["lr"]) for group in optimizer.param_groups
        ]
        self.apply()

    def rate(self, base: float, step: int) -> float:
        """The rate after `step` steps of a group that began with `base`."""
        raise NotImplementedError

    def step(self) -> None:
        """Go on by one step."""
        self.last_epoch += 1
        self.apply()

    def apply(self) -> None:
        """Set the rates."""
        if len(self.base_lrs) != len(self.optimizer.param_groups):
            raise ValueError(
                f"{type(self).__name__}: it knows {len(self.base_lrs)} parameter groups, the "
                f"optimizer has {len(self.optimizer.param_groups)}. Build the schedule after the "
                "last group was added, and as it was when its state was saved."
            )
        self.set_rates([self.rate(base, self.last_epoch) for base in self.base_lrs])

    def set_rates(self, rates: Sequence[float]) -> None:
        """Give each group its rate; raises ValueError, before any is set, where one is none."""
        if wrong := [rate for rate in rates if not 0 <= rate < math.inf]:
            raise ValueError(
                f"{type(self).__name__}: a rate of {wrong[0]:g} at step {self.last_epoch}, "
                "which should be from 0 on. Look at what the schedule was built with."
            )
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate

    def get_last_lr(self) -> list[float]:
        """The rate of each group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """What is needed to go on: how far it is, and from which rates it came."""
        return {"last_epoch": self.last_epoch, "base_lrs": list(self.base_lrs)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave, in a schedule that was built alike."""
        if state.keys() != self.state_dict().keys():
            raise ValueError(
                f"{type(self).__name__}: its state has {', '.join(self.state_dict())}, not "
                f"{', '.join(state)}. Was it saved by a schedule of another kind?"
            )
        self.last_epoch = int(state["last_epoch"])
        self.base_lrs = [float(base) for base in state["base_lrs"]]
        self.apply()


class LambdaLR(LRScheduler):
    """The first rate times `lr_lambda(step)`."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Callable[[int], float]) -> None:
        self.lr_lambda = lr_lambda
        super().__init__(optimizer)

    def rate(self, base: float, step: int) -> float:
        """The rate after `step` steps."""
        return base * self.lr_lambda(step)


class StepLR(LRScheduler):
    """Times `gamma` every `step_size` steps."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size, self.gamma = step_size, gamma
        check_steps("StepLR", "step_size", step_size)
        super().__init__(optimizer)

    def rate(self, base: float, step: int) -> float:
        """The rate after `step` steps."""
        return base * self.gamma ** (step // self.step_size)


class MultiStepLR(LRScheduler):
    """Times `gamma` at each of the `milestones`."""

    def __init__(self, optimizer: Optimizer, milestones: Sequence[int], gamma: float = 0.1) -> None:
        self.milestones, self.gamma = milestones, gamma
        super().__init__(optimizer)

    def rate(self, base: float, step: int) -> float:
        """The rate after `step` steps."""
        return base * self.gamma ** sum(step >= milestone for milestone in self.milestones)


class ExponentialLR(LRScheduler):
    """Times `gamma` in each step."""

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        self.gamma = gamma
        super().__init__(optimizer)

    def rate(self, base: float, step: int) -> float:
        """The rate after `step` steps."""
        return base * self.gamma**step


class LinearLR(LRScheduler):
    """A straight line between two factors of the first rate, in `total_iters` steps: a warm-up."""

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
    ) -> None:
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = total_iters
        check_steps("LinearLR", "total_iters", total_iters)
        super().__init__(optimizer)

    def rate(self, base: float, step: int) -> float:
        """The rate after `step` steps."""
        done = min(step, self.total_iters) / self.total_iters
        return base * (self.start_factor + (self.end_factor - self.start_factor) * done)


def cosine(start: float, end: float, done: float) -> float:
    """From `start` to `end` along half a cosine wave, `done` going from 0 to 1."""
    return end + (start - end) * (1 + math.cos(math.pi * done)) / 2


class CosineAnnealingLR(LRScheduler):
    """Down to `eta_min` in `T_max` steps along half a cosine wave: Loshchilov and Hutter 2016."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max, self.eta_min = T_max, eta_min
        check_steps("CosineAnnealingLR", "T_max", T_max)
        super().__init__(optimizer)

    def rate(self, base: float, step: int) -> float:
        """The rate after `step` steps."""
        return cosine(base, self.eta_min, step / self.T_max)


class OneCycleLR(LRScheduler):
    """Up to `max_lr` and down to almost nothing, in `total_steps`: Smith and Topin 2017.

    A list of `max_lr` has one for each parameter group; `epochs` and `steps_per_epoch` may stand
    for their product. Momentum goes the other way, down and up again, if `cycle_momentum`.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        *,
        cycle_momentum: bool = True,
        base_momentum: float = 0.85,
        max_momentum: float = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
    ) -> None:
        groups = len(optimizer.param_groups)
        self.max_lrs = [max_lr] * groups if isinstance(max_lr, NUMBER) else list(max_lr)
        if len(self.max_lrs) != groups:
            raise ValueError(f"OneCycleLR: {len(self.max_lrs)} of max_lr for {groups} groups.")
        if total_steps is None:
            total_steps = (epochs or 0) * (steps_per_epoch or 0)
        check_steps("OneCycleLR", "total_steps, or epochs * steps_per_epoch,", total_steps)
        if not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycleLR: pct_start is from 0 to 1, not {pct_start}.")
        self.div_factor, self.final_div_factor = div_factor, final_div_factor
        self.total_steps = total_steps
        self.peak = pct_start * total_steps - 1
        self.momenta = (max_momentum, base_momentum) if cycle_momentum else None
        super().__init__(optimizer)

    def between(self, first: float, peak: float, last: float, step: int) -> float:
        """From the first value over the one at the peak to the last."""
        if step <= self.peak:
            return cosine(first, peak, step / self.peak) if self.peak else peak
        return cosine(peak, last, (step - self.peak) / (self.total_steps - 1 - self.peak))

    def rate(self, base: float, step: int) -> float:
        """The rate after `step` steps where all groups have the same; see `rate_to`."""
        if len(set(self.max_lrs)) > 1:
            raise ValueError("SequentialLR: a OneCycleLR in it has one max_lr for all groups.")
        return self.rate_to(self.max_lrs[0], step)

    def rate_to(self, top: float, step: int) -> float:
        """The rate after `step` steps on the way to `top`; raises ValueError after the last."""
        if step >= self.total_steps:
            raise ValueError(
                f"OneCycleLR: step {step + 1} of {self.total_steps}. Give it as many total_steps "
                "as there will be: batches per epoch times epochs."
            )
        first = top / self.div_factor
        return self.between(first, top, first / self.final_div_factor, step)

    def apply(self) -> None:
        """Set the rates, and the momentum or Adam's first beta."""
        self.set_rates([self.rate_to(top, self.last_epoch) for top in self.max_lrs])
        if self.momenta is None:
            return
        high, low = self.momenta
        momentum = self.between(high, low, high, self.last_epoch)
        for group in self.optimizer.param_groups:
            if "betas" in group:
                group["betas"] = (momentum, *group["betas"][1:])
            elif "momentum" in group:
                group["momentum"] = momentum


class SequentialLR(LRScheduler):
    """One schedule after the other: the next one takes over at each of the `milestones`."""

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int]
    ) -> None:
        if len(schedulers) != len(milestones) + 1:
            raise ValueError("SequentialLR: between n schedules there are n - 1 milestones.")
        if wrong := [each for each in schedulers if not isinstance(each, LRScheduler)]:
            raise TypeError(
                f"SequentialLR: {type(wrong[0]).__name__} cannot be told which step it is at. Step "
                "it by itself, after the others are through."
            )
        self.schedulers, self.milestones = schedulers, milestones
        super().__init__(optimizer)

    def rate(self, base: float, step: int) -> float:
        """The rate after `step` steps."""
        number = sum(step >= milestone for milestone in self.milestones)
        begun = self.milestones[number - 1] if number else 0
        return self.schedulers[number].rate(base, step - begun)


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
