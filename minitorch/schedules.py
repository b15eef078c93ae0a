"""Learning rates that follow a formula during training. Leans on `optimizer`.

A schedule counts its own steps and sets the rate of every parameter group of an optimizer; whether
a step is a batch or an epoch is up to who calls it.
"""

# Grown in notebooks: 3_06_long_training. Edit there, then `make extract`.

from __future__ import annotations

import math
import warnings
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
        self.warned = False
        self.rates: list[float] = []  # as it set them last
        self.base_lrs = [
            group.setdefault("initial_lr", group["lr"]) for group in optimizer.param_groups
        ]
        self.apply()

    def rate(self, base: float, step: int) -> float:
        """The rate after `step` steps of a group that began with `base`."""
        raise NotImplementedError

    def step(self) -> None:
        """Go on by one step; warns, once, of rates that somebody else set since the last one."""
        found = self.get_last_lr()
        if found[: len(self.rates)] != self.rates and not self.warned:
            self.warned = True
            warnings.warn(
                f"{type(self).__name__}: the rates were {self.rates}, somebody else made them "
                f"{found}; that is lost now. A schedule follows its formula and multiplies nothing "
                "into what it finds: of two, make one LambdaLR, or a SequentialLR.",
                stacklevel=2,
            )
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
        self.rates = [float(rate) for rate in rates]
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
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
        if not callable(lr_lambda):
            raise TypeError(
                f"LambdaLR: {lr_lambda!r:.60} is no function of the step. All groups follow one; "
                "for a group of its own way, give it an optimizer and a schedule of its own."
            )
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


class SequentialLR(LRScheduler):
    """One schedule after the other: the next one takes over at each of the `milestones`."""

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int]
    ) -> None:
        if len(schedulers) != len(milestones) + 1:
            raise ValueError("SequentialLR: between n schedules there are n - 1 milestones.")
        if list(milestones) != sorted(set(milestones)) or min(milestones, default=0) < 0:
            raise ValueError(f"SequentialLR: the milestones {milestones} do not rise from 0 on.")
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
