"""Samples of a dataset, taken on the trusted side, at bounded cost whatever its size.

A sample is a copy of a few records in the dataset's own format, read by Spark with the
options of the full run, so that check and run parse alike. Small datasets are used whole.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bluebear_magic.runner import sample_cache, sample_columnar, sample_text
from bluebear_magic.runner.ddl import columns
from bluebear_magic.runner.envelope import Binding
from bluebear_magic.runner.reads import Budget, Quota, folders, store_of
from bluebear_magic.runner.sample_cache import Entry
from bluebear_magic.runner.sample_text import Part

ROWS = 1000
# Spark reads so much in the time that it takes to begin: a sample would gain nothing, and
# joins and rare values are checked best on all there is. Columnar data is packed, and it
# unpacks to some four times as much.
WHOLE_TEXT = 512 * 1024
WHOLE_COLUMNAR = 128 * 1024
MAX_READ = 64 * 1024 * 1024  # bytes read for one dataset's sample, any format
AIM = 8 * 1024 * 1024  # bytes of columnar data after which a sample is varied enough
LOOK = 50_000  # rows, the same
SPOTS = 9  # places looked at, in one file or in several


def sample(binding: Binding, fingerprint: str, cache: Path, rows: int = ROWS) -> Binding:
    """The binding itself when it is small, else one over about ``rows`` sampled records.

    ``fingerprint`` names the data's state: a sample is made once for each, and those of
    earlier states are removed. ``cache`` is a folder for samples; made when missing.
    The binding returned has a fingerprint of what it holds, and a note that says what that
    is of. Raises OSError when data cannot be read or the sample cannot be written.
    """
    states = [_state(path) for path in binding.paths]
    if not fingerprint:
        fingerprint = repr(states)
    content = sample_cache.content_key(binding, fingerprint)
    small = WHOLE_COLUMNAR if binding.format in {"parquet", "orc"} else WHOLE_TEXT
    if sum(size for size, _ in states) <= small:
        return replace(copied(binding), fingerprint=content)
    filled = [path for path, (size, _) in zip(binding.paths, states, strict=True) if size > 0]
    folder = sample_cache.place(cache, binding, content, rows)
    entry = sample_cache.load(folder) or sample_cache.make(
        folder, lambda aside: _build(binding, filled, aside, rows)
    )
    return bound(binding, entry, sample_cache.digest(content, rows))


def _state(path: str) -> tuple[int, int]:
    """Bytes, and for a file here the time of its last change; a store knows what it lists."""
    store = store_of(path)
    if store is not None:
        return store.size(path), 0
    known = os.stat(path)  # noqa: PTH116 - ten thousand of them
    return known.st_size, known.st_mtime_ns


def copied(binding: Binding) -> Binding:
    """The binding over whole copies on this machine, where it is not here. Raises OSError."""
    store = store_of(binding.paths[0]) if binding.paths else None
    if store is None:
        return binding
    base = binding.base_path
    return replace(
        binding,
        paths=store.copies(binding.paths, base),
        base_path=store.copies_base(base) if base else None,
    )


def bound(binding: Binding, entry: Entry, fingerprint: str) -> Binding:
    """The dataset over a made sample."""
    return replace(
        binding,
        paths=entry.files,
        base_path=str(entry.folder) if binding.base_path else None,
        sampled=True,
        note=entry.note,
        fingerprint=fingerprint,
    )


def _build(binding: Binding, filled: Sequence[str], aside: Path, rows: int) -> tuple[str, int]:
    """Writes the sample of each chosen file; what it is of, and how many bytes were read."""
    last = len(filled) - 1
    chosen = [filled[index] for index in sorted({0, last // 2, last})]
    spots = -(-SPOTS // len(chosen))
    left = Budget(MAX_READ)
    parts: list[Part] = []
    for number, source in enumerate(chosen):
        files = len(chosen) - number
        share = -(-(rows - sum(part.rows for part in parts)) // files)
        budget = left.part(files)
        aim, look, place = AIM // len(chosen), LOOK // len(chosen), number / max(1, len(chosen) - 1)
        quota = Quota(share, spots, budget, aim, look, place)
        target = target_of(binding, source, aside, f"{number}")
        try:
            parts.append(_take(binding, source, target, quota))
        except OSError as error:
            raise OSError(f"{source}: {error}") from error
        left.charge(budget.spent)
    return describe(parts, len(binding.paths)), left.spent


def target_of(binding: Binding, source: str, aside: Path, name: str) -> Path:
    """The file for what is taken of ``source``, in the folder of its partition."""
    folder = aside.joinpath(*folders(source, binding.base_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.{binding.format}"


def _take(binding: Binding, source: str, target: Path, quota: Quota) -> Part:
    if binding.format == "parquet":
        return sample_columnar.parquet(source, target, quota)
    if binding.format == "orc":
        return sample_columnar.orc(source, target, quota)
    shape = sample_text.shape_of(binding, width(binding, source))
    return sample_text.take(source, target, shape, quota)


def width(binding: Binding, source: str) -> int:
    """The number of fields in a file: the columns less those that its folders tell."""
    told = sum("=" in folder for folder in folders(source, binding.base_path))
    return max(1, len(columns(binding.schema)) - told)


def describe(parts: Sequence[Part], total: int) -> str:
    """What a sample is of, in a short phrase for people."""
    kinds = Counter(part.kind for part in parts)
    kind = kinds.most_common(1)[0][0] if len(kinds) == 1 else "file"
    heads = [part for part in parts if part.head]
    what = "head" if heads else "head, middle and tail"
    if total > 1:
        of = f"{len(parts)} of {total} {kind}s" if len(parts) < total else f"{total} {kind}s"
    else:
        of = f"{'an' if kind[0] in 'aeio' else 'a'} {kind}" if kind != "file" else "the file"
    phrase = f"{what} of {of}"
    if heads and len(heads) < len(parts):
        phrase += f", middle and tail of {len(parts) - len(heads)}"
    why = next((part.why for part in parts if part.why), "")
    if not any(part.rows for part in parts):
        why = why or f"no row within {MAX_READ >> 20} MB"
    return f"{phrase} ({why})" if why else phrase
