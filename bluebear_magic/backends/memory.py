"""How much memory there is, and how much processes hold, as Linux tells it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from pathlib import Path


def free_mb() -> float:
    """Memory that can be had without swapping; infinite where the system does not tell."""
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
    except OSError:
        return float("inf")
    found = re.search(r"^MemAvailable:\s+(\d+) kB", text, re.MULTILINE)
    return int(found.group(1)) / 1024 if found else float("inf")


def own_mb(pid: int) -> float | None:
    """What one process holds by itself; None where the system does not tell."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return None
    found = re.search(r"^RssAnon:\s+(\d+) kB", text, re.MULTILINE)
    return int(found.group(1)) / 1024 if found else None


def memory_mb(pids: Iterable[int]) -> float | None:
    """What these processes and those below them hold, each shared page counted once."""
    total = 0.0
    for pid in _with_children(pids):
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        except FileNotFoundError:
            if not Path("/proc/self").exists():
                return None
            continue  # it has just ended
        except OSError:
            continue
        found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
        total += int(found.group(1)) / 1024 if found else 0.0
    return total


def _with_children(pids: Iterable[int]) -> set[int]:
    found: set[int] = set()
    waiting = list(pids)
    while waiting:
        pid = waiting.pop()
        if pid in found:
            continue
        found.add(pid)
        with contextlib.suppress(OSError):  # it has just ended
            for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
                waiting += map(int, tasks.read_text(encoding="ascii").split())
    return found
