import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import minitorch
from minitorch import compiled, convolution, correlation, fused_norm, im2col, nn, pooling, winograd
from minitorch import functional as F
from minitorch.convolution_loops import conv2d_by_loops
from minitorch.fused_norm import batch_norm, batch_norm_relu
from minitorch.im2col import blocks
from minitorch.normalization import batch_norm as readable_batch_norm
from minitorch.threads import Threads, threads
from minitorch.windows import Axis


def random_tensor(*shape, seed=0, dtype=np.float64):
    values = np.random.default_rng(seed).standard_normal(shape).astype(dtype)
    return minitorch.Tensor(values, requires_grad=True)


def run(function, *inputs):
    """The value, and the gradients when every element of the value has its own weight."""
    leaves = [minitorch.Tensor(each.array, requires_grad=True) for each in inputs]
    y = function(*leaves)
    y.backward(random_tensor(*y.shape, seed=1).detach())
    return [y.array, *(leaf.grad.array for leaf in leaves)]


def assert_same(function, other, *inputs, tolerance=1e-11):
    for one, two in zip(run(function, *inputs), run(other, *inputs), strict=True):
        assert one.shape == two.shape
        np.testing.assert_allclose(one, two, rtol=0, atol=tolerance)


axes = st.builds(
    Axis,
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(0, 3),
    st.integers(0, 3),
    st.integers(1, 3),
)
sizes = st.tuples(st.integers(0, 2), st.integers(1, 2), st.integers(1, 7), st.integers(1, 7))


@settings(max_examples=150, deadline=None)
@given(sizes, axes, axes, st.integers(1, 3), st.integers(1, 2))
def test_conv2d_equals_the_loops(size, down, across, kernels, groups):
    images, channels, height, width = size
    assume(down.outputs(height) > 0 and across.outputs(width) > 0)
    x = random_tensor(images, channels * groups, height, width)
    weight = random_tensor(kernels * groups, channels, down.size, across.size, seed=2)
    moves = {
        "stride": (down.stride, across.stride),
        "padding": ((down.before, down.after), (across.before, across.after)),
        "dilation": (down.dilation, across.dilation),
    }
    assert_same(
        lambda x, weight: F.conv2d(x, weight, **moves, groups=groups),
        lambda x, weight: conv2d_by_loops(x, weight, down, across, groups=groups),
        x,
        weight,
    )


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(st.integers(0, 3), st.integers(1, 14), st.integers(1, 14)),
    st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4), st.integers(0, 4)),
    st.integers(1, 9),
    st.integers(1, 9),
    st.integers(1, 2),
)
@pytest.mark.parametrize("by_loops", [False, True])
def test_tiles_in_float32_equal_the_exact_way_in_float64(
    by_loops, size, pads, channels, kernels, groups
):
    images, height, width = size
    top, bottom, left, right = pads
    down, across = Axis(3, 1, top, bottom), Axis(3, 1, left, right)
    assume(min(down.outputs(height), across.outputs(width)) > 0)
    x = random_tensor(images, channels * groups, height, width)
    weight = random_tensor(kernels * groups, channels, 3, 3, seed=2)
    pixels = x.array[:, :channels].transpose(0, 2, 3, 1).astype(np.float32)

    def convolution(x, weight):
        return F.conv2d(x, weight, padding=((top, bottom), (left, right)), groups=groups)

    exact = run(convolution, x, weight)
    with pytest.MonkeyPatch.context() as patch:
        for limit in ("LEAST_CHANNELS", "LEAST_COMPILED", "LEAST_TILES"):
            patch.setattr(winograd, limit, 1)
        assume(winograd.suits_tiles(pixels, kernels, down, across))
        try:
            compiled.use(by_loops and bool(pytest.importorskip("numba")))
            rounded = run(convolution, x.float(), weight.float())
        finally:
            compiled.use(False)
    for one, two in zip(exact, rounded, strict=True):
        assert two.dtype == np.float32
        scale = np.abs(one).max(initial=1e-30)
        np.testing.assert_allclose(two / scale, one / scale, rtol=0, atol=3e-5)


@pytest.mark.parametrize(
    "images, channels, pixels, dtype, chosen",
    [
        (96, 64, 4, np.float32, True),
        (95, 64, 4, np.float32, False),  # too few tiles
        (96, 63, 4, np.float32, False),
        (96, 64, 4, np.float64, False),
        (96, 64, 5, np.float32, False),  # two tiles for five pixels: most of them is waste
        (24, 64, 7, np.float32, True),
    ],
)
def test_tiles_are_chosen_where_they_are_many_and_full(images, channels, pixels, dtype, chosen):
    x, same = np.empty((images, pixels, pixels, channels), dtype), Axis(3, 1, 1, 1)
    assert winograd.suits_tiles(x, 64, same, same) == chosen


@pytest.mark.parametrize("other", [Axis(3, 2, 1, 1), Axis(3, 1, 2, 2, 2), Axis(5, 1, 2, 2)])
def test_tiles_are_for_three_taps_side_by_side(other):
    x, same = np.empty((96, 8, 8, 64), np.float32), Axis(3, 1, 1, 1)
    assert winograd.suits_tiles(x, 64, same, same)
    assert not winograd.suits_tiles(x, 64, other, same)
    assert not winograd.suits_tiles(x, 64, same, other)


def test_with_compiled_sums_fewer_channels_go_by_tiles():
    pytest.importorskip("numba")
    x, same = np.empty((96, 4, 4, 32), np.float32), Axis(3, 1, 1, 1)
    assert not winograd.suits_tiles(x, 32, same, same)
    compiled.use()
    try:
        assert winograd.suits_tiles(x, 32, same, same)
        assert not winograd.suits_tiles(x, 31, same, same)
    finally:
        compiled.use(False)


def test_tiles_can_be_switched_off(monkeypatch):
    x, weight = random_tensor(24, 64, 9, 9).float(), random_tensor(64, 64, 3, 3, seed=2).float()
    by_tiles = run(F.conv2d, x, weight)
    monkeypatch.setattr(winograd, "enabled", False)
    by_rows = run(F.conv2d, x, weight)
    for one, two in zip(by_tiles, by_rows, strict=True):
        assert (one != two).any()  # another order of sums
        np.testing.assert_allclose(one, two, rtol=0, atol=3e-5 * np.abs(two).max())


@pytest.mark.parametrize("choice", [("python", 3), ("blas", 2)])
@pytest.mark.parametrize("stride", [1, (1, 2)])
@pytest.mark.parametrize("sizes", [(5, 8, 30, 31, 6), (2, 64, 3, 4, 70)])  # many pixels, kernels
def test_many_blocks_and_threads_give_what_one_gives(sizes, stride, choice):
    *shape, features = sizes
    x, weight = random_tensor(*shape), random_tensor(features, shape[1], 3, 3, seed=2)

    def convolution(x, weight):
        return F.conv2d(x, weight, stride=stride, padding=1)

    before = threads.mode, threads.count
    try:
        threads.use("python", 1)
        alone = run(convolution, x, weight)
        threads.use(*choice)
        together = run(convolution, x, weight)
    finally:
        threads.use(*before)
    for one, two in zip(alone, together, strict=True):
        np.testing.assert_allclose(one, two, rtol=0, atol=1e-11)


def test_how_products_and_turned_kernels_are_cut_changes_no_number(monkeypatch):
    x, weight = random_tensor(1, 32, 32, 32), random_tensor(32, 32, 3, 3, seed=2)

    def convolution(x, weight):
        return F.conv2d(x, weight, padding=1)

    by_row = run(convolution, x, weight)
    monkeypatch.setattr(im2col, "SMALL_PRODUCT", 10**12)  # one product per image
    monkeypatch.setattr(correlation, "PANEL", 5)
    by_image = run(convolution, x, weight)
    for one, two in zip(by_row, by_image, strict=True):
        np.testing.assert_allclose(one, two, rtol=0, atol=1e-11)


@pytest.mark.parametrize("dtype, channels", [(np.float64, 3), (np.float32, 64)])
def test_each_gradient_is_the_same_without_the_other(dtype, channels):
    x, weight = (random_tensor(64, channels, 6, 5), random_tensor(channels, channels, 3, 3, seed=2))
    x, weight = (minitorch.Tensor(each.array.astype(dtype)) for each in (x, weight))
    _, to_x, to_weight = run(lambda x, weight: F.conv2d(x, weight, padding=1), x, weight)
    tolerance = 1e-11 if dtype == np.float64 else 1e-4 * np.abs(to_weight).max()
    for expected, wanted in ((to_x, 0), (to_weight, 1)):
        inputs = [x.clone(), weight.clone()]
        inputs[wanted].requires_grad_()
        y = F.conv2d(*inputs, padding=1)
        y.backward(random_tensor(*y.shape, seed=1).detach().to(y.dtype))
        np.testing.assert_allclose(inputs[wanted].grad.array, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("stride", [1, 2])
def test_no_images_and_a_large_kernel_give_none_and_zeros(stride):
    y, to_x, to_weight = run(
        lambda x, weight: F.conv2d(x, weight, stride=stride, padding=1),
        random_tensor(0, 64, 4, 4),
        random_tensor(32, 64, 3, 3),
    )
    assert y.shape == (0, 32, 4 // stride, 4 // stride)
    assert to_x.shape == (0, 64, 4, 4)
    np.testing.assert_array_equal(to_weight, np.zeros((32, 64, 3, 3)))


@given(st.integers(0, 9), st.integers(1, 50), st.integers(1, 300_000), st.integers(0, 10**6))
def test_blocks_cover_everything_once(images, rows, row_bytes, least):
    seen = np.zeros((images, rows), int)
    for block in blocks(images, rows, row_bytes, least):
        seen[block] += 1
    assert (seen == 1).all()


def test_conv2d_backward_agrees_with_differences():
    x, weight, bias = random_tensor(2, 4, 6, 5), random_tensor(4, 2, 3, 2, seed=1), random_tensor(4)
    assert minitorch.gradcheck(
        lambda x, weight, bias: F.conv2d(
            x, weight, bias, stride=2, padding=((1, 0), (2, 1)), dilation=(1, 2), groups=2
        ),
        (x, weight, bias),
    )


@pytest.mark.parametrize("groups", [1, 2])
def test_conv_transpose2d_backward_agrees_with_differences(groups):
    x, weight = random_tensor(2, 4, 3, 4), random_tensor(4, 2, 3, 2, seed=1)
    assert minitorch.gradcheck(
        lambda x, weight: F.conv_transpose2d(
            x, weight, stride=2, padding=1, output_padding=(1, 0), groups=groups
        ),
        (x, weight),
    )


def test_transposed_is_the_gradient_of_the_convolution():
    x, weight = random_tensor(2, 3, 7, 7), random_tensor(4, 3, 3, 3, seed=1)
    y = F.conv2d(x, weight, stride=2, padding=1)
    gradient = random_tensor(*y.shape, seed=2).detach()
    y.backward(gradient)
    back = F.conv_transpose2d(gradient, weight.detach(), stride=2, padding=1)
    np.testing.assert_allclose(back.array, x.grad.array, atol=1e-12)


def test_conv1d_is_conv2d_on_one_row():
    x, weight, bias = random_tensor(2, 4, 9), random_tensor(6, 2, 3, seed=1), random_tensor(6)
    moves = {"stride": 2, "padding": 1, "dilation": 2, "groups": 2}
    assert_same(
        lambda x, weight, bias: F.conv1d(x, weight, bias, **moves),
        lambda x, weight, bias: F.conv2d(
            x.unsqueeze(2), weight.unsqueeze(2), bias, (1, 2), (0, 1), (1, 2), 2
        ).squeeze(2),
        x,
        weight,
        bias,
    )


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_padding_same_keeps_the_size(size):
    x, weight = random_tensor(1, 2, 5, 6), random_tensor(3, 2, size, size)
    assert F.conv2d(x, weight, padding="same").shape == (1, 3, 5, 6)
    assert F.conv2d(x, weight, padding="same", dilation=2).shape == (1, 3, 5, 6)


def test_memory_is_channels_last_and_stays_so():
    x, weight = random_tensor(2, 3, 8, 8), random_tensor(4, 3, 3, 3)
    y = F.conv2d(x, weight).relu()
    assert y.array.transpose(0, 2, 3, 1).flags.c_contiguous


def test_layers_keep_their_kernels_as_the_product_wants_them():
    layer = nn.Conv2d(3, 8, 5)
    assert layer.weight.array.transpose(2, 3, 1, 0).flags.c_contiguous
    layer(random_tensor(2, 3, 9, 9, dtype=np.float32)).sum().backward()
    assert layer.weight.grad.array.strides == layer.weight.array.strides
    state = {path: value.copy() for path, value in layer.state_dict().items()}
    layer.load_state_dict(state)
    assert layer.weight.array.transpose(2, 3, 1, 0).flags.c_contiguous


def test_dtype_is_kept():
    for dtype in (np.float32, np.float64):
        x, weight = random_tensor(1, 2, 4, 4, dtype=dtype), random_tensor(2, 2, 3, 3, dtype=dtype)
        y = F.conv2d(x, weight)
        y.sum().backward()
        assert y.dtype == x.grad.dtype == weight.grad.dtype == dtype


bad = [
    ({}, (1, 3, 4, 4), (2, 4, 3, 3), ValueError, r"3 channels.*takes 4"),
    ({}, (1, 3, 4, 4), (2, 3, 5, 5), ValueError, r"reaches over 5.*has 4.*would fit"),
    ({"dilation": 3}, (1, 3, 5, 5), (2, 3, 3, 3), ValueError, r"reaches over 7.*at most 2"),
    (
        {"stride": 0},
        (1, 3, 4, 4),
        (2, 3, 3, 3),
        ValueError,
        r"stride must be a whole number from 1",
    ),
    ({"stride": 1.5}, (1, 3, 4, 4), (2, 3, 3, 3), ValueError, r"stride must be a whole number"),
    ({"padding": -1}, (1, 3, 4, 4), (2, 3, 3, 3), ValueError, r"padding must be .* from 0"),
    ({"padding": "some"}, (1, 3, 4, 4), (2, 3, 3, 3), ValueError, r"'same', 'valid'"),
    ({"padding": "same", "stride": 2}, (1, 3, 4, 4), (2, 3, 3, 3), ValueError, r"needs stride 1"),
    ({"groups": 2}, (1, 3, 4, 4), (2, 3, 3, 3), ValueError, r"2 groups do not divide 3"),
    ({"groups": 0}, (1, 3, 4, 4), (2, 3, 3, 3), ValueError, r"0 groups"),
    ({"groups": 1.0}, (1, 3, 4, 4), (2, 3, 3, 3), TypeError, r"groups must be a whole number"),
    ({"groups": None}, (1, 3, 4, 4), (2, 3, 3, 3), TypeError, r"groups must be a whole number"),
    ({}, (3, 4, 4), (2, 3, 3, 3), ValueError, r"unsqueeze\(0\)"),
    ({}, (1, 3, 4), (2, 3, 3), ValueError, r"has 3; both need 4"),
    ({}, (1, 3, 4, 4), (0, 3, 3, 3), ValueError, r"holds no kernel"),
    ({}, (1, 3, 4, 4), (2, 3, 0, 3), ValueError, r"holds no kernel"),
    ({"stride": "a"}, (1, 3, 4, 4), (2, 3, 3, 3), ValueError, r"stride must be a whole number"),
    ({"padding": None}, (1, 3, 4, 4), (2, 3, 3, 3), ValueError, r"padding must be a whole number"),
]


@pytest.mark.parametrize("setting, x_shape, weight_shape, kind, message", bad)
def test_what_does_not_fit_is_said(setting, x_shape, weight_shape, kind, message):
    with pytest.raises(kind, match=f"^conv2d: .*{message}"):
        F.conv2d(random_tensor(*x_shape), random_tensor(*weight_shape), **setting)


def test_conv1d_refuses_images():
    with pytest.raises(ValueError, match=r"^conv1d: .* has 4; both need 3"):
        F.conv1d(random_tensor(1, 3, 4, 4), random_tensor(2, 3, 3, 3))


def test_integers_and_mixed_dtypes_are_refused():
    weight = random_tensor(2, 3, 3, 3)
    with pytest.raises(TypeError, match=r"x is int64 and weight float64"):
        F.conv2d(minitorch.tensor(np.ones((1, 3, 4, 4), int)), weight)
    with pytest.raises(TypeError, match=r"x is float32 and weight float64"):
        F.conv2d(minitorch.ones(1, 3, 4, 4), weight)


def test_bias_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"bias of shape \(3,\) does not fit 2 output channels"):
        F.conv2d(random_tensor(1, 1, 3, 3), random_tensor(2, 1, 3, 3), random_tensor(3))


def test_out_of_memory_says_how_large_the_array_would_have_been():
    x = minitorch.Tensor(np.broadcast_to(np.float32(0), (2, 1, 2**20, 2**20)))
    with pytest.raises(MemoryError, match=r"conv2d.*\d+.*(GiB|TiB|shape)"):
        F.conv2d(x, minitorch.ones(1, 1, 1, 1))


def test_threads_refuse_what_they_do_not_know():
    with pytest.raises(ValueError, match=r'"blas" or "python"'):
        Threads().use("all")
    for count in (0, 2.5, "2"):
        with pytest.raises(ValueError, match="count from 1"):
            Threads().use("blas", count)  # type: ignore[arg-type]


def test_a_blas_that_cannot_be_told_needs_its_variable_for_python_threads(monkeypatch):
    monkeypatch.setattr(minitorch.threads, "find_blas_function", lambda name: None)
    for name in minitorch.threads.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    choice = Threads()
    assert choice.share(list, [1, 2, 3]) == [[1, 2, 3]]
    with pytest.raises(RuntimeError, match="OMP_NUM_THREADS"):
        choice.use("python", 2)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    choice.use("python", 2)
    assert choice.share(list, [1, 2, 3]) == [[1], [2, 3]]
    choice.use("blas", 1)  # ends the threads


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_starts_threads_of_its_own():
    program = """
import os, signal
from minitorch.threads import threads
threads.use("python", 2)
threads.share(list, [1, 2])
child = os.fork()
if not child:
    signal.alarm(20)  # ends the child, were it to wait for threads that it has not
    os._exit(threads.share(list, [1, 2]) != [[1], [2]])
raise SystemExit(os.waitpid(child, 0)[1])
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(4, 3, 5, 2), (2, 1, 3, 3), (8, 16, 7, 7), (2, 1500, 2, 1)])
def test_fused_batch_norm_equals_the_readable_one(shape, training):
    results = []
    for normalize in (batch_norm, readable_batch_norm):
        running = [minitorch.Tensor(np.full(shape[1], value)) for value in (0.5, 2.0)]
        results.append(
            run(
                lambda x, weight, bias, running=running, normalize=normalize: normalize(
                    x + 100, *running, weight, bias, training=training
                ),
                random_tensor(*shape),
                random_tensor(shape[1], seed=1),
                random_tensor(shape[1], seed=2),
            )
            + [each.array for each in running]
        )
    for one, two in zip(*results, strict=True):
        np.testing.assert_allclose(one, two, rtol=0, atol=1e-9)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("negative_slope", [0.0, 0.1])
def test_batch_norm_with_relu_is_one_after_the_other(negative_slope, training):
    def both(x, weight, bias):
        settings = {"training": training, "negative_slope": negative_slope}
        return batch_norm_relu(x, np.zeros(16), np.ones(16), weight, bias, **settings)

    def one_by_one(x, weight, bias):
        y = readable_batch_norm(x, np.zeros(16), np.ones(16), weight, bias, training=training)
        return F.leaky_relu(y, negative_slope)

    x, weight, bias = random_tensor(8, 16, 7, 7), random_tensor(16), random_tensor(16, seed=1)
    assert_same(both, one_by_one, x, weight, bias)


def test_batch_norm_with_relu_lets_no_infinite_gradient_through_where_it_is_zero():
    layer = nn.BatchNormReLU2d(2).eval()
    x = minitorch.Tensor(np.full((1, 2, 1, 1), -1.0), requires_grad=True)
    layer(x).backward(minitorch.Tensor(np.full((1, 2, 1, 1), np.inf)))
    np.testing.assert_array_equal(x.grad.array, np.zeros((1, 2, 1, 1)))


@pytest.mark.parametrize("layer", [nn.BatchNorm2d, nn.BatchNormReLU2d])
def test_batch_norm_in_use_takes_a_batch_of_0_and_back(layer):
    model = layer(3).eval()
    x = minitorch.Tensor(np.zeros((0, 3, 2, 2)), requires_grad=True)
    model(x).sum().backward()
    assert x.grad.shape == x.shape
    np.testing.assert_array_equal(model.weight.grad.array, np.zeros(3))


def test_gradients_stay_channels_last_on_their_way_back(monkeypatch):
    x, seen = minitorch.randn(2, 3, 8, 8), []
    first, second = (nn.Conv2d(count, 4, 3, padding=1) for count in (3, 4))
    norms = nn.BatchNormReLU2d(4), nn.BatchNormReLU2d(4), nn.BatchNorm2d(4)
    turned = convolution.channels_last

    def channels_last(images):
        seen.append((images.shape[1], images.transpose(0, 2, 3, 1).flags.c_contiguous))
        return turned(images)

    y = first(x)
    z = norms[2](F.max_pool2d(norms[1](second(norms[0](y)), y), 2))
    loss = (z * z).sum()
    for module in (convolution, fused_norm, pooling):
        monkeypatch.setattr(module, "channels_last", channels_last)
    loss.backward()
    assert seen.count((4, True)) == len(seen) - 1  # all but the first one's images


@pytest.mark.parametrize("by_loops", [False, True])
@pytest.mark.parametrize("channels", [3, 16])
@pytest.mark.parametrize("others, spread", [(1000, 0.1), (1000, 0), (1, 0.001), (100, 1)])
def test_batch_norm_is_exact_where_the_first_pixel_lies_far_from_the_others(
    others, spread, channels, by_loops
):
    x = others + spread * random_tensor(16, channels, 32, 32).array
    x[0, :, 0, 0] = 0
    x = x.astype(np.float32)
    norm = nn.BatchNorm2d(channels, momentum=1.0)
    try:
        compiled.use(by_loops and bool(pytest.importorskip("numba")))
        norm(minitorch.Tensor(x))
    finally:
        compiled.use(False)
    exact = x.astype(float)
    mean, variance = exact.mean((0, 2, 3)), exact.var((0, 2, 3), ddof=1)
    np.testing.assert_allclose(norm.state_dict()["running_mean"], mean, rtol=1e-6)
    np.testing.assert_allclose(norm.state_dict()["running_var"], variance, rtol=0.02)


@pytest.mark.parametrize("function", [F.conv2d, F.conv_transpose2d])
@pytest.mark.parametrize("groups", [1, 4])
def test_gradients_in_half_precision_are_added_up_in_more(function, groups):
    x, bias = minitorch.ones(8, 4, 64, 64), minitorch.zeros(4)
    weight = minitorch.ones(4, 4 // groups, 1, 1)
    inputs = [each.to(np.float16).requires_grad_() for each in (x, weight, bias)]
    grad = np.full((8, 64, 64, 4), 0.5, np.float16).transpose(0, 3, 1, 2)
    function(*inputs, groups=groups).backward(minitorch.Tensor(grad))
    for each in inputs[1:]:  # 32,768 pixels; alone, halves stop growing at 1,024
        np.testing.assert_array_equal(each.grad.array, np.full(each.shape, 16384, np.float16))


@pytest.mark.parametrize("channels", [3, 16])
def test_batch_norm_in_half_precision_adds_up_in_more(channels):
    x = random_tensor(16, channels, 32, 32)
    grad = random_tensor(16, channels, 32, 32, seed=2)
    answers = []
    for dtype in (np.float64, np.float16):
        norm = nn.BatchNorm2d(channels).to(dtype)
        images = minitorch.Tensor(x.array.astype(dtype), requires_grad=True)
        y = norm(images)
        y.backward(minitorch.Tensor(grad.array.astype(dtype)))
        answers.append((y, images.grad, *[each.grad / 100 for each in norm.parameters()]))
    for one, other in zip(*answers, strict=True):
        assert other.dtype == np.float16
        np.testing.assert_allclose(other.array, one.array, rtol=0, atol=0.02)


@pytest.mark.parametrize(
    "layer, name", [(nn.BatchNorm2d, "batch_norm"), (nn.BatchNormReLU2d, "batch_norm_relu")]
)
def test_batch_norm_refuses_to_train_on_one_value(layer, name):
    with pytest.raises(ValueError, match=f"^{name}: x of shape .* has 1 values per channel"):
        layer(3)(minitorch.ones(1, 3, 1, 1))


@pytest.mark.parametrize("layer", [nn.BatchNorm2d, nn.BatchNormReLU2d])
def test_running_figures_that_move_before_backward_are_noticed(layer):
    model, weight = layer(3), minitorch.ones(3, requires_grad=True)
    for running in (model.running_mean, model.running_var):
        y = (running * weight).sum()
        model(minitorch.randn(2, 3, 4, 4))
        with pytest.raises(RuntimeError, match="overwritten in place"):
            y.backward()


@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_without_weights_or_running_figures(training):
    x = random_tensor(2, 3, 4, 4)
    settings = {"affine": False, "track_running_stats": False}
    layer = nn.BatchNormReLU2d(3, **settings)
    layer.training = training
    assert_same(layer, lambda x: F.relu(readable_batch_norm(x, None, None, training=training)), x)
    assert not layer.state_dict()


def test_batch_norm_leaves_the_gradient_that_it_shares_as_it_is():
    other = random_tensor(2, 3, 4, 4)
    same = other * 1
    y = nn.BatchNormReLU2d(3)(random_tensor(2, 3, 4, 4, seed=1))
    pixels = np.arange(1.0, 97).reshape(2, 4, 4, 3).transpose(0, 3, 1, 2)
    (same + y).backward(minitorch.Tensor(pixels.copy(order="K")))
    np.testing.assert_array_equal(other.grad.array, pixels)


@settings(max_examples=60, deadline=None)
@given(sizes, axes, axes, st.integers(2, 4), st.integers(1, 3))
def test_depthwise_equals_the_loops(size, down, across, channels, kernels):
    images, _, height, width = size
    assume(down.outputs(height) > 0 and across.outputs(width) > 0)
    x = random_tensor(images, channels, height, width)
    weight = random_tensor(channels * kernels, 1, down.size, across.size, seed=2)
    moves = {
        "stride": (down.stride, across.stride),
        "padding": ((down.before, down.after), (across.before, across.after)),
        "dilation": (down.dilation, across.dilation),
    }
    assert_same(
        lambda x, weight: F.conv2d(x, weight, **moves, groups=channels),
        lambda x, weight: conv2d_by_loops(x, weight, down, across, groups=channels),
        x,
        weight,
    )


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
@pytest.mark.parametrize("padding", [2, (1, 2), ((0, 1), (2, 3)), "same"])
def test_padding_modes_are_pad_and_then_the_convolution(mode, padding):
    layer = nn.Conv2d(2, 3, (3, 4), padding=padding, padding_mode=mode)
    x = random_tensor(2, 2, 6, 7).float()
    (top, bottom), (left, right) = {
        "same": ((1, 1), (1, 2)),
        2: ((2, 2), (2, 2)),
        (1, 2): ((1, 1), (2, 2)),
    }.get(padding, padding)
    padded = F.pad(x, (left, right, top, bottom), mode=mode)
    expected = F.conv2d(padded, layer.weight, layer.bias)
    np.testing.assert_array_equal(layer(x).array, expected.array)
    assert mode in repr(layer)


def test_padding_mode_of_one_dimension_and_unknown_ones():
    layer = nn.Conv1d(2, 3, 3, padding=1, padding_mode="circular")
    x = random_tensor(2, 2, 5).float()
    expected = F.conv1d(F.pad(x, (1, 1), mode="circular"), layer.weight, layer.bias)
    np.testing.assert_array_equal(layer(x).array, expected.array)
    with pytest.raises(ValueError, match="padding_mode 'mirror' is none of zeros"):
        nn.Conv2d(2, 3, 3, padding=1, padding_mode="mirror")
