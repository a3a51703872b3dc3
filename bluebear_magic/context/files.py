"""Which files a location means: one file, a folder of parts, a partitioned folder, a glob."""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

from bluebear_magic.errors import DatasetError

FORMATS = {
    "csv": "csv", "tsv": "csv", "tab": "csv", "psv": "csv",
    "json": "json", "jsonl": "json", "ndjson": "json",
    "parquet": "parquet", "pq": "parquet", "parq": "parquet",
    "orc": "orc",
}  # fmt: skip
NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
READABLE = "CSV, TSV, JSON lines (also .gz), Parquet and ORC can be read"
_COMPRESSED = {
    ".bz2": "bzip2", ".zip": "zip", ".xz": "xz",
    ".zst": "Zstandard", ".lz4": "LZ4", ".snappy": "Snappy",
}  # fmt: skip


@dataclass(frozen=True)
class DataFile:
    """One file: absolute path, size in bytes, and its partition values by key (None: null)."""

    path: Path
    size: int
    mtime_ns: int
    partition: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True)
class FileSet:
    """The files of a dataset, in the order of their names; all of one ``format``.

    ``root``: what paths are shown relative to; ``base_path``: the folder that the partition
    keys are counted from, None where there are none.
    """

    root: Path
    files: tuple[DataFile, ...]
    format: str
    base_path: Path | None = None
    warnings: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(file.size for file in self.files)

    @property
    def partition_keys(self) -> tuple[str, ...]:
        """The names of the partition columns, outermost first."""
        return tuple(key for key, _ in self.files[0].partition)

    def fingerprint(self) -> str:
        """SHA-256 over relative paths, sizes and times of change."""
        digest = hashlib.sha256()
        for file in self.files:
            relative = os.path.relpath(file.path, self.root)
            digest.update(f"{relative}\0{file.size}\0{file.mtime_ns}\n".encode("utf-8", "replace"))
        return digest.hexdigest()


def locate(location: str | Path, *, format: str | None = None) -> FileSet:  # noqa: A002 - Spark's word
    """The files that ``location`` means; ``format`` overrules what names and content say.

    Raises DatasetError when there are none, when they are of several formats, or when
    they cannot be read.
    """
    try:
        return _locate(str(location), format)
    except OSError as error:
        place = error.filename or location
        reason = error.strerror or str(error)
        raise DatasetError(f"{place}: {reason}", "Check the path and its permissions.") from error


def _locate(text: str, format_: str | None) -> FileSet:
    path = Path(os.path.abspath(os.path.expanduser(text)))  # noqa: PTH100, PTH111 - keeps symlinks
    if path.is_dir():
        found = _with_partitions(path, _walk(path), of=f"folder {path}")
    elif path.exists():
        found = _single(path)
    elif glob.has_magic(text):
        found = _glob(path)
    else:
        raise _missing(path)
    for file in found.files:
        if ":" in os.path.relpath(file.path, found.root):
            raise DatasetError(
                f"{file.path}: Spark cannot read a file whose name has a colon in it",
                "Rename the file.",
            )
    return _of_one_format(found, format_)


def is_hidden(name: str) -> bool:
    """Whether Spark skips files of that name."""
    return name.startswith(("_", "."))


def _single(path: Path) -> FileSet:
    if is_hidden(path.name):
        raise DatasetError(
            f"{path}: Spark skips files whose names begin with _ or .", "Rename the file."
        )
    file = _file(path)
    if file.size == 0:
        raise DatasetError(f"{path}: the file is empty", "Point to a file with a header or rows.")
    return FileSet(path.parent, (file,), "")


def _file(path: Path) -> DataFile:
    with path.open("rb"):  # a file that cannot be opened is told here, by its name
        info = path.stat()
    return DataFile(path, info.st_size, info.st_mtime_ns)


def _walk(folder: Path) -> list[Path]:
    """All visible files below, sorted; a folder reached twice over links is read once."""
    found: list[Path] = []
    seen: set[str] = set()

    def fail(error: OSError) -> None:
        raise error

    for place, folders, names in os.walk(folder, followlinks=True, onerror=fail):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and (name[0] != "_" or "=" in name)
        )
        found += [Path(place, name) for name in names if not is_hidden(name)]
    return sorted(found)


def _glob(pattern: Path) -> FileSet:
    parts = pattern.parts
    fixed = next(index for index, part in enumerate(parts) if glob.has_magic(part))
    root = Path(*parts[:fixed])
    files: list[Path] = []
    for match in sorted(glob.glob(str(pattern), recursive=True)):  # noqa: PTH207 - absolute
        path = Path(match)
        if path.is_dir():
            files += _walk(path)
        elif not is_hidden(path.name):
            files.append(path)
    if not files:
        near = "" if root.is_dir() else f" (there is no folder {root})"
        raise DatasetError(
            f"no file matches {pattern}{near}", f"Check the pattern; {_contents(root)}."
        )
    return _with_partitions(root, sorted(set(files)), of=f"pattern {pattern}")


def _with_partitions(root: Path, paths: list[Path], *, of: str) -> FileSet:
    files: list[DataFile] = []
    empty: list[str] = []
    for path in paths:
        file = replace(_file(path), partition=partition_of(path, root))
        if file.size:
            files.append(file)
        else:
            empty.append(path.name)
    if not files:
        what = "holds only empty files" if empty else "holds no data files"
        raise DatasetError(f"the {of} {what}", f"{READABLE}.")
    keys = [key for key, _ in files[0].partition]
    for file in files:
        if [key for key, _ in file.partition] != keys:
            raise DatasetError(
                f"{file.path}: its folders name the partition columns "
                f"{_names(key for key, _ in file.partition)}, "
                f"those of {files[0].path} {_names(keys)}",
                "Keep only files with the same key=value folders, or point to one of them.",
            )
    warnings = (f"empty files were left out: {some(empty)}",) if empty else ()
    return FileSet(root, tuple(files), "", root if keys else None, warnings)


def partition_of(path: Path, root: Path) -> tuple[tuple[str, str | None], ...]:
    """The key=value folders between ``root`` and the file."""
    return tuple(pair(part) for part in path.relative_to(root).parts[:-1] if "=" in part)


def pair(part: str) -> tuple[str, str | None]:
    """Key and value of a key=value folder, as they were before they were escaped."""
    key, _, value = part.partition("=")
    return unquote(key), None if value == NULL_PARTITION else unquote(value)


def _of_one_format(found: FileSet, forced: str | None) -> FileSet:
    if forced:
        if forced not in set(FORMATS.values()):
            raise DatasetError(f"unknown format {forced!r}", "Use csv, json, parquet or orc.")
        return replace(found, format=forced)
    alone = len(found.files) == 1
    kinds = {file: _format(file.path, alone=alone) for file in found.files}
    known = {kind: file for file, kind in reversed(kinds.items()) if kind}
    if not known:
        raise _unreadable(found)
    if len(known) > 1:
        told = ", ".join(f"{kind} ({known[kind].path.name})" for kind in sorted(known))
        raise DatasetError(
            f"{found.root} mixes formats: {told}",
            "Point to the files of one format with a pattern, such as folder/*.csv.",
        )
    (only,) = known
    others = [file.path.name for file, kind in kinds.items() if not kind]
    warnings = found.warnings
    if others:
        warnings += (f"files that are not data were left out: {some(others)}",)
    files = tuple(file for file in found.files if kinds[file])
    return replace(found, files=files, format=only, warnings=warnings)


def _format(path: Path, *, alone: bool) -> str | None:
    """The format by name, else by the first bytes; None when neither tells."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    named = FORMATS.get(suffixes[-1][1:]) if suffixes else None
    if named is None and alone and suffixes and suffixes[-1] == ".txt":
        named = "csv"
    with path.open("rb") as stream:
        magic = stream.read(4)
    actual = {b"PAR1": "parquet", b"ORC": "orc"}.get(magic if magic == b"PAR1" else magic[:3])
    if named in {"csv", "json"} and actual:
        raise DatasetError(
            f"{path}: named like {named}, but it is a {actual.upper()} file",
            f"Rename it to end in .{actual}, or add it with format={actual}.",
        )
    return named or actual


def compression(suffix: str) -> str | None:
    """The name of a compression that cannot be read, by the ending of a file."""
    return _COMPRESSED.get(suffix.lower())


def _unreadable(found: FileSet) -> DatasetError:
    first = found.files[0].path
    packed = compression(first.suffix)
    if packed:
        return DatasetError(
            f"{first}: {packed} compression cannot be read", "Unpack it, or compress with gzip."
        )
    if len(found.files) > 1:
        names = [file.path.name for file in found.files]
        return DatasetError(f"{found.root} holds nothing readable: {some(names)}", f"{READABLE}.")
    ending = f"the ending {first.suffix!r}" if first.suffix else "a name without an ending"
    return DatasetError(
        f"{first}: {ending} does not tell the format",
        f"{READABLE}; rename the file, or say format=csv (json, parquet, orc).",
    )


def _missing(path: Path) -> DatasetError:
    from rapidfuzz import process

    parent = path.parent
    while not parent.is_dir() and parent != parent.parent:
        path, parent = parent, parent.parent
    names = sorted(entry.name for entry in parent.iterdir() if not entry.name.startswith("."))
    stems = {name: _stem(name) for name in names}  # endings alone make no names alike
    alike = process.extract(_stem(path.name), stems, limit=3, score_cutoff=65)
    near = [name for _, _, name in alike]
    hint = f"Did you mean {alternatives(near)} in {parent}?" if near else f"{_contents(parent)}."
    return DatasetError(f"{path} does not exist", hint[0].upper() + hint[1:])


def _stem(name: str) -> str:
    """A file's name without the endings of its format, as far as it has a name of its own."""
    path = Path(name.lower().removesuffix(".gz"))
    return path.stem if path.suffix[1:] in FORMATS else path.name


def _contents(folder: Path) -> str:
    if not folder.is_dir():
        return f"{folder} does not exist"
    names = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    return f"{folder} holds {some(names)}" if names else f"{folder} is empty"


def some(names: list[str]) -> str:
    """The first few of them, and how many more there are."""
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


def _names(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def alternatives(names: list[str]) -> str:
    """``a, b or c``."""
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " or " + names[-1]
