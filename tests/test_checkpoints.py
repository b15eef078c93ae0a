"""Checkpoints: whatever happens while saving, training goes on as if nothing had."""

import contextlib
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minitorch as mt
from minitorch.checkpoints import Checkpoints, put_together, read_checkpoint, taken_apart
from minitorch.state import StateError, load, save
from tests.interrupted import Training

ROOT = Path(__file__).resolve().parent.parent
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def net(width=3):
    return mt.nn.Linear(4, width)


def same(state, expected):
    return all(np.array_equal(state[name], expected[name]) for name in expected)


def output_of(command):
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=ROOT, env=ONE_THREAD
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def copy_of(model):
    return {name: array.copy() for name, array in model.state_dict().items()}


# ---- kills --------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the program forks")
def test_200_kills_while_saving_leave_the_last_or_the_one_before(tmp_path):
    command = [sys.executable, "-W", "error", "-m", "tests.killing", tmp_path, "200", "1"]
    assert output_of(command).startswith("200 kills")


class PowerCut(BaseException):
    """Ends everything at once, and no clean-up has an effect."""


CALLS = ((Path, "write_bytes"), (Path, "replace"), (Path, "unlink"), (os, "fsync"))


@pytest.mark.parametrize("moment", range(8))
def test_a_power_cut_before_each_call_leaves_a_whole_one(tmp_path, moment, monkeypatch):
    model = net()
    checkpoints = Checkpoints(tmp_path, model=model)
    for number in (1, 2):
        model.bias.array[...] = number
        checkpoints.save(number=number)
    calls = 0

    def counted(original):
        def call(*arguments, **settings):
            nonlocal calls
            calls += 1
            if calls > moment:
                raise PowerCut
            return original(*arguments, **settings)

        return call

    model.bias.array[...] = 3
    with monkeypatch.context() as patched:
        for owner, name in CALLS:
            patched.setattr(owner, name, counted(getattr(owner, name)))
        cut = True
        try:
            checkpoints.save(number=3)
            cut = False
        except PowerCut:
            pass
    assert cut == (moment < 7), f"saving takes {calls} calls; let the test go over all of them"
    progress = checkpoints.load()
    assert progress["number"] in (2, 3)
    assert model.bias.tolist() == [progress["number"]] * 3
    checkpoints.save(number=4)
    assert checkpoints.load() == {"number": 4}


def test_training_killed_again_and_again_ends_with_the_same_bits(tmp_path):
    command = [sys.executable, "-m", "tests.interrupted"]
    whole = output_of([*command, tmp_path / "whole"])
    moments = random.Random(0)
    for _ in range(3):
        with subprocess.Popen(
            [*command, tmp_path / "killed"], stdout=subprocess.PIPE, cwd=ROOT, env=ONE_THREAD
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == b"begun"
            time.sleep(moments.uniform(0.02, 0.2))
            process.kill()
    assert output_of([*command, tmp_path / "killed"]) == whole


@pytest.mark.parametrize("batches", [1, 9, 10, 14])
def test_going_on_gives_the_same_bits_wherever_it_stopped(tmp_path, batches):
    whole = Training(tmp_path / "whole", seed=0)
    whole.run()
    Training(tmp_path / "stopped", seed=0).run(batches)
    went_on = Training(tmp_path / "stopped", seed=99)
    went_on.checkpoints.load()
    went_on.run()
    assert went_on.digest() == whole.digest()


def test_the_optimizer_is_needed_for_the_same_bits(tmp_path):
    """The tests above would notice a part that is not restored."""
    whole = Training(tmp_path / "whole", seed=0)
    whole.run()
    Training(tmp_path / "stopped", seed=0).run(9)
    went_on = Training(tmp_path / "stopped", seed=99)
    del went_on.checkpoints.parts["optimizer"]
    with pytest.raises(StateError, match="optimizer"):
        went_on.checkpoints.load()
    went_on.checkpoints.parts["optimizer"] = mt.optim.SGD(net().parameters(), lr=1)
    with pytest.raises(StateError, match="does not fit"):
        went_on.checkpoints.load()


# ---- damage -------------------------------------------------------------------------------------


def two_checkpoints(folder):
    model = net()
    checkpoints = Checkpoints(folder, model=model)
    for number in (1, 2):
        model.bias.array[...] = number
        checkpoints.save(number=number)
    return model, checkpoints


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "pickle", "arrays only"])
def test_a_damaged_last_one_gives_a_warning_and_the_one_before(tmp_path, damage):
    model, checkpoints = two_checkpoints(tmp_path)
    content = bytearray(checkpoints.last.read_bytes())
    if damage == "arrays only":
        save({"a": np.zeros(2)}, checkpoints.last)
    else:
        content[-3] ^= 4
        checkpoints.last.write_bytes(
            {"cut": content[:-9], "flipped": content, "empty": b"", "pickle": b"\x80\x04N."}[damage]
        )
    with pytest.warns(UserWarning, match=r"last.*previous"):
        assert checkpoints.load() == {"number": 1}
    assert model.bias.tolist() == [1, 1, 1]


def test_a_kill_after_a_damaged_one_became_the_one_before_leaves_the_newest(tmp_path, monkeypatch):
    model, checkpoints = two_checkpoints(tmp_path)
    checkpoints.last.write_bytes(b"damaged")
    with pytest.warns(UserWarning, match="Went on from"):
        checkpoints.load()
    model.bias.array[...] = 3
    replace = Path.replace

    def cut(path, target):
        if target == checkpoints.last:
            raise PowerCut
        return replace(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", cut)
        with pytest.raises(PowerCut):
            checkpoints.save(number=3)
    assert checkpoints.exists()
    assert checkpoints.load() == {"number": 3}
    assert model.bias.tolist() == [3, 3, 3]


def test_none_left_is_one_error_that_names_both(tmp_path):
    model, checkpoints = two_checkpoints(tmp_path)
    before = copy_of(model)
    for path in (checkpoints.last, checkpoints.previous):
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(StateError, match=r"last\.safetensors.*previous\.safetensors"):
        checkpoints.load()
    assert same(model.state_dict(), before)


def test_no_checkpoint_is_an_error(tmp_path):
    checkpoints = Checkpoints(tmp_path / "nothing", model=net())
    assert not checkpoints.exists()
    with pytest.raises(StateError, match="there is none"):
        checkpoints.load()


def test_a_checkpoint_that_does_not_fit_changes_nothing(tmp_path):
    Checkpoints(tmp_path, first=net(), second=net(width=5)).save()
    mt.manual_seed(5)
    first, second = net(), net(width=7)
    before = copy_of(first), copy_of(second), mt.random.generator().bit_generator.state
    with pytest.raises(StateError, match=r"does not fit.*\(5"):
        Checkpoints(tmp_path, first=first, second=second).load()
    assert same(first.state_dict(), before[0])
    assert same(second.state_dict(), before[1])
    assert mt.random.generator().bit_generator.state == before[2]


def test_a_full_disk_keeps_both(tmp_path, monkeypatch):
    _, checkpoints = two_checkpoints(tmp_path)

    def full(*arguments):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        with pytest.raises(StateError, match="No space left"):
            checkpoints.save(number=3)
    assert checkpoints.load() == {"number": 2}
    assert {path.name for path in tmp_path.iterdir()} == {
        "last.safetensors",
        "previous.safetensors",
    }


# ---- what it holds ------------------------------------------------------------------------------


def test_a_folder_in_the_place_of_the_file_gives_our_error(tmp_path):
    (tmp_path / "last.safetensors").mkdir()
    (tmp_path / "previous.safetensors").write_bytes(b"")
    with pytest.raises(StateError, match="cannot take the place"):
        Checkpoints(tmp_path, model=net()).save()


def test_the_weights_of_a_checkpoint_are_readable_on_their_own(tmp_path):
    model, checkpoints = two_checkpoints(tmp_path)
    np.testing.assert_array_equal(
        load(checkpoints.last)["parts.model.weight"], model.state_dict()["weight"]
    )


def test_random_numbers_go_on_where_they_were(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save()
    expected = mt.randn(5).tolist()
    checkpoints.load()
    assert mt.randn(5).tolist() == expected


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.just(np.arange(3)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("ab._", max_size=3) | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(plain)
@settings(max_examples=200, deadline=None)
def test_any_plain_data_comes_back(tmp_path_factory, progress):
    checkpoints = Checkpoints(tmp_path_factory.mktemp("plain"))
    checkpoints.save(progress=progress)
    assert repr(checkpoints.load()) == repr({"progress": progress})


outlines = st.recursive(
    st.none() | st.integers() | st.sampled_from(["a", "parts"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["dict", "list", "array", "x"]), inner, max_size=2)
    ),
    max_leaves=10,
).map(json.dumps)
halves = outlines.map(
    '{{"dict": [["parts", {{"dict": []}}], ["progress", {}]]}}'.format  # one half as it should be
)


@given(outlines | halves | st.text(max_size=9) | st.just("[" * 100_000))
@settings(max_examples=200, deadline=None)
def test_any_outline_gives_a_checkpoint_or_our_error(tmp_path_factory, outline):
    path = tmp_path_factory.mktemp("outline") / "last.safetensors"
    save({"a": np.zeros(2)}, path, {"checkpoint": outline})
    with contextlib.suppress(StateError):
        assert read_checkpoint(path).keys() == {"parts", "progress"}


def test_names_that_meet_stay_apart():
    arrays: dict[str, np.ndarray] = {}
    state = {"a.b": np.array(1), "a": {"b": np.array(2)}, "dict": 3, "array": "a.b"}
    assert repr(put_together(taken_apart(state, "", arrays), arrays)) == repr(state)


def test_what_is_not_plain_data_is_refused_by_name(tmp_path):
    with pytest.raises(StateError, match=r"progress\.rows\.1: object"):
        Checkpoints(tmp_path).save(rows=[1, object()])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("key", [(1, 2), b"a", frozenset()])
def test_a_key_that_would_not_come_back_is_refused_before_anything_is_written(tmp_path, key):
    with pytest.raises(StateError, match=r"progress\.seen: its key .* no text or number"):
        Checkpoints(tmp_path).save(seen={key: 3})
    assert not list(tmp_path.iterdir())


def test_numbers_of_numpy_are_keys_too(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(seen={np.int64(3): 1, None: 2, True: 3})
    assert checkpoints.load() == {"seen": {3: 1, None: 2, True: 3}}


def test_a_list_in_itself_is_refused(tmp_path):
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(StateError, match="in itself"):
        Checkpoints(tmp_path).save(rows=endless)
