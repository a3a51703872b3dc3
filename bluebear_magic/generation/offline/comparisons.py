"""Single conditions: a column against numbers, values, pieces of text or its average."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bluebear_magic.generation.offline.context import PlanContext
from bluebear_magic.generation.offline.linking import Mention
from bluebear_magic.generation.offline.placement import Reject, field_of, weak
from bluebear_magic.generation.offline.plan import (
    Between,
    Compare,
    CompareToAggregate,
    Condition,
    Field,
    Literal_,
    Missing,
    OneOf,
    Operator,
    Text,
)
from bluebear_magic.generation.offline.request import ColumnRef, MeasureRef, Where
from bluebear_magic.generation.offline.schema import ColumnInfo
from bluebear_magic.generation.offline.tokens import normalise, said

_OPPOSITE: dict[str, Operator] = {
    "==": "!=", "!=": "==", ">": "<=", ">=": "<", "<": ">=", "<=": ">",
}  # fmt: skip
_PLAIN_TIMES = {"year", "date", "day", "time", "timestamp", "datetime", "at", "on", "hour"}


def compare(context: PlanContext, where: Where) -> Condition:
    """The condition of a plan; Reject when it does not fit what the column holds."""
    if isinstance(where.target, MeasureRef):
        raise Reject
    if where.hints:
        return _hinted(context, where)
    if where.target is None:
        placed, values = context.places.values(where.operands, where.role)
        return _equal(context, context.use(placed), where, values)
    named = where.target.mention
    if not context.asked.tables and context.asked.outputs and weak(named.columns[0]):
        raise Reject(f"{said(named.text)} of what?")
    if where.operator == "missing":
        column = context.column(where.target)
        if where.counted and (column.identifier or column.profile.nulls in {0, None}):
            raise Reject  # "no orders" is about orders, not about a number that is missing
        context.note(named.text, f"{column} is{' not' if where.negated else ''} missing")
        return Missing(field_of(column), where.negated)
    if where.to_average:
        return _against_average(context, where, where.target)
    if where.operator in {"contains", "starts", "ends"}:
        return _text(context, where, where.target)
    if where.operator == "in":
        return _one_of(context, where, where.target)
    return _numbers(context, where, where.target)


def says_when(column: ColumnInfo) -> bool:
    """Whether a column of dates is about one kind of event: open_year, but not year."""
    return any(
        part.word not in _PLAIN_TIMES and not own
        for part, own in zip(column.parts, column.own, strict=True)
    )


def _operator(where: Where) -> Operator:
    operator: Operator = where.operator  # type: ignore[assignment]
    return _OPPOSITE[operator] if where.negated else operator


def _hinted(context: PlanContext, where: Where) -> Condition:
    column, flipped = context.hinted(where.hints, "it")
    number = where.operands[0].number
    if flipped or number is None or column.kind != "number":
        raise Reject
    context.note(f"{where.operator} {number}", str(column))
    return Compare(field_of(column), _operator(where), number)


def _against_average(context: PlanContext, where: Where, target: ColumnRef) -> Condition:
    column = context.column(target, numeric=True, near=True)
    context.note(target.mention.text, f"{column} {_operator(where)} its average over all rows")
    return CompareToAggregate(field_of(column), _operator(where), "avg")


def _text(context: PlanContext, where: Where, target: ColumnRef) -> Condition:
    column = context.column(target)
    if column.kind != "text":
        raise Reject(f"{column} holds no text")
    piece = where.operands[0].text
    how = where.operator
    context.note(target.mention.text, f"{column} {how} {piece!r}")
    return Text(field_of(column), how, piece, where.negated)  # type: ignore[arg-type]


def _numbers(context: PlanContext, where: Where, target: ColumnRef) -> Condition:
    column = context.column(target, numeric=True)
    numbers = [operand.number for operand in where.operands]
    first, last = numbers[0], numbers[-1]
    if first is None or last is None:
        raise Reject
    if where.counted and column.identifier:
        raise Reject  # "at least 3 accounts" counts accounts; it compares no ids
    words = " and ".join(str(number) for number in numbers)
    context.note(target.mention.text, f"{column} {where.operator} {words}")
    if where.operator == "between":
        if where.negated or last < first:
            raise Reject
        return Between(field_of(column), first, last)
    return Compare(field_of(column), _operator(where), first)


# --- equality ----------------------------------------------------------------------


def _one_of(context: PlanContext, where: Where, target: ColumnRef) -> Condition:
    """A named column and values: as they occur in it, or as they were written."""
    if any(operand.kind == "value" for operand in where.operands):
        wanted = {id(candidate.column) for candidate in target.mention.columns}
        placed, values = context.places.values(where.operands, where.role, among=wanted)
        return _equal(context, context.use(placed), where, values)
    column = context.column(target)
    literals = tuple(_literal(column, operand) for operand in where.operands)
    return _equal(context, field_of(column), where, literals)


def _literal(column: ColumnInfo, operand: Mention) -> Literal_:
    if operand.kind == "number" and column.kind == "number":
        assert operand.number is not None
        return operand.number
    if column.kind == "number":
        try:
            number = float(operand.text.replace(",", ""))
        except ValueError:
            raise Reject(f"{column} holds numbers, not {said(operand.text)}") from None
        if not math.isfinite(number):
            raise Reject(f"{column} holds numbers, not {said(operand.text)}")
        return int(number) if number.is_integer() else number
    if column.kind != "text":
        raise Reject(f"{column} cannot be compared with {said(operand.text)}")
    return _spelling(column, operand.text)


def _spelling(column: ColumnInfo, text: str) -> str:
    """As the data spells it; as it was written where not all values are known."""
    known = [value for value in column.profile.values if normalise(value) == normalise(text)]
    if len(known) == 1:
        return known[0]
    if text in known or not (known or column.profile.complete):
        return text
    raise Reject(f"{said(text)} does not occur in {column}")


def _equal(
    context: PlanContext, field: Field, where: Where, values: Sequence[Literal_]
) -> Condition:
    words = " / ".join(operand.text for operand in where.operands)
    sign = "other than" if where.negated else "="
    context.note(words, f"{field} {sign} {', '.join(map(str, values))}")
    unique = tuple(dict.fromkeys(values))
    if len(unique) == 1:
        return Compare(field, "!=" if where.negated else "==", unique[0])
    return OneOf(field, unique, where.negated)
