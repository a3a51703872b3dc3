"""The archive of classes (CDS) that lets Spark's JVM start without parsing twenty thousand of them.

Made once for each Java, Spark and classpath, by a process of its own: a JVM does what a first
check does and lists its classes, a second one writes them down. Nothing depends on it: without
an archive, or with one that the JVM does not take, Spark starts the plain way.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bluebear_magic.runner import jvm
from bluebear_magic.runner.workdir import new_workdir

KEEP_DAYS = 60  # archives that no start has used for so long are removed
NEEDS_BYTES = 600 * 1024 * 1024  # of disk, for list and archive
STEP_SECONDS = 300.0
# Each is a question's worth of Spark: readers, joins, windows, SQL, Arrow, and a result on disk.
TRAINING = """
from pyspark.sql import Window, functions as F
import os, tempfile
folder = os.path.join(TRAINING_FOLDER, "training.csv")
spark.range(200).selectExpr("id", "id % 7 k", "string(id % 5) region", "id * 1.5 sales",
    "date'2024-01-01' + int(id) day").write.option("header", "true").csv(folder)
sales = spark.read.schema("id BIGINT, k BIGINT, region STRING, sales DOUBLE, day DATE").option(
    "header", "true").csv(folder)
sales.createOrReplaceTempView("sales")
sales.where(F.col("sales") > 3).groupBy("region").agg(F.sum("sales").alias("total")).orderBy(
    F.desc("total")).limit(50).toArrow()
sales.join(sales.groupBy("k").count(), "k").limit(50).toArrow()
sales.withColumn("n", F.row_number().over(Window.partitionBy("region").orderBy("day"))).where(
    "n < 3").limit(50).toArrow()
sales.groupBy("region").pivot("k", [1, 2]).agg(F.avg("sales")).limit(50).toArrow()
spark.sql("with t as (select month(day) m, count(*) n from sales group by 1) select * from t "
    "where n > 1 order by m").limit(50).toArrow()
sales.write.parquet(os.path.join(TRAINING_FOLDER, "training.parquet"))
spark.read.parquet(os.path.join(TRAINING_FOLDER, "training.parquet")).count()
"""


def archive_path(folder: Path, java: jvm.Java, spark_home: Path) -> Path:
    """Where the archive for this Java and this Spark lies, or would lie."""
    release = Path(java.executable).resolve().parent.parent / "release"
    parts = [java.executable, str(spark_home), jvm.QUICK, *jvm.COLLECTOR]
    with contextlib.suppress(OSError):
        parts.append(release.read_text(encoding="utf-8"))
    for jar in sorted((spark_home / "jars").glob("*.jar")):
        known = jar.stat()
        parts.append(f"{jar.name} {known.st_size} {known.st_mtime_ns}")
    name = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    return folder / f"spark-{name}.jsa"


def usable(path: Path) -> bool:
    """Whether there is an archive; it counts as used now."""
    try:
        os.utime(path)
    except OSError:
        return False
    return True


def discard(path: Path) -> None:
    """Removes an archive that did not work."""
    with contextlib.suppress(OSError):
        path.unlink()


class NotMade(Exception):
    """There is no archive, and why."""


def make(folder: Path) -> Path:
    """Makes the archive for the Java and Spark at hand, unless it is there.

    Takes some thirty seconds of one core. Raises ``NotMade`` where it could not be made or
    another process is making it; what is half made is removed. Raises ``jvm.JavaProblem``
    where there is no Java.
    """
    import pyspark

    java = jvm.find_java()
    spark_home = Path(pyspark.__file__).parent
    target = archive_path(folder, java, spark_home)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if shutil.disk_usage(folder).free < NEEDS_BYTES:
            raise NotMade(f"{folder} has less than {NEEDS_BYTES // 1024**2} MB free")
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _prune(folder)
            if usable(target):
                return target
            building = Path(tempfile.mkdtemp(prefix="making-", dir=folder))
            try:
                return _made(java, spark_home, building, target)
            finally:
                shutil.rmtree(building, ignore_errors=True)
    except BlockingIOError:
        raise NotMade("another process is making it") from None
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout or b"").decode(errors="replace").strip()
        raise NotMade(f"a step ended with status {error.returncode}: {said[-2000:]}") from None
    except (OSError, subprocess.SubprocessError) as error:
        raise NotMade(str(error)) from error


def _made(java: jvm.Java, spark_home: Path, building: Path, target: Path) -> Path:
    classes, made = building / "classes.lst", building / "made.jsa"
    myself = [sys.executable, "-m", "bluebear_magic.runner.class_data"]
    _step([*myself, "--train", str(classes)])
    dump = ("-Xshare:dump", f"-XX:SharedArchiveFile={made}", f"-XX:SharedClassListFile={classes}")
    _step(jvm.Launch(java, spark_home, building, heap_mb=1024, more=dump).command())
    made.replace(target)
    return target


def _step(command: list[str]) -> None:
    subprocess.run(command, capture_output=True, timeout=STEP_SECONDS, check=True)


def train(classes: Path) -> None:
    """Runs ``TRAINING`` in a JVM that lists the classes it loads."""
    from bluebear_magic.runner.session import WarmSession

    listing = (f"-XX:DumpLoadedClassList={classes}",)
    workdir = new_workdir()  # not beside the archives, in a folder that a user may have nested deep
    try:
        # Nobody waits, and at the lowest priority on a busy machine it takes minutes to answer.
        session = WarmSession(workdir, heap_mb=1024, more=listing, patience=STEP_SECONDS)
        try:
            exec(  # noqa: S102 - our own lines, above
                compile(TRAINING, "<training>", "exec"),
                {"spark": session.fresh(), "TRAINING_FOLDER": str(workdir)},
            )
        finally:
            session.end_orderly()
    finally:
        shutil.rmtree(workdir, ignore_errors=True)


def _prune(folder: Path) -> None:
    oldest = time.time() - KEEP_DAYS * 86_400
    for entry in folder.iterdir():
        with contextlib.suppress(OSError):
            if entry.name.startswith("making-"):  # of one that was killed: the lock is ours
                shutil.rmtree(entry)
            elif entry.suffix == ".jsa" and entry.stat().st_mtime < oldest:
                entry.unlink()


def main(arguments: list[str]) -> int:
    """``FOLDER``: makes the archive there; ``--train LIST`` is its first step."""
    if arguments[0] == "--train":
        train(Path(arguments[1]))
        return 0
    try:
        make(Path(arguments[0]))
    except NotMade as error:
        sys.stderr.write(f"no archive of classes: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
