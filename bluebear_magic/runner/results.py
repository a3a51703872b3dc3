"""The rows of a result: the first of them as JSON, all of them as Parquet files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluebear_magic.runner import gate_client
from bluebear_magic.runner.values import encode

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

# No Arrow or Parquet form; shown and stored as text.
AS_TEXT = re.compile(r"void|.*interval.*|variant|time\(.*|geo(graphy|metry).*", re.IGNORECASE)
PREVIEW_BYTES = 16 * 1024 * 1024  # of JSON, for one table
# What Spark estimates may be a tenth of what it is (compressed files, long texts), and what is
# fetched stands in the heap some three times.
HEAP_TO_FETCHED = 40
# What makes more of a row than the estimate knows: then only Spark's writer is safe.
_GROWS = re.compile(
    r"\.(Generate|MapIn\w+|FlatMap\w+|\w*CoGroup\w*|StringRepeat|ArrayRepeat|Sequence|StringSpace"
    r"|String[LR]Pad|PythonUDF)\b"
)
_ROWS_AT_ONCE = 64  # wide rows must not fill the memory before they are counted

Rows = tuple[tuple[Any, ...], ...]


def storable(frame: DataFrame) -> DataFrame:
    """The frame with types that Arrow and Parquet lack turned into text."""
    from pyspark.sql import functions as F  # noqa: N812 - as everywhere with Spark

    fields = frame.schema.fields
    if not any(AS_TEXT.fullmatch(field.dataType.simpleString()) for field in fields):
        return frame
    columns = []
    for field in fields:
        column = F.col("`{}`".format(field.name.replace("`", "``")))
        if AS_TEXT.fullmatch(field.dataType.simpleString()):
            column = column.cast("string").alias(field.name)
        columns.append(column)
    return frame.select(*columns)


def store(frame: DataFrame, folder: Path, limit: int, plan: str | None) -> tuple[Rows, int]:
    """Writes every row below ``folder``; the first ``limit`` of them, and how many there are.

    ``plan``: the analysed plan as JSON, None where it is not known. What is surely small is
    fetched as Arrow and written from here: a million rows of three columns took two thirds
    of the time of Spark's own writer. The rest never passes through Python.
    """
    if plan is None or not _is_small(frame, plan):
        frame.write.parquet(str(folder))
        return _stored(folder, limit)
    import pyarrow.parquet as pq

    table = fetch(frame)
    folder.mkdir(parents=True)
    pq.write_table(table, folder / "part-0.parquet")
    return preview(table.to_batches(), limit), table.num_rows


def fetch(frame: DataFrame) -> pa.Table:
    """All rows as Arrow, where everything may be null.

    ``toArrow`` fails, as pyarrow's writer does, on a null struct whose fields cannot be null.
    """
    import pyarrow as pa

    handle: Any = frame
    table = pa.Table.from_batches(handle._collect_as_arrow(empty_list_if_zero_records=False))
    return table.cast(pa.schema([_nullable(field) for field in table.schema]))


def _nullable(field: pa.Field) -> pa.Field:
    import pyarrow as pa

    kind = field.type
    if pa.types.is_struct(kind):
        kind = pa.struct([_nullable(kind.field(n)) for n in range(kind.num_fields)])
    elif pa.types.is_map(kind):
        kind = pa.map_(kind.key_field, _nullable(kind.item_field))
    elif pa.types.is_list(kind):
        kind = pa.list_(_nullable(kind.value_field))
    return field.with_nullable(True).with_type(kind)


def _is_small(frame: DataFrame, plan: str) -> bool:
    """Whether all rows can be fetched at once without filling the heap."""
    if _GROWS.search(plan):
        return False
    if gate_client.gated(frame.sparkSession):
        size, room = gate_client.size_of(frame)
        return size < room // HEAP_TO_FETCHED
    handle: Any = frame
    execution = handle._jdf.queryExecution()
    heap = handle.sparkSession._jvm.java.lang.Runtime.getRuntime().maxMemory()
    estimate = int(str(execution.optimizedPlan().stats().sizeInBytes()))
    return estimate < int(heap) // HEAP_TO_FETCHED


def _stored(folder: Path, limit: int) -> tuple[Rows, int]:
    """The first ``limit`` rows in the order written, and the true number of rows."""
    import pyarrow.parquet as pq

    parts = sorted(folder.glob("*.parquet"))
    count = sum(pq.read_metadata(part).num_rows for part in parts)

    def batches() -> Iterator[Any]:
        for part in parts:
            with pq.ParquetFile(part) as file:
                yield from file.iter_batches(batch_size=_ROWS_AT_ONCE)

    return preview(batches(), limit), count


def preview(batches: Iterable[Any], limit: int) -> Rows:
    """At most ``limit`` rows and ``PREVIEW_BYTES`` of them, in their JSON spelling."""
    rows: list[tuple[Any, ...]] = []
    left = PREVIEW_BYTES
    for batch in batches:
        for start in range(0, batch.num_rows, _ROWS_AT_ONCE):
            piece = batch.slice(start, _ROWS_AT_ONCE)
            for row in zip(*map(_values, piece.columns), strict=True):
                spelled = tuple(map(encode, row))
                left -= len(json.dumps(spelled))
                if len(rows) == limit or left < 0:
                    return tuple(rows)
                rows.append(spelled)
    return tuple(rows)


def _values(column: Any) -> list[Any]:
    """Arrow's values as Python's; a map comes as pairs."""
    import pyarrow as pa

    values: list[Any] = column.to_pylist()
    if pa.types.is_map(column.type):
        return [dict(value) if value is not None else None for value in values]
    return values
