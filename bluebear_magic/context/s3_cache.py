"""Copies of objects on this machine, bounded: what was used longest ago makes room.

A copy is named by its object's state (ETag), so that a changed object is another copy, and is
laid out as Spark finds partitions: ``<base>/key=value/<name>``. It grows as a ``.part`` beside it
and is moved when it is whole: what an interrupt leaves is gone on from, and never read.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bluebear_magic.aws import STREAMS
from bluebear_magic.aws_storage import StorageError
from bluebear_magic.context.objects import Objects, S3Object
from bluebear_magic.runner.reads import folders

IN_USE = 3600.0  # seconds after which another process no longer reads what it took
_TELL_EVERY = 0.25  # seconds


@dataclass(frozen=True)
class Copy:
    """An object and the file that is, or will be, its copy."""

    item: S3Object
    path: Path

    @property
    def there(self) -> bool:
        """Whether the file is there, whole."""
        try:
            return self.path.stat().st_size == self.item.size
        except OSError:
            return False


class S3Cache:
    """The copies in ``folder``, of at most ``limit()`` bytes once there is something to remove."""

    def __init__(self, folder: Path, objects: Objects, limit: Callable[[], int]) -> None:
        self._folder = folder
        self._objects = objects
        self._limit = limit
        self._mine: set[Path] = set()  # what this process alone is known to use

    def base(self, base_path: str) -> Path:
        """The folder for what lies below a URI."""
        return self._folder / _digest(base_path)

    def of(self, uris: Sequence[str], base_path: str | None) -> tuple[Copy, ...]:
        """The copies of objects, there or not; their folders name the partitions below the base."""
        return tuple(Copy(item, self._place(item, base_path)) for item in self._known(uris))

    def _known(self, uris: Sequence[str]) -> Iterator[S3Object]:
        return map(self._objects.known, uris)

    def _place(self, item: S3Object, base_path: str | None) -> Path:
        base = self.base(base_path or item.uri.rpartition("/")[0])
        return base.joinpath(*folders(item.uri, base_path)) / f"{_digest(item)}{_ending(item.uri)}"

    def fill(self, copies: Sequence[Copy], tell: Callable[[int, int], None] | None = None) -> None:
        """Makes the copies that are missing; ``tell`` gets the bytes so far and of all of them.

        Raises StorageError. An interrupt ends it soon, with nothing broken left.
        """
        missing = [copy for copy in copies if not copy.there]
        now = time.time()
        for copy in copies:
            self._mine.add(copy.path)
            with contextlib.suppress(OSError):
                os.utime(copy.path, (now, now))
        if not missing:
            return
        self._make_room(sum(copy.item.size for copy in missing), {copy.path for copy in copies})
        try:
            _Filling(self._objects, missing, tell).run()
        except OSError as error:
            if isinstance(error, StorageError):
                raise
            raise StorageError(
                f"objects of S3 cannot be copied to {self._folder}: {error.strerror or error}",
                "see that the disk has room, or lower the setting s3_cache_mb",
            ) from error

    def _make_room(self, size: int, keep: set[Path]) -> None:
        """Removes what was used longest ago, until there is room or nothing may be removed."""
        found = []
        for path in self._folder.rglob("*"):
            with contextlib.suppress(OSError):
                state = path.stat()
                if path.is_file():
                    found.append((state.st_mtime, state.st_size, path))
        excess = sum(size for _, size, _ in found) + size - self._limit()
        for used, taken, path in sorted(found):
            if excess <= 0:
                return
            if path in keep or (path not in self._mine and time.time() - used < IN_USE):
                continue
            with contextlib.suppress(OSError):
                path.unlink()
                excess -= taken
                self._mine.discard(path)
                for folder in path.relative_to(self._folder).parents[:-1]:
                    (self._folder / folder).rmdir()  # up to the first that is not empty


class _Filling:
    """One filling: several objects at a time, each in one stream."""

    def __init__(
        self, objects: Objects, copies: Sequence[Copy], tell: Callable[[int, int], None] | None
    ) -> None:
        self._objects = objects
        self._copies = copies
        self._tell = tell
        self._total = sum(copy.item.size for copy in copies)
        self._done = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def run(self) -> None:
        """Until all are there, or one fails, or the user interrupts."""
        pool = ThreadPoolExecutor(STREAMS, thread_name_prefix="bluebear-s3")
        try:
            waiting: set[Future[None]] = {pool.submit(self._copy, copy) for copy in self._copies}
            while waiting:
                ended, waiting = wait(waiting, timeout=_TELL_EVERY)
                if self._tell:
                    self._tell(self._done, self._total)
                for future in ended:
                    future.result()
        finally:
            self._stop.set()
            pool.shutdown(wait=True, cancel_futures=True)

    def _copy(self, copy: Copy) -> None:
        copy.path.parent.mkdir(parents=True, exist_ok=True)
        part = copy.path.with_name(f".{copy.path.name}.part")
        with part.open("ab") as sink:
            try:
                fcntl.flock(sink, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:  # another process is at the same object
                self._copy_apart(copy, part.with_name(f".{os.getpid()}{part.name}"))
            else:
                if not copy.there and self._write(copy, sink):
                    part.replace(copy.path)

    def _copy_apart(self, copy: Copy, part: Path) -> None:
        try:
            with part.open("wb") as sink:
                if self._write(copy, sink):
                    part.replace(copy.path)
        finally:
            part.unlink(missing_ok=True)

    def _write(self, copy: Copy, sink: IO[bytes]) -> bool:
        """Goes on to the end; False where it was told to stop before."""
        begin = sink.seek(0, os.SEEK_END)
        if begin > copy.item.size:
            begin = sink.truncate(0)
        self._count(begin)
        for piece in self._objects.pieces(copy.item, begin, copy.item.size):
            sink.write(piece)
            self._count(len(piece))
            if self._stop.is_set():
                return False
        sink.flush()
        return True

    def _count(self, size: int) -> None:
        with self._lock:
            self._done += size


def _digest(what: object) -> str:
    return hashlib.sha256(repr(what).encode("utf-8", "backslashreplace")).hexdigest()[:20]


def _ending(uri: str) -> str:
    """What readers go by: the format and .gz."""
    found = re.search(r"(\.[A-Za-z0-9]{1,10})?(\.gz)?$", uri.rpartition("/")[2], re.IGNORECASE)
    return found[0].lower() if found else ""
