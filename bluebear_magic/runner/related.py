"""Samples of several datasets whose joins still find rows.

Two samples taken apart share hardly a key. For each pair of key columns, rows of one
dataset are looked for whose keys are in the sample of the other: in at most eight more
places, where the statistics of Parquet say that they may be, within the bytes that one
sample may cost.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bluebear_magic.runner import sample_cache
from bluebear_magic.runner.envelope import Binding
from bluebear_magic.runner.keys import Key, values
from bluebear_magic.runner.reads import Budget
from bluebear_magic.runner.sample_cache import Entry
from bluebear_magic.runner.sampling import MAX_READ, bound
from bluebear_magic.runner.seek import Search, rows_with

ENOUGH = 20  # common key values; with fewer, more rows are looked for
GATHER = 100  # rows after which the search ends


@dataclass(frozen=True)
class KeyPair:
    """Two columns that a join compares: ``left``.``left_column`` = ``right``.``right_column``."""

    left: str
    left_column: str
    right: str
    right_column: str


def related(
    wholes: Sequence[Binding], samples: Sequence[Binding], keys: Sequence[KeyPair], cache: Path
) -> tuple[tuple[Binding, ...], tuple[KeyPair, ...]]:
    """The samples, with rows added for the keys; and the pairs for which none are common.

    ``samples`` are those of ``wholes``, in the same order. Pairs of two whole datasets are
    as they are, and never among those returned; pairs whose columns are missing, nested or
    cannot be read always are.
    """
    full = {binding.name: binding for binding in wholes}
    now = {binding.name: binding for binding in samples}
    missed = []
    for pair in keys:
        try:
            now, found = _joined(full, now, pair, cache)
        except _TROUBLE:
            found = False
        if not found:
            missed.append(pair)
    return tuple(now[binding.name] for binding in samples), tuple(missed)


# What odd data, odd schemas and pyarrow (its errors are kinds of these) may raise.
_TROUBLE = (OSError, ValueError, TypeError, KeyError, LookupError, NotImplementedError)


def _joined(
    full: dict[str, Binding], now: dict[str, Binding], pair: KeyPair, cache: Path
) -> tuple[dict[str, Binding], bool]:
    """The samples after one pair, and whether its columns have a value in common."""
    left, right = Key(now[pair.left], pair.left_column), Key(now[pair.right], pair.right_column)
    _ = left.index, right.index
    if pair.left == pair.right or not (left.binding.sampled or right.binding.sampled):
        return now, True
    # From the sample whose keys are given to the dataset that is searched for them.
    ways = [(left, right), (right, left)]
    for given, other in ways:
        if not other.binding.sampled:
            continue
        wanted, known = values(given), values(other)
        common = len(wanted & known)
        if common >= min(ENOUGH, len(wanted)) > 0:
            return now, True
        whole = Key(full[other.binding.name], other.column)
        try:
            more = _extended(whole, other, given, wanted - known, cache)
            common = len(wanted & values(Key(more, other.column)))
            now = now | {more.name: more}
        except _TROUBLE:  # then it stays as it is
            pass
        if common:
            return now, True
    return now, False


def _extended(whole: Key, other: Key, given: Key, wanted: frozenset[str], cache: Path) -> Binding:
    """The other's sample and rows with the wanted keys; made once for these keys."""
    base = other.binding
    if not wanted or not base.paths:
        return base
    variant = sample_cache.digest(base.fingerprint, other.column.lower(), tuple(sorted(wanted)))
    holder = _holder(base)
    # Named as the sample it builds on, so that they go together when the data changes.
    folder = cache / "-".join([*holder.name.split("-")[:2], variant])
    entry = sample_cache.load(folder)
    if entry is None:
        entry = sample_cache.make(folder, lambda aside: _build(whole, base, given, wanted, aside))
    return bound(whole.binding, entry, variant)


def _holder(base: Binding) -> Path:
    """The cache folder that a sample lies in."""
    if base.base_path:
        return Path(base.base_path)
    return Path(base.paths[0]).parent


def _build(
    whole: Key, base: Binding, given: Key, wanted: frozenset[str], aside: Path
) -> tuple[str, int]:
    holder = _holder(base)
    before: Entry | None = sample_cache.load(holder)
    for path in base.paths:
        target = aside / Path(path).relative_to(holder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    spent = before.read if before else 0
    budget = Budget(max(0, MAX_READ - spent))
    taken = rows_with(Search(whole, wanted, GATHER, budget), aside)
    note = base.note
    if taken:
        note += f", and {taken} rows for keys of {given.binding.name}"
    return note, spent + budget.spent
