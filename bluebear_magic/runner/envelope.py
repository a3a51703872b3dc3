"""What goes into a run and what comes out, as frozen values with a JSON form.

The same ``Job`` runs on every backend and the same ``Outcome`` comes back, in
check and in run alike; only ``mode`` and the bound data differ.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from bluebear_magic.runner.values import decode

PROTOCOL = 1

Mode = Literal["analyse", "sample", "full"]
Status = Literal["ok", "fault", "cancelled"]
Stage = Literal["start", "bind", "compile", "analyse", "facts", "run", "result", "worker"]


@dataclass(frozen=True)
class Binding:
    """One dataset as the code will see it: ``spark.table(name)``.

    ``paths`` are read with ``format``, ``options`` and the DDL ``schema``.
    ``base_path`` is the root of a Hive-partitioned folder, else None.
    ``sampled`` says that the paths hold a sample and not the whole, ``note`` of what.
    ``fingerprint`` names the state of what the paths hold; empty when it is not known.
    """

    name: str
    format: str
    paths: tuple[str, ...]
    schema: str
    options: tuple[tuple[str, str], ...] = ()
    base_path: str | None = None
    sampled: bool = False
    note: str = ""
    fingerprint: str = ""


@dataclass(frozen=True)
class Write:
    """One write that the code does, as it can be read in it.

    ``kind``: to a ``path`` (``target`` is a folder, as a URI or an absolute path) or to a
    ``table``. ``mode``: what happens to what is there: ``errorifexists``, ``ignore``,
    ``append``, ``overwrite``, or the name of a table's own operation.
    """

    kind: Literal["path", "table"]
    format: str
    target: str
    mode: str
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Limits:
    """``rows`` of a preview, ``seconds`` for the whole job, ``output`` characters kept.

    ``memory_mb``: what the code's own Python may allocate; Spark's memory is its heap.
    """

    rows: int = 5000
    seconds: float = 300.0
    output: int = 20_000
    memory_mb: int = 2048


@dataclass(frozen=True)
class Job:
    """A piece of PySpark to run over named datasets.

    ``result_dir`` (mode ``full``): the folder for the whole results as Parquet.
    ``cell``: the file name that tracebacks show for the code. ``writes``: those that a person
    has approved; the code can do no other, and a check does them in a scratch folder.
    """

    code: str
    datasets: tuple[Binding, ...] = ()
    mode: Mode = "sample"
    limits: Limits = field(default_factory=Limits)
    result_dir: str | None = None
    cell: str = "<cell>"
    writes: tuple[Write, ...] = ()
    protocol: int = PROTOCOL

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Job:
        """Inverse of ``to_json``; ValueError when the protocol is another one."""
        raw = _checked(text)
        raw["datasets"] = tuple(
            Binding(
                **{
                    **item,
                    "paths": tuple(item["paths"]),
                    "options": tuple((key, value) for key, value in item["options"]),
                }
            )
            for item in raw["datasets"]
        )
        raw["limits"] = Limits(**raw["limits"])
        raw["writes"] = tuple(
            Write(**{**item, "options": tuple((key, value) for key, value in item["options"])})
            for item in raw["writes"]
        )
        return cls(**raw)


@dataclass(frozen=True)
class Fault:
    """Why code did not work: where (``line`` counts in the cell, from 1), what, what next.

    ``kind`` is the exception's class, or ``timeout``, ``crash``, ``cancelled``;
    ``condition`` is Spark's error condition, such as ``UNRESOLVED_COLUMN.WITH_SUGGESTION``.
    """

    stage: Stage
    kind: str
    message: str
    condition: str | None = None
    line: int | None = None
    fragment: str | None = None
    suggestion: str | None = None


@dataclass(frozen=True)
class Table:
    """One table of an answer: a preview, and what is known of the whole.

    ``columns`` are (name, Spark type); ``rows`` are in the spelling of
    :mod:`bluebear_magic.runner.values`. ``row_count`` is the true number of
    rows of the run (null when unknown); ``truncated``: the preview is shorter
    than that; ``sampled``: the inputs were samples, so the figures are not the
    answer. ``uri``: where the whole result lies.
    """

    title: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Any, ...], ...]
    row_count: int | None
    sampled: bool
    truncated: bool
    uri: str | None = None

    def python_rows(self) -> list[tuple[Any, ...]]:
        """The preview with dates, decimals and big integers as Python values."""
        kinds = [kind for _, kind in self.columns]
        return [tuple(map(decode, row, kinds)) for row in self.rows]


@dataclass(frozen=True)
class Comparison:
    """A column of a dataset held against literals: ``=``, ``<`` ..., ``in``, ``like``, ``rlike``,
    ``startswith``, ``endswith``, ``contains``, ``ilike``.

    ``kind`` is the column's Spark type; ``via`` the functions that its values went through
    before (``lower``, ``cast:date``), innermost first. ``values`` are the literals as text,
    None for NULL, of type ``literal``.
    """

    dataset: str
    column: str
    kind: str
    operator: str
    values: tuple[str | None, ...]
    literal: str
    via: tuple[str, ...] = ()
    negated: bool = False


@dataclass(frozen=True)
class JoinFact:
    """A join. ``keys``: pairs (dataset, column, dataset, column) whose equality it asks for.

    ``linked``: something, be it a filter above, compares the two sides. ``trivial``: a column is
    compared with itself. ``grid``: a side has one row, or each side is small by construction.
    ``matched``: whether any row found another, on the data bound; None where nobody looked.
    """

    kind: str
    keys: tuple[tuple[str, str, str, str], ...] = ()
    linked: bool = True
    trivial: bool = False
    grid: bool = False
    matched: bool | None = None


@dataclass(frozen=True)
class TextAggregate:
    """``sum``, ``avg``, ``min``, ... over a column of text as it stands."""

    function: str
    dataset: str
    column: str


@dataclass(frozen=True)
class Division:
    """A division by a column that nothing keeps from being zero.

    ``plain``: every row of the dataset gets there; no filter, no join, no limit before.
    """

    dataset: str
    column: str
    plain: bool = False


@dataclass(frozen=True)
class Product:
    """Integers multiplied; ``factors`` are (dataset, column), or ("", number) for a literal."""

    factors: tuple[tuple[str, str], ...]
    kind: str
    plain: bool = False


@dataclass(frozen=True)
class Collected:
    """Rows fetched into Python (``action``) at a line of the cell, from ``datasets`` of which
    neither a limit nor an aggregate bounds how many.
    """

    action: str
    line: int
    datasets: tuple[str, ...]


@dataclass(frozen=True)
class PlanFacts:
    """What Spark's analysed plans say: relations read, joins, joins without a condition.

    ``subtracts``: rows are taken away by an anti join or EXCEPT, so that none may be left.
    """

    inputs: tuple[str, ...] = ()
    joins: int = 0
    cross_joins: int = 0
    subtracts: bool = False
    comparisons: tuple[Comparison, ...] = ()
    joined: tuple[JoinFact, ...] = ()
    text_aggregates: tuple[TextAggregate, ...] = ()
    divisions: tuple[Division, ...] = ()
    products: tuple[Product, ...] = ()
    collected: tuple[Collected, ...] = ()

    @classmethod
    def from_raw(cls, raw: Mapping[str, Any]) -> PlanFacts:
        """From its JSON form."""
        given = {key: _tupled(value) for key, value in raw.items()}
        for name, kind in _FACTS.items():
            given[name] = tuple(
                kind(**{key: _tupled(value) for key, value in item.items()})
                for item in raw.get(name, ())
            )
        return cls(**given)


_FACTS: Mapping[str, Callable[..., Any]] = {
    "comparisons": Comparison,
    "joined": JoinFact,
    "text_aggregates": TextAggregate,
    "divisions": Division,
    "products": Product,
    "collected": Collected,
}


def _tupled(value: Any) -> Any:
    return tuple(map(_tupled, value)) if isinstance(value, list) else value


@dataclass(frozen=True)
class Outcome:
    """What came of a job. ``timings`` are milliseconds by stage."""

    status: Status
    tables: tuple[Table, ...] = ()
    stdout: str = ""
    fault: Fault | None = None
    plan: PlanFacts = field(default_factory=PlanFacts)
    timings: tuple[tuple[str, float], ...] = ()
    spark_version: str = ""
    protocol: int = PROTOCOL

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Outcome:
        """Inverse of ``to_json``; ValueError when the protocol is another one."""
        raw = _checked(text)
        raw["tables"] = tuple(
            Table(
                **{
                    **item,
                    "columns": tuple((name, kind) for name, kind in item["columns"]),
                    "rows": tuple(tuple(row) for row in item["rows"]),
                }
            )
            for item in raw["tables"]
        )
        raw["fault"] = Fault(**raw["fault"]) if raw["fault"] else None
        raw["plan"] = PlanFacts.from_raw(raw["plan"])
        raw["timings"] = tuple((stage, spent) for stage, spent in raw["timings"])
        return cls(**raw)


def _checked(text: str) -> dict[str, Any]:
    raw: dict[str, Any] = json.loads(text)
    if raw.get("protocol") != PROTOCOL:
        raise ValueError(
            f"this side speaks protocol {PROTOCOL}, the other {raw.get('protocol')!r}: "
            "install the same version of bluebear-magic on both"
        )
    return raw
