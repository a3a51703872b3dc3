"""The worker process: a warm Spark behind a pipe, so that the notebook outlives the code.

Started as ``python -m bluebear_magic.runner.worker FD OPTIONS`` (JSON of ``Options``); speaks
frames of :mod:`bluebear_magic.runner.pipe`:

- in: ``{"do": "run", "id", "job"}``, ``{"do": "cancel", "id"}``, ``{"do": "measure"}``;
- out: ``{"is": "ready" | "broken" | "outcome" | "memory" | "bye", ...}``; an outcome carries
  its job's ``id``; see ``WarmSession.memory``.

The worker itself runs no code of a job: a child of it does, see
:mod:`bluebear_magic.runner.nursery`. It ends when the pipe closes, when its JVM ends, and
after ``idle_seconds`` without a job.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluebear_magic.runner import class_data, jvm, warmup
from bluebear_magic.runner.envelope import PROTOCOL, Binding, Fault, Job, Mode, Outcome
from bluebear_magic.runner.execute import execute, timed_out
from bluebear_magic.runner.faults import fault_of
from bluebear_magic.runner.nursery import Child, fork
from bluebear_magic.runner.pipe import Pipe, PipeClosed
from bluebear_magic.runner.sandbox import Fence, confine, landlock_version
from bluebear_magic.runner.session import WarmSession, forget_gateway, remove

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LET_GO_SECONDS = 0.5  # for code that is stopped, to say where it was
LOG_BYTES = 1 << 20
GIVE_UP_SECONDS = 5.0  # for what is left of a worker that nobody waits for
REST_SECONDS = 3.0  # without a job, before the heap gives back what checks have left there
QUIET_SECONDS = 10.0  # without a job, before the archive is made in the background
# Ends of a JVM that broke in itself.
BREAKS = (-signal.SIGSEGV, -signal.SIGBUS, -signal.SIGABRT, -signal.SIGILL)
NOTHING: tuple[Mode, tuple[Binding, ...]] = ("sample", ())


@dataclass(frozen=True)
class Options:
    """``heap_mb``: the JVM's largest heap; ``udf_memory_mb``: of one Python function.

    ``archives``: the folder for class-data archives, None for a plain start. ``thorough``: a
    JVM for long runs, which is not warmed up for checks.
    """

    workdir: str
    heap_mb: int = 2048
    udf_memory_mb: int = 2048
    idle_seconds: float = 900.0
    archives: str | None = None
    thorough: bool = False


class Worker:
    """Takes jobs one at a time, each in a child of its own."""

    def __init__(self, pipe: Pipe, options: Options) -> None:
        self._pipe = pipe
        self._options = options
        self._workdir = Path(options.workdir)
        self._waiting: deque[dict[str, Any]] = deque()
        self._cancelled: set[int] = set()
        self._spare: Child | None = None
        self._count = 0
        self._jvm: subprocess.Popen[bytes] | None = None
        self._maker: subprocess.Popen[bytes] | None = None
        self._bound = NOTHING  # what the spare child's session can read

    def serve(self) -> None:
        """Runs until the pipe closes or there is nothing to do any more."""
        begun = time.perf_counter()
        try:
            with self._watched_pipe():
                self._session = self._start()
        except jvm.JavaProblem as problem:
            self._pipe.send({"is": "broken", "why": str(problem)})
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, the notebook must learn of it
            self._pipe.send({"is": "broken", "why": f"{type(error).__name__}: {error}"})
            return
        self._prepare()
        started = round((time.perf_counter() - begun) * 1000)
        with contextlib.suppress(PipeClosed):
            self._pipe.send({"is": "ready", "protocol": PROTOCOL, "ms": started, **self._facts()})
            try:
                if not self._options.thorough:
                    self._warm_up()
                self._work()
            except Exception as error:
                if not self._lost_jvm(error):
                    raise
            self._blame_archive()
            self._pipe.send({"is": "bye"})

    def _start(self) -> WarmSession:
        """Spark, from the archive of its classes where there is one that works."""
        archive = self._archive()
        if archive is not None and class_data.usable(archive):
            try:
                return self._session_with(archive)
            except Exception:  # noqa: BLE001 - a damaged archive shows itself in many ways
                class_data.discard(archive)  # the plain start shows whatever else is wrong
                self._end_jvm()
                forget_gateway()
        return self._session_with(None)

    def _blame_archive(self) -> None:
        """A JVM that broke in itself may have read damaged classes: the next one reads others."""
        broken = self._session.gateway.process.poll() in BREAKS
        if broken and self._session.archive is not None:
            class_data.discard(self._session.archive)

    def _session_with(self, archive: Path | None) -> WarmSession:
        return WarmSession(
            self._workdir,
            heap_mb=self._options.heap_mb,
            udf_memory_mb=self._options.udf_memory_mb,
            archive=archive,
            thorough=self._options.thorough,
            started=self._remember,
        )

    def _archive(self) -> Path | None:
        """Where the archive for this Java and Spark would lie; None when none is wanted."""
        import pyspark

        if self._options.archives is None:
            return None
        home = Path(pyspark.__file__).parent
        return class_data.archive_path(Path(self._options.archives), jvm.find_java(), home)

    def _facts(self) -> dict[str, Any]:
        """What there is to tell of this worker."""
        session = self._session
        return {
            "spark": session.version,
            "java": f"Java {session.java.major} ({session.java.source})",
            "jvm": session.gateway.process.pid,
            "archive": session.archive is not None,
            "landlock": landlock_version(),
        }

    def _warm_up(self) -> None:
        """Loads what checks need while nobody waits."""
        steps = warmup.steps(self._session.fresh())
        while not self._waiting and self._session.alive:
            self._listen(0.05)
            if self._waiting or next(steps, None) is None:
                return

    def end(self) -> None:
        """Ends the JVM and the child, removes the folder."""
        if self._maker is not None and self._maker.poll() is None:
            os.killpg(self._maker.pid, signal.SIGKILL)
            self._maker.wait()
        if self._spare is not None:
            self._spare.kill()
        self._end_jvm()
        shutil.rmtree(self._workdir, ignore_errors=True)

    def _give_up(self) -> None:
        """Ends this process while another of its threads is starting Spark.

        What that thread may still write, a process of its own removes after it.
        """
        worker = os.getpid()
        self._end_jvm()
        if os.fork() == 0:
            deadline = time.monotonic() + GIVE_UP_SECONDS
            while os.getppid() == worker or self._workdir.exists():
                shutil.rmtree(self._workdir, ignore_errors=True)
                if time.monotonic() > deadline:
                    break
                time.sleep(0.01)
        os._exit(0)

    def _end_jvm(self) -> None:
        if self._jvm is not None:
            self._jvm.kill()
            self._jvm.wait()

    def _remember(self, process: subprocess.Popen[bytes]) -> None:
        self._jvm = process

    @contextlib.contextmanager
    def _watched_pipe(self) -> Any:
        """While Spark starts nobody reads the pipe; its end must be noticed all the same."""
        done = threading.Event()

        def watch() -> None:
            with selectors.DefaultSelector() as selector:
                selector.register(self._pipe, selectors.EVENT_READ)
                while not done.is_set():
                    if selector.select(0.05) and self._pipe.ended():
                        self._give_up()
                    done.wait(0.05)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()

    # --- jobs ----------------------------------------------------------------

    def _work(self) -> None:
        idle, rested = time.monotonic(), False
        while self._session.alive and time.monotonic() - idle < self._options.idle_seconds:
            if not self._waiting:
                self._listen(min(1.0, self._options.idle_seconds))
                if time.monotonic() - idle > REST_SECONDS and not rested:
                    self._session.rest()
                    rested = True
                if time.monotonic() - idle > QUIET_SECONDS:
                    self._make_archive()
                continue
            message = self._waiting.popleft()
            number = message["id"]
            outcome = self._run(number, message["job"])
            self._pipe.send({"is": "outcome", "id": number, "outcome": outcome})
            if not self._session.alive:
                return
            self._tidy()
            self._prepare()
            self._bind_ahead()
            idle, rested = time.monotonic(), False

    def _listen(self, seconds: float, child: Child | None = None) -> bool:
        """Waits for a message, at most so long; whether the child has said or done something."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._pipe, selectors.EVENT_READ)
            if child is not None:
                selector.register(child.pipe, selectors.EVENT_READ)
            ready = {key.fileobj for key, _ in selector.select(max(0.0, seconds))}
        if self._pipe in ready:
            while (message := self._pipe.arrived()) is not None:
                if message.get("do") == "run":
                    self._waiting.append(message)
                elif message.get("do") == "measure":
                    self._pipe.send({"is": "memory", "memory": self._session.memory()})
                elif message.get("do") == "cancel":
                    self._cancelled.add(int(message.get("id", -1)))
        return child is not None and child.pipe in ready

    def _run(self, number: int, text: str) -> str:
        """The outcome of one job as JSON, as its child wrote it, or as its end has it."""
        if number in self._cancelled:
            return _cancelled()
        try:
            job = Job.from_json(text)
        except (ValueError, TypeError, KeyError) as error:
            return Outcome("fault", fault=Fault("start", "protocol", str(error))).to_json()
        begun = time.perf_counter()
        child = self._spare or self._prepare()
        try:
            if (job.mode, job.datasets) != self._bound:
                ahead, self._bound = self._bound, NOTHING
                self._session.unbind(child.spark, ahead[1])
                self._session.bind(child.spark, job.mode, job.datasets)
        except Exception as error:  # noqa: BLE001 - data that Spark refuses is a Fault
            if self._lost_jvm(error):
                return self._crashed("")
            fault = fault_of(error, stage="bind", cell=job.cell, code="")
            return Outcome("fault", fault=fault).to_json()
        self._bound = (job.mode, job.datasets)
        child.admit(job)
        spent = {"bind": round((time.perf_counter() - begun) * 1000, 2)}
        with contextlib.suppress(PipeClosed):  # it has died: told below
            child.pipe.send(
                {"job": text, "spent": spent, "version": self._session.version,
                 "scratch": str(child.scratch)}
            )  # fmt: skip
        return self._awaited(number, job, child)

    def _awaited(self, number: int, job: Job, child: Child) -> str:
        deadline = time.monotonic() + job.limits.seconds
        stopping = False
        while True:
            said = self._listen(min(0.5, deadline - time.monotonic()), child)
            if number in self._cancelled:
                return _cancelled()
            if said:
                try:
                    message = child.pipe.arrived()
                except PipeClosed:
                    return self._crashed(self._last_words(child))
                if message is not None and isinstance(message.get("outcome"), str):
                    return self._believed(child.judged(message["outcome"]))
            if not self._session.alive:
                return self._crashed("")
            if time.monotonic() > deadline:
                if stopping:
                    return Outcome("fault", fault=timed_out(job.limits.seconds)).to_json()
                stopping = True
                deadline = time.monotonic() + LET_GO_SECONDS
                child.interrupt()
                self._session.cancel()

    def _believed(self, outcome: str) -> str:
        """An outcome as the child tells it; of a JVM that has just died it knows little."""
        if '"Py4J' in outcome or '"ConnectionRefusedError"' in outcome:
            return self._crashed("") if self._lost_jvm(ConnectionRefusedError()) else outcome
        return outcome

    def _lost_jvm(self, error: Exception) -> bool:
        """Whether ``error`` comes of a JVM that has ended; one that breaks takes a while to."""
        from py4j.protocol import Py4JNetworkError

        if isinstance(error, Py4JNetworkError | OSError):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._session.gateway.process.wait(1.0)
        return not self._session.alive

    def _last_words(self, child: Child) -> str:
        deadline = time.monotonic() + 1.0
        while not child.reap() and time.monotonic() < deadline:
            time.sleep(0.01)
        return child.how_it_ended()

    def _crashed(self, how: str) -> str:
        """The Outcome of a job whose process, or whose JVM, is gone."""
        status = self._session.gateway.process.poll()
        if status is None:
            fault = Fault(
                "worker",
                "crash",
                f"the process that ran the code {how}",
                suggestion="the code ended its process, or broke it in native code",
            )
        elif status in jvm.OUT_OF_MEMORY:
            fault = Fault(
                "worker",
                "memory",
                f"Spark ran out of its {self._options.heap_mb} MB of memory",
                suggestion="filter or aggregate before what needs all rows at once, "
                "or give Spark more: the setting heap_mb",
            )
        else:
            how = f"signal {-status}" if status < 0 else f"exit status {status}"
            fault = Fault(
                "worker",
                "crash",
                f"Spark's Java process ended while the code ran ({how})",
                suggestion="run it again: Spark starts anew by itself",
            )
        return Outcome("fault", fault=fault, spark_version=self._session.version).to_json()

    def _make_archive(self) -> None:
        """Lets a process of the lowest priority make the archive for the next start, once."""
        archive = self._archive() if self._maker is None else None
        if archive is None or archive.exists():
            return
        self._maker = subprocess.Popen(
            [sys.executable, "-m", class_data.__name__, str(archive.parent)],
            stdin=subprocess.DEVNULL,
            cwd=self._workdir,
            start_new_session=True,
            preexec_fn=lambda: os.nice(19),  # noqa: PLW1509 - one thread, and before it exec
        )

    # --- between jobs ----------------------------------------------------------

    def _prepare(self) -> Child:
        """A child that waits for the next job."""
        self._count += 1
        scratch = self._workdir / f"job-{self._count}"
        self._spare = fork(self._session.fresh(), scratch, _in_child)
        return self._spare

    def _bind_ahead(self) -> None:
        """Gives the next job's session what the last job read: most often it reads the same.

        Only data with fingerprints: they tell whether it is still the same.
        """
        mode, datasets = self._bound
        self._bound = NOTHING
        if self._spare is None or mode == "full" or not all(d.fingerprint for d in datasets):
            return
        try:
            self._session.bind(self._spare.spark, mode, datasets)
            self._bound = (mode, datasets)
        except Exception:  # noqa: BLE001 - what is wrong is told to the job that asks for it
            self._spare.kill()
            self._spare = None

    def _tidy(self) -> None:
        """Nothing of a job stays: its process, its files, its objects in the JVM."""
        if self._spare is not None:
            self._spare.kill()
            self._spare = None
        self._session.scrub()
        for log in ("worker.log", "jvm.log"):
            with contextlib.suppress(OSError):
                if (self._workdir / log).stat().st_size > LOG_BYTES:
                    os.truncate(self._workdir / log, 0)
        for entry in self._workdir.glob("job-*"):
            remove(entry)


def _in_child(spark: SparkSession, job: Job, message: dict[str, Any]) -> Outcome:
    """What a child does with its job: behind the fence, and only what was given to it."""
    writable = [message["scratch"]]
    if job.result_dir:  # made here, so that it alone is opened and not what lies beside it
        Path(job.result_dir).mkdir(parents=True, exist_ok=True)
        writable.append(job.result_dir)
    sockets = (str(Path(message["scratch"]).parent),)  # over which Spark hands rows to Python
    fence = Fence(write=tuple(writable), sockets=sockets, memory_mb=job.limits.memory_mb)
    confine(fence)
    return execute(spark, job, message["version"], message["spent"])


def _cancelled() -> str:
    fault = Fault("run", "cancelled", "the run was cancelled")
    return Outcome("cancelled", fault=fault).to_json()


def main(arguments: list[str]) -> None:
    """Entry point; the arguments are the pipe's descriptor and the options as JSON."""
    descriptor, options = int(arguments[0]), Options(**json.loads(arguments[1]))
    os.set_inheritable(descriptor, False)  # the JVM and UDF workers have no business with it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    time.tzset()
    worker = Worker(Pipe(socket.socket(fileno=descriptor)), options)
    try:
        worker.serve()
    finally:
        worker.end()


if __name__ == "__main__":
    main(sys.argv[1:])
