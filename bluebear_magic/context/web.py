"""Files behind URLs, as datasets: downloaded once, and again when their server has others."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from bluebear_magic.context.files import FORMATS
from bluebear_magic.context.urls import shown
from bluebear_magic.errors import DatasetError
from bluebear_magic.protocols import Found, Reporter
from bluebear_magic.records import Dataset
from bluebear_magic.runner.envelope import Binding

if TYPE_CHECKING:
    from bluebear_magic.context.downloads import Copy, Wanted
    from bluebear_magic.context.sources import Place


@dataclass
class _Held:
    """A file as it was last seen: when that was (a monotonic time), and the copy of it."""

    copy: Copy
    seen: float


class WebSource:
    """``https://`` and ``http://``: CSV, JSON lines, Parquet and ORC, also packed by gzip."""

    name = "URLs"
    leaves_machine = True

    def __init__(self, place: Place) -> None:
        self._place = place
        self._held: dict[str, _Held] = {}

    def claims(self, location: str) -> bool:
        """By the scheme."""
        return bool(re.match(r"(?i)https?:", location))

    def complete(self, location: str) -> str:
        """Without the part after ``#``, and spelled as it is sent.

        Raises DatasetError for what is no URL of a file.
        """
        try:
            parts = urlsplit(location)
            host = parts.hostname if parts.port != 0 else None  # the port is a number, or raises
        except ValueError as error:
            raise DatasetError(
                f"{location} is no address ({error})", "Write https://server/path/file.csv."
            ) from error
        if not host:
            raise DatasetError(f"{location} names no server", "Write https://server/path/file.csv.")
        if parts.username is not None or parts.password is not None:
            raise DatasetError(
                f"{shown(location)} holds a password, which would be kept and shown",
                "Download the file yourself, and add that.",
            )
        path, query = (quote(text, safe=_SAFE) for text in (parts.path, parts.query))
        return urlunsplit((parts.scheme.lower(), parts.netloc, path, query, ""))

    def suggest(self, location: str) -> str:
        """The file's name without its endings, else the server's name."""
        parts = urlsplit(location)
        name = PurePosixPath(unquote(parts.path)).name or (parts.hostname or "")
        base, _, ending = name.removesuffix(".gz").rpartition(".")
        return base if base and ending.lower() in {*FORMATS, "txt"} else name

    def found(self) -> Sequence[Found]:
        """Nothing is looked for elsewhere."""
        return ()

    def describe(self, name: str, location: str, options: Mapping[str, str]) -> Dataset:
        """The dataset over a copy of the file, which is fetched where the server has another."""
        from bluebear_magic.context import local

        copy = self._fetched(location)
        try:
            dataset = local.describe(name, copy.path, options=options)
        except DatasetError as error:
            message = error.message.replace(str(copy.path), shown(location))
            raise DatasetError(message, error.hint, line=error.line) from error
        told = () if copy.validated else (_UNCHECKED,)
        return replace(
            dataset,
            location=shown(location),
            fingerprint=copy.content,
            warnings=(*told, *dataset.warnings),
        )

    def fingerprint(self, location: str, options: Mapping[str, str]) -> str:
        """The hash of the content; '' where the server says that it has another one now.

        It is asked once in ``recheck_seconds``; where it does not answer, the copy counts.
        """
        from bluebear_magic.context import downloads

        held = self._held.get(location)
        if held is None or not held.copy.path.is_file():
            return ""
        settings = self._place.settings
        if held.copy.validated and downloads.now() - held.seen >= settings.recheck_seconds:
            try:
                if downloads.has_changed(self._wanted(location), held.copy):
                    return ""
            except downloads.NoAnswer as error:
                self._place.warn(f"{error.message}: {_COPY}")
            except DatasetError:
                held.seen = -math.inf  # asked again the next time: the copy does not count
                raise
            held.seen = downloads.now()
        return held.copy.content

    def whole(self, dataset: Dataset, reporter: Reporter) -> Binding:
        """The copy."""
        return dataset.binding

    def _fetched(self, location: str) -> Copy:
        from bluebear_magic.context import downloads

        wanted = self._wanted(location)
        try:
            copy = downloads.fetch(wanted, self._place.progress)
        except downloads.NoAnswer as error:
            earlier = downloads.kept(wanted)
            if earlier is None:
                raise
            self._place.warn(f"{error.message}: {_COPY}")
            copy = earlier
        self._held[location] = _Held(copy, downloads.now())
        return copy

    def _wanted(self, location: str) -> Wanted:
        from bluebear_magic.context.downloads import Wanted

        settings = self._place.settings
        return Wanted(location, shown(location), settings.download_mb, settings.download_seconds)


_SAFE = "/%:@!$&'()*+,;=?-._~"  # what stays as it is written
_COPY = "the copy of an earlier download is used"
_UNCHECKED = "its server does not tell when the file changes: %bluebear data refresh asks again"
