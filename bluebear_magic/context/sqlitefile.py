"""Tables in an SQLite file, opened so that nothing can be written.

SQLite keeps values of any type in any column: a column's type is what its declaration says
where the values keep to it, and else what they are.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc

from bluebear_magic.context.arrowtypes import first_line
from bluebear_magic.context.snapshots import Limit, Taken
from bluebear_magic.errors import DatasetError

_ROWS = 20_000  # of a batch
_DECLARED = (  # the first word that a declaration holds; SQLite's own rules come last
    ("BOOL", pa.bool_()), ("DATETIME", pa.timestamp("us")), ("TIMESTAMP", pa.timestamp("us")),
    ("DATE", pa.date32()), ("INT", pa.int64()), ("CHAR", pa.string()), ("CLOB", pa.string()),
    ("TEXT", pa.string()), ("JSON", pa.string()), ("UUID", pa.string()), ("BLOB", pa.binary()),
    ("REAL", pa.float64()), ("FLOA", pa.float64()), ("DOUB", pa.float64()),
    ("NUM", pa.float64()), ("DEC", pa.float64()), ("MONEY", pa.float64()),
)  # fmt: skip


@dataclass(frozen=True)
class SqliteFile:
    """An open database."""

    connection: sqlite3.Connection
    path: Path

    def tables(self) -> list[str]:
        """Tables and views."""
        found = self.connection.execute(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') "
            "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
        )
        return [name for (name,) in found]

    def read(self, table: str, limit: Limit) -> Taken:
        """All rows of a table. Raises DatasetError where it is too large or cannot be read."""
        quoted = '"' + table.replace('"', '""') + '"'
        try:
            kinds = {
                row[1]: str(row[2] or "").upper()
                for row in self.connection.execute(f"PRAGMA table_xinfo({quoted})")
            }
            cursor = self.connection.execute(f"SELECT * FROM {quoted}")  # noqa: S608 - quoted
            names = [column[0] for column in cursor.description]
            parts: list[list[pa.Array]] = [[] for _ in names]
            size = 0
            while rows := cursor.fetchmany(_ROWS):
                for index, values in enumerate(zip(*rows, strict=True)):
                    parts[index].append(_array(values))
                    size += parts[index][-1].nbytes
                limit.check(size, more=True)
        except sqlite3.Error as error:
            raise DatasetError(
                f"{self.path}: {table} cannot be read: {first_line(error)}",
                "See whether sqlite3 itself can read it.",
            ) from error
        columns, told = [], []
        for name, chunks in zip(names, parts, strict=True):
            column, said = _typed(name, _joined(chunks), kinds.get(name, ""))
            columns.append(column)
            told += said
        return pa.table(columns, names=names), tuple(told)


@contextmanager
def opened(path: Path) -> Iterator[SqliteFile]:
    """The database at ``path``. Raises DatasetError where it cannot be opened."""
    try:
        with contextlib.closing(
            sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
        ) as connection:
            connection.execute("PRAGMA query_only = ON")
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("BEGIN")  # all of it as it is at one moment
            yield SqliteFile(connection, path)
    except sqlite3.Error as error:
        said = first_line(error)
        if "not a database" in said:
            raise DatasetError(
                f"{path} is no SQLite database", f"If it is one of DuckDB: duckdb:{path.name}#TABLE"
            ) from error
        raise DatasetError(
            f"{path} cannot be read: {said}", "Check the path and its permissions, and try again."
        ) from error


# --- values -----------------------------------------------------------------


def _array(values: Sequence[Any]) -> pa.Array:
    """A batch in the narrowest type that holds it: text where numbers and text mix."""
    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        return pa.nulls(len(values))
    if kinds <= {int, float}:
        if kinds == {int}:
            return pa.array(values, pa.int64())
        return pa.array([None if v is None else float(v) for v in values], pa.float64())
    if kinds == {bytes}:
        return pa.array(values, pa.binary())
    return pa.array([None if v is None else _text(v) for v in values], pa.string())


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _joined(parts: Sequence[pa.Array]) -> pa.ChunkedArray:
    """The batches in one type."""
    found = {part.type for part in parts if part.type != pa.null()}
    if len(found) > 1:
        numbers = found <= {pa.int64(), pa.float64()}
        wanted = pa.float64() if numbers else pa.string()
        parts = [
            part.cast(wanted, safe=False)
            if numbers or part.type in {pa.null(), pa.string()}
            else pa.array([None if v is None else _text(v) for v in part.to_pylist()], wanted)
            for part in parts
        ]
    else:
        wanted = next(iter(found), pa.null())
        parts = [part.cast(wanted) for part in parts]
    return pa.chunked_array(parts, wanted)


def _typed(
    name: str, column: pa.ChunkedArray, declaration: str
) -> tuple[pa.ChunkedArray, list[str]]:
    """The column in its declared type; as it is, and told, where the values are of another."""
    wanted = next((kind for word, kind in _DECLARED if word in declaration), None)
    if pa.types.is_null(column.type):
        return column.cast(wanted or pa.string()), []
    if wanted is None or wanted == column.type:
        return column, []
    changed = _as_declared(column, wanted)
    if changed is not None:
        return changed, []
    held = {pa.string(): "text", pa.int64(): "integers", pa.float64(): "numbers"}
    told = held.get(column.type, "bytes")
    return column, [f"{name} is declared {declaration}, but is read as the {told} that it holds"]


def _as_declared(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray | None:
    """The values in a type, where all of them are values of it; else None."""
    is_text, is_number = column.type == pa.string(), column.type in {pa.int64(), pa.float64()}
    if pa.types.is_boolean(wanted):
        fits = column.type == pa.int64() and not pc.any(pc.greater(column, 1)).as_py()
        fits = fits and not pc.any(pc.less(column, 0)).as_py()
        return column.cast(wanted) if fits else None
    if pa.types.is_floating(wanted) and is_number:
        return column.cast(wanted, safe=False)
    for kind in (wanted, pa.timestamp("us", "UTC")):
        if is_text and pa.types.is_temporal(wanted):
            with contextlib.suppress(pa.ArrowInvalid):
                return column.cast(kind)
    return None
