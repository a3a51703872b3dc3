"""Reporters: what a person sees while work goes on, and what stays of it."""

import contextlib
import io

import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from bluebear_magic.notebook.reporter import (
    DisplayReporter,
    SilentReporter,
    TerminalReporter,
    what_failed,
)
from bluebear_magic.protocols import Reporter
from bluebear_magic.records import Checked, Draft, Finding
from bluebear_magic.runner.envelope import Fault, Outcome

BLOCKED = Checked((Finding("PY-IMPORT", "block", 2, 0, "os", "`os` may not be", "drop it"),))
DRAFT = Draft("import os")
LAST = {"text/plain": "the answer", "text/html": "<b>the answer</b>"}


class Terminal(io.StringIO):
    def isatty(self):
        return True

    def screen(self):
        """The lines as they stand once every carriage return has been obeyed."""
        lines = []
        for line in self.getvalue().split("\n"):
            shown = ""
            for part in line.split("\r"):
                shown = part + shown[len(part) :]
            lines.append(shown.rstrip())
        return lines


def tell_all(reporter: Reporter):
    reporter.progress("reading")
    reporter.attempt(1, DRAFT, BLOCKED)
    reporter.warn("a column was renamed")


def test_what_failed_is_one_line_with_its_place():
    assert what_failed(BLOCKED) == "line 2: `os` may not be"
    fault = Fault("run", "Error", "no line here")
    assert what_failed(Checked((), Outcome("fault", fault=fault))) == "no line here"
    assert what_failed(Checked((), Outcome("ok"))) == "nothing"


def test_the_silent_one_is_silent(capsys):
    tell_all(SilentReporter())
    assert capsys.readouterr() == ("", "")


def test_a_log_gets_lines_and_no_steps():
    stream = io.StringIO()
    reporter = TerminalReporter(stream)
    tell_all(reporter)
    reporter.warn("a column was renamed")
    reporter.done()
    assert stream.getvalue() == (
        "attempt 1 failed: line 2: `os` may not be\nwarning: a column was renamed\n"
    )


def test_on_a_terminal_a_step_replaces_the_one_before_it():
    terminal = Terminal()
    reporter = TerminalReporter(terminal)
    reporter.progress("a long step that goes on")
    reporter.progress("short")
    assert terminal.screen() == ["short"]
    reporter.warn("careful")
    reporter.progress("on")
    assert terminal.screen() == ["warning: careful", "on"]
    reporter.done()
    reporter.done()
    assert terminal.screen() == ["warning: careful", ""]


def test_a_terminal_gets_no_escape_codes_and_no_second_line(hostile):
    terminal = Terminal()
    reporter = TerminalReporter(terminal)
    reporter.progress(hostile)
    reporter.warn(hostile)
    reporter.done()
    assert terminal.getvalue().count("\n") == 1
    assert "\x1b" not in terminal.getvalue()
    assert "\x9b" not in terminal.getvalue()
    assert max(map(len, terminal.screen())) <= 302


@pytest.fixture
def published(tmp_path, monkeypatch):
    """What is sent to the frontend: dicts with ``data``, ``transient`` and ``update``."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    shell.display_pub = CapturingDisplayPublisher(parent=shell)
    yield shell.display_pub.outputs
    InteractiveShell.clear_instance()


def displays(published):
    """The displays as they ended: the last data of each."""
    last = {}
    for output in published:
        display = output["transient"]["display_id"]
        assert output["update"] == (display in last)
        last[display] = output["data"]
    return list(last.values())


def test_one_display_shows_the_steps_and_ends_as_the_answer(published):
    reporter = DisplayReporter()
    with reporter.cell():
        tell_all(reporter)
        assert "reading ..." in displays(published)[0]["text/plain"]
        reporter.settle(LAST)
    (shown,) = displays(published)
    assert shown["text/plain"] == (
        "attempt 1 failed: line 2: `os` may not be\nwarning: a column was renamed\nthe answer"
    )
    assert "<details><summary>attempt 1 failed: line 2: `os` may not be" in shown["text/html"]
    assert "import os" in shown["text/html"]
    assert shown["text/html"].endswith(LAST["text/html"])
    assert "reading" not in str(shown)


def test_what_is_written_is_shown_until_the_next_step(published, monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    reporter = DisplayReporter()
    with reporter.cell():
        reporter.progress("writing")
        for piece in ("x = '<b>", "\x1b[31m'\ny = 2"):
            reporter.writing(piece)
        (shown,) = displays(published)
        assert shown["text/plain"] == "writing ...\nx = '<b>'\ny = 2"
        assert "&lt;b&gt;" in shown["text/html"]
        assert "\x1b" not in shown["text/html"]
        reporter.progress("asking again")
        assert displays(published)[0]["text/plain"] == "asking again ..."
        reporter.writing("z")
        reporter.settle(LAST)
    assert displays(published)[0]["text/plain"] == LAST["text/plain"]


def test_the_next_cell_has_a_display_of_its_own(published):
    reporter = DisplayReporter()
    for text in ("one", "two"):
        with reporter.cell():
            reporter.progress("reading")
            reporter.settle({"text/plain": text, "text/html": text})
    with contextlib.suppress(KeyboardInterrupt), reporter.cell():
        reporter.progress("running")
        raise KeyboardInterrupt
    with reporter.cell():
        reporter.settle({"text/plain": "four", "text/html": "four"})
    assert [shown["text/plain"] for shown in displays(published)] == ["one", "two", "", "four"]


def test_a_cell_without_news_shows_nothing(published):
    reporter = DisplayReporter()
    with reporter.cell():
        pass
    assert published == []


def test_the_same_warning_is_shown_once(published):
    reporter = DisplayReporter()
    with reporter.cell():
        reporter.warn("careful")
        reporter.warn("careful")
    assert displays(published)[0]["text/plain"] == "warning: careful"


def test_steps_come_at_most_five_times_a_second(published):
    reporter = DisplayReporter()
    with reporter.cell():
        for second in range(100):
            reporter.progress(f"running ({second} s)")
        assert len(published) == 1


def test_where_outputs_cannot_be_updated_only_the_end_is_shown(published):
    reporter = DisplayReporter(live=False)
    with reporter.cell():
        tell_all(reporter)
        assert published == []
        reporter.settle(LAST)
    assert [output["update"] for output in published] == [False]
    assert "warning: a column was renamed\nthe answer" in published[0]["data"]["text/plain"]


def test_hostile_text_is_text_in_a_notebook(published, hostile):
    reporter = DisplayReporter()
    with reporter.cell():
        reporter.warn(hostile)
        reporter.attempt(1, Draft(hostile), Checked((Finding("X", "block", 1, 0, "", hostile),)))
        reporter.progress(hostile)
    for output in published:
        html, text = output["data"]["text/html"], output["data"]["text/plain"]
        for tag in ("<script", "<img", "<svg", "<style", "<iframe", "<a ", "<b>", "<h1", "<!--"):
            assert tag not in html
        assert not any(char in html + text for char in "\x1b\x9b\x00\u202e")
        assert html.startswith('<div class="tex2jax_ignore mathjax_ignore">') or not html
