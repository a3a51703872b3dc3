"""What a table's definition in the Glue Data Catalog says: format, options, columns, partitions."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bluebear_magic.context import hive_types
from bluebear_magic.context.s3_layout import table_format
from bluebear_magic.context.types import Unreadable
from bluebear_magic.errors import DatasetError
from bluebear_magic.records import Column

_SERDES = {
    "ParquetHiveSerDe": "parquet",
    "OrcSerde": "orc",
    "LazySimpleSerDe": "csv",
    "OpenCSVSerde": "csv",
    "JsonSerDe": "json",
}
_TABLE_FORMATS = {"delta": "Delta", "iceberg": "Iceberg", "hudi": "Hudi"}
_PLAIN_OBJECTS = "Tables of Parquet, ORC, CSV and JSON can be read; write a copy of it as Parquet."


@dataclass(frozen=True)
class Table:
    """A table as it can be read. ``location``: ``s3://bucket/prefix``, no slash at its end.

    ``keys``: the partition columns, the last of ``columns``. ``projected``: which partitions
    there are is computed and not registered.
    """

    location: str
    format: str
    columns: tuple[Column, ...]
    keys: tuple[str, ...]
    options: tuple[tuple[str, str], ...]
    projected: bool
    fingerprint: str
    description: str = ""
    warnings: tuple[str, ...] = ()


def read(place: str, definition: Mapping[str, Any]) -> Table:
    """The table that ``place`` (``glue:database.table``) names.

    Raises DatasetError for a view, a table that does not lie in S3, and one that is no
    plain objects in a known format.
    """
    storage = definition.get("StorageDescriptor") or {}
    parameters = definition.get("Parameters") or {}
    _check_kind(place, definition, storage, parameters)
    serde = storage.get("SerdeInfo") or {}
    format_ = _format(place, storage, serde, parameters)
    keys = definition.get("PartitionKeys") or []
    columns, warnings = _columns(place, format_, storage.get("Columns") or [], keys)
    location = re.sub(r"^s3[an]?://", "s3://", storage["Location"]).rstrip("/")
    _check_template(place, parameters, location, [key["Name"] for key in keys])
    return Table(
        location=location,
        format=format_,
        columns=columns,
        keys=tuple(key["Name"] for key in keys),
        options=_options(place, format_, serde, {**(serde.get("Parameters") or {}), **parameters}),
        projected=str(parameters.get("projection.enabled", "")).lower() == "true",
        fingerprint=_fingerprint(definition),
        description=definition.get("Description") or parameters.get("comment") or "",
        warnings=warnings,
    )


def _fingerprint(definition: Mapping[str, Any]) -> str:
    """By what is read of the definition; that somebody looked at it changes nothing."""
    read = {
        key: definition.get(key)
        for key in ("StorageDescriptor", "PartitionKeys", "Parameters", "TableType")
    }
    text = json.dumps(read, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _check_kind(
    place: str, definition: Mapping[str, Any], storage: Mapping[str, Any], of: Mapping[str, Any]
) -> None:
    told = {
        str(of.get(key, "")).lower()
        for key in ("table_type", "spark.sql.sources.provider", "classification")
    }
    if "Hoodie" in str(storage.get("InputFormat", "")):
        told.add("hudi")
    for word, kind in _TABLE_FORMATS.items():
        if word in told:
            raise table_format(kind, place)
    if definition.get("TableType") == "VIRTUAL_VIEW":
        raise DatasetError(
            f"{place} is a view, in the SQL of the engine that made it: Spark cannot read it",
            "add the tables that it is made of, or write it as a table (CREATE TABLE ... AS)",
        )
    location = str(storage.get("Location") or "")
    if not location:
        raise DatasetError(
            f"{place}: the table has no location in Glue",
            "give it one (aws glue update-table), or add the data: %bluebear data add NAME s3://...",
        )
    if not re.match(r"s3[an]?://", location):
        kind = of.get("classification") or location.partition(":")[0]
        raise DatasetError(
            f"{place} lies in {kind}, not in S3", "export what you need of it to S3, and add that"
        )


def _format(
    place: str, storage: Mapping[str, Any], serde: Mapping[str, Any], of: Mapping[str, Any]
) -> str:
    library = str(serde.get("SerializationLibrary") or "")
    if "SymlinkTextInputFormat" in str(storage.get("InputFormat", "")):
        raise DatasetError(f"{place} is a list of links to files elsewhere", _PLAIN_OBJECTS)
    known = _SERDES.get(library.rpartition(".")[2])
    if known:
        return known
    if library:
        raise DatasetError(f"{place}: its SerDe {library} cannot be read here", _PLAIN_OBJECTS)
    named = str(of.get("spark.sql.sources.provider") or of.get("classification") or "").lower()
    if named in set(_SERDES.values()):
        return named
    raise DatasetError(f"{place}: Glue does not say what format it has", _PLAIN_OBJECTS)


def _columns(
    place: str, format_: str, own: list[Mapping[str, Any]], keys: list[Mapping[str, Any]]
) -> tuple[tuple[Column, ...], tuple[str, ...]]:
    columns, warnings = [], []
    for item in [*own, *keys]:
        written = item.get("Type") or "string"
        try:
            kind = hive_types.ddl(written)
            if format_ == "csv" and "<" in kind:
                raise Unreadable(f"the type {written} from CSV")
        except Unreadable as error:
            if format_ != "csv":
                warnings.append(f"{item['Name']} is left out: Spark cannot read {error}")
                continue
            kind = "STRING"  # it has its place among the fields
            warnings.append(f"{item['Name']} is read as text: Spark cannot read {error}")
        columns.append(Column(item["Name"], kind, (item.get("Comment") or "").strip()))
    if not columns:
        raise DatasetError(
            f"{place}: no column that Spark can read", "; ".join(warnings) or "add columns in Glue"
        )
    return tuple(columns), tuple(warnings)


def _check_template(
    place: str, parameters: Mapping[str, Any], location: str, keys: list[str]
) -> None:
    """Projected partitions whose folders are named otherwise than Spark's reader can tell."""
    template = str(parameters.get("storage.location.template") or "").rstrip("/")
    if not template:
        return
    template = re.sub(r"^s3[an]?://", "s3://", template)
    usual = "/".join([location, *(f"{key}=${{{key}}}" for key in keys)])
    if template.lower() != usual.lower():
        raise DatasetError(
            f"{place}: its partitions are computed, in folders named {template}; Spark can tell "
            "partitions only where folders are named key=value",
            f"add one of the folders: %bluebear data add NAME {location}/...",
        )


# --- text ---------------------------------------------------------------------


def _options(
    place: str, format_: str, serde: Mapping[str, Any], of: Mapping[str, Any]
) -> tuple[tuple[str, str], ...]:
    """The options of Spark's reader that read what the SerDe does."""
    if format_ == "json":
        return (("mode", "FAILFAST"),)
    if format_ != "csv":
        return ()
    if str(serde.get("SerializationLibrary", "")).endswith("OpenCSVSerde"):
        quote, escape = of.get("quoteChar", '"'), of.get("escapeChar", "\\")
        sep = of.get("separatorChar", ",")
    else:
        quote = '"' if str(of.get("areColumnsQuoted", "")).lower() == "true" else ""
        escape = of.get("escape.delim") or '"'
        sep = of.get("field.delim") or of.get("serialization.format") or "\x01"
    sep = "\x01" if sep == "1" else sep  # the number of the character
    lines = str(of.get("skip.header.line.count") or "0")
    if lines not in {"0", "1"}:
        raise DatasetError(
            f"{place}: {lines} lines at the head of each object are to be skipped; "
            "Spark skips at most one",
            _PLAIN_OBJECTS,
        )
    null = of.get("serialization.null.format", "\\N")
    options = {
        "header": str(lines == "1").lower(),
        "sep": sep,
        "quote": quote,
        "escape": escape,
        "encoding": of.get("serialization.encoding") or "UTF-8",
        "mode": "FAILFAST",
        "enforceSchema": "true",
        "nullValue": null,
        "emptyValue": null,
    }
    return tuple(sorted(options.items()))
