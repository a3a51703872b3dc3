"""Which folders' settings this user has said yes to.

A ``bluebear.toml`` comes with a cloned repository. What in it would allow more than the user's
own settings do counts only after ``bluebear trust``, for that folder and that content: a
changed file is asked about anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bluebear_magic.errors import ConfigError
from bluebear_magic.folders import state_folder

SETTINGS = "bluebear.toml"


@dataclass(frozen=True)
class Trusted:
    """A folder on the list, and whether its settings are still those that were agreed to."""

    folder: Path
    current: bool


class TrustStore:
    """The list, one JSON file of the user's own. Broken or missing, it trusts nothing."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file or state_folder() / "trusted.json"

    def holds(self, folder: Path, content: bytes) -> bool:
        """Whether this user has said yes to this content in this folder."""
        return self._read().get(str(folder.resolve())) == _digest(content)

    def add(self, folder: Path, content: bytes) -> None:
        """Says yes to this content in this folder. Raises ``ConfigError``."""
        self._write({**self._read(), str(folder.resolve()): _digest(content)})

    def remove(self, folder: Path) -> bool:
        """Takes it back; whether the folder was on the list. Raises ``ConfigError``."""
        known = self._read()
        found = known.pop(str(folder.resolve()), None) is not None
        if found:
            self._write(known)
        return found

    def list(self) -> tuple[Trusted, ...]:
        """Every folder on the list."""
        known = sorted(self._read().items())
        return tuple(Trusted(Path(name), _now(Path(name)) == digest) for name, digest in known)

    def _read(self) -> dict[str, str]:
        try:
            known = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(known, dict):
            return {}
        return {name: digest for name, digest in known.items() if isinstance(digest, str)}

    def _write(self, known: dict[str, str]) -> None:
        """Replaces the file in one step, so that no reader ever sees half of it."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor, name = tempfile.mkstemp(dir=self._file.parent)
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                    json.dump(known, stream, indent=1, sort_keys=True)
                Path(name).replace(self._file)
            except OSError:
                with contextlib.suppress(OSError):
                    Path(name).unlink()
                raise
        except OSError as error:
            raise ConfigError(
                f"{self._file} cannot be written: {error.strerror}",
                "trusted folders are kept there; make it writable",
            ) from error


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _now(folder: Path) -> str:
    try:
        return _digest((folder / SETTINGS).read_bytes())
    except OSError:
        return ""
