"""The kernel's side of the worker: start it, give it a job, cancel it, bury it."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import weakref
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from bluebear_magic.backends.memory import memory_mb, own_mb
from bluebear_magic.errors import BackendError, Cancelled
from bluebear_magic.protocols import Reporter
from bluebear_magic.runner.envelope import Fault, Job, Outcome
from bluebear_magic.runner.execute import timed_out
from bluebear_magic.runner.pipe import Pipe, PipeClosed
from bluebear_magic.runner.workdir import new_workdir
from bluebear_magic.runner.worker import Options

START_SECONDS = 90.0
CANCEL_SECONDS = 5.0  # for the worker to let go of a job, before it is ended itself
GRACE_SECONDS = 5.0  # beyond a job's own limit, which the worker keeps
IDLE_SECONDS = 900.0  # without a job, after which the worker ends; the next job starts another
# The worker sees these and nothing else: no keys, no tokens, no notebook settings.
PASSED_ON = ("PATH", "JAVA_HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


@dataclass(frozen=True)
class WorkerFacts:
    """A running worker: process id, Spark and Java, seconds its start took, whether from an
    archive of classes, the version of Landlock (0: none), and the memory it holds.

    ``memory_mb``: of the worker, its children and its JVM, shared pages counted once;
    None where the system does not tell.
    """

    pid: int
    ready: bool
    spark: str
    java: str
    start_seconds: float | None
    archive: bool
    landlock: int
    memory_mb: float | None


class WorkerClient:
    """One worker process. ``start`` returns at once; ``run`` waits for it to be ready.

    ``heap_mb``: Spark's largest heap; ``archives``: the folder for class-data archives,
    None for none; ``idle_seconds``: without a job, after which it ends by itself;
    ``thorough``: for long runs, see ``runner.worker.Options``.

    Raises ``BackendError`` when the worker cannot start; a worker that dies
    under a job gives a Fault of kind ``crash``, and the next job a new worker.
    """

    def __init__(
        self,
        heap_mb: int,
        *,
        archives: Path | None = None,
        idle_seconds: float = IDLE_SECONDS,
        thorough: bool = False,
    ) -> None:
        self._heap_mb = heap_mb
        self._archives = archives
        self._idle_seconds = idle_seconds
        self._thorough = thorough
        self._lock = threading.Lock()  # around starting and ending
        self._turn = threading.Lock()  # one job at a time
        self._jobs = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Pipe | None = None
        self._inbox: Queue[dict[str, Any] | None] = Queue()
        self._left = threading.Event()  # the worker has said goodbye, or gone without
        self._ready: dict[str, Any] | None = None
        self._workdir: Path | None = None
        self._finalizer: weakref.finalize[..., Any] | None = None

    @property
    def running(self) -> bool:
        """Whether a worker process is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def ready(self) -> bool:
        """Whether its Spark has answered."""
        return self.running and self._ready is not None

    def facts(self) -> WorkerFacts | None:
        """What there is to tell of the worker; None while there is none."""
        process, ready = self._process, self._ready
        if process is None or not self.running:
            return None
        pids = [process.pid, *([ready["jvm"]] if ready else [])]
        return WorkerFacts(
            pid=process.pid,
            ready=ready is not None,
            spark=ready["spark"] if ready else "",
            java=ready["java"] if ready else "",
            start_seconds=ready["ms"] / 1000 if ready else None,
            archive=bool(ready and ready["archive"]),
            landlock=int(ready["landlock"]) if ready else 0,
            memory_mb=memory_mb(pids),
        )

    def memory(self) -> dict[str, float]:
        """What the worker holds once it has tidied up: heap, metaspace, objects, Python (MB)."""
        with self._turn:
            facts = self.facts()
            if facts is None or self._pipe is None or self._process is None:
                return {}
            self._pipe.send({"do": "measure"})
            while (message := self._next(5.0)) is not None and message["is"] != "memory":
                continue
            measured: dict[str, float] = dict(message["memory"]) if message else {}
            python = own_mb(self._process.pid)
            return measured if python is None else {**measured, "python_mb": python}

    def start(self) -> None:
        """Starts a worker unless one is alive; does not wait for its Spark."""
        with self._lock:
            if self.running and not self._left.is_set():
                return
            self._bury()
            ours, theirs = socket.socketpair()
            self._workdir = new_workdir()
            environ = {key: os.environ[key] for key in PASSED_ON if key in os.environ}
            with (self._workdir / "worker.log").open("ab") as log:
                self._process = subprocess.Popen(
                    [
                        sys.executable, "-m", "bluebear_magic.runner.worker",
                        str(theirs.fileno()), json.dumps(asdict(self._options())),
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self._workdir,
                    env={
                        **environ,
                        "TZ": "UTC",
                        "HOME": str(self._workdir),  # where ~/.aws would be
                        "PYTHONPATH": os.pathsep.join(_import_paths()),
                    },
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,  # the terminal's Ctrl-C is the kernel's to handle
                )  # fmt: skip
            theirs.close()
            self._pipe = Pipe(ours)
            self._inbox = Queue()
            self._left = threading.Event()
            self._ready = None
            reader = threading.Thread(
                target=_read,
                args=(self._pipe, self._inbox, self._left),
                name="bluebear-worker",
                daemon=True,
            )
            reader.start()
            self._finalizer = weakref.finalize(self, _end, self._process, ours, self._workdir)

    def _options(self) -> Options:
        return Options(
            str(self._workdir),
            heap_mb=self._heap_mb,
            idle_seconds=self._idle_seconds,
            archives=str(self._archives) if self._archives else None,
            thorough=self._thorough,
        )

    def run(self, job: Job, reporter: Reporter) -> Outcome:
        """Runs one job to its end, its time limit, or an interrupt; others wait their turn."""
        with self._turn:
            number = next(self._jobs)
            try:
                while True:
                    self.start()
                    self._wait_ready(reporter)
                    assert self._pipe is not None
                    self._pipe.send({"do": "run", "id": number, "job": job.to_json()})
                    outcome = self._await_outcome(number, job, reporter)
                    if outcome is not None:
                        return outcome
            except PipeClosed:
                return self._crashed()
            except KeyboardInterrupt:
                reporter.progress("cancelling")
                self._cancel(number)
                raise Cancelled("interrupted; the Spark work was cancelled") from None

    def stop(self) -> None:
        """Ends the worker and removes its folder."""
        with self._lock:
            self._bury()

    def _wait_ready(self, reporter: Reporter) -> None:
        begun = time.monotonic()
        while self._ready is None:
            waited = time.monotonic() - begun
            reporter.progress(f"starting Spark ({waited:.0f} s)")
            try:
                message = self._next(1.0)
            except PipeClosed:
                raise self._not_started() from None
            if message is None:
                if waited > START_SECONDS:
                    self.stop()
                    raise BackendError(
                        f"local Spark did not start within {START_SECONDS:.0f} s",
                        "run the cell again; if it stays so, see that this machine has 2 GB free",
                    )
            elif message["is"] == "broken":
                self.stop()
                raise BackendError("local Spark cannot start: " + message["why"])
            elif message["is"] == "ready":
                self._ready = message

    def _not_started(self) -> BackendError:
        """Why the process ended before its Spark answered, from the end of its log."""
        log = self._workdir / "worker.log" if self._workdir else None
        text = log.read_text(encoding="utf-8", errors="replace") if log and log.exists() else ""
        self.stop()
        said = text.strip().splitlines()
        return BackendError(
            "local Spark cannot start: " + (said[-1] if said else "its process ended at once"),
            "see that `python -c 'import pyspark'` works where the notebook runs",
        )

    def _await_outcome(self, number: int, job: Job, reporter: Reporter) -> Outcome | None:
        """The outcome; None when the worker was just leaving and has not taken the job."""
        begun = time.monotonic()
        what = "running" if job.mode == "full" else "checking"
        while True:
            waited = time.monotonic() - begun
            if waited > 1:
                reporter.progress(f"{what} on local Spark ({waited:.0f} s)")
            message = self._next(1.0)
            if message is not None and message.get("id") == number:
                return _outcome(message)
            if message is not None and message["is"] == "bye":
                return None
            if time.monotonic() - begun > job.limits.seconds + GRACE_SECONDS:
                self._cancel(number)
                return Outcome("fault", fault=timed_out(job.limits.seconds))

    def _next(self, seconds: float) -> dict[str, Any] | None:
        """The next message; None when none came in time. Raises ``PipeClosed``."""
        try:
            message = self._inbox.get(timeout=seconds)
        except Empty:
            return None
        if message is None:
            raise PipeClosed
        return message

    def _cancel(self, number: int) -> None:
        """Asks the worker to let go of a job; ends it when it does not."""
        if not self.ready or self._pipe is None:
            return  # still starting: nothing of ours runs, and the start is not lost
        deadline = time.monotonic() + CANCEL_SECONDS
        with contextlib.suppress(PipeClosed):
            while time.monotonic() < deadline:
                self._pipe.send({"do": "cancel", "id": number})
                message = self._next(1.0)
                if message is not None and message.get("id") == number:
                    return
        self.stop()

    def _crashed(self) -> Outcome:
        process = self._process
        if process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(2)
        code = process.poll() if process else None
        self.stop()
        fault = Fault(
            "worker",
            "crash",
            f"the process that ran the code ended (exit status {code})",
            suggestion="the code used too much memory, or ended the process",
        )
        return Outcome("fault", fault=fault)

    def _bury(self) -> None:
        if self._finalizer is not None:
            self._finalizer()
        self._process = self._pipe = self._ready = self._finalizer = None


def _outcome(message: dict[str, Any]) -> Outcome:
    """What the worker sent; the process that wrote it had run the code, so it is read with care."""
    try:
        return Outcome.from_json(message["outcome"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        fault = Fault("worker", "protocol", f"the outcome cannot be read: {error}")
        return Outcome("fault", fault=fault)


def _read(pipe: Pipe, inbox: Queue[dict[str, Any] | None], left: threading.Event) -> None:
    try:
        while True:
            message = pipe.receive()
            if message.get("is") == "bye":
                left.set()
            inbox.put(message)
    except PipeClosed:
        left.set()
        inbox.put(None)


def _end(process: subprocess.Popen[bytes], sock: socket.socket, workdir: Path) -> None:
    """Closes the pipe, which ends the worker and its JVM; insists after two seconds."""
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    shutil.rmtree(workdir, ignore_errors=True)


def _import_paths() -> list[str]:
    """Where this process finds modules, ours first: the worker must find the same pyspark."""
    ours = str(Path(__file__).resolve().parent.parent.parent)
    return [ours, *(path for path in sys.path if path and Path(path).is_absolute())]
