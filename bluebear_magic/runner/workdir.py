"""The folder that one Spark works in: its path leaves room for the sockets in it."""

from __future__ import annotations

import contextlib
import tempfile
import uuid
from pathlib import Path

LONGEST_ADDRESS = 103  # bytes of a Unix socket's path on macOS; Linux takes four more
SOCKET = f".{uuid.UUID(int=0)}.sock"  # as PySpark names those that it makes
SHORT = Path("/tmp")  # noqa: S108 - the folder made there is new and the user's alone


def new_workdir() -> Path:
    """A new folder, which only this user may enter, in the system's folder for such.

    Under ``/tmp`` where that one's path is so long that no socket could be made in it; there
    Spark hands over no row. Raises ``OSError`` where no folder can be made.
    """
    folder = Path(tempfile.mkdtemp(prefix="bluebear-"))
    if len(bytes(folder / SOCKET)) <= LONGEST_ADDRESS:
        return folder
    try:
        shorter = Path(tempfile.mkdtemp(prefix="bluebear-", dir=SHORT))
    except OSError:
        return folder
    with contextlib.suppress(OSError):
        folder.rmdir()
    return shorter
