"""The columns of a schema in Spark's DDL, such as ``id BIGINT, name STRING``."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"`(?:[^`]|``)*`|'(?:[^'\\]|\\.)*'|[<>(),]")


def columns(schema: str) -> tuple[tuple[str, str], ...]:
    """Name and type of each top-level column, in order."""
    found, depth, begin = [], 0, 0
    for token in _TOKEN.finditer(schema):
        depth += (token[0] in "<(") - (token[0] in ">)")
        if token[0] == "," and depth == 0:
            found.append(schema[begin : token.start()])
            begin = token.end()
    found.append(schema[begin:])
    return tuple(_column(text.strip()) for text in found if text.strip())


def _column(text: str) -> tuple[str, str]:
    quoted = re.match(r"`((?:[^`]|``)*)`\s*:?\s*", text)
    if quoted:
        return quoted[1].replace("``", "`"), text[quoted.end() :]
    name, _, kind = text.partition(" ")
    return name, kind.strip()
