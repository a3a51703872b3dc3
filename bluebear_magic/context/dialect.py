"""How a delimited text file is written: delimiter, quotes, header; found from its first lines."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from bluebear_magic.context.headers import has_header
from bluebear_magic.context.texttypes import NULL_MARKERS, candidates

# Where two delimiters split all lines evenly, commas are the likelier part of a value.
DELIMITERS = ("\t", ";", "|", ",")
FIELD_LIMIT = 1 << 24


@dataclass(frozen=True)
class Dialect:
    """``quote`` is empty where quotes have no meaning; ``escape``: the quote, or backslash.

    ``trim``: fields are padded with blanks that are no part of the value. ``newline``: the
    line end of the file. ``multiline``: a quoted value goes over a line end.
    """

    sep: str = ","
    quote: str = '"'
    escape: str = '"'
    header: bool = True
    trim: bool = False
    newline: str = "\n"
    multiline: bool = False

    def reader(self, lines: Iterator[str] | io.TextIOBase) -> Any:
        """Python's CSV reader for it; raises csv.Error where quotes are broken."""
        if not self.quote:
            return csv.reader(lines, delimiter=self.sep, quoting=csv.QUOTE_NONE, strict=True)
        if self.escape != self.quote:
            lines = _undo_backslashes(lines, self.quote)
        return csv.reader(
            lines,
            delimiter=self.sep,
            quotechar=self.quote,
            doublequote=True,
            skipinitialspace=self.trim,
            strict=True,
        )


def _undo_backslashes(lines: Iterator[str] | io.TextIOBase, quote: str) -> Iterator[str]:
    """Backslash escapes as Spark reads them: before a quote or a backslash, else they stay."""
    escape = re.compile(r"\\([\\" + quote + "])")
    for line in lines:
        yield escape.sub(lambda found: quote * 2 if found[1] == quote else found[1], line)


@contextmanager
def long_fields() -> Iterator[None]:
    """Lets Python's CSV reader take fields of up to 16 MB."""
    before = csv.field_size_limit(FIELD_LIMIT)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def detect(text: str, *, whole: bool, tabs: bool, given: Mapping[str, str]) -> Dialect:
    """The dialect of a file that begins with ``text``.

    ``whole``: the text is all of the file. ``tabs``: the file's name says that it has tabs.
    ``given``: Spark reader options set by the user, which win.
    """
    line_end = newline(text)
    if not whole:
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1] or text
    best = _best_split(text, whole=whole, tabs=tabs, given=given)
    rows = sample_rows(text, best, whole=whole)
    if "ignoreLeadingWhiteSpace" in given:
        trim = given["ignoreLeadingWhiteSpace"].lower() == "true"
    else:
        trim = best.trim or is_padded(rows) or is_padded(rows[1:])
    if trim != best.trim:
        best = replace(best, trim=trim)
        rows = sample_rows(text, best, whole=whole)
    header = given["header"].lower() == "true" if "header" in given else has_header(rows)
    return replace(best, header=header, newline=line_end)


def _best_split(text: str, *, whole: bool, tabs: bool, given: Mapping[str, str]) -> Dialect:
    """The delimiter and the quotes that split the text most evenly.

    Where none splits most lines alike, it is one column; but a first line that splits says
    that columns are meant, and the uneven lines are told when they are read.
    """
    seps = (given["sep"],) if "sep" in given else DELIMITERS
    found: list[tuple[tuple[float, ...], Dialect]] = []
    for order, sep in enumerate(seps):
        for quote, escape in _quotings(text, sep, given):
            padded = bool(quote) and f"{sep} {quote}" in text  # quotes count after the blank
            trial = Dialect(sep=sep, quote=quote, escape=escape, trim=padded)
            share, width, first = _evenness(text, trial, whole=whole)
            if "sep" in given or (width > 1 and share > 0.5) or first > 1:
                known = float(tabs and sep == "\t")
                score = (share * (width > 1), known, -float(order), _plausible(trial, text))
                found.append((score, trial))
    if found:
        return max(found, key=lambda pair: pair[0])[1]
    quote, escape = _quotings(text, ",", given)[0]
    return Dialect(sep="\x01" if "," in text else ",", quote=quote, escape=escape)


def _quotings(text: str, sep: str, given: Mapping[str, str]) -> list[tuple[str, str]]:
    if "quote" in given:
        quote = given["quote"]
        return [(quote, given.get("escape", quote))]
    found = [('"', given.get("escape", '"'))]
    if '\\"' in text and "escape" not in given:
        found.append(('"', "\\"))
    if _begins_field('"', sep, text) is None and _begins_field("'", sep, text):
        found.append(("'", given.get("escape", "'")))
    # Between tabs or bars quotes often stand for themselves (inches); between commas and
    # semicolons a quote without its partner is a mistake, better told than read.
    if sep in {"\t", "|"} and '"' in text:
        found.append(("", ""))
    return found


def newline(text: str) -> str:
    """The first line end of a text outside quotes; a line feed where there is none."""
    found = re.search(r"\r\n|\n|\r", re.sub(r'"[^"]*"', "", text)) or re.search(r"\r\n|\n|\r", text)
    return found[0] if found else "\n"


def sample_rows(text: str, dialect: Dialect, *, whole: bool) -> list[list[str]]:
    """The rows of a text, blank lines left out; up to where the quoting breaks."""
    rows: list[list[str]] = []
    try:
        with long_fields():
            rows.extend(
                row
                for row in dialect.reader(io.StringIO(text, newline=""))
                if row and (len(row) > 1 or row[0].strip())
            )
    except csv.Error:
        return rows
    return rows if whole or len(rows) < 2 else rows[:-1]


def _evenness(text: str, dialect: Dialect, *, whole: bool) -> tuple[float, int, int]:
    """(share of the rows that have the usual number of fields, that number, the first row's)."""
    rows: list[int] = []
    broken = False
    reader = dialect.reader(io.StringIO(text, newline=""))
    with long_fields():
        while True:
            try:
                row = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                broken = whole or "unexpected end" not in str(error)
                break
            if row and (len(row) > 1 or row[0].strip()):
                rows.append(len(row))
    if not rows:
        return 0.0, 0, 0
    width, count = Counter(rows).most_common(1)[0]
    return count / len(rows) * (0.5 if broken else 1.0), width, rows[0]


def _plausible(dialect: Dialect, text: str) -> float:
    """Of quotings that split a text equally well: quotes that are used beat quotes that are not."""
    if not dialect.quote:
        return 0.0
    used = _begins_field(dialect.quote, dialect.sep, text) is not None
    return (1.0 if used else 0.5) - (0.05 if dialect.escape == "\\" else 0.0)


def _begins_field(quote: str, sep: str, text: str) -> re.Match[str] | None:
    return re.search(f"(^|{re.escape(sep)}) ?{quote}", text, re.MULTILINE)


def is_padded(rows: Sequence[Sequence[str]]) -> bool:
    """Whether blanks around the fields keep numbers or dates from being read."""
    width = max((len(row) for row in rows), default=0)
    for index in range(width):
        values = {row[index] for row in rows if index < len(row)} - NULL_MARKERS
        values = {value for value in values if value.strip() not in NULL_MARKERS | {""}}
        bare = {value.strip() for value in values}
        if bare != values and candidates(bare) and not candidates(values):
            return True
    return False
