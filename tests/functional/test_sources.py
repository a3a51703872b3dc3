"""The same table wherever it lies: the same types, the same samples, the same answers."""

from __future__ import annotations

import datetime as dt
from functools import cache

import pyarrow as pa
import pytest

from bluebear_magic import Bluebear
from bluebear_magic.config import Settings
from bluebear_magic.context.profiles import profile
from bluebear_magic.errors import DatasetError
from bluebear_magic.testing import RecordingReporter
from tests.functional.shelves import HERE, InGlue, InS3

KINDS = [*HERE, "s3", "glue"]  # a kind of which HERE has no class has a fixture called <kind>_shelf
ROWS = 20_000  # more than a check reads whole
REGIONS = ("NORTH", "SOUTH", "EAST", "WEST")
TYPES = {
    "id": "BIGINT", "region": "STRING", "amount": "DOUBLE", "day": "DATE",
    "at": "TIMESTAMP_NTZ", "paid": "BOOLEAN", "note": "STRING",
}  # fmt: skip
QUESTION = "total amount by region in sales"


@cache
def sales(rows: int = ROWS, more: float = 0.0) -> pa.Table:
    """Quarters are summed the same in whatever order."""
    begun = dt.datetime(2024, 1, 1)
    numbers = range(rows)
    kinds = [
        ("id", pa.int64()), ("region", pa.string()), ("amount", pa.float64()),
        ("day", pa.date32()), ("at", pa.timestamp("us")), ("paid", pa.bool_()),
        ("note", pa.string()),
    ]  # fmt: skip
    return pa.table(
        {
            "id": list(numbers),
            "region": [REGIONS[n % 4] for n in numbers],
            "amount": [n % 100 * 0.25 + more + 0.25 for n in numbers],
            "day": [(begun + dt.timedelta(days=n % 365)).date() for n in numbers],
            "at": [begun + dt.timedelta(seconds=n) for n in numbers],
            "paid": [n % 3 == 0 for n in numbers],
            "note": [None if n % 2 else f"note {n % 10}" for n in numbers],
        },
        schema=pa.schema(kinds),
    )


@pytest.fixture
def s3_shelf(s3, tmp_path):
    return InS3(tmp_path, s3)


@pytest.fixture
def glue_shelf(s3, glue, tmp_path):
    return InGlue(tmp_path, s3, glue)


@pytest.fixture(params=KINDS)
def shelf(request, tmp_path):
    kind = HERE.get(request.param)
    shelf = kind(tmp_path) if kind else request.getfixturevalue(f"{request.param}_shelf")
    yield shelf
    shelf.close()


@pytest.fixture
def bb(shelf, local, tmp_path, monkeypatch):
    """A session beside the shelf; servers are asked again each time."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    shelf.put(sales())
    settings = Settings(recheck_seconds=0, warm=False)
    folder = tmp_path / "notebook"
    folder.mkdir()
    bb = Bluebear(
        folder=folder, settings=settings, namespace=shelf.variables, reporter=RecordingReporter()
    )
    bb.tools.backends = {**bb.tools.backends, "local": local}
    return bb


def test_one_table_is_one_table(shelf, bb):
    """In one test, since the table is read once: types, fingerprint, profile, sample, answer."""
    assert bb.tools.catalog.leaves_machine(shelf.location) is shelf.leaves
    dataset = bb.add_data("sales", shelf.location)
    types = {column.name: column.type for column in dataset.columns}
    assert types == {**TYPES, **shelf.types}
    assert bb.tools.catalog.get("sales").fingerprint == dataset.fingerprint
    known = profile(dataset)
    assert known.rows == ROWS
    assert known.column("note").nulls == ROWS // 2
    assert (known.column("amount").minimum, known.column("amount").maximum) == (0.25, 25.0)
    assert set(known.column("region").values) == set(REGIONS)

    answer = bb.ask(QUESTION)
    assert answer.ok, answer.error
    assert answer.checked == "sample:1000 rows"
    assert totals(bb.run(answer, strict=True)) == expected()

    shelf.put(sales(more=1.0))
    changed = bb.tools.catalog.get("sales")
    assert changed.fingerprint != dataset.fingerprint
    assert totals(bb.run(answer, strict=True)) == expected(more=1.0)
    assert profile(changed).column("amount").maximum == 26.0


def test_where_nothing_is_an_error_says_so(shelf, bb):
    bb.add_data("sales", shelf.location)
    with pytest.raises(DatasetError) as caught:
        bb.add_data("none", shelf.nothing)
    assert "none" in caught.value.message
    assert caught.value.hint


def test_an_empty_table_is_a_table(shelf, bb):
    if shelf.bare is None:
        pytest.skip("without rows there are no types in text, and no files in a folder")
    shelf.put(sales(rows=0))
    dataset = bb.add_data("sales", shelf.location)
    types = {column.name: column.type for column in dataset.columns}
    assert types == {**TYPES, **shelf.types, **shelf.bare}
    assert profile(dataset).rows == 0


def totals(result) -> dict[str, float]:
    return dict(result.df.itertuples(index=False))


@cache
def expected(more: float = 0.0) -> dict[str, float]:
    table = sales(more=more).group_by("region").aggregate([("amount", "sum")])
    return dict(zip(table["region"].to_pylist(), table["amount_sum"].to_pylist(), strict=True))
