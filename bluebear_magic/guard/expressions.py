"""Expressions of Spark SQL that a project keeps: judged by the rules that code is judged by."""

from __future__ import annotations

from dataclasses import dataclass

from bluebear_magic.errors import ConfigError
from bluebear_magic.guard import check


@dataclass(frozen=True)
class Expression:
    """What an expression reads: columns as it spells them, with what stands before their dot;
    ``aggregated``: one value comes of many rows.
    """

    columns: tuple[str, ...]
    aggregated: bool


def read_expression(text: str, place: str) -> Expression:
    """The expression, which reads columns and nothing else. ``place``: where it stands.

    Raises ``ConfigError`` with what is wrong with it.
    """
    code = (
        "from pyspark.sql import functions as F\n"
        f'result = spark.table("data").select(F.expr({text!r}))'
    )
    findings = check(code).findings
    if findings:
        finding = findings[0]
        raise ConfigError(f"{place}: {text!r}: {finding.message}", finding.suggestion)
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(text, dialect="spark")
    if tree.find(exp.Query, exp.Star, exp.Window) or isinstance(tree, exp.Alias):
        raise ConfigError(
            f"{place}: {text!r} is no plain expression over columns",
            "write it as price * quantity or sum(price * quantity)",
        )
    columns = [".".join(part.name for part in column.parts) for column in tree.find_all(exp.Column)]
    return Expression(tuple(dict.fromkeys(columns)), tree.find(exp.AggFunc) is not None)
