"""How far a long recording has come: silence at first, then a bar that counts. Leans on tqdm."""

from __future__ import annotations

import time
from typing import Any

PATIENCE = 4.0  # seconds before a bar appears
SELDOM = 200  # moments between two looks at the clock


class Progress:
    """A bar that counts moments; it appears only when the wait is long, and goes at the end."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._bar: Any = None

    def reach(self, count: int) -> None:
        """Say how many moments there are now."""
        if count % SELDOM:
            return
        if self._bar is None:
            if time.monotonic() - self._began < PATIENCE:
                return
            from tqdm.auto import tqdm

            self._bar = tqdm(desc="recording", unit=" moments", initial=count, leave=False)
        self._bar.update(count - self._bar.n)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
