"""The command line: `python -m models train | evaluate | predict NAME`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from models import NETWORKS, find, training


def parser() -> argparse.ArgumentParser:
    """What may be said on the command line."""
    commands = argparse.ArgumentParser(prog="python -m models", description=__doc__)
    verbs = commands.add_subparsers(dest="verb", required=True)
    train = verbs.add_parser("train", help="train a network and save it")
    evaluate = verbs.add_parser("evaluate", help="measure saved weights on unseen data")
    predict = verbs.add_parser("predict", help="say what is in a picture")
    for verb in (train, evaluate, predict):
        verb.add_argument("name", choices=NETWORKS)
    for verb in (train, evaluate):
        verb.add_argument("--data", help="data set, such as digits or mnist")
    for verb in (evaluate, predict):
        verb.add_argument("--weights", type=Path, help="a .safetensors file other than the default")
    train.add_argument("--epochs", type=int)
    train.add_argument("--seed", type=int)
    train.add_argument("--out", type=Path, help="folder for weights and log [out/NAME]")
    train.add_argument("--pictures", action="store_true", help="draw the graph and predictions")
    predict.add_argument("image", type=Path)
    return commands


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments say; print the figures as one JSON object on the last line."""
    options = parser().parse_args(arguments)
    chosen = {key: vars(options).get(key) for key in ("data", "epochs", "seed")}
    recipe = find(options.name)(**{k: value for k, value in chosen.items() if value is not None})
    if options.verb == "train":
        folder = options.out or Path("out") / recipe.name
        command = " ".join(["python -m models", *arguments])
        figures = training.train(recipe, folder, command, options.pictures)
    else:
        model = training.load(recipe, options.weights)
        if options.verb == "evaluate":
            figures = {"model": recipe.name, **recipe.evaluate(model)}
        else:
            figures = {"model": recipe.name, **recipe.predict(model, options.image)}
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
