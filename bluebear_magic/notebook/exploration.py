"""What the explorer knows and does, without widgets: the list, one dataset, sharing, uploads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bluebear_magic.context import uploads
from bluebear_magic.context.catalog import Catalog, identifier
from bluebear_magic.context.describe import ListedDataset, listing, relative
from bluebear_magic.context.looks import Look, look
from bluebear_magic.context.profiles import kept_profile, profile
from bluebear_magic.errors import DatasetError
from bluebear_magic.present.explored import (
    Bundle,
    View,
    list_bundle,
    shared_told,
    trouble_bundle,
    view_bundle,
)
from bluebear_magic.records import Dataset, Profile, Sharing
from bluebear_magic.vocabulary import Share


@dataclass(frozen=True)
class Doors:
    """What a session lets the explorer use. ``sharing``: of one dataset, with what is known of
    its values; ``share`` sets the level of a dataset; ``upload_mb``: an upload's limit, now.
    """

    catalog: Catalog
    sharing: Callable[[Dataset, Profile], Sharing]
    share: Callable[[str, str], None]
    upload_mb: Callable[[], int]

    @property
    def folder(self) -> Path:
        """The notebook's."""
        return self.catalog.folder or Path.cwd()


class Exploration:
    """The datasets as they were when last looked for, and the one that is chosen.

    Nothing here reads all of a large dataset but ``measure``.
    """

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._looks: dict[str, Look] = {}  # by fingerprint and schema
        self.lines: Sequence[ListedDataset] = ()
        self.view: View | None = None
        self.refresh()

    def refresh(self) -> None:
        """Looks for datasets anew; those whose data changed are described again."""
        self._datasets = {item.name: item for item in self._doors.catalog.list()}
        known = {name: self._known(item) for name, item in self._datasets.items()}
        counted = {name: found for name, found in known.items() if found}
        self.lines = listing(self._doors.catalog, counted)

    def _known(self, dataset: Dataset) -> Profile | None:
        """What was measured before, or seen in a look; for the number of rows."""
        seen = self._looks.get(_state(dataset))
        return kept_profile(dataset) or (seen.profile if seen else None)

    def matching(self, words: str) -> list[ListedDataset]:
        """The datasets with all these words in their names, columns, formats or places."""
        wanted = words.lower().split()
        return [line for line in self.lines if all(word in self._text(line) for word in wanted)]

    def _text(self, line: ListedDataset) -> str:
        dataset = self._datasets.get(line.name)
        columns = [column.name for column in dataset.columns] if dataset else []
        return " ".join([line.name, line.format, line.location, *columns]).lower()

    def known(self, name: str) -> str:
        """The name of a dataset as it is listed. DatasetError, with the nearest, for no dataset."""
        listed = {line.name.lower(): line.name for line in self.lines}
        return listed.get(name.lower()) or self._doors.catalog.get(name).name

    def open(self, name: str) -> Bundle:
        """Chooses a dataset: what is known of it, and a bounded look at its values."""
        self.view = None
        broken = next((line for line in self.lines if line.name == name and line.error), None)
        if broken:
            return trouble_bundle(f"{name} cannot be read: {broken.error}", self.lines)
        try:
            dataset = self._doors.catalog.get(name)
            seen = self._look(dataset)
        except DatasetError as error:
            return trouble_bundle(str(error), self.lines)
        self._show(dataset, seen, kept_profile(dataset))
        return self.bundle

    @property
    def bundle(self) -> Bundle:
        """What is shown now: the dataset chosen, else the list."""
        return view_bundle(self.view, self.lines) if self.view else list_bundle(self.lines)

    def measure(self, dataset: Dataset, progress: Callable[[str], None]) -> Profile:
        """Reads the values, beyond 512 MB what is cheap of them; the profile is kept for later.

        What ``progress`` raises ends it. Raises DatasetError.
        """
        return profile(dataset, progress=progress)

    def measured(self, dataset: Dataset, found: Profile) -> Bundle:
        """Shows the figures, if that dataset is still the one chosen."""
        self.refresh()
        if self.view and self.view.dataset == dataset:
            self._show(dataset, self.view.look, found)
        return self.bundle

    @property
    def level(self) -> Share:
        """How much of the dataset chosen may leave for a model."""
        assert self.view is not None
        return self.view.sharing.of(self.view.dataset.name)

    def share(self, level: str) -> str:
        """Sets the level of the dataset chosen; what that means, in a sentence."""
        assert self.view is not None
        dataset = self.view.dataset
        self._doors.share(dataset.name, level)
        self._show(dataset, self.view.look, self.view.profile)
        return f"{dataset.name} from now on: {shared_told(dataset, self.view.sharing)}"

    def upload(self, name: str, content: bytes | memoryview) -> str:
        """Keeps a file in the ``data`` folder; the name of the dataset that it is now.

        Raises DatasetError, also where a file of its name is there.
        """
        path = uploads.save(self._doors.folder, name, content, self._doors.upload_mb())
        self.refresh()
        found = [item.name for item in self._datasets.values() if item.location == str(path)]
        return found[0] if found else self._register(path)

    def _register(self, path: Path) -> str:
        """A name for a file that a dataset registered elsewhere hides, having its name."""
        stem, number = identifier(path.name.partition(".")[0]), 2
        taken = {line.name.lower() for line in self.lines}
        while f"{stem}_{number}".lower() in taken:
            number += 1
        name = self._doors.catalog.add(f"{stem}_{number}", path).name
        self.refresh()
        return name

    def other_name(self, name: str) -> str | None:
        """A name that is free, where a file of this name is there; else None.

        Raises DatasetError for a file of a kind that is not read.
        """
        safe = uploads.safe_name(name)
        free = uploads.free_name(self._doors.folder / uploads.FOLDER, safe)
        return None if free == safe else free

    def _look(self, dataset: Dataset) -> Look:
        key = _state(dataset)
        if key not in self._looks:
            self._looks[key] = look(dataset)
            self.refresh()
        return self._looks[key]

    def _show(self, dataset: Dataset, seen: Look, measured: Profile | None) -> None:
        held = self._doors.sharing(dataset, measured or seen.profile)
        place = relative(dataset.location, self._doors.folder)
        self.view = View(dataset, place, seen, measured, held)


def _state(dataset: Dataset) -> str:
    """What a look depends on."""
    return f"{dataset.location} {dataset.fingerprint} {dataset.ddl} {dataset.options}"
