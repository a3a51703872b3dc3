"""A dataset in a prompt: its schema as DDL, and as much of its values as may be shared. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bluebear_magic.context.sizes import human_size
from bluebear_magic.records import Column, ColumnProfile, Dataset, Profile, Sharing

MOST_VALUES = 12
_MOST_VALUE = 60  # characters
_MOST_NAME = 200
MOST_DESCRIPTION = 400
_MOST_ROWS = 3


def fenced(text: str) -> str:
    """The text between tags that do not occur in it, named after what they hold: the same text
    has the same tags, so that a cached prompt stays the same.
    """
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    tag = next(
        f"data-{digest[at : at + 8]}"
        for at in range(len(digest) - 8)
        if digest[at : at + 8] not in text
    )
    return f"<{tag}>\n{text}\n</{tag}>"


def plain(text: str, most: int = _MOST_NAME) -> str:
    """Text on one line, with what cannot be seen spelled out, cut to ``most`` characters."""
    cut = text if len(text) <= most else text[:most] + "\u2026"
    if cut.isprintable():
        return cut
    return "".join(char if char.isprintable() else _escape(char) for char in cut)


def quoted(name: str) -> str:
    """A name as SQL spells it; with what cannot be seen spelled out."""
    return "`" + plain(name).replace("`", "``") + "`"


@dataclass(frozen=True)
class Said:
    """What a project says of a dataset, as text: by column, and what follows its schema."""

    columns: Mapping[str, str] = field(default_factory=dict)
    after: Sequence[str] = ()


def dataset_text(
    dataset: Dataset,
    profile: Profile,
    sharing: Sharing,
    columns: Sequence[Column] | None = None,
    said: Said | None = None,
) -> str:
    """``CREATE TABLE`` with comments. ``columns``: those to show, where not all."""
    said = said or Said()
    level = sharing.of(dataset.name)
    shown = dataset.columns if columns is None else columns
    profiles = {known.name: known for known in profile.columns}
    lines = [f"CREATE TABLE {quoted(dataset.name)} (  -- {_facts(dataset, profile)}"]
    if dataset.description:
        lines.append(f"  -- {plain(dataset.description, MOST_DESCRIPTION)}")
    for number, column in enumerate(shown):
        comma = "," if number < len(shown) - 1 else ""
        share = "schema" if (dataset.name, column.name) in sharing.private else level
        notes = [plain(column.description, MOST_DESCRIPTION), said.columns.get(column.name, "")]
        if share != "schema":
            notes += _of_values(profiles.get(column.name, ColumnProfile(column.name)))
        note = "; ".join(filter(None, notes))
        end = f"  -- {note}" if note else ""
        lines.append(f"  {quoted(column.name)} {plain(column.type, 2000)}{comma}{end}")
    if len(shown) < len(dataset.columns):
        lines.append(f"  -- and {len(dataset.columns) - len(shown):,} more columns, not shown")
    by = ", ".join(map(quoted, dataset.partition_columns))
    lines.append(f") PARTITIONED BY ({by});" if by else ");")
    lines += said.after
    if level == "samples":
        lines += _rows(dataset, sharing)
    return "\n".join(lines)


def _facts(dataset: Dataset, profile: Profile) -> str:
    facts = [plain(dataset.format)] if dataset.format else []
    facts.append(f"{len(dataset.columns):,} columns")
    if profile.rows is not None:
        facts.append(f"{profile.rows:,} rows")
    if dataset.size_bytes:
        facts.append(human_size(dataset.size_bytes))
    return ", ".join(facts)


def _of_values(known: ColumnProfile) -> list[str]:
    notes = []
    if known.values:
        values = [_value(value) for value in known.values[:MOST_VALUES]]
        whole = known.complete and len(known.values) <= MOST_VALUES
        notes.append(f"{'values' if whole else 'such as'} {', '.join(values)}")
    elif known.minimum is not None or known.maximum is not None:
        notes.append(f"from {_value(known.minimum)} to {_value(known.maximum)}")
    if known.distinct is not None:
        notes.append(f"{known.distinct:,} distinct")
    if known.nulls:
        notes.append(f"{known.nulls:,} null")
    return notes


def _rows(dataset: Dataset, sharing: Sharing) -> list[str]:
    """Rows as JSON, one on a line; private columns are left null."""
    lines = []
    for row in list(sharing.rows.get(dataset.name, ()))[:_MOST_ROWS]:
        values = [
            "null" if (dataset.name, column.name) in sharing.private else _value(value)
            for column, value in zip(dataset.columns, row, strict=False)
        ]
        lines.append(f"-- row: [{', '.join(values)}]")
    return lines


def _value(value: Any) -> str:
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    return json.dumps(plain(str(value), _MOST_VALUE), ensure_ascii=False)


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
