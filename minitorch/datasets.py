"""Data sets by name: the first call downloads, and every call checks what it reads.

Each gives labelled images to train on and others to test with. Leans on `downloads`, `digits`
and `cifar`.
"""

# Grown in notebooks: 3_04_data. Edit there, then `make extract`.

from __future__ import annotations

import gzip
import hashlib
import math
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from minitorch.cifar import CIFAR10_CLASSES, cifar10
from minitorch.data import Dataset
from minitorch.digits import DataError, LabelledImages, digits
from minitorch.downloads import Source, check_md5, data_folder, fetch, is_there

__all__ = [
    "CIFAR10_CLASSES",
    "FASHION_CLASSES",
    "DataError",
    "ImageFolder",
    "LabelledImages",
    "cifar10",
    "digits",
    "fashion_mnist",
    "mnist",
    "read_idx",
]


Array = np.ndarray

# ---- idx, the format of MNIST -------------------------------------------------------------------

_IDX_DTYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
_MOST_PACKED = 1040  # gzip makes no file smaller than this many times


def read_idx(path: str | Path, md5: str | None = None) -> Array:
    """The array in an idx file, plain or packed with gzip.

    Two zero bytes, a code for the dtype, the number of dimensions, their sizes as big-endian
    32-bit numbers, the values. With `md5` the unpacked bytes must have that checksum. Raises
    DataError when the file is anything else.
    """
    path = Path(path)
    packed = path.suffix == ".gz"
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            head = file.read(4)
            if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in _IDX_DTYPES or head[3] > 8:
                raise DataError(f"{path} is no idx file: it begins with {head!r}.")
            sizes_read = file.read(4 * head[3])
            shape = tuple(np.frombuffer(sizes_read[: len(sizes_read) // 4 * 4], ">u4").tolist())
            dtype = np.dtype(_IDX_DTYPES[head[2]])
            count = math.prod(shape)
            room = path.stat().st_size * (_MOST_PACKED if packed else 1)
            if (
                len(shape) < head[3]
                or count * dtype.itemsize > room
                or max(shape, default=0) > room
            ):
                raise DataError(f"{path} declares shape {shape}, far more than it can hold.")
            values = np.empty(count, dtype)  # its memory is touched only as far as values arrive
            room_left = values.view(np.uint8).data
            while piece := file.read(min(1 << 20, len(room_left) + 1)):
                if len(piece) > len(room_left):
                    raise DataError(f"{path} declares shape {shape}, but holds more.")
                room_left[: len(piece)] = piece
                room_left = room_left[len(piece) :]
            if len(room_left):
                raise DataError(f"{path} declares shape {shape}, but ends before that.")
    except (OSError, EOFError, MemoryError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error
    if md5 is not None:
        digest = hashlib.md5(head + sizes_read, usedforsecurity=False)
        digest.update(values.data)
        if digest.hexdigest() != md5:
            raise DataError(
                f"{path} is damaged: what it holds does not have the MD5 {md5}. Delete it, and it "
                "is downloaded anew."
            )
    return values.reshape(shape).astype(dtype.newbyteorder("="), copy=False)


# ---- MNIST and Fashion-MNIST --------------------------------------------------------------------

_MNIST = {  # size and MD5 of the packed file, MD5 of what is in it
    "train-images-idx3-ubyte": (
        9_912_422, "f68b3c2dcbeaaa9fbdd348bbdeb94873", "6bbc9ace898e44ae57da46a324031adb",
    ),
    "train-labels-idx1-ubyte": (
        28_881, "d53e105ee54ea40749a09fcbcd1e9432", "a25bea736e30d166cdddb491f175f624",
    ),
    "t10k-images-idx3-ubyte": (
        1_648_877, "9fb629c4189551a2d022fa330f9573f3", "2646ac647ad5339dbf082846283269ea",
    ),
    "t10k-labels-idx1-ubyte": (
        4_542, "ec29112dd5afa0611ce80d1b7f02629c", "27ae3e4e09519cfbb04c329615203637",
    ),
}  # fmt: skip
_MNIST_URLS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
_FASHION = {
    "train-images-idx3-ubyte": (26_421_880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d", None),
    "train-labels-idx1-ubyte": (29_515, "25c81989df183df01b3e8a0aad5dffbe", None),
    "t10k-images-idx3-ubyte": (4_422_102, "bef4ecab320f06d8554ea6380940ec79", None),
    "t10k-labels-idx1-ubyte": (5_148, "bb300cfdad3c16e7a12a480ee83cd310", None),
}
_FASHION_URLS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
)
FASHION_CLASSES = (
    "T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot",
)  # fmt: skip


def mnist() -> tuple[LabelledImages, LabelledImages]:
    """60,000 handwritten digits (1, 28, 28) to train on and 10,000 to test with.

    LeCun, Cortes, Burges 1998. Raises DataError.
    """
    return idx_set("mnist", _MNIST, _MNIST_URLS)


def fashion_mnist() -> tuple[LabelledImages, LabelledImages]:
    """60,000 photos of clothes (1, 28, 28) to train on and 10,000 to test with.

    Ten classes, see FASHION_CLASSES. Xiao, Rasul, Vollgraf 2017. Raises DataError.
    """
    return idx_set("fashion_mnist", _FASHION, _FASHION_URLS)


def idx_set(
    name: str, files: Mapping[str, tuple[int, str, str | None]], urls: tuple[str, ...]
) -> tuple[LabelledImages, LabelledImages]:
    """The training and the test part of a data set in four idx files, packed or plain.

    Plain only where the MD5 of what is in them is known: a wrong bit in another goes unseen.
    """
    arrays = []
    for stem, (size, packed_md5, md5) in files.items():
        path = data_folder(name) / stem
        if md5 is None or not is_there(path):
            places = tuple(f"{url}{stem}.gz" for url in urls)
            path = fetch(Source(f"{stem}.gz", size, packed_md5, places), path.parent)
        if md5 is None:
            check_md5(path, packed_md5)
        arrays.append(read_idx(path, md5))
    images, labels, test_images, test_labels = arrays
    return labelled(name, images, labels), labelled(name, test_images, test_labels)


def labelled(name: str, images: Array, labels: Array) -> LabelledImages:
    """Grey images (N, height, width) with their labels; raises DataError where they do not fit."""
    if images.ndim != 3 or labels.shape != images.shape[:1] or labels.max(initial=0) > 9:
        raise DataError(
            f"{name}: images of shape {images.shape} do not go with labels of shape {labels.shape} "
            f"up to {labels.max(initial=0)}."
        )
    return LabelledImages(images[:, None], labels.astype(np.int64))


# ---- your own pictures --------------------------------------------------------------------------


class ImageFolder(Dataset):
    """Pictures in one folder per class, read one by one: (channels, height, width) and the class.

    Parameters
    ----------
    root : holds a folder for each class, whose name is the class's; `classes` lists them in order;
        what is hidden (begins with a dot), as some systems make it, does not count
    size : (height, width) to which every picture is brought; without it they keep theirs
    """

    suffixes = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".webp"})

    def __init__(self, root: str | Path, size: tuple[int, int] | None = None) -> None:
        self.size = size
        folders = sorted(path for path in Path(root).glob("[!.]*") if path.is_dir())
        self.classes = [folder.name for folder in folders]
        self.samples = [
            (path, label)
            for label, folder in enumerate(folders)
            for path in sorted(folder.rglob("[!.]*"))
            if path.suffix.lower() in self.suffixes
        ]
        if not self.samples:
            raise DataError(f"ImageFolder: {root} has no folder with pictures in it.")

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Array, int]:
        from PIL import Image, ImageOps

        path, label = self.samples[index]
        try:
            with Image.open(path) as file:
                if file.mode[0] in "IF":  # convert would cut all of it off at 255
                    raise ValueError("its numbers go beyond 255; scale them, and save it anew")
                image = ImageOps.exif_transpose(file).convert("RGB")  # as the camera was held
            if self.size is not None:
                image = image.resize(self.size[::-1])
            return np.asarray(image).transpose(2, 0, 1), label
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise DataError(f"ImageFolder: {path} cannot be read: {error}.") from error
