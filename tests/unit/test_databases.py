"""Tables of DuckDB and SQLite files: read without writing, copied, known again, refused by name."""

from __future__ import annotations

import datetime as dt
import sqlite3
import subprocess
import sys
from contextlib import closing
from decimal import Decimal

import duckdb
import pyarrow.parquet as pq
import pytest

from bluebear_magic.config import Settings
from bluebear_magic.context.catalog import Catalog
from bluebear_magic.context.sources import Place
from bluebear_magic.errors import DatasetError

pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture
def settings():
    return Settings()


@pytest.fixture
def catalog(tmp_path, settings):
    return Catalog(tmp_path, Place(tmp_path, settings))


@pytest.fixture
def duck(tmp_path):
    with duckdb.connect(str(tmp_path / "shop.db")) as connection:
        yield connection


@pytest.fixture
def lite(tmp_path):
    with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as connection:
        yield connection


def types(dataset) -> dict[str, str]:
    return {column.name: column.type for column in dataset.columns}


def rows(dataset) -> list[dict]:
    (path,) = dataset.paths
    return pq.read_table(path).to_pylist()


def refused(catalog, location) -> str:
    with pytest.raises(DatasetError) as caught:
        catalog.add("t", location)
    return f"{caught.value.message}\n{caught.value.hint}"


# --- both -------------------------------------------------------------------


@pytest.mark.parametrize("spelled", ["sqlite:shop.sqlite#sales", "sqlite:///shop.sqlite#SALES"])
def test_locations_count_from_the_notebooks_folder(catalog, lite, tmp_path, spelled):
    lite.execute("CREATE TABLE sales (x INT)")
    lite.commit()
    dataset = catalog.add("t", spelled)
    assert dataset.location.lower() == f"sqlite:{tmp_path}/shop.sqlite#sales"
    assert dataset.warnings == ("a copy of the table sales for Spark: 0 rows",)
    assert catalog.add_path(spelled).name.lower() == "sales"


def test_a_path_with_blanks_marks_and_signs(catalog, tmp_path):
    (tmp_path / "a b").mkdir()
    with closing(sqlite3.connect(tmp_path / "a b" / "50%#1?.db")) as connection:
        connection.execute('CREATE TABLE "my table" (x INT)')
        connection.execute('INSERT INTO "my table" VALUES (7)')
        connection.commit()
    assert rows(catalog.add_path("t=sqlite:a b/50%#1?.db#my table")) == [{"x": 7}]


MISSING = {
    "duckdb:shop.db#slaes": "has no table 'slaes'\nDid you mean sales?",
    "sqlite:shop.sqlite#zzz": "has no table 'zzz'\nThere are orders, sales.",
    "sqlite:shop.sqlite": "names no table\nAdd one after a #, such as sqlite:shop.sqlite#orders",
    "sqlite:shop.sqlit#sales": "shop.sqlit does not exist\nCheck the path; did you mean shop.sqlite?",
    "sqlite:none/shop.db#t": "none/shop.db does not exist\nCheck the path; there is no folder",
    "sqlite:shop.db#sales": "shop.db is no SQLite database\nIf it is one of DuckDB: duckdb:shop.db#",
    "duckdb:shop.sqlite#sales": "no DuckDB database\nIf it is one of SQLite: sqlite:shop.sqlite#",
    "duckdb:notes.txt#t": "notes.txt is no DuckDB database",
    "duckdb:.#t": "Is a directory",
    "sqlite:empty.db#t": "empty.db holds no tables",
    "postgresql://h/db#t": "no source of data knows this kind of place\nthere are: files, frames",
}


@pytest.mark.parametrize("location", MISSING)
def test_what_is_not_there_is_told_with_what_is_near(catalog, tmp_path, location):
    with duckdb.connect(str(tmp_path / "shop.db")) as connection:
        connection.execute("CREATE TABLE sales (x INT)")
    with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as connection:
        connection.executescript("CREATE TABLE sales (x INT); CREATE TABLE orders (x INT)")
    (tmp_path / "notes.txt").write_text("nothing of a database" * 1000)
    (tmp_path / "empty.db").write_bytes(b"")
    assert MISSING[location] in refused(catalog, location)


def test_options_are_refused(catalog, lite):
    with pytest.raises(DatasetError, match="takes no options, and sep was given"):
        catalog.add("t", "sqlite:shop.sqlite#sales", sep=";")


def test_a_table_beyond_the_limit_is_not_read_to_its_end(catalog, duck, lite, settings):
    duck.execute("CREATE TABLE sales AS SELECT range AS x FROM range(5_000_000)")
    duck.close()
    lite.execute("CREATE TABLE sales (x INT)")
    lite.executemany("INSERT INTO sales VALUES (?)", ((n,) for n in range(300_000)))
    lite.commit()
    settings.snapshot_mb = 1
    for location in ("duckdb:shop.db#sales", "sqlite:shop.sqlite#sales"):
        told = refused(catalog, location)
        assert "#sales takes at least 1." in told
        assert "snapshot_mb" in told


# --- DuckDB -----------------------------------------------------------------


def test_types_of_duckdb(catalog, duck):
    duck.execute(
        "CREATE TABLE sales AS SELECT 1::TINYINT AS t, 1::BIGINT AS b, 1::HUGEINT AS h, "
        "1.5::DECIMAL(18,3) AS d, DATE '2024-05-01' AS day, TIMESTAMP '2024-05-01 10:00' AS at, "
        "TIMESTAMPTZ '2024-05-01 10:00:00+02' AS instant, 'a'::ENUM('a','b') AS e, uuid() AS u, "
        "[1, 2] AS l, {'a': 1} AS s, MAP {'a': 1} AS m, 'x'::BLOB AS bytes, TRUE AS yes"
    )
    duck.close()
    dataset = catalog.add("t", "duckdb:shop.db#sales")
    assert types(dataset) == {
        "t": "TINYINT", "b": "BIGINT", "h": "DECIMAL(38,0)", "d": "DECIMAL(18,3)", "day": "DATE",
        "at": "TIMESTAMP_NTZ", "instant": "TIMESTAMP", "e": "STRING", "u": "STRING",
        "l": "ARRAY<INT>", "s": "STRUCT<`a`: INT>", "m": "MAP<STRING, INT>", "bytes": "BINARY",
        "yes": "BOOLEAN",
    }  # fmt: skip
    (row,) = rows(dataset)
    assert (row["d"], row["e"], row["l"], row["m"]) == (Decimal("1.500"), "a", [1, 2], [("a", 1)])
    assert row["instant"].astimezone(dt.timezone.utc).hour == 8


def test_a_column_that_spark_has_not_is_named(catalog, duck):
    duck.execute("CREATE TABLE sales AS SELECT INTERVAL 1 MONTH AS age")
    duck.close()
    assert "Spark cannot read the column 'age'" in refused(catalog, "duckdb:shop.db#sales")


def test_a_database_that_the_notebook_has_open_is_read_and_left_alone(catalog, duck):
    duck.execute("CREATE TABLE sales AS SELECT 1 AS x")
    before = catalog.add("t", "duckdb:shop.db#sales")
    assert catalog.get("t") is before
    duck.execute("INSERT INTO sales VALUES (2)")
    assert rows(catalog.get("t")) == [{"x": 1}, {"x": 2}]
    duck.execute("INSERT INTO sales VALUES (3)")  # the connection still writes
    assert duck.execute("SELECT count(*) FROM sales").fetchone() == (3,)


def test_a_database_that_another_process_writes_is_told(catalog, duck, tmp_path):
    duck.close()
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "shop.db")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as other:  # fmt: skip
        other.stdout.readline()
        told = refused(catalog, "duckdb:shop.db#sales")
        other.communicate(b"\n")
    assert "shop.db is open for writing in another process" in told


def test_views_are_tables_but_read_nothing_else(catalog, duck, tmp_path):
    (tmp_path / "secret.csv").write_text("x\n1\n")
    duck.execute("CREATE SCHEMA eu; CREATE TABLE eu.sales AS SELECT 1 AS x")
    duck.execute("CREATE VIEW doubled AS SELECT 2 * x AS x FROM eu.sales")
    duck.execute(f"CREATE VIEW outside AS SELECT * FROM read_csv('{tmp_path}/secret.csv')")
    duck.close()
    assert rows(catalog.add_path("duckdb:shop.db#eu.sales")) == [{"x": 1}]
    assert rows(catalog.add_path("duckdb:shop.db#doubled")) == [{"x": 2}]
    assert "outside is a view that reads other files" in refused(catalog, "duckdb:shop.db#outside")


# --- SQLite -----------------------------------------------------------------


def test_types_of_sqlite_are_the_declared_ones_where_values_keep_to_them(catalog, lite):
    lite.execute(
        "CREATE TABLE sales (i INTEGER, r REAL, n DECIMAL(10,2), t VARCHAR(9), day DATE, "
        "at DATETIME, zoned TIMESTAMP, yes BOOLEAN, raw BLOB, free, odd INT, late DATE)"
    )
    lite.execute(
        "INSERT INTO sales VALUES (1, 2, 3, 'a', '2024-05-01', '2024-05-01 10:00:00.5', "
        "'2024-05-01T10:00:00+02:00', 1, x'00', 4, 5, 'soon')"
    )
    lite.execute("INSERT INTO sales (i, odd) VALUES (NULL, 'many')")
    lite.commit()
    dataset = catalog.add("t", "sqlite:shop.sqlite#sales")
    assert types(dataset) == {
        "i": "BIGINT", "r": "DOUBLE", "n": "DOUBLE", "t": "STRING", "day": "DATE",
        "at": "TIMESTAMP_NTZ", "zoned": "TIMESTAMP", "yes": "BOOLEAN", "raw": "BINARY",
        "free": "BIGINT", "odd": "STRING", "late": "STRING",
    }  # fmt: skip
    assert dataset.warnings[1:] == (
        "odd is declared INT, but is read as the text that it holds",
        "late is declared DATE, but is read as the text that it holds",
    )
    first, second = rows(dataset)
    assert (first["odd"], second["odd"], second["i"]) == ("5", "many", None)
    assert first["at"] == dt.datetime(2024, 5, 1, 10, 0, 0, 500_000)


def test_a_table_without_rows_has_its_declared_types(catalog, lite):
    lite.execute("CREATE TABLE sales (i INT, r DOUBLE, day DATE, yes BOOL, t TEXT, free)")
    lite.commit()
    kinds = ["BIGINT", "DOUBLE", "DATE", "BOOLEAN", "STRING", "STRING"]
    assert list(types(catalog.add("t", "sqlite:shop.sqlite#sales")).values()) == kinds


def test_values_that_change_their_type_late_are_one_column(catalog, lite):
    lite.execute("CREATE TABLE sales (a, b, c)")
    many = ((n, n, n) for n in range(20_000))
    lite.executemany("INSERT INTO sales VALUES (?, ?, ?)", many)
    lite.execute("INSERT INTO sales VALUES (0.5, 'x', NULL)")
    lite.commit()
    dataset = catalog.add("t", "sqlite:shop.sqlite#sales")
    assert list(types(dataset).values()) == ["DOUBLE", "STRING", "BIGINT"]
    assert rows(dataset)[-1] == {"a": 0.5, "b": "x", "c": None}
    assert rows(dataset)[1] == {"a": 1.0, "b": "1", "c": 1}


def test_only_a_change_of_the_table_is_a_change(catalog, lite):
    lite.execute("CREATE TABLE sales (x INT)")
    lite.commit()
    before = catalog.add("t", "sqlite:shop.sqlite#sales")
    lite.execute("CREATE TABLE other (x INT)")
    lite.commit()
    assert catalog.get("t") is before
    lite.execute("INSERT INTO sales VALUES (1)")
    assert catalog.get("t") is before  # nobody has committed it
    lite.commit()
    assert catalog.get("t").fingerprint != before.fingerprint
    assert rows(catalog.get("t")) == [{"x": 1}]


def test_a_write_ahead_log_is_read_too(catalog, lite):
    lite.execute("PRAGMA journal_mode = WAL")
    lite.execute("CREATE TABLE sales (x INT)")
    lite.commit()
    before = catalog.add("t", "sqlite:shop.sqlite#sales")
    lite.execute("INSERT INTO sales VALUES (1)")
    lite.commit()
    assert rows(catalog.get("t")) == [{"x": 1}]
    assert catalog.get("t").fingerprint != before.fingerprint


def test_a_damaged_database_is_told(catalog, lite, tmp_path):
    lite.execute("CREATE TABLE sales (x TEXT)")
    lite.executemany("INSERT INTO sales VALUES (?)", (("x" * 500,) for _ in range(200)))
    lite.commit()
    file = tmp_path / "shop.sqlite"
    content = bytearray(file.read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    file.write_bytes(content)
    assert "shop.sqlite: sales cannot be read" in refused(catalog, "sqlite:shop.sqlite#sales")
