"""Files to read, here or elsewhere; what is read of them counts against a budget.

A path with a scheme, such as ``s3://bucket/key``, lies in a ``Store``, which the trusted side
registers: this layer knows of none. Whatever it cannot give it tells with an OSError.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

BLOCK = 256 * 1024  # bytes asked of a store at once, at least: a request costs more than they do
BLOCKS = 64  # kept of one file: the columns of a Parquet file are read in turn

_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")


class Store(Protocol):
    """Where the files of one scheme lie. Every method raises OSError."""

    def open(self, path: str) -> io.RawIOBase:
        """A file to read and seek in; each read is a request."""

    def size(self, path: str) -> int:
        """Bytes."""

    def copies(self, paths: Sequence[str], base_path: str | None) -> tuple[str, ...]:
        """Whole copies on this machine, in the same order, made where they are missing.

        Their folders name the same partitions, from ``copies_base(base_path)`` on.
        """

    def copies_base(self, base_path: str) -> str:
        """Where the copies of what lies below ``base_path`` are counted from."""


_stores: dict[str, Store] = {}  # by scheme; those of the session that was at work last


def register(scheme: str, store: Store) -> None:
    """From now on, paths of that scheme are read from ``store``."""
    _stores[scheme] = store


def store_of(path: str) -> Store | None:
    """The store that a path lies in; None for a file of this machine.

    Raises OSError for a scheme that nobody registered.
    """
    found = _URI.match(path)
    if found is None:
        return None
    if found[1] not in _stores:
        raise OSError(f"{path}: nothing here reads {found[1]}://")
    return _stores[found[1]]


def folders(path: str, base_path: str | None) -> tuple[str, ...]:
    """The folders between a base and a file below it; none without a base.

    Of a URI only those named key=value: the others may mean anything on this machine.
    """
    if not base_path:
        return ()
    if _URI.match(path) is None:
        return Path(path).parent.relative_to(base_path).parts
    below = path.removeprefix(base_path.rstrip("/") + "/")
    parts = [part for part in below.split("/")[:-1] if "=" in part]
    return tuple(part.replace(":", "%3A") for part in parts)  # as Spark writes them


class OverBudget(OSError):
    """More would have been read than the budget allows."""


@dataclass
class Budget:
    """``left`` bytes may still be read; ``spent`` were."""

    left: int
    spent: int = 0

    def part(self, share: int) -> Budget:
        """A budget of one ``share``-th of what is left, to be given back with ``charge``."""
        return Budget(self.left // max(1, share))

    def charge(self, size: int) -> None:
        """Notes ``size`` bytes as read."""
        self.left -= size
        self.spent += size


@dataclass(frozen=True)
class Quota:
    """What one file may give and cost: ``rows`` taken at ``spots`` places, out of ``budget``.

    ``aim`` bytes and ``look`` rows of columnar data read are enough. ``place`` is where one
    spot would be, from 0 for the head to 1 for the tail.
    """

    rows: int
    spots: int
    budget: Budget
    aim: int = 0
    look: int = 0
    place: float = 0


class CountedFile(io.RawIOBase):
    """A file to read, whose bytes are charged to a budget. Raises OverBudget beforehand.

    ``over`` says afterwards that it did: libraries hide the error in others of their own.
    """

    def __init__(self, path: str, budget: Budget) -> None:
        super().__init__()
        store = store_of(path)
        if store is None:
            self._file: io.RawIOBase = Path(path).open("rb", buffering=0)  # noqa: SIM115 - closed with this one
        else:
            self._file = _Blocks(store.open(path))
        self.path = path
        self.budget = budget
        self.over = False

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes; with none given, all that is left of the file."""
        if size < 0:
            here = self._file.tell()
            size = self._file.seek(0, io.SEEK_END) - here
            self._file.seek(here)
        blocks = self._file if isinstance(self._file, _Blocks) else None
        cost = blocks.missing(size) if blocks else size
        if cost > self.budget.left:
            self.over = True
            raise OverBudget(f"{self.path}: more to read than the budget of a sample allows")
        if blocks:
            data, cost = blocks.take(size, self.budget.left)
        else:
            data = self._file.read(size) or b""
            cost = len(data)
        self.budget.charge(cost)
        return data

    def readinto(self, buffer: Any) -> int:
        """Fills ``buffer`` as far as the file goes."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves to ``offset``."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Where the next read begins."""
        return self._file.tell()

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def close(self) -> None:
        """Closes the file itself."""
        self._file.close()
        super().close()


class _Blocks(io.RawIOBase):
    """A file elsewhere, read in blocks of some size, of which the latest are kept."""

    def __init__(self, file: io.RawIOBase) -> None:
        super().__init__()
        self._file = file
        self._size = file.seek(0, io.SEEK_END)
        self._here = 0
        self._kept: dict[int, bytes] = {}  # by where they begin; the latest last

    def missing(self, size: int) -> int:
        """How many of the next ``size`` bytes would have to be fetched."""
        end = min(self._here + size, self._size)
        return max(0, end - self._reached(self._here))

    def take(self, size: int, most: int) -> tuple[bytes, int]:
        """The next ``size`` bytes, and how many were fetched for them, at ``most``."""
        end, fetched, pieces = min(self._here + size, self._size), 0, []
        while self._here < end:
            begin = self._holder(self._here)
            if begin is None:
                begin = self._here
                fetched += self._fetch(begin, min(max(end - begin, BLOCK), most - fetched))
            block = self._kept[begin]
            pieces.append(block[self._here - begin : end - begin])
            self._here += len(pieces[-1])
        return b"".join(pieces), fetched

    def _holder(self, place: int) -> int | None:
        """Where the kept block begins that a place is in."""
        return next((b for b, data in self._kept.items() if b <= place < b + len(data)), None)

    def _reached(self, place: int) -> int:
        """Up to where the bytes from ``place`` on are kept."""
        while (begin := self._holder(place)) is not None:
            place = begin + len(self._kept[begin])
        return place

    def _fetch(self, begin: int, size: int) -> int:
        self._file.seek(begin)
        data = self._file.read(size)
        if not data:
            raise OSError("the file has become shorter while it was read")
        self._kept[begin] = data
        if len(self._kept) > BLOCKS:
            del self._kept[next(iter(self._kept))]
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves to ``offset``."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._here, io.SEEK_END: self._size}[whence]
        self._here = max(0, origin + offset)
        return self._here

    def tell(self) -> int:
        """Where the next read begins."""
        return self._here

    def close(self) -> None:
        """Closes the file itself."""
        self._file.close()
        super().close()
