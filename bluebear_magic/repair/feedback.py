"""The words that go back to the model about a draft: pure, and never a stack trace."""

from __future__ import annotations

from bluebear_magic.records import Attempt, Finding
from bluebear_magic.runner.envelope import Fault

AROUND = 2  # lines of code shown on each side of the one that failed


def feedback(attempt: Attempt) -> str:
    """What was wrong with the attempt, where, and what would be right."""
    if attempt.checked.fault:
        return _of_fault(attempt.checked.fault, attempt.draft.code)
    if attempt.ok:
        return _of_doubts(attempt.checked.doubts, attempt.draft.code)
    return "\n".join(_of_finding(finding) for finding in attempt.checked.blocking)


def _of_doubts(doubts: tuple[Finding, ...], code: str) -> str:
    """What misses the data though it runs. Values of the data come in by suggestions alone."""
    words = ["The code runs, but the data show a mistake. Mend it and change nothing else."]
    for doubt in doubts:
        words.append(f"Line {doubt.line} ({doubt.rule}): {doubt.message}.")
        if doubt.suggestion:
            words.append(f"Suggestion: {doubt.suggestion}")
        words.append(_excerpt(code, doubt.line))
    return "\n".join(words)


def _of_finding(finding: Finding) -> str:
    where = f"Line {finding.line}: `{finding.text.strip()}` ({finding.rule})"
    return f"{where}: {finding.message} {finding.suggestion}".rstrip()


def _of_fault(fault: Fault, code: str) -> str:
    where = f"line {fault.line}, " if fault.line else ""
    what = fault.condition or fault.kind
    words = [f"The code failed ({where}{what}): {fault.message}"]
    if fault.suggestion:
        words.append(f"Suggestion: {fault.suggestion}")
    if fault.line:
        words.append(_excerpt(code, fault.line))
    return "\n".join(words)


def _excerpt(code: str, line: int) -> str:
    lines = code.splitlines()
    first = max(1, line - AROUND)
    last = min(len(lines), line + AROUND)
    return "\n".join(
        f"{'>' if number == line else ' '} {number:3} | {lines[number - 1]}"
        for number in range(first, last + 1)
    )
