"""Objects in S3: listed, and read by byte range, each in the state in which it was listed."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bluebear_magic.aws_errors import Call, failures
from bluebear_magic.aws_storage import StorageError
from bluebear_magic.context.clients import Clients

MOST_OBJECTS = 100_000  # of one dataset
FRESH = 5.0  # seconds for which a listing counts, and ten times what it took
TRIES = 4  # for a stream that breaks without giving anything
_KNOWN = 300_000
_PIECE = 1024 * 1024
_DEFAULT_REGION = "us-east-1"  # where boto3 asks S3, alone of all services, when none is set
_ARCHIVES = {"GLACIER", "DEEP_ARCHIVE"}


@dataclass(frozen=True)
class S3Object:
    """One object as it was listed. ``uri`` is ``s3://bucket/key``, the key as it stands."""

    uri: str
    size: int
    etag: str
    archived: bool = False


@dataclass(frozen=True)
class _Listing:
    objects: tuple[S3Object, ...]
    until: float


def split(uri: str) -> tuple[str, str]:
    """Bucket and key."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


class Objects:
    """What S3 has. Raises StorageError, which says which action on which resource failed.

    ``read`` counts the bytes of all objects read so far. A listing counts for so many seconds
    as it is cheap to have, and at most ``recheck()``.
    """

    def __init__(self, clients: Clients, recheck: Callable[[], float] = lambda: 60.0) -> None:
        self._clients = clients
        self._recheck = recheck
        self._known: dict[str, S3Object] = {}
        self._listings: dict[str, _Listing] = {}
        self._owners: dict[str, str] = {}
        self._lock = threading.Lock()
        self.read = 0

    def owned(self, bucket: str, account: str) -> None:
        """From now on, requests for the bucket fail unless it is this account's."""
        self._owners[bucket] = account

    def under(self, prefix: str) -> tuple[S3Object, ...]:
        """All objects whose URIs begin with ``prefix``, sorted by S3.

        A listing of the last seconds counts. Raises StorageError for more than 100,000.
        """
        known = self._listings.get(prefix)
        if known and time.monotonic() < known.until:
            return known.objects
        begun = time.monotonic()
        objects = tuple(self._listed(prefix))
        now = time.monotonic()
        fresh = min(self._recheck(), max(FRESH, 10 * (now - begun)))
        self._listings[prefix] = _Listing(objects, now + fresh)
        return objects

    def forget(self) -> None:
        """Lists anew when it is asked next."""
        self._listings.clear()

    def _listed(self, prefix: str) -> Iterator[S3Object]:
        count, token = 0, ""
        while True:
            answer = self._page(prefix, ContinuationToken=token) if token else self._page(prefix)
            for item in answer.get("Contents", ()):
                count += 1
                yield self._noted(prefix, item)
            if count > MOST_OBJECTS:
                raise StorageError(
                    f"{prefix} holds more than {MOST_OBJECTS:,} objects",
                    "point to a part of it, such as one partition, or write it in larger objects",
                )
            token = answer.get("NextContinuationToken", "")
            if not token:
                return

    def _page(self, prefix: str, **more: str) -> dict[str, Any]:
        bucket, key = split(prefix)
        call = self._call("s3:ListBucket", f"s3://{bucket}", bucket)
        answer: dict[str, Any] = self._clients.ask(
            call,
            lambda client: client.list_objects_v2(
                Bucket=bucket, Prefix=key, **more, **self._owner(bucket)
            ),
        )
        return answer

    def _noted(self, prefix: str, item: dict[str, Any]) -> S3Object:
        bucket, _ = split(prefix)
        found = S3Object(
            f"s3://{bucket}/{item['Key']}",
            int(item["Size"]),
            str(item.get("ETag", "")),
            item.get("StorageClass") in _ARCHIVES,
        )
        if len(self._known) > _KNOWN:
            self._known.clear()
        self._known[found.uri] = found
        return found

    def names(self, folder: str) -> list[str]:
        """What lies directly in a folder, as far as one page tells; folders end in a slash."""
        answer = self._page(folder, Delimiter="/")
        _, key = split(folder)
        folders = [item["Prefix"] for item in answer.get("CommonPrefixes", ())]
        found = [*folders, *(item["Key"] for item in answer.get("Contents", ()))]
        return [name.removeprefix(key) for name in found if name != key]

    def head(self, uri: str) -> S3Object:
        """One object, as it is now."""
        bucket, key = split(uri)
        answer = self._clients.ask(
            self._call("s3:GetObject", uri, bucket),
            lambda client: client.head_object(Bucket=bucket, Key=key, **self._owner(bucket)),
        )
        item = {"Key": key, "Size": answer["ContentLength"], **answer}
        return self._noted(uri, item)

    def known(self, uri: str) -> S3Object:
        """One object as it was last listed; asked for where it was not."""
        return self._known.get(uri) or self.head(uri)

    # --- reading ------------------------------------------------------------

    def size(self, path: str) -> int:
        """Bytes."""
        return self.known(path).size

    def open(self, path: str) -> io.RawIOBase:
        """A file to read and seek in; each read is a request."""
        return _RangeFile(self, self.known(path))

    def pieces(self, item: S3Object, begin: int, end: int) -> Iterator[bytes]:
        """The bytes from ``begin`` to before ``end`` as they arrive; a stream that breaks goes on.

        Raises StorageError, with ``changed`` where the object is no longer the one listed.
        """
        tries, said = 0, None
        bucket, _ = split(item.uri)
        call = self._call("s3:GetObject", item.uri, bucket)
        while begin < end and tries < TRIES:
            tries += 1
            body = self._body(item, begin, end, call)
            try:
                for piece in body.iter_chunks(_PIECE):
                    begin, tries = begin + len(piece), 0
                    with self._lock:
                        self.read += len(piece)
                    yield piece
            except failures() as error:
                said = error
            finally:
                body.close()
        if begin < end:
            raise StorageError(
                f"{item.uri}: the stream broke {TRIES} times at byte {begin:,} of {item.size:,}",
                "try again; what was copied of it so far is kept",
            ) from said

    def _body(self, item: S3Object, begin: int, end: int, call: Call) -> Any:
        bucket, key = split(item.uri)
        given: dict[str, str] = {"IfMatch": item.etag} if item.etag else {}
        try:
            return self._clients.ask(
                call,
                lambda client: client.get_object(
                    Bucket=bucket, Key=key, Range=f"bytes={begin}-{end - 1}", **given,
                    **self._owner(bucket),
                ),
            )["Body"]  # fmt: skip
        except StorageError as error:
            if error.gone or error.changed:
                self.forget()
                self._known.pop(item.uri, None)
            if error.gone:
                message = f"{item.uri} was there when it was listed and is gone"
                raise StorageError(message, "run it again", gone=True, changed=True) from error
            raise

    def _call(self, action: str, resource: str, bucket: str) -> Call:
        owner = self._owners.get(bucket, "")
        region = self._clients.region or _DEFAULT_REGION
        return Call("s3", region, action=action, resource=resource, owner=owner)

    def _owner(self, bucket: str) -> dict[str, str]:
        owner = self._owners.get(bucket)
        return {"ExpectedBucketOwner": owner} if owner else {}


class _RangeFile(io.RawIOBase):
    """An object as a file; a read gives all that it asks for, up to the end."""

    def __init__(self, objects: Objects, item: S3Object) -> None:
        super().__init__()
        self._objects, self._item, self._here = objects, item, 0

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes; with none given, all that is left."""
        end = self._item.size if size < 0 else min(self._here + size, self._item.size)
        if end <= self._here:
            return b""
        data = b"".join(self._objects.pieces(self._item, self._here, end))
        self._here += len(data)
        return data

    def readinto(self, buffer: Any) -> int:
        """Fills ``buffer`` as far as the object goes."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves to ``offset``."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._here, io.SEEK_END: self._item.size}[whence]
        self._here = max(0, origin + offset)
        return self._here

    def tell(self) -> int:
        """Where the next read begins."""
        return self._here

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True
