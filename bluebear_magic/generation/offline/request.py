"""What a question asks for, before it is decided which columns are meant.

The parser writes these; the resolver turns them into a plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bluebear_magic.generation.offline.dates import Period, Unit
from bluebear_magic.generation.offline.linking import Mention
from bluebear_magic.generation.offline.plan import Function

Role = Literal["", "from", "to"]


@dataclass(frozen=True)
class ColumnRef:
    """Words that name a column."""

    mention: Mention


@dataclass(frozen=True)
class TableRef:
    """Words that name a dataset, or None: the rows of whatever is asked about.

    ``via``: the column that leads there ("destination airport"); ``role``: the
    preposition before it, where it says which of two like columns is meant.
    """

    mention: Mention | None
    via: ColumnRef | None = None
    role: Role = ""


@dataclass(frozen=True)
class PartRef:
    """A unit of time to group by."""

    unit: Unit


@dataclass(frozen=True)
class MeasureRef:
    """A figure. ``target`` None counts rows; ``counting``: said as "number of".

    ``loose``: the words may also be a superlative ("highest price");
    ``how_many``, ``summed``: said as "how many" or as "total number of".
    """

    function: Function
    target: ColumnRef | TableRef | None
    counting: bool = False
    distinct: bool = False
    loose: bool = False
    how_many: bool = False
    summed: bool = False


Target = ColumnRef | TableRef | PartRef | MeasureRef


@dataclass(frozen=True)
class Output:
    """Something to be shown."""

    target: Target
    distinct: bool = False


@dataclass(frozen=True)
class Group:
    """One result row for each; ``per``: said so that it is clear that figures are wanted."""

    keys: tuple[Target, ...]
    per: bool = False


@dataclass(frozen=True)
class Where:
    """A condition. ``target`` None: the operands' own columns; ``hints``: words for one.

    ``operator``: a comparison, ``in``, ``between``, ``contains``, ``starts``,
    ``ends``, ``missing``. ``counted``: the figure stood first ("at least 3 accounts"),
    or the "no" ("no tail number").
    """

    target: ColumnRef | MeasureRef | None
    operator: str
    operands: tuple[Mention, ...] = ()
    negated: bool = False
    role: Role = ""
    hints: tuple[str, ...] = ()
    to_average: bool = False
    counted: bool = False


@dataclass(frozen=True)
class Either:
    """At least one of the conditions."""

    options: tuple[Where, ...]


@dataclass(frozen=True)
class When:
    """A period, of a named column or of the moment that rows tell of.

    ``after_verb``: of what a verb says ("registered in 2016").
    """

    period: Period
    words: str
    column: ColumnRef | None = None
    after_verb: bool = False


@dataclass(frozen=True)
class Anchor:
    """A dataset that the question is about, or is related to.

    ``by``: it stands behind "by", alone: either its things did something ("accounts
    by customers"), or groups are wanted.
    """

    table: TableRef
    negated: bool = False
    by: bool = False


@dataclass(frozen=True)
class Extreme:
    """Only the first ``limit`` by ``target``, by hints, or by how often (``frequent``)."""

    descending: bool
    target: Target | None = None
    hints: tuple[str, ...] = ()
    frequent: bool = False
    limit: int = 1
    words: str = ""


@dataclass(frozen=True)
class Top:
    """Only the first ``limit``, by what another part says."""

    limit: int
    descending: bool


@dataclass(frozen=True)
class RankBy:
    """What a "top N" goes by, or a grouping: "by" leaves it open."""

    target: Target


@dataclass(frozen=True)
class OrderBy:
    """Sorted; ``target`` None: by what is shown first."""

    target: Target | None
    descending: bool = False


Part = Output | Group | Where | Either | When | Anchor | Extreme | Top | RankBy | OrderBy


@dataclass(frozen=True)
class Request:
    """A complete reading of a question; a lower ``cost`` is a better reading."""

    parts: tuple[Part, ...]
    cost: float
