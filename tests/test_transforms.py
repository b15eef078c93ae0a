"""Augmentations: each against the same thing done image by image, in both memory orders."""

import numpy as np
import pytest

from minitorch.transforms import (
    Compose,
    Cutout,
    Normalize,
    RandomAffine,
    RandomCrop,
    RandomHorizontalFlip,
)


def pictures(count=20, channels=3, order="first", dtype=np.uint8):
    images = np.random.default_rng(0).integers(1, 255, (count, channels, 8, 6)).astype(dtype)
    if order == "last":
        return np.ascontiguousarray(images.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    return images


class AlwaysMost(np.random.Generator):
    """Draws the upper end (or the lower), so that one knows what to expect."""

    def __init__(self, least=False):
        super().__init__(np.random.PCG64(0))
        self.least = least

    def uniform(self, low=0.0, high=1.0, size=None):
        return np.full(size, low if self.least else high)


def random():
    return np.random.default_rng(1)


every = pytest.mark.parametrize(
    "transform",
    [
        RandomCrop(2),
        RandomHorizontalFlip(),
        Cutout(3),
        RandomAffine(10, 1),
        Normalize([0.5] * 3, [0.2] * 3),
        Compose(RandomCrop(1), RandomHorizontalFlip(), Normalize([0] * 3, [1] * 3)),
    ],
    ids=lambda transform: type(transform).__name__,
)


@every
def test_the_batch_itself_is_left_alone_and_memory_order_does_not_matter(transform):
    first, last = pictures(), pictures(order="last")
    out_first, out_last = transform(first, random()), transform(last, random())
    np.testing.assert_array_equal(out_first, out_last)
    np.testing.assert_array_equal(first, pictures())
    assert out_last.transpose(0, 2, 3, 1).flags.c_contiguous


@every
def test_one_generator_one_result(transform):
    if isinstance(transform, Normalize):
        return
    source = random()
    assert not np.array_equal(transform(pictures(), source), transform(pictures(), source))
    np.testing.assert_array_equal(transform(pictures(), random()), transform(pictures(), random()))


def test_normalize():
    images = pictures()
    mean, std = [0.1, 0.2, 0.3], [0.4, 0.5, 0.6]
    expected = (images / 255 - np.reshape(mean, (3, 1, 1))) / np.reshape(std, (3, 1, 1))
    out = Normalize(mean, std)(images)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-6)
    floats = (images / 255).astype(np.float32)
    np.testing.assert_allclose(Normalize(mean, std)(floats), expected, rtol=1e-5, atol=1e-6)


def test_flip():
    images = pictures(200)
    out = RandomHorizontalFlip(0.3)(images, random())
    flipped = [np.array_equal(a, b[:, :, ::-1]) for a, b in zip(out, images, strict=True)]
    kept = [np.array_equal(a, b) for a, b in zip(out, images, strict=True)]
    assert all(f != k for f, k in zip(flipped, kept, strict=True))
    assert 30 < sum(flipped) < 90
    np.testing.assert_array_equal(RandomHorizontalFlip(1)(images, random()), images[..., ::-1])


def test_crop_is_a_window_of_the_padded_image():
    images = pictures(100)
    padded = np.pad(images, ((0, 0), (0, 0), (2, 2), (2, 2)))
    out = RandomCrop(2)(images, random())
    places = set()
    for one, source in zip(out, padded, strict=True):
        found = [
            (y, x)
            for y in range(5)
            for x in range(5)
            if np.array_equal(one, source[:, y : y + 8, x : x + 6])
        ]
        assert len(found) == 1
        places.add(found[0])
    assert len(places) > 15  # of 25


def test_cutout_is_one_square_per_image():
    images = pictures(300)
    out = Cutout(3)(images, random())
    holes = (out == 0).all(axis=1)
    assert ((out == images) | holes[:, None]).all()
    for hole in holes:
        rows, columns = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
        assert hole.sum() == len(rows) * len(columns)
        assert np.ptp(rows) == len(rows) - 1 <= 2
        assert np.ptp(columns) == len(columns) - 1 <= 2
    assert holes.any(axis=0).all()  # every pixel's turn comes
    assert holes.sum(axis=(1, 2)).max() == 9


def test_affine_without_angle_and_shift_changes_nothing():
    np.testing.assert_array_equal(RandomAffine()(pictures(), random()), pictures())


@pytest.mark.parametrize("degrees, turns", [(90, 1), (-90, -1), (180, 2)])
def test_affine_turns_as_rot90(degrees, turns):
    square = pictures()[:, :, :6]
    out = RandomAffine(abs(degrees))(square, AlwaysMost(least=degrees < 0))
    np.testing.assert_array_equal(out, np.rot90(square, turns, axes=(2, 3)))


def test_affine_shifts_between_pixels():
    images = pictures(dtype=np.float32)
    out = RandomAffine(shift=0.5)(images, AlwaysMost())
    padded = np.pad(images, ((0, 0), (0, 0), (1, 0), (1, 0)))
    rows = (padded[:, :, 1:] + padded[:, :, :-1]) / 2
    expected = (rows[..., 1:] + rows[..., :-1]) / 2
    np.testing.assert_allclose(out, expected, rtol=1e-5)
    assert out.dtype == np.float32


WRONG = [
    (lambda: Normalize([0.5], [0.0]), "std above 0"),
    (lambda: Normalize([0.5, 0.5], [1.0]), "per channel"),
    (lambda: Normalize([0.5] * 2, [1.0] * 2)(pictures()), "2 means for images"),
    (lambda: RandomCrop(-1), "padding"),
    (lambda: Cutout(-3), "size"),
    (lambda: RandomHorizontalFlip(7), "probability"),
    (lambda: Normalize([np.nan], [1.0]), "per channel"),
    (lambda: Normalize([0.0], [np.inf]), "per channel"),
    (lambda: RandomCrop(1.5), "whole number"),  # type: ignore[arg-type]
    (lambda: Cutout(np.nan), "whole number"),  # type: ignore[arg-type]
    (lambda: RandomAffine(np.nan), "degrees"),
    (lambda: RandomAffine(-5), "degrees"),
    (lambda: RandomAffine(5, np.inf), "shift"),
]


@pytest.mark.parametrize("call, words", WRONG)
def test_settings_without_a_sense_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize(
    "transform",
    [RandomCrop(2), Cutout(3), RandomHorizontalFlip(), RandomAffine(9), Normalize([0.5], [0.5])],
)
def test_what_is_no_batch_of_pictures_is_refused(transform):
    with pytest.raises(ValueError, match=rf"{type(transform).__name__}: .*\(20, 8, 6\)"):
        transform(pictures()[:, 0], random())
