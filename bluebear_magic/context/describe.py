"""What is told of datasets, as plain values; rendering is the business of others."""

# ruff: noqa: S608 - the columns are c0, c1, ...; names and values go through duck's quoting

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bluebear_magic.context.catalog import Catalog
from bluebear_magic.context.sizes import human_size
from bluebear_magic.records import Column, ColumnProfile, Dataset, Profile, Semantics

_EXAMPLES = 5


@dataclass(frozen=True)
class ListedDataset:
    """One line of the list. ``rows`` None: not counted. ``error``: why it cannot be read."""

    name: str
    format: str
    rows: int | None
    size: str
    columns: int
    location: str
    error: str = ""
    reach: str = ""
    description: str = ""
    changed: int = 0  # columns that are not as they were first seen


@dataclass(frozen=True)
class ColumnRow:
    """One column of a card; ``values`` is its range, or its most frequent words."""

    name: str
    type: str
    nulls: int | None
    distinct: int | None
    values: str
    notes: str = ""


@dataclass(frozen=True)
class Card:
    """All that is told of one dataset. ``said``: what the project says of it, a line each."""

    name: str
    format: str
    location: str
    size: str
    rows: int | None
    columns: tuple[ColumnRow, ...]
    partition_columns: tuple[str, ...]
    options: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    said: tuple[str, ...] = ()


def listing(catalog: Catalog, known: dict[str, Profile] | None = None) -> tuple[ListedDataset, ...]:
    """A line for each dataset, the broken ones with their errors, sorted by name.

    ``known``: profiles by dataset name, for the numbers of rows.
    """
    datasets, broken = catalog.survey()
    lines = [
        ListedDataset(
            name=dataset.name,
            format=dataset.format,
            rows=(known or {}).get(dataset.name, Profile()).rows,
            size=human_size(dataset.size_bytes) if dataset.paths else "",  # not looked at yet
            columns=len(dataset.columns),
            location=relative(dataset.location, catalog.folder),
            reach=", ".join(catalog.reach(dataset)),
            description=dataset.description,
            changed=len(drift.lines()) if (drift := catalog.drift(dataset.name)) else 0,
        )
        for dataset in datasets
    ]
    described = {line.name for line in lines}
    lines += [
        ListedDataset(
            name, glance.format, glance.rows, "", glance.columns or 0, location, reach="local"
        )
        for name, location, glance in catalog.glances()
        if name not in described
    ]
    lines += [
        ListedDataset(
            item.name, "", None, "", 0, relative(item.location, catalog.folder), str(item.error)
        )
        for item in broken
    ]
    return tuple(sorted(lines, key=lambda line: line.name.lower()))


def card(
    dataset: Dataset,
    profile: Profile,
    folder: Path | None = None,
    semantics: Semantics | None = None,
) -> Card:
    """The card of a dataset; its location relative to ``folder`` where it lies below."""
    semantics = semantics or Semantics()
    notes = column_notes(dataset, semantics)
    return Card(
        name=dataset.name,
        format=dataset.format,
        location=relative(dataset.location, folder),
        size=human_size(dataset.size_bytes),
        rows=profile.rows,
        columns=tuple(
            _column_row(column, profile.column(column.name), notes.get(column.name, ""))
            for column in dataset.columns
        ),
        partition_columns=dataset.partition_columns,
        options=dataset.options,
        warnings=dataset.warnings,
        said=said_of(dataset, semantics),
    )


def column_notes(dataset: Dataset, semantics: Semantics) -> dict[str, str]:
    """What is said of columns, by their names: a description, other names."""
    synonyms = {said.column.lower(): said.synonyms for said in semantics.note(dataset.name).columns}
    told = {}
    for column in dataset.columns:
        parts = [column.description, _also(synonyms.get(column.name.lower(), ()))]
        told[column.name] = "; ".join(filter(None, parts))
    return told


def said_of(dataset: Dataset, semantics: Semantics) -> tuple[str, ...]:
    """What the project says of a dataset: its description, other names, filters, metrics, keys."""
    note = semantics.note(dataset.name)
    name = dataset.name.lower()
    lines = [dataset.description, _also(note.synonyms)]
    lines += [f"only rows where {text}, unless asked otherwise" for text in note.filters]
    for metric in semantics.metrics_of(dataset):
        more = "; ".join(filter(None, (metric.description, _also(metric.synonyms))))
        lines.append(f"metric {metric.name} = {metric.expression}" + (f" ({more})" if more else ""))
    lines += [
        f"key {key.left}.{key.left_column} = {key.right}.{key.right_column}"
        for key in semantics.keys
        if name in {key.left.lower(), key.right.lower()}
    ]
    return tuple(filter(None, lines))


def _also(synonyms: Sequence[str]) -> str:
    return f"also called {', '.join(synonyms)}" if synonyms else ""


def examples(
    dataset: Dataset, rows: int = _EXAMPLES
) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Column names and the first rows as Python values; nested JSON as its text.

    Raises DatasetError where the data cannot be read.
    """
    from bluebear_magic.context.scan import open_scan

    names = tuple(column.name for column in dataset.columns)
    if not dataset.paths:  # nothing was looked at yet
        return names, []
    with open_scan(dataset, sample=_EXAMPLE_BYTES) as scan:
        return names, scan.rows(f"SELECT * FROM data LIMIT {int(rows)}")


def relative(location: str, folder: Path | None) -> str:
    """A path as seen from ``folder`` (else from the current one), when it lies below."""
    try:
        return str(Path(location).relative_to(folder or Path.cwd()))
    except ValueError:
        return location


def _column_row(column: Column, profile: ColumnProfile, notes: str) -> ColumnRow:
    if profile.values:
        more = ", …" if not profile.complete or len(profile.values) > _EXAMPLES else ""
        values = ", ".join(_short(value) for value in profile.values[:_EXAMPLES]) + more
    else:
        ends = [end for end in (profile.minimum, profile.maximum) if end is not None]
        values = " to ".join(dict.fromkeys(_short(str(end)) for end in ends))
    return ColumnRow(column.name, column.type, profile.nulls, profile.distinct, values, notes)


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"


_EXAMPLE_BYTES = 1 << 20
