"""Which datasets a few words may mean, and where the words were met. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bluebear_magic.generation.offline.tokens import (
    normalise,
    split_name,
    stem,
    tokenize,
    value_words,
)
from bluebear_magic.records import Dataset, Profile, Semantics

_NAME, _CALLED, _COLUMN, _VALUE, _DESCRIPTION = 6.0, 4.0, 3.0, 2.0, 1.0
_NEAR = 0.5  # of the weight, where a word was met by its spelling alone
_LEAST_NEAR = 80  # in a hundred
_MOST_PLACES = 4
_MOST_VALUES = 5000
_MOST_MET = 20  # values of a column that are taken apart
_MOST_NAMES = 200_000  # kept taken apart; 500 wide tables have 100,000


@dataclass(frozen=True)
class Match:
    """A dataset that was met: ``where``, best first, in words."""

    dataset: str
    score: float
    where: tuple[str, ...]


@dataclass(frozen=True)
class _Place:
    """Stems that stand somewhere in a dataset; what a person reads of the place."""

    weight: float
    stems: frozenset[str]
    told: str


def search(
    words: str,
    datasets: Sequence[Dataset],
    known: Mapping[str, Profile],
    semantics: Semantics,
) -> tuple[Match, ...]:
    """The datasets in which at least one of the words occurs, best first.

    Looked at are names, other names, columns, metrics, descriptions, and of ``known`` the values.
    A word that occurs nowhere is looked for by its spelling.
    """
    wanted = list(dict.fromkeys(_stems(words)))
    places = {}
    for dataset in datasets:
        values = _values(known.get(dataset.name, Profile()), _beginnings(words))
        places[dataset.name] = [*_places(dataset, semantics), *values]
    everywhere = {word for own in places.values() for place in own for word in place.stems}
    meant = {word: _meant(word, everywhere) for word in wanted}
    hits = [_hit(name, own, meant) for name, own in places.items()]
    return tuple(sorted(filter(None, hits), key=lambda hit: (-hit.score, hit.dataset)))


def _hit(
    name: str, places: Sequence[_Place], meant: Mapping[str, Mapping[str, float]]
) -> Match | None:
    best: dict[str, float] = {}
    met: dict[str, float] = {}
    for place in places:
        for word, spellings in meant.items():
            share = max((spellings[s] for s in place.stems & spellings.keys()), default=0.0)
            weight = place.weight * share
            if weight:
                best[word] = max(weight, best.get(word, 0.0))
                met[place.told] = max(weight, met.get(place.told, 0.0))
    if not best:
        return None
    where = sorted(met, key=lambda told: -met[told])
    more = len(where) - _MOST_PLACES
    told = (*where[:_MOST_PLACES], *([f"{more} more"] if more > 0 else []))
    return Match(name, sum(best.values()) * len(best), told)


def _meant(word: str, everywhere: set[str]) -> Mapping[str, float]:
    """The stems that a word may stand for, with what each is worth."""
    if word in everywhere:
        return {word: 1.0}
    longer = [other for other in everywhere if len(word) >= 3 and other.startswith(word)]
    if longer:
        return dict.fromkeys(longer, _NEAR)
    from rapidfuzz import fuzz, process

    found = process.extract(word, everywhere, scorer=fuzz.ratio, score_cutoff=_LEAST_NEAR, limit=3)
    return {other: _NEAR for other, _, _ in found} if len(word) >= 4 else {}


def _places(dataset: Dataset, semantics: Semantics) -> Iterator[_Place]:
    note = semantics.note(dataset.name)
    yield _Place(_NAME, _of_name(dataset.name), f"name {dataset.name}")
    for name in note.synonyms:
        yield _Place(_CALLED, frozenset(_stems(name)), f"also called {name}")
    for metric in semantics.metrics_of(dataset):
        for name in (metric.name, *metric.synonyms):
            yield _Place(_CALLED, _of_name(name), f"metric {metric.name}")
        yield _Place(_DESCRIPTION, frozenset(_stems(metric.description)), f"metric {metric.name}")
    if dataset.description:
        yield _Place(_DESCRIPTION, frozenset(_stems(dataset.description)), dataset.description)
    synonyms = {said.column.lower(): said.synonyms for said in note.columns}
    for column in dataset.columns:
        told = f"column {column.name}"
        yield _Place(_COLUMN, _of_name(column.name), told)
        for name in synonyms.get(column.name.lower(), ()):
            yield _Place(_COLUMN, frozenset(_stems(name)), told)
        if column.description:
            yield _Place(_DESCRIPTION, frozenset(_stems(column.description)), told)


def _values(known: Profile, beginnings: Sequence[str]) -> Iterator[_Place]:
    """Values in which a word may occur, some of each column: most are passed over unread."""
    for column in known.columns:
        met = 0
        for value in column.values[:_MOST_VALUES]:
            text = value.lower() if value.isascii() else normalise(value)
            if met < _MOST_MET and any(beginning in text for beginning in beginnings):
                met += 1
                words = frozenset(map(stem, value_words(value)))
                yield _Place(_VALUE, words, f"value {value!r} of {column.name}")


def _beginnings(words: str) -> list[str]:
    """What of each word is left in all of its forms."""
    tokens = [token.norm for token in tokenize(words) if token.kind != "mark"]
    return [word[: max(3, len(word) - 3)] for word in tokens]


@lru_cache(maxsize=_MOST_NAMES)
def _of_name(name: str) -> frozenset[str]:
    return frozenset(map(stem, split_name(name)))


def _stems(text: str) -> list[str]:
    return [token.stem for token in tokenize(text) if token.kind != "mark"]
