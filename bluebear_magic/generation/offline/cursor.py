"""Moving over a lattice: mentions, function words, what may be passed over."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bluebear_magic.generation.offline.linking import Lattice, Mention
from bluebear_magic.generation.offline.request import (
    Part,
)

STEP = 0.02  # every mention costs a little, so that longer mentions win
SKIP = 0.004

Parts = tuple[Part, ...]


class Cursor:
    """Where a grammar may go from a place in the question.

    Every method yields what it found, where it ends, and its cost.
    """

    def __init__(self, lattice: Lattice) -> None:
        self._lattice = lattice
        self._size = len(lattice.tokens)
        self._memo: dict[tuple[str, int], list[tuple[object, int, float]]] = {}

    def _reach(self, at: int) -> list[tuple[int, float]]:
        """Where one may stand after passing over words without a meaning of their own."""
        key = ("reach", at)
        if key not in self._memo:
            best = {at: 0.0}
            todo = [at]
            while todo:
                here = todo.pop()
                if here >= self._size:
                    continue
                for mention in self._lattice.starting[here]:
                    sense = mention.sense
                    if sense and sense.category in {"skip", "link"} and not _asks(mention):
                        cost = best[here] + (SKIP if sense.category == "skip" else 2 * SKIP)
                        if cost < best.get(mention.end, 9.0):
                            best[mention.end] = cost
                            todo.append(mention.end)
            self._memo[key] = [(end, end, cost) for end, cost in best.items()]
        return [(end, cost) for _, end, cost in self._memo[key]]

    def _ends(self, at: int) -> Iterator[tuple[int, float]]:
        """Where one may stand after closing marks and idle words."""
        for end, cost in self._reach(at):
            yield end, cost
            if end < self._size and self._lattice.tokens[end].text in ".?!:;":
                yield from self._ends(end + 1)

    def _mentions(self, at: int, kind: str) -> Iterator[tuple[Mention, int, float]]:
        for start, cost in self._reach(at):
            if start < self._size:
                for mention in self._lattice.starting[start]:
                    if mention.kind == kind:
                        yield mention, mention.end, cost + mention.cost + STEP

    def _sense(self, at: int, category: str, *values: str) -> Iterator[tuple[Mention, int, float]]:
        for mention, end, cost in self._mentions(at, "sense"):
            sense = mention.sense
            if sense and sense.category == category and (not values or sense.value in values):
                yield mention, end, cost

    def _maybe(self, at: int, category: str, *values: str) -> Iterator[tuple[str, int, float]]:
        """A function word or nothing."""
        yield "", at, 0.0
        for mention, end, cost in self._sense(at, category, *values):
            assert mention.sense
            yield mention.sense.value, end, cost - STEP + SKIP

    def _joiner(self, at: int, *, alternatives: bool = False) -> Iterator[tuple[str, int, float]]:
        """``,`` or ``and`` or both; with ``alternatives`` also ``or``."""
        for _, end, cost in self._sense(at, "connect", "comma"):
            yield "and", end, cost - STEP
            yield from self._word_joiner(end, alternatives=alternatives)
        yield from self._word_joiner(at, alternatives=alternatives)

    def _word_joiner(self, at: int, *, alternatives: bool) -> Iterator[tuple[str, int, float]]:
        for mention, end, cost in self._sense(at, "connect", "and", "or"):
            assert mention.sense
            if mention.sense.value == "and" or alternatives:
                yield mention.sense.value, end, cost - STEP

    def _cached(
        self, rule: str, at: int, parse: Callable[[int], Iterator[tuple[Parts, int, float]]]
    ) -> list[tuple[Parts, int, float]]:
        key = (rule, at)
        if key not in self._memo:
            best: dict[tuple[Parts, int], float] = {}
            for parts, end, cost in parse(at):
                known = best.get((parts, end))
                if known is None or cost < known:
                    best[parts, end] = cost
            self._memo[key] = [(parts, end, cost) for (parts, end), cost in best.items()]
        return self._memo[key]  # type: ignore[return-value]

    def _passed_verb(self, at: int, start: int) -> bool:
        """Whether a verb stands between two places."""
        return any(
            mention.sense and mention.sense.category == "link" and mention.end <= start
            for here in range(max(0, at - 1), start)
            for mention in self._lattice.starting[here]
        )


def _asks(mention: Mention) -> bool:
    """A "who", "when" or "where" at the beginning asks for something: it is not passed over."""
    assert mention.sense
    return mention.start == 0 and mention.sense.value == "relatives"
