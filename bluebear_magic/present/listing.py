"""Datasets as a person reads them: the list, and the card of one."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from bluebear_magic.context.catalog import Catalog
from bluebear_magic.context.describe import Card, card, examples, listing
from bluebear_magic.generation.keys import Likely
from bluebear_magic.generation.search import Match
from bluebear_magic.present import escape, tables
from bluebear_magic.protocols import Hit
from bluebear_magic.records import Dataset, Profile, Semantics, Sharing
from bluebear_magic.runner.envelope import Table
from bluebear_magic.runner.values import encode

Bundle = dict[str, str]


@dataclasses.dataclass(frozen=True)
class Facts:
    """What is known of a dataset besides its schema and profile. ``reach``: the backends that can
    read it; ``links``: keys that probably join; ``drift``: what changed, a line each.
    """

    semantics: Semantics = dataclasses.field(default_factory=Semantics)
    sharing: Sharing | None = None
    reach: Sequence[str] = ()
    links: Sequence[Likely] = ()
    drift: Sequence[str] = ()


def listing_bundle(catalog: Catalog, notes: Sequence[str] = ()) -> Bundle:
    """Every dataset on a line; those that cannot be read below, with the reason, and what the
    project says of none. ``notes``: more lines.
    """
    lines = listing(catalog)
    good = [line for line in lines if not line.error]
    told = [f"{line.location} cannot be read: {line.error}" for line in lines if line.error]
    told += [
        f"{line.name} is not as it was first seen: %bluebear data show {line.name}"
        for line in good
        if line.changed
    ]
    told += [*catalog.doubts(), *notes]
    if not good:
        told.append("No datasets. Add one: %bluebear data add NAME PATH")
        return _bundle([], told)
    columns = [
        ("name", "string"), ("format", "string"), ("columns", "bigint"), ("size", "string"),
        ("runs on", "string"), ("location", "string"),
    ]  # fmt: skip
    rows: list[tuple[Any, ...]] = [
        (line.name, line.format, line.columns, line.size, line.reach, line.location)
        for line in good
    ]
    if any(line.description for line in good):
        columns.append(("description", "string"))
        rows = [(*row, line.description) for row, line in zip(rows, good, strict=True)]
    return _bundle([_table("datasets", columns, rows)], told)


def lines_bundle(lines: Sequence[str]) -> Bundle:
    """Lines, as they are."""
    return _bundle([], list(lines))


def matches_bundle(words: str, found: Sequence[Match], hits: Sequence[Hit] | None) -> Bundle:
    """The datasets in which words were met, and where. ``hits``: of catalogs; None: not asked."""
    shown = []
    if found:
        rows = [(match.dataset, ", ".join(match.where)) for match in found]
        shown.append(_table("datasets", (("name", "string"), ("met in", "string")), rows))
    if hits:
        columns = (("location", "string"), ("description", "string"), ("columns", "string"))
        shown.append(_table("in catalogs", columns, [dataclasses.astuple(hit) for hit in hits]))
    lines = []
    if hits:
        lines.append(f"%bluebear data add NAME {hits[0].location}")
    if not shown:
        where = "No dataset has" if hits is None else "No dataset and no catalog has"
        lines.append(f"{where} anything of {words!r}. %bluebear data lists them all")
    return _bundle(shown, lines)


def card_bundle(dataset: Dataset, profile: Profile, facts: Facts | None = None) -> Bundle:
    """One dataset: size and place, what the project says of it, its columns, its first rows, what
    was assumed of it.
    """
    facts = facts or Facts()
    told = card(dataset, profile, semantics=facts.semantics)
    rows = "rows not counted" if told.rows is None else tables.counted(told.rows)
    lines = [f"{told.name}: {told.format}, {rows}, {told.size}, {told.location}"]
    if facts.reach:
        lines.append(f"runs on {', '.join(facts.reach)}")
    if told.partition_columns:
        lines.append("partitioned by " + ", ".join(told.partition_columns))
    if told.options:
        lines.append("read with " + ", ".join(f"{key}={value}" for key, value in told.options))
    lines += [*told.said, *map(_likely, facts.links), *_shared(dataset, facts.sharing)]
    lines += [f"assumed: {warning}" for warning in told.warnings]
    if facts.drift:
        lines.append(f"changed since it was first seen (data refresh {told.name} accepts it):")
        lines += facts.drift
    names, first = examples(dataset)
    kinds = {column.name: column.type for column in dataset.columns}
    return _bundle(
        [_columns(told), _table("first rows", [(name, kinds[name]) for name in names], first)],
        lines,
    )


def _columns(told: Card) -> Table:
    """The columns; with notes where there are any."""
    columns = [
        ("column", "string"), ("type", "string"), ("nulls", "bigint"), ("distinct", "bigint"),
        ("values", "string"), ("notes", "string"),
    ]  # fmt: skip
    rows = [dataclasses.astuple(row) for row in told.columns]
    if not any(row.notes for row in told.columns):
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    return _table("columns", columns, rows)


def _likely(link: Likely) -> str:
    names = f"{link.left}.{link.left_column} = {link.right}.{link.right_column}"
    known = "by its name" if link.share is None else f"{link.share:.0%} of the values are there"
    return f"probably a key: {names} ({known})"


def _shared(dataset: Dataset, sharing: Sharing | None) -> list[str]:
    """What of it may leave for a model, and which columns look like personal data."""
    if sharing is None:
        return []
    lines = [f"shared with a model elsewhere: {sharing.of(dataset.name)}"]
    held = [
        column.name for column in dataset.columns if (dataset.name, column.name) in sharing.private
    ]
    if held:
        lines.append(f"held back, as personal data or by the setting share: {', '.join(held)}")
    return lines


def _table(
    title: str, columns: Sequence[tuple[str, str]], rows: Sequence[tuple[Any, ...]]
) -> Table:
    spelled = tuple(tuple(map(encode, row)) for row in rows)
    return Table(title, tuple(columns), spelled, len(rows), sampled=False, truncated=False)


def _bundle(shown: list[Table], lines: list[str]) -> Bundle:
    views = list(map(tables.view, shown))
    plain = [*map(escape.terminal, lines), *map(tables.text, views)]
    told = (f"<div {tables.NO_MATH}>{tables.markup(line)}</div>" for line in lines)
    html = [*told, *map(tables.html, views)]
    return {"text/plain": "\n".join(plain), "text/html": "".join(html)}
