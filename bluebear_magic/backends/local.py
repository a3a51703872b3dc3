"""Local Spark: a warm worker process on this machine, behind the ``Backend`` protocol."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

from bluebear_magic.backends.worker_client import WorkerClient
from bluebear_magic.errors import BackendError
from bluebear_magic.protocols import BackendStatus, Estimate, Reporter
from bluebear_magic.runner.envelope import Job, Outcome

WARM_NEEDS_MB = 6144  # unasked, a worker may not crowd out what the user runs
INSTALL = "pip install 'bluebear-magic[local]'"


class LocalBackend:
    """Runs jobs in one warm worker, started at the first need or by ``warm``."""

    name = "local"
    title = "Local Spark"

    def __init__(self, heap_mb: int = 2048) -> None:
        self._worker = WorkerClient(heap_mb)

    def status(self) -> BackendStatus:
        """``ready`` when the worker's Spark has answered, else ``cold``."""
        problem = unusable()
        if problem:
            return BackendStatus("not configured", f"{problem.message}: {problem.hint}")
        if self._worker.ready:
            return BackendStatus("ready", "warm, on this machine")
        return BackendStatus("cold", "starts on this machine at the first run")

    def estimate(self, job: Job) -> Estimate:
        """Local runs cost nothing; the bytes are not known without opening the files."""
        return Estimate(0, 0.0, f"{len(job.datasets)} local datasets, on this machine")

    def warm(self) -> None:
        """Starts the worker without waiting for it, where there is room for it."""
        if not unusable() and _free_memory_mb() >= WARM_NEEDS_MB:
            self._worker.start()

    def run(self, job: Job, reporter: Reporter) -> Outcome:
        """Runs the job in the worker; see ``Backend.run``."""
        problem = unusable()
        if problem:
            raise problem
        return self._worker.run(job, reporter)

    def close(self) -> None:
        """Ends the worker."""
        self._worker.stop()


def _free_memory_mb() -> float:
    """Memory that can be had without swapping; infinite where the system does not tell."""
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
    except OSError:
        return float("inf")
    found = re.search(r"^MemAvailable:\s+(\d+) kB", text, re.MULTILINE)
    return int(found.group(1)) / 1024 if found else float("inf")


def unusable() -> BackendError | None:
    """Why local Spark cannot run here at all, if so."""
    if sys.platform == "win32":
        return BackendError(
            "local Spark is not supported on Windows",
            "use WSL (Windows Subsystem for Linux); asking with --no-run works without Spark",
        )
    if not importlib.util.find_spec("pyspark"):
        return BackendError("local Spark needs pyspark, which is not installed", INSTALL)
    return None
