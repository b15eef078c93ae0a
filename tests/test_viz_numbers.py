"""Exact numbers of a recording, part by part, and what is said of numbers that are not finite."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

import minitorch
from viz.arrays import Summary, array_record
from viz.debugger import Debugger
from viz.recording import record


def shown(values, **place):
    """The debugger's answer to a question for the numbers of a leaf."""
    with record() as recording:
        minitorch.tensor(values, requires_grad=True).tanh()
    debugger = Debugger(recording)
    [leaf] = (v.id for v in recording.graph.vertices.values() if v.kind != "op")
    return debugger.handle({"type": "values", "array": f"{leaf}.value", **place})


def picture_of(values):
    """The heat map of an array, as red, green and blue numbers."""
    uri = array_record(Summary(values, values))["thumb"]["png"]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))).convert("RGB"))


def test_a_number_that_is_not_finite_has_a_shape_of_its_own_in_the_heat_map():
    values = np.linspace(-1, 1, 80).reshape(8, 10)
    assert picture_of(values).shape == (8, 10, 3)
    values[2, 3] = np.nan
    values[7, 0] = np.inf
    cells = picture_of(values).reshape(8, 3, 10, 3, 3).swapaxes(1, 2)  # rows, columns, 3 x 3
    middle, edge = cells[:, :, 1, 1], cells[:, :, 0, 0]
    holes = (middle != edge).any(axis=-1)
    assert np.argwhere(holes).tolist() == [[2, 3], [7, 0]]
    assert (middle[holes] == 255).all()


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (45, 50), (2, 3, 4, 5)])
def test_the_first_numbers_are_those_of_the_array(shape):
    values = np.arange(np.prod(shape), dtype=float).reshape(shape)
    first = values[(0,) * (values.ndim - 2)] if values.ndim > 2 else values
    answer = shown(values)
    assert answer["values"] == first[tuple(slice(40) for _ in first.shape)].tolist()
    assert answer["from"] == [0, 0]
    assert answer["at"] == [0] * max(0, len(shape) - 2)


def test_every_matrix_row_and_column_can_be_asked_for():
    values = np.arange(2 * 3 * 50 * 60, dtype=float).reshape(2, 3, 50, 60)
    answer = shown(values, matrix=4, row=7, column=15)
    assert answer["values"] == values[1, 1, 7:47, 15:55].tolist()
    assert (answer["at"], answer["from"]) == ([1, 1], [7, 15])
    assert [(each["name"], each["last"]) for each in answer["places"]] == [
        ("matrix", 5), ("row", 10), ("column", 20)
    ]  # fmt: skip


@pytest.mark.parametrize("asked", [-3, 99])
def test_a_place_outside_is_the_nearest_inside(asked):
    values = np.arange(2 * 50 * 3, dtype=float).reshape(2, 50, 3)
    answer = shown(values, matrix=asked, row=asked)
    assert answer["at"] == [0 if asked < 0 else 1]
    assert answer["from"] == [0 if asked < 0 else 10, 0]


def test_an_empty_array_has_no_numbers():
    assert shown(np.zeros((0, 3)))["values"] == []
    assert shown(np.zeros((2, 0, 3)))["values"] == []


@pytest.mark.parametrize(
    "values, norm",
    [([3.0, 4.0], 5.0), ([1.0, -np.inf], np.inf), ([np.inf, np.nan], np.nan), (-np.inf, np.inf)],
)
def test_the_norm_of_what_is_not_finite(values, norm):
    array = np.array(values)
    np.testing.assert_equal(Summary(array, array).norm, norm)


@pytest.mark.parametrize("values", [np.nan, [np.nan, np.inf], []])
def test_without_a_finite_number_there_is_no_spread(values):
    array = np.array(values)
    assert np.isnan(Summary(array, array).std)


def test_an_infinity_is_told_once_and_where_it_becomes_nan():
    x = minitorch.tensor([0.0, 1.0], requires_grad=True)
    with np.errstate(all="ignore"), record() as recording:
        (x * x.log()).sum().backward()
    troubles = Debugger(recording).payload()["troubles"]
    assert [each["kind"] for each in troubles] == ["nonfinite"]
    assert "log #1 makes 1 infinite number" in troubles[0]["text"]
    assert troubles[0]["text"].endswith("NaN comes of them in mul #2.")


@pytest.mark.parametrize(
    "run, why",
    [
        (lambda x: x / (x - x), "It divides by sub #1, which holds 0."),
        (lambda x: (x - 2).log(), "Its input sub #1 goes down to -1."),
        (lambda x: (x * 500).exp(), "Its input mul #1 goes up to 1e+03."),
        (lambda x: x / 0.0, "It divides by 0."),
        (lambda x: x * 3e38 * 3e38, "are all finite"),
    ],
)
def test_the_first_that_is_not_finite_is_told_with_what_made_it(run, why):
    x = minitorch.tensor([1.0, 2.0])
    with np.errstate(all="ignore"), record() as recording:
        run(x)
    [trouble] = Debugger(recording).payload()["troubles"]
    assert why in trouble["text"]


def test_an_empty_gradient_is_not_called_zero():
    x = minitorch.zeros(0, 3, requires_grad=True)
    with record() as recording:
        (x * 2).sum().backward()
    debugger = Debugger(recording)
    assert debugger.payload()["troubles"] == []
    assert debugger.controller.hits(debugger.controller.break_on("zero")) == []
