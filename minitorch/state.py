"""Arrays by name in a file that holds numbers and nothing else: safetensors, as PyTorch reads it.

A file from a stranger is read as data; nothing in it can run. Leans on `files`; the package
safetensors is imported when it is first needed.
"""

# Grown in notebooks: 3_01_keeping_state. Edit there, then `make extract`.

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from minitorch.files import write_safely
from minitorch.tensor import Tensor

__all__ = [
    "Array",
    "StateError",
    "as_plain",
    "checksum",
    "load",
    "load_with_notes",
    "save",
    "what_it_is",
]


Array = np.ndarray

# numpy has no bfloat16: it is the upper half of a float32, and read as one.
_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "C64": "<c8", "BOOL": "|b1",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1",
}  # fmt: skip
_CHECKSUM = "sha256"
_HEADER_NOTES = "__metadata__"


class StateError(ValueError):
    """A file of saved state that cannot be written, read or trusted; says why and what to do."""


def save(
    state: Mapping[str, Any], path: str | Path, notes: Mapping[str, str] | None = None
) -> None:
    """Write arrays or tensors by name, as from `state_dict()`, to a safetensors file.

    `notes` are texts kept with them, beside a checksum. A file that was there before stays until
    the new one is whole. Raises StateError when a value is no array or the file cannot be written.
    """
    from safetensors.numpy import save as packed

    if not isinstance(state, Mapping):
        raise StateError(
            f"save: a {type(state).__name__} is no dict of arrays by name; of a model, save "
            "model.state_dict()."
        )
    path, notes = Path(path), dict(notes or {})
    if _HEADER_NOTES in state or _CHECKSUM in notes:
        raise StateError(f"save: the names {_HEADER_NOTES} and, in notes, {_CHECKSUM} are taken.")
    if wrong := [word for word in (*state, *notes, *notes.values()) if not isinstance(word, str)]:
        raise StateError(f"save: names and notes are texts, not {wrong[0]!r}.")
    arrays = {name: as_plain(name, value) for name, value in state.items()}
    notes[_CHECKSUM] = checksum(arrays, notes)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_safely(path, packed(arrays, metadata=notes))
    except OSError as error:
        size = sum(array.nbytes for array in arrays.values()) / 1e6
        raise StateError(
            f"save: {path} cannot be written ({error.strerror}; it needs {size:.1f} MB). What was "
            "there before is unchanged: make room or choose another folder, and save again."
        ) from error


def as_plain(name: str, value: Any) -> Array:
    """`value` as an array whose bytes lie in order, lowest byte first, as the file holds them."""
    array = value.array if isinstance(value, Tensor) else np.asarray(value)
    plain = np.asarray(array, array.dtype.newbyteorder("<"), order="C")
    if plain.dtype.str not in _DTYPES.values():
        raise StateError(
            f"save: {name} is {array.dtype}, but safetensors holds only numbers and booleans."
        )
    return plain


def checksum(arrays: Mapping[str, Array], notes: Mapping[str, str]) -> str:
    """SHA-256 of all that a file says: names, dtypes, shapes, bytes and notes, in name order."""
    digest = hashlib.sha256(json.dumps(sorted(notes.items())).encode())
    for name, array in sorted(arrays.items()):
        digest.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def load(path: str | Path) -> dict[str, Array]:
    """The arrays of a safetensors file by name, for `load_state_dict()`; bfloat16 as float32.

    Raises StateError when the file is missing, damaged, or not safetensors.
    """
    return load_with_notes(path)[0]


def load_with_notes(path: str | Path) -> tuple[dict[str, Array], dict[str, str]]:
    """The arrays of a safetensors file, and the texts kept with them, once the checksum agrees.

    A file without a checksum, as other programs write it, is taken as its format allows.
    """
    import safetensors

    path, beginning = Path(path), b""
    try:
        with path.open("rb") as file:
            beginning = file.read(8)
        # It checks every declared size against the file's before anything is read or made of it.
        with safetensors.safe_open(path, "numpy"):
            content = path.read_bytes()
        entries = safetensors.deserialize(content)  # type: ignore[no-untyped-call]
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    except OSError as error:
        raise StateError(f"load: {path} cannot be read ({error.strerror or error}).") from error
    except MemoryError as error:
        raise StateError(f"load: {path} is larger than the memory that is left.") from error
    except (safetensors.SafetensorError, ValueError) as error:
        raise StateError(f"load: {path} {what_it_is(beginning)} ({error}).") from error
    unknown = [
        f"{name} ({entry['dtype']})" for name, entry in entries if entry["dtype"] not in _DTYPES
    ]
    if unknown:
        raise StateError(f"load: {path} holds dtypes that numpy has not: {', '.join(unknown)}.")
    try:
        arrays = {
            name: np.frombuffer(entry["data"], _DTYPES[entry["dtype"]]).reshape(entry["shape"])
            for name, entry in entries
        }
    except ValueError as error:  # 65 dimensions, or none by none of 2**63
        raise StateError(f"load: {path} declares shapes that no array has: {error}.") from error
    notes = header.get(_HEADER_NOTES) or {}
    expected = notes.pop(_CHECKSUM, None)
    if expected is not None and checksum(arrays, notes) != expected:
        raise StateError(
            f"load: {path} is damaged: its content does not have the checksum that was saved with "
            "it. Use an earlier copy."
        )
    for name, entry in entries:
        if entry["dtype"] == "BF16":
            arrays[name] = (arrays[name].astype("<u4") << 16).view("<f4")
    return arrays, notes


def what_it_is(beginning: bytes) -> str:
    """In words, why a file with these first eight bytes is not a safetensors file."""
    # The length of a header may begin like a pickle of protocol 2 to 5, but then come zeros.
    plain = beginning[:1] == b"\x80" and beginning[1:2] < b"\6" and any(beginning[2:])
    if plain or beginning[:2] == b"PK":
        return (
            "is a pickle, as torch.save writes it. Loading one can run any code, so minitorch "
            "never does: where you trust it, load it in PyTorch and save it with safetensors.torch"
        )
    return "is damaged, cut off, or no safetensors file"
