"""Joins of datasets too large to be read whole: their samples hold rows for each other."""

import random

import pytest

from bluebear_magic import Bluebear
from bluebear_magic.testing import RecordingReporter

JOIN = """orders = spark.table("orders")
result = orders.join(spark.table("customers"), "customer_id").groupBy("name").count()
"""


@pytest.fixture(scope="module")
def bb(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    numbers = random.Random(7)
    shuffled = list(range(200_000))
    numbers.shuffle(shuffled)
    rows = "".join(f"{n},{c},{n * 3}\n" for n, c in enumerate(shuffled))
    (folder / "orders.csv").write_text("order_id,customer_id,sales\n" + rows)
    numbers.shuffle(shuffled)
    rows = "".join(f"{c},name{c % 50},somewhere\n" for c in sorted(shuffled))
    (folder / "customers.csv").write_text("customer_id,name,city\n" + rows)
    rows = "".join(f"{-c - 1},other{c % 50},nowhere\n" for c in range(200_000))
    (folder / "strangers.csv").write_text("customer_id,name,city\n" + rows)
    with Bluebear(folder=folder, reporter=RecordingReporter()) as session:
        for name in ("orders", "customers", "strangers"):
            session.add_data(name, folder / f"{name}.csv")
        yield session


def test_a_sample_of_the_head_alone_is_told(bb, tmp_path):
    import gzip

    rows = "".join(f"{random.random()},{n}\n" for n in range(100_000))
    (tmp_path / "packed.csv.gz").write_bytes(gzip.compress(f"a,b\n{rows}".encode()))
    bb.add_data("packed", tmp_path / "packed.csv.gz")
    checked = bb.check('result = spark.table("packed")', strict=True)
    assert checked.tables[0].sampled
    assert [
        "packed: checked on the head of" in note and "gzip" in note for note in checked.notes
    ] == [True]


def test_a_join_of_two_samples_finds_rows(bb):
    checked = bb.check(JOIN, strict=True)
    assert checked.tables[0].sampled
    assert checked.tables[0].rows
    assert not [f for f in checked.findings if "join" in f.message]


def test_a_join_that_finds_none_is_told_as_not_checked(bb):
    checked = bb.check(JOIN.replace('"customers"', '"strangers"'), strict=True)
    said = [f.message for f in checked.findings]
    assert any("join not checked" in text or "matches nothing" in text for text in said)
    assert all(f.severity == "warn" for f in checked.findings if "not checked" in f.message)
