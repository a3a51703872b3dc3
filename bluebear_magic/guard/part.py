"""What every part of the guard works with: one program, what is known of it, and the lists."""

from __future__ import annotations

from dataclasses import dataclass

from bluebear_magic.guard.paths import Paths
from bluebear_magic.guard.policy import Policy
from bluebear_magic.guard.report import Report
from bluebear_magic.guard.scopes import Program
from bluebear_magic.guard.texts import Texts


@dataclass(frozen=True)
class Case:
    """A program to be judged: its names, its paths into libraries, the texts that it makes."""

    program: Program
    paths: Paths
    texts: Texts
    report: Report
    policy: Policy


class Part:
    """Rules over a case; what they find goes into its report."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.program = case.program
        self.paths = case.paths
        self.texts = case.texts
        self.report = case.report
        self.policy = case.policy
