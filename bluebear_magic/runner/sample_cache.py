"""Samples on disk: one folder for each state of a dataset, the older states removed.

A folder is built aside and renamed, so that a half-made one is never read; its file
``_done`` says what it holds, so that a damaged one is told and made again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bluebear_magic.runner.envelope import Binding

VERSION = 2  # of what a sample holds; another one is made anew


@dataclass(frozen=True)
class Entry:
    """A made sample: its folder, its data files, what it is ``of``, bytes ``read`` for it."""

    folder: Path
    files: tuple[str, ...]
    note: str
    read: int


def digest(*parts: object) -> str:
    """A key of 16 characters."""
    return hashlib.sha256(repr((VERSION, *parts)).encode("utf-8", "replace")).hexdigest()[:16]


def content_key(binding: Binding, fingerprint: str) -> str:
    """Names what a binding's paths hold, and how it is read, by the ``fingerprint`` of the data."""
    return digest(
        fingerprint,
        binding.format,
        binding.options,
        binding.schema,
        binding.paths,
        binding.base_path,
    )


def place(cache: Path, binding: Binding, content: str, *variant: object) -> Path:
    """The folder of a sample: dataset, state of its data, and which sample of that it is.

    Files come and go in a folder of parts: a dataset is known by its name and its place.
    """
    paths = binding.paths
    where = binding.base_path or (
        paths[0] if len(paths) == 1 else os.path.commonpath([os.path.dirname(p) for p in paths])  # noqa: PTH120 - texts
    )
    dataset = digest(binding.name, binding.format, where)
    return cache / f"{dataset}-{content}-{digest(*variant)}"


def load(folder: Path) -> Entry | None:
    """The sample in ``folder``; None when there is none, or not all of it."""
    try:
        said: dict[str, Any] = json.loads((folder / "_done").read_text("utf-8"))
        sizes: dict[str, int] = said["files"]
        if any((folder / name).stat().st_size != size for name, size in sizes.items()):
            return None
        files = tuple(str(folder / name) for name in sizes)
        return Entry(folder, files, str(said["note"]), int(said["read"])) if files else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def make(folder: Path, build: Callable[[Path], tuple[str, int]]) -> Entry:
    """Builds a sample aside with ``build``, which returns note and bytes read, and moves it.

    Samples of the dataset's earlier states are removed. Raises OSError when it cannot be.
    """
    cache = folder.parent
    cache.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(dir=cache, prefix="_"))
    try:
        note, read = build(building)
        files = sorted(p for p in building.rglob("*") if p.is_file() and p.name[0] != "_")
        sizes = {str(path.relative_to(building)): path.stat().st_size for path in files}
        said = {"note": note, "read": read, "files": sizes}
        (building / "_done").write_text(json.dumps(said), "utf-8")
        if load(folder) is None:
            _remove(folder)  # a damaged one
            try:
                building.rename(folder)
            except OSError:  # another process made the same sample meanwhile
                if load(folder) is None:
                    raise
    finally:
        shutil.rmtree(building, ignore_errors=True)
    _drop_older(folder)
    made = load(folder)
    if made is None:
        raise FileNotFoundError(f"{folder} was removed while it was made")
    return made


def _drop_older(folder: Path) -> None:
    dataset, content, _ = folder.name.split("-")
    for other in folder.parent.glob(f"{dataset}-*"):
        if other.name.split("-")[1] != content:
            _remove(other)


def _remove(folder: Path) -> None:
    """Out of sight at once, then off the disk; another process may be at the same."""
    aside = folder.with_name(f"_old-{os.getpid()}-{folder.name}")
    try:
        folder.rename(aside)
    except OSError:
        return
    shutil.rmtree(aside, ignore_errors=True)
