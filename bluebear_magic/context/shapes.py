"""How the values of a column are spread: counts in equal parts, or the most frequent words. Pure.

Values come as DuckDB gives them: dates beyond Python's years are text, decimals are ``Decimal``.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any, Literal

from bluebear_magic.records import Scalar
from bluebear_magic.runner.values import is_numeric, is_temporal

PARTS = 20
WORDS = 50  # kept of a column; enough to tell what its values look like
LENGTH = 200  # characters kept of a word
_DIGITS = 80  # two decimals of 38 digits, one divided by the other, without losing a part

Kind = Literal["numbers", "times", "words", "other"]


@dataclass(frozen=True)
class Shape:
    """A column among the ``rows`` that were looked at.

    ``bars``: of numbers and times, how many lie in each equal part of ``low`` to ``high``.
    ``top``: of words and booleans, the most frequent, with counts. ``odd``: values that lie in
    no part: NaN, infinities, dates before the year 1 or after 9999. ``distinct``: None where
    values are nested.
    """

    name: str
    kind: Kind
    rows: int
    nulls: int = 0
    distinct: int | None = None
    low: Scalar | None = None
    high: Scalar | None = None
    bars: tuple[int, ...] = ()
    top: tuple[tuple[str, int], ...] = ()
    odd: int = 0


def shape(name: str, ddl: str, values: Sequence[Any]) -> Shape:
    """The shape of a column of Spark type ``ddl``; ``values`` are a column of rows."""
    present = [value for value in values if value is not None]
    rows, nulls = len(values), len(values) - len(present)
    if ddl.upper() in {"STRING", "BOOLEAN"}:
        counts = Counter(_word(value) for value in present)
        top = tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:WORDS])
        return Shape(name, "words", rows, nulls, len(counts), top=top)
    if is_numeric(ddl):
        return _measured(name, "numbers", rows, present, list(filter(_finite, present)))
    if is_temporal(ddl):
        return _measured(name, "times", rows, present, list(filter(_dated, present)))
    return Shape(name, "other", rows, nulls)


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return text if len(text) <= LENGTH else text[: LENGTH - 1] + "…"


def _finite(value: Any) -> bool:
    if isinstance(value, Decimal):
        return value.is_finite()
    return isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))


def _dated(value: Any) -> bool:
    return isinstance(value, dt.date)


def _measured(name: str, kind: Kind, rows: int, present: list[Any], plain: list[Any]) -> Shape:
    """``plain``: those of the values present that can be compared."""
    odd = len(present) - len(plain)
    nulls, distinct = rows - len(present), len(set(plain))
    if odd:
        distinct += len({str(item) for item in present if not (_finite(item) or _dated(item))})
    if not plain:
        return Shape(name, kind, rows, nulls, distinct, odd=odd)
    low, high = min(plain), max(plain)
    numbers = list(map(_number, plain)) if kind == "times" else plain
    bars = _bars(numbers, whole=not isinstance(low, dt.datetime))
    return Shape(name, kind, rows, nulls, distinct, low, high, bars, odd=odd)


def _number(value: Any) -> int:
    """A date as days, a timestamp as microseconds."""
    if isinstance(value, dt.datetime):
        return (value.replace(tzinfo=None) - dt.datetime.min) // dt.timedelta(microseconds=1)
    return int(value.toordinal())


def _bars(numbers: Sequence[Any], *, whole: bool) -> tuple[int, ...]:
    """How many numbers lie in each part; few whole numbers have a part each (``whole``).

    There are no more parts than different numbers: others would be empty for no reason.
    """
    if isinstance(numbers[0], float) and math.isinf(max(numbers) - min(numbers)):
        numbers = [number / 4 for number in numbers]  # the range itself is beyond a double
    with localcontext() as context:
        context.prec = _DIGITS
        low, high = min(numbers), max(numbers)
        span = high - low
        if not span:
            return (len(numbers),)
        count = min(PARTS, len(set(numbers)))
        if isinstance(span, int):
            if whole and span < PARTS:
                count = span + 1
            # Exact: identifiers of twenty digits lie side by side in what a double tells apart.
            width = span + 1 if count == span + 1 else span
            places = ((number - low) * count // width for number in numbers)
        else:
            places = (int((number - low) / span * count) for number in numbers)
        found = Counter(min(place, count - 1) for place in places)
    return tuple(found.get(index, 0) for index in range(count))
