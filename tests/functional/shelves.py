"""Where the same table can lie: one kind of place after the other, each with what changes it.

To add a kind: a subclass of ``Shelf``, and a fixture named ``<kind>_shelf`` that
``test_sources.py`` finds by the kind's name in ``KINDS``.
"""

from __future__ import annotations

import sqlite3
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset
import pyarrow.parquet as pq
from pyarrow import orc

from tests.aws.storage import put


class Shelf:
    """A place for one table. ``put`` replaces what lies there."""

    location = ""
    types: dict[str, str] = {}  # noqa: RUF012 - where they are others than those of most kinds
    bare: dict[str, str] | None = {}  # noqa: RUF012 - types of columns without rows; None: no type
    nothing = ""  # a location of this kind where nothing is
    leaves = False  # whether asking for it tells another machine

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.variables: dict[str, object] = {}

    def put(self, table: pa.Table) -> None:
        """Puts the table there."""
        raise NotImplementedError

    def close(self) -> None:
        """Frees what it holds."""


def texts(table: pa.Table) -> pa.Table:
    """Times as text, where a format has no other way."""
    at = table.schema.get_field_index("at")
    spelled = table.column("at").cast(pa.timestamp("s")).cast(pa.string())
    return table.set_column(at, "at", spelled)


class Csv(Shelf):
    """Text: times are instants."""

    types = {"at": "TIMESTAMP"}  # noqa: RUF012
    bare = None
    file = "sales.csv"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.location = str(folder / self.file)
        self.nothing = str(folder / "none.csv")

    def put(self, table):
        pa.csv.write_csv(texts(table), self.folder / self.file)


class JsonLines(Csv):
    file = "sales.jsonl"

    def put(self, table):
        frame = texts(table).to_pandas()
        frame["day"] = frame["day"].astype(str)
        frame.to_json(self.location, orient="records", lines=True)


class Parquet(Shelf):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.location = str(folder / "sales.parquet")
        self.nothing = str(folder / "none.parquet")

    def put(self, table):
        pq.write_table(table, self.location)


class Orc(Parquet):
    types = {"at": "TIMESTAMP"}  # noqa: RUF012

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.location = str(folder / "sales.orc")

    def put(self, table):
        orc.write_table(table, self.location)


class Partitioned(Shelf):
    """A folder for each region; the column comes last."""

    bare = None

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.location = str(folder / "sales")
        self.nothing = str(folder / "none")

    def put(self, table):
        pa.dataset.write_dataset(
            table, self.location, format="parquet", existing_data_behavior="delete_matching",
            partitioning=pa.dataset.partitioning(pa.schema([("region", pa.string())]), flavor="hive"),
        )  # fmt: skip


class Frame(Shelf):
    """A variable of the notebook."""

    location = "frame:sales"
    nothing = "frame:none"

    def make(self, table):
        return table

    def put(self, table):
        self.variables["sales"] = self.make(table)


class Pandas(Frame):
    bare = {"day": "STRING"}  # noqa: RUF012 - Python's own dates are objects

    def make(self, table):
        return table.to_pandas()


class Polars(Frame):
    def make(self, table):
        return pl.from_arrow(table)


class Batch(Frame):
    def make(self, table):
        return pa.RecordBatch.from_pylist(table.to_pylist(), schema=table.schema)


class DuckDb(Shelf):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.location = f"duckdb:{folder / 'shop.db'}#sales"
        self.nothing = f"duckdb:{folder / 'shop.db'}#none"

    def put(self, table):
        with duckdb.connect(str(self.folder / "shop.db")) as connection:
            connection.register("given", table)
            connection.execute("CREATE OR REPLACE TABLE sales AS SELECT * FROM given")


class Sqlite(Shelf):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.location = f"sqlite:{folder / 'shop.sqlite'}#sales"
        self.nothing = f"sqlite:{folder / 'shop.sqlite'}#none"

    def put(self, table):
        plain = texts(table)
        day = plain.schema.get_field_index("day")
        plain = plain.set_column(day, "day", plain.column("day").cast(pa.string()))
        with sqlite3.connect(self.folder / "shop.sqlite") as connection:
            connection.execute("DROP TABLE IF EXISTS sales")
            connection.execute(
                "CREATE TABLE sales (id INTEGER, region TEXT, amount REAL, day DATE, "
                "at DATETIME, paid BOOLEAN, note TEXT)"
            )
            rows = zip(*(column.to_pylist() for column in plain.columns), strict=True)
            connection.executemany("INSERT INTO sales VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        connection.close()


class Quiet(SimpleHTTPRequestHandler):
    """Tells when a file was changed, to the nanosecond; says nothing on the terminal."""

    def end_headers(self) -> None:
        path = Path(self.translate_path(self.path))
        if path.is_file():
            self.send_header("ETag", f'"{path.stat().st_mtime_ns}"')
        super().end_headers()

    def log_message(self, *args: object) -> None:
        pass


class Url(Shelf):
    """A file behind a server on loopback."""

    leaves = True
    inner: type[Shelf] = Csv
    file = "sales.csv"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.shelf = self.inner(folder)
        self.types, self.bare = self.shelf.types, self.shelf.bare
        handler = partial(Quiet, directory=str(folder))
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        serve = partial(self.server.serve_forever, poll_interval=0.01)
        threading.Thread(target=serve, daemon=True).start()
        base = f"http://127.0.0.1:{self.server.server_port}"
        self.location, self.nothing = f"{base}/{self.file}", f"{base}/none.csv"

    def put(self, table):
        self.shelf.put(table)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class UrlParquet(Url):
    inner = Parquet
    file = "sales.parquet"


HERE = {
    "csv": Csv, "json": JsonLines, "parquet": Parquet, "orc": Orc, "partitioned": Partitioned,
    "pandas": Pandas, "polars": Polars, "arrow": Frame, "batch": Batch, "duckdb": DuckDb,
    "sqlite": Sqlite, "url": Url, "url_parquet": UrlParquet,
}  # fmt: skip


class InS3(Shelf):
    """One Parquet object in moto's S3."""

    leaves = True

    def __init__(self, folder: Path, s3) -> None:
        super().__init__(folder)
        self.location, self.nothing = "s3://lake/sales/", "s3://lake/none/"
        self._s3 = s3

    def put(self, table):
        put(self._s3, "sales/part-0.parquet", table)


class InGlue(InS3):
    """The same, as a table of moto's Glue."""

    types = {"at": "TIMESTAMP"}  # noqa: RUF012 - Hive knows no others

    def __init__(self, folder: Path, s3, glue) -> None:
        super().__init__(folder, s3)
        self.location, self.nothing = "glue:shop.sales", "glue:shop.none"
        kinds = {
            "id": "bigint", "region": "string", "amount": "double", "day": "date",
            "at": "timestamp", "paid": "boolean", "note": "string",
        }  # fmt: skip
        serde = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
        described = {
            "Columns": [{"Name": name, "Type": kind} for name, kind in kinds.items()],
            "Location": "s3://lake/sales/",
            "SerdeInfo": {"SerializationLibrary": serde},
        }
        table = {"Name": "sales", "StorageDescriptor": described}
        glue.create_table(DatabaseName="shop", TableInput=table)
