"""What a check reads: samples of its datasets, chosen so that the joins of its code find rows."""

from __future__ import annotations

from collections.abc import Sequence

from bluebear_magic.errors import DatasetError
from bluebear_magic.folders import writable
from bluebear_magic.records import Dataset
from bluebear_magic.runner.envelope import Binding, Outcome
from bluebear_magic.runner.related import KeyPair, related
from bluebear_magic.runner.sampling import sample


def partial(bindings: Sequence[Binding]) -> tuple[str, ...]:
    """Which samples are of the head of a packed dataset alone, one sentence each."""
    return tuple(
        f"{binding.name}: checked on the {binding.note}"
        for binding in bindings
        if binding.sampled and binding.note.startswith("head of") and "gzip" in binding.note
    )


class Samples:
    """Takes samples and remembers which columns were joined.

    Which columns a cell joins is known after its first check; from then on samples of these
    datasets hold rows for each other's keys.
    """

    def __init__(self) -> None:
        self._pairs: dict[KeyPair, None] = {}

    def of(self, datasets: Sequence[Dataset], rows: int) -> tuple[Binding, ...]:
        """A binding for each dataset, over about ``rows`` records or the whole where it is small.

        Raises ``DatasetError`` where no sample can be taken.
        """
        taken = tuple(_sampled(dataset, rows) for dataset in datasets)
        names = {dataset.name for dataset in datasets}
        known = [pair for pair in self._pairs if {pair.left, pair.right} <= names]
        return _related(datasets, taken, known)

    def after(
        self, outcome: Outcome, datasets: Sequence[Dataset], bindings: tuple[Binding, ...]
    ) -> tuple[Binding, ...]:
        """The bindings with rows for the joins that a check has shown to be; else as they are."""
        sampled = {binding.name for binding in bindings if binding.sampled}
        pairs = [
            KeyPair(*key)
            for join in outcome.plan.joined
            for key in join.keys
            if key[0] != key[2] and not sampled.isdisjoint((key[0], key[2]))
        ]
        fresh = [pair for pair in pairs if pair not in self._pairs]
        self._pairs.update(dict.fromkeys(fresh))
        return _related(datasets, bindings, fresh)


def _related(
    datasets: Sequence[Dataset], bindings: tuple[Binding, ...], pairs: Sequence[KeyPair]
) -> tuple[Binding, ...]:
    if not pairs or not any(binding.sampled for binding in bindings):
        return bindings
    wholes = [dataset.binding for dataset in datasets]
    found, _ = related(wholes, bindings, pairs, writable("samples"))
    return found


def _raise_told(error: BaseException | None) -> None:
    """What a store said is told as it is: it knows better what to do."""
    while error is not None:
        if isinstance(error, DatasetError):
            raise error
        error = error.__cause__


def _sampled(dataset: Dataset, rows: int) -> Binding:
    folder = writable("samples")
    try:
        return sample(dataset.binding, dataset.fingerprint, folder, rows)
    except OSError as error:
        _raise_told(error)
        raise DatasetError(
            f"{dataset.name}: no sample could be taken: {error}",
            f"see that the data can be read and that {folder} has room",
        ) from error
