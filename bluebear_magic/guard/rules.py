"""Every rule of the guard: how grave it is, why it is there, and what to write instead.

A finding names one of these. ``why`` and ``advice`` are templates: ``{text}``
stands for the offending text, other names for what the check knows.
"""

from __future__ import annotations

from dataclasses import dataclass

from bluebear_magic.records import Severity


@dataclass(frozen=True)
class Rule:
    """``bad`` breaks the rule and ``good`` does not: one line of code each."""

    id: str
    severity: Severity
    why: str
    advice: str
    bad: str
    good: str


_ALL = (
    # --- the text as a whole ---
    Rule(
        "FILE-READ",
        "block",
        "The file cannot be judged: {detail}.",
        "Give a file of Python in UTF-8.",
        bad="bluebear guard missing.py",
        good="bluebear guard job.py",
    ),
    Rule(
        "PY-SYNTAX",
        "block",
        "This is not Python: {detail}.",
        "Correct the syntax at this place.",
        bad="result = (",
        good='result = spark.table("sales")',
    ),
    Rule(
        "PY-SIZE",
        "block",
        "The code is too large or too deeply nested to be judged: {detail}.",
        "Split it into smaller steps with names.",
        bad="result = ((((…))))",
        good='result = spark.table("sales")',
    ),
    Rule(
        "CODE-RESULT",
        "warn",
        "The code assigns neither `result` nor `results`, so it has no answer.",
        'End with `result = <DataFrame>` (or `results = {{"title": <DataFrame>, ...}}`).',
        bad='spark.table("sales").show()',
        good='result = spark.table("sales")',
    ),
    # --- names and imports ---
    Rule(
        "PY-IMPORT",
        "block",
        "`{text}` is not on the list of what a cell may import.",
        "Use pyspark.sql, or of the standard library: {modules}.",
        bad="import os",
        good="from pyspark.sql import functions as F",
    ),
    Rule(
        "PY-MODULE",
        "block",
        "`{text}` is not on the list of what a cell may use of that module.",
        "Use only the module's public functions, as `module.function`.",
        bad="F.sys",
        good='F.col("a")',
    ),
    Rule(
        "PY-MODULE-VALUE",
        "block",
        "`{text}` is a module; passed around, what is read from it can no longer be checked.",
        "Write `{text}.function` where the function is needed.",
        bad="g = F",
        good='F.col("a")',
    ),
    Rule(
        "PY-NAME",
        "block",
        "`{text}` is not defined in this cell.",
        "Define it, or correct its name{near}.",
        bad="r = dff",
        good="r = df",
    ),
    Rule(
        "PY-BUILTIN",
        "block",
        "`{text}` reaches code, files or the interpreter and is not available here.",
        'Write the expression itself; read data with `spark.table("name")`.',
        bad='eval("1")',
        good="len([1])",
    ),
    Rule(
        "PY-TYPE",
        "block",
        "`type` may only show or compare one value's type: a class passed around makes others.",
        "Use `print(type(value))`, `type(value).__name__` or `isinstance(value, ...)`.",
        bad='type("T", (), {})',
        good="type(1)",
    ),
    Rule(
        "PY-DUNDER",
        "block",
        "`{text}` is a special name of the interpreter's own machinery.",
        "Use the public function or operator that stands for it.",
        bad="().__class__",
        good="len(())",
    ),
    Rule(
        "PY-REBIND",
        "block",
        "`{text}` is given to the cell and must stay what it is.",
        "Use another name for your own value.",
        bad="spark = 1",
        good="spark = SparkSession.builder.getOrCreate()",
    ),
    # --- attributes and calls ---
    Rule(
        "PY-PRIVATE",
        "block",
        "`.{text}` is private to its library.",
        "Use the public DataFrame API.",
        bad="df._schema",
        good="df.count()",
    ),
    Rule(
        "PY-ATTRIBUTE",
        "block",
        "`.{text}` is not on the list of attributes a cell may use.",
        'Use the DataFrame API; write a column of that name as `df["{text}"]`{near}.',
        bad="fn.func",
        good="df.amount",
    ),
    Rule(
        "PY-IO",
        "block",
        "`.{text}` reads or writes files, or runs text as code.",
        ('Read with `spark.table("name")`; leave the answer in `result`, it is saved for you.'),
        bad='pdf.to_csv("x.csv")',
        good="pdf.head()",
    ),
    Rule(
        "PY-FORMAT",
        "block",
        "A format string filled at run time can read any attribute.",
        (
            "Use an f-string, or `.format` on a literal with plain fields such as `{{0}}` or "
            "`{{name}}`."
        ),
        bad='"{0.__class__}".format(1)',
        good='"{0}".format(1)',
    ),
    Rule(
        "PY-STRING-CALL",
        "block",
        "`{text}` calls a method by a name that is not a plain aggregate.",
        ("Write the name of the aggregate as a literal ('sum', 'mean', ...) or pass a function."),
        bad='pdf.agg("to_csv")',
        good='pdf.agg("sum")',
    ),
    Rule(
        "PY-ARGUMENT",
        "block",
        "The argument `{text}` is not on the list for this call.",
        "Leave it out.",
        bad="print(1, file=fn)",
        good="print(1)",
    ),
    Rule(
        "PY-ANNOTATION",
        "block",
        "Spark evaluates annotations, and `{text}` is more than the name of a type.",
        "Write the type itself, such as `pd.Series` or `Iterator[pd.Series]`, or leave it out.",
        bad='def f(x: "fn(1)"): return x',
        good='def f(x: "str") -> str: return x',
    ),
    Rule(
        "PY-MEMORY",
        "block",
        "`{text}` reaches an array's memory, where numbers can be made into objects.",
        'Make arrays with `np.array`; read a column of that name as `df["{text}"]`.',
        bad="import numpy as np\nx = np.ndarray((1,), dtype=object)",
        good="import numpy as np\nx = np.array([1])",
    ),
    Rule(
        "PY-ASSIGN",
        "block",
        "`{text}` would change an object of a library.",
        "Assign to a name, or to an attribute of your own object.",
        bad="F.col = 1",
        good='c = F.col("a")',
    ),
    # --- statements ---
    Rule(
        "PY-CLASS",
        "block",
        "`{text}` changes how classes work.",
        "Use a plain class, or a function.",
        bad="class A(metaclass=type(1)): pass",
        good="class A: pass",
    ),
    Rule(
        "PY-DECORATOR",
        "block",
        "`{text}` is not a decorator that can be checked.",
        'Decorate with a function\'s name or its call: `@udf`, `@pandas_udf("double")`.',
        bad="@(lambda f: f)\ndef g(): pass",
        good="@udf\ndef g(x): return x",
    ),
    Rule(
        "PY-ASYNC",
        "block",
        "Asynchronous code has no place in a cell that Spark runs.",
        "Write plain functions.",
        bad="async def f(): pass",
        good="def f(): pass",
    ),
    Rule(
        "PY-STATEMENT",
        "block",
        "`{text}` is not on the list of Python syntax that a cell may use.",
        "Write it with plain statements.",
        bad="x = t'{1}'",
        good="x = f'{1}'",
    ),
    Rule(
        "PY-EXCEPT",
        "block",
        "This handler hides every error, so a wrong answer would look right.",
        "Catch the error you expect by name, and handle it.",
        bad="try:\n    fn(1)\nexcept:\n    pass",
        good="try:\n    fn(1)\nexcept ValueError:\n    x = 0",
    ),
    # --- Spark ---
    Rule(
        "SPARK-READ",
        "block",
        "Files are not read by path; data comes from registered datasets.",
        "Write {tables}.",
        bad='spark.read.csv("a.csv")',
        good='spark.table("sales")',
    ),
    Rule(
        "SPARK-WRITE",
        "block",
        "`.{text}` writes data{detail}.",
        "Leave the answer in `result`; it is saved for you{instead}.",
        bad='df.write.parquet("/data/out")',
        good="result = df",
    ),
    Rule(
        "SPARK-TABLE",
        "block",
        "There is no dataset `{text}`.",
        "{tables}.",
        bad='spark.table("nope")',
        good='spark.table("sales")',
    ),
    Rule(
        "SPARK-PATH",
        "block",
        "`{text}` is not a plain dataset name: with a dot or a quote it can name a file.",
        "Write {tables}.",
        bad='spark.table("text.`/etc/hosts`")',
        good='spark.table("sales")',
    ),
    Rule(
        "SPARK-DYNAMIC",
        "block",
        "This text reaches Spark but is only known at run time, so it cannot be checked.",
        "Write it out as a literal, or with f-strings over constants.",
        bad="spark.table(df.columns[0])",
        good='spark.table("sales")',
    ),
    Rule(
        "SPARK-REFERENCE",
        "block",
        "`{text}` takes text that Spark runs, and must be called where it is named.",
        "Call it directly with the text written out.",
        bad="run = spark.sql",
        good='spark.sql("SELECT 1")',
    ),
    Rule(
        "SPARK-VIEW",
        "block",
        "`{text}` cannot be a view made here.",
        "Use createOrReplaceTempView with a new plain name that no dataset has.",
        bad='df.createOrReplaceTempView("sales")',
        good='df.createOrReplaceTempView("recent")',
    ),
    Rule(
        "SPARK-STREAM",
        "block",
        "`.{text}` starts streams.",
        'Use `spark.table("name")`.',
        bad="spark.readStream",
        good='spark.table("sales")',
    ),
    Rule(
        "SPARK-CATALOG",
        "block",
        "`.{text}` changes or lists the catalog.",
        'Use `spark.table("name")`; drop nothing, views go by themselves.',
        bad="spark.catalog",
        good='spark.table("sales")',
    ),
    Rule(
        "SPARK-CONF",
        "block",
        "`{text}` is about a setting of Spark that a cell may not read or change.",
        "Leave the setting out.",
        bad='spark.conf.set("spark.jars", "b")',
        good='spark.conf.set("spark.sql.shuffle.partitions", "8")',
    ),
    Rule(
        "SPARK-CONTEXT",
        "block",
        "`.{text}` leads into Spark's engine, past the DataFrame API.",
        "Use the DataFrame API: it runs on every backend.",
        bad="spark.sparkContext",
        good="spark.range(3)",
    ),
    Rule(
        "SPARK-SESSION",
        "block",
        "`.{text}` is about the session, which is not the cell's to change.",
        "Leave it out: `spark` is ready and is closed for you.",
        bad="spark.stop()",
        good="spark.range(3)",
    ),
    Rule(
        "SPARK-BUILDER",
        "warn",
        "`spark` is there already; the builder's settings are ignored.",
        "Leave the builder out.",
        bad="spark = SparkSession.builder.getOrCreate()",
        good="spark.range(3)",
    ),
    Rule(
        "SPARK-FOREACH",
        "block",
        "`.{text}` runs code for its effects, and a cell may have none.",
        "Use withColumn, or collect a small result.",
        bad="df.foreach(fn)",
        good="df.collect()",
    ),
    Rule(
        "SPARK-FUNCTION",
        "block",
        "`{text}` is not on the list of Spark functions a cell may call{detail}.",
        "Use the built-in functions of pyspark.sql.functions{near}.",
        bad='F.call_function("reflect")',
        good='F.call_function("upper", "a")',
    ),
    Rule(
        "SPARK-SCHEMA",
        "block",
        "A schema given as JSON, or as an object of another kind, can name classes to load.",
        "Write the schema as DDL ('a INT, b STRING') or with StructType.",
        bad="F.from_json(\"c\", '{}')",
        good='F.from_json("c", "a INT")',
    ),
    # --- SQL ---
    Rule(
        "SQL-SYNTAX",
        "block",
        "This SQL cannot be read: {detail}.",
        "Write one plain Spark SQL query.",
        bad='spark.sql("SELECT 1 +")',
        good='spark.sql("SELECT 1")',
    ),
    Rule(
        "SQL-COMMAND",
        "block",
        "`{text}` is not a query.",
        "Write a SELECT (or WITH ... SELECT).",
        bad='spark.sql("DROP TABLE sales")',
        good='spark.sql("SELECT 1")',
    ),
    Rule(
        "SQL-MULTIPLE",
        "block",
        "There is more than one statement here.",
        "Write one query per spark.sql.",
        bad='spark.sql("SELECT 1; SELECT 2")',
        good='spark.sql("SELECT 1")',
    ),
    Rule(
        "SQL-CLAUSE",
        "block",
        "`{text}` is not on the list of SQL that a cell may use.",
        "Use SELECT with joins, groups, windows and CTEs.",
        bad="spark.sql(\"SELECT TRANSFORM(a) USING 'x' FROM sales\")",
        good='spark.sql("SELECT 1")',
    ),
    Rule(
        "SQL-FUNCTION",
        "block",
        "`{text}` is not on the list of SQL functions a cell may call.",
        "Use Spark's built-in functions, or register your own with spark.udf.register{near}.",
        bad="spark.sql(\"SELECT reflect('a', 'b')\")",
        good="spark.sql(\"SELECT upper('a')\")",
    ),
    Rule(
        "SQL-TABLE",
        "block",
        "There is no dataset `{text}`.",
        "{tables}.",
        bad='spark.sql("SELECT * FROM nope")',
        good='spark.sql("SELECT * FROM sales")',
    ),
    Rule(
        "SQL-PATH",
        "block",
        ("`{text}` is not a plain dataset name: with a dot it can name a file or another schema."),
        "Query one of the datasets by its name.",
        bad='spark.sql("SELECT * FROM csv.`/a`")',
        good='spark.sql("SELECT * FROM sales")',
    ),
    Rule(
        "SQL-SUBSTITUTE",
        "block",
        "`${{...}}` puts settings and environment variables into the query.",
        "Write the value out.",
        bad="spark.sql(\"SELECT '${env:HOME}'\")",
        good="spark.sql(\"SELECT 'x'\")",
    ),
    Rule(
        "SQL-COMMENT",
        "block",
        "This comment can be read in two ways.",
        "Leave the comment out.",
        bad='spark.sql("SELECT 1 /* /* */ */")',
        good='spark.sql("SELECT 1 -- one")',
    ),
)

RULES = {rule.id: rule for rule in _ALL}
