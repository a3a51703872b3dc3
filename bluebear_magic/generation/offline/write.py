"""Plan -> PySpark: the code that a person would have written for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from bluebear_magic.generation.offline.dates import Period, Unit
from bluebear_magic.generation.offline.layout import (
    Call,
    assignment,
    column_name,
    identifier,
    literal,
)
from bluebear_magic.generation.offline.plan import (
    Aggregate,
    AnyOf,
    Between,
    Compare,
    CompareToAggregate,
    Condition,
    DayParts,
    During,
    Field,
    Having,
    Key,
    Lookup,
    Missing,
    Moment,
    OneOf,
    Order,
    Plan,
    Related,
    Text,
)
from bluebear_magic.generation.offline.tokens import split_name

_FUNCTIONS = {
    "count_distinct": "F.countDistinct", "sum": "F.sum", "avg": "F.avg", "min": "F.min",
    "max": "F.max", "median": "F.median",
}  # fmt: skip
_PREFIXES = {
    "count_distinct": "distinct", "sum": "total", "avg": "average", "min": "minimum",
    "max": "maximum", "median": "median",
}  # fmt: skip
_RESERVED = {"F", "spark", "result", "results", "print", "data"}


@dataclass(frozen=True)
class Written:
    """The code, and the names of the result's columns: groups, then figures (or rows')."""

    code: str
    keys: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()


@dataclass
class _Scope:
    """Names while one plan is written: Python's, and the columns of the joined frame."""

    columns: dict[Field, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    variables: set[str] = field(default_factory=lambda: set(_RESERVED))
    lines: list[str] = field(default_factory=list)

    def name(self, item: Field) -> str:
        return self.columns.get(item, item.column)

    def text(self, item: Field) -> str:
        """The name as an argument: ``"dep_delay"``."""
        return column_name(self.name(item))

    def col(self, item: Field) -> str:
        return f"F.col({self.text(item)})"


def write(
    plan: Plan,
    source_columns: tuple[str, ...],
    filters: Mapping[str, Sequence[str]] | None = None,
) -> Written:
    """The code of a plan; ``source_columns`` are all columns of the plan's source.

    ``filters``: conditions of SQL on the rows of datasets, by their names.
    """
    return _Writer(plan, source_columns, filters or {}).written()


class _Writer:
    def __init__(
        self, plan: Plan, source_columns: tuple[str, ...], filters: Mapping[str, Sequence[str]]
    ) -> None:
        self._plan = plan
        self._source_columns = source_columns
        self._filters = filters
        self._scope = _Scope()
        self._scope.taken = {name.casefold() for name in source_columns}
        self._source = identifier(plan.source, self._scope.variables)
        self._key_names: dict[Key, str] = {}
        self._figure_names: dict[Aggregate, str] = {}
        self._moments: dict[Moment, str] = {}
        self._averages: dict[CompareToAggregate, str] = {}

    def written(self) -> Written:
        plan, scope = self._plan, self._scope
        calls: list[Call] = []
        scope.lines.append(assignment(self._source, "spark", self._read(plan.source)))
        for lookup in plan.lookups:
            calls.append(self._lookup(lookup))
        self._prepare(plan.conditions)
        for condition in plan.conditions:
            calls.append(self._filter(condition))
        if plan.keys or plan.aggregates:
            calls += self._grouping()
        else:
            calls += self._rows()
        body = "\n".join([*scope.lines, "", assignment("result", self._source, tuple(calls))])
        imports = ["from pyspark.sql import functions as F"] if "F." in body else []
        code = "\n".join([*imports, *([""] if imports else []), body, ""])
        return Written(
            code,
            tuple(self._key_names.values()) or tuple(scope.name(item) for item in plan.select),
            tuple(self._figure_names.values()),
        )

    def _read(self, dataset: str) -> tuple[Call, ...]:
        """The dataset as the project has it read, with the metrics of rows that are needed."""
        figures = {item.field for item in _aggregates(self._plan) if item.function == "metric"}
        derived = [
            Call("withColumn", (literal(item.column), f"F.expr({literal(item.expression)})"))
            for item in dict.fromkeys(_fields(self._plan))
            if item.dataset == dataset and item.expression and item not in figures
        ]
        kept = [Call("where", (literal(text),)) for text in self._filters.get(dataset, ())]
        return (Call("table", (literal(dataset),)), *kept, *derived)

    # --- joins -----------------------------------------------------------------

    def _lookup(self, lookup: Lookup) -> Call:
        """A join on one name, over the columns that are needed, renamed where names clash."""
        scope, dataset = self._scope, lookup.match.dataset
        key = scope.name(lookup.key)
        wanted = [
            item
            for item in dict.fromkeys(_fields(self._plan))
            if item.dataset == dataset and item != lookup.match
        ]
        columns = [self._renamed(lookup.match, key)]
        scope.columns[lookup.match] = key
        for item in wanted:
            name = item.column
            if name.casefold() in scope.taken:
                name = identifier(f"{dataset}_{item.column}", scope.taken)
            scope.taken.add(name.casefold())
            scope.columns[item] = name
            columns.append(self._renamed(item, name))
        variable = identifier(dataset, scope.variables)
        scope.lines.append(
            assignment(variable, "spark", (*self._read(dataset), Call("select", tuple(columns))))
        )
        return Call("join", (variable, literal(key)))

    def _renamed(self, item: Field, name: str) -> str:
        text = column_name(item.column)
        return text if name == item.column else f"F.col({text}).alias({literal(name)})"

    # --- conditions --------------------------------------------------------------

    def _prepare(self, conditions: tuple[Condition, ...]) -> None:
        """Figures that have to be known first: the last day, an average."""
        for condition in conditions:
            if isinstance(condition, During) and condition.period.kind in {
                "last", "current", "previous",
            }:  # fmt: skip
                if condition.moment not in self._moments:
                    name = identifier("last_day", self._scope.variables)
                    day = self._day(condition.moment)
                    argument = day if day.startswith("F.") and not _bare(day) else _inner(day)
                    self._scope.lines.append(
                        f"{name} = {self._source}.agg(F.max({argument})).first()[0]"
                    )
                    self._moments[condition.moment] = name
            elif isinstance(condition, CompareToAggregate):
                name = identifier(
                    f"{_PREFIXES[condition.function]}_{condition.field.column}",
                    self._scope.variables,
                )
                function = f"{_FUNCTIONS[condition.function]}({self._scope.text(condition.field)})"
                self._scope.lines.append(f"{name} = {self._source}.agg({function}).first()[0]")
                self._averages[condition] = name
            elif isinstance(condition, AnyOf):
                self._prepare(condition.conditions)

    def _filter(self, condition: Condition) -> Call:
        if isinstance(condition, Related):
            return self._relation(condition)
        return Call("where", (self._condition(condition),))

    def _relation(self, related: Related) -> Call:
        """Keeps rows whose key occurs (or not) in the other dataset, each once."""
        scope = self._scope
        key = scope.name(related.key)
        variable = identifier(related.match.dataset, scope.variables)
        inside = Plan(related.match.dataset, conditions=related.where)
        inner = _Writer(inside, (), self._filters)
        calls = [Call("where", (inner._condition(part),)) for part in related.where]
        calls.append(Call("select", (self._renamed(related.match, key),)))
        read = inner._read(related.match.dataset)
        scope.lines.append(assignment(variable, "spark", (*read, *calls)))
        how = "left_anti" if related.negated else "left_semi"
        return Call("join", (variable, literal(key), literal(how)))

    def _condition(self, condition: Condition) -> str:
        scope = self._scope
        if isinstance(condition, Compare):
            return f"{scope.col(condition.field)} {condition.operator} {literal(condition.value)}"
        if isinstance(condition, CompareToAggregate):
            name = self._averages[condition]
            return f"{scope.col(condition.field)} {condition.operator} {name}"
        if isinstance(condition, OneOf):
            inside = ", ".join(literal(value) for value in condition.values)
            text = f"{scope.col(condition.field)}.isin({inside})"
            return f"~{text}" if condition.negated else text
        if isinstance(condition, Between):
            low, high = literal(condition.low), literal(condition.high)
            return f"{scope.col(condition.field)}.between({low}, {high})"
        if isinstance(condition, Text):
            method = {"contains": "contains", "starts": "startswith", "ends": "endswith"}
            piece = literal(condition.piece.lower())
            text = f"F.lower({scope.text(condition.field)}).{method[condition.how]}({piece})"
            return f"~{text}" if condition.negated else text
        if isinstance(condition, Missing):
            method_name = "isNotNull" if condition.negated else "isNull"
            return f"{scope.col(condition.field)}.{method_name}()"
        if isinstance(condition, AnyOf):
            return " | ".join(_bracketed(self._condition(part)) for part in condition.conditions)
        assert isinstance(condition, During)
        return self._during(condition.moment, condition.period)

    def _during(self, moment: Moment, period: Period) -> str:
        if period.kind == "recurring":
            return self._recurring(moment, period)
        if period.kind == "span":
            return self._span(moment, period)
        last = f"F.lit({self._moments[moment]})"
        day = self._day(moment)
        if period.kind == "last":
            return f"{day} > {_back(last, period.unit, period.count)}"  # type: ignore[arg-type]
        unit: Unit = period.unit  # type: ignore[assignment]
        current = last if unit == "day" else f"F.trunc({last}, {literal(unit)})"
        wanted = current if period.kind == "current" else _back(current, unit, 1)
        argument = _inner(day) if _bare(day) else day
        have = day if unit == "day" else f"F.trunc({argument}, {literal(unit)})"
        return f"{have} == {wanted}"

    def _recurring(self, moment: Moment, period: Period) -> str:
        if isinstance(moment, DayParts) and period.unit == "month":
            return f"{self._scope.col(moment.month)} == {period.count}"
        day = self._day(moment)
        argument = _inner(day) if _bare(day) else day
        function = {"month": "month", "quarter": "quarter", "weekday": "dayofweek"}
        return f"F.{function[period.unit or '']}({argument}) == {period.count}"

    def _span(self, moment: Moment, period: Period) -> str:
        start, end = period.start, period.end
        if isinstance(moment, DayParts):
            simple = self._whole_parts(moment, period)
            if simple:
                return simple
        day = self._day(moment) if isinstance(moment, DayParts) else self._scope.col(moment)
        bounds = []
        if start:
            bounds.append(f"{day} >= {literal(start.isoformat())}")
        if end:
            bounds.append(f"{day} < {literal(end.isoformat())}")
        return bounds[0] if len(bounds) == 1 else " & ".join(map(_bracketed, bounds))

    def _whole_parts(self, moment: DayParts, period: Period) -> str:
        """A whole year, month or day, asked of the columns that hold them."""
        start, end = period.start, period.end
        year, month = self._scope.col(moment.year), self._scope.col(moment.month)
        if period.whole_years:
            if not start and end:
                return f"{year} < {end.year}"
            if not end and start:
                return f"{year} >= {start.year}"
            if start and end and end.year - start.year == 1:
                return f"{year} == {start.year}"
        if not start or not end:
            return ""
        if (end - start).days == 1 and moment.day:
            tests = [
                f"{year} == {start.year}",
                f"{month} == {start.month}",
                f"{self._scope.col(moment.day)} == {start.day}",
            ]
            return " & ".join(map(_bracketed, tests))
        months = (end.year - start.year) * 12 + end.month - start.month
        if start.day == 1 and end.day == 1 and months == 1:
            return f"({year} == {start.year}) & ({month} == {start.month})"
        return ""

    def _day(self, moment: Moment) -> str:
        """The calendar day of a moment, as an expression."""
        scope = self._scope
        if isinstance(moment, DayParts):
            day = scope.text(moment.day) if moment.day else "F.lit(1)"
            return f"F.make_date({scope.text(moment.year)}, {scope.text(moment.month)}, {day})"
        if moment.type.lower() == "date":
            return scope.col(moment)
        return f"F.to_date({scope.text(moment)})"

    # --- rows --------------------------------------------------------------------

    def _rows(self) -> list[Call]:
        plan, scope = self._plan, self._scope
        calls: list[Call] = []
        order = Call("orderBy", self._order_arguments()) if plan.order else None
        limit = [Call("limit", (str(plan.limit),))] if plan.limit else []
        select = [Call("select", tuple(scope.text(item) for item in plan.select))]
        if not plan.select:
            names = tuple(column_name(name) for name in self._source_columns)
            select = [Call("select", names)] if plan.lookups else []
        if plan.distinct:
            return [*select, Call("distinct"), *([order] if order else []), *limit]
        if order and self._orders_by_all():
            first = self._order_arguments()[0]
            order = Call("orderBy", (first, f"*{self._source}.columns"))
        if order:
            calls.append(order)
        return [*calls, *limit, *select]

    def _orders_by_all(self) -> bool:
        """Whether every column of the source breaks ties, so that it need not be said."""
        names = [o.by.column for o in self._plan.order if isinstance(o.by, Field)]
        plain = all(column_name(name)[1:-1] == name for name in self._source_columns)
        long = len(self._source_columns) > 4 and not self._plan.lookups
        return plain and long and set(names) == set(self._source_columns)

    def _order_arguments(self) -> tuple[str, ...]:
        return tuple(self._order(order) for order in self._plan.order)

    def _order(self, order: Order) -> str:
        if isinstance(order.by, Field):
            text = self._scope.text(order.by)
        elif isinstance(order.by, Key):
            text = column_name(self._key_names[order.by])
        else:
            text = column_name(self._figure_names[order.by])
        return f"F.desc({text})" if order.descending else text

    # --- groups --------------------------------------------------------------------

    def _grouping(self) -> list[Call]:
        plan = self._plan
        taken: set[str] = set()
        keys = []
        for key in plan.keys:
            text, name = self._key(key)
            if name.casefold() in taken:
                name = identifier(f"{name}_of_{plan.source}", taken)
                text = f"{text.rsplit('.alias(', 1)[0]}.alias({literal(name)})"
            taken.add(name.casefold())
            self._key_names[key] = name
            keys.append(text)
        figures = []
        for aggregate in plan.aggregates:
            name = self._figure_name(aggregate, taken)
            self._figure_names[aggregate] = name
            figures.append(f"{self._figure(aggregate)}.alias({literal(name)})")
        calls = [Call("groupBy", tuple(keys))] if keys else []
        calls.append(Call("agg", tuple(figures)))
        calls += [Call("where", (self._having(having),)) for having in plan.having]
        if plan.order:
            calls.append(Call("orderBy", self._order_arguments()))
        if plan.limit:
            calls.append(Call("limit", (str(plan.limit),)))
        return calls

    def _key(self, key: Key) -> tuple[str, str]:
        """What to group by, as an argument, and the name it gets."""
        scope = self._scope
        if key.unit is None:
            assert isinstance(key.source, Field)
            return scope.text(key.source), scope.name(key.source)
        day = self._day(key.source)
        argument = _inner(day) if _bare(day) else day
        if key.unit == "day":
            if _bare(day):
                assert isinstance(key.source, Field)
                return scope.text(key.source), scope.name(key.source)
            return f'{day}.alias("day")', "day"
        if key.unit == "year":
            if isinstance(key.source, Field):
                argument = scope.text(key.source)
            return f'F.year({argument}).alias("year")', "year"
        return f"F.trunc({argument}, {literal(key.unit)}).alias({literal(key.unit)})", key.unit

    def _figure(self, aggregate: Aggregate) -> str:
        if aggregate.field is None:
            return 'F.count("*")'
        if aggregate.function == "metric":
            return f"F.expr({literal(aggregate.field.expression)})"
        return f"{_FUNCTIONS[aggregate.function]}({self._scope.text(aggregate.field)})"

    def _figure_name(self, aggregate: Aggregate, taken: set[str]) -> str:
        if aggregate.field is None:
            words = split_name(self._plan.source)
            plural = bool(words) and words[-1].endswith("s")
            name = self._plan.source if plural else f"number_of_{self._plan.source}"
            if identifier(name, set()) in taken:
                name = f"number_of_{self._plan.source}"
            return identifier(name, taken)
        column = aggregate.field.column
        if aggregate.function == "metric":
            return identifier(column, taken)
        prefix = _PREFIXES[aggregate.function]
        said = split_name(column)[:1] == (prefix,)  # the total of a column called total_...
        return identifier(column if said else f"{prefix}_{column}", taken)

    def _having(self, having: Having) -> str:
        figure = f"F.col({column_name(self._figure_names[having.aggregate])})"
        if having.high is not None:
            return f"{figure}.between({literal(having.value)}, {literal(having.high)})"
        return f"{figure} {having.operator} {literal(having.value)}"


def _bare(expression: str) -> bool:
    """Whether an expression is only a column."""
    return expression.startswith("F.col(") and expression.count("(") == 1


def _inner(expression: str) -> str:
    """``F.col("x")`` -> ``"x"``, which Spark's functions take as well."""
    return expression[len("F.col(") : -1]


def _bracketed(expression: str) -> str:
    return f"({expression})"


def _back(day: str, unit: Unit, count: int) -> str:
    if unit in {"day", "week"}:
        return f"F.date_sub({day}, {count * (7 if unit == 'week' else 1)})"
    return f"F.add_months({day}, -{count * {'month': 1, 'quarter': 3, 'year': 12}[unit]})"


def _aggregates(plan: Plan) -> list[Aggregate]:
    """All figures of a plan."""
    ordered = [order.by for order in plan.order if isinstance(order.by, Aggregate)]
    return [*plan.aggregates, *(having.aggregate for having in plan.having), *ordered]


def _fields(value: Any) -> list[Field]:
    """All fields in a plan, in its order; those of related rows are not part of the frame."""
    if isinstance(value, Field):
        return [value]
    if isinstance(value, Related):
        return [value.key]
    if isinstance(value, tuple):
        return [item for part in value for item in _fields(part)]
    if is_dataclass(value):
        return [item for f in fields(value) for item in _fields(getattr(value, f.name))]
    return []
