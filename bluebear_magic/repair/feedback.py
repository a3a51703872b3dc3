"""The words that go back to the model about a draft: pure, never a stack trace, and nothing of the
data but what is shared.
"""

from __future__ import annotations

from bluebear_magic.records import Attempt, Finding
from bluebear_magic.repair.known import Known, told_of_fault, told_of_text
from bluebear_magic.runner.envelope import Fault

AROUND = 2  # lines of code shown on each side of the one that failed
_WHEN = {
    "compile": "before it ran",
    "analyse": "while Spark analysed it",
    "facts": "while Spark analysed it",
    "run": "when it ran on samples",
    "result": "at what it leaves as its result",
}
# What stands for a finding whose words quote the data, or tell of them.
_PLAINLY = {
    "meaning.unknown-value": "a value that is compared here may not be spelt as in the data. "
    "Compare without regard to case and blanks: lower(trim(column)) with the value in lower case.",
    "meaning.unknown-pattern": "this pattern may not match the way the data spell it. Compare "
    "without regard to case: lower(column), or ilike.",
    "meaning.no-match": "as it stands this join may match nothing. See whether other columns "
    "belong together; else compare the keys without regard to case and blanks: "
    "lower(trim(...)) of both.",
    "meaning.division-by-zero": "what is divided by here may be 0, and dividing by 0 fails. Use "
    "try_divide(a, b) or nullif(b, 0).",
    "meaning.overflow": "this product may go beyond its type, which fails. Cast a factor to a "
    "wider type first.",
    "meaning.text-order": "min and max over a column of text go by the alphabet. Cast it to a "
    "number or a date first.",
    "meaning.null-comparison": "a comparison with NULL is never true. Use isNull() or isNotNull() "
    "(IS NULL, IS NOT NULL in SQL).",
    "meaning.trivial-join": "the join's condition compares a column with itself. Compare a column "
    "of one side with a column of the other.",
}


def feedback(attempt: Attempt, known: Known) -> str:
    """What was wrong with the attempt, where, and what would be right.

    ``known``: what the model has been told of the data; no more of them comes into the words.
    """
    if attempt.checked.fault:
        return _of_fault(attempt.checked.fault, attempt.draft.code, known)
    code = attempt.draft.code
    if attempt.ok:
        return _of_doubts(attempt.checked.doubts, code, known)
    stops = [finding for finding in attempt.checked.blocking if finding.severity == "block"]
    told = stops or attempt.checked.blocking
    return "\n".join(_of_finding(finding, code, known) for finding in told)


def _of_doubts(doubts: tuple[Finding, ...], code: str, known: Known) -> str:
    """What misses the data though it runs."""
    words = ["The code runs, but the data show a mistake. Mend it and change nothing else."]
    for doubt in doubts:
        where = f"Line {doubt.line} ({doubt.rule})"
        if told_of_text(f"{doubt.message} {doubt.suggestion}", code, known):
            words.append(f"{where}: {doubt.message}.")
            words += [f"Suggestion: {doubt.suggestion}"] if doubt.suggestion else []
        else:
            plainly = _PLAINLY.get(doubt.rule, "this may not do what it says on these data.")
            words.append(f"{where}: {plainly}")
        words.append(_excerpt(code, doubt.line))
    return "\n".join(words)


def _of_finding(finding: Finding, code: str, known: Known) -> str:
    where = f"Line {finding.line}: `{finding.text.strip()}` ({finding.rule})"
    message = finding.message
    if finding.write and not known.everything:
        message = "this write is not allowed."  # why may name the files that are there
    said = f"{where}: {message} {finding.suggestion}".rstrip()
    excerpt = _excerpt(code, finding.line)
    return f"{said}\n{excerpt}" if excerpt else said


def _of_fault(fault: Fault, code: str, known: Known) -> str:
    name, message, suggestion = told_of_fault(fault, code, known)
    where = f"line {fault.line}, " if fault.line else ""
    when = _WHEN.get(fault.stage, "")
    words = [f"The code failed{' ' * bool(when)}{when} ({where}{name}): {message}"]
    if suggestion:
        words.append(f"Suggestion: {suggestion}")
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
