"""Collects findings, each in the words of its rule."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Collection, Mapping

from bluebear_magic.guard.policy import Policy
from bluebear_magic.guard.rules import RULES
from bluebear_magic.records import Finding, Severity
from bluebear_magic.runner.envelope import Write

MAX_FINDINGS = 200  # of a kind: after so many, more say nothing new
MAX_NEAR = 20  # findings for which a near name is looked up
MAX_TEXT = 120  # characters of the offending text that a finding shows
_OPENING = re.compile(r"[rbfuRBFU]{0,2}(\"\"\"|'''|\"|')")


class Report:
    """The findings on one piece of code; ``tables`` None where every plain name is a dataset."""

    def __init__(self, code: str, policy: Policy, tables: Collection[str] | None) -> None:
        self.lines = code.splitlines()
        self.policy = policy
        self.tables = tables
        self._found: dict[tuple[str, int, int, str, Write | None], Finding] = {}
        self._count: Counter[Severity] = Counter()

    def add(self, rule: str, node: ast.AST, text: str, **words: str) -> None:
        """A finding at a node of the syntax tree."""
        self.add_at(rule, getattr(node, "lineno", 1), getattr(node, "col_offset", 0), text, **words)

    def add_at(self, rule: str, line: int, column: int, text: str, **words: str) -> None:
        """A finding at a place; ``words`` fill the rule's message and advice."""
        self._add(rule, (line, column), text, words, None)

    def add_write(
        self, rule: str, line: int, column: int, text: str, write: Write, **words: str
    ) -> None:
        """A finding of which is known what it would do, so that a person may approve it."""
        self._add(rule, (line, column), text, words, write)

    def _add(
        self,
        rule: str,
        place: tuple[int, int],
        text: str,
        words: Mapping[str, str],
        write: Write | None,
    ) -> None:
        known = RULES[rule]
        approvable = write is not None and rule in self.policy.approve
        severity: Severity = "approve" if approvable else known.severity
        # Each kind has its own room: no flood of warnings may hide what blocks.
        if self._count[severity] >= MAX_FINDINGS and severity != "approve":
            return
        text = " ".join(text.split())
        if len(text) > MAX_TEXT:
            text = text[: MAX_TEXT - 1] + "…"
        blank = {"near": "", "detail": "", "instead": "", "tables": self.advise_table("")}
        filled = {"text": text, **blank, **words}
        key = (rule, *place, text, write)
        if key not in self._found:
            self._count[severity] += 1
            self._found[key] = Finding(
                rule=rule,
                severity=severity,
                line=place[0],
                column=place[1],
                text=text,
                message=known.why.format(**filled),
                suggestion=known.advice.format(**filled),
                write=write,
            )

    def add_in_text(
        self, rule: str, node: ast.AST, line: int, column: int, text: str, **words: str
    ) -> None:
        """A finding inside a literal; ``line`` (from 1) and ``column`` (from 0) count there."""
        start = getattr(node, "lineno", 1)
        offset = getattr(node, "col_offset", 0)
        if isinstance(node, ast.Constant) and start <= len(self.lines):
            opening = _OPENING.match(self.lines[start - 1], offset)
            if opening and node.end_lineno == start + str(node.value).count("\n"):
                column = column + opening.end() if line == 1 else column
                self.add_at(rule, start + line - 1, column, text, **words)
                return
        self.add_at(rule, start, offset, text, **words)

    def findings(self) -> tuple[Finding, ...]:
        """All of them, in the order of the code."""
        return tuple(
            sorted(self._found.values(), key=lambda item: (item.line, item.column, item.rule))
        )

    # --- nearest names ---

    def near(self, name: str, names: Collection[str]) -> str:
        """`` (did you mean `x`?)``, or nothing where no name is near."""
        close = _nearest(name, names, 70) if self.looks_for_near else ""
        return f" (did you mean `{close}`?)" if close else ""

    @property
    def looks_for_near(self) -> bool:
        """Whether near names are still looked up: not after so many findings."""
        return len(self._found) < MAX_NEAR

    def advise_table(self, name: str) -> str:
        """How to read a registered dataset, the one nearest to ``name`` first."""
        if not self.tables:
            return 'spark.table("name") with the name of a registered dataset'
        lowered = {table.lower(): table for table in self.tables}
        close = _nearest(name.lower(), lowered, 50) if self.looks_for_near else ""
        if close:
            return f'spark.table("{lowered[close]}")'
        listed = sorted(self.tables)
        more = f" and {len(listed) - 8} more" if len(listed) > 8 else ""
        return f'spark.table("name"); the datasets are {", ".join(listed[:8])}{more}'


def _nearest(name: str, names: Collection[str], least: int) -> str:
    """The name that is most like ``name``, at least ``least`` in a hundred; or ''."""
    from rapidfuzz import fuzz, process  # only code with findings needs it

    found = process.extractOne(name, sorted(names), scorer=fuzz.ratio, score_cutoff=least)
    return str(found[0]) if found else ""
