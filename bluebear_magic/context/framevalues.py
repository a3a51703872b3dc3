"""DataFrames as Arrow tables: pandas with its many ways to hold a value, polars, Arrow itself."""

from __future__ import annotations

import datetime as dt
import sys
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

from bluebear_magic.context.arrowtypes import check_names, first_line
from bluebear_magic.context.framekinds import is_pandas, is_polars
from bluebear_magic.context.snapshots import Taken
from bluebear_magic.errors import DatasetError

_FAMILIES = (  # the first that fits; bool before int and datetime before date, which hold them
    (bool, "bool"), (int, "int"), (float, "float"), (Decimal, "Decimal"), (str, "str"),
    ((bytes, bytearray), "bytes"), (dt.datetime, "datetime"), (dt.date, "date"),
    (dt.time, "time"), (dt.timedelta, "timedelta"), ((list, tuple), "list"), (dict, "dict"),
)  # fmt: skip
_TOGETHER = ({"int", "float"}, {"int", "Decimal"}, {"list", "ndarray"})
_EVIDENT = {"string", "boolean", "decimal"}  # what pandas tells quickly of a million objects
_INT64 = range(-(2**63), 2**63)


def to_arrow(frame: Any, what: str) -> Taken:
    """The frame as a table. Raises DatasetError, with the column, for values that do not go."""
    if is_pandas(frame):
        return _of_pandas(frame, what)
    if is_polars(frame):
        return _of_polars(frame, what), ()
    table = pa.Table.from_batches([frame]) if isinstance(frame, pa.RecordBatch) else frame
    return table, ()


# --- pandas -----------------------------------------------------------------


def _of_pandas(frame: Any, what: str) -> Taken:
    labels = [frame.columns[index] for index in range(len(frame.columns))]
    names = [_name(label) for label in labels]
    told = [
        f"the column {label!r} is called {name}"
        for label, name in zip(labels, names, strict=True)
        if not isinstance(label, str)
    ]
    if len(told) > 3:
        told = [*told[:3], f"and so on: {len(told)} names of columns became text"]
    index, more = _index(frame, set(names))
    columns = [*index, *((name, frame.iloc[:, i]) for i, name in enumerate(names))]
    check_names([name for name, _ in columns], what)
    arrays = [_pandas_array(column, name, what) for name, column in columns]
    return pa.table(arrays, names=[name for name, _ in columns]), (*told, *more)


def _name(label: Any) -> str:
    """A label as text; the levels of a label of several joined."""
    if isinstance(label, tuple):
        return "_".join(str(part) for part in label if str(part) != "")
    return str(label)


def _index(frame: Any, taken: set[str]) -> tuple[list[tuple[str, Any]], list[str]]:
    """The levels of the index that are data: those with a name, and labels other than numbers."""
    found, told = [], []
    levels = frame.index.nlevels
    for number, label in enumerate(frame.index.names):
        values = frame.index.get_level_values(number)
        if label is None and levels == 1 and (values.dtype.kind in "iu" or not len(values)):
            continue
        unnamed = "index" if levels == 1 else f"level_{number}"
        name = unnamed if label is None else _name(label)
        if name in taken:
            told.append(f"{name} is an index too: that one is left out")
            continue
        found.append((name, values.to_series(index=range(len(values)))))
        if label is None:
            told.append(f"the index, which has no name, is the column {name}")
    return found, told


def _pandas_array(column: Any, name: str, what: str) -> Any:
    import pandas as pd

    kind = column.dtype
    if isinstance(kind, pd.PeriodDtype):
        column = column.dt.to_timestamp()
    elif isinstance(kind, pd.SparseDtype):
        column = column.sparse.to_dense()
    elif isinstance(kind, pd.CategoricalDtype) and kind.categories.dtype == object:
        column = column.astype(object)
    try:
        if column.dtype == object:
            return _objects(column, name, what)
        return pa.array(column, from_pandas=True)
    except (pa.ArrowException, OverflowError, UnicodeError, TypeError, ValueError) as error:
        raise DatasetError(
            f"{what}: the column {name!r} ({kind}) cannot be read: {first_line(error)}",
            f"Make its values of one plain type, or leave it out: {what}.drop(columns={name!r}).",
        ) from error


def _objects(column: Any, name: str, what: str) -> Any:
    """A column of Python objects of one kind."""
    import pandas as pd

    if pd.api.types.infer_dtype(column, skipna=True) in _EVIDENT:
        return pa.array(column, from_pandas=True)
    values = [None if missing else value for value, missing in _with_missing(column)]
    counts = Counter(type(value) for value in values if value is not None)
    families: dict[str, int] = {}
    for kind, count in counts.items():
        family = _family(kind)
        if not family:
            raise DatasetError(
                f"{what}: the column {name!r} holds {kind.__name__} objects, "
                "for which Spark has no type",
                f"Turn them into text: {_as_text(what, name)}.",
            )
        families[family] = families.get(family, 0) + count
    if len(families) > 1 and not any(set(families) <= group for group in _TOGETHER):
        told = ", ".join(f"{family} ({count:,})" for family, count in families.items())
        raise DatasetError(
            f"{what}: the column {name!r} holds values of several types: {told}",
            f"Make them one type, such as text: {_as_text(what, name)}.",
        )
    if set(families) == {"datetime"}:
        _check_zones(values, name, what)
    if "float" in families:
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    if set(families) == {"int"}:
        return _integers([None if value is None else int(value) for value in values])
    return pa.array(values, from_pandas=True)


def _with_missing(column: Any) -> Any:
    return zip(column, column.isna(), strict=True)


def _as_text(what: str, name: str) -> str:
    return f"{what}[{name!r}] = {what}[{name!r}].astype(str)"


def _family(kind: type) -> str:
    """What a type counts as; numpy's scalars as Python's; '' for what cannot be a value."""
    if kind.__module__ == "numpy":
        plain = {"ndarray": "ndarray", "str_": "str", "bytes_": "bytes", "bool": "bool"}
        number = {"int": "int", "uint": "int", "float": "float"}
        return (
            plain.get(kind.__name__.rstrip("_"))
            or plain.get(kind.__name__)
            or number.get(kind.__name__.rstrip("0123456789"), "")
        )
    return next((family for plain, family in _FAMILIES if issubclass(kind, plain)), "")


def _check_zones(values: Sequence[Any], name: str, what: str) -> None:
    if len({value.tzinfo is None for value in values if value is not None}) > 1:
        raise DatasetError(
            f"{what}: the column {name!r} holds times with and without a time zone",
            f"Make them one: {what}[{name!r}] = pd.to_datetime({what}[{name!r}], utc=True).",
        )


def _integers(values: Sequence[int | None]) -> Any:
    """Integers of any size; those beyond 64 bits as decimals."""
    present = [value for value in values if value is not None]
    if not present or (min(present) in _INT64 and max(present) in _INT64):
        return pa.array(values, pa.int64())
    wide = [None if value is None else Decimal(value) for value in values]
    return pa.array(wide, pa.decimal128(38, 0))


# --- polars -----------------------------------------------------------------


def _of_polars(frame: Any, what: str) -> pa.Table:
    polars = sys.modules["polars"]
    # Later versions hand text over as views, which Parquet's writer may not know.
    level = getattr(polars, "CompatLevel", None)
    plain = {"compat_level": level.oldest()} if level else {}
    arrays = []
    for column in frame.get_columns():
        try:
            if column.dtype in {polars.Object, *_wide(polars)}:
                column = _polars_plain(column, polars)  # noqa: PLW2901 - the same values
            arrays.append(column.to_arrow(**plain))
        except (pa.ArrowException, polars.exceptions.PolarsError, TypeError, ValueError) as error:
            raise DatasetError(
                f"{what}: the column {column.name!r} ({column.dtype}) cannot be read: "
                f"{first_line(error)}",
                f"Cast it, or leave it out: {what}.drop({column.name!r}).",
            ) from error
    return pa.table(arrays, names=frame.columns)


def _wide(polars: Any) -> set[Any]:
    """Integers of 128 bits, as far as this polars has them."""
    return {getattr(polars, name) for name in ("Int128", "UInt128") if hasattr(polars, name)}


def _polars_plain(column: Any, polars: Any) -> Any:
    if column.dtype == polars.Object:
        raise TypeError("it holds Python objects")
    return column.cast(polars.Decimal(38, 0))
