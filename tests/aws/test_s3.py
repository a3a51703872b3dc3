"""Datasets in S3, as moto serves it: described, sampled and copied like files."""

import datetime as dt
import gzip
import json
import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import orc

from bluebear_magic.config import Settings
from bluebear_magic.context import local, nearby, s3_cache, s3_excerpts
from bluebear_magic.context.catalog import Catalog
from bluebear_magic.context.describe import examples
from bluebear_magic.context.profiles import measure, profile
from bluebear_magic.context.samples import Samples
from bluebear_magic.context.sources import Place
from bluebear_magic.errors import Cancelled, DatasetError
from bluebear_magic.folders import writable
from bluebear_magic.runner.keys import Key, values
from bluebear_magic.runner.related import KeyPair, related
from bluebear_magic.testing import RecordingReporter
from tests.aws.storage import parquet, put, warm

MB = 1024 * 1024


def sales(first=0, rows=1000):
    return pa.table(
        {
            "region": [("N", "S", None)[n % 3] for n in range(first, first + rows)],
            "amount": [n / 4 for n in range(first, first + rows)],
        }
    )


def noise(megabytes):
    """A table that does not pack, of rows of 1 KB."""
    return pa.table({"noise": [os.urandom(1024) for _ in range(megabytes * 1024)]})


@pytest.fixture
def settings():
    return Settings()


@pytest.fixture
def catalog(s3, tmp_path, settings, boto_session):
    return warm(Catalog(tmp_path, Place(tmp_path, settings)), boto_session)


@pytest.fixture
def read(catalog):
    """How many bytes of objects were read so far."""
    return lambda: catalog._sources.of("s3://lake").objects.read


def rows_of(binding):
    """The rows that a binding's Parquet files hold."""
    return sum(pq.read_metadata(path).num_rows for path in binding.paths)


def refused(catalog, location, **options):
    with pytest.raises(DatasetError) as caught:
        catalog.add("data", location, **options)
    return str(caught.value)


# --- what is described --------------------------------------------------------


def test_a_prefix_with_partitions_is_one_dataset(s3, catalog):
    for year in (2023, 2024):
        for part in range(2):
            put(s3, f"sales/year={year}/part-{part}.parquet", sales())
    dataset = catalog.add("sales", "s3a://lake/sales/")
    assert dataset.ddl == "`region` STRING, `amount` DOUBLE, `year` BIGINT"
    assert dataset.paths[0] == "s3://lake/sales/year=2023/part-0.parquet"
    assert (dataset.base_path, dataset.partition_columns) == ("s3://lake/sales", ("year",))
    assert len(dataset.paths) == 4
    assert dataset.warnings == ()
    assert profile(dataset).rows == 4000
    assert profile(dataset).column("year").maximum == 2024
    assert catalog.reach(dataset) == ("local", "soal", "emr")
    assert [len(row) for row in examples(dataset)[1]] == [3] * 5


CSV = "day,what,count\n2024-01-02,\"a, b\",1\n2024-01-03,,22\n" * 1  # fmt: skip
JSON = '{"a": 1, "b": {"c": "x"}}\n{"a": null, "b": {"c": "y"}, "d": [1, 2]}\n'


def as_orc(folder):
    orc.write_table(sales(), str(folder / "x.orc"))
    return (folder / "x.orc").read_bytes()


FILES = {
    "x.csv": CSV,
    "x.tsv": "a\tb\n1\t2\n",
    "latin.csv": "name;size\nSão;1,5\n".encode("latin-1"),
    "x.csv.gz": gzip.compress(CSV.encode()),
    "x.txt": CSV,
    "x.json": JSON,
    "array.json": json.dumps([{"a": 1}, {"a": 2}]),
    "x.jsonl.gz": gzip.compress(JSON.encode()),
    "x.parquet": parquet(sales()),
    "no_ending": parquet(sales()),
}


@pytest.mark.parametrize("name", [*FILES, "x.orc"])
def test_an_object_is_described_as_the_same_file_is(s3, catalog, tmp_path, name):
    data = FILES[name] if name in FILES else as_orc(tmp_path)
    data = data.encode() if isinstance(data, str) else data
    (tmp_path / name).write_bytes(data)
    put(s3, f"one/{name}", data)
    known = local.describe("data", tmp_path / name)
    found = catalog.add_path(f"s3://lake/one/{name}")
    assert found.name == ("no_ending" if name == "no_ending" else name.split(".")[0])
    for part in ("format", "columns", "options", "size_bytes", "partition_columns"):
        assert getattr(found, part) == getattr(known, part), part
    assert profile(found) == profile(replace(known, name=found.name))


def test_options_are_those_of_files(s3, catalog):
    put(s3, "odd.csv", "a|b\n1|x\n")
    assert catalog.add("odd", "s3://lake/odd.csv", delimiter="|").ddl == "`a` BIGINT, `b` STRING"
    assert "Options for csv" in refused(catalog, "s3://lake/odd.csv", colour="red")
    put(s3, "logs/1", "a,b\n1,2\n")
    assert "say which it is" in refused(catalog, "s3://lake/logs/")
    assert catalog.add("logs", "s3://lake/logs/", format="csv").format == "csv"


def test_patterns_match_within_a_folder_and_take_what_lies_below(s3, catalog):
    for key in ("a/x1.csv", "a/x2.csv", "a/b/x3.csv", "a/y.parquet"):
        put(s3, key, "n\n1\n" if key.endswith("csv") else sales())
    assert len(catalog.add("few", "s3://lake/a/*.csv").paths) == 2
    assert len(catalog.add("all", "s3://lake/a/**/*.csv").paths) == 3
    assert len(catalog.add("one", "s3://lake/a/x[2-9].csv").paths) == 1
    assert "s3://lake/a/ holds b/, x1.csv" in refused(catalog, "s3://lake/a/*.json")
    put(s3, "odd/[x]*.csv", "n\n1\n")
    assert catalog.add("literal", "s3://lake/odd/[x]*.csv").paths == ("s3://lake/odd/[x]*.csv",)


def test_what_spark_skips_is_skipped(s3, catalog):
    put(s3, "t/", b"")
    for key in ("t/_SUCCESS", "t/.hidden.csv", "t/_tmp/x.csv", "t/_t=1/.crc", "t/empty.csv"):
        put(s3, key, b"" if "empty" in key else b"n\n1\n")
    put(s3, "t/x.csv", "n\n1\n")
    put(s3, "t/notes.md", "no data")
    dataset = catalog.add("t", "s3://lake/t")
    assert dataset.paths == ("s3://lake/t/x.csv",)
    assert dataset.warnings == (
        "empty objects were left out: empty.csv",
        "objects that are not data were left out: notes.md",
    )


KEYS = (
    "plus+and%20percent%.parquet",
    "blank é 日本.parquet",
    "a//b/up.parquet",
    "quote'\"`$;&#?.parquet",
    "colon:12:00.parquet",
)


@pytest.mark.parametrize("key", KEYS)
def test_keys_are_taken_as_they_stand(s3, catalog, key, tmp_path):
    put(s3, f"k/day=2024-01-01 10:30/{key}", sales(0, 50_000))
    put(s3, f"k/day=2024-01-02 11:00/{key}", sales(0, 50_000))
    dataset = catalog.add("k", "s3://lake/k/")
    assert dataset.paths[0] == f"s3://lake/k/day=2024-01-01 10:30/{key}"
    assert dataset.columns[-1].name == "day"
    (sample,) = Samples().of([dataset], 1000)
    whole = catalog.whole(dataset, RecordingReporter())
    assert rows_of(whole) == 100_000
    assert 900 < rows_of(sample) < 1100
    for binding in (sample, whole):
        folders = {str(Path(path).relative_to(binding.base_path).parent) for path in binding.paths}
        assert folders == {"day=2024-01-01 10%3A30", "day=2024-01-02 11%3A00"}
        assert all(Path(path).is_relative_to(tmp_path / "cache") for path in binding.paths)


def test_columns_of_any_name_and_type(s3, catalog):
    odd = ["a b", "a.b", "`tick`", 'say "hi"', "; DROP TABLE x; --", "😀", "$(rm)"]
    nested = pa.array([{"x": [{"y": 1.5}], "z": dt.datetime(2024, 1, 1)}])
    table = pa.table({**{name: [1] for name in odd}, "deep": nested, "t": [dt.time(1, 2)]})
    put(s3, "odd.parquet", table)
    dataset = catalog.add("odd", "s3://lake/odd.parquet")
    assert [column.name for column in dataset.columns[:-2]] == odd
    assert dataset.columns[-2].type == "STRUCT<`x`: ARRAY<STRUCT<`y`: DOUBLE>>, `z`: TIMESTAMP_NTZ>"
    assert "time of day" in dataset.warnings[0]
    assert profile(dataset).rows == 1


# --- large datasets -----------------------------------------------------------


@pytest.fixture
def large(monkeypatch):
    """What is large, and how much is read of it, a tenth of the real bounds."""
    monkeypatch.setattr(nearby, "SMALL", 3 * MB)
    monkeypatch.setattr(nearby, "FEW", 10)
    for name in ("HEAD", "SPOTS", "UNPACKED"):
        monkeypatch.setattr(s3_excerpts, name, getattr(s3_excerpts, name) // 10)


@pytest.fixture
def many(s3, large):
    """More objects than are copied without being asked."""
    for part in range(20):
        put(s3, f"many/store={part % 4}/part-{part:03}.parquet", sales(10_000 * part, 10_000))


def test_of_many_objects_a_few_footers_are_read(many, catalog, read):
    dataset = catalog.add("many", "s3://lake/many/")
    assert (len(dataset.paths), dataset.columns[-1].name) == (20, "store")
    assert 0 < read() < dataset.size_bytes / 4
    assert "the footers of 5 of 20 objects" in dataset.warnings[-1]
    known = profile(dataset)
    assert known.rows == 200_000
    assert known.column("store").values == ()
    assert (known.column("store").minimum, known.column("store").distinct) == (0, 4)
    assert set(known.column("region").values) == {"N", "S"}


def test_a_sample_of_many_objects_reads_three(many, catalog, read):
    dataset = catalog.add("many", "s3://lake/many/")
    before = read()
    (sample,) = Samples().of([dataset], 1000)
    assert sample.note == "head of 3 of 20 files"
    assert rows_of(sample) == 1000
    assert read() - before < dataset.size_bytes / 5


def test_samples_of_two_large_datasets_have_keys_in_common(s3, large, catalog):
    """Rows for each other's keys are looked for by their statistics, by range too."""
    for part in range(12):
        ids = range(10_000 * part, 10_000 * (part + 1))
        put(s3, f"orders/{part:02}.parquet", pa.table({"id": [n * 7 for n in ids], "of": ids}))
        put(s3, f"people/{part:02}.csv", "id,name\n" + "".join(f"{n},x{n}\n" for n in ids))
    datasets = [catalog.add(name, f"s3://lake/{name}/") for name in ("orders", "people")]
    wholes = [dataset.binding for dataset in datasets]
    samples = Samples().of(datasets, 1000)
    pair = KeyPair("orders", "of", "people", "id")
    found, missed = related(wholes, samples, [pair], writable("samples"))
    assert missed == ()
    left, right = (values(Key(item, name)) for item, name in zip(found, ("of", "id"), strict=True))
    assert len(left & right) >= 20


def test_two_sessions_do_not_ask_for_each_object_again(s3, many, catalog, boto_session):
    """Either knows what it has listed itself."""
    dataset = catalog.add("many", "s3://lake/many/")
    other = warm(Catalog(), boto_session)
    asked = []
    boto_session.events.register("before-call.s3.HeadObject", lambda **_: asked.append(1))
    catalog.renew()
    catalog.get("many")
    assert Samples().of([dataset], 1000)[0].sampled
    assert other.add("many", "s3://lake/many/").fingerprint == dataset.fingerprint
    assert asked == []


def test_columns_that_differ_between_objects_are_told(s3, many, catalog):
    put(s3, "many/store=3/part-zzz.parquet", pa.table({"region": ["N"], "amount": ["1.5"]}))
    told = refused(catalog, "s3://lake/many/")
    assert "part-zzz.parquet: column amount is STRING" in told


def large_csv(multiline):
    """4 MB, of which nothing but the last row says that ``late`` is no whole number."""
    say = "say\nmore" if multiline else "say more"
    rows = [f'{n},"{say} {n}",2024-01-{n % 28 + 1:02},{n},{"x" * 60}\n' for n in range(2_000)]
    block = "".join(rows).encode()
    tail = b'1,"last",2024-01-01,2.5,y\n'
    return b"id,text,day,late,pad\n" + block * (4 * MB // len(block) + 1) + tail


@pytest.mark.parametrize("multiline", [False, True])
def test_a_large_text_object_is_described_by_excerpts(s3, large, catalog, read, multiline):
    size = put(s3, "large/x.csv", large_csv(multiline))
    dataset = catalog.add("large", "s3://lake/large/")
    assert size > 4 * MB
    assert read() < MB
    late = "BIGINT" if multiline else "DOUBLE"  # where quotes hide line ends, only the head is sure
    assert [column.type for column in dataset.columns] == [
        "BIGINT",
        "STRING",
        "DATE",
        late,
        "STRING",
    ]
    assert ("multiLine" in dict(dataset.options)) == multiline
    assert "in 1 of 1 objects" in dataset.warnings[-1]
    before = read()
    (sample,) = Samples().of([dataset], 1000)
    assert sample.sampled
    assert read() - before < 2.5 * MB
    assert profile(dataset).rows is None


@pytest.mark.parametrize("kind", ["lines", "array"])
def test_large_json_is_described_by_its_head(s3, large, catalog, read, kind):
    block = [{"id": n, "tags": [f"t{n % 3}"], "pad": "x" * 2000} for n in range(2000)]
    if kind == "array":
        data = json.dumps(block)
    else:
        data = "".join(json.dumps(item) + "\n" for item in block)
    put(s3, "large.json", data)
    dataset = catalog.add("large", "s3://lake/large.json")
    assert dataset.ddl == "`id` BIGINT, `tags` ARRAY<STRING>, `pad` STRING"
    assert ("multiLine" in dict(dataset.options)) == (kind == "array")
    assert read() < MB


def test_large_gzip_is_described_by_its_head(s3, large, catalog, read):
    noise = "".join(f"{n},{os.urandom(400).hex()}\n" for n in range(10_000))
    size = put(s3, "noise.csv.gz", gzip.compress(f"n,noise\n{noise}".encode(), 1))
    dataset = catalog.add("noise", "s3://lake/noise.csv.gz")
    assert size > 3 * MB
    assert dataset.ddl == "`n` BIGINT, `noise` STRING"
    assert read() < MB


def test_text_without_an_end_of_a_record_is_told(s3, large, catalog, read):
    put(s3, "long.csv", "x" * 5 * MB)
    told = refused(catalog, "s3://lake/long.csv")
    assert "s3://lake/long.csv: no record ends within" in told
    assert read() < 4 * MB


# --- changes ------------------------------------------------------------------


def test_the_fingerprint_changes_with_the_data_and_only_then(s3, catalog):
    put(s3, "t/a.csv", "n\n1\n")
    first = catalog.add("t", "s3://lake/t/")
    catalog.renew()
    assert catalog.get("t") is first
    put(s3, "t/a.csv", "n\n2\n")
    catalog.renew()
    second = catalog.get("t")
    assert second.fingerprint != first.fingerprint
    put(s3, "t/a.csv", "n\n1\n")
    catalog.renew()
    assert catalog.get("t").fingerprint == first.fingerprint


def test_objects_replaced_between_check_and_run_are_told(s3, catalog):
    put(s3, "t/a.csv", "n\n1\n")
    put(s3, "t/b.csv", "n\n1\n")
    Samples().of([catalog.add("t", "s3://lake/t/")], 10)
    put(s3, "t/a.csv", "n\n7\n")
    put(s3, "t/c.csv", "n\n7\n")
    s3.delete_object(Bucket="lake", Key="t/b.csv")
    catalog.renew()
    reporter = RecordingReporter()
    whole = catalog.whole(catalog.get("t"), reporter)
    assert reporter.warnings == [
        "t has changed in S3 (1 new, 1 replaced, 1 gone): it is read as it is now"
    ]
    assert sorted(Path(path).read_text() for path in whole.paths) == ["n\n7\n", "n\n7\n"]


def test_an_object_replaced_while_it_is_read_is_no_mixture(s3, many, catalog):
    dataset = catalog.add("many", "s3://lake/many/")
    put(s3, "many/store=0/part-000.parquet", sales(7))
    with pytest.raises(DatasetError, match=r"part-000.parquet has changed while it was read"):
        Samples().of([dataset], 1000)
    s3.delete_object(Bucket="lake", Key="many/store=0/part-000.parquet")
    with pytest.raises(DatasetError, match=r"part-000.parquet does not exist"):
        catalog.whole(dataset, RecordingReporter())


# --- copies for local Spark ----------------------------------------------------


def test_copies_are_made_once_and_progress_is_told(s3, many, catalog, read):
    dataset = catalog.add("many", "s3://lake/many/")
    reporter = RecordingReporter()
    assert rows_of(catalog.whole(dataset, reporter)) == 200_000
    assert any("copying many from S3: " in text for text in reporter.steps)
    before = read()
    assert rows_of(catalog.whole(dataset, reporter)) == 200_000
    assert read() == before


def test_a_run_beyond_the_cache_says_what_to_set(s3, large, catalog, settings):
    put(s3, "noise.parquet", noise(3))
    dataset = catalog.add("noise", "s3://lake/noise.parquet")
    settings.s3_cache_mb = 1
    assert catalog.wholes([], RecordingReporter()) == ()
    with pytest.raises(DatasetError) as caught:
        catalog.whole(dataset, RecordingReporter())
    assert "noise (3.2 MB): local Spark reads copies of S3, of at most 1.0 MB" in str(caught.value)
    assert "Bluebear.s3_cache_mb = 4" in str(caught.value)
    assert "soal" in str(caught.value)
    with pytest.raises(DatasetError, match=r"s3://lake/noise.parquet: local Spark reads copies"):
        measure(dataset, full=True)
    settings.s3_cache_mb = 100
    assert measure(dataset, full=True).rows == 3 * 1024
    settings.s3_ask_mb = 0
    assert catalog.whole(dataset, RecordingReporter()).paths  # it is copied already


def test_copying_much_is_asked_before(many, catalog, settings, read, monkeypatch):
    monkeypatch.setattr(nearby, "SMALL", MB // 2)
    dataset = catalog.add("many", "s3://lake/many/")
    settings.s3_ask_mb = 0
    before = read()
    with pytest.raises(
        DatasetError, match=r"would have to be copied from S3 first(.|\n)*s3_ask_mb = 2 "
    ):
        catalog.whole(dataset, RecordingReporter())
    assert read() == before


def test_what_was_used_longest_ago_makes_room(s3, catalog, settings):
    settings.s3_cache_mb = 5
    datasets = []
    for name in ("old", "middle", "new"):
        put(s3, f"{name}.parquet", noise(2))
        datasets.append(catalog.add(name, f"s3://lake/{name}.parquet"))
        time.sleep(0.01)
    cache = catalog._sources.of("s3://lake").cache
    there = [cache.of(item.paths, None)[0].there for item in datasets]
    assert there == [False, True, True]
    both = catalog.wholes([datasets[0], datasets[1]], RecordingReporter())
    assert all(Path(path).exists() for binding in both for path in binding.paths)
    assert not cache.of(datasets[2].paths, None)[0].there


def test_what_another_process_uses_stays(s3, catalog, settings, boto_session):
    settings.s3_cache_mb = 3
    put(s3, "mine.parquet", noise(2))
    put(s3, "more.parquet", noise(2))
    dataset = catalog.add("mine", "s3://lake/mine.parquet")
    copy = catalog._sources.of("s3://lake").cache.of(dataset.paths, None)[0]
    other = warm(Catalog(None, Place(None, settings)), boto_session)
    other.add("more", "s3://lake/more.parquet")
    assert copy.there
    os.utime(copy.path, (time.time() - 2 * s3_cache.IN_USE,) * 2)
    put(s3, "last.parquet", noise(2))
    other.add("last", "s3://lake/last.parquet")
    assert not copy.there


def test_a_half_made_copy_is_gone_on_with(s3, large, catalog, read):
    size = put(s3, "big.parquet", noise(8))
    dataset = catalog.add("big", "s3://lake/big.parquet")
    copy = catalog._sources.of("s3://lake").cache.of(dataset.paths, None)[0]
    data = s3.get_object(Bucket="lake", Key="big.parquet")["Body"].read()
    copy.path.parent.mkdir(parents=True)
    copy.path.with_name(f".{copy.path.name}.part").write_bytes(data[: 6 * MB])
    before = read()
    (path,) = catalog.whole(dataset, RecordingReporter()).paths
    assert Path(path).read_bytes() == data
    assert read() - before == size - 6 * MB
    assert [item.name for item in copy.path.parent.iterdir()] == [copy.path.name]


def test_an_interrupt_leaves_nothing_broken(s3, large, catalog):
    for part in range(12):
        put(s3, f"big/{part}.parquet", noise(3))
    dataset = catalog.add("big", "s3://lake/big/")

    class Interrupts(RecordingReporter):
        def progress(self, text):
            raise KeyboardInterrupt

    with pytest.raises(Cancelled):
        catalog.whole(dataset, Interrupts())
    assert not [thread for thread in threading.enumerate() if "bluebear-s3" in thread.name]
    copies = catalog._sources.of("s3://lake").cache.of(dataset.paths, None)
    for copy in copies:
        if copy.path.exists():
            assert copy.there
    assert rows_of(catalog.whole(dataset, RecordingReporter())) == 36 * 1024


# --- what is not there, or cannot be read ----------------------------------------


def test_a_bucket_that_is_not_there(s3, catalog):
    told = refused(catalog, "s3://nowhere/x/")
    assert told.startswith("there is no bucket nowhere\n")
    assert "cannot be the name of a bucket" in refused(catalog, "s3://No Such/x/")
    assert "no bucket is named" in refused(catalog, "s3://")


def test_an_empty_prefix_and_a_key_that_is_missing(s3, catalog):
    put(s3, "data/sales_2024.csv", "n\n1\n")
    put(s3, "data/stores/x.csv", "n\n1\n")
    told = refused(catalog, "s3://lake/data/sale_2024.csv")
    assert "s3://lake/data/sale_2024.csv: no object has that key, or one below it" in told
    assert "Did you mean sales_2024.csv in s3://lake/data/?" in told
    assert "Did you mean stores/ in s3://lake/data/?" in refused(catalog, "s3://lake/data/store/")
    assert "s3://lake/ holds data/" in refused(catalog, "s3://lake/qqq/")
    put(s3, "hidden/_tmp.csv", "n\n1\n")
    assert "names begin with _" in refused(catalog, "s3://lake/hidden/")
    put(s3, "void/x.csv", b"")
    assert "holds only empty objects" in refused(catalog, "s3://lake/void/")
    assert "the object is empty" in refused(catalog, "s3://lake/void/x.csv")


def test_formats_are_not_mixed(s3, catalog):
    put(s3, "mix/a.csv", "n\n1\n")
    put(s3, "mix/b.parquet", sales())
    told = refused(catalog, "s3://lake/mix/")
    assert "s3://lake/mix/ mixes formats: csv (a.csv), parquet (b.parquet)" in told
    assert "pattern" in told
    put(s3, "x.csv.zip", b"PK")
    assert "zip compression cannot be read" in refused(catalog, "s3://lake/x.csv.zip")


def test_partitions_that_do_not_fit_are_named(s3, catalog):
    put(s3, "p/year=2023/a.csv", "n\n1\n")
    put(s3, "p/month=1/a.csv", "n\n1\n")
    told = refused(catalog, "s3://lake/p/")
    assert "s3://lake/p/year=2023/a.csv: its folders name the partition columns year" in told


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("_delta_log/00.json", "Delta"),
        ("metadata/1.metadata.json", "Iceberg"),
        (".hoodie/x", "Hudi"),
    ],
)
def test_tables_with_a_log_of_their_own_are_refused_by_name(s3, catalog, key, kind):
    put(s3, "t/part.parquet", sales())
    put(s3, f"t/{key}", "{}")
    told = refused(catalog, "s3://lake/t/")
    assert (
        f"s3://lake/t/ is a{'n' * (kind == 'Iceberg')} {kind} table, which no backend here can read yet"
        in told
    )
    assert "Parquet" in told


def test_archived_objects_are_told(s3, catalog):
    s3.put_object(Bucket="lake", Key="cold/a.csv", Body=b"n\n1\n", StorageClass="DEEP_ARCHIVE")
    assert "s3://lake/cold/a.csv is archived" in refused(catalog, "s3://lake/cold/")


@pytest.mark.parametrize("data", [b"PAR1 and no more", b"PAR1" + b"\0" * 200 + b"PAR1"])
def test_a_broken_file_is_told_by_its_uri(s3, catalog, data):
    put(s3, "b/x.parquet", data)
    told = refused(catalog, "s3://lake/b/")
    assert "s3://lake/b/x.parquet: not a whole Parquet file" in told
    put(s3, "b/x.csv", "a,b\n1,2\n3\n")
    s3.delete_object(Bucket="lake", Key="b/x.parquet")
    catalog.renew()
    assert "s3://lake/b/x.csv" in refused(catalog, "s3://lake/b/")
    assert "/cache/" not in refused(catalog, "s3://lake/b/")
