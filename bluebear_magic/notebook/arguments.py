"""The line of a magic: options first, then free text that may hold any quote or brace."""

from __future__ import annotations

import argparse
import difflib
import io
import shlex
from typing import Any

from bluebear_magic.errors import ArgumentError


def split_line(line: str, parser: argparse.ArgumentParser) -> tuple[list[str], str]:
    """The options of ``line`` as arguments for ``parser``, and the text after them.

    Only the part before the first word that is no option is split as a shell would.
    Raises ``ArgumentError`` for an unknown option, with the nearest one.
    """
    flags = {option: action for action in parser._actions for option in action.option_strings}
    arguments: list[str] = []
    rest = line.strip()
    while rest.startswith("-"):
        word, rest = _first_word(rest)
        if word == "--":
            break
        option, equals, _ = word.partition("=")
        if option not in flags:
            near = difflib.get_close_matches(option, flags, n=1)
            raise ArgumentError(
                f"there is no option {option}",
                f"did you mean {near[0]}?" if near else "options: " + ", ".join(_long(flags)),
            )
        arguments.append(word)
        if flags[option].nargs != 0 and not equals:
            if not rest:
                raise ArgumentError(f"{option} needs a value", flags[option].help or "")
            value, rest = _first_word(rest)
            arguments.append(value)
    return arguments, rest


def _first_word(text: str) -> tuple[str, str]:
    """The first word as a shell reads it, and the rest as it stands."""
    stream = io.StringIO(text)
    lexer = shlex.shlex(stream, posix=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    lexer.escape = ""
    try:
        word = lexer.get_token() or ""
    except ValueError as error:
        raise ArgumentError(f"a quote is not closed: {text}", "close it") from error
    return word, stream.read().strip()


def _long(flags: dict[str, Any]) -> list[str]:
    return [flag for flag in flags if flag.startswith("--") and flag != "--help"]
