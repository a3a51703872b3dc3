"""Plans that compute figures, over all rows or over groups of them."""

from __future__ import annotations

from bluebear_magic.generation.offline.context import PlanContext, additive, measure_words
from bluebear_magic.generation.offline.placement import Placed, Reject, field_of
from bluebear_magic.generation.offline.plan import (
    Aggregate,
    DayParts,
    Field,
    Having,
    Key,
    Moment,
    Order,
    Plan,
)
from bluebear_magic.generation.offline.request import (
    ColumnRef,
    MeasureRef,
    OrderBy,
    PartRef,
    TableRef,
    Target,
    Where,
)
from bluebear_magic.generation.offline.schema import ColumnInfo, DatasetInfo
from bluebear_magic.generation.offline.tokens import said, stem, tokenize

_MEANINGS = {
    "sum": "the sum of", "avg": "the average of", "min": "the smallest", "max": "the largest",
    "median": "the median of", "metric": "the metric",
}  # fmt: skip
_SINGLE_ROWS = 0.1  # groups of one row each are meant only where no other dataset will do
_FEW_ROWS = 1000
_CLEARLY = 0.95
_TIME_NAMES = {"year", "quarter", "month", "week", "day", "date", "hour"}


def is_grouped(context: PlanContext) -> bool:
    """Whether rows are put together, or only picked."""
    asked, extreme = context.asked, context.asked.extreme
    if asked.havings or isinstance(asked.rank, MeasureRef):
        return True
    if any(context.is_figure(output.target) for output in asked.outputs):
        return True
    if extreme and (extreme.frequent or isinstance(extreme.target, MeasureRef | TableRef)):
        return True
    ranked = extreme.target if extreme else asked.rank
    if isinstance(ranked, ColumnRef):
        return _ranks_groups(context, ranked)
    return any(not context.is_base(key) for key in asked.groups)


def _ranks_groups(context: PlanContext, ranked: ColumnRef) -> bool:
    """Whether "the region with the highest sales" adds up, or one row is meant."""
    if context.asked.tables:
        return False
    shown = [context.peek(output.target) for output in context.asked.outputs]
    if any(column is None or column.dataset != context.base.name for column in shown):
        return False
    if any(column.unique for column in shown if column):
        return False
    column = context.places.column(ranked.mention, numeric=True).column
    if not additive(column):
        raise Reject(
            f"{said(ranked.mention.text)} could be of one row or of all rows of a group; "
            "say total, average, minimum or maximum"
        )
    return True


def plan_groups(context: PlanContext) -> Plan:
    """The plan without its conditions and lookups."""
    asked = context.asked
    figures, shown = _split(context)
    if asked.limited and ((asked.groups and shown) or asked.order):
        raise Reject("say one thing at a time: the best of each group cannot be told yet")
    keys = _keys(context, shown, figured=any(figure.function != "count" for figure in figures))
    aggregates = [_aggregate(context, figure) for figure in figures]
    having = [_having(context, where) for where in asked.havings]
    wanted = _wanted(context)
    if asked.limited:
        _only_known(context, keys, wanted, aggregates)
    aggregates += [h.aggregate for h in having] + ([wanted] if wanted else [])
    if not aggregates or ((asked.limited or having) and not keys):
        raise Reject
    aggregates = list(dict.fromkeys(aggregates))
    order = _order(context, keys, aggregates, wanted)
    return Plan(
        context.base.name, keys=tuple(keys), aggregates=tuple(aggregates),
        having=tuple(having), order=order, limit=asked.limit,
    )  # fmt: skip


def _split(context: PlanContext) -> tuple[list[MeasureRef], list[Target]]:
    """What is computed, and what is shown beside it; the latter become keys."""
    asked = context.asked
    figures: list[MeasureRef] = []
    shown: list[Target] = []
    for output in asked.outputs:
        target = output.target
        if not isinstance(target, MeasureRef):
            shown.append(target)
        elif context.is_figure(target):
            figures.append(target)
        else:
            raise Reject
    if figures and shown and any(figure.loose for figure in figures):
        raise Reject  # "the name and the highest price" is about one row
    if figures and any(_measures(context, target) for target in shown):
        raise Reject  # "average price and score": the score is averaged too
    if not figures and asked.groups and not (asked.limited or asked.rank or asked.havings):
        figures, shown = _implied_sums(context, shown)
        figures += _implied_counts(context, shown)
        shown = [target for target in shown if not (figures and context.is_base(target))]
    if any(context.is_base(target) for target in shown):
        raise Reject
    return figures, shown


def _measures(context: PlanContext, target: Target) -> bool:
    """Whether a column holds amounts rather than kinds."""
    column = context.peek(target)
    if column is None or column.kind != "number" or column.identifier:
        return False
    return column.parts[-1].word not in _TIME_NAMES


def _implied_sums(
    context: PlanContext, shown: list[Target]
) -> tuple[list[MeasureRef], list[Target]]:
    """In "sales by region" the sales are added up; only what can be added is."""
    figures: list[MeasureRef] = []
    rest: list[Target] = []
    for target in shown:
        column = context.peek(target)
        if not isinstance(target, ColumnRef) or not column or column.kind != "number":
            rest.append(target)
        elif additive(column):
            figures.append(MeasureRef("sum", target))
            context.assumptions.append(f"{target.mention.text!r} is added up")
        else:
            raise Reject(f"say what to compute of {column}: total, average, minimum or maximum")
    return figures, rest


def _implied_counts(context: PlanContext, shown: list[Target]) -> list[MeasureRef]:
    """In "flights per month" the flights are counted; in "for each month" it is not so clear."""
    if not context.asked.per or not all(context.is_base(target) for target in shown):
        return []
    return [MeasureRef("count", table) for table in shown[:1] if isinstance(table, TableRef)]


# --- keys ----------------------------------------------------------------------


def _keys(context: PlanContext, shown: list[Target], *, figured: bool) -> list[Key]:
    """The keys asked for, then those of what is shown.

    Columns shown "of the customers" group by customer, not by the column. ``figured``:
    something else than rows is asked of each group.
    """
    targets = [(key, t) for t in context.asked.groups for key in _target_keys(context, t)]
    keys = [key for key, _ in targets]
    named = {key for key, target in targets if figured and _named_exactly(context, target)}
    of_things = [key for target in shown for key in _target_keys(context, target)]
    for key in of_things:
        item = key.source
        if isinstance(item, Field) and item.dataset in context.asked.anchors:
            lookup = context.lookups.get(item.dataset)
            if lookup and item != lookup.match:
                keys.append(Key(lookup.key))
    keys = list(dict.fromkeys([*keys, *of_things]))
    single = [key for key in keys if _tells_rows_apart(context, key)]
    if not named.issuperset(single):
        raise Reject  # every group would be one row
    if single:
        context.cost += _SINGLE_ROWS
        context.assumptions.append(f"{context.base.name} has one row for each of these groups")
    return keys


def _named_exactly(context: PlanContext, target: Target) -> bool:
    """Whether a grouping names a column of kinds so clearly that single rows are meant, too.

    Small tables, such as earlier results, hold one row for each region or year already.
    """
    column = context.peek(target)
    if not isinstance(target, ColumnRef) or column is None or column.identifier:
        return False
    score = next((c.score for c in target.mention.columns if c.column is column), 0.0)
    few = column.integral and (column.rows or 0) <= _FEW_ROWS
    return score >= _CLEARLY and (column.kind in {"text", "time"} or few)


def _tells_rows_apart(context: PlanContext, key: Key) -> bool:
    item = key.source
    if not isinstance(item, Field) or key.unit or item.dataset != context.base.name:
        return False
    return context.info(item).unique and (context.base.rows or 0) > 1


def _target_keys(context: PlanContext, target: Target) -> list[Key]:
    if isinstance(target, PartRef):
        return _time_keys(context, target)
    if isinstance(target, ColumnRef):
        column = context.column(target)
        parts = context.places.day_parts()
        if parts and field_of(column) in {parts.year, parts.month, parts.day}:
            raise Reject  # a unit of time, and read as one
        if column.kind == "number" and not column.integral:
            raise Reject(f"{column} is measured; it does not make groups")
        context.note(target.mention.text, f"grouping by {column}")
        return [Key(field_of(column)), *_names_behind(context, target, column)]
    if isinstance(target, TableRef) and target.mention and target.mention.dataset:
        return _entity_keys(context, target, target.mention.dataset)
    raise Reject


def _names_behind(context: PlanContext, target: ColumnRef, column: ColumnInfo) -> list[Key]:
    """A key that is called like the dataset it leads to is shown with the name there."""
    stems = {stem(token.norm) for token in tokenize(target.mention.text)}
    for dataset, paths in context.places.paths.items():
        info = context.places.index.by_name[dataset]
        direct = [path for path in paths if len(path) == 1 and path[0].key is column]
        if direct and info.label and stems == {part.stem for part in info.parts}:
            return [Key(context.use(Placed(name, direct[0]))) for name in info.label]
    return []


def _time_keys(context: PlanContext, target: PartRef) -> list[Key]:
    moment = context.places.moment()
    context.note(target.unit, f"grouping by the {target.unit} of {moment_words(moment)}")
    if not isinstance(moment, DayParts):
        return [Key(moment, target.unit)]
    if target.unit in {"year", "month"}:
        several = context.info(moment.year).profile.distinct != 1
        years = [Key(moment.year)] if target.unit == "year" or several else []
        return [*years, *([Key(moment.month)] if target.unit == "month" else [])]
    if not moment.day and target.unit in {"week", "day"}:
        raise Reject(f"{context.base.name} does not know the {target.unit}")
    return [Key(moment, target.unit)]


def _entity_keys(context: PlanContext, table: TableRef, dataset: DatasetInfo) -> list[Key]:
    """A thing is shown by its name; by its key too where names repeat."""
    if dataset is context.base:
        raise Reject  # every group would be one row
    places = context.places
    via = places.own(table.via.mention) if table.via else None
    path = places.path_to(dataset.name, table.role, via)
    label = dataset.label
    fields = []
    if not (len(label) == 1 and label[0].unique):
        fields.append(context.use(Placed(path[-1].key, path[:-1])))
    fields += [context.use(Placed(column, path)) for column in label]
    assert table.mention
    context.note(table.mention.text, f"grouping by {', '.join(map(str, fields))}")
    return [Key(item) for item in fields]


# --- figures -------------------------------------------------------------------


def _aggregate(context: PlanContext, measure: MeasureRef) -> Aggregate:
    target = measure.target
    if target is None or isinstance(target, TableRef):
        if target and target.mention and not context.is_base(target):
            raise Reject
        context.note(measure_words(measure), f"the number of rows of {context.base.name}")
        return Aggregate("count")
    if measure.function == "count":
        return _distinct_count(context, measure, target)
    numeric = measure.function in {"sum", "avg", "median", "metric"}
    column = context.own(target, numeric=numeric)
    if (measure.function == "metric") != bool(column.metric and column.metric.aggregated):
        raise Reject
    if column.identifier or column.kind not in {"number", "time"}:
        raise Reject(f"{column} is not a measure")
    context.note(measure_words(measure), f"{_MEANINGS[measure.function]} {column}")
    return Aggregate(measure.function, field_of(column))


def _distinct_count(context: PlanContext, measure: MeasureRef, target: ColumnRef) -> Aggregate:
    """In "how many carriers" the different ones count; of a measure that would be a guess."""
    if target.mention.shadowed:
        raise Reject  # the things themselves are counted, not what is kept of them elsewhere
    column = context.own(target)
    if measure.summed:
        raise Reject(f"say how many different {column}, or the total of what")
    if column.kind == "number" and not (column.identifier or measure.distinct):
        raise Reject(f"say total or average of {column}, or how many different ones")
    context.note(measure_words(measure), f"the number of different {column}")
    return Aggregate("count_distinct", field_of(column))


def _having(context: PlanContext, where: Where) -> Having:
    assert isinstance(where.target, MeasureRef)
    numbers = [operand.number for operand in where.operands]
    first = numbers[0] if numbers else None
    if where.negated or first is None or where.operator == "in":
        raise Reject
    aggregate = _aggregate(context, where.target)
    if where.operator == "between":
        return Having(aggregate, ">=", first, numbers[1])
    return Having(aggregate, where.operator, first)  # type: ignore[arg-type]


def _wanted(context: PlanContext) -> Aggregate | None:
    """What groups compete by; None when they do not."""
    asked, extreme = context.asked, context.asked.extreme
    if extreme and extreme.hints:
        raise Reject
    if extreme and extreme.frequent:
        context.note(extreme.words, f"the number of rows of {context.base.name}")
        return Aggregate("count")
    target = extreme.target if extreme else asked.rank
    if isinstance(target, MeasureRef):
        return _aggregate(context, target)
    if isinstance(target, TableRef):
        return _aggregate(context, MeasureRef("count", target, counting=True))
    if isinstance(target, ColumnRef):
        column = context.own(target)
        if column.kind != "number" or not additive(column):
            raise Reject
        context.assumptions.append(f"{target.mention.text!r} is added up")
        return _aggregate(context, MeasureRef("sum", target))
    if asked.limited:
        raise Reject("say by what the groups are to be ranked")
    return None


def _only_known(
    context: PlanContext, keys: list[Key], wanted: Aggregate | None, others: list[Aggregate]
) -> None:
    """Rows without a key make no group that could win; nor do rows without the measure."""
    for key in keys:
        if isinstance(key.source, Field) and key.source.dataset == context.base.name:
            context.skip_nulls(context.info(key.source))
    if wanted and wanted.field and not others:
        context.skip_nulls(context.info(wanted.field))


# --- order ---------------------------------------------------------------------


def _order(
    context: PlanContext,
    keys: list[Key],
    aggregates: list[Aggregate],
    wanted: Aggregate | None,
) -> tuple[Order, ...]:
    """As asked; else time goes on, and other groups come by their first figure."""
    by_key = tuple(Order(key) for key in keys)
    if not keys:
        return ()
    if wanted:
        return (Order(wanted, context.asked.descending), *by_key)
    if context.asked.order:
        return _asked_order(context, context.asked.order, keys, aggregates)
    timed = [key for key in keys if _is_time(key)]
    if timed:
        rest = [key for key in keys if key not in timed]
        return tuple(Order(key) for key in [*timed, *rest])
    return (Order(aggregates[0], True), *by_key)


def _asked_order(
    context: PlanContext, order: OrderBy, keys: list[Key], aggregates: list[Aggregate]
) -> tuple[Order, ...]:
    by_key = [Order(key) for key in keys]
    target = order.target
    if target is None:
        return (Order(aggregates[0], order.descending), *by_key)
    if isinstance(target, MeasureRef):
        aggregate = _aggregate(context, target)
        if aggregate not in aggregates:
            aggregates.append(aggregate)
        return (Order(aggregate, order.descending), *by_key)
    wanted = _target_keys(context, target)
    if any(key not in keys for key in wanted):
        raise Reject
    first = [Order(key, order.descending) for key in wanted]
    return (*first, *(o for o in by_key if o.by not in wanted))


def _is_time(key: Key) -> bool:
    if key.unit or isinstance(key.source, DayParts):
        return True
    kind = key.source.type.lower()
    named = key.source.column.casefold() in _TIME_NAMES
    return kind == "date" or kind.startswith("timestamp") or named


def moment_words(moment: Moment) -> str:
    """The columns that hold a moment."""
    if isinstance(moment, DayParts):
        parts = [moment.year, moment.month, moment.day]
        return "/".join(str(part) for part in parts if part)
    return str(moment)
