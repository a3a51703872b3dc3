"""Where this user's files go, by the platform's own rules (XDG on Linux)."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import shutil
import tempfile
import time
from pathlib import Path

from platformdirs import PlatformDirs

_DIRS = PlatformDirs("bluebear", appauthor=False)
_SPARED = 3600.0  # seconds for which what was used is certain to stay


def cache_folder() -> Path:
    """For what can be made again: samples, profiles, results. Not made here."""
    return _DIRS.user_cache_path


@functools.cache
def writable(name: str) -> Path:
    """A folder of that name in the cache folder; where that cannot be, a temporary one.

    The temporary one is removed when the process ends.
    """
    folder = cache_folder() / name
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        temporary = Path(tempfile.mkdtemp(prefix=f"bluebear-{name}-"))
        atexit.register(shutil.rmtree, temporary, ignore_errors=True)
        return temporary


def data_folder() -> Path:
    """For what is kept: receipts. Not made here."""
    return _DIRS.user_data_path


def state_folder() -> Path:
    """For what this user decided and did here: trusted folders, the audit log. Not made here."""
    return _DIRS.user_state_path


def config_file() -> Path:
    """The user's own settings."""
    return _DIRS.user_config_path / "bluebear.toml"


def prune(folder: Path, days: float) -> None:
    """Removes what lies in ``folder`` and was not changed for so many days."""
    oldest = time.time() - days * 86_400
    with contextlib.suppress(OSError):
        for entry in folder.iterdir():
            with contextlib.suppress(OSError):
                if entry.stat().st_mtime < oldest:
                    shutil.rmtree(entry)


def touch(folder: Path) -> None:
    """Marks a folder of a cache as used now."""
    with contextlib.suppress(OSError):
        os.utime(folder)


def make_room(folder: Path, needed: int, most: int) -> None:
    """Removes the folders in ``folder`` that were used longest ago, until their files and
    ``needed`` are ``most`` bytes at most; never one that was used within the hour.
    """
    found = []
    with contextlib.suppress(OSError):
        for entry in folder.iterdir():
            with contextlib.suppress(OSError):
                size = sum(file.stat().st_size for file in entry.iterdir())
                found.append((entry.stat().st_mtime, size, entry))
    total = needed + sum(size for _, size, _ in found)
    for used, size, entry in sorted(found):
        if total <= most or used > time.time() - _SPARED:
            return
        shutil.rmtree(entry, ignore_errors=True)
        total -= size
