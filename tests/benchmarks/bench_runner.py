"""The worker beside its peers: cold starts, warm checks by stage, the floor, a large result.

Every query has a literal of its own, so that no cache answers; ours and the peer take turns.
"""

import itertools
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bluebear_magic.backends.local import LocalBackend
from bluebear_magic.guard import check as guard_check
from bluebear_magic.runner import class_data
from bluebear_magic.runner.envelope import Binding, Job, Limits
from bluebear_magic.runner.session import WarmSession
from bluebear_magic.testing import RecordingReporter

ROOT = str(Path(__file__).parents[2])
ROWS = 1000
SCHEMA = "id BIGINT, region STRING, customer BIGINT, sales DOUBLE, day DATE"
CODES = {
    "an aggregation": """from pyspark.sql import functions as F
sales = spark.table("sales").where(F.col("sales") > {n})
result = sales.groupBy("region").agg(F.sum("sales").alias("total")).orderBy("region")""",
    "a join": """from pyspark.sql import functions as F
sales = spark.table("sales").where(F.col("sales") > {n})
result = sales.join(spark.table("customers"), "customer").groupBy("name").count()""",
    "a window": """from pyspark.sql import Window, functions as F
order = Window.partitionBy("region").orderBy(F.desc("sales"))
ranked = spark.table("sales").withColumn("rank", F.row_number().over(order))
result = ranked.where(F.col("rank") <= {n} + 1)""",
    "a CTE in SQL": """result = spark.sql(
    "with monthly as (select month(day) m, sum(sales) s from sales where sales > {n} group by 1) "
    "select * from monthly order by m")""",
    "a two-part answer": """from pyspark.sql import functions as F
sales = spark.table("sales").where(F.col("sales") > {n})
results = {{"by region": sales.groupBy("region").count(), "all": sales.agg(F.sum("sales"))}}""",
    "a pivot": """from pyspark.sql import functions as F
sales = spark.table("sales").where(F.col("sales") > {n})
result = sales.groupBy("region").pivot("customer").agg(F.sum("sales"))""",
    "a Python UDF": """from pyspark.sql import functions as F
@F.udf("double")
def taxed(value):
    return value * 1.2 + {n}
result = spark.table("sales").select(taxed("sales").alias("taxed"))""",
}
SUBMIT = """import time
from pyspark.sql import SparkSession
spark = SparkSession.builder.config("spark.ui.enabled", "false").getOrCreate()
spark.read.schema("{schema}").option("header", "true").csv("{path}").createOrReplaceTempView("sales")
from pyspark.sql import functions as F
sales = spark.table("sales").where(F.col("sales") > {n})
print(sales.groupBy("region").agg(F.sum("sales").alias("total")).orderBy("region").collect())
"""
OURS = """import sys, json
from pathlib import Path
from bluebear_magic.backends.local import LocalBackend
from bluebear_magic.runner.envelope import Job
from bluebear_magic.testing import RecordingReporter
backend = LocalBackend(archives=Path(sys.argv[1]) if sys.argv[1] else None)
outcome = backend.run(Job.from_json(sys.argv[2]), RecordingReporter())
assert outcome.status == "ok", outcome.fault
print(outcome.tables[0].rows, flush=True)
import os; os._exit(0)
"""
numbers = itertools.count()
# Between two checks a model writes or a person reads, and the worker makes ready for the next one.
PAUSE_SECONDS = 0.4


def data(folder):
    """Two small CSV files as bindings: sales and customers."""
    lines = (
        f"{i},{'NSEW'[i % 4]},{i % 20},{i * 0.5},2024-{i % 12 + 1:02d}-{i % 28 + 1:02d}"
        for i in range(ROWS)
    )
    sales, customers = folder / "sales.csv", folder / "customers.csv"
    sales.write_text("id,region,customer,sales,day\n" + "\n".join(lines) + "\n")
    customers.write_text("customer,name\n" + "".join(f"{i},name{i}\n" for i in range(20)))
    header = (("header", "true"),)
    return (
        Binding("sales", "csv", (str(sales),), SCHEMA, header, fingerprint="sales"),
        Binding(
            "customers", "csv", (str(customers),), "customer BIGINT, name STRING", header,
            fingerprint="customers",
        ),
    )  # fmt: skip


def median(values):
    return statistics.median(values)


def spent(work):
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def compare(what, code, ours, floor, *, turns, unmeasured=15):
    """``turns`` checks of ours and of the bare session in turn, after some that load classes."""
    ours_ms, floor_ms, stages = [], [], []
    for _ in range(turns + unmeasured):
        text = code.format(n=next(numbers))
        begun = time.perf_counter()
        stages.append(ours(text))
        between = time.perf_counter()
        ours_ms.append((between - begun) * 1000)
        time.sleep(PAUSE_SECONDS)
        between = time.perf_counter()
        floor(text)
        floor_ms.append((time.perf_counter() - between) * 1000)
    parts = ", ".join(
        f"{stage} {median([s[stage] for s in stages[unmeasured:]]):.0f}"
        for stage in ("bind", "compile", "analyse", "run")
    )
    a, b = median(ours_ms[unmeasured:]), median(floor_ms[unmeasured:])
    print(
        f"warm check of {what:18} {a:8.1f} ms   bare session: {b:.1f} ms, "
        f"added {a - b:.1f} ms ({(a - b) / b:+.0%}); {parts}",
        flush=True,
    )


def warm_checks(turns=40):
    """Each kind of check: ours beside the same plan in a bare warm session."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        datasets = data(folder)
        backend = LocalBackend()
        bare_folder = folder / "bare"
        bare_folder.mkdir()
        bare = WarmSession(bare_folder, heap_mb=2048)
        session = bare.fresh()
        bare.bind(session, "sample", datasets)

        def ours(code):
            assert guard_check(code, ["sales", "customers"]).ok
            job = Job(code, datasets, limits=Limits(rows=50))
            outcome = backend.run(job, RecordingReporter())
            assert outcome.status == "ok", outcome.fault
            return dict(outcome.timings)

        def floor(code):
            names = {"spark": session}
            exec(compile(code, "<cell>", "exec"), names)
            for frame in names.get("results", {"": names.get("result")}).values():
                frame.limit(51).toArrow()

        try:
            for what, code in CODES.items():
                compare(what, code, ours, floor, turns=turns)
            print(f"the worker holds {backend.worker().memory_mb:.0f} MB", flush=True)
        finally:
            backend.close()
            bare.close()


def cold_starts(pairs=10, submits=3):
    """Process start to first checked cell, beside ordinary Spark, taking turns."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        datasets = data(folder)
        archives = folder / "archives"
        print(f"making the archive: {spent(lambda: class_data.make(archives)):.0f} ms", flush=True)

        def ours(archive):
            job = Job(CODES["an aggregation"].format(n=next(numbers)), datasets)
            command = [sys.executable, "-c", OURS, archive, job.to_json()]
            subprocess.run(command, check=True, capture_output=True, env=environment)

        def ordinary(program):
            script = folder / "script.py"
            script.write_text(
                SUBMIT.format(schema=SCHEMA, path=datasets[0].paths[0], n=next(numbers))
            )
            subprocess.run(
                [*program, str(script)], check=True, capture_output=True, env=environment
            )

        environment = {**os.environ, "PYTHONPATH": ROOT, "PYSPARK_PYTHON": sys.executable}
        figures = {"archive": [], "plain": [], "ordinary": []}
        for _ in range(pairs):
            figures["archive"].append(spent(lambda: ours(str(archives))))
            figures["plain"].append(spent(lambda: ours("")))
            figures["ordinary"].append(spent(lambda: ordinary([sys.executable])))
        usual = median(figures["ordinary"])
        print(f"cold: ordinary getOrCreate() and first query {usual:9.0f} ms")
        for what in ("archive", "plain"):
            ratios = [a / b for a, b in zip(figures[what], figures["ordinary"], strict=True)]
            print(
                f"cold: ours, {what:8} {median(figures[what]):9.0f} ms   ratio {median(ratios):.2f}"
            )
        submit = shutil.which("spark-submit", path=str(Path(sys.executable).parent))
        if submit:
            try:
                times = [spent(lambda: ordinary([submit])) for _ in range(submits)]
                print(f"spark-submit per call {median(times):9.0f} ms", flush=True)
            except subprocess.CalledProcessError:
                print("spark-submit does not run here: it needs a full Java", flush=True)


def large_result(rows=1_000_000, turns=3):
    """A million rows to pandas: a full run of ours and .df, beside bare toPandas with Arrow."""
    import pyarrow.parquet as pq

    code = (
        "result = spark.range({rows}).selectExpr('id', 'id * 1.5 sales', "
        "'concat(\"r\", id % {n}) region')"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        backend = LocalBackend()
        bare_folder = folder / "bare"
        bare_folder.mkdir()
        bare = WarmSession(bare_folder, heap_mb=2048)
        session = bare.fresh()
        bare.bind(session, "full", ())

        def ours():
            text = code.format(rows=rows, n=next(numbers) + 100)
            target = folder / f"result-{next(numbers)}" / "tables"
            target.parent.mkdir()
            outcome = backend.run(
                Job(text, mode="full", result_dir=str(target)), RecordingReporter()
            )
            assert len(pq.read_table(outcome.tables[0].uri).to_pandas()) == rows

        def floor():
            names = {"spark": session}
            exec(code.format(rows=rows, n=next(numbers) + 100), names)
            assert len(names["result"].toPandas()) == rows

        try:
            ours(), floor()
            pairs = [(spent(ours), spent(floor)) for _ in range(turns)]
            a, b = median([p[0] for p in pairs]), median([p[1] for p in pairs])
            print(
                f"a million rows to pandas {a:9.0f} ms   bare toPandas: {b:.0f} ms, ratio {a / b:.2f}"
            )
        finally:
            backend.close()
            bare.close()


if __name__ == "__main__":
    chosen = sys.argv[1:] or ["warm_checks", "cold_starts", "large_result"]
    for name in chosen:
        globals()[name]()
