"""What a project says of its data, as lines of a prompt. Pure.

It was written by whoever wrote the folder's ``bluebear.toml``: it stands among the data.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from bluebear_magic.generation import relevance
from bluebear_magic.generation.datatext import MOST_DESCRIPTION, Said, plain, quoted
from bluebear_magic.records import Dataset, JoinKey, Metric, Semantics, VerifiedQuestion

_MOST_EXPRESSION = 1000  # characters
_MOST_NAMES = 8
_MOST_KEYS = 40
_MOST_QUESTIONS = 6
_MOST_QUESTION = 1000
_MOST_CODE = 4000


def said_of(dataset: Dataset, semantics: Semantics) -> Said:
    """Other names of a dataset and its columns, its filters, the metrics over it."""
    note = semantics.note(dataset.name)
    names = {column.name.lower(): column.name for column in dataset.columns}
    columns = {
        names[said.column.lower()]: ", ".join(_also(said.synonyms))
        for said in note.columns
        if said.column.lower() in names
    }
    lines = [f"-- {text}" for text in _also(note.synonyms)]
    lines += [f"-- default filter: {plain(text, _MOST_EXPRESSION)}" for text in note.filters]
    return Said(columns, [*lines, *map(_metric, semantics.metrics_of(dataset))])


def across(datasets: Sequence[Dataset], semantics: Semantics) -> list[str]:
    """What is said of several datasets: keys by which they join, metrics over them."""
    names = {dataset.name.lower() for dataset in datasets}
    keys = [key for key in semantics.keys if {key.left.lower(), key.right.lower()} <= names]
    pairs = {frozenset((key.left.lower(), key.right.lower())) for key in keys}
    lines = [_key(key) for key in keys[:_MOST_KEYS]]
    if lines:
        lines.insert(0, "-- Keys that join:")
    guessed = [
        _key(key)
        for key in relevance.keys(datasets)
        if frozenset((key.left.lower(), key.right.lower())) not in pairs
    ]
    if guessed:
        lines += ["-- Keys that probably join:", *guessed]
    own = {metric for dataset in datasets for metric in semantics.metrics_of(dataset)}
    spanning = [
        metric
        for metric in semantics.metrics
        if metric not in own
        and metric.columns
        and {column.partition(".")[0].lower() for column in metric.columns} <= names
    ]
    return [*lines, *map(_metric, spanning)]


def examples(questions: Sequence[VerifiedQuestion], question: str, budget: int) -> list[str]:
    """The verified questions that have most to do with the question, as many as fit.

    ``budget``: in characters.
    """
    ranked = relevance.nearest([item.question for item in questions], question)
    told: list[str] = []
    for number in ranked:
        item = questions[number]
        asked = plain(json.dumps(item.question, ensure_ascii=False), _MOST_QUESTION)
        code = "\n".join(plain(line, _MOST_CODE) for line in item.code.rstrip().splitlines())
        text = f"question: {asked}\n{code}"
        if len(item.code) <= _MOST_CODE and len(text) <= budget:
            told.append(text)
            budget -= len(text)
        if len(told) == _MOST_QUESTIONS:
            break
    return told


def _metric(metric: Metric) -> str:
    notes = [plain(metric.description, MOST_DESCRIPTION)] if metric.description else []
    notes += _also(metric.synonyms)
    rest = f"  -- {'; '.join(notes)}" if notes else ""
    return f"-- metric {quoted(metric.name)} = {plain(metric.expression, _MOST_EXPRESSION)}{rest}"


def _key(key: JoinKey) -> str:
    return (
        f"-- {quoted(key.left)}.{quoted(key.left_column)} = "
        f"{quoted(key.right)}.{quoted(key.right_column)}"
    )


def _also(synonyms: Iterable[str]) -> list[str]:
    names = [plain(name) for name in synonyms][:_MOST_NAMES]
    return [f"also called {', '.join(names)}"] if names else []
