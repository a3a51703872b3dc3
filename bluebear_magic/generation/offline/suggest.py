"""Questions that can be answered, in the names of the data at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from bluebear_magic.generation.offline.schema import ColumnInfo, DatasetInfo, SchemaIndex

_TRIES = 12
_NO_MEASURE = {
    "year", "quarter", "month", "week", "day", "hour", "minute", "second", "time", "lat",
    "latitude", "lon", "lng", "longitude", "tz", "zip", "phone", "age",
}  # fmt: skip


def suggestions(
    index: SchemaIndex, options: tuple[ColumnInfo, ...], answerable: Callable[[str], bool]
) -> tuple[str, ...]:
    """Two questions (fewer for little data), about the options first; each can be answered."""
    found: list[str] = []
    for question in islice(dict.fromkeys(_candidates(index, options)), _TRIES):
        if answerable(question):
            found.append(question)
        if len(found) == 2:
            break
    return tuple(found)


def _candidates(index: SchemaIndex, options: tuple[ColumnInfo, ...]) -> Iterator[str]:
    for column in options:
        if column.kind == "number" and not column.identifier:
            yield _average(column, index.by_name[column.dataset])
    for dataset in sorted(index.datasets, key=lambda dataset: -(dataset.rows or 0)):
        measures = [column for column in dataset.columns if _is_measure(column)]
        for measure in measures[:2]:
            yield _average(measure, dataset)
        yield f"How many {dataset.name} are there?"


def _is_measure(column: ColumnInfo) -> bool:
    words = {part.word for part in column.parts}
    return column.kind == "number" and not (
        column.identifier or column.unique or words & _NO_MEASURE
    )


def _average(measure: ColumnInfo, dataset: DatasetInfo) -> str:
    groups = [c for c in dataset.columns if c.kind == "text" and not c.unique]
    by = f" by {groups[0].name}" if groups else ""
    return f"What is the average {measure.name} of {dataset.name}{by}?"
