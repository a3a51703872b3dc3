"""The setting ``share``: what of each dataset may leave for a model. Pure.

``schema`` (names and types alone), ``profile`` (ranges and frequent values too) or ``samples``
(rows too), for all datasets or by name; a column that looks like personal data stays at its schema
until it is named as ``shared``, and any other can be held back as ``schema``::

    share = "schema, sales=profile, sales.email=shared"

In ``bluebear.toml`` a table says the same: ``default = "schema"``, ``sales = "profile"``,
``"sales.email" = "shared"``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bluebear_magic.errors import ArgumentError
from bluebear_magic.vocabulary import SHARES, Share

DEFAULT = "default"
SHARED = "shared"
LEVELS = {
    "schema": "names, types and sizes, no values",
    "profile": "names, types, ranges and frequent values",
    "samples": "names, types, ranges, frequent values and three rows",
}
HOW = (
    "for example: schema, sales=profile, sales.email=shared. A level is schema, profile or "
    "samples; a column is schema or shared"
)


@dataclass(frozen=True)
class Wish:
    """The setting taken apart; names in lower case. ``columns``: whether they are shared."""

    default: Share = "schema"
    datasets: Mapping[str, Share] = field(default_factory=dict)
    columns: Mapping[tuple[str, str], bool] = field(default_factory=dict)

    def of(self, dataset: str) -> Share:
        """The level of a dataset."""
        return self.datasets.get(dataset.lower(), self.default)

    def column(self, dataset: str, column: str) -> bool | None:
        """Whether a column is shared with the rest of its dataset; None where nothing is said."""
        return self.columns.get((dataset.lower(), column.lower()))

    def with_(self, name: str, level: str) -> Wish:
        """With another level for all (``default``), for a dataset, or for ``NAME.COLUMN``.

        A level for all replaces those of the datasets. Raises ``ArgumentError``.
        """
        dataset, dot, column = name.lower().partition(".")
        if dot:
            if level not in {SHARED, SHARES[0]} or not (dataset and column):
                raise ArgumentError(f"{name}={level} is no sharing of a column", HOW)
            columns = {**self.columns, (dataset, column): level == SHARED}
            return replace(self, columns=columns)
        if level not in SHARES or not dataset:
            raise ArgumentError(f"`{level}` is no level of sharing", HOW)
        if dataset == DEFAULT:
            return replace(self, default=level, datasets={})
        return replace(self, datasets={**self.datasets, dataset: level})

    @property
    def text(self) -> str:
        """As the setting spells it."""
        parts = [str(self.default)]
        parts += [f"{name}={level}" for name, level in self.datasets.items()]
        parts += [
            f"{dataset}.{column}={SHARED if shared else SHARES[0]}"
            for (dataset, column), shared in self.columns.items()
        ]
        return ", ".join(parts)


def parse(value: Any) -> Wish:
    """A wish from the setting's text or table. Raises ``ArgumentError``."""
    if isinstance(value, Mapping):
        items = [(str(name), str(level)) for name, level in value.items()]
    elif isinstance(value, str):
        parts = [part.strip() for part in value.split(",") if part.strip()]
        split = [part.rpartition("=") for part in parts]
        items = [(name.strip() or DEFAULT, level.strip()) for name, _, level in split]
    else:
        raise ArgumentError(f"share is {value!r}", HOW)
    wish = Wish()
    for name, level in sorted(items, key=lambda item: item[0].lower() != DEFAULT):
        wish = wish.with_(name, level)
    return wish


def loosens(wish: Wish, than: Wish) -> bool:
    """Whether more may leave by ``wish`` than by the other, of anything that either names."""
    names = {*wish.datasets, *than.datasets}
    columns = {*wish.columns, *than.columns}
    return (
        SHARES.index(wish.default) > SHARES.index(than.default)
        or any(SHARES.index(wish.of(name)) > SHARES.index(than.of(name)) for name in names)
        or any(_rank(wish.column(*name)) > _rank(than.column(*name)) for name in columns)
    )


def _rank(shared: bool | None) -> int:
    """Held back, left to how it looks, shared."""
    return {False: 0, None: 1, True: 2}[shared]
