"""Plans that pick rows: lists, distinct values, the first few by a column."""

from __future__ import annotations

from bluebear_magic.generation.offline.context import PlanContext, measure_words
from bluebear_magic.generation.offline.placement import Reject, field_of
from bluebear_magic.generation.offline.plan import Field, Order, Plan
from bluebear_magic.generation.offline.request import ColumnRef, Extreme, MeasureRef, TableRef
from bluebear_magic.generation.offline.schema import ColumnInfo


def plan_rows(context: PlanContext) -> Plan:
    """The plan without its conditions and lookups."""
    asked, base = context.asked, context.base.name
    if any(not context.is_base(key) for key in asked.groups):
        raise Reject("say what to compute for each group")
    select = _selected(context)
    if select and all(item.dataset != base for item in select):
        raise Reject  # then the rows are those of another dataset
    order = _order(context, select)
    distinct = bool(select) and _distinct(context)
    if distinct and any(o.by not in select for o in order):
        order = tuple(o for o in order[:1] if o.by in select)
        if not order:
            raise Reject
    if distinct and not order:
        order = tuple(Order(item) for item in select)
    return Plan(base, select=select, order=order, limit=asked.limit, distinct=distinct)


def _selected(context: PlanContext) -> tuple[Field, ...]:
    """The fields to show; none for whole rows."""
    fields: list[Field] = []
    for output in context.asked.outputs:
        target = output.target
        if isinstance(target, TableRef):
            if target.mention and not context.is_base(target):
                raise Reject
            if target.mention:
                context.note(target.mention.text, f"the rows of {context.base.name}")
        elif isinstance(target, ColumnRef):
            column = context.column(target)
            if len(context.asked.outputs) == 1 and _sounds_computed(target, column):
                raise Reject(f"say whether {column} is to be listed or added up")
            context.note(target.mention.text, str(column))
            fields.append(field_of(column))
        elif isinstance(target, MeasureRef):
            counter = _counter(context, target)
            context.note(measure_words(target), str(counter))
            fields.append(field_of(counter))
        else:
            raise Reject
    return tuple(dict.fromkeys(fields))


def _sounds_computed(target: ColumnRef, column: ColumnInfo) -> bool:
    """Whether a name could be a step: "total amount", the column or the sum of another."""
    first = target.mention.text.split()[0].casefold()
    return column.kind == "number" and first in {"total", "average", "minimum", "maximum", "sum"}


def _counter(context: PlanContext, measure: MeasureRef) -> ColumnInfo:
    if not isinstance(measure.target, ColumnRef) or context.counter(measure) is None:
        raise Reject
    return context.column(measure.target)


def _distinct(context: PlanContext) -> bool:
    """In "what are the payment methods" each is wanted once; "... of customers", one a row."""
    asked = context.asked
    if any(output.distinct for output in asked.outputs):
        return True
    if asked.limited or asked.groups or asked.tables:
        return False
    columns = [context.peek(output.target) for output in asked.outputs]
    return all(
        column is not None and not column.unique and column.kind in {"text", "number"}
        for column in columns
    )


def _order(context: PlanContext, select: tuple[Field, ...]) -> tuple[Order, ...]:
    asked = context.asked
    if asked.limited:
        if asked.order:
            raise Reject
        by, descending = _rank(context)
    elif asked.rank:
        raise Reject
    elif asked.order:
        by, descending = _asked_field(context, select), asked.order.descending
    else:
        return ()
    return (Order(by, descending), *_tie_break(context, select, by))


def _asked_field(context: PlanContext, select: tuple[Field, ...]) -> Field:
    """What the question sorts by; without a word of it, what is shown first."""
    order = context.asked.order
    assert order
    if isinstance(order.target, ColumnRef):
        column = context.column(order.target)
        context.note(f"sorted by {order.target.mention.text}", str(column))
    elif isinstance(order.target, MeasureRef):
        column = _counter(context, order.target)
    elif order.target is None and select:
        return select[0]
    elif order.target is None and context.base.label:
        column = context.base.label[0]
    else:
        raise Reject
    return field_of(column)


def _tie_break(context: PlanContext, select: tuple[Field, ...], by: Field) -> tuple[Order, ...]:
    """So that the same question gives the same rows: by the key, else by what is shown."""
    key = context.base.key
    if key and field_of(key) == by:
        return ()
    if key:
        return (Order(field_of(key)),)
    shown = select or tuple(field_of(column) for column in context.base.columns)
    return tuple(Order(item) for item in shown if item != by)


def _rank(context: PlanContext) -> tuple[Field, bool]:
    """The field by which rows compete, and whether the largest wins."""
    asked = context.asked
    if asked.extreme and asked.extreme.hints:
        return _hinted_rank(context, asked.extreme)
    target = asked.extreme.target if asked.extreme else asked.rank
    if not isinstance(target, ColumnRef):
        raise Reject("say by what the rows are to be ranked")
    column = context.column(target, numeric=True)
    if column.identifier:
        raise Reject
    side = "largest" if asked.descending else "smallest"
    context.note(target.mention.text, f"the {side} {column}")
    context.skip_nulls(column)
    return field_of(column), asked.descending


def _hinted_rank(context: PlanContext, extreme: Extreme) -> tuple[Field, bool]:
    column, flipped = context.hinted(extreme.hints, extreme.words)
    descending = extreme.descending != flipped
    sides = ("latest", "earliest") if column.kind == "time" else ("largest", "smallest")
    context.note(extreme.words, f"the {sides[not descending]} {column}")
    context.assumptions.append(f"{extreme.words!r} goes by {column}")
    context.skip_nulls(column)
    return field_of(column), descending
