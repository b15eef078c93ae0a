"""Containers: modules that hold modules, in order or by name. Leans on `module`."""

# Grown in notebooks: 2_06_modules. Edit there, then `make extract`.

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from minitorch.graph import mode
from minitorch.module import Module

__all__ = ["ModuleDict", "ModuleList", "Sequential"]


class ModuleList(Module):
    """Modules by position, for a forward that goes through them in its own way."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self.extend(modules)

    def append(self, module: Module) -> ModuleList:
        """Add one at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> ModuleList:
        """Add several at the end."""
        for module in modules:
            self.append(module)
        return self

    def __iter__(self) -> Iterator[Module]:
        return self.children()

    def __len__(self) -> int:
        return len(list(self.children()))

    def __getitem__(self, index: int | slice) -> Any:
        chosen = list(self.children())[index]
        return chosen if isinstance(chosen, Module) else type(self)(*self.as_arguments(chosen))

    @staticmethod
    def as_arguments(modules: list[Module]) -> tuple[Any, ...]:
        """What to build a container of the same kind from."""
        return (modules,)


class Sequential(ModuleList):
    """Modules applied one after the other; given one by one, or by name in a dict."""

    def __init__(self, *modules: Module | Mapping[str, Module]) -> None:
        for position, given in enumerate(modules):
            named = given.items() if isinstance(given, Mapping) else [(str(position), given)]
            for name, module in named:
                self.add_module(name, module)

    def forward(self, x: Any) -> Any:
        """Apply the modules in order."""
        for module in list(vars(self).values()):  # a list, for a hook may assign attributes
            if isinstance(module, Module):
                # What a call comes to when nobody listens, without its two frames: each op looks
                # through all of them for the user's line.
                plain = type(module).__call__ is Module.__call__ and module.hooks is None
                x = module.forward(x) if plain and not mode.listeners else module(x)
        return x

    @staticmethod
    def as_arguments(modules: list[Module]) -> tuple[Any, ...]:
        """What to build a container of the same kind from."""
        return tuple(modules)


class ModuleDict(Module):
    """Modules by name."""

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        for name, module in (modules or {}).items():
            self[name] = module

    def __setitem__(self, name: str, module: Module) -> None:
        self.add_module(name, module)

    def __getitem__(self, name: str) -> Module:
        return dict(self.named_children())[name]

    def __contains__(self, name: str) -> bool:
        return name in dict(self.named_children())

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self.named_children())

    def __len__(self) -> int:
        return len(list(self.children()))

    def keys(self) -> Iterator[str]:
        """The names."""
        return iter(self)

    def values(self) -> Iterator[Module]:
        """The modules."""
        return self.children()

    def items(self) -> Iterator[tuple[str, Module]]:
        """Names and modules."""
        return self.named_children()
