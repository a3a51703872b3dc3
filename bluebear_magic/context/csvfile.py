"""CSV and TSV: how the files are written, and the same said in the options of Spark's reader."""

# ruff: noqa: S608 - the columns are c0, c1, ...; names and values go through duck's quoting

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bluebear_magic.context import csvtypes, duck, headers, normalise, textfile
from bluebear_magic.context import dialect as dialects
from bluebear_magic.context.dialect import Dialect
from bluebear_magic.context.files import DataFile, FileSet
from bluebear_magic.errors import DatasetError
from bluebear_magic.records import Column

WHOLE = 64 * 1024 * 1024  # bytes up to which types are taken from every row
GZ_RATIO = 6  # text usually unpacks to some six times its size
SAMPLE = 24 * 1024 * 1024
SAMPLE_FILES = 9
_HEAD = 256 * 1024
_AT_ONCE = 50  # columns looked at together
GUESSED = (
    "the first line was taken for a header, though it may be a row: the option header=true or "
    "header=false says which, when the file is added"
)


@dataclass(frozen=True)
class CsvShape:
    """How the files are written. ``encoding`` is Python's name; ``header`` the first row, which
    is ``guessed`` to be one where it may be a row of the data too.
    """

    dialect: Dialect
    encoding: str
    header: tuple[str, ...]
    width: int
    guessed: bool = False


@dataclass(frozen=True)
class Reading:
    """What was found: columns with their types, Spark's options, what was assumed."""

    columns: tuple[Column, ...]
    options: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Readable:
    """Files as DuckDB can read them, in the order of the data's files."""

    paths: tuple[Path, ...]
    dialect: Dialect
    facts: tuple[normalise.LineFacts, ...] = ()


def describe(found: FileSet, given: Mapping[str, str]) -> Reading:
    """Columns, options and warnings of CSV files; ``given`` are the user's reader options.

    Raises DatasetError for ragged lines, broken quotes, mixed encodings, differing headers.
    """
    sampled = is_large(found.files, WHOLE)
    shape = _shape(found, given, limit=_HEAD if sampled else None)
    names, warnings = _names(shape)
    with tempfile.TemporaryDirectory(prefix="bluebear-") as folder:
        scratch = Path(folder)
        connection = duck.connect(scratch)
        try:
            files = spread(found.files, SAMPLE_FILES) if sampled else found.files
            source = readable(files, shape, scratch, sample=SAMPLE if sampled else None)
            load(connection, source, shape, files)
            types = csvtypes.infer(connection, names, given)
            multiline = _is_multiline(connection, shape, source)
        finally:
            connection.close()
    columns = tuple(
        Column(name, ddl, guessed=shape.guessed) for name, ddl in zip(names, types.ddl, strict=True)
    )
    warnings += _assumed(found, source, shape, multiline=multiline, sampled=sampled)
    options = _options(shape, types, multiline=multiline)
    return Reading(columns, options, (*warnings, *types.warnings))


def is_large(files: Sequence[DataFile], bound: int) -> bool:
    """Whether the files hold more than about ``bound`` bytes of text."""
    return sum(file.size * (GZ_RATIO if _is_gz(file.path) else 1) for file in files) > bound


def _is_gz(path: Path) -> bool:
    return path.suffix.lower() == ".gz"


def spread(files: Sequence[DataFile], count: int) -> tuple[DataFile, ...]:
    """At most ``count`` of the files, first and last among them."""
    if len(files) <= count:
        return tuple(files)
    return tuple(files[index * (len(files) - 1) // (count - 1)] for index in range(count))


# --- how the files are written ----------------------------------------------


def _shape(found: FileSet, given: Mapping[str, str], *, limit: int | None) -> CsvShape:
    encoding = given.get("encoding") or _encoding(found.files, limit)
    first = found.files[0].path
    data, whole = textfile.head(first, _HEAD)
    text = _decoded(first, data, encoding, whole=whole)
    tabs = first.name.lower().removesuffix(".gz").endswith((".tsv", ".tab"))
    dialect = dialects.detect(text, whole=whole, tabs=tabs, given=given)
    rows = dialects.sample_rows(text, dialect, whole=whole)
    if not rows:
        fault = normalise.find_fault(first, encoding, dialect, 0)
        raise fault or DatasetError(
            f"{first}: the file has no lines with text", "Point to a file with a header or rows."
        )
    width = Counter(map(len, rows)).most_common(1)[0][0]
    if dialect.header and len(rows[0]) != width:  # the one line whose width DuckDB passes over
        raise normalise.find_fault(first, encoding, dialect, width) or DatasetError(
            f"{first}: the header has {len(rows[0])} names for {width} columns",
            "Correct the first line.",
        )
    guessed = dialect.header and "header" not in given and not headers.is_certain(rows)
    shape = CsvShape(dialect, encoding, tuple(rows[0]), width, guessed)
    for file in found.files[1:]:
        _check_same_header(first, file.path, shape)
    return shape


def _encoding(files: Sequence[DataFile], limit: int | None) -> str:
    """The one encoding of all files; those that are plain ASCII agree with any but UTF-16."""
    seen: tuple[str, Path] | None = None
    plain: Path | None = None
    for file in files:
        text = textfile.detect(file.path, limit)
        if text.ascii:
            plain = plain or file.path
            continue
        if seen and seen[0] != text.encoding:
            raise _mixed(seen[1], seen[0], file.path, text.encoding)
        seen = seen or (text.encoding, file.path)
    if seen and plain and seen[0].startswith("utf-16"):
        raise _mixed(plain, "utf-8", seen[1], seen[0])
    return seen[0] if seen else "utf-8"


def _mixed(one: Path, its: str, other: Path, others: str) -> DatasetError:
    return DatasetError(
        f"mixed encodings: {one} is {its}, {other} is {others}", "Save all files as UTF-8."
    )


def _decoded(path: Path, data: bytes, encoding: str, *, whole: bool) -> str:
    name = "utf-8-sig" if encoding == "utf-8" else encoding
    try:
        return data.decode(name, "strict" if whole else "ignore")
    except (UnicodeDecodeError, LookupError) as error:
        raise DatasetError(
            f"{path}: not valid {encoding} text", "Say which encoding it has: encoding=..."
        ) from error


def _check_same_header(first: Path, path: Path, shape: CsvShape) -> None:
    data, whole = textfile.head(path, _HEAD)
    text = _decoded(path, data, shape.encoding, whole=whole)
    rows = dialects.sample_rows(text, shape.dialect, whole=whole)
    cells = tuple(rows[0]) if rows else ()
    if cells == shape.header or (not shape.dialect.header and len(cells) == shape.width):
        return
    if shape.dialect.header:
        strange = [cell for cell in cells if cell not in shape.header] or [
            cell for cell in shape.header if cell not in cells
        ]
        what = f"(column {strange[0]!r})" if strange else "(another order)"
        message = f"{path}: its header differs from that of {first} {what}"
    else:
        message = f"{path}: line 1 has {len(cells)} fields, {first} has {shape.width} columns"
    raise DatasetError(message, "Put files of different tables into different folders.")


def _names(shape: CsvShape) -> tuple[tuple[str, ...], list[str]]:
    """Column names as the data says them, made unique without regard to case."""
    if not shape.dialect.header:
        made = tuple(f"column_{number}" for number in range(1, shape.width + 1))
        return made, [f"no header was found: the columns are named column_1 to {made[-1]}"]
    cells = [cell.strip() if shape.dialect.trim else cell for cell in shape.header]
    taken = {cell.lower() for cell in cells}
    used: set[str] = set()
    names: list[str] = []
    warnings: list[str] = []
    for number, cell in enumerate(cells, start=1):
        name, told = cell, ""
        if not cell.strip():
            name, told = _free(f"column_{number}", used), f"column {number} has no name"
        elif cell.lower() in used:
            name, told = _free(cell, used | taken), f"column {number} repeats the name {cell!r}"
        if told:
            warnings.append(f"{told}: it is called {name}")
        used.add(name.lower())
        names.append(name)
    return tuple(names), warnings


def _free(name: str, used: set[str]) -> str:
    number, free = 2, name
    while free.lower() in used:
        free, number = f"{name}_{number}", number + 1
    return free


# --- reading through DuckDB -------------------------------------------------


def readable(
    files: Sequence[DataFile], shape: CsvShape, scratch: Path, *, sample: int | None
) -> Readable:
    """The files themselves, or copies in ``scratch`` where DuckDB reads unlike Spark.

    ``sample``: only so many bytes in all, taken from head, middle and tail.
    """
    paths = [file.path for file in files]
    if sample is not None:
        spots = not shape.dialect.multiline and not shape.encoding.startswith("utf-16")
        paths = [
            _excerpt(path, scratch / f"excerpt{number}", sample // len(paths), shape, spots=spots)
            for number, path in enumerate(paths)
        ]
    if shape.encoding.startswith("utf-16"):
        facts: list[normalise.LineFacts] = []
    else:
        facts = [normalise.line_facts(path) for path in paths]
    awkward = not facts or any(
        normalise.needs_copy(shape.encoding, shape.dialect, fact, shape.width) for fact in facts
    )
    if awkward:
        targets = [scratch / f"copy{number}.csv" for number in range(len(paths))]
        for path, target in zip(paths, targets, strict=True):
            normalise.copy(path, shape.encoding, shape.dialect, target)
        return Readable(tuple(targets), normalise.plain(shape.dialect), tuple(facts))
    return Readable(tuple(unmagic(paths, scratch)), shape.dialect, tuple(facts))


def _excerpt(path: Path, target: Path, size: int, shape: CsvShape, *, spots: bool) -> Path:
    with target.open("wb") as sink:
        textfile.excerpt(path, sink, size, header=shape.dialect.header, spots=spots)
    return target


def unmagic(paths: Sequence[Path], scratch: Path) -> list[Path]:
    """The paths, by links where DuckDB would take a name for a pattern."""
    safe: list[Path] = []
    for number, path in enumerate(paths):
        if normalise.has_magic(path):
            link = scratch / f"link{number}{''.join(path.suffixes[-2:])}"
            if normalise.has_magic(link):
                link = scratch / f"link{number}{path.suffix}"
            os.symlink(path, link)  # noqa: PTH211 - the same word for readers of both
            path = link  # noqa: PLW2901
        safe.append(path)
    return safe


def load(
    connection: Any,
    source: Readable,
    shape: CsvShape,
    files: Sequence[DataFile],
    nulls: Sequence[str] = ("",),
) -> None:
    """Makes the table ``raw`` with columns c0, c1, ... (text) and ``duck.FILE``.

    Raises DatasetError with file and line where the files break.
    """
    statement = duck.csv_sql(source.paths, source.dialect, shape.width, nulls)
    try:
        connection.execute(f"CREATE TEMP TABLE raw AS SELECT * FROM {statement}")
    except duck.Error as error:
        for file in files:
            fault = normalise.find_fault(file.path, shape.encoding, shape.dialect, shape.width)
            if fault:
                raise fault from error
        reason = str(error).splitlines()[0]
        raise DatasetError(
            f"{files[0].path}: cannot be read as CSV ({reason})",
            "Check delimiter and quotes, or say them: sep=..., quote=...",
        ) from error


def _is_multiline(connection: Any, shape: CsvShape, source: Readable) -> bool:
    """Whether Spark has to read whole files: quoted line ends, UTF-16, rows of tabs alone."""
    if shape.encoding.startswith("utf-16"):
        return True
    if shape.dialect.sep == "\t" and any(fact.tabs for fact in source.facts):
        return True  # Spark drops lines of blanks before it splits them
    for start in range(0, shape.width, _AT_ONCE):
        columns = ", ".join(f"c{i}" for i in range(start, min(start + _AT_ONCE, shape.width)))
        ends = " OR ".join(f"contains(concat({columns}), chr({code}))" for code in (10, 13))
        query = f"SELECT 1 FROM raw WHERE {ends} LIMIT 1"
        if connection.execute(query).fetchone():
            return True
    return False


# --- what Spark is told -----------------------------------------------------


def _assumed(
    found: FileSet, source: Readable, shape: CsvShape, *, multiline: bool, sampled: bool
) -> list[str]:
    warnings: list[str] = [GUESSED] if shape.guessed else []
    if any(fact.blanks or (shape.width == 1 and fact.empty) for fact in source.facts):
        if multiline and any(fact.blanks for fact in source.facts):
            raise DatasetError(
                f"{found.files[0].path}: lines of blanks among records over several lines",
                "Remove the lines that hold only blanks.",
            )
        warnings.append("blank lines are skipped")
    if shape.encoding != "utf-8":
        warnings.append(f"read as {textfile.SPARK_NAMES.get(shape.encoding, shape.encoding)} text")
    if shape.dialect.trim:
        warnings.append("blanks around values are removed")
    if sampled:
        warnings.append(
            f"types were taken from samples, since the data has {found.size / 1e6:,.0f} MB: "
            "a value of another type elsewhere stops the run"
        )
    return warnings


def _options(
    shape: CsvShape, types: csvtypes.Types, *, multiline: bool
) -> tuple[tuple[str, str], ...]:
    dialect = shape.dialect
    options = {
        "header": str(dialect.header).lower(),
        "sep": dialect.sep,
        "quote": dialect.quote,
        "escape": dialect.escape or '"',
        "encoding": textfile.SPARK_NAMES.get(shape.encoding, shape.encoding),
        "mode": "FAILFAST",
        "enforceSchema": "true",
        # An empty field is null, in quotes or not.
        "nullValue": types.null_value,
        "emptyValue": types.null_value,
    }
    if multiline:
        options["multiLine"] = "true"
    if dialect.trim:
        options["ignoreLeadingWhiteSpace"] = options["ignoreTrailingWhiteSpace"] = "true"
    if types.date_pattern:
        options["dateFormat"] = types.date_pattern
    if types.timestamp_pattern:
        options["timestampFormat"] = types.timestamp_pattern
    return tuple(sorted(options.items()))


def shape_of(options: Mapping[str, str], width: int) -> CsvShape:
    """The shape that a dataset's options say; the inverse of what ``describe`` wrote."""
    by_spark = {spark: python for python, spark in textfile.SPARK_NAMES.items()}
    encoding = options.get("encoding", "UTF-8")
    dialect = Dialect(
        sep=options.get("sep", ","),
        quote=options.get("quote", '"'),
        escape=options.get("escape", '"') if options.get("quote", '"') else "",
        header=options.get("header") == "true",
        trim=options.get("ignoreLeadingWhiteSpace") == "true",
        multiline=options.get("multiLine") == "true",
    )
    return CsvShape(dialect, by_spark.get(encoding, encoding), (), width)


def with_newline(shape: CsvShape, path: Path) -> CsvShape:
    """The shape with the line end of a file, which no option says."""
    data, _ = textfile.head(path, _HEAD)
    line_end = dialects.newline(data.decode(shape.encoding, "ignore"))
    return replace(shape, dialect=replace(shape.dialect, newline=line_end))
