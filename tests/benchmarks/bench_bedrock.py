"""``make bench``: what Bluebear adds between a question and the inserted cell, the model's time aside.

The model is the simplest stand-in for Bedrock, on loopback, through boto3. What the model takes is
everything from the request to the last event; the rest is ours: datasets, prompt, guard, a run on
samples in warm local Spark. The bar is 300 ms.
"""

import os
import statistics
import tempfile
import time
from pathlib import Path

from bluebear_magic import Bluebear
from tests.aws import Bedrock, Reply, tool_call

BAR = 300.0
WARM, TIMES = 40, 40  # questions: the JVM compiles for some dozens of them
DATA = Path(__file__).parents[2] / "notebooks" / "data" / "sales_data.csv"
CODE = """from pyspark.sql import functions as F

result = (
    spark.table("sales_data").where(F.col("sales") > {limit})
    .groupBy("region").agg(F.sum("sales").alias("total")).orderBy("region")
)
"""


def asked(bb, number):
    """Milliseconds of a question in all, and of its parts."""
    begun = time.perf_counter()
    answer = bb.ask(f"total sales above {number} by region", fresh=True, strict=True)
    whole = (time.perf_counter() - begun) * 1000
    assert len(answer.attempts) == 1
    return whole, answer.timings


def main():
    """Prints medians in milliseconds, the bar beside the one that has one."""
    codes = iter(range(10_000))

    def responder(_):
        arguments = {"code": CODE.format(limit=next(codes)), "explanation": "Sums sales."}
        return Reply([tool_call(arguments)])

    with Bedrock(responder=responder) as server, tempfile.TemporaryDirectory() as folder:
        os.environ.update(server.environment)
        with Bluebear("bedrock", folder=folder) as bb:
            bb.add_data("sales_data", DATA)
            for number in range(WARM):
                asked(bb, number)
            runs = [asked(bb, number) for number in range(TIMES)]
    ours = statistics.median(whole - timings["model"] for whole, timings in runs)
    model = statistics.median(timings["model"] for _, timings in runs)
    check = statistics.median(timings["check"] for _, timings in runs)
    print(
        f"{'question to cell, the model aside':46} {ours:9.1f} ms   bar: {BAR:.0f} ms{' (missed)' * (ours > BAR)}"
    )
    print(f"{'  of it the check on samples':46} {check:9.1f} ms")
    print(f"{'  of it datasets, prompt and the rest':46} {ours - check:9.1f} ms")
    print(f"{'  beside it: the stand-in, through boto3':46} {model:9.1f} ms")


if __name__ == "__main__":
    main()
