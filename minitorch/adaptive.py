"""Optimizers whose steps adapt to each weight's gradients: Adam, AdamW, RMSprop, Lion."""

# Grown in notebooks: 3_02_adam. Edit there, then `make extract`.

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from minitorch.optimizer import Array, Optimizer

__all__ = ["Adam", "AdamW", "Lion", "RMSprop"]


class Adam(Optimizer):
    """Each parameter moves by its average gradient, divided by how large its gradients are.

    Averages fade with `betas` and are corrected for starting at 0: Kingma and Ba 2014.
    `weight_decay` is added to the gradient (L2); `AdamW` decays the weights themselves.
    """

    elementwise = True
    decoupled = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def start(self, value: Array, group: dict[str, Any]) -> dict[str, Any]:
        """Running averages of the gradient and of its square."""
        return {"step": 0, "exp_avg": np.zeros_like(value), "exp_avg_sq": np.zeros_like(value)}

    def update(self, value: Array, grad: Array, state: dict[str, Any], group: Any) -> None:
        """Change `value` in place."""
        lr, (beta1, beta2) = group["lr"], group["betas"]
        average, square = state["exp_avg"], state["exp_avg_sq"]
        if self.decoupled:
            value *= 1 - lr * group["weight_decay"]
        elif group["weight_decay"]:
            grad = grad + group["weight_decay"] * value
        scratch = self.scratch_like(value)
        average *= beta1
        average += np.multiply(grad, 1 - beta1, out=scratch)
        square *= beta2
        np.multiply(grad, grad, out=scratch)
        scratch *= 1 - beta2
        square += scratch
        np.sqrt(square, out=scratch)
        scratch /= math.sqrt(1 - beta2 ** state["step"])
        scratch += group["eps"]
        np.divide(average, scratch, out=scratch)
        scratch *= lr / (1 - beta1 ** state["step"])
        value -= scratch


class AdamW(Adam):
    """Adam whose weight decay shrinks the weights directly: Loshchilov and Hutter 2017."""

    decoupled = True
    fixed: ClassVar[dict[str, Any]] = {"decoupled_weight_decay": True}

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay)


class RMSprop(Optimizer):
    """The gradient divided by the root of the running mean of its square: Hinton 2012.

    `centered` divides by the running standard deviation instead: Graves 2013.
    """

    elementwise = True
    optional = (("momentum", "momentum_buffer"), ("centered", "grad_avg"))

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            alpha=alpha,
            eps=eps,
            weight_decay=weight_decay,
            momentum=momentum,
            centered=centered,
        )

    def start(self, value: Array, group: dict[str, Any]) -> dict[str, Any]:
        """The running mean of the square."""
        return {"step": 0, "square_avg": np.zeros_like(value)}

    def update(self, value: Array, grad: Array, state: dict[str, Any], group: Any) -> None:
        """Change `value` in place."""
        alpha, square = group["alpha"], state["square_avg"]
        if group["weight_decay"]:
            grad = grad + group["weight_decay"] * value
        scratch = self.scratch_like(value)
        square *= alpha
        np.multiply(grad, grad, out=scratch)
        scratch *= 1 - alpha
        square += scratch
        if group["centered"]:
            average = state["grad_avg"]
            average *= alpha
            average += np.multiply(grad, 1 - alpha, out=scratch)
            np.multiply(average, average, out=scratch)
            np.subtract(square, scratch, out=scratch)
            np.sqrt(scratch, out=scratch)
        else:
            np.sqrt(square, out=scratch)
        scratch += group["eps"]
        np.divide(grad, scratch, out=scratch)
        if group["momentum"]:
            velocity = state["momentum_buffer"]
            velocity *= group["momentum"]
            velocity += scratch
            np.copyto(scratch, velocity)
        scratch *= group["lr"]
        value -= scratch


class Lion(Optimizer):
    """Only the sign of the averaged gradient counts: every weight moves by `lr`, one way or other.

    Found by a search over programs: Chen et al. 2023. Half of Adam's memory; wants a learning
    rate three to ten times smaller, and a weight decay as much larger.
    """

    elementwise = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, weight_decay=weight_decay)

    def start(self, value: Array, group: dict[str, Any]) -> dict[str, Any]:
        """The running average of the gradient."""
        return {"step": 0, "exp_avg": np.zeros_like(value)}

    def update(self, value: Array, grad: Array, state: dict[str, Any], group: Any) -> None:
        """Change `value` in place."""
        lr, (beta1, beta2), average = group["lr"], group["betas"], state["exp_avg"]
        scratch = self.scratch_like(value)
        np.subtract(average, grad, out=scratch)
        scratch *= beta1
        scratch += grad  # beta1 * average + (1 - beta1) * grad
        np.sign(scratch, out=scratch)
        scratch *= lr
        value *= 1 - lr * group["weight_decay"]
        value -= scratch
        average *= beta2
        average += np.multiply(grad, 1 - beta2, out=scratch)
