"""What this machine has checked itself: the only ground for skipping a check."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path

from bluebear_magic.version import __version__

FORMAT = 1


class ReceiptStore:
    """Remembers checks by code, schema and policy together.

    Kept in ``folder``, one small file each; where that cannot be written, for
    this process only.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._memory: dict[str, str] = {}

    def put(self, code: str, schema: str, policy: str, checked: str) -> None:
        """Notes that this code passed its check over these schemas; ``checked`` says on what."""
        key = _key(code, schema, policy)
        self._memory[key] = checked
        entry = {"format": FORMAT, "checked": checked}
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            (self._folder / f"{key}.json").write_text(json.dumps(entry), encoding="utf-8")

    def get(self, code: str, schema: str, policy: str) -> str | None:
        """On what this code was checked here, or None when it was not."""
        key = _key(code, schema, policy)
        if key in self._memory:
            return self._memory[key]
        try:
            entry = json.loads((self._folder / f"{key}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        if not isinstance(entry, dict) or entry.get("format") != FORMAT:
            return None
        return str(entry.get("checked", ""))


def _key(code: str, schema: str, policy: str) -> str:
    """The code itself, byte for byte but for blank lines around it, which cells add and drop."""
    parts = json.dumps([__version__, code.strip("\n"), schema, policy]).encode()
    return hashlib.sha256(parts).hexdigest()
