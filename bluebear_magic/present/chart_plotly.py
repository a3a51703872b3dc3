"""A chart as a plotly figure: plain JSON for a notebook's output, a Figure for the user."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Any

from bluebear_magic.present import escape
from bluebear_magic.present.chart_spec import (
    GRID,
    INK,
    LABEL,
    MUTED,
    PALETTE,
    TITLE,
    ChartSpec,
    Series,
    tick_labels,
)


def figure(spec: ChartSpec) -> dict[str, Any]:
    """``data`` and ``layout`` as plotly's JSON, all text escaped for plotly; needs no plotly."""
    return {"data": [_trace(spec, n) for n in range(len(spec.series))], "layout": _layout(spec)}


def plotly_figure(spec: ChartSpec) -> Any:
    """A ``plotly.graph_objects.Figure``."""
    import plotly.graph_objects as go

    return go.Figure(figure(spec))


def _text(text: str, limit: int = LABEL) -> str:
    return escape.plotly(escape.line(text, limit))


def _trace(spec: ChartSpec, n: int) -> dict[str, Any]:
    series = spec.series[n]
    colour = PALETTE[n % len(PALETTE)]
    flat = spec.kind == "barh"
    figures = "x" if flat else "y"
    trace: dict[str, Any] = {
        "name": _text(series.name),
        "customdata": [_text(label, 80) for label in spec.labels],
        # Text of the data reaches the template only escaped: as customdata and as the name.
        "hovertemplate": f"%{{customdata}}: %{{{figures}:,.{spec.decimals}f}}"
        + (f"<extra>{_text(series.name)}</extra>" if spec.legend else "<extra></extra>"),
        "showlegend": spec.legend,
    }
    trace[figures] = list(series.values)
    trace["y" if flat else "x"] = _along(spec)
    if spec.kind in {"line", "scatter"}:
        return trace | _strokes(spec, series, colour)
    return trace | {
        "type": "bar",
        "orientation": "h" if flat else "v",
        "marker": {"color": colour, "line": {"width": 0}},
    }


def _strokes(spec: ChartSpec, series: Series, colour: str) -> dict[str, Any]:
    if spec.kind == "scatter":
        opacity = 0.75 if len(spec.points) <= 200 else 0.35
        marker = {"color": colour, "size": 6, "opacity": opacity}
        return {"type": "scatter", "mode": "markers", "marker": marker}
    return {
        "type": "scatter",
        "mode": "lines+markers" if len(series.values) <= 40 else "lines",
        "line": {"color": colour, "width": 2 if len(series.values) <= 40 else 1.2},
        "marker": {"color": colour, "size": 6},
    }


def _along(spec: ChartSpec) -> list[Any]:
    """Places along the axis of x: bars stand at 0, 1, 2, named by the axis' ticks."""
    if spec.kind == "histogram":
        edges = [float(edge) for edge in spec.points if not isinstance(edge, dt.datetime)]
        return [(a + b) / 2 for a, b in pairwise(edges)]
    if not spec.points:
        return list(range(len(spec.labels)))
    return [p.isoformat() if isinstance(p, dt.datetime) else p for p in spec.points]


def _layout(spec: ChartSpec) -> dict[str, Any]:
    along, figures = _axis(spec.x_title) | {"showgrid": False}, _axis(spec.y_title)
    figures |= {"exponentformat": "B", "separatethousands": True, "nticks": 7}
    if spec.crosses_zero:
        figures |= {"zeroline": True, "zerolinecolor": MUTED}
    figures["rangemode"] = "tozero" if spec.from_zero else "normal"
    if spec.kind not in {"line", "scatter", "histogram"}:
        along |= {
            "tickmode": "array",
            "tickvals": list(range(len(spec.labels))),
            "ticktext": [escape.plotly(label) for label in tick_labels(spec, LABEL)],
        }
    elif spec.temporal:
        along["type"] = "date"
    else:
        along |= {"type": "linear", "exponentformat": "B", "separatethousands": not spec.year}
        if spec.year:
            along["tickformat"] = "d"
    if spec.kind == "barh":
        along |= {"autorange": "reversed"}  # the first row on top, as in the table
    flat = spec.kind == "barh"
    title_font = {"size": 15, "color": INK}
    layout: dict[str, Any] = {
        "title": {
            "text": _text(spec.title, TITLE), "x": 0, "xref": "paper", "xanchor": "left",
            "font": title_font,
        },
        "xaxis": figures if flat else along,
        "yaxis": along if flat else figures,
        "barmode": "stack" if spec.kind == "stacked" else "group",
        "bargap": 0.02 if spec.kind == "histogram" else 0.25,
        "height": spec.height + 20,
        "margin": {"l": 60, "r": 20, "t": 80 if spec.legend else 50, "b": 50},
        "paper_bgcolor": "#FFFFFF",
        "plot_bgcolor": "#FFFFFF",
        "font": {"family": "DejaVu Sans, Verdana, sans-serif", "size": 12, "color": MUTED},
        "hoverlabel": {"align": "left"},
    }  # fmt: skip
    if spec.legend:
        layout["legend"] = {
            "orientation": "h",
            "traceorder": "normal",
            "x": 0,
            "y": 1.02,
            "yanchor": "bottom",
        }
    return layout


def _axis(title: str) -> dict[str, Any]:
    return {
        "title": {"text": _text(title, 60), "font": {"size": 12}, "standoff": 10},
        "automargin": True,
        "gridcolor": GRID,
        "zeroline": False,
        "linecolor": MUTED,
    }
