"""A local file, folder or pattern becomes a Dataset: described once, read the same everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bluebear_magic.context import columnar, csvfile, files, jsonfile
from bluebear_magic.context import texttypes as tt
from bluebear_magic.context.csvfile import Reading
from bluebear_magic.context.files import FileSet
from bluebear_magic.errors import DatasetError
from bluebear_magic.records import Column, Dataset

# Spark's other names for the same options.
_ALIASES = {"delimiter": "sep", "charset": "encoding"}
_KNOWN = {
    "csv": {
        "sep", "header", "quote", "escape", "encoding", "nullValue", "dateFormat",
        "timestampFormat", "ignoreLeadingWhiteSpace",
    },
    "json": {"multiLine"},
    "parquet": set[str](),
    "orc": set[str](),
}  # fmt: skip


def describe(
    name: str, location: str | Path, *, options: Mapping[str, str] | None = None
) -> Dataset:
    """The dataset at ``location``: a file, a folder of part files, a partitioned folder, a glob.

    ``options`` are those of Spark's reader, and ``format``; they win over what is found.
    Spark reads, with the format, options and schema of the Dataset, the values whose
    types were inferred. Raises DatasetError where the data cannot be read as a table.
    """
    given = spelled(options or {})
    found = files.locate(location, format=given.pop("format", None))
    try:
        reading = read(found, given)
    except OSError as error:
        place = error.filename or location
        raise DatasetError(
            f"{place}: {error.strerror or error}", "Check the file and its permissions."
        ) from error
    reading = with_partitions(found, reading)
    return Dataset(
        name=name,
        location=str(location),
        format=found.format,
        paths=tuple(str(file.path) for file in found.files),
        columns=reading.columns,
        fingerprint=found.fingerprint(),
        options=reading.options,
        partition_columns=found.partition_keys,
        base_path=str(found.base_path) if found.base_path else None,
        size_bytes=found.size,
        warnings=(*found.warnings, *reading.warnings),
    )


def fingerprint(location: str | Path, *, options: Mapping[str, str] | None = None) -> str:
    """The fingerprint that ``describe`` would give now, without reading the data."""
    return files.locate(location, format=(options or {}).get("format")).fingerprint()


def spelled(options: Mapping[str, str]) -> dict[str, str]:
    """The options by the names that are used here; Spark has several for some."""
    return {_ALIASES.get(key, key): str(value) for key, value in options.items()}


def check_options(given: Mapping[str, str], format_: str) -> None:
    """Raises DatasetError for an option that the format does not have."""
    for key in given:
        if key not in _KNOWN[format_]:
            known = ", ".join(sorted(_KNOWN[format_])) or "none"
            raise DatasetError(
                f"the option {key!r} is not known for {format_}", f"Options for {format_}: {known}."
            )


def read(found: FileSet, given: Mapping[str, str]) -> Reading:
    """Columns, options and warnings of the files, without those of their folders' names.

    Raises DatasetError and OSError.
    """
    check_options(given, found.format)
    if found.format == "csv":
        return csvfile.describe(found, given)
    if found.format == "json":
        return jsonfile.describe(found, given)
    return columnar.describe(found)


def with_partitions(found: FileSet, reading: Reading) -> Reading:
    """The partition columns, typed, after the others, where Spark puts them."""
    if not found.base_path:
        return reading
    warnings = list(reading.warnings)
    columns = list(reading.columns)
    for index, key in enumerate(found.partition_keys):
        if any(column.name.lower() == key.lower() for column in columns):
            columns = [column for column in columns if column.name.lower() != key.lower()]
            warnings.append(f"{key} is in the files too: its values come from the folders' names")
            if found.format == "csv":
                raise DatasetError(
                    f"{found.root}: {key} is both a column of the files and in the folders' names",
                    "Rename the folders or the column.",
                )
        values = {file.partition[index][1] for file in found.files} - {None}
        kinds = tt.candidates({value for value in values if value is not None})
        plain = [kind for kind in kinds if kind in {tt.BIGINT, tt.DOUBLE, tt.DATE, tt.TIMESTAMP}]
        columns.append(Column(key, plain[0].ddl if plain else "STRING"))
    return replace(reading, columns=tuple(columns), warnings=tuple(warnings))
