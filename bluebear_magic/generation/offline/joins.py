"""Which datasets can be looked up from which: by the keys that the project names, else by those
that names and values suggest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bluebear_magic.generation.offline.schema import ColumnInfo, DatasetInfo, SchemaIndex

_LEAST_CONTAINMENT = 0.9
_LEAST_VALUES = 3


@dataclass(frozen=True)
class Link:
    """Every row of ``key``'s dataset finds at most one row by ``match``, which is unique."""

    key: ColumnInfo
    match: ColumnInfo


def find_links(index: SchemaIndex, of: str = "") -> tuple[Link, ...]:
    """All many-to-one links between the datasets, in the order of the datasets.

    ``of``: only those from or to this one.
    """
    found = list(_named(index))
    named = {frozenset((link.key.dataset, link.match.dataset)) for link in found}
    for target in index.datasets:
        for match in target.columns:
            if not match.unique or match.kind not in {"number", "text"}:
                continue
            for source in index.datasets:
                if of and of not in {source.name, target.name}:
                    continue
                if source is not target and frozenset((source.name, target.name)) not in named:
                    found += [
                        Link(key, match) for key in source.columns if _linked(key, match, target)
                    ]
    return tuple(_without_weaker(found))


def _named(index: SchemaIndex) -> Iterator[Link]:
    """The links by the keys that the project names: to the side on which no value repeats.

    Where that is not known, to the second one.
    """
    by_name = {dataset.name.lower(): dataset for dataset in index.datasets}
    for pair in index.keys:
        left = _column(by_name.get(pair.left.lower()), pair.left_column)
        right = _column(by_name.get(pair.right.lower()), pair.right_column)
        if left is None or right is None or left.kind != right.kind:
            continue
        if right.unique or right.profile.distinct is None:
            yield Link(left, right)
        if left.unique:
            yield Link(right, left)


def _column(dataset: DatasetInfo | None, name: str) -> ColumnInfo | None:
    columns = dataset.columns if dataset else ()
    return next((column for column in columns if column.name.lower() == name.lower()), None)


def _linked(key: ColumnInfo, match: ColumnInfo, target: DatasetInfo) -> bool:
    if key.kind != match.kind:
        return False
    named = _names_agree(key, match, target)
    if key.kind == "number":
        return named and key.integral and match.integral and _range_within(key, match)
    contained = containment(key, match)
    if contained is None:
        return named
    if named:
        return contained >= 0.5
    codes = all(" " not in value for value in key.profile.values)
    enough = len(key.profile.values) >= _LEAST_VALUES
    return codes and enough and contained >= _LEAST_CONTAINMENT


def _names_agree(key: ColumnInfo, match: ColumnInfo, target: DatasetInfo) -> bool:
    """The same name, or the dataset's name with the key's: ``artist_id`` and ``artists.id``."""
    key_words, match_words = key.stems, match.stems
    dataset = tuple(part.stem for part in target.parts)
    if key_words[-1] != match_words[-1] and key_words != dataset:
        return False
    if key_words == match_words:
        # "id", "code" and "name" name everybody's own rows
        return len(key_words) > 1 or not (match.identifier or match_words == ("name",))
    owned = (*dataset, *match_words)
    if match.identifier and key_words in (owned, owned[-len(match_words) - 1 :], dataset):
        return True
    ends_with = len(key_words) > len(match_words) and key_words[-len(match_words) :] == match_words
    return ends_with and len(match_words) > 1


def _range_within(key: ColumnInfo, match: ColumnInfo) -> bool:
    low, high = key.profile.minimum, key.profile.maximum
    least, most = match.profile.minimum, match.profile.maximum
    if low is None or high is None or least is None or most is None:
        return True
    try:
        return bool(least <= low and high <= most)  # type: ignore[operator]
    except TypeError:
        return False


def containment(key: ColumnInfo, match: ColumnInfo) -> float | None:
    """The share of the key's values that occur as a match; None when not known."""
    if not key.profile.values or not match.profile.complete:
        return None
    return sum(value in match.values for value in key.profile.values) / len(key.profile.values)


def _without_weaker(links: list[Link]) -> list[Link]:
    """Where a column leads to a dataset by two columns, the one of its own name counts."""
    same = {
        (link.key.dataset, link.key.name, link.match.dataset)
        for link in links
        if link.key.name.casefold() == link.match.name.casefold()
    }
    return [
        link
        for link in links
        if link.key.name.casefold() == link.match.name.casefold()
        or (link.key.dataset, link.key.name, link.match.dataset) not in same
    ]
