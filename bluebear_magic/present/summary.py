"""A result in one to three sentences, every figure of which is in the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bluebear_magic.present import escape, shape
from bluebear_magic.present.shape import Field
from bluebear_magic.present.tables import counted, total
from bluebear_magic.runner.envelope import Table

_TOLD = 3  # tables
_NAME, _VALUE = 40, 60  # characters


def summarise(tables: Sequence[Table], question: str = "") -> str:
    """What the tables say, in plain text on one line; ``question`` tells which measure matters.

    Figures are written as the tables write them. For a preview or a sample, what is
    said is said of that.
    """
    told = [
        (f"{escape.line(table.title, _VALUE)}: " if len(tables) > 1 else "")
        + _told(table, question)
        for table in tables[:_TOLD]
    ]
    if any(table.sampled for table in tables):
        told.append("Figures of a sample are not the answer.")
    return " ".join(told)


def _told(table: Table, question: str) -> str:
    fields = shape.fields(table)
    rows = len(table.rows)
    if rows == 0:
        return "No rows in the sample." if table.sampled else "No rows."
    scope = _scope(table)
    sentence = _one_row(fields, scope) if rows == 1 else _many(fields, question, scope)
    return sentence or _shape(table)


def _begin(scope: str, opening: str) -> str:
    """``In the sample, the`` or ``The``; what comes from the data keeps its case."""
    return f"{scope}, {opening}" if scope else opening[:1].upper() + opening[1:]


def _scope(table: Table) -> str:
    if table.truncated:
        rows = f"In the first {counted(len(table.rows))}"
        return f"{rows} of a sample" if table.sampled else rows
    return "In the sample" if table.sampled else ""


def _shape(table: Table) -> str:
    whole, wide = total(table), counted(len(table.columns), "column")
    if whole is None:
        return f"More than {counted(len(table.rows))} and {wide}."
    return f"{counted(whole)} and {wide}" + (" in the sample." if table.sampled else ".")


def _one_row(fields: Sequence[Field], scope: str) -> str | None:
    if not 0 < len(fields) <= 6:
        return None
    if len(fields) == 1:
        # No verb: the column may be a plural (flights) or none (average delay).
        return f"{_begin(scope, _name(fields[0]))}: {_value(fields[0], 0)}."
    return (
        _begin(scope, "one row")
        + ": "
        + ", ".join(f"{_name(f)} {_value(f, 0)}" for f in fields)
        + "."
    )


def _many(fields: Sequence[Field], question: str, scope: str) -> str | None:
    measured = shape.measures(fields)
    keys = [f for f in fields if f.role in {"time", "ordinal", "category", "identifier"}]
    if not measured or not keys or len(keys) > 3 or not shape.unique(keys):
        return None
    lead = shape.lead(measured, question)
    placed = [row for row, value in enumerate(lead.values) if value is not None]
    if len(placed) < 2:
        return None
    over = "" if "first" in scope else f", over {counted(len(lead.values))}"
    if len(placed) < len(lead.values):
        over += f"; {_name(lead)} is null in some"
    highest, lowest = _extremes(lead, placed)
    if highest == lowest:
        every = "all rows" if len(placed) == len(lead.values) else "all other rows"
        opening = f"{_begin(scope, every)} have the same {_name(lead)}"
        return f"{opening}, {_value(lead, placed[0])}{over}."
    if time := _time(keys):
        return f"{_begin(scope, 'from')} {_over_time(time, lead, highest, lowest)}{over}."
    verb = "is" if len(highest) == 1 else "are"
    return (
        f"{_begin(scope, 'by')} {_name(lead)}, "
        f"{_labels(keys, highest)} {verb} highest with {_value(lead, highest[0])} and "
        f"{_labels(keys, lowest)} lowest with {_value(lead, lowest[0])}{over}."
    )


def _time(keys: Sequence[Field]) -> Field | None:
    """The one time that the rows are of: a column, or a year and a month."""
    if len(keys) == 1:
        return keys[0] if keys[0].role == "time" and None not in keys[0].points else None
    pair = shape.year_and_month(keys)
    if pair is None or len(keys) > 2 or any(None in field.values for field in pair):
        return None
    year, month = pair
    labels = tuple(
        f"{_name(month)} {m} of {y}" for m, y in zip(month.labels, year.labels, strict=True)
    )
    return replace(shape.joined(year, month), labels=labels)


def _extremes(measure: Field, rows: Sequence[int]) -> tuple[list[int], list[int]]:
    """The rows with the highest value, and those with the lowest; all of them, ties are told."""
    values = {row: measure.values[row] for row in rows}
    high, low = max(values.values()), min(values.values())
    return (
        [row for row, value in values.items() if value == high],
        [row for row, value in values.items() if value == low],
    )


def _over_time(time: Field, lead: Field, highest: list[int], lowest: list[int]) -> str:
    rows = sorted(range(len(time.points)), key=lambda row: time.points[row])
    return (
        f"{_value(time, rows[0])} to {_value(time, rows[-1])}, {_name(lead)} is highest for "
        f"{_labels([time], highest)} ({_value(lead, highest[0])}) and lowest for "
        f"{_labels([time], lowest)} ({_value(lead, lowest[0])})"
    )


def _labels(keys: Sequence[Field], rows: list[int]) -> str:
    """The rows by name; of more than three, the first two."""
    names = [" / ".join(_key(key, row, len(keys)) for key in keys) for row in rows]
    if len(names) > 3:
        return f"{names[0]}, {names[1]} and others"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _key(key: Field, row: int, keys: int) -> str:
    value = _value(key, row)
    return f"{_name(key)} {value}" if _numbered(key, row, keys) else value


def _numbered(key: Field, row: int, keys: int) -> bool:
    """Whether the value is a number that does not say by itself what it is."""
    number = isinstance(key.values[row], int)
    return number and (key.role != "time" or keys > 1)


def _name(field: Field) -> str:
    """A column as words: ``total_sales`` -> total sales; Spark's ``count(1)`` -> count."""
    name = "count" if field.name == "count(1)" else field.name
    return escape.line(name.replace("_", " ").strip() or name, _NAME)


def _value(field: Field, row: int) -> str:
    return escape.line(field.labels[row], _VALUE) or '""'
