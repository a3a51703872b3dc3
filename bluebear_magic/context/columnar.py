"""Parquet and ORC: schemas and row counts from the files' footers."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import orc
from pyarrow import types as kinds

from bluebear_magic.aws import STREAMS
from bluebear_magic.context import types
from bluebear_magic.context.csvfile import Reading
from bluebear_magic.context.files import FileSet
from bluebear_magic.errors import DatasetError
from bluebear_magic.records import Column, ColumnProfile, Dataset
from bluebear_magic.runner.reads import Budget, CountedFile, store_of

TAIL = 16 * 1024  # bytes in which most footers are whole
FOOTER = 64 * 1024 * 1024  # bytes of one footer at most
_Schema = tuple[tuple[Column, ...], tuple[str, ...]]
_AGAIN = "Copy or write the file again."


def describe(found: FileSet) -> Reading:
    """Columns and warnings of Parquet or ORC files.

    Raises DatasetError for files that are cut off, for names that differ only in case,
    and for part files whose schemas differ (with file and column).
    """
    return described(found.format, [file.path for file in found.files])


def described(format_: str, paths: Sequence[Path | str]) -> Reading:
    """The same for the paths of files, which may lie in a store (``s3://...``)."""
    read: Callable[[Path | str], _Schema] = _parquet if format_ == "parquet" else _orc
    first = paths[0]
    columns, warnings = read(first)
    _check_names(first, columns)
    for path in paths[1:]:
        _check_same(first, columns, path, read(path)[0])
    if not columns:
        raise DatasetError(f"{first}: no column that Spark can read", "; ".join(warnings))
    return Reading(columns, (), warnings)


def parquet_footers(paths: Sequence[str]) -> list[Any]:
    """The metadata of Parquet files, in order. Raises DatasetError, OSError."""
    if not paths or store_of(paths[0]) is None:
        return [_open_parquet(Path(path)).metadata for path in paths]
    pool = ThreadPoolExecutor(STREAMS)
    try:
        return list(pool.map(_distant_footer, paths))
    finally:  # after an interrupt or an error, without those that have not begun
        pool.shutdown(wait=True, cancel_futures=True)


def _distant_footer(path: str) -> Any:
    """By its tail alone: of a thousand files, what is read too much counts."""
    store = store_of(path)
    assert store is not None
    with store.open(path) as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - TAIL))
        tail = file.read(TAIL) or b""
        length = int.from_bytes(tail[-8:-4], "little") + 8
        if len(tail) < length <= size:
            file.seek(size - length)
            tail = file.read(length) or b""
    try:
        return pq.ParquetFile(pa.BufferReader(tail)).metadata
    except (pa.ArrowException, OSError) as error:
        raise _broken(path, error) from error


def orc_rows(paths: Sequence[str]) -> int:
    """The number of rows in ORC files, from their footers."""
    return sum(int(_open_orc(path).nrows) for path in paths)


def _broken(path: Path | str, error: Exception) -> DatasetError:
    return DatasetError(
        f"{path}: not a whole Parquet file, its footer cannot be read ({_first(error)})", _AGAIN
    )


def _distant(path: Path | str) -> CountedFile | None:
    """A file that lies in a store."""
    if isinstance(path, Path) or store_of(path) is None:
        return None
    return CountedFile(path, Budget(FOOTER))


def _open_parquet(path: Path | str) -> Any:
    try:
        distant = _distant(path)
        if distant is not None:
            return pq.ParquetFile(distant, pre_buffer=False)
        return pq.ParquetFile(path)
    except pa.ArrowInvalid as error:
        raise _broken(path, error) from error
    except DatasetError:
        raise
    except OSError as error:
        if error.errno:  # of the file; pyarrow has none for what is in it
            raise
        raise _broken(path, error) from error
    except pa.ArrowException as error:
        raise DatasetError(
            f"{path}: cannot be read as Parquet ({_first(error)})", _AGAIN
        ) from error


def _open_orc(path: Path | str) -> Any:
    try:
        return orc.ORCFile(_distant(path) or str(path))
    except DatasetError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise DatasetError(
            f"{path}: not a whole ORC file, its footer cannot be read ({_first(error)})", _AGAIN
        ) from error


def _first(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _parquet(path: Path | str) -> _Schema:
    with _open_parquet(path) as file:
        schema, physical = file.schema_arrow, file.schema
        stored = [physical.column(index) for index in range(len(physical))]
    int96 = {c.path.split(".")[0] for c in stored if c.physical_type == "INT96"}
    columns: list[Column] = []
    warnings: list[str] = []
    for field in schema:
        instants = field.name in int96
        inner = types.leaves(field.type)
        try:
            ddl = types.ddl(field.type, instants=instants)
        except types.Unreadable as error:
            warnings.append(f"{field.name} is left out: Spark cannot read {error}")
            continue
        if not instants and any(kinds.is_timestamp(kind) and kind.unit == "ns" for kind in inner):
            raise DatasetError(
                f"{path}: Spark cannot read the nanoseconds of the column {field.name}",
                "Write it again in microseconds: "
                'df.to_parquet(path, coerce_timestamps="us", allow_truncated_timestamps=True).',
            )
        warnings += _told(field.name, inner)
        columns.append(Column(field.name, ddl))
    return tuple(columns), tuple(warnings)


def _told(name: str, inner: Any) -> list[str]:
    if any(kinds.is_time(kind) for kind in inner):
        units = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
        (kind,) = [kind for kind in inner if kinds.is_time(kind)][:1]
        # Parquet has no seconds: they are written as milliseconds.
        unit = units["ms" if kind.unit == "s" else kind.unit]
        return [f"{name} is a time of day, read as {unit} since midnight"]
    if any(kinds.is_duration(kind) for kind in inner):
        return [f"{name} is a duration, read as a number"]
    if any(kinds.is_null(kind) for kind in inner):
        return [f"{name} has no values, and no type but null: read as INT"]
    return []


def _orc(path: Path | str) -> _Schema:
    file = _open_orc(path)
    columns: list[Column] = []
    warnings: list[str] = []
    for field in file.schema:
        written = (field.metadata or {}).get(b"spark.sql.catalyst.type", b"").decode()
        if any(kinds.is_timestamp(kind) and kind.tz for kind in types.leaves(field.type)):
            raise DatasetError(
                f"{path}: column {field.name} has timestamps with a time zone; "
                "Spark cannot read an ORC file with these",
                "Write it again as Parquet.",
            )
        try:
            ddl = types.ddl(field.type, instants=True)
        except types.Unreadable as error:
            warnings.append(f"{field.name} is left out: Spark cannot read {error}")
            continue
        columns.append(Column(field.name, "TIMESTAMP_NTZ" if written == "timestamp_ntz" else ddl))
    return tuple(columns), tuple(warnings)


def _check_names(path: Path | str, columns: tuple[Column, ...]) -> None:
    seen: dict[str, str] = {}
    for column in columns:
        twin = seen.setdefault(column.name.lower(), column.name)
        if twin is not column.name:
            raise DatasetError(
                f"{path}: the columns {twin} and {column.name} have the same name for Spark, "
                "which does not tell upper from lower case",
                "Write the file again with other names.",
            )


def _check_same(
    first: Path | str, columns: tuple[Column, ...], path: Path | str, others: tuple[Column, ...]
) -> None:
    expected = {column.name: column.type for column in columns}
    actual = {column.name: column.type for column in others}
    hint = "Write the files with one schema, or put them into different folders."
    for name in [*expected, *actual]:
        if name not in actual:
            raise DatasetError(f"{path}: has no column {name}, which {first} has", hint)
        if name not in expected:
            raise DatasetError(f"{path}: has a column {name}, which {first} has not", hint)
        if expected[name] != actual[name]:
            raise DatasetError(
                f"{path}: column {name} is {actual[name]}, in {first} it is {expected[name]}", hint
            )


def ranges(dataset: Dataset, footers: Sequence[Any]) -> dict[str, ColumnProfile]:
    """Nulls, smallest and largest values of Parquet columns, where the statistics of every
    row group in the ``footers`` tell them.
    """
    wanted = {c.name: c.type for c in dataset.columns if _has_range(c.type)}
    nulls: dict[str, int] = {}
    bounds: dict[str, list[Any]] = {}
    unknown: set[str] = set()
    for metadata in footers:
        for group in range(metadata.num_row_groups):
            chunks = (metadata.row_group(group).column(i) for i in range(metadata.num_columns))
            for chunk in chunks:
                name, statistics = chunk.path_in_schema, chunk.statistics
                if name not in wanted or name in unknown:
                    continue
                if statistics is None or not statistics.has_null_count:
                    unknown.add(name)
                    continue
                nulls[name] = nulls.get(name, 0) + statistics.null_count
                if statistics.has_min_max:
                    bounds.setdefault(name, []).extend((statistics.min, statistics.max))
                elif statistics.null_count < chunk.num_values:
                    unknown.add(name)
    return {
        name: ColumnProfile(
            name,
            nulls=nulls[name],
            minimum=_utc(min(bounds[name])) if name in bounds else None,
            maximum=_utc(max(bounds[name])) if name in bounds else None,
        )
        for name in nulls
        if name not in unknown
    }


def _has_range(ddl: str) -> bool:
    # Text bounds may be cut short in footers, so they are not taken from there.
    return ddl in {"TINYINT", "SMALLINT", "INT", "BIGINT", "DATE", "TIMESTAMP", "TIMESTAMP_NTZ"}


def _utc(value: Any) -> Any:
    if isinstance(value, dt.datetime) and value.tzinfo:
        return value.astimezone(dt.timezone.utc).replace(tzinfo=None)
    return value
