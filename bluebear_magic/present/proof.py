"""Whether what a sentence says in numbers is in a result, or follows from it. Pure.

A number is proven where it is, as rounded as it is written,

- a number of the tables, a count of their rows, columns or distinct values, or, where all rows
  are there, the sum, mean or median of a column;
- a number that the question, a column's name or a text of the tables has;
- the difference, ratio, share or change in percent of two numbers of one column or one row that
  the sentence speaks of: by the label of their rows, as the highest, lowest, first or last, as
  the sum of some or all, or by naming both.

Others are not, true or not.
"""

from __future__ import annotations

import bisect
import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from itertools import permutations
from statistics import median

from bluebear_magic.present import formats
from bluebear_magic.present.figures import Figure, figures
from bluebear_magic.runner.envelope import Table
from bluebear_magic.runner.values import is_numeric

_COLUMNS = 20
_NAMED = 12  # rows that one sentence may speak of
_SLACK = Decimal("1e-9")
_SCALED = Decimal("0.1")  # of a number in millions, at most
_LOOSE = Decimal("0.05")  # of a number that is said to be about right
_AVERAGED = frozenset(
    {"avg", "average", "mean", "median", "rate", "ratio", "pct", "percent", "share", "stddev"}
)
_SHARE = re.compile(r"\b(?:share|ratio|fraction|proportion|factor)\b", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_MONTHS = ("January February March April May June July August September October November "
           "December").split()  # fmt: skip
Derived = dict[str, list[Decimal]]


def proven(sentences: Iterable[str], tables: Sequence[Table], question: str = "") -> list[str]:
    """The sentences of which every number is proven by the tables or was in the question."""
    facts = Facts(tables, question)
    return [sentence for sentence in sentences if not facts.unproven(sentence)]


def told_of_columns(table: Table) -> list[str]:
    """What may be said of each column of numbers as a whole, one line each."""
    lines = []
    for (name, _), values in zip(table.columns, formats.columns(table), strict=False):
        column = _Column(name, tuple(map(_number, values)), whole=not table.truncated)
        if len(column.present) < 2 or formats.is_identifier(name, values):
            continue
        write = formats.formatter(name, "double", [float(n) for n in column.present])
        facts = {"lowest": min(column.present), "highest": max(column.present)}
        if column.additive and not formats.is_year(name, values):
            facts["sum"] = sum(column.present, Decimal(0))
        told = ", ".join(f"{fact} {write(float(value))}" for fact, value in facts.items())
        lines.append(f"of all rows, {name}: {told}")
    return lines


@dataclass(frozen=True)
class _Column:
    name: str
    numbers: tuple[Decimal | None, ...]
    whole: bool  # all rows of the result are there

    @cached_property
    def present(self) -> list[Decimal]:
        return [number for number in self.numbers if number is not None]

    @property
    def additive(self) -> bool:
        return self.whole and _AVERAGED.isdisjoint(formats.words(self.name))

    def landmarks(self) -> set[int]:
        """The rows with the highest and the lowest value, the first and the last."""
        rows = [row for row, number in enumerate(self.numbers) if number is not None]
        if not rows:
            return set()
        value = self.numbers.__getitem__
        return {max(rows, key=value), min(rows, key=value), rows[0], rows[-1]}  # type: ignore[arg-type]


@dataclass
class _Grid:
    """One table: its columns of numbers, and by which texts its rows go."""

    columns: list[_Column] = field(default_factory=list)
    labels: list[set[str]] = field(default_factory=list)


class Facts:
    """What may be said of a result."""

    def __init__(self, tables: Sequence[Table], question: str = "") -> None:
        self._grids: list[_Grid] = []
        self._texts: set[str] = set()  # as they stand, in lower case
        self._exact: set[Decimal] = set()
        self._counts: set[Decimal] = {Decimal(len(tables))}
        self._rows = 0
        numbers: list[Decimal] = []
        self._read(question)
        for table in tables:
            numbers += self._take(table)
        self._numbers = sorted(numbers)

    def unproven(self, sentence: str) -> tuple[str, ...]:
        """The numbers of a sentence that nothing proves, as they are written."""
        found = figures(sentence)
        if not found:
            return ()
        stated = [
            value
            for figure in found
            if figure.kind == "number" and self._near(figure, Decimal(1))
            for value, _ in figure.readings
        ]
        derived = self._derived(sentence, stated, found)
        share = bool(_SHARE.search(sentence))
        return tuple(f.text for f in found if not self._proves(f, derived, share=share))

    # --- reading -----------------------------------------------------------

    def _take(self, table: Table) -> Iterator[Decimal]:
        whole = not table.truncated
        self._rows = max(self._rows, len(table.rows), table.row_count or 0)
        counts = {len(table.rows), len(table.columns), *filter(None, [table.row_count])}
        self._read(table.title)
        grid = _Grid(labels=[set() for _ in table.rows])
        for (name, kind), values in zip(table.columns, formats.columns(table), strict=False):
            self._read(name)
            present = [value for value in values if value is not None]
            counts |= {len(present), len(values) - len(present)}
            numbers = tuple(map(_number, values))
            if any(number is not None for number in numbers):
                column = _Column(name, numbers, whole)
                grid.columns.append(column)
                yield from column.present
                if whole:
                    yield from _stats(column)
            write = formats.formatter(name, kind, present)
            shown = [None if value is None else write(value) for value in values]
            tally = Counter(shown)
            counts |= {len(tally), *tally.values()}
            for text in tally:
                if text is not None and not is_numeric(kind):
                    self._read(text)
            self._label(grid, values, shown)
        self._counts |= set(map(Decimal, counts))
        self._grids.append(grid)

    def _label(self, grid: _Grid, values: Sequence[object], shown: Sequence[str | None]) -> None:
        for labels, value, text in zip(grid.labels, values, shown, strict=True):
            if isinstance(value, dt.date):
                month = _MONTHS[value.month - 1]
                labels |= {f"{month} {value.year}".lower(), month.lower()}
                self._exact |= {Decimal(value.year), Decimal(value.month), Decimal(value.day)}
            if text is not None and not isinstance(value, float | Decimal | bool):
                labels.add(text.lower())

    def _read(self, text: str) -> None:
        """Takes a text, its words, and the numbers in it."""
        self._texts.add(text.lower())
        self._texts |= {word.lower() for word in _WORD.findall(text)}
        for figure in figures(text):
            self._exact |= {abs(value) for value, _ in figure.readings}
            if figure.kind == "text":
                self._texts.add(figure.text.lower())
                self._exact |= set(map(Decimal, re.findall(r"\d+", figure.text)))

    # --- proving -----------------------------------------------------------

    def _proves(self, figure: Figure, derived: Derived, *, share: bool) -> bool:
        if figure.kind == "unread":
            return False
        if figure.kind == "text":
            return self._has_text(figure.text.lower())
        said = any(abs(value) in self._exact for value, _ in figure.readings)
        if said and figure.kind in {"number", "percent", "points", "ordinal"}:
            return True
        if figure.kind == "ordinal":
            return any(0 < value <= self._rows for value, _ in figure.readings)
        if figure.kind == "number" and self._counted(figure):
            return True
        among = {
            "number": derived["difference"] + (derived["ratio"] if share else []),
            "percent": derived["percent"],
            "points": derived["difference"],
            "times": derived["ratio"],
            "fraction": derived["ratio"],
        }[figure.kind]
        if any(_says(figure, value) for value in among):
            return True
        shown = figure.kind in {"number", "percent", "points"}
        if shown and self._near(figure, Decimal(1)):
            return True
        return figure.kind in {"percent", "points"} and self._near(figure, Decimal(100))

    def _counted(self, figure: Figure) -> bool:
        if figure.hedge == "top":
            return any(0 < value <= self._rows for value, _ in figure.readings)
        return any(value in self._counts for value, _ in figure.readings)

    def _has_text(self, text: str) -> bool:
        return text in self._texts or any(
            text in known and re.search(rf"(?<!\w){re.escape(text)}(?!\w)", known)
            for known in self._texts
        )

    def _near(self, figure: Figure, factor: Decimal) -> bool:
        """Whether a number of the tables is what is written; times a factor, for parts of one."""
        for value, _ in figure.readings:
            reach = abs(value) * _SCALED + figure.round + 1
            for center in {value, abs(value), -abs(value)} if value >= 0 else {value}:
                low = bisect.bisect_left(self._numbers, (center - reach) / factor)
                for number in self._numbers[low:]:
                    if number * factor > center + reach:
                        break
                    if factor == 1 or abs(number) <= 1:
                        said = number if value < 0 else abs(number)
                        if _says(figure, said * factor):
                            return True
        return False

    # --- what follows ------------------------------------------------------

    def _derived(
        self, sentence: str, stated: Sequence[Decimal], found: Sequence[Figure]
    ) -> Derived:
        """Differences, ratios and changes of the numbers that a sentence speaks of."""
        derived: Derived = {"difference": [], "ratio": [], "percent": []}
        tops = [int(v) for f in found if f.hedge == "top" for v, _ in f.readings if 0 < v < 1000]
        pairs = set(permutations(stated[:_NAMED], 2))
        said = sentence.lower()
        for grid in self._grids:
            named = _named(grid.labels, said)
            columns = grid.columns[:_COLUMNS]
            for column in columns:
                sums = _sums(column, named, tops)
                pairs |= set(permutations(_operands(column, named), 2))
                derived["difference"] += map(abs, sums)
                pairs |= _shares(column, named, sums)
            for row in named:
                across = [c.numbers[row] for c in columns if c.numbers[row] is not None]
                pairs |= set(permutations(across, 2))  # type: ignore[arg-type]
        for first, second in pairs:
            derived["difference"].append(abs(first - second))
            if second:
                derived["ratio"].append(abs(first / second))
                derived["percent"].append(100 * abs(first / second))
                derived["percent"].append(100 * abs((first - second) / second))
        return derived


def _operands(column: _Column, named: Sequence[int]) -> list[Decimal]:
    """The numbers that may be held against each other: of the rows named; where it is only one
    or none, of those that stand out too.
    """
    rows = set(named) if len(named) > 1 else {*named, *column.landmarks()}
    return [number for row in rows if (number := column.numbers[row]) is not None]


def _shares(
    column: _Column, named: Sequence[int], sums: Iterable[Decimal]
) -> set[tuple[Decimal, Decimal]]:
    """Rows and sums of rows, each with the sum of all."""
    if not column.additive:
        return set()
    total = sum(column.present, Decimal(0))
    return {(part, total) for part in (*_operands(column, named), *sums)}


def _sums(column: _Column, named: Sequence[int], tops: Sequence[int]) -> set[Decimal]:
    """Sums of the rows that are named together, and of the first ones by value."""
    if not column.additive:
        return set()
    together = [number for row in named if (number := column.numbers[row]) is not None]
    sums = {sum(together, Decimal(0))} if len(together) > 1 else set()
    falling = sorted(column.present, reverse=True)
    for top in tops:
        if top <= len(falling):
            sums |= {sum(falling[:top], Decimal(0)), sum(falling[-top:], Decimal(0))}
    return sums


def _named(labels: Sequence[set[str]], said: str) -> list[int]:
    """The rows that a sentence names by a label."""
    known: dict[str, bool] = {}

    def in_it(label: str) -> bool:
        if label not in known:
            known[label] = label in said and bool(
                re.search(rf"(?<!\w){re.escape(label)}(?!\w)", said)
            )
        return known[label]

    return [row for row, names in enumerate(labels) if any(map(in_it, names))][:_NAMED]


def _stats(column: _Column) -> Iterator[Decimal]:
    if column.present:
        total = sum(column.present, Decimal(0))
        if column.additive:
            yield total
        yield total / len(column.present)
        yield median(column.present)


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, float):
        return Decimal(repr(value))
    return value if isinstance(value, Decimal) and value.is_finite() else None


def _says(figure: Figure, number: Decimal) -> bool:
    return any(_rounds(number, value, unit, figure) for value, unit in figure.readings)


def _rounds(number: Decimal, value: Decimal, unit: Decimal, figure: Figure) -> bool:
    """Whether ``value``, with one in its last digit worth ``unit``, is ``number`` as written."""
    off = abs(number - value)
    half = unit / 2 * (1 + _SLACK) + abs(value) * _SLACK * _SLACK
    if not value and unit == 1:
        return number == 0  # 0 is not what is small
    if off <= half and (not figure.scaled or off <= abs(value) * _SCALED):
        return True
    if not figure.hedge or figure.hedge == "top":
        return False
    loose = max(abs(value) * _LOOSE, unit / 2)
    if figure.hedge == "about":
        return off <= min(figure.round / 2, loose)
    return off <= loose and (number > value) == (figure.hedge == "over")
