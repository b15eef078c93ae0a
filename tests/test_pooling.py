import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import minitorch
from minitorch import functional as F
from minitorch import nn


def tensor_of(*shape, seed=0, ties=False):
    values = np.random.default_rng(seed).standard_normal(shape)
    return minitorch.Tensor(values.round() if ties else values, requires_grad=True)


def windows(length, size, stride, padding):
    """Start and end of each window, cut to the image."""
    starts = range(-padding, length + padding - size + 1, stride)
    return [(max(start, 0), min(start + size, length)) for start in starts]


def by_loops(x, size, stride, padding, reduce):
    rows = windows(x.shape[2], size, stride, padding)
    columns = windows(x.shape[3], size, stride, padding)
    y = [[reduce(x[:, :, a:b, c:d], axis=(2, 3)) for c, d in columns] for a, b in rows]
    return np.array(y).transpose(2, 3, 0, 1)


images = st.tuples(st.integers(1, 2), st.integers(1, 3), st.integers(1, 8), st.integers(1, 8))


@settings(max_examples=80, deadline=None)
@given(images, st.integers(1, 3), st.integers(1, 3), st.integers(0, 1))
def test_pooling_equals_the_loops(shape, size, stride, padding):
    assume(padding <= size // 2 and min(shape[2:]) + 2 * padding >= size)
    x = tensor_of(*shape)
    largest = F.max_pool2d(x, size, stride, padding)
    np.testing.assert_array_equal(largest.array, by_loops(x.array, size, stride, padding, np.max))
    mean = F.avg_pool2d(x, size, stride, padding, count_include_pad=False)
    np.testing.assert_allclose(
        mean.array, by_loops(x.array, size, stride, padding, np.mean), atol=1e-12
    )


def test_settings_as_pytorch_takes_them():
    x = tensor_of(2, 3, 4, 6)
    summed = F.avg_pool2d(x, 2, divisor_override=1).array
    np.testing.assert_allclose(summed, 4 * F.avg_pool2d(x, (2,), ()).array)
    kept = F.adaptive_avg_pool2d(x, (None, 3)).array
    np.testing.assert_array_equal(kept, F.adaptive_avg_pool2d(x, (4, 3)).array)
    with pytest.raises(ValueError, match="adaptive_avg_pool2d: output_size"):
        F.adaptive_avg_pool2d(x, (2, 2, 2))
    columns = F.unfold(x[:0], 2)
    assert columns.shape == (0, 12, 15)


@settings(max_examples=60, deadline=None)
@given(images, st.integers(1, 3), st.integers(1, 3))
def test_the_gradient_of_a_maximum_goes_to_the_first_of_several(shape, size, stride):
    assume(min(shape[2:]) >= size)
    x = tensor_of(*shape, ties=True)
    y = F.max_pool2d(x, size, stride)
    gradient = np.arange(1.0, y.array.size + 1).reshape(y.shape)
    y.backward(minitorch.Tensor(gradient))
    expected = np.zeros(shape)
    for n, c, i, j in np.ndindex(y.shape):
        window = x.array[n, c, i * stride : i * stride + size, j * stride : j * stride + size]
        r, s = np.unravel_index(window.argmax(), window.shape)
        expected[n, c, i * stride + r, j * stride + s] += gradient[n, c, i, j]
    np.testing.assert_allclose(x.grad.array, expected)


pools = {
    "max": lambda x: F.max_pool2d(x, 3, 2, 1),
    "max, ceil": lambda x: F.max_pool2d(x, 2, 2, ceil_mode=True),
    "avg": lambda x: F.avg_pool2d(x, (2, 3), (1, 2), 1),
    "avg, ceil": lambda x: F.avg_pool2d(x, 2, 2, ceil_mode=True, count_include_pad=False),
    "adaptive avg": lambda x: F.adaptive_avg_pool2d(x, (3, 2)),
    "adaptive max": lambda x: F.adaptive_max_pool2d(x, output_size=(3, 2)),
    "nearest": lambda x: F.interpolate(x, (9, 3)),
    "bilinear": lambda x: F.interpolate(x, (9, 3), mode="bilinear"),
    "corners": lambda x: F.interpolate(x, (9, 3), mode="bilinear", align_corners=True),
    "half": lambda x: F.interpolate(x, scale_factor=0.5, mode="bilinear"),
    "unfold": lambda x: F.unfold(x, (3, 2), (1, 2), (1, 0), (2, 1)),
}


@pytest.mark.parametrize("name", pools)
def test_backward_agrees_with_differences(name):
    assert minitorch.gradcheck(pools[name], (tensor_of(2, 2, 7, 5),))


def test_padding_takes_no_gradient_where_all_pixels_are_minus_infinity():
    x = minitorch.Tensor(np.full((1, 1, 3, 3), -np.inf), requires_grad=True)
    F.max_pool2d(x, 2, 2, 1).backward(minitorch.Tensor([[[[1.0, 2.0], [3.0, 4.0]]]]).double())
    np.testing.assert_array_equal(x.grad.array[0, 0], [[1, 2, 0], [3, 4, 0], [0, 0, 0]])


def test_batch_0_gives_batch_0():
    x = tensor_of(0, 2, 6, 6)
    for pool in (F.max_pool2d, F.avg_pool2d):
        y = pool(x, 2)
        assert y.shape == (0, 2, 3, 3)
        y.sum().backward()
        assert x.grad.shape == x.shape
    assert F.adaptive_max_pool2d(x, (2, 5)).shape == (0, 2, 2, 5)
    assert F.fold(F.unfold(x, 3), (6, 6), 3).shape == x.shape


def test_adaptive_and_global_pooling_of_any_size():
    x = tensor_of(2, 3, 5, 7)
    np.testing.assert_allclose(
        F.adaptive_avg_pool2d(x, 1).array[..., 0, 0], x.array.mean(axis=(2, 3)), atol=1e-12
    )
    assert F.adaptive_avg_pool2d(x, (9, 8)).shape == (2, 3, 9, 8)


@pytest.mark.parametrize("layer, mode", [
    (nn.ZeroPad2d, "constant"), (nn.ReflectionPad2d, "reflect"), (nn.ReplicationPad2d, "edge"),
    (nn.CircularPad2d, "wrap"),
])  # fmt: skip
def test_layers_that_pad(layer, mode):
    x = tensor_of(2, 3, 4, 5)
    for padding, widths in ((1, ((1, 1), (1, 1))), ((2, 1, 0, 3), ((0, 3), (2, 1)))):
        around = np.pad(x.array, ((0, 0), (0, 0), *widths), mode=mode)
        np.testing.assert_array_equal(layer(padding)(x).array, around)
    with pytest.raises(ValueError, match=f"{layer.__name__}: padding is one width, or four"):
        layer((1, 2))


def test_a_layer_pads_with_any_number():
    x = tensor_of(1, 2, 3, 3)
    np.testing.assert_array_equal(
        nn.ConstantPad2d((1, 0, 0, 2), 7.5)(x).array,
        np.pad(x.array, ((0, 0), (0, 0), (0, 2), (1, 0)), constant_values=7.5),
    )


def test_layers_that_unfold_and_fold():
    x, window = tensor_of(2, 3, 7, 8), ((3, 2), (1, 2), (1, 0), (2, 1))
    columns = nn.Unfold(*window)(x)
    np.testing.assert_array_equal(columns.array, F.unfold(x, *window).array)
    images = nn.Fold((7, 8), *window)(columns)
    np.testing.assert_array_equal(images.array, F.fold(columns, (7, 8), *window).array)


def test_a_factor_for_each_dimension():
    x = tensor_of(1, 2, 3, 4)
    enlarged = nn.Upsample(scale_factor=(1, 2))(x)
    np.testing.assert_array_equal(enlarged.array, x.array.repeat(2, axis=3))


def test_nearest_repeats_pixels():
    x = tensor_of(1, 2, 3, 4)
    enlarged = nn.Upsample(scale_factor=2)(x)
    np.testing.assert_array_equal(enlarged.array, x.array.repeat(2, axis=2).repeat(2, axis=3))


def test_a_factor_that_gives_no_whole_number_leaves_a_part_out():
    x = minitorch.tensor([[[[0.0, 1.0, 2.0, 3.0, 9.0]]]])
    assert F.interpolate(x, (1, 2), mode="bilinear").tolist() == [[[[0.75, 4.5]]]]  # all five
    row = x.expand(1, 1, 2, 5)
    mixed = F.interpolate(row, scale_factor=0.5, mode="bilinear")
    assert mixed.tolist() == [[[[0.5, 2.5]]]]  # the first four
    copied = F.interpolate(row, scale_factor=1.7).array[0, 0, 0]
    np.testing.assert_array_equal(copied, [0, 0, 1, 1, 2, 2, 3, 9])  # floor(k / 1.7)


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_a_factor_that_adds_no_pixel_changes_none(mode):
    x = tensor_of(1, 2, 3, 4)
    same = F.interpolate(x, scale_factor=1.2, mode=mode)  # 3.6 and 4.8 pixels
    np.testing.assert_array_equal(same.array, x.array)


def test_nearest_takes_pytorch_s_pixel_where_the_factor_says_two():
    twice = F.interpolate(tensor_of(1, 1, 2, 2), scale_factor=2.3)  # 4.6 pixels
    np.testing.assert_array_equal(
        twice.array, tensor_of(1, 1, 2, 2).array.repeat(2, 2).repeat(2, 3)
    )
    row = minitorch.Tensor(np.arange(6.0).reshape(1, 1, 1, 6))
    places = F.interpolate(row, scale_factor=2.2).array[0, 0, 0]
    assert places[11] == 5  # 11 / 2.2, which rounding may make less


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(0, 2))
def test_fold_is_the_transpose_of_unfold(height, width, size, padding):
    assume(min(height, width) + 2 * padding >= size)
    x = tensor_of(2, 3, height, width)
    columns = F.unfold(x, size, padding=padding)
    others = tensor_of(*columns.shape, seed=1)
    images = F.fold(others, (height, width), size, padding=padding)
    assert (columns * others).sum().item() == pytest.approx((x * images).sum().item())


bad = [
    (lambda: F.max_pool2d(tensor_of(1, 1, 2, 2), 3), r"max_pool2d: a window of 3 does not fit"),
    (lambda: F.max_pool2d(tensor_of(1, 1, 4, 4), 2, 0), "stride must be a whole number from 1"),
    (lambda: F.max_pool2d(tensor_of(1, 1, 4, 4), 2, 2, 2), "more than half of the window"),
    (lambda: F.avg_pool2d(tensor_of(1, 4, 4), 2), r"x must be floats \(N, C, H, W\)"),
    (lambda: F.adaptive_avg_pool2d(tensor_of(1, 1, 0, 4), 2), "must be images"),
    (lambda: F.interpolate(tensor_of(1, 1, 4, 4)), "either size or scale_factor"),
    (lambda: F.interpolate(tensor_of(1, 1, 4, 4), 8, mode="cubic"), "one of nearest, bilinear"),
    (lambda: F.interpolate(tensor_of(1, 1, 4, 4), scale_factor=0.1), "at least one pixel"),
    (lambda: F.interpolate(tensor_of(1, 1, 4, 4), scale_factor=np.inf), "at least one pixel"),
    (lambda: F.interpolate(tensor_of(1, 1, 4, 4), scale_factor=(2, 2, 2)), "or 2 of them"),
    (lambda: F.fold(tensor_of(1, 9, 5), (4, 4), 3), "are not the windows of images of 4 x 4"),
    (lambda: F.unfold(tensor_of(1, 4, 4), 3), r"^unfold: x must be images \(N, C, H, W\)"),
    (lambda: F.unfold(tensor_of(1, 1, 2, 2), 3), "does not fit into 2 pixels"),
]


@pytest.mark.parametrize("call, message", bad)
def test_what_does_not_fit_is_said(call, message):
    with pytest.raises(ValueError, match=message):
        call()
