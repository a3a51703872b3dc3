"""A look at a dataset: a few rows and the shape of each column, at bounded cost whatever its size.

It reads the sample that a check would read, so that it is the same for every source of data.
"""

# ruff: noqa: S608 - the columns are c0, c1, ...

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from bluebear_magic.context.samples import Samples
from bluebear_magic.context.shapes import Shape, shape
from bluebear_magic.records import ColumnProfile, Dataset, Profile

ROWS = 10_000
CELLS = 150_000  # values that are looked at, of all columns together
COLUMNS = 100
FIRST = 5
SMALL = 8 * 1024 * 1024  # bytes of a dataset that is read whole


@dataclass(frozen=True)
class Look:
    """``shapes`` and ``first`` rows are of the first 100 columns, in the dataset's order.

    ``rows``: how many were looked at; ``total``: how many there are, None where not counted.
    """

    shapes: tuple[Shape, ...]
    first: tuple[tuple[Any, ...], ...]
    rows: int
    total: int | None

    @property
    def whole(self) -> bool:
        """Whether every row was looked at."""
        return self.rows == self.total

    @property
    def profile(self) -> Profile:
        """What the look tells of the values, as a profile would; of the rows looked at."""
        columns = tuple(
            ColumnProfile(
                name=item.name,
                nulls=item.nulls,
                distinct=item.distinct,
                minimum=item.low,
                maximum=item.high,
                values=tuple(word for word, _ in item.top),
                complete=self.whole and len(item.top) == item.distinct,
            )
            for item in self.shapes
        )
        return Profile(self.total, columns)


def look(dataset: Dataset) -> Look:
    """Looks at some 10,000 rows, fewer where there are many columns: every so many of a small
    dataset's, else those of a sample.

    Raises DatasetError where the data cannot be read.
    """
    from bluebear_magic.context.scan import open_scan

    columns = dataset.columns[:COLUMNS]
    most = max(FIRST, min(ROWS, CELLS // max(1, len(columns))))
    part, sampled = _part(dataset)
    names = ", ".join(f"c{index}" for index in range(len(columns)))
    with open_scan(part) as scan:
        total = int(scan.rows("SELECT count(*) FROM data")[0][0])
        step = max(1, -(-total // most))
        rows = scan.rows(
            f"SELECT {names} FROM (SELECT *, row_number() OVER () AS place FROM data) "
            f"WHERE (place - 1) % {step} = 0"
        )
        first = scan.rows(f"SELECT {names} FROM data LIMIT {FIRST}")
    shapes = tuple(
        shape(column.name, column.type, [row[index] for row in rows])
        for index, column in enumerate(columns)
    )
    return Look(shapes, tuple(first), len(rows), None if sampled else total)


def _part(dataset: Dataset) -> tuple[Dataset, bool]:
    """What is looked at: all of a dataset that is small and near, else a sample of it."""
    packed = any(path.endswith(".gz") for path in dataset.paths)
    elsewhere = any("://" in path for path in dataset.paths)
    if not elsewhere and dataset.size_bytes <= (SMALL // 5 if packed else SMALL):
        return dataset, False
    (binding,) = Samples().of([dataset], ROWS)
    part = replace(
        dataset,
        format=binding.format,
        paths=binding.paths,
        options=binding.options,
        base_path=binding.base_path,
    )
    return part, binding.sampled
