"""Where this user's files go, by the platform's own rules (XDG on Linux)."""

from __future__ import annotations

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
