"""The warm Spark session: start it once, give every job a clean one of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluebear_magic.runner import jvm
from bluebear_magic.runner.envelope import Binding, Mode

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
# Doors that no analysis needs: ${env:...} in SQL text, and files as tables.
CLOSED_DOORS = {
    "spark.sql.variable.substitute": "false",
    "spark.sql.runSQLOnFiles": "false",
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
}
# A sample is a thousand rows: one partition, and no re-planning between stages.
BY_MODE: Mapping[Mode, Mapping[str, str]] = {
    "analyse": {"spark.sql.shuffle.partitions": "1", "spark.sql.adaptive.enabled": "false"},
    "sample": {"spark.sql.shuffle.partitions": "1", "spark.sql.adaptive.enabled": "false"},
    "full": {"spark.sql.shuffle.partitions": "16", "spark.sql.adaptive.enabled": "true"},
}


class WarmSession:
    """One JVM and its Spark context; ``fresh`` gives each job a session of its own.

    ``workdir`` holds Spark's scratch files and the JVM's log. ``heap_mb`` is the
    JVM's largest heap. ``started`` gets the JVM's process before it answers. Raises
    ``jvm.JavaProblem`` when no JVM can be had.
    """

    def __init__(
        self,
        workdir: Path,
        *,
        heap_mb: int = 1024,
        started: Callable[[subprocess.Popen[bytes]], None] = lambda _: None,
    ) -> None:
        import pyspark

        java = jvm.find_java()
        conf = {
            **SEMANTICS,
            **CLOSED_DOORS,
            **LOCAL,
            "spark.local.dir": str(workdir),
            "spark.sql.warehouse.dir": str(workdir / "warehouse"),
        }
        environ = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "SPARK_LOCAL_IP": "127.0.0.1",
        }
        self.gateway = jvm.start(
            java,
            spark_home=Path(pyspark.__file__).parent,
            workdir=workdir,
            heap_mb=heap_mb,
            conf=conf,
            environ=environ,
            started=started,
        )
        self._root = self._connect()
        self.version: str = self._root.version

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

    def fresh(self, mode: Mode) -> SparkSession:
        """A session without views, settings or functions of earlier jobs."""
        from pyspark.sql import SparkSession

        self._root.catalog.clearCache()
        session = self._root.newSession()
        for key, value in BY_MODE[mode].items():
            session.conf.set(key, value)
        # SparkSession.builder.getOrCreate() in the code must find this one.
        handles: Any = SparkSession
        handles._instantiatedSession = session
        java: Any = session._jvm
        java_class = java.SparkSession
        java_class.setDefaultSession(session._jsparkSession)
        java_class.setActiveSession(session._jsparkSession)
        return session

    def cancel(self) -> None:
        """Cancels what Spark is running; safe from another thread."""
        self._root.sparkContext.cancelAllJobs()

    def close(self) -> None:
        """Ends the JVM."""
        if self.gateway.process.stdin:
            self.gateway.process.stdin.close()
        self.gateway.process.kill()
        self.gateway.process.wait()


def bind(spark: SparkSession, datasets: Iterable[Binding]) -> None:
    """Makes each dataset readable as ``spark.table(name)``."""
    for dataset in datasets:
        reader = spark.read.format(dataset.format).schema(dataset.schema)
        reader = reader.options(**dict(dataset.options))
        if dataset.base_path:
            reader = reader.option("basePath", dataset.base_path)
        # Spark takes a path for a glob; these are files, whatever their names hold.
        paths = [re.sub(r"([\\*?\[\]{}])", r"\\\1", path) for path in dataset.paths]
        reader.load(paths).createOrReplaceTempView(dataset.name)
