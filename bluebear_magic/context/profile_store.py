"""Profiles on disk, in the user's cache folder. A cache that cannot be used only costs time."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

from bluebear_magic.folders import cache_folder
from bluebear_magic.records import ColumnProfile, Dataset, Profile, Scalar

FORMAT = 1


def key(dataset: Dataset) -> str:
    """What a profile depends on: where the data is, its state, and how it is read."""
    parts = (
        FORMAT,
        dataset.paths,
        dataset.fingerprint,
        dataset.format,
        dataset.options,
        dataset.ddl,
    )
    return hashlib.sha256(repr(parts).encode("utf-8", "replace")).hexdigest()


class ProfileStore:
    """JSON files in ``folder``, one for each profile."""

    def __init__(self, folder: Path | None = None) -> None:
        self._given = folder

    def _path(self, name: str) -> Path:
        return (self._given or cache_folder() / "profiles") / f"{name}.json"

    def load(self, name: str) -> Profile | None:
        """The profile kept under a key; None where there is none that can be read."""
        try:
            raw = json.loads(self._path(name).read_text(encoding="utf-8"))
            return _decoded(raw) if raw["format"] == FORMAT else None
        except (OSError, RuntimeError, ValueError, KeyError, TypeError, ArithmeticError):
            return None  # no home folder, a half-written or foreign file: measured again

    def save(self, name: str, profile: Profile) -> None:
        """Keeps a profile; written aside and moved, so that a reader never meets half of it."""
        with contextlib.suppress(OSError, RuntimeError):
            path = self._path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, aside = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".json")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(_encoded(profile), file)
                Path(aside).replace(path)
            except OSError:
                Path(aside).unlink(missing_ok=True)
                raise


def _encoded(profile: Profile) -> dict[str, Any]:
    columns = [
        {
            "name": column.name,
            "nulls": column.nulls,
            "distinct": column.distinct,
            "minimum": _to_json(column.minimum),
            "maximum": _to_json(column.maximum),
            "values": list(column.values),
            "complete": column.complete,
        }
        for column in profile.columns
    ]
    return {"format": FORMAT, "rows": profile.rows, "columns": columns}


def _decoded(raw: dict[str, Any]) -> Profile:
    columns = tuple(
        ColumnProfile(
            name=item["name"],
            nulls=item["nulls"],
            distinct=item["distinct"],
            minimum=_from_json(item["minimum"]),
            maximum=_from_json(item["maximum"]),
            values=tuple(item["values"]),
            complete=item["complete"],
        )
        for item in raw["columns"]
    )
    return Profile(raw["rows"], columns)


def _to_json(value: Scalar | None) -> Any:
    """JSON's own types as they are; the others as [type, text]."""
    if isinstance(value, dt.datetime):
        return ["datetime", value.isoformat()]
    if isinstance(value, dt.date):
        return ["date", value.isoformat()]
    if isinstance(value, Decimal):
        return ["decimal", str(value)]
    return value


def _from_json(value: Any) -> Scalar | None:
    if not isinstance(value, list):
        return value  # type: ignore[no-any-return]
    kind, text = value
    if kind == "decimal":
        return Decimal(text)
    return dt.datetime.fromisoformat(text) if kind == "datetime" else dt.date.fromisoformat(text)
