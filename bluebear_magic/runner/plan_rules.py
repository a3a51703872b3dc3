"""What may stand in a plan: looked at as JSON, before Spark runs it.

Two lists of classes: of SQL text as parsed, where only queries may pass, and of plans as analysed,
where only known nodes over known relations may. What is not named is refused: the next Spark may
bring a new command, and no list of refused ones would hold it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_SQL = "org.apache.spark.sql."


def _words(prefix: str, text: str) -> frozenset[str]:
    return frozenset(f"{prefix}{name}" for name in text.split())


_QUERIES = _words(
    "catalyst.plans.logical.",
    """
    Aggregate AggregateHint AsOfJoin CTERelationDef CTERelationRef CollectMetrics
    DataFrameDropColumns Deduplicate DeduplicateWithinWatermark Distinct DomainJoin EmptyRelation
    EventTimeWatermark Except Expand Filter FlatMapCoGroupsInArrow FlatMapCoGroupsInPandas
    FlatMapGroupsInArrow FlatMapGroupsInPandas Generate GlobalLimit Intersect Join LateralJoin
    LimitAll LocalLimit LocalRelation MapInArrow MapInPandas Offset OneRowRelation Pivot Project
    Range RebalancePartitions Repartition RepartitionByExpression ResolvedHint Sample Sort
    SubqueryAlias Subquery Tail Transpose Union UnionLoop UnionLoopRef UnresolvedHint
    UnresolvedWith Unpivot View Window WithCTE WithWindowDefinition
    """,
)
_RELATIONS = _words(
    "execution.",
    """
    LogicalRDD columnar.InMemoryRelation datasources.LogicalRelation
    datasources.LogicalRelationWithTable stat.CollectFrequentItems
    """,
)
# What the parser leaves to be resolved in a query; the rest of that package is for commands.
_UNRESOLVED = _words(
    "catalyst.analysis.",
    """
    MultiAlias NameParameterizedQuery NamedParameter
    PlanWithUnresolvedIdentifier PosParameter PosParameterizedQuery UnresolvedAlias
    UnresolvedAttribute UnresolvedExtractValue UnresolvedFunction UnresolvedGenerator
    UnresolvedHaving UnresolvedInlineTable UnresolvedOrdinal UnresolvedPipeAggregateOrdinal
    UnresolvedRegex UnresolvedRelation UnresolvedStar UnresolvedStarExceptOrReplace
    UnresolvedStarWithColumns UnresolvedStarWithColumnsRenames UnresolvedSubqueryColumnAliases
    UnresolvedTVFAliases UnresolvedTableValuedFunction UnresolvedWithinGroup
    """,
)
_EXPRESSIONS = ("catalyst.expressions.", "catalyst.analysis.")
# Expressions that run what they are told by name, or that only Java code can have made.
_NO_EXPRESSIONS: Mapping[str, str] = {
    "CallMethodViaReflection": "reflect() and java_method() run Java",
    "TryReflect": "try_reflect() runs Java",
    **dict.fromkeys(("ScalaUDF", "UserDefinedExpression", "ScalaAggregator"), "a function in Java"),
    **dict.fromkeys(
        ("ApplyFunctionExpression", "V2Aggregator", "TransformExpression"),
        "a function of a catalog",
    ),
    **dict.fromkeys(
        ("PythonUDTF", "UnresolvedPolymorphicPythonUDTF"), "a table function in Python"
    ),
    **dict.fromkeys(("NewInstance", "InitializeJavaBean", "DecodeUsingSerializer"), "Java objects"),
}
# Functions that run Java, or open files, by the names that SQL has for them.
NO_FUNCTIONS: Mapping[str, str] = {
    **dict.fromkeys(("reflect", "java_method", "try_reflect"), "it runs Java"),
    **dict.fromkeys(("from_xml", "schema_of_xml"), "it opens the file that an option names"),
    **dict.fromkeys(
        ("from_avro", "to_avro", "schema_of_avro", "from_protobuf", "to_protobuf"),
        "it opens the file or the address that an option names",
    ),
}
# Functions of Spark's own that are Java underneath show whose method they call.
_OWNERS = ("org.apache.spark.sql.catalyst.", "org.apache.spark.unsafe.", "org.apache.spark.sql.",
           "java.lang.Math", "java.lang.Character", "java.lang.String")  # fmt: skip
OPENING_OPTIONS = frozenset({"rowvalidationxsdpath", "avroschemaurl", "descfilepath"})


def parsed_objection(text: str) -> str | None:
    """Why SQL text that was parsed to this tree may not run; None where it may."""
    parsed = json.loads(text, object_pairs_hook=_whole)
    top = ({key: value for key, value in node.items() if not isinstance(value, list | dict)}
           for node in parsed)  # fmt: skip
    # The nodes of the tree first, parents before children: a command is best told by its own name.
    for node in (*top, *_all(parsed)):
        found = _of_parsed(node)
        if found:
            return found
    return None


def _of_parsed(node: Mapping[str, Any]) -> str | None:
    name = str(node.get("class", "")).removeprefix(_SQL)
    if name == "catalyst.plans.logical.ScriptTransformation":
        return "SQL that starts a program (TRANSFORM ... USING)"
    if name == "catalyst.analysis.ExpressionWithUnresolvedIdentifier":
        return "identifier() for a function or a column: write its name out"
    if node.get("isStreaming") is True:
        return "a stream"
    if name == "catalyst.analysis.UnresolvedFunction":
        called = str(node.get("nameParts")).strip("[]").rsplit(", ", 1)[-1].lower()
        return f"{called}(): {NO_FUNCTIONS[called]}" if called in NO_FUNCTIONS else None
    known = name in _QUERIES or name in _UNRESOLVED or name.startswith("catalyst.expressions.")
    return f"SQL that is no query ({_spoken(name)})" if name and not known else None


def objection(text: str) -> str | None:
    """Why Spark may not run this analysed plan; None where it may."""
    for node in _all(json.loads(text, object_pairs_hook=_whole)):
        found = _of_node(node) if "num-children" in node else _of_value(node)
        if found:
            return found
    return None


def reads_files(text: str) -> bool:
    """Whether an analysed plan reads files, so that which ones is to be asked."""
    return "datasources.LogicalRelation" in text


def schema_objection(text: str) -> str | None:
    """Why a schema given as text may not be read: in JSON it may name classes to load."""
    text = text.strip()
    if not text.startswith(("{", '"', "[")):
        return None
    try:  # Jackson reads the first value and leaves what follows
        parsed, _ = json.JSONDecoder(object_pairs_hook=_whole, strict=False).raw_decode(text)
    except (ValueError, RecursionError):
        return "a schema that is no JSON"
    return next((found for node in _all(parsed) if (found := _of_value(node))), None)


def _of_node(node: Mapping[str, Any]) -> str | None:
    name = str(node["class"]).removeprefix(_SQL)
    short = name.rsplit(".", 1)[-1]
    if short == "ScalaUDF" and not node.get("udfName"):
        return None  # as Spark itself makes it for sampleBy; what is registered has a name
    if short in _NO_EXPRESSIONS:
        return f"{_NO_EXPRESSIONS[short]} ({short})"
    if name in _QUERIES or name in _RELATIONS:
        return None
    if not name.startswith(_EXPRESSIONS):
        return f"{_spoken(name)} ({short})"
    owner = node.get("staticObject")
    if owner is not None:
        where = str(owner.get("object") if isinstance(owner, dict) else owner)
        if not where.removeprefix("class ").startswith(_OWNERS):
            return f"a Java method ({where})"
    return None


def _of_value(value: Mapping[str, Any]) -> str | None:
    if value.get("type") == "udt":
        return "a type that is a class (udt)"
    found = next((key for key in value if key.lower() in OPENING_OPTIONS), None)
    return f"the option {found}, which opens a file" if found else None


def _spoken(name: str) -> str:
    """A class of Spark's as words: ``DropTable`` is "drop table"."""
    short = name.rsplit(".", 1)[-1]
    short = re.sub(r"^Unresolved|(Command|Statement|\$)$", "", short)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", short).lower()


def _whole(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, with all that it holds where a key is there twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        found["\0"] = [{key: value} for key, value in pairs]
    return found


def _all(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every object in a JSON value."""
    ahead = [value]
    while ahead:
        item = ahead.pop()
        if isinstance(item, dict):
            yield item
            ahead.extend(item.values())
        elif isinstance(item, list):
            ahead.extend(item)
