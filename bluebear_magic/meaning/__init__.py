"""Checks on meaning: code that runs, but asks for what the data cannot give.

A filter on a value that does not occur, a join that matches nothing, a sum over text, a
division that fails once it meets a zero. Pure functions of what the check brought back and of
what is known of the data; see ``rules`` for what is only told and what a model gets to mend.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from bluebear_magic.meaning.rules import Rules
from bluebear_magic.records import Finding, Profile
from bluebear_magic.runner.envelope import Outcome

__all__ = ["ADVICE", "advised", "findings", "is_of"]

MAX_FINDINGS = 12
_ORDER = {"repair": 0, "warn": 1}
_ADVICE = {
    "DIVIDE_BY_ZERO": "use try_divide(a, b), or divide by nullif(b, 0), where NULL will do; "
    "else filter the zeros out first",
    "REMAINDER_BY_ZERO": "use try_mod(a, b), or nullif(b, 0) as the divisor",
    "ARITHMETIC_OVERFLOW": 'cast to a wider type first (.cast("bigint"), '
    '.cast("decimal(38,0)")), or use try_add, try_multiply, try_sum where NULL will do',
    "BINARY_ARITHMETIC_OVERFLOW": 'cast to a wider type first (.cast("bigint"))',
    "CAST_OVERFLOW": "cast to a wider type, or use try_cast where NULL will do",
    "CAST_INVALID_INPUT": "use try_cast (.try_cast in Python) where NULL will do for what is no "
    "such value, or clean the text first",
    "CANNOT_PARSE_TIMESTAMP": "give the format that the text has, or use try_to_timestamp",
}
ADVICE = frozenset(_ADVICE.values())  # words of ours alone


def findings(
    code: str,
    outcome: Outcome,
    profiles: Mapping[str, Profile],
    sampled: Collection[str] = (),
) -> tuple[Finding, ...]:
    """What is doubtful in code that ran, the proven first, then by line.

    ``profiles``: what is known, by dataset; those left out are not judged. ``sampled``: the
    datasets of which the code saw a sample.
    """
    if outcome.status != "ok":
        return ()
    found = dict.fromkeys(Rules(code, outcome, profiles, sampled).all())
    ordered = sorted(found, key=lambda finding: (_ORDER[finding.severity], finding.line))
    return tuple(ordered[:MAX_FINDINGS])


def is_of(finding: Finding) -> bool:
    """Whether a finding is one of these, and not the guard's."""
    return finding.rule.startswith("meaning.")


def advised(outcome: Outcome) -> Outcome:
    """The outcome, a fault of arithmetic or of a cast with what to write instead."""
    fault = outcome.fault
    if fault is None or fault.suggestion:
        return outcome
    advice = _ADVICE.get((fault.condition or "").split(".")[0])
    return replace(outcome, fault=replace(fault, suggestion=advice)) if advice else outcome
