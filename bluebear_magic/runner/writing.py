"""What code may write: nothing, but for the writes that a person has approved.

A check runs the same code over samples, so it must not reach the user's data: there every
write goes, with its format, mode and options, into a folder that ends with the job. What
Spark refuses about a write shows in the check; what it replaces is seen by the run alone.
"""

from __future__ import annotations

import contextlib
import functools
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluebear_magic.runner import gate_client
from bluebear_magic.runner.envelope import Job

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_TO_A_PATH = ("save", "parquet", "csv", "json", "orc", "text")
_TO_A_TABLE = ("saveAsTable", "insertInto")
_NEVER = ("jdbc", "xml")
_NEW = ("append", "create", "replace", "createOrReplace", "overwrite", "overwritePartitions")


class WriteRefused(Exception):
    """A write that nobody approved, or that this Spark cannot do."""


@contextlib.contextmanager
def writing(spark: SparkSession, job: Job) -> Iterator[None]:
    """While this lasts, the code in this process can do the job's approved writes and no other."""
    from pyspark.sql.readwriter import DataFrameWriter, DataFrameWriterV2

    places = _Places(spark, job)
    wrapped = {
        DataFrameWriter: [
            *((name, places.path) for name in _TO_A_PATH),
            *((name, places.table) for name in _TO_A_TABLE),
            *((name, places.nowhere) for name in _NEVER),
        ],
        DataFrameWriterV2: [(name, places.new) for name in _NEW],
    }
    own = {
        (kind, name): getattr(kind, name) for kind, pairs in wrapped.items() for name, _ in pairs
    }
    for kind, pairs in wrapped.items():
        for name, door in pairs:
            setattr(kind, name, door(own[kind, name]))
    # `writeTo` keeps its table's name in Java alone.
    init: Any = DataFrameWriterV2.__init__
    DataFrameWriterV2.__init__ = _remembering(init)  # type: ignore[method-assign]
    try:
        yield
    finally:
        DataFrameWriterV2.__init__ = init  # type: ignore[method-assign]
        for (kind, name), method in own.items():
            setattr(kind, name, method)


def _remembering(init: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(init)
    def remembering(writer: Any, frame: Any, table: str) -> None:
        init(writer, frame, table)
        writer._table_named = table

    return remembering


class _Places:
    """Where writes of one job go; its methods wrap those of Spark's writers."""

    def __init__(self, spark: SparkSession, job: Job) -> None:
        self._spark = spark
        self._whole = job.mode == "full"
        self._approved = {(write.kind, write.target) for write in job.writes}

    def path(self, method: Callable[..., None]) -> Callable[..., None]:
        """For what takes a path first."""

        @functools.wraps(method)
        def write(writer: Any, path: Any = None, *args: Any, **kwargs: Any) -> None:
            self._see("path", path)
            self._has_store(path)
            method(writer, path if self._whole else _scratch(), *args, **kwargs)

        return write

    def table(self, method: Callable[..., None]) -> Callable[..., None]:
        """For what takes a table's name first, under either of its names."""

        @functools.wraps(method)
        def write(writer: Any, *args: Any, **kwargs: Any) -> None:
            name = args[0] if args else kwargs.get("name", kwargs.get("tableName"))
            self._see("table", name)
            self._has_tables(name)
            if self._whole:
                method(writer, *args, **kwargs)

        return write

    def new(self, method: Callable[..., None]) -> Callable[..., None]:
        """For what ends ``writeTo``."""

        @functools.wraps(method)
        def write(writer: Any, *args: Any, **kwargs: Any) -> None:
            name = getattr(writer, "_table_named", None)
            self._see("table", name)
            self._has_tables(name)
            if self._whole:
                method(writer, *args, **kwargs)

        return write

    def nowhere(self, method: Callable[..., None]) -> Callable[..., None]:
        """For what cannot be approved."""

        @functools.wraps(method)
        def write(_writer: Any, target: Any = None, *_args: Any, **_kwargs: Any) -> None:
            self._see("never", target)

        return write

    def _see(self, kind: str, target: Any) -> None:
        if not isinstance(target, str) or (kind, target) not in self._approved:
            raise WriteRefused(f"the code may not write to {target}: nobody has approved it")

    def _has_store(self, path: str) -> None:
        """Raises where Spark has no driver for the path's store; asks nothing of the store."""
        scheme = path.partition(":")[0].lower() if ":" in path else "file"
        if not gate_client.has_store(self._spark, scheme):
            raise WriteRefused(
                f"this Spark cannot reach {path}: it has no driver for {scheme}: "
                "write to a folder of this machine"
            )

    def _has_tables(self, name: Any) -> None:
        """Raises where the catalog is one of this process alone: its tables end with it."""
        if self._spark.conf.get("spark.sql.catalogImplementation") == "in-memory":
            raise WriteRefused(
                f"the table {name} would end with this process, whose Spark has no catalog that "
                "lasts: write to a folder, as in df.write.parquet"
            )


def _scratch() -> str:
    """A new folder that ends with the job."""
    folder = tempfile.mkdtemp(prefix="written-", dir=os.environ.get("TMPDIR"))
    return str(Path(folder) / "table")
