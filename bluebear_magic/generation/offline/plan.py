"""What will be computed, as values: the half-way house between words and code.

A plan reads one ``source``, looks up other datasets by key, filters, groups,
aggregates, orders and limits, in that order. Every field says where it comes
from, so that the writer can keep columns of the same name apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bluebear_magic.generation.offline.dates import Period, Unit

Function = Literal["count", "count_distinct", "sum", "avg", "min", "max", "median", "metric"]
Operator = Literal["==", "!=", ">", ">=", "<", "<="]
Literal_ = int | float | str | bool


@dataclass(frozen=True)
class Field:
    """A column of a dataset; ``type`` is its Spark type.

    ``expression``: how it is computed, for a metric that the project names.
    """

    dataset: str
    column: str
    type: str
    expression: str = ""

    def __str__(self) -> str:
        return f"{self.dataset}.{self.column}"


@dataclass(frozen=True)
class DayParts:
    """A calendar day kept in whole-number columns; ``day`` may be missing."""

    year: Field
    month: Field
    day: Field | None = None


Moment = Field | DayParts


@dataclass(frozen=True)
class Lookup:
    """A many-to-one join: every row of ``key``'s dataset finds at most one by ``match``."""

    key: Field
    match: Field


# --- conditions ----------------------------------------------------------------


@dataclass(frozen=True)
class Compare:
    """A field against a constant."""

    field: Field
    operator: Operator
    value: Literal_


@dataclass(frozen=True)
class CompareToAggregate:
    """A field against one figure over the whole source, such as its average."""

    field: Field
    operator: Operator
    function: Function


@dataclass(frozen=True)
class OneOf:
    """A field has one of the values; ``negated``: none of them (nulls are left out)."""

    field: Field
    values: tuple[Literal_, ...]
    negated: bool = False


@dataclass(frozen=True)
class Between:
    """Both ends inclusive."""

    field: Field
    low: Literal_
    high: Literal_


@dataclass(frozen=True)
class Text:
    """A text holds, begins or ends with a piece, whatever the case."""

    field: Field
    how: Literal["contains", "starts", "ends"]
    piece: str
    negated: bool = False


@dataclass(frozen=True)
class Missing:
    """A field is null; ``negated``: it is not."""

    field: Field
    negated: bool = False


@dataclass(frozen=True)
class During:
    """A moment lies in a period."""

    moment: Moment
    period: Period


@dataclass(frozen=True)
class Related:
    """Rows whose ``key`` occurs (or does not) as ``match`` among rows of another dataset."""

    key: Field
    match: Field
    where: tuple[Condition, ...] = ()
    negated: bool = False


@dataclass(frozen=True)
class AnyOf:
    """At least one of the conditions."""

    conditions: tuple[Condition, ...]


Condition = (
    Compare | CompareToAggregate | OneOf | Between | Text | Missing | During | Related | AnyOf
)


# --- output ----------------------------------------------------------------------


@dataclass(frozen=True)
class Key:
    """Grouping by a field, or by the ``unit`` of time that a moment falls in."""

    source: Moment
    unit: Unit | None = None


@dataclass(frozen=True)
class Aggregate:
    """A figure over the rows of a group; ``field`` is None for a count of rows.

    Of a ``metric`` the field's expression is the figure.
    """

    function: Function
    field: Field | None = None


@dataclass(frozen=True)
class Having:
    """A group is kept when its figure compares so."""

    aggregate: Aggregate
    operator: Operator
    value: Literal_
    high: Literal_ | None = None  # set: between ``value`` and ``high``


@dataclass(frozen=True)
class Order:
    """By a field of the rows, or by a figure of the groups."""

    by: Field | Aggregate | Key
    descending: bool = False


@dataclass(frozen=True)
class Plan:
    """One table as the answer.

    Without ``keys`` and ``aggregates`` it lists rows: ``select`` names the
    columns, empty for all of them.
    """

    source: str
    lookups: tuple[Lookup, ...] = ()
    conditions: tuple[Condition, ...] = ()
    select: tuple[Field, ...] = ()
    keys: tuple[Key, ...] = ()
    aggregates: tuple[Aggregate, ...] = ()
    having: tuple[Having, ...] = ()
    order: tuple[Order, ...] = ()
    limit: int | None = None
    distinct: bool = False
