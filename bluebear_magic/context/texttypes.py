"""What a column of text holds: numbers, dates, times; told in one way to Python and DuckDB.

A type is accepted only in spellings that Spark's reader and DuckDB turn into the same
value; everything else stays text. Integers become BIGINT whatever their size, so that
sums and products do not overflow and the type does not depend on which rows were seen.
Integers with leading zeros are codes, and stay text.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from bluebear_magic.errors import DatasetError

# How missing values are spelled in files whose columns hold numbers or dates otherwise.
NULL_MARKERS = frozenset(
    {"NA", "N/A", "n/a", "na", "#N/A", "NULL", "null", "Null", "(null)", "None", "none", "NaN"}
    | {"nan", "NIL", "nil", "missing", "\\N", ".", "?", "-", "--", "---"}
)

_ISO_DATE = r"\d{4}-\d{2}-\d{2}"
_ISO_TIME = r"[ T]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?"
_ZONE = r"(Z|[+-]\d{2}(:?\d{2})?)"
_MONTHS = "(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_FIELDS = {  # Spark's pattern letters: (strptime's, regular expression)
    "yyyy": ("%Y", r"\d{4}"),
    "MMM": ("%b", _MONTHS), "MM": ("%m", r"\d{2}"), "M": ("%m", r"\d{1,2}"),
    "dd": ("%d", r"\d{2}"), "d": ("%d", r"\d{1,2}"),
    "HH": ("%H", r"\d{2}"), "H": ("%H", r"\d{1,2}"),
    "hh": ("%I", r"\d{2}"), "h": ("%I", r"\d{1,2}"), "a": ("%p", "(?i:AM|PM)"),
    "mm": ("%M", r"\d{2}"), "m": ("%M", r"\d{1,2}"),
    "ss": ("%S", r"\d{2}"), "s": ("%S", r"\d{1,2}"),
}  # fmt: skip


@dataclass(frozen=True)
class TextType:
    """A Spark type in one spelling. ``pattern``: Spark's date pattern, None for ISO and others.

    ``spelling`` is a regular expression, the same for Python and DuckDB, that a value
    has to match as a whole.
    """

    ddl: str
    spelling: str
    pattern: str | None = None

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.spelling, re.ASCII)

    def matches(self, value: str) -> bool:
        """Whether ``value`` is spelled like this type and is a value of it."""
        return bool(self._compiled.fullmatch(value)) and self._is_value(value)

    def _is_value(self, value: str) -> bool:
        if self.ddl == "BIGINT":
            return -(2**63) <= int(value) < 2**63
        if self.ddl == "DOUBLE":
            return abs(float(value)) != float("inf")
        if self.ddl in {"DATE", "TIMESTAMP"}:
            try:
                if self.pattern:
                    dt.datetime.strptime(value, strptime_format(self.pattern))
                else:
                    dt.datetime.fromisoformat(value[:16].replace(" ", "T"))
            except ValueError:
                return False
        return True

    def sql_value(self, column: str) -> str:
        """DuckDB's expression for the value; null where the text is none of this type."""
        if self.ddl == "STRING":
            return column
        if self.ddl == "BOOLEAN":
            return f"(lower({column}) = 'true')"
        if self.ddl == "DATE" and self.pattern:
            return f"try_strptime({column}, '{strptime_format(self.pattern)}')::DATE"
        if self.ddl == "TIMESTAMP":
            return self._sql_timestamp(column)
        duck = {"STRING": "VARCHAR"}.get(self.ddl, self.ddl)
        return f"try_cast({column} AS {duck})"

    def _sql_timestamp(self, column: str) -> str:
        if self.pattern:
            return f"try_strptime({column}, '{strptime_format(self.pattern)}')"
        # DuckDB's cast to TIMESTAMP drops an offset, so a value with one goes through
        # an instant, and comes back as UTC's time.
        zoned = f"regexp_matches({column}, '{_ZONE}$') AND length({column}) > 10"
        compact = f"replace({column}, ' ', 'T')"
        compact = f"regexp_replace({compact}, 'T([+-][0-9:]+)$', '\\1')"
        instant = f"make_timestamp(epoch_us(try_cast({compact} AS TIMESTAMPTZ)))"
        return f"CASE WHEN {zoned} THEN {instant} ELSE try_cast({column} AS TIMESTAMP) END"

    def sql_matches(self, column: str) -> str:
        """DuckDB's expression for ``matches``."""
        spelled = f"regexp_full_match({column}, '{self.spelling}')"
        if self.ddl in {"BIGINT", "DATE", "TIMESTAMP"}:
            return f"({spelled} AND {self.sql_value(column)} IS NOT NULL)"
        if self.ddl == "DOUBLE":
            return f"({spelled} AND isfinite({self.sql_value(column)}))"
        return f"({spelled})"


def strptime_format(pattern: str) -> str:
    """The strptime format of a Spark date pattern; DatasetError for letters not known here."""
    return "".join(_FIELDS[part][0] if part in _FIELDS else part for part in _parts(pattern))


def _spelling(pattern: str) -> str:
    return "".join(
        _FIELDS[part][1] if part in _FIELDS else re.escape(part) for part in _parts(pattern)
    )


def _parts(pattern: str) -> list[str]:
    parts: list[str] = []
    for match in re.finditer(r"'([^']*)'|([A-Za-z])\2*|[^A-Za-z']", pattern):
        part = match[1] if match[1] is not None else match[0]
        if match[2] and part not in _FIELDS:
            raise DatasetError(
                f"the date pattern {pattern!r} has {part!r}, which is not understood",
                f"Use {', '.join(_FIELDS)} and separators.",
            )
        parts.append(part)
    return parts


def date_type(pattern: str) -> TextType:
    """Dates in a Spark pattern, such as ``d/M/yyyy``."""
    return TextType("DATE", _spelling(pattern), pattern)


def timestamp_type(pattern: str) -> TextType:
    """Timestamps in a Spark pattern, such as ``d/M/yyyy H:mm``."""
    return TextType("TIMESTAMP", _spelling(pattern), pattern)


STRING = TextType("STRING", r"(?s:.*)")
BOOLEAN = TextType("BOOLEAN", "(?i:true|false)")
BIGINT = TextType("BIGINT", r"[+-]?(0|[1-9]\d{0,18})")
HUGE = TextType("DECIMAL(38,0)", r"-?(0|[1-9]\d{0,37})")
DOUBLE = TextType("DOUBLE", r"[+-]?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
DATE = TextType("DATE", _ISO_DATE)
TIMESTAMP = TextType("TIMESTAMP", f"{_ISO_DATE}({_ISO_TIME}( ?{_ZONE})?)?")

# In order of preference: of two that fit, month first is what most software writes with
# slashes, day first with dots.
DATE_PATTERNS = (
    "M/d/yyyy", "d/M/yyyy", "d.M.yyyy", "d-M-yyyy", "M-d-yyyy", "yyyy/M/d", "yyyy.M.d",
    "d-MMM-yyyy", "d MMM yyyy", "d/MMM/yyyy", "MMM d, yyyy",
)  # fmt: skip
_TIME_PATTERNS = ("H:mm", "H:mm:ss", "h:mm a", "h:mm:ss a")
DATES = tuple(date_type(pattern) for pattern in DATE_PATTERNS)
TIMESTAMPS = tuple(
    timestamp_type(f"{date} {time}") for date, time in product(DATE_PATTERNS, _TIME_PATTERNS)
)
PLAIN = (BOOLEAN, BIGINT, HUGE, DOUBLE, DATE, TIMESTAMP)


def candidates(values: Collection[str]) -> list[TextType]:
    """The types, best first, that all of ``values`` are spelled like; text is not among them."""
    if not values:
        return []
    return [kind for kind in (*PLAIN, *DATES, *TIMESTAMPS) if all(kind.matches(v) for v in values)]
