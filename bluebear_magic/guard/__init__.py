"""Decides from the code alone, before anything runs, whether it may run.

``check`` reads Python as a syntax tree and every text that reaches Spark as
SQL, and holds both against allow-lists (:mod:`bluebear_magic.guard.policy`).
What is not named there is refused: unknown modules, functions, attributes and
kinds of syntax. It never runs, imports or evaluates what it judges, and no
text makes it fail: what cannot be read is a finding.

It is the first of three lines; Spark's own settings and the process that runs
the code are the others.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from bluebear_magic.guard.policy import READ_ONLY, Policy
from bluebear_magic.guard.rules import RULES, Rule
from bluebear_magic.records import Finding

__all__ = ["READ_ONLY", "RULES", "Policy", "Rule", "Verdict", "check"]


@dataclass(frozen=True)
class Verdict:
    """What the guard found, in the order of the code."""

    findings: tuple[Finding, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the code may run as it is, without anybody's approval."""
        return all(finding.severity == "warn" for finding in self.findings)

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """The findings that stop it."""
        return tuple(finding for finding in self.findings if finding.severity == "block")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that stop nothing."""
        return tuple(finding for finding in self.findings if finding.severity == "warn")


def check(code: str, tables: Collection[str] | None = None, policy: Policy = READ_ONLY) -> Verdict:
    """The verdict on a cell's code.

    ``tables``: the datasets it may read, in any case of letters, besides the
    views that it makes itself; None allows every plain name.
    """
    from bluebear_magic.guard.python import judge

    return Verdict(judge(code, tables, policy))
