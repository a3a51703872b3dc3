"""Excerpts of large text objects in S3, from which their columns and types are told.

A few megabytes of three objects, cut where records end, are read by the code for files.
"""

from __future__ import annotations

import io
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bluebear_magic.context import local
from bluebear_magic.context.csvfile import Reading, spread
from bluebear_magic.context.files import DataFile, FileSet
from bluebear_magic.context.nearby import told_of
from bluebear_magic.context.objects import Objects, S3Object
from bluebear_magic.context.s3_layout import Located
from bluebear_magic.context.sizes import human_size
from bluebear_magic.context.textfile import spread_lines
from bluebear_magic.errors import DatasetError
from bluebear_magic.runner.envelope import Binding
from bluebear_magic.runner.reads import BLOCK, Budget, CountedFile, OverBudget, Quota
from bluebear_magic.runner.sample_text import shape_of, take

OBJECTS = 3
HEAD = 1024 * 1024
SPOTS = 3 * HEAD  # bytes from head, middle and tail together
UNPACKED = 8 * HEAD
DOCUMENT_ROWS = 10_000
_WIDE = (b"\xff\xfe", b"\xfe\xff")


def reading(objects: Objects, located: Located, given: Mapping[str, str]) -> Reading:
    """Columns, options and warnings of text objects, by excerpts of at most three of them.

    Raises DatasetError, whose places are the objects.
    """
    items = _chosen(located.objects)
    before = objects.read
    with tempfile.TemporaryDirectory(prefix="bluebear-") as folder:
        paths = {
            Path(folder, f"{number}{_ending(item, located.format)}"): item
            for number, item in enumerate(items)
        }
        try:
            found = _read(located.format, paths, given)
        except DatasetError as error:
            names = {str(path): item.uri for path, item in paths.items()}
            raise told_of(error, names) from error
        except OverBudget as error:
            raise DatasetError(
                f"{items[0].uri}: no record ends within {human_size(SPOTS)}",
                f"see that it is {located.format}, written one record after the other",
            ) from error
    told = (
        f"columns and types were told from {human_size(objects.read - before)} "
        f"of {human_size(located.size)}, in {len(items)} of {len(located.objects):,} objects: "
        "a value of another type elsewhere stops the run"
    )
    return replace(found, warnings=(*found.warnings, told))


def _chosen(items: Sequence[S3Object]) -> list[S3Object]:
    files = [DataFile(Path(item.uri), index, 0) for index, item in enumerate(items)]
    return [items[file.size] for file in spread(files, OBJECTS)]


def _read(format_: str, paths: Mapping[Path, S3Object], given: Mapping[str, str]) -> Reading:
    for path, item in paths.items():
        _write_head(path, item, document=_is_array(item, format_))
    found = local.read(_set(format_, paths), given)
    options = dict(found.options)
    plain = not any(item.uri.lower().endswith(".gz") for item in paths.values())
    if "multiLine" in options or not plain or options.get("encoding", "").startswith("UTF-16"):
        return found
    for path, item in paths.items():
        budget = Budget(SPOTS + 8 * BLOCK)
        with CountedFile(item.uri, budget) as counted, path.open("wb") as sink:
            spread_lines(io.BufferedReader(counted), item.size, sink, SPOTS)
    return local.read(_set(format_, paths), given)


def _set(format_: str, paths: Mapping[Path, S3Object]) -> FileSet:
    files = tuple(DataFile(path, path.stat().st_size, 0) for path in paths)
    return FileSet(files[0].path.parent, files, format_)


def _ending(item: S3Object, format_: str) -> str:
    """Names tell of tabs."""
    name = item.uri.lower().removesuffix(".gz")
    return ".tsv" if name.endswith((".tsv", ".tab")) else f".{format_}"


def _is_array(item: S3Object, format_: str) -> bool:
    """Whether it is one JSON array."""
    return format_ == "json" and head(item)[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")


def _write_head(path: Path, item: S3Object, *, document: bool) -> None:
    if document:
        binding = Binding("", "json", (item.uri,), "", (("multiLine", "true"),))
        quota = Quota(DOCUMENT_ROWS, 1, Budget(UNPACKED))
        take(item.uri, path, shape_of(binding, 1), quota)
    else:
        path.write_bytes(_whole_records(head(item), whole=item.size <= HEAD))


def head(item: S3Object) -> bytes:
    """The first bytes, unpacked. Raises DatasetError for what is no gzip data."""
    with CountedFile(item.uri, Budget(2 * HEAD)) as counted:
        data = counted.read(HEAD)
    if not item.uri.lower().endswith(".gz"):
        return data
    try:
        return zlib.decompressobj(wbits=31).decompress(data, UNPACKED)
    except zlib.error as error:
        raise DatasetError(
            f"{item.uri}: not valid gzip data ({error})",
            "Remove .gz from the name if the object is not compressed, or make it again.",
        ) from error


def _whole_records(data: bytes, *, whole: bool) -> bytes:
    """Up to a line end that no quote is open at; all where there is none."""
    if whole:
        return data
    if data.startswith(_WIDE):  # two bytes a character
        codec = "utf-16-le" if data.startswith(_WIDE[0]) else "utf-16-be"
        text = data[2:].decode(codec, "ignore")
        return data[:2] + text[: text.rfind("\n") + 1].encode(codec)
    odd = data.count(b'"') % 2
    end = last = data.rfind(b"\n")
    while end >= 0 and odd != data.count(b'"', end) % 2:
        end = data.rfind(b"\n", max(0, last - HEAD // 4), end)
    return data[: (end if end >= 0 else last) + 1] or data
