"""URLs as people may see them."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit


def shown(location: str) -> str:
    """A URL for people: without passwords, and without a query, which may hold a signature."""
    parts = urlsplit(location)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "…" if parts.query else "", ""))
