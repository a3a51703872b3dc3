"""The audit log: one line of JSON for each time a person said yes or no.

It lies in the user's state folder, for the user alone to read, and is only ever added to;
kernels and commands share it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import getpass
import hashlib
import os
from pathlib import Path
from typing import Any, Literal

from bluebear_magic.errors import BluebearError
from bluebear_magic.provenance import journal
from bluebear_magic.records import Finding

NAME = "audit.jsonl"
FORMAT = 1
Purpose = Literal["check", "run"]


class AuditLog:
    """The log in ``folder``; made with the first line."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / NAME

    def note(
        self,
        decision: Literal["approved", "rejected"],
        finding: Finding,
        code: str,
        *,
        policy: str,
        by: str,
        purpose: Purpose = "run",
        notebook: Path | None = None,
    ) -> None:
        """Adds a line. Raises ``BluebearError`` where that cannot be: what leaves no trace
        must not happen.

        ``code``: the whole cell's; its SHA-256 is kept. ``by``: how the person said it.
        ``purpose``: a check writes into a folder that ends with it, a run for good.
        """
        write = finding.write
        entry: dict[str, Any] = {
            "format": FORMAT,
            "time": dt.datetime.now(dt.timezone.utc).isoformat(timespec="milliseconds"),
            "decision": decision,
            "rule": finding.rule,
            "line": finding.line,
            "code": hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest(),
            "target": write.target if write else finding.text,
            "what": write.format if write else "",
            "mode": write.mode if write else "",
            "policy": policy,
            "by": by,
            "for": purpose,
            "notebook": str(notebook) if notebook else None,
            "who": _who(),
        }
        try:
            journal.append(self.file, entry)
        except OSError as error:
            raise BluebearError(
                f"the decision cannot be noted in {self.file}: {error.strerror}; "
                "nothing was written",
                "every approval is kept there: make the file writable",
            ) from error


def _who() -> str:
    """The user as the system knows them: variables of the environment can be set by anyone."""
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        with contextlib.suppress(Exception):
            return getpass.getuser()
        return "unknown"
