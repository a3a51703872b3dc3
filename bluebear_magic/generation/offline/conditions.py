"""The conditions of a request, as conditions of a plan.

A condition is about the base and what it looks up, or about the rows of another
dataset that point at the base ("customers with an order ...").
"""

from __future__ import annotations

from bluebear_magic.generation.offline.comparisons import compare, says_when
from bluebear_magic.generation.offline.context import PlanContext, sort_out
from bluebear_magic.generation.offline.groups import moment_words
from bluebear_magic.generation.offline.placement import Places, Reject, field_of, listed
from bluebear_magic.generation.offline.plan import (
    AnyOf,
    Between,
    Compare,
    Condition,
    During,
    Field,
    Related,
)
from bluebear_magic.generation.offline.request import (
    Anchor,
    ColumnRef,
    Either,
    MeasureRef,
    Part,
    When,
    Where,
)
from bluebear_magic.generation.offline.schema import ColumnInfo, DatasetInfo
from bluebear_magic.generation.offline.tokens import said

_RELATED_COST = 0.15
_CLOSE = 0.06


def build_conditions(context: PlanContext, parts: tuple[Part, ...]) -> tuple[Condition, ...]:
    """All conditions of the request, in its order; those on related rows last."""
    found: list[Condition] = []
    related = _related_datasets(context, parts)
    inner: dict[str, list[Condition]] = {name: [] for name in related}
    for part in parts:
        if isinstance(part, When):
            found.append(_period(context, part))
        elif isinstance(part, Either):
            found.append(AnyOf(tuple(compare(context, option) for option in part.options)))
        elif isinstance(part, Where) and not isinstance(part.target, MeasureRef):
            where = _inside(context, part, related)
            if where:
                inner[where[0]].append(where[1])
            else:
                found.append(compare(context, part))
    for name, anchor in related.items():
        found.append(_relation(context, name, anchor, tuple(inner[name])))
    _no_contradiction(found)
    return tuple(dict.fromkeys(found))


def _no_contradiction(conditions: list[Condition]) -> None:
    """No field has two values, no moment lies in two months: "May and June" means either."""
    fixed = [c for c in dict.fromkeys(conditions) if isinstance(c, Compare) and c.operator == "=="]
    times = [c.moment for c in dict.fromkeys(conditions) if isinstance(c, During)]
    if len({c.field for c in fixed}) < len(fixed) or len(set(times)) < len(times):
        raise Reject


# --- rows of other datasets ------------------------------------------------------


def _related_datasets(context: PlanContext, parts: tuple[Part, ...]) -> dict[str, Anchor]:
    """Named datasets of which some row, or none, must go with a row of the base."""
    found = {}
    for part in parts:
        dataset = _dataset(part) if isinstance(part, Anchor) else None
        if dataset is None:
            continue
        assert isinstance(part, Anchor)
        if dataset is context.base:
            if part.negated:
                raise Reject
        elif part.negated or dataset.name not in context.places.paths:
            found[dataset.name] = part
    return found


def _dataset(anchor: Anchor) -> DatasetInfo | None:
    return anchor.table.mention.dataset if anchor.table.mention else None


def _relation(
    context: PlanContext, name: str, anchor: Anchor, where: tuple[Condition, ...]
) -> Related:
    pairs = [(link.match, link.key) for link in context.places.related(name)]
    pairs += [
        (path[0].key, path[0].match)
        for path in context.places.paths.get(name, ())
        if len(path) == 1
    ]
    if len(pairs) != 1:
        how_many = "more than one column links" if pairs else "nothing links"
        options = tuple(key for key, _ in pairs)
        raise Reject(f"{how_many} {name} to {context.base.name}", options)
    key, match = pairs[0]
    context.cost += _RELATED_COST
    assert anchor.table.mention
    what = "no rows" if anchor.negated else "rows"
    context.note(anchor.table.mention.text, f"{what} of {name} with {match} = {key}")
    return Related(field_of(key), field_of(match), where, anchor.negated)


def _inside(
    context: PlanContext, where: Where, related: dict[str, Anchor]
) -> tuple[str, Condition] | None:
    """The condition on a related dataset, when its words fit there and only there."""
    for name, anchor in related.items():
        dataset = _dataset(anchor)
        assert dataset
        there = PlanContext(
            Places(context.places.index, (), dataset, (anchor.table,)), sort_out(())
        )
        try:
            condition = compare(there, where)
        except Reject:
            continue
        if _fits(where, context.base.name):
            names = listed([name, context.base.name])
            raise Reject(f"it is not clear whether {names} is meant")
        context.notes += there.notes
        return name, condition
    return None


def _fits(where: Where, dataset: str) -> bool:
    """Whether the condition's words fit a dataset about as closely as any."""
    if isinstance(where.target, ColumnRef):
        best = where.target.mention.columns[0].score
        return any(
            candidate.column.dataset == dataset and best - candidate.score < _CLOSE
            for candidate in where.target.mention.columns
        )
    return any(hit.column.dataset == dataset for o in where.operands for hit in o.values)


# --- periods -----------------------------------------------------------------------


def _period(context: PlanContext, when: When) -> Condition:
    places = context.places
    if when.column:
        column = context.column(when.column)
        if column.kind != "time":
            return _years(context, column, when)
        context.note(when.words, f"a period of {column}")
        return During(field_of(column), when.period)
    year = places.year_column()
    timeless = not any(column.kind == "time" for column in places.base.columns)
    if year and timeless and not places.day_parts() and when.period.whole_years:
        if says_when(year):
            raise Reject(f"say whether {said(when.words)} is about {year}")
        return _years(context, year, when)
    moment = places.moment()
    if when.after_verb and isinstance(moment, Field) and says_when(context.info(moment)):
        raise Reject(f"say whether {said(when.words)} is about {moment}")
    context.note(when.words, f"a period of {moment_words(moment)}")
    return During(moment, when.period)


def _years(context: PlanContext, column: ColumnInfo, when: When) -> Condition:
    """A period of whole years on a column that holds years."""
    period = when.period
    if not (column.integral and column.parts[-1].word == "year" and period.whole_years):
        raise Reject(f"{column} holds no dates")
    context.note(when.words, f"years of {column}")
    field = field_of(column)
    if period.start and period.end:
        if period.end.year - period.start.year == 1:
            return Compare(field, "==", period.start.year)
        return Between(field, period.start.year, period.end.year - 1)
    if period.start:
        return Compare(field, ">=", period.start.year)
    assert period.end
    return Compare(field, "<", period.end.year)
