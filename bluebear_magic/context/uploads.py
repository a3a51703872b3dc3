"""A file that a person uploads: into the notebook's ``data`` folder, or nowhere at all.

It is written aside, read as a dataset, and only then given its name; nothing is ever overwritten.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import unicodedata
from pathlib import Path

from bluebear_magic.context import local
from bluebear_magic.context.describe import examples
from bluebear_magic.context.files import FORMATS, READABLE
from bluebear_magic.context.sizes import MB, human_size
from bluebear_magic.errors import DatasetError

FOLDER = "data"
LONGEST = 100  # characters of a name


def safe_name(name: str) -> str:
    """A file's name without folders, signs that mean something elsewhere, or hidden ones.

    Raises DatasetError for an ending that is of no format that can be read.
    """
    bare = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    stem, ending = _split(re.sub(r"[^\w.\- ()]+", "_", bare).strip())
    if ending.lower().removesuffix(".gz").lstrip(".") not in FORMATS:
        shown = bare if len(bare) <= LONGEST else bare[:LONGEST] + "…"
        raise DatasetError(f"{shown}: a file of this kind is not read", f"{READABLE}.")
    kept = stem.lstrip("._ ")[: LONGEST - len(ending)].rstrip() or FOLDER
    return kept + ending


def free_name(folder: Path, name: str) -> str:
    """The name itself, or the next with a number that nothing in ``folder`` has."""
    stem, ending = _split(name)
    number, found = 1, name
    while os.path.lexists(folder / found):
        number += 1
        found = f"{stem}_{number}{ending}"
    return found


def save(folder: Path, name: str, content: bytes | memoryview, limit_mb: float) -> Path:
    """Puts a file into the ``data`` folder below ``folder``; its path.

    ``name`` is made safe. Raises DatasetError for what is too large, cannot be read as a table,
    cannot be written, or would take the name of a file that is there; then nothing is left.
    """
    kept = safe_name(name)
    size = memoryview(content).nbytes
    if size > limit_mb * MB:
        raise DatasetError(
            f"{kept} has {human_size(size)}; an upload may have {limit_mb:g} MB",
            f"Put it into {FOLDER}/ yourself, or raise max_upload_size_mb.",
        )
    target = folder / FOLDER / kept
    made = not target.parent.exists()
    try:
        target.parent.mkdir(exist_ok=True)
        # Hidden: no source finds it, and on the same disk: it is moved, not copied.
        with tempfile.TemporaryDirectory(prefix=".upload-", dir=target.parent) as aside:
            _place(Path(aside) / kept, target, content)
    except OSError as error:
        raise DatasetError(
            f"{kept} cannot be written to {target.parent}: {error.strerror or error}",
            "See that the folder can be written and that the disk has room.",
        ) from error
    finally:
        if made and target.parent.exists() and not any(target.parent.iterdir()):
            target.parent.rmdir()
    return target


def _place(aside: Path, target: Path, content: bytes | memoryview) -> None:
    aside.write_bytes(content)
    _check(aside, target.name)
    try:
        os.link(aside, target)  # unlike a rename, it fails where something is
    except FileExistsError:
        raise _is_there(target) from None
    except OSError:  # a file system without links
        _copy(aside, target)


def _copy(aside: Path, target: Path) -> None:
    try:
        sink = target.open("xb")
    except FileExistsError:
        raise _is_there(target) from None
    try:
        with sink, aside.open("rb") as source:
            shutil.copyfileobj(source, sink)
    except OSError:
        target.unlink(missing_ok=True)
        raise


def _check(aside: Path, name: str) -> None:
    """Whether it is a table: its schema is found and its first rows are read."""
    try:
        examples(local.describe("uploaded", aside))
    except DatasetError as error:
        told = error.message.replace(str(aside), name)
        raise DatasetError(f"{told}; nothing was kept", error.hint) from error


def _is_there(target: Path) -> DatasetError:
    other = free_name(target.parent, target.name)
    return DatasetError(
        f"{FOLDER}/{target.name} is there already; nothing was overwritten",
        f"Take another name, such as {other}.",
    )


def _split(name: str) -> tuple[str, str]:
    """The stem and the ending, ``.csv`` or ``.csv.gz``."""
    packed = ".gz" if name.lower().endswith(".gz") else ""
    rest = name[: len(name) - len(packed)]
    stem, dot, ending = rest.rpartition(".")
    return (stem, f".{ending}{name[len(rest) :]}") if dot else (rest, name[len(rest) :])
