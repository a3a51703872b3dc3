"""Datasets written into a ``bluebear.toml`` of people's own: order and comments stay. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bluebear_magic.errors import ConfigError


def with_data(content: str, name: str, table: Mapping[str, Any]) -> str:
    """The file with these keys in ``[data.NAME]``; others that are there stay.

    A dataset whose name differs only in case is the same. Raises ``ConfigError``.
    """
    import tomlkit

    document, data = _parsed(content)
    if data is None:
        data = tomlkit.table(is_super_table=True)
        document["data"] = data
    key = _key_of(data, name)
    if key is None:
        data[name] = tomlkit.table()
        key = name
    own = data[key]
    for entry in ("location", "format", "options"):
        if "location" in table and entry not in table:
            own.pop(entry, None)  # how the one before was read
    for entry, value in table.items():
        own[entry] = _inline(value) if isinstance(value, Mapping) else value
    return str(tomlkit.dumps(document))


def without_data(content: str, name: str) -> str | None:
    """The file without ``[data.NAME]``; None where it names no such place: what is only said of a
    dataset that lies elsewhere stays. Raises ``ConfigError``.
    """
    import tomlkit

    document, data = _parsed(content)
    key = None if data is None else _key_of(data, name)
    if data is None or key is None or "location" not in data[key]:
        return None
    del data[key]
    if not data:
        del document["data"]
    return str(tomlkit.dumps(document))


def _inline(value: Mapping[str, Any]) -> Any:
    """A table on one line: what is written below it stays where it belongs."""
    import tomlkit

    table = tomlkit.inline_table()
    table.update(value)
    return table


def _parsed(content: str) -> tuple[Any, Any]:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(content)
    except TOMLKitError as error:
        raise ConfigError(f"bluebear.toml cannot be read: {error}", "correct it") from error
    data = document.get("data")
    if data is not None and not isinstance(data, Mapping):
        raise ConfigError("bluebear.toml: data is no table", "write [data.NAME]")
    return document, data


def _key_of(data: Mapping[str, Any], name: str) -> str | None:
    return next((str(key) for key in data if str(key).lower() == name.lower()), None)
