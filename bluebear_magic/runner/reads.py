"""Files that count what is read of them, against a budget that several of them share."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any


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
        self._file = Path(path).open("rb", buffering=0)  # noqa: SIM115 - closed with this one
        self.path = path
        self.budget = budget
        self.over = False

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes; with none given, all that is left of the file."""
        if size < 0:
            here = self._file.tell()
            size = self._file.seek(0, io.SEEK_END) - here
            self._file.seek(here)
        if size > self.budget.left:
            self.over = True
            raise OverBudget(f"{self.path}: more to read than the budget of a sample allows")
        data = self._file.read(size) or b""
        self.budget.charge(len(data))
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
