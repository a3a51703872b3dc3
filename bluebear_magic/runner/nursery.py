"""Children of the worker: one process for each job, forked from one that has Spark at hand.

A job's Python ends with its process: no variable, no changed module, no open file and no
lost memory is left for the next one, and what kills it kills nothing else. The next child is
made ready while nobody waits, so that a job pays for none of this.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import shutil
import signal
import socket
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluebear_magic.runner import gate_client
from bluebear_magic.runner.envelope import Fault, Job, Outcome
from bluebear_magic.runner.gate import Gate, Grant
from bluebear_magic.runner.gate_rules import OPAQUE
from bluebear_magic.runner.gate_wire import Java
from bluebear_magic.runner.kin import die_with_parent
from bluebear_magic.runner.pipe import Pipe, PipeClosed

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass
class Child:
    """A forked process: ``spark`` is its session, ``scratch`` its folder, both for one job.

    ``pipe`` takes the job and gives the outcome; ``gate`` is its way to the JVM.
    """

    pid: int
    pipe: Pipe
    gate: Gate
    spark: SparkSession
    scratch: Path
    status: int | None = field(default=None)

    def kill(self) -> None:
        """Ends the process and what it started, waits for it, removes its folder."""
        if self.status is None:
            for end in (os.killpg, os.kill):  # the group too, which it may not have made yet
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    end(self.pid, signal.SIGKILL)
            _, self.status = os.waitpid(self.pid, 0)
        self.pipe.close()
        self.gate.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def admit(self, job: Job) -> None:
        """Says to the gate what the job is given; to be done before it runs."""
        names = frozenset(dataset.name.lower() for dataset in job.datasets)
        whole = job.mode == "full"
        results = job.result_dir if whole else None
        writes = frozenset((write.kind, write.target) for write in job.writes)
        self.gate.admit(Grant(names, str(self.scratch), results, writes, whole))

    def judged(self, outcome: str) -> str:
        """The outcome as the job tells it, unless it hides that something was refused to it."""
        if not self.gate.refused:
            return outcome
        told = Outcome.from_json(outcome)
        if told.status != "ok":
            return outcome
        forbidden = self.gate.refused[0]
        fault = Fault("run", "forbidden", str(forbidden), suggestion=forbidden.instead)
        return replace(told, status="fault", tables=(), fault=fault).to_json()

    def interrupt(self) -> None:
        """Asks the code to let go, so that it can say at which line it was."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGINT)

    def how_it_ended(self) -> str:
        """After ``kill``: by which signal or with which status it had ended."""
        if self.status is None:
            return "still runs"
        if os.WIFSIGNALED(self.status):
            number = os.WTERMSIG(self.status)
            return f"ended by {signal.Signals(number).name}"
        return f"ended with exit status {os.WEXITSTATUS(self.status)}"

    def reap(self) -> bool:
        """Whether the process has ended by itself; its status is kept."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = status
        return self.status is not None


Work = Callable[["SparkSession", Job, dict[str, Any]], Outcome]


def fork(spark: SparkSession, scratch: Path, work: Work) -> Child:
    """A child that waits for its job; ``work`` does it there."""
    ours, theirs = socket.socketpair()
    gate, control = _gate(spark)
    scratch.mkdir(parents=True)
    parent = os.getpid()
    gc.collect()
    gc.freeze()  # what is there now is shared; the collector would copy its pages
    with warnings.catch_warnings():
        # pyspark's accumulator thread waits in select and holds no lock.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        status = 70
        try:
            ours.close()
            _settle(spark, scratch, parent, (theirs, control))
            _serve(Pipe(theirs), spark, work)
            status = 0
        finally:
            os._exit(status)  # no finalizers: what they would free belongs to the parent
    gc.unfreeze()
    theirs.close()
    control.close()
    gate.start()
    return Child(pid, Pipe(ours), gate, spark, scratch)


def _gate(spark: SparkSession) -> tuple[Gate, socket.socket]:
    """The gate for a job of this session, and the job's end of it."""
    handle: Any = spark
    context: Any = spark.sparkContext
    parameters = handle._jvm._gateway_client.java_parameters
    session = handle._jsparkSession._target_id
    roots = {
        session: "session",
        context._jsc._target_id: "context",
        context._conf._jconf._target_id: "defaults",
        context._javaAccumulator._target_id: OPAQUE,
    }
    ours, control = socket.socketpair()
    java = Java(parameters.address, parameters.port, parameters.auth_token)
    return Gate(java, ours, session, roots), control


def _settle(
    spark: SparkSession, scratch: Path, parent: int, kept: tuple[socket.socket, socket.socket]
) -> None:
    """Makes the fork a process of its own: group, folder, descriptors, way to the JVM."""
    os.setpgid(0, 0)
    die_with_parent()
    if os.getppid() != parent:
        os._exit(0)
    _, control = kept
    gate_client.settle(spark, control)
    _close_all_but({0, 1, 2, *(end.fileno() for end in kept)})
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):  # what print() gives is captured; a flood past it fills no disk
        os.dup2(nothing, standard)
    os.close(nothing)
    os.chdir(scratch)
    os.environ["TMPDIR"] = os.environ["HOME"] = str(scratch)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _present(spark)


def _close_all_but(kept: set[int]) -> None:
    """Closes what was open in the parent: its pipe, its connections, what it listens at."""
    edges = [-1, *sorted(kept), min(os.sysconf("SC_OPEN_MAX"), 1 << 16)]
    for low, high in itertools.pairwise(edges):
        if low + 1 < high:  # of an empty range Python makes one without end
            os.closerange(low + 1, high)


def _present(spark: SparkSession) -> None:
    """Lets pyspark find this session where it looks for one, and the job's own folder."""
    from pyspark.sql import SparkSession

    context: Any = spark.sparkContext
    context._accumulatorServer = None  # its thread is the parent's: to stop it would wait for ever
    context._temp_dir = os.environ["TMPDIR"]  # where createDataFrame leaves rows for the JVM
    handles: Any = SparkSession
    handles._instantiatedSession = handles._activeSession = spark
    spark.version  # noqa: B018 - connects to the gate now, while nobody waits


def _serve(pipe: Pipe, spark: SparkSession, work: Work) -> None:
    """Does one job."""
    try:
        message = pipe.receive()
    except (PipeClosed, KeyboardInterrupt):
        return
    outcome = work(spark, Job.from_json(message["job"]), message)
    with contextlib.suppress(PipeClosed):
        pipe.send({"outcome": outcome.to_json()})
