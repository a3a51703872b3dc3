"""Spans of time in a question: absolute, counted from the data's last date, recurring."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bluebear_magic.generation.offline.tokens import Token

Unit = Literal["year", "quarter", "month", "week", "day"]

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_ORDINALS = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fourth": 4,
    "1st": 1,
    "2nd": 2,
    "3rd": 3,
    "4th": 4,
}
_UNITS: dict[str, Unit] = {
    "year": "year", "years": "year", "quarter": "quarter", "quarters": "quarter",
    "month": "month", "months": "month", "week": "week", "weeks": "week",
    "day": "day", "days": "day",
}  # fmt: skip
_IN = {"in", "during", "on", "for", "of", "within", "over", "from", "throughout", "at"}


@dataclass(frozen=True)
class Period:
    """When something happened.

    - ``span``: from ``start`` (inclusive) to ``end`` (exclusive); None is open.
    - ``last``: the ``count`` units up to the last date in the data.
    - ``current``, ``previous``: the calendar ``unit`` of that last date, or the one before.
    - ``recurring``: the month, quarter or weekday (Sunday is 1) ``count``, whatever the year.
    """

    kind: Literal["span", "last", "current", "previous", "recurring"]
    start: dt.date | None = None
    end: dt.date | None = None
    unit: Unit | Literal["weekday"] | None = None
    count: int = 1

    @property
    def whole_years(self) -> bool:
        """Whether it begins and ends with a year, so that years alone decide."""
        edges = [edge for edge in (self.start, self.end) if edge]
        return self.kind == "span" and all((edge.month, edge.day) == (1, 1) for edge in edges)


_Found = tuple[int, Period]


def find_periods(tokens: tuple[Token, ...]) -> list[tuple[int, int, Period]]:
    """All spans of tokens that may mean a period: (start, end, period)."""
    found = []
    for start in range(len(tokens)):
        for end, period in _periods_at(tokens, start):
            found.append((start, end, period))
    return found


def _word(tokens: tuple[Token, ...], i: int) -> str:
    return tokens[i].norm if 0 <= i < len(tokens) and tokens[i].kind != "quoted" else ""


def _skip(tokens: tuple[Token, ...], i: int, *words: str) -> int:
    while _word(tokens, i) in words and i < len(tokens):
        i += 1
    return i


def _periods_at(tokens: tuple[Token, ...], i: int) -> Iterator[_Found]:
    word = _word(tokens, i)
    if word in _IN:
        inside = _skip(tokens, i + 1, "the", "year", "of", "month", "date")
        yield from _plain(tokens, inside, introduced=True)
    if word in {"since", "starting", "from"}:
        begin = _skip(tokens, i + 1, "in", "the", "year", "of", "from", "on")
        yield from (
            (end, Period("span", p.start)) for end, p in _spans(tokens, begin, open_=word == "from")
        )
    if word in {"before", "after", "until", "till", "through", "earlier", "later", "prior"}:
        yield from _one_sided(tokens, i, word)
    if word in {"between", "from"}:
        yield from _two_sided(tokens, i)
    yield from _plain(tokens, i, introduced=False)
    yield from _relative(tokens, i)


def _plain(tokens: tuple[Token, ...], i: int, *, introduced: bool) -> Iterator[_Found]:
    """A date, month, quarter or year that stands for all of itself."""
    for end, period in _dates(tokens, i):
        bare_year = end == i + 1 and period.whole_years
        if introduced or not bare_year:
            yield end, period
    yield from _recurring(tokens, i, introduced=introduced)
    if introduced:
        yield from _relative(tokens, i)


def _spans(tokens: tuple[Token, ...], i: int, *, open_: bool) -> Iterator[_Found]:
    """Dates after "since"; "from 2013" needs "on" or "onwards" to be open-ended."""
    for end, period in _dates(tokens, i):
        after = _skip(tokens, end, "on", "onward", "onwards")
        if not open_ or after > end:
            yield after, period


def _one_sided(tokens: tuple[Token, ...], i: int, word: str) -> Iterator[_Found]:
    begin = _skip(tokens, i + 1, "than", "to", "the", "year", "of", "and", "including")
    for end, period in _dates(tokens, begin):
        if word in {"before", "earlier", "prior"}:
            yield end, Period("span", None, period.start)
        elif word in {"after", "later"}:
            yield end, Period("span", period.end, None)
        else:
            yield end, Period("span", None, period.end)


def _two_sided(tokens: tuple[Token, ...], i: int) -> Iterator[_Found]:
    begin = _skip(tokens, i + 1, "the", "year", "years", "of")
    joiners = {"and"} if _word(tokens, i) == "between" else {"to", "until", "till", "through"}
    for middle, first in _dates(tokens, begin):
        if _word(tokens, middle) not in joiners:
            continue
        for end, last in _dates(tokens, _skip(tokens, middle + 1, "the", "year")):
            if first.start and last.end and first.start < last.end:
                yield end, Period("span", first.start, last.end)
    # "between March and May 2013": the year stands once, at the end
    month = _month(tokens, begin)
    if month and _word(tokens, begin + 1) in joiners:
        for end, last in _dates(tokens, begin + 2):
            if last.end and last.start and month <= last.start.month:
                yield end, Period("span", last.start.replace(month=month, day=1), last.end)


def _relative(tokens: tuple[Token, ...], i: int) -> Iterator[_Found]:
    i = _skip(tokens, i, "the")
    word = _word(tokens, i)
    if word in {"this", "current"}:
        unit = _UNITS.get(_word(tokens, i + 1))
        if unit:
            yield i + 2, Period("current", unit=unit)
    if word not in {"last", "past", "previous", "trailing", "latest", "recent"}:
        return
    token = tokens[i + 1] if i + 1 < len(tokens) else None
    if token and isinstance(token.number, int) and 0 < token.number <= 10_000:
        unit = _UNITS.get(_word(tokens, i + 2))
        if unit:
            yield i + 3, Period("last", unit=unit, count=token.number)
        return
    unit = _UNITS.get(_word(tokens, i + 1))
    if unit and _word(tokens, i + 1) == unit:
        if word in {"last", "previous"}:
            yield i + 2, Period("previous", unit=unit)
        elif word in {"past", "trailing"}:
            yield i + 2, Period("last", unit=unit)


def _recurring(tokens: tuple[Token, ...], i: int, *, introduced: bool) -> Iterator[_Found]:
    month = _month(tokens, i)
    if month and (introduced or tokens[i].norm != "may"):
        yield i + 1, Period("recurring", unit="month", count=month)
    word = _word(tokens, i)
    if word.rstrip("s") in _WEEKDAYS:
        yield (
            i + 1,
            Period("recurring", unit="weekday", count=_WEEKDAYS.index(word.rstrip("s")) + 1),
        )
    quarter = _quarter(tokens, i)
    if quarter:
        yield quarter[0], Period("recurring", unit="quarter", count=quarter[1])


# --- absolute dates ------------------------------------------------------------


def _dates(tokens: tuple[Token, ...], i: int) -> Iterator[_Found]:
    """Dates, months with a year, quarters with a year and years that begin at ``i``."""
    if i >= len(tokens):
        return
    if tokens[i].kind == "date":
        day = _iso(tokens[i].text)
        if day:
            yield i + 1, _span(day, "day")
    yield from _with_month(tokens, i)
    quarter = _quarter(tokens, i)
    if quarter:
        after = _skip(tokens, quarter[0], "of", "in", ",")
        year = _year(tokens, after)
        if year:
            yield after + 1, _span(dt.date(year, 3 * quarter[1] - 2, 1), "quarter")
    year = _year(tokens, i)
    if year:
        later = _quarter(tokens, i + 1)
        if later:
            yield later[0], _span(dt.date(year, 3 * later[1] - 2, 1), "quarter")
        yield i + 1, _span(dt.date(year, 1, 1), "year")


def _with_month(tokens: tuple[Token, ...], i: int) -> Iterator[_Found]:
    """March 2013; March 3, 2013; 3 March 2013; the 3rd of March 2013."""
    month = _month(tokens, i)
    if month:
        after = _skip(tokens, i + 1, "of", ",")
        year = _year(tokens, after)
        if year:
            yield after + 1, _span(dt.date(year, month, 1), "month")
        day = _day(tokens, i + 1)
        year_at = _skip(tokens, i + 2, ",", "of")
    else:
        i = _skip(tokens, i, "the")
        day = _day(tokens, i)
        month_at = _skip(tokens, i + 1, "of")
        month, year_at = _month(tokens, month_at), _skip(tokens, month_at + 1, ",", "of")
    year = _year(tokens, year_at)
    if day and month and year:
        try:
            yield year_at + 1, _span(dt.date(year, month, day), "day")
        except ValueError:  # the 31st of June
            return


def _span(start: dt.date, unit: Unit) -> Period:
    return Period("span", start, add(start, unit, 1))


def add(day: dt.date, unit: Unit, count: int) -> dt.date:
    """The first day of the unit ``count`` units on; ``day`` begins its unit."""
    if unit in {"day", "week"}:
        return day + dt.timedelta(days=count * (7 if unit == "week" else 1))
    months = count * {"month": 1, "quarter": 3, "year": 12}[unit]
    index = day.year * 12 + day.month - 1 + months
    return day.replace(year=index // 12, month=index % 12 + 1)


def _iso(text: str) -> dt.date | None:
    year, month, day = map(int, text.split("-"))
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _month(tokens: tuple[Token, ...], i: int) -> int | None:
    word = _word(tokens, i)
    if not len(word) >= 3 or (word == "may" and not tokens[i].text[:1].isupper()):
        return None
    if word == "march" and tokens[i].text == "march" and _word(tokens, i - 1) == "":
        return None
    for number, name in enumerate(_MONTHS, start=1):
        if word == name or (
            len(word) <= 4 and word in {name[:3], "sept"} and name.startswith(word)
        ):
            return number
    return None


def _year(tokens: tuple[Token, ...], i: int) -> int | None:
    token = tokens[i] if i < len(tokens) else None
    if token is None or token.kind != "number" or len(token.text) != 4:
        return None
    return token.number if isinstance(token.number, int) and 1500 <= token.number < 2200 else None


def _day(tokens: tuple[Token, ...], i: int) -> int | None:
    token = tokens[i] if i < len(tokens) else None
    if token is None:
        return None
    if token.kind == "number" and isinstance(token.number, int):
        return token.number if 1 <= token.number <= 31 else None
    if token.norm[:-2].isdigit() and token.norm[-2:] in {"st", "nd", "rd", "th"}:
        return int(token.norm[:-2]) if 1 <= int(token.norm[:-2]) <= 31 else None
    return None


def _quarter(tokens: tuple[Token, ...], i: int) -> tuple[int, int] | None:
    """Q4; the fourth quarter; quarter 4: (end, number)."""
    word, following = _word(tokens, i), _word(tokens, i + 1)
    if len(word) == 2 and word[0] == "q" and word[1] in "1234":
        return i + 1, int(word[1])
    if word in _ORDINALS and following == "quarter":
        return i + 2, _ORDINALS[word]
    if word == "quarter" and following in {"1", "2", "3", "4"}:
        return i + 2, int(following)
    return None
