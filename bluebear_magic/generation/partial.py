"""The code inside a tool's arguments while they arrive: JSON that is not whole yet. Pure."""

from __future__ import annotations

import re

_BEGIN = re.compile(r'"code"\s*:\s*"')
_ESCAPE = re.compile(r"\\(?:u.{4}|.)", re.DOTALL)
_FIRST_HALF = re.compile(r"\\u[dD][89abAB]")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "\\": "\\", "/": "/"}


class CodeTap:
    """Takes pieces of JSON text; gives what they add to the value of its first ``code``."""

    def __init__(self) -> None:
        self._text = ""
        self._at = -1  # where the value goes on; -1 before it began
        self._done = False

    def feed(self, piece: str) -> str:
        """What this piece adds to the code; empty where it adds nothing."""
        if self._done:
            return ""
        self._text += piece
        if self._at < 0:
            match = _BEGIN.search(self._text)
            if not match:
                return ""
            self._at = match.end()
        return self._decode()

    def _decode(self) -> str:
        found: list[str] = []
        text, at = self._text, self._at
        while at < len(text):
            char = text[at]
            if char == '"':
                self._done = True
                break
            if char != "\\":
                found.append(char)
                at += 1
                continue
            length = _length(text, at)
            if at + length > len(text):
                break  # the rest of the escape is still to come
            found += map(_unescaped, _ESCAPE.findall(text, at, at + length))
            at += length
        self._at = at
        return "".join(found).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _length(text: str, at: int) -> int:
    """Of the escape that begins here; an emoji comes as two, which belong together."""
    if text[at + 1 : at + 2] != "u":
        return 2
    if not _FIRST_HALF.match(text, at):
        return 6
    return 12 if "\\u".startswith(text[at + 6 : at + 8]) else 6


def _unescaped(escape: str) -> str:
    if escape[1] != "u":
        return _ESCAPES.get(escape[1], escape)
    try:
        return chr(int(escape[2:], 16))
    except ValueError:
        return escape
