"""The thesaurus of analytic English, read once from its data file."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from bluebear_magic.generation.offline.tokens import normalise, stem, tokenize

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover - the same parser under its older name
    import tomli as tomllib

_FLAT = (
    "skip", "link", "ask", "count", "aggregate", "distinct", "each", "by", "order", "limit",
    "superlative", "most", "frequent", "comparison", "after_number", "text", "negation", "null",
    "connect", "preposition", "datepart", "datepart_each", "rows",
)  # fmt: skip


@dataclass(frozen=True)
class Sense:
    """What a function word can be: its category, the member, and hints for measures."""

    category: str
    value: str
    hints: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lexicon:
    """``phrases``: words of a phrase -> senses; the rest as in the data file."""

    phrases: dict[tuple[str, ...], tuple[Sense, ...]]
    longest: int
    vocabulary: frozenset[str]
    abbreviations: dict[str, frozenset[str]]
    synonyms: dict[str, frozenset[str]]
    weak: dict[str, float]
    labels: tuple[str, ...]
    roles: dict[str, tuple[str, ...]]
    additive: frozenset[str]


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The lexicon of the package."""
    raw = tomllib.loads(
        resources.files(__package__).joinpath("lexicon.toml").read_text(encoding="utf-8")
    )
    phrases: dict[tuple[str, ...], list[Sense]] = {}
    for category in _FLAT:
        for value, texts in raw[category].items():
            for text in texts:
                phrases.setdefault(_words(text), []).append(Sense(category, value))
    for category in ("adjective", "comparative"):
        for value, entries in raw[category].items():
            for text, hints in entries.items():
                sense = Sense(category, value, tuple(hints))
                for variant in _superlatives(category, text):
                    phrases.setdefault(_words(variant), []).append(sense)
    return Lexicon(
        phrases={words: tuple(dict.fromkeys(senses)) for words, senses in phrases.items()},
        longest=max(map(len, phrases)),
        vocabulary=frozenset(word for words in phrases for word in words),
        abbreviations={
            short: frozenset(stem(word) for word in longs)
            for short, longs in raw["abbreviation"].items()
        },
        synonyms=_synonyms(raw["synonyms"]["groups"]),
        weak=raw["weak"],
        labels=tuple(raw["label"]["names"]),
        roles={name: tuple(words) for name, words in raw["role"].items()},
        additive=frozenset(stem(word) for word in raw["additive"]["words"]),
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(token.norm for token in tokenize(normalise(text)))


def _superlatives(category: str, text: str) -> list[str]:
    """An adjective stands by itself when it ends in -est, else behind `most`."""
    if category == "adjective" and not text.endswith("est"):
        return [f"most {text}"]
    return [text]


def _synonyms(groups: list[list[str]]) -> dict[str, frozenset[str]]:
    found: dict[str, Any] = {}
    for group in groups:
        stems = frozenset(stem(normalise(word)) for word in group)
        for word in stems:
            found[word] = found.get(word, frozenset()) | stems
    return found
