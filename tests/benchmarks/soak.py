"""``make soak``: a thousand checks in one worker, with memory before and after; cold starts."""

import sys

from bluebear_magic.backends.local import LocalBackend
from bluebear_magic.runner.envelope import Job
from bluebear_magic.testing import RecordingReporter

CHECK = """from pyspark.sql import functions as F
rows = spark.range(1000).selectExpr("id", "id % 7 region", "id * 1.5 sales")
result = rows.where(F.col("sales") > {n}).groupBy("region").agg(F.sum("sales").alias("total"))
"""
SETTLED = 100  # checks after which classes are loaded and pools are filled


def checks(count=1000):
    """Runs them all; prints memory and Java objects at the hundredth and at the last."""
    backend = LocalBackend()
    try:
        for n in range(count):
            outcome = backend.run(Job(CHECK.format(n=n)), RecordingReporter())
            assert outcome.status == "ok", outcome.fault
            if n + 1 in {SETTLED, count}:
                live = backend.memory()
                told = ", ".join(f"{name} {value:.1f}" for name, value in live.items())
                print(f"after {n + 1:5} checks: {told}", flush=True)
    finally:
        backend.close()


def starts(count=30):
    """Cold starts; each must answer."""
    for n in range(count):
        backend = LocalBackend()
        try:
            outcome = backend.run(Job(CHECK.format(n=n)), RecordingReporter())
            assert outcome.status == "ok", outcome.fault
        finally:
            backend.close()
    print(f"{count} cold starts: all answered")


if __name__ == "__main__":
    checks(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
    starts(int(sys.argv[2]) if len(sys.argv) > 2 else 30)
