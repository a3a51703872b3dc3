"""The types of CSV columns, and the one null marker and the date patterns they need.

Spark's reader takes one ``nullValue``, one ``dateFormat`` and one ``timestampFormat``
for all columns of a file; where columns disagree, the majority wins, and the others
stay text and are named in a warning.
"""

# ruff: noqa: S608 - the columns are c0, c1, ...; names and values go through duck's quoting

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bluebear_magic.context import duck
from bluebear_magic.context import texttypes as tt
from bluebear_magic.context.texttypes import NULL_MARKERS, TextType

_EXAMPLES = 200
_AT_ONCE = 100  # expressions in a statement; DuckDB takes more than twice as long for twice as many


@dataclass(frozen=True)
class Types:
    """DDL types by column, what Spark needs to read them, and what was assumed."""

    ddl: tuple[str, ...]
    null_value: str = ""
    date_pattern: str | None = None
    timestamp_pattern: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass
class _Column:
    """One column while its type is sought: what fits so far, which markers stand for null."""

    index: int
    name: str
    fitting: list[TextType]
    markers: set[str] = field(default_factory=set)
    verified: list[TextType] = field(default_factory=list)

    @property
    def sql(self) -> str:
        return f"c{self.index}"

    def next_types(self) -> list[TextType]:
        """The fitting types to check next, each once: one, or all that are left of dates."""
        if self.verified and self.verified[0].ddl not in {"DATE", "TIMESTAMP"}:
            return []
        count = 1 if self.fitting and self.fitting[0].ddl not in {"DATE", "TIMESTAMP"} else None
        following, self.fitting = self.fitting[:count], self.fitting[count:] if count else []
        return following


def infer(connection: Any, names: Sequence[str], given: Mapping[str, str]) -> Types:
    """The types of the columns c0, c1, ... of the table ``raw``, checked on every row of it."""
    rows = connection.execute("SELECT count(*) FROM raw").fetchone()[0]
    warnings = [] if rows else ["the data has no rows, only a header: every column is text"]
    columns = [_Column(index, name, []) for index, name in enumerate(names)]
    known_nulls = {given["nullValue"]} if "nullValue" in given else NULL_MARKERS
    for column, values in zip(columns, _examples(connection, len(names)), strict=True):
        column.fitting = _candidates(set(values) - known_nulls, given)
    _verify(connection, columns, known_nulls)
    null_value = given.get("nullValue", _common(columns))
    _apply_null_value(columns, null_value, warnings)
    patterns = {
        kind: _pattern(columns, kind, given.get(option), warnings)
        for kind, option in (("DATE", "dateFormat"), ("TIMESTAMP", "timestampFormat"))
    }
    ddl = tuple(_chosen(column, patterns, warnings).ddl for column in columns)
    _tell_markers(connection, columns, ddl, null_value, warnings)
    return Types(ddl, null_value, patterns["DATE"], patterns["TIMESTAMP"], tuple(warnings))


def _candidates(values: set[str], given: Mapping[str, str]) -> list[TextType]:
    fitting = tt.candidates(values)
    for option, make in (("dateFormat", tt.date_type), ("timestampFormat", tt.timestamp_type)):
        if values and option in given:
            kind = make(given[option])
            fitting = [known for known in fitting if known.ddl != kind.ddl]
            fitting += [kind] if all(map(kind.matches, values)) else []
    return fitting


def _examples(connection: Any, width: int) -> list[list[str]]:
    """Some values of each column: from the first rows, else from wherever there are any."""
    markers = ", ".join("'" + marker + "'" for marker in sorted(NULL_MARKERS))
    found: list[list[str]] = []
    head = connection.execute(f"SELECT * FROM raw LIMIT {_EXAMPLES}").fetchall()
    for index in range(width):
        values = [row[index] for row in head if row[index] is not None]
        if all(value in NULL_MARKERS for value in values):
            query = (
                f"SELECT DISTINCT c{index} FROM raw WHERE c{index} IS NOT NULL "
                f"AND c{index} NOT IN ({markers}) LIMIT {_EXAMPLES}"
            )
            values = [row[0] for row in connection.execute(query).fetchall()]
        found.append(values)
    return found


def _verify(connection: Any, columns: Sequence[_Column], nulls: Iterable[str]) -> None:
    """Checks the fitting types on every row, and keeps those that hold.

    The types come narrowest first, and the wider ones hold wherever a narrower one does:
    they are checked only where it does not. Dates are all checked, since columns have to
    agree on one pattern.
    """
    markers = sorted(nulls)
    pending = [(column, kind) for column in columns for kind in column.next_types()]
    while pending:
        for start in range(0, len(pending), _AT_ONCE):
            batch = pending[start : start + _AT_ONCE]
            checks = [_misfits_sql(column.sql, kind, markers) for column, kind in batch]
            row = connection.execute(f"SELECT {', '.join(checks)} FROM raw").fetchone()
            for (column, kind), misfits in zip(batch, row, strict=True):
                if not misfits & 1:
                    column.verified.append(kind)
                    column.markers |= {
                        marker for bit, marker in enumerate(markers, start=1) if misfits >> bit & 1
                    }
        pending = [(column, kind) for column in columns for kind in column.next_types()]


def _misfits_sql(column: str, kind: TextType, markers: Sequence[str]) -> str:
    """What a column holds that is not of a type, as bits: 0 for any value, n for marker n.

    A list of the values would say the same, but costs DuckDB a hash table for each column.
    """
    listed = ", ".join(map(duck.literal, markers))
    return (
        f"coalesce(bit_or(CASE WHEN {column} IS NULL OR {kind.sql_matches(column)} THEN 0 "
        f"ELSE 1::BIGINT << coalesce(list_position([{listed}], {column}), 0) END), 0)"
    )


def _common(columns: Sequence[_Column]) -> str:
    """The marker that most columns need; the empty string when none does."""
    counts = Counter(marker for column in columns for marker in column.markers)
    # Of two as frequent, a word says more surely than a dash that a value is missing.
    order = sorted(counts, key=lambda marker: (-counts[marker], not marker.isalpha(), marker))
    return order[0] if order else ""


def _apply_null_value(columns: Sequence[_Column], null_value: str, warnings: list[str]) -> None:
    for column in columns:
        others = column.markers - {null_value}
        if others and column.verified:
            told = ", ".join(sorted(others))
            wanted = column.verified[0].ddl
            warnings.append(
                f"{column.name} stays text: it would be {wanted} but for the values {told}, "
                f"and only {null_value} is read as null"
            )
            column.verified = []


def _pattern(
    columns: Sequence[_Column], ddl: str, given: str | None, warnings: list[str]
) -> str | None:
    """The date pattern that fits the most columns; None for ISO."""
    if given:
        return given
    wanting = [column for column in columns if column.verified and column.verified[0].ddl == ddl]
    counts = Counter(kind.pattern for c in wanting for kind in c.verified if kind.ddl == ddl)
    if not counts:
        return None
    order = [None, *(kind.pattern for kind in (*tt.DATES, *tt.TIMESTAMPS))]
    best = min(counts, key=lambda pattern: (-counts[pattern], order.index(pattern)))
    rivals = [pattern for pattern, count in counts.items() if count == counts[best]]
    if best and len(rivals) > 1:
        told = ", ".join(column.name for column in wanting)
        option = "dateFormat" if ddl == "DATE" else "timestampFormat"
        other = next(pattern for pattern in rivals if pattern != best)
        warnings.append(
            f"{told}: day and month cannot be told apart, {best} was assumed; "
            f"for the other reading add {option}={other}"
        )
    return best


def _chosen(column: _Column, patterns: Mapping[str, str | None], warnings: list[str]) -> TextType:
    for kind in column.verified:
        if kind.ddl not in patterns or patterns[kind.ddl] == kind.pattern:
            return kind
    if column.verified:
        kind = column.verified[0]
        used = patterns[kind.ddl] or "ISO"
        warnings.append(
            f"{column.name} stays text: its {kind.ddl.lower()}s are written as "
            f"{kind.pattern or 'ISO'}, those of other columns as {used}"
        )
    return tt.STRING


def _tell_markers(
    connection: Any,
    columns: Sequence[_Column],
    ddl: Sequence[str],
    null_value: str,
    warnings: list[str],
) -> None:
    """Says where a marker became null, or stayed a word, in columns of text."""
    texts = [column for column, kind in zip(columns, ddl, strict=True) if kind == "STRING"]
    if null_value:
        typed = [
            column.name
            for column in columns
            if null_value in column.markers and column not in texts
        ]
        if typed:
            warnings.append(f"{null_value} is read as null")
        quoted = "'" + null_value.replace("'", "''") + "'"
        lost = [c for c in texts if _count(connection, f"{c.sql} = {quoted}")]
        if lost:
            warnings.append(f"{null_value} is read as null in columns of text too: {_names(lost)}")
        return
    for column in texts:
        count = _count(connection, f"{column.sql} IN ('NA', 'N/A', 'NULL')")
        if count:
            warnings.append(
                f"{column.name} holds a word that may stand for a missing value (NA, N/A or NULL) "
                f"{count} times; it is kept as text, add nullValue=NA to read it as null"
            )


def _count(connection: Any, condition: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM raw WHERE {condition}").fetchone()[0])


def _names(columns: Sequence[_Column]) -> str:
    return ", ".join(column.name for column in columns)
