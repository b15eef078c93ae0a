"""Optimizers: what changes the parameters once the gradients are there. Leans on `module`."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from minitorch.graph import mode
from minitorch.tensor import Tensor
from minitorch.versions import clock


class Optimizer:
    """Base of all optimizers: holds the parameters, and updates those that have a gradient."""

    def __init__(self, parameters: Iterable[Tensor], lr: float) -> None:
        self.parameters = list(parameters)
        self.lr = lr
        if not self.parameters:
            raise ValueError(f"{type(self).__name__}: there are no parameters to train.")
        for parameter in self.parameters:
            if not parameter.requires_grad:
                raise ValueError(f"{type(self).__name__}: {parameter!r:.80} requires no gradient.")

    def zero_grad(self) -> None:
        """Forget all gradients, so that the next backward starts from nothing."""
        for parameter in self.parameters:
            parameter.grad = None

    def step(self) -> None:
        """Update every parameter that has a gradient, in place."""
        for listener in mode.listeners:
            listener.on_update(self, finished=False)
        for index, parameter in enumerate(self.parameters):
            if parameter.grad is not None:
                self.update(index, parameter.data, parameter.grad.data)
                clock.stamp(parameter.data)
        for listener in mode.listeners:
            listener.on_update(self, finished=True)

    def update(self, index: int, value: np.ndarray, grad: np.ndarray) -> None:
        """Change `value`, the parameter number `index`, in place; `grad` is its gradient."""
        raise NotImplementedError


class SGD(Optimizer):
    """Stochastic gradient descent with momentum and L2 regularization (weight decay).

    velocity = momentum * velocity + grad + weight_decay * value;  value -= lr * velocity.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr)
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.velocities = [np.zeros_like(parameter.data) for parameter in self.parameters]

    def update(self, index: int, value: np.ndarray, grad: np.ndarray) -> None:
        """Change `value` in place."""
        if self.weight_decay:
            grad = grad + self.weight_decay * value
        if self.momentum:
            velocity = self.velocities[index]
            velocity *= self.momentum
            velocity += grad
            grad = velocity
        value -= self.lr * grad
