"""What goes into a run and what comes out, as frozen values with a JSON form.

The same ``Job`` runs on every backend and the same ``Outcome`` comes back, in
check and in run alike; only ``mode`` and the bound data differ.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from bluebear_magic.runner.values import decode

PROTOCOL = 1

Mode = Literal["analyse", "sample", "full"]
Status = Literal["ok", "fault", "cancelled"]
Stage = Literal["start", "bind", "compile", "analyse", "run", "result", "worker"]


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
    ``cell``: the file name that tracebacks show for the code.
    """

    code: str
    datasets: tuple[Binding, ...] = ()
    mode: Mode = "sample"
    limits: Limits = field(default_factory=Limits)
    result_dir: str | None = None
    cell: str = "<cell>"
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
class PlanFacts:
    """What Spark's analysed plan says: relations read, joins, joins without a condition."""

    inputs: tuple[str, ...] = ()
    joins: int = 0
    cross_joins: int = 0


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
        raw["plan"] = PlanFacts(**{**raw["plan"], "inputs": tuple(raw["plan"]["inputs"])})
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
