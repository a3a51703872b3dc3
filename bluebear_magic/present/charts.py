"""A chart that fits the shape of a result: chosen here, drawn by plotly or as an image.

``choose`` gives a :class:`ChartSpec`; ``figure``, ``plotly_figure`` and ``image`` draw the
same specification for the notebook and for where no scripts run; ``alt`` says it in words.
"""

from __future__ import annotations

from bluebear_magic.present.chart_image import image
from bluebear_magic.present.chart_plotly import figure, plotly_figure
from bluebear_magic.present.chart_rules import choose
from bluebear_magic.present.chart_spec import ChartSpec, Kind, Series, alt

__all__ = ["ChartSpec", "Kind", "Series", "alt", "choose", "figure", "image", "plotly_figure"]
