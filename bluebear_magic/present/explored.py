"""What the explorer shows below its controls: the datasets, and one of them, with pictures.

A saved notebook keeps it, so that it reads the same without a kernel and without widgets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bluebear_magic.context.describe import Card, ListedDataset, card
from bluebear_magic.context.looks import Look
from bluebear_magic.present import escape, histogram, tables
from bluebear_magic.records import Dataset, Profile, Sharing
from bluebear_magic.runner.envelope import Table
from bluebear_magic.runner.values import encode
from bluebear_magic.sharing import LEVELS

Bundle = dict[str, str]
_CELL = "padding:.25em .7em;vertical-align:top"


@dataclass(frozen=True)
class View:
    """One dataset as it is shown: ``location`` for people; ``profile``: None where not measured;
    ``sharing``: what of it may leave for a model.
    """

    dataset: Dataset
    location: str
    look: Look
    profile: Profile | None
    sharing: Sharing

    @property
    def card(self) -> Card:
        """Its figures: of all rows where these were measured, else of those looked at."""
        return card(self.dataset, self.profile or self.look.profile)

    @property
    def partial(self) -> bool:
        """Whether its figures are of some of its rows."""
        return self.profile is None and not self.look.whole

    @property
    def rows(self) -> int | None:
        """How many there are, where that is known."""
        return self.profile.rows if self.profile else self.look.total

    @property
    def basis(self) -> str:
        """Which rows the figures and the pictures are of."""
        some = f"{self.look.rows:,} of its rows" if self.look.rows != 1 else "one of its rows"
        if self.look.whole:
            return "Figures and pictures are of all rows."
        if self.profile:
            return f"Figures were measured; pictures are of {some}."
        return f"Figures and pictures are of {some}: Measure reads them all."


def list_bundle(lines: Sequence[ListedDataset]) -> Bundle:
    """Every dataset on a line; those that cannot be read below, with the reason."""
    told, table = _listed(lines)
    if not lines:
        told = ["There is no dataset yet. Upload a file, or put one into the folder data/."]
    html = [*(f"<div>{tables.markup(line)}</div>" for line in told)]
    text = [*map(escape.terminal, told)]
    if table:
        html.insert(0, tables.html(table))
        text.insert(0, tables.text(table))
    return _bundle(text, html)


def view_bundle(view: View, lines: Sequence[ListedDataset]) -> Bundle:
    """One dataset; the list of all folded away below it."""
    told, read = view.card, _reading(view)
    head = [told.format, _rows(view), told.size, view.location]
    facts = _facts(view)
    rows = _table(
        _first_title(view),
        [(column.name, column.type) for column in view.dataset.columns[: len(view.look.shapes)]],
        view.look.first,
        total=view.rows,
    )
    first = tables.view(rows)
    text = [
        escape.terminal(f"{told.name}: {', '.join(head)}"),
        *map(escape.terminal, facts),
        tables.text(_columns(view)),
        tables.text(first),
        *map(escape.terminal, read),
        list_bundle(lines)["text/plain"],
    ]
    html = [
        f"<div><strong>{tables.markup(told.name)}</strong> "
        f"<span>{tables.markup(' · '.join(head))}</span></div>",
        *(f"<div>{tables.markup(line)}</div>" for line in facts),
        _columns_html(view),
        tables.html(first),
        *(f"<div><small>{tables.markup(line)}</small></div>" for line in read),
        _folded(lines),
    ]
    return _bundle(text, html)


def trouble_bundle(text: str, lines: Sequence[ListedDataset]) -> Bundle:
    """Why a dataset cannot be shown, and the list."""
    told = text.splitlines()
    return _bundle(
        [*map(escape.terminal, told), list_bundle(lines)["text/plain"]],
        [*(f"<div>{tables.markup(line)}</div>" for line in told), _folded(lines)],
    )


def _folded(lines: Sequence[ListedDataset]) -> str:
    """The list, folded away."""
    listed = list_bundle(lines)["text/html"]
    return f"<details><summary>all datasets ({len(lines)})</summary>{listed}</details>"


def shared_told(dataset: Dataset, sharing: Sharing) -> str:
    """What of a dataset may leave for a model, and of which columns no value may."""
    level = sharing.of(dataset.name)
    kept = [
        column.name for column in dataset.columns if (dataset.name, column.name) in sharing.private
    ]
    told = f"A model elsewhere may see: {level} ({LEVELS[level]})."
    if kept:
        told += f" Personal or held back, never a value of: {', '.join(kept)}."
    return told


def _facts(view: View) -> list[str]:
    told = view.card
    lines = [shared_told(view.dataset, view.sharing), view.basis]
    hidden = len(told.columns) - len(view.look.shapes)
    if hidden > 0:
        lines.append(f"Its first {len(view.look.shapes)} of {len(told.columns):,} columns:")
    return [*lines, *(f"Assumed: {warning}" for warning in told.warnings)]


def _reading(view: View) -> list[str]:
    """How Spark reads it."""
    lines = []
    if view.dataset.partition_columns:
        lines.append("Partitioned by " + ", ".join(view.dataset.partition_columns) + ".")
    if view.dataset.options:
        told = ", ".join(f"{key}={value}" for key, value in view.dataset.options)
        lines.append(f"Read with {told}")
    return lines


def _rows(view: View) -> str:
    return "rows not counted" if view.rows is None else tables.counted(view.rows)


def _first_title(view: View) -> str:
    return "first rows" if view.look.total is not None else "rows of a sample"


def _listed(lines: Sequence[ListedDataset]) -> tuple[list[str], tables.TableView | None]:
    good = [line for line in lines if not line.error]
    told = [f"{line.name} cannot be read: {line.error}" for line in lines if line.error]
    columns = (
        ("name", "string"), ("format", "string"), ("columns", "string"), ("rows", "string"),
        ("size", "string"), ("location", "string"),
    )  # fmt: skip
    rows = [
        (line.name, line.format, _count(line.columns or None), _count(line.rows), line.size,
         line.location)
        for line in good
    ]  # fmt: skip
    return told, tables.view(_table("datasets", columns, rows)) if good else None


def _figures(view: View) -> list[tuple[str, str, str, str, str]]:
    """For each column that was looked at: name, type, nulls, distinct values, values.

    Of some rows only, nulls are a share, and there are at least so many distinct values.
    """
    rows = []
    for row in view.card.columns[: len(view.look.shapes)]:
        nulls, distinct = _count(row.nulls), _count(row.distinct)
        if view.partial and row.nulls is not None:
            nulls = _share(row.nulls, view.look.rows)
            distinct = f"{distinct}+" if distinct else ""
        kind = row.type.lower() if len(row.type) <= 40 else row.type[:39].lower() + "…"
        rows.append((row.name, kind, nulls, distinct, row.values))
    return rows


def _share(part: int, whole: int) -> str:
    if part in {0, whole}:
        return "0 %" if part == 0 else "100 %"
    percent = 100 * part / whole
    return "< 0.1 %" if percent < 0.1 else f"{min(percent, 99.9):.1f} %"


def _columns(view: View) -> tables.TableView:
    """The columns as text, without pictures."""
    names = ("column", "type", "nulls", "distinct", "values")
    return tables.view(_table("columns", [(name, "string") for name in names], _figures(view)))


def _columns_html(view: View) -> str:
    names = ("column", "type", "nulls", "distinct", "spread", "values")
    sides = ("left", "left", "right", "right", "left", "left")
    head = "".join(
        f'<th scope="col" align="{side}" style="text-align:{side};{_CELL}">{name}</th>'
        for name, side in zip(names, sides, strict=True)
    )
    body = []
    for figures, shape in zip(_figures(view), view.look.shapes, strict=True):
        name, kind, nulls, distinct, values = (tables.markup(escape.line(t)) for t in figures)
        cells = (name, kind, nulls, distinct, histogram.svg(shape), values)
        body.append("<tr>" + "".join(map(_td, sides, cells)) + "</tr>")
    return (
        '<div style="overflow-x:auto;max-width:100%"><table style="border-collapse:collapse;'
        f'margin:.5em 0;font-variant-numeric:tabular-nums">\n<thead><tr>{head}</tr></thead>\n'
        "<tbody>\n" + "\n".join(body) + "\n</tbody></table></div>"
    )


def _td(side: str, content: str) -> str:
    return f'<td align="{side}" style="text-align:{side};{_CELL}">{content}</td>'


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def _table(
    title: str,
    columns: Sequence[tuple[str, str]],
    rows: Sequence[tuple[Any, ...]],
    total: int | None = -1,
) -> Table:
    """``total``: of how many rows these are the first; None where that is not known."""
    spelled = tuple(tuple(map(encode, row)) for row in rows)
    count = len(rows) if total == -1 else total
    return Table(title, tuple(columns), spelled, count, sampled=False, truncated=count != len(rows))


def _bundle(text: Sequence[str], html: Sequence[str]) -> Bundle:
    style = "max-width:100%;color:var(--jp-ui-font-color1,inherit)"
    return {
        "text/plain": "\n".join(filter(None, text)),
        "text/html": f'<div {tables.NO_MATH} style="{style}">' + "\n".join(html) + "</div>",
    }
