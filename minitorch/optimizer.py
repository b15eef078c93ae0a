"""What every optimizer shares: groups of parameters, the step over all of them, saved state.

Leans on `tensor`, `module` and `elementwise`; the formulas are in `sgd` and `adaptive`.
"""

# Grown in notebooks: 2_07_descent. Edit there, then `make extract`.

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np

from minitorch.elementwise import BLOCK, SideBySide, State, in_blocks, in_place
from minitorch.graph import mode
from minitorch.module import Module, fitting
from minitorch.tensor import Tensor
from minitorch.versions import clock

__all__ = ["NUMBER", "Array", "Optimizer", "plain"]


Array = np.ndarray
NUMBER = float | int | np.floating | np.integer


def plain(value: Any) -> Any:
    """A setting in Python's numbers: numpy's float64 would not be the same bits after a resume."""
    pair = isinstance(value, tuple) and tuple(plain(number) for number in value)
    return pair or (value.item() if isinstance(value, np.generic) else value)


class Optimizer:
    """Base of all optimizers: parameters in groups with settings, and what is kept for each.

    Parameters
    ----------
    params : parameters, or dicts `{"params": [...], "lr": ...}` with settings of their own
    defaults : what holds for every group that does not say otherwise

    A subclass writes `start`, what it keeps per parameter, and `update`; `elementwise = True` lets
    many small parameters share the calls of one update, and large ones stay in the cache.
    """

    elementwise = False  # whether `update` treats every number alike, whatever lies beside it
    optional: tuple[tuple[str, str], ...] = ()  # settings, and what is kept from when they are on
    assumed: ClassVar[dict[str, Any]] = {}  # what PyTorch's state of a parameter does not say
    fixed: ClassVar[dict[str, Any]] = {}  # settings of PyTorch's that are no choice here

    def __init_subclass__(cls) -> None:
        """Whose `update` is its own says itself whether that is elementwise, too."""
        if "update" in vars(cls) and "elementwise" not in vars(cls):
            cls.elementwise = False

    def __init__(self, params: Iterable[Any], **defaults: Any) -> None:
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self.state: dict[Tensor, State] = {}
        self.side_by_side: dict[int, SideBySide] = {}  # small parameters, by number of the group
        self.scratch = np.empty(0, np.float32)
        self.warned = False
        if isinstance(params, Tensor):
            raise TypeError(f"{type(self).__name__}: one tensor is no list; say [tensor].")
        if isinstance(params, Module):
            raise TypeError(f"{type(self).__name__}: a model is no list; say model.parameters().")
        groups = list(params)
        if not groups:
            raise ValueError(f"{type(self).__name__}: there are no parameters to train.")
        in_order = params if isinstance(params, set) else groups  # which is refused below
        for group in groups if isinstance(groups[0], dict) else [{"params": in_order}]:
            self.add_param_group(group)

    def add_param_group(self, group: dict[str, Any]) -> None:
        """Train these parameters too, with the group's own settings where it has them."""
        name = type(self).__name__
        if "params" not in group:
            raise TypeError(f"{name}: a parameter group names its `params`, beside its settings.")
        given = group["params"]
        if isinstance(given, set):
            raise TypeError(f"{name}: a set has no order, by which state is saved. Give a list.")
        parameters = [given] if isinstance(given, Tensor) else list(given)
        known = set(self.parameters)
        for parameter in parameters:
            if not isinstance(parameter, Tensor):
                raise TypeError(f"{name}: {parameter!r:.80} is no tensor.")
            if not parameter.requires_grad or not parameter.is_leaf:
                raise ValueError(
                    f"{name}: {parameter.name or 'a tensor'} of shape {parameter.shape} is no leaf "
                    "that requires a gradient. Freeze it later, or leave out what is frozen: "
                    "[each for each in model.parameters() if each.requires_grad]."
                )
            if parameter in known:
                raise ValueError(f"{name}: {parameter.name or 'a parameter'} is given twice.")
            known.add(parameter)
        if unknown := group.keys() - self.defaults.keys() - {"params"}:
            raise TypeError(f"{name}: unknown settings {sorted(unknown)} in a parameter group.")
        settings = {**self.defaults, **group, "params": parameters}
        self.check_settings(settings)
        self.param_groups.append({name: plain(value) for name, value in settings.items()})

    def check_settings(self, settings: dict[str, Any]) -> None:
        """Raise ValueError where a setting of a group is out of its range."""
        for key, value in settings.items():
            pair, fades = key == "betas", key in ("betas", "alpha")
            numbers = value if pair and isinstance(value, tuple | list) else [value]
            limit = 1 if fades else np.inf
            fits = all(isinstance(number, NUMBER) and 0 <= number < limit for number in numbers)
            if key != "params" and not (fits and len(numbers) == 1 + pair):
                raise ValueError(
                    f"{type(self).__name__}: {key} must be {'two numbers' if pair else 'a number'} "
                    f"from 0 {'up to, not including, 1' if fades else 'on'}, not {value!r}."
                )

    @property
    def parameters(self) -> list[Tensor]:
        """Every parameter of every group, in order."""
        return [parameter for group in self.param_groups for parameter in group["params"]]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients, so that the next backward starts from nothing."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if set_to_none or parameter.kept_grad is None:
                    parameter.kept_grad = None
                else:
                    parameter.kept_grad.array[...] = 0

    def step(self) -> None:
        """Update every parameter that has a gradient, in place.

        Warns, once, when every one of them belongs to a module in evaluation mode.
        """
        for listener in mode.listeners:
            listener.on_update(self, finished=False)
        updates = [
            [parameter for parameter in group["params"] if parameter.kept_grad is not None]
            for group in self.param_groups
        ]
        # Before anything is written: an update may be broken off halfway.
        clock.stamp(*[parameter.array for parameters in updates for parameter in parameters])
        for number, parameters in enumerate(updates):
            self.update_group(number, parameters)
        if not self.warned and not any(
            getattr(each, "training", True) for parameters in updates for each in parameters
        ):
            self.warn_idle()
        for listener in mode.listeners:
            listener.on_update(self, finished=True)

    def update_group(self, number: int, parameters: Sequence[Tensor]) -> None:
        """Update parameters of one group: small ones side by side, others one by one."""
        group, alone = self.param_groups[number], parameters
        if self.elementwise:
            together = self.side_by_side.get(number)
            kept = {name for setting, name in self.optional if group[setting]}
            if together is None or not together.holds(parameters, self.state, kept):
                for parameter in parameters:
                    self.refuse_misfit(parameter, self.state_of(parameter, group))
                together = self.side_by_side[number] = SideBySide(parameters, self.state)
            if together.members:
                together.update(self.update, group)
            alone = together.others
        for parameter in alone:
            self.update_one(parameter.array, parameter.kept_grad.array, parameter, group)

    def update_one(
        self, value: Array, grad: Array, parameter: Tensor, group: dict[str, Any]
    ) -> None:
        """Update one parameter; a large one piece by piece."""
        state = self.state_of(parameter, group)
        self.refuse_misfit(parameter, state)
        state["step"] += 1
        if value.size <= BLOCK or not self.elementwise:
            self.update(value, grad, state, group)
        else:
            for value_block, grad_block, state_block in in_blocks(value, grad, state):
                in_place(self.update, value_block, grad_block, state_block, group)

    def state_of(self, parameter: Tensor, group: dict[str, Any]) -> State:
        """What is kept for a parameter, started now if there is nothing yet."""
        state = self.state.get(parameter)
        if state is None:
            state = self.state[parameter] = self.start(parameter.array, group)
        for setting, name in self.optional:
            if group[setting] and name not in state:  # its first step comes now
                state[name], state["step"] = np.zeros_like(parameter.array), 0
        return state

    def refuse_misfit(self, parameter: Tensor, state: State) -> None:
        """Raise ValueError where another array, of another shape, was put into a parameter."""
        arrays = {"grad": parameter.kept_grad.array, **(state if self.elementwise else {})}
        for name, array in arrays.items():
            if isinstance(array, np.ndarray) and array.ndim and array.shape != parameter.shape:
                raise ValueError(
                    f"{type(self).__name__}: {parameter.name or 'a parameter'} is of shape "
                    f"{parameter.shape} and its {name} of {array.shape}: its array was replaced "
                    "in between. Call backward() anew for another gradient; make another "
                    "optimizer for parameters of another shape."
                )

    def start(self, value: Array, group: dict[str, Any]) -> dict[str, Any]:
        """What to keep for a parameter from its first update on."""
        return {"step": 0}

    def update(self, value: Array, grad: Array, state: dict[str, Any], group: Any) -> None:
        """Change `value` and the arrays of its `state` in place; its gradient stays as it is."""
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

    def __getstate__(self) -> dict[str, Any]:
        """What a copy gets: it lays its small parameters side by side anew, in its own memory."""
        return {**vars(self), "side_by_side": {}}

    # ---- state: numbers and arrays only, parameters by their position ------------------------

    def state_dict(self) -> dict[str, Any]:
        """What training needs to go on: state per parameter number, and the groups' settings."""
        numbers = {parameter: number for number, parameter in enumerate(self.parameters)}
        groups = [
            {**self.fixed, **group, "params": [numbers[each] for each in group["params"]]}
            for group in self.param_groups
        ]
        for group in self.param_groups:  # a setting may have been turned on since the last step
            for parameter in self.state.keys() & group["params"]:
                self.state_of(parameter, group)
        state = {numbers[parameter]: dict(kept) for parameter, kept in self.state.items()}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a `state_dict` of an optimizer of the same kind over the same parameters.

        PyTorch's are taken too. Raises ValueError, with everything as it was, where it is of
        another.
        """
        name = f"load_state_dict of {type(self).__name__}"
        try:
            saved_groups, saved_state = state_dict["param_groups"], state_dict["state"]
            given = [len(saved["params"]) for saved in saved_groups]
        except (LookupError, TypeError) as error:
            raise ValueError(
                f"{name}: this is no state of an optimizer, which has `state` and `param_groups` "
                "with their `params`."
            ) from error
        own = [len(group["params"]) for group in self.param_groups]
        if own != given:
            raise ValueError(
                f"{name}: its groups have {own} parameters, the saved ones {given}. Build the "
                "optimizer as it was when the state was saved."
            )
        state, loaded = {}, []
        for group, saved in zip(self.param_groups, saved_groups, strict=True):
            settings = {**self.without_torch(saved), "params": group["params"]}
            if "betas" in saved:
                settings["betas"] = tuple(saved["betas"])  # saved as JSON, which knows only lists
            if differing := (settings.keys() ^ self.defaults.keys()) - {"params", "initial_lr"}:
                raise ValueError(
                    f"{name}: only one of the two has the settings {', '.join(sorted(differing))}. "
                    "Was the state saved by an optimizer of another kind?"
                )
            self.check_settings(settings)
            loaded.append(settings)
            for number, parameter in zip(saved["params"], group["params"], strict=True):
                if number in saved_state:
                    label = f"{name}, {parameter.name or f'parameter {number}'}"
                    kept = {**self.assumed, **saved_state[number]}
                    state[parameter] = self.fitting_state(label, parameter.array, kept, settings)
        if len(state) != len(saved_state):
            raise ValueError(f"{name}: there is state of parameters that are in no group.")
        self.state = state
        for group, settings in zip(self.param_groups, loaded, strict=True):
            group.update(settings)

    def without_torch(self, saved: dict[str, Any]) -> dict[str, Any]:
        """A saved group without what PyTorch says besides, where we do as it says."""

        def as_here(name: str, value: Any) -> bool:
            if name in self.fixed:
                plain = tuple(value) if isinstance(value, list) else value  # JSON has only lists
                return bool(plain == self.fixed[name])
            return name in ("foreach", "fused", "capturable", "differentiable") or not value

        return {
            name: value
            for name, value in saved.items()
            if name in self.defaults or name in ("params", "initial_lr") or not as_here(name, value)
        }

    def fitting_state(
        self, label: str, value: Array, kept: dict[str, Any], group: dict[str, Any]
    ) -> dict[str, Any]:
        """A copy of what was `kept` for a parameter; raises ValueError where it does not fit."""
        wanted = set(self.start(value[:0] if value.ndim else value, group))
        wanted |= {name for setting, name in self.optional if group[setting]}
        if missing := wanted - kept.keys():
            raise ValueError(f"{label}: there is no {', '.join(sorted(missing))} in its state.")
        state: dict[str, Any] = {"step": int(kept["step"])}
        for name in kept.keys() - state.keys():
            try:
                state[name] = fitting(kept[name], value)
            except ValueError as error:
                raise ValueError(f"{label}: {name} {error}.") from error
        return state

    def __repr__(self) -> str:
        groups = [
            f"{len(group['params'])} parameters, "
            + ", ".join(f"{key}={value}" for key, value in group.items() if key != "params")
            for group in self.param_groups
        ]
        return f"{type(self).__name__}({'; '.join(groups)})"
