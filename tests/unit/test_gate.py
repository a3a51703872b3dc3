"""The lists of the gate and the looks at plans: pure parts, without a JVM."""

import json

import pytest

from bluebear_magic.runner import gate_names, plan_rules
from bluebear_magic.runner.gate_rules import (
    CLASSES,
    FUNCTIONS,
    KINDS,
    OPAQUE,
    PACKAGES,
    READABLE,
    SETTABLE,
    STATICS,
    method_of,
    static_of,
)

SQL = "org.apache.spark.sql."


def node(name, children=0, **fields):
    return {"class": SQL + name, "num-children": children, **fields}


def plan(*nodes):
    return json.dumps(nodes)


class TestLists:
    def test_every_kind_that_a_method_gives_is_one(self):
        methods = [m for table in (*KINDS.values(), *STATICS.values()) for m in table.values()]
        for method in methods:
            kind = method.result.strip("[]")
            assert kind in {*KINDS, OPAQUE, "settings"}, kind

    @pytest.mark.parametrize("kind", [*KINDS, "[dataset]", "settings", OPAQUE])
    @pytest.mark.parametrize(
        "name", ["getClass", "notify", "wait", "clone", "forName", "sparkContext", "rdd_", "exec"]
    )
    def test_what_every_java_object_has_is_no_ones(self, kind, name):
        assert method_of(kind, name) is None

    @pytest.mark.parametrize(
        ("kind", "name"),
        [("session", "newSession"), ("session", "sparkContext"), ("session", "stop"),
         ("session", "streams"), ("reader", "csv"), ("reader", "load"), ("dataset", "javaToPython"), ("dataset", "foreach"), ("udfs", "registerJava"),
         ("settings", "setConfString"), ("settings", "getAllConfs"), ("context", "addJar"),
         ("context", "hadoopConfiguration"), ("writer", "jdbc"), ("tablewriter", "tableProperty"), (OPAQUE, "toString")],
    )  # fmt: skip
    def test_what_reaches_out_is_not_allowed(self, kind, name):
        assert method_of(kind, name) is None

    def test_collections_give_what_they_hold(self):
        assert method_of("[dataset]", "apply").result == "dataset"
        assert method_of("[[value]]", "get").result == "[value]"
        assert method_of("[dataset]", "iterator").result == "[dataset]"

    def test_what_runs_a_plan_is_marked(self):
        for name in ("count", "collectToPython", "showString", "cache", "collectAsArrowToPython"):
            assert method_of("dataset", name).runs
        assert not method_of("dataset", "select").runs

    def test_functions_of_spark_are_all_there_but_a_few(self):
        assert static_of(FUNCTIONS, "sum").result == "column"
        assert static_of(FUNCTIONS, "broadcast").result == "dataset"
        for name in ("reflect", "java_method", "try_reflect", "udf", "getClass", "from_xml", "a b"):
            assert static_of(FUNCTIONS, name) is None
        assert static_of("java.lang.System", "exit") is None

    def test_no_package_is_a_class_and_java_is_no_one_s(self):
        assert not PACKAGES & CLASSES
        assert {"java.lang.Runtime", "java.lang.System", "java.lang.Class"}.isdisjoint(CLASSES)

    @pytest.mark.parametrize(
        ("key", "settable", "readable"),
        [("spark.sql.session.timeZone", True, True), ("spark.sql.shuffle.partitions", True, True),
         ("spark.sql.adaptive.enabled", True, True), ("spark.sql.runSQLOnFiles", False, True),
         ("spark.sql.variable.substitute", False, True), ("spark.sql.catalog.x", False, True),
         ("spark.hadoop.fs.s3a.secret.key", False, False), ("spark.local.dir", False, False),
         ("spark.sql.x.password", False, False), ("xspark.sql.ansi.enabled", False, False)],
    )  # fmt: skip
    def test_settings(self, key, settable, readable):
        assert bool(SETTABLE.fullmatch(key)) is settable
        assert bool(READABLE.fullmatch(key)) is readable


class TestNames:
    def test_what_is_known_is_answered(self):
        ask = gate_names.answer_to
        assert ask("r\nu\norg.apache.spark\nrj\ne\n") == "yp"
        assert ask(f"r\nu\n{FUNCTIONS}\nrj\ne\n") == f"yc{FUNCTIONS}"
        assert ask("r\nm\npy4j.reflection.TypeUtil\nisInstanceOf\ne\n") == "ym"

    @pytest.mark.parametrize(
        "command",
        ["r\nu\njava.lang.Runtime\nrj\ne\n", "r\nm\njava.lang.System\nout\ne\n", "c\no1\nx\ne\n",
         "r\nm\norg.apache.spark.sql.classic.SparkSession$\nMODULE$\ne\n", "r\nu\ne\n",
         f"r\nm\n{FUNCTIONS}\nreflect\ne\n"],
    )  # fmt: skip
    def test_what_is_not_known_or_not_allowed_is_not(self, command):
        assert gate_names.answer_to(command) is None


class TestParsedText:
    @pytest.mark.parametrize(
        ("nodes", "words"),
        [
            ([node("catalyst.plans.logical.DropTable", 1), node("catalyst.analysis.UnresolvedIdentifier")], "drop table"),
            ([node("execution.command.SetCommand")], "set"),
            ([node("execution.command.AddJarsCommand")], "add jars"),
            ([node("catalyst.plans.logical.UnresolvedWith", 1), node("catalyst.plans.logical.InsertIntoStatement")], "insert into"),
            ([node("catalyst.plans.logical.CompoundBody")], "compound body"),
            ([node("catalyst.analysis.UnresolvedExecuteImmediate")], "execute immediate"),
            ([node("catalyst.plans.logical.Project", 1), node("catalyst.plans.logical.ScriptTransformation")], "starts a program"),
            ([node("catalyst.analysis.UnresolvedRelation", isStreaming=True)], "stream"),
            ([node("catalyst.plans.logical.Project", projectList=[[node("catalyst.analysis.UnresolvedFunction", nameParts="[system, builtin, Reflect]")]])], "reflect()"),
            ([node("catalyst.plans.logical.CommandOfNextYear")], "command of next year"),
        ],
    )  # fmt: skip
    def test_what_is_no_query_is_named(self, nodes, words):
        assert words in plan_rules.parsed_objection(plan(*nodes))

    def test_queries_pass(self):
        function = node("catalyst.analysis.UnresolvedFunction", nameParts="[sum]")
        nodes = [
            node("catalyst.plans.logical.Aggregate", 1, aggregateExpressions=[[function]]),
            node("catalyst.analysis.UnresolvedRelation", isStreaming=False),
        ]
        assert plan_rules.parsed_objection(plan(*nodes)) is None


class TestAnalysedPlans:
    @pytest.mark.parametrize(
        ("found", "words"),
        [
            (node("catalyst.expressions.CallMethodViaReflection"), "run Java"),
            (node("catalyst.expressions.TryReflect"), "runs Java"),
            (node("catalyst.expressions.ScalaUDF", udfName="f"), "function in Java"),
            (node("catalyst.expressions.PythonUDTF"), "table function"),
            (node("catalyst.expressions.objects.StaticInvoke", staticObject={"object": "java.lang.System"}), "java.lang.System"),
            (node("execution.datasources.v2.DataSourceV2Relation"), "data source"),
            (node("execution.streaming.StreamingRelation"), "streaming relation"),
            (node("execution.command.AddJarsCommand"), "add jars"),
            (node("catalyst.expressions.Literal", dataType={"type": "udt", "class": "x"}), "udt"),
            (node("catalyst.expressions.XmlToStructs", options={"rowValidationXSDPath": "x"}), "opens a file"),
        ],
    )  # fmt: skip
    def test_what_may_not_run_is_named(self, found, words):
        text = plan(node("catalyst.plans.logical.Project", 1, projectList=[[found]]))
        assert words in plan_rules.objection(text)

    def test_known_nodes_pass(self):
        nodes = [
            node("catalyst.plans.logical.Project", 1, projectList=[[
                node("catalyst.expressions.PythonUDF"), node("catalyst.expressions.ScalaUDF"),
                node("catalyst.expressions.objects.StaticInvoke",
                     staticObject={"object": "org.apache.spark.sql.catalyst.util.CharVarcharCodegenUtils"}),
            ]]),
            node("execution.LogicalRDD"),
        ]  # fmt: skip
        assert plan_rules.objection(plan(*nodes)) is None

    def test_files_are_noticed(self):
        assert plan_rules.reads_files(plan(node("execution.datasources.LogicalRelation")))
        assert not plan_rules.reads_files(plan(node("catalyst.plans.logical.LocalRelation")))


@pytest.mark.parametrize(
    ("schema", "refused"),
    [
        ("a INT, b STRING", False),
        ('{"type":"struct","fields":[{"name":"udt","type":"string"}]}', False),
        ('{"type":"udt","class":"x"}', True),
        ('{"type":"struct","fields":[{"name":"a","type":{"type":"\\u0075dt","class":"x"}}]}', True),
        ('{"type":"udt","class":"x","type":"struct"}', True),
        ('{"type":"struct","type":"udt"} and more', True),
        ('{"type":"udt"', True),
        ('  {"type":"udt"}', True),
    ],
)
def test_schemas_that_name_classes(schema, refused):
    assert bool(plan_rules.schema_objection(schema)) is refused
