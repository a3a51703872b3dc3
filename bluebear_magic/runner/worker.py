"""The worker process: a warm Spark behind a pipe, so that the notebook outlives the code.

Started as ``python -m bluebear_magic.runner.worker FD WORKDIR HEAP_MB``; speaks frames of
:mod:`bluebear_magic.runner.pipe`: in ``{"do": "run", "job"}``, ``{"do": "cancel"}``; out
``{"is": "ready" | "outcome" | "broken", ...}``. A job and its outcome carry the same ``id``.
It ends when the pipe closes.
"""

from __future__ import annotations

import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from bluebear_magic.runner.envelope import Fault, Job, Outcome
from bluebear_magic.runner.execute import execute
from bluebear_magic.runner.jvm import JavaProblem
from bluebear_magic.runner.pipe import Pipe, PipeClosed
from bluebear_magic.runner.session import WarmSession


class Worker:
    """Takes jobs one at a time; a second thread listens for cancel and for the end."""

    def __init__(self, pipe: Pipe, workdir: Path, heap_mb: int) -> None:
        self._pipe = pipe
        self._workdir = workdir
        self._heap_mb = heap_mb
        self._jobs: queue.SimpleQueue[tuple[int, Job]] = queue.SimpleQueue()
        self._session: WarmSession | None = None
        self._jvm: subprocess.Popen[bytes] | None = None
        self._busy = False

    def serve(self) -> None:
        """Runs until the pipe closes."""
        threading.Thread(target=self._listen, daemon=True).start()
        begun = time.perf_counter()
        try:
            self._session = WarmSession(
                self._workdir, heap_mb=self._heap_mb, started=self._remember
            )
        except JavaProblem as problem:
            self._pipe.send({"is": "broken", "why": str(problem)})
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, the notebook must learn of it
            self._pipe.send({"is": "broken", "why": f"{type(error).__name__}: {error}"})
            return
        signal.signal(signal.SIGINT, signal.default_int_handler)
        started = round((time.perf_counter() - begun) * 1000)
        self._pipe.send({"is": "ready", "spark": self._session.version, "ms": started})
        while True:
            self._run(*self._next())

    def _remember(self, process: subprocess.Popen[bytes]) -> None:
        self._jvm = process

    def _next(self) -> tuple[int, Job]:
        while True:
            try:
                return self._jobs.get()
            except KeyboardInterrupt:  # a cancel that came after its job had ended
                continue

    def _run(self, number: int, job: Job) -> None:
        assert self._session is not None
        try:
            self._busy = True
            outcome = execute(self._session, job)
            self._busy = False
        except KeyboardInterrupt:
            self._busy = False
            fault = Fault("run", "cancelled", "the run was cancelled")
            outcome = Outcome("cancelled", fault=fault, spark_version=self._session.version)
        try:
            self._pipe.send({"is": "outcome", "id": number, "outcome": outcome.to_json()})
        except PipeClosed:
            self._end()

    def _listen(self) -> None:
        while True:
            try:
                message = self._pipe.receive()
            except PipeClosed:
                self._end()
            if message.get("do") == "cancel":
                self._cancel()
            elif message.get("do") == "run":
                self._jobs.put((message["id"], Job.from_json(message["job"])))

    def _cancel(self) -> None:
        if self._busy and self._session is not None:
            os.kill(os.getpid(), signal.SIGINT)
            self._session.cancel()

    def _end(self) -> Any:
        """Leaves at once, whatever the code is doing, and takes the JVM along."""
        if self._jvm is not None:
            self._jvm.kill()
        shutil.rmtree(self._workdir, ignore_errors=True)
        os._exit(0)


def main(arguments: list[str]) -> None:
    """Entry point; the arguments are the pipe's descriptor, the folder, the heap in MB."""
    descriptor, workdir, heap_mb = int(arguments[0]), Path(arguments[1]), int(arguments[2])
    os.set_inheritable(descriptor, False)  # the JVM and UDF workers have no business with it
    time.tzset()
    pipe = Pipe(socket.socket(fileno=descriptor))
    Worker(pipe, workdir, heap_mb).serve()


if __name__ == "__main__":
    main(sys.argv[1:])
