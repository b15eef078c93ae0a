"""The ways into the debugger: a function, a cell, a running step. Leans on debugger and live."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from viz.debugger import Debugger
from viz.live import LiveDebugger
from viz.recording import DEFAULT_BUDGET, RecordingDone, record

MAGIC = "debug_step"


def debug(
    function: Callable[..., Any],
    *args: Any,
    steps: int = 1,
    live: bool = False,
    breakpoints: Iterable[tuple[str, Any]] = (),
    commands: Iterable[str] = (),
    budget: int = DEFAULT_BUDGET,
    **settings: Any,
) -> Debugger:
    """Run `function(*args, **settings)`, record what minitorch does in it, and open the debugger.

    Any function will do: a forward and a backward, your own training loop, `trainer.fit`. After
    `steps` training steps it is left where it is. What it raises is shown by the debugger, on the
    op that failed, and kept in `debugger.recording.error`.

    Parameters
    ----------
    steps : how many training steps to record
    live : run in a thread of its own, and wait at `breakpoints`
    breakpoints : pairs as for `Debugger.break_on`: `[("op", "matmul"), ("nonfinite", None)]`
    commands : moves to make at once, such as `["until nan"]`; live ones are made one per pause
    budget : bytes of values to keep; of what does not fit there is a summary
    """
    if not callable(function):
        raise TypeError(
            f"debug: takes a function and runs it; this is {type(function).__name__}, no function. "
            "Say viz.debug(step) where you said viz.debug(step()), or viz.debug(lambda: ...)."
        )

    def run() -> Any:
        return function(*args, **settings)

    if live:
        script = list(commands) or None
        return LiveDebugger(run, budget, breakpoints, script).start()
    recording = record(budget, steps=steps)
    try:
        with recording:
            run()
    except RecordingDone:
        pass
    except Exception:  # kept in recording.error, where the debugger opens
        if recording.error is None:
            raise
    debugger = Debugger(recording)
    for kind, value in breakpoints:
        debugger.break_on(kind, value)
    debugger.run(commands)
    return debugger


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext viz`: the cell magic `%%debug_step` records its cell and opens the debugger."""

    def debug_step(line: str, cell: str) -> Debugger:
        """Record this cell and open the debugger on it; the line may hold commands: `until nan`."""
        recording = record()
        with recording:
            result = shell.run_cell(cell, store_history=False)
        if recording.error is None:
            recording.error = result.error_in_exec
        debugger = Debugger(recording)
        debugger.run(part.strip() for part in line.split(";") if part.strip())
        return debugger

    shell.register_magic_function(debug_step, magic_kind="cell", magic_name=MAGIC)
