"""Reporters: what a person sees while a question is answered or code runs."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TextIO

from bluebear_magic.present import escape, tables
from bluebear_magic.present.render import code_html
from bluebear_magic.records import Checked, Draft

_MOST_WRITTEN = 20_000  # characters shown of what a model writes


class SilentReporter:
    """Tells nothing: for scripts, where the answer says it all."""

    def progress(self, text: str) -> None:
        """Not shown."""

    def writing(self, text: str) -> None:
        """Not shown."""

    def attempt(self, number: int, draft: Draft, checked: Checked) -> None:
        """Not shown."""

    def warn(self, text: str) -> None:
        """Not shown."""


class TerminalReporter:
    """Lines on standard error; a step that goes on overwrites itself on a terminal."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._shown = ""
        self._warned: set[str] = set()

    def progress(self, text: str) -> None:
        """Only where it can be overwritten: a log needs no seconds counted."""
        if self._live:
            line = escape.line(text, 78)
            self._stream.write("\r" + line.ljust(len(self._shown)))
            self._stream.flush()
            self._shown = line

    def writing(self, text: str) -> None:
        """Not shown: the answer comes whole."""

    def attempt(self, number: int, draft: Draft, checked: Checked) -> None:
        """One line for the failed attempt."""
        self._line(f"attempt {number} failed: {what_failed(checked)}")

    def warn(self, text: str) -> None:
        """One line; the same warning once."""
        if text not in self._warned:
            self._warned.add(text)
            self._line(f"warning: {text}")

    def done(self) -> None:
        """Clears the step that was shown last."""
        if self._shown:
            self._stream.write("\r" + " " * len(self._shown) + "\r")
            self._stream.flush()
            self._shown = ""

    def _line(self, text: str) -> None:
        self.done()
        self._stream.write(escape.line(text, 300) + "\n")


class DisplayReporter:
    """One display in the cell's output that is updated in place.

    While work goes on it shows the step; ``settle`` turns it into what is to stay:
    failed attempts folded, warnings, the answer, and nothing that changes from run to run.
    Without ``live``, that alone is shown.
    """

    def __init__(self, *, live: bool = True) -> None:
        self._live = live
        self._begin()

    def _begin(self) -> None:
        self._handle: Any = None
        self._failed: list[tuple[int, Draft, Checked]] = []
        self._warnings: list[str] = []
        self._step = ""
        self._written: list[str] = []
        self._last = 0.0
        self._settled = False

    def progress(self, text: str) -> None:
        """Shows the step, at most five times a second; what was written before it is cleared."""
        cleared, self._written = bool(self._written), []
        now = time.monotonic()
        if text != self._step and (cleared or now - self._last > 0.2 or not self._step):
            self._step, self._last = text, now
            self._update()

    def writing(self, text: str) -> None:
        """Shows what is written so far, at most five times a second."""
        self._written.append(text)
        now = time.monotonic()
        if now - self._last > 0.2:
            self._last = now
            self._update()

    def attempt(self, number: int, draft: Draft, checked: Checked) -> None:
        """Adds a failed attempt, folded, its error in the fold's line."""
        self._failed.append((number, draft, checked))
        self._update()

    def warn(self, text: str) -> None:
        """Adds a warning; the same one once."""
        if text not in self._warnings:
            self._warnings.append(text)
            self._update()

    @contextmanager
    def cell(self, handle: Any = None) -> Iterator[None]:
        """One cell's work: whatever way it ends, the next one begins with a display of its own.

        ``handle``: a display that is there already and shows everything instead.
        """
        self._begin()
        self._handle = handle
        try:
            yield
        finally:
            self.settle()

    def settle(self, last: Mapping[str, str] | None = None) -> None:
        """Leaves what is to stay, ``last`` at its end; once for a cell."""
        self._step, self._written = "", []
        bundle = self._bundle()
        if last is not None:
            text = filter(None, [bundle["text/plain"], last["text/plain"]])
            html = bundle["text/html"] + last.get("text/html", "")
            bundle = {"text/plain": "\n".join(text), "text/html": html}
        if not self._settled and (self._handle is not None or bundle["text/plain"]):
            self._show(bundle)
        self._settled = True

    def _update(self) -> None:
        if self._live:
            self._show(self._bundle())

    def _show(self, bundle: Mapping[str, str]) -> None:
        from IPython.display import display

        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)

    def _bundle(self) -> dict[str, str]:
        html = [
            f"<details><summary>attempt {number} failed: {tables.markup(what_failed(checked))}"
            f"</summary>{code_html(draft.code)}</details>"
            for number, draft, checked in self._failed
        ]
        html += [f"<div>&#9888; {tables.markup(text)}</div>" for text in self._warnings]
        text = [
            f"attempt {number} failed: {escape.line(what_failed(checked), 300)}"
            for number, _, checked in self._failed
        ]
        text += [f"warning: {escape.line(warning, 300)}" for warning in self._warnings]
        if self._step:
            html.append(f"<div><em>{tables.markup(self._step)} &hellip;</em></div>")
            text.append(escape.line(self._step, 100) + " ...")
        if self._written:
            written = "".join(self._written)[-_MOST_WRITTEN:]
            html.append(code_html(written))
            text += [escape.terminal(line) for line in written.splitlines()]
        shown = f"<div {tables.NO_MATH}>{''.join(html)}</div>" if html else ""
        return {"text/plain": "\n".join(text), "text/html": shown}


def what_failed(checked: Checked) -> str:
    """One line: where and what."""
    error = checked.error
    if error is None:
        return "nothing"
    where = f"line {error.line}: " if error.line else ""
    return f"{where}{error.message}"
