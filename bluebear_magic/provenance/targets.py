"""What lies where an approved write would go: seen on the disk, before anybody is asked.

Replacing deletes. So a folder is replaced only where all in it is what Spark writes, and never
one that a dataset of the session lies in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from bluebear_magic.guard import places
from bluebear_magic.records import Dataset
from bluebear_magic.runner.envelope import Write

MOST = 10_000  # entries of a folder that are looked at
# Data, markers, checksums and partitions.
_SPARKS = re.compile(r"part-.*|_SUCCESS|_committed_.*|_started_.*|\..*\.crc|[^=/]+=[^/]*")


def state_of(write: Write) -> str:
    """What is there now, in one clause; '' where that is not known."""
    path = _local(write)
    if path is None:
        return ""
    if not path.exists():
        return "nothing is there yet"
    if path.is_dir():
        count = sum(1 for _ in islice(path.iterdir(), MOST))
        return f"a folder of {count} entries is there" if count else "an empty folder is there"
    return "a file is there"


def problem_of(write: Write, datasets: Iterable[Dataset]) -> str:
    """Why it may not be done, whoever approves it; ''."""
    path = _local(write)
    if path is None:
        return ""
    real = path.resolve()
    unfit = places.unfit_local(str(real))
    if unfit:
        return f"{write.target} leads to {real}, which {unfit}"
    if write.mode != "overwrite":
        return ""
    for dataset in datasets:
        for data in map(Path, dataset.paths):
            if data.resolve() == real or real in data.resolve().parents:
                return f"{write.target} holds the dataset {dataset.name}, which would be deleted"
    if path.exists() and not path.is_dir():
        return f"{write.target} is a file, which would be deleted"
    foreign = _foreign(path) if path.is_dir() else ""
    if foreign:
        return f"{write.target} holds {foreign}, which Spark has not written and would delete"
    return ""


def _local(write: Write) -> Path | None:
    if write.kind != "path":
        return None
    path = places.local_path(write.target)
    return Path(path) if path is not None else None


def _foreign(folder: Path) -> str:
    """The first entry that is not Spark's; a folder too large to look through has one."""
    for number, entry in enumerate(folder.rglob("*")):
        if number == MOST:
            return f"more than {MOST} entries"
        if not _SPARKS.fullmatch(entry.name):
            return entry.name
        if entry.is_dir() and "=" not in entry.name:
            return entry.name
    return ""
