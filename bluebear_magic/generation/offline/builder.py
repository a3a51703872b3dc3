"""One request, seen from one dataset, made into a plan; or rejected."""

from __future__ import annotations

from dataclasses import replace

from bluebear_magic.generation.offline.conditions import build_conditions
from bluebear_magic.generation.offline.context import Asked, PlanContext
from bluebear_magic.generation.offline.groups import is_grouped, plan_groups
from bluebear_magic.generation.offline.joins import containment
from bluebear_magic.generation.offline.placement import Places, Reject
from bluebear_magic.generation.offline.plan import (
    Compare,
    Condition,
    Lookup,
    Missing,
    Plan,
    Related,
)
from bluebear_magic.generation.offline.request import Anchor, Part, Request
from bluebear_magic.generation.offline.rows import plan_rows


def build(places: Places, request: Request, asked: Asked) -> tuple[Plan, PlanContext]:
    """The plan whose rows come from ``places.base``, and what was gathered on the way.

    Raises Reject when the request makes no sense from there.
    """
    context = PlanContext(places, asked)
    plan = plan_groups(context) if is_grouped(context) else plan_rows(context)
    conditions = build_conditions(context, request.parts)
    conditions += tuple(Missing(item, negated=True) for item in dict.fromkeys(context.not_null))
    _all_used(context, request.parts, conditions)
    _say_what_is_left_out(context)
    plan = replace(plan, lookups=_in_order(context), conditions=conditions)
    if _pointless(plan):
        raise Reject
    return plan, context


def _all_used(
    context: PlanContext, parts: tuple[Part, ...], conditions: tuple[Condition, ...]
) -> None:
    """A dataset that was named must have a part in the answer."""
    if any(part.by and context.is_base(part.table) for part in parts if isinstance(part, Anchor)):
        raise Reject  # "total price by region" asks for groups, whatever the rows are
    related = {c.match.dataset for c in conditions if isinstance(c, Related)}
    for dataset in sorted(context.asked.anchors):
        if dataset not in {context.base.name, *context.lookups, *related}:
            raise Reject(f"nothing was asked of {dataset}", vague=True)


def _say_what_is_left_out(context: PlanContext) -> None:
    """Rows whose key is not found are not in the answer; where that is known, it is said."""
    for lookup in context.lookups.values():
        key, match = context.info(lookup.key), context.info(lookup.match)
        share = containment(key, match)
        if share is not None and share < 1:
            context.assumptions.append(f"rows whose {key} is not in {match} are left out")


def _in_order(context: PlanContext) -> tuple[Lookup, ...]:
    """The lookups, each after the one that brings its key."""
    done = {context.base.name}
    ordered: list[Lookup] = []
    waiting = list(context.lookups.values())
    while waiting:
        ready = [lookup for lookup in waiting if lookup.key.dataset in done]
        if not ready:
            raise Reject
        ordered += ready
        done |= {lookup.match.dataset for lookup in ready}
        waiting = [lookup for lookup in waiting if lookup not in ready]
    return tuple(ordered)


def _pointless(plan: Plan) -> bool:
    """To show only what was given is no answer: the words must mean something else."""
    fixed = {c.field for c in plan.conditions if isinstance(c, Compare) and c.operator == "=="}
    shown = [*plan.select, *(key.source for key in plan.keys)]
    return bool(shown) and not plan.aggregates and all(item in fixed for item in shown)
