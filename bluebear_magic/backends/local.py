"""Local Spark: a warm worker process on this machine, behind the ``Backend`` protocol."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from pathlib import Path

from bluebear_magic.backends import memory
from bluebear_magic.backends.worker_client import WorkerClient, WorkerFacts
from bluebear_magic.errors import BackendError
from bluebear_magic.protocols import BackendStatus, Estimate, Reporter
from bluebear_magic.runner.envelope import Job, Outcome

WARM_NEEDS_MB = 6144  # unasked, a worker may not crowd out what the user runs
# Input from which a full run gets a JVM with the optimising compiler, which starts anew. Of
# processor time, 115 MB of CSV took 20 s without it and 11 s with it, a sum over 30 million rows
# 46 s and 15 s; its start costs 10 s more than a warm worker's, which is none.
LONG_BYTES = 200 * 1024 * 1024
LONG_IDLE_SECONDS = 120.0  # it holds memory, and long runs are rare
INSTALL = "pip install 'bluebear-magic[local]'"


class LocalBackend:
    """Runs jobs in one warm worker, started at the first need or by ``warm``.

    Full runs over much data have another one, which is there only for them.
    """

    name = "local"
    title = "Local Spark"

    def __init__(self, heap_mb: int = 2048, archives: Path | None = None) -> None:
        self._heap_mb = heap_mb
        self._worker = WorkerClient(heap_mb, archives=archives)
        self._long = WorkerClient(
            heap_mb, archives=archives, idle_seconds=LONG_IDLE_SECONDS, thorough=True
        )

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
        if not unusable() and memory.free_mb() >= WARM_NEEDS_MB:
            self._worker.start()

    def run(self, job: Job, reporter: Reporter) -> Outcome:
        """Runs the job in the worker; see ``Backend.run``."""
        problem = unusable()
        if problem:
            raise problem
        return (self._long if self._is_long(job) else self._worker).run(job, reporter)

    def _is_long(self, job: Job) -> bool:
        """Whether a job pays for another JVM's start, and there is memory for it."""
        if job.mode != "full" or _input_bytes(job) < LONG_BYTES:
            return False
        return self._long.running or memory.free_mb() >= 2 * self._heap_mb

    def worker(self) -> WorkerFacts | None:
        """What there is to tell of the worker; None while there is none."""
        return self._worker.facts()

    def long_worker(self) -> WorkerFacts | None:
        """The same of the one for long runs."""
        return self._long.facts()

    def memory(self) -> dict[str, float]:
        """What the worker holds once it has tidied up; see ``WorkerClient.memory``."""
        return self._worker.memory()

    def start_worker(self) -> None:
        """Starts the worker, whatever memory is left. Raises ``BackendError``."""
        problem = unusable()
        if problem:
            raise problem
        self._worker.start()

    def close(self) -> None:
        """Ends the workers; the next run starts another."""
        self._worker.stop()
        self._long.stop()


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


def _input_bytes(job: Job) -> int:
    """What lies in the files of a job; those that are gone are the run's to tell of."""
    total = 0
    for binding in job.datasets:
        for path in binding.paths:
            with contextlib.suppress(OSError):
                total += Path(path).stat().st_size
    return total


def told(facts: WorkerFacts | None, long: WorkerFacts | None = None) -> tuple[str, ...]:
    """What there is to tell of a worker, and of the one for long runs, line by line."""
    return (*_told(facts), *_told_long(long))


def _told_long(facts: WorkerFacts | None) -> tuple[str, ...]:
    if facts is None:
        return ()
    held = "" if facts.memory_mb is None else f", holds {facts.memory_mb:.0f} MB"
    return (f"Another one for long runs: process {facts.pid}{held}",)


def _told(facts: WorkerFacts | None) -> tuple[str, ...]:
    if facts is None:
        return ("No worker runs; the next check or run starts one.",)
    if not facts.ready:
        return (f"The worker (process {facts.pid}) is starting.",)
    began = "from its archive of classes" if facts.archive else "without an archive of classes"
    fences = f"Landlock {facts.landlock} and an audit hook" if facts.landlock else "an audit hook"
    lines = [
        f"Spark {facts.spark} on {facts.java}, process {facts.pid}",
        f"started in {facts.start_seconds:.1f} s, {began}",
        f"code runs in a process of its own for each job, behind {fences}",
    ]
    if not facts.landlock:
        lines.append("this system has no Landlock: native code is not fenced in")
    if facts.memory_mb is not None:
        lines.append(f"holds {facts.memory_mb:.0f} MB")
    return tuple(lines)
