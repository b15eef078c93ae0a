"""The gradients at a module's door: what comes in from above, what goes out below.

Leans on `op`. `Module.register_full_backward_hook` stands on it.
"""

# Grown in notebooks: 2_09_in_place_and_twice. Edit there, then `make extract`.

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from minitorch.graph import mode
from minitorch.op import Array, op

if TYPE_CHECKING:
    from minitorch.tensor import Tensor

__all__ = ["BackwardWatch", "WatchHandle", "passed_in", "wants_gradient"]


@op
def passed_in(x: Array) -> Any:
    """`x` itself, with a node of its own: its gradient is what one module alone sends back."""
    return x, lambda grad: grad


class BackwardWatch:
    """Calls `hook(module, grad_input, grad_output)` when a backward has come through a module."""

    def __init__(self, hook: Callable[..., Any]) -> None:
        self.hook = hook

    def enter(self, module: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        """Give each input that wants a gradient a node of its own."""
        return tuple([passed_in(each) if wants_gradient(each) else each for each in inputs])

    def leave(self, module: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Wait for the gradient of the output, and then for those of the inputs."""
        if not wants_gradient(output):
            return
        wanted = [place for place, each in enumerate(inputs) if wants_gradient(each)]
        above: list[Tensor] = []
        below: list[Any] = [None] * len(inputs)

        def arrived_above(grad: Tensor) -> None:
            above[:] = [grad]
            if not wanted:
                self.hook(module, tuple(below), (grad,))

        def arrived_below(place: int, grad: Tensor) -> Any:
            below[place] = grad
            if any(below[other] is None for other in wanted):
                return None
            answer = self.hook(module, tuple(below), tuple(above))
            below[:] = [None] * len(below)
            if answer is not None and len(wanted) > 1:
                raise RuntimeError(
                    f"register_full_backward_hook: {type(module).__name__} has {len(wanted)} "
                    "inputs that want a gradient; a hook may replace that of a single one."
                )
            return answer[place] if isinstance(answer, tuple) else answer

        output.register_hook(arrived_above)
        for place in wanted:
            inputs[place].register_hook(partial(arrived_below, place))


def wants_gradient(value: Any) -> bool:
    """Whether the value is a tensor to which a gradient will flow."""
    return mode.grad_enabled and getattr(value, "requires_grad", False)


class WatchHandle:
    """What registering a backward hook returns: `remove()` takes it away."""

    def __init__(self, *handles: Any) -> None:
        self.handles = handles

    def remove(self) -> None:
        """Take the hook away."""
        for handle in self.handles:
            handle.remove()
