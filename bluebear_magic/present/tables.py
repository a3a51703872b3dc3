"""A result's table as a person reads it: HTML for a notebook, aligned text for the rest."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any, Literal

from bluebear_magic.present import escape, formats
from bluebear_magic.runner.envelope import Table
from bluebear_magic.runner.values import is_numeric, is_temporal

ROWS_SHOWN = 50
COLUMNS_SHOWN = 60
CELL = 300  # characters of a value that are shown
LINE = 100  # columns of a terminal that the text form fits in
_NARROWEST = 8  # a text column is not cut below this width

Align = Literal["left", "right"]

# JupyterLab's variables where they exist; else what the page uses, so that it reads in
# light and dark alike. GitHub drops all style: `align` and the tags carry the meaning.
_MUTED = "color:var(--jp-ui-font-color2,#767676)"
_TABLE = "border-collapse:collapse;margin:0;font-variant-numeric:tabular-nums"
_INK = "color:var(--jp-ui-font-color1,inherit)"
_EDGE = "border-bottom:1px solid rgba(128,128,128,.45)"
NO_MATH = 'class="tex2jax_ignore mathjax_ignore"'  # MathJax would typeset `$` in values


@dataclass(frozen=True)
class Header:
    """A column's name, on one line, and the side that its cells keep to.

    ``whole``: a cell that is cut would read as another value (numbers, dates).
    """

    name: str
    align: Align
    whole: bool = False


@dataclass(frozen=True)
class Cell:
    """A value as one line of text. ``null`` tells a missing value from a text that says so."""

    text: str
    null: bool = False


@dataclass(frozen=True)
class TableView:
    """A table ready to be shown: at most 50 rows and 60 columns, and a footer that says so."""

    title: str
    header: tuple[Header, ...]
    rows: tuple[tuple[Cell, ...], ...]
    footer: str


NULL = Cell("null", null=True)


def view(table: Table) -> TableView:
    """The first rows and columns of ``table``, formatted; pure."""
    header = tuple(
        Header(
            escape.line(name, CELL),
            "right" if is_numeric(kind) else "left",
            is_numeric(kind) or is_temporal(kind) or kind.strip().lower() == "boolean",
        )
        for name, kind in table.columns[:COLUMNS_SHOWN]
    )
    cells = [
        _cells(name, kind, values)
        for (name, kind), values in zip(
            table.columns, formats.columns(table, COLUMNS_SHOWN), strict=False
        )
    ]
    rows = tuple(zip(*cells, strict=True)) if cells else ()
    return TableView(_title(table.title), header, rows, footer(table))


def _cells(name: str, kind: str, values: tuple[Any, ...]) -> list[Cell]:
    present = [value for value in values if value is not None]
    write = formats.formatter(name, kind, present)
    return [
        NULL if value is None else Cell(escape.line(write(value), CELL))
        for value in values[:ROWS_SHOWN]
    ]


def _title(title: str) -> str:
    """``result`` is the name of a variable, not a title."""
    return "" if title == "result" else escape.line(title, CELL)


def total(table: Table) -> int | None:
    """The true number of rows; None where it is not known."""
    if table.row_count is not None:
        return table.row_count
    return None if table.truncated else len(table.rows)


def counted(number: int, noun: str = "row") -> str:
    """``1 row``, ``336,776 rows``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def footer(table: Table) -> str:
    """What of the table is shown, and whether its figures are the answer's."""
    shown, whole = min(len(table.rows), ROWS_SHOWN), total(table)
    if whole is None:
        text = f"first {counted(shown)}, more not shown"
    elif shown < whole:
        text = f"first {shown:,} of {counted(whole)}"
    else:
        text = counted(whole)
    if len(table.columns) > COLUMNS_SHOWN:
        text += f", first {COLUMNS_SHOWN} of {counted(len(table.columns), 'column')}"
    return f"sample: {text}, figures are not the answer" if table.sampled else text


# --- HTML --------------------------------------------------------------------


def html(shown: TableView) -> str:
    """A self-contained fragment: no scripts, no ids, nothing loaded, style inline only."""
    caption = (
        f'<caption style="caption-side:top;text-align:left;font-weight:bold;{_INK}">'
        f"{markup(shown.title)}</caption>\n"
        if shown.title
        else ""
    )
    head = "".join(
        f'<th scope="col" align="{column.align}" style="text-align:{column.align};{_EDGE}">'
        f"{markup(column.name)}</th>"
        for column in shown.header
    )
    body = "\n".join("<tr>" + "".join(map(_td, shown.header, row)) + "</tr>" for row in shown.rows)
    return (
        f'<div {NO_MATH} style="overflow-x:auto;max-width:100%;{_INK}">\n'
        f'<table style="{_TABLE}">\n{caption}'
        f"<thead>\n<tr>{head}</tr>\n</thead>\n<tbody>\n{body}\n</tbody>\n</table>\n"
        f'<p style="margin:.3em 0 0;{_MUTED}">{markup(shown.footer)}</p>\n</div>'
    )


def markup(text: str) -> str:
    """``text`` as the content of an element, where no two ``$`` can make a formula."""
    return escape.html(text).replace("$", "<span>$</span>")


def _td(column: Header, cell: Cell) -> str:
    content = f'<em style="{_MUTED}">null</em>' if cell.null else markup(cell.text)
    return f'<td align="{column.align}" style="text-align:{column.align}">{content}</td>'


# --- text --------------------------------------------------------------------


def text(shown: TableView) -> str:
    """Aligned columns in at most 100 of a terminal's; what is cut ends in ``…``."""
    grid = [[_plain(cell) for cell in column] for column in zip(*shown.rows, strict=True)] or [
        [] for _ in shown.header
    ]
    values = [max(map(width, cells), default=0) for cells in grid]
    names = [width(column.name) for column in shown.header]
    natural = list(map(max, values, names))
    least = [
        min(size, max(value, _NARROWEST) if column.whole else _NARROWEST)
        for column, size, value in zip(shown.header, natural, values, strict=True)
    ]
    widths = _fitted(natural, least)
    columns = list(zip(shown.header, grid, widths, strict=False))
    lines = [_narrowed(shown.title, LINE)] if shown.title else []
    if columns:
        lines.append(_row([(h.name, size, h.align) for h, _, size in columns]))
        lines.append("  ".join("─" * size for size in widths))
        lines += [
            _row([(cells[i], size, h.align) for h, cells, size in columns])
            for i in range(len(shown.rows))
        ]
    hidden = len(shown.header) - len(columns)
    more = f", {counted(hidden, 'column')} not shown here" if hidden else ""
    lines.append(shown.footer + more)
    return "\n".join(lines)


def _plain(cell: Cell) -> str:
    """Without italics a text that reads ``null`` needs its quotes."""
    return '"null"' if cell.text == "null" and not cell.null else cell.text


def _row(cells: list[tuple[str, int, Align]]) -> str:
    return "  ".join(_pad(*cell) for cell in cells).rstrip()


def _fitted(natural: list[int], least: list[int]) -> list[int]:
    """Widths that fit the line, for as many columns as do.

    The widest columns give way first, down to their ``least``; then columns go, from
    the right.
    """
    for count in range(len(natural), 1, -1):
        widths = natural[:count]
        while (excess := sum(widths) + 2 * (count - 1) - LINE) > 0:
            loose = [i for i in range(count) if widths[i] > least[i]]
            if not loose:
                break
            widest = max(loose, key=lambda i: widths[i])
            others = [widths[i] for i in loose if widths[i] < widths[widest]]
            floor = max([least[widest], *others])
            widths[widest] = max(widths[widest] - excess, min(floor, widths[widest] - 1))
        if excess <= 0:
            return widths
    return [min(size, LINE) for size in natural[:1]]


def width(shown: str) -> int:
    """Columns of a terminal that ``shown`` takes: wide characters two, marks none."""
    if shown.isascii():
        return len(shown)
    return sum(map(_columns, shown))


def _columns(char: str) -> int:
    if unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def _pad(shown: str, size: int, align: Align) -> str:
    shown = _narrowed(shown, size)
    room = " " * (size - width(shown))
    return room + shown if align == "right" else shown + room


def _narrowed(shown: str, size: int) -> str:
    if width(shown) <= size:
        return shown
    kept, used = "", 0
    for char in escape.bare(shown):
        if used + _columns(char) > size - 1:
            break
        kept, used = kept + char, used + _columns(char)
    return escape.isolate(kept + "…")
