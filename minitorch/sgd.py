"""Stochastic gradient descent: with momentum, Nesterov's look ahead, weight decay."""

# Grown in notebooks: 2_07_descent. Edit there, then `make extract`.

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from minitorch.optimizer import Array, Optimizer

__all__ = ["SGD"]


class SGD(Optimizer):
    """Stochastic gradient descent with momentum and L2 regularization (weight decay).

    momentum_buffer = momentum * momentum_buffer + (1 - dampening) * (grad + weight_decay * value)
    value -= lr * momentum_buffer; with `nesterov`, lr * (grad + momentum * momentum_buffer).
    Sutskever et al. 2013, in PyTorch's form.
    """

    elementwise = True
    optional = (("momentum", "momentum_buffer"),)
    assumed: ClassVar[dict[str, Any]] = {"step": 1}  # PyTorch counts none

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            momentum=momentum,
            dampening=dampening,
            weight_decay=weight_decay,
            nesterov=nesterov,
        )

    def check_settings(self, settings: dict[str, Any]) -> None:
        """Raise ValueError where a setting of a group is out of its range."""
        super().check_settings(settings)
        if settings["nesterov"] and (not settings["momentum"] or settings["dampening"]):
            raise ValueError("SGD: nesterov needs a momentum above 0, and no dampening.")

    def update(self, value: Array, grad: Array, state: dict[str, Any], group: Any) -> None:
        """Change `value` in place."""
        momentum = group["momentum"]
        if group["weight_decay"]:
            grad = grad + group["weight_decay"] * value
        if momentum:
            velocity = state["momentum_buffer"]
            velocity *= momentum
            dampened = group["dampening"] and state["step"] > 1
            velocity += (1 - group["dampening"]) * grad if dampened else grad
            grad = grad + momentum * velocity if group["nesterov"] else velocity
        value -= group["lr"] * grad
