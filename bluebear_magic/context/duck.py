"""DuckDB as it is used here: in memory, offline, UTC; and its spellings of names and values."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from bluebear_magic.context.dialect import Dialect

_NEWLINES = {"\n": "'\\n'", "\r": "'\\r'", "\r\n": "'\\r\\n'"}
Error = duckdb.Error
FILE = "_bluebear_file"  # the column that says which file a row is from


def connect(scratch: Path) -> Any:
    """A connection that never downloads; ``scratch`` takes what does not fit in memory."""
    connection = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "threads": min(4, os.cpu_count() or 1),
            "memory_limit": "2GB",
            "temp_directory": str(scratch),
        },
    )
    connection.execute("SET TimeZone = 'UTC'")
    # Parquet's statistics do not count NaN; DuckDB concludes from them that there is none.
    connection.execute("SET disabled_optimizers = 'statistics_propagation'")
    return connection


def literal(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A quoted name."""
    return '"' + name.replace('"', '""') + '"'


def csv_sql(paths: Sequence[Path], dialect: Dialect, width: int, nulls: Sequence[str]) -> str:
    """``read_csv`` of UTF-8 files in exactly this dialect: columns c0, c1, ... as text.

    Nothing is detected again; ``FILE`` is the path.
    """
    names = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(width))
    return (
        f"read_csv([{', '.join(literal(str(path)) for path in paths)}], auto_detect=false, "
        f"columns={{{names}}}, delim={literal(dialect.sep)}, quote={literal(dialect.quote)}, "
        f"escape={literal(dialect.escape)}, header={str(dialect.header).lower()}, "
        f"new_line={_NEWLINES[dialect.newline]}, "
        f"nullstr=[{', '.join(literal(null) for null in nulls)}], filename='{FILE}')"
    )
