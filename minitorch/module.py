"""Modules: parameters and the code that uses them, as one tree of plain attributes.

Nothing is registered behind the reader's back: a module finds its parameters and its submodules
by looking at its own attributes. Leans on `tensor` and `graph`.
"""

# Grown in notebooks: 2_06_modules. Edit there, then `make extract`.

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

import numpy as np

from minitorch.graph import mode
from minitorch.tensor import Tensor
from minitorch.versions import clock
from minitorch.watching import BackwardWatch, WatchHandle

__all__ = ["Array", "Buffer", "HookHandle", "LoadReport", "Module", "Parameter", "fitting"]


Array = np.ndarray


class Parameter(Tensor):
    """A tensor that training changes: a leaf that requires a gradient."""

    training = True  # as its module is: an optimizer warns before it changes a model in use

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__(data, requires_grad=requires_grad)


class Buffer(Tensor):
    """A tensor that belongs to a module's state but is not trained, such as a running mean."""


class HookHandle:
    """A hook of a module; `remove` takes it away, as does leaving it as a context."""

    def __init__(self, module: Module, before: bool, hook: Callable[..., Any]) -> None:
        self.module, self.entry = module, (before, hook)
        module.hooks = [*(module.hooks or []), self.entry]

    def remove(self) -> None:
        """Take the hook away."""
        left = [entry for entry in self.module.hooks or [] if entry is not self.entry]
        self.module.hooks = left or None

    def __enter__(self) -> HookHandle:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


def fitting(value: Any, like: Array) -> Array:
    """`value` with the dtype and memory order of `like`; ValueError says why it does not fit."""
    try:
        given = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"is no array: {error}") from error
    if given.shape != like.shape:
        raise ValueError(f"has shape {given.shape} instead of {like.shape}")
    if not np.can_cast(given.dtype, like.dtype, "same_kind"):
        raise ValueError(f"is {given.dtype} instead of {like.dtype}")
    array = np.empty_like(like)
    with np.errstate(over="ignore"):  # looked for below
        array[...] = given
    lost = np.isfinite(given) & ~np.isfinite(array)
    if lost.any() or (array.dtype.kind in "iu" and not np.array_equal(array, given)):
        raise ValueError(f"holds numbers beyond the range of {like.dtype}")
    return array


class LoadReport(tuple[list[str], list[str]]):
    """What `load_state_dict` left out: missing and unexpected paths, and what did not fit."""

    missing_keys: list[str]
    unexpected_keys: list[str]
    misfitting_keys: list[str]

    def __new__(cls, missing: list[str], unexpected: list[str], misfits: list[str]) -> Self:
        """Unpacks as a pair, so that code written for PyTorch runs."""
        report = super().__new__(cls, (missing, unexpected))
        report.missing_keys, report.unexpected_keys = missing, unexpected
        report.misfitting_keys = misfits
        return report

    def __repr__(self) -> str:
        lists = ", ".join(f"{name}={keys}" for name, keys in vars(self).items())
        return f"LoadReport({lists})"


class Module:
    """Base of everything with parameters: assign them as attributes, and write `forward`."""

    training = True
    hooks: list[tuple[bool, Callable[..., Any]]] | None = None  # (before forward, hook)

    def forward(self, *inputs: Any) -> Any:
        """The computation; every subclass writes its own."""
        raise NotImplementedError(f"{type(self).__name__} has no forward.")

    def __call__(self, *inputs: Any, **settings: Any) -> Any:
        """Run `forward` between the hooks, and let listeners know when it begins and ends."""
        if not mode.listeners and self.hooks is None:
            return self.forward(*inputs, **settings)
        for listener in mode.listeners:
            listener.on_module(self, entered=True)
        try:
            for before, hook in self.hooks or ():
                if before and (answer := hook(self, inputs)) is not None:
                    inputs = answer if isinstance(answer, tuple) else (answer,)
            output = self.forward(*inputs, **settings)
            for before, hook in self.hooks or ():
                if not before and (answer := hook(self, inputs, output)) is not None:
                    output = answer
            return output
        finally:
            for listener in mode.listeners:
                listener.on_module(self, entered=False)

    def register_forward_pre_hook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call `hook(module, inputs)` before forward; what it returns replaces the inputs."""
        return HookHandle(self, True, hook)

    def register_full_backward_hook(self, hook: Callable[..., Any]) -> WatchHandle:
        """Call `hook(module, grad_input, grad_output)`, tuples, in each backward.

        What it returns takes the place of grad_input.
        """
        watch = BackwardWatch(hook)
        return WatchHandle(
            self.register_forward_pre_hook(watch.enter), self.register_forward_hook(watch.leave)
        )

    def register_buffer(self, name: str, tensor: Any) -> None:
        """PyTorch's way to say `self.name = Buffer(tensor)`."""
        setattr(self, name, None if tensor is None else Buffer(tensor))

    def to(self, *kinds: Any, dtype: Any = None, device: Any = "cpu") -> Self:
        """Parameters and buffers of floats as another dtype; "cpu" is the only device."""
        for _, tensor in self.named_state():
            if tensor.dtype.kind == "f":
                tensor.data = tensor.detach().to(*kinds, dtype=dtype, device=device)
                if tensor.grad is not None:
                    tensor.grad = tensor.grad.to(tensor.dtype)
        return self

    def register_forward_hook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call `hook(module, inputs, output)` after forward; its answer replaces the output."""
        return HookHandle(self, False, hook)

    def add_module(self, name: str, module: Module) -> None:
        """Assign a module under a name that need not be a word of Python, such as "0"."""
        if not isinstance(module, Module):
            raise TypeError(f"{type(self).__name__}: {module!r:.80} is no module.")
        if hasattr(type(self), name):
            raise KeyError(
                f"{type(self).__name__}: {name!r} is a method of every module; use another name."
            )
        setattr(self, name, module)

    def __setattr__(self, name: str, value: Any) -> None:
        """Assign, and tell parameters their dotted name, for pictures and errors.

        Raises TypeError for a mere tensor in a parameter's place: it would not be trained.
        """
        if type(value) is Tensor and isinstance(vars(self).get(name), Parameter):
            raise TypeError(
                f"{type(self).__name__}: {name} is a parameter, and a tensor in its place would "
                "not be trained. Assign nn.Parameter(tensor), or copy the values: "
                f"layer.{name}.data = tensor."
            )
        object.__setattr__(self, name, value)
        if isinstance(value, Parameter | Buffer):
            value.name = name
        elif isinstance(value, Module):
            for path, tensor in value.named_state():
                tensor.name = f"{name}.{path}"

    # ---- the tree ----------------------------------------------------------------------------

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly in this one, with their attribute names."""
        for name, value in vars(self).items():
            if isinstance(value, Module):
                yield name, value

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """The module itself and all below it, with dotted paths."""
        yield prefix, self
        for name, child in self.named_children():
            yield from child.named_modules(f"{prefix}.{name}" if prefix else name)

    def named_state(self) -> Iterator[tuple[str, Tensor]]:
        """Every parameter and buffer with its dotted path; a shared one under each of its paths."""
        for path, module in self.named_modules():
            for name, value in vars(module).items():
                if isinstance(value, Parameter | Buffer):
                    yield (f"{path}.{name}" if path else name), value

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Every parameter once, with its dotted path."""
        seen = set()
        for path, value in self.named_state():
            if isinstance(value, Parameter) and value not in seen:
                seen.add(value)
                yield path, value

    def parameters(self) -> Iterator[Parameter]:
        """Every parameter once."""
        return (parameter for _, parameter in self.named_parameters())

    def children(self) -> Iterator[Module]:
        """The modules directly in this one."""
        return (child for _, child in self.named_children())

    def modules(self) -> Iterator[Module]:
        """The module itself and all below it."""
        return (module for _, module in self.named_modules())

    def apply(self, function: Callable[[Module], Any]) -> Self:
        """Call `function` on every module of the tree, children first."""
        for child in self.children():
            child.apply(function)
        function(self)
        return self

    # ---- state -------------------------------------------------------------------------------

    def train(self, training: bool = True) -> Self:
        """Put the whole tree in training mode, or out of it."""
        for module in self.modules():
            module.set_mode(training)
        return self

    def set_mode(self, training: bool) -> None:
        """Put this one module, not what is below it, in training mode or out of it."""
        self.training = training
        for value in vars(self).values():
            if isinstance(value, Parameter):
                value.training = training

    def eval(self) -> Self:
        """Put the whole tree in evaluation mode."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Ask for gradients of all parameters, or no longer: a part is frozen so."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for parameter in self.parameters():
            parameter.grad = None

    def state_dict(self) -> dict[str, np.ndarray]:
        """The values of all parameters and buffers by dotted path; arrays share memory."""
        return {path: tensor.array for path, tensor in self.named_state()}

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> LoadReport:
        """Copy values in by path; returns what was left out: missing, unexpected, misfitting paths.

        If `strict`, raises ValueError, before anything is changed, when anything would be left
        out; the message lists it all. Else warns of what is there but does not fit.
        """
        if not isinstance(state, Mapping):
            raise TypeError(f"load_state_dict: {type(state).__name__} is no dict of arrays.")
        own = dict(self.named_state())
        missing = [path for path in own if path not in state]
        unexpected = [path for path in state if path not in own]
        fitting_arrays, misfits = {}, {}
        for path in [path for path in own if path in state]:
            try:
                fitting_arrays[path] = fitting(state[path], own[path].array)
            except ValueError as error:
                misfits[path] = f"{path} {error}"
        faults = list(misfits.values())
        if strict:
            faults += [f"{path} is missing" for path in missing]
            faults += [f"{path} is unexpected" for path in unexpected]
        message = f"load_state_dict of {type(self).__name__}: {'; '.join(faults)}."
        if faults and strict:
            raise ValueError(message)
        if faults:
            warnings.warn(f"{message} These keep the values that they had.", stacklevel=2)
        for path, array in fitting_arrays.items():
            own[path].array[...] = array
            clock.stamp(own[path].array)
        return LoadReport(missing, unexpected, list(misfits))

    def extra_repr(self) -> str:
        """Settings to show in the printed form."""
        return ""

    def __repr__(self) -> str:
        lines = [
            f"({name}): {child!r}".replace("\n", "\n  ") for name, child in self.named_children()
        ]
        inside = "\n  " + "\n  ".join(lines) + "\n" if lines else self.extra_repr()
        return f"{type(self).__name__}({inside})"
