"""Nouns, figures and values: the phrases that clauses are made of."""

from __future__ import annotations

from collections.abc import Iterator

from bluebear_magic.generation.offline.cursor import SKIP, STEP, Cursor
from bluebear_magic.generation.offline.linking import Mention
from bluebear_magic.generation.offline.plan import Function
from bluebear_magic.generation.offline.request import (
    ColumnRef,
    MeasureRef,
    Part,
    PartRef,
    Role,
    TableRef,
    Target,
    Where,
)


class Phrases(Cursor):
    """The phrases that may begin at a place."""

    def _column(self, at: int) -> Iterator[tuple[ColumnRef, int, float]]:
        for mention, end, cost in self._mentions(at, "column"):
            yield ColumnRef(mention), end, cost

    def _table(self, at: int) -> Iterator[tuple[TableRef, int, float]]:
        for mention, end, cost in self._mentions(at, "dataset"):
            yield TableRef(mention), end, cost
        for _, end, cost in self._sense(at, "rows"):
            yield TableRef(None), end, cost
        for column, middle, cost in self._column(at):
            for mention, end, more in self._mentions(middle, "dataset"):
                if mention.start == middle:
                    yield TableRef(mention, via=column), end, cost + more

    def _part(self, at: int) -> Iterator[tuple[PartRef, int, float]]:
        for mention, end, cost in self._sense(at, "datepart"):
            assert mention.sense
            yield PartRef(mention.sense.value), end, cost - 0.01  # type: ignore[arg-type]

    def _noun(self, at: int) -> Iterator[tuple[Target, int, float]]:
        yield from self._column(at)
        yield from self._table(at)
        yield from self._part(at)

    def _qualified_table(self, at: int) -> Iterator[tuple[tuple[Part, ...], TableRef, int, float]]:
        """A dataset with values before it ("UA flights") or behind ("artist Queen")."""
        for table, end, cost in self._table(at):
            yield (), table, end, cost
            for where, after, more in self._bare_values(end):
                yield (where,), table, after, cost + more
        for where, middle, cost in self._bare_values(at):
            for table, end, more in self._table(middle):
                yield (where,), table, end, cost + more

    def _bare_values(self, at: int) -> Iterator[tuple[Where, int, float]]:
        for operands, end, cost in self._operands(at, numbers=False):
            yield Where(None, "in", operands), end, cost

    def _measures(self, at: int) -> Iterator[tuple[tuple[MeasureRef, ...], int, float]]:
        """Aggregates of a column, and counts."""
        for functions, middle, cost in self._functions(at):
            for counting, inner, more in self._number_of(middle):
                for columns, end, most in self._column_list(inner):
                    yield (
                        tuple(
                            MeasureRef(f, column, counting, loose=loose)
                            for column in columns
                            for f, loose in functions
                        ),
                        end,
                        cost + more + most,
                    )
        for measure, end, cost in self._count(at):
            yield (measure,), end, cost

    def _column_list(self, at: int) -> Iterator[tuple[tuple[ColumnRef, ...], int, float]]:
        """Columns that share the aggregate before them: "average price and score"."""
        for column, end, cost in self._column(at):
            yield (column,), end, cost
            for _, middle, more in self._joiner(end):
                for rest, after, most in self._column_list(middle):
                    yield (column, *rest), after, cost + more + most

    def _functions(self, at: int) -> Iterator[tuple[tuple[tuple[Function, bool], ...], int, float]]:
        """One aggregate function or several: "minimum and maximum"."""
        for function, loose, end, cost in self._function(at):
            for _, middle, more in self._maybe(end, "preposition", "plain"):
                yield ((function, loose),), middle, cost + more
            for _, middle, more in self._joiner(end):
                for rest, after, most in self._functions(middle):
                    yield ((function, loose), *rest), after, cost + more + most

    def _function(self, at: int) -> Iterator[tuple[Function, bool, int, float]]:
        for mention, end, cost in self._sense(at, "aggregate"):
            assert mention.sense
            yield mention.sense.value, False, end, cost  # type: ignore[misc]
        for mention, end, cost in self._sense(at, "superlative"):
            assert mention.sense
            yield mention.sense.value, True, end, cost + 0.01  # type: ignore[misc]
        for mention, end, cost in self._sense(at, "adjective"):
            if mention.sense and "@time" in mention.sense.hints:
                yield mention.sense.value, True, end, cost + 0.01  # type: ignore[misc]

    def _number_of(self, at: int) -> Iterator[tuple[bool, int, float]]:
        yield False, at, 0.0
        for _, end, cost in self._sense(at, "count"):
            yield True, end, cost

    def _count(self, at: int) -> Iterator[tuple[MeasureRef, int, float]]:
        """As in "number of flights", "how many different carriers"."""
        for mention, start, cost in self._sense(at, "count"):
            asked = mention.text.casefold().startswith(("how many", "count"))
            summed = mention.text.casefold().startswith(("total", "the total"))
            starts = [(start, cost)]
            starts += [(end, cost + more) for _, end, more in self._sense(start, "count")]
            for middle, so_far in starts:
                for distinct, inner, more in self._maybe(middle, "distinct"):
                    for noun, end, most in self._noun(inner):
                        if isinstance(noun, PartRef | MeasureRef):
                            continue
                        ref = MeasureRef(
                            "count", noun, True, bool(distinct), how_many=asked, summed=summed
                        )
                        yield ref, end, so_far + more + most
                        if summed and isinstance(noun, ColumnRef) and not distinct:
                            total = MeasureRef("sum", noun, True)
                            yield total, end, so_far + more + most
            if mention.text.casefold() == "count" and self._grouped_at(start):
                yield MeasureRef("count", TableRef(None), True, how_many=True), start, cost

    def _grouped_at(self, at: int) -> bool:
        """Whether a grouping follows: in "count by year" the rows are counted."""
        return any(True for category in ("by", "each") for _ in self._sense(at, category))

    def _operands(
        self, at: int, *, numbers: bool
    ) -> Iterator[tuple[tuple[Mention, ...], int, float]]:
        """One value or several: "UA", "UA or AA", "UA, AA and DL"."""
        for value, end, cost in self._operand(at, numbers=numbers):
            yield (value,), end, cost
            for _, middle, more in self._joiner(end, alternatives=True):
                for rest, after, most in self._operands(middle, numbers=numbers):
                    yield (value, *rest), after, cost + more + most

    def _operand(self, at: int, *, numbers: bool) -> Iterator[tuple[Mention, int, float]]:
        yield from self._mentions(at, "value")
        yield from self._mentions(at, "quoted")
        if numbers:
            yield from self._mentions(at, "number")

    def _piece(self, at: int) -> Iterator[tuple[Mention, int, float]]:
        """A piece of text to look for."""
        yield from self._mentions(at, "quoted")
        yield from self._mentions(at, "number")

    def _preposition(self, at: int) -> Iterator[tuple[Role, int, float]]:
        """Any prepositions in a row, or none; the last role counts."""
        yield "", at, 0.0
        for category in ("preposition", "connect"):
            for mention, end, cost in self._sense(at, category):
                sense = mention.sense
                assert sense
                if category == "connect" and sense.value != "with":
                    continue
                role: Role = sense.value if sense.value in {"from", "to"} else ""  # type: ignore[assignment]
                for later, after, more in self._preposition(end):
                    yield later or role, after, cost - STEP + SKIP + more
