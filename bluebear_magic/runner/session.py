"""The warm Spark session: start it once, give every job a clean one of its own."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluebear_magic.runner import jvm, udf_daemon
from bluebear_magic.runner.envelope import Binding, Mode
from bluebear_magic.runner.relations import Relations, reader

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# The same on every backend, so that what was checked is what runs.
SEMANTICS = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.caseSensitive": "false",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.legacy.javaCharsets": "true",  # else files in windows-1252 are refused
}
# Doors that no analysis needs: ${env:...} in SQL text, files as tables, and scripts of several
# statements, of which only the first would be looked at.
CLOSED_DOORS = {
    "spark.sql.variable.substitute": "false",
    "spark.sql.runSQLOnFiles": "false",
    "spark.sql.scripting.enabled": "false",
}
LOCAL = {
    "spark.master": "local[*]",
    "spark.app.name": "bluebear",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    # Results and Python functions travel over sockets in the worker's own folder, so that
    # the code needs no network.
    "spark.python.unix.domain.socket.enabled": "true",
    "spark.python.daemon.module": udf_daemon.__name__,
    "spark.python.worker.reuse": "false",  # what a function leaves in its process ends with it
    # Nobody looks at Spark's own pages; what they would show is not kept.
    "spark.ui.retainedJobs": "5",
    "spark.ui.retainedStages": "5",
    "spark.ui.retainedTasks": "50",
    "spark.ui.retainedDeadExecutors": "0",
    "spark.sql.ui.retainedExecutions": "2",
}
# A sample is a thousand rows: one partition, one task, no re-planning between stages, and no code
# generation, which takes longer to compile than a thousand rows take to interpret. Processor time
# of the JVM for a warm aggregation, join and pivot, means of 20 in turn: 98, 140 and 238 ms; with
# 16 partitions after a shuffle 265, 306 and 990; with two tasks for a scan 105, 154 and 252; with
# adaptive execution 114, 156 and 282; with generated code 120, 164 and 324.
CHECK = {
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.leafNodeDefaultParallelism": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
FULL = {
    "spark.sql.shuffle.partitions": "16",
    "spark.sql.leafNodeDefaultParallelism": str(os.cpu_count() or 2),
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.codegen.wholeStage": "true",
    "spark.sql.codegen.factoryMode": "FALLBACK",
}


class WarmSession:
    """One JVM and its Spark context; ``fresh`` gives each job a session of its own.

    ``workdir`` holds Spark's scratch files and the JVM's log. ``heap_mb`` is the
    JVM's largest heap, ``udf_memory_mb`` what one Python function may allocate.
    ``archive`` holds the JVM's classes, ``more`` are further options of it.
    ``started`` gets the JVM's process before it answers, for which it has ``patience``
    seconds; ``thorough``: with the optimising compiler. Raises ``jvm.JavaProblem`` when no JVM
    can be had.
    """

    def __init__(
        self,
        workdir: Path,
        *,
        heap_mb: int = 1024,
        udf_memory_mb: int = 2048,
        archive: Path | None = None,
        more: tuple[str, ...] = (),
        thorough: bool = False,
        started: Callable[[subprocess.Popen[bytes]], None] = lambda _: None,
        patience: float = 60.0,
    ) -> None:
        import pyspark

        self.java = jvm.find_java()
        self.archive = archive
        udfs = workdir / "udf"
        udfs.mkdir(exist_ok=True)
        conf = {
            **SEMANTICS,
            **CLOSED_DOORS,
            **LOCAL,
            **CHECK,
            "spark.local.dir": str(workdir),
            "spark.sql.warehouse.dir": str(workdir / "warehouse"),
            "spark.python.unix.domain.socket.dir": str(workdir),
        }
        environ = {
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "HOME": str(udfs),
            "TMPDIR": str(udfs),
            "SPARK_LOCAL_IP": "127.0.0.1",
            udf_daemon.SCRATCH: str(udfs),
            udf_daemon.MEMORY_MB: str(udf_memory_mb),
        }
        home = Path(pyspark.__file__).parent
        launch = jvm.Launch(self.java, home, workdir, heap_mb, conf, archive, more, thorough)
        self.gateway = jvm.start(launch, environ=environ, started=started, timeout=patience)
        self._udfs = udfs
        self._root = self._connect()
        self.version: str = self._root.version
        self._relations = Relations(self._root)

    def _connect(self) -> SparkSession:
        from pyspark.sql import SparkSession

        os.environ["PYSPARK_GATEWAY_PORT"] = str(self.gateway.port)
        os.environ["PYSPARK_GATEWAY_SECRET"] = self.gateway.secret
        os.environ["PYSPARK_PYTHON"] = sys.executable
        try:
            session: SparkSession = SparkSession.builder.getOrCreate()
        finally:
            # Generated code shares this environment; the secret opens the JVM.
            del os.environ["PYSPARK_GATEWAY_PORT"], os.environ["PYSPARK_GATEWAY_SECRET"]
        return session

    def fresh(self) -> SparkSession:
        """A session without views, settings or functions of earlier jobs."""
        session = self._root.newSession()
        java: Any = session._jvm
        java.SparkSession.setDefaultSession(session._jsparkSession)
        return session

    def bind(self, session: SparkSession, mode: Mode, datasets: Iterable[Binding]) -> None:
        """Makes each dataset readable as ``spark.table(name)``, for a job of that mode."""
        if mode == "full":
            for key, value in FULL.items():
                session.conf.set(key, value)
        for dataset in datasets:
            if mode == "full":
                reader(session, dataset).createOrReplaceTempView(dataset.name)
            else:
                self._relations.bind(session, dataset)

    def unbind(self, session: SparkSession, datasets: Iterable[Binding]) -> None:
        """Takes back what ``bind`` made for a check."""
        for dataset in datasets:
            session.catalog.dropTempView(dataset.name)

    def scrub(self) -> None:
        """Takes back what a job may have left: its work, cached tables, global views, objects."""
        self.cancel()
        self._root.catalog.clearCache()
        java: Any = self._root._jsparkSession
        views = java.sharedState().globalTempViewManager()
        if not views.listViewNames("*").isEmpty():
            views.clear()
        self._free_objects()
        for entry in self._udfs.iterdir():
            remove(entry)

    def _free_objects(self) -> None:
        """Frees the Java objects of processes that have gone: those that this one does not hold."""
        from py4j.finalizer import ThreadSafeFinalizer

        java: Any = self._root._jvm
        client = java._gateway_client
        prefix = f"{client.address}{client.port}"
        held = {key.removeprefix(prefix) for key in list(ThreadSafeFinalizer.finalizers)}
        names = self._bindings()
        known = set(re.findall(r"\bo\d+\b", names.toString()))
        if lost := known - held:
            words = java.java.util.regex.Pattern.compile(",").splitAsStream(",".join(lost))
            names.removeAll(words.toList())

    def _bindings(self) -> Any:
        """The names under which the JVM holds objects for Python, as a Java set."""
        gateway: Any = self._root.sparkContext._gateway
        return gateway.java_gateway_server.getGateway().getBindings().keySet()

    def memory(self) -> dict[str, float]:
        """What is live after a collection: heap and metaspace in MB, objects held for Python."""
        self.rest()
        java: Any = self._root._jvm
        factory = java.java.lang.management.ManagementFactory
        beans = factory.getMemoryMXBean()
        return {
            "heap_mb": beans.getHeapMemoryUsage().getUsed() / 2**20,
            "metaspace_mb": beans.getNonHeapMemoryUsage().getUsed() / 2**20,
            "objects": float(self._bindings().size()),
        }

    def rest(self) -> None:
        """Collects garbage, so that the heap shrinks to what is live and a little more."""
        java: Any = self._root._jvm
        java.java.lang.System.gc()

    def cancel(self) -> None:
        """Cancels what Spark is running."""
        self._root.sparkContext.cancelAllJobs()

    @property
    def alive(self) -> bool:
        """Whether the JVM runs."""
        return self.gateway.process.poll() is None

    def end_orderly(self) -> None:
        """Ends the JVM and waits until it has written what it writes at its end."""
        self._root.stop()
        if self.gateway.process.stdin:
            self.gateway.process.stdin.close()
        self.gateway.process.wait(60)

    def close(self) -> None:
        """Ends the JVM; this process may start another one."""
        context: Any = self._root.sparkContext
        context._accumulatorServer.shutdown()  # it would print that the JVM has gone
        if self.gateway.process.stdin:
            self.gateway.process.stdin.close()
        self.gateway.process.kill()
        self.gateway.process.wait()
        forget_gateway()


def forget_gateway() -> None:
    """Lets this process connect to another JVM: pyspark remembers the first one for good."""
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    context: Any = SparkContext
    context._gateway = context._jvm = context._active_spark_context = None
    sessions: Any = SparkSession
    sessions._instantiatedSession = sessions._activeSession = None


def remove(path: Path) -> None:
    """Removes a file or a folder; what cannot be removed stays."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()
