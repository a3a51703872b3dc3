"""Whether the first row of a delimited text file names its columns, and how sure that is. Pure.

Reading a file, the likelier answer will do. Names leave for a model where values may not, so that
for them it matters whether the first row may be a row after all: see :func:`is_certain`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bluebear_magic.context.texttypes import NULL_MARKERS, candidates

Rows = Sequence[Sequence[str]]

_YEAR = re.compile(r"(19|20)\d\d")
_VALUE = re.compile(
    r"[^@\s]+@[^@\s]+\.\w{2,}"  # an address of mail
    r"|\w+://\S+|www\.\S+"
    r"|\+?\d[\d ()./-]{5,}\d"  # a telephone number, a card's, a date in some spelling
    r"|(?:\d{1,3}\.){3}\d{1,3}"
    r"|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"  # a UUID
    r"|[$€£¥]\s?[\d.,]+|[\d.,]+\s?[$€£¥%]"
)
_COMPOUND = re.compile(r"[a-z]+[0-9]*(?:_[a-z0-9]+)+|[a-z]+(?:[A-Z][a-z0-9]*)+")
_LOWER = re.compile(r"[a-z][a-z0-9_]*")
# Words that name columns and are seldom values.
_NAMING = frozenset(
    """
    id key code name title label type kind class category group status state region country city
    town place location address street zip postcode first last full middle given family surname
    firstname lastname username user customer client employee person people email mail phone
    product item sku brand model carrier airline airport origin destination dest department team
    description comment comments note notes text message subject value amount price cost total
    quantity qty count number date day month year time timestamp created updated start end from to
    source target currency unit language gender sex age role position level parent child url link
    path file column field tag tags color colour size shape answer question question_id
    """.split()
)


def has_header(rows: Rows) -> bool:
    """Whether the first row names the columns, judged by how it differs from the others.

    A row of words over columns of numbers or dates is a header; where everything is
    words it is one unless its words come again below.
    """
    if not rows:
        return False
    first, body = rows[0], rows[1:]
    columns = _columns(rows)
    words = [cell for cell in first if cell.strip() and not _is_typed(cell)]
    if any(_VALUE.fullmatch(cell.strip()) for cell in words):
        return False
    for cell, column in zip(first, columns, strict=True):
        # Years may name columns, though not columns of years.
        if _is_typed(cell) and not _is_naming_year(cell, column):
            return False
    if not words:
        return False
    if any(map(_are_typed, columns)):
        return True
    if any(cell and cell in column for cell, column in zip(first, columns, strict=True)):
        return False
    return all(cell.strip() for cell in first) or not body


def is_certain(rows: Rows) -> bool:
    """Whether the first row, taken for a header, can be no row of the data.

    It is where a word stands over numbers or dates, where years name columns of numbers, where a
    name is a usual one or is put together as names of columns are (``first_name``), or where all
    names are lower-case words and the values of a column are not. In a file of nothing but texts
    whose first row looks like the others it is not: no one can tell ``Anna,Rome`` from a header.
    """
    first = [cell.strip() for cell in rows[0]]
    columns = _columns(rows)
    pairs = list(zip(first, columns, strict=True))
    years = [cell for cell, column in pairs if _is_typed(cell) and _is_naming_year(cell, column)]
    if len(set(years)) > 1 or any(_is_told_apart(cell, column) for cell, column in pairs):
        return True
    lower = all(map(_LOWER.fullmatch, first))
    return lower and any(
        len(column) > 1 and not any(_LOWER.fullmatch(value.strip()) for value in column)
        for column in columns
    )


def _is_told_apart(cell: str, column: Sequence[str]) -> bool:
    """Whether one name differs from what is below it as names differ from values."""
    if not cell or cell in NULL_MARKERS or _is_typed(cell):
        return False
    if _are_typed(column):
        return True
    if _COMPOUND.fullmatch(cell):
        return not any(_COMPOUND.fullmatch(value.strip()) for value in column)
    words = re.findall(r"[a-z0-9]+", cell.lower())
    return bool(words) and all(word in _NAMING for word in words)


def _columns(rows: Rows) -> list[list[str]]:
    """What stands below each cell of the first row."""
    return [[row[i] for row in rows[1:] if i < len(row)] for i in range(len(rows[0]))]


def _are_typed(column: Sequence[str]) -> bool:
    values = {value.strip() for value in column} - NULL_MARKERS - {""}
    return bool(values and candidates(values))


def _is_typed(cell: str) -> bool:
    return bool(candidates({cell.strip()}))


def _is_naming_year(cell: str, column: Sequence[str]) -> bool:
    return bool(_YEAR.fullmatch(cell)) and not any(map(_YEAR.fullmatch, column))
