"""The debugger as a notebook widget: one recording in the browser, questions about it to Python.

Stepping happens in the browser. What it cannot know (values of large arrays, other foldings, a
rerun with another number) it asks for, and the debugger's `handle` answers. Leans on page for the
browser side and on export for the file that steps by itself.
"""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from viz import export, page
from viz.payload import FEW
from viz.svg import svg


class DebuggerWidget(anywidget.AnyWidget):
    """What one debugger shows in the browser; all views of it move together.

    Parameters
    ----------
    debugger : a `viz.debugger.Debugger`: its `payload`, `handle`, `move_to` and `select_id`
    """

    _esm = page.script("widget")
    _css = page.style()

    payload = traitlets.Dict().tag(sync=True)
    position = traitlets.Int(0).tag(sync=True)
    selection = traitlets.Unicode(None, allow_none=True).tag(sync=True)

    def __init__(self, debugger: Any, **options: Any) -> None:
        super().__init__(payload=debugger.payload(), position=debugger.position, **options)
        self.debugger = debugger
        self.on_msg(self._answer)
        self.observe(self._moved, "position")
        self.observe(lambda change: debugger.select_id(change["new"]), "selection")
        debugger.on_change(self._follow)

    def _answer(self, _: Any, message: Any, __: Any) -> None:
        """Reply to one question of the browser; a failure is a reply too, and says why."""
        if not isinstance(message, dict):
            return
        try:
            reply = self._reply(message)
        except Exception as error:  # the browser shows it, or the learner would wait for ever
            reply = {"type": "error", "message": f"{type(error).__name__}: {error}"}
        if reply is not None:
            self.send({**reply, "id": message.get("id")})

    def _reply(self, message: dict[str, Any]) -> Any:
        if message.get("type") == "hello":
            return {"type": "hello"}
        if message.get("type") == "save":
            whole = self.debugger.payload(everything=True)
            return {"type": "save", "html": export.stepper(whole), "name": "step.html"}
        return self.debugger.handle(message)

    def _moved(self, change: Any) -> None:
        if change["new"] != self.debugger.position:
            self.debugger.move_to(change["new"])

    def _follow(self, what: str, value: Any) -> None:
        """Show in the browser what has changed in Python; the same again changes nothing."""
        if what in ("breakpoints", "watches"):
            self.send({"type": what, what: value})
        else:
            setattr(self, {"selected": "selection"}.get(what, what), value)


def widget_of(debugger: Any) -> DebuggerWidget:
    """Return the debugger's widget: one for all its views, so that they move together."""
    if debugger.widget is None:
        debugger.widget = DebuggerWidget(debugger)
    else:
        debugger.widget.payload = debugger.payload()
    widget: DebuggerWidget = debugger.widget
    return widget


def mimebundle(debugger: Any) -> dict[str, Any]:
    """Return what a notebook shows of a debugger: live, saved without a kernel, and as words.

    A long recording is kept as its picture alone, so that a notebook does not grow by megabytes.
    """
    view = debugger.view
    picture = svg(view.layout(None), title=repr(debugger)) if view.vertices else ""
    few = len(view.indices) <= FEW
    frame = export.stepper(debugger.payload(everything=True), padding=2) if few else None
    words = repr(debugger)
    saved = {"text/html": export.static_html(picture, frame, words), "text/plain": words}
    live = widget_of(debugger)._repr_mimebundle_()
    return {**live[0], **saved} if live else saved
