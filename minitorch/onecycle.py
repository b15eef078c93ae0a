"""A learning rate that goes up once and far down, momentum the other way. Leans on `schedules`."""

# Grown in notebooks: 3_06_long_training. Edit there, then `make extract`.

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from minitorch.optimizer import NUMBER
from minitorch.schedules import LRScheduler, check_steps, cosine

if TYPE_CHECKING:
    from minitorch.optimizer import Optimizer

__all__ = ["OneCycleLR"]


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
        """From the first value over the one at the peak to the last, where it stays."""
        step = min(step, self.total_steps - 1)
        if step <= self.peak:
            return cosine(first, peak, step / self.peak) if self.peak else peak
        return cosine(peak, last, (step - self.peak) / (self.total_steps - 1 - self.peak))

    def rate(self, base: float, step: int) -> float:
        """The rate after `step` steps where all groups have the same; see `rate_to`."""
        if len(set(self.max_lrs)) > 1:
            raise ValueError("SequentialLR: a OneCycleLR in it has one max_lr for all groups.")
        return self.rate_to(self.max_lrs[0], step)

    def rate_to(self, top: float, step: int) -> float:
        """The rate after `step` steps on the way to `top`; raises ValueError beyond the last."""
        if step > self.total_steps:  # a loop may step once more after the last batch, for none
            raise ValueError(
                f"OneCycleLR: step {step} of {self.total_steps}. Give it as many total_steps "
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
