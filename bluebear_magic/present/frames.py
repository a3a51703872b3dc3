"""A result's table as a pandas DataFrame: the whole from disk, else the preview."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bluebear_magic.errors import DatasetError
from bluebear_magic.present import formats
from bluebear_magic.runner.envelope import Table

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def frame(table: Table) -> pd.DataFrame:
    """Every row where the whole result is on disk, else the rows of the preview.

    Columns keep their order. Timestamps are naive, in UTC; dates are ``datetime64`` at
    midnight; decimals are ``Decimal``; integers and booleans with nulls are pandas'
    nullable ``Int64`` and ``boolean``, so that no digit is lost; arrays, maps and structs
    are objects. Raises ``DatasetError`` when the files are gone or cannot be read.
    """
    whole = _preview(table) if table.uri is None else _stored(table.uri)
    return _to_pandas(whole if whole is not None else _preview(table))


def _stored(uri: str) -> pa.Table | None:
    """The Parquet files under ``uri`` in the order of their names; None where there is none."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyarrow import fs

    try:
        system, path = _located(uri)
        if system.get_file_info(path).type == fs.FileType.File:
            names = [path]
        else:
            names = sorted(
                info.path
                for info in system.get_file_info(fs.FileSelector(path))
                if info.type == fs.FileType.File and not info.base_name.startswith(("_", "."))
            )
        parts = [
            pq.ParquetFile(system.open_input_file(name), coerce_int96_timestamp_unit="us").read()
            for name in names
        ]
        return pa.concat_tables(parts) if parts else None
    except (OSError, pa.ArrowException) as error:
        raise DatasetError(
            f"The result at {uri} cannot be read: {str(error).splitlines()[0]}",
            "Run the cell again to make it anew.",
        ) from error


def _located(uri: str) -> tuple[Any, str]:
    from pyarrow import fs

    if "://" in uri or uri.startswith("file:"):
        # Spark writes file:/tmp/x; a URI proper has an authority, if an empty one.
        bare = uri.startswith("file:/") and not uri.startswith("file://")
        system, path = fs.FileSystem.from_uri(uri.replace("file:/", "file:///", 1) if bare else uri)
        return system, path
    return fs.LocalFileSystem(), uri


def _preview(table: Table) -> pa.Table:
    import pyarrow as pa

    columns = formats.columns(table)
    arrays = [
        _array(values, kind) for values, (_, kind) in zip(columns, table.columns, strict=True)
    ]
    return pa.Table.from_arrays(arrays, names=[name for name, _ in table.columns])


def _array(values: Sequence[Any], kind: str) -> pa.Array:
    """Of the column's type; as text where the values are of no one type."""
    import pyarrow as pa

    try:
        return pa.array(values, type=_arrow_type(kind))
    except (pa.ArrowException, OverflowError):
        return pa.array([None if v is None else formats.plain_text(v) for v in values])


def _arrow_type(kind: str) -> pa.DataType | None:
    """The Arrow type of a Spark type; None for nested ones, which Arrow infers."""
    import pyarrow as pa

    simple = {
        "tinyint": pa.int8(), "smallint": pa.int16(), "int": pa.int32(), "integer": pa.int32(),
        "bigint": pa.int64(), "long": pa.int64(), "float": pa.float32(), "double": pa.float64(),
        "boolean": pa.bool_(), "string": pa.string(), "binary": pa.binary(),
        "date": pa.date32(), "timestamp": pa.timestamp("us"), "timestamp_ntz": pa.timestamp("us"),
        "void": pa.null(),
    }  # fmt: skip
    kind = kind.strip().lower()
    if scaled := re.fullmatch(r"decimal\((\d+),\s*(\d+)\)", kind):
        return pa.decimal128(int(scaled[1]), int(scaled[2]))
    return simple.get(kind)


def _to_pandas(table: pa.Table) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa

    naive = pa.schema(
        [
            field.with_type(pa.timestamp(field.type.unit))
            if pa.types.is_timestamp(field.type) and field.type.tz is not None
            else field
            for field in table.schema
        ]
    )
    # Two columns may share a name, which pyarrow's conversion mixes up: numbers for now.
    table = table.cast(naive).rename_columns([str(n) for n in range(table.num_columns)])
    found: pd.DataFrame = table.to_pandas(date_as_object=False, ignore_metadata=True)
    holes = [column.null_count > 0 for column in table.columns]
    nullable = {pa.int8(): "Int8", pa.int16(): "Int16", pa.int32(): "Int32", pa.int64(): "Int64",
                pa.bool_(): "boolean"}  # fmt: skip
    for index, (field, hole) in enumerate(zip(table.schema, holes, strict=True)):
        if hole and field.type in nullable:
            exact = pd.array(table.column(index).to_pylist(), dtype=nullable[field.type])
            found.isetitem(index, exact)
    found.columns = pd.Index(naive.names)
    return found
