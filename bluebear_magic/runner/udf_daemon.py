"""Spark's daemon for Python functions, with each of its workers behind the fence.

Spark starts it by the setting ``spark.python.daemon.module``; it forks a worker for each
task. Nothing that a function leaves in its process reaches the next one.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from pyspark import daemon

from bluebear_magic.runner.sandbox import Fence, confine

SCRATCH = "BLUEBEAR_UDF_SCRATCH"
MEMORY_MB = "BLUEBEAR_UDF_MEMORY_MB"


def main() -> None:
    """Loads what every worker needs, then serves."""
    import pyarrow  # noqa: F401 - 0.2 s once here, or in every task

    work = daemon.worker_main
    scratch = os.environ[SCRATCH]
    os.chdir(scratch)

    def confined(infile: Any, outfile: Any) -> None:
        # A function of more than a megabyte comes as a file in the folder of its job.
        jobs = map(str, Path(scratch).parent.glob("job-*"))
        readable = (os.environ.get("SPARK_FILES", scratch), *jobs)
        confine(Fence(readable, (scratch,), memory_mb=int(os.environ[MEMORY_MB])))
        work(infile, outfile)

    daemon.worker_main = confined
    serve: Any = daemon.manager
    serve()


if __name__ == "__main__":
    sys.path[:] = [path for path in sys.path if path]
    main()
