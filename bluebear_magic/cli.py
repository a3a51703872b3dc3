"""``bluebear``: the same functions outside a notebook.

Answers go to standard output, everything else to standard error. The exit status is 0
only on success: 1 when the question, the code or the data failed, 2 for wrong arguments, 3 when
the model asks something back.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluebear_magic import cli_cost, cli_data, cli_policy
from bluebear_magic.config import BACKENDS
from bluebear_magic.errors import ArgumentError, BluebearError, NeedsAnswer
from bluebear_magic.notebook.reporter import TerminalReporter
from bluebear_magic.present import escape
from bluebear_magic.records import Answer, Attempt, Checked, ErrorInfo, Preview
from bluebear_magic.runner.envelope import Table

STATUS = {ArgumentError.kind: 2, NeedsAnswer.kind: 3}

if TYPE_CHECKING:
    from bluebear_magic.present.result import Result


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of the command; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        status = _call(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has left, as `head` does; Python must not flush into the pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def _call(options: argparse.Namespace) -> int:
    reporter = TerminalReporter()
    try:
        return int(options.command(options, reporter))
    except BluebearError as error:
        reporter.done()
        told = ErrorInfo(error.kind, error.message, error.hint, error.line)
        if options.json:
            _print_json(options.failed(told))
        return _ended(told)
    except KeyboardInterrupt:
        reporter.done()
        sys.stderr.write("interrupted\n")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("bluebear", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    ask = commands.add_parser("ask", help="answer a question: write code, check it, run it")
    ask.add_argument("question")
    ask.add_argument("--model", help="who writes the code")
    ask.add_argument("--backend", choices=BACKENDS, help="where the code runs")
    ask.add_argument("--attempts", type=int, metavar="N", help="drafts at most")
    ask.add_argument("--no-run", action="store_true", help="stop after the check")
    ask.add_argument("--dry-run", action="store_true", help="show what would be sent, and stop")
    ask.set_defaults(
        command=_ask, failed=lambda error: _answer_json(Answer("", error=error), None, error)
    )

    check = commands.add_parser("check", help="guard a file of PySpark and run it on samples")
    check.add_argument("file", type=Path, metavar="FILE.py")
    check.set_defaults(command=_check, failed=lambda error: _check_json(Checked(), error))

    for command in (ask, check):
        _add_approve(command)
        command.add_argument(
            "--data", action="append", default=[], metavar="PATH",
            help="a dataset: PATH or NAME=PATH; may be repeated",
        )  # fmt: skip
        command.add_argument("--json", action="store_true", help="one JSON object")

    run = commands.add_parser("run", help="run a notebook from top to bottom in a fresh kernel")
    run.add_argument("notebook", type=Path)
    run.add_argument("--output", type=Path, help="where the executed notebook goes")
    run.add_argument("--inplace", action="store_true", help="write it back over the notebook")
    _add_approve(run)
    run.set_defaults(command=_run, json=False)
    cli_policy.add_commands(commands)
    cli_cost.add_commands(commands)
    cli_data.add_commands(commands)
    return parser


def _add_approve(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--approve", action="append", default=[], metavar="RULE",
        help="say yes to what a rule asks about, as SPARK-WRITE; may be repeated",
    )  # fmt: skip


# --- ask -------------------------------------------------------------------


def _ask(options: argparse.Namespace, reporter: TerminalReporter) -> int:
    from bluebear_magic.api import Bluebear

    with Bluebear(options.model, options.backend, reporter=reporter) as bb:
        if options.dry_run:
            return _dry_run(options, bb.would_send(options.question, data=options.data), reporter)
        approve = options.approve
        answer = bb.ask(
            options.question, data=options.data, attempts=options.attempts, approve=approve
        )
        result = None if options.no_run or answer.error else bb.run(answer, approve=approve)
        reporter.done()
    error = answer.error or (result.error if result is not None else None)
    if options.json:
        _print_json(_answer_json(answer, result, error))
    else:
        _print_answer(answer, result)
    return _ended(error)


def _dry_run(options: argparse.Namespace, preview: Preview, reporter: TerminalReporter) -> int:
    from bluebear_magic.notebook.cards import preview_told

    reporter.done()
    if options.json:
        told = {
            "model": preview.model,
            "request": preview.request,
            "tokens": preview.tokens,
            "counted": preview.counted,
            "uncounted": preview.uncounted,
        }
        _print_json({"ok": True, "sent": "to_count" if preview.left else None, "would_send": told})
    else:
        _print("\n".join(filter(None, preview_told(preview))))
    return 0


def _print_answer(answer: Answer, result: Result | None) -> None:
    if answer.code:
        _print(answer.code.rstrip() + "\n")
    if answer.explanation:
        _print(answer.explanation.rstrip() + "\n")
    usage = [*answer.usage, *(result.usage if result is not None else ())]
    if usage:
        from bluebear_magic.provenance.bill import usage_told

        _print(usage_told(usage) + "\n")
    if answer.sent:
        _print(answer.sent + "\n")
    if result is not None and result.ok:
        from bluebear_magic.present.render import result_bundle

        _print(result_bundle(result)["text/plain"])


def _answer_json(answer: Answer, result: Result | None, error: ErrorInfo | None) -> dict[str, Any]:
    """The documented object; see README, "From a shell"."""
    from bluebear_magic.provenance.bill import usage_json

    last = answer.attempts[-1].checked.tables if answer.attempts else ()
    tables = result.tables if result is not None else last
    timings = dict(answer.timings)
    if result is not None and result.receipt is not None:
        timings["run"] = round(sum(result.receipt.timings.values()), 2)
    return {
        "ok": error is None,
        "code": answer.code,
        "explanation": answer.explanation,
        "attempts": [_attempt_json(attempt) for attempt in answer.attempts],
        "tables": [_table_json(table) for table in tables],
        "summary": result.summary if result is not None and result.ok else "",
        "sent": answer.sent,
        "questions": list(answer.questions),
        "error": _error_json(error),
        "timings": timings,
        "usage": usage_json([*answer.usage, *(result.usage if result is not None else ())]),
    }


def _attempt_json(attempt: Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "ok": attempt.ok,
        "code": attempt.draft.code,
        "findings": _findings_json(attempt.checked),
        "error": _error_json(attempt.checked.error),
        "tokens": dict(zip(("input", "output"), attempt.tokens, strict=True)),
        "seconds": round(attempt.seconds, 3),
    }


def _findings_json(checked: Checked) -> list[dict[str, Any]]:
    return [cli_policy.finding_json(finding) for finding in checked.findings]


def _table_json(table: Table) -> dict[str, Any]:
    return {
        "title": table.title,
        "columns": [{"name": name, "type": kind} for name, kind in table.columns],
        "rows": [list(row) for row in table.rows],
        "row_count": table.row_count,
        "sampled": table.sampled,
        "truncated": table.truncated,
    }


def _error_json(error: ErrorInfo | None) -> dict[str, Any] | None:
    if error is None:
        return None
    return {
        "kind": error.kind,
        "message": error.message,
        "hint": error.hint,
        "line": error.line,
    }


# --- check -----------------------------------------------------------------


def _check(options: argparse.Namespace, reporter: TerminalReporter) -> int:
    try:
        code = options.file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ArgumentError(f"there is no file {options.file}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ArgumentError(f"{options.file} cannot be read: {error}") from error
    from bluebear_magic.api import Bluebear

    with Bluebear(reporter=reporter) as bb:
        checked = bb.check(code, data=options.data, approve=options.approve)
        reporter.done()
    if options.json:
        _print_json(_check_json(checked, checked.error))
    else:
        for finding in checked.findings:
            said = f"line {finding.line}: {finding.severity}: {finding.message}"
            _print(f"{said}. {finding.suggestion}" if finding.rule.startswith("meaning.") else said)
        if checked.ok:
            _print("checked: the code runs")
    return _ended(checked.error)


def _check_json(checked: Checked, error: ErrorInfo | None) -> dict[str, Any]:
    return {
        "ok": error is None,
        "findings": _findings_json(checked),
        "error": _error_json(error),
        "tables": [_table_json(table) for table in checked.tables],
        "timings": dict(checked.timings),
    }


# --- run -------------------------------------------------------------------


def _run(options: argparse.Namespace, reporter: TerminalReporter) -> int:
    from bluebear_magic.headless import run_notebook

    output = options.notebook if options.inplace else options.output
    written = run_notebook(options.notebook, output, reporter, _print, options.approve)
    reporter.done()
    _print(f"The executed notebook: {written}")
    return 0


def _ended(error: ErrorInfo | None) -> int:
    """Tells of the error, if any; the exit status."""
    if error is None:
        return 0
    where = f"line {error.line}: " if error.line else ""
    sys.stderr.write(f"error: {where}{escape.terminal(error.message)}\n")
    if error.hint:
        sys.stderr.write(f"  {escape.terminal(error.hint)}\n")
    return STATUS.get(error.kind, 1)


def _print_json(value: dict[str, Any]) -> None:
    """ASCII on one line: safe on any terminal as it is."""
    sys.stdout.write(json.dumps(value, allow_nan=False) + "\n")


def _print(text: str) -> None:
    sys.stdout.write(escape.terminal(text) + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
