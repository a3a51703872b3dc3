"""What a project says of its data: the tables of ``bluebear.toml`` that are no settings.

::

    keys = [["orders.customer_id", "customers.id"]]

    [data.orders]
    location = "data/orders.csv"
    description = "One row for each order, tests included."
    synonyms = ["purchases"]
    filters = ["status <> 'test'"]
    columns.qty = "Pieces, negative for returns."
    columns.customer_id = { description = "Who bought.", synonyms = ["buyer"] }

    [metrics]
    revenue = "price * qty"

    [[questions]]
    question = "How many orders are there?"
    code = 'result = spark.table("orders").agg(...)'

It is parsed here and judged nowhere: expressions are read by the guard before they are used.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from bluebear_magic.errors import ConfigError
from bluebear_magic.records import (
    ColumnNote,
    DataNote,
    Dataset,
    JoinKey,
    Metric,
    Semantics,
    VerifiedQuestion,
)
from bluebear_magic.vocabulary import SHARES

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DATA = (
    "location", "format", "options", "share", "description", "synonyms", "columns", "filters",
    "metrics",
)  # fmt: skip
_NOTHING = ColumnNote("")
_COLUMN = ("description", "synonyms")
_METRIC = ("expression", "description", "synonyms", "dataset")
_QUESTION = ("question", "code")


def parse(values: Mapping[str, Any], source: str) -> Semantics:
    """The tables of a file, taken apart. ``source``: the file, for errors.

    Raises ``ConfigError`` with the table and the key, and the nearest key that there is.
    """
    data: list[DataNote] = []
    metrics = _metrics(values.get("metrics", {}), "metrics", "", source)
    for name, table in _table(values.get("data", {}), "data", source).items():
        place = f"data.{name}"
        if not _NAME.fullmatch(name):
            raise ConfigError(
                f"{source}: [{place}]: {name!r} is no name for a dataset",
                "names are made of letters, digits and _, and begin with no digit",
            )
        data.append(_data_note(name, _known(table, _DATA, place, source), place, source))
        metrics += _metrics(table.get("metrics", {}), f"{place}.metrics", name, source)
    _once([note.name for note in data], "data", source)
    keys = tuple(_join_key(item, source) for item in _list(values.get("keys", []), "keys", source))
    questions = tuple(
        _question(item, number, source)
        for number, item in enumerate(_list(values.get("questions", []), "questions", source), 1)
    )
    return Semantics(tuple(data), tuple(metrics), keys, questions)


def applied(dataset: Dataset, semantics: Semantics) -> Dataset:
    """The dataset with what is said of it; what is said of no column there is a warning.

    What a person calls a column is its name: no value of a first row, though it may look so.
    """
    if not (semantics.data or semantics.metrics or semantics.keys):
        return dataset
    note = semantics.note(dataset.name)
    notes = {item.column.lower(): item for item in note.columns}
    said = _named(dataset, semantics)
    columns = tuple(
        replace(
            column,
            description=notes.get(column.name.lower(), _NOTHING).description or column.description,
            guessed=False,
        )
        if column.name.lower() in said
        else column
        for column in dataset.columns
    )
    doubts = tuple(_doubts(dataset, semantics))
    if not (said or note.description or doubts):
        return dataset
    return replace(
        dataset,
        columns=columns,
        description=note.description or dataset.description,
        warnings=(*dataset.warnings, *doubts),
    )


def _named(dataset: Dataset, semantics: Semantics) -> set[str]:
    """The columns of a dataset that are named in what is said of it, in lower case."""
    own = dataset.name.lower()
    named = {item.column.lower() for item in semantics.note(dataset.name).columns}
    for metric in semantics.metrics_of(dataset):
        named |= {name.lower().removeprefix(f"{own}.") for name in metric.columns}
    for key in semantics.keys:
        sides = ((key.left, key.left_column), (key.right, key.right_column))
        named |= {column.lower() for name, column in sides if name.lower() == own}
    return named


def _doubts(dataset: Dataset, semantics: Semantics) -> Iterator[str]:
    """What is said of a dataset that cannot be meant so."""
    own = dataset.name.lower()
    there = {column.name.lower(): column.name for column in dataset.columns}
    for note in semantics.note(dataset.name).columns:
        if note.column.lower() not in there:
            yield f"bluebear.toml speaks of a column {_absent(note.column, there)}"
    for metric in semantics.metrics:
        if metric.dataset.lower() not in {"", own}:
            continue
        if metric.name.lower() in there:
            yield f"the metric {metric.name} of bluebear.toml is ignored: a column is called so"
        elif metric.dataset and metric not in semantics.metrics_of(dataset):
            heads = [name.lower().removeprefix(f"{own}.") for name in metric.columns]
            missing = [name for name in heads if name.partition(".")[0] not in there]
            told = _absent(missing[0], there)
            yield f"the metric {metric.name} of bluebear.toml needs a column {told}"
    for key in semantics.keys:
        for name, column in ((key.left, key.left_column), (key.right, key.right_column)):
            if name.lower() == own and column.lower() not in there:
                yield f"a key of bluebear.toml names a column {_absent(column, there)}"


def _absent(name: str, there: Mapping[str, str]) -> str:
    near = _near(name, there.values())
    return f"{name}, which is not there" + (f" (nearest: {near})" if near else "")


def unplaced(semantics: Semantics, names: Iterable[str]) -> tuple[str, ...]:
    """What the file says of datasets that there are none of, a line each. ``names``: all."""
    there = {name.lower(): name for name in names}
    said = [(f"[data.{note.name}]", note.name) for note in semantics.data]
    said += [(f"the metric {known.name}", known.dataset) for known in semantics.metrics]
    said += [("a key", name) for key in semantics.keys for name in (key.left, key.right)]
    return tuple(
        f"bluebear.toml: {what} speaks of a dataset {_absent(name, there)}"
        for what, name in dict.fromkeys(said)
        if name and name.lower() not in there
    )


# --- the tables ----------------------------------------------------------------


def _data_note(name: str, table: Mapping[str, Any], place: str, source: str) -> DataNote:
    options = {
        str(key): _option(value, f"{place}.options.{key}", source)
        for key, value in _table(table.get("options", {}), f"{place}.options", source).items()
    }
    if "format" in table:
        options["format"] = _text(table["format"], f"{place}.format", source)
    if "share" in table and table["share"] not in SHARES:
        raise _wrong(source, f"{place}.share", table["share"], f"one of {', '.join(SHARES)}")
    if options and "location" not in table:
        raise ConfigError(
            f"{source}: {place} says how to read data, and not where they are",
            f"add location = ... to [{place}]",
        )
    columns = _table(table.get("columns", {}), f"{place}.columns", source)
    return DataNote(
        name=name,
        location=_text(table.get("location", ""), f"{place}.location", source),
        options=tuple(sorted(options.items())),
        description=_text(table.get("description", ""), f"{place}.description", source),
        synonyms=_texts(table.get("synonyms", []), f"{place}.synonyms", source),
        columns=tuple(
            _column_note(column, said, f"{place}.columns.{column}", source)
            for column, said in columns.items()
        ),
        filters=_texts(table.get("filters", []), f"{place}.filters", source),
    )


def _column_note(column: str, said: Any, place: str, source: str) -> ColumnNote:
    if isinstance(said, str):
        return ColumnNote(column, said.strip())
    table = _known(said, _COLUMN, place, source)
    return ColumnNote(
        column,
        _text(table.get("description", ""), f"{place}.description", source),
        _texts(table.get("synonyms", []), f"{place}.synonyms", source),
    )


def _metrics(tables: Any, place: str, dataset: str, source: str) -> list[Metric]:
    return [
        _metric(name, said, f"{place}.{name}", dataset, source)
        for name, said in _table(tables, place, source).items()
    ]


def _metric(name: str, said: Any, place: str, dataset: str, source: str) -> Metric:
    if isinstance(said, str):
        return Metric(name, _text(said, place, source, needed=True), dataset)
    table = _known(said, _METRIC, place, source)
    return Metric(
        name,
        _text(table.get("expression", ""), f"{place}.expression", source, needed=True),
        dataset or _text(table.get("dataset", ""), f"{place}.dataset", source),
        _text(table.get("description", ""), f"{place}.description", source),
        _texts(table.get("synonyms", []), f"{place}.synonyms", source),
    )


def _join_key(item: Any, source: str) -> JoinKey:
    sides = [side.rpartition(".") for side in item] if _is_texts(item) else []
    if len(sides) != 2 or not all(dataset and column for dataset, _, column in sides):
        raise _wrong(source, "keys", item, 'two columns, as ["orders.customer_id", "customers.id"]')
    (left, _, left_column), (right, _, right_column) = sides
    return JoinKey(left, left_column, right, right_column)


def _question(item: Any, number: int, source: str) -> VerifiedQuestion:
    place = f"questions[{number}]"
    table = _known(item, _QUESTION, place, source)
    question, code = (
        _text(table.get(key, ""), f"{place}.{key}", source, needed=True) for key in _QUESTION
    )
    return VerifiedQuestion(question, code + "\n")


# --- kinds of values -----------------------------------------------------------


def _known(table: Any, keys: tuple[str, ...], place: str, source: str) -> Mapping[str, Any]:
    """The table, of which every key is known."""
    for key in _table(table, place, source):
        if key not in keys:
            near = _near(key, keys)
            hint = f"did you mean `{near}`?" if near else f"keys: {', '.join(keys)}"
            raise ConfigError(f"{source}: [{place}] has no key `{key}`", hint)
    return table  # type: ignore[no-any-return]


def _table(value: Any, place: str, source: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(source, place, value, f"a table: [{place}]")
    return value


def _list(value: Any, place: str, source: str) -> list[Any]:
    if not isinstance(value, list):
        raise _wrong(source, place, value, "a list")
    return value


def _text(value: Any, place: str, source: str, *, needed: bool = False) -> str:
    if not isinstance(value, str) or (needed and not value.strip()):
        raise _wrong(source, place, value, "a text in quotes")
    return value.strip()


def _texts(value: Any, place: str, source: str) -> tuple[str, ...]:
    value = [value] if isinstance(value, str) else value
    if not _is_texts(value) or not all(text.strip() for text in value):
        raise _wrong(source, place, value, "a list of texts in quotes")
    return tuple(text.strip() for text in value)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _option(value: Any, place: str, source: str) -> str:
    """An option of Spark's reader, which takes them as text."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise _wrong(source, place, value, "a text, a number, or true or false")


def _wrong(source: str, place: str, value: Any, wanted: str) -> ConfigError:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else shown[:59] + "\u2026"
    return ConfigError(f"{source}: {place} is {shown}", f"give {wanted}")


def _once(names: Iterable[str], place: str, source: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise ConfigError(
                f"{source}: [{place}.{name}] is there twice, in other letters",
                "names of datasets compare without regard to case",
            )
        seen.add(name.lower())


def _near(name: str, known: Iterable[str]) -> str:
    lower = {item.lower(): item for item in known}
    found = difflib.get_close_matches(name.lower(), lower, n=1)
    return lower[found[0]] if found else ""
