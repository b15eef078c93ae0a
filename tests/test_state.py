"""Saved state: what comes back, and what is refused. No file may run code or fill the memory."""

import contextlib
import errno
import json
import os
import pickle
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minitorch as mt
from minitorch.state import StateError, load, load_with_notes, save

DTYPES = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?", "c8")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.safetensors"


def example():
    random = np.random.default_rng(0)
    return {
        "0.weight": random.standard_normal((3, 4)).astype(np.float32),
        "0.bias": random.standard_normal(3).astype(np.float32),
        "steps": np.array(7),
    }


def assert_same_state(state, expected):
    assert state.keys() == expected.keys()
    for name, array in expected.items():
        assert state[name].dtype == array.dtype
        np.testing.assert_array_equal(state[name], array, strict=True)


# ---- what comes back ----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (2, 3)])
def test_every_dtype_and_shape_comes_back(path, dtype, shape):
    state = {"a": np.ones(shape, dtype)}
    save(state, path)
    assert_same_state(load(path), state)


def test_memory_order_does_not_matter(path):
    values = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    state = {
        "transposed": values.transpose(0, 2, 1),
        "reversed": values[::-1, ::2],
        "broadcast": np.broadcast_to(np.float32(3), (2, 2)),
        "big-endian": values.astype(">f4"),
    }
    save(state, path)
    for name, array in load(path).items():
        np.testing.assert_array_equal(array, state[name])


def test_tensors_are_saved_and_loaded_arrays_can_be_written(path):
    save({"a": mt.ones(2, requires_grad=True)}, path)
    loaded = load(path)["a"]
    loaded += 1
    assert loaded.tolist() == [2, 2]


def test_notes_come_back_without_the_checksum(path):
    save(example(), path, {"made by": "a test"})
    assert load_with_notes(path)[1] == {"made by": "a test"}


def test_safetensors_reads_ours_and_we_read_theirs(path):
    save(example(), path)
    assert_same_state(safetensors.numpy.load_file(path), example())
    safetensors.numpy.save_file(example(), path)
    assert_same_state(load(path), example())


def test_bfloat16_is_read_as_float32(path):
    exact = np.array([1.0, -2.5, 3e38, 0.0], np.float32)  # the first three rounded to 8 bits
    upper = (exact.view(np.uint32) >> 16).astype(np.uint16)
    header = json.dumps({"a": {"dtype": "BF16", "shape": [4], "data_offsets": [0, 8]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + upper.tobytes())
    np.testing.assert_allclose(load(path)["a"], exact, rtol=2**-7)
    assert load(path)["a"].dtype == np.float32


@pytest.mark.parametrize("value", [np.array(["text"]), np.array([None]), np.array([1 + 2j])])
def test_what_is_no_number_is_refused_by_name(path, value):
    with pytest.raises(StateError, match=r"0\.weight"):
        save({"0.weight": value}, path)
    assert not path.exists()


# ---- damage -------------------------------------------------------------------------------------


def test_a_model_in_place_of_its_state_is_refused_with_the_cure(path):
    with pytest.raises(StateError, match=r"a Linear is no dict .* save model\.state_dict\(\)"):
        save(mt.nn.Linear(2, 1), path)  # type: ignore[arg-type]
    assert not path.exists()


@pytest.mark.parametrize("state, notes", [({1: np.ones(2)}, {}), ({"a": np.ones(2)}, {"epoch": 3})])
def test_names_and_notes_that_are_no_texts_are_refused(path, state, notes):
    with pytest.raises(StateError, match="are texts, not"):
        save(state, path, notes)
    assert not path.exists()


def test_every_flipped_bit_is_noticed_or_changes_nothing(path):
    save(example(), path)
    whole = path.read_bytes()
    noticed = 0
    for position in range(len(whole)):
        for bit in (1, 16, 128):
            damaged = bytearray(whole)
            damaged[position] ^= bit
            path.write_bytes(damaged)
            try:
                state = load(path)
            except StateError:
                noticed += 1
            else:
                assert_same_state(state, example())
    assert noticed > 2.8 * len(whole)


def test_every_truncation_is_noticed(path):
    save(example(), path)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(StateError, match="weights"):
            load(path)


@pytest.mark.parametrize(
    "header",
    [
        b"\xff" * 7 + b"\x7f",  # the header itself
        {"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}},
        {"a": {"dtype": "F32", "shape": [2**62, 2**62], "data_offsets": [0, 8]}},
        {"a": {"dtype": "F32", "shape": [2], "data_offsets": [2**63, 2**63 + 8]}},
        {"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 8]}},
        {"a": {"dtype": "F4", "shape": [16], "data_offsets": [0, 8]}},
        {"a": {"dtype": "F8_E4M3", "shape": [8], "data_offsets": [0, 8]}},
        {"a": {"dtype": "F64", "shape": [1] * 65, "data_offsets": [0, 8]}},
        {
            "a": {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]},
            "b": {"dtype": "F64", "shape": [0, 2**63], "data_offsets": [8, 8]},
        },
        [],
        {},
    ],
)
def test_declared_sizes_are_not_believed(path, header):
    if not isinstance(header, bytes):
        text = json.dumps(header).encode()
        header = len(text).to_bytes(8, "little") + text
    path.write_bytes(header + bytes(8))
    tracemalloc.start()
    with pytest.raises(StateError):
        load(path)
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


@pytest.mark.parametrize("head", [bytes(8), (60).to_bytes(8, "little")])
def test_a_file_larger_than_any_memory_is_refused_unread(path, head):
    header = b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'.ljust(60)
    path.write_bytes(head + header)
    os.truncate(path, 1 << 40)  # a terabyte of which nearly nothing is on the disk
    with pytest.raises(StateError, match="is damaged, cut off"):
        load(path)


def test_empty_notes_of_other_programs_are_none(path):
    header = b'{"__metadata__":null,"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    assert load_with_notes(path) == ({"a": np.zeros(1, np.float32)}, {})


def test_a_cut_file_is_not_called_a_pickle(path):
    """The length of its header, 0x0280, is written as a pickle begins."""
    header = b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'.ljust(0x0280)
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    with pytest.raises(StateError, match="is damaged, cut off"):
        load(path)


class Exploit:
    def __reduce__(self):
        return os.mkdir, ("executed",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_refused_and_not_run(path, protocol, monkeypatch):
    monkeypatch.chdir(path.parent)
    path.write_bytes(pickle.dumps(Exploit(), protocol))
    with pytest.raises(StateError, match="is a pickle" if protocol > 1 else "is damaged"):
        load(path)
    assert not (path.parent / "executed").exists()


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_give_our_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("fuzz") / "file"
    path.write_bytes(content)
    with pytest.raises(StateError):
        load(path)


entries = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["F32", "I64", "BOOL", "BF16", "F8_E5M2", ""]) | st.integers(),
        "shape": st.lists(st.integers(-2, 9) | st.integers(), max_size=4),
        "data_offsets": st.lists(st.integers(0, 40) | st.integers(), min_size=1, max_size=3),
    }
)


@given(
    st.dictionaries(st.text(max_size=3) | st.just("__metadata__"), entries | st.text(max_size=3)),
    st.binary(max_size=40),
)
@settings(max_examples=200, deadline=None)
def test_any_header_gives_arrays_or_our_error(tmp_path_factory, header, content):
    path = tmp_path_factory.mktemp("fuzz") / "file"
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content)
    with contextlib.suppress(StateError):
        assert sum(array.nbytes for array in load(path).values()) <= 2 * len(content)


@given(
    st.dictionaries(
        st.text() | st.just("__metadata__"),
        hnp.arrays(st.sampled_from(DTYPES), hnp.array_shapes(min_dims=0, min_side=0, max_side=4)),
        max_size=3,
    ),
    st.dictionaries(st.text() | st.just("sha256"), st.text(), max_size=3),
)
@settings(max_examples=100, deadline=None)
def test_what_is_saved_is_loaded(tmp_path_factory, state, notes):
    path = tmp_path_factory.mktemp("round") / "file"
    if "__metadata__" in state or "sha256" in notes:
        with pytest.raises(StateError):
            save(state, path, notes)
        return
    save(state, path, notes)
    loaded, loaded_notes = load_with_notes(path)
    assert loaded.keys() == state.keys()
    assert all(loaded[name].tobytes() == array.tobytes() for name, array in state.items())
    assert loaded_notes == notes


# ---- disks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["write_bytes", "replace", "fsync"])
def test_a_full_disk_leaves_the_old_file(path, call, monkeypatch):
    save(example(), path)

    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os if call == "fsync" else Path, call, full)
    with pytest.raises(StateError, match=r"No space left.*unchanged"):
        save({"a": np.zeros(3)}, path)
    monkeypatch.undo()
    assert_same_state(load(path), example())
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_device_without_room_gives_our_error(tmp_path):
    (tmp_path / "weights.part").symlink_to("/dev/full")
    with pytest.raises(StateError, match="No space left"):
        save({"a": np.zeros(3)}, tmp_path / "weights")


def test_a_folder_in_the_way_and_a_missing_file_give_our_error(tmp_path):
    with pytest.raises(StateError, match="cannot be read"):
        load(tmp_path / "not there")
    with pytest.raises(StateError, match="cannot be written"):
        save(example(), tmp_path)


# ---- into a model -------------------------------------------------------------------------------


def model():
    return mt.nn.Sequential(mt.nn.Linear(4, 3), mt.nn.ReLU(), mt.nn.Linear(3, 2))


def test_a_model_goes_through_a_file(path):
    trained, fresh = model(), model()
    save(trained.state_dict(), path)
    fresh.load_state_dict(load(path))
    x = mt.randn(5, 4)
    np.testing.assert_array_equal(fresh(x).array, trained(x).array)


def test_what_does_not_fit_is_listed_and_nothing_is_changed(path):
    net = model()
    before = {name: array.copy() for name, array in net.state_dict().items()}
    state = {**before, "0.weight": np.zeros((4, 3)), "extra": np.zeros(1)}
    del state["2.bias"]
    with pytest.raises(ValueError, match="load_state_dict") as raised:
        net.load_state_dict(state)
    for name in ("0.weight", "extra", "2.bias"):
        assert name in str(raised.value)
    assert_same_state(net.state_dict(), before)


@pytest.mark.parametrize(
    "value, words",
    [
        (np.zeros(3, np.complex64), "complex64 instead of float32"),
        (np.array(["a", "b", "c"]), "instead of float32"),
        (np.full(3, 1e300), "beyond the range of float32"),
        ([[1], [1, 2]], "no array"),
        (None, "has shape"),
    ],
)
def test_what_does_not_fit_is_refused(value, words):
    net = model()
    before = {name: array.copy() for name, array in net.state_dict().items()}
    with pytest.raises(ValueError, match=rf"0\.bias.*{words}"):
        net.load_state_dict({**net.state_dict(), "0.bias": value})
    assert_same_state(net.state_dict(), before)


@pytest.mark.parametrize("value", [np.array([300, 0]), np.array([0.5, 0])])
def test_no_number_changes_on_its_way_into_integers(value):
    net: Any = mt.nn.Module()
    net.table = mt.nn.Buffer(np.array([7, 8], np.int8))
    with pytest.raises(ValueError, match="table"):
        net.load_state_dict({"table": value})
    assert net.table.tolist() == [7, 8]


def test_non_strict_loading_tells_what_it_left_out():
    net = model()
    given = {"0.bias": np.ones(3), "2.bias": np.ones(9), "extra": np.ones(1)}
    with pytest.warns(UserWarning, match=r"2\.bias has shape \(9,\)"):
        report = net.load_state_dict(given, strict=False)
    missing, unexpected = report
    assert missing == report.missing_keys == ["0.weight", "2.weight"]
    assert unexpected == report.unexpected_keys == ["extra"]
    assert report.misfitting_keys == ["2.bias"]
    assert "misfitting_keys=['2.bias']" in repr(report)
    assert net[0].bias.tolist() == [1, 1, 1]


def test_a_state_that_is_no_dict_is_refused():
    with pytest.raises(TypeError, match="no dict"):
        model().load_state_dict(None)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with a name here")
def test_a_device_is_not_replaced_by_a_file(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(StateError, match="is a device or a pipe"):
        save({"weight": np.ones(3, np.float32)}, pipe)
    assert pipe.is_fifo()
