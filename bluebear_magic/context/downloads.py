"""Downloads into the cache folder: bounded, whole or not at all, known by what the server says.

Only what is asked for leaves the machine: no cookies, no credentials, no referrer.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import ipaddress
import json
import socket
import ssl
import tempfile
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from bluebear_magic.context import urls
from bluebear_magic.context.files import FORMATS
from bluebear_magic.context.sizes import MB, human_size
from bluebear_magic.errors import DatasetError
from bluebear_magic.folders import make_room, touch, writable
from bluebear_magic.version import __version__

FOLDER = "downloads"
KEPT = 2000 * MB  # of all copies together
now = time.monotonic
_PIECE = 1 << 18  # bytes read at a time
_TYPES = {
    "text/csv": "csv", "application/csv": "csv", "text/tab-separated-values": "tsv",
    "application/json": "json", "application/x-ndjson": "jsonl", "application/jsonl": "jsonl",
    "application/vnd.apache.parquet": "parquet", "application/x-parquet": "parquet",
    "text/plain": "csv",
}  # fmt: skip
_PAGES = (b"<!doctype html", b"<html", b"<?xml", b"<head", b"<body")


@dataclass(frozen=True)
class Wanted:
    """What to fetch: the URL, how people see it, at most so many MB, seconds without an answer."""

    url: str
    shown: str
    limit_mb: int
    seconds: float


@dataclass(frozen=True)
class Copy:
    """A file that was fetched: where it lies, the hash of its content, what the server said."""

    path: Path
    content: str
    etag: str = ""
    modified: str = ""
    length: str = ""

    @property
    def validated(self) -> bool:
        """Whether the server tells when the file changes."""
        return bool(self.etag or self.modified)


class NoAnswer(DatasetError):
    """The server cannot be reached now, or has no answer; an earlier copy may do."""


def fetch(wanted: Wanted, progress: Callable[[str], object]) -> Copy:
    """The file, from the cache where the server says that it is the same.

    Raises DatasetError, and leaves nothing, where it cannot be had.
    """
    folder, known = _folder(wanted), kept(wanted)
    progress(f"asking for {wanted.shown}")
    with _answered(wanted, known) as answer:
        if answer is None:
            assert known is not None
            touch(folder)
            return known
        return _store(folder, answer, wanted, progress)


def has_changed(wanted: Wanted, known: Copy) -> bool:
    """Whether the server has another file now; of the file, at most its beginning is read."""
    with _answered(wanted, known) as answer:
        return answer is not None


# --- the conversation -------------------------------------------------------


class Redirects(urllib.request.HTTPRedirectHandler):
    """Follows only to where the user could have meant to go."""

    max_redirections = 5

    def http_error_302(self, req: Any, fp: Any, code: int, msg: str, headers: Any) -> Any:
        """Refuses steps to another protocol and into a private network."""
        to = urljoin(req.full_url, headers.get("location") or "")
        why = _unfit(req.full_url, to)
        if why:
            fp.close()
            raise Refused(f"it leads on to {urls.shown(to)}, {why}")
        return super().http_error_302(req, fp, code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


class Refused(Exception):
    """A redirect that is not followed."""


def _unfit(old: str, new: str) -> str:
    """Why a step from one URL to the other is not taken; ''."""
    was, will = urlsplit(old), urlsplit(new)
    if will.scheme not in {"http", "https"} or (was.scheme, will.scheme) == ("https", "http"):
        return "which is less safe"
    if _is_private(will.hostname or "") and not _is_private(was.hostname or ""):
        return "a machine of a private network"
    return ""


def _is_private(host: str) -> bool:
    """Whether a name means a machine that the internet does not reach."""
    try:
        found = {item[4][0] for item in socket.getaddrinfo(host, None)}
    except OSError:
        return False  # opening it says so
    return any(not ipaddress.ip_address(str(address).split("%")[0]).is_global for address in found)


@contextmanager
def _answered(wanted: Wanted, known: Copy | None) -> Iterator[Any]:
    """The server's answer; None where it has what is known. DatasetError in one sentence."""
    headers = {"Accept-Encoding": "identity", "User-Agent": f"bluebear-magic/{__version__}"}
    if known and known.etag:
        headers["If-None-Match"] = known.etag
    elif known and known.modified:
        headers["If-Modified-Since"] = known.modified
    request = urllib.request.Request(wanted.url, headers=headers)  # noqa: S310 - http or https: claimed
    opener = urllib.request.build_opener(Redirects())
    with _translated(wanted.shown, wanted.seconds):
        try:
            answer = opener.open(request, timeout=wanted.seconds)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 304 and known is not None:
                yield None
                return
            raise
        with answer:
            same = known is not None and known.validated and _said(answer.headers) == (
                known.etag, known.modified, known.length
            )  # fmt: skip
            yield None if same else answer


@contextmanager
def _translated(shown: str, seconds: float) -> Iterator[None]:
    """What goes wrong on the way, as a sentence."""
    try:
        yield
    except urllib.error.HTTPError as error:
        raise _http_error(shown, error) from error
    except Refused as error:
        raise DatasetError(
            f"{shown}: {error}", "Add the address that it leads to, if that is what you mean."
        ) from error
    except http.client.HTTPException as error:
        raise NoAnswer(
            f"{shown}: the answer broke off or cannot be understood ({type(error).__name__})",
            "Try again.",
        ) from error
    except TimeoutError as error:
        raise _too_slow(shown, seconds) from error
    except urllib.error.URLError as error:
        raise _not_reached(shown, seconds, error) from error
    except OSError as error:
        raise NoAnswer(f"{shown}: {error.strerror or error}", "Try again.") from error


def _http_error(shown: str, error: urllib.error.HTTPError) -> DatasetError:
    if error.code in {401, 403, 407}:
        return DatasetError(
            f"{shown}: the server does not give it to you without a login ({error.code})",
            "Check the address; what needs a login, download yourself, and add the file.",
        )
    if error.code in {404, 410}:
        return DatasetError(
            f"{shown}: there is no such file on the server ({error.code})", "Check the address."
        )
    if error.code in {301, 302, 303, 307, 308}:
        return DatasetError(f"{shown}: the server leads nowhere", "Check the address.")
    if error.code == 429 or error.code >= 500:
        return NoAnswer(
            f"{shown}: the server has no answer now ({error.code} {error.reason})", "Try later."
        )
    return DatasetError(
        f"{shown}: the server refuses ({error.code} {error.reason})", "Check the address."
    )


def _not_reached(shown: str, seconds: float, error: urllib.error.URLError) -> DatasetError:
    reason = error.reason
    if isinstance(reason, TimeoutError):
        return _too_slow(shown, seconds)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return DatasetError(
            f"{shown}: the server's certificate cannot be trusted ({reason.verify_message})",
            "Check the address; behind a company's proxy, SSL_CERT_FILE names its certificates.",
        )
    if isinstance(reason, ssl.SSLError):
        return DatasetError(
            f"{shown}: no safe connection can be made ({reason.reason or reason})",
            "See whether the server speaks https there.",
        )
    host = urlsplit(shown).hostname
    if isinstance(reason, socket.gaierror):
        return NoAnswer(f"{shown}: there is no server {host}", "Check the name and the network.")
    if isinstance(reason, ConnectionRefusedError):
        return NoAnswer(
            f"{shown}: {host} does not answer at this port", "Check the address and the network."
        )
    return NoAnswer(f"{shown}: cannot be reached ({reason})", "Check the address and the network.")


def _too_slow(shown: str, seconds: float) -> NoAnswer:
    return NoAnswer(
        f"{shown}: nothing came within {seconds:g} seconds",
        "Try again, or give it more time: %config Bluebear.download_seconds = ...",
    )


# --- the file ---------------------------------------------------------------


def _said(headers: Any) -> tuple[str, str, str]:
    """What tells one state of the file from another: ETag, time of change, length."""
    return tuple(headers.get(name) or "" for name in ("ETag", "Last-Modified", "Content-Length"))  # type: ignore[return-value]


def _folder(wanted: Wanted) -> Path:
    return writable(FOLDER) / hashlib.sha256(wanted.url.encode()).hexdigest()[:32]


def kept(wanted: Wanted) -> Copy | None:
    """The copy of an earlier download, in whatever state the server's file is."""
    folder = _folder(wanted)
    try:
        raw = json.loads((folder / "_copy.json").read_text(encoding="utf-8"))
        copy = Copy(**{**raw, "path": folder / raw["path"]})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return copy if copy.path.is_file() else None


def _store(folder: Path, answer: Any, wanted: Wanted, progress: Callable[[str], object]) -> Copy:
    """The body in a folder of its own, written aside and moved when it is whole."""
    etag, modified, length = _said(answer.headers)
    _check_size(int(length) if length.isdecimal() else 0, wanted)
    make_room(folder.parent, wanted.limit_mb * MB, KEPT)
    try:
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="new-") as aside:
            made = Path(aside, "made")
            made.mkdir()
            raw = Path(aside, "raw")
            content = _receive(answer, raw, wanted, progress)
            if answer.headers.get("Content-Encoding", "").lower() == "gzip":
                _unpack(raw, wanted)
            name = _file_name(raw, answer, wanted)
            raw.rename(made / name)
            copy = Copy(Path(name), content, etag, modified, length)
            (made / "_copy.json").write_text(json.dumps(asdict(copy), default=str))
            if folder.exists():
                folder.rename(Path(aside, "old"))
            made.rename(folder)
    except OSError as error:
        if isinstance(error, TimeoutError | ConnectionError | ssl.SSLError):
            raise
        raise DatasetError(
            f"{wanted.shown} cannot be kept in {folder.parent}: {error.strerror or error}",
            "See that this folder can be written and has room.",
        ) from error
    return Copy(folder / name, content, etag, modified, length)


def _receive(answer: Any, target: Path, wanted: Wanted, progress: Callable[[str], object]) -> str:
    """Writes the body; its hash. Raises DatasetError where it is empty, too large or cut off."""
    digest, size = hashlib.sha256(), 0
    length = answer.headers.get("Content-Length") or ""
    of = f" of {human_size(int(length))}" if length.isdecimal() else ""
    told = now()
    with target.open("wb") as sink:
        while piece := answer.read(_PIECE):
            size += len(piece)
            _check_size(size, wanted)
            if size == len(piece):
                _check_page(piece, wanted)
            sink.write(piece)
            digest.update(piece)
            if now() - told > 0.2:
                told = now()
                progress(f"downloading {wanted.shown}: {human_size(size)}{of}")
    if length.isdecimal() and size < int(length):
        raise http.client.IncompleteRead(b"", int(length) - size)
    if size == 0:
        raise DatasetError(f"{wanted.shown}: the file is empty", "Check the address.")
    return digest.hexdigest()


def _check_size(size: int, wanted: Wanted) -> None:
    if size > wanted.limit_mb * MB:
        raise DatasetError(
            f"{wanted.shown} is larger than the {wanted.limit_mb} MB that are downloaded",
            "Download it yourself, or raise the setting download_mb "
            "(%config Bluebear.download_mb = ...).",
        )


def _check_page(head: bytes, wanted: Wanted) -> None:
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:20].lower()
    if text.startswith(_PAGES):
        kind = "an XML document" if text.startswith(b"<?xml") else "a web page"
        raise DatasetError(
            f"{wanted.shown} is {kind}, not data",
            "Open it in a browser and take the address of the file itself (often called raw "
            "or download); a page may also ask for a login.",
        )


def _unpack(path: Path, wanted: Wanted) -> None:
    """What a server has packed unasked, plain again."""
    plain = path.with_suffix(".plain")
    size = 0
    try:
        with gzip.open(path) as source, plain.open("wb") as sink:
            while piece := source.read(_PIECE):
                if not size:
                    _check_page(piece, wanted)
                size += len(piece)
                _check_size(size, wanted)
                sink.write(piece)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        return  # it only said so
    plain.replace(path)


def _file_name(path: Path, answer: Any, wanted: Wanted) -> str:
    """A name whose ending tells the format: of the URL, of where it led to, of what was said."""
    given = answer.headers.get_filename() or ""
    urls = (wanted.url, answer.geturl())
    names = [given, *(PurePosixPath(unquote(urlsplit(url).path)).name for url in urls)]
    endings = [ending for ending in map(_ending, names) if ending]
    said = _TYPES.get(answer.headers.get_content_type(), "")
    with path.open("rb") as stream:
        magic = stream.read(4)
    packed = ".gz" if magic[:2] == b"\x1f\x8b" else ""
    if magic == b"PAR1":
        return "data.parquet"
    ending = endings[0] if endings else said
    return f"data.{ending}{packed}" if ending else "data"


def _ending(name: str) -> str:
    ending = name.lower().removesuffix(".gz").rpartition(".")[2]
    return ending if ending in FORMATS or ending == "txt" else ""
