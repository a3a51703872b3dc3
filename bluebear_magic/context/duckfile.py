"""Tables in a DuckDB file, read in a transaction that cannot write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from bluebear_magic.context import duck
from bluebear_magic.context.arrowtypes import first_line
from bluebear_magic.context.snapshots import Limit, Taken
from bluebear_magic.errors import DatasetError

_ROWS = 50_000  # of a batch
# Views of a database from elsewhere must not read other files, nor reach out.
_ALONE = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "enable_external_access": False,
}


@dataclass(frozen=True)
class DuckFile:
    """An open database."""

    connection: Any
    path: Path

    def tables(self) -> list[str]:
        """Tables and views; those of other schemas than ``main`` with the schema's name."""
        return list(self._quoted())

    def _quoted(self) -> dict[str, str]:
        """The names as they are written in SQL, by those that people write."""
        found = self.connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables "
            "WHERE table_catalog = current_database() ORDER BY ALL"
        ).fetchall()
        return {
            table if schema == "main" else f"{schema}.{table}": (
                f"{duck.identifier(schema)}.{duck.identifier(table)}"
            )
            for schema, table in found
        }

    def read(self, table: str, limit: Limit) -> Taken:
        """All rows of a table. Raises DatasetError where it is too large or cannot be read."""
        query = f"SELECT * FROM {self._quoted()[table]}"  # noqa: S608 - a name that is there, quoted
        try:
            reader = _reader(self.connection.sql(query))
            batches = []
            for batch in reader:
                batches.append(batch)
                limit.check(sum(part.nbytes for part in batches), more=True)
        except duckdb.PermissionException as error:
            raise DatasetError(
                f"{self.path}: {table} is a view that reads other files, which is not done here",
                "Add those files as datasets, or make a table of the view.",
            ) from error
        except (duckdb.Error, pa.ArrowException) as error:
            raise DatasetError(
                f"{self.path}: {table} cannot be read: {first_line(error)}",
                "Cast what cannot be read in a view, or add another table.",
            ) from error
        return pa.Table.from_batches(batches, reader.schema), ()


@contextmanager
def opened(path: Path) -> Iterator[DuckFile]:
    """The database at ``path``; where this process has it open already, that one, unchanged.

    Raises DatasetError where it cannot be opened.
    """
    try:
        connection = _connect(path)
    except duckdb.Error as error:
        raise _cannot_open(path, error) from error
    try:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("BEGIN TRANSACTION READ ONLY")
        yield DuckFile(connection, path)
    except duckdb.Error as error:
        raise DatasetError(
            f"{path} cannot be read: {first_line(error)}", "See whether DuckDB itself can open it."
        ) from error
    finally:
        connection.close()


def _connect(path: Path) -> Any:
    try:
        return duckdb.connect(str(path), read_only=True, config=_ALONE)
    except duckdb.ConnectionException:
        # The notebook has it open for writing: another connection to the same.
        return duckdb.connect(str(path))


def _cannot_open(path: Path, error: duckdb.Error) -> DatasetError:
    said = first_line(error)
    if "lock" in said:
        return DatasetError(
            f"{path} is open for writing in another process",
            "Close it there; DuckDB lets nobody read meanwhile.",
        )
    if "not a valid DuckDB" in said or "Loading external extensions" in said:
        return DatasetError(
            f"{path} is no DuckDB database", f"If it is one of SQLite: sqlite:{path.name}#TABLE"
        )
    return DatasetError(f"{path} cannot be opened: {said}", "See whether DuckDB itself can.")


def _reader(relation: Any) -> Any:
    """Batches of Arrow; older versions of DuckDB call it otherwise."""
    read = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
    return read(_ROWS)
