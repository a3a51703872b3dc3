"""Children of the worker: one process for each job, forked from one that has Spark at hand.

A job's Python ends with its process: no variable, no changed module, no open file and no
lost memory is left for the next one, and what kills it kills nothing else. The next child is
made ready while nobody waits, so that a job pays for none of this.
"""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import signal
import socket
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluebear_magic.runner.envelope import Job, Outcome
from bluebear_magic.runner.kin import die_with_parent
from bluebear_magic.runner.pipe import Pipe, PipeClosed

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass
class Child:
    """A forked process: ``spark`` is its session, ``scratch`` its folder, both for one job.

    ``pipe`` takes the job and gives the outcome.
    """

    pid: int
    pipe: Pipe
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
        shutil.rmtree(self.scratch, ignore_errors=True)

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


def fork(spark: SparkSession, scratch: Path, work: Work, private: tuple[int, ...]) -> Child:
    """A child that waits for its job; ``work`` does it there.

    ``private``: descriptors that the child must not have.
    """
    ours, theirs = socket.socketpair()
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
            _settle(spark, scratch, parent, private)
            _serve(Pipe(theirs), spark, work)
            status = 0
        finally:
            os._exit(status)  # no finalizers: what they would free belongs to the parent
    gc.unfreeze()
    theirs.close()
    return Child(pid, Pipe(ours), spark, scratch)


def _settle(spark: SparkSession, scratch: Path, parent: int, private: tuple[int, ...]) -> None:
    """Makes the fork a process of its own: group, folder, connection to the JVM."""
    os.setpgid(0, 0)
    die_with_parent()
    if os.getppid() != parent:
        os._exit(0)
    for descriptor in private:
        os.close(descriptor)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):  # what print() gives is captured; a flood past it fills no disk
        os.dup2(nothing, standard)
    os.close(nothing)
    os.chdir(scratch)
    os.environ["TMPDIR"] = os.environ["HOME"] = str(scratch)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _reconnect(spark)


def _reconnect(spark: SparkSession) -> None:
    """A connection of its own: two processes on the parent's would mix their answers.

    In the JVM it has a thread of its own, where the session is to be the active one, so
    that ``SparkSession.builder.getOrCreate()`` in the code finds it.
    """
    from pyspark.sql import SparkSession

    client: Any = spark._jvm._gateway_client  # type: ignore[union-attr]
    for connection in client.deque:
        connection.socket.close()
    client.deque.clear()
    client.thread_connection = threading.local()
    java: Any = spark._jvm
    java.SparkSession.setActiveSession(spark._jsparkSession)
    context: Any = spark.sparkContext
    context._temp_dir = os.environ["TMPDIR"]  # where createDataFrame leaves rows for the JVM
    handles: Any = SparkSession
    handles._instantiatedSession = handles._activeSession = spark


def _serve(pipe: Pipe, spark: SparkSession, work: Work) -> None:
    """Does one job."""
    try:
        message = pipe.receive()
    except (PipeClosed, KeyboardInterrupt):
        return
    outcome = work(spark, Job.from_json(message["job"]), message)
    with contextlib.suppress(PipeClosed):
        pipe.send({"outcome": outcome.to_json()})
