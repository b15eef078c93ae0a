"""Live breakpoints: the user's step runs in a thread of its own and waits where a breakpoint says.

The cell that starts it returns at once, so that the notebook stays free to look at what is there.
Leans on debugger and recording.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from viz.breakpoints import Breakpoint
from viz.debugger import Debugger
from viz.payload import Payload
from viz.recording import Recording, RecordingDone


class LiveDebugger(Debugger):
    """A debugger whose recording grows: paused at a breakpoint, or running to the next one.

    `commands` are obeyed one per pause, then it runs to its end: for notebooks that run by
    themselves.
    """

    def __init__(
        self,
        run: Callable[[], Any],
        budget: int,
        breakpoints: Iterable[tuple[str, Any]] = (),
        commands: Iterable[str] | None = None,
    ) -> None:
        super().__init__(Recording(budget))
        self.recording.on_moment = self._at_moment
        for kind, value in breakpoints:
            self.controller.break_on(kind, value)
        self.commands = None if commands is None else list(commands)
        self.paused = threading.Event()
        self.live = {"state": "running", "reason": ""}
        self._go = threading.Event()
        self._stopping = False
        self._single = not self.controller.breakpoints
        self._thread = threading.Thread(target=self._work, args=(run,), daemon=True)

    def start(self) -> LiveDebugger:
        """Begin to run."""
        self._thread.start()
        return self

    def wait(self, timeout: float = 10.0) -> str:
        """Wait until it pauses or ends, and say which; TimeoutError after `timeout` seconds."""
        if not self.paused.wait(timeout):
            raise TimeoutError(f"still running after {timeout:g} s; stop() ends it.")
        return f"{self.state}: {self.live_reason}"

    @property
    def state(self) -> str:
        """running, paused or finished."""
        return str((self.live or {})["state"])

    @property
    def live_reason(self) -> str:
        """Why it paused or ended."""
        return str((self.live or {})["reason"])

    # ---- what the user says --------------------------------------------------------------------

    def resume(self, single: bool = False) -> None:
        """Run on: to the next breakpoint, or (`single`) to the next moment."""
        if self.state != "paused":
            return
        self._single = single
        self.live = {"state": "running", "reason": ""}
        self.paused.clear()
        self._go.set()

    def stop(self) -> None:
        """End the run where it is; nothing after this moment happens."""
        self._stopping = True
        self._go.set()

    def handle(self, message: dict[str, Any]) -> dict[str, Any]:
        """As for a recording; and `continue`, `stop`, `pause`, and single steps at its end."""
        kind, reply = message.get("type"), {"type": "live", "id": message.get("id")}
        if kind == "stop":
            self.stop()
        elif kind == "pause":
            self._single = True
        elif kind == "continue":
            self.resume()
        elif self.state == "running":
            return {**reply, "type": "error", "message": "it is running; pause or stop it first."}
        elif self._steps_on(message):
            self.resume(single=message["command"] == "step")
        else:
            return super().handle(message)
        return {**reply, "live": self.live}

    def _steps_on(self, message: dict[str, Any]) -> bool:
        """Whether a move leads past what has happened so far."""
        forward = message.get("command") in ("step", "continue")
        at_end = self.controller.position >= self.controller.last
        return message.get("type") == "move" and forward and at_end and self.state == "paused"

    # ---- in the thread -------------------------------------------------------------------------

    def _work(self, run: Callable[[], Any]) -> None:
        reason = "it ran to its end"
        try:
            with self.recording:
                run()
        except RecordingDone:
            reason = "stopped"
        except BaseException as error:  # whatever it is, the page must hear of it
            reason = f"{type(error).__name__}: {error}"
        self._show("finished", reason)

    def _at_moment(self, recording: Recording) -> None:
        """Called after each moment, in the thread: wait here while paused."""
        if self._stopping:
            raise RecordingDone
        index = len(recording.moments) - 1
        hit = self._hit(index)
        if hit is None and not self._single:
            return
        self._go.clear()
        self._show("paused", hit.text if hit else "one moment further")
        if self.commands is not None:
            self._obey()
        self._go.wait()
        if self._stopping:
            raise RecordingDone

    def _hit(self, index: int) -> Breakpoint | None:
        points = list(self.controller.breakpoints.values())
        hits = (each for each in points if each.enabled and each.hits(self.recording, index))
        return next(hits, None)

    def _obey(self) -> None:
        """In a script: the next command, or run on."""
        command = self.commands.pop(0) if self.commands else "continue"
        if command == "stop":
            self.stop()
        else:
            self.resume(single=command == "step")

    def _show(self, state: str, reason: str) -> None:
        """Let the page see what there is now."""
        with self.lock:
            self.controller.to(self.controller.last)
            moment = self.controller.moment
            step = moment.step if moment else 0
            self.view = Payload(self.recording, step, self.controller.position if moment else None)
            self.live = {"state": state, "reason": reason}
            if self._listeners:
                self.tell("payload", self.payload())
            self.paused.set()

    def __repr__(self) -> str:
        return f"Debugger({self.state}, {len(self.recording.moments)} moments so far)"
