"""Where a word's column lies, seen from the dataset that the answer's rows come from.

The base's own columns come first; those of datasets that it can look up next;
the rest cannot be reached. Nearly equal choices are an ambiguity, not a choice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from bluebear_magic.generation.offline.joins import Link
from bluebear_magic.generation.offline.lexicon import lexicon
from bluebear_magic.generation.offline.linking import Candidate, Mention
from bluebear_magic.generation.offline.plan import DayParts, Field, Moment
from bluebear_magic.generation.offline.request import Role, TableRef
from bluebear_magic.generation.offline.schema import ColumnInfo, DatasetInfo, SchemaIndex
from bluebear_magic.generation.offline.tokens import said, stem, value_words

_MARGIN = 0.06  # a choice must be better by this much than the next
_HOP = 0.12
_UNMENTIONED = 0.25
_MAX_WAYS = 8  # between two datasets: from the second on, a question must say which
_MAX_HOPS = 2

Path = tuple[Link, ...]


class Reject(Exception):
    """This reading does not hold together; ``reason`` is fit for a person, or empty.

    ``options``: the columns between which the words do not decide; ``vague``: it
    only says that another base would have to be tried.
    """

    def __init__(
        self, reason: str = "", options: tuple[ColumnInfo, ...] = (), *, vague: bool = False
    ) -> None:
        super().__init__(reason)
        self.vague = vague
        self.reason = reason
        self.options = options


@dataclass(frozen=True)
class Placed:
    """A column and the way there; ``path`` is empty for the base's own."""

    column: ColumnInfo
    path: Path = ()


def field_of(column: ColumnInfo) -> Field:
    """The column as the plan names it."""
    expression = column.metric.expression if column.metric else ""
    return Field(column.dataset, column.name, column.type, expression)


class Places:
    """The columns in reach of one base dataset; ``tables`` are those that were named."""

    def __init__(
        self,
        index: SchemaIndex,
        links: tuple[Link, ...],
        base: DatasetInfo,
        tables: tuple[TableRef, ...],
    ) -> None:
        self.base = base
        self.index = index
        self._links = links
        named = [(t.mention.dataset.name, t) for t in tables if t.mention and t.mention.dataset]
        if any(table.via and name == base.name for name, table in named):
            raise Reject  # nothing leads from the rows to themselves
        self._ways = {name: table for name, table in named if table.role or table.via}
        self._mentioned = frozenset(name for name, _ in named)
        self.paths = _paths(links, base.name)

    @property
    def named(self) -> bool:
        """Whether the base was named, or nothing was."""
        return not self._mentioned or self.base.name in self._mentioned

    def related(self, dataset: str) -> tuple[Link, ...]:
        """Links by which the rows of another dataset point at the base's."""
        return tuple(
            link
            for link in self._links
            if link.key.dataset == dataset and link.match.dataset == self.base.name
        )

    def own(self, mention: Mention) -> ColumnInfo:
        """The base's own column that a mention fits best; Reject when it has none."""
        for candidate in mention.columns:
            if candidate.column.dataset == self.base.name:
                return candidate.column
        raise Reject(f"{self.base.name} has no column for {said(mention.text)}", vague=True)

    def path_to(self, dataset: str, role: Role = "", via: ColumnInfo | None = None) -> Path:
        """The one way to look a dataset up; Reject when there is none or more than one."""
        paths = self.paths.get(dataset, ())
        way = self._ways.get(dataset)
        if way and not role and via is None and len(paths) > 1:
            role = way.role
            via = self.own(way.via.mention) if way.via else None
        if via is not None:
            paths = tuple(path for path in paths if path[0].key is via)
        elif role and len(paths) > 1:
            paths = tuple(path for path in paths if plays(path[0].key, role))
        if not paths:
            raise Reject(f"nothing leads from {self.base.name} to {dataset}", vague=True)
        shortest = min(len(path) for path in paths)
        best = [path for path in paths if len(path) == shortest]
        if len(best) > 1:
            options = tuple(path[0].key for path in best)
            raise Reject(f"more than one column leads from {self.base.name} to {dataset}", options)
        return best[0]

    def place(self, column: ColumnInfo) -> Placed:
        """The column as seen from the base; Reject when out of reach."""
        if column.dataset == self.base.name:
            return Placed(column)
        path = self.path_to(column.dataset)
        if path[-1].match is column:  # the key has the same values and needs no join
            return Placed(path[-1].key, path[:-1])
        return Placed(column, path)

    def column(
        self,
        mention: Mention,
        *,
        numeric: bool = False,
        near: bool = False,
        owner: str | None = None,
    ) -> Placed:
        """What a mention of a column means.

        ``near``: only the base's own will do. ``owner``: the dataset that a word
        such as "name" or "id", which every dataset could own, speaks of.
        """
        best = mention.columns[0].score
        found: list[tuple[float, Placed, Candidate]] = []
        trouble: Reject | None = None
        for candidate in mention.columns:
            column = candidate.column
            if numeric and column.kind != "number":
                continue
            try:
                placed = self.place(column)
            except Reject as reject:
                trouble = reject if reject.options else trouble
                continue
            if near and placed.path:
                continue
            if self._mentioned and column.dataset not in self._mentioned and weak(candidate):
                continue  # "name" is the name of something that was named
            cost = best - candidate.score + _HOP * len(placed.path)
            if self._mentioned and column.dataset not in self._mentioned:
                cost += _UNMENTIONED
            if owner and column.dataset != owner and weak(candidate):
                cost += _UNMENTIONED
            found.append((cost, placed, candidate))
        if not found:
            raise trouble or Reject(
                f"{self.base.name} has no column for {said(mention.text)}",
                vague=self.base.name not in self._mentioned,
            )
        return self._clear_winner(mention.text, found)

    def _clear_winner(self, words: str, found: list[tuple[float, Placed, Candidate]]) -> Placed:
        found.sort(key=lambda entry: entry[0])
        cost, placed, candidate = found[0]
        rivals = {
            other.column: other.column
            for price, other, rival in found[1:]
            if price - cost < _MARGIN
            and other.column is not placed.column
            and not (candidate.score == 1.0 > rival.score)
        }
        if rivals:
            options = (placed.column, *rivals)
            raise Reject(f"{said(words)} could be {listed(map(str, options))}", options)
        return placed

    def values(
        self, operands: tuple[Mention, ...], role: Role, among: set[int] | None = None
    ) -> tuple[Placed, tuple[str, ...]]:
        """The one column in which all the values occur, and their spelling there.

        ``among``: the identities of the columns that the question allows.
        """
        hits: dict[int, dict[int, str]] = defaultdict(dict)
        columns: dict[int, ColumnInfo] = {}
        for i, operand in enumerate(operands):
            for hit in self._hits(operand):
                columns[id(hit[0])] = hit[0]
                hits[id(hit[0])].setdefault(i, hit[1])
        words = " / ".join(operand.text for operand in operands)
        found = []
        for key, column in columns.items():
            if len(hits[key]) < len(operands) or (among is not None and key not in among):
                continue
            try:
                placed = self._place_by_role(column, role)
            except Reject:
                continue
            cost = _HOP * len(placed.path)
            if self._mentioned and column.dataset not in self._mentioned | {self.base.name}:
                cost += 0.05
            found.append((cost, placed, tuple(hits[key][i] for i in range(len(operands)))))
        if not found:
            raise Reject(
                f"{said(words)} is no value of {self.base.name}",
                vague=self.base.name not in self._mentioned,
            )
        found.sort(key=lambda entry: (entry[0], str(entry[1].column)))
        near = {p.column: p.column for c, p, _ in found if c - found[0][0] < _MARGIN}
        playing = [column for column in near if role and plays(column, role)]
        if len(near) > 1 and len(playing) == 1:
            return next((p, v) for _, p, v in found if p.column is playing[0])
        if len(near) > 1:
            options = tuple(near)
            raise Reject(f"{said(words)} occurs in {listed(map(str, options))}", options)
        return found[0][1], found[0][2]

    def _hits(self, operand: Mention) -> Iterable[tuple[ColumnInfo, str]]:
        if operand.kind == "value":
            return [(hit.column, hit.value) for hit in operand.values]
        return [(hit.column, hit.value) for hit in self.index.values.get(_spoken(operand.text), ())]

    def _place_by_role(self, column: ColumnInfo, role: Role) -> Placed:
        """Places a value; "to JFK" is not about the origins, even if only they hold JFK."""
        if column.dataset == self.base.name:
            opposite: Role = {"from": "to", "to": "from"}.get(role, "")  # type: ignore[assignment]
            if opposite and plays(column, opposite):
                raise Reject
            return Placed(column)
        path = self.path_to(column.dataset, role)
        if path[-1].match is column:
            return Placed(path[-1].key, path[:-1])
        return Placed(column, path)

    # --- time ------------------------------------------------------------------

    def moment(self) -> Moment:
        """The one moment that rows of the base tell of."""
        parts = self.day_parts()
        if parts:
            return parts
        times = [column for column in self.base.columns if column.kind == "time"]
        if len(times) == 1:
            return field_of(times[0])
        if not times:
            raise Reject(
                f"{self.base.name} has no dates", vague=self.base.name not in self._mentioned
            )
        raise Reject(f"{self.base.name} has several dates: {listed(map(str, times))}", tuple(times))

    def day_parts(self) -> DayParts | None:
        """Year, month and day in whole-number columns of those names, if they are there."""
        found: dict[str, ColumnInfo] = {}
        for column in self.base.columns:
            if column.integral and len(column.parts) == 1:
                found.setdefault(column.parts[0].word, column)
        if "year" not in found or "month" not in found:
            return None
        day = found.get("day")
        return DayParts(
            field_of(found["year"]), field_of(found["month"]), field_of(day) if day else None
        )

    def year_column(self) -> ColumnInfo | None:
        """The only whole-number column that is called a year, if there is just one."""
        years = [
            column
            for column in self.base.columns
            if column.integral and column.parts[-1].word == "year"
        ]
        return years[0] if len(years) == 1 else None


def weak(candidate: Candidate) -> bool:
    """Whether only a word was said that any dataset could have: "name", "id"."""
    column = candidate.column
    strong = [
        p for p, own in zip(column.parts, column.own, strict=True) if p.weight >= 1 and not own
    ]
    return not strong


def plays(column: ColumnInfo, role: Role) -> bool:
    """Whether a column's name says that it is where something comes from, or goes to."""
    words = {stem(word) for word in lexicon().roles[role]}
    return any(part.stem in words or part.word in lexicon().roles[role] for part in column.parts)


def listed(names: Iterable[str]) -> str:
    """``a``, ``a or b``, ``a, b or c``."""
    every = list(dict.fromkeys(names))
    return " or ".join(filter(None, [", ".join(every[:-1]), every[-1]])) if every else ""


def _spoken(text: str) -> str:
    return " ".join(value_words(text))


def _paths(links: tuple[Link, ...], base: str) -> dict[str, tuple[Path, ...]]:
    """Ways of at most two lookups from a dataset, by where they lead; no more than are told apart.

    Datasets that share many columns have ways without number between them.
    """
    leaving: dict[str, list[Link]] = defaultdict(list)
    for link in links:
        leaving[link.key.dataset].append(link)
    found: dict[str, list[Path]] = defaultdict(list)
    frontier: list[Path] = [(link,) for link in leaving[base]]
    for hop in range(1, _MAX_HOPS + 1):
        for path in frontier:
            found[path[-1].match.dataset].append(path)
        if hop < _MAX_HOPS:
            passed = [path for paths in found.values() for path in paths[:_MAX_WAYS]]
            frontier = [
                (*path, link)
                for path in passed
                for link in leaving[path[-1].match.dataset]
                if link.match.dataset not in {base, *(step.match.dataset for step in path)}
            ]
    return {dataset: tuple(paths[:_MAX_WAYS]) for dataset, paths in found.items()}
