"""Keys by which datasets probably join: names agree, and values occur on both sides. Pure.

The values are those of profiles; nothing is read for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bluebear_magic.generation.offline.joins import containment, find_links
from bluebear_magic.generation.offline.schema import SchemaIndex
from bluebear_magic.records import Context, Dataset, JoinKey, Profile, Semantics

_MOST_DATASETS = 100  # looked at besides the one that is asked of
_MOST_COLUMNS = 2000  # of all of them


@dataclass(frozen=True)
class Likely:
    """Every row of ``left`` probably finds at most one of ``right``.

    ``share``: the part of the key's known values that occur there; None where not known.
    """

    left: str
    left_column: str
    right: str
    right_column: str
    share: float | None = None


def likely(
    dataset: tuple[Dataset, Profile],
    others: Sequence[tuple[Dataset, Profile]],
    semantics: Semantics,
) -> tuple[Likely, ...]:
    """The keys between a dataset and others; those that the project names are not among them."""
    name = dataset[0].name
    chosen, columns = [dataset], len(dataset[0].columns)
    for other in others[:_MOST_DATASETS]:
        columns += len(other[0].columns)
        if columns > _MOST_COLUMNS:
            break
        chosen.append(other)
    datasets, profiles = zip(*chosen, strict=True)
    index = SchemaIndex(Context(datasets, profiles))
    named = {_sides(key) for key in semantics.keys}
    found = [
        Likely(link.key.dataset, link.key.name, link.match.dataset, link.match.name, share)
        for link in find_links(index, name)
        if name in {link.key.dataset, link.match.dataset}
        for share in [containment(link.key, link.match)]
    ]
    return tuple(link for link in found if _sides(link) not in named)


def _sides(key: JoinKey | Likely) -> frozenset[tuple[str, str]]:
    left = (key.left.lower(), key.left_column.lower())
    return frozenset((left, (key.right.lower(), key.right_column.lower())))
