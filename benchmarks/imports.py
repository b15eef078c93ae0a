"""How long `import` takes, in a fresh process each time."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from functools import partial

from benchmarks.timing import Step

MODULES = {"minitorch": "minitorch", "torch": "torch", "jax": "jax", "numpy alone": "numpy"}


def peers() -> dict[str, Callable[[], Step]]:
    """The importing steps by framework, and numpy alone, which is most of ours."""
    return {name: partial(import_step, module) for name, module in MODULES.items()}


def import_step(module: str) -> Step:
    """Start Python and import `module`."""
    if importlib.util.find_spec(module) is None:
        raise ImportError(f"No module named {module!r}")
    return lambda: subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
