"""What may come next in a cell: datasets, columns, options, commands. Pure.

A cell is its text up to the cursor. In a question the words of the data are offered; in PySpark
they are offered inside strings, where Python's own completion knows nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

MOST = 300
_QUESTION, _CODE, _LINE = "%%bluebear", "%%bluebear_run", "%bluebear"
_FRAGMENT = re.compile(r"[^\s\"'`,;()\[\]{}]*\Z")
_TABLE = re.compile(r"\.\s*table\s*\(\s*[rbuRBU]{0,2}[\"']{1,3}\Z")


@dataclass(frozen=True)
class Offer:
    """A text that may stand at the cursor, and what it is: ``dataset``, ``column``, ``option``."""

    text: str
    kind: str


@dataclass(frozen=True)
class Offered:
    """Offers in place of ``fragment``, the text right before the cursor.

    ``alone``: nothing else makes sense there.
    """

    fragment: str = ""
    offers: tuple[Offer, ...] = ()
    alone: bool = False


@dataclass(frozen=True)
class Words:
    """What is known. ``columns``: by dataset; ``named``: other names and metrics.

    ``options``: of each magic, with the values that an option takes, where they are known.
    ``commands``: of ``%bluebear``, with the words that may follow; ``actions``: the options of
    each action of ``data``.
    """

    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    commands: Mapping[str, Sequence[str]] = field(default_factory=dict)
    actions: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)

    @property
    def datasets(self) -> list[Offer]:
        """The names of the datasets."""
        return [Offer(name, "dataset") for name in self.columns]

    def columns_of(self, datasets: Iterable[str]) -> list[Offer]:
        """The columns of these datasets, each name once."""
        names = dict.fromkeys(column for name in datasets for column in self.columns.get(name, ()))
        return [Offer(name, "column") for name in names]


def concerns(text: str, line: str) -> bool:
    """Whether a cell, or its current line, is one of ours."""
    return _magic(text) in {_QUESTION, _CODE} or _magic(line) == _LINE


def offered(before: str, words: Words) -> Offered:
    """What may come next. ``before``: the cell up to the cursor."""
    line = before.rpartition("\n")[2]
    magic = _magic(before)
    if magic in {_QUESTION, _CODE}:
        first, newline, body = before.lstrip("\n").partition("\n")
        if not newline:
            return _on_first_line(first, magic, words)
        return _in_question(body, words) if magic == _QUESTION else _in_code(body, words)
    if _magic(line) == _LINE:
        return _in_command(line, words)
    return Offered()


def _magic(text: str) -> str:
    """The magic that a text begins with, once a blank or a line's end stands behind it."""
    found = re.match(r"\s*(%{1,2}\w+)\s", text)
    return found.group(1) if found else ""


def _on_first_line(line: str, magic: str, words: Words) -> Offered:
    options = words.options.get(magic.lstrip("%"), {})
    given = line.split()[1:]
    if not line[-1:].isspace():
        given = given[:-1]
    fragment = _fragment(line)
    if given and given[-1] in options and options[given[-1]]:
        return _of(fragment, options[given[-1]], "value", alone=True)
    if given and given[-1] == "--data":
        return _among(fragment, words.datasets)
    if fragment.startswith("-"):
        return _of(fragment, options, "option", alone=True)
    if magic == _QUESTION:
        return _in_question(line, words)
    return Offered()


def _in_question(text: str, words: Words) -> Offered:
    """Words of the data; of what is begun."""
    fragment = _fragment(text)
    begun = fragment.lower()
    names = (name for known in words.columns.values() for name in known)
    columns = (Offer(n, "column") for n in names if n[: len(begun)].lower() == begun)
    named = (Offer(name, kind) for name, kind in words.named.items())
    return _among(fragment, chain(words.datasets, named, columns), alone=True)


def _in_code(body: str, words: Words) -> Offered:
    """Names inside a string: of datasets where one is read, else of columns."""
    begin = open_string(body)
    if begin is None:
        return Offered()
    if _TABLE.search(body[:begin]):
        return _among(body[begin:], words.datasets, alone=True)
    said = set(re.findall(r"\w+", body.lower()))
    used = [name for name in words.columns if name.lower() in said]
    plain = [
        Offer(f"`{offer.text}`" if "." in offer.text else offer.text, "column")
        for offer in words.columns_of(used or words.columns)
    ]
    return _among(_fragment(body), plain)


def open_string(code: str) -> int | None:
    """Where the content of the string begins in which a code ends; None where it ends in none."""
    quote, begin, at = "", 0, 0
    while at < len(code):
        if quote:
            if code.startswith(quote, at):
                at, quote = at + len(quote), ""
            elif code[at] == "\n" and len(quote) == 1:
                quote = ""  # it was never closed
            else:
                at += 2 if code[at] == "\\" else 1
        elif code[at] == "#":
            end = code.find("\n", at)
            at = len(code) if end < 0 else end
        elif code[at] in "\"'":
            quote = code[at] * 3 if code.startswith(code[at] * 3, at) else code[at]
            at = begin = at + len(quote)
        else:
            at += 1
    return begin if quote else None


def _in_command(line: str, words: Words) -> Offered:
    """The words of ``%bluebear``."""
    given = line.split()[1:]
    if not line[-1:].isspace():
        given = given[:-1]
    fragment = _fragment(line)
    if not given:
        return _of(fragment, words.commands, "command", alone=True)
    if given[0] == "data" and len(given) > 1:
        options = words.actions.get(given[1], {})
        if given[-1] in options and options[given[-1]]:
            return _of(fragment, options[given[-1]], "value", alone=True)
        if fragment.startswith("-"):
            return _of(fragment, options, "option", alone=True)
        names = given[1] in {"show", "rm", "refresh", "profile"} and len(given) == 2
        return _among(fragment, words.datasets, alone=True) if names else Offered()
    after = _of(fragment, words.commands.get(given[0], ()), "value", alone=True)
    if given[0] == "share" and len(given) == 1:
        return _among(fragment, [*after.offers, *words.datasets], alone=True)
    return after if len(given) == 1 or given[0] == "share" else Offered()


def _fragment(text: str) -> str:
    found = _FRAGMENT.search(text)
    return found.group() if found else ""


def _of(fragment: str, texts: Iterable[str], kind: str, *, alone: bool = False) -> Offered:
    return _among(fragment, [Offer(text, kind) for text in texts], alone=alone)


def _among(fragment: str, offers: Iterable[Offer], *, alone: bool = False) -> Offered:
    """Those that begin as what is written does, whatever its case; each text once."""
    begun = fragment.lower()
    fitting: dict[str, Offer] = {}
    for offer in offers:
        if offer.text.lower().lstrip("`").startswith(begun.lstrip("`")):
            fitting.setdefault(offer.text, offer)
        if len(fitting) == MOST:
            break
    return Offered(fragment, tuple(fitting.values()), alone=alone and bool(fitting))
