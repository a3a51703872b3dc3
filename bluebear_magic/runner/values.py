"""Cell values of a result <-> JSON, by Spark type.

JSON has no dates, no decimals and no exact big integers, so values cross a
process, and reach ``--json``, in these spellings: dates and timestamps as ISO
strings, decimals and integers beyond 2^53 as strings, NaN and infinities as
null, binary as hexadecimal, structs and maps as objects, arrays as lists.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

MAX_SAFE_INTEGER = 2**53  # beyond it a JSON reader that uses doubles loses digits


def encode(value: Any) -> Any:
    """The JSON spelling of one Python value as Spark's ``collect`` gives it."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if abs(value) <= MAX_SAFE_INTEGER else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None).isoformat(sep="T")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return bytes(value).hex()
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if hasattr(value, "asDict"):  # pyspark's Row, which is also a tuple
        return {key: encode(item) for key, item in value.asDict().items()}
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    return str(value)


def decode(value: Any, ddl: str) -> Any:
    """The Python value behind a JSON spelling, for a column of type ``ddl``.

    Nested types come back as the lists and dicts they are spelled as.
    """
    if value is None:
        return None
    kind = ddl.strip().lower()
    if isinstance(value, str):
        if kind in {"tinyint", "smallint", "int", "integer", "bigint", "long"}:
            return int(value)
        if kind.startswith("decimal"):
            return Decimal(value)
        if kind == "date":
            return dt.date.fromisoformat(value)
        if kind.startswith("timestamp"):
            return dt.datetime.fromisoformat(value)
        if kind == "binary":
            return bytes.fromhex(value)
    elif kind in {"double", "float"} and isinstance(value, int):
        return float(value)
    return value


def is_numeric(ddl: str) -> bool:
    """Whether a column of type ``ddl`` holds numbers."""
    kind = ddl.strip().lower()
    return kind.startswith("decimal") or kind in {
        "tinyint", "smallint", "int", "integer", "bigint", "long", "float", "double",
    }  # fmt: skip


def is_temporal(ddl: str) -> bool:
    """Whether a column of type ``ddl`` holds dates or timestamps."""
    kind = ddl.strip().lower()
    return kind == "date" or kind.startswith("timestamp")
