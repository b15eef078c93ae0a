"""Passes over memory by compiled loops, where numba is installed and they are wanted.

`minitorch.compiled.use()` puts loops in the place of numpy's passes, `use(False)` takes them away.
Each walks once over memory where numpy walks several times. The loops themselves are in
`compiled_passes` and `compiled_convolution`. Leans on `passes`.
"""

# Grown in notebooks: 4_05_loops_compiled. Edit there, then `make extract`.

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from minitorch.passes import Pass

__all__ = ["Loops", "in_place_of", "in_use", "instead_of", "translated", "translator", "use"]


Loops = Callable[..., Any]

in_place_of: dict[Pass, Loops] = {}  # the loops that can do a pass, in Python
translated: dict[Loops, Loops] = {}  # what numba has made of them, once it was asked


def instead_of(numpy_pass: Pass) -> Callable[[Loops], Loops]:
    """Say that the decorated loops do what `numpy_pass` does; they stay plain Python here."""

    def note(loops: Loops) -> Loops:
        in_place_of[numpy_pass] = loops
        return loops

    return note


def use(wanted: bool = True) -> None:
    """Let compiled loops do every pass over memory from here on; with False, numpy again.

    The first call of each loop compiles it, all together some ten seconds, once per machine: numba
    keeps them. Raises ImportError where there is no numba.
    """
    missing = [loops for loops in in_place_of.values() if wanted and loops not in translated]
    if missing:
        translate = translator()
        translated.update({loops: translate(loops) for loops in missing})
    for numpy_pass, loops in in_place_of.items():
        numpy_pass.compiled = translated[loops] if wanted else None


def in_use() -> bool:
    """Whether compiled loops do the passes."""
    return any(numpy_pass.compiled is not None for numpy_pass in in_place_of)


def translator() -> Callable[[Loops], Loops]:
    """What makes compiled functions of loops: they let go of Python's lock, and are kept.

    Where there is no folder to keep them in, each process compiles its own.
    """
    try:
        numba: Any = import_module("numba")
    except ImportError as error:
        raise ImportError(
            f"compiled: numba cannot be imported ({error}). Install it beside minitorch, "
            "`pip install numba`, or stay with numpy: everything works without."
        ) from error

    def translate(loops: Loops, kept: bool = True) -> Loops:
        try:
            return numba.njit(loops, nogil=True, cache=kept, error_model="numpy")
        except RuntimeError:  # of numba's search for a folder
            if not kept:
                raise
            return translate(loops, kept=False)

    return translate
