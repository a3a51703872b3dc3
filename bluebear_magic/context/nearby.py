"""A dataset that lies elsewhere, as files of this machine: whole where small, else a sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bluebear_magic.errors import DatasetError
from bluebear_magic.folders import writable
from bluebear_magic.records import Dataset
from bluebear_magic.runner.reads import store_of
from bluebear_magic.runner.sampling import copied, sample

SMALL = 32 * 1024 * 1024  # bytes that are copied without being asked, of at most
FEW = 100  # files
SAMPLE_ROWS = 20_000  # of a larger one, to learn its values from


def is_elsewhere(dataset: Dataset) -> bool:
    """Whether it lies in a store and not on this machine. OSError for an unknown store."""
    return bool(dataset.paths) and store_of(dataset.paths[0]) is not None


def is_small(dataset: Dataset) -> bool:
    """Whether copying all of it costs next to nothing."""
    return dataset.size_bytes <= SMALL and len(dataset.paths) <= FEW


def nearby(dataset: Dataset, *, whole: bool = False) -> tuple[Dataset, bool]:
    """The dataset over files of this machine, and whether that is a sample of it.

    ``whole``: all of it, however large. Raises OSError.
    """
    if not is_elsewhere(dataset):
        return dataset, False
    binding = dataset.binding
    if whole or is_small(dataset):
        near = copied(binding)
    else:
        near = sample(binding, dataset.fingerprint, writable("samples"), SAMPLE_ROWS)
    return replace(dataset, paths=near.paths, base_path=near.base_path), near.sampled


def told_of(error: DatasetError, names: Mapping[str, str]) -> DatasetError:
    """An error about copies, told of what they are copies of: ``names`` by the copies' paths."""
    message, hint = error.message, error.hint
    for path, name in names.items():
        message, hint = message.replace(path, name), hint.replace(path, name)
    return DatasetError(message, hint, line=error.line)
