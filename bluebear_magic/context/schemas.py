"""Schemas as they were when a dataset was first seen here: what differs now is told by name.

Kept in the user's state folder, one JSON file for a location and the options that read it; never
in the project. Results and copies in the cache folder are made anew each time and are not kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bluebear_magic.folders import cache_folder, state_folder
from bluebear_magic.records import Column

FORMAT = 1


@dataclass(frozen=True)
class Drift:
    """How a dataset's columns differ from those that were kept; ``changed``: name, was, is."""

    dataset: str
    gone: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    changed: tuple[tuple[str, str, str], ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that code may have relied on: gone or of another type."""
        return (*self.gone, *(name for name, _, _ in self.changed))

    def lines(self, uses: Mapping[str, int] | None = None) -> tuple[str, ...]:
        """A line for each column that differs. ``uses``: in how many cells each is used."""

        def used(name: str) -> str:
            count = (uses or {}).get(name, 0)
            return f": used in {count} cell{'s' * (count > 1)}" if count else ""

        gone = [f"{self.dataset}.{name} is gone{used(name)}" for name in self.gone]
        changed = [
            f"{self.dataset}.{name} is {now} now, was {before}{used(name)}"
            for name, before, now in self.changed
        ]
        added = [f"{self.dataset}.{name} is new" for name in self.added]
        return (*gone, *changed, *added)


def drift(name: str, before: Sequence[Column], now: Sequence[Column]) -> Drift | None:
    """What differs between two schemas of a dataset; None where nothing does."""
    old = {column.name: column.type for column in before}
    new = {column.name: column.type for column in now}
    found = Drift(
        name,
        tuple(column for column in old if column not in new),
        tuple(column for column in new if column not in old),
        tuple((key, old[key], new[key]) for key in old if key in new and old[key] != new[key]),
    )
    return found if found != Drift(name) else None


class SchemaStore:
    """The schemas that are kept. What cannot be read or written is as if it were not there."""

    def __init__(self, folder: Path | None = None) -> None:
        self._given = folder

    def load(self, location: str, options: Mapping[str, str]) -> tuple[Column, ...] | None:
        """The columns that are kept for a location; None where there are none."""
        try:
            raw = json.loads(self._file(location, options).read_text(encoding="utf-8"))
            if raw["format"] != FORMAT:
                return None
            return tuple(Column(str(name), str(kind)) for name, kind in raw["columns"])
        except (OSError, RuntimeError, ValueError, KeyError, TypeError):
            return None

    def save(self, location: str, options: Mapping[str, str], columns: Sequence[Column]) -> None:
        """Keeps the columns of a location, in place of those before."""
        if not keeps(location):
            return
        told = {
            "format": FORMAT,
            "location": location,
            "columns": [[column.name, column.type] for column in columns],
        }
        with contextlib.suppress(OSError, RuntimeError):
            path = self._file(location, options)
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, aside = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".json")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(told, file)
                Path(aside).replace(path)
            except OSError:
                Path(aside).unlink(missing_ok=True)
                raise

    def _file(self, location: str, options: Mapping[str, str]) -> Path:
        text = json.dumps([location, sorted(options.items())])
        name = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return (self._given or state_folder() / "schemas") / f"{name}.json"


def keeps(location: str) -> bool:
    """Whether what lies there is the same thing from day to day: neither a variable of a notebook
    nor what Bluebear made itself.
    """
    if location.startswith("frame:"):
        return False
    try:
        return not Path(location).is_relative_to(cache_folder())
    except RuntimeError:  # there is no home folder
        return True
