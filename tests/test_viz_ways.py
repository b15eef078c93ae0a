"""Ways into the debugger: functions, loops, the trainer, cells, and live runs."""

from typing import Any

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell

import minitorch
import viz
from minitorch import nn, optim
from minitorch.functional import mse_loss
from minitorch.graph import mode
from viz.live import LiveDebugger


def make():
    minitorch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    return net, optim.SGD(net.parameters(), lr=0.1)


def loop(net, optimizer, count, seen):
    for _ in range(count):
        optimizer.zero_grad()
        loss = mse_loss(net(minitorch.ones(4, 2)), minitorch.ones(4, 1))
        loss.backward()
        optimizer.step()
        seen.append(loss.item())


def test_debug_runs_a_function_and_its_arguments():
    x = minitorch.tensor([1.0, 2.0], requires_grad=True)
    debugger = viz.debug(lambda given, power: (given**power).sum().backward(), x, power=3.0)
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), [3, 12])
    assert [moment.act for moment in debugger.recording.moments] == ["op", "op", "rule", "rule"]
    assert mode.listeners == ()


@pytest.mark.parametrize("live", [False, True])
def test_what_a_function_returned_is_not_taken_for_the_function(live):
    result: Any = None
    with pytest.raises(TypeError, match=r"NoneType, no function. Say viz.debug\(step\)"):
        viz.debug(result, live=live)


def chain(length):
    x = minitorch.ones(2, requires_grad=True)
    for _ in range(length):
        x = x * 1.0
    x.sum().backward()


def test_a_long_recording_shows_how_far_it_has_come(monkeypatch, capsys):
    viz.debug(chain, 150)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("viz.progress.PATIENCE", 0.0)
    viz.debug(chain, 150)
    told = capsys.readouterr().err
    assert "recording: 200 moments" in told
    assert told.endswith("\r")  # and it leaves no line behind


def test_a_live_run_that_waits_shows_no_bar(monkeypatch, capsys):
    monkeypatch.setattr("viz.progress.PATIENCE", 0.0)
    debugger = viz.debug(chain, 150, live=True, breakpoints=[("op", "sum")])
    assert isinstance(debugger, LiveDebugger)
    debugger.wait()
    debugger.stop()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("steps", [1, 3])
def test_a_loop_is_left_after_some_steps(steps):
    net, optimizer = make()
    seen: list[float] = []
    debugger = viz.debug(loop, net, optimizer, 1000, seen, steps=steps)
    assert len(seen) == steps
    assert debugger.recording.steps == steps
    assert debugger.recording.error is None
    [note] = debugger.payload()["notes"]
    assert f"viz.debug(..., steps={steps + 1}) goes on" in note
    assert viz.debug(loop, net, optimizer, steps, seen, steps=steps).payload()["notes"] == []


def test_a_hand_written_update_is_one_step_too():
    weight = minitorch.tensor([1.0, 2.0], requires_grad=True)

    def by_hand():
        for _ in range(5):
            weight.zero_grad()
            (weight * weight).sum().backward()
            assert weight.grad is not None
            with minitorch.no_grad():
                weight.array -= (0.1 * weight.grad).numpy()

    assert viz.debug(by_hand, steps=2).recording.steps == 2
    np.testing.assert_allclose(weight.array, [0.64, 1.28], rtol=1e-5)


def test_failure_opens_the_debugger_on_the_failing_op():
    net, _ = make()
    debugger = viz.debug(lambda: net(minitorch.ones(4, 5)))
    assert debugger.recording.moments[debugger.controller.position].act == "error"
    assert "features" in debugger.payload()["error"]["message"]
    assert "linear #1" in debugger.payload()["error"]["title"]


def test_commands_are_obeyed_at_once():
    x = minitorch.tensor([0.0, 1.0], requires_grad=True)
    with np.errstate(all="ignore"):
        debugger = viz.debug(lambda: (x.log() * 2.0).sum().backward(), commands=["until nan"])
    assert debugger.controller.position == 1
    assert debugger.value is not None


def test_cell_magic_records_its_cell():
    shell = InteractiveShell.instance()
    viz.load_ipython_extension(shell)
    shell.push({"minitorch": minitorch})
    cell = "x = minitorch.tensor([3.0], requires_grad=True)\nloss = (x * x).sum()\nloss.backward()"
    debugger = shell.run_cell_magic("debug_step", "step 1", cell)
    assert debugger.controller.position == 1
    place = next(iter(debugger.recording.growing.places.values()))
    assert place.lines()[place.line - 1][1] == "loss = (x * x).sum()"
    InteractiveShell.clear_instance()


# ---- live --------------------------------------------------------------------------------------


def live(**settings) -> tuple[list[float], LiveDebugger]:
    net, optimizer = make()
    seen: list[float] = []
    debugger = viz.debug(loop, net, optimizer, 2, seen, live=True, **settings)
    assert isinstance(debugger, LiveDebugger)
    return seen, debugger


def test_live_pauses_at_a_breakpoint_and_goes_on():
    seen, debugger = live(breakpoints=[("op", "tanh")])
    assert debugger.wait() == "paused: op is tanh"
    assert [moment.phase for moment in debugger.recording.moments] == ["forward"] * 2
    assert debugger.payload()["live"]["state"] == "paused"
    assert debugger.value is not None
    debugger.handle({"type": "continue"})
    assert debugger.wait() == "paused: op is tanh"
    assert debugger.recording.moments[-1].phase == "backward"
    assert seen == []
    debugger.controller.breakpoints.clear()
    debugger.resume()
    assert debugger.wait() == "finished: it ran to its end"
    assert len(seen) == 2


def test_live_single_steps_look_back_and_stop():
    seen, debugger = live()
    debugger.wait()
    debugger.handle({"type": "move", "command": "step"})
    debugger.wait()
    assert len(debugger.recording.moments) == 2
    debugger.handle({"type": "move", "command": "back"})
    assert debugger.controller.position == 0
    debugger.handle({"type": "move", "command": "step"})
    assert len(debugger.recording.moments) == 2
    debugger.handle({"type": "stop"})
    debugger._thread.join(10)
    assert debugger.wait() == "finished: stopped"
    assert seen == []


def test_live_script_ends_by_itself():
    seen, debugger = live(breakpoints=[("name", "2.bias")], commands=["step", "continue"])
    debugger._thread.join(10)
    assert debugger.wait() == "finished: it ran to its end"
    assert len(seen) == 2


def test_live_failure_is_told():
    debugger = LiveDebugger(lambda: minitorch.ones(2) @ minitorch.ones(3), 1 << 20, commands=[])
    debugger.start()._thread.join(10)
    assert debugger.wait().startswith("finished: ValueError: matmul")
    assert debugger.payload()["error"]["node"] is not None


def test_live_refuses_questions_while_it_runs():
    debugger = LiveDebugger(lambda: None, 0)
    assert "running" in debugger.handle({"type": "who", "array": "n0.value"})["message"]
    with pytest.raises(TimeoutError, match="still running"):
        debugger.wait(0.01)
