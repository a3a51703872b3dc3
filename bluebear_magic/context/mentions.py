"""Whether a text names a dataset: a question in English, or code."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORDS = frozenset("a i".split())  # variables that every sentence seems to name


def mentioned(names: Iterable[str], text: str) -> frozenset[str]:
    """Those of ``names`` that occur in ``text``, whole and in whatever case.

    A name of several words also counts when these are written apart, and in the plural
    or singular: `sale_items` in "cost of each sale item".
    """
    lowered = text.lower()
    exact = set(re.findall(r"\w+", lowered)) - _WORDS
    exact |= set(re.findall(r"[\"'`](\w+)[\"'`]", lowered))
    spoken = " " + " ".join(map(_plain, re.findall(r"[^\W_]+", lowered))) + " "
    return frozenset(
        name
        for name in names
        if name.lower() in exact or (len(_parts(name)) > 1 and f" {_spoken(name)} " in spoken)
    )


def _parts(name: str) -> list[str]:
    return re.findall(r"[^\W_]+", name.lower())


def _spoken(name: str) -> str:
    return " ".join(map(_plain, _parts(name)))


def _plain(word: str) -> str:
    """A word as singular as it takes to compare."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
