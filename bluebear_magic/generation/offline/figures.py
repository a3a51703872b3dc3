"""Metrics that are figures already: "revenue by region" where the project says what revenue is."""

from __future__ import annotations

from dataclasses import replace

from bluebear_magic.generation.offline.placement import Reject
from bluebear_magic.generation.offline.plan import Function
from bluebear_magic.generation.offline.request import (
    ColumnRef,
    Extreme,
    MeasureRef,
    OrderBy,
    Output,
    Part,
    RankBy,
    Request,
    Target,
    Where,
)
from bluebear_magic.generation.offline.schema import ColumnInfo
from bluebear_magic.generation.offline.tokens import said


def with_figures(request: Request) -> Request:
    """The request with each metric that is computed over rows as a figure.

    Raises Reject where another figure is asked of one: an average of sums.
    """
    return replace(request, parts=tuple(map(_part, request.parts)))


def _part(part: Part) -> Part:
    if isinstance(part, Output | RankBy | OrderBy | Extreme | Where) and part.target is not None:
        target = _target(part.target)
        if target is not part.target:
            return replace(part, target=target)  # type: ignore[arg-type]
    return part


def _target(target: Target) -> Target:
    if isinstance(target, ColumnRef) and _figure(target):
        return MeasureRef("metric", target)
    if isinstance(target, MeasureRef) and isinstance(target.target, ColumnRef):
        column = _figure(target.target)
        if column is None:
            return target
        assert column.metric
        if not _is_call(column.metric.expression, target.function):
            words = said(target.target.mention.text)
            figure = column.metric.expression
            raise Reject(f"{words} is a figure by itself ({figure}): ask for it alone")
        return MeasureRef("metric", target.target)
    return target


def _figure(ref: ColumnRef) -> ColumnInfo | None:
    """The metric that words name best, if it is one over rows."""
    column = ref.mention.columns[0].column
    return column if column.metric and column.metric.aggregated else None


def _is_call(expression: str, function: Function) -> bool:
    """Whether all of an expression is one call: "total revenue" of ``sum(price * qty)``."""
    text = expression.strip().lower()
    if not (text.startswith(f"{function}(") and text.endswith(")")):
        return False
    depth = 0
    for at, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == ")" and depth == 0:
            return at == len(text) - 1
    return False
