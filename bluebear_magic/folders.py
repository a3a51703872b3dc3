"""Where this user's files go, by the platform's own rules (XDG on Linux)."""

from __future__ import annotations

import contextlib
import shutil
import time
from pathlib import Path

from platformdirs import PlatformDirs

_DIRS = PlatformDirs("bluebear", appauthor=False)


def cache_folder() -> Path:
    """For what can be made again: samples, profiles, results. Not made here."""
    return _DIRS.user_cache_path


def data_folder() -> Path:
    """For what is kept: receipts. Not made here."""
    return _DIRS.user_data_path


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
