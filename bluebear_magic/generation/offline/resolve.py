"""Requests -> plans: which dataset the rows come from, which columns are meant.

Every dataset that a request could be about is tried as the base; the reading
with the lowest cost wins, unless another plan comes too close to it.
"""

from __future__ import annotations

from dataclasses import dataclass

from bluebear_magic.generation.offline.builder import build
from bluebear_magic.generation.offline.context import sort_out
from bluebear_magic.generation.offline.figures import with_figures
from bluebear_magic.generation.offline.joins import Link
from bluebear_magic.generation.offline.placement import Places, Reject
from bluebear_magic.generation.offline.plan import Field, Plan
from bluebear_magic.generation.offline.request import (
    Anchor,
    ColumnRef,
    Either,
    Extreme,
    Group,
    MeasureRef,
    OrderBy,
    Output,
    Part,
    RankBy,
    Request,
    TableRef,
    Target,
    When,
    Where,
)
from bluebear_magic.generation.offline.schema import DatasetInfo, SchemaIndex

_MARGIN = 0.035
_UNNAMED = 0.15  # the rows are of a dataset that was not named though others were
_MAX_COST = 0.8


@dataclass(frozen=True)
class Reading:
    """A plan, what words were taken for, what was assumed, and what it cost to get there."""

    plan: Plan
    notes: tuple[tuple[str, str], ...]
    assumptions: tuple[str, ...]
    cost: float


@dataclass(frozen=True)
class Verdict:
    """The best reading, or why there is none."""

    reading: Reading | None
    reasons: tuple[Reject, ...] = ()
    rivals: tuple[Reading, ...] = ()


def resolve(requests: list[Request], index: SchemaIndex, links: tuple[Link, ...]) -> Verdict:
    """The clearly best reading of all requests over all bases."""
    readings: list[Reading] = []
    rejects: list[tuple[float, Reject]] = []
    for request in requests:
        if readings and request.cost > min(r.cost for r in readings) + _MARGIN:
            break
        try:
            figured = with_figures(request)
            asked = sort_out(figured.parts)
        except Reject as reject:
            rejects.append((request.cost, reject))
            continue
        tables = _tables(request)
        for base in _bases(request, index):
            try:
                places = Places(index, links, base, tables)
                plan, context = build(places, figured, asked)
            except Reject as reject:
                rejects.append((request.cost, reject))
                continue
            cost = request.cost + context.cost + (0.0 if places.named else _UNNAMED)
            if cost <= _MAX_COST:
                readings.append(
                    Reading(plan, tuple(context.notes), tuple(context.assumptions), cost)
                )
    readings.sort(key=lambda reading: reading.cost)
    rejects.sort(key=lambda entry: (entry[0], not entry[1].options))
    reasons = tuple(reject for _, reject in rejects)
    if not readings:
        return Verdict(None, reasons)
    rivals = tuple(
        reading
        for reading in readings[1:]
        if reading.plan != readings[0].plan and reading.cost - readings[0].cost < _MARGIN
    )
    close = (readings[0], *rivals)
    if rivals and not _same_kinds(close, index, links):
        return Verdict(None, reasons, close)
    # the dataset that has one row for each kind is the one that is about them
    return Verdict(min(close, key=lambda reading: index.by_name[reading.plan.source].rows or 0))


def _same_kinds(readings: tuple[Reading, ...], index: SchemaIndex, links: tuple[Link, ...]) -> bool:
    """Whether all only list or count the values of columns that hold the same values."""
    fields = [_kinds(reading.plan) for reading in readings]
    known = [index.column(item.dataset, item.column) for item in fields if item]
    if len(known) < len(readings):
        return False
    linked = {frozenset((id(link.key), id(link.match))) for link in links}
    first = known[0]
    return all(
        frozenset((id(first), id(other))) in linked
        and first.profile.distinct is not None
        and first.profile.distinct == other.profile.distinct
        and not first.profile.nulls
        and not other.profile.nulls
        for other in known[1:]
    )


def _kinds(plan: Plan) -> Field | None:
    """The one column whose different values the plan lists or counts, if it does just that."""
    if plan.conditions or plan.lookups or plan.keys or plan.having:
        return None
    counted = [a.field for a in plan.aggregates if a.function == "count_distinct"]
    fields = [*plan.select, *counted]
    if len(fields) != 1 or len(counted) != len(plan.aggregates):
        return None
    return fields[0]


def _bases(request: Request, index: SchemaIndex) -> list[DatasetInfo]:
    """The datasets that the request's words touch."""
    tables = [table.mention for table in _tables(request) if table.mention]
    names = {mention.dataset.name for mention in tables if mention.dataset}
    rows = False
    for target in _targets(request.parts):
        if isinstance(target, ColumnRef):
            names |= {candidate.column.dataset for candidate in target.mention.columns}
        rows = rows or (isinstance(target, TableRef) and target.mention is None)
    if rows and not names:
        return list(index.datasets) if len(index.datasets) == 1 else []
    return [dataset for dataset in index.datasets if dataset.name in names]


def _tables(request: Request) -> tuple[TableRef, ...]:
    """The datasets named in the request."""
    return tuple(t for t in _targets(request.parts) if isinstance(t, TableRef) and t.mention)


def _targets(parts: tuple[Part, ...]) -> list[Target]:
    found: list[Target] = []
    for part in parts:
        if isinstance(part, Group):
            found += part.keys
        elif isinstance(part, Either):
            found += _targets(part.options)
        elif isinstance(part, Anchor):
            found.append(part.table)
        elif isinstance(part, Output | RankBy | OrderBy | Extreme | Where):
            found += [part.target] if part.target else []
        elif isinstance(part, When):
            found += [part.column] if part.column else []
    found += [t.target for t in found if isinstance(t, MeasureRef) and t.target]
    return found
