"""``bluebear data``: the datasets of a folder, in a shell."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import Any

from bluebear_magic.data_words import add_actions
from bluebear_magic.errors import ArgumentError
from bluebear_magic.notebook.reporter import TerminalReporter


def add_commands(commands: Any) -> None:
    """Adds this command to the parser's."""
    data = commands.add_parser(
        "data",
        help="datasets: list, add, show, search, profile, refresh",
        description="The datasets of this folder: those in data/ and in its bluebear.toml.",
    )
    add_actions(data)
    data.set_defaults(command=_data, json=False)


def _data(options: argparse.Namespace, reporter: TerminalReporter) -> int:
    if options.action in {"add", "rm"} and not options.save:
        raise ArgumentError(
            f"data {options.action} without --save changes nothing: a shell has no session",
            "--save writes it into the bluebear.toml of this folder",
        )
    if options.action == "use":
        raise ArgumentError(
            "data use is of a session, and a shell has none", "in a notebook: %bluebear data use"
        )
    from bluebear_magic import data_commands
    from bluebear_magic.api import Bluebear

    with Bluebear(reporter=reporter) as bb:
        data_commands.run(bb, options, _print)
        reporter.done()
    return 0


def _print(bundle: Mapping[str, Any]) -> None:
    """The plain text, safe on a terminal already; commands as they are typed here."""
    text = str(bundle["text/plain"]).replace("%bluebear data", "bluebear data")
    sys.stdout.write(text + "\n")
