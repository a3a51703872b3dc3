"""The datasets of a session: registered by name, results of earlier questions, or found."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bluebear_magic.context.frames import SCHEME
from bluebear_magic.context.mentions import mentioned
from bluebear_magic.context.schemas import Drift, SchemaStore, drift
from bluebear_magic.context.semantics import applied, unplaced
from bluebear_magic.context.sources import Place, Sources
from bluebear_magic.errors import DatasetError
from bluebear_magic.protocols import (
    Elsewhere,
    Found,
    Gathers,
    Glance,
    Hit,
    Library,
    Reporter,
    Settles,
    Source,
    Used,
)
from bluebear_magic.records import Column, DataNote, Dataset, Semantics
from bluebear_magic.runner.envelope import Binding

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Broken:
    """Something in the data folder that cannot be read, and why."""

    name: str
    location: str
    error: DatasetError


@dataclass
class _Entry:
    """Where a dataset lies and how it is read; ``dataset`` once it was described."""

    name: str
    location: str
    options: Mapping[str, str]
    source: Source
    warnings: tuple[str, ...] = ()
    description: str = ""
    dataset: Dataset | None = None
    glance: Glance | None = None  # set: described only where it is named
    aside: str = ""  # what has its name too, and how that is called
    drift: Drift | None = None
    kept: tuple[Column, ...] | None = None
    error: DatasetError | None = None  # its place is of no kind that is known

    def settled(self) -> Dataset:
        """The current dataset, with its paths where its source finds them only when asked to."""
        dataset = self.current()
        if dataset.paths or not isinstance(self.source, Settles):
            return dataset
        return self.source.settle(dataset, self.options)

    def current(self) -> Dataset:
        """The dataset, described again when its data changed."""
        if self.error:
            raise self.error
        known = self.dataset
        if known and known.fingerprint == self.source.fingerprint(self.location, self.options):
            return self._with_aside(known)
        self.dataset = None
        dataset = self.source.describe(self.name, self.location, self.options)
        self.dataset = replace(dataset, warnings=(*self.warnings, *dataset.warnings))
        self._compare(self.dataset)
        return self._with_aside(self.dataset)

    @property
    def spellings(self) -> frozenset[str]:
        """The name, and what it was made of where that is no identifier."""
        own = self.source.suggest(self.location)
        return frozenset({self.name, own} if identifier(own) == self.name else {self.name})

    def _with_aside(self, dataset: Dataset) -> Dataset:
        told = (*dataset.warnings, self.aside)
        return replace(dataset, warnings=told) if self.aside else dataset

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns as far as they are known without looking at the data."""
        if self.dataset is None and self.kept is None:
            self.kept = SchemaStore().load(self.location, self.options) or ()
        return self.dataset.columns if self.dataset else self.kept or ()

    def _compare(self, dataset: Dataset) -> None:
        """Sets against each other the columns of now and those that were kept."""
        if self.location.startswith(SCHEME):
            return  # the same name is another frame in the next notebook
        store = SchemaStore()
        kept = store.load(self.location, self.options)
        if kept is None:
            store.save(self.location, self.options, dataset.columns)
        self.drift = drift(self.name, kept, dataset.columns) if kept is not None else None

    def accept(self) -> Drift | None:
        """Describes anew; what is there now counts from now on. What had changed."""
        self.dataset = None
        dataset = self.current()
        changed = self.drift
        if not self.location.startswith(SCHEME):
            SchemaStore().save(self.location, self.options, dataset.columns)
        self.drift = None
        return changed


class Catalog:
    """Datasets by name; names compare without regard to case, as Spark's do.

    ``folder``: the notebook's. What a source finds there by itself is looked for each time
    it is asked for. ``semantics`` gives what the project says of its data, which may name more.
    A registered dataset hides one that the project names, and that a found one of its name. What
    takes more than a look, such as a DataFrame, counts where it is named.
    """

    def __init__(
        self,
        folder: Path | None = None,
        place: Place | None = None,
        *,
        semantics: Callable[[], Semantics] = Semantics,
    ) -> None:
        self._folder = folder
        self._semantics = semantics
        self._sources = Sources(place or Place(folder))
        self._registered: dict[str, _Entry] = {}
        self._found: dict[str, _Entry] = {}
        self._looked = False  # whether the sources were asked what is there
        self._declared: dict[str, _Entry] = {}

    @property
    def folder(self) -> Path | None:
        """The folder that relative locations count from; None: the current one."""
        return self._folder

    @property
    def semantics(self) -> Semantics:
        """What the project says of its data, now. Raises ``ConfigError``."""
        return self._semantics()

    def add(
        self, name: str, location: str | Path, *, description: str = "", **options: str
    ) -> Dataset:
        """Registers what lies at ``location``; the options are those of Spark's reader.

        Raises DatasetError for a name that is no identifier and for data that cannot be read.
        """
        check_name(name)
        entry = self._placed(name, str(location), options)
        entry.description = description
        return self._register(entry)

    def add_path(self, text: str) -> Dataset:
        """The dataset for ``LOCATION``, ``NAME=LOCATION`` or the name of one that is known."""
        text = text.strip()
        if not text:
            raise DatasetError("no dataset is named", "Give a path, NAME=PATH or a name.")
        entry = self._entry(text) or (
            self._entry(identifier(text)) if text.isidentifier() else None
        )
        if entry:
            return self._told(entry)
        name, sign, location = text.partition("=")
        plain = self._sources.of(text) if ":" not in name else None
        missing = plain is not None and not Path(plain.complete(text)).exists()
        if sign and location and "/" not in name and missing:
            return self.add(name.strip(), location.strip())
        if _NAME.fullmatch(text) and missing:
            raise self._unknown(text)
        entry = self._placed("", text, {})
        entry.name, entry.warnings = _derived(entry.source.suggest(entry.location))
        return self._register(entry)

    def drift(self, name: str) -> Drift | None:
        """How a dataset differs from when it was first seen here, as it was last described; None
        where it does not.
        """
        entry = self._last.get(name.lower())
        return entry.drift if entry else None

    def refresh(self, name: str | None = None) -> tuple[Drift, ...]:
        """Describes a dataset anew, or all of them, and takes them as they are now.

        What had changed in each. Raises DatasetError for one that is not there or cannot be read.
        """
        self.renew()
        if name is None:
            known = [entry for _, entry in sorted(self._entries().items())]
            entries = [entry for entry in known if not entry.glance or entry.dataset]
        else:
            found = self._entry(name)
            if found is None:
                raise self._unknown(name)
            entries = [found]
        changed = []
        for entry in entries:
            try:
                changed.append(entry.accept())
            except DatasetError:
                if name is not None:
                    raise  # of all of them, those that are broken are told in the list
        return tuple(item for item in changed if item)

    def reach(self, dataset: Dataset) -> tuple[str, ...]:
        """The backends that can read a dataset where it lies: ``local``, ``soal``, ``emr``."""
        source = self._sources.of(dataset.location)
        return source.reach if isinstance(source, Elsewhere) else ("local",)

    def use(self, location: str) -> Used:
        """Makes the tables of ``glue:DATABASE`` known by their names. Raises DatasetError."""
        source = self._sources.of(location)
        if not isinstance(source, Library):
            raise DatasetError(
                f"{location} is no catalog of tables", "%bluebear data use glue:DATABASE"
            )
        return source.use(location)

    def search_libraries(
        self, words: str, warn: Callable[[str], None] = lambda _: None
    ) -> tuple[Hit, ...]:
        """What the catalogs of tables have that fits all the words.

        One that cannot be searched is told to ``warn``. Raises DatasetError where none can be.
        """
        hits: list[Hit] = []
        errors: dict[str, DatasetError] = {}
        sources = [source for source in self._sources.all if isinstance(source, Library)]
        for source in sources:
            try:
                hits += source.search(words)
            except DatasetError as error:
                errors[source.name] = error
        if errors and len(errors) == len(sources):
            raise next(iter(errors.values()))
        for name, why in errors.items():
            warn(f"{name} was not searched: {why.message}")
        return tuple(hits)

    def doubts(self) -> tuple[str, ...]:
        """What the project says of datasets that there are none of, a line each."""
        return unplaced(self.semantics, [entry.name for entry in self._entries().values()])

    def glimpse(self) -> dict[str, tuple[str, ...]]:
        """The columns of each dataset as far as they are known already, by its name.

        No data is read: what was described in this session counts, else what was kept when the
        dataset was last seen here. Folders are looked into only if they never were.
        """
        entries = self._last if self._looked else self._entries()
        return {
            entry.name: tuple(column.name for column in entry.columns)
            for _, entry in sorted(entries.items())
        }

    def remove(self, name: str) -> None:
        """Forgets a registered dataset; its files stay. DatasetError when there is none."""
        if self._registered.pop(name.lower(), None) is None:
            found = self._entry(name)
            if found and found.name.lower() in self._declared:
                raise DatasetError(
                    f"{found.name} stands in bluebear.toml", "data rm NAME --save removes it there."
                )
            if found:
                raise DatasetError(
                    f"{found.name} is not registered: it was found at {found.location}",
                    "Move the file out of that folder.",
                )
            raise self._unknown(name)

    def get(self, name: str) -> Dataset:
        """The dataset of that name, described again where its files changed.

        Raises DatasetError when there is none, or when it cannot be read now.
        """
        entry = self._entry(name)
        if entry is None:
            raise self._unknown(name)
        return self._told(entry, entry.settled())

    def settled(self, datasets: Sequence[Dataset]) -> tuple[Dataset, ...]:
        """The same datasets, those without paths with them: what is to be read has to have some.

        Raises DatasetError.
        """
        return tuple(item if item.paths else self.get(item.name) for item in datasets)

    def names(self) -> tuple[str, ...]:
        """The names of all datasets, sorted, whether they can be read or not."""
        return tuple(entry.name for _, entry in sorted(self._entries().items()))

    def list(self, text: str = "") -> tuple[Dataset, ...]:
        """All datasets that can be read, sorted by name; see ``survey``."""
        return self.survey(text)[0]

    def survey(self, text: str = "") -> tuple[tuple[Dataset, ...], tuple[Broken, ...]]:
        """All datasets that can be read, and those that cannot, with their errors.

        Those with a glance only where ``text``, a question or code, names them.
        """
        datasets, broken = [], []
        entries = self._entries()
        waiting = [entry for entry in entries.values() if entry.glance]
        named = mentioned({name for entry in waiting for name in entry.spellings}, text)
        for key in sorted(entries):
            entry = entries[key]
            if entry.glance and named.isdisjoint(entry.spellings):
                continue
            try:
                datasets.append(self._told(entry))
            except DatasetError as error:
                broken.append(Broken(entry.name, entry.location, error))
        return tuple(datasets), tuple(broken)

    def glances(self) -> tuple[tuple[str, str, Glance], ...]:
        """Name, location and what is known of those that count where they are named."""
        entries = self._entries()
        found = ((entries[key], entries[key].glance) for key in sorted(entries))
        return tuple((entry.name, entry.location, glance) for entry, glance in found if glance)

    def leaves_machine(self, location: str) -> bool:
        """Whether asking about a location tells another machine so. Raises DatasetError."""
        return self._sources.of(location).leaves_machine

    def resolve(self, names: Sequence[str], text: str = "") -> tuple[Dataset, ...]:
        """The datasets of these names, each once, in this order; of no names: see ``list``."""
        if not names:
            return self.list(text)
        return tuple(self.get(name) for name in {name.lower(): name for name in names}.values())

    def _register(self, entry: _Entry) -> Dataset:
        dataset = self._told(entry, entry.settled())
        self._registered[entry.name.lower()] = entry
        return dataset

    def _told(self, entry: _Entry, dataset: Dataset | None = None) -> Dataset:
        """The dataset with what the project says of it, and with what was said in the session."""
        dataset = applied(dataset or entry.current(), self.semantics)
        return replace(dataset, description=said) if (said := entry.description) else dataset

    def _placed(self, name: str, location: str, options: Mapping[str, str]) -> _Entry:
        source = self._sources.of(location)
        return _Entry(name, source.complete(location), options, source)

    def wholes(self, datasets: Sequence[Dataset], reporter: Reporter) -> tuple[Binding, ...]:
        """All that a run reads, as local Spark reads it; copied to where it can, if that takes it.

        Raises DatasetError, also where copying would take more than the settings allow.
        """
        for source in self._sources.all:
            if isinstance(source, Gathers):
                source.gather(datasets, reporter)
        return tuple(self._sources.of(item.location).whole(item, reporter) for item in datasets)

    def whole(self, dataset: Dataset, reporter: Reporter) -> Binding:
        """All of one dataset."""
        return self.wholes((dataset,), reporter)[0]

    def renew(self) -> None:
        """Lets the sources list anew what lies elsewhere, which they keep for some seconds."""
        for source in self._sources.all:
            if isinstance(source, Gathers):
                source.renew()

    def _entry(self, name: str) -> _Entry | None:
        key = name.lower()
        return self._registered.get(key) or self._entries().get(key)

    def _entries(self) -> dict[str, _Entry]:
        """All of them by their names in lower case, the registered ones before the others."""
        stated = self._stated()
        return {**self._discovered(), **stated, **self._registered}

    @property
    def _last(self) -> dict[str, _Entry]:
        """The same as when they were last looked for."""
        return {**self._found, **self._declared, **self._registered}

    def _stated(self) -> dict[str, _Entry]:
        """What the project names with a location; what was described before is kept."""
        stated = {}
        for note in self.semantics.data:
            if note.location:
                entry = self._stated_entry(note)
                known = self._declared.get(note.name.lower(), entry)
                same = (known.location, known.options) == (entry.location, entry.options)
                stated[note.name.lower()] = known if same else entry
        self._declared = stated
        return stated

    def _stated_entry(self, note: DataNote) -> _Entry:
        """A place that no source knows hurts no other dataset: it is told when it is used."""
        try:
            return self._placed(note.name, note.location, dict(note.options))
        except DatasetError as error:
            entry = _Entry(note.name, note.location, dict(note.options), self._sources.all[0])
            entry.error = error
            return entry

    def _discovered(self) -> dict[str, _Entry]:
        """What the sources find now; what was described before is kept."""
        found: dict[str, _Entry] = {}
        for entry in (*self._found.values(), *self._registered.values()):
            entry.aside = ""
        for source in self._sources.all:
            for item in source.found():
                name, warnings = _derived(item.name)
                first = found.get(name.lower()) or self._hiding(name, item)
                if first:
                    name = identifier(item.instead)
                    if item.glance:
                        first.aside = f"{item.location} is another dataset, called {name}"
                    warnings = (f"another dataset is called {item.name}: this one is {name}",)
                known = self._found.get(name.lower())
                if known is None or known.location != item.location:
                    known = _Entry(name, item.location, item.options, source, warnings)
                known.glance = item.glance
                found.setdefault(name.lower(), known)
        self._found, self._looked = found, True
        return found

    def _hiding(self, name: str, item: Found) -> _Entry | None:
        """The registered or stated dataset with the name of a variable, unless it is that one."""
        key = name.lower()
        known = self._registered.get(key) or self._declared.get(key) if item.glance else None
        return known if known and known.location != item.location else None

    def _unknown(self, name: str) -> DatasetError:
        from rapidfuzz import process, utils

        entries = self._entries()
        known = sorted(entry.name for entry in entries.values())
        if not known:
            return DatasetError(
                f"there is no dataset {name!r}, nor any other",
                "Add one: %bluebear data add NAME PATH",
            )
        near = process.extractOne(name, known, processor=utils.default_process, score_cutoff=55)
        hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known[:10])}."
        return DatasetError(f"there is no dataset {name!r}", hint)


def check_name(name: str) -> None:
    """DatasetError, with a name that would do, unless ``name`` is a plain identifier."""
    if not _NAME.fullmatch(name):
        raise DatasetError(
            f"{name!r} is no name for a dataset",
            f"Use letters, digits and _, such as {identifier(name)}.",
        )


def identifier(text: str) -> str:
    """The text as an identifier."""
    name = re.sub(r"[^A-Za-z0-9_]+", "_", text).strip("_") or "data"
    return f"_{name}" if name[0].isdigit() else name


def _derived(stem: str) -> tuple[str, tuple[str, ...]]:
    name = identifier(stem)
    told = f"{stem!r} is no identifier: the dataset is called {name}"
    return name, () if name == stem else (told,)
