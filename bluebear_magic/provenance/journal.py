"""Files of JSON lines that are only ever added to, by several kernels and commands at once.

They lie in the user's state folder, for the user alone to read. A line is written in one piece,
under a lock where the file system has locks.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def opened(file: Path) -> Iterator[int]:
    """The file's descriptor, alone with it until the block ends; made where it is not there.

    Raises ``OSError``; for a symbolic link too.
    """
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(file, flags, 0o600)
    try:
        if hasattr(os, "fchmod"):
            os.fchmod(descriptor, 0o600)
        _lock(descriptor)
        yield descriptor
    finally:
        os.close(descriptor)  # the lock ends with it


def add(descriptor: int, entry: Mapping[str, Any]) -> None:
    """Adds a line. A line that a crash left unfinished spoils no other."""
    line = json.dumps(entry).encode("ascii") + b"\n"
    if size := os.lseek(descriptor, 0, os.SEEK_END):
        os.lseek(descriptor, size - 1, os.SEEK_SET)
        if os.read(descriptor, 1) != b"\n":
            line = b"\n" + line
    if os.write(descriptor, line) != len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def append(file: Path, entry: Mapping[str, Any]) -> None:
    """Adds a line to a file. Raises ``OSError``."""
    with opened(file) as descriptor:
        add(descriptor, entry)


def entries(file: Path) -> Iterator[dict[str, Any]]:
    """The lines that are JSON objects; none where there is no file. Raises ``OSError``."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return
    for line in content.splitlines():
        with contextlib.suppress(ValueError, RecursionError):
            entry = json.loads(line)
            if isinstance(entry, dict):
                yield entry


def _lock(descriptor: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        return
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX)
