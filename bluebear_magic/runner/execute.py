"""Run one job in a fresh session and namespace; whatever happens becomes an Outcome."""

from __future__ import annotations

import ast
import builtins
import contextlib
import io
import linecache
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluebear_magic.runner.envelope import Fault, Job, Outcome, PlanFacts, Stage, Table
from bluebear_magic.runner.faults import fault_of
from bluebear_magic.runner.session import WarmSession, bind
from bluebear_magic.runner.values import encode

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# No Arrow or Parquet form; shown and stored as text.
AS_TEXT = re.compile(r"void|.*interval.*|variant|time\(.*|geo(graphy|metry).*", re.IGNORECASE)
HOW_TO_END = "end the cell with: result = <DataFrame>, or results = {'title': <DataFrame>, ...}"


class _Rejected(Exception):
    """What the code left behind is no result; carries the Fault's words."""

    def __init__(self, kind: str, message: str, suggestion: str) -> None:
        super().__init__(message)
        self.kind, self.suggestion = kind, suggestion


class _Stopwatch:
    """Milliseconds by stage, and which stage is running."""

    def __init__(self) -> None:
        self.stage: Stage = "bind"
        self.spent: dict[str, float] = {}

    @contextlib.contextmanager
    def during(self, stage: Stage) -> Iterator[None]:
        self.stage = stage
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.spent[stage] = round((time.perf_counter() - begun) * 1000, 2)


class _BoundedOutput(io.StringIO):
    """Keeps the first ``limit`` characters and says that more was printed."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._left = limit

    def write(self, text: str) -> int:
        if self._left > 0:
            super().write(text[: self._left])
            self._left -= len(text)
            if self._left <= 0:
                super().write("\n... (more was printed)\n")
        return len(text)


def execute(session: WarmSession, job: Job) -> Outcome:
    """Binds, compiles, runs; never raises for anything that the code does.

    KeyboardInterrupt passes through: cancelling is the caller's business.
    """
    watch = _Stopwatch()
    output = _BoundedOutput(job.limits.output)
    names = [dataset.name for dataset in job.datasets]
    fault: Fault | None = None
    tables: tuple[Table, ...] = ()
    plan = PlanFacts()
    end = _last_line(job.code)
    try:
        with watch.during("bind"):
            spark = session.fresh(job.mode)
            bind(spark, job.datasets)
        with watch.during("compile"):
            compiled = compile(job.code, job.cell, "exec", dont_inherit=True)
            _remember_source(job)
        with contextlib.redirect_stdout(output):
            with watch.during("analyse"):
                namespace = _namespace(spark)
                exec(compiled, namespace)  # noqa: S102 - running code is what this module is for
                frames = _results(namespace)
                plan = _plan_facts(frames, names)
            with watch.during("run"):
                if job.mode != "analyse":
                    tables = tuple(
                        _table(index, title, frame, job)
                        for index, (title, frame) in enumerate(frames.items())
                    )
    except _Rejected as rejected:
        line = _result_line(job.code) or end
        fault = Fault("result", rejected.kind, str(rejected), None, line, None, rejected.suggestion)
    except Exception as error:  # noqa: BLE001 - any exception of the code is a Fault
        fault = fault_of(
            error,
            stage=watch.stage,
            cell=job.cell,
            code=job.code,
            names=names,
            default_line=_result_line(job.code) or end,
        )
    except SystemExit as error:
        fault = Fault("run", "SystemExit", f"the code calls exit({error.code!r})", None, end)
    return Outcome(
        status="fault" if fault else "ok",
        tables=() if fault else tables,
        stdout=output.getvalue(),
        fault=fault,
        plan=plan,
        timings=tuple(watch.spent.items()),
        spark_version=session.version,
    )


def _namespace(spark: Any) -> dict[str, Any]:
    def display(*values: Any) -> None:
        for value in values:
            if hasattr(value, "show"):
                value.show()
            else:
                print(value)  # noqa: T201 - captured: this is the code's own output

    return {
        "__name__": "__main__",
        "__builtins__": builtins,
        "spark": spark,
        "display": display,
    }


def _remember_source(job: Job) -> None:
    """Lets tracebacks, also those of UDFs, show the cell's own lines."""
    lines = job.code.splitlines(keepends=True)
    linecache.cache[job.cell] = (len(job.code), None, lines, job.cell)


def _results(namespace: Mapping[str, Any]) -> dict[str, DataFrame]:
    """The DataFrames that the code leaves, by title; raises ``_Rejected``."""
    if "results" in namespace:
        found = namespace["results"]
        if not isinstance(found, dict) or not found:
            raise _Rejected("ResultNotDataFrame", "`results` is no filled dictionary", HOW_TO_END)
        frames = {str(title): frame for title, frame in found.items()}
    elif "result" in namespace:
        frames = {"result": namespace["result"]}
    else:
        raise _Rejected("ResultMissing", "the code sets neither `result` nor `results`", HOW_TO_END)
    for title, frame in frames.items():
        if not (hasattr(frame, "schema") and hasattr(frame, "sparkSession")):
            raise _Rejected(
                "ResultNotDataFrame",
                f"`{title}` is a {type(frame).__name__}, not a Spark DataFrame",
                HOW_TO_END,
            )
        _refuse_twin_columns(frame)
    return frames


def _refuse_twin_columns(frame: DataFrame) -> None:
    seen: set[str] = set()
    for name in frame.columns:
        if name.lower() in seen:
            raise _Rejected(
                "DuplicateColumns",
                f"the result has two columns named `{name}`",
                "select or rename columns so that each name occurs once",
            )
        seen.add(name.lower())


def _table(index: int, title: str, frame: DataFrame, job: Job) -> Table:
    columns = tuple((field.name, field.dataType.simpleString()) for field in frame.schema.fields)
    storable = _storable(frame)
    if job.mode == "full" and job.result_dir:
        target = Path(job.result_dir) / f"{index:02d}"
        storable.write.parquet(str(target))
        rows, count = _preview(target, job.limits.rows)
        return Table(
            title, columns, rows, count, sampled=False, truncated=count > len(rows), uri=str(target)
        )
    fetched = [tuple(map(encode, row)) for row in storable.limit(job.limits.rows + 1).collect()]
    cut = len(fetched) > job.limits.rows
    return Table(
        title,
        columns,
        tuple(fetched[: job.limits.rows]),
        None if cut else len(fetched),
        sampled=any(dataset.sampled for dataset in job.datasets),
        truncated=cut,
    )


def _storable(frame: DataFrame) -> DataFrame:
    """The frame with types that Arrow and Parquet lack turned into text."""
    from pyspark.sql import functions as F  # noqa: N812 - as everywhere with Spark

    columns = []
    for field in frame.schema.fields:
        column = F.col("`{}`".format(field.name.replace("`", "``")))
        if AS_TEXT.fullmatch(field.dataType.simpleString()):
            column = column.cast("string").alias(field.name)
        columns.append(column)
    return frame.select(*columns)


def _preview(folder: Path, limit: int) -> tuple[tuple[tuple[Any, ...], ...], int]:
    """The first ``limit`` rows in the order written, and the true number of rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows: list[tuple[Any, ...]] = []
    count = 0
    for part in sorted(folder.glob("*.parquet")):
        with pq.ParquetFile(part) as file:
            count += file.metadata.num_rows
            for batch in file.iter_batches(batch_size=limit):
                if len(rows) >= limit:
                    break
                columns = [
                    [dict(item) if item is not None else None for item in column.to_pylist()]
                    if pa.types.is_map(column.type)
                    else column.to_pylist()
                    for column in batch.columns
                ]
                rows.extend(tuple(map(encode, row)) for row in zip(*columns, strict=True))
    return tuple(rows[:limit]), count


def _plan_facts(frames: Mapping[str, DataFrame], names: list[str]) -> PlanFacts:
    """Counts over the analysed plans' own text: relations by alias, joins by kind."""
    inputs: set[str] = set()
    joins = crossed = 0
    for frame in frames.values():
        text = frame._jdf.queryExecution().analyzed().toString()
        known = {name.lower(): name for name in names}
        for alias in re.findall(r"SubqueryAlias (\w+)", text):
            if alias.lower() in known:
                inputs.add(known[alias.lower()])
        kinds = re.findall(r"^[\s:+-]*Join (\w+)(,.*)?$", text, re.MULTILINE)
        joins += len(kinds)
        crossed += sum(kind == "Cross" or not condition for kind, condition in kinds)
    return PlanFacts(tuple(sorted(inputs)), joins, crossed)


def _last_line(code: str) -> int:
    return max(1, len(code.rstrip().splitlines()))


def _result_line(code: str) -> int | None:
    """The line of the last ``result =`` or ``results =`` at the top of the code."""
    try:
        body = ast.parse(code).body
    except (SyntaxError, ValueError, RecursionError):
        return None
    lines = [
        statement.lineno
        for statement in body
        if isinstance(statement, ast.Assign)
        and any(
            isinstance(t, ast.Name) and t.id in {"result", "results"} for t in statement.targets
        )
    ]
    return lines[-1] if lines else None
