"""Files behind URLs: fetched once, bounded, known again, and one sentence for what goes wrong."""

from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import io
import json
import socket
import ssl
import threading
import time
import urllib.request
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bluebear_magic.config import Settings
from bluebear_magic.context import downloads
from bluebear_magic.context.catalog import Catalog
from bluebear_magic.context.sources import Place
from bluebear_magic.errors import DatasetError
from bluebear_magic.folders import writable

CSV = b"region,amount\nNORTH,1\n"


class Server:
    """Answers as it is told to: ``pages`` are (status, headers, body) by path, ``asked`` what came."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.pause = 0.0
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                site.answer(self)

            def log_message(self, *args):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        serve = partial(self.http.serve_forever, poll_interval=0.01)
        threading.Thread(target=serve, daemon=True).start()
        self.base = f"http://127.0.0.1:{self.http.server_port}"

    def put(self, path, body, status=200, **headers):
        self.pages[path] = (status, {key.replace("_", "-"): v for key, v in headers.items()}, body)

    def answer(self, request):
        self.asked.append((request.path, dict(request.headers)))
        time.sleep(self.pause)
        path = request.path.partition("?")[0]
        page = self.pages.get(request.path) or self.pages.get(path)
        status, headers, body = page or (404, {}, b"none")
        if headers.get("ETag") and request.headers.get("If-None-Match") == headers["ETag"]:
            status, body = 304, b""
        request.send_response(status)
        for key, value in {"Content-Length": str(len(body)), **headers}.items():
            request.send_header(key, value)
        request.end_headers()
        with contextlib.suppress(OSError):  # who asked may have gone
            request.wfile.write(body)
        request.close_connection = True

    def close(self):
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def _on_loopback(own_cache, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


class Session:
    """A catalog, and what it told."""

    def __init__(self, folder, **settings) -> None:
        self.told: list[str] = []
        self.settings = Settings(recheck_seconds=0, download_seconds=2, **settings)
        place = Place(folder, self.settings, progress=self.told.append, warn=self.told.append)
        self.catalog = Catalog(folder, place)

    def add(self, location, **options):
        return self.catalog.add("t", location, **options)

    def refused(self, location) -> str:
        with pytest.raises(DatasetError) as caught:
            self.add(location)
        return f"{caught.value.message}\n{caught.value.hint}"


@pytest.fixture
def session(tmp_path):
    return Session(tmp_path)


def columns(dataset) -> list[str]:
    return [column.name for column in dataset.columns]


def left() -> list[str]:
    """What lies in the folder of downloads, but for whole ones."""
    folders = writable(downloads.FOLDER).iterdir()
    return [entry.name for entry in folders if not (entry / "_copy.json").exists()]


def parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"region": ["NORTH"], "amount": [1]}), sink)
    return sink.getvalue()


# --- what is read -----------------------------------------------------------

KINDS = {
    "/a.csv": (CSV, {}, "csv"),
    "/a.csv.gz": (gzip.compress(CSV), {}, "csv"),
    "/plain.csv.gz": (CSV, {}, "csv"),  # named so, but unpacked on the way
    "/packed.csv": (gzip.compress(CSV), {"Content_Encoding": "gzip"}, "csv"),
    "/a.jsonl": (b'{"region": "NORTH", "amount": 1}\n', {}, "json"),
    "/a.parquet": (parquet(), {}, "parquet"),
    "/download?id=7": (CSV, {"Content_Type": "text/csv; charset=utf-8"}, "csv"),
    "/blob": (parquet(), {"Content_Type": "application/octet-stream"}, "parquet"),
    "/file": (CSV, {"Content_Disposition": 'attachment; filename="my sales.csv"'}, "csv"),
    "/my%20sales.csv": (CSV, {}, "csv"),
}


@pytest.mark.parametrize("path", KINDS)
def test_the_format_is_told_by_the_address_the_server_or_the_file(session, server, path):
    body, headers, kind = KINDS[path]
    server.put(path, body, ETag='"1"', **headers)
    dataset = session.add(server.base + path)
    assert (dataset.format, columns(dataset)) == (kind, ["region", "amount"])
    assert dataset.warnings == ()


def test_a_name_is_made_of_the_address(session, server):
    server.put("/data/my%20sales.csv?key=s3cret", CSV, ETag='"1"')
    dataset = session.catalog.add_path(f"{server.base}/data/my%20sales.csv?key=s3cret#top")
    assert dataset.name == "my_sales"
    assert dataset.location == f"{server.base}/data/my%20sales.csv?…"


def test_an_address_may_be_written_as_people_do(session, server):
    server.put("/caf%C3%A9%20data.csv", CSV, ETag='"1"')
    dataset = session.catalog.add_path(f"{server.base}/café data.csv".replace("http:", "HTTP:"))
    assert dataset.name == "caf_data"
    assert columns(dataset) == ["region", "amount"]


def test_options_of_the_reader_count(session, server):
    server.put("/a.csv", b"region;amount\nNORTH;1\n", ETag='"1"')
    assert columns(session.add(f"{server.base}/a.csv", sep=";")) == ["region", "amount"]
    server.put("/export", CSV, ETag='"1"')
    assert session.add(f"{server.base}/export", format="csv").format == "csv"
    told = session.refused(f"{server.base}/other")
    assert f"{server.base}/other: there is no such file" in told


def test_nothing_of_the_user_leaves(session, server):
    server.put("/a.csv", CSV, ETag='"1"')
    session.add(f"{server.base}/a.csv")
    ((_, headers),) = server.asked
    assert set(headers) == {"Accept-Encoding", "Host", "User-Agent", "Connection"}
    assert headers["User-Agent"].startswith("bluebear-magic/")


# --- once, and again --------------------------------------------------------


def test_a_file_is_fetched_once_also_by_another_session(session, server, tmp_path):
    server.put("/a.csv", CSV, ETag='"1"')
    before = session.add(f"{server.base}/a.csv")
    assert session.catalog.get("t") is before
    other = Session(tmp_path).add(f"{server.base}/a.csv")
    assert other == before
    assert [headers.get("If-None-Match") for _, headers in server.asked] == [None, '"1"', '"1"']


@pytest.mark.parametrize("header", ["ETag", "Last-Modified"])
def test_another_file_is_noticed_without_a_download(session, server, header):
    server.put("/a.csv", CSV, **{header: "Mon, 01 Jan 2024 10:00:00 GMT"})
    before = session.add(f"{server.base}/a.csv")
    assert session.catalog.get("t") is before
    server.put("/a.csv", CSV + b"SOUTH,2\n", **{header: "Mon, 01 Jan 2024 10:00:01 GMT"})
    after = session.catalog.get("t")
    assert after.fingerprint != before.fingerprint
    assert after.size_bytes == len(CSV) + 8


def test_a_server_is_asked_again_only_after_a_while(session, server):
    server.put("/a.csv", CSV, ETag='"1"')
    session.settings.recheck_seconds = 60
    before = session.add(f"{server.base}/a.csv")
    server.put("/a.csv", CSV + b"SOUTH,2\n", ETag='"2"')
    assert session.catalog.get("t") is before
    assert len(server.asked) == 1


def test_a_server_that_does_not_tell_is_asked_once_and_that_is_told(session, server):
    server.put("/a.csv", CSV)
    dataset = session.add(f"{server.base}/a.csv")
    assert "its server does not tell when the file changes" in dataset.warnings[0]
    assert session.catalog.get("t") is dataset
    assert len(server.asked) == 1
    server.put("/a.csv", CSV + b"SOUTH,2\n")
    assert session.add(f"{server.base}/a.csv").fingerprint != dataset.fingerprint


def test_without_the_network_the_copy_counts_and_that_is_told(session, server, tmp_path):
    server.put("/a.csv", CSV, ETag='"1"')
    dataset = session.add(f"{server.base}/a.csv")
    server.put("/a.csv", b"", status=503)
    assert session.catalog.get("t") is dataset
    assert "503 Service Unavailable): the copy of an earlier download is used" in session.told[-1]
    server.close()
    assert session.catalog.get("t") is dataset
    assert "127.0.0.1 does not answer at this port: the copy of" in session.told[-1]
    other = Session(tmp_path)
    assert other.add(f"{server.base}/a.csv") == dataset
    assert "the copy of an earlier download is used" in other.told[-1]


def test_a_file_that_is_gone_is_told(session, server):
    server.put("/a.csv", CSV, ETag='"1"')
    session.add(f"{server.base}/a.csv")
    del server.pages["/a.csv"]
    for seconds in (0, 60):  # the copy does not come back
        session.settings.recheck_seconds = seconds
        with pytest.raises(DatasetError, match="there is no such file on the server"):
            session.catalog.get("t")


def test_a_copy_that_was_removed_is_fetched_again(session, server):
    server.put("/a.csv", CSV, ETag='"1"')
    (path,) = session.add(f"{server.base}/a.csv").paths
    pa.fs.LocalFileSystem().delete_file(path)
    assert columns(session.catalog.get("t")) == ["region", "amount"]


# --- what goes wrong --------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (401, "does not give it to you without a login (401)"),
        (403, "does not give it to you without a login (403)"),
        (404, "there is no such file on the server (404)"),
        (410, "there is no such file on the server (410)"),
        (418, "the server refuses (418"),
        (429, "the server has no answer now (429 Too Many Requests)"),
        (500, "the server has no answer now (500 Internal Server Error)"),
    ],
)
def test_a_refusal_is_one_sentence(session, server, status, told):
    server.put("/a.csv", b"why", status=status)
    said = session.refused(f"{server.base}/a.csv?signature=s3cret")
    assert told in said
    assert "s3cret" not in said


@pytest.mark.parametrize(
    "body",
    [b"<!DOCTYPE html><html>", b"\n  <html lang='en'>", b"\xef\xbb\xbf<HTML>"],
)
def test_a_page_named_like_data_is_told(session, server, body):
    server.put("/a.csv", body, Content_Type="text/html")
    assert "/a.csv is a web page, not data" in session.refused(f"{server.base}/a.csv")
    server.put("/a.csv", gzip.compress(body), Content_Encoding="gzip")
    assert "/a.csv is a web page, not data" in session.refused(f"{server.base}/a.csv")
    server.put("/a.csv", b'<?xml version="1.0"?><Error>')
    assert "/a.csv is an XML document, not data" in session.refused(f"{server.base}/a.csv")
    assert left() == []


def test_what_is_no_table_is_told_by_its_address(session, server):
    server.put("/a.csv", b"a,b\n1,2\n3\n")
    assert f"{server.base}/a.csv" in session.refused(f"{server.base}/a.csv")
    server.put("/a.parquet", b"no parquet at all")
    said = session.refused(f"{server.base}/a.parquet")
    assert f"{server.base}/a.parquet" in said
    assert "cache" not in said


def test_an_empty_file_is_told(session, server):
    server.put("/a.csv", b"")
    assert "/a.csv: the file is empty" in session.refused(f"{server.base}/a.csv")


@pytest.mark.parametrize("length", [True, False])
def test_a_file_beyond_the_limit_is_not_downloaded(tmp_path, server, length):
    session = Session(tmp_path, download_mb=1)
    server.put("/a.csv", CSV * 60_000, **({} if length else {"Content_Length": ""}))
    said = session.refused(f"{server.base}/a.csv")
    assert "/a.csv is larger than the 1 MB that are downloaded" in said
    assert "download_mb" in said
    assert left() == []


def test_what_unpacks_beyond_the_limit_is_refused(tmp_path, server):
    session = Session(tmp_path, download_mb=1)
    server.put("/a.csv", gzip.compress(CSV * 60_000), Content_Encoding="gzip")
    assert "larger than the 1 MB" in session.refused(f"{server.base}/a.csv")
    assert left() == []


def test_a_file_that_is_cut_off_is_not_kept(session, server):
    server.put("/a.csv", CSV, Content_Length="100")
    assert "the answer broke off" in session.refused(f"{server.base}/a.csv")
    assert left() == []


def test_a_server_that_keeps_silent_is_left(session, server):
    session.settings.download_seconds = 1
    server.pause = 3
    server.put("/a.csv", CSV)
    begun = time.monotonic()
    said = session.refused(f"{server.base}/a.csv")
    assert "nothing came within 1 seconds" in said
    assert "download_seconds" in said
    assert time.monotonic() - begun < 2.5


def test_no_server_and_no_such_host(session):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    said = session.refused(f"http://127.0.0.1:{port}/a.csv")
    assert "127.0.0.1 does not answer at this port" in said
    assert "there is no server nowhere.invalid" in session.refused("https://nowhere.invalid/a.csv")


def test_a_server_that_speaks_no_tls(session, server):
    said = session.refused(server.base.replace("http:", "https:") + "/a.csv")
    assert "no safe connection can be made" in said


def test_a_certificate_that_nobody_trusts(session, server, tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path))
    server.http.socket = context.wrap_socket(server.http.socket, server_side=True)
    said = session.refused(server.base.replace("http:", "https:") + "/a.csv")
    assert "the server's certificate cannot be trusted" in said


def certificate(folder):
    """A key and a certificate that it has signed itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.timezone.utc)
    made = x509.CertificateBuilder(
        issuer_name=name, subject_name=name, public_key=key.public_key(), serial_number=1,
        not_valid_before=now, not_valid_after=now + dt.timedelta(hours=1),
    ).sign(key, hashes.SHA256())  # fmt: skip
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    file = folder / "server.pem"
    file.write_bytes(
        made.public_bytes(pem) + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    )
    return file


def test_an_interrupt_leaves_nothing(session, server):
    server.put("/a.csv", CSV)
    place = Place(None, session.settings, progress=interrupt)
    with pytest.raises(KeyboardInterrupt):
        Catalog(None, place).add("t", f"{server.base}/a.csv")
    assert left() == []


def interrupt(text):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("https:///a.csv", "names no server"),
        ("http://127.0.0.1:port/a.csv", "is no address (Port could not be cast"),
        ("http://[::1/a.csv", "is no address"),
        ("https://me:s3cret@127.0.0.1/a.csv", "https://127.0.0.1/a.csv holds a password"),
        ("ftp://127.0.0.1/a.csv", "no source of data knows this kind of place"),
    ],
)
def test_addresses_that_are_none(session, location, told):
    said = session.refused(location)
    assert told in said
    assert "s3cret" not in said


# --- where it leads ---------------------------------------------------------


def test_a_redirect_is_followed_and_its_format_counts(session, server):
    server.put("/latest", b"", status=302, Location="/a.csv")
    server.put("/a.csv", CSV, ETag='"1"')
    assert session.add(f"{server.base}/latest").format == "csv"


def test_a_redirect_in_circles_ends(session, server):
    server.put("/a.csv", b"", status=302, Location="/a.csv")
    assert "the server leads nowhere" in session.refused(f"{server.base}/a.csv")


@pytest.mark.parametrize("to", ["file:///etc/hostname", "ftp://127.0.0.1/a.csv"])
def test_a_redirect_to_another_protocol_is_not_followed(session, server, to):
    server.put("/a.csv", b"", status=302, Location=to)
    assert f"leads on to {to}" in session.refused(f"{server.base}/a.csv")


@pytest.mark.parametrize(
    "to",
    ["http://127.0.0.1/", "http://169.254.169.254/latest/", "http://10.0.0.1/", "http://[::1]/"],
)
def test_the_internet_does_not_lead_into_a_private_network(to):
    """The step alone: a public server would take the network."""
    for old, new in (("http://8.8.8.8/a.csv", to), ("https://8.8.8.8/a", "http://8.8.8.8/a")):
        request = urllib.request.Request(old)
        with io.BytesIO() as body, pytest.raises(downloads.Refused) as caught:
            downloads.Redirects().http_error_302(request, body, 302, "", {"location": new})
        told = "a machine of a private network" if new == to else "which is less safe"
        assert told in str(caught.value)


def test_progress_tells_how_far_it_is(session, server, monkeypatch):
    server.put("/a.csv", CSV * 20_000)
    clock = iter(range(1000))
    monkeypatch.setattr(downloads, "now", lambda: next(clock))
    session.add(f"{server.base}/a.csv")
    assert session.told[0] == f"asking for {server.base}/a.csv"
    assert session.told[1].startswith(f"downloading {server.base}/a.csv: 262.1 kB of 440.0 kB")
    assert json.loads(next(writable(downloads.FOLDER).glob("*/_copy.json")).read_text())["length"]
