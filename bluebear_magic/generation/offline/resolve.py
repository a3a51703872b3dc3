"""Requests -> plans: which dataset the rows come from, which columns are meant.

Every dataset that a request could be about is tried as the base; the reading
with the lowest cost wins, unless another plan comes too close to it.
"""

from __future__ import annotations

from dataclasses import dataclass

from bluebear_magic.generation.offline.builder import build
from bluebear_magic.generation.offline.joins import Link
from bluebear_magic.generation.offline.placement import Places, Reject
from bluebear_magic.generation.offline.plan import Plan
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

_MARGIN = 0.03
_MAX_COST = 1.2


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
        for base in _bases(request, index):
            places = Places(index, links, base, _mentioned(request))
            try:
                plan, context = build(places, request)
            except Reject as reject:
                rejects.append((request.cost, reject))
                continue
            cost = request.cost + context.cost
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
    return Verdict(None if rivals else readings[0], reasons, (readings[0], *rivals))


def _bases(request: Request, index: SchemaIndex) -> list[DatasetInfo]:
    """The datasets that the request's words touch."""
    names = set(_mentioned(request))
    rows = False
    for target in _targets(request.parts):
        if isinstance(target, ColumnRef):
            names |= {candidate.column.dataset for candidate in target.mention.columns}
        rows = rows or (isinstance(target, TableRef) and target.mention is None)
    if rows and not names:
        return list(index.datasets) if len(index.datasets) == 1 else []
    return [dataset for dataset in index.datasets if dataset.name in names]


def _mentioned(request: Request) -> frozenset[str]:
    """The datasets named in the request."""
    return frozenset(
        target.mention.dataset.name
        for target in _targets(request.parts)
        if isinstance(target, TableRef) and target.mention and target.mention.dataset
    )


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
