"""What every optimizer shares: groups of parameters, the step over all of them, saved state.

Leans on `tensor`; the formulas are in `sgd` and `adaptive`.
"""

# Grown in notebooks: 2_07_descent. Edit there, then `make extract`.

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from minitorch.graph import mode
from minitorch.tensor import Tensor
from minitorch.versions import clock

__all__ = ["BLOCK", "Array", "Optimizer", "in_blocks"]


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
