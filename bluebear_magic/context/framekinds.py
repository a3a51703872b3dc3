"""Which variables hold frames, told without loading a library: what is not loaded made none."""

from __future__ import annotations

import sys
from typing import Any


def is_pandas(value: Any) -> bool:
    """Whether it is a pandas DataFrame; pandas is not loaded to find out."""
    return _is_a(value, "pandas", "DataFrame")


def is_polars(value: Any) -> bool:
    """The same of polars."""
    return _is_a(value, "polars", "DataFrame")


def is_lazy(value: Any) -> bool:
    """Whether it is a plan of polars, which holds no rows."""
    return _is_a(value, "polars", "LazyFrame")


def is_arrow(value: Any) -> bool:
    """Whether it is a table or a batch of Arrow."""
    return _is_a(value, "pyarrow", "Table") or _is_a(value, "pyarrow", "RecordBatch")


def kind_of(value: Any) -> str:
    """The library that a frame is of; '' for what is no frame."""
    tests = ((is_pandas, "pandas"), (is_polars, "polars"), (is_lazy, "polars"), (is_arrow, "arrow"))
    return next((kind for test, kind in tests if test(value)), "")


def memory(frame: Any) -> int:
    """Bytes that the frame takes at least, told without looking at its values."""
    if is_pandas(frame):
        return int(frame.memory_usage(index=True, deep=False).sum())
    return int(frame.estimated_size()) if is_polars(frame) else int(frame.nbytes)


def _is_a(value: Any, module: str, name: str) -> bool:
    loaded = getattr(sys.modules.get(module), name, None)
    return loaded is not None and isinstance(value, loaded)
