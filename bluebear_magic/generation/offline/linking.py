"""Words -> mentions: what each span of a question may stand for, with scores.

A question becomes a lattice: for every token the mentions that begin there.
Spans may overlap; which of them hold together is for the parser to say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from bluebear_magic.generation.offline.dates import Period, find_periods
from bluebear_magic.generation.offline.lexicon import Sense, lexicon
from bluebear_magic.generation.offline.schema import (
    ColumnInfo,
    DatasetInfo,
    Part,
    SchemaIndex,
    ValueHit,
    abbreviates,
)
from bluebear_magic.generation.offline.tokens import Token, stem, value_words

MentionKind = Literal["sense", "column", "dataset", "value", "quoted", "number", "period"]

_TRANSPARENT = frozenset({"of", "the", "in", "a"})  # inside a name: "date of (the) birth"
_LEAST_COLUMN = 0.5
_LEAST_DATASET = 0.55
_MAX_SPAN = 6
_FARTHER = 0.1
_SAME_STEM = 0.98


@dataclass(frozen=True)
class Candidate:
    """A column that a span may stand for; ``score`` is at most 1."""

    column: ColumnInfo
    score: float


@dataclass(frozen=True, eq=False)
class Mention:
    """A span of tokens and one kind of thing it may stand for.

    ``cost`` is the price of this reading: 0 for an exact one. ``shadowed``: the
    span names a dataset more closely than this column.
    """

    kind: MentionKind
    start: int
    end: int
    text: str
    cost: float = 0.0
    shadowed: bool = False
    sense: Sense | None = None
    columns: tuple[Candidate, ...] = ()
    dataset: DatasetInfo | None = None
    values: tuple[ValueHit, ...] = ()
    number: int | float | None = None
    period: Period | None = None


@dataclass(frozen=True)
class Lattice:
    """The tokens of a question and the mentions that begin at each."""

    tokens: tuple[Token, ...]
    starting: tuple[tuple[Mention, ...], ...]

    def unplaced(self) -> tuple[str, ...]:
        """Words that no mention covers."""
        covered = {i for row in self.starting for m in row for i in range(m.start, m.end)}
        return tuple(
            token.text
            for i, token in enumerate(self.tokens)
            if i not in covered and token.kind != "mark"
        )


def link(tokens: tuple[Token, ...], index: SchemaIndex) -> Lattice:
    """All mentions of a question."""
    matches = [_part_matches(token, index) for token in tokens]
    pairs = [_pair_matches(*pair, index) for pair in pairwise(tokens)] + [{}]
    found: list[Mention] = []
    found += _senses(tokens)
    found += _columns(tokens, matches, pairs, index)
    found += _datasets(tokens, matches, index)
    found += _values(tokens, index)
    found += _literals(tokens)
    found += [
        Mention("period", start, end, _text(tokens, start, end), period=period)
        for start, end, period in find_periods(tokens)
    ]
    rows: list[list[Mention]] = [[] for _ in tokens]
    for mention in _names_apart(found):
        rows[mention.start].append(mention)
    return Lattice(tokens, tuple(tuple(row) for row in rows))


def _names_apart(found: list[Mention]) -> list[Mention]:
    """Where a span names a dataset and a column, the closer name is preferred clearly.

    Of two datasets only the closer one is meant.
    """
    best: dict[tuple[int, int], float] = {}
    for mention in found:
        if mention.kind in {"dataset", "column"}:
            span = (mention.start, mention.end)
            best[span] = min(mention.cost, best.get(span, 1.0))
    closest: dict[tuple[int, int], float] = {}
    for mention in found:
        if mention.kind == "dataset":
            span = (mention.start, mention.end)
            closest[span] = min(mention.cost, closest.get(span, 1.0))
    found = [
        mention
        for mention in found
        if mention.kind != "dataset" or mention.cost <= closest[mention.start, mention.end]
    ]
    return [
        replace(mention, cost=mention.cost + _FARTHER, shadowed=mention.kind == "column")
        if mention.cost > best.get((mention.start, mention.end), 1.0)
        and mention.kind in {"dataset", "column"}
        else mention
        for mention in found
    ]


def _text(tokens: tuple[Token, ...], start: int, end: int) -> str:
    return " ".join(token.text for token in tokens[start:end])


# --- function words and literals ---------------------------------------------


def _senses(tokens: tuple[Token, ...]) -> list[Mention]:
    words = lexicon()
    norms = [token.norm if token.kind in {"word", "mark"} else "\0" for token in tokens]
    shouting = all(token.text.isupper() for token in tokens if token.kind == "word")
    found = []
    for start in range(len(tokens)):
        for end in range(start + 1, min(len(tokens), start + words.longest) + 1):
            for sense in words.phrases.get(tuple(norms[start:end]), ()):
                text = _text(tokens, start, end)
                if sense.category == "skip" and not shouting and _is_code(text):
                    continue  # "the state OR", "flights from IN"
                found.append(Mention("sense", start, end, text, sense=sense))
    return found


def _is_code(text: str) -> bool:
    return len(text) >= 2 and text.isupper()


def _literals(tokens: tuple[Token, ...]) -> list[Mention]:
    found = []
    for i, token in enumerate(tokens):
        if token.kind == "quoted":
            found.append(Mention("quoted", i, i + 1, token.text))
        if token.number is not None:
            start = i - 1 if i and tokens[i - 1].text in "$€£" else i
            found.append(Mention("number", start, i + 1, token.text, number=token.number))
            if start < i:
                found.append(Mention("number", i, i + 1, token.text, number=token.number))
    return found


# --- names -------------------------------------------------------------------


def _part_matches(token: Token, index: SchemaIndex) -> dict[Part, float]:
    """The words in names that a token may stand for, each with its quality."""
    if token.kind not in {"word", "number"}:
        return {}
    found = {}
    for part in index.parts:
        quality = word_match(token.norm, part.word)
        if quality:
            found[part] = quality
    if not found and len(token.norm) >= 5 and not _known(token, index):
        for part in index.parts:
            if _typo(token.norm, part.word) or _typo(token.stem, part.stem):
                found[part] = 0.82
    return found


@lru_cache(maxsize=65536)
def word_match(word: str, part: str) -> float:
    """How well a word of a question names a word of an identifier: 0 to 1."""
    if word == part:
        return 1.0
    word_stem, part_stem = stem(word), stem(part)
    if word_stem == part_stem:
        return _SAME_STEM
    words = lexicon()
    if word_stem in words.abbreviations.get(part, ()) or part_stem in words.abbreviations.get(
        word, ()
    ):
        return 0.95
    if part_stem in words.synonyms.get(word_stem, ()):
        return 0.85
    whole = len(part) >= 5 and abbreviates(part, word)  # stems of long words lose too much
    if word not in words.vocabulary and (whole or abbreviates(part, word_stem)):
        return 0.88 if word.startswith(part) else 0.8
    return 0.0


@lru_cache(maxsize=65536)
def _typo(word: str, part: str) -> bool:
    """Whether one slip of the keyboard (two in long words) turns one into the other.

    In short words only two letters may have changed places: "states" is not "status".
    """
    shorter = min(len(word), len(part))
    if shorter < 5 or word[0] != part[0]:
        return False
    if shorter < 7:
        return len(word) == len(part) and sorted(word) == sorted(part) and _distance(word, part) < 2
    return _distance(word, part) <= (2 if shorter >= 10 else 1)


def _distance(word: str, part: str) -> int:
    from rapidfuzz.distance import OSA

    return int(OSA.distance(word, part))


def _pair_matches(first: Token, second: Token, index: SchemaIndex) -> dict[Part, float]:
    """Words in names that two words stand for together: "time zone" for ``tzone``."""
    if first.kind != "word" or second.kind != "word":
        return {}
    both = first.norm + second.norm
    found = {part: word_match(both, part.word) for part in index.parts}
    return {part: quality for part, quality in found.items() if quality}


def _columns(
    tokens: tuple[Token, ...],
    matches: list[dict[Part, float]],
    pairs: list[dict[Part, float]],
    index: SchemaIndex,
) -> list[Mention]:
    spans: dict[tuple[int, int], list[Candidate]] = defaultdict(list)
    for start, first in enumerate(matches):
        candidates = {
            id(column): column
            for part in (*first, *pairs[start])
            for column in index.columns_by_part.get(part, ())
        }
        for dataset in index.datasets:  # "customer name": a name of the dataset, then of a column
            if any(part in first for part in dataset.parts):
                candidates.update((id(column), column) for column in dataset.columns)
        for column in candidates.values():
            for end, score in _column_spans(tokens, matches, pairs, start, column, index):
                if score >= _LEAST_COLUMN:
                    spans[start, end].append(Candidate(column, round(score, 4)))
    for start, end in _spans(tokens):
        spelled = index.spelled_columns.get(_norms(tokens, start, end), ())
        if spelled:
            others = [c for c in spans[start, end] if c.column not in spelled]
            spans[start, end] = [*(Candidate(column, 1.0) for column in spelled), *others]
        called = index.called_columns.get(_span_stems(tokens, start, end), ())
        if called:
            others = [c for c in spans[start, end] if c.column not in called]
            spans[start, end] = [*(Candidate(column, 1.0) for column in called), *others]
    return [
        Mention(
            "column", start, end, _text(tokens, start, end),
            cost=round(1 - max(c.score for c in found), 4),
            columns=tuple(sorted(found, key=lambda c: -c.score)),
        )
        for (start, end), found in spans.items()
    ]  # fmt: skip


def _column_spans(  # noqa: PLR0917 - the lattice's tables and a place in them
    tokens: tuple[Token, ...],
    matches: list[dict[Part, float]],
    pairs: list[dict[Part, float]],
    start: int,
    column: ColumnInfo,
    index: SchemaIndex,
) -> list[tuple[int, float]]:
    """The spans from ``start`` that may name a column, each with its score."""
    dataset = index.by_name[column.dataset]
    free = set(range(len(column.parts)))
    quality: dict[int, float] = {}
    own = 1.0
    owners = () if dataset.phrase else dataset.parts
    found = []
    paired = -1  # the second word of a pair is taken already
    for end in range(start, min(len(tokens), start + _MAX_SPAN)):
        if end == paired:
            continue
        if end > start and tokens[end].norm in _TRANSPARENT:
            continue
        best = max(((matches[end].get(column.parts[i], 0.0), -i) for i in free), default=(0.0, 0))
        pair = max(((pairs[end].get(column.parts[i], 0.0), -i) for i in free), default=(0.0, 0))
        if pair[0] > best[0]:
            paired = end + 1
            free.discard(-pair[1])
            quality[-pair[1]] = pair[0]
            if column.head in quality:
                found.append((end + 2, _score(column, quality) * own))
            continue
        if best[0]:
            free.discard(-best[1])
            quality[-best[1]] = best[0]
        else:
            named = max((matches[end].get(part, 0.0) for part in owners), default=0.0)
            if not named or (quality and any(not column.own[i] for i in quality)):
                break
            own = min(own, named)
        if column.head in quality:
            found.append((end + 1, _score(column, quality) * own))
    return found


def _score(column: ColumnInfo, quality: dict[int, float]) -> float:
    """The share of the name that was said, weighted; what repeats the dataset is free."""
    said = total = 0.0
    for i, part in enumerate(column.parts):
        weight = part.weight
        if column.own[i] and i not in quality:
            weight = 0.02
        total += weight
        said += weight * quality.get(i, 0.0)
    return said / total if total else 0.0


def _datasets(
    tokens: tuple[Token, ...], matches: list[dict[Part, float]], index: SchemaIndex
) -> list[Mention]:
    found = _spelled_datasets(tokens, index)
    spelled = {(mention.start, mention.end, id(mention.dataset)) for mention in found}
    for start in range(len(tokens)):
        for dataset in index.datasets:
            if dataset.phrase:
                continue
            free = set(range(len(dataset.parts)))
            quality: dict[int, float] = {}
            for end in range(start, min(len(tokens), start + _MAX_SPAN)):
                if end > start and tokens[end].norm in {"of", "for"}:
                    continue
                best = max(
                    ((matches[end].get(dataset.parts[i], 0.0), -i) for i in free),
                    default=(0.0, 0),
                )
                if not best[0]:
                    break
                free.discard(-best[1])
                quality[-best[1]] = 1.0 if best[0] >= _SAME_STEM else best[0]
                score = _dataset_score(dataset, quality)
                if (start, end + 1, id(dataset)) in spelled:
                    continue
                if dataset.head in quality and score >= _LEAST_DATASET:
                    text = _text(tokens, start, end + 1)
                    cost = round(1 - score, 4)
                    found.append(
                        Mention("dataset", start, end + 1, text, cost=cost, dataset=dataset)
                    )
    return found


def _spelled_datasets(tokens: tuple[Token, ...], index: SchemaIndex) -> list[Mention]:
    """Datasets whose names stand in the question letter by letter."""
    return [
        Mention("dataset", start, end, _text(tokens, start, end), dataset=dataset)
        for start, end in _spans(tokens)
        for dataset in index.spelled_datasets.get(_norms(tokens, start, end), ())
        # "total sales by region" asks for just that, whatever a dataset is called
        if not dataset.phrase or all(token.joined for token in tokens[start + 1 : end])
    ] + [
        Mention("dataset", start, end, _text(tokens, start, end), dataset=dataset)
        for start, end in _spans(tokens)
        for dataset in index.called_datasets.get(_span_stems(tokens, start, end), ())
    ]


def _spans(tokens: tuple[Token, ...]) -> Iterator[tuple[int, int]]:
    for start in range(len(tokens)):
        for end in range(start + 1, min(len(tokens), start + _MAX_SPAN) + 1):
            yield start, end


def _norms(tokens: tuple[Token, ...], start: int, end: int) -> tuple[str, ...]:
    return tuple(token.norm for token in tokens[start:end])


def _span_stems(tokens: tuple[Token, ...], start: int, end: int) -> tuple[str, ...]:
    return tuple(token.stem for token in tokens[start:end])


def _dataset_score(dataset: DatasetInfo, quality: dict[int, float]) -> float:
    weights = [
        part.weight if i == dataset.head else part.weight * 0.2
        for i, part in enumerate(dataset.parts)
    ]
    said = sum(weights[i] * q for i, q in quality.items())
    return said / sum(weights)


# --- values ------------------------------------------------------------------


def _values(tokens: tuple[Token, ...], index: SchemaIndex) -> list[Mention]:
    found = []
    pieces = [_bare(token.norm) if token.kind != "mark" else "" for token in tokens]
    endings = ["s" if token.possessive else "" for token in tokens]
    for start in range(len(tokens)):
        if not pieces[start]:
            continue
        words: list[str] = []
        spelled: list[str] = []
        for end in range(start, min(len(tokens), start + index.longest_value + 2)):
            if pieces[end]:
                words.append(pieces[end])
                spelled.append(pieces[end] + endings[end])
            elif tokens[end].text in ",?!;":
                break
            # "O'Brien's" is first the value of that spelling, then what belongs to O'Brien
            hits = pieces[end] and (
                index.values.get(" ".join(spelled)) or index.values.get(" ".join(words))
            )
            if hits and _value_like(tokens[start : end + 1], hits):
                found.append(_value_mention(tokens, start, end + 1, hits, 0.0))
    taken = {i for mention in found for i in range(mention.start, mention.end)}
    for i, token in enumerate(tokens):
        if i not in taken:
            found += _near_values(tokens, i, token, index)
    return found


def _bare(word: str) -> str:
    return word.replace("'", "").replace('"', "")


def _value_like(span: tuple[Token, ...], hits: list[ValueHit]) -> bool:
    """A common word is a value only when it is written like one (quoted, capital, known)."""
    if len(span) > 1 or span[0].kind == "quoted":
        return True
    token = span[0]
    if token.kind == "number":
        return False
    if token.norm in lexicon().vocabulary or len(token.norm) < 2:
        return token.text[:1].isupper() and any(hit.value == token.text for hit in hits)
    return True


def _value_mention(
    tokens: tuple[Token, ...], start: int, end: int, hits: list[ValueHit], cost: float
) -> Mention:
    text = _text(tokens, start, end)
    return Mention("value", start, end, text, cost=cost, values=tuple(hits))


def _near_values(
    tokens: tuple[Token, ...], i: int, token: Token, index: SchemaIndex
) -> list[Mention]:
    """A value by its plural, by one telling word of it, or through a small typo."""
    if token.kind != "word" or len(token.norm) < 4 or token.norm in lexicon().vocabulary:
        return []
    singular = [form for form in _singulars(token.norm) if form in index.values]
    if singular:
        return [_value_mention(tokens, i, i + 1, index.values[singular[0]], 0.05)]
    proper = token.text[:1].isupper()
    hits = index.value_words.get(token.norm, ()) if proper else ()
    by_column: dict[int, list[ValueHit]] = defaultdict(list)
    for hit in hits:
        by_column[id(hit.column)].append(hit)
    telling = [group[0] for group in by_column.values() if len(group) == 1]
    if telling and len(by_column) == 1 and _begins(telling[0].value, token.norm):
        return [_value_mention(tokens, i, i + 1, telling, 0.15)]
    if hits or len(token.norm) < 5 or _known(token, index):
        return []
    near = [
        hit
        for length in range(len(token.norm) - 2, len(token.norm) + 3)
        for words in index.similar_values.get((token.norm[0], length), ())
        if _typo(token.norm, words)
        for hit in index.values[words]
    ]
    if near and len({hit.value for hit in near}) == 1:
        return [_value_mention(tokens, i, i + 1, near, 0.25)]
    return []


def _begins(value: str, word: str) -> bool:
    return value_words(value)[0] == word


def _known(token: Token, index: SchemaIndex) -> bool:
    return bool({token.norm, token.stem} & index.known_words)


def _singulars(word: str) -> tuple[str, ...]:
    forms = []
    if word.endswith("ies"):
        forms.append(word[:-3] + "y")
    if word.endswith("es"):
        forms.append(word[:-2])
    if word.endswith("s"):
        forms.append(word[:-1])
    return tuple(forms)
