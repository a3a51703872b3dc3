"""What a chart shows, as values: the same for every way to draw it."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Literal

from bluebear_magic.present import escape, formats

Kind = Literal["line", "bar", "barh", "grouped", "stacked", "scatter", "histogram"]
Point = float | int | dt.datetime

# Okabe and Ito's colours, told apart with any colour vision, in an order in which
# neighbours differ in lightness too; the yellow is left out, white paper swallows it.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#4D4D4D", "#7A5C2E")
INK, MUTED, GRID = "#222222", "#595959", "#E3E3E3"
WIDTH, HEIGHT = 640, 360  # pixels
LABEL, TITLE = 28, 76  # characters of a category and of a title that are shown


@dataclass(frozen=True)
class Series:
    """One measure, or one measure for one value of a second category; None leaves a gap."""

    name: str
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class ChartSpec:
    """A chart. All text is as it came: whoever draws it escapes it.

    ``x`` and ``y`` are the columns it was made of. ``labels`` name the positions along
    x: a bar each, or a point each, where ``points`` (times, or numbers) say how far along;
    ``points`` is empty for bars. A histogram has one more of ``points``, the edges of its
    bars. ``decimals``: how many a figure is shown with. ``year``: the points are years.
    ``note``: what the chart leaves out; the title says it too.
    """

    kind: Kind
    title: str
    x: str
    y: tuple[str, ...]
    x_title: str
    y_title: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    points: tuple[Point, ...] = ()
    decimals: int = 0
    year: bool = False
    note: str = ""

    @property
    def temporal(self) -> bool:
        """Whether the points are times."""
        return bool(self.points) and isinstance(self.points[0], dt.datetime)

    @property
    def values(self) -> list[float]:
        """Every value drawn."""
        return [value for series in self.series for value in series.values if value is not None]

    @property
    def from_zero(self) -> bool:
        """Whether the axis of the values starts at zero.

        Always for bars, whose length is the figure; for lines where it costs little.
        """
        if self.kind == "scatter":
            return False
        low, high = min(self.values, default=0.0), max(self.values, default=0.0)
        return self.kind != "line" or 0 <= low <= high / 2

    @property
    def crosses_zero(self) -> bool:
        """Whether zero lies within the values of bars or lines, and wants a line of its own."""
        return self.kind != "scatter" and min(self.values, default=0.0) < 0

    @property
    def height(self) -> int:
        """Pixels: more than usual where many horizontal bars need the room."""
        return max(HEIGHT, 110 + 20 * len(self.labels)) if self.kind == "barh" else HEIGHT

    @property
    def legend(self) -> bool:
        """Whether the series need naming."""
        return len(self.series) > 1


def decimals(values: list[float]) -> int:
    """Decimals for figures of a chart, as a table of the same values has them."""
    finite = [value for value in values if math.isfinite(value)]
    return formats.decimals(finite) if finite else 0


def tick_labels(spec: ChartSpec, limit: int) -> list[str]:
    """The labels of bars, each on a line of at most ``limit`` characters; not escaped otherwise.

    Where the beginnings are all alike, the ends are kept too.
    """
    cut = [escape.line(label, limit) for label in spec.labels]
    if len(set(cut)) == len(set(spec.labels)):
        return cut
    head = limit // 2
    whole = (escape.bare(escape.visible(label)) for label in spec.labels)
    return [
        escape.isolate(text if len(text) <= limit else f"{text[:head]}…{text[head + 1 - limit :]}")
        for text in whole
    ]


_NAMES = {
    "line": "Line chart", "bar": "Bar chart", "barh": "Bar chart", "grouped": "Grouped bar chart",
    "stacked": "Stacked bar chart", "scatter": "Scatter chart", "histogram": "Histogram",
}  # fmt: skip


def alt(spec: ChartSpec) -> str:
    """The chart in a sentence or two, for who does not see it; one line, not escaped for HTML."""
    text = f"{_NAMES[spec.kind]}: {escape.line(spec.title, 120)}."
    values = spec.values
    if spec.kind == "histogram":
        return f"{text} {len(spec.labels)} bars."
    if spec.legend:
        names = ", ".join(escape.line(series.name, LABEL) for series in spec.series)
        text += f" Series: {names}."
    low, high = (f"{extreme:,.{spec.decimals}f}" for extreme in (min(values), max(values)))
    if spec.kind == "scatter":
        return f"{text} {len(spec.points):,} points, values from {low} to {high}."
    if spec.points:
        first, last = escape.line(spec.labels[0], LABEL), escape.line(spec.labels[-1], LABEL)
        return f"{text} From {first} to {last}, values from {low} to {high}."
    bars = len(values)
    return f"{text} {bars} bars, values from {low} to {high}."
