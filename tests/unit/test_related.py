import gzip
import json
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import orc

from bluebear_magic.runner import related as module
from bluebear_magic.runner import sample_cache, sampling
from bluebear_magic.runner.envelope import Binding
from bluebear_magic.runner.keys import Key, spelled, values
from bluebear_magic.runner.related import KeyPair, related
from bluebear_magic.runner.sampling import sample

PAIR = KeyPair("orders", "customer", "customers", "id")
ORDERS = "no BIGINT, customer BIGINT"
CUSTOMERS = "id BIGINT, name STRING"


@pytest.fixture(autouse=True)
def _nothing_is_small(monkeypatch):
    monkeypatch.setattr(sampling, "WHOLE_TEXT", 1000)
    monkeypatch.setattr(sampling, "WHOLE_COLUMNAR", 1000)


def write(path, kind, columns, ddl):
    """A dataset of one file with these columns."""
    names = list(columns)
    rows = list(zip(*columns.values(), strict=True))
    options = ()
    if kind == "parquet":
        pq.write_table(pa.table(columns), path, row_group_size=5000)
    elif kind == "orc":
        orc.write_table(pa.table(columns), str(path))
    elif kind == "json":
        path.write_text("".join(json.dumps(dict(zip(names, r, strict=True))) + "\n" for r in rows))
    else:
        lines = [",".join(names), *(",".join(map(str, row)) for row in rows)]
        path.write_text("\n".join(lines) + "\n")
        options = (("header", "true"), ("escape", '"'))
    form = "csv" if kind == "csv" else kind
    return Binding(path.stem, form, (str(path),), ddl, options)


def orders(tmp_path, kind="parquet", count=50_000):
    numbers = random.Random(1)
    keys = [numbers.randrange(100_000) for _ in range(count)]
    return write(tmp_path / "orders.x", kind, {"no": list(range(count)), "customer": keys}, ORDERS)


def customers(tmp_path, kind="parquet", *, shuffled=True, count=100_000):
    ids = list(range(count))
    if shuffled:
        random.Random(2).shuffle(ids)
    columns = {"id": ids, "name": [f"name {n}" for n in ids]}
    return write(tmp_path / "customers.x", kind, columns, CUSTOMERS)


def samples_of(wholes, cache, rows=50):
    return [sample(whole, "f", cache, rows=rows) for whole in wholes]


def common(samples, pair=PAIR):
    by_name = {binding.name: binding for binding in samples}
    left = values(Key(by_name[pair.left], pair.left_column))
    return left & values(Key(by_name[pair.right], pair.right_column))


def read_of(binding):
    return sample_cache.load(Path(binding.paths[0]).parent).read


@pytest.mark.parametrize("shuffled", [True, False])
@pytest.mark.parametrize("kind", ["parquet", "csv", "json", "orc"])
def test_joins_find_rows_in_two_samples(tmp_path, kind, shuffled):
    wholes = [orders(tmp_path), customers(tmp_path, kind, shuffled=shuffled)]
    samples = samples_of(wholes, tmp_path / "cache")
    assert len(common(samples)) < 20
    got, missed = related(wholes, samples, [PAIR], tmp_path / "cache")
    assert missed == ()
    assert len(common(got)) >= 8
    assert got[0] == samples[0]
    assert got[1].sampled
    assert "rows for keys of orders" in got[1].note
    assert got[1].fingerprint != samples[1].fingerprint
    assert read_of(got[1]) <= sampling.MAX_READ


def test_rows_added_are_raw_records_of_the_source_and_none_is_there_twice(tmp_path):
    wholes = [orders(tmp_path), customers(tmp_path, "csv")]
    got, _ = related(wholes, samples_of(wholes, tmp_path / "c"), [PAIR], tmp_path / "c")
    source = set(Path(wholes[1].paths[0]).read_text().splitlines())
    taken = []
    for path in got[1].paths:
        first, *rows = Path(path).read_text().splitlines()
        assert first == "id,name"
        taken += rows
    assert set(taken) <= source
    assert len(taken) == len(set(taken))


def test_it_is_made_once(tmp_path, monkeypatch):
    wholes = [orders(tmp_path), customers(tmp_path)]
    samples = samples_of(wholes, tmp_path / "cache")
    first = related(wholes, samples, [PAIR], tmp_path / "cache")
    monkeypatch.setattr(module, "rows_with", None)
    assert related(wholes, samples, [PAIR], tmp_path / "cache") == first


def test_it_goes_when_the_data_changes(tmp_path):
    wholes = [orders(tmp_path), customers(tmp_path)]
    got, _ = related(wholes, samples_of(wholes, tmp_path / "c"), [PAIR], tmp_path / "c")
    sample(wholes[1], "changed", tmp_path / "c")
    assert not Path(got[1].paths[0]).exists()


@pytest.mark.parametrize("small", ["orders", "customers"])
def test_one_side_may_be_whole(tmp_path, small):
    if small == "orders":
        wholes = [orders(tmp_path, "csv", count=40), customers(tmp_path)]
    else:
        wholes = [orders(tmp_path), customers(tmp_path, "csv", count=40)]
    wholes.reverse()  # the order of the pair is not that of the datasets
    samples = samples_of(wholes, tmp_path / "cache")
    assert sorted(binding.sampled for binding in samples) == [False, True]
    got, missed = related(wholes, samples, [PAIR], tmp_path / "cache")
    assert missed == ()
    assert common(got)


def test_keys_that_no_row_shares_are_told(tmp_path):
    other = {"id": [n + 10**9 for n in range(50_000)], "name": ["x"] * 50_000}
    wholes = [orders(tmp_path), write(tmp_path / "customers.x", "parquet", other, CUSTOMERS)]
    samples = samples_of(wholes, tmp_path / "cache")
    got, missed = related(wholes, samples, [PAIR], tmp_path / "cache")
    assert missed == (PAIR,)
    assert [binding.name for binding in got] == ["orders", "customers"]


def test_odd_keys_are_told_and_nothing_is_raised(tmp_path):
    nested = {"id": [{"a": n} for n in range(9000)], "name": ["x"] * 9000}
    ddl = "id STRUCT<a: BIGINT, b: STRING>, name STRING"
    wholes = [orders(tmp_path), write(tmp_path / "customers.x", "parquet", nested, ddl)]
    samples = samples_of(wholes, tmp_path / "cache")
    pairs = [
        PAIR,
        KeyPair("orders", "nothing", "customers", "id"),
        KeyPair("orders", "customer", "customers", "nothing"),
        KeyPair("orders", "customer", "nobody", "id"),
    ]
    got, missed = related(wholes, samples, pairs, tmp_path / "cache")
    assert got == tuple(samples)
    assert missed == tuple(pairs)


def test_numbers_in_text_are_those_in_parquet(tmp_path):
    texts = {"id": [f"{n:07}" for n in range(50_000)], "name": ["x"] * 50_000}
    wholes = [orders(tmp_path), write(tmp_path / "customers.x", "csv", texts, CUSTOMERS)]
    got, missed = related(
        wholes, samples_of(wholes, tmp_path / "cache"), [PAIR], tmp_path / "cache"
    )
    assert missed == ()
    assert common(got)


def test_what_is_read_stays_within_the_budget_of_one_sample(tmp_path, monkeypatch):
    monkeypatch.setattr(sampling, "MAX_READ", 400_000)
    monkeypatch.setattr(module, "MAX_READ", 400_000)
    wholes = [orders(tmp_path), customers(tmp_path)]
    assert Path(wholes[1].paths[0]).stat().st_size > 500_000
    got, _ = related(wholes, samples_of(wholes, tmp_path / "c"), [PAIR], tmp_path / "c")
    assert read_of(got[1]) <= 400_000


def test_partition_keys_are_known_from_the_folders(tmp_path):
    for month in range(1, 10):
        folder = tmp_path / "orders" / f"month={month}"
        folder.mkdir(parents=True)
        (folder / "p.csv").write_text("".join(f"{n}\n" for n in range(500)))
    paths = tuple(str(p) for p in sorted((tmp_path / "orders").rglob("*.csv")))
    ddl = "no BIGINT, month INT"
    whole = Binding("orders", "csv", paths, ddl, (), str(tmp_path / "orders"))
    months = Binding("customers", "csv", (str(tmp_path / "m.csv"),), "id INT", ())
    (tmp_path / "m.csv").write_text("1\n2\n5\n9\n")
    samples = samples_of([whole, months], tmp_path / "cache")
    pair = KeyPair("orders", "month", "customers", "id")
    got, missed = related([whole, months], samples, [pair], tmp_path / "cache")
    assert missed == ()
    assert common(got, pair) == {"1", "5", "9"}


def test_gzip_has_no_further_places(tmp_path):
    path = tmp_path / "customers.csv.gz"
    with gzip.open(path, "wt") as stream:
        stream.write("".join(f"{n},x\n" for n in range(10**6, 10**6 + 9000)))
    wholes = [orders(tmp_path), Binding("customers", "csv", (str(path),), CUSTOMERS)]
    _, missed = related(wholes, samples_of(wholes, tmp_path / "c"), [PAIR], tmp_path / "c")
    assert missed == (PAIR,)


def test_equal_values_have_one_spelling():
    assert spelled(7) == spelled(7.0) == "7"
    assert spelled(None) is None
    assert spelled(float("nan")) == "nan"
