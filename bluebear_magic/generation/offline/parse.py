"""Mentions -> requests: the grammar of analytic questions.

A reading covers every token of the question: function words may be passed over,
words of content may not. Readings are found best first, by cost.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import count

from bluebear_magic.generation.offline.clauses import Clauses
from bluebear_magic.generation.offline.cursor import STEP, Parts
from bluebear_magic.generation.offline.linking import Mention
from bluebear_magic.generation.offline.request import (
    Anchor,
    ColumnRef,
    Either,
    Extreme,
    Group,
    MeasureRef,
    OrderBy,
    Output,
    PartRef,
    RankBy,
    Request,
    TableRef,
    Target,
    Top,
    When,
    Where,
)

_MAX_STEPS = 2500
_MAX_READINGS = 40
_MAX_DEPTH = 24


class Parser(Clauses):
    """Reads one lattice."""

    def readings(self) -> list[Request]:
        """Complete readings, best first; none when the words do not hold together."""
        order = count()
        heap: list[tuple[float, int, int, int, str, Parts]] = [(0.0, 0, next(order), 0, "lead", ())]
        found: list[Request] = []
        seen: set[tuple[int, str, Parts]] = set()
        steps = 0
        while heap and len(found) < _MAX_READINGS and steps < _MAX_STEPS:
            cost, _, _, at, phase, parts = heapq.heappop(heap)
            steps += 1
            if (at, phase, parts) in seen:
                continue
            seen.add((at, phase, parts))
            if phase == "tail" and any(end == self._size for end, _ in self._ends(at)):
                found.append(Request(parts, cost))
            if len(parts) > _MAX_DEPTH:
                continue
            for new, end, price, then in self._steps(at, phase):
                key = round(cost + price, 4)
                heapq.heappush(heap, (key, -end, next(order), end, then, parts + new))
        return found

    def _steps(self, at: int, phase: str) -> Iterator[tuple[Parts, int, float, str]]:
        if phase == "lead":
            for _, end, cost in self._sense(at, "ask"):
                yield (), end, cost, "head"
            for parts, end, cost in self._cached("before", at, self._before):
                yield parts, end, cost, "lead"
        if phase in {"lead", "head"}:
            for parts, end, cost in self._cached("outputs", at, self._outputs):
                yield parts, end, cost, "tail"
        if phase == "tail":
            for parts, end, cost in self._cached("modifier", at, self._modifiers):
                yield parts, end, cost, "tail"

    def _before(self, at: int) -> Iterator[tuple[Parts, int, float]]:
        """What may stand before the question proper: "In 2013, ...", "For each month, ..."."""
        for parts, end, cost in self._periods(at):
            for _, after, more in self._maybe(end, "connect", "comma"):
                yield parts, after, cost + more
        for parts, end, cost in self._grouping(at):
            for _, after, more in self._maybe(end, "connect", "comma"):
                yield parts, after, cost + more

    def _outputs(self, at: int) -> Iterator[tuple[Parts, int, float]]:
        for parts, end, cost in self._output(at):
            yield parts, end, cost
            for _, middle, more in self._joiner(end):
                for rest, after, most in self._cached("outputs", middle, self._outputs):
                    yield parts + rest, after, cost + more + most

    def _output(self, at: int) -> Iterator[tuple[Parts, int, float]]:
        for measures, end, cost in self._measures(at):
            yield tuple(Output(measure) for measure in measures), end, cost
        yield from self._counted_kind(at)
        for distinct, middle, cost in self._maybe(at, "distinct"):
            for noun, end, more in self._noun(middle):
                yield (Output(noun, bool(distinct)),), end, cost + more
            if not distinct:
                for conditions, table, end, more in self._qualified_table(middle):
                    if conditions:
                        yield (Output(table), *conditions), end, cost + more
        for _, middle, cost in self._sense(at, "each"):
            for noun, end, more in self._noun(middle):
                yield (Output(noun),), end, cost + more + 0.02
        yield from self._limited(at)
        yield from self._extreme_noun(at)

    def _counted_kind(self, at: int) -> Iterator[tuple[Parts, int, float]]:
        """As in "how many UA flights", "number of male customers"."""
        for _, middle, cost in self._sense(at, "count"):
            for conditions, table, end, more in self._qualified_table(middle):
                if conditions:
                    measure = MeasureRef("count", table, counting=True)
                    yield (Output(measure), *conditions), end, cost + more

    def _limited(self, at: int) -> Iterator[tuple[Parts, int, float]]:
        """As in "top 5 carriers"."""
        for mention, middle, cost in self._sense(at, "limit", "top", "bottom"):
            assert mention.sense
            descending = mention.sense.value == "top"
            for number, inner, more in self._mentions(middle, "number"):
                if not _limit(number):
                    continue
                for noun, end, most in self._noun(inner):
                    top = Top(int(number.number or 0), descending)
                    yield (top, Output(noun)), end, cost + more + most
                for extreme, end, most in self._extremes(inner):
                    limited = _limited_to(extreme, int(number.number or 0))
                    yield from self._extreme_of(limited, end, cost + more + most)

    def _extreme_noun(self, at: int) -> Iterator[tuple[Parts, int, float]]:
        """As in "most expensive product", "3 longest flights", "most common carrier"."""
        for extreme, end, cost in self._extremes(at):
            yield from self._extreme_of(extreme, end, cost)
            for number, after, more in self._mentions(end, "number"):
                if _limit(number):
                    limited = _limited_to(extreme, int(number.number or 0))
                    yield from self._extreme_of(limited, after, cost + more)
        for number, middle, cost in self._mentions(at, "number"):
            if _limit(number):
                for extreme, end, more in self._extremes(middle):
                    limited = _limited_to(extreme, int(number.number or 0))
                    yield from self._extreme_of(limited, end, cost + more)

    def _extremes(self, at: int) -> Iterator[tuple[Extreme, int, float]]:
        for category in ("adjective", "frequent"):
            for mention, end, cost in self._sense(at, category):
                sense = mention.sense
                assert sense
                yield (
                    Extreme(
                        sense.value == "max", hints=sense.hints,
                        frequent=category == "frequent", words=mention.text,
                    ),
                    end,
                    cost,
                )  # fmt: skip

    def _extreme_of(
        self, extreme: Extreme, at: int, cost: float
    ) -> Iterator[tuple[Parts, int, float]]:
        for noun, end, more in self._noun(at):
            if isinstance(noun, ColumnRef) and not extreme.frequent:
                continue
            yield (extreme, Output(noun)), end, cost + more
        for conditions, table, end, more in self._qualified_table(at):
            if conditions:
                yield (extreme, Output(table), *conditions), end, cost + more

    def _modifiers(self, at: int) -> Iterator[tuple[Parts, int, float]]:
        yield from self._modifier(at, joined=False)
        for _, middle, cost in self._joiner(at):
            yield from (
                (parts, end, cost + more)
                for parts, end, more in self._modifier(middle, joined=True)
            )
        yield from self._afterthought(at)

    def _modifier(self, at: int, *, joined: bool) -> Iterator[tuple[Parts, int, float]]:
        yield from self._grouping(at)
        yield from self._ranking(at)
        yield from self._ordering(at)
        yield from self._periods(at)
        yield from self._anchors(at)
        yield from self._superlatives(at)
        yield from self._alternatives(at, joined=joined)
        if joined:
            for measures, end, cost in self._measures(at):
                if not any(measure.loose for measure in measures):
                    yield tuple(Output(measure) for measure in measures), end, cost + 0.03

    def _afterthought(self, at: int) -> Iterator[tuple[Parts, int, float]]:
        """A second sentence that says what else to show: "List its name and city."."""
        for end, cost in self._ends(at):
            closed = any(token.kind == "mark" for token in self._lattice.tokens[at:end])
            straight = [("", end, 0.0)] if closed else []
            for _, joined, more in (*straight, *self._joiner(end)):
                for _, middle, most in self._sense(joined, "ask", "show"):
                    for parts, after, last in self._cached("outputs", middle, self._outputs):
                        if all(isinstance(part, Output) for part in parts):
                            yield parts, after, cost + more + most + last + 0.02

    def _grouping(self, at: int) -> Iterator[tuple[Parts, int, float]]:
        for each, middle, cost in self._sense(at, "each"):
            per = each.text.casefold() in {"per", "grouped by", "group by", "broken down by"}
            for keys, end, more in self._keys(middle):
                yield (Group(keys, per),), end, cost + more
        for mention, end, cost in self._sense(at, "datepart_each"):
            assert mention.sense
            yield (Group((PartRef(mention.sense.value),), per=True),), end, cost  # type: ignore[arg-type]

    def _keys(self, at: int) -> Iterator[tuple[tuple[Target, ...], int, float]]:
        for noun, end, cost in self._noun(at):
            yield (noun,), end, cost
            for _, middle, more in self._joiner(end):
                for _, inner, most in (
                    ("", middle, 0.0),
                    *self._sense(middle, "each"),
                    *self._sense(middle, "by"),
                ):
                    for rest, after, last in self._keys(inner):
                        yield (noun, *rest), after, cost + more + most + last

    def _ranking(self, at: int) -> Iterator[tuple[Parts, int, float]]:
        """As in "by region"; "by number of flights"."""
        for _, middle, cost in self._sense(at, "by"):
            for keys, end, more in self._keys(middle):
                if len(keys) == 1:
                    yield (RankBy(keys[0]),), end, cost + more
                else:
                    yield (Group(keys, per=True),), end, cost + more
            for measures, end, more in self._measures(middle):
                if len(measures) == 1:
                    yield (RankBy(measures[0]),), end, cost + more

    def _ordering(self, at: int) -> Iterator[tuple[Parts, int, float]]:
        for mention, middle, cost in self._sense(at, "order"):
            assert mention.sense
            how = mention.sense.value
            if how in {"asc", "desc", "sorted_asc", "sorted_desc"}:
                yield (OrderBy(None, how.endswith("desc")),), middle, cost
                continue
            for target, end, more in self._order_target(middle):
                yield (OrderBy(target, how == "by_desc"),), end, cost + more
                if how == "by":
                    for direction, after, most in self._sense(end, "order", "asc", "desc"):
                        assert direction.sense
                        order = OrderBy(target, direction.sense.value == "desc")
                        yield (order,), after, cost + more + most - STEP

    def _order_target(self, at: int) -> Iterator[tuple[Target, int, float]]:
        yield from self._noun(at)
        for measures, end, cost in self._measures(at):
            if len(measures) == 1:
                yield measures[0], end, cost

    def _periods(self, at: int) -> Iterator[tuple[Parts, int, float]]:
        for mention, end, cost in self._mentions(at, "period"):
            assert mention.period
            verb = self._passed_verb(at, mention.start)
            yield (When(mention.period, mention.text, after_verb=verb),), end, cost
        for column, middle, cost in self._column(at):
            for mention, end, more in self._mentions(middle, "period"):
                assert mention.period
                yield (When(mention.period, mention.text, column),), end, cost + more

    def _anchors(self, at: int) -> Iterator[tuple[Parts, int, float]]:
        grouping = self._grouped_at(at)
        for role, start, cost in self._preposition(at):
            for conditions, table, end, more in self._qualified_table(start):
                placed = TableRef(table.mention, table.via, role)
                by = grouping and start > at and not conditions
                yield (Anchor(placed, by=by), *conditions), end, cost + more
            for extreme, end, more in self._extreme_noun(start):
                anchored = _as_anchor(extreme)
                if not any(isinstance(part, Output) for part in anchored):
                    yield anchored, end, cost + more

    def _superlatives(self, at: int) -> Iterator[tuple[Parts, int, float]]:
        """As in "with the most flights", "has the highest average delay", "used most often"."""
        for _, start, cost in self._preposition(at):
            for mention, middle, more in self._sense(start, "superlative"):
                sense = mention.sense
                assert sense
                for target, end, most in self._superlative_target(middle):
                    extreme = Extreme(sense.value == "max", target, words=mention.text)
                    yield (extreme,), end, cost + more + most
            for mention, middle, more in self._sense(start, "most"):
                assert mention.sense
                for noun, end, most in self._noun(middle):
                    if isinstance(noun, TableRef):
                        extreme = Extreme(mention.sense.value == "max", noun, words=mention.text)
                        yield (extreme,), end, cost + more + most
            for extreme, end, more in self._extremes(start):
                if extreme.frequent:
                    yield (extreme,), end, cost + more

    def _superlative_target(self, at: int) -> Iterator[tuple[Target, int, float]]:
        yield from self._column(at)
        for measures, end, cost in self._measures(at):
            if len(measures) == 1 and not measures[0].loose:
                yield measures[0], end, cost

    def _alternatives(self, at: int, *, joined: bool) -> Iterator[tuple[Parts, int, float]]:
        for either, start, cost in self._maybe(at, "connect", "either"):
            for first, end, more in self._cached("condition", start, self._condition):
                if not either:
                    yield first, end, cost + more
                if joined or len(first) != 1 or not isinstance(first[0], Where):
                    continue
                for joiner, middle, most in self._joiner(end, alternatives=True):
                    if joiner != "or":
                        continue
                    for second, after, last in self._cached("condition", middle, self._condition):
                        if len(second) == 1 and isinstance(second[0], Where):
                            yield (
                                (Either((first[0], second[0])),),
                                after,
                                cost + more + most + last,
                            )


def _limit(number: Mention) -> bool:
    return isinstance(number.number, int) and 0 < number.number <= 1_000_000


def _limited_to(extreme: Extreme, limit: int) -> Extreme:
    return Extreme(
        extreme.descending, extreme.target, extreme.hints, extreme.frequent, limit, extreme.words
    )


def _as_anchor(parts: Parts) -> Parts:
    """In "of the most expensive phone" the phone is what the row is, not what is shown."""
    return tuple(
        Anchor(part.target)
        if isinstance(part, Output) and isinstance(part.target, TableRef)
        else part
        for part in parts
    )
