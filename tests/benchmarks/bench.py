"""``make bench``: what Bluebear adds, each figure beside a peer measured in the same run.

Prints medians in milliseconds and the ratio to the peer, where there is one.
"""

import ast
import itertools
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bluebear_magic import Bluebear
from bluebear_magic.context.local import describe
from bluebear_magic.generation.offline import OfflineModel
from bluebear_magic.guard import check
from bluebear_magic.records import (
    Ask,
    Column,
    ColumnProfile,
    Context,
    Conversation,
    Dataset,
    Profile,
)

DATA = Path(__file__).parents[2] / "notebooks" / "data"
LOAD = """
import time
from IPython.core.interactiveshell import InteractiveShell
begun = time.perf_counter()
shell = InteractiveShell.instance()
bare = time.perf_counter() - begun
begun = time.perf_counter()
shell.run_line_magic("load_ext", "bluebear_magic")
print(bare * 1000, (time.perf_counter() - begun) * 1000)
"""
BLOCK = """
df{i} = spark.table("sales").filter(F.col("amount") > {i}).withColumn("x", F.when(F.col("a") == {i}, "b"))
def f{i}(d, n={i}):
    total = 0
    for k in range(n):
        total += k * 2
    return d.groupBy("region").agg(F.sum("amount").alias(f"total_{{n}}"), F.avg("x").alias("m"))
result = f{i}(df{i}).orderBy(F.desc("m")).limit({i})
"""
QUERY = (
    "with monthly as (select month(day) m, sum(sales) s from sales where sales > {limit} group by 1) "
    "select * from monthly order by m"
)
HOSTILE = {
    "a line of a megabyte": 'x = "' + "a" * 1_000_000 + '"',
    "200,000 parentheses": "(" * 200_000 + "1" + ")" * 200_000,
    "200,000 minus signs": "-" * 200_000 + "1",
    "a sum of 40,000 terms": "+".join(["1"] * 40_000),
    "10,000 statements": "a = 1\n" * 10_000,
    "five megabytes": 'x = """' + "a\n" * 2_500_000 + '"""',
    "20,000 fields of an f-string": 'a = "b"\nspark.sql(f"' + "{a}" * 20_000 + '")',
    "SQL of a megabyte": 'spark.sql("SELECT ' + "a," * 500_000 + 'a")',
    "SQL at its bound": 'spark.sql("SELECT ' + "a," * 14_500 + 'a FROM sales")',
    "SQL nested 5,000 deep": 'spark.sql("SELECT ' + "(" * 5_000 + '1")',
    "4,000 texts of SQL": "".join(f"spark.sql('SELECT {i}')\n" for i in range(4_000)),
    "900 parts of a query": "spark.table('sales')" + ".filter('a > 1')" * 900,
    "nulls and surrogates": "a\0" * 30_000 + "\ud800" * 30_000,
}
CHECKED = """from pyspark.sql import functions as F

result = (
    spark.table("sales_data").where(F.col("sales") > {limit})
    .groupBy("region").agg(F.sum("sales").alias("total")).orderBy("region")
)
"""


def milliseconds(work, times):
    """Milliseconds of each of ``times`` calls."""
    spent = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        spent.append((time.perf_counter() - begun) * 1000)
    return spent


def tell(what, ours, peer_name="", peer=()):
    median = statistics.median(ours)
    line = f"{what:46} {median:9.1f} ms"
    if peer:
        other = statistics.median(peer)
        line += f"   {peer_name}: {other:.1f} ms, ratio {median / other:.2f}"
    print(line, flush=True)


def load():
    runs = [
        subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True)
        for _ in range(7)
    ]
    bare, ours = zip(*(map(float, run.stdout.split()) for run in runs), strict=True)
    tell("%load_ext bluebear_magic", ours, "a bare IPython shell", bare)


def guard():
    code = "from pyspark.sql import functions as F\n" + "".join(
        BLOCK.format(i=i) for i in range(33)
    )
    assert check(code, ["sales"]).ok
    nodes = sum(1 for _ in ast.walk(ast.parse(code)))
    ours, parsed = [], []
    for _ in range(31):  # in turn: a busy machine is as busy for both
        ours += milliseconds(lambda: check(code, ["sales"]), 1)
        parsed += milliseconds(lambda: ast.parse(code), 1)
    tell(f"guard, {nodes:,} syntax nodes", ours, "ast.parse", parsed)


def guard_sql():
    """A text of SQL that was not seen before, beside what sqlglot alone takes to parse it."""
    import sqlglot

    limits = itertools.count()
    ours, parsed, again = [], [], []
    for _ in range(41):
        text = QUERY.format(limit=next(limits))
        code = f'result = spark.sql("{text}")'
        ours += milliseconds(lambda code=code: check(code, ["sales"]), 1)
        parsed += milliseconds(lambda text=text: sqlglot.parse_one(text, dialect="spark"), 1)
        again += milliseconds(lambda code=code: check(code, ["sales"]), 1)
    tell(f"guard, a text of {len(text)} characters of SQL", ours, "sqlglot", parsed)
    tell("guard, the same text again", again)


def guard_hostile():
    """Code that is made to take long; none may take two seconds."""
    check("result = spark.sql('SELECT 1')")
    for what, code in HOSTILE.items():
        verdict = check(code, ["sales"]).word
        tell(f"guard, {what}: {verdict}", milliseconds(lambda code=code: check(code, ["sales"]), 1))


WORDS = "price city country status region quantity phone weight color size rate score".split()


def things(letter, number):
    """A dataset of twenty columns, and its profile."""
    columns = [Column(f"{letter}_id", "BIGINT")]
    columns += [
        Column(f"{WORDS[n % 12]}_{number}_{n}", "BIGINT" if n % 2 else "STRING") for n in range(19)
    ]
    known = [
        ColumnProfile(c.name, 0, 3, values=("x", "y", "z"), complete=True)
        if c.type == "STRING"
        else ColumnProfile(c.name, 0, 800, 0, 900)
        for c in columns
    ]
    name = f"{letter}{letter}_things"
    return Dataset(name, "", "csv", (), tuple(columns), name), Profile(900, tuple(known))


def offline():
    datasets, profiles = zip(
        *(things(c, n) for n, c in enumerate("abcdefghijklmnopqrst")), strict=True
    )
    conversation = Conversation(Ask("how many aa things are there"), Context(datasets, profiles))
    model = OfflineModel()

    def ask():
        assert "aa_things" in model.generate(conversation, str).code

    ask()
    tell("offline model, 20 tables of 20 columns", milliseconds(ask, 31))


def wide_csv():
    import pandas as pd

    header = ",".join(f"c{i}" for i in range(500))
    row = ",".join(("17", "0.25", "x", "2024-01-31", "NA")[i % 5] for i in range(500))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "wide.csv"
        path.write_text("\n".join([header, *[row] * 50]) + "\n")
        ours = milliseconds(lambda: describe("wide", path), 5)
        tell(
            "describing a CSV of 500 columns",
            ours,
            "pandas",
            milliseconds(lambda: pd.read_csv(path), 5),
        )


def warm_check():
    with Bluebear() as bb:
        bb.add_data("sales_data", DATA / "sales_data.csv")
        limits = itertools.count()

        def one():
            assert bb.check(CHECKED.format(limit=next(limits)), strict=True).ok

        cold = milliseconds(one, 1)
        tell("first check, Spark's start included", cold)
        milliseconds(one, 20)
        tell("warm check of an aggregation", milliseconds(one, 50), "the first", cold)


if __name__ == "__main__":
    for benchmark in (load, guard, guard_sql, guard_hostile, offline, wide_csv, warm_check):
        benchmark()
