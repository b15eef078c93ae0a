"""Moving through a recording: steps both ways, breakpoints, watches, and who wrote what.

No user interface and no kernel in it: a position on the line of moments, and commands that change
it. Every command answers with the reason why it stopped where it did. Leans on recording.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from viz.breakpoints import Breakpoint, Watch
from viz.recording import Moment, Recording
from viz.words import sentence


class Controller:
    """A position in a recording (-1 before the first moment), its breakpoints and watches."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.position = 0 if recording.moments else -1
        self.breakpoints: dict[str, Breakpoint] = {}
        self.watches: list[Watch] = []
        self._count = 0

    @property
    def moment(self) -> Moment | None:
        """Where it stands; None in an empty recording."""
        return self.recording.moments[self.position] if self.recording.moments else None

    @property
    def last(self) -> int:
        """The last position."""
        return len(self.recording.moments) - 1

    def stack(self, index: int) -> list[str]:
        """The module calls around a moment, outermost first."""
        vertex = self.recording.graph.vertices[self.recording.moments[index].vertex]
        return self.recording.graph.box_path(vertex.box)

    # ---- moving --------------------------------------------------------------------------------

    def to(self, index: int) -> str:
        """Go to a position; outside the recording, to its nearest end."""
        self.position = max(min(index, self.last), min(0, self.last))
        return self.where()

    def where(self) -> str:
        """The position in words."""
        return sentence(self.recording, self.position) if self.recording.moments else "Nothing ran."

    def step(self) -> str:
        """The next moment."""
        return self.to(self.position + 1)

    def back(self) -> str:
        """The moment before."""
        return self.to(self.position - 1)

    def over(self) -> str:
        """The next moment, but past a module that would be entered."""
        here, after = self.stack(self.position), self.position + 1
        if after > self.last:
            return self.where()
        entered = self.stack(after)
        if len(entered) <= len(here) or entered[: len(here)] != here:
            return self.to(after)
        return self.leave(entered[: len(here) + 1])

    def into(self) -> str:
        """The next moment inside a module that is called from here; a step where there is none."""
        here = self.stack(self.position)
        for index in range(self.position + 1, self.last + 1):
            stack = self.stack(index)
            if len(stack) > len(here) and stack[: len(here)] == here:
                return self.to(index)
            if stack[: len(here)] != here:
                break
        return self.step()

    def out(self) -> str:
        """The first moment after the module that runs now; outside modules, the last moment."""
        return self.leave(self.stack(self.position))

    def leave(self, stack: list[str]) -> str:
        """The next moment outside the innermost call of `stack`."""
        inside = range(self.position + 1, self.last + 1)
        gone = (k for k in inside if not stack or self.stack(k)[: len(stack)] != stack)
        return self.to(next(gone, self.last) if stack else self.last)

    def resume(self) -> str:
        """Go on to the next moment that a breakpoint stops at, or to the end."""
        return self._search(range(self.position + 1, self.last + 1), "The end of the recording.")

    def reverse(self) -> str:
        """Go back to the last moment before this that a breakpoint stops at, or to the start."""
        return self._search(range(self.position - 1, -1, -1), "The start of the recording.")

    def _search(self, indices: range, otherwise: str) -> str:
        for index in indices:
            for each in self.breakpoints.values():
                if each.enabled and each.hits(self.recording, index):
                    self.to(index)
                    return f"{each.text}: {self.where()}"
        if indices:
            self.to(indices[-1])
        return otherwise

    def first_where(self, kind: str, value: Any = None) -> str:
        """The next moment at which a condition holds; stay when there is none."""
        wanted = Breakpoint("until", kind, value)
        for index in range(self.position + 1, self.last + 1):
            if wanted.hits(self.recording, index):
                self.to(index)
                return f"{wanted.text}: {self.where()}"
        return f"No later moment: {wanted.text}."

    # ---- breakpoints and watches ---------------------------------------------------------------

    def break_on(self, kind: str, value: Any = None) -> Breakpoint:
        """Stop `resume` and `reverse` where a condition holds.

        `kind` is op, name or module (with what to look for), nonfinite, zero (gradient), norm (of
        a gradient, above `value`), or predicate (a function of a `View`).
        """
        found = Breakpoint(f"b{self._count}", kind, value)
        self._try(found)
        self._count += 1
        self.breakpoints[found.id] = found
        return found

    def _try(self, breakpoint: Breakpoint) -> None:
        """Refuse a predicate that fails: each later answer would ask it again."""
        for index in range(self.last + 1):
            try:
                breakpoint.hits(self.recording, index)
            except Exception as error:
                raise ValueError(
                    f"break_on: {breakpoint.text!r} fails at moment {index} with "
                    f"{type(error).__name__}: {error}. A predicate takes a View and answers for "
                    "every moment; `view.array` is None where no values are kept."
                ) from error

    def hits(self, breakpoint: Breakpoint) -> list[int]:
        """All moments at which a breakpoint stops."""
        moments = range(self.last + 1)
        return [index for index in moments if breakpoint.hits(self.recording, index)]

    def watch(self, what: str, quantity: str = "norm") -> Watch:
        """Follow a number of an array over time: `what` is an array id or `fc1.weight.grad`."""
        found = Watch(what, quantity)
        if not found.history(self.recording):
            raise ValueError(
                f"watch: nothing recorded is called {what!r}. Use a parameter's name, the same "
                "with .grad, or an array id such as n3.grad."
            )
        self.watches.append(found)
        return found

    # ---- who wrote what ------------------------------------------------------------------------

    def writers(self, array: str) -> list[int]:
        """The moments that made a value, or that each added a part to a gradient."""
        vertex, _, what = array.partition(".")
        moments = enumerate(self.recording.moments)
        if vertex.startswith("e"):
            return [self.recording.sent_at[vertex]] if vertex in self.recording.sent_at else []
        if what == "grad":
            edges = self.recording.growing.out_of.get(vertex, [])
            sent = self.recording.sent_at
            return sorted({sent[edge.id] for edge in edges if edge.id in sent})
        return [
            index
            for index, moment in moments
            if moment.vertex == vertex and moment.phase in ("forward", "update")
        ]

    # ---- scripts -------------------------------------------------------------------------------

    def run(self, commands: Iterable[str]) -> list[str]:
        """Obey commands such as `step 3`, `break op tanh`, `continue`; answer each in words."""
        return [self.command(line) for line in commands]

    def command(self, line: str) -> str:
        """Obey one command; ValueError names those there are."""
        word, _, argument = line.strip().partition(" ")
        argument = argument.strip()
        moves: dict[str, Callable[[], str]] = {
            "step": self.step, "back": self.back, "over": self.over, "into": self.into,
            "out": self.out, "continue": self.resume, "reverse": self.reverse,
            "first": lambda: self.to(0), "last": lambda: self.to(self.last), "where": self.where,
        }  # fmt: skip
        kind, _, value = argument.partition(" ")
        if word == "break":
            return self.break_on(kind, value or None).text
        if word == "until":
            return self.first_where({"nan": "nonfinite"}.get(kind, kind), value or None)
        if word not in moves and word != "to":
            known = ", ".join([*moves, "to N", "break KIND WHAT", "until KIND WHAT"])
            asked = f"no command {word!r}" if word else "no command was given"
            raise ValueError(f"{asked}; there are: {known}.")
        count = whole_number(word, argument or "1")
        if word == "to":
            return self.to(count)
        answer = self.where()
        for _ in range(min(count, self.last + 1)):
            answer = moves[word]()
        return answer


def whole_number(word: str, text: str) -> int:
    """The number that a command was given; ValueError when it is none."""
    if not text.isdigit():
        raise ValueError(f"{word} takes a whole number such as `{word} 3`, not {text!r}.")
    return int(text)
