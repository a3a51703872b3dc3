"""Results on disk: what is fetched and what Spark writes itself must not differ."""

import decimal

import pyarrow.parquet as pq
import pytest

from bluebear_magic.backends.local import LocalBackend
from bluebear_magic.present.frames import frame as as_pandas
from bluebear_magic.runner import results
from bluebear_magic.runner.envelope import Job, Limits
from bluebear_magic.runner.observe import plan_json
from bluebear_magic.testing import RecordingReporter

EVERY_TYPE = """select * from values
 (1Y, 2S, 3, 4L, 1.5F, 2.5D, 12.34BD, 'a', true, X'00ff', date'0001-01-01',
  timestamp'2024-02-29 12:00:00.123456', timestamp_ntz'1582-10-01 00:00:00', array(1, null),
  map('k', 1), named_struct('x', 1, 'y', array('z')), interval 1 day, null),
 (null, null, null, null, double('nan'), null, null, '', null, null, date'9999-12-31', null, null,
  array(), map(), null, null, null)
 as t (b, s, i, l, f, d, n, t, o, x, day, at, local, list, pairs, nested, span, nothing)"""


def _stored(frame, folder, plan):
    rows, count = results.store(results.storable(frame), folder, 1, plan)
    return rows, count, pq.read_table(folder)


# pyspark leaves the socket of a fetch to the collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_fetched_and_written_rows_are_the_same(session, tmp_path):
    spark = session.fresh()
    session.bind(spark, "full", ())
    frame = spark.sql(EVERY_TYPE)
    rows, count, fetched = _stored(frame, tmp_path / "fetched", plan_json(frame))
    assert (tmp_path / "fetched" / "part-0.parquet").exists()
    expected, number, written = _stored(frame, tmp_path / "written", None)
    assert not (tmp_path / "written" / "part-0.parquet").exists()
    assert (rows, count) == (expected, number)
    assert len(rows) == 1
    kinds = [str(kind).replace(" not null", "") for kind in written.schema.types]
    assert list(map(str, fetched.schema.types)) == kinds
    assert fetched.schema.names == written.schema.names
    assert str(fetched.to_pydict()) == str(written.to_pydict())
    assert fetched["n"][0].as_py() == decimal.Decimal("12.34")


def test_rows_that_grow_beyond_the_estimate_are_written_by_spark(tmp_path):
    """Fetched, they ended a JVM of 512 MB."""
    backend = LocalBackend(heap_mb=512)
    code = "result = spark.range(320).selectExpr('id', \"repeat('x', 1000000) as long\")"
    target = tmp_path / "run" / "tables"
    target.parent.mkdir()
    try:
        job = Job(code, mode="full", limits=Limits(rows=1), result_dir=str(target))
        outcome = backend.run(job, RecordingReporter())
    finally:
        backend.close()
    assert outcome.fault is None
    assert outcome.tables[0].row_count == 320
    assert not (target / "00" / "part-0.parquet").exists()
    assert len(as_pandas(outcome.tables[0])) == 320
