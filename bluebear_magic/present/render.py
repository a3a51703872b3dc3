"""Results as Jupyter's MIME bundles: plain dicts, for whoever displays or updates them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from bluebear_magic.present import escape, tables
from bluebear_magic.present.chart_image import image
from bluebear_magic.present.chart_plotly import figure
from bluebear_magic.present.chart_spec import ChartSpec, alt

if TYPE_CHECKING:
    from bluebear_magic.present.result import Result

PLOTLY = "application/vnd.plotly.v1+json"
Bundle = dict[str, Any]


def result_bundle(result: Result) -> Bundle:
    """Summary, printed output and tables as ``text/plain`` and ``text/html``; no charts."""
    return {"text/plain": _text(result), "text/html": _html(result, [])}


def chart_bundles(result: Result) -> list[Bundle]:
    """For each chart: plotly's JSON, the same as ``image/png`` (base64), and words for both."""
    return [_chart(spec) for spec in result.charts]


def whole_bundle(result: Result) -> Bundle:
    """Everything in one bundle: the charts are images in the HTML, the first one plotly too."""
    charts = chart_bundles(result)
    images = [
        f'<p><img alt="{escape.html(chart["text/plain"])}" style="max-width:100%" '
        f'src="data:image/png;base64,{chart["image/png"]}"></p>'
        for chart in charts
    ]
    bundle = {"text/plain": _text(result), "text/html": _html(result, images)}
    first = charts[0] if charts else {}
    return bundle | {kind: data for kind, data in first.items() if kind != "text/plain"}


def show(result: Result) -> None:
    """Displays the tables, then each chart by itself: a frontend shows one type of a bundle."""
    from IPython.display import display

    for bundle in (result_bundle(result), *chart_bundles(result)):
        display(bundle, raw=True)


def code_html(code: str) -> str:
    """Code as it stands; what would reorder or hide parts of it is spelled out."""
    # Never isolated: a line of code is read from the left whatever it begins with.
    return f'<pre dir="ltr">{escape.code(code)}</pre>'


def _chart(spec: ChartSpec) -> Bundle:
    return {
        PLOTLY: {**figure(spec), "config": {"displaylogo": False, "responsive": True}},
        "image/png": base64.b64encode(image(spec)).decode("ascii"),
        "text/plain": escape.terminal(alt(spec)),
    }


def _text(result: Result) -> str:
    error = [escape.terminal(text) for text in _failure(result) if text]
    parts = ["\n".join(error), result.summary, escape.terminal(result.stdout).rstrip()]
    parts += [tables.text(tables.view(table)) for table in result.tables]
    return "\n\n".join(filter(None, [*parts, _where(result)]))


def _where(result: Result) -> str:
    """Which backend ran it: what the picker chose, when the picker is gone; who told of it."""
    if result.receipt is None:
        return escape.line(result.note, 400)
    ran = f"Ran on Spark {result.receipt.spark_version} ({result.receipt.backend})."
    return f"{ran} {escape.line(result.note, 400)}".rstrip()


def _failure(result: Result) -> tuple[str, str]:
    """What went wrong and what to do, for a run that failed; else nothing."""
    if result.error is None:
        return "", ""
    where = f"Line {result.error.line}: " if result.error.line else ""
    return where + result.error.message, result.error.hint


def _html(result: Result, images: list[str]) -> str:
    told = filter(None, (*_failure(result), result.summary))
    parts = [f"<p>{tables.markup(text)}</p>" for text in told]
    if printed := escape.terminal(result.stdout).rstrip():
        parts.append(f'<pre dir="ltr">{escape.html(printed)}</pre>')
    parts += [tables.html(tables.view(table)) for table in result.tables]
    if where := _where(result):
        parts.append(f"<p><small>{tables.markup(where)}</small></p>")
    return f"<div {tables.NO_MATH}>\n" + "\n".join(parts + images) + "\n</div>"
