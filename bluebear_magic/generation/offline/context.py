"""What a plan in the making has gathered, and what was asked, sorted by kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bluebear_magic.generation.offline.lexicon import lexicon
from bluebear_magic.generation.offline.placement import Placed, Places, Reject, field_of
from bluebear_magic.generation.offline.plan import Field, Lookup
from bluebear_magic.generation.offline.request import (
    Anchor,
    ColumnRef,
    Extreme,
    Group,
    MeasureRef,
    OrderBy,
    Output,
    Part,
    RankBy,
    TableRef,
    Target,
    Top,
    Where,
)
from bluebear_magic.generation.offline.schema import ColumnInfo
from bluebear_magic.generation.offline.tokens import said, stem


@dataclass(frozen=True)
class Asked:
    """The parts of a request by kind; ``havings`` are conditions on figures.

    ``anchors``: the datasets named as what the answer is about;
    ``tables``: whether any dataset was named at all, shown ones included;
    ``per``: whether a grouping was asked for in words that want figures;
    ``owners``: the dataset that a word such as "name" speaks of.
    """

    outputs: tuple[Output, ...]
    groups: tuple[Target, ...]
    extreme: Extreme | None
    top: Top | None
    rank: Target | None
    order: OrderBy | None
    havings: tuple[Where, ...]
    anchors: frozenset[str]
    anchored: bool
    tables: bool
    per: bool
    owners: Mapping[ColumnRef, str]

    @property
    def limited(self) -> bool:
        """Whether only the first few are wanted."""
        return bool(self.extreme or self.top)

    @property
    def limit(self) -> int | None:
        """How many are wanted; None for all."""
        if self.top:
            return self.top.limit
        return self.extreme.limit if self.extreme else None

    @property
    def descending(self) -> bool:
        """Whether the largest come first."""
        if self.extreme:
            return self.extreme.descending
        return self.top.descending if self.top else True


def sort_out(parts: tuple[Part, ...]) -> Asked:
    """The parts by kind; Reject when two of them fight for one place."""
    extremes = [part for part in parts if isinstance(part, Extreme)]
    tops = [part for part in parts if isinstance(part, Top)]
    orders = [part for part in parts if isinstance(part, OrderBy)]
    ranks = [part.target for part in parts if isinstance(part, RankBy)]
    if any(len(found) > 1 for found in (extremes, tops, orders, ranks)):
        raise Reject
    if extremes and tops and (extremes[0].limit > 1 or not tops[0].descending):
        raise Reject
    groups = [key for part in parts if isinstance(part, Group) for key in part.keys]
    per = any(isinstance(part, Group) and part.per for part in parts)
    if ranks and not tops and not isinstance(ranks[0], MeasureRef):
        groups, ranks, per = [*groups, ranks[0]], [], True
    outputs = tuple(part for part in parts if isinstance(part, Output))
    anchors = [part.table.mention for part in parts if isinstance(part, Anchor)]
    return Asked(
        outputs=outputs,
        groups=tuple(groups),
        extreme=next(iter(extremes), None),
        top=next(iter(tops), None),
        rank=next(iter(ranks), None),
        order=next(iter(orders), None),
        havings=tuple(
            p for p in parts if isinstance(p, Where) and isinstance(p.target, MeasureRef)
        ),
        anchors=frozenset(m.dataset.name for m in anchors if m and m.dataset),
        anchored=bool(anchors),
        tables=bool(anchors) or any(_is_table(output.target) for output in outputs),
        per=per,
        owners=_owners(parts),
    )


def _is_table(target: Target) -> bool:
    named = target.target if isinstance(target, MeasureRef) else target
    return isinstance(named, TableRef)


class PlanContext:
    """A plan in the making: its base, the lookups it needs, what words were taken for.

    ``cost`` adds up the choices made; ``notes`` are (words, meaning);
    ``not_null`` are fields whose rows do not compete when they are not known.
    """

    def __init__(self, places: Places, asked: Asked) -> None:
        self.places = places
        self.base = places.base
        self.asked = asked
        self.cost = 0.0
        self.notes: list[tuple[str, str]] = []
        self.assumptions: list[str] = []
        self.lookups: dict[str, Lookup] = {}
        self.not_null: list[Field] = []

    def note(self, words: str, meaning: str) -> None:
        """Remembers what words were taken for."""
        self.notes.append((words, meaning))

    def use(self, placed: Placed) -> Field:
        """The field of a placed column; the lookups on the way become part of the plan."""
        for link in placed.path:
            lookup = Lookup(field_of(link.key), field_of(link.match))
            known = self.lookups.setdefault(link.match.dataset, lookup)
            if known != lookup:
                raise Reject(f"{link.match.dataset} would be needed twice, by different keys")
        self.cost += 0.01 * len(placed.path)
        return field_of(placed.column)

    def column(self, ref: ColumnRef, *, numeric: bool = False, near: bool = False) -> ColumnInfo:
        """The column that a reference means; it becomes part of the plan."""
        owner = self.asked.owners.get(ref)
        placed = self.places.column(ref.mention, numeric=numeric, near=near, owner=owner)
        best = ref.mention.columns[0].score
        chosen = next((c.score for c in ref.mention.columns if c.column is placed.column), best)
        self.cost += best - chosen
        self.use(placed)
        return placed.column

    def peek(self, target: Target) -> ColumnInfo | None:
        """The column that a reference would mean; None for anything but a column."""
        if not isinstance(target, ColumnRef):
            return None
        return self.places.column(target.mention, owner=self.asked.owners.get(target)).column

    def own(self, ref: ColumnRef, *, numeric: bool = False) -> ColumnInfo:
        """A column of the base itself: figures of looked-up rows would count some twice."""
        column = self.column(ref, numeric=numeric)
        if column.dataset != self.base.name:
            raise Reject
        return column

    def info(self, item: Field) -> ColumnInfo:
        """What is known of a field."""
        return self.places.index.column(item.dataset, item.column)

    def is_base(self, target: Target) -> bool:
        """Whether a target names the dataset that the rows come from."""
        mention = target.mention if isinstance(target, TableRef) else None
        return mention is not None and mention.dataset is self.base

    def counter(self, measure: MeasureRef) -> ColumnInfo | None:
        """The column that already holds the count asked for: "number of rooms"."""
        if not (measure.counting and isinstance(measure.target, ColumnRef)):
            return None
        if measure.distinct or measure.how_many:
            return None
        column = self.places.column(measure.target.mention).column
        counted = any(part.word in {"num", "number", "count", "nbr"} for part in column.parts)
        return column if counted and column.kind == "number" and not column.unique else None

    def is_figure(self, target: Target) -> bool:
        """Whether it is computed over rows; "number of rooms" may be a column."""
        if not isinstance(target, MeasureRef):
            return False
        return not (target.function == "count" and self.counter(target) is not None)

    def skip_nulls(self, column: ColumnInfo) -> None:
        """What is not known cannot be the largest or the smallest."""
        if column.profile.nulls != 0 and not (column.metric and column.metric.aggregated):
            self.not_null.append(field_of(column))

    def hinted(self, hints: Sequence[str], words: str) -> tuple[ColumnInfo, bool]:
        """The base's column that an adjective speaks of, and whether it turns round."""
        for hint in hints:
            if hint == "@time":
                found = [column for column in self.base.columns if column.kind == "time"]
                if len(found) == 1:
                    return found[0], False
                continue
            found = self._measures_called(stem(hint.lstrip("-")))
            if len(found) == 1:
                return found[0], hint.startswith("-")
            if found:
                raise Reject(f"{said(words)} could go by several columns", tuple(found))
        raise Reject(f"{self.base.name} has nothing that {said(words)} could go by")

    def _measures_called(self, word: str) -> list[ColumnInfo]:
        found = [
            column
            for column in self.base.columns
            if column.kind in {"number", "time"}
            and not column.identifier
            and word in {part.stem for part in column.parts}
        ]
        return [column for column in found if len(column.parts) == 1] or found


def additive(column: ColumnInfo) -> bool:
    """Whether adding the column's values up makes sense without being told."""
    return any(part.stem in lexicon().additive for part in column.parts)


def measure_words(measure: MeasureRef) -> str:
    """A figure in words, for the explanation."""
    name = {
        "count": "number of", "count_distinct": "number of different", "sum": "total",
        "avg": "average", "min": "minimum", "max": "maximum", "median": "median", "metric": "",
    }[measure.function]  # fmt: skip
    mention = measure.target.mention if measure.target else None
    return f"{name} {mention.text if mention else 'rows'}".strip()


def _owners(parts: Sequence[Part]) -> dict[ColumnRef, str]:
    """Whose name "name" is: for shown columns the dataset named next, else the one before."""
    found: dict[ColumnRef, str] = {}
    waiting: list[ColumnRef] = []
    last = ""
    for part in parts:
        for table in _tables(part):
            if table.mention and table.mention.dataset:
                last = table.mention.dataset.name
                found.update((ref, last) for ref in waiting)
                waiting = []
        target = part.target if isinstance(part, Output | Where | OrderBy | RankBy) else None
        if isinstance(target, ColumnRef):
            if isinstance(part, Output):
                waiting.append(target)
            elif last:
                found[target] = last
    return found


def _tables(part: Part) -> list[TableRef]:
    if isinstance(part, Anchor):
        return [part.table]
    if isinstance(part, Group):
        return [key for key in part.keys if isinstance(key, TableRef)]
    if isinstance(part, Output | RankBy | OrderBy | Extreme) and isinstance(part.target, TableRef):
        return [part.target]
    return []
