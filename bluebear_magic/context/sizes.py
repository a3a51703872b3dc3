"""Sizes as people read them."""

from __future__ import annotations

MB = 1_000_000


def human_size(count: int) -> str:
    """Bytes for people: 386 B, 74.2 kB, 5.0 MB."""
    size, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 999.5 or unit == "TB":
            break
        size /= 1000
    return f"{count} B" if unit == "B" else f"{size:.1f} {unit}"
