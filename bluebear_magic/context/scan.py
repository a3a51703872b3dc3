"""A dataset as a DuckDB table, read the way its options tell Spark to read it."""

# ruff: noqa: S608 - the columns are c0, c1, ...; names and values go through duck's quoting

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import orc

from bluebear_magic.context import csvfile, duck, files, nearby, textfile
from bluebear_magic.context import texttypes as tt
from bluebear_magic.context.files import DataFile
from bluebear_magic.context.texttypes import TextType
from bluebear_magic.errors import DatasetError
from bluebear_magic.records import Column, Dataset


@dataclass(frozen=True)
class Scan:
    """``connection`` has a relation ``data`` with columns c0, c1, ... in the dataset's order.

    Instants are UTC's time without a zone. ``sampled``: it holds a part of the rows.
    """

    connection: Any
    columns: tuple[Column, ...]
    sampled: bool = False

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query; DatasetError where the data breaks while it is read."""
        try:
            found: list[tuple[Any, ...]] = self.connection.execute(query).fetchall()
        except duck.Error as error:
            raise DatasetError(
                f"the data cannot be read: {str(error).splitlines()[0]}",
                "The files may have changed or be damaged; copy or write them again.",
            ) from error
        return found


@dataclass(frozen=True)
class _Task:
    """What binding needs: the files to read, where to put copies, how much to read."""

    connection: Any
    dataset: Dataset
    files: tuple[DataFile, ...]
    scratch: Path
    sample: int | None

    @property
    def own(self) -> list[Column]:
        """The columns that the files themselves hold."""
        keys = self.dataset.partition_columns
        return [column for column in self.dataset.columns if column.name not in keys]


@contextmanager
def open_scan(
    dataset: Dataset, *, sample: int | None = None, whole: bool = False
) -> Iterator[Scan]:
    """The dataset as a relation; with ``sample``, only about so many bytes of its files.

    One that lies elsewhere is read as a sample where it is large, unless the ``whole`` is wanted.
    Raises DatasetError where files are missing or broken.
    """
    with tempfile.TemporaryDirectory(prefix="bluebear-") as folder:
        scratch = Path(folder)
        connection = duck.connect(scratch)
        try:
            near, part = nearby.nearby(dataset, whole=whole)
            _bind(connection, near, scratch, sample)
            yield Scan(connection, dataset.columns, sampled=part or sample is not None)
        except duck.Error as error:
            raise DatasetError(
                f"{dataset.location}: cannot be read ({str(error).splitlines()[0]})",
                "The files may have changed or be damaged; copy or write them again.",
            ) from error
        except DatasetError:
            raise
        except OSError as error:
            raise DatasetError(
                f"{error.filename or dataset.location}: {error.strerror or error}",
                "Check the files and their permissions.",
            ) from error
        finally:
            connection.close()


def _bind(connection: Any, dataset: Dataset, scratch: Path, sample: int | None) -> None:
    data = [_data_file(path, dataset) for path in dataset.paths]
    if sample is not None:
        data = list(csvfile.spread(data, csvfile.SAMPLE_FILES))
    task = _Task(connection, dataset, tuple(data), scratch, sample)
    paths, values = _BY_FORMAT[dataset.format](task)
    _finish(task, paths, values)


def _data_file(path: str, dataset: Dataset) -> DataFile:
    info = Path(path).stat()
    partition: tuple[tuple[str, str | None], ...] = ()
    if dataset.base_path:
        partition = files.partition_of(Path(path), Path(dataset.base_path))
    return DataFile(Path(path), info.st_size, info.st_mtime_ns, partition)


def _finish(task: _Task, paths: Sequence[Path], values: Sequence[str]) -> None:
    """The relation ``data``: the files' columns, then those of the folders' names."""
    connection, dataset = task.connection, task.dataset
    keys = dataset.partition_columns
    named = {column.name: value for column, value in zip(task.own, values, strict=True)}
    join = ""
    if keys:
        texts = ", ".join(f"p{index} VARCHAR" for index in range(len(keys)))
        connection.execute(f"CREATE TEMP TABLE parts (path VARCHAR, {texts})")
        rows = [
            [str(path), *(value for _, value in file.partition)]
            for path, file in zip(paths, task.files, strict=True)
        ]
        marks = ", ".join("?" for _ in range(len(keys) + 1))
        connection.executemany(f"INSERT INTO parts VALUES ({marks})", rows)
        join = f"JOIN parts ON parts.path = raw.{duck.FILE}"
        for index, key in enumerate(keys):
            kind = text_type(dataset, next(c for c in dataset.columns if c.name == key))
            named[key] = kind.sql_value(f"parts.p{index}")
    select = ", ".join(f"{named[c.name]} AS c{i}" for i, c in enumerate(dataset.columns))
    connection.execute(f"CREATE TEMP VIEW data AS SELECT {select} FROM raw {join}")


def text_type(dataset: Dataset, column: Column) -> TextType:
    """The spelling in which a text file, or a folder's name, holds a column's values."""
    options = dict(dataset.options)
    of_folder = column.name in dataset.partition_columns
    if column.type == "DATE" and "dateFormat" in options and not of_folder:
        return tt.date_type(options["dateFormat"])
    if column.type == "TIMESTAMP" and "timestampFormat" in options and not of_folder:
        return tt.timestamp_type(options["timestampFormat"])
    known = {kind.ddl: kind for kind in (*tt.PLAIN, tt.STRING)}
    like = _LIKE.get(column.type.partition("(")[0], "")
    return known.get(column.type) or known.get(like, tt.STRING)


# Types that no text file is found to have; a catalog may say them.
_LIKE = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INT"), "BIGINT"),
    **dict.fromkeys(("FLOAT", "DECIMAL"), "DOUBLE"),
    "TIMESTAMP_NTZ": "TIMESTAMP",
}


# --- the files' own columns, by format --------------------------------------

_Bound = tuple[Sequence[Path], Sequence[str]]  # paths as DuckDB names them, value expressions


def _csv(task: _Task) -> _Bound:
    options = dict(task.dataset.options)
    shape = csvfile.shape_of(options, len(task.own))
    shape = csvfile.with_newline(shape, task.files[0].path)
    source = csvfile.readable(task.files, shape, task.scratch, sample=task.sample)
    nulls = sorted({"", options.get("nullValue", "")})
    csvfile.load(task.connection, source, shape, task.files, nulls)
    return source.paths, _text_values(task)


def _text_values(task: _Task) -> list[str]:
    kinds = [text_type(task.dataset, column) for column in task.own]
    return [kind.sql_value(f"raw.c{index}") for index, kind in enumerate(kinds)]


def _json(task: _Task) -> _Bound:
    document = dict(task.dataset.options).get("multiLine") == "true"
    paths = [file.path for file in task.files]
    for number, file in enumerate(task.files):
        target = task.scratch / f"lines{number}.json"
        if task.sample is not None and not document:
            share = task.sample // len(paths)
            with target.open("wb") as sink:
                textfile.excerpt(file.path, sink, share, header=False, spots=True)
        elif textfile.detect(file.path, limit=1024).bom:  # DuckDB takes the mark for a value
            with target.open("wb") as sink:
                sink.writelines(textfile.without_mark(file.path))
        else:
            continue
        paths[number] = target
    paths = csvfile.unmagic(paths, task.scratch)
    names = ", ".join(f"{duck.literal(column.name)}: 'VARCHAR'" for column in task.own)
    layout = "auto" if document else "newline_delimited"
    aliases = ", ".join(f"{duck.identifier(c.name)} AS c{i}" for i, c in enumerate(task.own))
    task.connection.execute(
        f"CREATE TEMP TABLE raw AS SELECT {aliases}, {duck.FILE} FROM read_json("
        f"[{', '.join(duck.literal(str(path)) for path in paths)}], columns={{{names}}}, "
        f"format='{layout}', records=true, filename='{duck.FILE}', "
        f"maximum_object_size={_largest_object(task, document=document)})"
    )
    return paths, _text_values(task)


def _largest_object(task: _Task, *, document: bool) -> int:
    """Bytes of one JSON object at most; DuckDB keeps a buffer of twice that for each thread."""
    usual = 16 * 1024 * 1024
    if not document:
        return usual
    task.connection.execute("SET threads = 1")
    sizes = (
        file.size * (csvfile.GZ_RATIO if file.path.suffix == ".gz" else 1) for file in task.files
    )
    return max(usual, *sizes)


def _parquet(task: _Task) -> _Bound:
    paths = csvfile.unmagic([file.path for file in task.files], task.scratch)
    listed = ", ".join(duck.literal(str(path)) for path in paths)
    task.connection.execute(
        f"CREATE TEMP VIEW raw AS SELECT * FROM read_parquet([{listed}], "
        f"hive_partitioning=false, union_by_name=true, filename='{duck.FILE}')"
    )
    # A catalog may know columns that no file has: Spark reads nulls.
    there = {name.lower() for name, *_ in task.connection.execute("DESCRIBE raw").fetchall()}
    return paths, [
        _arrow_value(f"raw.{duck.identifier(c.name)}", c.type) if c.name.lower() in there else _NONE
        for c in task.own
    ]


def _orc(task: _Task) -> _Bound:
    names = [column.name for column in task.own]
    parts = [_orc_table(file.path, names) for file in task.files]
    task.connection.register("raw", pa.concat_tables(parts, promote_options="default"))
    values = [_arrow_value(f"raw.{duck.identifier(c.name)}", c.type) for c in task.own]
    return [file.path for file in task.files], values


def _orc_table(path: Path, names: Sequence[str]) -> Any:
    """The columns of one file by their names, as Spark finds them: in whatever case, or nulls."""
    file = orc.ORCFile(str(path))
    spelled = {name.lower(): name for name in file.schema.names}
    stored = [spelled[name.lower()] for name in names if name.lower() in spelled]
    table = file.read(columns=stored)
    rows = len(table)
    columns = {
        name: table[spelled[name.lower()]] if name.lower() in spelled else pa.nulls(rows)
        for name in names
    }
    return pa.table({**columns, duck.FILE: pa.array([str(path)] * rows, pa.string())})


_NONE = "NULL::DOUBLE"
_BY_FORMAT = {"csv": _csv, "json": _json, "parquet": _parquet, "orc": _orc}


def _arrow_value(column: str, ddl: str) -> str:
    """Instants as UTC's time, and no finer than Spark's microseconds."""
    if ddl == "TIMESTAMP":
        return f"make_timestamp(epoch_us({column}))"
    return f"{column}::TIMESTAMP" if ddl == "TIMESTAMP_NTZ" else column
