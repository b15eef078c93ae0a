"""Static pictures of graphs: what is in them, whatever the graph and the names."""

import json
import xml.etree.ElementTree as ElementTree

import pytest

import minitorch
from minitorch import nn
from viz import draw_graph, engine, record

NASTY = [
    '"quoted"',
    "<b>bold</b>",
    "</svg><script>alert(1)</script>",
    "ключ 数据 🙂",
    "a\\",
    "x" * 10_000,
]


def small_loss():
    layer = nn.Linear(3, 2)
    return layer, (layer(minitorch.ones(4, 3)) ** 2).mean()


def texts(picture):
    drawn = ElementTree.fromstring(picture.svg or "")
    return [element.text or "" for element in drawn.iter("{http://www.w3.org/2000/svg}text")]


def test_picture_shows_ops_shapes_and_parameters():
    _, loss = small_loss()
    words = " ".join(texts(draw_graph(loss)))
    for word in ("linear", "pow", "mean", "4×2", "weight 2×3", "bias 2"):
        assert word in words


def test_gradients_are_not_yet_until_they_are_there():
    layer, loss = small_loss()
    before = " ".join(texts(draw_graph(loss)))
    loss.backward()
    after = " ".join(texts(draw_graph(loss)))
    assert "grad not yet" in before
    assert "not yet" not in after
    largest = abs(layer.weight.grad.numpy()).max()
    assert f"grad ±{largest:.2g}" in after


def test_recording_adds_modules_and_inputs():
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    with record() as recording:
        features = minitorch.ones(5, 3)
        net(features).sum()
    words = texts(draw_graph(recording))
    assert "0 · Linear · 5×3" in words
    assert "features" in words
    closed = draw_graph(recording, opened=[])
    assert "0 · 5×3" in texts(closed)
    assert closed.scene.boxes == {}


@pytest.mark.parametrize("name", NASTY)
def test_names_cannot_break_out(name, tmp_path):
    weight = nn.Parameter(minitorch.ones(2, 2))
    weight.name = name
    picture = draw_graph((weight * 2.0).sum())
    root = ElementTree.fromstring(picture.svg or "")
    assert not [element for element in root.iter() if "script" in element.tag]
    assert len(max(texts(picture), key=len)) < 60
    assert "<script" not in picture._repr_mimebundle_()["text/html"]
    placed = engine.place(picture.dot)
    assert placed is not None
    assert len(placed.nodes) == 4
    for ending in ("svg", "png", "dot", "html"):
        assert picture.save(tmp_path / f"graph.{ending}").stat().st_size > 100


def test_leaf_alone_and_graph_of_one_op():
    lonely = minitorch.tensor(2.0, requires_grad=True)
    assert "2" in texts(draw_graph(lonely))
    assert "exp" in texts(draw_graph(lonely.exp()))
    with record() as nothing:
        pass
    assert texts(draw_graph(nothing)) == []


def test_shared_weight_is_one_leaf_with_two_lines():
    weight = nn.Parameter(minitorch.eye(2))
    picture = draw_graph(((minitorch.ones(1, 2) @ weight).tanh() @ weight).sum())
    leaves = [item for item in picture.scene.items.values() if item.kind == "parameter"]
    assert [len(leaf.dots) for leaf in leaves] == [2]


def test_parameters_of_a_module_that_is_called_twice_stand_at_each_call():
    net = nn.Linear(2, 2)
    with record() as recording:
        (net(minitorch.ones(1, 2)).tanh() + net(minitorch.zeros(1, 2))).sum()
    words = texts(draw_graph(recording))
    assert words.count("weight 2×2 · 2 uses") == 2


def test_same_tensor_twice_draws_both_edges():
    x = minitorch.tensor(3.0, requires_grad=True)
    first, second = draw_graph(x * x).layout.curves
    assert first.forward.text() != second.forward.text()
    assert [len(curve.link.edges) for curve in (first, second)] == [1, 1]


def test_huge_graph_is_folded_and_says_so():
    x = y = minitorch.tensor(1.0, requires_grad=True)
    for _ in range(100_000):
        y = y + 1.0
    picture = draw_graph(y)
    assert len(picture.scene.items) <= 1500
    assert "folded into one" in (picture.layout.note or "")
    assert x.grad is None


def test_repeated_blocks_are_one_item():
    blocks = nn.Sequential(*(nn.Sequential(nn.Linear(4, 4), nn.ReLU()) for _ in range(3)))
    with record() as recording:
        blocks(minitorch.ones(2, 4))
    [item] = [
        item for item in draw_graph(recording, opened=[]).scene.items.values() if item.times > 1
    ]
    assert item.times == 3
    assert len(item.members) == 6


def test_detached_value_is_marked():
    weight = nn.Parameter(minitorch.ones(2))
    with record() as recording:
        (weight * 2.0).detach().sum()
    assert "detached" in texts(draw_graph(recording))


def test_an_engine_that_does_not_start_is_done_without(monkeypatch):
    """Its script names the Python of an environment that was moved."""
    monkeypatch.setattr(engine, "find_engine", lambda: "/nowhere/graphviz-pure")
    _, loss = small_loss()
    words = " ".join(texts(draw_graph(loss)))
    assert "linear" in words


def test_without_engine_a_table_says_what_to_install(monkeypatch):
    monkeypatch.setattr(engine, "find_engine", lambda: None)
    _, loss = small_loss()
    bundle = draw_graph(loss)._repr_mimebundle_()
    assert "pip install graphviz-pure" in bundle["text/plain"]
    assert "<table>" in bundle["text/html"]
    with pytest.raises(RuntimeError, match="graphviz-pure"):
        draw_graph(loss).save("never.svg")


def test_picture_survives_json_and_other_endings_are_refused(tmp_path):
    _, loss = small_loss()
    picture = draw_graph(loss)
    assert (
        json.loads(json.dumps(picture._repr_mimebundle_()))["text/plain"]
        == "Graph(3 ops, 2 parameters)"
    )
    with pytest.raises(ValueError, match=r"\.svg, \.png"):
        picture.save(tmp_path / "graph.jpg")
