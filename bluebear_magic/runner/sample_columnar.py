"""Rows of Parquet and ORC files: of the first, middle and last row groups, read in batches.

What a spot costs does not depend on the file: so many rows and bytes, then it ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bluebear_magic.runner.reads import CountedFile, Quota
from bluebear_magic.runner.sample_text import Part

PAGE = 1024 * 1024  # bytes of a Parquet page and of a dictionary, by the default of writers
BUFFER = 64 * 1024
DECODED = 32 * 1024 * 1024  # bytes in memory for one spot


def parquet(source: str, target: Path, quota: Quota) -> Part:
    """Rows of several row groups; of the head of one where more would cost too much.

    Raises OSError for a broken file, and where its footer alone is beyond the budget.
    """
    import pyarrow.parquet as pq

    budget = quota.budget
    with CountedFile(source, budget) as counted, translated(counted):
        file = open_parquet(counted)
        chosen = _groups(file.metadata, quota)
        pieces: list[Any] = []
        for number, group in enumerate(chosen):
            last = len(chosen) - number
            share = -(-(quota.rows - sum(map(len, pieces))) // last)
            found = file.metadata.row_group(group)
            size = max(1, min(4096, PAGE * found.num_rows // max(1, found.total_byte_size)))
            batches = file.iter_batches(size, row_groups=[group], use_threads=False)
            aim = max(0, quota.aim - budget.spent) // last
            spot = replace(quota, rows=share, aim=aim, look=quota.look // len(chosen))
            pieces += _of_batches(batches, counted, spot)
        table = joined(file.schema_arrow, pieces)
        pq.write_table(table, target)
        several = file.metadata.num_row_groups > 1
        return Part(len(table), head=not several and len(table) < file.metadata.num_rows)


def open_parquet(counted: CountedFile) -> Any:
    """A Parquet file that reads pages as they are wanted, and not whole column chunks."""
    import pyarrow.parquet as pq

    # As Spark reads them: the years of nanoseconds are too few.
    return pq.ParquetFile(
        counted, pre_buffer=False, buffer_size=BUFFER, coerce_int96_timestamp_unit="us"
    )


def joined(schema: Any, pieces: list[Any]) -> Any:
    """One table of the pieces, with the file's own metadata."""
    import pyarrow as pa

    table = pa.concat_tables([schema.empty_table(), *pieces])
    return table.replace_schema_metadata(schema.metadata)


def _groups(metadata: Any, quota: Quota) -> list[int]:
    """The row groups to look into: as many as the bytes allow, and at least one."""
    known = metadata.num_row_groups
    if known == 0:
        return []
    cost = max(1, spot_cost(metadata.row_group(0)))
    count = min(known, quota.spots, max(quota.aim // cost, _least(quota, cost)))
    return [round((known - 1) * quota.place)] if count == 1 else spread(known, count)


def _least(quota: Quota, cost: int) -> int:
    """Three places in a file that is sampled alone, if the budget has room for them."""
    return 3 if quota.spots > 3 and 3 * cost <= quota.budget.left else 1


def spot_cost(group: Any) -> int:
    """Bytes to read for the first rows of a row group: a dictionary and a page per column."""
    cost = 0
    for index in range(group.num_columns):
        chunk = group.column(index)
        packed = chunk.total_compressed_size
        first = 2 * PAGE * packed // max(1, chunk.total_uncompressed_size)
        cost += min(packed, first + BUFFER)
    return cost


def spread(known: int, count: int) -> list[int]:
    """At most ``count`` of ``known`` places at equal distances, first and last among them."""
    if count <= 1 or known <= 1:
        return [0][:known]
    return sorted({(known - 1) * index // (count - 1) for index in range(count)})


def _of_batches(batches: Iterable[Any], counted: CountedFile, quota: Quota) -> list[Any]:
    """Rows at equal distances of what a bounded look at the batches shows."""
    import pyarrow as pa

    seen: list[Any] = []
    count = size = 0
    begun = counted.budget.spent
    with suppress_over(counted):
        for batch in batches:
            seen.append(batch)
            count, size = count + len(batch), size + batch.nbytes
            tired = counted.budget.spent - begun >= quota.aim or size >= DECODED
            if count >= max(quota.look, quota.rows) or (tired and count >= quota.rows):
                break
    return [every(pa.Table.from_batches(seen), quota.rows)] if seen else []


@contextmanager
def suppress_over(counted: CountedFile) -> Iterator[None]:
    """Ends quietly what the budget ended."""
    try:
        yield
    except Exception:  # pyarrow has many for an error of the file below
        if not counted.over:
            raise


def every(table: Any, rows: int) -> Any:
    """About ``rows`` rows at equal distances."""
    count = min(rows, table.num_rows)
    return table.take([table.num_rows * index // count for index in range(count)])


@contextmanager
def translated(counted: CountedFile) -> Iterator[None]:
    """Errors of pyarrow about a file as OSError."""
    import pyarrow as pa

    try:
        yield
    except pa.ArrowException as error:
        raise OSError(f"{counted.path}: {error}") from error


def orc(source: str, target: Path, quota: Quota) -> Part:
    """Rows of several stripes where these are small, else of the first one."""
    import pyarrow as pa
    from pyarrow import orc as reader

    with CountedFile(source, quota.budget) as counted, translated(counted):
        file = reader.ORCFile(counted)
        stripe = file.content_length // max(1, file.nstripes) + 1
        chosen = spread(file.nstripes, min(quota.spots, quota.budget.left // 2 // stripe))
        pieces: list[Any] = []
        if len(chosen) > 1:
            with suppress_over(counted):
                for number, index in enumerate(chosen):
                    share = -(-(quota.rows - sum(map(len, pieces))) // (len(chosen) - number))
                    batch = file.read_stripe(index)
                    pieces.append(every(pa.Table.from_batches([batch]), share))
        elif file.nrows:
            pieces = _of_batches(orc_batches(counted), counted, quota)
        table = joined(file.schema, pieces)
        reader.write_table(table, str(target))
        return Part(len(table), head=len(pieces) < 2 and len(table) < file.nrows)


def orc_batches(counted: CountedFile) -> Iterator[Any]:
    """The rows from the head on, whose bytes are read as they are wanted."""
    import pyarrow as pa
    from pyarrow import dataset

    fragment = dataset.OrcFileFormat().make_fragment(pa.PythonFile(counted, mode="r"))
    scanner = fragment.scanner(
        batch_size=1000, batch_readahead=0, fragment_readahead=0, use_threads=False
    )
    return iter(scanner.to_reader())
