"""The chart that a plan asks for, where that is clear."""

from __future__ import annotations

from bluebear_magic.generation.offline.plan import Plan
from bluebear_magic.generation.offline.write import Written
from bluebear_magic.records import ChartHint

_TIMES = {"year", "quarter", "month", "week", "day", "date"}


def chart_hint(plan: Plan, written: Written) -> ChartHint | None:
    """A line over time, bars over one kind of group; None where it is not clear."""
    if not plan.aggregates:
        return None
    if not plan.keys or plan.limit == 1:
        return ChartHint("none")
    if len(plan.keys) > 1:
        return None
    key = plan.keys[0]
    timed = key.unit is not None or written.keys[0].casefold() in _TIMES
    return ChartHint("line" if timed else "bar", written.keys[0], written.figures[:1])
