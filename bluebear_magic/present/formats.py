"""How a value of a column is written for a person: the same in tables, charts and summaries."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from statistics import median
from typing import Any

from bluebear_magic.runner.envelope import Table
from bluebear_magic.runner.values import decode, is_numeric

Formatter = Callable[[Any], str]

IDENTIFIERS = frozenset(
    {
        "id", "ids", "key", "code", "zip", "zipcode", "postcode", "phone", "fax", "ean", "isbn",
        "sku", "upc", "ssn", "iban", "uuid", "guid", "pk", "fk", "rank", "index",
    }
)  # fmt: skip
NUMBERED = frozenset({"number", "no", "nr", "num"})  # flight_number, order_no: names of things
ADDED_UP = frozenset(
    {"count", "sum", "total", "avg", "average", "mean", "median", "n", "distinct", "per"}
)
_YEARS = range(1000, 3000)
_WORD_BREAK = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD = re.compile(r"[^\W_]+")


def words(name: str) -> tuple[str, ...]:
    """The words of a column's name: ``avg(DepDelay)`` -> ``("avg", "dep", "delay")``."""
    return tuple(_WORD.findall(_WORD_BREAK.sub(" ", name).lower()))


def noun(name: str) -> str:
    """The word that says what a column holds: of ``order_month`` and ``month(day)``, month."""
    parts = words(name)
    if not parts:
        return ""
    return parts[0] if name.endswith(")") else parts[-1]


def is_identifier(name: str, values: Sequence[Any]) -> bool:
    """Whether whole numbers of this name say which thing, not how much."""
    parts = words(name)
    if not parts or not ADDED_UP.isdisjoint(parts):
        return False
    named = parts[-1] in IDENTIFIERS or (len(parts) > 1 and parts[-1] in NUMBERED)
    return named and _whole(values) and all(value >= 0 for value in values if value is not None)


def is_year(name: str, values: Sequence[Any]) -> bool:
    """Whether whole numbers of this name are years."""
    parts = words(name)
    if not {"year", "yr", "fy"}.intersection(parts) or not ADDED_UP.isdisjoint(parts):
        return False
    return _whole(values) and all(value in _YEARS for value in values if value is not None)


def _whole(values: Sequence[Any]) -> bool:
    return all(
        value is None or (isinstance(value, int) and not isinstance(value, bool))
        for value in values
    )


def columns(table: Table, limit: int | None = None) -> list[tuple[Any, ...]]:
    """The preview by column, decoded; a value that is not of its column's type stays as it came.

    ``limit``: only so many columns, from the left.
    """
    return [
        tuple(_decoded(row[index], kind) if index < len(row) else None for row in table.rows)
        for index, (_, kind) in enumerate(table.columns[:limit])
    ]


def _decoded(value: Any, kind: str) -> Any:
    try:
        found = decode(value, kind)
    except (ValueError, ArithmeticError):
        return value
    return None if isinstance(found, float) and not math.isfinite(found) else found


def formatter(name: str, kind: str, values: Sequence[Any]) -> Formatter:
    """How to write the values, none of them None, of a column of Spark type ``kind``.

    Doubles of a column have the same number of decimals, timestamps the same parts.
    """
    numeric = is_numeric(kind)
    if numeric and not kind.strip().lower().startswith("decimal"):
        plain = is_identifier(name, values) or is_year(name, values)
        double = _double([value for value in values if isinstance(value, float)])
        return lambda value: _number(value, plain, double)
    moments = [value for value in values if isinstance(value, dt.datetime)]
    if moments:
        moment = _moment(moments)
        return lambda value: moment(value) if isinstance(value, dt.datetime) else plain_text(value)
    return plain_text


def _number(value: Any, plain: bool, double: Formatter) -> str:
    if isinstance(value, float):
        return double(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if plain else f"{value:,}"
    return plain_text(value)


def plain_text(value: Any) -> str:
    """A value by itself, without a column to agree with."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return _double([value])(value)
    if isinstance(value, Decimal):
        return f"{value:,f}"
    if isinstance(value, dt.datetime):
        return _moment([value])(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def decimals(values: Sequence[float]) -> int:
    """Decimals that tell a column's doubles apart: none for whole numbers, two for most.

    Where the usual value is under 1, enough for three significant digits of it;
    never more than the values have themselves, nor more than 6.
    """
    if all(value.is_integer() for value in values):
        return 0
    usual = median(abs(value) for value in values if value)
    wanted = 2 if usual >= 1 else min(2 - math.floor(math.log10(usual)), 6)
    needed = (_own_decimals(value, wanted) for value in values)
    return max(1, *needed) if len(values) > 1 else max(1, next(needed))


def _own_decimals(value: float, limit: int) -> int:
    text = f"{value:.{limit}f}".rstrip("0")
    return len(text.partition(".")[2])


def _double(values: Sequence[float]) -> Formatter:
    finite = [value for value in values if math.isfinite(value)]
    largest = max(map(abs, finite), default=0.0)
    if largest >= 1e15 or 0 < largest < 1e-4:
        return lambda value: f"{value:.4g}"
    places = decimals(finite) if finite else 0
    smallest = 0.5 * 10**-places

    def write(value: float) -> str:
        if not math.isfinite(value):
            return str(value)
        # A small number is not shown as zero.
        if value and abs(value) <= smallest:
            return f"{value:.3g}"
        return f"{value or 0.0:,.{places}f}"  # -0.0 is zero

    return write


def _moment(values: Sequence[dt.datetime]) -> Formatter:
    if not any((v.hour, v.minute, v.second, v.microsecond) != (0, 0, 0, 0) for v in values):
        return lambda value: str(value.date().isoformat())
    spec = "minutes"
    if any(value.second or value.microsecond for value in values):
        spec = "seconds"
    if any(value.microsecond for value in values):
        spec = "microseconds" if any(v.microsecond % 1000 for v in values) else "milliseconds"
    return lambda value: str(value.isoformat(sep=" ", timespec=spec))
