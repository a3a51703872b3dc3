"""The guard over generated programs: honest ones pass, and none with something forbidden in it."""

from __future__ import annotations

import ast
import random
import re
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bluebear_magic.guard import Verdict, check

TABLES = ("sales", "customers", "regions", "products", "orders")
HEADER = """\
import math
from datetime import date, timedelta
from functools import reduce
from pyspark.sql import DataFrame, Window, functions as F, types as T
from pyspark.sql.functions import col, lit, udf, pandas_udf
"""

# --- the allowed grammar ---------------------------------------------------------

COLUMNS = ["region", "amount", "date", "product", "customer_id", "qty", "status"]
WORDS = ["West", "it''s", "a b", "é", "%x%", "", "1", "-- no comment", "100 %"]


class Writer:
    """Writes programs of the allowed grammar: ``rule`` draws one alternative and fills its names.

    In an alternative ``<name>`` stands for another rule. Below ``depth`` 0 only the first
    ``SHORT`` alternatives of a rule are drawn, which lead to no longer ones.
    """

    SHORT = 2
    RULES: ClassVar[dict[str, list[str]]] = {
        "name": COLUMNS,
        "table": list(TABLES),
        "number": ["1", "-3", "0.5", "1000", "2.25"],
        "word": WORDS,
        "literal": ["<number>", "'<word>'", "NULL", "true", "DATE '2024-01-01'"],
        "sql": [
            "<name>", "<literal>", "`<name>`", "(<sql> + <sql>)", "(<sql> || <sql>)", "(<sql> % <sql>)",
            "upper(<sql>)", "year(<sql>)", "sum(<sql>)", "coalesce(<sql>, <sql>)", "CAST(<sql> AS DECIMAL(10, 2))",
            "CASE WHEN <where> THEN <sql> ELSE <sql> END", "transform(array(<sql>), v -> v + 1)",
            "trim(BOTH 'x' FROM <sql>)", "date_add(<sql>, 7)", "<sql> - INTERVAL 3 DAYS",
        ],
        "where": [
            "<name> > <literal>", "<name> IS NOT NULL", "<sql> <=> <sql>", "<sql> IN (<literal>, <literal>)",
            "<name> LIKE '<word>'", "<sql> BETWEEN <sql> AND <sql>", "(<where> AND <where>)", "(<where> OR NOT <where>)",
        ],
        "source": [
            "<table>", "<table> a", "<table> a JOIN <table> b ON a.region = b.region", "(SELECT * FROM <table>) s",
            "<table> TABLESAMPLE (10 PERCENT)", "<table> LATERAL VIEW explode(items) t AS item",
        ],
        "query": [
            "SELECT <sql> AS x FROM <source>", "SELECT * FROM <table> WHERE <where>",
            "SELECT <sql> AS x, count(*) AS n FROM <source> WHERE <where> GROUP BY 1 HAVING count(*) > 1",
            "WITH t AS (<query>), u AS (SELECT * FROM t) SELECT * FROM u ORDER BY 1 DESC NULLS LAST LIMIT 5",
            "SELECT sum(amount) OVER (PARTITION BY <name> ORDER BY <name> ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) AS x FROM <source> -- all\n",
            "SELECT x FROM (SELECT <sql> AS x FROM <source>) UNION ALL SELECT <literal>",
            "SELECT /*+ BROADCAST(b) */ * FROM <table> a LEFT JOIN <table> b USING (region) /* end */",
        ],
        "column": [
            "F.col('<name>')", "F.lit(<number>)", "col(\"<name>\")", "(<column> + <column>)", "(<column> * <column>)",
            "F.sum(<column>)", "F.round(<column>, 2)", "F.when(<condition>, <column>).otherwise(<column>)",
            "<column>.cast('double')", "<column>.cast(T.StringType())", "<column>.alias('x')", "<column>.desc()",
            "<column>.over(Window.partitionBy('region').orderBy('date').rowsBetween(-3, Window.currentRow))",
            "F.coalesce(<column>, <column>)", "F.transform('items', lambda i: i + <column>)", "F.expr(\"\"\"<sql>\"\"\")",
            "F.regexp_replace(<column>, r'\\W+', '')", "F.to_date(<column>, 'yyyy-MM-dd')",
        ],
        "condition": [
            "(F.col('<name>') > <number>)", "F.col('<name>').isNotNull()", "(<column> == <column>)", "<column>.isin(['West', 'East'])",
            "(<condition> & <condition>)", "(<condition> | <condition>)", "~<condition>", "<column>.between(1, <number>)",
        ],
        "frame": [
            "spark.table('<table>')", "spark.createDataFrame([(1, 'a')], ['id', 'region'])", "spark.sql(\"\"\"<query>\"\"\")",
            "<frame>.filter(<condition>)", "<frame>.where(\"\"\"<where>\"\"\")", "<frame>.select(<column>, '<name>')",
            "<frame>.selectExpr(\"\"\"<sql> AS y\"\"\", '*')", "<frame>.withColumn('y', <column>)",
            "<frame>.groupBy('<name>').agg(<column>, F.count('*').alias('n'))", "<frame>.groupBy('<name>').agg({'amount': 'sum'})",
            "<frame>.join(<frame>, '<name>', 'left')", "<frame>.distinct().limit(3)", "<frame>.na.fill(0).cache()",
            "<frame>.unionByName(<frame>, allowMissingColumns=True)", "<frame>.transform(lambda d: d.orderBy(<column>))",
            "<frame>.groupBy('<name>').pivot('<name>').sum('amount')", "<frame>.drop('<name>').dropDuplicates()",
        ],
        "statement": [
            "df = <frame>", "df = <frame>\ndf.show(5, truncate=False)\nprint(df.count(), f'{df.columns}')",
            "for name in ['region', 'product']:\n    df = <frame>.groupBy(name).count()",
            "def step(d: DataFrame, low: float = 1.5) -> 'DataFrame':\n    return d.filter(<condition>)\ndf = step(<frame>)",
            "class Report:\n    def __init__(self, d):\n        self.rdd = d\n    def top(self):\n        return self.rdd.limit(3)\ndf = Report(<frame>).top()",
            "try:\n    n = <frame>.count()\nexcept (ValueError, ZeroDivisionError) as e:\n    print(f'{type(e).__name__}: {e}')\n    raise",
            "@udf('double')\ndef up(x):\n    return math.sqrt(x) if x else None\ndf = <frame>.select(up('amount'))",
            "def grow(pdf):\n    pdf['z'] = pdf['amount'] / pdf['amount'].sum()\n    return pdf\ndf = <frame>.groupBy('region').applyInPandas(grow, 'region string, z double')",
            "<frame>.createOrReplaceTempView('mine')\ndf = spark.sql('SELECT * FROM mine WHERE <name> IS NULL')",
            "conditions = [\"\"\"<where>\"\"\", \"\"\"<where>\"\"\"]\nfor c in conditions:\n    df = spark.table('sales').filter(c)",
            "parts = {'x': \"\"\"<sql>\"\"\", 'y': 'region'}\ndf = spark.sql('SELECT ' + ', '.join(f'{v} AS {k}' for k, v in parts.items()) + ' FROM sales')",
            "since = date(2024, 1, 1) - timedelta(days=30)\ndf = <frame>.filter(col('date') >= lit(since))",
            "df = reduce(DataFrame.unionByName, [<frame>, <frame>])", "rows = {r['region']: r[0] for r in <frame>.collect()}\nprint(max(rows.values(), default=0))",
            "if <frame>.isEmpty():\n    df = <frame>\nelse:\n    df = <frame>", "<statement>\n<statement>",
        ],
    }  # fmt: skip

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def rule(self, name: str, depth: int) -> str:
        choices = self.RULES[name]
        if depth <= 0 and any("<" in choice for choice in choices):
            choices = choices[: self.SHORT]
        drawn = self.random.choice(choices)
        return re.sub("<([a-z]+)>", lambda found: self.rule(found[1], depth - 1), drawn)

    def program(self) -> str:
        body = "\n".join(self.rule("statement", 5) for _ in range(self.random.randint(1, 3)))
        return f"{HEADER}{body}\nresult = spark.table('sales')\n"


SEEDS = st.integers(0, 2**32)
PROGRAMS = SEEDS.map(lambda seed: Writer(seed).program())


@settings(max_examples=150, deadline=None)
@given(PROGRAMS)
def test_a_program_of_the_allowed_grammar_is_never_blocked(code: str):
    assert check(code, TABLES).blocking == ()
    assert check(code).blocking == ()


# --- with something forbidden in it --------------------------------------------------

FORBIDDEN = [
    "eval('1')", "exec('x = 1')", "open('/etc/passwd')", "compile('1', '', 'eval')", "input()",
    "__import__('os')", "__builtins__", "globals()", "vars(spark)", "getattr(spark, '_jvm')",
    "setattr(spark, 'x', 1)", "type('T', (), {})", "type(type(1))('T', (), {})", "breakpoint()",
    "().__class__", "(lambda: 0).__globals__", "print.__self__", "spark.__dict__",
    "'{0.__class__}'.format(spark)", "'{x[0]}'.format(x=spark)", "(i for i in ()).gi_frame",
    "spark._jvm", "spark.sparkContext", "spark.table('sales').rdd", "spark.table('sales')._jdf",
    "spark.stop()", "spark.newSession()", "spark.catalog", "spark.readStream", "spark.udf.registerJavaFunction",
    "spark.conf.set('spark.jars', 'x')", "spark.read.csv('/etc/passwd')", "spark.read.format('jdbc')",
    "spark.table('secret')", "spark.table('text.`/etc/passwd`')", "spark.table(str(spark))",
    "spark.table('sales').write.csv('/tmp/x')", "spark.table('sales').writeTo('x')",
    "spark.table('sales').foreach(print)", "spark.table('sales').createGlobalTempView('g')",
    "spark.sql('DROP TABLE sales')", "spark.sql('SELECT * FROM secret')", "spark.sql('SELECT 1; SELECT 2')",
    "spark.sql('SELECT * FROM csv.`/etc/passwd`')", "spark.sql(str(spark))", "spark.sql('SET a = b')",
    "spark.sql(\"SELECT reflect('java.lang.System', 'exit')\")", "spark.sql('SELECT ${env:HOME}')",
    "spark.sql('SELECT * FROM LATERAL secret')", "F.expr('java_method(1, 2)')", "F.sys", "T.os",
    "F.reflect(F.lit(1))", "F.call_function('reflect', F.lit(1))", "F.from_json('a', '{}')",
    "spark.table('sales').filter('reflect(1, 2)')", "spark.table('sales').selectExpr('try_reflect(1, 2)')",
    "spark.table('sales').toPandas().to_csv('/tmp/x')", "spark.table('sales').toPandas().query('@x')",
    "spark.table('sales').toPandas().agg('to_csv', 0, '/tmp/x')", "math.sys", "F.col.__globals__",
]  # fmt: skip

# Where an expression can stand, "@" for it. Applied inside one another, then in a statement.
INSIDE = [
    "@", "(@)", "[@]", "(@, 1)", "{1: @}", "{@}", "[@ for _ in [1]]", "[_ for _ in [1] if @]", "{_: @ for _ in [1]}",
    "(lambda: @)", "(lambda x=@: x)", "(@ if 1 else 2)", "(1 if @ else 2)", "(0 or @)", "(not @)", "(@ == 1)", "str(@)",
    "print(1, @)", "print(*[@])", "dict(a=@)", "dict(**{'a': @})", "(y := @)", "[1, 2][@]", "[1, 2][0:@]", "(1 + @)",
    "F.lit(@)", "spark.table('sales').withColumn('x', @)", "spark.table('sales').filter(F.col('a') == @)", "max([@])",
    "list(map(lambda r: @, [1]))", "udf(lambda r: @)", "F.transform('a', lambda i: @)", "(@).alias", "sorted([1], key=lambda _: @)",
]  # fmt: skip
AROUND = [
    "@", "x = @", "x: object = @", "x = y = @", "x, z = 1, @", "x = []\nx += [@]", "for x in [@]:\n    pass",
    "if @:\n    pass", "if 0:\n    pass\nelif @:\n    pass", "while @:\n    break", "assert 1, @", "raise ValueError(@)",
    "with @ as x:\n    pass", "def f():\n    return @", "def f(x=@):\n    pass", "def f(*, x=@):\n    pass",
    "def f():\n    yield @", "def f():\n    for x in [1]:\n        try:\n            @\n        finally:\n            pass",
    "class A:\n    x = @", "class A:\n    def m(self):\n        self.x = @", "class A:\n    @property\n    def m(self):\n        return @",
    "try:\n    pass\nexcept ValueError:\n    x = @", "try:\n    x = 1\nfinally:\n    @", "match @:\n    case _:\n        pass",
    "match 1:\n    case x if @:\n        pass", "@udf('int')\ndef f(x):\n    return @", "@pandas_udf('int')\ndef f(x):\n    return @",
    "def f(x: (@)):\n    pass", "def f() -> (@):\n    pass", "x: (@) = 1", "del [@][0]", "global x\nx = @", "lambda: (yield @)",
    "async def f():\n    return @", "if 0:\n    x = @", "def outer():\n    def inner():\n        nonlocal_ = @\n    return inner",
    "def g(pdf):\n    x = @\n    return pdf\nspark.table('sales').groupBy('a').applyInPandas(g, 'a int')",
]  # fmt: skip


def placed(bad: str, inside: list[str], around: str) -> str:
    """``bad`` in expressions inside one another, in a statement."""
    for template in inside:
        bad = template.replace("@", bad)
    # A decorator's @ is not a hole.
    return around.replace("@udf", "\x01").replace("@pandas_udf", "\x02").replace("@property", "\x03").replace(
        "@", bad
    ).replace("\x01", "@udf").replace("\x02", "@pandas_udf").replace("\x03", "@property")  # fmt: skip


def parses(code: str) -> bool:
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return True


@pytest.mark.parametrize("bad", FORBIDDEN)
def test_something_forbidden_is_blocked_wherever_it_stands(bad: str):
    """Every forbidden expression, in every kind of expression and of statement."""
    tail = '\nresult = spark.table("sales")\n'
    codes = [HEADER + placed(bad, [inside], "x = @") + tail for inside in INSIDE]
    codes += [HEADER + placed(bad, [], around) + tail for around in AROUND]
    passed = [code for code in codes if parses(code) and not check(code, TABLES).blocking]
    assert passed == []


@settings(max_examples=200, deadline=None)
@given(
    PROGRAMS,
    st.sampled_from(FORBIDDEN),
    st.lists(st.sampled_from(INSIDE), max_size=3),
    st.sampled_from(AROUND),
    st.booleans(),
)
def test_an_honest_program_with_something_forbidden_in_it_is_blocked(
    code: str, bad: str, inside: list[str], around: str, before: bool
):
    added = placed(bad, inside, around)
    body = code.removeprefix(HEADER)
    mutated = HEADER + (f"{added}\n{body}" if before else f"{body}\n{added}\n")
    assert check(mutated, TABLES).blocking or not parses(mutated)


# --- texts into Spark, through everything that a program can do with them ---------------

WAYS = [
    "spark.table('sales').filter(@)", "spark.table('sales').where(condition=@)", "F.expr(@)",
    "spark.table('sales').selectExpr('a', @)", "spark.table('sales').selectExpr([@])", "spark.sql('SELECT ' + @)",
    "spark.sql(f'SELECT {@}')", "spark.sql('SELECT {}'.format(@))", "spark.sql('SELECT %s' % @)",
    "spark.sql(' '.join(['SELECT', @]))", "spark.table('sales').groupBy('a').agg(F.expr(@))",
]  # fmt: skip
MAKINGS = [
    "x = BAD\nUSE", "x = 'a'\nx = BAD\nUSE", "for x in ['a', BAD]:\n    USE", "x = {'k': BAD}['k']\nUSE", "x, y = BAD, 1\nUSE",
    "(x := BAD)\nUSE", "def f(x):\n    USE\nf(BAD)", "def f(x=BAD):\n    USE\nf()", "f = lambda x: USE\nf(BAD)",
    "[USE for x in ['a', BAD]]", "x = 'a' if 1 else BAD\nUSE", "def f():\n    return BAD\nx = f()\nUSE",
    "def f():\n    global x\n    x = BAD\nx = 'a'\nf()\nUSE", "x = BAD\ndef f():\n    USE\nf()", "x = ''.join(['', BAD])\nUSE",
    "x = BAD.replace('z', 'y')\nUSE", "items = ['a']\nitems.append(BAD)\nfor x in items:\n    USE",
    "items = {'a': 'a', 'b': BAD}\nfor _, x in items.items():\n    USE", "x = [BAD, 'a'][0]\nUSE", "x = BAD\nclass A:\n    USE\n    x = 'a'",
    "class A:\n    t = BAD\nx = A.t\nUSE", "x = str(BAD)\nUSE", "x = max(['a', BAD])\nUSE", "x = 'a'\nx = x and BAD\nUSE",
    "import json\nx = json.loads('\"a\"')\nUSE", "x = spark.table('sales').first()[0]\nUSE", "x = spark.table('sales').columns[0]\nUSE",
]  # fmt: skip


@pytest.mark.parametrize("making", MAKINGS)
def test_a_text_is_followed_from_where_it_is_made_to_spark(making: str):
    for way in WAYS:
        for bad in ("\"reflect('a', 'b')\"", "'(SELECT max(x) FROM secret)'"):
            use = way.replace("@", "x")
            code = making.replace("USE", use).replace("BAD", bad)
            code = f'{HEADER}{code}\nresult = spark.table("sales")\n'
            assert parses(code)
            assert check(code, TABLES).blocking, code


@pytest.mark.parametrize("making", [m for m in MAKINGS if "json" not in m and "spark." not in m])
def test_a_harmless_text_made_in_the_open_is_not_blocked(making: str):
    hidden = ("class A:\n    t", "max(", "global x", "class A:\n    USE")
    if making.startswith(hidden[0]) or any(part in making for part in hidden[1:]):
        return  # there the guard does not follow a text, and refuses it
    for way in WAYS[:3]:
        code = making.replace("USE", way.replace("@", "x")).replace("BAD", "'amount > 1'")
        code = f"{HEADER}{code.replace(chr(39) + 'a' + chr(39), chr(39) + 'qty > 2' + chr(39))}\nresult = 1\n"
        verdict = check(code, TABLES)
        assert not verdict.blocking, (code, verdict.blocking)


# --- input of every kind ------------------------------------------------------------------

PIECES = [
    "spark", ".table", "('sales')", ".filter(", ")", "(", "[", "]", "{", "}", "'", '"', "f'", "F.col", "F.expr", "lambda", ":",
    "x", " = ", "\n", "    ", "def f(", "class A", "import ", "from ", " for ", " in ", " if ", " else ", ".", ",", "*", "**",
    "0", "'SELECT 1'", "return ", "yield ", "\\", "#", "@", "|", "match ", "case ", "\0", "\ud800", "\uff19", "\ufb01", "__", "`", "${",
]  # fmt: skip


@pytest.mark.timeout(60)
@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join))
def test_no_jumble_of_python_crashes_the_guard(text: str):
    assert isinstance(check(text, TABLES), Verdict)


@pytest.mark.timeout(60)
@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(PIECES) | SEEDS.map(lambda seed: Writer(seed).rule("query", 3)),
        min_size=1,
        max_size=6,
    ).map(" ".join)
)
def test_no_mixture_of_sql_crashes_the_guard(text: str):
    for way in ("spark.sql", "F.expr", "spark.table('sales').filter"):
        assert isinstance(check(f"{HEADER}result = {way}({text!a})", TABLES), Verdict)


LONG = {
    "texts of SQL": "".join(f'spark.sql("SELECT {i}")\n' for i in range(4_000)),
    "one text of SQL": 'spark.sql("SELECT 1")\n' * 4_000,
    "common tables": 'spark.sql("WITH ' + ",".join(f"c{i} AS (SELECT * FROM c{i})" for i in range(800)) + ' SELECT 1")',
    "joins": 'spark.sql("SELECT * FROM sales' + " JOIN sales" * 3_000 + '")',
    "tables that are not there": 'spark.sql("SELECT * FROM ' + ", ".join(f"t{i}" for i in range(3_000)) + '")',
    "calls in calls": 'spark.sql("SELECT ' + "abs(" * 50 + "1" + ")" * 50 + '")',
    "cases in cases": 'spark.sql("SELECT ' + "CASE WHEN a THEN " * 400 + "1" + " END" * 400 + '")',
    "ands": 'spark.table("sales").filter("' + " AND ".join(["a > 1"] * 2_000) + '")',
    "classes": "".join(f"class A{i}:\n    def m(self):\n        return self.rdd\n" for i in range(1_500)),
    "heirs": "class A0: pass\n" + "".join(f"class A{i}(A{i - 1}): pass\n" for i in range(1, 2_000)),
    "functions that call each other": "".join(f"def f{i}(x):\n    return f{i + 1}(x) + f{i + 1}(x)\n" for i in range(60)) + "spark.sql(f0('a'))",
    "a frame bound again and again": "df = spark.table('sales')\n" + "df = df.filter(df.a.isNull()).filter('a > 1')\n" * 1_000,
    "types in types": "A0 = int\n" + "".join(f"A{i} = list[A{i - 1}] | A{i - 1}\n" for i in range(1, 900)) + "def f(x: A899): pass",
    "a type in texts": "def f(x: " + '"' + "list['" * 30 + '"' + "): pass",
    "fields": 'spark.sql("SELECT ' + "{x}, " * 5_000 + '1", x=1)',
    "attributes in a row": "x = spark" + ".read" * 5_000,
    "items in a row": "x = spark" + "[0]" * 5_000,
    "decorators": "@udf\n" * 5_000 + "def f(x): pass",
    "comparisons": "x = 1" + " < 1" * 20_000,
    "a huge power": "spark.sql('a' * 2 ** 2 ** 2 ** 2 ** 2)",
    "huge numbers": "spark.table(" + "9" * 4_000 + " * " + "9" * 4_000 + ")",
    "formats in formats": "spark.sql(" + "f'{" * 1 + "'a'" + "}'" * 1 + ".format(1)" * 3_000 + ")",
    "surrogates": 'x = "' + "\udcff" * 1_000 + '"',
    "invalid UTF-8": b"x = '\xff\xfe'".decode("utf-8", "surrogateescape"),
    "a line of a megabyte": "x = " + "1+" * 500_000 + "1",
    "blank lines": "\n" * 99_000,
    "a comment": "#" * 99_000,
    "semicolons": "a=1;" * 24_000,
    "tabs": "if 1:\n" + "".join("\t" * i + "if 1:\n" for i in range(1, 99)),
}  # fmt: skip


@pytest.mark.timeout(20)
@pytest.mark.parametrize("code", LONG.values(), ids=LONG)
def test_long_code_is_judged_and_never_hangs(code: str):
    assert isinstance(check(code, TABLES), Verdict)
    assert isinstance(check(code), Verdict)
