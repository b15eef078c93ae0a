"""What it takes to be saved in a checkpoint."""

# Grown in notebooks: 2_08_training. Edit there, then `make extract`.

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

__all__ = ["Stateful"]


@runtime_checkable
class Stateful(Protocol):
    """Whatever can tell its state and take it back: a model, an optimizer, a loader."""

    def state_dict(self) -> Any:
        """The state: arrays, numbers and texts in dicts and lists."""

    def load_state_dict(self, state: Any, /) -> Any:
        """Take the state back."""
