"""Samples made on the spot of 10 MB, 1 GB and 10 GB: their time must not grow with the data.

The gigabytes are many names (hard links) of one file of 100 MB, so that little is written.
"""

import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bluebear_magic.runner import sample_cache
from bluebear_magic.runner.envelope import Binding
from bluebear_magic.runner.sampling import sample

SCHEMA = "id BIGINT, day DATE, amount DOUBLE, name STRING, city STRING"
SIZES = (("10 MB", 10, 1), ("1 GB", 100, 10), ("10 GB", 100, 100))  # MB a file, files
TIMES = 21


def table(rows):
    random = np.random.default_rng(7)
    return pa.table(
        {
            "id": np.arange(rows),
            "day": pa.array(random.integers(18_000, 20_000, rows), pa.int32()).cast(pa.date32()),
            "amount": random.random(rows) * 1000,
            "name": [f"customer {n}" for n in random.integers(0, 1 << 40, rows)],
            "city": pa.array(["Oslo", "Bergen", "Lima", "Quito"]).take(
                pa.array(random.integers(0, 4, rows))
            ),
        }
    )


def parquet(path, megabytes):
    """Row groups of 100,000 rows, the same ones again and again."""
    group = table(100_000)
    with pq.ParquetWriter(path, group.schema) as writer:
        while path.stat().st_size < megabytes * 1e6:
            writer.write_table(group)


def csv(path, megabytes, quoted):
    block = "".join(
        f'{n},2024-01-{n % 28 + 1:02},{n / 7:.4f},"customer{chr(10) if quoted else " "}{n}",Oslo\n'
        for n in range(20_000)
    ).encode()
    with path.open("wb") as stream:
        stream.write(b"id,day,amount,name,city\n")
        while stream.tell() < megabytes * 1e6:
            stream.write(block)


def dataset(folder, kind, megabytes, files, source):
    folder.mkdir()
    paths = [folder / f"part-{n:04}.{kind[:3]}" for n in range(files)]
    for path in paths:
        os.link(source[megabytes], path)
    options = ()
    if kind != "parquet":
        options = (("escape", '"'), ("header", "true"), ("multiLine", str(kind != "csv").lower()))
    form = "parquet" if kind == "parquet" else "csv"
    return Binding("d", form, tuple(map(str, paths)), SCHEMA, options)


def measured(binding, cache, name):
    """Milliseconds of each new sample, and the bytes read for one."""
    spent = []
    for turn in range(TIMES):
        begun = time.perf_counter()
        made = sample(binding, f"{name} {turn}", cache)
        spent.append((time.perf_counter() - begun) * 1000)
    entry = sample_cache.load(Path(made.paths[0]).parent)
    return statistics.median(spent), entry.read, made.note


def sampling():
    """Prints milliseconds, the ratio of 10 GB to 10 MB, and the bytes read."""
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base)
        for kind in ("parquet", "csv", "csv, quoted lines"):
            source = {}
            for megabytes in (10, 100):
                source[megabytes] = folder / f"{kind}-{megabytes}"
                if kind == "parquet":
                    parquet(source[megabytes], megabytes)
                else:
                    csv(source[megabytes], megabytes, kind != "csv")
            medians = []
            for name, megabytes, files in SIZES:
                binding = dataset(folder / f"{kind} {name}", kind, megabytes, files, source)
                median, read, note = measured(binding, folder / "cache", name)
                medians.append(median)
                what = f"sample of {name} of {kind}"
                line = f"{what:46} {median:9.1f} ms   {read / 1e6:.2f} MB read, {note}"
                print(line, flush=True)
            print(f"{'  10 GB to 10 MB':46} {medians[-1] / medians[0]:9.2f}", flush=True)


if __name__ == "__main__":
    sampling()
