"""JSON: one object per line, or one document per file; nested types as STRUCT and ARRAY."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bluebear_magic.context import textfile
from bluebear_magic.context import texttypes as tt
from bluebear_magic.context.csvfile import SAMPLE, SAMPLE_FILES, WHOLE, Reading, is_large, spread
from bluebear_magic.context.files import DataFile, FileSet
from bluebear_magic.context.types import quoted
from bluebear_magic.errors import DatasetError
from bluebear_magic.records import Column

MAX_DOCUMENT = 256 * 1024 * 1024
_SAVE_LINES = "Save it as JSON lines: one object per line."


@dataclass
class _Struct:
    fields: dict[str, _Type] = field(default_factory=dict)


@dataclass
class _Array:
    element: _Type = None


_Type = None | str | _Struct | _Array


def describe(found: FileSet, given: Mapping[str, str]) -> Reading:
    """Columns, options and warnings of JSON files; ``given`` are the user's reader options.

    Raises DatasetError with file and line for what is not JSON, for records that are
    no objects, and for keys that differ only in case.
    """
    sampled = is_large(found.files, WHOLE)
    documents = _are_documents(found.files, given)
    schema, warnings = _Struct(), []
    mixed: dict[str, None] = {}
    with tempfile.TemporaryDirectory(prefix="bluebear-") as folder:
        files = spread(found.files, SAMPLE_FILES) if sampled and not documents else found.files
        for file in files:
            if documents:
                records = _document(file)
            else:
                records = _lines(file, Path(folder), SAMPLE // len(files) if sampled else None)
            for place, record in records:
                _add(schema, record, place, "", mixed)
    if sampled and not documents:
        warnings.append(
            f"types were taken from samples, since the data has {found.size / 1e6:,.0f} MB: "
            "a value of another type elsewhere stops the run"
        )
    if not schema.fields:
        raise DatasetError(f"{found.files[0].path}: no object has a key", _SAVE_LINES)
    warnings += [f"{path} holds values of several types: read as text" for path in mixed]
    columns = tuple(Column(name, _ddl(kind)) for name, kind in schema.fields.items())
    options = {"mode": "FAILFAST"} | ({"multiLine": "true"} if documents else {})
    return Reading(columns, tuple(sorted(options.items())), tuple(warnings))


# --- records ----------------------------------------------------------------


def _are_documents(files: Sequence[DataFile], given: Mapping[str, str]) -> bool:
    """Whether each file is one document (an array, or one object over several lines)."""
    if "multiLine" in given:
        return given["multiLine"].lower() == "true"
    kinds = {file.path: _is_document(file.path) for file in files}
    if len(set(kinds.values())) > 1:
        lines = next(path for path, document in kinds.items() if not document)
        document = next(path for path, document in kinds.items() if document)
        raise DatasetError(f"{lines} holds JSON lines, {document} one JSON document", _SAVE_LINES)
    return any(kinds.values())


def _is_document(path: Path) -> bool:
    data, _ = textfile.head(path, 1 << 20)
    _check_text(path, data)
    text = data.decode("utf-8-sig", "ignore").lstrip()
    first, _, rest = text.partition("\n")
    try:
        record = json.loads(first)
    except ValueError:
        # Broken JSON lines begin with a line of their own; a pretty-printed document does not.
        return text.startswith("[") or bool(re.match(r"\{\s*(\n|$)", text))
    return isinstance(record, list) and not rest.strip()


def _check_text(path: Path, data: bytes) -> None:
    encoding = textfile.detect(path, limit=1 << 20)
    if encoding.encoding != "utf-8":
        raise DatasetError(
            f"{path}: JSON has to be UTF-8, this is {encoding.encoding}", "Save it as UTF-8."
        )
    if not data.strip():
        raise DatasetError(f"{path}: the file holds only blanks", _SAVE_LINES)


def _lines(
    file: DataFile, scratch: Path, sample: int | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    path = file.path
    if sample is not None:
        path = scratch / "excerpt"
        with path.open("wb") as sink:
            textfile.excerpt(file.path, sink, sample, header=False, spots=True)
    for number, line in textfile.lines(path):
        if not line.strip():
            continue
        place = f"{file.path}, line {number}" if sample is None else str(file.path)
        try:
            record = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
        except UnicodeDecodeError as error:
            raise DatasetError(f"{place}: not UTF-8 text", "Save the file as UTF-8.") from error
        except (ValueError, RecursionError) as error:
            raise DatasetError(
                f"{place}: not valid JSON ({_reason(error)})", "Correct or remove that line."
            ) from error
        if not isinstance(record, dict):
            raise DatasetError(
                f"{place}: {_called(record)} where an object is expected", _SAVE_LINES
            )
        yield place, record


def _document(file: DataFile) -> Iterator[tuple[str, dict[str, Any]]]:
    data = b"".join(textfile.chunks(file.path, MAX_DOCUMENT + 1))
    if len(data) > MAX_DOCUMENT:
        raise DatasetError(f"{file.path}: a JSON document of over 256 MB", _SAVE_LINES)
    try:
        content = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DatasetError(f"{file.path}: not UTF-8 text", "Save the file as UTF-8.") from error
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            raise DatasetError(
                f"{file.path}, line {error.lineno}: a second JSON document begins here; "
                "Spark would read the first one alone",
                _SAVE_LINES,
            ) from error
        raise DatasetError(
            f"{file.path}, line {error.lineno}: not valid JSON ({_reason(error)})",
            "Correct that place; the file may be cut off.",
        ) from error
    except RecursionError as error:
        raise DatasetError(f"{file.path}: nested too deeply", _SAVE_LINES) from error
    for number, record in enumerate(content if isinstance(content, list) else [content], start=1):
        place = f"{file.path}, element {number}"
        if not isinstance(record, dict):
            raise DatasetError(
                f"{place}: {_called(record)} where an object is expected", _SAVE_LINES
            )
        yield place, record


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg.lower()}, column {error.colno}"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def _called(value: Any) -> str:
    if isinstance(value, list):
        return "an array"
    return "null" if value is None else f"the value {json.dumps(value)[:40]}"


# --- types ------------------------------------------------------------------


def _add(
    schema: _Struct, record: Mapping[str, Any], place: str, above: str, mixed: dict[str, None]
) -> None:
    for name, value in record.items():
        if name not in schema.fields:
            twin = next((known for known in schema.fields if known.lower() == name.lower()), None)
            if twin is not None:
                raise DatasetError(
                    f"{place}: the keys {above}{twin} and {above}{name} differ only in case, "
                    "and Spark takes them for one",
                    "Rename one of them.",
                )
            schema.fields[name] = None
        path = f"{above}{name}"
        schema.fields[name] = _merge(schema.fields[name], value, place, path, mixed)


def _merge(known: _Type, value: Any, place: str, path: str, mixed: dict[str, None]) -> _Type:
    if value is None:
        return known
    if isinstance(value, dict) and isinstance(known, _Struct | None):
        struct = known or _Struct()
        _add(struct, value, place, f"{path}.", mixed)
        return struct
    if isinstance(value, list) and isinstance(known, _Array | None):
        array = known or _Array()
        for item in value:
            array.element = _merge(array.element, item, place, f"{path}[]", mixed)
        return array
    kind = _scalar(value)
    if known is None or known == kind:
        return kind
    wider = _WIDER.get(frozenset({known, kind})) if isinstance(known, str) and kind else None
    if wider is None and not (_is_text(known) and _is_text(kind)):
        mixed[path] = None
    return wider or "STRING"


def _is_text(kind: _Type) -> bool:
    return kind in {"STRING", "DATE", "TIMESTAMP"}


_HUGE = "DECIMAL(38,0)"
_WIDER = {
    frozenset({"BIGINT", "DOUBLE"}): "DOUBLE",
    frozenset({"BIGINT", _HUGE}): _HUGE,
    frozenset({_HUGE, "DOUBLE"}): "DOUBLE",
    frozenset({"DATE", "TIMESTAMP"}): "TIMESTAMP",
}


def _scalar(value: Any) -> str | None:
    """The type of one value; None for an object or array where something else was before."""
    if isinstance(value, bool):
        return "BOOLEAN"
    if isinstance(value, int):
        if -(2**63) <= value < 2**63:
            return "BIGINT"
        return _HUGE if abs(value) < 10**38 else "STRING"
    if isinstance(value, float):
        return "DOUBLE"
    if isinstance(value, str):
        if tt.DATE.matches(value):
            return "DATE"
        return "TIMESTAMP" if tt.TIMESTAMP.matches(value) else "STRING"
    return None


def _ddl(kind: _Type) -> str:
    if isinstance(kind, _Struct):
        inner = ", ".join(f"{quoted(name)}: {_ddl(item)}" for name, item in kind.fields.items())
        return f"STRUCT<{inner}>" if inner else "STRING"
    if isinstance(kind, _Array):
        return f"ARRAY<{_ddl(kind.element)}>"
    return kind or "STRING"
