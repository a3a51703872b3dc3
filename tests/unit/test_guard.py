"""The guard as its callers see it: verdicts, findings, the corpora, and input of every kind."""

from __future__ import annotations

import dataclasses
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bluebear_magic.guard import READ_ONLY, RULES, Policy, Verdict, check
from bluebear_magic.records import Finding

CORPUS = Path(__file__).parent / "corpus"
TABLES = ("sales", "customers", "regions", "products", "orders", "events", "people")
RESULT = "\nresult = spark.table('sales')\n"
PREAMBLE = """\
from pyspark.sql import SparkSession, functions as F
from pyspark.sql.functions import udf
df = spark.table("sales")
pdf = df.toPandas()
def fn(x):
    return x
"""


def snippets(name: str) -> list[tuple[str, str]]:
    """(family, code) of a corpus file: ``=== family`` opens one, ``---`` parts snippets."""
    found: list[tuple[str, str]] = []
    for block in f"\n{(CORPUS / name).read_text(encoding='utf-8')}".split("\n=== ")[1:]:
        family, _, body = block.partition("\n")
        found += [(family, code) for code in body.split("\n---\n")]
    return found


UNSAFE = snippets("guard_unsafe.txt")
HONEST = snippets("guard_honest.txt")


def rules(code: str, tables: tuple[str, ...] | None = TABLES) -> set[str]:
    """The rules that the code breaks, its missing result aside."""
    return {finding.rule for finding in check(code + RESULT, tables).findings}


def only(code: str, rule: str, tables: tuple[str, ...] | None = TABLES) -> Finding:
    """The one finding of a rule."""
    (found,) = (f for f in check(code + RESULT, tables).findings if f.rule == rule)
    return found


# --- corpora ---


def test_the_corpora_are_as_large_as_they_should_be():
    assert len(UNSAFE) >= 1200
    assert len(HONEST) >= 330


@pytest.mark.parametrize(("family", "code"), UNSAFE)
def test_unsafe_code_is_blocked(family: str, code: str):
    assert check(code + RESULT, TABLES).blocking, family


@pytest.mark.parametrize(("family", "code"), HONEST)
def test_honest_code_passes(family: str, code: str):
    verdict = check(code, TABLES)
    assert verdict.ok, (family, verdict.blocking)
    assert check(code).ok, "and without a list of tables"


def test_the_corpora_reach_every_rule():
    broken = set().union(*(rules(code) for _, code in UNSAFE))
    # Too large is tested below, a missing result is not unsafe, strange syntax needs a newer Python.
    assert broken | {"FILE-READ", "PY-SIZE", "CODE-RESULT", "PY-STATEMENT"} == set(RULES)


@pytest.mark.parametrize(
    "rule", sorted(set(RULES) - {"FILE-READ", "PY-SIZE", "PY-STATEMENT", "CODE-RESULT"})
)
def test_a_rules_examples_are_on_its_two_sides(rule: str):
    examples = RULES[rule]
    assert rule in rules(PREAMBLE + examples.bad)
    assert not check(PREAMBLE + examples.good + RESULT, TABLES).blocking


# --- verdicts ---


def test_a_warning_does_not_stop_code():
    verdict = check(
        "from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()" + RESULT
    )
    assert [finding.rule for finding in verdict.findings] == ["SPARK-BUILDER"]
    assert verdict.ok
    assert verdict.warnings == verdict.findings
    assert not verdict.blocking


def test_what_needs_approval_is_neither_blocked_nor_allowed():
    writing = dataclasses.replace(READ_ONLY, name="write", approve=frozenset({"SPARK-WRITE"}))
    verdict = check("spark.table('sales').write.parquet('/data/x')" + RESULT, TABLES, writing)
    assert [finding.severity for finding in verdict.findings] == ["approve"]
    assert not verdict.ok
    assert not verdict.blocking


def test_an_empty_verdict_is_good():
    assert Verdict().ok


def test_code_without_a_result_is_told_but_not_refused():
    verdict = check("spark.table('sales').show()")
    assert verdict.word == "warn"
    assert [finding.rule for finding in verdict.findings] == ["CODE-RESULT"]
    assert "result = <DataFrame>" in verdict.findings[0].suggestion


def test_results_is_a_result_too():
    assert check("results = {'a': spark.table('sales')}").ok


def test_a_result_inside_a_function_is_none():
    assert check("def f():\n    result = 1").word == "warn"


def test_a_findings_place_is_that_of_the_text():
    found = only("x = 1\ny = spark.table('sales')._jdf", "SPARK-CONTEXT")
    assert (found.line, found.column, found.text) == (2, 25, "_jdf")


def test_a_syntax_error_says_where():
    (found,) = check("x = 1\ny = = 2\n").findings
    assert (found.rule, found.line) == ("PY-SYNTAX", 2)


def test_a_place_in_sql_is_given_in_the_cell():
    code = 'q = 1\nx = spark.sql("""\n  SELECT a\n  FROM salse\n""")'
    found = only(code, "SQL-TABLE")
    assert (found.line, found.column, found.text) == (4, 7, "salse")
    assert 'spark.table("sales")' in found.suggestion


def test_a_place_in_sql_on_one_line_counts_the_quotes():
    found = only("""x = spark.sql("SELECT reflect('a', 'b')")""", "SQL-FUNCTION")
    assert (found.line, found.column) == (1, 22)


def test_a_place_in_a_filter_counts_from_the_texts_start():
    found = only("""x = spark.table("sales").filter("a = reflect('a', 'b')")""", "SQL-FUNCTION")
    assert (found.line, found.column) == (1, 37)


def test_an_error_in_sql_is_given_with_its_place():
    found = only('x = spark.sql("""SELECT a\nFROM sales WHERE (""")', "SQL-SYNTAX")
    assert found.line == 2


@pytest.mark.parametrize(
    ("code", "rule", "words"),
    [
        ('spark.table("sale")', "SPARK-TABLE", 'spark.table("sales")'),
        ('spark.read.csv("data/customer.csv")', "SPARK-READ", 'spark.table("customers")'),
        ('spark.read.option("header", True).parquet("/x/orders/")', "SPARK-READ", 'spark.table("orders")'),
        ("dataframe = 1\nx = datafrme", "PY-NAME", "`dataframe`"),
        ("import os", "PY-IMPORT", "datetime"),
        ("spark.sql(\"SELECT uper(a) FROM sales\")", "SQL-FUNCTION", "`upper`"),
        ("from pyspark.sql.functions import summ", "SPARK-FUNCTION", "`sum`"),
    ],
)  # fmt: skip
def test_a_suggestion_names_the_nearest(code: str, rule: str, words: str):
    assert words in only(code, rule).suggestion


def test_one_chain_is_refused_once():
    found = check('spark.read.format("csv").option("a", 1).load("x")' + RESULT, TABLES).findings
    assert [finding.rule for finding in found] == ["SPARK-READ"]


def test_long_offending_text_is_cut():
    found = only(f'spark.table("{"x" * 5000}")', "SPARK-TABLE")
    assert len(found.text) <= 120


# --- tables ---


def test_without_a_list_any_plain_name_is_a_table():
    assert check(
        "result = spark.table('anything').join(spark.sql('SELECT * FROM whatever'), 'id')"
    ).ok


@pytest.mark.parametrize("name", ["a.b", "text.`/x`", "/etc/passwd", "`a`.`b`", "", "a b"])
def test_without_a_list_a_path_is_still_refused(name: str):
    assert not check(f"result = spark.table({name!r})").ok


def test_tables_are_known_in_any_case_of_letters():
    assert check(
        "result = spark.sql('SELECT * FROM SALES').union(spark.table('Sales'))", ["sAles"]
    ).ok


def test_a_dataset_whose_name_is_no_identifier_is_read_by_its_name():
    assert check("result = spark.sql('SELECT * FROM `my data`')", ["my data"]).ok


def test_no_tables_means_none():
    assert not check("result = spark.table('sales')", []).ok


def test_a_view_made_here_can_be_queried():
    code = (
        "spark.range(3).createOrReplaceTempView('mine')\nresult = spark.sql('SELECT * FROM mine')"
    )
    assert check(code, TABLES).ok


def test_a_view_is_there_only_after_it_is_made():
    made = "spark.range(3).createOrReplaceTempView('secret')\n"
    query = "result = spark.sql('SELECT * FROM secret')\n"
    assert check(made + query, TABLES).ok
    assert [f.rule for f in check(query + made, TABLES).blocking] == ["SQL-TABLE"]
    later = f"def read():\n    return spark.table('secret')\n{made}result = read()"
    assert check(later, TABLES).ok, "the order of lines says nothing inside a function"


def test_a_function_registered_here_can_be_called_in_sql():
    code = "spark.udf.register('mine', lambda x: x)\nresult = spark.sql('SELECT mine(1)')"
    assert check(code, TABLES).ok


# --- policy ---


def test_the_fingerprint_follows_the_content():
    other = dataclasses.replace(READ_ONLY, approve=frozenset({"SPARK-WRITE"}))
    same = dataclasses.replace(READ_ONLY)
    assert READ_ONLY.fingerprint == same.fingerprint != other.fingerprint


def test_the_policy_can_be_made_tighter():
    tight = dataclasses.replace(READ_ONLY, modules={"math": frozenset({"pi"})})
    assert not check("import re\nresult = 1", policy=tight).ok
    assert check("from math import pi\nresult = pi", policy=tight).ok


def test_the_fingerprint_is_the_same_in_every_process():
    code = "from bluebear_magic.guard import READ_ONLY; print(READ_ONLY.fingerprint)"
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout.strip() == READ_ONLY.fingerprint


def test_sqlglot_is_loaded_only_for_sql():
    code = (
        "import sys; from bluebear_magic.guard import check;"
        "check('result = spark.table(\"a\")'); assert 'sqlglot' not in sys.modules;"
        "check('result = spark.sql(\"SELECT 1\")'); assert 'sqlglot' in sys.modules;"
        "assert not {'pyspark', 'pandas', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_sqlglots_remarks_stay_out_of_the_notebook(caplog: pytest.LogCaptureFixture):
    for text in ("SELECT a:b[1.] FROM sales", "SELECT * FROM sales FOR UPDATE", "ALTER x y z"):
        check(f"result = spark.sql({text!r})", TABLES)
    assert caplog.records == []


def test_more_texts_of_sql_than_a_cell_has_are_refused():
    code = "".join(f'spark.sql("SELECT {i}")\n' for i in range(1_100))
    assert [f.rule for f in check(code + RESULT, TABLES).findings] == ["PY-SIZE"]
    assert check('spark.sql("SELECT 1")\n' * 1_100 + RESULT, TABLES).ok, "one text counts once"


def test_more_sql_than_a_cell_has_is_refused_and_not_read(monkeypatch: pytest.MonkeyPatch):
    from bluebear_magic.guard import spark, sql

    read = 0
    real = sql.check_query

    def counted(text: str, names: sql.Names, policy: Policy) -> list[sql.Fault]:
        nonlocal read
        read += len(text)
        return real(text, names, policy)

    monkeypatch.setattr(sql, "check_query", counted)
    # Text in a loop makes more SQL than the code is long.
    code = f"part = '{'a,' * 9_000}a'\n" + "".join(
        f"spark.sql('SELECT {i}, ' + part)\n" for i in range(200)
    )
    assert "PY-SIZE" in {f.rule for f in check(code + RESULT, TABLES).blocking}
    assert read <= spark.MAX_SQL
    assert check(f"spark.sql('SELECT ' + '{'a,' * 9_000}a')" + RESULT, TABLES).ok


def test_an_annotation_in_text_is_told_from_code_in_text():
    found = only("def f(x: \"__import__('os').abort()\"): return x", "PY-ANNOTATION")
    assert "name of a type" in found.message
    assert (
        rules('def f(x: "list[int] | None", y: "pd.Series" = 1) -> "Iterator[str]": return x')
        == set()
    )


def test_stored_names_are_those_of_the_installed_spark():
    spec = importlib.util.spec_from_file_location("make_names", CORPUS / "make_names.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    pytest.importorskip("pyspark")
    made = module.spark_names()
    assert set(made["functions"]) - READ_ONLY.modules["pyspark.sql.functions"] == {
        "AnalyzeArgument", "AnalyzeResult", "OrderingColumn", "PartitioningColumn",
        "SelectedColumn", "SkipRestOfInputTableException", "UserDefinedFunction",
        "UserDefinedTableFunction", "reflect", "java_method", "try_reflect", "udtf", "arrow_udtf",
        "from_xml", "schema_of_xml",
    }  # fmt: skip
    assert set(made["types"]) <= READ_ONLY.modules["pyspark.sql.types"]


@pytest.mark.parametrize(
    "name",
    [
        "write", "rdd", "sparkContext", "catalog", "conf", "streams", "toJSON", "inputFiles", "to_csv",
        "to_pickle", "to_parquet", "eval", "query", "tofile", "ctypes", "java_exception", "gi_frame",
        "tb_frame", "f_globals", "cr_frame", "ag_frame", "f_back", "func", "format_map", "plot",
        "style", "mro", "checkpoint", "foreach", "fromJson", "args", "obj", "getClass", "forName",
        "getRuntime", "sparkSession", "view", "getfield", "setflags", "from_buffers",
    ],
)  # fmt: skip
def test_a_way_out_is_known_and_not_allowed(name: str):
    assert name in READ_ONLY.known
    assert name not in READ_ONLY.attributes | READ_ONLY.readable


# --- input of every kind ---


STRANGE = {
    "attributes": "x" + ".a" * 20_000,
    "calls": "x" + "()" * 20_000,
    "parentheses": "(" * 5_000,
    "minus": "-" * 50_000 + "1",
    "plus": "+".join(["1"] * 20_000),
    "null byte": "a\0b",
    "surrogate": '"\ud800"',
    "surrogate in SQL": 'spark.sql("\\ud800")',
    "null byte in SQL": 'spark.sql("SELECT \\0")',
    "lambdas": "lambda:" * 3_000 + "1",
    "lists": "[" * 150 + "]" * 150,
    "one line of a megabyte": 'x = "' + "a" * 1_000_000 + '"',
    "parentheses in SQL": 'spark.sql("SELECT ' + "(" * 3_000 + '")',
    "terms in SQL": 'spark.sql("SELECT ' + "+".join(["a"] * 8_000) + '")',
    "cases in SQL": 'spark.sql("SELECT ' + "case when " * 500 + '")',
    "comments in SQL": 'spark.sql("SELECT ' + "/*" * 20_000 + '")',
    "quotes in SQL": 'spark.sql("SELECT ' + "'" * 20_001 + '")',
    "a chain": 'spark.table("sales")' + '.filter("a > 1")' * 1_500,
    "a huge number": "9" * 10_000,
    "names in a circle": "a = b\nb = a\nspark.sql(a)",
    "names in a net": "\n".join(f"a{i} = a{(i + 1) % 99} + a{(i + 2) % 99}" for i in range(99)) + "\nspark.sql(a0)",
    "doubling": 'a = "x"\n' + "a = a + a\n" * 100 + "spark.sql(a)",
    "a product": 'for a in "x", "y":\n    spark.sql(f"' + "{a}" * 400 + '")',
    "a long text": 'spark.sql("a" * 10 ** 9)',
    "a wide field": 'spark.sql(f"{1:1000000000}")',
    "a wide percent": 'spark.sql("%1000000000d" % 1)',
    "a wide star": 'spark.sql("%*d" % (1000000000, 1))',
    "a wide format": 'spark.sql("{:1000000000}".format(1))',
    "five megabytes": 'x = """' + "a\n" * 2_500_000 + '"""',
    "parentheses, many": "(" * 200_000 + "1" + ")" * 200_000,
    "brackets, many": "[" * 200_000,
    "parts of an f-string": 'spark.sql(f"' + "{a}" * 20_000 + '")',
    "statements": "a = 1\n" * 10_000,
    "SQL of a megabyte": 'spark.sql("SELECT ' + "a," * 500_000 + 'a")',
    "SQL as long as the code": 'spark.sql("SELECT ' + "a," * 45_000 + 'a")',
    "classes of one name": "class A(A):\n x = 1\n" * 4_500,
    "classes in a row": "".join(f"class A{i}(A{i - 1}): pass\n" for i in range(1, 4_000)),
    "texts of SQL": "".join(f"spark.sql('SELECT {i}')\n" for i in range(4_000)),
    "surrogate for a name": "\ud800 = 1",
    "unknown names": "\n".join(f"a{i} = b{i}" for i in range(10_000)),
}  # fmt: skip


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", STRANGE)
def test_strange_code_is_judged_and_never_hangs(name: str):
    word = check(STRANGE[name], TABLES).word
    if name == "plus":  # harmless; whether it is too deep depends on Python's version
        assert word in {"warn", "block"}
        return
    harmless = name in {"lists", "terms in SQL", "statements"}
    assert word == ("warn" if harmless else "block")


CHAIN = "result = spark.table('sales')" + ".withColumnRenamed('a', 'b')" * 499


@pytest.mark.parametrize("depth", [20, 100])
def test_a_long_honest_chain_passes(depth: int):
    assert check("result = spark.table('sales')" + ".withColumnRenamed('a', 'b')" * depth).ok


def test_a_chain_has_a_bound():
    assert check(CHAIN).ok
    assert check(CHAIN + "\n" + CHAIN.replace("result", "other")).ok, "two are not one"
    (finding,) = check(CHAIN + ".dropDuplicates()" * 5).findings
    assert (finding.rule, finding.severity) == ("PY-SIZE", "block")
    assert "500 calls" in finding.message


@settings(max_examples=150, deadline=None)
@given(st.text())
def test_no_text_crashes_the_guard(text: str):
    assert isinstance(check(text, TABLES), Verdict)


@settings(max_examples=150, deadline=None)
@given(st.text())
def test_no_sql_crashes_the_guard(text: str):
    assert isinstance(check(f"result = spark.sql({text!a})", TABLES), Verdict)


_WORDS = [*"()*,.;+-'\"`/:<>=?{}[]", "SELECT", "FROM", "WHERE", "sales", "WITH", "a", "AS", "JOIN", "CASE",
          "WHEN", "reflect", "USING", "1", "'x'", "--", "/*", "*/", "OVER", "IN", "\n", "INTERVAL", "${"]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(_WORDS), max_size=25).map(" ".join))
def test_no_jumble_of_sql_crashes_the_guard(text: str):
    assert isinstance(check(f"result = spark.sql({text!r})", TABLES), Verdict)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([code for _, code in HONEST if "def " not in code and "class " not in code]),
    st.sampled_from(
        [
            "import os", "eval('1')", "spark._jvm", "().__class__", "spark.sparkContext", "open('x')",
            "spark.table('sales').write.csv('x')", "spark.sql('DROP TABLE sales')", "spark.read.csv('x')",
            "spark.table('secret')", "spark.sql('SELECT reflect(1, 2)')",
        ]
    ),
    st.sampled_from(["{0}\n{1}", "{1}\n{0}", "def zz():\n    {0}\n{1}", "if 1:\n    {0}\n{1}"]),
)  # fmt: skip
def test_honest_code_with_something_forbidden_in_it_is_blocked(code: str, bad: str, where: str):
    if code.startswith("from __future__"):
        return
    template = where.replace("{0}", "\x01").replace("{1}", "\x02")
    verdict = check(template.replace("\x01", bad).replace("\x02", code), TABLES)
    assert verdict.blocking


def test_syntax_that_is_not_on_the_list_is_refused(monkeypatch: pytest.MonkeyPatch):
    from bluebear_magic.guard import lists

    monkeypatch.setattr(lists, "SYNTAX", lists.SYNTAX - {"While"})
    assert "PY-STATEMENT" in rules("while False:\n    pass")


def test_a_policy_is_plain_data():
    assert isinstance(READ_ONLY, Policy)
    assert all(isinstance(names, frozenset) for names in READ_ONLY.modules.values())
