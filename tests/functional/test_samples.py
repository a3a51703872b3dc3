"""Spark reads samples with the options of the full run, and finds in them rows of the whole."""

import functools
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import orc

from bluebear_magic.context.local import describe
from bluebear_magic.runner import sampling
from bluebear_magic.runner.envelope import Binding
from bluebear_magic.runner.related import KeyPair, related

# pyspark leaves the sockets over which results come to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def spark(session):
    spark = session.fresh()
    spark.bind = functools.partial(session.bind, spark, "sample")
    return spark


@pytest.fixture(autouse=True)
def _nothing_is_small(monkeypatch):
    monkeypatch.setattr(sampling, "WHOLE_TEXT", 100)
    monkeypatch.setattr(sampling, "WHOLE_COLUMNAR", 100)


def rows_of(spark, binding):
    spark.bind([binding])
    return [tuple(row) for row in spark.table(binding.name).collect()]


def columnar(path):
    table = pa.table({"id": range(4000), "t": [f"row {n}" for n in range(4000)]})
    if path.suffix == ".orc":
        orc.write_table(table, str(path))
    else:
        pq.write_table(table, path, row_group_size=500)


TEXTS = {
    "plain.csv": "".join(f"{n},row {n}\n" for n in range(4000)),
    "lines.csv": "".join(f'{n},"row\n""{n}"", more"\n' for n in range(9000)),
    "crlf.csv": "".join(f'{n},"row\r\n{n}"\r\n' for n in range(9000)),
    "semicolon.csv": "".join(f'{n};"é\n{n}"\n' for n in range(9000)),
    "rows.jsonl": "".join(f'{{"id": {n}, "t": "row\\n{n}"}}\n' for n in range(4000)),
    "array.json": "[" + ",\n".join(f'{{"id": {n}, "t": "],{n}"}}' for n in range(4000)) + "]",
    "wide.csv": "".join(f'{n},"row\n{n}"\n' for n in range(900)),
    "a.parquet": "",
    "a.orc": "",
}


@pytest.mark.parametrize("name", TEXTS)
def test_rows_of_a_sample_are_rows_of_the_whole(spark, tmp_path, name):
    path = tmp_path / name
    text = TEXTS[name]
    if not text:
        columnar(path)
    else:
        header = f"id{';' if 'semi' in name else ','}t\n" if name.endswith("csv") else ""
        header = header.replace("\n", "\r\n") if name == "crlf.csv" else header
        encoding = "utf-16" if name == "wide.csv" else "utf-8-sig"
        path.write_bytes((header + text).encode("utf-8" if "json" in name else encoding))
    told = describe("d", path)
    whole = Binding("d", told.format, told.paths, told.ddl, told.options, told.base_path)
    small = sampling.sample(whole, told.fingerprint, tmp_path / "cache", rows=90)
    assert small.sampled
    got, all_rows = rows_of(spark, small), rows_of(spark, whole)
    assert 80 <= len(got) <= 100
    assert len(set(got)) == len(got)
    assert set(got) <= set(all_rows)
    if name not in {"array.json", "wide.csv", "a.orc"}:
        assert all_rows[0] in got
        assert small.note == "head, middle and tail of the file"
        assert max(row[0] for row in got) > 0.95 * len(all_rows)


def test_a_join_over_related_samples_has_rows(spark, tmp_path):
    (tmp_path / "o").mkdir()
    pq.write_table(
        pa.table({"customer": [n * 7919 % 60_000 for n in range(60_000)]}),
        tmp_path / "o" / "p.parquet",
    )
    (tmp_path / "c.csv").write_text("id,t\n" + "".join(f'{n},"x, {n}"\n' for n in range(60_000)))
    wholes = []
    for name, where in (("orders", "o"), ("customers", "c.csv")):
        told = describe(name, tmp_path / where)
        wholes.append(
            Binding(name, told.format, told.paths, told.ddl, told.options, told.base_path)
        )
    cache = Path(tmp_path / "cache")
    samples = [sampling.sample(whole, "f", cache, rows=50) for whole in wholes]
    got, missed = related(
        wholes, samples, [KeyPair("orders", "customer", "customers", "id")], cache
    )
    assert missed == ()
    spark.bind(got)
    assert spark.sql("SELECT * FROM orders JOIN customers ON customer = id").count() >= 20
