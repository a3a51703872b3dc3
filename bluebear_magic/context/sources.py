"""Where datasets come from: the kinds of places, one after the other.

A package adds a kind with an entry point in the group ``bluebear_magic.sources``: a callable
that is given a ``Place`` and returns a ``Source``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from bluebear_magic.config import Settings
from bluebear_magic.context.clients import Clients
from bluebear_magic.context.database import DatabaseSource
from bluebear_magic.context.files import FORMATS, is_hidden
from bluebear_magic.context.frames import FrameSource
from bluebear_magic.context.glue import GlueSource
from bluebear_magic.context.s3 import S3Source
from bluebear_magic.context.web import WebSource
from bluebear_magic.errors import DatasetError
from bluebear_magic.protocols import Found, Reporter, Source
from bluebear_magic.records import Dataset
from bluebear_magic.runner.envelope import Binding

GROUP = "bluebear_magic.sources"


def _unheard(text: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Place:
    """What a source may need to know. ``folder``: the notebook's; None: the current one.

    ``settings``: those of the session, which may change. ``variables``: gives those of the
    notebook, by name; ``progress`` is told what goes on, ``warn`` what a person should know.
    """

    folder: Path | None = None
    settings: Settings = field(default_factory=Settings)
    variables: Callable[[], Mapping[str, Any]] = dict
    progress: Callable[[str], object] = _unheard
    warn: Callable[[str], object] = _unheard


class FileSource:
    """Files, folders and patterns on this machine; those in the ``data`` folder are found."""

    name = "files"
    leaves_machine = False

    def __init__(self, place: Place) -> None:
        self._folder = place.folder

    def claims(self, location: str) -> bool:
        """Whatever does not name a place of another kind."""
        return not re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", location)

    def complete(self, location: str) -> str:
        """The absolute path."""
        return str((self._folder or Path.cwd()) / Path(location).expanduser())

    def suggest(self, location: str) -> str:
        """A file's name without its endings; of a pattern, the folder that it looks into."""
        path = Path(location)
        while re.search(r"[*?\[]", path.name) or (path.name and "=" in path.name):
            path = path.parent
        name = path.name.removesuffix(".gz")
        base, dot, ending = name.rpartition(".")
        return base if dot and base and (ending.lower() in FORMATS or path.is_file()) else name

    def found(self) -> Sequence[Found]:
        """What lies in the notebook's ``data`` folder."""
        if self._folder is None:
            return ()
        told = []
        for path in _candidates(self._folder / "data"):
            name = self.suggest(str(path))
            ending = path.name.removesuffix(".gz").rpartition(".")[2].lower()
            told.append(Found(name, str(path), f"{name}_{ending}"))
        return told

    def describe(self, name: str, location: str, options: Mapping[str, str]) -> Dataset:
        """See ``local.describe``."""
        from bluebear_magic.context import local

        return local.describe(name, location, options=options)

    def fingerprint(self, location: str, options: Mapping[str, str]) -> str:
        """See ``local.fingerprint``."""
        from bluebear_magic.context import local

        return local.fingerprint(location, options=options)

    def whole(self, dataset: Dataset, reporter: Reporter) -> Binding:
        """The files themselves."""
        return dataset.binding


class Sources:
    """All of them; the first that claims a location is asked about it."""

    def __init__(self, place: Place) -> None:
        clients = Clients(place.settings)
        s3 = S3Source(clients, place.settings)
        self.all: tuple[Source, ...] = (
            FileSource(place),
            FrameSource(place),
            DatabaseSource(place),
            WebSource(place),
            s3,
            GlueSource(clients, s3),
            *_installed(place),
        )

    def of(self, location: str) -> Source:
        """The source of a location. Raises ``DatasetError`` where there is none."""
        for source in self.all:
            if source.claims(location):
                return source
        kinds = ", ".join(source.name for source in self.all)
        hint = f"a local path that looks like this is read as ./{location}"
        if "://" in location:
            hint = "what a server holds, read into a DataFrame, and ask about that"
        raise DatasetError(
            f"{location}: no source of data knows this kind of place", f"there are: {kinds}; {hint}"
        )


def _installed(place: Place) -> list[Source]:
    made = []
    for entry in entry_points(group=GROUP):
        try:
            made.append(entry.load()(place))
        except Exception as error:
            raise DatasetError(
                f"the source of data {entry.name} ({entry.value}) cannot be loaded: {error}",
                "update or uninstall the package that brings it",
            ) from error
    return made


def _candidates(folder: Path) -> Sequence[Path]:
    """Files that are named like data, and folders that hold such."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return ()
    return [path for path in entries if not is_hidden(path.name) and _looks_like_data(path)]


def _looks_like_data(path: Path) -> bool:
    if path.is_dir():
        return any(_named_like_data(inner) for inner in path.rglob("*"))
    return _named_like_data(path)


def _named_like_data(path: Path) -> bool:
    ending = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    return ending in FORMATS and not is_hidden(path.name)
