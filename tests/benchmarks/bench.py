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
    ours = milliseconds(lambda: check(code, ["sales"]), 31)
    tell(
        f"guard, {nodes:,} syntax nodes",
        ours,
        "ast.parse",
        milliseconds(lambda: ast.parse(code), 31),
    )


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
    for benchmark in (load, guard, offline, wide_csv, warm_check):
        benchmark()
