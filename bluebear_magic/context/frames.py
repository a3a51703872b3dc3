"""DataFrames and Arrow tables in the notebook's variables, as datasets.

A frame becomes one only when a question, code or ``--data`` names it, since Spark reads a copy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bluebear_magic.context import framekinds
from bluebear_magic.errors import DatasetError
from bluebear_magic.protocols import Found, Glance, Reporter
from bluebear_magic.records import Dataset
from bluebear_magic.runner.envelope import Binding

if TYPE_CHECKING:
    import pyarrow as pa

    from bluebear_magic.context.sources import Place

SCHEME = "frame:"


class FrameSource:
    """pandas and polars DataFrames, Arrow tables and batches; ``frame:NAME`` is a variable."""

    name = "frames"
    leaves_machine = False

    def __init__(self, place: Place) -> None:
        self._place = place

    def claims(self, location: str) -> bool:
        """``frame:`` and the name of a variable."""
        return location.startswith(SCHEME)

    def complete(self, location: str) -> str:
        """As it is."""
        return location

    def suggest(self, location: str) -> str:
        """The variable's name."""
        return location.removeprefix(SCHEME)

    def found(self) -> Sequence[Found]:
        """The variables that hold frames, but for those that are hidden by their names."""
        return [
            Found(name, SCHEME + name, f"{name}_frame", glance=_glance(value))
            for name, value in list(self._place.variables().items())
            if not name.startswith("_") and framekinds.kind_of(value)
        ]

    def describe(self, name: str, location: str, options: Mapping[str, str]) -> Dataset:
        """The dataset over a copy of the frame as it is now."""
        if options:
            raise DatasetError(
                f"{location}: a variable takes no options, and {', '.join(options)} was given",
                "Change the frame instead.",
            )
        from bluebear_magic.context import snapshots

        variable = self.suggest(location)
        table, told = self._table(variable)
        dataset = snapshots.snapshot(table, name, location)
        rows = "1 row" if len(table) == 1 else f"{len(table):,} rows"
        copied = f"the variable `{variable}` as it was when this was asked: {rows}"
        return replace(dataset, warnings=(copied, *told, *dataset.warnings))

    def fingerprint(self, location: str, options: Mapping[str, str]) -> str:
        """The hash of the frame's values; '' where the copy of them is gone."""
        from bluebear_magic.context import snapshots

        state = snapshots.fingerprint(self._table(self.suggest(location))[0])
        return state if snapshots.is_kept(state) else ""

    def whole(self, dataset: Dataset, reporter: Reporter) -> Binding:
        """The copy."""
        return dataset.binding

    def _table(self, variable: str) -> tuple[pa.Table, tuple[str, ...]]:
        from bluebear_magic.context import framevalues, snapshots
        from bluebear_magic.context.arrowtypes import readable

        frame = self._frame(variable)
        instead = f"Write it to a file in the folder data{_written(frame, variable)}"
        limit = snapshots.Limit(self._place.settings.snapshot_mb, f"`{variable}`", instead)
        limit.check(framekinds.memory(frame))
        table, told = framevalues.to_arrow(frame, variable)
        limit.check(table.nbytes)
        table, more = readable(table, variable)
        limit.check(table.nbytes)
        return table, (*told, *more)

    def _frame(self, variable: str) -> Any:
        variables = self._place.variables()
        if variable not in variables:
            raise DatasetError(
                f"there is no variable `{variable}`", "Run the cell that makes it, or name another."
            )
        frame = variables[variable]
        if framekinds.is_lazy(frame):
            raise DatasetError(
                f"`{variable}` is a LazyFrame: a plan that holds no rows yet",
                f"Collect it first: {variable} = {variable}.collect()",
            )
        if not framekinds.kind_of(frame):
            raise DatasetError(
                f"`{variable}` is no DataFrame, it is a {type(frame).__name__}",
                "pandas and polars DataFrames and Arrow tables can be asked about.",
            )
        return frame


def _glance(frame: Any) -> Glance:
    """What can be told at no cost."""
    kind = framekinds.kind_of(frame)
    if framekinds.is_lazy(frame):
        return Glance(f"{kind} LazyFrame", None, None)
    rows, columns = (int(count) for count in frame.shape)
    return Glance(kind, rows, columns)


def _written(frame: Any, variable: str) -> str:
    name = variable if re.fullmatch(r"\w+", variable) else "frame"
    calls = {"pandas": f"{variable}.to_parquet", "polars": f"{variable}.write_parquet"}
    call = calls.get(framekinds.kind_of(frame))
    return f': {call}("data/{name}.parquet")' if call else " (pyarrow.parquet.write_table)"
