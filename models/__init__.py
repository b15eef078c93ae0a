"""The trained networks: one file per network, `recipes` to train them, one command line for all.

`python -m models train mnist_mlp` trains, `evaluate` measures, `predict` uses.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.recipe import Recipe

# Where the recipe of each network is; nothing is imported before it is asked for.
NETWORKS = {
    "mnist_mlp": "models.recipes:MnistMLPRecipe",
    "alexnet": "models.recipes:AlexNetRecipe",
    "resnet20": "models.recipes:ResNet20Recipe",
    "resnet32": "models.recipes:ResNet32Recipe",
    "resnet44": "models.recipes:ResNet44Recipe",
    "resnet56": "models.recipes:ResNet56Recipe",
    "resnet110": "models.recipes:ResNet110Recipe",
}
FOLDER = Path(__file__).resolve().parent


def find(name: str) -> type[Recipe]:
    """The recipe class of a network; raises KeyError for an unknown name."""
    if name not in NETWORKS:
        raise KeyError(f"There is no network {name!r}: choose from {', '.join(NETWORKS)}.")
    module, _, kind = NETWORKS[name].partition(":")
    recipe: type[Recipe] = getattr(import_module(module), kind)
    return recipe
