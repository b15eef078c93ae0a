"""Optimizers: what changes the parameters once the gradients are there. Leans on `tensor`."""

# Grown in notebooks: 2_07_descent, 3_02_adam. Edit there, then `make extract`.

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from minitorch import lr_scheduler
from minitorch.graph import mode
from minitorch.tensor import Tensor
from minitorch.versions import clock

__all__ = ["SGD", "Adam", "AdamW", "Lion", "Optimizer", "RMSprop", "lr_scheduler"]


Array = np.ndarray
BLOCK = 1 << 18  # elements: 1 MB of float32, which stays in the cache from one pass to the next


class Optimizer:
    """Base of all optimizers: parameters in groups with settings, and what is kept for each.

    Parameters
    ----------
    params : parameters, or dicts `{"params": [...], "lr": ...}` with settings of their own
    defaults : what holds for every group that does not say otherwise

    A subclass writes `start`, what it keeps per parameter, and `update`.
    """

    def __init__(self, params: Iterable[Any], **defaults: Any) -> None:
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self.state: dict[Tensor, dict[str, Any]] = {}
        self.scratch = np.empty(0, np.float32)
        self.warned = False
        groups = list(params)
        if not groups:
            raise ValueError(f"{type(self).__name__}: there are no parameters to train.")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def add_param_group(self, group: dict[str, Any]) -> None:
        """Train these parameters too, with the group's own settings where it has them."""
        name, given = type(self).__name__, group["params"]
        parameters = [given] if isinstance(given, Tensor) else list(given)
        known = set(self.parameters)
        for parameter in parameters:
            if not isinstance(parameter, Tensor):
                raise TypeError(f"{name}: {parameter!r:.80} is no tensor.")
            if not parameter.requires_grad or not parameter.is_leaf:
                raise ValueError(f"{name}: {parameter!r:.80} is no leaf that requires a gradient.")
            if parameter in known:
                raise ValueError(f"{name}: {parameter.name or 'a parameter'} is given twice.")
            known.add(parameter)
        if unknown := group.keys() - self.defaults.keys() - {"params"}:
            raise TypeError(f"{name}: unknown settings {sorted(unknown)} in a parameter group.")
        settings = {**self.defaults, **group, "params": parameters}
        for key, value in settings.items():
            if isinstance(value, float | int) and not 0 <= value < np.inf:
                raise ValueError(f"{name}: {key} must be a number from 0 on, not {value}.")
        self.param_groups.append(settings)

    @property
    def parameters(self) -> list[Tensor]:
        """Every parameter of every group, in order."""
        return [parameter for group in self.param_groups for parameter in group["params"]]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients, so that the next backward starts from nothing."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if set_to_none or parameter.grad is None:
                    parameter.grad = None
                else:
                    parameter.grad.array[...] = 0

    def step(self) -> None:
        """Update every parameter that has a gradient, in place.

        Warns, once, when every one of them belongs to a module in evaluation mode.
        """
        for listener in mode.listeners:
            listener.on_update(self, finished=False)
        training = False
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self.update_one(parameter, parameter.array, parameter.grad.array, group)
                    training = training or getattr(parameter, "training", True)
        if not training and not self.warned:
            self.warn_idle()
        for listener in mode.listeners:
            listener.on_update(self, finished=True)

    def update_one(
        self, parameter: Tensor, value: Array, grad: Array, group: dict[str, Any]
    ) -> None:
        """Update one parameter; a large one piece by piece."""
        state = self.state.get(parameter)
        if state is None:
            state = self.state[parameter] = self.start(value, group)
        state["step"] += 1
        if value.size <= BLOCK:
            self.update(value, grad, state, group)
        else:
            for value_block, grad_block, state_block in in_blocks(value, grad, state):
                self.update(value_block, grad_block, state_block, group)
        clock.stamp(value)

    def start(self, value: Array, group: dict[str, Any]) -> dict[str, Any]:
        """What to keep for a parameter from its first update on."""
        return {"step": 0}

    def update(self, value: Array, grad: Array, state: dict[str, Any], group: Any) -> None:
        """Change `value` in place, given its gradient (which stays as it is) and its state."""
        raise NotImplementedError

    def scratch_like(self, value: Array) -> Array:
        """Memory for a temporary result of the shape of `value`; the next call may reuse it."""
        if self.scratch.size < value.size or self.scratch.dtype != value.dtype:
            self.scratch = np.empty(value.size, value.dtype)
        return self.scratch[: value.size].reshape(value.shape)

    def warn_idle(self) -> None:
        """Warn that a step did nothing, or was probably not meant."""
        self.warned = True
        if any(parameter.grad is not None for parameter in self.parameters):
            why = "the model is in evaluation mode: call model.train() before training"
        else:
            why = "no parameter has a gradient: call loss.backward() before it"
        warnings.warn(f"{type(self).__name__}.step(): {why}.", stacklevel=3)

    def never_updated(self) -> list[str]:
        """Names of the parameters that had no gradient in any step so far."""
        return [
            parameter.name or f"parameter {index} of shape {parameter.shape}"
            for index, parameter in enumerate(self.parameters)
            if parameter not in self.state
        ]

    # ---- state: numbers and arrays only, parameters by their position ------------------------

    def state_dict(self) -> dict[str, Any]:
        """What training needs to go on: state per parameter number, and the groups' settings."""
        numbers = {parameter: number for number, parameter in enumerate(self.parameters)}
        groups = [
            {**group, "params": [numbers[parameter] for parameter in group["params"]]}
            for group in self.param_groups
        ]
        state = {numbers[parameter]: dict(kept) for parameter, kept in self.state.items()}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a `state_dict` of an optimizer of the same kind over the same parameters."""
        own = [len(group["params"]) for group in self.param_groups]
        given = [len(group["params"]) for group in state_dict["param_groups"]]
        if own != given:
            raise ValueError(
                f"load_state_dict of {type(self).__name__}: its groups have {own} parameters, the "
                f"saved ones {given}. Build the optimizer as it was when the state was saved."
            )
        parameters = self.parameters
        state = {}
        for number, kept in state_dict["state"].items():
            parameter = parameters[int(number)]
            for name, value in kept.items():
                if isinstance(value, np.ndarray) and value.ndim and value.shape != parameter.shape:
                    raise ValueError(
                        f"load_state_dict of {type(self).__name__}: {name} of "
                        f"{parameter.name or number} has shape {value.shape}, the parameter "
                        f"{parameter.shape}."
                    )
            state[parameter] = {
                name: np.array(value) if isinstance(value, np.ndarray) else value
                for name, value in kept.items()
            }
        self.state = state
        for group, saved in zip(self.param_groups, state_dict["param_groups"], strict=True):
            group.update({key: value for key, value in saved.items() if key != "params"})

    def __repr__(self) -> str:
        groups = [
            f"{len(group['params'])} parameters, "
            + ", ".join(f"{key}={value}" for key, value in group.items() if key != "params")
            for group in self.param_groups
        ]
        return f"{type(self).__name__}({'; '.join(groups)})"


def in_blocks(
    value: Array, grad: Array, state: dict[str, Any]
) -> Iterator[tuple[Array, Array, dict[str, Any]]]:
    """Flat pieces of a large parameter, its gradient and its state, small enough for the cache.

    Several passes over one piece cost about as much as one over main memory. Where the arrays do
    not lie in memory in one and the same order, the whole is the only piece.
    """
    arrays = {name: kept for name, kept in state.items() if isinstance(kept, np.ndarray)}
    flat_value = value.ravel(order="K")
    same_order = all(array.strides == value.strides for array in arrays.values())
    if not same_order or not np.may_share_memory(flat_value, value):
        yield value, grad, state
        return
    if grad.strides != value.strides:
        ordered = np.empty_like(value)
        ordered[...] = grad
        grad = ordered
    flat_grad = grad.ravel(order="K")
    flat_state = {name: array.ravel(order="K") for name, array in arrays.items()}
    for start in range(0, value.size, BLOCK):
        piece = slice(start, start + BLOCK)
        kept = {name: array[piece] for name, array in flat_state.items()}
        yield flat_value[piece], flat_grad[piece], {**state, **kept}


class SGD(Optimizer):
    """Stochastic gradient descent with momentum and L2 regularization (weight decay).

    momentum_buffer = momentum * momentum_buffer + (1 - dampening) * (grad + weight_decay * value)
    value -= lr * momentum_buffer; with `nesterov`, lr * (grad + momentum * momentum_buffer).
    Sutskever et al. 2013, in PyTorch's form.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        if nesterov and (momentum <= 0 or dampening):
            raise ValueError("SGD: nesterov needs a momentum above 0, and no dampening.")
        super().__init__(
            params,
            lr=lr,
            momentum=momentum,
            dampening=dampening,
            weight_decay=weight_decay,
            nesterov=nesterov,
        )

    def start(self, value: Array, group: dict[str, Any]) -> dict[str, Any]:
        """The velocity, at rest."""
        state = super().start(value, group)
        return {**state, "momentum_buffer": np.zeros_like(value)} if group["momentum"] else state

    def update(self, value: Array, grad: Array, state: dict[str, Any], group: Any) -> None:
        """Change `value` in place."""
        lr, momentum = group["lr"], group["momentum"]
        scratch = self.scratch_like(value)
        if group["weight_decay"]:
            np.multiply(value, group["weight_decay"], out=scratch)
            scratch += grad
            grad = scratch
        if momentum:
            velocity = state["momentum_buffer"]
            velocity *= momentum
            if group["dampening"] and state["step"] > 1:
                velocity += (1 - group["dampening"]) * grad
            else:
                velocity += grad
            if group["nesterov"]:
                value -= lr * grad
                grad = np.multiply(velocity, momentum, out=scratch)
            else:
                grad = velocity
        value -= np.multiply(grad, lr, out=scratch)


class Adam(Optimizer):
    """Each parameter moves by its average gradient, divided by how large its gradients are.

    Averages fade with `betas` and are corrected for starting at 0: Kingma and Ba 2014.
    `weight_decay` is added to the gradient (L2); `AdamW` decays the weights themselves.
    """

    decoupled = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        check_betas(type(self).__name__, betas)
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
        """The running mean of the square, and what the settings need besides."""
        names = ["square_avg"]
        names += ["momentum_buffer"] if group["momentum"] else []
        names += ["grad_avg"] if group["centered"] else []
        return {"step": 0, **{name: np.zeros_like(value) for name in names}}

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

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ) -> None:
        check_betas("Lion", betas)
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


def check_betas(name: str, betas: tuple[float, float]) -> None:
    """Raise ValueError where a fading factor is not from 0 up to, not including, 1."""
    if not all(0 <= beta < 1 for beta in betas):
        raise ValueError(f"{name}: betas must lie from 0 up to, not including, 1, not {betas}.")
