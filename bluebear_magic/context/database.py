"""Tables of DuckDB and SQLite files, as datasets: read without writing, copied for Spark.

A location is ``duckdb:PATH#TABLE`` or ``sqlite:PATH#TABLE``; with ``///`` before the path, as
SQLAlchemy spells it, it means the same.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bluebear_magic.errors import DatasetError
from bluebear_magic.protocols import Found, Reporter
from bluebear_magic.records import Dataset
from bluebear_magic.runner.envelope import Binding

if TYPE_CHECKING:
    from bluebear_magic.context import snapshots
    from bluebear_magic.context.sources import Place

_LOCATION = re.compile(r"(duckdb|sqlite):(?:///)?(.*)", re.DOTALL)
_ASIDE = ("", ".wal", "-wal", "-journal")  # files in which a database keeps what is new
_HEAD = 12_288  # bytes in which both kinds of database count their changes


@dataclass(frozen=True)
class Address:
    """A table in a database file; ``kind`` is ``duckdb`` or ``sqlite``."""

    kind: str
    path: Path
    table: str

    @property
    def text(self) -> str:
        """As a location."""
        return f"{self.kind}:{self.path}" + (f"#{self.table}" if self.table else "")


class DatabaseSource:
    """DuckDB and SQLite: no server and no password, only files."""

    name = "databases"
    leaves_machine = False

    def __init__(self, place: Place) -> None:
        self._place = place
        self._known: dict[str, tuple[str, Dataset]] = {}  # by location: the file's state, a copy

    def claims(self, location: str) -> bool:
        """``duckdb:`` and ``sqlite:``."""
        return bool(_LOCATION.match(location))

    def complete(self, location: str) -> str:
        """With an absolute path."""
        return self._address(location).text

    def suggest(self, location: str) -> str:
        """The table's name."""
        address = self._address(location)
        return address.table or address.path.stem

    def found(self) -> Sequence[Found]:
        """Databases are not looked for."""
        return ()

    def describe(self, name: str, location: str, options: Mapping[str, str]) -> Dataset:
        """The dataset over a copy of the table."""
        if options:
            raise DatasetError(
                f"{location}: a table takes no options, and {', '.join(options)} was given",
                "Make a view in the database instead.",
            )
        return replace(self._current(location), name=name)

    def fingerprint(self, location: str, options: Mapping[str, str]) -> str:
        """The hash of the table's values; the file is read again only where it has changed."""
        return self._current(location).fingerprint

    def whole(self, dataset: Dataset, reporter: Reporter) -> Binding:
        """The copy."""
        return dataset.binding

    def _current(self, location: str) -> Dataset:
        """The copy of the table as it is now."""
        from bluebear_magic.context import snapshots

        address = self._address(location)
        state = _state(address.path)
        known = self._known.get(location)
        if known and known[0] == state and snapshots.is_kept(known[1].fingerprint):
            return known[1]
        dataset = _copied(address, self._place.settings.snapshot_mb)
        self._known[location] = (state, dataset)
        return dataset

    def _address(self, location: str) -> Address:
        match = _LOCATION.match(location)
        assert match is not None  # it was claimed
        path, sign, table = match[2].rpartition("#")
        path, table = (path, table) if sign else (table, "")
        return Address(
            match[1], (self._place.folder or Path.cwd()) / Path(path).expanduser(), table
        )


def _state(path: Path) -> str:
    """What tells that a database has changed: sizes and times, and its own count of changes."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            digest.update(stream.read(_HEAD))
    except FileNotFoundError as error:
        raise DatasetError(
            f"{path} does not exist", f"Check the path{_near_files(path)}."
        ) from error
    except OSError as error:
        raise DatasetError(
            f"{path}: {error.strerror or error}", "Check the path and its permissions."
        ) from error
    for ending in _ASIDE:
        try:
            info = Path(f"{path}{ending}").stat()
        except OSError:
            continue
        digest.update(f"{ending} {info.st_size} {info.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _near_files(path: Path) -> str:
    from rapidfuzz import process

    try:
        names = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    except OSError:
        return f"; there is no folder {path.parent}"
    near = process.extractOne(path.name, names, score_cutoff=65)
    return f"; did you mean {near[0]}?" if near else ""


def _copied(address: Address, limit_mb: int) -> Dataset:
    """A copy of a table. Raises DatasetError where it cannot be read, or is too large."""
    from bluebear_magic.context import snapshots
    from bluebear_magic.context.arrowtypes import readable

    name, (made, told) = _read(address, limit_mb)
    table, more = readable(made, address.text)
    dataset = snapshots.snapshot(table, name, address.text)
    rows = "1 row" if len(table) == 1 else f"{len(table):,} rows"
    copied = f"a copy of the table {name} for Spark: {rows}"
    return replace(dataset, warnings=(copied, *told, *more, *dataset.warnings))


def _read(address: Address, limit_mb: int) -> tuple[str, snapshots.Taken]:
    """The table's name as the database has it, and what it holds."""
    from bluebear_magic.context import duckfile, snapshots, sqlitefile

    limit = snapshots.Limit(limit_mb, address.text, _INSTEAD[address.kind])
    opened = duckfile.opened if address.kind == "duckdb" else sqlitefile.opened
    with opened(address.path) as database:
        names = database.tables()
        name = next((name for name in names if name.lower() == address.table.lower()), None)
        if name is None:
            raise _no_table(address, names)
        return name, database.read(name, limit)


def _no_table(address: Address, names: Sequence[str]) -> DatasetError:
    from rapidfuzz import process, utils

    told = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    if not names:
        return DatasetError(f"{address.path} holds no tables", "Name another database.")
    if not address.table:
        first = f"{address.kind}:{address.path.name}#{names[0]}"
        return DatasetError(
            f"{address.text} names no table",
            f"Add one after a #, such as {first}; there are {told}.",
        )
    near = process.extractOne(
        address.table, names, processor=utils.default_process, score_cutoff=55
    )
    hint = f"Did you mean {near[0]}?" if near else f"There are {told}."
    return DatasetError(f"{address.path} has no table {address.table!r}", hint)


_INSTEAD = {
    "duckdb": "Write it to files (COPY ... TO 'data/...' (FORMAT parquet)), make a smaller view",
    "sqlite": "Make a view that holds less",
}
