"""What the project in a folder says of its data: read, judged, and held to what is trusted.

The file comes with the notebook, from whoever wrote it. A description does nothing but stand in
a prompt, as data. An expression is read by the guard. A location that leads out of the folder, to
other files of this machine or away from it, counts only after ``bluebear trust``.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bluebear_magic.config import folder_settings, loosening, settings_of
from bluebear_magic.context import semantics
from bluebear_magic.context.saving import with_data, without_data
from bluebear_magic.errors import ConfigError
from bluebear_magic.guard.expressions import read_expression
from bluebear_magic.records import DataNote, Metric, Semantics
from bluebear_magic.trust import SETTINGS, TrustStore

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


class Project:
    """The semantic layer of one folder; read again when its file has changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._state: tuple[int, int] | None = (-1, -1)
        self._held = Semantics()
        self.untrusted = ""  # the locations that do not count, in one line

    def semantics(self) -> Semantics:
        """What the file says now. Raises ``ConfigError`` where it cannot be used."""
        state = self._stat()
        if state != self._state or (self.untrusted and self._is_trusted()):
            self.untrusted = ""
            self._held = self._read() if state else Semantics()
            self._state = state
        return self._held

    def save(self, name: str, table: Mapping[str, Any]) -> None:
        """Writes these keys of ``[data.NAME]`` into the file; what else stands there stays.

        A location below the folder is written as seen from there. Whoever trusted the file, or
        had none, trusts it with this in it. Raises ``ConfigError``.
        """
        if "location" in table:
            table = {**table, "location": self._seen_from_here(str(table["location"]))}
        self._write(with_data(self._text(), name, table))

    def forget(self, name: str) -> bool:
        """Takes ``[data.NAME]`` out of the file; whether it was there. Raises ``ConfigError``."""
        text = without_data(self._text(), name)
        if text is not None:
            self._write(text)
        return text is not None

    def _text(self) -> str:
        return folder_settings(self._folder)[0].decode("utf-8")

    def _write(self, text: str) -> None:
        """Replaces the file in one step, once it is known that it can be read."""
        content, values = folder_settings(self._folder)
        file = self._folder / SETTINGS
        parsed = tomllib.loads(text)
        _judged(semantics.parse(parsed, str(file)), str(file))
        held = TrustStore().holds(self._folder, content)
        outside = locations_outside(values, self._folder)
        replace_file(file, text)
        if held or not (outside or loosening(settings_of(values))):
            TrustStore().add(self._folder, text.encode("utf-8"))

    def _seen_from_here(self, location: str) -> str:
        if _ELSEWHERE.match(location):
            return location
        try:
            return Path(location).relative_to(self._folder).as_posix()
        except ValueError:
            return location

    def _is_trusted(self) -> bool:
        """Whether the user has come to trust the file meanwhile."""
        return TrustStore().holds(self._folder, folder_settings(self._folder)[0])

    def _stat(self) -> tuple[int, int] | None:
        try:
            told = (self._folder / SETTINGS).stat()
        except OSError:
            return None
        return told.st_mtime_ns, told.st_size

    def _read(self) -> Semantics:
        content, values = folder_settings(self._folder)
        file = str(self._folder / SETTINGS)
        held = _judged(semantics.parse(values, file), file)
        away = [note for note in held.data if leads_out(note.location, self._folder)]
        if not away or TrustStore().holds(self._folder, content):
            return held
        told = ", ".join(f"{note.name} = {note.location}" for note in away)
        self.untrusted = (
            f"{file} names data outside of its folder, which is ignored: {told}. "
            f"`bluebear trust {shlex.quote(str(self._folder))}` lets it"
        )
        kept = tuple(_placeless(note) if note in away else note for note in held.data)
        return replace(held, data=kept)


def replace_file(file: Path, text: str) -> None:
    """Writes a file so that no reader meets half of it; its mode stays. Raises ``ConfigError``."""
    try:
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=file.suffix)
        aside = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
                stream.write(text)
            aside.chmod(file.stat().st_mode if file.exists() else 0o644)
            aside.replace(file)
        except OSError:
            aside.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be written: {error.strerror}", "make its folder writable"
        ) from error


def leads_out(location: str, folder: Path) -> bool:
    """Whether a location is anything else than files below the folder."""
    if not location or _ELSEWHERE.match(location):
        return bool(location)
    try:
        place = (folder / Path(location).expanduser()).resolve()
    except (OSError, RuntimeError, ValueError):
        return True
    return not place.is_relative_to(folder.resolve())


def locations_outside(values: Mapping[str, Any], folder: Path) -> tuple[str, ...]:
    """The datasets of a file that count only once the folder is trusted, as NAME = LOCATION."""
    held = semantics.parse(values, str(folder / SETTINGS))
    return tuple(
        f"{note.name} = {note.location}" for note in held.data if leads_out(note.location, folder)
    )


def _placeless(note: DataNote) -> DataNote:
    return replace(note, location="", options=())


def _judged(held: Semantics, file: str) -> Semantics:
    """With what its expressions read. Raises ``ConfigError`` where one may not be used."""
    for note in held.data:
        for text in note.filters:
            place = f"{file}: data.{note.name}.filters"
            if read_expression(text, place).aggregated:
                raise ConfigError(
                    f"{place}: {text!r} is one value for many rows",
                    "a filter is a condition on each row, as status <> 'test'",
                )
    return replace(held, metrics=tuple(_read_metric(metric, file) for metric in held.metrics))


def _read_metric(metric: Metric, file: str) -> Metric:
    place = f"{file}: data.{metric.dataset}.metrics" if metric.dataset else f"{file}: metrics"
    read = read_expression(metric.expression, f"{place}.{metric.name}")
    return replace(metric, columns=read.columns, aggregated=read.aggregated)
