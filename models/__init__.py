"""The trained networks: one file per network, one recipe per file, one command line for all.

`python -m models train mnist_mlp` trains, `evaluate` measures, `predict` uses.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.recipe import Recipe

# Each network's module defines its `RECIPE`; nothing is imported before it is asked for.
NETWORKS = ("mnist_mlp",)
FOLDER = Path(__file__).resolve().parent


def find(name: str) -> type[Recipe]:
    """The recipe class of a network; raises KeyError for an unknown name."""
    if name not in NETWORKS:
        raise KeyError(f"There is no network {name!r}: choose from {', '.join(NETWORKS)}.")
    recipe: type[Recipe] = import_module(f"models.{name}").RECIPE
    return recipe
