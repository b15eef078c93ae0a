"""CIFAR-10: 32 x 32 colour photos of ten things, from any form in which they are about.

Leans on `downloads` and `digits`.
"""

# Grown in notebooks: 3_04_data. Edit there, then `make extract`.

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import tarfile
import zlib
from collections.abc import Callable, Generator, Set
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import BadZipFile

import numpy as np

from minitorch.digits import DataError, LabelledImages
from minitorch.downloads import Source, data_folder, fetch, is_there, md5_of

__all__ = [
    "CIFAR10_CLASSES",
    "Array",
    "Decoder",
    "checked_bytes",
    "cifar10",
    "decoded",
    "from_binary",
    "from_pickle",
    "read_mosaics",
    "split",
    "stored_batches",
    "tar_members",
    "unpacked_batches",
]


Array = np.ndarray

CIFAR10_CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip

_BATCHES = {  # MD5 in the python version, and of the mosaic
    "data_batch_1": ("c99cafc152244af753f735de768cd75f", "5e881dc856b86f3ef743ae11f7c80920"),
    "data_batch_2": ("d4bba439e000b95fd0a9bffe97cbabec", "4afbc5647363dc5bbba4fd32d9d69044"),
    "data_batch_3": ("54ebc095f3ab1f0389bbae665268c751", "d61891b55c524015d069c23882939ddb"),
    "data_batch_4": ("634d18415352ddfa80567beed471001a", "ed5eedead0d7a46227af24b3a184e988"),
    "data_batch_5": ("482c414d41f54cd18b22e5b47cb7c3cb", "02e999cc58ab80d075ef6869b36ea982"),
    "test_batch": ("40351d587109b95175f43aff81a1287e", "fe2d0443653d8e432ed486d29bc8b610"),
}
_IMAGE = 3 * 32 * 32
_MOST = 1 << 26  # bytes in one batch: twice what one has
_MOST_UNPACKED = 1 << 28  # bytes in an archive, unpacked: half as much again as one has
_BLOCK = tarfile.BLOCKSIZE

_PYTHON = Source(
    "cifar-10-python.tar.gz",
    170_498_071,
    "c58f30108f718f92721af3b95e74349a",
    (
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        "https://dataset.bj.bcebos.com/cifar/cifar-10-python.tar.gz",
    ),
)
_BINARY_MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
_LABELS_MD5 = "714218b1ddf38853edfd639f00561c34"  # those of the mosaics


def cifar10() -> tuple[LabelledImages, LabelledImages]:
    """50,000 colour photos (3, 32, 32) to train on and 10,000 to test with; see CIFAR10_CLASSES.

    In the data folder it takes the unpacked batches of the python version, the archive of either,
    or lossless mosaics, all checked by their MD5; else it downloads. In memory a pixel's three
    colours lie side by side. Krizhevsky 2009. Raises DataError.
    """
    folder = data_folder("cifar10")
    if is_there(folder / "labels.npz"):
        return read_mosaics(folder)
    batches = [decode(content) for decode, content in stored_batches(folder)]
    images = np.concatenate([images for images, _ in batches])
    labels = np.concatenate([labels for _, labels in batches])
    return split(images, labels)


def split(images: Array, labels: Array) -> tuple[LabelledImages, LabelledImages]:
    """The last batch, a sixth, is for testing; `images` have colours last, the result first."""
    images, labels = images.transpose(0, 3, 1, 2), labels.astype(np.int64)
    start = len(images) // len(_BATCHES) * (len(_BATCHES) - 1)
    train = LabelledImages(images[:start], labels[:start])
    return train, LabelledImages(images[start:], labels[start:])


Decoder = Callable[[bytes], tuple[Array, Array]]


def stored_batches(folder: Path) -> list[tuple[Decoder, bytes]]:
    """The six batches as bytes, each with the function that decodes it."""
    if (unpacked := folder / "cifar-10-batches-py").is_dir():
        files = [(unpacked / name, md5) for name, (md5, _) in _BATCHES.items()]
        return [(from_pickle, checked_bytes(path, md5)) for path, md5 in files]
    binary, python = folder / "cifar-10-binary.tar.gz", folder / _PYTHON.name
    if binary.exists():
        contents = unpacked_batches(binary, ".bin", _BINARY_MD5)
        return [(from_binary, content) for content in contents]
    if (unpacked := folder / "cifar-10-batches-bin").is_dir() and not python.exists():
        raise DataError(
            f"{unpacked} has no published checksums, so that a wrong bit in it would go unseen. "
            f"Put the archive beside it, as {binary}, or delete it, and {python.name} is "
            "downloaded."
        )
    contents = unpacked_batches(fetch(_PYTHON, folder), "", _PYTHON.md5)
    return [(from_pickle, content) for content in contents]


def checked_bytes(path: Path, md5: str) -> bytes:
    """The content of a file, once its MD5 agrees."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path.parent} is not complete: {error}.") from error
    if (found := hashlib.md5(content, usedforsecurity=False).hexdigest()) != md5:
        raise DataError(
            f"{path} is damaged: its MD5 is {found} and not {md5}. Put a whole one in its place, "
            f"or delete {path.parent}, and CIFAR-10 is downloaded anew."
        )
    return content


def unpacked_batches(archive: Path, suffix: str, md5: str) -> list[bytes]:
    """The six batches of an archive, in order, once its MD5 agrees; nothing goes to the disk."""
    try:
        if md5_of(archive) != md5:
            raise DataError(f"its MD5 is not {md5}")
        with gzip.open(archive) as stream:
            contents = dict(tar_members(stream, {f"{name}{suffix}" for name in _BATCHES}))
        return [contents[f"{name}{suffix}"] for name in _BATCHES]
    except (OSError, EOFError, KeyError, tarfile.TarError, zlib.error, DataError) as error:
        raise DataError(
            f"{archive} is damaged or not complete ({error}). Delete it, and it is downloaded anew."
        ) from error


def tar_members(stream: io.BufferedIOBase, names: Set[str]) -> Generator[tuple[str, bytes]]:
    """Files of a tar archive by their names without folders; all else in it is skipped unread.

    Walks from header to header itself: `tarfile` keeps long names and maps of holes in memory,
    however large they are declared. Raises DataError when it is larger than CIFAR-10 can be.
    """
    left = _MOST_UNPACKED
    while (head := stream.read(_BLOCK)).strip(b"\0"):
        member = tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
        padded = -(-member.size // _BLOCK) * _BLOCK
        left -= _BLOCK + padded
        if member.size < 0 or left < 0:
            raise DataError(f"it declares {member.size:,} bytes, more than CIFAR-10 has")
        name = PurePosixPath(member.name).name
        if member.isreg() and name in names:
            if member.size > _MOST:
                raise DataError(f"{name} declares {member.size:,} bytes, more than a batch has")
            yield name, stream.read(member.size)
            padded -= member.size
        while padded > 0 and (skipped := stream.read(min(padded, 1 << 16))):
            padded -= len(skipped)


def from_binary(content: bytes) -> tuple[Array, Array]:
    """Images (N, 32, 32, 3) and labels of the binary version: per image its class, its planes."""
    if not content or len(content) % (1 + _IMAGE):
        raise DataError(f"CIFAR-10: {len(content)} bytes are not a number of whole images.")
    rows = np.frombuffer(content, np.uint8).reshape(-1, 1 + _IMAGE)
    return decoded(rows[:, 1:], rows[:, 0])


def decoded(rows: Array, labels: Array) -> tuple[Array, Array]:
    """Rows of three colour planes as images with colours last, once the labels are classes."""
    if labels.shape != rows.shape[:1] or labels.max(initial=0) >= len(CIFAR10_CLASSES):
        raise DataError(f"CIFAR-10: {len(rows)} images with labels that do not fit.")
    planes = rows.reshape(-1, 3, 32, 32)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), labels


class _PlainMemo(dict[int, Any]):
    """What a pickle may refer back to: no container, as a few of those in each other are a bomb."""

    def __getitem__(self, key: int) -> Any:
        value = super().__getitem__(key)
        if isinstance(value, (dict, list, tuple)):
            raise pickle.UnpicklingError("it refers back to a container, which is refused")
        return value


def _plain_opcodes(reads: dict[int, Callable[[Any], None]]) -> dict[int, Callable[[Any], None]]:
    """The opcodes without copies, sets and bytearrays, and with no key but texts.

    Hashing other keys may recurse; a bytearray takes the room that it declares before it is read.
    """

    def with_plain_keys(read: Callable[[Any], None], first: int) -> Callable[[Any], None]:
        def checked(reader: Any) -> None:
            if not all(isinstance(key, (bytes, str)) for key in reader.stack[first::2]):
                raise pickle.UnpicklingError("it has a key that is no text, which is refused")
            read(reader)

        return checked

    refused = pickle.DUP + pickle.EMPTY_SET + pickle.FROZENSET + pickle.BYTEARRAY8
    plain = {code: read for code, read in reads.items() if code not in refused}
    for opcode, first in ((pickle.SETITEM, -2), (pickle.SETITEMS, 0), (pickle.DICT, 0)):
        plain[opcode[0]] = with_plain_keys(reads[opcode[0]], first)
    return plain


class _PlainUnpickler(pickle._Unpickler):
    """Reads a pickle and runs nothing: only containers and arrays of bytes, all others refused.

    What stands for numpy's own functions in the file gets the stand-ins below. In Python, not C:
    the C version makes room for whatever size a file declares before it looks.
    """

    dispatch = _plain_opcodes(pickle._Unpickler.dispatch)

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content), encoding="bytes")
        self.memo = _PlainMemo()

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in for what the file asks to call."""
        match module.replace("numpy._core", "numpy.core"), name:
            case "numpy.core.multiarray", "_reconstruct":
                return lambda *arguments: _PickledArray()
            case "numpy", "ndarray":
                return "ndarray"
            case "numpy", "dtype":
                return lambda code, *arguments: _PickledDtype(code)
        raise pickle.UnpicklingError(f"it asks to call {module}.{name}, which is refused")


class _PickledDtype:
    """A dtype in a pickle: its code."""

    def __init__(self, code: Any) -> None:
        self.code = code

    def __setstate__(self, state: Any) -> None:
        """Ignore byte order and alignment: a byte has none."""


class _PickledArray:
    """An array in a pickle: its shape and bytes, once they agree."""

    values: Array

    def __setstate__(self, state: Any) -> None:
        """Take (version, shape, dtype, whether Fortran order, bytes)."""
        _, shape, dtype, fortran, content = state
        if dtype.code not in (b"u1", "u1") or fortran or not isinstance(content, bytes):
            raise pickle.UnpicklingError("it holds an array of something else than bytes in order")
        self.values = np.frombuffer(content, np.uint8).reshape(shape)


def from_pickle(content: bytes) -> tuple[Array, Array]:
    """Images (N, 32, 32, 3) and labels of the python version, read without running any of it."""
    try:
        batch = _PlainUnpickler(content).load()
        rows, labels = batch[b"data"].values.reshape(-1, _IMAGE), batch[b"labels"]
        if type(labels) is not list or len(labels) != len(rows) or {*map(type, labels)} - {int}:
            raise DataError(f"CIFAR-10: {len(rows)} images, but not a class number for each.")
        return decoded(rows, np.array(labels, np.uint8))
    except DataError:
        raise
    except Exception as error:  # a broken pickle can fail in any way
        raise DataError(
            f"CIFAR-10: a batch is damaged or no batch: {type(error).__name__}, {error}."
        ) from error


_UNREADABLE = (OSError, EOFError, KeyError, ValueError, MemoryError, BadZipFile, zlib.error)


def read_mosaics(folder: Path) -> tuple[LabelledImages, LabelledImages]:
    """Batches kept as lossless pictures of 100 x 100 tiles, with their labels in labels.npz."""
    try:
        from PIL import Image
    except ImportError as error:
        raise DataError(
            f"cifar10: {folder} holds pictures, and the package pillow, which reads them, is not "
            'installed. Install the extra `pictures`: pip install "minitorch-course[pictures]".'
        ) from error
    content = checked_bytes(folder / "labels.npz", _LABELS_MD5)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            labels = np.concatenate([file["train_labels"], file["test_labels"]])
        images = np.empty((len(_BATCHES), 100, 100, 32, 32, 3), np.uint8)
        for batch, (name, (_, md5)) in zip(images, _BATCHES.items(), strict=True):
            packed = checked_bytes(folder / f"{name}.webp", md5)
            with Image.open(io.BytesIO(packed)) as mosaic:
                pixels = np.asarray(mosaic.convert("RGB"))
            batch[...] = pixels.reshape(100, 32, 100, 32, 3).swapaxes(1, 2)
    except (*_UNREADABLE, Image.DecompressionBombError) as error:
        raise DataError(f"cifar10: the pictures in {folder} cannot be read: {error}.") from error
    return split(images.reshape(-1, 32, 32, 3), labels)
