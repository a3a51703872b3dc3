"""From the JSON of an analysed plan to facts about what the code asks for.

Spark's own text of a plan cannot be taken apart safely, since values stand in it as they are;
its JSON can. A plan is a list of nodes, parents before children, each with its number of
children; so is every expression in it. Columns are followed by their expression ids from where
they are used down to the dataset they come from. What is not understood gives no fact.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bluebear_magic.runner.envelope import (
    Comparison,
    Division,
    JoinFact,
    PlanFacts,
    Product,
    TextAggregate,
)

MAX_FACTS = 200  # of each kind
MAX_LITERALS = 100  # of one IN list

_COMPARED = {
    "EqualTo": "=",
    "EqualNullSafe": "<=>",
    "LessThan": "<",
    "LessThanOrEqual": "<=",
    "GreaterThan": ">",
    "GreaterThanOrEqual": ">=",
    "Like": "like",
    "ILike": "ilike",
    "RLike": "rlike",
    "StartsWith": "startswith",
    "EndsWith": "endswith",
    "Contains": "contains",
}
_MIRRORED = {"=": "=", "<=>": "<=>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_FOLLOWED = {
    "Lower": "lower",
    "Upper": "upper",
    "StringTrim": "trim",
    "Year": "year",
    "Month": "month",
    "ParseToDate": "cast:date",
    "ParseToTimestamp": "cast:timestamp",
}
_ON_NUMBERS = {
    "Sum": "sum",
    "Average": "avg",
    "StddevSamp": "stddev",
    "StddevPop": "stddev_pop",
    "VarianceSamp": "variance",
    "VariancePop": "var_pop",
    "Percentile": "percentile",
}
_ON_ORDER = {"Min": "min", "Max": "max"}
_DIVISIONS = {"Divide", "IntegralDivide", "Remainder", "Pmod"}
_INTEGERS = {"byte", "short", "integer", "long"}
_SUBQUERIES = {"ScalarSubquery", "Exists", "ListQuery", "LateralSubquery"}
_SOURCES = {"LogicalRelation", "LocalRelation", "LogicalRDD", "DataSourceV2Relation",
            "InMemoryRelation"}  # fmt: skip
_LIMITS = {"GlobalLimit", "LocalLimit", "Tail"}
_ROWS_KEPT = {"Project", "SubqueryAlias", "View", "Sort", "Aggregate", "Window", *_SOURCES}
_COLUMNS_KEPT = {"SubqueryAlias", "View", "Filter", "Sort", "Distinct", "Deduplicate", "Sample",
                 "Repartition", "RepartitionByExpression", "ResolvedHint", *_LIMITS}  # fmt: skip


@dataclass
class Node:
    """A node of a plan or of an expression: its class without the package, fields, children."""

    name: str
    fields: Mapping[str, Any]
    children: list[Node]

    def id(self) -> int | None:
        """The expression id of an attribute or alias."""
        found = self.fields.get("exprId")
        return found.get("id") if isinstance(found, dict) else None

    def all(self) -> Iterator[Node]:
        """The node and everything below it."""
        yield self
        for child in self.children:
            yield from child.all()


@dataclass(frozen=True)
class Ref:
    """A dataset's column and the functions its values went through."""

    dataset: str
    column: str
    kind: str
    via: tuple[str, ...] = ()


@dataclass
class _Join:
    """A join on the way up: nothing may have compared its sides yet."""

    fact: JoinFact
    left: set[int]
    right: set[int]


@dataclass
class Scope:
    """What is known of a plan node's rows.

    ``order``: the ids of its columns, None where not known; ``refs``: ids to columns of
    datasets; ``roots``: ids of renamed columns to those they came from; ``compared``: columns
    that filters below hold against something; ``unbounded``: datasets of which any number of
    rows may come through.
    """

    order: list[int] | None = None
    refs: dict[int, Ref] = field(default_factory=dict)
    roots: dict[int, int] = field(default_factory=dict)
    compared: set[tuple[str, str]] = field(default_factory=set)
    datasets: set[str] = field(default_factory=set)
    unbounded: set[str] = field(default_factory=set)
    joins: list[_Join] = field(default_factory=list)
    plain: bool = True
    one_row: bool = False
    reduced: bool = False

    def root(self, number: int) -> int:
        """The id that a renamed column had at first."""
        return self.roots.get(number, number)


def facts_of(texts: Iterable[str], names: Collection[str]) -> PlanFacts:
    """The facts of several plans, given as JSON; ``names``: the datasets."""
    reader = Reader(names)
    for text in texts:
        reader.read(text)
    return reader.facts()


class Reader:
    """Reads plans and keeps their facts, each once."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = {name.lower(): name for name in names}
        self._inputs: set[str] = set()
        self._ctes: dict[int, Scope] = {}
        self._joins: list[_Join] = []
        self._subtracts = False
        self._comparisons: dict[Comparison, None] = {}
        self._aggregates: dict[TextAggregate, None] = {}
        self._divisions: dict[Division, None] = {}
        self._products: dict[Product, None] = {}

    def read(self, text: str) -> Scope | None:
        """What is known of the rows of one plan; None where it is not understood."""
        self._ctes = {}
        try:
            return self._plan(tree(json.loads(text)), {})
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError,
                StopIteration):  # fmt: skip
            return None  # another Spark, another shape: no facts rather than wrong ones

    def facts(self) -> PlanFacts:
        """All facts so far."""
        joined = tuple(join.fact for join in self._joins)
        return PlanFacts(
            inputs=tuple(sorted(self._inputs)),
            joins=len(joined),
            cross_joins=sum(join.kind == "Cross" or not join.linked for join in joined),
            subtracts=self._subtracts,
            comparisons=tuple(self._comparisons)[:MAX_FACTS],
            joined=joined[:MAX_FACTS],
            text_aggregates=tuple(self._aggregates)[:MAX_FACTS],
            divisions=tuple(self._divisions)[:MAX_FACTS],
            products=tuple(self._products)[:MAX_FACTS],
        )

    # --- plans ---------------------------------------------------------------

    def _plan(self, node: Node, outer: Mapping[int, Ref]) -> Scope:
        if node.name == "WithCTE":
            for place in node.fields["cteDefs"]:
                definition = node.children[place]
                self._ctes[definition.fields["id"]] = self._plan(definition.children[0], outer)
            return self._plan(node.children[node.fields["plan"]], outer)
        if node.name == "CTERelationRef":
            return self._reference(node)
        if node.name == "Join":
            return self._join(node, outer)
        if not node.children:
            return _leaf(node)
        below = [self._plan(child, outer) for child in node.children]
        return _union(below) if node.name == "Union" else self._over(node, below, outer)

    def _over(self, node: Node, below: list[Scope], outer: Mapping[int, Ref]) -> Scope:
        """Any node that is no join, no union and no source."""
        scope = _merged(below)
        scope.plain &= node.name in _ROWS_KEPT
        if node.name == "SubqueryAlias":
            self._bind(node, scope)
        self._subtracts |= node.name == "Except"
        if node.name in {"Except", "Intersect"}:
            scope.order = below[0].order
        elif node.name in {"Project", "Aggregate", "Window"}:
            self._columns(node, scope, outer)
        else:
            if node.name not in _COLUMNS_KEPT:
                scope.order = None
            for expression in expressions(node):
                self._expression(expression, scope, outer)
        if node.name == "Filter":
            self._filtered(node, scope)
        _count(node, scope)
        return scope

    def _reference(self, node: Node) -> Scope:
        known = self._ctes.get(node.fields["cteId"], Scope())
        order = [number for number in map(_id_of, node.fields["output"]) if number is not None]
        scope = replace(
            known, order=order, refs=dict(known.refs), roots=dict(known.roots), joins=[]
        )
        if known.order is not None and len(known.order) == len(order):
            for mine, theirs in zip(order, known.order, strict=True):
                if theirs in known.refs:
                    scope.refs[mine] = known.refs[theirs]
        return scope

    def _bind(self, node: Node, scope: Scope) -> None:
        """An alias right over a source makes it a dataset; over anything else it renames."""
        name = self._names.get(str(node.fields["identifier"]["name"]).lower())
        below = node.children[0]
        while below.name == "View":
            below = below.children[0]
        if name is None or below.name not in _SOURCES:
            return
        self._inputs.add(name)
        scope.datasets, scope.unbounded = {name}, {name}
        scope.reduced = scope.one_row = False
        for item in below.fields["output"]:
            column = tree(item)
            number, kind = column.id(), column.fields["dataType"]
            if number is not None and isinstance(kind, str):
                scope.refs[number] = Ref(name, column.fields["name"], kind)

    def _columns(self, node: Node, scope: Scope, outer: Mapping[int, Ref]) -> None:
        """Project, Aggregate and Window: what each new column is made of."""
        lists = {
            "Project": "projectList",
            "Aggregate": "aggregateExpressions",
            "Window": "windowExpressions",
        }
        order: list[int] | None = list(scope.order or ()) if node.name == "Window" else []
        for item in node.fields[lists[node.name]]:
            column = tree(item)
            number = column.id() if column.name in {"Alias", "AttributeReference"} else None
            if number is None or order is None:
                order = None
            else:
                order.append(number)
            if column.name == "Alias" and number is not None:
                inner = column.children[0]
                found = resolve(inner, scope.refs)
                if found is not None:
                    scope.refs[number] = found
                source = inner.id() if inner.name == "AttributeReference" else None
                if source is not None:
                    scope.roots[number] = scope.root(source)
            self._expression(column, scope, outer)
        if node.name == "Aggregate":
            for item in node.fields["groupingExpressions"]:
                self._expression(tree(item), scope, outer)
        scope.order = order

    def _filtered(self, node: Node, scope: Scope) -> None:
        for part in expressions(node):
            scope.compared |= _compared(part, scope.refs)
            for conjunct in _conjuncts(part):
                touched = {scope.root(number) for number in _ids(conjunct)}
                for join in scope.joins:
                    if touched & join.left and touched & join.right:
                        join.fact = replace(join.fact, linked=True)

    def _join(self, node: Node, outer: Mapping[int, Ref]) -> Scope:
        kind = str(node.fields["joinType"]["object"]).rsplit(".", 1)[-1].rstrip("$")
        join = _Join(JoinFact(kind), set(), set())
        self._joins.append(join)  # before those below: in the order of the plan
        left = self._plan(node.children[0], outer)
        right = self._plan(node.children[1], outer)
        scope = _merged([left, right])
        scope.plain = False
        keys: list[tuple[str, str, str, str]] = []
        linked = trivial = False
        known = left.order is not None and right.order is not None
        join.left = {left.root(number) for number in left.order or ()}
        join.right = {right.root(number) for number in right.order or ()}
        for condition in expressions(node):
            scope.compared |= _compared(condition, scope.refs)
            for conjunct in _conjuncts(condition):
                touched = {scope.root(number) for number in _ids(conjunct)}
                both = bool(touched & join.left and touched & join.right)
                linked |= both or not known or _has_subquery(conjunct)
                trivial |= _is_trivial(conjunct)
                if conjunct.name in {"EqualTo", "EqualNullSafe"}:
                    keys += _key(conjunct, left, right)
            self._expression(condition, scope, outer)
        grid = left.one_row or right.one_row or not (left.datasets and right.datasets)
        grid |= left.reduced and right.reduced
        linked |= not known and not node.fields.get("condition")
        join.fact = replace(join.fact, keys=tuple(keys), linked=linked, trivial=trivial, grid=grid)
        if kind in {"LeftSemi", "LeftAnti"} or kind.startswith("ExistenceJoin"):
            scope.order, scope.unbounded = left.order, set(left.unbounded)
            self._subtracts |= kind == "LeftAnti"
        scope.joins.append(join)
        scope.one_row = left.one_row and right.one_row
        scope.reduced = left.reduced and right.reduced
        return scope

    # --- expressions -----------------------------------------------------------

    def _expression(
        self,
        node: Node,
        scope: Scope,
        outer: Mapping[int, Ref],
        *,
        negated: bool = False,
        guarded: frozenset[tuple[str, str]] = frozenset(),
    ) -> None:
        if node.name.startswith("Try"):
            return
        refs = {**outer, **scope.refs}
        if node.name in _SUBQUERIES:
            self._plan(tree(node.fields["plan"]), refs)
            return
        if node.name == "Between":
            for operator, limit in (("GreaterThanOrEqual", "lower"), ("LessThanOrEqual", "upper")):
                sides = [tree(node.fields["input"]), tree(node.fields[limit])]
                self._compare(Node(operator, {}, sides), refs, negated)
            return
        if node.name in _DIVISIONS or node.name == "Multiply":
            self._calculate(node, scope, refs, guarded)
        elif node.name == "InSubquery":
            self._in_subquery(node, refs, negated)
        elif node.name == "In" or node.name in _COMPARED:
            self._compare(node, refs, negated)
        elif node.name in _ON_NUMBERS or node.name in _ON_ORDER:
            self._aggregate(node, refs)
        if node.name in {"If", "CaseWhen"}:
            guarded |= _compared(node, refs)
        for child in node.children:
            self._expression(
                child, scope, outer, negated=negated ^ (node.name == "Not"), guarded=guarded
            )

    def _in_subquery(self, node: Node, refs: Mapping[int, Ref], negated: bool) -> None:
        self._subtracts |= negated
        query = node.children[-1]
        inner = self._quiet(tree(query.fields["plan"]), refs)
        mine = resolve(node.children[0], refs)
        if len(node.children) != 2 or not inner.order or mine is None:
            return
        theirs = inner.refs.get(inner.order[0])
        if theirs is not None and not _changed(mine) and not _changed(theirs):
            keys = ((mine.dataset, mine.column, theirs.dataset, theirs.column),)
            kind = "LeftAnti" if negated else "LeftSemi"
            self._joins.append(_Join(JoinFact(kind, keys), set(), set()))

    def _quiet(self, node: Node, refs: Mapping[int, Ref]) -> Scope:
        """A subquery's columns alone: its facts come when it is met itself."""
        aside = Reader(self._names.values())
        aside._ctes = self._ctes
        return aside._plan(node, refs)

    def _compare(self, node: Node, refs: Mapping[int, Ref], negated: bool) -> None:
        operator = "in" if node.name == "In" else _COMPARED[node.name]
        subject, others = node.children[0], node.children[1:]
        if literal(subject) is not None and operator in _MIRRORED and len(others) == 1:
            subject, others, operator = others[0], [subject], _MIRRORED[operator]
        found = resolve(subject, refs)
        literals = [literal(other) for other in others[: MAX_LITERALS + 1]]
        if found is None or not literals or len(literals) > MAX_LITERALS:
            return
        known = [item for item in literals if item is not None]
        if len(known) != len(literals):
            return
        kind = next((kind for _, kind in known if kind != "void"), "void")
        fact = Comparison(
            dataset=found.dataset,
            column=found.column,
            kind=found.kind,
            operator=operator,
            values=tuple(value for value, _ in known),
            literal=kind,
            via=found.via,
            negated=negated,
        )
        self._comparisons[fact] = None

    def _calculate(
        self,
        node: Node,
        scope: Scope,
        refs: Mapping[int, Ref],
        guarded: frozenset[tuple[str, str]],
    ) -> None:
        if node.name == "Multiply":
            self._multiply(node, scope, refs, guarded)
            return
        by = resolve(node.children[1], refs)
        if by is not None and not _changed(by):
            place = (by.dataset, by.column)
            if place not in guarded and place not in scope.compared:
                self._divisions[Division(by.dataset, by.column, scope.plain)] = None

    def _multiply(
        self,
        node: Node,
        scope: Scope,
        refs: Mapping[int, Ref],
        guarded: frozenset[tuple[str, str]],
    ) -> None:
        factors: list[tuple[str, str]] = []
        kind = ""
        for child in node.children:
            number = literal(child)
            found = resolve(child, refs)
            if number is not None and number[0] is not None:
                factors.append(("", number[0]))
                kind = kind or number[1]
            elif found is not None and not _changed(found):
                factors.append((found.dataset, found.column))
                kind = _type(child) or found.kind
            else:
                return
        bounded = any(factor in guarded or factor in scope.compared for factor in factors)
        if kind in _INTEGERS and not bounded and any(dataset for dataset, _ in factors):
            self._products[Product(tuple(factors), kind, scope.plain)] = None

    def _aggregate(self, node: Node, refs: Mapping[int, Ref]) -> None:
        found = resolve(node.children[0], refs)
        if found is None or found.kind != "string":
            return
        if node.name in _ON_NUMBERS and found.via == ("cast:double",):
            fact = TextAggregate(_ON_NUMBERS[node.name], found.dataset, found.column)
        elif node.name in _ON_ORDER and not found.via:
            fact = TextAggregate(_ON_ORDER[node.name], found.dataset, found.column)
        else:
            return
        self._aggregates[fact] = None


# --- trees ---------------------------------------------------------------------


def tree(items: list[Mapping[str, Any]]) -> Node:
    """The tree behind a list of nodes, parents first."""
    return _grow(iter(items))


def _grow(items: Iterator[Mapping[str, Any]]) -> Node:
    raw = next(items)
    name = str(raw["class"]).rsplit(".", 1)[-1]
    return Node(name, raw, [_grow(items) for _ in range(raw["num-children"])])


def expressions(node: Node) -> Iterator[Node]:
    """The expressions that a plan node holds in its fields."""
    for value in node.fields.values():
        yield from _in_field(value)


def _in_field(value: Any) -> Iterator[Node]:
    if not isinstance(value, list) or not value:
        return
    if isinstance(value[0], dict):
        if "num-children" in value[0] and "expressions" in str(value[0]["class"]):
            yield tree(value)
    elif isinstance(value[0], list):
        for item in value:
            yield from _in_field(item)


def resolve(node: Node, refs: Mapping[int, Ref]) -> Ref | None:
    """The column of a dataset that an expression is, if it is one."""
    if node.name == "AttributeReference":
        number = node.id()
        return refs.get(number) if number is not None else None
    if node.name == "OuterReference":
        return resolve(tree(node.fields["e"]), refs)
    if node.name == "Alias":
        return resolve(node.children[0], refs)
    step = _FOLLOWED.get(node.name)
    if node.name == "Cast" and isinstance(node.fields["dataType"], str):
        step = f"cast:{node.fields['dataType']}"
    if step is None or len(node.children) != 1:
        return None
    found = resolve(node.children[0], refs)
    if found is None or (step == f"cast:{found.kind}" and not found.via):
        return found
    return replace(found, via=(*found.via, step))


def literal(node: Node) -> tuple[str | None, str] | None:
    """The text (None for NULL) and the type of a literal, cast or not."""
    if node.name == "Literal":
        kind, value = node.fields["dataType"], node.fields["value"]
        return (value if value is None else str(value), kind) if isinstance(kind, str) else None
    if node.name in {"Cast", "ParseToDate", "ParseToTimestamp"} and len(node.children) == 1:
        inner = literal(node.children[0])
        kind = "date" if node.name == "ParseToDate" else node.fields.get("dataType")
        return (inner[0], kind) if inner is not None and isinstance(kind, str) else None
    if node.name == "UnaryMinus":
        inner = literal(node.children[0])
        return (f"-{inner[0]}", inner[1]) if inner is not None and inner[0] is not None else None
    return None


def _type(node: Node) -> str:
    kind = node.fields.get("dataType")
    return kind if isinstance(kind, str) else ""


def _changed(ref: Ref) -> bool:
    """Whether its values are others than the dataset's; a cast to another number type is none."""
    return any(
        not step.startswith("cast:") or (ref.kind == "string") != (step == "cast:string")
        for step in ref.via
    )


def _id_of(item: Any) -> int | None:
    return tree(item).id()


def _ids(node: Node) -> set[int]:
    return {
        number
        for part in node.all()
        if part.name == "AttributeReference" and (number := part.id()) is not None
    }


def _conjuncts(node: Node) -> Iterator[Node]:
    if node.name == "And":
        for child in node.children:
            yield from _conjuncts(child)
    else:
        yield node


def _compared(node: Node, refs: Mapping[int, Ref]) -> set[tuple[str, str]]:
    """The columns that an expression holds against something, other than asking for NULL."""
    found: set[tuple[str, str]] = set()
    for part in node.all():
        sides: list[Node] = []
        if part.name == "Between":
            sides = [tree(part.fields["input"])]
        elif part.name == "In" or part.name in _COMPARED:
            sides = part.children
        known = (resolve(side, refs) for side in sides)
        found.update((ref.dataset, ref.column) for ref in known if ref is not None)
    return found


def _has_subquery(node: Node) -> bool:
    return any(part.name in _SUBQUERIES for part in node.all())


def _is_trivial(node: Node) -> bool:
    """A column held equal to itself; Spark writes equal children as one place."""
    if node.name != "EqualTo" or len(node.children) != 2:
        return False
    one, other = node.children
    return one.name == other.name == "AttributeReference" and one.id() == other.id()


def _key(node: Node, left: Scope, right: Scope) -> list[tuple[str, str, str, str]]:
    sides = node.children
    for one, other in (sides, sides[::-1]):
        mine, theirs = resolve(one, left.refs), resolve(other, right.refs)
        if mine is not None and theirs is not None and not (_changed(mine) or _changed(theirs)):
            return [(mine.dataset, mine.column, theirs.dataset, theirs.column)]
    return []


# --- scopes --------------------------------------------------------------------


def _leaf(node: Node) -> Scope:
    output = node.fields.get("output")
    numbers = [_id_of(item) for item in output] if isinstance(output, list) else [None]
    known = [number for number in numbers if number is not None]
    return Scope(
        order=known if len(known) == len(numbers) else None,
        one_row=node.name == "OneRowRelation",
        reduced=True,
    )


def _merged(scopes: list[Scope]) -> Scope:
    """The children's scopes in one: ids are the plan's own, so that none clash."""
    merged = Scope(order=[])
    for scope in scopes:
        merged.refs.update(scope.refs)
        merged.roots.update(scope.roots)
        merged.compared |= scope.compared
        merged.datasets |= scope.datasets
        merged.unbounded |= scope.unbounded
        merged.joins += scope.joins
        merged.plain &= scope.plain
        if merged.order is not None:
            merged.order = None if scope.order is None else [*merged.order, *scope.order]
    if len(scopes) == 1:
        merged.one_row, merged.reduced = scopes[0].one_row, scopes[0].reduced
    return merged


def _union(scopes: list[Scope]) -> Scope:
    """The first one's ids stand for all; what they are is known only where all agree."""
    merged = _merged(scopes)
    merged.plain = False
    first = scopes[0].order
    merged.order = first
    if first is None or any(s.order is None or len(s.order) != len(first) for s in scopes):
        merged.refs = {}
        return merged
    for place, number in enumerate(first):
        found = {scope.refs.get((scope.order or [])[place]) for scope in scopes}
        if len(found) > 1:
            merged.refs.pop(number, None)
    return merged


def _count(node: Node, scope: Scope) -> None:
    """How many rows may come through."""
    if node.name == "Aggregate":
        scope.one_row = scope.one_row or not node.fields["groupingExpressions"]
        scope.reduced, scope.unbounded = True, set()
    elif node.name in {"Distinct", "Deduplicate"}:
        scope.reduced, scope.unbounded = True, set()
    elif node.name in _LIMITS:
        limits = [literal(part) for part in expressions(node)]
        scope.one_row = scope.one_row or any(item is not None and item[0] == "1" for item in limits)
        scope.reduced, scope.unbounded = True, set()
    elif node.name in {"Generate", "Expand"}:
        scope.one_row = False
