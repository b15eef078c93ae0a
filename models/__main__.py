"""The command line: `python -m models train | evaluate | predict | publish NAME`.

The last line of what it prints is one JSON object with the figures.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from minitorch.digits import DataError
from minitorch.state import StateError
from models import NETWORKS, find, training

SETTINGS = ("data", "epochs", "seed")  # what the command line can change of a recipe


def parser() -> argparse.ArgumentParser:
    """What may be said on the command line."""
    summary = (__doc__ or "").partition("\n")[0]
    commands = argparse.ArgumentParser(prog="python -m models", description=summary)
    verbs = commands.add_subparsers(dest="verb", required=True)
    train = verbs.add_parser("train", help="train a network and save it")
    evaluate = verbs.add_parser("evaluate", help="measure saved weights on unseen data")
    predict = verbs.add_parser("predict", help="say what is in a picture")
    publish = verbs.add_parser("publish", help="put a run into the repository")
    for verb in (train, evaluate, predict, publish):
        verb.add_argument("name", choices=NETWORKS)
    for verb in (train, evaluate, publish):
        verb.add_argument("--data", help="data set, such as digits or mnist")
    for verb in (evaluate, predict):
        verb.add_argument("--weights", type=Path, help="a .safetensors file other than the default")
    for verb in (train, publish):
        verb.add_argument("--out", type=Path, help="folder of the run [out/NAME]")
    train.add_argument("--epochs", type=int)
    train.add_argument("--seed", type=int)
    train.add_argument(
        "--resume", action="store_true", help="go on from the last checkpoint, by its recipe"
    )
    train.add_argument("--pictures", action="store_true", help="draw the graph and predictions")
    predict.add_argument("image", type=Path)
    return commands


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments say; print the figures as one JSON object on the last line."""
    options = vars(parser().parse_args(arguments))
    given = {key: options[key] for key in SETTINGS if options.get(key) is not None}
    kind, folder = find(options["name"]), options.get("out") or Path("out") / options["name"]
    try:
        if options["verb"] == "publish" or options.get("resume"):
            given = training.settings_of(folder) | given
        recipe = kind(**given)
        if options["verb"] == "train":
            figures = training.train(recipe, folder, options["resume"], options["pictures"])
        elif options["verb"] == "publish":
            figures = training.publish(recipe, folder)
        else:
            model = training.load(recipe, options["weights"])
            if options["verb"] == "evaluate":
                figures = {"model": recipe.name, **recipe.evaluate(model)}
            else:
                figures = {"model": recipe.name, **recipe.predict(model, options["image"])}
    except (DataError, StateError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        if isinstance(error, DataError) and options.get("data") != "digits":
            print("Digits that need no download: add `--data digits`.", file=sys.stderr)
        return 1
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
