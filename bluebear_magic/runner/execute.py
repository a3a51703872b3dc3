"""Run one job in a fresh namespace; whatever happens becomes an Outcome.

The session is the job's own, its datasets are bound; see :mod:`bluebear_magic.runner.session`.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import io
import linecache
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluebear_magic.runner.envelope import Fault, Job, Outcome, PlanFacts, Stage, Table
from bluebear_magic.runner.faults import at_line, fault_of
from bluebear_magic.runner.gate_rules import Forbidden
from bluebear_magic.runner.observe import Observer
from bluebear_magic.runner.results import fetch, preview, storable, store
from bluebear_magic.runner.writing import writing

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

HOW_TO_END = "end the cell with: result = <DataFrame>, or results = {'title': <DataFrame>, ...}"


class _Rejected(Exception):
    """What the code left behind is no result; carries the Fault's words."""

    def __init__(self, kind: str, message: str, suggestion: str) -> None:
        super().__init__(message)
        self.kind, self.suggestion = kind, suggestion


class _Stopwatch:
    """Milliseconds by stage, and which stage is running."""

    def __init__(self, spent: Mapping[str, float]) -> None:
        self.stage: Stage = "compile"
        self.spent: dict[str, float] = dict(spent)

    @contextlib.contextmanager
    def during(self, stage: Stage) -> Iterator[None]:
        self.stage = stage
        begun = time.perf_counter()
        try:
            yield
        finally:
            spent = (time.perf_counter() - begun) * 1000
            self.spent[stage] = round(self.spent.get(stage, 0.0) + spent, 2)


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


def execute(spark: SparkSession, job: Job, version: str, spent: Mapping[str, float]) -> Outcome:
    """Compiles and runs; never raises for anything that the code does.

    ``version``: Spark's; ``spent``: milliseconds of the stages before. An interrupt means
    that the time is over.
    """
    whole = job.mode == "full"
    with _remembered_lines(whole):
        outcome = _executed(spark, job, version, spent)
    if not whole and outcome.fault is not None and _lost(outcome.fault):
        with _remembered_lines(True):
            outcome = _executed(spark, job, version, spent)
    return _placed(outcome, job)


def _executed(spark: SparkSession, job: Job, version: str, spent: Mapping[str, float]) -> Outcome:
    watch = _Stopwatch(spent)
    output = _BoundedOutput(job.limits.output)
    names = [dataset.name for dataset in job.datasets]
    fault: Fault | None = None
    tables: tuple[Table, ...] = ()
    plan = PlanFacts()
    observer = Observer(job.cell, names)
    try:
        with watch.during("compile"):
            compiled = compile(job.code, job.cell, "exec", dont_inherit=True)
            _remember_source(job)
        with contextlib.redirect_stdout(output):
            with watch.during("analyse"):
                namespace = _namespace(spark)
                with observer.watching(), writing(spark, job):
                    exec(compiled, namespace)  # noqa: S102 - running code is what this module is for
                frames = _results(namespace)
            with watch.during("facts"):
                plan = observer.facts(frames)
            with watch.during("run"):
                if job.mode != "analyse":
                    tables = tuple(
                        _table(index, title, frame, job, observer.plans.get(title))
                        for index, (title, frame) in enumerate(frames.items())
                    )
            if job.mode == "sample":
                with watch.during("facts"):
                    plan = observer.matched(plan, frames, tables)
    except BaseException as error:  # noqa: BLE001 - whatever the code does is a Fault
        fault = _fault(error, watch.stage, job, names)
    return Outcome(
        status="fault" if fault else "ok",
        tables=() if fault else tables,
        stdout=output.getvalue(),
        fault=fault,
        plan=plan,
        timings=tuple(watch.spent.items()),
        spark_version=version,
    )


def _lost(fault: Fault) -> bool:
    return (
        fault.stage == "run"
        and fault.line is None
        and fault.kind not in {"timeout", "MemoryError", "SystemExit", "forbidden"}
    )


@contextlib.contextmanager
def _remembered_lines(wanted: bool) -> Iterator[None]:
    """Whether each column knows the line of the cell that made it, for Spark's errors.

    A check asks only where a fault has no line: it costs a fifth of its time.
    """
    from pyspark.errors import utils

    known: Any = utils
    known._enable_debugging_cache = wanted
    yield


def _placed(outcome: Outcome, job: Job) -> Outcome:
    """A fault without a line is one of the result: it points there."""
    fault = outcome.fault
    if fault is None or fault.line is not None:
        return outcome
    line = _result_line(job.code) or max(1, len(job.code.rstrip().splitlines()))
    return replace(outcome, fault=at_line(fault, line, job.code))


def _fault(error: BaseException, stage: Stage, job: Job, names: list[str]) -> Fault:
    if isinstance(error, _Rejected):
        return Fault("result", error.kind, str(error), suggestion=error.suggestion)
    fault = fault_of(error, stage=stage, cell=job.cell, code=job.code, names=names)
    if isinstance(error, Forbidden):
        return replace(fault, kind="forbidden", suggestion=error.instead)
    if isinstance(error, SystemExit):
        return replace(fault, message=f"the code calls exit({error.code!r})")
    if isinstance(error, KeyboardInterrupt):
        return timed_out(job.limits.seconds, fault.line, fault.fragment)
    if isinstance(error, MemoryError):
        return replace(
            fault,
            message=f"the code needs more than {job.limits.memory_mb} MB of memory in Python",
            suggestion="leave rows in Spark: aggregate or limit before collect() and toPandas()",
        )
    return fault


def timed_out(seconds: float, line: int | None = None, fragment: str | None = None) -> Fault:
    """The Fault of code that was stopped at its limit, at ``line`` where that is known."""
    return Fault(
        "run",
        "timeout",
        f"the code ran for more than {seconds:g} s and was stopped",
        line=line,
        fragment=fragment,
        suggestion="look for a loop without end or a join that multiplies rows",
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


def _table(index: int, title: str, frame: DataFrame, job: Job, plan: str | None) -> Table:
    columns = tuple((field.name, field.dataType.simpleString()) for field in frame.schema.fields)
    limit = job.limits.rows
    frame = storable(frame)
    if job.mode == "full" and job.result_dir:
        target = Path(job.result_dir) / f"{index:02d}"
        rows, count = store(frame, target, limit, plan)
        return Table(
            title, columns, rows, count, sampled=False, truncated=count > len(rows), uri=str(target)
        )
    # As Arrow, as the preview of a full run: Python's own dates lack the year 1 in some zones.
    fetched = fetch(frame.limit(limit + 1))
    rows = preview(fetched.to_batches(), limit)
    return Table(
        title,
        columns,
        rows,
        fetched.num_rows if fetched.num_rows <= limit else None,
        sampled=any(dataset.sampled for dataset in job.datasets),
        truncated=fetched.num_rows > len(rows),
    )


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
