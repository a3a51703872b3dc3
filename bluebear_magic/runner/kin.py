"""Processes that end when the one that started them does, however that ends."""

from __future__ import annotations

import ctypes
import signal
import sys

_PR_SET_PDEATHSIG = 1
# Looked up here: between fork and exec there is no time for it.
_PRCTL = ctypes.CDLL(None).prctl if sys.platform.startswith("linux") else None


def die_with_parent() -> None:
    """Called in a new process; does nothing where the system cannot do it (Linux can).

    The parent is the thread that forked: it must be one that lives as long as its process.
    """
    if _PRCTL is not None:
        _PRCTL(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
