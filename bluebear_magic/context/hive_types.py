"""Hive's types, as Glue writes them, as Spark's DDL."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bluebear_magic.context.types import Unreadable, quoted

_PLAIN = {
    "boolean": "BOOLEAN", "tinyint": "TINYINT", "smallint": "SMALLINT", "int": "INT",
    "integer": "INT", "bigint": "BIGINT", "long": "BIGINT", "float": "FLOAT", "real": "FLOAT",
    "double": "DOUBLE", "double precision": "DOUBLE", "string": "STRING", "text": "STRING",
    "binary": "BINARY", "date": "DATE", "timestamp": "TIMESTAMP",
    "timestamp_ntz": "TIMESTAMP_NTZ", "void": "STRING",
}  # fmt: skip
_TOKEN = re.compile(r"`(?:[^`]|``)*`|[<>,:()]|[^<>,:()`]+")


def ddl(text: str) -> str:
    """The Spark type of ``array<struct<a:int,b:decimal(10,2)>>`` and the like.

    Raises Unreadable, whose text says what it is, for types that Spark has not.
    """
    tokens = [token.strip() for token in _TOKEN.findall(text)]
    rest = iter([token for token in tokens if token] + [""])
    found, after = _type(rest, text)
    if after:
        raise Unreadable(f"the type {text}")
    return found


def _type(tokens: Iterator[str], text: str) -> tuple[str, str]:
    """A type and the token after it."""
    name = next(tokens, "").lower()
    after = next(tokens, "")
    if after == "(":
        numbers = []
        while (token := next(tokens, "")) not in {")", ""}:
            numbers.append(token)
        return _sized(name, "".join(numbers), text), next(tokens, "")
    if after == "<":
        return _nested(name, tokens, text), next(tokens, "")
    if name in {"decimal", "numeric"}:
        return "DECIMAL(10,0)", after
    if name in {"char", "varchar"}:
        return "STRING", after
    if name not in _PLAIN:
        raise Unreadable(f"the type {text}")
    return _PLAIN[name], after


def _sized(name: str, numbers: str, text: str) -> str:
    if name in {"char", "varchar"}:  # a reader of files takes no lengths
        return "STRING"
    if name in {"decimal", "numeric"} and re.fullmatch(r"\d+(,\d+)?", numbers):
        digits, _, scale = numbers.partition(",")
        if 0 < int(digits) <= 38 and int(scale or 0) <= int(digits):
            return f"DECIMAL({int(digits)},{int(scale or 0)})"
    raise Unreadable(f"the type {text}")


def _nested(name: str, tokens: Iterator[str], text: str) -> str:
    if name == "array":
        inner, after = _type(tokens, text)
        return _closed(f"ARRAY<{inner}>", after, text)
    if name == "map":
        key, comma = _type(tokens, text)
        value, after = _type(tokens, text)
        return _closed(f"MAP<{key}, {value}>", after if comma == "," else "", text)
    if name == "struct":
        fields, after = [], ","
        while after == ",":
            field = next(tokens, "")
            if next(tokens, "") != ":":
                raise Unreadable(f"the type {text}")
            inner, after = _type(tokens, text)
            fields.append(f"{quoted(field.strip('`').replace('``', '`'))}: {inner}")
        return _closed(f"STRUCT<{', '.join(fields)}>", after, text)
    raise Unreadable(f"the type {text}")


def _closed(found: str, after: str, text: str) -> str:
    if after != ">":
        raise Unreadable(f"the type {text}")
    return found
