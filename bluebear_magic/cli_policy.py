"""Commands about what code may do: ``guard``, ``rules`` and ``trust``.

They load neither Spark nor pandas, so that a thousand files are judged in seconds.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bluebear_magic.errors import ArgumentError
from bluebear_magic.guard import lists
from bluebear_magic.notebook.reporter import TerminalReporter
from bluebear_magic.present import escape
from bluebear_magic.records import ErrorInfo, Finding
from bluebear_magic.trust import SETTINGS, TrustStore
from bluebear_magic.vocabulary import PRESETS

STATUS = {"pass": 0, "warn": 0, "block": 1, "approve": 3}
UNREADABLE = 2
MOST_BYTES = 1_000_000  # of a file; the guard judges 200,000 characters


def add_commands(commands: Any) -> None:
    """Adds these commands to the parser's."""
    guard = commands.add_parser(
        "guard",
        help="judge files of PySpark; nothing is run",
        description="Judges files of PySpark; nothing is run. The exit status is 0 where all pass "
        "or warn, 1 where one is blocked, 3 where one needs approval and none is blocked, and 2 "
        "for wrong arguments and for files that cannot be read.",
    )
    guard.add_argument("files", nargs="+", metavar="FILE",
                       help="a file, a folder of .py files, or - for standard input")  # fmt: skip
    guard.add_argument("--policy", choices=PRESETS, help="instead of the one in force here")
    guard.add_argument("--tables", metavar="A,B",
                       help="the datasets there are; without it any plain name is one")  # fmt: skip
    guard.add_argument("--json", action="store_true", help="one JSON object for each file")
    guard.set_defaults(command=_guard, failed=_failed)

    rules = commands.add_parser("rules", help="what the guard refuses, and why")
    rules.add_argument("rule", nargs="?", metavar="ID", help="one rule in full")
    rules.add_argument("--json", action="store_true", help="one JSON object, or one for the rule")
    rules.set_defaults(command=_rules, failed=_failed)

    trust = commands.add_parser(
        "trust", help="let a folder's bluebear.toml allow more than your own settings do"
    )
    trust.add_argument("folder", nargs="?", type=Path, default=None, metavar="FOLDER",
                       help="by default the current one")  # fmt: skip
    trust.add_argument("--list", action="store_true", help="the folders that you trust")
    trust.add_argument("--revoke", action="store_true", help="trust it no longer")
    trust.set_defaults(command=_trust, json=False)


def _failed(error: ErrorInfo) -> dict[str, Any]:
    told = {"kind": error.kind, "message": error.message, "hint": error.hint, "line": error.line}
    return {"ok": False, "error": told}


def finding_json(finding: Finding) -> dict[str, Any]:
    """A finding as JSON."""
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "line": finding.line,
        "column": finding.column,
        "text": finding.text,
        "message": finding.message,
        "suggestion": finding.suggestion,
    }


# --- guard -------------------------------------------------------------------


def _guard(options: argparse.Namespace, _: TerminalReporter) -> int:
    from bluebear_magic.config import Settings
    from bluebear_magic.guard import check
    from bluebear_magic.guard.effective import effective, named
    from bluebear_magic.machine import read_machine

    machine = read_machine()
    if options.policy:
        held = named(options.policy, "--policy", machine)
    else:
        settings = Settings()
        settings.load(Path.cwd())
        held = effective(settings, machine)
    if held.tightened:
        _warn(f"judged under {held.policy.name}: {held.origin} allows nothing looser")
    tables = None if options.tables is None else _names(options.tables)
    words: set[str] = set()
    unreadable = False
    for name, content in _files(options.files):
        code, finding = _decoded(content)
        if finding is None:
            verdict = check(code, tables, held.policy)
            word, findings = verdict.word, verdict.findings
        else:
            word, findings = "block", (finding,)
            unreadable |= finding.rule == "FILE-READ"
        words.add(word)
        _tell(name, word, findings, as_json=options.json)
    if unreadable:
        return UNREADABLE
    return next((STATUS[word] for word in ("block", "approve") if word in words), 0)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _files(names: Iterable[str]) -> Iterator[tuple[str, bytes | OSError]]:
    """Each file with its bytes, or why it cannot be read; folders are looked through."""
    for name in names:
        if name == "-":
            yield "-", sys.stdin.buffer.read(MOST_BYTES)
            continue
        try:
            path = Path(name)
            inner = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        except (OSError, ValueError) as error:
            yield name, _as_os_error(error)
            continue
        if not inner:
            yield name, OSError(0, "there is no .py file in this folder")
        for file in inner:
            try:
                with file.open("rb") as stream:  # a device has no end
                    content: bytes | OSError = stream.read(MOST_BYTES)
            except (OSError, ValueError) as error:
                content = _as_os_error(error)
            yield str(file), content


def _as_os_error(error: OSError | ValueError) -> OSError:
    """A name with a null byte is a ValueError."""
    return error if isinstance(error, OSError) else OSError(0, str(error))


def _decoded(content: bytes | OSError) -> tuple[str, Finding | None]:
    """The code; or the finding on a file that holds none."""
    if isinstance(content, OSError):
        return "", _on_file("FILE-READ", content.strerror or str(content))
    if len(content) == MOST_BYTES:
        return "", _on_file("PY-SIZE", f"it has {MOST_BYTES:,} bytes or more")
    try:
        return content.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return "", _on_file("PY-SYNTAX", f"byte {error.start} is no UTF-8", line)


def _on_file(rule: str, detail: str, line: int = 1) -> Finding:
    from bluebear_magic.guard import RULES

    known = RULES[rule]
    return Finding(rule, "block", line, 0, "", known.why.format(detail=detail), known.advice)


def _tell(name: str, word: str, findings: Iterable[Finding], *, as_json: bool) -> None:
    if as_json:
        told = {"file": name, "verdict": word, "findings": [finding_json(f) for f in findings]}
        sys.stdout.write(json.dumps(told) + "\n")
        return
    lines = [f"{name}: {word}"]
    for finding in findings:
        lines.append(
            f"  {finding.line}:{finding.column + 1} {finding.severity} {finding.rule}: "
            f"{finding.message} {finding.suggestion}".rstrip()
        )
    _print("\n".join(map(_line, lines)))


# --- rules -------------------------------------------------------------------


def _rules(options: argparse.Namespace, _: TerminalReporter) -> int:
    from bluebear_magic.guard import RULES

    if options.rule is None:
        told = [_rule_json(rule) for rule in RULES]
        if options.json:
            sys.stdout.write(json.dumps({"rules": told}) + "\n")
        else:
            for rule in told:
                _print(_rule_line(rule))
            _print("\n`bluebear rules ID` tells one in full.")
        return 0
    wanted = options.rule.upper()
    if wanted not in RULES:
        import difflib

        near = difflib.get_close_matches(wanted, RULES, n=1)
        hint = f"did you mean {near[0]}?" if near else "`bluebear rules` lists them"
        raise ArgumentError(f"there is no rule {options.rule}", hint)
    told_one = _rule_json(wanted)
    if options.json:
        sys.stdout.write(json.dumps(told_one) + "\n")
    else:
        _print_rule(told_one)
    return 0


def _rule_json(name: str) -> dict[str, Any]:
    from bluebear_magic.guard import RULES, preset

    rule = RULES[name]
    severity = {
        policy: "approve" if name in preset(policy).approve else rule.severity for policy in PRESETS
    }
    return {
        "rule": name,
        "severity": severity,
        "why": _plain(rule.why),
        "advice": _plain(rule.advice),
        "bad": rule.bad,
        "good": rule.good,
    }


class _Blanks(dict[str, str]):
    """What stands in a rule's words for what a finding would say."""

    def __missing__(self, name: str) -> str:
        modules = ", ".join(lists.COMMON_MODULES)
        known = {"text": "NAME", "tables": 'spark.table("name")', "modules": modules}
        return known.get(name, "")


def _plain(template: str) -> str:
    said = template.format_map(_Blanks())
    return said.replace(": .", ".")


def _rule_line(rule: dict[str, Any]) -> str:
    """The rule, its severity (or severities: the strictest policy's first), why, two examples."""
    severities = "/".join(dict.fromkeys(rule["severity"][policy] for policy in reversed(PRESETS)))
    bad, good = (rule[side].replace("\n", " \N{RETURN SYMBOL} ") for side in ("bad", "good"))
    lines = [f"{rule['rule']:<16} {severities:<14} {rule['why']}"]
    return "\n".join([*lines, f"{'':<16} not  {bad}", f"{'':<16} but  {good}"])


def _print_rule(rule: dict[str, Any]) -> None:
    _print(f"{rule['rule']}\n\n{rule['why']}\n{rule['advice']}\n")
    for policy in PRESETS:
        _print(f"under {policy}: {rule['severity'][policy]}")
    for title, side in (("Not", "bad"), ("But", "good")):
        _print(f"\n{title}:\n" + "\n".join(f"    {line}" for line in rule[side].splitlines()))


# --- trust -------------------------------------------------------------------


def _trust(options: argparse.Namespace, _: TerminalReporter) -> int:
    store = TrustStore()
    if options.list:
        if options.folder or options.revoke:
            raise ArgumentError("--list stands alone", "bluebear trust --list")
        for trusted in store.list():
            changed = "" if trusted.current else f"  ({SETTINGS} has changed: it counts no more)"
            _print(_line(f"{trusted.folder}{changed}"))
        return 0
    folder = (options.folder or Path.cwd()).resolve()
    if options.revoke:
        if not store.remove(folder):
            raise ArgumentError(f"{folder} is not trusted", "bluebear trust --list")
        _print(_line(f"{folder} is trusted no longer."))
        return 0
    from bluebear_magic.config import folder_settings, loosening, settings_of
    from bluebear_magic.project import locations_outside

    if not (folder / SETTINGS).is_file():
        raise ArgumentError(f"there is no {SETTINGS} in {folder}", "name the folder that has one")
    content, values = folder_settings(folder)
    outside = locations_outside(values, folder)
    values = settings_of(values)
    loose = [f"{name} = {values[name]!r}" for name in loosening(values)]
    store.add(folder, content)
    told = ", ".join([*loose, *outside]) or "nothing that loosens"
    _print(_line(f"{folder / SETTINGS} is trusted as it is now: {told}."))
    return 0


# --- words -------------------------------------------------------------------


def _line(text: str) -> str:
    """One line, safe on a terminal."""
    return escape.line(text, 600)


def _print(text: str) -> None:
    sys.stdout.write(escape.terminal(text) + "\n")


def _warn(text: str) -> None:
    sys.stderr.write(f"warning: {escape.terminal(text)}\n")
