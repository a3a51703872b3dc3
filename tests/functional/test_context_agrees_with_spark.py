"""Spark, told a Dataset's format, options, schema and base path, reads what was described."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import math
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import orc

from bluebear_magic.context.local import describe
from bluebear_magic.context.profiles import measure
from bluebear_magic.context.scan import open_scan
from bluebear_magic.records import Dataset
from bluebear_magic.runner.envelope import Binding
from bluebear_magic.runner.relations import reader

# pyspark leaves the sockets over which results come to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

DATA = Path(__file__).parents[2] / "notebooks" / "data"


@pytest.fixture(scope="module")
def spark(session):
    """The session of a worker, in this process, so that rows can be compared as values."""
    return session.fresh()


def read(spark, dataset: Dataset):
    binding = Binding(
        dataset.name,
        dataset.format,
        dataset.paths,
        dataset.ddl,
        dataset.options,
        dataset.base_path,
    )
    reader(spark, binding).createOrReplaceTempView(binding.name)
    return spark.table(dataset.name)


def plain(value):
    """A value from Spark or DuckDB in one comparable spelling."""
    if hasattr(value, "asDict"):
        return {key: plain(item) for key, item in value.asDict().items() if item is not None}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else value
    if isinstance(value, dt.date | dt.datetime):
        return str(value)
    return bytes(value) if isinstance(value, bytearray) else value


def parsed(value, ddl: str):
    """Nested JSON comes from DuckDB as its text."""
    nested = ddl.startswith(("STRUCT", "ARRAY", "MAP")) and isinstance(value, str)
    return plain(json.loads(value) if nested else value)


def agree(spark, dataset: Dataset):
    """Asserts that both readers see the same rows; returns them, sorted."""
    frame = read(spark, dataset)
    kinds = [column.type for column in dataset.columns]
    assert frame.columns == [column.name for column in dataset.columns]
    from_spark = [[plain(value) for value in row] for row in frame.collect()]
    with open_scan(dataset) as scan:
        from_duckdb = [
            [parsed(value, kind) for value, kind in zip(row, kinds, strict=True)]
            for row in scan.rows("SELECT * FROM data")
        ]
    from_spark.sort(key=repr)
    from_duckdb.sort(key=repr)
    assert from_spark == from_duckdb
    profile = measure(dataset)
    assert profile.rows == len(from_spark)
    for index, column in enumerate(profile.columns):
        assert column.nulls == sum(row[index] is None for row in from_spark), column.name
    return from_spark


def types(dataset: Dataset) -> list[str]:
    return [column.type for column in dataset.columns]


CSV_FILES: dict[str, tuple[bytes, list[str]]] = {
    "quotes": (b'a,b\n1,"x, ""y"""\n2,"c:\\d\\"\n3,5" pipe\n', ["BIGINT", "STRING"]),
    "quoted newlines": (b'a,b\n1,"x\ny"\n2,"p\n\nq"\n', ["BIGINT", "STRING"]),
    "quoted newlines, CRLF": (b'a,b\r\n1,"x\r\ny"\r\n2,z\r\n', ["BIGINT", "STRING"]),
    "CRLF within a file of LF": (b'a,b\n1,"x\r\ny"\n2,z\n3,w\n', ["BIGINT", "STRING"]),
    "CRLF": (b"a,b\r\n1,x\r\n2,y\r\n", ["BIGINT", "STRING"]),
    "CR alone": (b"a,b\r1,x\r2,y\r", ["BIGINT", "STRING"]),
    "no line end at the end": (b"a,b\n1,x\n2,y", ["BIGINT", "STRING"]),
    "semicolons": (b"a;b;c\n1;2,5;x\n2;3,5;y\n", ["BIGINT", "STRING", "STRING"]),
    "pipes": (b"a|b\n1|x,y\n2|z\n", ["BIGINT", "STRING"]),
    "tabs": (b"a\tb\n1\tx\n2\t\n", ["BIGINT", "STRING"]),
    "tabs, an empty row": (b"a\tb\n1\tx\n\t\n2\ty\n", ["BIGINT", "STRING"]),
    "tabs, stray quotes": (b'a\tb\n1\t5" pipe\n2\t"x\n3\ty"\n', ["BIGINT", "STRING"]),
    "single quotes": (b"a,b\n1,'x, y'\n2,'it''s'\n", ["BIGINT", "STRING"]),
    "backslash escapes": (b'a,b\n1,"say \\"hi\\", x"\n2,"c:\\\\d"\n3,"c:\\d"\n', ["BIGINT", "STRING"]),
    "latin-1": ("a,b\n1,caf\xe9\n2,na\xefve\n".encode("latin-1"), ["BIGINT", "STRING"]),
    "cp1252": ("a,b\n1,5 €\n2,“x”\n".encode("cp1252"), ["BIGINT", "STRING"]),
    "utf-8": ("a,b\n1,é€😀\n2,y\n".encode(), ["BIGINT", "STRING"]),
    "utf-8 with a mark": ("a,b\n1,é\n2,y\n".encode("utf-8-sig"), ["BIGINT", "STRING"]),
    "utf-16": ("a,b\n1,é\n2,y\n".encode("utf-16"), ["BIGINT", "STRING"]),
    "utf-16 without a mark": ("a,b\n1,x\n2,y\n".encode("utf-16-le"), ["BIGINT", "STRING"]),
    "NA markers": (b'a,b,c\nNA,1.5,x\n2,NA,NA\n,"",""\n', ["BIGINT", "DOUBLE", "STRING"]),
    "NA in text alone": (b"a,b\n1,NA\n2,x\n", ["BIGINT", "STRING"]),
    "NaN": (b"a\n1.5\nNaN\n2\n", ["DOUBLE"]),
    "two markers": (b"a,b\n1,-\nNA,2\nNA,-\n", ["BIGINT", "STRING"]),
    "empty fields": (b'a,b\n1,""\n2,\n,x\n', ["BIGINT", "STRING"]),
    "rows of empty fields": (b"a,b\n1,x\n,\n", ["BIGINT", "STRING"]),
    "blank lines": (b"a,b\n\n1,x\n   \n2,y\n\n", ["BIGINT", "STRING"]),
    "blank lines, one column": (b"a\n1\n\n2\n", ["BIGINT"]),
    "d/M/yyyy": (b"a,d\n1,31/12/2024\n2,1/2/2024\n", ["BIGINT", "DATE"]),
    "d.M.yyyy": (b"d;x\n31.12.2024;1\n01.02.2024;2\n", ["DATE", "BIGINT"]),
    "d-MMM-yyyy": (b"d,x\n31-Dec-2024,1\n1-JAN-2024,2\n", ["DATE", "BIGINT"]),
    "M/d/yyyy with time": (b"t,x\n12/31/2024 1:05 PM,1\n1/2/2024 12:00 AM,2\n", ["TIMESTAMP", "BIGINT"]),
    "dates in two spellings": (
        b"a,b,c\n2024-01-02,31/12/2024,30/12/2024\n2024-01-03,1/2/2024,2/2/2024\n",
        ["TIMESTAMP", "DATE", "DATE"],
    ),
    "ISO": (
        b"d,t,z\n2024-01-02,2024-01-02 03:04:05,2024-01-02T03:04:05Z\n"
        b"1900-01-01,2024-01-02T03:04:05.123456,2024-01-02T03:04:05+02:00\n"
        b"9999-12-31,2024-01-02 03:04,2024-01-02 03:04:05.5 -0530\n",
        ["DATE", "TIMESTAMP", "TIMESTAMP"],
    ),
    "no such day": (b"d\n2024-02-30\n2024-01-01\n", ["STRING"]),
    "numbers": (
        b"i,d,h,z\n+5,1.,12345678901234567890,007\n-0,.5e3,1,12\n9223372036854775807,1E-5,2,3\n",
        ["BIGINT", "DOUBLE", "DECIMAL(38,0)", "STRING"],
    ),
    "booleans": (b"a,b\nTRUE,true\nfalse,\n", ["BOOLEAN", "BOOLEAN"]),
    "padded": (b"a, b, c\n1, 2, x\n10 , 20,  y \n", ["BIGINT", "BIGINT", "STRING"]),
    "padded and quoted": (b'a, b, c\n1, 2, "x, y"\n10, 20, " z"\n', ["BIGINT", "BIGINT", "STRING"]),
    "no header": (b"1,x,2024-01-01\n2,y,2024-01-02\n", ["BIGINT", "STRING", "DATE"]),
    "repeated names": (b"a,A,a_2,\n1,2,3,4\n", ["BIGINT"] * 4),
    "strange names": ("a`b,c\"d,e.f,<b>,Größe\n1,2,3,4,5\n".encode(), ["BIGINT"] * 5),
    "one column of prose": (b'text\nwell, well\n"a, ""b"""\nfine; \nx\n', ["STRING"]),
    "one column with empty fields": ('a\n1\n""\n2\n'.encode("utf-16"), ["BIGINT"]),
    "one column of numbers": (b"a\n1\n2\n", ["BIGINT"]),
    "header alone": (b"a,b\n", ["STRING", "STRING"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CSV_FILES)
def test_csv(spark, tmp_path, case):
    content, expected = CSV_FILES[case]
    path = tmp_path / ("x.tsv" if case.startswith("tabs") else "x.csv")
    path.write_bytes(content)
    dataset = describe("x", path)
    agree(spark, dataset)
    assert types(dataset) == expected


@pytest.mark.parametrize("case", ["quotes", "quoted newlines", "latin-1", "NA markers"])
def test_csv_compressed(spark, tmp_path, case):
    content, expected = CSV_FILES[case]
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(content))
    dataset = describe("x", path)
    agree(spark, dataset)
    assert types(dataset) == expected


def test_json_lines_with_nested_values(spark, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(
        '{"id": 1, "when": "2024-01-02T03:04:05Z", "day": "2024-01-02", "tags": ["a", "b"]}\n'
        '{"id": 2, "who": {"name": "Zoë", "ages": [1, 2.5]}, "mixed": 1, "big": 12345678901234567890}\n'
        "\n"
        '{"id": null, "mixed": "x", "none": null, "empty": {}, "flag": true, "price": 1}\n'
        '{"id": 4, "mixed": {"k":1.5}, "price": 2.5, "text": "2024-13-01", "da.y`s": [], "filename": "f"}\n',
        encoding="utf-8",
    )
    dataset = describe("x", path)
    agree(spark, dataset)
    assert dict(zip([c.name for c in dataset.columns], types(dataset), strict=True)) == {
        "id": "BIGINT",
        "when": "TIMESTAMP",
        "day": "DATE",
        "tags": "ARRAY<STRING>",
        "who": "STRUCT<`name`: STRING, `ages`: ARRAY<DOUBLE>>",
        "mixed": "STRING",
        "big": "DECIMAL(38,0)",
        "none": "STRING",
        "empty": "STRING",
        "flag": "BOOLEAN",
        "price": "DOUBLE",
        "text": "STRING",
        "da.y`s": "ARRAY<STRING>",
        "filename": "STRING",
    }


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize(
    "text",
    [
        '[{"a": 1, "b": "x"},\n {"a": 2}]',
        '{\n  "a": 1,\n  "b": [{"c": 1}, {"d": [[2]]}]\n}\n',
        '{"a": 1}\n{"a": 2}\n',
        '{"a": 1}',
    ],
)
def test_json_documents_and_lines(spark, tmp_path, text, mark):
    path = tmp_path / "x.json"
    path.write_text(mark + text, encoding="utf-8")
    agree(spark, describe("x", path))


def test_json_compressed(spark, tmp_path):
    path = tmp_path / "x.json.gz"
    path.write_bytes(gzip.compress(b'{"a": 1}\n{"a": 2}\n'))
    agree(spark, describe("x", path))


def test_partitioned_csv(spark, tmp_path):
    """Values of folders: numbers, dates, escaped text, leading zeros, null."""
    parts = [
        ("n=1", "day=2024-01-02", "code=01", "where=a%20b%2Fc"),
        ("n=2", "day=__HIVE_DEFAULT_PARTITION__", "code=10", "where=x"),
        ("n=10", "day=2024-03-01", "code=11", "where=ü"),
    ]
    for number, folders in enumerate(parts):
        folder = tmp_path.joinpath("data", *folders)
        folder.mkdir(parents=True)
        (folder / "part-0.csv").write_text(f"a,b\n{number},x\nNA,\n")
    (tmp_path / "data" / "_SUCCESS").touch()
    dataset = describe("x", tmp_path / "data")
    agree(spark, dataset)
    assert types(dataset) == ["BIGINT", "STRING", "BIGINT", "DATE", "STRING", "STRING"]
    assert dataset.partition_columns == ("n", "day", "code", "where")
    assert dataset.base_path == str(tmp_path / "data")


@pytest.mark.parametrize("format_", ["parquet", "json", "orc"])
def test_partitioned_in_other_formats(spark, tmp_path, format_):
    for year in (2023, 2024):
        folder = tmp_path / "data" / f"year={year}"
        folder.mkdir(parents=True)
        table = pa.table({"a": [year, None], "b": ["x", "ü"]})
        if format_ == "parquet":
            pq.write_table(table, folder / "part-0.parquet")
        elif format_ == "orc":
            orc.write_table(table, str(folder / "part-0.orc"))
        else:
            (folder / "part-0.json").write_text(f'{{"a": {year}, "b": "x"}}\n{{"b": "ü"}}\n')
    rows = agree(spark, describe("x", tmp_path / "data"))
    assert {row[2] for row in rows} == {2023, 2024}


def test_a_partition_key_that_is_in_the_files_too(spark, tmp_path):
    folder = tmp_path / "year=2024"
    folder.mkdir()
    pq.write_table(pa.table({"year": [1, 2], "a": [3, 4]}), folder / "p.parquet")
    dataset = describe("x", tmp_path)
    assert agree(spark, dataset) == [[3, 2024], [4, 2024]]
    assert any("year" in warning for warning in dataset.warnings)


def test_a_pattern_over_partitions_and_one_folder_of_them(spark, tmp_path):
    for year in (2023, 2024):
        folder = tmp_path / f"year={year}"
        folder.mkdir()
        (folder / "p.csv").write_text("a\n1\n2\n")
    agree(spark, describe("x", tmp_path / "year=*" / "*.csv"))
    one = describe("x", tmp_path / "year=2024")
    agree(spark, one)
    assert [column.name for column in one.columns] == ["a"]


ARROW = {
    "TINYINT": pa.array([1, None], pa.int8()),
    "SMALLINT": pa.array([200, None], pa.uint8()),
    "INT": pa.array([60000, None], pa.uint16()),
    "BIGINT": pa.array([2**31 + 1, None], pa.uint32()),
    "DECIMAL(20,0)": pa.array([2**63 + 1, None], pa.uint64()),
    "FLOAT": pa.array([1.5, None], pa.float32()),
    "DOUBLE": pa.array([float("nan"), 1.0]),
    "BOOLEAN": pa.array([True, None]),
    "DATE": pa.array([dt.date(1900, 1, 2), None]),
    "TIMESTAMP": pa.array([dt.datetime(2024, 1, 2, 3, 4, 5, 6), None], pa.timestamp("us", "UTC")),
    "TIMESTAMP_NTZ": pa.array([dt.datetime(2024, 1, 2, 3, 4, 5, 6), None], pa.timestamp("us")),
    "STRING": pa.array(["x", None], pa.large_string()),
    "BINARY": pa.array([b"\0x", None]),
    "DECIMAL(9,2)": pa.array([Decimal("1.25"), None]).cast(pa.decimal128(9, 2)),
    "ARRAY<BIGINT>": pa.array([[1, None], None]),
    "MAP<STRING, BIGINT>": pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int64())),
    "STRUCT<`x`: BIGINT, `y z`: STRING>": pa.array([{"x": 1, "y z": "q"}, None]),
}


@pytest.mark.parametrize("expected", ARROW)
def test_parquet_types(spark, tmp_path, expected):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"a": ARROW[expected]}), path)
    dataset = describe("x", path)
    assert types(dataset) == [expected]
    agree(spark, dataset)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array(["x", "y"]).dictionary_encode(), "STRING"),
        (pa.array([dt.datetime(2024, 1, 2)], pa.timestamp("ms", "Europe/Berlin")), "TIMESTAMP"),
        (pa.array([dt.datetime(2024, 1, 2)], pa.timestamp("s")), "TIMESTAMP_NTZ"),
        (pa.array([b"ab"], pa.binary(2)), "BINARY"),
        (pa.array([dt.date(2024, 1, 2)], pa.date64()), "DATE"),
    ],
)
def test_parquet_types_that_change_on_the_way(spark, tmp_path, array, expected):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"a": array}), path)
    dataset = describe("x", path)
    assert types(dataset) == [expected]
    agree(spark, dataset)


def test_parquet_with_old_timestamps_holds_instants(spark, tmp_path):
    path = tmp_path / "x.parquet"
    table = pa.table({"a": pa.array([dt.datetime(2024, 1, 2, 3)], pa.timestamp("ns"))})
    pq.write_table(table, path, use_deprecated_int96_timestamps=True)
    dataset = describe("x", path)
    assert types(dataset) == ["TIMESTAMP"]
    agree(spark, dataset)


def test_parquet_columns_that_spark_has_no_type_for(spark, tmp_path):
    """Times and durations come as numbers, what cannot be read is left out, each with a warning."""
    path = tmp_path / "x.parquet"
    columns = {
        "k": pa.array([1]),
        "t": pa.array([dt.time(1)], pa.time64("us")),
        "s": pa.array([dt.time(1)], pa.time32("s")),
        "d": pa.array([dt.timedelta(1)], pa.duration("us")),
        "n": pa.nulls(1),
        "h": pa.array([1], pa.float32()).cast(pa.float16()),
        "w": pa.array([Decimal(1)], pa.decimal256(50, 0)),
    }
    pq.write_table(pa.table(columns), path)
    dataset = describe("x", path)
    rows = [list(row) for row in read(spark, dataset).collect()]
    assert rows == [[1, 3_600_000_000, 3_600_000, 86_400_000_000, None]]
    assert [warning.split()[0] for warning in dataset.warnings] == ["t", "s", "d", "n", "h", "w"]


def test_orc(spark, tmp_path):
    names = ("TINYINT", "BIGINT", "DOUBLE", "BOOLEAN", "DATE", "STRING", "DECIMAL(9,2)")
    columns = {f"c{n}": ARROW[name] for n, name in enumerate(names) if name != "BIGINT"}
    columns |= {
        "c1": pa.array([2**40, None]),
        "t": ARROW["TIMESTAMP_NTZ"],
        "l": pa.array([[1], []]),
    }
    orc.write_table(pa.table(columns), str(tmp_path / "x.orc"))
    dataset = describe("x", tmp_path / "x.orc")
    agree(spark, dataset)
    assert [c.type for c in dataset.columns if c.name in {"t", "l"}] == [
        "TIMESTAMP",
        "ARRAY<BIGINT>",
    ]


@pytest.mark.parametrize("format_", ["csv", "json", "parquet", "orc"])
def test_a_folder_that_spark_wrote(spark, tmp_path, format_):
    frame = spark.range(20).selectExpr(
        "id",
        "concat('a\"b, ', id) AS text",
        "timestamp_seconds(id * 1000000) AS at",
        "cast(date_add(date'2024-01-01', cast(id AS INT)) AS DATE) AS day",
        "id / 3 AS third",
    )
    writer = frame.repartition(3).write.format(format_)
    if format_ == "csv":
        writer = writer.option("header", "true").option("escape", '"')
    writer.save(str(tmp_path / "out"))
    dataset = describe("x", tmp_path / "out")
    agree(spark, dataset)
    assert types(dataset) == ["BIGINT", "STRING", "TIMESTAMP", "DATE", "DOUBLE"]
    assert len(dataset.paths) == 3


@pytest.mark.parametrize(
    "name",
    [
        "airlines.csv",
        "airports.csv",
        "flights.parquet",
        "planes.csv",
        "sales_data.csv",
        "weather.csv.gz",
    ],
)
def test_the_data_of_the_notebooks(spark, name):
    dataset = describe("x", DATA / name)
    if name == "flights.parquet":
        frame = read(spark, dataset)
        assert frame.count() == measure(dataset).rows == 336_776
        assert frame.filter("dep_time IS NULL").count() == measure(dataset).column("dep_time").nulls
    else:
        agree(spark, dataset)
