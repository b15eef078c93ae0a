"""Compiled loops: each does what numpy's pass does, in plain Python and translated."""

import itertools
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minitorch
import minitorch.functional as F
from minitorch import (
    compiled,
    compiled_convolution,
    depthwise,
    im2col,
    nn,
    norm_passes,
    optim,
    pooling,
    winograd,
)
from minitorch.passes import Pass
from minitorch.windows import Axis
from models import find, resnet, training
from models.__main__ import main

PASSES = [depthwise, im2col, norm_passes, pooling, winograd]


@pytest.fixture(params=["plain", "translated"])
def ways(request, monkeypatch):
    """The loops by pass, as they are written and as numba makes them."""
    if request.param == "plain":
        return compiled.in_place_of
    pytest.importorskip("numba")
    monkeypatch.setattr(compiled, "translated", {})
    compiled.use()
    translated = {
        each: compiled.translated[compiled.in_place_of[each]] for each in compiled.in_place_of
    }
    compiled.use(False)
    return translated


@pytest.fixture
def loops():
    """Compiled loops in use, and afterwards numpy again."""
    pytest.importorskip("numba")
    compiled.use()
    yield
    compiled.use(False)


def numbers(*shape, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def assert_same_pass(ways, numpy_pass, *inputs, written=(), close=1e-6):
    """Both ways return the same, and write the same into the inputs of these positions."""
    answers = []
    for way in (numpy_pass.in_numpy, ways[numpy_pass]):
        given_to = [each.copy() if k in written else each for k, each in enumerate(inputs)]
        returned = way(*given_to)
        returned = returned if isinstance(returned, tuple) else (returned,)
        answers.append([*returned, *(given_to[k] for k in written)])
    for one, other in zip(*answers, strict=True):
        if one is None:
            assert other is None
        else:
            assert one.dtype == other.dtype
            np.testing.assert_allclose(other, one, rtol=2e-6, atol=close)


def test_every_pass_has_loops():
    passes = {each for module in PASSES for each in vars(module).values() if isinstance(each, Pass)}
    assert passes == set(compiled.in_place_of)
    for each, loops in compiled.in_place_of.items():
        assert each.in_numpy.__name__ == loops.__name__


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("added", [False, True])
@pytest.mark.parametrize("slope", [None, 0.0, 0.1])
def test_the_passes_of_batch_norm(ways, dtype, added, slope):
    lines, grads, more = (numbers(5, 12, dtype=dtype, seed=k) for k in range(3))
    scale, shift, mean = (numbers(12, dtype=dtype, seed=k) for k in range(3, 6))
    slope = None if slope is None else dtype(slope)
    out, extra = np.zeros_like(lines), more if added else None
    assert_same_pass(ways, norm_passes.sums_around, lines, mean)
    given_there = lines, scale, shift, extra, slope, out
    assert_same_pass(ways, norm_passes.scale_and_shift, *given_there, written=[5])
    results = None if slope is None else more
    passed = grads if slope is None else out
    given_back = grads, results, slope, lines, mean, passed
    assert_same_pass(ways, norm_passes.gradient_sums, *given_back, written=[5])
    assert_same_pass(
        ways, norm_passes.gradient_for_x, grads, lines, scale, shift, mean, out, written=[5]
    )


@pytest.mark.parametrize("slope", [0.0, 0.5])
def test_numbers_that_are_none_go_the_same_way(ways, slope):
    odd = np.array([[np.inf, -np.inf, np.nan, -0.0, 0.0, 1e38, -1e38, -1.0]], np.float32)
    ones, zeros, slope = np.ones(8, np.float32), np.zeros(8, np.float32), np.float32(slope)
    given = odd, ones, zeros, None, slope, np.zeros_like(odd)
    assert_same_pass(ways, norm_passes.scale_and_shift, *given, written=[5])
    if not slope:  # nothing comes through where the result is 0, be it infinite
        results = np.zeros_like(odd)
        results[0, :3] = np.nan
        passed = np.ones_like(odd)
        ways[norm_passes.gradient_sums](odd, results, slope, ones[None], zeros, passed)
        np.testing.assert_array_equal(passed, 0)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_windows_are_copied_from_every_place(data):
    down, across = (
        Axis(*(data.draw(st.integers(low, 3)) for low in (1, 1, 0, 0, 1))) for _ in range(2)
    )
    x = numbers(2, data.draw(st.integers(1, 6)), data.draw(st.integers(1, 6)), 3)
    if min(down.outputs(x.shape[1]), across.outputs(x.shape[2])) < 1:
        return
    windows = im2col.RowWindows(x, down, across, 4)
    block = im2col.Block(slice(0, 2), slice(0, down.outputs(x.shape[1])))
    windows.fill(block)
    copied = np.full_like(windows.windows, 7)
    unused = np.empty(0, np.float32)
    compiled_convolution.copy_windows(x, -down.before, across, copied, unused, unused)
    np.testing.assert_array_equal(copied, windows.windows)


@pytest.mark.parametrize("top, left", [(-1, -1), (0, 0), (3, -2)])
@pytest.mark.parametrize("channels", [3, compiled_convolution.LINE + 1])
def test_points_of_tiles(ways, channels, top, left):
    x = numbers(2, 9, 7, channels)
    assert_same_pass(ways, winograd.points_of, x, 6, top, left, (3, 2), close=1e-5)


@pytest.mark.parametrize("height, width", [(8, 8), (9, 7), (1, 3)])
@pytest.mark.parametrize("channels", [3, compiled_convolution.LINE + 1])
def test_results_of_tiles_and_their_gradients(ways, channels, height, width):
    counts = winograd.grid_of(height, width)
    results = numbers(2, height, width, channels)
    products = numbers(36, 2 * np.prod(counts), channels)
    assert_same_pass(ways, winograd.points_of, results, 4, 0, 0, counts, close=1e-5)
    whole = np.full((2, height, width, channels + 2), 7, np.float32)
    for way in (winograd.write_results.in_numpy, ways[winograd.write_results]):
        out = whole.copy()
        way(products, counts, out[..., 1:-1])
        np.testing.assert_array_equal(out[..., [0, -1]], 7)  # and nothing beside it
    out = whole[..., 1:-1]
    assert_same_pass(ways, winograd.write_results, products, counts, out, written=[2], close=1e-4)


@pytest.mark.parametrize("down, across", [(Axis(2, 2), Axis(2, 2)), (Axis(3, 1), Axis(2, 3))])
@pytest.mark.parametrize("odd", [None, np.nan, -np.inf])
def test_pooling_with_ties(ways, down, across, odd):
    pixels = np.round(numbers(2, 6, 8, 3))
    if odd is not None:
        pixels[0], pixels[1, ::2, 1::3] = odd, odd  # everywhere, and here and there
    y = np.zeros((2, down.outputs(6), across.outputs(8), 3), np.float32)
    assert_same_pass(ways, pooling.write_largest, pixels, down, across, y, written=[3])
    pooling.write_largest(pixels, down, across, y)
    tiled = pooling.fills([down, across], pixels.shape)
    back = np.full_like(pixels, 7 if tiled else 0)
    given = pixels, y, numbers(*y.shape, seed=1), down, across, tiled, back
    assert_same_pass(ways, pooling.send_to_largest, *given, written=[6])


def test_a_pixel_that_several_windows_chose_gets_their_gradients_in_one_order(ways):
    pixels, down, across = numbers(1, 20, 21, 5), Axis(3, 1), Axis(4, 2)
    y = np.empty((1, 18, 9, 5), np.float32)
    pooling.write_largest(pixels, down, across, y)
    backs = []
    for way in (pooling.send_to_largest.in_numpy, ways[pooling.send_to_largest]):
        back = np.zeros_like(pixels)
        way(pixels, y, numbers(*y.shape, seed=1), down, across, False, back)
        backs.append(back)
    np.testing.assert_array_equal(*backs)


@pytest.mark.parametrize("kernels", [1, 2])
@pytest.mark.parametrize("down, across", [
    (Axis(3, 1, 1, 1), Axis(3, 1, 1, 1)), (Axis(2, 2, 0, 1), Axis(3, 1, 2, 2, 2)),
])  # fmt: skip
def test_depthwise(ways, kernels, down, across):
    x, kernel = numbers(2, 5, 6, 4), numbers(down.size, across.size, 4, kernels, seed=1)
    grad = numbers(2, down.outputs(5), across.outputs(6), 4 * kernels, seed=2)
    moves = kernel, down, across
    assert_same_pass(ways, depthwise.write_own, x, *moves, np.ones_like(grad), written=[4])
    assert_same_pass(ways, depthwise.send_own_back, grad, *moves, np.ones_like(x), written=[4])
    assert_same_pass(ways, depthwise.sums_of_own, x, grad, down, across)


def net(x):
    """What goes through every pass there is."""
    minitorch.manual_seed(0)
    first, second = nn.Conv2d(3, 64, 3, stride=2, padding=1), nn.Conv2d(64, 64, 3, padding=1)
    norm, last = nn.BatchNormReLU2d(64), nn.BatchNormReLU2d(64, negative_slope=0.1)
    x = nn.Conv2d(64, 64, 3, padding=1, groups=64)(norm(first(x)))
    return F.max_pool2d(F.max_pool2d(last(second(x), x), 2), 3, 2, padding=1)


def there_and_back(x):
    x.grad = None
    y = net(x)
    (y * y).sum().backward()
    return y.array, x.grad.array


def test_a_network_gives_the_same_numbers(loops):
    x = minitorch.Tensor(numbers(12, 3, 20, 20), requires_grad=True)
    by_loops = there_and_back(x)
    assert compiled.in_use()
    compiled.use(False)
    assert not compiled.in_use()
    for one, other in zip(there_and_back(x), by_loops, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-4)


def test_without_tiles_training_gives_the_same_bits(loops, monkeypatch):
    monkeypatch.setattr(winograd, "enabled", False)
    trained = []
    for wanted in (True, False):
        compiled.use(wanted)
        minitorch.manual_seed(0)
        model = resnet.resnet20("B")
        optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
        x, classes = minitorch.Tensor(numbers(4, 3, 32, 32)), minitorch.tensor([0, 1, 2, 3])
        for _ in range(2):
            optimizer.zero_grad()
            F.cross_entropy(model(x), classes).backward()
            optimizer.step()
        trained.append(model.state_dict())
    for name, value in trained[0].items():
        np.testing.assert_array_equal(value, trained[1][name], err_msg=name)


@pytest.mark.parametrize("numpy_pass, place, wrong", [
    (norm_passes.gradient_sums, 2, np.float32(0.5)), (norm_passes.scale_and_shift, 3, None),
])  # fmt: skip
def test_the_chapter_notices_a_changed_loop_however_often_its_cells_run(
    numpy_pass, place, wrong, loops, monkeypatch
):
    chapter = Path(__file__).parent.parent / "notebooks" / "4_05_loops_compiled.ipynb"
    sources = ["".join(cell["source"]) for cell in json.loads(chapter.read_text("utf-8"))["cells"]]
    (cell,) = (source for source in sources if "def norm_there_and_back" in source)
    right, agree = compiled.in_place_of[numpy_pass], []
    translated = compiled.translated[right]

    def changed(*inputs):
        """The loops with another slope on the way back, or without the shortcut."""
        return translated(*inputs[:place], wrong, *inputs[place + 1 :])

    def check(mine, expected, name):
        agree.append(np.allclose(mine.array, expected.array, atol=1e-4))

    names = {"minitorch": minitorch, "nn": nn, "np": np, "exercises": SimpleNamespace(check=check)}
    monkeypatch.setitem(compiled.translated, changed, changed)
    for each in (changed, changed, right):
        monkeypatch.setitem(compiled.in_place_of, numpy_pass, each)
        exec(cell, names)
    assert [all(agree[k : k + 2]) for k in (0, 2, 4)] == [False, False, True]


def test_a_training_that_was_broken_off_goes_on_with_compiled_passes(monkeypatch, tmp_path, capsys):
    pytest.importorskip("numba")

    def broken_off(recipe, folder, *others, **settings):
        assert compiled.in_use()
        raise training.Unfinished(training.going_on(find("resnet20")(), tmp_path))

    monkeypatch.setattr(training, "train", broken_off)
    try:
        main(["train", "resnet20", "--compiled", "--out", str(tmp_path)])
    finally:
        compiled.use(False)
    assert "--compiled" in capsys.readouterr().err
    assert "--compiled" not in training.going_on(find("resnet20")(), tmp_path)


@pytest.mark.parametrize("channels, by_loops", [(3, False), (16, True)])
def test_windows_of_few_channels_are_copied_by_numpy(loops, monkeypatch, channels, by_loops):
    seen, way = [], compiled.translated[compiled.in_place_of[im2col.copy_windows]]

    def noted(*inputs):
        seen.append(inputs)
        way(*inputs)

    monkeypatch.setattr(im2col.copy_windows, "compiled", noted)
    F.conv2d(minitorch.ones(2, channels, 8, 8), minitorch.ones(4, channels, 3, 3))
    assert bool(seen) == by_loops


def test_half_precision_stays_with_numpy(loops):
    x = minitorch.Tensor(numbers(2, 3, 8, 8, dtype=np.float16), requires_grad=True)
    y = nn.BatchNormReLU2d(3).to(np.float16)(x)
    assert F.max_pool2d(y, 2).dtype == np.float16


def test_arrays_that_may_not_be_written_to_and_slices_of_channels(loops):
    pixels = numbers(2, 8, 8, 6)
    pixels.flags.writeable = False
    x, weight = minitorch.Tensor(pixels.transpose(0, 3, 1, 2)), minitorch.randn(4, 3, 3, 3)
    y = F.conv2d(x, weight, padding=1, groups=2)
    compiled.use(False)
    np.testing.assert_allclose(y.array, F.conv2d(x, weight, padding=1, groups=2).array, atol=1e-5)


def test_without_numba_the_cure_is_named(monkeypatch):
    def missing(name):
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(compiled, "translated", {})
    monkeypatch.setattr(compiled, "import_module", missing)
    with pytest.raises(ImportError, match="pip install numba"):
        compiled.use()
    assert not compiled.in_use()
    compiled.use(False)  # needs nothing


def test_where_nothing_can_be_kept_loops_are_compiled_all_the_same(monkeypatch):
    numba = pytest.importorskip("numba")
    njit = numba.njit

    def no_folder(loops, cache, **settings):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return njit(loops, **settings)

    monkeypatch.setattr(numba, "njit", no_folder)
    double = compiled.translator()(lambda x: 2 * x)
    assert double(2.0) == 4.0


def test_loops_are_translated_once_and_let_go_of_the_lock(loops):
    before = dict(compiled.translated)
    compiled.use(False)
    compiled.use()
    for each, way in before.items():
        assert compiled.translated[each] is way
        assert vars(way)["targetoptions"]["nogil"]


def test_loops_that_are_noted_later_are_translated_too(loops, monkeypatch):
    monkeypatch.setattr(compiled, "in_place_of", dict(compiled.in_place_of))

    @Pass
    def doubled(x):
        return 2 * x

    @compiled.instead_of(doubled)
    def tenfold(x):
        return 10 * x

    compiled.use()
    assert doubled(np.ones(1))[0] == 10

    @compiled.instead_of(doubled)
    def hundredfold(x):
        return 100 * x

    compiled.use()
    assert doubled(np.ones(1))[0] == 100


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int64])
def test_a_shortcut_of_another_dtype_is_added_as_x_s(loops, dtype):
    x, added = (
        minitorch.Tensor(numbers(2, 3, 4, 4)),
        minitorch.Tensor((8 * numbers(2, 3, 4, 4, dtype=np.float64, seed=1)).astype(dtype)),
    )
    layer, values = nn.BatchNormReLU2d(3), []
    for wanted in (True, False):
        compiled.use(wanted)
        values += [layer(x, added).array, layer(x, added.float()).array]
    assert values[0].dtype == np.float32
    for value in values[1:]:
        np.testing.assert_array_equal(value, values[0])


def test_a_shortcut_is_added_before_the_relu():
    for slope, trains in itertools.product([0.0, 0.2, 1.0], [True, False]):
        fused = nn.BatchNormReLU2d(3, negative_slope=slope)
        plain = nn.BatchNorm2d(3)
        fused.training = plain.training = trains
        for layer in (fused, plain):
            layer.load_state_dict({"weight": [0.5, -1, 2], "bias": [0.1, 0.2, -0.3]}, strict=False)
        answers = []
        for name in ("fused", "plain"):
            x, shortcut = (
                minitorch.Tensor(numbers(2, 3, 4, 4, seed=k), requires_grad=True) for k in range(2)
            )
            y = (
                fused(x, shortcut)
                if name == "fused"
                else F.leaky_relu(plain(x) + shortcut, negative_slope=slope)
            )
            (y * y).sum().backward()
            layer = fused if name == "fused" else plain
            kept = [np.asarray(each) for each in layer.state_dict().values()]
            learned = [each.grad.array for each in layer.parameters()]
            answers.append((y.array, x.grad.array, shortcut.grad.array, *learned, *kept))
        for one, other in zip(*answers, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-4)


def test_a_shortcut_that_does_not_fit_and_a_slope_out_of_range():
    layer = nn.BatchNormReLU2d(3)
    with pytest.raises(ValueError, match=r"shortcut has shape \(2, 3, 1, 1\)"):
        layer(minitorch.zeros(2, 3, 4, 4), minitorch.zeros(2, 3, 1, 1))
    for number in (1.0, [1.0, 2.0]):
        with pytest.raises(ValueError, match="must have its shape"):
            layer(minitorch.zeros(2, 3, 4, 4), number)
    for slope in (-0.1, 2.0):
        with pytest.raises(ValueError, match="from 0 to 1"):
            nn.BatchNormReLU2d(3, negative_slope=slope)(minitorch.zeros(2, 3, 4, 4))
