"""The words that go back to the model after a draft failed: pure, and never a stack trace."""

from __future__ import annotations

from bluebear_magic.records import Attempt, Finding
from bluebear_magic.runner.envelope import Fault

AROUND = 2  # lines of code shown on each side of the one that failed


def feedback(attempt: Attempt) -> str:
    """What was wrong with the attempt, where, and what would be right."""
    if attempt.checked.fault:
        return _of_fault(attempt.checked.fault, attempt.draft.code)
    blocking = [f for f in attempt.checked.findings if f.severity != "warn"]
    return "\n".join(_of_finding(finding) for finding in blocking)


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
