"""The worker with real Spark: results, faults with their lines, and what survives what."""

import datetime as dt
import os
import subprocess
import threading
import time
from decimal import Decimal
from pathlib import Path

import pytest

from bluebear_magic.errors import BackendError, Cancelled
from bluebear_magic.runner.envelope import Binding, Job, Limits

SALES = "region,sales\nN,1\nS,2\nN,5\n"
TOTALS = """from pyspark.sql import functions as F
sales = spark.table("sales")
result = sales.groupBy("region").agg(F.sum("sales").alias("total")).orderBy("region")
"""


@pytest.fixture(scope="module")
def sales(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "sales.csv"
    path.write_text(SALES)
    return Binding(
        "sales", "csv", (str(path),), "region STRING, sales BIGINT", (("header", "true"),)
    )


@pytest.fixture
def run(local, reporter, sales):
    def run(code, mode="sample", **more):
        limits = more.pop("limits", Limits(seconds=60))
        return local.run(Job(code, (sales,), mode, limits, **more), reporter)

    return run


def test_a_check_gives_the_rows_and_the_plan(run):
    outcome = run(TOTALS)
    assert outcome.status == "ok"
    (table,) = outcome.tables
    assert table.columns == (("region", "string"), ("total", "bigint"))
    assert table.rows == (("N", 6), ("S", 2))
    assert (table.row_count, table.sampled, table.truncated) == (2, False, False)
    assert outcome.plan.inputs == ("sales",)
    assert outcome.spark_version == "4.1.1"
    assert {"bind", "compile", "analyse", "run"} <= dict(outcome.timings).keys()


def test_a_run_leaves_the_whole_result_as_parquet(run, tmp_path):
    import pyarrow.parquet as pq

    outcome = run(
        "result = spark.range(10, numPartitions=3)", "full",
        limits=Limits(rows=4), result_dir=str(tmp_path / "out"),
    )  # fmt: skip
    (table,) = outcome.tables
    assert table.rows == ((0,), (1,), (2,), (3,))
    assert (table.row_count, table.truncated, table.sampled) == (10, True, False)
    assert pq.read_table(table.uri).num_rows == 10


def test_several_results_keep_their_titles(run):
    code = 'results = {"all": spark.table("sales"), "two": spark.table("sales").limit(2)}'
    assert [(t.title, t.row_count) for t in run(code).tables] == [("all", 3), ("two", 2)]


@pytest.mark.parametrize("mode", ["sample", "full"])
def test_every_type_arrives(run, tmp_path, mode):
    code = """result = spark.sql('''select map('k', 2) m, struct(1 a, array(date'2020-01-01')) s, null n,
    interval 1 day i, 1.50 d, timestamp'2020-01-01 01:02:03' t, timestamp_ntz'2020-01-01 01:02:03' z,
    double('nan') q, bigint(9007199254740993) b, date'2024-02-29' e, X'00ff' x, true y''')"""
    outcome = run(code, mode, result_dir=str(tmp_path / "out"))
    (row,) = outcome.tables[0].python_rows()
    noon = dt.datetime(2020, 1, 1, 1, 2, 3)
    assert row == (
        {"k": 2}, {"a": 1, "col2": ["2020-01-01"]}, None, "INTERVAL '1' DAY", Decimal("1.50"),
        noon, noon, None, 9007199254740993, dt.date(2024, 2, 29), b"\x00\xff", True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("code", "line", "kind", "words"),
    [
        ("x = (1", 1, "SyntaxError", "never closed"),
        ("print('hi')\nprin('x')", 2, "NameError", "prin"),
        ("\nresult = spark.table('sales').select('regio')", 2, "AnalysisException", "regio"),
        ("\nresult = spark.table('sale')", 2, "AnalysisException", "sale"),
        (
            "from pyspark.sql import functions as F\nd = spark.table('sales').select(\n"
            "    F.lit(1) / (F.col('sales') - 1))\nresult = d",
            3, "ArithmeticException", "Division by zero",
        ),
        ("x = 1\nresult = spark.table('sales').selectExpr('1 / (sales - 1) AS q')", 2,
         "ArithmeticException", "Division by zero"),
        (
            "from pyspark.sql import functions as F\n@F.udf('int')\ndef f(x):\n    return x['a']\n\n"
            "result = spark.table('sales').select(f('sales').alias('q'))",
            4, "PythonException", "not subscriptable",
        ),
        ("x = 1", 1, "ResultMissing", "neither"),
        ("x = 1\nresult = 3\ny = 2", 2, "ResultNotDataFrame", "int"),
        ("results = {}", 1, "ResultNotDataFrame", "dictionary"),
        ("s = spark.table('sales')\nresult = s.join(s)", 2, "DuplicateColumns", "region"),
        ("exit(4)", 1, "SystemExit", "4"),
        ("a = 1\n\nraise ValueError('own words')", 3, "ValueError", "own words"),
    ],
)  # fmt: skip
def test_a_fault_points_at_the_cells_line(run, code, line, kind, words):
    fault = run(code).fault
    assert (fault.line, fault.kind) == (line, kind)
    assert words in fault.message
    assert "at org.apache" not in fault.message
    assert "spark.sql.ansi.enabled" not in fault.message


@pytest.mark.parametrize(
    ("code", "suggestion"),
    [
        ("result = spark.table('sales').select('regio')", "did you mean `region`, `sales`?"),
        ("result = spark.table('sale')", "did you mean sales?"),
        ("prnit(1)", "did you mean print?"),
        ("result = spark.table('sales').grupBy('region')", "did you mean groupBy?"),
    ],
)
def test_a_fault_says_what_might_have_been_meant(run, code, suggestion):
    assert run(code).fault.suggestion == suggestion


@pytest.mark.parametrize(
    "rows",
    [
        "spark.createDataFrame([(1, 'a'), (2, 'b')], 'n int, s string')",
        "spark.createDataFrame([(n, str(n)) for n in range(50_000)], ['n', 's'])",
        "spark.createDataFrame(__import__('pandas').DataFrame({'n': [1, 2], 's': ['a', 'b']}))",
    ],
)
def test_rows_written_in_the_code_become_a_dataframe(run, rows):
    outcome = run(f"d = {rows}\nresult = d.groupBy().max('n')")
    assert outcome.status == "ok", outcome.fault


def test_spark_sessions_made_by_the_code_are_the_one_at_hand(run):
    code = """from pyspark.sql import SparkSession
mine = SparkSession.builder.appName("mine").getOrCreate()
result = mine.table("sales")"""
    assert run(code).status == "ok"


def test_output_is_captured_and_bounded(run):
    outcome = run("print('x' * 50)\nspark.table('sales').show()\nresult = spark.table('sales')",
                  limits=Limits(output=60))  # fmt: skip
    assert outcome.stdout.startswith("x" * 50 + "\n")
    assert "more was printed" in outcome.stdout
    assert len(outcome.stdout) < 120


def test_nothing_survives_from_one_job_to_the_next(run):
    run("""spark.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
spark.table("sales").createOrReplaceTempView("left_over")
spark.udf.register("left_over_f", lambda x: x)
spark.table("sales").cache().count()
left_over = 1
result = spark.table("sales")""")
    assert run("result = spark.table('left_over')").fault.condition == "TABLE_OR_VIEW_NOT_FOUND"
    assert (
        run("result = spark.sql('select left_over_f(1)')").fault.condition == "UNRESOLVED_ROUTINE"
    )
    assert run("print(left_over)").fault.kind == "NameError"
    zone = run("result = spark.sql('select current_timezone() z')").tables[0].rows
    assert zone == (("UTC",),)
    plan = run("spark.table('sales').explain()\nresult = spark.table('sales')").stdout
    assert "InMemoryTableScan" not in plan


def test_the_worker_sees_no_secrets(run, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    code = "import os\nprint(sorted(os.environ))\nresult = spark.table('sales')"
    assert "AWS" not in run(code).stdout
    assert "SECRET" not in run(code).stdout


def test_sql_reads_no_environment_and_no_files(run):
    assert run("result = spark.sql(\"select '${env:PATH}' x\")").tables[0].rows == (
        ("${env:PATH}",),
    )
    assert run("result = spark.table('text.`/etc/hostname`')").status == "fault"


@pytest.mark.parametrize(
    "code", ["while True: pass", "spark.range(10**12).selectExpr('sum(id % 7)').collect()"]
)
def test_what_takes_too_long_is_stopped_and_the_worker_stays_warm(run, code):
    begun = time.monotonic()
    fault = run(code, limits=Limits(seconds=1.5)).fault
    assert fault.kind == "timeout"
    assert "1.5 s" in fault.message
    assert time.monotonic() - begun < 8
    assert run(TOTALS).tables[0].rows == (("N", 6), ("S", 2))


def test_a_worker_that_dies_is_a_fault_and_the_next_check_works(run):
    assert run("import os\nos._exit(3)").fault.kind == "crash"
    assert run(TOTALS).status == "ok"


def test_an_interrupt_cancels_and_the_worker_stays_warm(run, local):
    run(TOTALS)
    import _thread

    timer = threading.Timer(1.0, _thread.interrupt_main)
    timer.start()
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        run("while True: pass")
    assert time.monotonic() - begun < 4
    assert local.status().state == "ready"
    assert run(TOTALS).status == "ok"


def test_wide_values_are_cut_by_bytes_and_not_by_a_crash(run):
    outcome = run("result = spark.range(2000).selectExpr(\"repeat('x', 60000) s\")")
    (table,) = outcome.tables
    assert table.truncated
    assert 100 < len(table.rows) < 400


def test_the_first_year_is_a_year(run):
    outcome = run("result = spark.sql(\"select timestamp'0001-01-01 00:00:00' t\")")
    assert outcome.tables[0].rows == (("0001-01-01T00:00:00",),)


def test_jobs_of_two_threads_do_not_mix(run):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        ran = list(pool.map(lambda n: run(f"result = spark.range({n})"), range(3, 9)))
    assert [outcome.tables[0].row_count for outcome in ran] == list(range(3, 9))


@pytest.mark.parametrize("seconds", [0.0, 0.4, 1.5])
def test_closing_while_spark_starts_leaves_no_process(seconds):
    from bluebear_magic.backends.worker_client import WorkerClient

    client = WorkerClient(heap_mb=512)
    client.start()
    folder = client._workdir
    time.sleep(seconds)
    client.stop()
    left = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(folder) not in left


def test_a_worker_that_cannot_start_says_why(monkeypatch, reporter, sales, tmp_path):
    from bluebear_magic.backends.local import LocalBackend

    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'no module named pyspark' >&2\nexit 1\n")
    python.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(python))
    backend = LocalBackend(heap_mb=512)
    with pytest.raises(BackendError, match="no module named pyspark"):
        backend.run(Job("result = 1", (sales,)), reporter)
    backend.close()


def test_closing_leaves_no_process(reporter, sales):
    from bluebear_magic.backends.local import LocalBackend

    backend = LocalBackend(heap_mb=512)
    code = "import os\nprint(os.getpid(), os.getcwd())\nresult = spark.table('sales')"
    pid, folder = backend.run(Job(code, (sales,)), reporter).stdout.split()
    backend.close()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)
    assert not Path(folder).exists()
