"""Which objects a location in S3 means: one, a prefix with or without partitions, a pattern.

The same rules as for files (:mod:`bluebear_magic.context.files`), applied to keys.
"""

from __future__ import annotations

import glob
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import PurePosixPath

from bluebear_magic.aws_storage import StorageError
from bluebear_magic.context import files
from bluebear_magic.context.objects import Objects, S3Object, split
from bluebear_magic.errors import DatasetError
from bluebear_magic.runner.reads import folders

MANY = 10_000  # objects of which it is told that they are many
Partition = tuple[tuple[str, str | None], ...]


@dataclass(frozen=True)
class Located:
    """The objects of a dataset, in the order of their keys, all of one ``format``.

    ``base``: the URI that keys are counted from, without a slash at its end. ``partitions``:
    one for each object, empty where there are no key=value folders.
    """

    base: str
    objects: tuple[S3Object, ...]
    partitions: tuple[Partition, ...]
    format: str
    warnings: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes in S3."""
        return sum(item.size for item in self.objects)

    @property
    def uris(self) -> tuple[str, ...]:
        """The objects' URIs."""
        return tuple(item.uri for item in self.objects)

    @property
    def partition_keys(self) -> tuple[str, ...]:
        """The names of the partition columns, outermost first."""
        return tuple(key for key, _ in self.partitions[0])

    @property
    def base_path(self) -> str | None:
        """The base where there are partitions."""
        return self.base if self.partition_keys else None

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over keys, sizes and ETags."""
        digest = hashlib.sha256()
        for item in self.objects:
            text = f"{item.uri}\0{item.size}\0{item.etag}\n"
            digest.update(text.encode("utf-8", "surrogatepass"))
        return digest.hexdigest()


def locate(objects: Objects, location: str, format_: str | None = None) -> Located:
    """The objects that ``location`` means; ``format_`` overrules what names and content say.

    Raises DatasetError where there are none or they are of several formats, StorageError.
    """
    base, found, warnings = _found(objects, location)
    partitions = tuple(_partition(item.uri, base) for item in found)
    for item, partition in zip(found, partitions, strict=True):
        if [key for key, _ in partition] != [key for key, _ in partitions[0]]:
            raise DatasetError(
                f"{item.uri}: its folders name the partition columns {_keys(partition)}, "
                f"those of {found[0].uri} {_keys(partitions[0])}",
                "Keep only objects with the same key=value folders, or point to one of them.",
            )
    located = _of_one_format(objects, Located(base, found, partitions, "", warnings), format_)
    archived = [item for item in located.objects if item.archived]
    if archived:
        raise DatasetError(
            f"{archived[0].uri} is archived and cannot be read"
            + (f", and {len(archived) - 1:,} more" if len(archived) > 1 else ""),
            "restore them first (aws s3api restore-object), or point to other objects",
        )
    if len(located.objects) > MANY:
        told = f"{len(located.objects):,} objects: Spark reads fewer, larger ones much faster"
        located = replace(located, warnings=(*located.warnings, told))
    return located


def _found(objects: Objects, location: str) -> tuple[str, tuple[S3Object, ...], tuple[str, ...]]:
    """The base, the objects that hold data, and what was left out."""
    bucket, key = split(location)
    if not bucket:
        raise DatasetError(f"{location}: no bucket is named", "s3://BUCKET/PREFIX/")
    if key and not key.endswith("/"):
        alone = _alone(objects, location)
        if alone is not None:
            return location.rpartition("/")[0], (alone,), ()
        if glob.has_magic(key):
            return _matching(objects, location)
    base = location.rstrip("/")
    listed = [item for item in objects.under(f"{base}/") if not item.uri.endswith("/")]
    _refuse_tables(base, listed)
    shown = [item for item in listed if not _is_hidden(item.uri, base)]
    if not shown:
        raise _missing(objects, location, hidden=bool(listed))
    return base, *_filled(base, shown)


def _alone(objects: Objects, location: str) -> S3Object | None:
    """The object of exactly this key, when it is named like data or nothing lies below it."""
    data = _named_format(location) or location.lower().endswith((".txt", ".gz"))
    if not data and (glob.has_magic(location) or objects.under(f"{location}/")):
        return None
    try:
        found = objects.head(location)
    except StorageError as error:
        if error.gone:
            return None
        raise
    if found.size == 0:
        raise DatasetError(f"{location}: the object is empty", "Point to one that holds rows.")
    return found


def _matching(objects: Objects, pattern: str) -> tuple[str, tuple[S3Object, ...], tuple[str, ...]]:
    parts = pattern.split("/")
    fixed = next(index for index, part in enumerate(parts) if glob.has_magic(part))
    base = "/".join(parts[:fixed])
    rule = re.compile(_regex(parts[fixed:]), re.DOTALL)
    listed = objects.under(f"{base}/{re.split('[*?[]', parts[fixed])[0]}")
    found = [item for item in listed if rule.fullmatch(item.uri[len(base) + 1 :])]
    shown = [item for item in found if not _is_hidden(item.uri, base)]
    if not shown:
        raise DatasetError(
            f"no object matches {pattern}", f"Check the pattern; {_contents(objects, f'{base}/')}."
        )
    return base, *_filled(base, shown)


def _regex(parts: Sequence[str]) -> str:
    """What a pattern means, and all that lies below what it matches."""
    *above, last = parts
    begin = ["(?:[^/]+/)*" if part == "**" else f"{_segment(part)}/" for part in above]
    return "".join(begin) + (".+" if last == "**" else _segment(last)) + "(?:/.+)?"


def _segment(pattern: str) -> str:
    """A pattern's part between slashes, as a regular expression."""
    pieces = re.split(r"(\*|\?|\[[^\]]+\])", pattern)
    for index in range(1, len(pieces), 2):
        wild = pieces[index]
        inner = wild[1:-1].replace("\\", r"\\")
        inner = "^" + inner[1:] if inner.startswith("!") else inner
        pieces[index] = {"*": "[^/]*", "?": "[^/]"}.get(wild, f"[{inner}]")
    pieces[::2] = map(re.escape, pieces[::2])
    return "".join(pieces)


def _filled(base: str, shown: list[S3Object]) -> tuple[tuple[S3Object, ...], tuple[str, ...]]:
    filled = tuple(item for item in shown if item.size)
    empty = [item.uri.rpartition("/")[2] for item in shown if not item.size]
    if not filled:
        raise DatasetError(f"{base}/ holds only empty objects", f"{files.READABLE}.")
    return filled, (f"empty objects were left out: {files.some(empty)}",) if empty else ()


def _is_hidden(uri: str, base: str) -> bool:
    """Whether Spark skips it: by its own name, or by that of a folder."""
    *above, name = uri[len(base) + 1 :].split("/")
    return files.is_hidden(name) or any(
        part.startswith(".") or (part.startswith("_") and "=" not in part) for part in above
    )


def _refuse_tables(base: str, listed: Sequence[S3Object]) -> None:
    """Tables with a log of their own: their objects alone say nothing of what is valid."""
    for item in listed:
        below = item.uri[len(base) + 1 :]
        if below.startswith("_delta_log/"):
            raise table_format("Delta", f"{base}/")
        if below.startswith(".hoodie/"):
            raise table_format("Hudi", f"{base}/")
        if re.fullmatch(r"metadata/[^/]*\.metadata\.json", below):
            raise table_format("Iceberg", f"{base}/")


def table_format(kind: str, place: str) -> DatasetError:
    """Refuses a table of a format that needs more than Spark itself."""
    named = f"{'an' if kind[0] in 'AEIO' else 'a'} {kind} table"
    return DatasetError(
        f"{place} is {named}, which no backend here can read yet",
        "write what you need of it as Parquet (in Athena: UNLOAD ... TO 's3://...'), and add that",
    )


def _partition(uri: str, base: str) -> Partition:
    return tuple(map(files.pair, folders(uri, base)))


def _keys(partition: Partition) -> str:
    return ", ".join(key for key, _ in partition) or "none"


# --- formats ----------------------------------------------------------------


def _named_format(uri: str) -> str | None:
    ending = uri.rpartition("/")[2].lower().removesuffix(".gz").rpartition(".")
    return files.FORMATS.get(ending[2]) if ending[1] else None


def _of_one_format(objects: Objects, found: Located, forced: str | None) -> Located:
    if forced:
        if forced not in set(files.FORMATS.values()):
            raise DatasetError(f"unknown format {forced!r}", "Use csv, json, parquet or orc.")
        return replace(found, format=forced)
    kinds = [_named_format(item.uri) for item in found.objects]
    known = {kind: item for kind, item in zip(kinds, found.objects, strict=True) if kind}
    if not known:
        return replace(found, format=_by_content(objects, found))
    if len(known) > 1:
        told = ", ".join(f"{kind} ({_name(known[kind])})" for kind in sorted(known))
        raise DatasetError(
            f"{found.base}/ mixes formats: {told}",
            "Point to the objects of one format with a pattern, such as s3://bucket/prefix/*.csv.",
        )
    (only,) = known
    kept = [index for index, kind in enumerate(kinds) if kind]
    others = [_name(found.objects[index]) for index, kind in enumerate(kinds) if not kind]
    warnings = found.warnings
    if others:
        warnings += (f"objects that are not data were left out: {files.some(others)}",)
    return replace(
        found,
        objects=tuple(found.objects[index] for index in kept),
        partitions=tuple(found.partitions[index] for index in kept),
        format=only,
        warnings=warnings,
    )


def _name(item: S3Object) -> str:
    return item.uri.rpartition("/")[2]


def _by_content(objects: Objects, found: Located) -> str:
    """The format by the first bytes of the first object, where no name tells it."""
    first = found.objects[0]
    packed = files.compression(PurePosixPath(first.uri).suffix)
    if packed:
        raise DatasetError(
            f"{first.uri}: {packed} compression cannot be read",
            "Unpack it, or compress with gzip.",
        )
    if len(found.objects) == 1 and re.search(r"\.txt(\.gz)?$", first.uri, re.IGNORECASE):
        return "csv"
    magic = objects.open(first.uri).read(4) or b""
    kind = "parquet" if magic == b"PAR1" else "orc" if magic[:3] == b"ORC" else None
    if kind is None:
        raise DatasetError(
            f"{first.uri}: its name does not tell the format",
            f"{files.READABLE}; say which it is: --format csv (json, parquet, orc).",
        )
    return kind


# --- what is there instead --------------------------------------------------


def _missing(objects: Objects, location: str, *, hidden: bool) -> DatasetError:
    from rapidfuzz import process

    if hidden:
        return DatasetError(
            f"{location} holds only objects that Spark skips: their names begin with _ or .",
            "Rename them.",
        )
    bucket, key = split(location.rstrip("/"))
    parent, _, name = key.rpartition("/")
    folder = f"s3://{bucket}/{parent}/" if parent else f"s3://{bucket}/"
    if not key:
        return DatasetError(f"the bucket {bucket} is empty", "Put data into it.")
    names = [entry for entry in objects.names(folder) if not files.is_hidden(entry)]
    near = [hit for hit, _, _ in process.extract(name, names, limit=3, score_cutoff=65)]
    hint = f"Did you mean {files.alternatives(near)} in {folder}?" if near else ""
    what = "no object has that key, or one below it"
    return DatasetError(f"{location}: {what}", hint or f"{_contents(objects, folder, names)}.")


def _contents(objects: Objects, folder: str, names: list[str] | None = None) -> str:
    if names is None:
        names = [entry for entry in objects.names(folder) if not files.is_hidden(entry)]
    return f"{folder} holds {files.some(names)}" if names else f"{folder} is empty"
