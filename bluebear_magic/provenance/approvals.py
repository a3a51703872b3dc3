"""What a person has said yes or no to, in this session; every decision goes into the audit log.

A yes is for one piece of code, byte for byte: an edit asks anew. It says yes to the writes that
were shown; others of the same rule in other code stay what they are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Literal

from bluebear_magic.errors import ArgumentError
from bluebear_magic.guard import APPROVABLE, RULES, Policy, Verdict
from bluebear_magic.provenance.audit import AuditLog, Purpose
from bluebear_magic.records import Approval, Finding
from bluebear_magic.runner.envelope import Write
from bluebear_magic.vocabulary import PRESETS

COMMAND = "--approve"


class Approvals:
    """``notebook``: the file that the code comes from, where it is known."""

    def __init__(self, log: AuditLog) -> None:
        self._log = log
        self._given: dict[str, dict[tuple[str, Write | None], str]] = {}
        self.notebook: Path | None = None

    def applied(self, verdict: Verdict, code: str, command: Collection[str]) -> Verdict:
        """The verdict with what was approved: by a button before, or on the command's line.

        A rule counts as approved only where each of its findings is.
        """
        given = self._given.get(_key(code), {})
        open_ = {
            finding.rule
            for finding in verdict.pending
            if finding.rule not in command and (finding.rule, finding.write) not in given
        }
        return verdict.approve({finding.rule for finding in verdict.pending} - open_)

    def approve(self, code: str, findings: Iterable[Finding], policy: Policy, by: str) -> None:
        """Says yes to these findings of this code. Raises where that cannot be noted."""
        for finding in findings:
            self._note("approved", finding, code, policy, by)
            self._given.setdefault(_key(code), {})[finding.rule, finding.write] = by

    def reject(self, code: str, findings: Iterable[Finding], policy: Policy, by: str) -> None:
        """Says no. Raises where that cannot be noted."""
        for finding in findings:
            self._given.get(_key(code), {}).pop((finding.rule, finding.write), None)
            self._note("rejected", finding, code, policy, by)

    def taken(
        self, code: str, verdict: Verdict, policy: Policy, purpose: Purpose
    ) -> tuple[Approval, ...]:
        """The approvals that code is about to make use of; each is in the log by now.

        Raises where one cannot be noted.
        """
        made = []
        for finding in verdict.approved:
            assert finding.write is not None
            by = self._given.get(_key(code), {}).get((finding.rule, finding.write))
            if by is None:
                by = COMMAND
                self._note("approved", finding, code, policy, by, purpose=purpose)
            made.append(Approval(finding.rule, finding.write, by))
        return tuple(made)

    def _note(
        self,
        decision: Literal["approved", "rejected"],
        finding: Finding,
        code: str,
        policy: Policy,
        by: str,
        *,
        purpose: Purpose = "run",
    ) -> None:
        self._log.note(
            decision, finding, code,
            policy=policy.name, by=by, purpose=purpose, notebook=self.notebook,
        )  # fmt: skip


def check_rules(rules: Collection[str], policy: Policy) -> None:
    """Raises ``ArgumentError`` for rules that nobody may approve under this policy."""
    for rule in rules:
        if rule not in RULES:
            known = ", ".join(sorted(APPROVABLE))
            raise ArgumentError(f"{COMMAND} {rule}: there is no such rule", f"rules: {known}")
        if rule not in APPROVABLE:
            raise ArgumentError(
                f"{COMMAND} {rule}: nobody can approve this",
                f"what can be approved: {', '.join(sorted(APPROVABLE))}",
            )
        if rule not in policy.approve:
            looser = f'%bluebear policy {PRESETS[0]}, or policy = "{PRESETS[0]}" in your settings'
            raise ArgumentError(
                f"{COMMAND} {rule}: the policy `{policy.name}` lets nobody approve it",
                "" if policy.name == PRESETS[-1] else f"choose another: {looser}",
            )


def _key(code: str) -> str:
    return code.strip("\n")
