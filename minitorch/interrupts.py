"""Ctrl-C as a request: what is at hand is finished first. Leans on nothing."""

# Grown in notebooks: 2_08_training. Edit there, then `make extract`.

from __future__ import annotations

import signal
import threading
from typing import Any

__all__ = ["InterruptRequest"]


class InterruptRequest:
    """Within it, a first Ctrl-C is only noted, in `made`; a second one interrupts at once."""

    made = False

    def __enter__(self) -> InterruptRequest:
        self.before: Any = signal.getsignal(signal.SIGINT)  # None: not Python's to put back
        in_main_thread = threading.current_thread() is threading.main_thread()
        # Python lets no other thread listen, and what runs in the background is deaf to Ctrl-C.
        self.listens = in_main_thread and self.before not in (signal.SIG_IGN, None)
        if self.listens:
            signal.signal(signal.SIGINT, self.note)
        return self

    def note(self, *details: Any) -> None:
        """Note the request, and let the next one through."""
        self.made = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def __exit__(self, *error: object) -> None:
        if self.listens:
            signal.signal(signal.SIGINT, self.before)
