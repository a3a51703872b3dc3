"""An index over datasets: the words in their names, the values in their columns.

Built once for a set of datasets; every question looks words up in it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeVar

from bluebear_magic.generation.offline.lexicon import lexicon
from bluebear_magic.generation.offline.tokens import split_name, stem, tokenize, value_words
from bluebear_magic.records import (
    ColumnProfile,
    Context,
    Dataset,
    Metric,
    Profile,
    Semantics,
)
from bluebear_magic.runner.values import is_numeric, is_temporal

_UNIT_WEIGHT = 0.1

ColumnKind = Literal["number", "text", "time", "boolean", "other"]


@dataclass(frozen=True)
class Part:
    """A word of a name; ``weight`` is what leaving it out of a question costs."""

    word: str
    stem: str
    weight: float


@dataclass(frozen=True, eq=False)
class ColumnInfo:
    """A column with what is known of it."""

    dataset: str
    name: str
    type: str
    parts: tuple[Part, ...]
    own: tuple[bool, ...]  # per part: whether it only repeats the dataset's name
    profile: ColumnProfile
    rows: int | None
    metric: Metric | None = None  # it is computed

    @cached_property
    def kind(self) -> ColumnKind:
        """What can be done with its values."""
        if is_numeric(self.type):
            return "number"
        if is_temporal(self.type):
            return "time"
        kind = self.type.strip().lower()
        if kind == "string" or kind.startswith(("varchar", "char")):
            return "text"
        return "boolean" if kind == "boolean" else "other"

    @property
    def integral(self) -> bool:
        """Whether it holds whole numbers."""
        return self.type.strip().lower() in {"tinyint", "smallint", "int", "integer", "bigint"}

    @cached_property
    def unique(self) -> bool:
        """Whether no two rows have the same value; False where not known."""
        profile = self.profile
        return bool(self.rows) and profile.distinct == self.rows and not profile.nulls

    @property
    def identifier(self) -> bool:
        """Whether its name says that its numbers name things instead of measuring them."""
        return self.parts[-1].word in {"id", "code", "key", "no", "number", "uuid", "ids"}

    @cached_property
    def stems(self) -> tuple[str, ...]:
        """The stems of its name's words."""
        return tuple(part.stem for part in self.parts)

    @cached_property
    def values(self) -> frozenset[str]:
        """Its known values."""
        return frozenset(self.profile.values)

    @cached_property
    def head(self) -> int:
        """Where the part stands that says what the column holds; names end with it."""
        order = range(len(self.parts) - 1, -1, -1)
        strong = [i for i in order if self.parts[i].weight >= 1 and not self.own[i]]
        return (strong or [i for i in order if not self.own[i]] or [len(self.parts) - 1])[0]

    def __str__(self) -> str:
        if self.metric:
            return f"{self.name} ({self.metric.expression})"
        return f"{self.dataset}.{self.name}"


@dataclass(frozen=True, eq=False)
class DatasetInfo:
    """A dataset with its columns, and the metrics over them; ``filters``: its default ones."""

    name: str
    parts: tuple[Part, ...]
    columns: tuple[ColumnInfo, ...]
    rows: int | None
    metrics: tuple[ColumnInfo, ...] = ()
    filters: tuple[str, ...] = ()

    @cached_property
    def phrase(self) -> bool:
        """Whether its name reads as a question itself: ``total_sales_by_region``."""
        senses = (s for part in self.parts[1:-1] for s in lexicon().phrases.get((part.word,), ()))
        return any(sense.category in {"by", "each"} for sense in senses)

    @cached_property
    def head(self) -> int:
        """Where the part stands that says what a row is."""
        order = range(len(self.parts) - 1, -1, -1)
        return next((i for i in order if self.parts[i].weight >= 1), len(self.parts) - 1)

    @cached_property
    def by_name(self) -> dict[str, ColumnInfo]:
        """Its columns and metrics by their names."""
        return {column.name: column for column in (*self.columns, *self.metrics)}

    @cached_property
    def key(self) -> ColumnInfo | None:
        """The column that tells its rows apart, if one does."""
        unique = [column for column in self.columns if column.unique and column.kind != "other"]
        named = [c for c in unique if c.identifier or c.parts[-1].stem == self.parts[-1].stem]
        discrete = [c for c in unique if c.kind == "text" or c.integral]
        return next(iter(named or discrete), None)

    @cached_property
    def label(self) -> tuple[ColumnInfo, ...]:
        """The columns that name a row to a person: one, or first and last name; or none."""
        text = [column for column in self.columns if column.kind == "text"]
        for word in lexicon().labels:
            wanted = tuple(word.split())
            for column in text:
                rest = tuple(
                    p.word for p, own in zip(column.parts, column.own, strict=True) if not own
                )
                if rest == wanted:
                    return (column,)
        people = tuple(
            column
            for which in (("first", "f"), ("last", "l"))
            for column in text
            if column.parts[-1].word == "name" and len(column.parts) > 1
            and column.parts[-2].word in which
        )  # fmt: skip
        return people if len(people) == 2 else ()


@dataclass(frozen=True)
class ValueHit:
    """A value that occurs in a column."""

    column: ColumnInfo
    value: str


_Named = TypeVar("_Named", ColumnInfo, DatasetInfo)


class SchemaIndex:
    """What words can be looked up in: names of datasets and columns, and values."""

    def __init__(self, context: Context) -> None:
        self.keys = context.semantics.keys
        self.datasets = tuple(
            _dataset_info(dataset, profile, context.semantics)
            for dataset, profile in zip(context.datasets, context.profiles, strict=True)
        )
        self.by_name = {dataset.name: dataset for dataset in self.datasets}
        self.columns = tuple(c for ds in self.datasets for c in (*ds.columns, *ds.metrics))
        self.columns_by_part: dict[Part, list[ColumnInfo]] = defaultdict(list)
        for column in self.columns:
            for part in dict.fromkeys(column.parts):
                self.columns_by_part[part].append(column)
        owned = [part for dataset in self.datasets for part in dataset.parts]
        self.parts = tuple(dict.fromkeys([*self.columns_by_part, *owned]))
        self.spelled_columns = _by_spelling(self.columns)
        self.spelled_datasets = _by_spelling(self.datasets)
        self.called_columns: dict[tuple[str, ...], list[ColumnInfo]] = defaultdict(list)
        self.called_datasets: dict[tuple[str, ...], list[DatasetInfo]] = defaultdict(list)
        self._call(context.semantics)
        self.values, self.value_words, self.longest_value = _value_index(self.columns)

    def _call(self, semantics: Semantics) -> None:
        """Takes in the other names that a project gives, by the stems of their words."""
        for dataset in self.datasets:
            note = semantics.note(dataset.name)
            for name in note.synonyms:
                self.called_datasets[_stems(name)].append(dataset)
            synonyms = {said.column.lower(): said.synonyms for said in note.columns}
            for column in (*dataset.columns, *dataset.metrics):
                metric = column.metric
                names = metric.synonyms if metric else synonyms.get(column.name.lower(), ())
                for name in names:
                    self.called_columns[_stems(name)].append(column)

    @cached_property
    def known_words(self) -> frozenset[str]:
        """Words of names, values and the lexicon: whoever writes one of them made no slip."""
        names = {part.stem for part in self.parts} | {part.word for part in self.parts}
        words = {word for words in self.values for word in words.split()}
        called = {word for name in (*self.called_columns, *self.called_datasets) for word in name}
        return frozenset(names | words | called | {stem(word) for word in lexicon().vocabulary})

    @cached_property
    def similar_values(self) -> dict[tuple[str, int], list[str]]:
        """Values of one word by their first letter and length: where slips are looked for."""
        found: dict[tuple[str, int], list[str]] = defaultdict(list)
        for words in self.values:
            if " " not in words and len(words) >= 5:
                found[words[0], len(words)].append(words)
        return found

    def column(self, dataset: str, name: str) -> ColumnInfo:
        """A column by its dataset and name; KeyError when there is none."""
        return self.by_name[dataset].by_name[name]


def _by_spelling(named: tuple[_Named, ...]) -> dict[tuple[str, ...], list[_Named]]:
    """Columns or datasets by the tokens that their names become in a question."""
    found: dict[tuple[str, ...], list[_Named]] = defaultdict(list)
    for item in named:
        found[tuple(token.norm for token in tokenize(item.name))].append(item)
    return dict(found)


def _parts(name: str) -> tuple[Part, ...]:
    weak = lexicon().weak
    outside = re.sub(r"\(.*?\)", " ", name)  # "Size (m2)": the unit need not be said
    words = split_name(name) or (name,)
    named = set(split_name(outside)) or set(words)
    return tuple(
        Part(word, stem(word), weak.get(word, 1.0) if word in named else _UNIT_WEIGHT)
        for word in words
    )


def _stems(name: str) -> tuple[str, ...]:
    return tuple(token.stem for token in tokenize(name))


def _dataset_info(dataset: Dataset, profile: Profile, semantics: Semantics) -> DatasetInfo:
    parts = _parts(dataset.name)
    stems = {part.stem for part in parts}
    profiles = {column.name: column for column in profile.columns}
    columns = []
    for column in dataset.columns:
        words = _parts(column.name)
        own = tuple(_repeats(part, stems) for part in words)
        if all(own):
            own = (False,) * len(words)
        columns.append(
            ColumnInfo(
                dataset.name, column.name, column.type, words, own,
                profiles.get(column.name, ColumnProfile(column.name)), profile.rows,
            )
        )  # fmt: skip
    metrics = tuple(_metric_info(dataset, metric) for metric in semantics.metrics_of(dataset))
    filters = semantics.note(dataset.name).filters
    return DatasetInfo(dataset.name, parts, tuple(columns), profile.rows, metrics, filters)


def _metric_info(dataset: Dataset, metric: Metric) -> ColumnInfo:
    """A metric as a column of numbers of which no value is known."""
    words = _parts(metric.name)
    profile = ColumnProfile(metric.name)
    return ColumnInfo(
        dataset.name, metric.name, "DOUBLE", words, (False,) * len(words), profile, None, metric
    )


def _repeats(part: Part, dataset_stems: set[str]) -> bool:
    """Whether a column's word only repeats its dataset's name, as in customers.customer_name."""
    return part.stem in dataset_stems or any(
        len(part.word) >= 3 and abbreviates(part.word, word) for word in dataset_stems
    )


def abbreviates(short: str, word: str) -> bool:
    """Whether a short form may stand for a word: its start, or its letters in order."""
    if len(short) < 3 or len(word) < len(short) + 2 or short[0] != word[0]:
        return False
    if short in lexicon().vocabulary:
        return False
    if word.startswith(short):
        return True
    if len(short) > 4 or any(vowel in short[1:] for vowel in "eiou"):
        return False
    letters = iter(word)
    return all(letter in letters for letter in short)


def _value_index(
    columns: tuple[ColumnInfo, ...],
) -> tuple[dict[str, list[ValueHit]], dict[str, list[ValueHit]], int]:
    """Values by all their words, values by each of their words; the longest."""
    whole: dict[str, list[ValueHit]] = defaultdict(list)
    words: dict[str, list[ValueHit]] = defaultdict(list)
    longest = 0
    for column in columns:
        profile = column.profile
        if column.kind != "text":
            continue
        for value in profile.values:
            pieces = value_words(value)
            if not pieces or len(pieces) > 10:
                continue
            longest = max(longest, len(pieces))
            hit = ValueHit(column, value)
            whole[" ".join(pieces)].append(hit)
            if len(pieces) > 1:
                for piece in dict.fromkeys(pieces):
                    words[piece].append(hit)
    return dict(whole), dict(words), longest
