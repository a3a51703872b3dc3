"""What a question's cell shows: the answer, the code, the failure; as text and as HTML."""

from __future__ import annotations

import difflib

from bluebear_magic.errors import BluebearError
from bluebear_magic.guard.writes import told
from bluebear_magic.notebook.reporter import what_failed
from bluebear_magic.present import escape, tables
from bluebear_magic.present.render import code_html
from bluebear_magic.provenance.bill import usage_told
from bluebear_magic.provenance.header import Cell, code_hash
from bluebear_magic.provenance.targets import state_of
from bluebear_magic.records import Answer, Finding, Preview
from bluebear_magic.vocabulary import OFFLINE

Bundle = dict[str, str]
_UNSENT, _ESTIMATE = "Nothing was sent", "an estimate, made here"


def answer_card(answer: Answer, place: str) -> Bundle:
    """The explanation, how the code was checked, the code, and where it went (``place``)."""
    tries = len(answer.attempts)
    attempt = "first attempt" if tries == 1 else f"attempt {tries}"
    status = f"Checked on {_checked(answer.checked)}, {attempt}."
    lines = [answer.explanation, *(f"Assumed: {text}" for text in answer.assumptions)]
    lines.append(usage_told(answer.usage))
    return _card(status, lines, answer.code, " ".join(filter(None, (place, answer.sent))))


def current_card(cell: Cell, place: str) -> Bundle:
    """A cell that is already there and answers the question."""
    assert cell.header is not None
    edited = code_hash(cell.code) != cell.header.code
    status = "The cell below answers this question already; no model was called."
    lines = ["It was edited since: running it checks it again."] if edited else []
    return _card(status, lines, cell.code, place)


def failure_card(answer: Answer) -> Bundle:
    """The last draft and every error."""
    errors = [f"Attempt {a.number}: {what_failed(a.checked)}" for a in answer.attempts]
    errors.append(usage_told(answer.usage))
    return _card("No draft passed its check. The last one:", errors, answer.code, answer.sent)


def diff_card(old: str, new: str, place: str) -> Bundle:
    """How a new answer differs from the cell that is there."""
    lines = difflib.unified_diff(
        old.strip().splitlines(),
        new.strip().splitlines(),
        "the cell below",
        "the new answer",
        lineterm="",
    )
    return _card("The answer has changed:", [], "\n".join(lines), place)


def question_card(answer: Answer) -> Bundle:
    """What the model has to know first."""
    lines = [answer.explanation, *answer.questions, usage_told(answer.usage)]
    place = "Answer in the next %%bluebear cell; with --fresh it asks something else."
    status = "Before it writes code, the model asks:"
    return _card(status, lines, "", f"{place} {answer.sent}".rstrip())


def sent_card(preview: Preview) -> Bundle:
    """What a model would be sent, word for word."""
    status, text = preview_told(preview)
    return _card(status, [], text, "")


def preview_told(preview: Preview) -> tuple[str, str]:
    """A sentence, and what would be sent; '' for nothing."""
    if preview.model == OFFLINE:
        return f"Nothing was sent, and nothing would be: {OFFLINE} runs on this machine.", ""
    if preview.request is None:
        return f"Nothing was sent. {preview.model} does not tell what it would send.", ""
    assert preview.sent is not None
    begin = "No model was asked; Bedrock got this to count it" if preview.left else _UNSENT
    about, how = ("", "as Bedrock counts") if preview.counted else ("about ", _ESTIMATE)
    if preview.uncounted:
        how += f": {preview.uncounted}"
    status = (
        f"{begin}. {preview.model} would get {preview.sent.told}: {about}{preview.tokens:,} tokens "
        f"({how})."
    )
    return status, preview.text


def error_card(error: BluebearError) -> Bundle:
    """An error that reaches the notebook through a button, where nothing is raised."""
    return _card(f"{type(error).__name__}: ", str(error).splitlines(), "", "")


def approval_card(findings: tuple[Finding, ...], state: str) -> Bundle:
    """Exactly what would be written where; ``state``: ``asked``, ``approved`` or ``rejected``."""
    status, place = {
        "asked": (
            "This code writes. Nothing was run or written yet:",
            "An approval holds for this very code: an edit asks anew.",
        ),
        "approved": ("This code writes, and was approved:", ""),
        "rejected": ("This code writes, and was rejected: nothing was run or written.", ""),
    }[state]
    lines = []
    for finding in findings:
        assert finding.write is not None
        there = state_of(finding.write) if state == "asked" else ""
        lines.append(f"line {finding.line}: {told(finding.write)}" + (f" ({there})" * bool(there)))
    return _card(status, lines, "", place)


def _checked(checked: str) -> str:
    if checked.startswith("sample:"):
        return f"a sample of {checked.removeprefix('sample:')} of each large dataset"
    return "the whole data"


def _card(status: str, lines: list[str], code: str, place: str) -> Bundle:
    told = [line for text in lines for line in text.splitlines() if line.strip()]
    text = [status, *told]
    html = [f"<div><strong>{tables.markup(status)}</strong></div>"]
    html += [f"<div>{tables.markup(line)}</div>" for line in told]
    if code:
        text += ["", *code.strip().splitlines(), ""]
        html.append(f"<details open><summary>code</summary>{code_html(code.strip())}</details>")
    if place:
        text.append(place)
        html.append(f"<div><small>{tables.markup(place)}</small></div>")
    clean = [escape.terminal(line) for line in text]
    return {
        "text/plain": "\n".join(clean).strip(),
        "text/html": f"<div {tables.NO_MATH}>{''.join(html)}</div>",
    }
