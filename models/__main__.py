"""The command line: `python -m models train | evaluate | predict | publish NAME`.

The last line of what it prints is one JSON object with the figures. A further command is one
function and one parser for what it may be told.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minitorch import compiled
from minitorch.digits import DataError
from models import NETWORKS, find, training

Options = dict[str, Any]
Figures = dict[str, Any]
INTERRUPTED = 130  # what a shell expects of a program that Ctrl-C has ended


def train(options: Options) -> Figures:
    """Train a network and save it."""
    folder = folder_of(options)
    given = {
        key: value for key in ("data", "epochs", "seed") if (value := options[key]) is not None
    }
    if options["resume"]:
        given = training.settings_to_go_on(folder, options["name"], given)
    recipe = find(options["name"])(**given)
    return training.train(recipe, folder, options["resume"], options["pictures"])


def evaluate(options: Options) -> Figures:
    """Measure saved weights on unseen data."""
    recipe = find(options["name"])(**({} if options["data"] is None else {"data": options["data"]}))
    model = training.load(recipe, options["weights"])
    figures = {"model": recipe.name, **recipe.evaluate(model)}
    learned = find(options["name"])().data
    if options["weights"] is None and recipe.data != learned:
        known = (recipe.data, learned) == ("digits", "mnist")
        new = "these digits are a part of it, nothing new" if known else "this is something else"
        print(f"The committed weights have learned from {learned}: {new}.", file=sys.stderr)
    return figures


def predict(options: Options) -> Figures:
    """Say what is in a picture."""
    recipe = find(options["name"])()
    model = training.load(recipe, options["weights"])
    return {"model": recipe.name, **recipe.predict(model, options["image"])}


def publish(options: Options) -> Figures:
    """Put a finished run into the repository."""
    folder = folder_of(options)
    settings = training.settings_of(folder, options["name"])
    return training.publish(find(options["name"])(**settings), folder)


def digits_would_do(options: Options) -> bool:
    """Whether the embedded digits could take the place of data that is not there."""
    trained = options["verb"] == "train" or options.get("weights") is not None
    return options.get("data") != "digits" and (trained or find(options["name"])().data == "mnist")


def folder_of(options: Options) -> Path:
    """The folder of the run."""
    return options["out"] or training.RUNS / options["name"]


def parser() -> argparse.ArgumentParser:
    """What may be said on the command line."""
    summary = (__doc__ or "").partition("\n")[0]
    commands = argparse.ArgumentParser(prog="python -m models", description=summary)
    verbs = commands.add_subparsers(dest="verb", required=True)
    parsers = {}
    for command in (train, evaluate, predict, publish):
        does = (command.__doc__ or "").rstrip(".")
        parsers[command] = verbs.add_parser(command.__name__, help=does, description=does)
        parsers[command].add_argument("name", choices=NETWORKS)
        parsers[command].set_defaults(command=command)
    for command in (train, evaluate):
        parsers[command].add_argument("--data", help="data set, such as digits or mnist")
        parsers[command].add_argument(
            "--compiled", action="store_true", help="passes over memory as loops, by numba"
        )
    for command in (evaluate, predict):
        parsers[command].add_argument(
            "--weights", type=Path, help="a .safetensors file other than the default"
        )
    for command in (train, publish):
        parsers[command].add_argument("--out", type=Path, help="folder of the run [out/NAME]")
    parsers[train].add_argument("--epochs", type=at_least(1))
    parsers[train].add_argument("--seed", type=at_least(0))
    parsers[train].add_argument(
        "--resume", action="store_true", help="go on from the last checkpoint, by its recipe"
    )
    parsers[train].add_argument(
        "--pictures", action="store_true", help="draw the graph and predictions"
    )
    parsers[predict].add_argument("image", type=Path)
    return commands


def at_least(least: int) -> Any:
    """A reader of whole numbers that are not smaller."""

    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} on")
        return int(text)

    return number


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments say; print the figures as one JSON object on the last line."""
    options = vars(parser().parse_args(arguments))
    try:
        if options.get("compiled"):
            compiled.use()
        figures = options["command"](options)
    except (training.Unfinished, KeyboardInterrupt) as stop:
        print(str(stop) or "Stopped.", file=sys.stderr)
        return INTERRUPTED
    except (ImportError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        if isinstance(error, DataError) and digits_would_do(options):
            print("Digits that need no download: add `--data digits`.", file=sys.stderr)
        return 1
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
