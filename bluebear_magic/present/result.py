"""What a run gives the user."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bluebear_magic.errors import DatasetError
from bluebear_magic.present import escape, render
from bluebear_magic.present.chart_rules import choose
from bluebear_magic.present.chart_spec import ChartSpec
from bluebear_magic.present.summary import summarise
from bluebear_magic.present.tables import counted, total
from bluebear_magic.records import ChartHint, ErrorInfo, Receipt, Usage
from bluebear_magic.runner.envelope import Table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class Result:
    """Tables with the code that made them, and ways to look at them.

    ``tables`` are previews, with what is known of the whole; ``stdout`` is what the code
    printed; ``receipt`` says what ran, where and over what; ``error`` why it failed, if it did.
    ``told``: a model's sentences on it, checked; ``note``: what they took, in words;
    ``usage``: the calls.
    """

    tables: tuple[Table, ...]
    code: str
    receipt: Receipt | None
    question: str = ""
    hint: ChartHint | None = None
    explanation: str = ""
    stdout: str = ""
    error: ErrorInfo | None = None
    told: str = ""
    note: str = ""
    usage: tuple[Usage, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the run ended well."""
        return self.error is None

    @cached_property
    def df(self) -> pd.DataFrame:
        """The first table as pandas: all of it where it is on disk, else the preview.

        Timestamps are naive, in UTC; dates are ``datetime64``; decimals are ``Decimal``.
        Raises ``DatasetError`` when there is no table or its files are gone.
        """
        from bluebear_magic.present.frames import frame

        if self.error is not None:
            raise DatasetError(f"This run failed: {self.error.message}", self.error.hint)
        if not self.tables:
            raise DatasetError("This run gave no table.", "End the code with `result = ...`.")
        return frame(self.tables[0])

    @cached_property
    def dfs(self) -> dict[str, pd.DataFrame]:
        """Every table as pandas, by title; read once."""
        from bluebear_magic.present.frames import frame

        first = {self.tables[0].title: self.df} if self.tables else {}
        return first | {table.title: frame(table) for table in self.tables[1:]}

    @property
    def path(self) -> str | None:
        """Where the first table lies in full, as Parquet; None where it was not kept."""
        return self.tables[0].uri if self.tables else None

    @property
    def paths(self) -> dict[str, str | None]:
        """Where each table lies in full, by title."""
        return {table.title: table.uri for table in self.tables}

    @cached_property
    def charts(self) -> tuple[ChartSpec, ...]:
        """A chart for each table that has one; the hint is for the first table."""
        specs = (
            choose(table, None if n else self.hint, self.question)
            for n, table in enumerate(self.tables)
        )
        return tuple(spec for spec in specs if spec is not None)

    @property
    def fig(self) -> Any:
        """The first chart as a plotly Figure, or None."""
        return next(iter(self.figs), None)

    @cached_property
    def figs(self) -> tuple[Any, ...]:
        """Every chart as a plotly Figure."""
        from bluebear_magic.present.chart_plotly import plotly_figure

        return tuple(map(plotly_figure, self.charts))

    @cached_property
    def summary(self) -> str:
        """One to three sentences, every figure of which is in the result."""
        return self.told or summarise(self.tables, self.question)

    @property
    def sampled(self) -> bool:
        """Whether any figure comes from a sample."""
        return any(table.sampled for table in self.tables)

    @property
    def truncated(self) -> bool:
        """Whether any table holds fewer rows than the result."""
        return any(table.truncated for table in self.tables)

    def __repr__(self) -> str:
        if self.error is not None:
            return f"<Result: failed, {escape.line(self.error.message, 60)}>"
        told = "; ".join(map(_described, self.tables[:3]))
        more = "; ..." if len(self.tables) > 3 else ""
        return f"<Result: {told or 'no tables'}{more}>"

    def _repr_mimebundle_(
        self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None
    ) -> dict[str, Any]:
        bundle = render.whole_bundle(self)
        kept = set(bundle if include is None else include) - set(exclude or ())
        return {kind: data for kind, data in bundle.items() if kind in kept}

    def _ipython_display_(self) -> None:
        render.show(self)


def _described(table: Table) -> str:
    rows = total(table)
    known = counted(rows) if rows is not None else f"more than {counted(len(table.rows))}"
    names = ", ".join(escape.line(name, 30) for name, _ in table.columns[:6])
    more = ", ..." if len(table.columns) > 6 else ""
    sample = " of a sample" if table.sampled else ""
    return f"{known}{sample} of {names}{more}"
