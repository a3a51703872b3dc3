"""Datasets as a person reads them: the list, and the card of one."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from bluebear_magic.context.catalog import Catalog
from bluebear_magic.context.describe import card, examples, listing
from bluebear_magic.present import escape, tables
from bluebear_magic.records import Dataset, Profile, Semantics
from bluebear_magic.runner.envelope import Table
from bluebear_magic.runner.values import encode

Bundle = dict[str, str]


def listing_bundle(catalog: Catalog) -> Bundle:
    """Every dataset on a line; those that cannot be read below, with the reason."""
    lines = listing(catalog)
    good = [line for line in lines if not line.error]
    told = [f"{line.location} cannot be read: {line.error}" for line in lines if line.error]
    if not good:
        told.append("No datasets. Add one: %bluebear data add NAME PATH")
        return _bundle([], told)
    columns = (
        ("name", "string"), ("format", "string"), ("columns", "bigint"),
        ("size", "string"), ("location", "string"),
    )  # fmt: skip
    rows = [(line.name, line.format, line.columns, line.size, line.location) for line in good]
    return _bundle([_table("datasets", columns, rows)], told)


def card_bundle(dataset: Dataset, profile: Profile, semantics: Semantics | None = None) -> Bundle:
    """One dataset: size and place, what the project says of it, its columns, its first rows, what
    was assumed of it.
    """
    told = card(dataset, profile, semantics=semantics)
    rows = "rows not counted" if told.rows is None else tables.counted(told.rows)
    lines = [f"{told.name}: {told.format}, {rows}, {told.size}, {told.location}"]
    if told.partition_columns:
        lines.append("partitioned by " + ", ".join(told.partition_columns))
    if told.options:
        lines.append("read with " + ", ".join(f"{key}={value}" for key, value in told.options))
    lines += [*told.said, *(f"assumed: {warning}" for warning in told.warnings)]
    columns = [
        ("column", "string"), ("type", "string"), ("nulls", "bigint"),
        ("distinct", "bigint"), ("values", "string"),
    ]  # fmt: skip
    rows_told = [dataclasses.astuple(row) for row in told.columns]
    if any(row.notes for row in told.columns):
        columns.append(("notes", "string"))
    else:
        rows_told = [row[:-1] for row in rows_told]
    names, first = examples(dataset)
    kinds = {column.name: column.type for column in dataset.columns}
    return _bundle(
        [
            _table("columns", columns, rows_told),
            _table("first rows", [(name, kinds[name]) for name in names], first),
        ],
        lines,
    )


def _table(
    title: str, columns: Sequence[tuple[str, str]], rows: Sequence[tuple[Any, ...]]
) -> Table:
    spelled = tuple(tuple(map(encode, row)) for row in rows)
    return Table(title, tuple(columns), spelled, len(rows), sampled=False, truncated=False)


def _bundle(shown: list[Table], lines: list[str]) -> Bundle:
    views = list(map(tables.view, shown))
    plain = [*map(escape.terminal, lines), *map(tables.text, views)]
    html = [*(f"<div>{escape.html(line)}</div>" for line in lines), *map(tables.html, views)]
    return {"text/plain": "\n".join(plain), "text/html": "".join(html)}
