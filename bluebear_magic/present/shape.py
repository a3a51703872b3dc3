"""What the columns of a result are for: the part of a chart or a sentence each can play."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from bluebear_magic.present import formats
from bluebear_magic.runner.envelope import Table
from bluebear_magic.runner.values import is_numeric, is_temporal

Role = Literal["time", "ordinal", "category", "identifier", "measure", "other"]
FIELDS = 60  # columns that are looked at
ALIKE = 20.0  # measures whose largest values are within this factor share an axis

# Parts of a date that Spark's functions give, and their ranges.
_ORDINALS = {
    "quarter": range(1, 5), "month": range(1, 13), "week": range(1, 54), "day": range(1, 32),
    "hour": range(24), "minute": range(60), "weekday": range(8), "dow": range(8),
    "dayofweek": range(1, 8), "dayofmonth": range(1, 32), "dayofyear": range(1, 367),
    "weekofyear": range(1, 54),
}  # fmt: skip
_PERIOD = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?")
_QUARTER = re.compile(r"(\d{4})[- ]?Q([1-4])")


@dataclass(frozen=True)
class Field:
    """A column of a result: its values in row order, and its role.

    ``points`` place a time on an axis (``datetime``, or a number for years and other
    ordinals); None where the value has no place. ``labels`` are the values as tables
    write them, ``null`` where missing.
    """

    name: str
    role: Role
    values: tuple[Any, ...]
    points: tuple[Any, ...]
    labels: tuple[str, ...]

    @property
    def numeric(self) -> bool:
        """Whether it holds any number, and nothing else."""
        present = [value for value in self.values if value is not None]
        return bool(present) and all(map(_number, present))

    @property
    def floats(self) -> tuple[float | None, ...]:
        """The values as numbers; None where there is none."""
        return tuple(float(value) if _number(value) else None for value in self.values)


def _number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def fields(table: Table) -> tuple[Field, ...]:
    """The columns of the preview, each with its role."""
    return tuple(
        _field(name, kind, values)
        for (name, kind), values in zip(table.columns, formats.columns(table, FIELDS), strict=False)
    )


def _field(name: str, kind: str, values: tuple[Any, ...]) -> Field:
    present = [value for value in values if value is not None]
    write = formats.formatter(name, kind, present)
    labels = tuple("null" if value is None else write(value) for value in values)
    role, points = _role(name, kind, values, present)
    return Field(name, role, values, points, labels)


def _role(
    name: str, kind: str, values: tuple[Any, ...], present: Sequence[Any]
) -> tuple[Role, tuple[Any, ...]]:
    if is_temporal(kind) and all(isinstance(value, dt.date) for value in present):
        return "time", tuple(map(_moment, values))
    if is_numeric(kind) and all(map(_number, present)):
        if present and formats.is_year(name, present):
            return "time", values
        if present and _is_ordinal(name, present):
            return "ordinal", values
        return ("identifier" if formats.is_identifier(name, present) else "measure"), ()
    if not all(isinstance(value, str | bool) for value in present):
        return "other", ()
    periods = tuple(map(_period, values))
    if present and all((v is None) == (p is None) for v, p in zip(values, periods, strict=True)):
        return "time", periods
    return "category", ()


def _moment(value: Any) -> dt.datetime | None:
    if value is None or isinstance(value, dt.datetime):
        return value
    return dt.datetime(value.year, value.month, value.day)


def _period(value: Any) -> dt.datetime | None:
    """The start of a month, a day or a quarter written as text: 2024-03, 2024-03-01, 2024-Q1."""
    if not isinstance(value, str):
        return None
    if quarter := _QUARTER.fullmatch(value):
        year, month, day = int(quarter[1]), 3 * int(quarter[2]) - 2, 1
    elif period := _PERIOD.fullmatch(value):
        year, month, day = int(period[1]), int(period[2]), int(period[3] or 1)
    else:
        return None
    try:
        return dt.datetime(year, month, day)
    except ValueError:
        return None


def _is_ordinal(name: str, values: Iterable[Any]) -> bool:
    if not formats.ADDED_UP.isdisjoint(formats.words(name)):
        return False
    span = _ORDINALS.get(formats.noun(name))
    return span is not None and all(isinstance(value, int) and value in span for value in values)


def year_and_month(columns: Sequence[Field]) -> tuple[Field, Field] | None:
    """The two columns that say one time together, where there are such."""
    year = next(
        (f for f in columns if f.role == "time" and formats.is_year(f.name, f.values)), None
    )
    months = (f for f in columns if f.role == "ordinal" and formats.noun(f.name) == "month")
    month = next(months, None)
    return None if year is None or month is None else (year, month)


def joined(year: Field, month: Field) -> Field:
    """Year and month as one time."""
    points = tuple(
        None if y is None or m is None else dt.datetime(y, m, 1)
        for y, m in zip(year.values, month.values, strict=True)
    )
    labels = tuple("null" if point is None else f"{point:%Y-%m}" for point in points)
    return Field(f"{year.name}, {month.name}", "time", points, points, labels)


def unique(columns: Sequence[Field]) -> bool:
    """Whether no two rows have the same values in all of ``columns``."""
    rows = list(zip(*(column.labels for column in columns), strict=True))
    return len(set(rows)) == len(rows)


def measures(columns: Sequence[Field]) -> list[Field]:
    """The columns that say how much, where they say anything."""
    return [column for column in columns if column.role == "measure" and column.numeric]


def lead(candidates: Sequence[Field], question: str) -> Field:
    """The measure that the question is about.

    The one whose name the question has most of; else the one that the rows are in order
    of; else the first.
    """
    asked = set(formats.words(question))
    named = {
        column.name: len(asked.intersection(formats.words(column.name))) for column in candidates
    }
    best = max(candidates, key=lambda column: named[column.name])
    if list(named.values()).count(named[best.name]) == 1 and named[best.name]:
        return best
    ties = [column for column in candidates if named[column.name] == named[best.name]]
    return next((column for column in ties if in_order(column)), ties[0])


def in_order(column: Field) -> bool:
    """Whether the rows are sorted by this measure, either way, and differ in it."""
    found = [value for value in column.floats if value is not None]
    if len(found) < 3 or found[0] == found[-1]:
        return False
    return found in (sorted(found), sorted(found, reverse=True))


def alike(candidates: Sequence[Field], first: Field) -> list[Field]:
    """``first`` and the measures whose values are of its size, in column order."""
    size = _size(first)
    return [
        column
        for column in candidates
        if column is first or (size and 1 / ALIKE <= _size(column) / size <= ALIKE)
    ]


def _size(column: Field) -> float:
    return max((abs(value) for value in column.floats if value is not None), default=0.0)
