"""An Arrow table in types that Spark reads from Parquet with the meaning that they have."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types as kinds

from bluebear_magic.context import types
from bluebear_magic.errors import DatasetError


def readable(table: pa.Table, what: str) -> tuple[pa.Table, tuple[str, ...]]:
    """The table with Spark's types, and what was changed for that, a sentence each.

    Categories become their values, times lose what is finer than a microsecond, durations
    become seconds, columns without a type text. ``what``: what the table is called in errors.
    Raises DatasetError for names that Spark cannot tell apart and for types it has not.
    """
    check_names(table.column_names, what)
    columns, told = [], []
    for name, column in zip(table.column_names, table.columns, strict=True):
        try:
            changed, said = _column(name, column)
            types.ddl(changed.type)
        except types.Unreadable as error:
            raise _no_type(what, name, str(error)) from error
        except (pa.ArrowException, ValueError, OverflowError) as error:
            reason = f"{column.type}: {first_line(error)}"
            raise _no_type(what, name, reason) from error
        columns.append(changed)
        told += said
    made = pa.table(columns, names=table.column_names) if columns else table
    return made.replace_schema_metadata(None), tuple(told)


def check_names(names: Sequence[str], what: str) -> None:
    """Raises DatasetError for no columns, for one without a name and for equal names."""
    if not names:
        raise DatasetError(f"{what} has no columns", "Give it at least one.")
    if "" in names:
        raise DatasetError(
            f"{what}: column {names.index('') + 1} has an empty name", "Give the column a name."
        )
    seen: dict[str, str] = {}
    for name in names:
        twin = seen.get(name.lower())
        seen[name.lower()] = name
        if twin is not None:
            same = f"two columns are called {name!r}"
            alike = (
                f"the columns {twin!r} and {name!r} have the same name for Spark, "
                "which does not tell upper from lower case"
            )
            raise DatasetError(
                f"{what}: {same if twin == name else alike}", "Give each column a name of its own."
            )


def first_line(error: BaseException) -> str:
    """The first line of what an error says."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _no_type(what: str, name: str, reason: str) -> DatasetError:
    return DatasetError(
        f"{what}: Spark cannot read the column {name!r}: {reason}",
        "Leave the column out, or turn it into text or numbers.",
    )


def _column(name: str, column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, list[str]]:
    kind = column.type
    if kinds.is_run_end_encoded(kind):
        plain = [pc.run_end_decode(chunk) for chunk in column.chunks]
        return _column(name, pa.chunked_array(plain, kind.value_type))
    if isinstance(kind, pa.BaseExtensionType):
        plain = [chunk.storage for chunk in column.chunks]
        return _column(name, pa.chunked_array(plain, kind.storage_type))
    if kinds.is_null(kind):
        return column.cast(pa.string()), [f"{name} has no values: taken as text"]
    if kinds.is_duration(kind):
        return _seconds(column), [f"{name} is a duration, in seconds"]
    told = []
    inner = types.leaves(kind)
    if kinds.is_timestamp(kind) and kind.unit == "ns" and _has_nanoseconds(column):
        told.append(f"{name} is cut to microseconds: Spark has no finer times")
    wanted = _target(kind)
    if wanted == kind:
        return column, told
    # Only what is finer than a microsecond may be lost; what does not fit is an error.
    return column.cast(wanted, safe=not any(_is_fine(leaf) for leaf in inner)), told


def _is_fine(kind: pa.DataType) -> bool:
    timed = kinds.is_timestamp(kind) or kinds.is_time(kind)
    return bool(timed and kind.unit == "ns") or bool(kinds.is_date64(kind))


def _has_nanoseconds(column: pa.ChunkedArray) -> bool:
    micro = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    return bool(pc.any(pc.not_equal(micro.cast(column.type), column)).as_py())


def _seconds(column: pa.ChunkedArray) -> pa.ChunkedArray:
    parts = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[column.type.unit]
    return pc.divide(column.cast(pa.int64()).cast(pa.float64(), safe=False), parts)


def _newer(name: str) -> Callable[[pa.DataType], bool]:
    """A test for a type that older versions of pyarrow have not."""
    return getattr(kinds, name, lambda kind: False)  # noqa: ARG005 - none is of it


_PLAIN: tuple[tuple[Callable[[pa.DataType], bool], pa.DataType], ...] = (
    (kinds.is_time, pa.time64("us")),
    (kinds.is_date64, pa.date32()),
    (_newer("is_string_view"), pa.large_string()),
    (_newer("is_binary_view"), pa.large_binary()),
    (kinds.is_float16, pa.float32()),
    (kinds.is_null, pa.string()),
)


def _target(kind: pa.DataType) -> pa.DataType:
    """The type to write: Spark's, or one that Spark reads as it is meant."""
    for test, plain in _PLAIN:
        if test(kind):
            return plain
    if kinds.is_timestamp(kind):
        return pa.timestamp("us", kind.tz)
    if kinds.is_dictionary(kind):
        return _target(kind.value_type)
    if kinds.is_decimal(kind):
        return _decimal(kind)
    return _nested(kind)


def _nested(kind: pa.DataType) -> pa.DataType:
    if kinds.is_map(kind):
        return pa.map_(_target(kind.key_type), _target(kind.item_type))
    if kinds.is_struct(kind):
        fields = [kind.field(index) for index in range(kind.num_fields)]
        return pa.struct([(field.name, _target(field.type)) for field in fields])
    if kinds.is_large_list(kind):
        return pa.large_list(_target(kind.value_type))
    if kinds.is_list(kind) or kinds.is_fixed_size_list(kind):
        return pa.list_(_target(kind.value_type))
    return kind


def _decimal(kind: pa.DataType) -> pa.DataType:
    if kind.precision > 38:
        raise types.Unreadable(f"decimals of {kind.precision} digits (at most 38)")
    return pa.decimal128(kind.precision, kind.scale)
