"""The debugger without a page: recording, moves, breakpoints, answers."""

import json
import math
import re
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import Tensor, nn, optim
from minitorch.functional import mse_loss
from viz.arrays import Summary
from viz.controller import Controller
from viz.debugger import Debugger
from viz.inspection import inspect_moment
from viz.payload import Payload
from viz.recording import record
from viz.words import sentence


class Net(nn.Module):
    def __init__(self):
        self.fc1 = nn.Linear(2, 4)
        self.act = nn.Tanh()
        self.fc2 = nn.Linear(4, 4)
        self.head = nn.Linear(4, 1)

    def forward(self, x):
        hidden = self.act(self.fc1(x))
        return self.head(self.fc2(hidden) + hidden)


def trained(steps=1):
    minitorch.manual_seed(0)
    net = Net()
    x, y = minitorch.randn(8, 2), minitorch.randn(8, 1)
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    with record() as recording:
        for _ in range(steps):
            optimizer.zero_grad()
            loss = mse_loss(net(x), y)
            loss.backward()
            optimizer.step()
    return net, recording


@pytest.fixture(scope="module")
def two_steps():
    return trained(2)


def vertex(recording, title):
    return next(v for v in recording.graph.vertices.values() if title in (v.title, v.name))


def test_one_line_of_time(two_steps):
    _, recording = two_steps
    phases = [moment.phase for moment in recording.moments if moment.step == 0]
    assert phases == ["forward"] * 6 + ["backward"] * 6 + ["update"] * 6
    assert [moment.step for moment in recording.moments] == [0] * 18 + [1] * 18
    assert recording.steps == 2


def test_contributions_add_up_to_the_gradient(two_steps):
    _, recording = two_steps
    tanh = vertex(recording, "tanh #2")
    parts = [recording.arrays.values(f"{e.id}.grad") for e in recording.growing.out_of[tanh.id]]
    whole = recording.arrays.values(f"{tanh.id}.grad")
    assert len(parts) == 2
    np.testing.assert_allclose(parts[0] + parts[1], whole, rtol=1e-5)
    assert Controller(recording).writers(f"{tanh.id}.grad") == [8, 9]


def test_update_is_recorded_before_and_after(two_steps):
    _, recording = two_steps
    index = next(k for k, moment in enumerate(recording.moments) if moment.phase == "update")
    before, after, change = (
        recording.arrays.values(f"u{index}.{what}") for what in ("before", "after", "change")
    )
    grad = recording.arrays.values(f"{recording.moments[index].vertex}.grad")
    np.testing.assert_allclose(change, -0.1 * grad, rtol=1e-3, atol=1e-7)
    np.testing.assert_array_equal(after, before + change)


def leave(net):
    """Zero no gradient."""


def clip(net):
    nn.utils.clip_grad_norm_(net.parameters(), 0.01)


@pytest.mark.parametrize("budget", [1 << 28, 0], ids=["values", "summaries"])
@pytest.mark.parametrize(
    "between, words",
    [(leave, "is zero_grad() missing?"), (clip, "changed after the backward, as clipping does.")],
)
def test_an_update_shows_the_gradient_that_the_optimizer_found(between, words, budget):
    minitorch.manual_seed(0)
    net = Net()
    x, y = minitorch.randn(8, 2), minitorch.randn(8, 1)
    optimizer = optim.SGD(net.parameters(), lr=0.5)
    found = []
    with record(budget) as recording:
        for _ in range(2):
            if between is clip:
                optimizer.zero_grad()
            mse_loss(net(x), y).backward()
            between(net)
            found.append([each.grad.numpy().copy() for each in net.parameters()])
            optimizer.step()
    arrays = Payload(recording, step=1).build()["arrays"]
    updates = [k for k, each in enumerate(recording.moments) if each.phase == "update"]
    for index, grad in zip(updates[6:], found[1], strict=True):
        shown = inspect_moment(recording, index)["update"]["grad"]
        np.testing.assert_array_equal(recording.arrays.values(shown), grad)
        assert words in sentence(recording, index)
        assert shown in arrays


def test_an_update_whose_gradient_is_the_backward_s_says_no_more(two_steps):
    recording = two_steps[1]
    index = max(k for k, each in enumerate(recording.moments) if each.phase == "update")
    assert sentence(recording, index).endswith("against its gradient.")
    assert f"u{index}.grad" not in recording.arrays.summaries


@pytest.mark.parametrize(
    "kind, value, words",
    [
        ("op", None, "op NAME"),
        ("name", 3, "name NAME"),
        ("module", "", "module PATH"),
        ("norm", "large", "norm NUMBER"),
        ("norm", float("nan"), "norm NUMBER"),
        ("predicate", lambda view: view.array.nothing, "fails at moment 0 with AttributeError"),
    ],
)
def test_a_breakpoint_that_cannot_answer_is_refused_and_leaves_nothing(
    two_steps, kind, value, words
):
    debugger = Debugger(two_steps[1])
    with pytest.raises(ValueError, match=words):
        debugger.break_on(kind, value)
    assert not debugger.breakpoint_records()
    debugger.run("step")
    assert debugger.position == 1


def test_what_if_changes_one_number_or_none(two_steps):
    debugger = Debugger(two_steps[1])
    for index in ((0,), (), (0, 0, 0)):
        with pytest.raises(ValueError, match=r"fc1.weight of shape \(4, 2\) needs 2 numbers"):
            debugger.what_if("fc1.weight", index, 2.0)
    debugger.what_if("fc1.weight", (0, 1), 2.0)
    weight = debugger.recording.arrays.values(f"{debugger.find('fc1.weight')}.value")
    assert np.count_nonzero(weight == 2.0) == 1


def test_selecting_nothing_is_what_happens_now(two_steps):
    debugger = Debugger(two_steps[1])
    debugger.selected = "head.bias"
    debugger.selected = None
    moment = debugger.controller.moment
    assert moment is not None
    assert debugger.selected_id == moment.vertex


def test_memory_grows_forward_and_is_given_back():
    _, recording = trained()
    kept = [moment.kept for moment in recording.moments]
    assert max(kept) == kept[5]
    assert kept[11] == 0


def test_moves_both_ways(two_steps):
    controller = Controller(two_steps[1])
    controller.step()
    assert controller.position == 1
    controller.to(0)
    controller.out()
    assert controller.position == 1
    controller.to(3)
    assert controller.over().startswith("mse_loss")
    controller.to(3)
    assert controller.into().startswith("linear #5")
    controller.back()
    assert controller.position == 3
    assert [controller.to(k) and controller.position for k in (-5, 1000)] == [0, 35]


@pytest.mark.parametrize("kind, value, expected", [
    ("op", "tanh", [1, 10, 19, 28]),
    ("op", "t*nh", [1, 10, 19, 28]),
    ("name", "fc1.bias", [0, 11, 13, 18, 29, 31]),
    ("module", "act", [1, 10, 19, 28]),
    ("nonfinite", None, []),
    ("zero", None, []),
    ("predicate", lambda view: view.op == "add" and view.phase == "backward", [8, 26]),
])  # fmt: skip
def test_breakpoints(two_steps, kind, value, expected):
    controller = Controller(two_steps[1])
    found = controller.break_on(kind, value)
    assert controller.hits(found) == expected
    stops = []
    controller.to(0)
    while controller.resume().startswith(found.text):
        stops.append(controller.position)
    assert stops == [index for index in expected if index > 0]
    back = []
    while controller.reverse().startswith(found.text):
        back.append(controller.position)
    assert back == [index for index in reversed(expected) if index < 35]


def test_norm_breakpoint_finds_the_large_gradient(two_steps):
    _, recording = two_steps
    controller = Controller(recording)
    norms = [recording.arrays.summaries[f"{edge}.grad"].norm for edge in recording.sent_at]
    found = controller.break_on("norm", sorted(norms)[-1] * 0.999)
    assert len(controller.hits(found)) >= 1
    assert not controller.hits(controller.break_on("norm", 1e9))


def test_unknown_breakpoints_commands_and_watches_say_what_there_is(two_steps):
    controller = Controller(two_steps[1])
    with pytest.raises(ValueError, match="op NAME, name NAME"):
        controller.break_on("colour", "red")
    with pytest.raises(ValueError, match="no command 'jump'; there are: step"):
        controller.command("jump")
    with pytest.raises(ValueError, match="nothing recorded is called 'fc9'"):
        controller.watch("fc9")


def test_script(two_steps):
    answers = Controller(two_steps[1]).run(["break op tanh", "continue", "step 2", "until name y"])
    assert answers[0] == "op is tanh"
    assert answers[1].startswith("op is tanh: tanh #2 makes 8×4")
    assert answers[3].startswith("y is touched: mse_loss")


def test_watch_follows_a_parameter_over_steps(two_steps):
    history = Controller(two_steps[1]).watch("fc2.weight").history(two_steps[1])
    assert [index for index, _ in history] == [14, 32]
    gradients = Controller(two_steps[1]).watch("fc2.weight.grad").history(two_steps[1])
    assert len(gradients) == 2


def test_payload_is_json_and_complete(two_steps):
    data = json.loads(json.dumps(Payload(two_steps[1]).build(), allow_nan=False))
    assert data["title"] == "step 1"
    arrays = data["arrays"]
    for node in data["nodes"]:
        for name in (node["value"], node["grad"]):
            assert name is None or name in arrays
    for inspection in data["inspections"].values():
        for rule in inspection["rules"]:
            assert rule["result"] in arrays
            assert all(part.get("array") in arrays for part in rule["parts"] if "text" in part)
    tanh = next(node for node in data["nodes"] if node["label"] == "tanh")
    [rule] = data["inspections"][str(tanh["backward_at"])]["rules"]
    assert rule["text"] == "grad * (1 - y * y)"
    assert [part.get("sign") or part["text"] for part in rule["parts"]] == [
        "grad",
        "×",
        "1 - y * y",
    ]
    assert tanh["saved"][0]["name"] == "y"
    [line] = [text for number, text in source_lines(data, tanh) if "self.act(" in text]
    assert line.strip() == "hidden = self.act(self.fc1(x))"


def source_lines(data, node):
    return data["sources"][node["source"]]["lines"]


def test_what_was_not_computed_is_null():
    net = Net()
    with record() as recording:
        mse_loss(net(minitorch.ones(3, 2)), minitorch.ones(3, 1))
    data = Payload(recording).build()
    assert all(node["grad"] is None and node["backward_at"] is None for node in data["nodes"])


def test_unbroadcast_is_an_act_of_its_own():
    bias = nn.Parameter(minitorch.ones(3))
    with record() as recording:
        (minitorch.ones(5, 3) + bias).sum().backward()
    acts = [moment.act for moment in recording.moments]
    assert acts == ["op", "op", "rule", "rule", "unbroadcast"]
    data = Payload(recording).build()
    assert "summed back to 3" in data["moments"][4]["text"]
    [rule] = data["inspections"]["4"]["rules"]
    assert rule["unbroadcast"]["dims"] == [0]
    np.testing.assert_array_equal(recording.arrays.values("e1.grad"), [5, 5, 5])


# ---- answers to a page -------------------------------------------------------------------------


@pytest.fixture
def debugger(two_steps):
    return Debugger(two_steps[1])


def test_numeric_gradient_agrees_with_every_rule(debugger, two_steps):
    edges = [edge for edge in two_steps[1].sent_at if edge in two_steps[1].graph.edges]
    answers = [debugger.handle({"type": "numeric", "edge": edge}) for edge in edges]
    assert all(answer["ok"] for answer in answers)
    assert len(answers) == 24


def test_numeric_gradient_finds_a_wrong_rule():
    from minitorch.op import op

    @op
    def wrong_square(x):
        return x * x, lambda grad: grad * x

    x = minitorch.tensor([3.0], requires_grad=True)
    with record() as recording:
        wrong_square(x).sum().backward()
    answer = Debugger(recording).handle({"type": "numeric", "edge": "e0"})
    assert not answer["ok"]
    assert answer["numeric"] == pytest.approx(6, rel=1e-4)
    assert answer["rule"] == pytest.approx(3)


@pytest.mark.parametrize("step", [0, 1])
def test_what_if_runs_the_step_again(debugger, two_steps, step):
    net, recording = two_steps
    debugger.handle({"type": "step", "index": step})
    before = {node["id"]: node for node in debugger.payload()["nodes"]}
    weight = next(node for node in before.values() if node["name"] == "fc1.weight")
    values = net.fc1.weight.array.copy()
    message = {"type": "whatif", "node": weight["id"], "index": [0, 1], "value": 3.0}
    after = debugger.handle(message)["payload"]
    assert [node["id"] for node in after["nodes"]] == list(before)
    assert debugger.recording.arrays.values(weight["value"])[0, 1] == 3
    loss = next(node for node in after["nodes"] if node["label"] == "mse_loss")
    assert loss["norm"] != before[loss["id"]]["norm"]
    assert after["title"] == f"step {step + 1}"
    np.testing.assert_array_equal(net.fc1.weight.array, values)
    debugger.handle({"type": "whatif", "reset": True})
    assert debugger.recording is recording


def test_what_if_without_a_change_gives_the_same_gradients(debugger, two_steps):
    recording = two_steps[1]
    leaf = vertex(recording, "fc1.bias")
    value = float(recording.arrays.values(f"{leaf.id}.value")[0])
    debugger.handle({"type": "whatif", "node": leaf.id, "index": [0], "value": value})
    for name, summary in recording.arrays.summaries.items():
        if name.endswith(".grad") and name in debugger.recording.arrays.summaries:
            assert debugger.recording.arrays.summaries[name].norm == pytest.approx(summary.norm)


def test_prediction(debugger, two_steps):
    add = vertex(two_steps[1], "add #4")
    [first, second] = two_steps[1].growing.into[add.id]
    right = two_steps[1].arrays.values(f"{first.id}.grad")
    ask = {"type": "predict", "array": f"{first.id}.grad"}
    assert debugger.handle({**ask, "guess": right.tolist()})["ok"]
    wrong = debugger.handle({**ask, "guess": (-right).tolist()})
    assert "sign" in wrong["text"]
    assert wrong["difference"]["max"] > 0
    assert "shape is [8, 4]" in debugger.handle({**ask, "guess": "[1, 2]"})["text"]
    assert "write a number" in debugger.handle({**ask, "guess": "import os"})["message"]
    assert second.source == vertex(two_steps[1], "tanh #2").id


def test_who_wrote_it(debugger, two_steps):
    tanh = vertex(two_steps[1], "tanh #2").id
    assert debugger.handle({"type": "who", "array": f"{tanh}.grad"})["moments"] == [8, 9]
    assert debugger.handle({"type": "who", "array": f"{tanh}.value"})["moments"] == [1]


def test_questions_from_python(two_steps):
    debugger = Debugger(two_steps[1])
    said = debugger.who_wrote("tanh #2")
    assert [line.split(":")[0] for line in said] == [
        "The gradient of add #4 has arrived",
        "The gradient of linear #3 has arrived",
    ]
    lines = debugger.check_rules("linear #3")
    assert [line.split(":")[0] for line in lines] == ["x", "weight", "bias"]
    assert all("✓" in line for line in lines)
    words = debugger.what_if("head.bias", (0,), 100.0)
    before, after = (float(word) for word in words.replace(",", "").split() if word[0].isdigit())
    assert after > 9000 > before
    with pytest.raises(ValueError, match="only the values of a parameter"):
        debugger.what_if("tanh #2", (0, 0), 1.0)


def test_messages_that_make_no_sense_get_an_answer(debugger):
    for message in ({}, {"type": "fly"}, {"type": "values", "array": "n99.value"},
                    {"type": "unbreak", "breakpoint": "b9"}, {"type": "step", "index": 7},
                    {"type": "break", "kind": "predicate", "value": "1"},
                    {"type": "break", "kind": "norm", "value": "large"},
                    {"type": "whatif", "node": "n0", "index": [99, 99], "value": 1}):  # fmt: skip
        assert debugger.handle({**message, "id": 5})["type"] == "error"
        assert debugger.handle({**message, "id": 5})["id"] == 5


def test_selection_both_ways(two_steps):
    net, recording = two_steps
    debugger = Debugger(recording)
    told = []
    debugger.on_change(lambda what, value: told.append((what, value)))
    debugger.select_id(vertex(recording, "tanh #2").id)
    assert debugger.selected.name == "tanh"
    assert told == []
    debugger.selected = net.fc1.weight
    assert debugger.selected is net.fc1.weight
    assert told == [("selected", debugger.selected_id)]
    assert debugger.grad is not None
    assert debugger.grad.shape == (4, 2)
    with pytest.raises(ValueError, match="not in the recording"):
        debugger.selected = "fc17.weight"


def test_commands_move_the_page_along(two_steps):
    debugger = Debugger(two_steps[1])
    told = []
    debugger.on_change(lambda what, value: told.append(what))
    debugger.run(["step 3", "until name y"])
    assert debugger.position == 5
    debugger.command("step 20")
    assert debugger.payload()["title"] == "step 2"
    assert "payload" in told


def conv_net(fused=False):
    minitorch.manual_seed(0)
    norm = [nn.BatchNormReLU2d(2)] if fused else [nn.BatchNorm2d(2), nn.ReLU()]
    net = nn.Sequential(
        nn.Conv2d(1, 2, 3), *norm, nn.MaxPool2d(2), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(2, 3)
    )
    x = minitorch.randn(4, 1, 6, 6, requires_grad=True)
    with record() as recording:
        minitorch.functional.cross_entropy(net(x), minitorch.tensor([0, 1, 2, 0])).backward()
    return recording


def parts_of(row):
    return [part.get("sign") or part["text"] for part in row["parts"]]


@pytest.mark.parametrize("op, signs", [
    ("conv2d", ["x", "✱", "weight", "+", "bias"]),
    ("batch_norm", ["x", "−", "mean of the batch", "÷", "std of the batch", "×", "weight",
                    "+", "bias"]),
    ("batch_norm_relu", ["x", "−", "mean of the batch", "÷", "std of the batch", "×", "weight",
                         "+", "bias", "max with 0"]),
    ("max_pool2d", ["x", "largest of each window"]),
    ("linear", ["x", "@", "weight.T", "+", "bias"]),
    ("cross_entropy", ["logits", "softmax", "probabilities", "at", "one_hot(target)",
                       "−log, then mean"]),
])  # fmt: skip
def test_the_forward_in_pictures(op, signs):
    payload = Payload(conv_net(fused="relu" in op))
    position = next(k for k in range(len(payload.indices)) if payload.inspect(k)["title"] == op)
    assert parts_of(payload.inspect(position)["forward"]) == signs


ELEMENTWISE = {"×": np.multiply, "−": np.subtract, "÷": np.divide}


@pytest.mark.parametrize("op, slot", [
    ("batch_norm", "x"), ("batch_norm", "weight"), ("batch_norm", "bias"), ("conv2d", "bias"),
    ("cross_entropy", "logits"), ("batch_norm_relu", "x"), ("batch_norm_relu", "weight"),
    ("batch_norm_relu", "bias"),
])  # fmt: skip
def test_a_joint_rule_in_pictures_gives_what_the_rule_gives(op, slot):
    recording = conv_net(fused="relu" in op)
    payload = Payload(recording)
    inspections = (payload.inspect(k) for k in range(len(payload.indices)))
    rules = (rule for each in inspections if each["title"] == op for rule in each["rules"])
    rule = next(each for each in rules if each["input"] == slot)
    store = recording.arrays
    waiting: Any = np.add
    total = np.zeros(())
    for part in rule["parts"]:
        if "sign" in part:
            waiting = ELEMENTWISE.get(part["sign"], np.add)
            continue
        value = np.asarray(store.values(part["array"]))
        value = value.reshape(1, -1, 1, 1) if value.ndim == 1 else value
        total = waiting(total, value)
    if rule["parts"][-1].get("sign") == "Σ":
        total = total.sum(axis=(0, 2, 3))
    result = np.asarray(store.values(rule["result"]))
    np.testing.assert_allclose(total, result, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("training", [True, False])
def test_a_shortcut_and_running_figures_in_pictures(training):
    layer = nn.BatchNormReLU2d(2, negative_slope=0.1)
    layer.training = training
    x, shortcut = (minitorch.randn(4, 2, 3, 3, requires_grad=True) for _ in range(2))
    with record() as recording:
        layer(x, shortcut).square().sum().backward()
    payload = Payload(recording)
    seen = [payload.inspect(k) for k in range(len(payload.indices))]
    seen = [each for each in seen if each["title"] == "batch_norm_relu"]
    whose = "of the batch" if training else "running"
    assert parts_of(seen[0]["forward"]) == [
        "x", "−", f"mean {whose}", "÷", f"std {whose}", "×", "weight", "+", "bias", "+", "shortcut",
        "below 0: × 0.1",
    ]  # fmt: skip
    rules = {rule["input"]: rule for rule in seen[1]["rules"]}
    assert ("running ones" in rules["x"]["explain"]) is not training
    for name, leaf in {
        "shortcut": shortcut,
        "bias": dict(layer.named_parameters())["bias"],
    }.items():
        shown = np.asarray(recording.arrays.values(rules[name]["parts"][0]["array"]))
        shown = shown if name == "shortcut" else shown.sum(axis=(0, 2, 3))
        np.testing.assert_allclose(shown, leaf.grad.array, rtol=1e-4, atol=1e-5)


def test_pooling_shows_which_pixels_get_the_gradient():
    recording = conv_net()
    payload = Payload(recording)
    inspections = [payload.inspect(k) for k in range(len(payload.indices))]
    shares = {
        each["title"]: recording.arrays.values(each["rules"][0]["parts"][2]["array"])
        for each in inspections
        if each["title"] in ("max_pool2d", "avg_pool2d") and each["rules"]
    }
    assert set(np.unique(shares["max_pool2d"])) == {0, 1}
    assert set(np.unique(shares["avg_pool2d"])) == {0.25}


# ---- bad input ---------------------------------------------------------------------------------


def test_error_in_an_op_opens_there_with_the_rule_in_words():
    with pytest.raises(ValueError, match="matmul"), record() as recording:
        minitorch.ones(2, 3) @ minitorch.ones(2, 3)
    data = Debugger(recording).payload()
    assert data["moments"][data["start"]]["act"] == "error"
    assert "Here 3 meets 2." in data["error"]["words"]
    assert [each["text"] for each in data["error"]["inputs"]] == ["float32 2×3", "float32 2×3"]


def test_wrong_broadcast_says_where_it_clashes():
    with pytest.raises(ValueError, match="add"), record() as recording:
        minitorch.ones(4, 3) + minitorch.ones(4)
    assert (
        "Here 3 meets 4 at the last dimension." in Debugger(recording).payload()["error"]["words"]
    )


def test_overwritten_value_opens_on_the_op_that_needed_it():
    x = minitorch.tensor([1.0, 2.0], requires_grad=True)
    y = x.exp()
    with pytest.raises(RuntimeError, match="overwritten"), record() as recording:
        y.mul_(2.0).sum().backward()
    assert recording.moments[-1].act == "error"
    assert Debugger(recording).payload()["error"]["title"] == "exp #1: RuntimeError"


def test_an_error_that_no_shape_made_is_told_no_rule_of_shapes():
    x = minitorch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    z = y * y
    y.add_(1)
    with pytest.raises(RuntimeError, match="overwritten"), record() as written:
        z.sum().backward()
    with pytest.raises(ValueError, match="rounding_mode"), record() as named:
        minitorch.div(x, x, rounding_mode="up")
    for recording in (written, named):
        assert Debugger(recording).payload()["error"]["words"] == ""


def test_error_outside_any_op_is_kept():
    def user_code(settings):
        minitorch.ones(2).exp()
        return settings["nothing"]

    with pytest.raises(KeyError), record() as recording:
        user_code({})
    error = Debugger(recording).payload()["error"]
    assert error["title"] == "KeyError in your code"
    assert re.fullmatch(
        r'Raised by test_viz_debugger.py, line \d+: return settings\["nothing"\]', error["words"]
    )


def test_error_inside_a_package_is_told_by_the_line_that_called_it():
    with pytest.raises(np.linalg.LinAlgError), record() as recording:
        np.linalg.inv(np.zeros((2, 2)))  # raised in numpy's own file
    words = Debugger(recording).payload()["error"]["words"]
    assert words.startswith("Raised by test_viz_debugger.py, line")


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (5,), (2, 3), (2, 3, 4), (2, 3, 4, 5),
                                   (2, 1, 3, 2, 2), (300,), (200, 300), (1, 64, 8, 8)])  # fmt: skip
def test_any_shape_can_be_shown(shape):
    x = minitorch.tensor(np.full(shape, 2.0, np.float32), requires_grad=True)
    with record() as recording:
        (x * x).sum().backward()
    data = json.loads(json.dumps(Payload(recording).build(), allow_nan=False))
    thumb = data["arrays"]["n0.value"]["thumb"]
    assert (thumb is None) == (0 in shape)
    assert thumb is None or max(thumb["width"], thumb["height"]) <= 64


def test_nan_and_inf_are_counted_and_flagged():
    x = minitorch.tensor([0.0, -1.0, 2.0], requires_grad=True)
    with np.errstate(all="ignore"), record() as recording:
        x.log().sum().backward()
    data = Payload(recording).build()
    json.dumps(data, allow_nan=False)
    log = next(node for node in data["nodes"] if node["label"] == "log")
    assert log["flags"] == ["nonfinite"]
    assert (data["arrays"][log["value"]]["nan"], data["arrays"][log["value"]]["inf"]) == (1, 1)
    assert Debugger(recording).command("until nan").startswith("No later moment") is False
    assert data["moments"][0]["flags"] == ["nonfinite"]


def test_a_way_that_ends_in_numpy_is_told():
    net = Net()
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    with record() as recording:
        hidden = net.fc1(minitorch.ones(3, 2))
        again = minitorch.tensor(np.abs(hidden.detach().numpy()))
        net.head(net.fc2(again)).sum().backward()
        optimizer.step()
    [trouble] = Payload(recording).build()["troubles"]
    assert trouble["text"].startswith(
        "fc1.weight and fc1.bias get no gradient: the way to the loss ends at linear #1 (test_viz"
    )
    assert trouble["kind"] == "dead-end"
    assert trouble["moment"] == 0


def test_a_trouble_is_marked_only_from_the_moment_it_is_there():
    x = minitorch.tensor([0.0, 4.0], requires_grad=True)
    with np.errstate(all="ignore"), record() as recording:
        x.sqrt().sum().backward()
    data = Payload(recording).build()
    leaf, root, _ = data["nodes"]
    assert (leaf["flags"], leaf["gradient_flags"]) == ([], ["nonfinite"])
    assert (root["flags"], root["gradient_flags"]) == ([], [])
    [trouble] = data["troubles"]
    assert trouble["text"].startswith("The first gradient that is not finite comes from the rule")
    assert data["moments"][trouble["moment"]]["phase"] == "backward"


def test_a_gradient_that_is_zero_because_of_nan_is_no_trouble_of_its_own():
    x = minitorch.tensor([0.0, 1.0], requires_grad=True)
    with np.errstate(all="ignore"), record() as recording:
        (x.log() * 0).relu().sum().backward()  # infinity times 0, which no mask lets through
    y = minitorch.tensor([-1.0, -1.0], requires_grad=True)
    with record() as dead:
        y.relu().sum().backward()
    found = Payload(recording).build()["troubles"]
    assert [each["kind"] for each in found] == ["nonfinite"]
    assert [each["kind"] for each in Payload(dead).build()["troubles"]] == ["zero-gradient"]


def test_nan_that_was_there_before_is_told_with_the_op_that_used_it_first():
    weight = nn.Parameter(minitorch.tensor([1.0, float("nan")]))
    weight.name = "weight"
    with np.errstate(all="ignore"), record() as recording:
        (minitorch.ones(2) * 2.0 * weight).sum()
    [trouble] = Payload(recording).build()["troubles"]
    assert trouble["text"].startswith(
        "weight already holds 1 NaN when mul #2, the first to use it, begins (test_viz"
    )
    assert trouble["node"] == vertex(recording, "weight").id
    assert trouble["moment"] == 1


def test_a_map_that_leaves_rows_out_still_shows_the_row_of_nan():
    values = np.ones((64, 24), np.float32)
    values[37], values[9, 3] = np.nan, -np.inf
    pixels = Summary(values, values).pixels
    assert pixels.shape == (32, 24)
    assert np.isnan(pixels[18]).all()
    assert pixels[4, 3] == -np.inf
    assert np.isfinite(pixels).sum() == 32 * 24 - 24 - 1


def test_numbers_at_the_edge_of_the_range_have_a_histogram():
    for values in ([3e38, -3e38], [1e-45, 0.0], [1e300], [7.0, 7.0]):
        x = minitorch.tensor(np.array(values), requires_grad=True)
        with record() as recording:
            x.neg()
        record_of = Payload(recording).build()["arrays"]["n0.value"]
        assert sum(record_of["hist"]["counts"]) == len(values)
        assert record_of["hist"]["low"] < record_of["hist"]["high"]


def test_both_edges_of_a_square_are_drawn():
    x = minitorch.tensor([1.0, 2.0], requires_grad=True)
    with record() as recording:
        (x * x).sum().backward()
    drawn = Payload(recording).build()["layout"]["edges"]
    assert [edge["edges"] for edge in drawn] == [["e0"], ["e1"], ["e2"]]
    assert len({edge["forward"] for edge in drawn}) == 3
    assert len({edge["backward"] for edge in drawn}) == 3


def long_loop(count, leaf_uses=2):
    weight = minitorch.tensor(0.5, requires_grad=True)
    with record() as recording:
        result = weight
        for number in range(count):
            result = result + weight if number % leaf_uses == 0 else result * 0.999
        result.backward()
    return recording


def test_a_leaf_that_a_loop_uses_often_stands_at_each_use():
    layout = Payload(long_loop(40)).build()["layout"]
    pills = [pill for node in layout["nodes"] for pill in node["pills"] if pill["id"] == "n0"]
    assert len(pills) == 21  # the first op adds it to itself
    assert layout["height"] < 200


def test_of_a_long_loop_a_part_is_shown_and_commands_reach_the_rest():
    debugger = Debugger(long_loop(3000))
    data = debugger.payload()
    assert data["window"] == {"first": 0, "end": 1000, "ops": 3000}
    assert "ops 1 to 1,000 are shown" in data["notes"][0]
    assert len(data["moments"]) == 2000
    debugger.command("to 2500")
    assert debugger.payload()["window"] == {"first": 2000, "end": 3000, "ops": 3000}
    assert debugger.view.indices[debugger.position] == 2500
    assert debugger.payload()["moments"][debugger.position]["text"].startswith("add #2501")
    answer = debugger.handle({"type": "window", "op": 1500})
    assert answer["payload"]["window"]["first"] == 1000
    sent = [e["sent_at"] for e in answer["payload"]["edges"] if e["sent_at"] is not None]
    assert 0 <= min(sent) < max(sent) < len(answer["payload"]["moments"])


def test_a_graph_that_graphviz_cannot_lay_out_is_laid_out_in_layers(monkeypatch):
    from viz import layout

    x = minitorch.tensor([1.0], requires_grad=True)
    with record() as recording:
        one = x.exp()
        (one.tanh() + one.neg() * one).sum().backward()
    monkeypatch.setattr(layout, "place", lambda dot: None)
    drawn = Payload(recording).build()["layout"]
    spots = {node["id"]: node for node in drawn["nodes"]}
    for edge in drawn["edges"]:
        assert spots[edge["from"]]["x"] + spots[edge["from"]]["width"] < spots[edge["to"]]["x"]
    corners = [(node["x"], node["y"]) for node in drawn["nodes"]]
    assert len(set(corners)) == len(corners)


@pytest.mark.parametrize("line", ["", "   ", "step x", "to here", "back -3", "jump 3"])
def test_commands_that_make_no_sense_are_answered_with_what_there_is(two_steps, line):
    with pytest.raises(ValueError, match=r"there are: step|takes a whole number"):
        Controller(two_steps[1]).command(line)


def test_signs_that_turn_text_around_are_spelled_out():
    from viz import draw_graph

    x = minitorch.tensor([1.0], requires_grad=True)
    x.name = "abc\u202edef"
    with record() as recording:
        y = x.exp()
    assert "abc[U+202E]def" in Payload(recording).build()["moments"][0]["text"]
    svg = draw_graph(y).svg
    assert svg is not None
    assert "[U+202E]" in svg
    assert "\u202e" not in svg


@pytest.mark.parametrize("name, begins", [("step.svg", b"<svg"), ("step.dot", b"digraph")])
def test_the_ending_of_a_file_says_what_is_saved(two_steps, tmp_path, name, begins):
    assert Debugger(two_steps[1]).save(tmp_path / name).read_bytes().startswith(begins)


def test_nothing_recorded():
    with record() as recording:
        pass
    debugger = Debugger(recording)
    json.dumps(debugger.payload(), allow_nan=False)
    assert debugger.command("step") == "Nothing ran."
    assert repr(debugger) == "Debugger(0 of 0: Nothing ran.)"


def test_overwritten_values_are_not_shown_as_if_they_were_old():
    big = minitorch.ones(300, 300)
    with record() as recording:
        big * 2.0
    from minitorch.versions import clock

    clock.stamp(big.numpy())
    big.numpy()[...] = 7
    assert recording.arrays.values("n0.value") is None
    assert recording.arrays.summaries["n0.value"].mean == 1


def test_budget_is_kept_and_said():
    with record(budget=0) as recording:
        minitorch.ones(600, 600) * 2.0
    assert recording.arrays.dropped == 2
    assert "not kept" in Payload(recording).build()["notes"][0]


def test_the_pictures_of_a_step_show_the_weights_it_ran_with_not_those_of_the_update():
    minitorch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
    x, optimizer = minitorch.randn(8, 2), optim.SGD(net.parameters(), lr=1.0)
    with record() as recording:
        for _ in range(2):
            optimizer.zero_grad()
            (net(x) ** 2).mean().backward()
            optimizer.step()
    seen = 0
    for index, moment in enumerate(recording.moments):
        if recording.graph.vertices[moment.vertex].label != "linear":
            continue
        found: Any = inspect_moment(recording, index)
        values: Any = recording.arrays.values
        if moment.phase == "forward":
            seen_x, weight, bias = (
                values(p["array"]) for p in found["forward"]["parts"] if "text" in p
            )
            np.testing.assert_allclose(seen_x @ weight + bias, values(moment.array), rtol=1e-5)
        for rule in found["rules"]:
            if rule["text"] == "grad @ weight":
                grad, _, weight = rule["parts"]
                assert weight["role"] == "parameter"
                sent = values(grad["array"]) @ values(weight["array"])
                np.testing.assert_allclose(sent, values(rule["result"]), rtol=1e-5)
                seen += 1
    assert seen == 2


def test_of_an_op_the_branch_that_ran_is_shown():
    x, y = minitorch.ones(3, requires_grad=True), minitorch.ones(3)
    with record() as recording:
        x / y
        minitorch.add(x, y, alpha=2)
        y / y  # without a rule nothing tells which branch it was
    plain, scaled, whole = (inspect_moment(recording, index)["code"] for index in range(3))
    assert plain == "return a / b, (lambda grad: grad / b, lambda grad: -grad * a / (b * b))"
    assert scaled.startswith("if alpha != 1:\n    return a + alpha * b")
    assert "rounding_mode" in whole
    assert plain in whole


# ---- classic bugs ------------------------------------------------------------------------------


def test_wrong_broadcast_is_asked_about():
    prediction, target = minitorch.ones(8, 1), minitorch.ones(8)
    with record() as recording:
        ((prediction - target) ** 2).mean()
    data = Payload(recording).build()
    assert data["moments"][0]["flags"] == ["repeats-both"]
    assert "is that meant?" in data["moments"][0]["text"]
    assert data["moments"][1]["flags"] == []


@pytest.mark.parametrize(
    "take",
    [Tensor.detach, lambda p: p.data, lambda p: p.detach().numpy(), lambda p: p.array],
    ids=["detach", "data", "numpy", "array"],
)
def test_a_parameter_that_is_only_used_detached_is_told_with_the_line(take):
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(2, 3)
            self.gain = nn.Parameter(minitorch.ones(3))

        def forward(self, x):
            return self.fc(x) * take(self.gain)

    net = Scaled()
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    with record() as recording:
        net(minitorch.ones(4, 2)).sum().backward()
        optimizer.step()
    data = Payload(recording).build()
    (cut,) = data["troubles"]
    assert cut["kind"] == "detached"
    assert cut["text"].startswith("gain gets no gradient: mul #2 (test_viz_debugger.py, line")
    assert data["moments"][cut["moment"]]["phase"] == "forward"


@pytest.mark.parametrize(
    "take",
    [
        lambda p: minitorch.tensor(p.detach().numpy()),
        lambda p: minitorch.tensor(p.detach().numpy().T).T,
        lambda p: p.array[:],
        lambda p: minitorch.from_numpy(p.array.reshape(2, 2)),
    ],
    ids=["copy", "turned copy", "view", "view in a tensor"],
)
def test_a_parameter_that_goes_in_as_its_numbers_is_told_with_the_line(take):
    weight = nn.Parameter(minitorch.tensor([[1.0, 2.0], [3.0, 5.0]]))
    other = nn.Parameter(minitorch.ones(2))
    weight.name = "weight"
    optimizer = optim.SGD([weight, other], lr=0.1)
    with record() as recording:
        (other @ take(weight)).sum().backward()
        optimizer.step()
    [trouble] = Payload(recording).build()["troubles"]
    assert trouble["text"].startswith("weight gets no gradient: ")
    assert "(test_viz_debugger.py, line" in trouble["text"]
    assert "takes exactly its numbers, but as an array" in trouble["text"]
    assert recording.moments[trouble["moment"]].phase == "forward"


def test_cuts_on_one_line_are_told_together():
    class Frozen(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.fc2, self.fc3 = nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2)

        def forward(self, x):
            for fc in (self.fc1, self.fc2):
                x = minitorch.functional.linear(x, fc.weight.detach(), fc.bias)
            return minitorch.functional.linear(x, self.fc3.weight.data, self.fc3.bias)

    with record() as recording:
        Frozen()(minitorch.ones(4, 2)).sum().backward()
    together, alone = (each["text"] for each in Payload(recording).build()["troubles"])
    assert together.startswith("fc1.weight and fc2.weight get no gradient: linear #1 and linear #2")
    assert "use them without a way back. They were taken out of the graph" in together
    assert alone.startswith("fc3.weight gets no gradient: linear #3 (")
    assert "uses fc3.weight without a way back. It was taken out of the graph" in alone


def test_equal_numbers_that_are_all_the_same_accuse_nobody():
    bias, other = nn.Parameter(minitorch.zeros(2)), nn.Parameter(minitorch.ones(2))
    bias.name = "bias"
    optimizer = optim.SGD([bias, other], lr=0.1)
    with record() as recording:
        (other + minitorch.zeros(2)).sum().backward()
        optimizer.step()
    [trouble] = Payload(recording).build()["troubles"]
    assert trouble["kind"] == "unused"


def test_a_result_that_goes_on_as_a_copy_is_told_with_the_line_where_it_comes_back():
    minitorch.manual_seed(0)
    net = Net()
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    with record() as recording:
        again = minitorch.tensor(net.fc1(minitorch.ones(3, 2)).detach().numpy())
        net.head(net.fc2(again)).sum().backward()
        optimizer.step()
    [trouble] = Payload(recording).build()["troubles"]
    assert "ends at linear #1 (test_viz_debugger.py, line" in trouble["text"]
    assert (
        "its numbers go on as a copy, into linear #2 (test_viz_debugger.py, line"
        in (trouble["text"])
    )


def test_parameter_without_gradient_is_named():
    minitorch.manual_seed(0)
    net = Net()
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    with record() as recording:
        hidden = net.fc1(minitorch.ones(3, 2)).detach()
        net.head(hidden).sum().backward()
        optimizer.step()
    data = Payload(recording).build()
    cut, unused = data["troubles"]
    assert unused["text"].startswith("No gradient reached fc2.weight and fc2.bias, and")
    assert "a copy of their numbers (.detach()" in unused["text"]
    assert cut["kind"] == "detached"
    assert cut["text"].startswith("fc1.weight and fc1.bias get no gradient: linear #2 (test_viz")
    nodes = {node["id"]: node for node in data["nodes"]}
    assert nodes[cut["node"]]["module"] is not None
    assert data["moments"][cut["moment"]]["node"] != cut["node"]
    assert any(edge["detached"] for edge in data["edges"])


@pytest.mark.parametrize(
    "numbers",
    [
        np.full(5, 1e-45, np.float32),
        np.array([3e-30, -4e-30], np.float32),
        np.array([3e-200, -4e-200]),
        np.array([3e-4, 4e-4, -1e-4], np.float16),
        np.full(7, 0.8415, np.float32),
        np.float32(1000) + np.linspace(0, 0.01, 999, dtype=np.float32),
        np.full(3, 3e30, np.float32),
        np.zeros(4, np.float32),
        np.linspace(-1, 2, 50, dtype=np.float32),
    ],
    ids=lambda numbers: f"{numbers.dtype}, {numbers[0]:.2g}",
)
def test_a_summary_tells_the_norm_and_spread_of_faint_and_close_numbers(numbers):
    exact = [float(each) for each in numbers]
    summary = Summary(numbers, numbers)
    mean = math.fsum(exact) / len(exact)
    most = max(map(abs, exact)) or 1.0
    norm = most * math.sqrt(math.fsum((each / most) ** 2 for each in exact))
    spread = most * math.sqrt(math.fsum(((each - mean) / most) ** 2 for each in exact) / len(exact))
    assert summary.norm == pytest.approx(norm, rel=1e-5, abs=0)
    assert summary.std == pytest.approx(spread, rel=2e-3, abs=1e-7 * most)
    assert summary.all_zero == (not np.any(numbers))
