"""Writes ``bluebear_magic/guard/names.json``: names as the libraries themselves give them.

Run by hand when Spark's version changes, with pyspark, pandas, numpy and pyarrow
installed: ``python tests/unit/corpus/make_names.py [sql_functions.json]``. The
argument is the output of ``SHOW FUNCTIONS`` as a JSON list; without it the
stored list is kept.
"""

from __future__ import annotations

import collections
import datetime
import decimal
import functools
import importlib
import inspect
import itertools
import json
import re
import sys
import types
from pathlib import Path

STORE = Path(__file__).parents[3] / "bluebear_magic" / "guard" / "names.json"

SPARK_MODULES = (
    "pyspark.sql", "pyspark.sql.functions", "pyspark.sql.types", "pyspark.sql.window",
    "pyspark.sql.udf", "pyspark.sql.udtf", "pyspark.sql.catalog", "pyspark.sql.conf",
    "pyspark.sql.streaming.query", "pyspark.sql.streaming.readwriter",
    "pyspark.sql.classic.dataframe", "pyspark.sql.classic.column",
    "pyspark.sql.tvf", "pyspark.sql.pandas.group_ops", "pyspark.sql.datasource",
    "pyspark.sql.profiler", "pyspark.sql.readwriter", "pyspark.sql.merge", "pyspark.sql.table_arg",
    "pyspark.errors", "pyspark.errors.exceptions.captured", "pyspark.errors.exceptions.base",
    "pyspark.storagelevel", "py4j.protocol",
)  # fmt: skip
LIBRARY_MODULES = (
    "pandas", "pandas.api.typing", "pandas.tseries.offsets", "numpy", "numpy.random",
    "pyarrow", "re", "json", "json.decoder", "statistics", "decimal", "datetime", "collections",
    "itertools", "functools", "fractions", "uuid", "string",
)  # fmt: skip


def _generator():
    yield


LANGUAGE = (
    object, str, bytes, bytearray, int, float, complex, bool, list, tuple, dict, set, frozenset,
    range, slice, property, classmethod, staticmethod, memoryview, type, map, filter, zip, enumerate,
    types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.CodeType,
    types.FrameType, types.TracebackType, types.ModuleType, types.GeneratorType,
    types.CoroutineType, types.AsyncGeneratorType, types.MappingProxyType, types.SimpleNamespace,
    type({}.keys()), type({}.items()), type({}.values()), type(re.match("", "")),
    type(re.compile("")), functools.partial, itertools.chain, collections.OrderedDict,
    datetime.datetime, datetime.date, datetime.timedelta, decimal.Decimal, decimal.Context,
)  # fmt: skip


def members() -> set[str]:
    """Every public attribute of every class that code may come to hold an object of."""
    found: set[str] = set()
    for cls in LANGUAGE:
        found.update(dir(cls))
    for name in SPARK_MODULES + LIBRARY_MODULES:
        for value in vars(importlib.import_module(name)).values():
            if isinstance(value, type) and value.__module__.split(".")[0] == name.split(".")[0]:
                found.update(dir(value))
                if name.startswith(("pyspark", "py4j")):
                    found.update(re.findall(r"self\.([A-Za-z]\w*)", _source(value)))
    for error in vars(importlib.import_module("builtins")).values():
        if isinstance(error, type):
            found.update(dir(error))
    from pyspark.sql.functions import udf

    found.update(dir(udf(lambda x: x)))
    for series_accessor in ("str", "dt", "cat", "plot", "style"):
        import pandas

        found.update(
            dir(
                getattr(pandas.DataFrame, series_accessor, None)
                or getattr(pandas.Series, series_accessor)
            )
        )
    return {name for name in found if not name.startswith("_")}


def _source(cls: type) -> str:
    try:
        return inspect.getsource(cls)
    except (OSError, TypeError):
        return ""


def spark_names() -> dict[str, list[str]]:
    """The names of the functions and types of pyspark."""
    functions = importlib.import_module("pyspark.sql.functions")
    spark_types = importlib.import_module("pyspark.sql.types")
    # Older spellings are left out of __all__ but are still what many people write.
    older = {
        name
        for name, value in vars(functions).items()
        if isinstance(value, types.FunctionType)
        and not name.startswith("_")
        and value.__module__ == "pyspark.sql.functions.builtin"
    }
    return {
        "functions": sorted({*functions.__all__} | older),
        "star_functions": sorted(functions.__all__),
        "types": sorted(spark_types.__all__),
    }


def names(sql_functions: list[str]) -> dict[str, list[str]]:
    """The whole file's content."""
    return {
        **spark_names(),
        "sql_functions": sorted(name for name in sql_functions if name.isidentifier()),
        "members": sorted(members()),
    }


if __name__ == "__main__":
    if len(sys.argv) > 1:
        known = json.loads(Path(sys.argv[1]).read_text())
    else:
        known = json.loads(STORE.read_text())["sql_functions"]
    content = names(known)
    rows = (
        f'  "{key}": {json.dumps(value, separators=(",", ":"))}' for key, value in content.items()
    )
    STORE.write_text("{\n" + ",\n".join(rows) + "\n}\n")
