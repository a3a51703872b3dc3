"""What of the datasets at hand may leave for a model: the setting, how columns look, and what
results were made of.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from bluebear_magic.context.describe import examples
from bluebear_magic.context.used import used_in
from bluebear_magic.generation import pastcode
from bluebear_magic.generation.personal import personal
from bluebear_magic.records import Context, Dataset, PastTurn, Profile, Sharing
from bluebear_magic.sharing import Wish
from bluebear_magic.vocabulary import SHARES, Share


@dataclass(frozen=True)
class Consent:
    """``wish``: the setting; ``results``: what each result was made of, by its name in lower
    case.
    """

    wish: Wish
    results: Mapping[str, PastTurn]

    def sharing(self, datasets: Sequence[Dataset], profiles: Sequence[Profile]) -> Sharing:
        """What of these datasets may leave; the profiles are theirs, in their order."""
        private = self._private(datasets, profiles)
        sources: Sequence[Dataset] = [
            item for item in datasets if item.name.lower() not in self.results
        ]
        levels: dict[str, Share] = {item.name: self.wish.of(item.name) for item in datasets}
        for name in levels.keys() & self.results.keys() - self.wish.datasets.keys():
            levels[name] = _of_result(self.results[name], sources, levels, private)
        rows = {
            dataset.name: examples(dataset)[1]
            for dataset in datasets
            if levels[dataset.name] == "samples"
        }
        guessed = self._guessed(datasets, levels)
        held = Sharing(self.wish.default, levels, private, rows, guessed)
        sources = Context(tuple(sources), (), sharing=held).visible.datasets
        return replace(held, hidden=guessed | self._hidden(datasets, sources, held))

    def _private(
        self, datasets: Sequence[Dataset], profiles: Sequence[Profile]
    ) -> frozenset[tuple[str, str]]:
        """The columns of which no value may leave, whatever their dataset's level."""
        private = set()
        for dataset, values in zip(datasets, profiles, strict=True):
            looks = personal(dataset, values)
            for column in dataset.columns:
                said = self.wish.column(dataset.name, column.name)
                if said is False or (said is None and column.name in looks):
                    private.add((dataset.name, column.name))
        return frozenset(private)

    def _guessed(
        self, datasets: Sequence[Dataset], levels: Mapping[str, Share]
    ) -> frozenset[tuple[str, str]]:
        """The columns whose names may be values of a first row, where no value may leave."""
        return frozenset(
            (dataset.name, column.name)
            for dataset in datasets
            if levels[dataset.name] == "schema"
            for column in dataset.columns
            if column.guessed and not self.wish.column(dataset.name, column.name)
        )

    def _hidden(
        self, datasets: Sequence[Dataset], sources: Sequence[Dataset], held: Sharing
    ) -> frozenset[tuple[str, str]]:
        """The columns of results whose names are made of values that are not shared."""
        found = set()
        for item in datasets:
            turn = self.results.get(item.name.lower())
            if turn is not None and held.of(item.name) == "schema":
                columns = tuple(column.name for column in item.columns)
                code = pastcode.sent_code(turn, held, sources, turn.question)
                shown = pastcode.sent_columns(replace(turn, columns=columns), code, held, sources)
                found |= {(item.name, name) for name in columns if name not in shown}
        return frozenset(found)


def _of_result(
    turn: PastTurn,
    sources: Sequence[Dataset],
    levels: Mapping[str, Share],
    private: Collection[tuple[str, str]],
) -> Share:
    """The level of a result that nobody has named: of what it was made of, the strictest."""
    used = [item.name for item in used_in(turn.code, sources)]
    if not used or any(dataset in used for dataset, _ in private):
        return "schema"
    return min((levels[name] for name in used), key=SHARES.index)
