"""The filters that a project sets on its datasets, and what is said of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bluebear_magic.generation.offline.plan import (
    AnyOf,
    Condition,
    DayParts,
    During,
    Field,
    Missing,
    Plan,
    Related,
)
from bluebear_magic.generation.offline.schema import SchemaIndex


def default_filters(
    plan: Plan, index: SchemaIndex
) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """The filters of the datasets that a plan reads, by dataset; and what is said of them.

    A filter on a column of which the question says something itself is left out.
    """
    asked = {(item.dataset, item.column.lower()) for item in _conditioned(plan.conditions)}
    filters: dict[str, tuple[str, ...]] = {}
    told: list[str] = []
    for dataset in _read(plan):
        for text in index.by_name[dataset].filters:
            words = {word.lower() for word in re.findall(r"\w+", text)}
            own = sorted(column for name, column in asked if name == dataset and column in words)
            if own:
                told.append(
                    f"the default filter of {dataset} ({text}) is left out: "
                    f"the question asks for {', '.join(own)} itself"
                )
            else:
                filters[dataset] = (*filters.get(dataset, ()), text)
                told.append(f"of {dataset} only rows where {text}: its default filter")
    return filters, tuple(told)


def _read(plan: Plan) -> list[str]:
    related = [item.match.dataset for item in plan.conditions if isinstance(item, Related)]
    looked_up = [lookup.match.dataset for lookup in plan.lookups]
    return list(dict.fromkeys([plan.source, *looked_up, *related]))


def _conditioned(conditions: tuple[Condition, ...]) -> Iterator[Field]:
    """The fields of which conditions say something."""
    for condition in conditions:
        if isinstance(condition, AnyOf):
            yield from _conditioned(condition.conditions)
        elif isinstance(condition, Related):
            yield from _conditioned(condition.where)
        elif isinstance(condition, During):
            moment = condition.moment
            if isinstance(moment, DayParts):
                yield from filter(None, (moment.year, moment.month, moment.day))
            else:
                yield moment
        elif not (isinstance(condition, Missing) and condition.negated):  # that may be ours
            yield condition.field
