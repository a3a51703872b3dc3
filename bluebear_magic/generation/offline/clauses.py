"""Conditions: what is said of a column, of a count, of a value."""

from __future__ import annotations

from collections.abc import Iterator

from bluebear_magic.generation.offline.cursor import Parts
from bluebear_magic.generation.offline.linking import Mention
from bluebear_magic.generation.offline.phrases import Phrases
from bluebear_magic.generation.offline.request import (
    Anchor,
    ColumnRef,
    MeasureRef,
    Role,
    Where,
)

_EQUALITY = frozenset(
    "is are was were be = equal equals to of exactly not isn't aren't either number".split()
)
_HAVING = frozenset("have has had having with".split())
_OPERATORS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<=", "eq": "=="}


class Clauses(Phrases):
    """The conditions that may begin at a place."""

    def _condition(self, at: int) -> Iterator[tuple[Parts, int, float]]:
        for role, start, cost in self._preposition(at):
            for negated, middle, more in self._maybe(start, "negation"):
                places: list[tuple[Role, int, float]] = [("", middle, 0.0)]
                if negated:
                    places = list(self._preposition(middle))
                for later, inner, extra in places:
                    so_far = cost + more + extra
                    for where, end, most in self._bare_condition(
                        inner, bool(negated), later or role
                    ):
                        yield (where,), end, so_far + most
                if negated == "none":
                    for column, end, most in self._column(middle):
                        yield (Where(column, "missing", counted=True),), end, cost + more + most
                if negated:
                    for table, end, most in self._table(middle):
                        yield (Anchor(table, negated=True),), end, cost + more + most

    def _bare_condition(
        self, at: int, negated: bool, role: Role
    ) -> Iterator[tuple[Where, int, float]]:
        for column, middle, cost in self._column(at):
            for where, end, more in self._about(column, middle, negated):
                yield where, end, cost + more
        for where, end, cost in self._compared_first(at, negated):
            yield where, end, cost
        for measures, middle, cost in self._measures(at):
            if len(measures) == 1:
                for where, end, more in self._comparison(measures[0], middle, negated):
                    yield where, end, cost + more
        for where, end, cost in self._hinted(at, negated):
            yield where, end, cost
        for operands, end, cost in self._operands(at, numbers=False):
            yield Where(None, "in", operands, negated, role), end, cost
            for column, after, more in self._column(end):
                yield Where(column, "in", operands, negated, role), after, cost + more
        yield from self._wholly_missing(at, negated)

    def _about(
        self, column: ColumnRef, at: int, negated: bool
    ) -> Iterator[tuple[Where, int, float]]:
        """What may be said of a column that was named."""
        for other, middle, cost in self._maybe(at, "negation"):
            no = negated != bool(other)
            for _, inner, more in self._preposition(middle):
                for where, end, most in self._comparison(column, inner, no):
                    yield where, end, cost + more + most
                for equal, start, most in self._maybe(inner, "comparison", "eq"):
                    for _, begin, extra in self._maybe(start, "connect", "either"):
                        for operands, end, last in self._operands(begin, numbers=True):
                            if not self._says_equal(column.mention.end, operands[0]):
                                continue  # "the height of the 5 ..." says nothing of a height
                            price = cost + more + most + extra + last + (0.0 if equal else 0.002)
                            yield Where(column, "in", operands, no), end, price
            for mention, inner, more in self._sense(middle, "text"):
                assert mention.sense
                for operand, end, most in self._piece(inner):
                    where = Where(column, mention.sense.value, (operand,), no)
                    yield where, end, cost + more + most
            for mention, end, more in self._sense(middle, "null"):
                assert mention.sense
                present = mention.sense.value == "present"
                yield Where(column, "missing", (), no != present), end, cost + more

    def _says_equal(self, start: int, operand: Mention) -> bool:
        """Whether only words of being stand between a column and a number."""
        between = {token.norm for token in self._lattice.tokens[start : operand.start]}
        return operand.kind != "number" or between <= _EQUALITY

    def _wholly_missing(self, at: int, negated: bool) -> Iterator[tuple[Where, int, float]]:
        """As in "missing tail number", "unknown height"."""
        for mention, middle, cost in self._sense(at, "null"):
            assert mention.sense
            for column, end, more in self._column(middle):
                present = mention.sense.value == "present"
                yield Where(column, "missing", (), negated != present), end, cost + more

    def _comparison(
        self, target: ColumnRef | MeasureRef, at: int, negated: bool
    ) -> Iterator[tuple[Where, int, float]]:
        for mention, middle, cost in self._sense(at, "comparison"):
            assert mention.sense
            if mention.sense.value == "between":
                for low, high, end, more in self._range(middle):
                    yield Where(target, "between", (low, high), negated), end, cost + more
                continue
            operator = _OPERATORS[mention.sense.value]
            for number, end, more in self._mentions(middle, "number"):
                yield Where(target, operator, (number,), negated), end, cost + more
            if isinstance(target, ColumnRef):
                for end, more in self._average(target, middle):
                    where = Where(target, operator, (), negated, to_average=True)
                    yield where, end, cost + more
        for number, middle, cost in self._mentions(at, "number"):
            for mention, end, more in self._sense(middle, "after_number"):
                assert mention.sense
                operator = _OPERATORS[mention.sense.value]
                yield Where(target, operator, (number,), negated), end, cost + more

    def _average(self, target: ColumnRef, at: int) -> Iterator[tuple[int, float]]:
        """As in "the average", "the average price"."""
        for _, middle, cost in self._sense(at, "aggregate", "avg"):
            yield middle, cost
            for again, end, more in self._column(middle):
                if {c.column.name for c in again.mention.columns[:1]} <= {
                    c.column.name for c in target.mention.columns
                }:
                    yield end, cost + more

    def _range(self, at: int) -> Iterator[tuple[Mention, Mention, int, float]]:
        for low, middle, cost in self._mentions(at, "number"):
            joints = [
                *self._sense(middle, "connect", "and"),
                *self._sense(middle, "preposition", "to"),
            ]
            for _, inner, more in joints:
                for high, end, most in self._mentions(inner, "number"):
                    yield low, high, end, cost + more + most

    def _compared_first(self, at: int, negated: bool) -> Iterator[tuple[Where, int, float]]:
        """The figure before the noun: "more than 100 seats", "at least 3 orders", "2 engines"."""
        for operator, operands, middle, cost in self._quantity(at):
            for column, end, more in self._column(middle):
                yield Where(column, operator, operands, negated, counted=True), end, cost + more
            for table, end, more in self._table(middle):
                count_of = MeasureRef("count", table, counting=True)
                yield Where(count_of, operator, operands, negated), end, cost + more

    def _quantity(self, at: int) -> Iterator[tuple[str, tuple[Mention, ...], int, float]]:
        for mention, middle, cost in self._sense(at, "comparison"):
            assert mention.sense
            if mention.sense.value == "between":
                for low, high, end, more in self._range(middle):
                    yield "between", (low, high), end, cost + more
                continue
            for number, end, more in self._mentions(middle, "number"):
                yield _OPERATORS[mention.sense.value], (number,), end, cost + more
        for number, middle, cost in self._mentions(at, "number"):
            before = self._lattice.tokens[number.start - 1].norm if number.start else ""
            if before in _HAVING:
                yield "==", (number,), middle, cost + 0.01
            for mention, end, more in self._sense(middle, "after_number"):
                assert mention.sense
                yield _OPERATORS[mention.sense.value], (number,), end, cost + more

    def _hinted(self, at: int, negated: bool) -> Iterator[tuple[Where, int, float]]:
        """As in "older than 30"."""
        for mention, middle, cost in self._sense(at, "comparative"):
            assert mention.sense
            for number, end, more in self._mentions(middle, "number"):
                operator = _OPERATORS[mention.sense.value]
                where = Where(None, operator, (number,), negated, hints=mention.sense.hints)
                yield where, end, cost + more
