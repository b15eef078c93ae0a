"""Readers of data sets: what they read, and that damage gives our error and nothing else."""

import gzip
import hashlib
import io
import os
import pickle
import struct
import tarfile
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from minitorch import cifar, datasets
from minitorch.data import DataLoader
from minitorch.datasets import DataError, ImageFolder, cifar10, fashion_mnist, mnist, read_idx


def idx(array, code=None):
    codes = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}
    code = codes[array.dtype.str[1:]] if code is None else code
    head = bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


def some(shape, dtype="u1"):
    return np.random.default_rng(0).integers(0, 10, shape).astype(dtype)


def with_a_wrong_bit(content, place):
    """The bytes with one bit changed."""
    changed = bytearray(content)
    changed[place] ^= 1
    return bytes(changed)


# ---- idx ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "i4", "f4", "f8"])
@pytest.mark.parametrize("shape", [(3,), (2, 3, 4), (0,), (2, 0)])
def test_idx_files_are_read(tmp_path, shape, dtype, packed):
    path = tmp_path / ("file.gz" if packed else "file")
    content = idx(some(shape, dtype))
    path.write_bytes(gzip.compress(content) if packed else content)
    np.testing.assert_array_equal(read_idx(path), some(shape, dtype), strict=True)
    read_idx(path, hashlib.md5(content, usedforsecurity=False).hexdigest())
    with pytest.raises(DataError, match="damaged"):
        read_idx(path, "0" * 32)


BAD_IDX = {
    "empty": b"",
    "short": b"\0\0\x08",
    "another format": b"\x89PNG\r\n\x1a\n",
    "unknown dtype": b"\0\0\x0a\x01\0\0\0\x01a",
    "sizes missing": b"\0\0\x08\x03\0\0\0\x01",
    "too short": idx(some(9))[:-1],
    "too long": idx(some(9)) + b"\0",
    "huge": b"\0\0\x08\x03" + b"\xff" * 12 + b"abc",
    "huge and nothing": b"\0\0\x08\x04" + b"\0" * 4 + b"\xff" * 12,
    "many dimensions": b"\0\0\x08\xff" + b"\0\0\0\x01" * 255,
}


@pytest.mark.parametrize("name", BAD_IDX)
@pytest.mark.parametrize("packed", [False, True])
def test_bad_idx_files_are_refused(tmp_path, name, packed):
    path = tmp_path / ("file.gz" if packed else "file")
    path.write_bytes(gzip.compress(BAD_IDX[name]) if packed else BAD_IDX[name])
    with pytest.raises(DataError, match="file"):
        read_idx(path)


@pytest.mark.parametrize("damage", ["cut", "flipped", "no gzip"])
def test_damaged_gzip_is_refused(tmp_path, damage):
    content = bytearray(gzip.compress(idx(some((50, 50)))))
    if damage == "flipped":
        content[len(content) // 2] ^= 1
    path = tmp_path / "file.gz"
    path.write_bytes({"cut": content[:-9], "flipped": content, "no gzip": b"plain"}[damage])
    with pytest.raises(DataError, match="cannot be read"):
        read_idx(path)


@pytest.mark.parametrize("packed", [False, True])
def test_a_declared_size_takes_no_memory(tmp_path, packed):
    path = tmp_path / ("file.gz" if packed else "file")
    content = b"\0\0\x08\x01" + (2**31).to_bytes(4, "big") + bytes(1000)
    path.write_bytes(gzip.compress(content) if packed else content)
    tracemalloc.start()
    with pytest.raises(DataError, match="declares"):
        read_idx(path)
    assert tracemalloc.get_traced_memory()[1] < 2e6
    tracemalloc.stop()


heads = st.builds(
    lambda code, sizes, rest: (
        bytes([0, 0, code, len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes) + rest
    ),
    st.sampled_from([8, 9, 11, 12, 13, 14]) | st.integers(0, 255),
    st.lists(st.integers(0, 4) | st.integers(0, 2**32 - 1), max_size=10),
    st.binary(max_size=50),
)


@given(heads | st.binary(max_size=60), st.booleans())
@settings(max_examples=200, deadline=None)
def test_any_idx_bytes_give_an_array_or_our_error(tmp_path_factory, content, packed):
    path = tmp_path_factory.mktemp("idx") / ("file.gz" if packed else "file")
    path.write_bytes(gzip.compress(content) if packed else content)
    try:
        array = read_idx(path)
    except DataError:
        return
    assert array.nbytes <= len(content)


# ---- MNIST and its like -------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The data folder; nothing is downloaded."""

    def no_network(*arguments):
        raise OSError("no network in this test")

    monkeypatch.setenv("MINITORCH_DATA", str(tmp_path))
    monkeypatch.setattr("minitorch.downloads.receive", no_network)
    return tmp_path


@pytest.fixture
def clothes(folder, monkeypatch):
    """A function that writes small files, which pass for the official ones."""

    def write(images, labels):
        place = folder / "fashion_mnist"
        place.mkdir()
        for part in ("train", "t10k"):
            for stem, array in (("images-idx3", images), ("labels-idx1", labels)):
                packed = gzip.compress(idx(array))
                (place / f"{part}-{stem}-ubyte.gz").write_bytes(packed)
                md5 = hashlib.md5(packed).hexdigest()
                monkeypatch.setitem(
                    datasets._FASHION, f"{part}-{stem}-ubyte", (len(packed), md5, None)
                )
        return place

    return write


def test_four_idx_files_become_labelled_images(clothes):
    clothes(some((7, 28, 28)), some(7))
    train, test = fashion_mnist()
    np.testing.assert_array_equal(train.images, some((7, 1, 28, 28)))
    assert train.labels.dtype == np.int64
    assert len(test.labels) == 7


@pytest.mark.parametrize(
    "images, labels",
    [(some((7, 28, 28)), some(6)), (some((7, 28)), some(7)), (some((1, 2, 2)), some(1) + 99)],
)
def test_labels_that_do_not_go_with_the_images_are_refused(clothes, images, labels):
    clothes(images, labels.astype("u1"))
    with pytest.raises(DataError, match="fashion_mnist"):
        fashion_mnist()


def test_a_wrong_bit_in_packed_clothes_is_noticed(clothes):
    path = clothes(some((7, 28, 28)), some(7)) / "t10k-images-idx3-ubyte.gz"
    whole = path.read_bytes()
    for place in range(0, len(whole), 97):  # the date in the head of gzip is such a place, too
        path.write_bytes(with_a_wrong_bit(whole, place))
        with pytest.raises(DataError, match=r"t10k-images.*damaged.*MD5.*Delete it"):
            fashion_mnist()


def test_other_packed_clothes_are_refused(clothes):
    place = clothes(some((7, 28, 28)), some(7))
    other = (place / "train-images-idx3-ubyte.gz", some((7, 28, 28)) + 1)
    other[0].write_bytes(gzip.compress(idx(other[1])))
    with pytest.raises(DataError, match=r"train-images.*MD5"):
        fashion_mnist()


def test_unpacked_clothes_whose_checksum_nobody_knows_are_not_believed(clothes):
    place = clothes(some((7, 28, 28)), some(7))
    (place / "train-labels-idx1-ubyte").write_bytes(idx(some(7)[::-1]))
    train, _ = fashion_mnist()
    np.testing.assert_array_equal(train.labels, some(7))
    (place / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match=r"train-labels-idx1-ubyte.gz could not be downloaded"):
        fashion_mnist()


def test_a_wrong_bit_in_unpacked_digits_is_noticed(folder, monkeypatch):
    (folder / "mnist").mkdir()
    for stem, array in (("images-idx3", some((7, 28, 28))), ("labels-idx1", some(7))):
        for part in ("train", "t10k"):
            name, content = f"{part}-{stem}-ubyte", idx(array)
            (folder / "mnist" / name).write_bytes(content)
            md5 = hashlib.md5(content).hexdigest()
            monkeypatch.setitem(datasets._MNIST, name, (0, "", md5))
    mnist()
    path = folder / "mnist" / "t10k-labels-idx1-ubyte"
    path.write_bytes(with_a_wrong_bit(path.read_bytes(), -1))
    with pytest.raises(DataError, match=r"t10k-labels.*is damaged"):
        mnist()


def test_mnist_with_other_content_is_refused(folder):
    (folder / "mnist").mkdir()
    (folder / "mnist" / "train-images-idx3-ubyte").write_bytes(idx(some((3, 28, 28))))
    with pytest.raises(DataError, match="Delete it"):
        mnist()


@pytest.mark.parametrize("data", [mnist, fashion_mnist, cifar10])
def test_without_data_and_network_the_error_says_what_to_do(folder, data):
    with pytest.raises(DataError, match=r"no network in this test.*put it into"):
        data()


# ---- CIFAR-10 -----------------------------------------------------------------------------------

COUNT = 12  # images in each of the six small batches


def rows_and_labels():
    random = np.random.default_rng(1)
    rows = random.integers(0, 256, (6 * COUNT, 3072)).astype(np.uint8)
    return rows, random.integers(0, 10, 6 * COUNT).astype(np.uint8)


def as_python_2_wrote_it(rows, labels):
    """The bytes of a batch as the official archive holds them, opcode by opcode."""

    def text(content):
        return b"T" + struct.pack("<I", len(content)) + content

    def number(value):
        return b"K" + bytes([value])

    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\0tU\x01btR(K\x01(M"
        + struct.pack("<H", len(rows))
        + b"M\0\x0ctcnumpy\ndtype\n(U\x02u1K\0K\x01tR(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff"
        + b"\xffK\0tb\x89"
        + text(rows.tobytes())
        + b"tb"
    )
    listed = b"](" + b"".join(map(number, labels.tolist())) + b"e"
    return b"\x80\x02}(U\x04data" + array + b"U\x06labels" + listed + b"u."


def as_python_3_writes_it(rows, labels):
    return pickle.dumps({b"data": rows, b"labels": labels.tolist()}, protocol=3)


def as_binary(rows, labels):
    return np.column_stack([labels, rows]).astype(np.uint8).tobytes()


WRITERS = {"py": as_python_2_wrote_it, "py3": as_python_3_writes_it, "bin": as_binary}


def batch_files(version):
    rows, labels = rows_and_labels()
    suffix = ".bin" if version == "bin" else ""
    for number, name in enumerate(cifar._BATCHES):
        part = slice(number * COUNT, (number + 1) * COUNT)
        yield f"{name}{suffix}", WRITERS[version](rows[part], labels[part])


def write_cifar(folder, version, archive):
    place = folder / "cifar10"
    place.mkdir()
    kind = version.removesuffix("3")
    if not archive:
        (place / f"cifar-10-batches-{kind}").mkdir()
        for name, content in batch_files(version):
            (place / f"cifar-10-batches-{kind}" / name).write_bytes(content)
        return place
    long = {"py": "python", "bin": "binary"}[kind]
    with tarfile.open(place / f"cifar-10-{long}.tar.gz", "w:gz") as file:
        for name, content in reversed(list(batch_files(version))):
            member = tarfile.TarInfo(f"cifar-10-batches-{kind}/{name}")
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    return place


@pytest.fixture
def any_md5(monkeypatch):
    """Small archives of our own pass for the official ones."""
    monkeypatch.setattr(cifar, "md5_of", lambda path: cifar._PYTHON.md5)
    monkeypatch.setattr(cifar, "_BINARY_MD5", cifar._PYTHON.md5)


def believe_batches(folder, monkeypatch, suffix=""):
    """Let files pass for the official ones as they are now."""
    for name in cifar._BATCHES:
        md5 = hashlib.md5((folder / f"{name}{suffix}").read_bytes()).hexdigest()
        monkeypatch.setitem(cifar._BATCHES, name, (md5, md5))


FORMS = [("py", False), ("py3", False), ("py", True), ("py3", True), ("bin", True)]


@pytest.mark.parametrize("version, archive", FORMS)
def test_cifar_is_read_in_every_form(folder, any_md5, monkeypatch, version, archive):
    place = write_cifar(folder, version, archive)
    if not archive:
        believe_batches(place / "cifar-10-batches-py", monkeypatch)
    rows, labels = rows_and_labels()
    train, test = cifar10()
    np.testing.assert_array_equal(train.images, rows[: 5 * COUNT].reshape(-1, 3, 32, 32))
    np.testing.assert_array_equal(test.images, rows[5 * COUNT :].reshape(-1, 3, 32, 32))
    np.testing.assert_array_equal(np.concatenate([train.labels, test.labels]), labels)
    assert train.labels.dtype == np.int64


@pytest.mark.parametrize("archive", [False, True])
@pytest.mark.parametrize("damage", ["cut", "missing"])
def test_damaged_cifar_is_refused(folder, any_md5, monkeypatch, archive, damage):
    place = write_cifar(folder, "bin" if archive else "py", archive)
    if not archive:
        believe_batches(place / "cifar-10-batches-py", monkeypatch)
    path = next(path for path in sorted(place.rglob("*")) if path.is_file())
    path.write_bytes(path.read_bytes()[:-500])
    if damage == "missing":
        path.unlink()
    with pytest.raises(DataError):
        cifar10()


def test_a_wrong_bit_in_an_unpacked_batch_is_noticed(folder, monkeypatch):
    place = write_cifar(folder, "py", archive=False) / "cifar-10-batches-py"
    believe_batches(place, monkeypatch)
    cifar10()
    path = place / "data_batch_3"
    path.write_bytes(with_a_wrong_bit(path.read_bytes(), 5000))  # in the middle of a picture
    with pytest.raises(DataError, match=r"data_batch_3 is damaged.*whole one"):
        cifar10()


def test_unpacked_binary_batches_are_believed_only_from_their_archive(folder, any_md5):
    write_cifar(folder, "bin", archive=True)
    place = folder / "cifar10" / "cifar-10-batches-bin"
    place.mkdir()
    assert len(cifar10()[1].images) == COUNT
    (folder / "cifar10" / "cifar-10-binary.tar.gz").unlink()
    with pytest.raises(DataError, match=r"no published checksums.*cifar-10-binary.tar.gz"):
        cifar10()


@pytest.mark.parametrize("version", ["py", "bin"])
def test_an_archive_with_another_md5_is_refused(folder, version):
    write_cifar(folder, version, archive=True)
    with pytest.raises(DataError, match=r"MD5 is not .*Delete it"):
        cifar10()


def tar_of(kind, size, content=b"", name="data_batch_1"):
    member = tarfile.TarInfo(name)
    member.size, member.type = size, kind
    return gzip.compress(member.tobuf(tarfile.GNU_FORMAT) + content, 1)


BAD_ARCHIVES = {
    "long name": tar_of(tarfile.GNUTYPE_LONGNAME, 20_000_000, bytes(20_000_000)),
    "pax header": tar_of(tarfile.XHDTYPE, 20_000_000, bytes(20_000_000)),
    "pax header for all": tar_of(tarfile.XGLTYPE, 20_000_000, bytes(20_000_000)),
    "no batch": tar_of(tarfile.REGTYPE, 20_000_000, bytes(20_000_000), "readme"),
    "long batch": tar_of(tarfile.REGTYPE, 100_000_000),
    "negative size": tar_of(tarfile.REGTYPE, -1024),
    "longer than CIFAR-10": tar_of(tarfile.REGTYPE, 2**40, name="readme"),
    "no tar": gzip.compress(b"a" * 3000),
    "cut header": gzip.compress(b"a" * 300),
    "no gzip": b"hello",
}


@pytest.mark.parametrize("name", BAD_ARCHIVES)
def test_a_bad_archive_is_refused_and_takes_no_memory(folder, any_md5, name):
    (folder / "cifar10").mkdir()
    (folder / "cifar10" / "cifar-10-binary.tar.gz").write_bytes(BAD_ARCHIVES[name])
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="Delete it"):
            cifar10()
        assert tracemalloc.get_traced_memory()[1] < 4e6
    finally:
        tracemalloc.stop()


class Exploit:
    def __reduce__(self):
        return os.mkdir, ("executed",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_batch_that_would_run_code_is_refused(tmp_path, monkeypatch, protocol):
    monkeypatch.chdir(tmp_path)
    content = pickle.dumps({"data": Exploit(), "labels": []}, protocol)
    with pytest.raises(DataError, match=r"mkdir, which is refused"):
        cifar.from_pickle(content)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02]r\xff\xff\xff\x7f.",  # a memo of 2**31 entries
        b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7f.",  # 2**63 bytes
        b"\x80\x04\x95" + b"\xff" * 7 + b"\x7f.",  # a frame of as many
        b"\x80\x02T\xff\xff\xff\x7f.",  # 2**31 bytes
        b"\x80\x05\x96\0\0\0\x04\0\0\0\0.",  # a bytearray of 2**26
        b"\x80\x02cnumpy\nndarray\n(J\xff\xff\xff\x7ftR.",  # an array of 2**31 numbers
        as_python_3_writes_it(*(part[:2] for part in rows_and_labels())).replace(b"u1", b"O8"),
        b"\x80\x02Nb.",
        b"",
    ],
)
def test_a_pickle_takes_no_memory_that_it_only_declares(content):
    tracemalloc.start()
    with pytest.raises(DataError):
        cifar.from_pickle(content)
    assert tracemalloc.get_traced_memory()[1] < 2e6
    tracemalloc.stop()


def with_labels(labels):
    """A batch of one image whose labels come from the opcodes `labels`."""
    batch = as_python_2_wrote_it(*(part[:1] for part in rows_and_labels()))
    start = batch.index(b"U\x06labels") + 8
    return batch[:start] + labels + b"u."


def nested(depth, opened, closed):
    """Opcodes for thirty zeros in a container, thirty times that in another, and so on."""
    inner = b"K\0" * 30
    for level in range(depth):
        end = closed + b"q" + bytes([level])
        inner = opened + inner + end + (b"h" + bytes([level])) * 29
    return opened + inner + closed


@pytest.mark.parametrize("depth", [1, 2, 6])
@pytest.mark.parametrize("opened, closed", [(b"](", b"e"), (b"(", b"t"), (b"(", b"l")])
def test_labels_in_each_other_are_refused(depth, opened, closed):
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="refers back to a container"):
            cifar.from_pickle(with_labels(nested(depth, opened, closed)))
        assert tracemalloc.get_traced_memory()[1] < 2e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "labels",
    [
        b"](e",  # none
        b"](K\x01K\x02e",  # one too many
        b"](K\x0ae",  # no class
        b"](J\xff\xff\xff\xffe",  # negative
        b"](\x8a\x02\x01\x01e",  # 257, which a byte would take for 1
        b"](\x88e",  # True
        b"](G" + bytes(8) + b"e",  # 0.0
        b"](](K\x01ee",  # a list in a list
        b"]2a",  # copied with DUP
        b"(K\x01t",  # a tuple
        b"U\x01\x01",  # a text
        b"}(K\x01K\x01u",  # a key that is no text
        b"}" + b")" + b"\x85" * 200_000 + b"Ns",  # a key whose hash exhausts the C stack
        b"](K\x01e(" + b")" + b"\x85" * 200_000 + b"Ndb",
        b"\x8f",  # a set
    ],
)
def test_labels_that_are_no_list_of_classes_are_refused(labels):
    with pytest.raises(DataError):
        cifar.from_pickle(with_labels(labels))


SMALL = as_python_2_wrote_it(*(part[:1] for part in rows_and_labels()))
opcodes = st.lists(
    st.binary(min_size=1, max_size=4)
    | st.sampled_from([b"(", b"t", b"R", b"b", b"}", b"]", b"a", b"u", b"0", b"2", b"N", b"\x81"])
    | st.sampled_from([b"cnumpy\ndtype\n", b"cnumpy.core.multiarray\n_reconstruct\n", b"K\x01"])
    | st.sampled_from([b"cos\nsystem\n", b"U\x04data", b"U\x06labels", b"q\0", b"h\0", b"s"]),
    max_size=30,
).map(lambda parts: b"\x80\x02" + b"".join(parts) + b".")
flips = st.lists(
    st.tuples(st.integers(0, 160) | st.integers(0, len(SMALL) - 1), st.integers(0, 255)),
    min_size=1,
    max_size=3,
)


def flipped(changes):
    content = bytearray(SMALL)
    for position, value in changes:
        content[position] = value
    return bytes(content)


@given(opcodes | flips.map(flipped) | st.binary(max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_pickle_gives_images_or_our_error(content):
    try:
        images, labels = cifar.from_pickle(content)
    except DataError:
        return
    assert images.shape == (len(labels), 32, 32, 3)
    assert images.nbytes <= len(content)


@given(st.binary(max_size=100) | st.just(bytes(3073)) | st.just(b"\x0a" + bytes(3072)))
@settings(deadline=None)
def test_any_binary_batch_gives_images_or_our_error(content):
    try:
        images, labels = cifar.from_binary(content)
    except DataError:
        return
    assert images.shape == (1, 32, 32, 3)
    assert labels.max() < 10


def believe_labels(path, monkeypatch):
    monkeypatch.setattr(cifar, "_LABELS_MD5", hashlib.md5(path.read_bytes()).hexdigest())


def test_mosaics(folder, monkeypatch):
    (folder / "cifar10").mkdir()
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (2, 32, 32, 3)).astype(np.uint8)
    mosaic = np.zeros((100, 32, 100, 32, 3), np.uint8)
    mosaic[0, :, 1], mosaic[2, :, 0] = noise
    packed = io.BytesIO()
    Image.fromarray(mosaic.reshape(3200, 3200, 3)).save(packed, "webp", lossless=True, method=0)
    for name in cifar._BATCHES:
        (folder / "cifar10" / f"{name}.webp").write_bytes(packed.getvalue())
    labels = (np.arange(60000) % 10).astype(np.uint8)
    target = folder / "cifar10" / "labels.npz"
    np.savez(target, train_labels=labels[:50000], test_labels=labels[50000:])
    with pytest.raises(DataError, match=r"labels.npz is damaged"):
        cifar10()
    believe_labels(target, monkeypatch)
    believe_batches(folder / "cifar10", monkeypatch, ".webp")
    train, test = cifar10()
    np.testing.assert_array_equal(train.images[40001], noise[0].transpose(2, 0, 1))
    np.testing.assert_array_equal(test.images[200], noise[1].transpose(2, 0, 1))
    assert test.labels[203] == 3
    whole = target.read_bytes()
    header = np.lib.format.magic(1, 0) + b"\x76\0" + b"{'descr': '|u1', 'fortran_order': False, "
    header += b"'shape': (8000000000000,)}".ljust(0x76 - len(header) + 9) + b"\n"
    huge = io.BytesIO()
    with zipfile.ZipFile(huge, "w") as archive:
        archive.writestr("train_labels.npy", header)
    for damaged in (whole[:-30], b"", b"hello", pickle.dumps(labels), huge.getvalue()):
        target.write_bytes(damaged)
        believe_labels(target, monkeypatch)
        with pytest.raises(DataError, match="cannot be read"):
            cifar10()
    target.write_bytes(whole)
    believe_labels(target, monkeypatch)
    last = folder / "cifar10" / "test_batch.webp"
    last.write_bytes(with_a_wrong_bit(last.read_bytes(), len(packed.getvalue()) // 2))
    with pytest.raises(DataError, match=r"test_batch.webp is damaged"):
        cifar10()
    last.write_bytes(b"RIFF")
    believe_batches(folder / "cifar10", monkeypatch, ".webp")
    with pytest.raises(DataError, match="cannot be read"):
        cifar10()


# ---- folders ------------------------------------------------------------------------------------


def test_a_folder_of_pictures_is_a_data_set(tmp_path):
    for label, name in enumerate(["cat", "dog"]):
        (tmp_path / name).mkdir()
        for number in range(2):
            colour = (100 * label, 50 * number, 7)
            Image.new("RGB", (5 + number, 4), colour).save(tmp_path / name / f"{number}.png")
    (tmp_path / "dog" / "notes.txt").write_text("no picture")
    folder = ImageFolder(tmp_path)
    assert folder.classes == ["cat", "dog"]
    assert len(folder) == 4
    image, label = folder[3]
    assert image.shape == (3, 4, 6)
    assert image[:, 0, 0].tolist() == [100, 50, 7]
    assert label == 1
    images, labels = next(iter(DataLoader(ImageFolder(tmp_path, size=(8, 6)), batch_size=4)))
    assert images.shape == (4, 3, 8, 6)
    assert labels.tolist() == [0, 0, 1, 1]
    (tmp_path / "cat" / "0.png").write_bytes(b"\x89PNG damaged")
    with pytest.raises(DataError, match=r"0\.png"):
        folder[0]


def test_pictures_are_upright_and_no_number_is_cut_off(tmp_path):
    (tmp_path / "cat").mkdir()
    lying = Image.new("RGB", (5, 4))
    lying.putpixel((0, 0), (9, 9, 9))
    held = Image.Exif()
    held[0x0112] = 6  # the camera was turned by a quarter
    lying.save(tmp_path / "cat" / "held.png", exif=held)
    Image.new("I;16", (2, 2), 40_000).save(tmp_path / "cat" / "of_16_bits.png")
    folder = ImageFolder(tmp_path)
    upright, _ = folder[0]
    assert upright.shape == (3, 5, 4)
    assert upright[:, 0, 3].tolist() == [9, 9, 9]
    with pytest.raises(DataError, match=r"of_16_bits\.png .* beyond 255"):
        folder[1]


def test_hidden_folders_and_files_are_no_classes_and_no_pictures(tmp_path):
    for name in (".ipynb_checkpoints", "cat", "dog"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (2, 2)).save(tmp_path / name / "0.png")
    (tmp_path / "cat" / "._0.png").write_bytes(b"what another system says of 0.png")
    folder = ImageFolder(tmp_path)
    assert folder.classes == ["cat", "dog"]
    assert [label for _, label in folder.samples] == [0, 1]


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(DataError, match="no folder with pictures"):
        ImageFolder(tmp_path)


def test_every_name_is_there():
    assert all(hasattr(datasets, name) for name in datasets.__all__)
