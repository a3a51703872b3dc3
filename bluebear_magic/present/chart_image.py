"""A chart as a PNG, drawn by matplotlib without a browser, a display or pyplot.

The same specification gives the same bytes: matplotlib's own settings and fonts, not
the user's; no date and no version in the file.
"""

from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING, Any

from bluebear_magic.present import escape
from bluebear_magic.present.chart_spec import (
    GRID,
    INK,
    LABEL,
    MUTED,
    PALETTE,
    TITLE,
    WIDTH,
    ChartSpec,
    tick_labels,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_DPI = 100
_MINUS = "\u2212"
_MARKERS = "osD^vPX*"  # told apart in grey too
_STYLE = {
    "font.family": ["DejaVu Sans"], "font.size": 9, "text.color": INK,
    "axes.edgecolor": MUTED, "axes.labelcolor": MUTED, "axes.linewidth": 0.8,
    "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True,
    "axes.titlesize": 11, "axes.titlelocation": "left", "axes.titlecolor": INK,
    "grid.color": GRID, "grid.linewidth": 0.8, "xtick.color": MUTED, "ytick.color": MUTED,
    "xtick.labelsize": 9, "ytick.labelsize": 9, "legend.frameon": False, "legend.fontsize": 9,
    "figure.facecolor": "white", "axes.facecolor": "white",
}  # fmt: skip
# The settings that a drawing depends on; not the backend, which belongs to the user.
_DRAWN = ("axes.", "date.", "font.", "grid.", "legend.", "lines.", "patch.", "path.", "scatter.",
          "text.", "xtick.", "ytick.", "mathtext.", "figure.", "savefig.", "agg.")  # fmt: skip


def image(spec: ChartSpec) -> bytes:
    """PNG, 640 pixels wide and 360 high, or higher for many horizontal bars."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    defaults = {
        key: mpl.rcParamsDefault[key] for key in mpl.rcParamsDefault if key.startswith(_DRAWN)
    }
    with mpl.rc_context({**defaults, **_STYLE}):
        layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.09)  # inches
        figure = Figure(figsize=(WIDTH / _DPI, spec.height / _DPI), dpi=_DPI, layout=layout)
        canvas = FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        _draw(axes, spec)
        _dress(figure, axes, spec)
        target = io.BytesIO()
        canvas.print_png(target, metadata={"Software": None})
    return target.getvalue()


def _draw(axes: Any, spec: ChartSpec) -> None:
    if spec.kind == "scatter":
        opacity = 0.75 if len(spec.points) <= 200 else 0.35
        axes.scatter(
            _along(spec), spec.series[0].values, s=20, alpha=opacity, color=PALETTE[0], linewidths=0
        )
    elif spec.kind == "line":
        marked = len(spec.points) <= 40
        thickness = 2 if marked else 1.2
        for n, series in enumerate(spec.series):
            axes.plot(
                _along(spec), _gaps(series.values), linewidth=thickness,
                color=PALETTE[n % len(PALETTE)],
                marker=_MARKERS[n % len(_MARKERS)] if marked else None, markersize=4.5,
                label=_text(series.name),
            )  # fmt: skip
    elif spec.kind == "histogram":
        edges = _along(spec)
        size = edges[1] - edges[0]
        axes.bar(edges[:-1], spec.series[0].values, size * 0.98, align="edge", color=PALETTE[0])
    else:
        _draw_bars(axes, spec)


def _draw_bars(axes: Any, spec: ChartSpec) -> None:
    stacked = spec.kind == "stacked"
    size = 0.75 if stacked else 0.75 / len(spec.series)
    base = [0.0] * len(spec.labels)
    for n, series in enumerate(spec.series):
        shift = 0.0 if stacked else (n - (len(spec.series) - 1) / 2) * size
        places = [place + shift for place in range(len(spec.labels))]
        heights = [value or 0.0 for value in series.values]
        look = {"color": PALETTE[n % len(PALETTE)], "label": _text(series.name)}
        if spec.kind == "barh":
            axes.barh(places, heights, size, **look)
        else:
            axes.bar(places, heights, size, bottom=base if stacked else None, **look)
        base = [a + b for a, b in zip(base, heights, strict=True)]


def _gaps(values: tuple[float | None, ...]) -> list[float]:
    return [float("nan") if value is None else value for value in values]


def _along(spec: ChartSpec) -> list[float]:
    """Numbers for the points; times as matplotlib's days."""
    from matplotlib.dates import date2num

    return [float(date2num(p)) if isinstance(p, dt.datetime) else float(p) for p in spec.points]


def _dress(figure: Any, axes: Any, spec: ChartSpec) -> None:
    """Title, ticks, grid and legend."""
    from matplotlib.ticker import MaxNLocator

    flat = spec.kind == "barh"
    along, figures = (axes.yaxis, axes.xaxis) if flat else (axes.xaxis, axes.yaxis)
    along.set_label_text(_text(spec.x_title, 60))
    figures.set_label_text(_text(spec.y_title, 44))
    figures.grid(visible=True)
    figures.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    figures.set_major_formatter(_figures)
    along.set_tick_params(length=0 if not spec.points else 3.5)
    figures.set_tick_params(length=0)
    if spec.from_zero and min(spec.values) >= 0:
        axes.set_xlim(left=0) if flat else axes.set_ylim(bottom=0)
    if spec.crosses_zero:
        (axes.axvline if flat else axes.axhline)(0, color=MUTED, linewidth=0.8)
    _ticks(along, spec)
    if flat:
        axes.invert_yaxis()  # the first row on top, as in the table
    if not spec.points:
        axes.margins(**{"y" if flat else "x": 0.01})
    axes.set_title(_text(spec.title, TITLE), pad=26 if _legend_rows(spec) == 1 else 10)
    if spec.legend:
        _legend(figure, axes, spec)


def _legend_rows(spec: ChartSpec) -> int:
    if not spec.legend:
        return 0
    return 1 if sum(min(len(series.name), LABEL) + 5 for series in spec.series) <= 80 else 2


def _legend(figure: Any, axes: Any, spec: ChartSpec) -> None:
    """Under the title where it fits one row, else beside the chart."""
    if _legend_rows(spec) == 1:
        axes.legend(
            loc="lower left", bbox_to_anchor=(-0.01, 0.99), ncols=len(spec.series), borderpad=0.2,
            columnspacing=1.4, handlelength=1.4,
        )  # fmt: skip
    else:
        figure.legend(loc="outside right upper", handlelength=1.4)


def _ticks(axis: Any, spec: ChartSpec) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
    from matplotlib.ticker import MaxNLocator

    if not spec.points:
        limit = LABEL if spec.kind == "barh" else 20
        axis.set_ticks(range(len(spec.labels)), list(map(_drawable, tick_labels(spec, limit))))
        return
    if not spec.temporal:
        axis.set_major_locator(MaxNLocator(9, integer=_whole(spec), steps=[1, 2, 2.5, 5, 10]))
        axis.set_major_formatter(_plain if spec.year else _figures)
        return
    # Margins may reach beyond the calendar, which matplotlib's dates do not.
    low, high = axis.get_view_interval()
    first, last = date2num(dt.datetime(1, 1, 1)), date2num(dt.datetime(9999, 12, 31))
    axis.axes.set_xlim(max(low, first), min(high, last))
    locator = AutoDateLocator(minticks=3, maxticks=9)
    axis.set_major_locator(locator)
    axis.set_major_formatter(ConciseDateFormatter(locator))


def _whole(spec: ChartSpec) -> bool:
    return not spec.temporal and all(float(p).is_integer() for p in spec.points)  # type: ignore[arg-type]


def _plain(value: float, _: int | None = None) -> str:
    return f"{value:g}"


def _figures(value: float, _: int | None = None) -> str:
    """As plotly writes ticks: 5,000, 20k, 1.5M, 2B."""
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= (1e4 if letter == "k" else size):
            return f"{value / size:g}{letter}".replace("-", _MINUS)
    return f"{value:,.10g}".replace("-", _MINUS)


def _text(text: str, limit: int = LABEL) -> str:
    """Cut, harmless to mathtext, and with a box for what the font has no glyph for."""
    return _drawable(escape.line(text, limit))


def _drawable(line: str) -> str:
    has = _glyphs()
    return escape.mathtext("".join(c if has(c) else "\u25a1" for c in escape.bare(line)))


def _glyphs() -> Callable[[str], bool]:
    from matplotlib import font_manager

    font = font_manager.get_font(font_manager.findfont("DejaVu Sans"))
    return lambda char: bool(font.get_char_index(ord(char)))
