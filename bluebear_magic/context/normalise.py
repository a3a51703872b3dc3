"""Copies of text files in one plain dialect, for those that DuckDB reads unlike Spark.

Most files are read where they lie. A copy in UTF-8 with doubled quotes and one kind of
line end is made of those in other encodings, with backslash escapes, with several kinds
of line ends, or with lines of blanks, which Spark skips.
"""

from __future__ import annotations

import csv
import glob
import re
from dataclasses import dataclass, replace
from pathlib import Path

from bluebear_magic.context import textfile
from bluebear_magic.context.dialect import Dialect, long_fields
from bluebear_magic.errors import DatasetError

_ENDS = re.compile(rb"\r\n|\n|\r")
_BLANK = re.compile(rb"^[ \t]*[\r\n]", re.MULTILINE)


@dataclass(frozen=True)
class LineFacts:
    """Kinds of line ends that occur; whether there are empty lines, lines of blanks or tabs."""

    ends: frozenset[bytes] = frozenset()
    empty: bool = False
    blanks: bool = False
    tabs: bool = False


def line_facts(path: Path) -> LineFacts:
    """What the lines of a file in UTF-8 or a one-byte encoding are like."""
    ends: set[bytes] = set()
    kinds: set[bytes] = set()
    rest = b""
    for piece in textfile.chunks(path):
        data = rest + piece
        cut = data.rfind(b"\n") + 1 or data.rfind(b"\r", 0, -1) + 1
        rest, data = data[cut:], data[:cut]
        _count(data, ends, kinds)
    _count(rest, ends, kinds)
    blanks = any(kind and b"\t" not in kind for kind in kinds)
    return LineFacts(frozenset(ends), b"" in kinds, blanks, any(b"\t" in kind for kind in kinds))


def _count(data: bytes, ends: set[bytes], kinds: set[bytes]) -> None:
    """Adds the line ends of whole lines, and those lines that are all blanks and tabs."""
    if b"\r" in data:
        ends.update(_ENDS.findall(data))
    elif b"\n" in data:
        ends.add(b"\n")
    if data.isspace() or _BLANK.search(data):
        kinds.update(line for line in data.splitlines() if not line.strip(b" \t"))


def needs_copy(encoding: str, dialect: Dialect, facts: LineFacts, width: int) -> bool:
    """Whether DuckDB would read the file in another way than Spark does."""
    return (
        encoding != "utf-8"
        or dialect.escape == "\\"
        or len(facts.ends) > 1
        or facts.blanks
        or (width == 1 and facts.empty)
        or (dialect.trim and bool(dialect.quote))
        or (dialect.multiline and dialect.newline == "\r\n")
    )


def plain(dialect: Dialect) -> Dialect:
    """The dialect of the copies."""
    return replace(dialect, sep=",", quote='"', escape='"', newline="\n", trim=False)


def copy(path: Path, encoding: str, dialect: Dialect, target: Path) -> None:
    """Writes the rows of ``path`` to ``target`` in the plain dialect; blank lines are left out.

    Raises DatasetError with the line where the text or its quoting is broken.
    """
    with (
        textfile.open_text(path, encoding) as source,
        target.open("w", encoding="utf-8", newline="") as sink,
        long_fields(),
    ):
        writer = csv.writer(sink, lineterminator="\n", quoting=csv.QUOTE_ALL)
        reader = dialect.reader(source)
        try:
            for row in reader:
                if _is_blank(row):
                    continue
                writer.writerow(_as_spark(row, dialect))
        except csv.Error as error:
            raise quote_fault(path, reader.line_num, str(error)) from error
        except UnicodeError as error:
            raise DatasetError(
                f"{path}, line {reader.line_num + 1}: not valid {encoding} text",
                "Save the file as UTF-8.",
            ) from error


def _is_blank(row: list[str]) -> bool:
    """Whether the row is a line of nothing, or of blanks; a quoted empty field is a row."""
    return not row or (len(row) == 1 and row[0].isspace())


def _as_spark(row: list[str], dialect: Dialect) -> list[str]:
    """The values as Spark has them: trimmed if told so, CRLF within them as LF in CRLF files."""
    if dialect.multiline and dialect.newline == "\r\n":
        row = [cell.replace("\r\n", "\n") for cell in row]
    # What is before a value is skipped by the reader, which knows what is quoted.
    return [cell.rstrip(" \t") for cell in row] if dialect.trim else row


def quote_fault(path: Path, line: int, reason: str) -> DatasetError:
    """The error for broken quoting, where Python's reader met it."""
    if "unexpected end" in reason:
        return DatasetError(
            f"{path}: a quoted value is not closed before the end of the file",
            "Add the closing quote, or double quotes inside values.",
        )
    return DatasetError(
        f"{path}, line {line}: a quote in the middle of a quoted value ({reason})",
        'Double quotes inside quoted values: "5"" pipe".',
    )


def find_fault(path: Path, encoding: str, dialect: Dialect, width: int) -> DatasetError | None:
    """Where a file breaks: the first record with another number of fields, or a broken quote."""
    with textfile.open_text(path, encoding) as source, long_fields():
        reader, begins = dialect.reader(source), 1
        try:
            for row in reader:
                if len(row) != width and not _is_blank(row):
                    return DatasetError(
                        f"{path}, line {begins}: {_fields(len(row))} where {width} are expected",
                        "Correct that line (a value with the delimiter in it needs quotes), "
                        "or remove lines that are not part of the table.",
                    )
                begins = reader.line_num + 1
        except csv.Error as error:
            return quote_fault(path, begins, str(error))
        except UnicodeError:
            return DatasetError(f"{path}, line {begins}: not valid {encoding} text")
    return None


def _fields(count: int) -> str:
    return "1 field" if count == 1 else f"{count} fields"


def has_magic(path: Path) -> bool:
    """Whether DuckDB would take the path for a pattern."""
    return glob.has_magic(str(path))
