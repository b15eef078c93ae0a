"""PyTorch asks where a tensor lives. Here the answer is always the same."""

# Grown in notebooks: 2_05_the_tensor. Edit there, then `make extract`.

from __future__ import annotations

from typing import Any

__all__ = ["Device"]


class Device:
    """The CPU; asking for another one raises RuntimeError."""

    type = "cpu"
    index = None

    def __init__(self, name: Any = "cpu") -> None:
        if str(name) not in ("cpu", "cpu:0"):
            raise RuntimeError(f"device: there is no {name!r} here, only 'cpu'.")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device)

    def __hash__(self) -> int:
        return hash(self.type)

    def __repr__(self) -> str:
        return "device(type='cpu')"

    def __str__(self) -> str:
        return self.type
