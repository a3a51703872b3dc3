"""Which chart fits a result: by the roles of its columns, its size, and what was asked.

=====================================  ==========================================
a time and one or more measures        line, sorted by time
the same, and a category of few values a line for each value
one category and a measure             bars, in the order of the result
two categories and a measure           bars side by side, or stacked shares
two measures, many rows                scatter
one measure, many rows                 histogram
one row, or nothing to measure         no chart
=====================================  ==========================================

What a chart leaves out is said in its title.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from bluebear_magic.present import formats, shape
from bluebear_magic.present.chart_spec import ChartSpec, Kind, Series, decimals
from bluebear_magic.present.shape import Field
from bluebear_magic.present.tables import counted, total
from bluebear_magic.records import ChartHint
from bluebear_magic.runner.envelope import Table

BARS = 30  # bars, or groups of bars, that are shown
GROUPED = 48  # bars side by side, beyond which they are stacked
SERIES = 8  # lines, or bars in a group; as many as there are colours
MANY = 20  # rows that make a scatter or a histogram
_FLAT = 72  # characters that labels under upright bars may take together
_AVERAGED = frozenset(
    {"avg", "average", "mean", "median", "min", "max", "rate", "ratio", "pct", "percent", "stddev"}
)
_PARTS = frozenset({"share", "stack", "stacked", "breakdown", "composition", "split"})


def choose(table: Table, hint: ChartHint | None = None, question: str = "") -> ChartSpec | None:
    """The chart for a result, or None where a chart would say no more than the table.

    ``hint`` is honoured where its columns exist and fit. Pure.
    """
    if len(table.rows) < 2 or (hint is not None and hint.kind == "none"):
        return None
    fields = shape.fields(table)
    spec = _hinted(fields, hint, question) or _by_shape(fields, question)
    if spec is None or not spec.values:
        return None
    return _finished(spec, table)


def fits(table: Table, hint: ChartHint, question: str = "") -> bool:
    """Whether :func:`choose` would draw what the hint asks for. That no chart helps always fits."""
    if hint.kind == "none":
        return True
    return len(table.rows) > 1 and _hinted(shape.fields(table), hint, question) is not None


def _finished(spec: ChartSpec, table: Table) -> ChartSpec:
    """With what is left out in the title: rows of the result, or all but a sample."""
    whole, drawn = total(table), len(spec.labels)
    notes = ["sample"] if table.sampled else []
    if table.truncated:
        # Bars stand for rows: how many are drawn says more than how many were there to draw.
        shown = drawn if spec.kind in {"bar", "barh"} else len(table.rows)
        notes.append(f"first {shown:,} of {counted(whole)}" if whole else f"first {counted(shown)}")
    elif spec.note:
        notes.append(spec.note)
    note = ", ".join(notes)
    title = f"{spec.title} ({note})" if note else spec.title
    return replace(spec, title=title, note=note, decimals=decimals(spec.values))


# --- a hint ------------------------------------------------------------------


def _hinted(fields: Sequence[Field], hint: ChartHint | None, question: str) -> ChartSpec | None:
    if hint is None or hint.x is None:
        return None
    by_name = {field.name: field for field in fields}
    x = by_name.get(hint.x)
    named = [by_name[name] for name in hint.y if name in by_name and by_name[name].numeric]
    ys = named or [field for field in shape.measures(fields) if field is not x]
    if x is None or not ys or x in ys or len(named) < len(hint.y):
        return None
    if hint.kind == "scatter":
        return _scatter(_placed(x), ys[0])
    others = [f for f in fields if f is not x and f not in ys and f.role != "other"]
    if hint.kind == "line":
        return _lines(_placed(x), others, ys, question)
    if shape.unique([x]):
        return _bars(x, ys, ys[0])
    return _two_way([x, *others], ys, question)


def _placed(field: Field) -> Field:
    """A numeric column as an axis."""
    return field if field.points or not field.numeric else replace(field, points=field.floats)


# --- the shape ---------------------------------------------------------------


def _by_shape(fields: Sequence[Field], question: str) -> ChartSpec | None:
    measured = shape.measures(fields)
    if not measured:
        return None
    axes = _times([field for field in fields if field.role in {"time", "ordinal"}])
    groups = [field for field in fields if field.role == "category"]
    identifiers = [field for field in fields if field.role == "identifier"]
    keys = [*groups, *axes, *identifiers]
    if axes and (spec := _lines(axes[0], [*axes[1:], *groups, *identifiers], measured, question)):
        return spec
    label = next((field for field in keys if shape.unique([field])), None)
    if label is None:
        # Unique in three columns or more: a table of figures, with no chart that is plain.
        aggregated = bool(keys) and shape.unique(keys)
        return _two_way(keys, measured, question) or (None if aggregated else _spread(measured))
    unordered = len(label.labels) > BARS and not any(map(shape.in_order, measured))
    if unordered and (label.role == "identifier" or len(measured) > 1):
        return _spread(measured)  # says more than the first few of many bars
    lead = shape.lead(measured, question)
    return _bars(label, shape.alike(measured, lead), lead)


def _spread(measured: Sequence[Field]) -> ChartSpec | None:
    if len(measured[0].values) < MANY:
        return None
    if len(measured) > 1:
        return _scatter(_placed(measured[0]), measured[1])
    return _histogram(measured[0])


def _times(axes: list[Field]) -> list[Field]:
    """Time columns, the ones that the others divide first; year and month are one time."""
    ordered = sorted(axes, key=lambda field: field.role == "ordinal")
    pair = shape.year_and_month(axes)
    if pair is None:
        return ordered
    return [shape.joined(*pair), *(field for field in ordered if field not in pair)]


# --- lines -------------------------------------------------------------------


def _lines(
    x: Field, others: Sequence[Field], measured: Sequence[Field], question: str
) -> ChartSpec | None:
    """Lines over ``x``; None where its values have no place or repeat without a reason."""
    rows = sorted(
        (row for row, point in enumerate(x.points) if point is not None),
        key=lambda row: x.points[row],
    )
    distinct = {x.points[row]: row for row in rows}
    lead = shape.lead(measured, question)
    if len(distinct) < 3:
        return None
    if len(distinct) == len(rows):
        ys = shape.alike(measured, lead)[:SERIES]
        return _line(x, ys, rows, [Series(y.name, tuple(y.floats[r] for r in rows)) for y in ys])
    for other in others:
        names = list(dict.fromkeys(other.labels[row] for row in rows))
        if len(names) <= SERIES and shape.unique([x, other]):
            cell = {(x.points[row], other.labels[row]): lead.floats[row] for row in rows}
            series = [
                Series(name, tuple(cell.get((point, name)) for point in distinct)) for name in names
            ]
            return _line(x, [lead], list(distinct.values()), series)
    if shape.unique([x, *others]) and others:
        return None
    return _scatter(x, lead) if len(rows) >= MANY and x.role == "time" else None


def _line(x: Field, ys: Sequence[Field], rows: list[int], series: list[Series]) -> ChartSpec:
    """``rows`` are those that have the points, in their order."""
    return ChartSpec(
        kind="line",
        title=_titled(ys, x),
        x=x.name,
        y=tuple(y.name for y in ys),
        x_title=x.name,
        y_title=ys[0].name if len(ys) == 1 else "",
        labels=tuple(x.labels[row] for row in rows),
        series=tuple(series),
        points=tuple(x.points[row] for row in rows),
        year=formats.is_year(x.name, x.values),
        note=_unplaced(x),
    )


def _unplaced(x: Field) -> str:
    return f"rows without {x.name} left out" if None in x.points else ""


def _titled(ys: Sequence[Field], *xs: Field) -> str:
    return f"{', '.join(y.name for y in ys)} by {' and '.join(x.name for x in xs)}"


# --- bars --------------------------------------------------------------------


def _bars(x: Field, measured: Sequence[Field], lead: Field) -> ChartSpec:
    """A bar for each of the first 30 rows; up to three measures side by side where rows are few."""
    labels = x.labels[:BARS]
    ys = list(measured)[: min(3, GROUPED // len(labels))]
    if len(ys) < 2 or lead not in ys:
        ys = [lead]
    kind: Kind = "grouped"
    if len(ys) == 1:
        flat = sum(min(len(label), 20) + 2 for label in labels) <= _FLAT
        kind = "bar" if flat else "barh"
    return ChartSpec(
        kind=kind,
        title=_titled(ys, x),
        x=x.name,
        y=tuple(y.name for y in ys),
        x_title=x.name,
        y_title=ys[0].name if len(ys) == 1 else "",
        labels=labels,
        series=tuple(Series(y.name, y.floats[: len(labels)]) for y in ys),
        note=_cut_at(len(labels), len(x.labels)),
    )


def _cut_at(shown: int, there: int) -> str:
    return f"first {shown:,} of {there:,}" if shown < there else ""


def _two_way(groups: Sequence[Field], measured: Sequence[Field], question: str) -> ChartSpec | None:
    """Bars by the first two categories that tell the rows apart."""
    for first, second in combinations(groups, 2):
        if shape.unique([first, second]):
            return _crossed(first, second, shape.lead(measured, question), question)
    return None


def _crossed(first: Field, second: Field, y: Field, question: str) -> ChartSpec | None:
    """The category with fewer values gives the colours; None where even those are too many."""
    x, other = first, second
    if len(set(first.labels)) < len(set(second.labels)):
        x, other = second, first
    labels, names = list(dict.fromkeys(x.labels)), list(dict.fromkeys(other.labels))
    if len(names) > SERIES:
        return None
    additive = _AVERAGED.isdisjoint(formats.words(y.name)) and all(v >= 0 for v in y.floats if v)
    crowded = min(len(labels), BARS) * len(names) > GROUPED
    asked = not _PARTS.isdisjoint(formats.words(question))
    stacked = additive and (asked or crowded)
    shown = labels[: BARS if stacked else min(BARS, GROUPED // len(names))]
    cell = dict(zip(zip(x.labels, other.labels, strict=True), y.floats, strict=True))
    return ChartSpec(
        kind="stacked" if stacked else "grouped",
        title=_titled([y], x, other),
        x=x.name,
        y=(y.name,),
        x_title=x.name,
        y_title=y.name,
        labels=tuple(shown),
        series=tuple(
            Series(name, tuple(cell.get((label, name)) for label in shown)) for name in names
        ),
        note=_cut_at(len(shown), len(labels)),
    )


# --- points ------------------------------------------------------------------


def _scatter(x: Field, y: Field) -> ChartSpec | None:
    rows = [
        row
        for row, (point, value) in enumerate(zip(x.points, y.floats, strict=False))
        if point is not None and value is not None
    ]
    if len(rows) < 2:
        return None
    return ChartSpec(
        kind="scatter",
        title=f"{y.name} against {x.name}",
        x=x.name,
        y=(y.name,),
        x_title=x.name,
        y_title=y.name,
        labels=tuple(x.labels[row] for row in rows),
        series=(Series(y.name, tuple(y.floats[row] for row in rows)),),
        points=tuple(x.points[row] for row in rows),
        year=formats.is_year(x.name, x.values),
        note="rows with nulls left out" if len(rows) < len(x.points) else "",
    )


def _histogram(x: Field) -> ChartSpec | None:
    """Counts of rows in bars of equal, round width; about as many as the square root of rows."""
    values = [value for value in x.floats if value is not None]
    low, high = min(values), max(values)
    if low == high:
        return None
    step = _round_step((high - low) / min(max(math.sqrt(len(values)), 6), 24))
    start = math.floor(low / step)
    bins = math.floor(high / step) - start + 1
    counts = [0] * bins
    for value in values:
        counts[min(max(math.floor(value / step) - start, 0), bins - 1)] += 1
    edges = tuple((start + n) * step for n in range(bins + 1))
    places = max(0, -math.floor(math.log10(step)))
    return ChartSpec(
        kind="histogram",
        title=f"distribution of {x.name}",
        x=x.name,
        y=("rows",),
        x_title=x.name,
        y_title="rows",
        labels=tuple(f"{edge:,.{places}f} to {edge + step:,.{places}f}" for edge in edges[:-1]),
        series=(Series("rows", tuple(map(float, counts))),),
        points=edges,
        note="rows with nulls left out" if len(values) < len(x.values) else "",
    )


def _round_step(rough: float) -> float:
    """1, 2 or 5 times a power of ten, not under ``rough``."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next((unit * power for unit in (1, 2, 5) if unit * power >= rough), 10 * power)
