"""``bluebear cost``: what was spent, from the ledger of this machine."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from typing import Any

from bluebear_magic.errors import ArgumentError, BluebearError
from bluebear_magic.folders import state_folder
from bluebear_magic.notebook.reporter import TerminalReporter
from bluebear_magic.present import escape
from bluebear_magic.provenance.bill import ledger_json, ledger_told
from bluebear_magic.provenance.ledger import Ledger
from bluebear_magic.records import ErrorInfo

MOST_DAYS = 3660


def add_commands(commands: Any) -> None:
    """Adds this command to the parser's."""
    cost = commands.add_parser("cost", help="what models and runs cost, from this machine's ledger")
    cost.add_argument("--days", type=int, default=30, metavar="N", help="how far back (30)")
    cost.add_argument("--json", action="store_true", help="one JSON object")
    cost.set_defaults(command=_cost, failed=_failed)


def _failed(error: ErrorInfo) -> dict[str, Any]:
    told = {"kind": error.kind, "message": error.message, "hint": error.hint, "line": error.line}
    return {"ok": False, "error": told}


def _cost(options: argparse.Namespace, _: TerminalReporter) -> int:
    if not 1 <= options.days <= MOST_DAYS:
        raise ArgumentError(f"--days {options.days}", f"give a number from 1 to {MOST_DAYS}")
    ledger = Ledger(state_folder())
    today = dt.datetime.now().astimezone().date()
    try:
        charges = ledger.since(today - dt.timedelta(days=options.days - 1))
    except OSError as error:
        raise BluebearError(
            f"the costs in {ledger.file.parent} cannot be read: {error.strerror}",
            "make the files readable",
        ) from error
    if options.json:
        sys.stdout.write(json.dumps(ledger_json(charges, today), allow_nan=False) + "\n")
    else:
        for line in ledger_told(charges, today):
            sys.stdout.write(escape.terminal(line) + "\n")
    return 0
