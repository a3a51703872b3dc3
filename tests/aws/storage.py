"""S3 and Glue as moto serves them on loopback: fixtures, for the tests of any folder."""

import http.server
import io
import os
import threading
import urllib.request

import pytest

from bluebear_magic.aws import Aws
from bluebear_magic.folders import writable

KEYS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@pytest.fixture(scope="session")
def moto():
    """Where it answers, for S3, Glue and STS."""
    from moto.server import ThreadedMotoServer  # seconds, for those who need it

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def clients(moto):
    """A client of S3 and one of Glue; making them takes longer than most tests."""
    import boto3

    session = boto3.Session("testing", "testing", region_name="us-east-1")
    made = session.client("s3", endpoint_url=moto), session.client("glue", endpoint_url=moto)
    yield made
    for client in made:
        client.close()


@pytest.fixture
def no_aws(monkeypatch, tmp_path):
    """No credentials, no region, no settings of whoever runs the tests; caches of this test's own."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    writable.cache_clear()
    yield monkeypatch
    writable.cache_clear()


@pytest.fixture
def cloud(moto, no_aws):
    """boto3 goes to an empty moto."""
    for name, value in {**KEYS, "AWS_ENDPOINT_URL": moto}.items():
        no_aws.setenv(name, value)
    urllib.request.urlopen(urllib.request.Request(f"{moto}/moto-api/reset", method="POST")).close()
    return moto


@pytest.fixture
def s3(cloud, clients):
    """A client of S3, with an empty bucket ``lake``."""
    clients[0].create_bucket(Bucket="lake")
    return clients[0]


@pytest.fixture
def glue(s3, clients):
    """A client of Glue, with an empty database ``shop``; and the bucket ``lake``."""
    clients[1].create_database(DatabaseInput={"Name": "shop"})
    return clients[1]


def put(s3, key, data, bucket="lake"):
    """Puts bytes, text, or a table as Parquet; the size."""
    if isinstance(data, str):
        data = data.encode()
    if not isinstance(data, bytes):
        data = parquet(data)
    s3.put_object(Bucket=bucket, Key=key, Body=data)
    return len(data)


def parquet(table, **options):
    """A table as the bytes of a Parquet file."""
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


class Stub:
    """An S3 or Glue on loopback that answers what a test says, over real HTTP.

    ``answer(method, path, headers)`` gives (status, headers, body); a body that is shorter than
    its ``Content-Length`` breaks off. What was asked is in ``asked``.
    """

    def __init__(self, answer):
        stub = self
        self.asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def do_GET(self):
                length = int(self.headers.get("Content-Length") or 0)
                self.rfile.read(length)
                stub.asked.append((self.command, self.path, dict(self.headers)))
                status, headers, body = answer(self.command, self.path, self.headers)
                self.send_response(status)
                for name, value in {"Content-Length": len(body), **headers}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)
                if int(headers.get("Content-Length", len(body))) != len(body):
                    self.close_connection = True

            do_HEAD = do_POST = do_PUT = do_GET  # noqa: N815 - the library's names

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def stub(no_aws):
    """``stub(answer)``: boto3 goes there, with keys that are none."""
    made = []

    def start(answer, **environment):
        made.append(Stub(answer))
        for name, value in {**KEYS, "AWS_ENDPOINT_URL": made[-1].url, **environment}.items():
            no_aws.setenv(name, value)
        return made[-1]

    yield start
    for item in made:
        item.close()


def fault(code, message, status=403, headers=None):
    """An error as S3 gives it."""
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
    return status, {"Content-Type": "application/xml", **(headers or {})}, body


def listed(keys, size=1000, token=""):
    """A page of a listing as S3 gives it."""
    items = "".join(
        f"<Contents><Key>{key}</Key><Size>{size}</Size><ETag>&quot;{n}&quot;</ETag></Contents>"
        for n, key in enumerate(keys)
    )
    more = f"<NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    body = f"<ListBucketResult><Name>lake</Name>{more}{items}</ListBucketResult>"
    return 200, {"Content-Type": "application/xml"}, body.encode()


def warm(catalog, session):
    """The catalog, over a boto3 session that has read its descriptions of services."""
    clients = catalog._sources.of("s3://lake")._clients
    clients._by_region[""] = Aws(session=session, read_seconds=5)
    return catalog
