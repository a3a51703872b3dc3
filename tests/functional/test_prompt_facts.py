"""What the prompt says of Spark is so: each wrong way fails or misleads, each advised way works,
and the guard lets it through.
"""

import pytest

from bluebear_magic import guard
from bluebear_magic.runner.envelope import Binding, Job
from bluebear_magic.testing import RecordingReporter

HEAD = "from pyspark.sql import functions as F, Window\nt = spark.table('t')\n"


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("facts")
    (folder / "t.csv").write_text(
        "id,text,day,amount,zero,unit price\n1,12,2024-01-31,5,0,1.5\n2,x,2024-02-29,7,0,2.5\n"
        "3,30,2024-03-01,,0,3.5\n"
    )
    schema = "id BIGINT, text STRING, day DATE, amount BIGINT, zero INT, `unit price` DOUBLE"
    return Binding("t", "csv", (str(folder / "t.csv"),), schema, (("header", "true"),))


RAISE = {
    "CAST_INVALID_INPUT": ('t.select(t.text.cast("int"))', "t.where(t.text > 5)"),
    "CANNOT_PARSE_TIMESTAMP": ('t.select(F.to_date("text", "yyyy-MM-dd"))',),
    "DIVIDE_BY_ZERO": ("t.select(t.amount / t.zero)",),
    "ARITHMETIC_OVERFLOW": ("t.select(t.id * 9223372036854775807)",),
    "INVALID_ARRAY_INDEX": ("t.select(F.array(F.lit(1))[5])",),
    "DATETIME_PATTERN_RECOGNITION": ('t.select(F.date_format("day", "YYYY"))',),
    "_LEGACY_ERROR_TEMP_1182": ('t.join(t.alias("u"), t.id == F.col("u.id")).select("id")',),
    "PARSE_SYNTAX_ERROR": (
        'spark.sql("select id from t qualify row_number() over (order by id) = 1")',
    ),
}


@pytest.mark.parametrize("condition", RAISE)
def test_what_the_prompt_warns_of_fails(local, table, condition):
    for expression in RAISE[condition]:
        job = Job(f"{HEAD}result = {expression}\n", (table,), "sample")
        assert condition in (local.run(job, RecordingReporter()).fault.condition or "")


WORK = {
    "try_cast": ('t.select(t.text.try_cast("int")).orderBy("id")', [12, None, 30]),
    "try_to_number": ('t.select(F.try_to_number("text", F.lit("99")).cast("int"))', [12, None, 30]),
    "try_to_timestamp": (
        't.select(F.try_to_timestamp("text", F.lit("yyyy")).isNull())',
        [True] * 3,
    ),
    "try_divide": ("t.select(F.try_divide('amount', 'zero'))", [None] * 3),
    "try_add": ("t.select(F.try_add(t.id, F.lit(9223372036854775807)))", [None] * 3),
    "try_multiply": (
        "t.where(t.id > 1).select(F.try_multiply(t.id, F.lit(9223372036854775807)))",
        [None] * 2,
    ),
    "try_sum": ("t.select(F.try_sum(F.lit(9223372036854775807)))", [None]),
    "get counts from 0": (
        "t.select(F.get(F.array(F.lit(1)), 0), F.get(F.array(F.lit(1)), 5))",
        [1] * 3,
    ),
    "try_element_at counts from 1": (
        "t.select(F.try_element_at(F.array(F.lit(7)), F.lit(1)))",
        [7] * 3,
    ),
    "trunc is a date": (
        't.select(F.trunc("day", "month").cast("string")).limit(1)',
        ["2024-01-01"],
    ),
    "date_trunc is a timestamp": (
        't.select(F.typeof(F.date_trunc("month", "day"))).limit(1)',
        ["timestamp"],
    ),
    "dayofweek": ('t.select(F.dayofweek("day")).limit(1)', [4]),
    "weekday": ('t.select(F.weekday("day")).limit(1)', [2]),
    "date_diff": ('t.select(F.date_diff(F.lit("2024-02-01").cast("date"), "day")).limit(1)', [1]),
    "subtracting dates": ("t.select(F.typeof(t.day - t.day)).limit(1)", ["interval day"]),
    "!= drops nulls": ("t.where(t.amount != 5).select(F.lit(1))", [1]),
    "a window ends at its row": (
        't.select(F.last_value("id").over(Window.orderBy("id")))',
        [1, 2, 3],
    ),
    "and the whole partition": (
        't.select(F.last_value("id").over(Window.orderBy("id").rowsBetween('
        "Window.unboundedPreceding, Window.unboundedFollowing)))",
        [3, 3, 3],
    ),
    "names with blanks": ('t.select(F.col("`unit price`")).limit(1)', [1.5]),
    "names with blanks in SQL": ('spark.sql("select `unit price` from t limit 1")', [1.5]),
    "double quotes are text": ("""spark.sql('select "id" from t limit 1')""", ["id"]),
    "nulls first": ('t.select("amount").orderBy("amount").limit(1)', [None]),
    "nulls last": ('t.select("amount").orderBy(F.asc_nulls_last("amount")).limit(1)', [5]),
    "pivot": ('t.groupBy().pivot("id", [1, 2]).agg(F.sum("amount"))', [5]),
    "a key by name": ('t.join(t.select("id"), on="id").select("id").limit(1)', [1]),
    "share of the whole": (
        't.groupBy("id").agg((F.sum("amount") / F.sum(F.sum("amount")).over(Window.partitionBy())'
        ').alias("s")).select(F.round("s", 2)).orderBy("s").na.drop()',
        [0.42, 0.58],
    ),
    "aggregates": (
        't.select(F.median("amount"), F.percentile_approx("amount", 0.5), F.mode("zero"), '
        'F.count_if(t.amount > 5), F.max_by("id", "amount"), F.min_by("id", "amount"), '
        'F.count_distinct("zero"), F.listagg("text"), F.any_value("zero"))',
        [6.0],
    ),
}


def test_what_the_prompt_advises_works_and_is_allowed(local, table):
    parts = ",\n".join(f"    {name!r}: {expression}" for name, (expression, _) in WORK.items())
    code = f"{HEAD}results = {{\n{parts},\n}}\n"
    verdict = guard.check(code, ["t"], guard.READ_ONLY)
    assert verdict.ok, verdict.findings
    outcome = local.run(Job(code, (table,), "sample"), RecordingReporter())
    assert outcome.status == "ok", outcome.fault
    found = {table.title: [row[0] for row in table.python_rows()] for table in outcome.tables}
    assert found == {name: values for name, (_, values) in WORK.items()}
