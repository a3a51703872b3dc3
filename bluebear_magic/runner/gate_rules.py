"""What a job may ask of the JVM, as data: classes, the kinds of objects, and their methods.

An allow-list. A kind is what the gate knows of an object in the JVM: not its class, but how the
job came by it (``session.table`` gives a ``dataset``). ``word`` is a method that gives a value,
``word>kind`` one that gives an object of that kind, ``!word`` one that makes Spark run or optimise
the plan of its receiver, so that the plan is looked at first. ``[kind]`` is a collection.
Everything was found in pyspark's own sources (4.1) and in what programs over it send. The rest has
no business here, above all what every Java object has: ``getClass`` leads to any class there is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


class Forbidden(Exception):
    """The code asked for what it may not have; ``instead`` is what to write."""

    def __init__(self, what: str, instead: str | None = None) -> None:
        super().__init__(f"the code may not use {what}")
        self.what, self.instead = what, instead


OPAQUE = "opaque"  # an object that may be handed on, and asked nothing


@dataclass(frozen=True)
class Method:
    """``result`` is the kind of what it gives; ``runs``: the plan is looked at before."""

    result: str = OPAQUE
    runs: bool = False


def _methods(text: str) -> dict[str, Method]:
    found = {}
    for word in text.split():
        name, _, kind = word.lstrip("!").partition(">")
        found[name] = Method(kind or OPAQUE, word.startswith("!"))
    return found


def _each(kind: str, names: str) -> str:
    return "".join(f" {name}>{kind}" for name in names.split())


# --- objects -----------------------------------------------------------------

_TEXTS = "toString hashCode equals"
_DATASETS = """
    lateralJoin join crossJoin joinAsOf filter where select selectExpr
    withColumn withColumns withColumnRenamed withColumnsRenamed withMetadata withWatermark
    unionByName union unionAll unpivotWithSeq unpivot toDF to sort orderBy sortWithinPartitions
    sample repartition repartitionByRange repartitionById offset limit intersect intersectAll
    except exceptAll hint dropDuplicates dropDuplicatesWithinWatermark distinct drop coalesce as
    alias unpersist observe mapInPandas mapInArrow
"""
_COLUMNS = """
    equalTo notEqual lt gt leq geq eqNullSafe plus minus multiply divide mod and or
    bitwiseAND bitwiseOR bitwiseXOR apply getItem getField contains startsWith endsWith
    like rlike ilike isin isInCollection between when otherwise over as alias name cast
    try_cast substr withField dropFields outer isNaN isNull isNotNull asc asc_nulls_first
    asc_nulls_last desc desc_nulls_first desc_nulls_last unary_$minus unary_$bang transform
"""
KINDS: Mapping[str, Mapping[str, Method]] = {
    kind: _methods(text)
    for kind, text in {
        "session": """
            version sql>dataset table>dataset range>dataset conf>conf sessionState>state
            read>reader catalog>catalog udf>udfs parseDataType>type expression>expression
            applySchemaToPythonRDD>dataset
        """,
        "state": "conf>settings",
        "conf": "get set unset isModifiable",
        "defaults": "get contains",
        # What it is told is of no use: only ``table`` reads.
        "reader": "table>dataset option>reader options>reader schema>reader format>reader",
        "catalog": "dropTempView",
        "udfs": "registerPython",
        "dataset": _each("dataset", _DATASETS)
        + """
            !cache>dataset !persist>dataset !localCheckpoint>dataset describe>dataset
            summary>dataset !transpose>dataset randomSplit>[dataset]
            groupBy>grouped rollup>grouped cube>grouped groupingSets>grouped
            na>missing stat>statistics schema>type storageLevel>level queryExecution>execution
            sparkSession>session write>writer writeTo>tablewriter
            scalar>column exists>column colRegex>column col>column apply>column
            metadataColumn>column
            createTempView createOrReplaceTempView createGlobalTempView
            createOrReplaceGlobalTempView isStreaming columns
            !count !isEmpty !isLocal !collectToPython>[served] !tailToPython>[served]
            !toPythonIterator>[served] !collectAsArrowToPython>[served] !showString !htmlString
            !sameSemantics !semanticHash
        """,
        "grouped": """
            agg>dataset count>dataset mean>dataset avg>dataset max>dataset min>dataset sum>dataset
            pivot>grouped toString flatMapGroupsInPandas>dataset flatMapGroupsInArrow>dataset
            flatMapCoGroupsInPandas>dataset flatMapCoGroupsInArrow>dataset
        """,
        "missing": "fill>dataset drop>dataset replace>dataset",
        "statistics": """
            !approxQuantile>[[value]] !corr !cov !crosstab>dataset !freqItems>dataset
            sampleBy>dataset
        """,
        "writer": """
            mode>writer format>writer option>writer partitionBy>writer bucketBy>writer
            sortBy>writer clusterBy>writer
            !save !parquet !csv !json !orc !text !saveAsTable !insertInto
        """,
        "tablewriter": """
            using>tablewriter option>tablewriter partitionedBy>tablewriter
            !append !create !replace !createOrReplace !overwritePartitions
        """,
        "execution": "analyzed>plan",
        "plan": "nodeName children>[plan] joinType>join condition>option hint copy>plan",
        "join": _TEXTS,
        "expression": "sql",
        "column": _TEXTS + _each("column", _COLUMNS),
        "window": """
            partitionBy>window orderBy>window rowsBetween>window rangeBetween>window
            unboundedPreceding unboundedFollowing currentRow
        """,
        "function": "apply>column builderWithColumns>column fromUDFExpr>column",
        "rows": "rdd>rows isBarrier id asJavaRDD>rows",
        "observation": "getRow",
        "type": "json treeString simpleString sql catalogString prettyJson typeName toString",
        "level": """
            useDisk useMemory useOffHeap deserialized replication toString description
        """,
        "context": "setCallSite sc>spark broadcast>shared",
        "spark": "defaultParallelism defaultMinPartitions",
        "shared": "id unpersist destroy",
        "served": "getResult",
        "option": "isDefined isEmpty get",
        "active": "isDefined isEmpty get>session",
        "companion": "applyModifiableSettings",
        "error": """
            getMessage getLocalizedMessage getCause>error toString getStackTrace>[frame]
        """,
        "frame": "toString",
        "cause": """
            callSite contextType>word fragment summary startIndex stopIndex objectType objectName
        """,
        "word": "toString name",
        "map": "get put keySet>[value] containsKey size isEmpty toString entrySet>[entry] iterator",
        "entry": "getKey getValue",
        "timestamp": "setNanos",
        "value": _TEXTS,
    }.items()
}
_COLLECTION = "add size length isEmpty contains toString hashCode equals"
_ELEMENTS = "get apply head next"
SETTINGS_READ = re.compile(
    r"(arrow|pandas|legacyInfer|infer|pyspark|replEagerEval|isReplEagerEval)\w*|sessionLocalTimeZone"
)


def method_of(kind: str, name: str) -> Method | None:
    """What is known of a method of objects of a kind; None where it is not allowed."""
    if kind.startswith("["):
        if name in _ELEMENTS.split():
            return Method(kind[1:-1])
        if name == "iterator":
            return Method(kind)
        return Method() if name in _COLLECTION.split() else None
    if kind == "settings":
        return Method() if SETTINGS_READ.fullmatch(name) else None
    return KINDS.get(kind, {}).get(name)


# --- classes -----------------------------------------------------------------

FUNCTIONS = "org.apache.spark.sql.functions"
# Of the class with Spark's functions all but these: it makes columns, and columns run nothing.
FUNCTIONS_LEFT_OUT = frozenset({
    "reflect", "java_method", "try_reflect",  # run Java by name
    "from_xml", "schema_of_xml",  # open what an option names while the plan is made
    "udf", "udaf",  # take Java objects
    "getClass", "notify", "notifyAll", "wait",
})  # fmt: skip
STATICS: Mapping[str, Mapping[str, Method]] = {
    name: _methods(text)
    for name, text in {
        "org.apache.spark.api.python.PythonUtils": """
            toSeq>[value] toList>[value] toArray>[value] toScalaMap getBroadcastThreshold
            isEncryptionEnabled
        """,
        "org.apache.spark.sql.api.python.PythonSQLUtils": """
            fn>column lambdaFunction>column unresolvedNamedLambdaVariable>column
            namedArgumentExpression>column ddlToJson jsonToDDL isTimestampNTZPreferred
            !explainString readArrowStreamFromFile toDataFrame>dataset toPyRow
        """,
        "org.apache.spark.api.python.PythonErrorUtils": """
            getCondition getErrorClass getMessageParameters>map getQueryContext>[cause] getSqlState
        """,
        "org.apache.spark.api.python.PythonRDD": """
            readRDDFromFile>rows setupBroadcast
        """,
        "org.apache.spark.api.python.SerDeUtil": "pythonToJava>rows toJavaArray>rows",
        "org.apache.spark.sql.expressions.Window": """
            partitionBy>window orderBy>window rowsBetween>window rangeBetween>window
            unboundedPreceding unboundedFollowing currentRow
        """,
        "org.apache.spark.sql.classic.SparkSession": """
            getActiveSession>active getDefaultSession>active setActiveSession
        """,
        "org.apache.spark.sql.classic.Dataset": "ofRows>dataset",
        "org.apache.spark.sql.catalyst.plans.JoinType": "apply",
        "org.apache.spark.sql.internal.SQLConf": "get>settings",
        "org.apache.spark.sql.types.Metadata": "fromJson",
        "org.apache.spark.sql.catalyst.trees.PySparkCurrentOrigin": "set clear",
        "org.apache.spark.sql.catalyst.util.DateTimeUtils": "microsToLocalDateTime",
        "org.apache.spark.sql.catalyst.util.IntervalUtils": "microsToDuration",
        "org.apache.spark.util.Utils": "exceptionString",
        "org.apache.spark.SparkThrowableHelper": "getMessage",
        "py4j.reflection.TypeUtil": "isInstanceOf",
        "java.sql.Date": "valueOf",
        "java.time.LocalTime": "of",
    }.items()
}
# Fields of classes: Scala's companions. The settings that a builder gives are ignored.
FIELDS: Mapping[tuple[str, str], str] = {
    ("org.apache.spark.sql.classic.SparkSession$", "MODULE$"): "companion",
}
MADE: Mapping[str, str] = {
    "java.util.ArrayList": "[value]",
    "java.util.HashMap": "map",
    "java.util.HashSet": "[value]",
    "java.util.LinkedHashMap": "map",
    "java.sql.Timestamp": "timestamp",
    "org.apache.spark.api.python.SimplePythonFunction": OPAQUE,
    "org.apache.spark.api.python.PythonRDD": "rows",
    "org.apache.spark.sql.execution.python.UserDefinedPythonFunction": "function",
    "org.apache.spark.storage.StorageLevel": "level",
    "org.apache.spark.sql.Observation": "observation",
}
# Elements of arrays, as ``hint`` and numpy's arrays need them.
ELEMENTS = frozenset(
    """java.lang.String String short int long float double boolean
    java.lang.Long java.lang.Double java.lang.Integer java.lang.Boolean""".split()
)
CLASSES = frozenset({FUNCTIONS, *STATICS, *MADE, *ELEMENTS, *(name for name, _ in FIELDS)})
PACKAGES = frozenset(
    name.rsplit(".", depth)[0] for name in CLASSES for depth in range(1, name.count(".") + 1)
)


def static_of(name: str, member: str) -> Method | None:
    """What is known of a static method; None where it is not allowed."""
    if name == FUNCTIONS:
        if member in FUNCTIONS_LEFT_OUT or not re.fullmatch(r"[A-Za-z]\w*", member):
            return None
        return Method("dataset" if member == "broadcast" else "column")
    return STATICS.get(name, {}).get(member)


# --- writes ------------------------------------------------------------------

# Formats that write files where a path says, and nowhere else.
FORMATS = frozenset("parquet csv json orc text delta iceberg".split())
TO_A_PATH = frozenset("save parquet csv json orc text".split())
TO_A_TABLE = frozenset("saveAsTable insertInto".split())
TABLE_ENDS = frozenset("append create replace createOrReplace overwritePartitions".split())

# --- settings ----------------------------------------------------------------

# What the code may set for its own session: how Spark works, never what it may reach.
SETTABLE = re.compile(
    r"spark\.sql\.(session\.timeZone|shuffle\.partitions|ansi\.enabled|caseSensitive|"
    r"adaptive\..*|autoBroadcastJoinThreshold|broadcastTimeout|crossJoin\.enabled|"
    r"debug\.maxToStringFields|execution\.arrow\..*|files\.maxPartitionBytes|"
    r"legacy\.timeParserPolicy|repl\.eagerEval\..*|pivotMaxValues|mapKeyDedupPolicy|"
    r"sources\.partitionOverwriteMode|parquet\.outputTimestampType|join\.preferSortMergeJoin)"
)
# What it may ask: Spark's own settings of SQL; others hold keys and paths.
READABLE = re.compile(
    r"spark\.(sql|python)\.(?!.*(secret|password|token|credential)).*", re.IGNORECASE
)


# Text in which names stand that are to be looked for with Spark's own parser. A name in quotes
# has no escapes, but one that identifier() makes may hide anything.
SUSPICIOUS = re.compile(
    r"reflect|java_method|_xml|_avro|_protobuf|identifier\s*\(|udt|rowvalidationxsd", re.IGNORECASE
)

# --- what to write instead ----------------------------------------------------

INSTEAD: Mapping[str, str] = {
    "reader": "read datasets with spark.table(name): they are bound already",
    "writer": "leave the DataFrame as `result`: Bluebear keeps it",
    "conf": "leave Spark's settings as they are",
    "catalog": "read datasets with spark.table(name)",
    "jvm": "use the DataFrame API and SQL: nothing else runs everywhere",
    "sql": "write a query: SELECT, WITH, VALUES",
    "schema": "write the schema as DDL, such as 'a INT, b STRING'",
}
