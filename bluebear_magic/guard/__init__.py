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
from dataclasses import dataclass, replace

from bluebear_magic.guard.policy import APPROVABLE, READ_ONLY, Policy, preset
from bluebear_magic.guard.rules import RULES, Rule
from bluebear_magic.records import Finding, Word
from bluebear_magic.runner.envelope import Write

__all__ = [
    "APPROVABLE", "READ_ONLY", "RULES", "Policy", "Rule", "Verdict", "check", "preset",
]  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """What the guard found, in the order of the code.

    ``approved``: findings that a person has said yes to; among ``findings`` they are warnings,
    so that they stay visible.
    """

    findings: tuple[Finding, ...] = ()
    approved: tuple[Finding, ...] = ()

    @property
    def word(self) -> Word:
        """The gravest of the findings, in one word."""
        if self.blocking:
            return "block"
        if self.pending:
            return "approve"
        return "warn" if self.findings else "pass"

    @property
    def ok(self) -> bool:
        """Whether the code may run as it is, without anybody's further approval."""
        return all(finding.severity == "warn" for finding in self.findings)

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """The findings that stop it."""
        return tuple(finding for finding in self.findings if finding.severity == "block")

    @property
    def pending(self) -> tuple[Finding, ...]:
        """The findings that wait for a person's approval."""
        return tuple(finding for finding in self.findings if finding.severity == "approve")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that stop nothing."""
        return tuple(finding for finding in self.findings if finding.severity == "warn")

    @property
    def writes(self) -> tuple[Write, ...]:
        """The writes that were approved."""
        return tuple(finding.write for finding in self.approved if finding.write is not None)

    @property
    def tried(self) -> tuple[Write, ...]:
        """The writes that a check tries in a folder of its own: approved, or waiting for it."""
        found = (finding.write for finding in (*self.approved, *self.pending))
        return tuple(write for write in found if write is not None)

    def approve(self, rules: Collection[str]) -> Verdict:
        """The verdict after a person has said yes to these rules."""
        approved = tuple(f for f in self.pending if f.rule in rules)
        findings = tuple(
            replace(f, severity="warn", message=f"Approved. {f.message}", suggestion="")
            if f in approved
            else f
            for f in self.findings
        )
        return Verdict(findings, (*self.approved, *approved))


def check(
    code: str,
    tables: Collection[str] | None = None,
    policy: Policy = READ_ONLY,
    approved: Collection[str] = (),
) -> Verdict:
    """The verdict on a cell's code.

    ``tables``: the datasets it may read, in any case of letters, besides the
    views that it makes itself; None allows every plain name. ``approved``: rules that a person
    has said yes to, for this code; it counts only where the policy asks for approval.
    """
    from bluebear_magic.guard.python import judge

    return Verdict(judge(code, tables, policy)).approve(approved)
