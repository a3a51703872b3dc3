"""What is known of a dataset's values: counts, ranges, the words in columns of text."""

# ruff: noqa: S608 - the columns are c0, c1, ...; names and values go through duck's quoting

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluebear_magic.context import files, nearby, profile_store
from bluebear_magic.errors import DatasetError
from bluebear_magic.records import Column, ColumnProfile, Dataset, Profile, Scalar
from bluebear_magic.runner import reads
from bluebear_magic.runner.reads import store_of
from bluebear_magic.runner.values import is_numeric, is_temporal

if TYPE_CHECKING:
    from bluebear_magic.context.scan import Scan

MAX_SCAN = 512 * 1024 * 1024  # bytes up to which every row is read
MAX_QUICK = 64 * 1024 * 1024  # bytes that are measured within a check
MAX_VALUES = 5000
MAX_LENGTH = 500  # characters of one text value; longer ones are prose, not words to match
EXACT_ROWS = 5_000_000  # rows up to which distinct values of numbers are counted exactly
SAMPLE = 64 * 1024 * 1024
MAX_FOOTERS = 2000  # of files that lie elsewhere
MAX_KEPT = 200
_COLUMNS_AT_ONCE = 50

# By what the profile depends on, the data's state included: never out of date.
_memory: dict[str, Profile] = {}


def _silent(_: str) -> None:
    """No one is told."""


def profile(
    dataset: Dataset,
    *,
    full: bool = False,
    anew: bool = False,
    progress: Callable[[str], None] = _silent,
) -> Profile:
    """The profile of a dataset in the state in which it was described.

    Measured once for each state, then taken from memory or from the user's cache folder; measured
    again with ``anew``. ``full``: from every row, whatever the size. ``progress`` is told what
    goes on while it is measured. Raises DatasetError for data that cannot be read.
    """
    known = None if full or anew else kept_profile(dataset)
    if known is None:
        known = measure(dataset, full=full, progress=progress)
        _keep(profile_store.key(dataset), known)
        profile_store.ProfileStore().save(profile_store.key(dataset), known)
    return known


def kept_profile(dataset: Dataset) -> Profile | None:
    """The profile where it was measured before; None where it was not. Reads no data."""
    key = profile_store.key(dataset)
    known = _memory.get(key)
    if known is None:
        known = profile_store.ProfileStore().load(key)
        if known is not None:
            _keep(key, known)
    return known


def _keep(key: str, known: Profile) -> None:
    while len(_memory) >= MAX_KEPT:
        _memory.pop(next(iter(_memory)))
    _memory[key] = known


def known_profile(dataset: Dataset) -> Profile | None:
    """The profile where it is known already or quickly measured; None where it is not."""
    try:
        known = kept_profile(dataset)
        if known is None and _bytes(dataset) > MAX_QUICK:
            return None
        return known or profile(dataset)
    except (DatasetError, OSError):
        return None  # the run itself says better what is wrong with the data


def measure(
    dataset: Dataset, *, full: bool = False, progress: Callable[[str], None] = _silent
) -> Profile:
    """The profile, taken from the data now: from all rows, or beyond 512 MB from what is cheap,
    unless ``full``.
    """
    from bluebear_magic.context.scan import open_scan

    if not dataset.paths:  # nothing was looked at yet
        return Profile()
    progress(f"measuring {dataset.name}")
    small = nearby.is_small(dataset) if nearby.is_elsewhere(dataset) else True
    if full or (small and _bytes(dataset) <= MAX_SCAN):
        with open_scan(dataset, whole=True) as scan:
            return _measured(scan, lambda done: progress(f"measuring {dataset.name}: {done}"))
    return _glimpsed(dataset)


def _bytes(dataset: Dataset) -> int:
    packed = sum(_size(path) for path in dataset.paths if path.endswith(".gz"))
    return dataset.size_bytes + packed * 5  # text usually unpacks to some six times its size


def _size(path: str) -> int:
    store = store_of(path)
    return store.size(path) if store else Path(path).stat().st_size


# --- every row --------------------------------------------------------------


def _measured(scan: Scan, progress: Callable[[str], None] = _silent) -> Profile:
    rows = int(scan.rows("SELECT count(*) FROM data")[0][0])
    profiles: list[ColumnProfile] = []
    for start in range(0, len(scan.columns), _COLUMNS_AT_ONCE):
        batch = list(enumerate(scan.columns))[start : start + _COLUMNS_AT_ONCE]
        expressions = [part for i, column in batch for part in _figures(f"c{i}", column, rows)]
        (figures,) = scan.rows(f"SELECT {', '.join(expressions)} FROM data")
        for place, (index, column) in enumerate(batch):
            progress(f"column {index + 1} of {len(scan.columns)}")
            present, distinct, low, high = figures[4 * place : 4 * place + 4]
            values, complete = _words(scan, index, column)
            profiles.append(
                ColumnProfile(
                    name=column.name,
                    nulls=rows - present,
                    distinct=distinct,
                    minimum=_scalar(low),
                    maximum=_scalar(high),
                    values=values,
                    complete=complete,
                )
            )
    return Profile(rows, tuple(profiles))


def _figures(name: str, column: Column, rows: int) -> list[str]:
    """SQL for (values present, distinct values, smallest, largest)."""
    if not _is_plain(column):
        return [f"count({name})", "NULL", "NULL", "NULL"]
    exact = rows <= EXACT_ROWS or column.type in {"STRING", "BOOLEAN"}
    distinct = f"count(DISTINCT {name})" if exact else f"approx_count_distinct({name})"
    if column.type == "BOOLEAN":
        return [f"count({name})", distinct, f"bool_and({name})", f"bool_or({name})"]
    # NaN is greater than every number; a range says more without it.
    real = name
    if column.type in {"DOUBLE", "FLOAT"}:
        real = f"CASE WHEN NOT isnan({name}) THEN {name} END"
    return [f"count({name})", distinct, f"min({real})", f"max({real})"]


def _is_plain(column: Column) -> bool:
    return (
        is_numeric(column.type) or is_temporal(column.type) or column.type in {"STRING", "BOOLEAN"}
    )


def _words(scan: Scan, index: int, column: Column) -> tuple[tuple[str, ...], bool]:
    """The values of a column of text, most frequent first, and whether these are all."""
    if column.type != "STRING":
        return (), False
    name = f"c{index}"
    found = scan.rows(
        f"SELECT {name} FROM data WHERE {name} IS NOT NULL "
        f"GROUP BY {name} ORDER BY count(*) DESC, {name} LIMIT {MAX_VALUES + 1}"
    )
    values = tuple(value for (value,) in found[:MAX_VALUES] if len(value) <= MAX_LENGTH)
    return values, len(values) == len(found)


def _scalar(value: Any) -> Scalar | None:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str) and len(value) > MAX_LENGTH:
        return None
    if isinstance(value, bool | int | float | str | Decimal | dt.date):
        return value
    return None


# --- beyond what is read whole ----------------------------------------------


def _glimpsed(dataset: Dataset) -> Profile:
    """From footers and a bounded sample; what these do not tell is None."""
    from bluebear_magic.context import columnar
    from bluebear_magic.context.scan import open_scan

    rows: int | None = None
    ranges: dict[str, ColumnProfile] = {}
    if nearby.is_elsewhere(dataset) and len(dataset.paths) > MAX_FOOTERS:
        pass  # each is a request
    elif dataset.format == "parquet":
        footers = columnar.parquet_footers(dataset.paths)
        rows = sum(footer.num_rows for footer in footers)
        ranges = columnar.ranges(dataset, footers)
    elif dataset.format == "orc":
        rows = columnar.orc_rows(dataset.paths)
    words: dict[str, tuple[str, ...]] = {}
    with open_scan(dataset, sample=SAMPLE) as scan:
        for index, column in enumerate(scan.columns):
            words[column.name], _ = _words(scan, index, column)
    folders = _of_folders(dataset)
    columns = []
    for column in dataset.columns:
        if column.name in folders:
            columns.append(folders[column.name])
            continue
        known = ranges.get(column.name, ColumnProfile(column.name))
        columns.append(
            ColumnProfile(
                name=column.name,
                nulls=known.nulls,
                minimum=known.minimum,
                maximum=known.maximum,
                values=words[column.name],
            )
        )
    return Profile(rows, tuple(columns))


def _of_folders(dataset: Dataset) -> dict[str, ColumnProfile]:
    """What the folders' names tell of partition columns: all there is but how often."""
    seen: dict[str, set[str | None]] = {}
    for path in dataset.paths:
        for part in reads.folders(path, dataset.base_path):
            if "=" in part:
                key, value = files.pair(part)
                seen.setdefault(key.lower(), set()).add(value)
    found = {}
    for column in dataset.columns:
        texts = seen.get(column.name.lower())
        if texts is None or column.name not in dataset.partition_columns:
            continue
        known = sorted(text for text in texts if text is not None)
        values = [value for value in map(_KINDS.get(column.type, str), known) if value is not None]
        found[column.name] = ColumnProfile(
            name=column.name,
            nulls=None if None in texts else 0,
            distinct=len(known),
            minimum=min(values, default=None),
            maximum=max(values, default=None),
            values=tuple(known[:MAX_VALUES]) if column.type == "STRING" else (),
            complete=column.type == "STRING" and len(known) <= MAX_VALUES,
        )
    return found


def _date(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _number(text: str) -> int | None:
    return int(text) if text.lstrip("+-").isdecimal() else None


_KINDS: dict[str, Any] = {
    "DATE": _date,
    **dict.fromkeys(("TINYINT", "SMALLINT", "INT", "BIGINT"), _number),
    **dict.fromkeys(("DOUBLE", "FLOAT", "TIMESTAMP", "TIMESTAMP_NTZ", "BOOLEAN"), lambda _: None),
}
