"""The words of ``data``: its actions and options, parsed once for the magic and the shell."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Sequence

from bluebear_magic.errors import ArgumentError
from bluebear_magic.vocabulary import SHARES

HELP = """\
data                          the datasets, and where each can be read
data add NAME URI [OPTIONS]   register a file, a folder, a glob or another place
data show NAME                schema, notes, keys, rows, size, examples
data search WORDS             by names, notes, columns and known values; --catalogs: in Glue too
data profile NAME [--full]    measure it anew; --full reads every row, whatever the size
data refresh [NAME]           read it anew, and take changed columns as they are now
data use glue:DATABASE        take in all that a database holds
data rm NAME [--save]         forget it (the files stay); --save: in bluebear.toml too
OPTIONS: --format F, --option KEY=VALUE, --share LEVEL, --description TEXT, --save"""


def add_actions(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of ``data`` to a parser; without one, the datasets are listed."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", parser_class=type(parser))

    def action(name: str, told: str) -> argparse.ArgumentParser:
        return actions.add_parser(name, help=told, description=told, add_help=parser.add_help)

    add = action("add", "register data under a name")
    add.add_argument("name")
    add.add_argument("path", nargs="+", metavar="URI")  # one with blanks needs no quotes here
    add.add_argument("--format", help="csv, json, parquet or orc, where its name does not tell")
    add.add_argument("--option", action="append", default=[], metavar="KEY=VALUE",
                     help="an option of Spark's reader; may be repeated")  # fmt: skip
    add.add_argument("--share", choices=SHARES, help="what of it may leave for a model")
    add.add_argument("--description", default="", help="what a row of it is")
    add.add_argument("--save", action="store_true", help="write it into the bluebear.toml here")
    action("show", "one dataset in full").add_argument("name")
    search = action("search", "datasets by names, notes, columns and known values")
    search.add_argument("words", nargs="+")
    search.add_argument("--catalogs", action="store_true", help="in catalogs such as Glue too")
    profile = action("profile", "measure the values of a dataset anew")
    profile.add_argument("name")
    profile.add_argument("--full", action="store_true", help="read every row, whatever the size")
    action("refresh", "read datasets anew, and take changed columns as they are now").add_argument(
        "name", nargs="?"
    )
    action("use", "take in all that a place holds").add_argument("location", metavar="LOCATION")
    rm = action("rm", "forget a dataset; its files stay")
    rm.add_argument("name")
    rm.add_argument("--save", action="store_true", help="take it out of the bluebear.toml here too")


def check_words(words: Sequence[str]) -> None:
    """Raises ``ArgumentError`` for an action or an option that is not there, with the nearest."""
    parser = argparse.ArgumentParser(add_help=False)
    add_actions(parser)
    (actions,) = (item for item in parser._actions if isinstance(item.choices, dict))
    assert isinstance(actions.choices, dict)
    if words and not words[0].startswith("-") and words[0] not in actions.choices:
        near = difflib.get_close_matches(words[0], actions.choices, n=1)
        hint = f"did you mean data {near[0]}?" if near else HELP
        raise ArgumentError(f"there is no data {words[0]}", hint)
    known = actions.choices[words[0]]._option_string_actions if words else {}
    for word in words[1:]:
        option = word.partition("=")[0]
        if word.startswith("--") and len(word) > 2 and option not in known:
            near = difflib.get_close_matches(option, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"options: {', '.join(known) or 'none'}"
            raise ArgumentError(f"data {words[0]} has no option {option}", hint)
