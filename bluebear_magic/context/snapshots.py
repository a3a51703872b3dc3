"""Copies of tables that Spark cannot reach, as Parquet files in the cache folder.

A copy lies under the hash of its content: the same data is written once, and a changed table
is another copy. The least recently used go when there are too many.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bluebear_magic.context import local
from bluebear_magic.context.sizes import MB, human_size
from bluebear_magic.errors import DatasetError
from bluebear_magic.folders import make_room, touch, writable
from bluebear_magic.records import Dataset

Taken = tuple[pa.Table, tuple[str, ...]]  # a table, and what was changed, a sentence each

FOLDER = "snapshots"
KEPT = 2000 * MB  # of all copies together
_FILE = "data.parquet"
_ROWS = 1 << 16  # of a piece that is hashed at a time


def fingerprint(table: pa.Table) -> str:
    """SHA-256 over names, types and values."""
    digest = hashlib.sha256()
    with pa.ipc.new_stream(pa.PythonFile(_Hashed(digest), mode="w"), table.schema) as stream:
        stream.write_table(table, max_chunksize=_ROWS)
    return digest.hexdigest()


def is_kept(state: str) -> bool:
    """Whether the copy of a table with that fingerprint is there."""
    return _path(state).is_file()


def snapshot(table: pa.Table, name: str, location: str) -> Dataset:
    """The dataset over a copy of the table. Raises DatasetError where none can be written."""
    state = fingerprint(table)
    path = _path(state)
    if is_kept(state):
        touch(path.parent)
    else:
        make_room(path.parent.parent, table.nbytes, KEPT)
        _write(table, path)
    dataset = local.describe(name, path)
    return replace(dataset, location=location, fingerprint=state)


@dataclass(frozen=True)
class Limit:
    """What is copied at most. ``what`` is copied; ``instead``: what else can be done."""

    mb: int
    what: str
    instead: str

    def check(self, size: int, *, more: bool = False) -> None:
        """Raises DatasetError where so many bytes in memory are too many; ``more`` are to come."""
        if size > self.mb * MB:
            least = "at least " * more
            raise DatasetError(
                f"{self.what} takes {least}{human_size(size)} in memory: more than the "
                f"{self.mb} MB that are copied for Spark",
                f"{self.instead}, or raise the setting snapshot_mb "
                "(%config Bluebear.snapshot_mb = ...).",
            )


def _path(state: str) -> Path:
    return writable(FOLDER) / state / _FILE


def _write(table: pa.Table, path: Path) -> None:
    """Written aside and moved, so that a reader never meets half of it."""
    try:
        with tempfile.TemporaryDirectory(dir=path.parent.parent, prefix="new-") as aside:
            made = Path(aside, "made")
            made.mkdir()
            pq.write_table(table, made / _FILE)
            made.rename(path.parent)
    except OSError as error:
        if is_kept(path.parent.name):
            return  # another session was quicker
        raise DatasetError(
            f"no copy for Spark can be written to {path.parent.parent}: {error.strerror or error}",
            "See that this folder can be written and has room.",
        ) from error


class _Hashed:
    """A file that keeps only the hash of what is written."""

    closed = False

    def __init__(self, digest: Any) -> None:
        self._digest = digest

    def write(self, data: Any) -> int:
        """Adds to the hash."""
        self._digest.update(data)
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is open."""
