"""Which datasets code reads, told from its text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bluebear_magic.records import Dataset


def used_in(code: str, datasets: Iterable[Dataset]) -> list[Dataset]:
    """The datasets whose names occur in the code as words, in whatever case: it reads no other."""
    words = {word.lower() for word in re.findall(r"\w+", code)}
    return [dataset for dataset in datasets if dataset.name.lower() in words]


def used_where(codes: Iterable[str], dataset: Dataset) -> list[str]:
    """The codes that read a dataset."""
    return [code for code in codes if used_in(code, [dataset])]


def uses_of(columns: Iterable[str], codes: Iterable[str]) -> dict[str, int]:
    """In how many of the codes each column's name occurs, in whatever case."""
    texts = [code.lower() for code in codes]
    return {name: sum(_occurs(name.lower(), text) for text in texts) for name in columns}


def _occurs(name: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None
