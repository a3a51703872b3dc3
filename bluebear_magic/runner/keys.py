"""Values of a key column, in one spelling whatever the format, and the rows that have them."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from bluebear_magic.runner.ddl import columns
from bluebear_magic.runner.envelope import Binding
from bluebear_magic.runner.reads import folders
from bluebear_magic.runner.sample_records import BOM
from bluebear_magic.runner.sample_text import TextShape, Window, byte_order, shape_of, with_newline

_WHOLE_NUMBERS = {"TINYINT", "SMALLINT", "INT", "INTEGER", "BIGINT", "LONG", "SHORT", "BYTE"}
LIMIT = 4 * 1024 * 1024  # bytes of one sample file that are searched for keys


class NoKey(ValueError):
    """The column cannot serve as a key here: it is missing, or nested."""


def spelled(value: Any) -> str | None:
    """A value as text, the same for equal values of different types; None for none."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float | Decimal):
        return str(int(value)) if math.isfinite(value) and value == int(value) else str(value)
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None).isoformat(" ")
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, dict | list | tuple):
        raise NoKey("nested values are no keys")
    return str(value)


@dataclass(frozen=True)
class Key:
    """A column of a dataset. Raises NoKey when used where there is none."""

    binding: Binding
    column: str

    @cached_property
    def index(self) -> int:
        """Where the column is among those of the schema."""
        names = [name.lower() for name, _ in columns(self.binding.schema)]
        if self.column.lower() not in names:
            raise NoKey(f"{self.binding.name} has no column {self.column}")
        return names.index(self.column.lower())

    @cached_property
    def name(self) -> str:
        """The column as the schema spells it."""
        return columns(self.binding.schema)[self.index][0]

    @cached_property
    def whole_number(self) -> bool:
        """Whether texts such as 007 mean a number."""
        kind = columns(self.binding.schema)[self.index][1]
        return bool(kind) and kind.split()[0].upper() in _WHOLE_NUMBERS

    def of_path(self, path: str) -> str | None:
        """The value that the folders of a file tell; None where they do not."""
        for folder in folders(path, self.binding.base_path):
            name, mark, value = folder.partition("=")
            if mark and name.lower() == self.column.lower():
                return unquote(value)
        return None

    @cached_property
    def shape(self) -> TextShape:
        """How the records of a text dataset are written."""
        told = sum("=" in part for part in folders(self.binding.paths[0], self.binding.base_path))
        return shape_of(self.binding, max(1, len(columns(self.binding.schema)) - told))

    @cached_property
    def _options(self) -> dict[str, str]:
        return {key.lower(): value for key, value in self.binding.options}

    @cached_property
    def _encoding(self) -> str:
        return "utf-8" if self.shape.codec else self._options.get("encoding", "utf-8")

    def of_record(self, record: bytes) -> str | None:
        """The value in a raw record of CSV or JSON; None where it cannot be told."""
        text = record.removeprefix(BOM).decode(self._encoding, "replace")
        if self.binding.format == "json":
            return self._of_object(text)
        options = self._options
        sep = options.get("sep", ",")
        mark = options.get("quote", '"').strip("\0")
        fields: list[str]
        if not mark or mark not in text or len(sep) > 1:
            fields = text.rstrip("\r\n").split(sep)
        else:
            escape = options.get("escape", "\\")
            pair = escape in {mark, ""}
            rows = csv.reader(
                text.splitlines(keepends=True),
                delimiter=sep,
                quotechar=mark,
                doublequote=pair,
                escapechar=None if pair else escape,
                skipinitialspace=self.shape.grammar.trim,
            )
            try:
                fields = next(rows, [])
            except csv.Error:
                return None
        return self._tidy(fields[self.index]) if self.index < len(fields) else None

    def _of_object(self, text: str) -> str | None:
        try:
            found = json.loads(text)
        except ValueError:
            return None
        if not isinstance(found, dict):
            return None
        return spelled(found.get(self.name))

    def _tidy(self, text: str) -> str | None:
        if not text or text == self._options.get("nullvalue"):
            return None
        if self.shape.grammar.trim or self.whole_number:
            text = text.strip()
        if self.whole_number:
            try:
                return str(int(text))
            except ValueError:
                return None
        return text


def values(key: Key) -> frozenset[str]:
    """The distinct values in a sample or a small dataset. Raises NoKey, OSError, ValueError."""
    if key.binding.fingerprint:
        return _remembered(key)
    return _values(key)


@lru_cache(maxsize=64)  # what a fingerprint names does not change
def _remembered(key: Key) -> frozenset[str]:
    return _values(key)


def _values(key: Key) -> frozenset[str]:
    _ = key.index
    found: set[str | None] = set()
    for path in key.binding.paths:
        told = key.of_path(path)
        if told is not None:
            found.add(told)
        elif key.binding.format in {"parquet", "orc"}:
            found.update(map(spelled, _columnar(key, path)))
        else:
            found.update(_textual(key, path))
    return frozenset(value for value in found if value is not None)


def stored_name(key: Key, names: list[str]) -> str:
    """The column's name as a file spells it. Raises NoKey."""
    for name in names:
        if name.lower() == key.column.lower():
            return name
    raise NoKey(f"no column {key.column} in the files of {key.binding.name}")


def _columnar(key: Key, path: str) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyarrow import orc

    file = pq.ParquetFile(path) if key.binding.format == "parquet" else orc.ORCFile(path)
    schema = file.schema_arrow if key.binding.format == "parquet" else file.schema
    name = stored_name(key, schema.names)
    if pa.types.is_nested(schema.field(name).type):
        raise NoKey(f"{name} is nested")
    return file.read(columns=[name])[name].unique().to_pylist()


def _textual(key: Key, path: str) -> Iterator[str | None]:
    shape = key.shape
    if shape.json and shape.multiline:
        yield from _of_document(key, path)
        return
    packed = path.lower().endswith(".gz")
    with gzip.open(path) if packed else Path(path).open("rb") as stream:
        window = Window(stream, LIMIT, byte_order(stream, shape.codec))
        while window.grow(LIMIT):
            pass
    grammar = with_newline(shape.grammar, window.data)
    skip = shape.header
    for begin, end in grammar.records(window.data, 0, final=window.final):
        record = window.data[begin:end]
        if not record.strip():
            continue
        if not skip:
            yield key.of_record(record)
        skip = False


def _of_document(key: Key, path: str) -> Iterator[str | None]:
    document = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    for item in document if isinstance(document, list) else [document]:
        if isinstance(item, dict):
            yield spelled(item.get(key.name))
