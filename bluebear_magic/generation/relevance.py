"""Which datasets a question is about, by the words of their names, columns and values. Pure.

What is known of values is used to choose, never shown here: choosing happens on this machine.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

from bluebear_magic.generation.offline.schema import abbreviates
from bluebear_magic.generation.offline.tokens import split_name, stem, tokenize, value_words
from bluebear_magic.records import Column, Context, Dataset, JoinKey, Profile, Semantics

_NAME, _COLUMN, _DESCRIPTION, _VALUE, _USED, _LINKED = 3.0, 1.0, 0.5, 2.0, 6.0, 0.5
_COMMON = frozenset(
    """
    a an and are as at be by count date day do each for from get give group had has have how i in
    is it list many me most much name no not number of on or per show some such that the their
    them there these this to top total type value was were what when where which who why with year
    """.split()
)
_ENDINGS = {"id", "key", "code", "no", "nr", "number", "sk", "uuid", "guid", "isbn", "sku"}
_MOST_KEYS = 40
_MOST_NAMES = 200_000  # kept apart from each other; 500 wide tables have 100,000


def scores(context: Context, question: str) -> list[float]:
    """How much each dataset has to do with the question, in the order of the datasets."""
    words = _words(question)
    for turn in context.history[-2:]:
        words |= _words(turn.question)
    content = [
        _content(dataset, profile, context.semantics)
        for dataset, profile in zip(context.datasets, context.profiles, strict=True)
    ]
    spread = Counter(word for own in content for word in own)
    weights = _weights(words, spread, len(content))
    found = [
        sum(weights[word] * own[word] for word in weights.keys() & own.keys()) for own in content
    ]
    latest = context.history[-1].code if context.history else ""
    for number, dataset in enumerate(context.datasets):
        if latest and f'"{dataset.name}"' in latest.replace("'", '"'):
            found[number] += _USED
    return _with_neighbours(context.datasets, found)


def columns_first(
    dataset: Dataset, question: str, most: int, semantics: Semantics
) -> tuple[Column, ...]:
    """At most so many columns, in their order: those that the question names, those that look
    like keys, partition columns, and then the first ones.
    """
    words = _words(question)
    said = {
        note.column.lower(): _words(" ".join([note.description, *note.synonyms]))
        for note in semantics.note(dataset.name).columns
    }
    for metric in semantics.metrics_of(dataset):
        for name in metric.columns:
            key = name.rpartition(".")[2].lower()
            said[key] = said.get(key, set()) | _words(" ".join([metric.name, *metric.synonyms]))

    def rank(item: tuple[int, Column]) -> tuple[int, int]:
        number, column = item
        stems = _stems(column.name) | said.get(column.name.lower(), set())
        if stems & words or any(abbreviates(short, word) for short in stems for word in words):
            return 0, number
        if column.name in dataset.partition_columns or set(_split(column.name)) & _ENDINGS:
            return 1, number
        return 2, number

    chosen = sorted(enumerate(dataset.columns), key=rank)[:most]
    return tuple(column for _, column in sorted(chosen, key=lambda item: item[0]))


def keys(datasets: Sequence[Dataset]) -> tuple[JoinKey, ...]:
    """Pairs of columns to join by, judged by names and types alone."""
    candidates = [(dataset, _key_columns(dataset)) for dataset in datasets]
    found: list[JoinKey] = []
    for at, (left, columns) in enumerate(candidates):
        for right, others in candidates[at + 1 :]:
            found += [
                JoinKey(left.name, a.name, right.name, b.name)
                for a, words in columns
                for b, theirs in others
                if _joins(a, words, left) == _joins(b, theirs, right)
            ]
            if len(found) >= _MOST_KEYS:
                return tuple(found[:_MOST_KEYS])
    return tuple(found)


def _key_columns(dataset: Dataset) -> list[tuple[Column, tuple[str, ...]]]:
    named = [(column, _split(column.name)) for column in dataset.columns]
    return [(column, words) for column, words in named if words and words[-1] in _ENDINGS]


def _joins(column: Column, words: tuple[str, ...], owner: Dataset) -> tuple[str, ...]:
    """What a key names, with its type's family: customers.id is what customer_id names."""
    before = words[:-1] or _split(owner.name)
    return (*map(stem, before), words[-1], _family(column.type))


def _family(kind: str) -> str:
    name = kind.upper().partition("(")[0].partition("<")[0].strip()
    return "number" if name in {"INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "LONG"} else name


def nearest(texts: Sequence[str], question: str) -> list[int]:
    """The places of texts, those first that share most words with the question."""
    words = _words(question)
    said = [_words(text) for text in texts]
    spread = Counter(word for own in said for word in own)
    ranks = [sum(1 / spread[word] for word in own & words) for own in said]
    return sorted(range(len(texts)), key=lambda number: (-ranks[number], number))


def _content(dataset: Dataset, profile: Profile, semantics: Semantics) -> dict[str, float]:
    """Stems with their weights: of the name, the columns, their descriptions and values, and of
    what the project says of them.
    """
    found: dict[str, float] = {}
    note = semantics.note(dataset.name)
    _note(found, _words(dataset.description), _DESCRIPTION)
    _note(found, _words(" ".join(note.synonyms)), _NAME)
    for said in note.columns:
        _note(found, _words(" ".join(said.synonyms)), _COLUMN)
    for metric in semantics.metrics_of(dataset):
        _note(found, _words(" ".join([metric.name, *metric.synonyms])), _NAME)
    for known in profile.columns:
        for value in known.values[:100]:
            _note(found, map(stem, value_words(value)), _VALUE)
    for column in dataset.columns:
        if column.description:
            _note(found, _words(column.description), _DESCRIPTION)
        _note(found, _stems(column.name), _COLUMN)
    _note(found, _stems(dataset.name), _NAME)
    return found


def _note(found: dict[str, float], stems: Iterable[str], weight: float) -> None:
    for word in stems:
        found[word] = max(weight, found.get(word, 0.0))


def _weights(words: set[str], spread: Counter[str], many: int) -> dict[str, float]:
    """The weight of each stem of the data that the question says: rare ones weigh more, those
    that may abbreviate a word of it (amt: amount) half.
    """
    said = dict.fromkeys(words & spread.keys(), 1.0)
    for word in words - spread.keys():
        for short in spread:
            if abbreviates(short, word):
                said.setdefault(short, 0.5)
    return {word: part * math.log(1 + many / spread[word]) for word, part in said.items()}


def _with_neighbours(datasets: Sequence[Dataset], found: list[float]) -> list[float]:
    """A dataset that joins one that was named may be needed too."""
    joined = [
        {_joins(column, words, dataset) for column, words in _key_columns(dataset)}
        for dataset in datasets
    ]
    wanted = set().union(*(own for own, score in zip(joined, found, strict=True) if score > 0))
    return [
        _LINKED if not score and own & wanted else score
        for own, score in zip(joined, found, strict=True)
    ]


def _words(text: str) -> set[str]:
    words = (token for token in tokenize(text) if token.kind in {"word", "quoted"})
    return {
        stem(piece)
        for token in words
        for piece in (token.norm.split() if token.kind == "quoted" else [token.norm])
        if piece not in _COMMON and len(piece) > 1
    }


_split = lru_cache(maxsize=_MOST_NAMES)(split_name)


@lru_cache(maxsize=_MOST_NAMES)
def _stems(name: str) -> frozenset[str]:
    return frozenset(map(stem, _split(name))) - _common_stems()


@lru_cache(maxsize=1)
def _common_stems() -> frozenset[str]:
    return frozenset(map(stem, _COMMON))
