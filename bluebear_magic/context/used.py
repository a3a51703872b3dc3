"""Which datasets code reads, told from its text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bluebear_magic.records import Dataset


def used_in(code: str, datasets: Iterable[Dataset]) -> list[Dataset]:
    """The datasets whose names occur in the code as words, in whatever case: it reads no other."""
    words = {word.lower() for word in re.findall(r"\w+", code)}
    return [dataset for dataset in datasets if dataset.name.lower() in words]
