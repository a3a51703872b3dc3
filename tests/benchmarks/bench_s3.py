"""``make bench``: partitioned Parquet in S3, 0.5 and 5 GB: listing, describing, sampling, profiling.

moto serves it on loopback, in a process of its own. One object is put, and copied there to a
thousand keys. What counts is how the times and the bytes read grow from a tenth to the whole.
"""

import argparse
import io
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import boto3
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from botocore.config import Config

from bluebear_magic.aws import STREAMS
from bluebear_magic.context import profiles
from bluebear_magic.context.catalog import Catalog
from bluebear_magic.context.columnar import TAIL
from bluebear_magic.context.samples import Samples

MOST_READ = 64 * 1024 * 1024


@contextmanager
def moto():
    """moto's server; what it holds lies on the disk."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # a file for each object
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        env={**os.environ, "MOTO_S3_DEFAULT_KEY_BUFFER_SIZE": "65536"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{url}/moto-api/").close()
                break
            except OSError:
                time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait()


def parquet(megabytes):
    """A file of about so many megabytes, in row groups of 50,000 rows."""
    random = np.random.default_rng(7)
    sink = io.BytesIO()
    group = pa.table(
        {
            "id": random.integers(0, 1 << 40, 50_000),
            "amount": random.random(50_000) * 1000,
            "city": pa.array(["Oslo", "Bergen", "Lima", "Quito"]).take(
                pa.array(random.integers(0, 4, 50_000))
            ),
        }
    )
    with pq.ParquetWriter(sink, group.schema) as writer:
        while sink.tell() < megabytes * 1e6:
            writer.write_table(group)
    return sink.getvalue()


def fill(client, objects, data):
    """The bucket ``lake`` with ``objects`` in ``large/``, a tenth of them in ``tenth/``."""
    client.create_bucket(Bucket="lake")
    client.put_object(Bucket="lake", Key="seed", Body=data)

    def copy(key):
        client.copy_object(Bucket="lake", Key=key, CopySource={"Bucket": "lake", "Key": "seed"})

    keys = [f"large/day={n % 50:02}/part-{n:05}.parquet" for n in range(objects)]
    tenth = [key.replace("large/", "tenth/") for key in keys[: objects // 10]]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(copy, keys + tenth))


class Measured:
    """Times and bytes read of the steps over one prefix."""

    def __init__(self, prefix):
        self.catalog = Catalog()
        self.prefix = prefix
        self.steps = {}
        self.objects = self.catalog._sources.of("s3://lake").objects
        self.objects.head("s3://lake/seed")  # the client is made
        self.step("list", lambda: self.objects.under(f"s3://lake/{prefix}/"))
        self.dataset = self.step("describe", self.describe)
        self.step("sample", lambda: Samples().of([self.dataset], 1000))
        self.step("profile", lambda: profiles.measure(self.dataset))
        self.step("look for changes", self.again)

    def step(self, name, do):
        begun, before = time.perf_counter(), self.objects.read
        found = do()
        spent = (time.perf_counter() - begun) * 1000
        self.steps[name] = spent, self.objects.read - before
        assert self.steps[name][1] <= MOST_READ
        return found

    def describe(self):
        return self.catalog.add("data", f"s3://lake/{self.prefix}/")

    def again(self):
        self.objects.forget()
        assert self.catalog.get("data") is self.dataset


def bare(client, paths, size):
    """Milliseconds for the ends of objects, sixteen at a time: what the stand-in alone takes."""

    def tail(path):
        key = path.removeprefix("s3://lake/")
        given = f"bytes={size - TAIL}-{size - 1}"
        return client.get_object(Bucket="lake", Key=key, Range=given)["Body"].read()

    begun = time.perf_counter()
    with ThreadPoolExecutor(STREAMS) as pool:
        list(pool.map(tail, paths))
    return (time.perf_counter() - begun) * 1000


def main():
    """Prints milliseconds and megabytes read of each step, for a tenth and for the whole."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--objects", type=int, default=1000)
    arguments.add_argument("--megabytes", type=float, default=5000)
    given = arguments.parse_args()
    with moto() as url, tempfile.TemporaryDirectory() as folder:
        os.environ.update(
            AWS_ENDPOINT_URL=url, AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing",
            AWS_DEFAULT_REGION="us-east-1", XDG_CACHE_HOME=str(Path(folder)),
        )  # fmt: skip
        data = parquet(given.megabytes / given.objects)
        client = boto3.client("s3", config=Config(max_pool_connections=STREAMS))
        fill(client, given.objects, data)
        tenth, whole = Measured("tenth"), Measured("large")
        size = whole.dataset.size_bytes / 1e9
        print(
            f"{given.objects:,} objects of Parquet in S3, {size:.1f} GB; beside it a tenth of them"
        )
        for name, (spent, read) in whole.steps.items():
            before, _ = tenth.steps[name]
            print(
                f"  {name:44} {spent:9.1f} ms   {read / 1e6:6.2f} MB read   "
                f"a tenth: {before:.1f} ms"
            )
        spent = bare(client, whole.dataset.paths, len(data))
        print(f"  {'the same footers by bare requests':44} {spent:9.1f} ms")


if __name__ == "__main__":
    main()
