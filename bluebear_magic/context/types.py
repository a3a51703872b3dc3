"""Spark's DDL types for what Parquet and ORC files hold."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

import pyarrow as pa
from pyarrow import types as kinds

_SIMPLE = (
    (kinds.is_boolean, "BOOLEAN"),
    (kinds.is_int8, "TINYINT"),
    (kinds.is_int16, "SMALLINT"),
    (kinds.is_int32, "INT"),
    (kinds.is_int64, "BIGINT"),
    (kinds.is_uint8, "SMALLINT"),
    (kinds.is_uint16, "INT"),
    (kinds.is_uint32, "BIGINT"),
    (kinds.is_uint64, "DECIMAL(20,0)"),
    (kinds.is_float32, "FLOAT"),
    (kinds.is_float64, "DOUBLE"),
    (kinds.is_date, "DATE"),
    (kinds.is_string, "STRING"),
    (kinds.is_large_string, "STRING"),
    (kinds.is_binary, "BINARY"),
    (kinds.is_large_binary, "BINARY"),
    (kinds.is_fixed_size_binary, "BINARY"),
    # Spark has no such types here; the file holds them as plain integers.
    (kinds.is_duration, "BIGINT"),
    (kinds.is_time32, "INT"),
    (kinds.is_time64, "BIGINT"),
    (kinds.is_null, "INT"),
)


class Unreadable(Exception):
    """Spark has no type for it; the text says what it is."""


def quoted(name: str) -> str:
    """A name in DDL."""
    return "`" + name.replace("`", "``") + "`"


def ddl(kind: pa.DataType, *, instants: bool = False) -> str:
    """The Spark type of an Arrow type; ``instants``: timestamps without a zone are instants.

    Raises Unreadable for types that Spark's readers refuse.
    """
    for test, name in _SIMPLE:
        if test(kind):
            return name
    if kinds.is_dictionary(kind):
        return ddl(kind.value_type, instants=instants)
    if kinds.is_timestamp(kind):
        return "TIMESTAMP" if kind.tz or instants else "TIMESTAMP_NTZ"
    if kinds.is_decimal(kind):
        if kind.precision > 38:
            raise Unreadable(f"a decimal of {kind.precision} digits (at most 38)")
        return f"DECIMAL({kind.precision},{kind.scale})"
    if isinstance(kind, pa.BaseExtensionType):
        return ddl(kind.storage_type, instants=instants)
    return _nested(kind, instants=instants)


def _nested(kind: pa.DataType, *, instants: bool) -> str:
    if kinds.is_struct(kind):
        fields = [kind.field(index) for index in range(kind.num_fields)]
        if not fields:
            raise Unreadable("a struct without fields")
        inner = ", ".join(f"{quoted(f.name)}: {ddl(f.type, instants=instants)}" for f in fields)
        return f"STRUCT<{inner}>"
    if kinds.is_map(kind):
        key, item = (ddl(part, instants=instants) for part in (kind.key_type, kind.item_type))
        return f"MAP<{key}, {item}>"
    if kinds.is_list(kind) or kinds.is_large_list(kind) or kinds.is_fixed_size_list(kind):
        return f"ARRAY<{ddl(kind.value_type, instants=instants)}>"
    raise Unreadable(str(kind))


def leaves(kind: pa.DataType) -> AbstractSet[pa.DataType]:
    """The scalar types within a type."""
    if kinds.is_dictionary(kind):
        return leaves(kind.value_type)
    if kinds.is_nested(kind):
        inner = (kind.field(index).type for index in range(kind.num_fields))
        return frozenset().union(*map(leaves, inner))
    return frozenset({kind})
