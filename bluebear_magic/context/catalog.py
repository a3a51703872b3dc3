"""The datasets of a session: registered by name, results of earlier questions, or found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bluebear_magic.context.files import FORMATS, is_hidden
from bluebear_magic.errors import DatasetError
from bluebear_magic.records import Dataset

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_Options = Mapping[str, str]


@dataclass(frozen=True)
class Broken:
    """Something in the data folder that cannot be read, and why."""

    name: str
    location: str
    error: DatasetError


@dataclass
class _Entry:
    """Where a dataset lies and how it is read; ``dataset`` once it was described.

    ``fixed``: it was described elsewhere, and stays as it is.
    """

    name: str
    location: str
    options: _Options
    warnings: tuple[str, ...] = ()
    dataset: Dataset | None = None
    fixed: bool = False

    def current(self) -> Dataset:
        """The dataset, described again when its files changed."""
        from bluebear_magic.context import local

        if self.dataset is not None and (
            self.fixed
            or self.dataset.fingerprint == local.fingerprint(self.location, options=self.options)
        ):
            return self.dataset
        self.dataset = None
        dataset = local.describe(self.name, self.location, options=self.options)
        self.dataset = replace(dataset, warnings=(*self.warnings, *dataset.warnings))
        return self.dataset


class Catalog:
    """Datasets by name; names compare without regard to case, as Spark's do.

    ``folder``: the notebook's. What lies in its ``data`` folder is found by itself, each
    time it is asked for; a registered dataset hides a found one of its name.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._registered: dict[str, _Entry] = {}
        self._found: dict[str, _Entry] = {}

    @property
    def folder(self) -> Path | None:
        """The folder that relative locations count from; None: the current one."""
        return self._folder

    def add(self, name: str, location: str | Path, **options: str) -> Dataset:
        """Registers what lies at ``location``; the options are those of Spark's reader.

        Raises DatasetError for a name that is no identifier and for data that cannot be read.
        """
        check_name(name)
        return self._register(_Entry(name, self._absolute(location), options))

    def add_path(self, text: str) -> Dataset:
        """The dataset for ``PATH``, ``NAME=PATH`` or the name of one that is known."""
        text = text.strip()
        if not text:
            raise DatasetError("no dataset is named", "Give a path, NAME=PATH or a name.")
        entry = self._entry(text)
        if entry:
            return entry.current()
        name, sign, location = text.partition("=")
        if sign and location and not Path(self._absolute(text)).exists() and "/" not in name:
            return self.add(name.strip(), location.strip())
        if _NAME.fullmatch(text) and not Path(self._absolute(text)).exists():
            raise self._unknown(text)
        stem = _stem(self._absolute(text))
        name, warnings = _derived(stem)
        return self._register(_Entry(name, self._absolute(text), {}, warnings))

    def add_dataset(self, dataset: Dataset) -> Dataset:
        """Registers a dataset that is described already, such as a result."""
        check_name(dataset.name)
        entry = _Entry(dataset.name, dataset.location, {}, dataset=dataset, fixed=True)
        self._registered[dataset.name.lower()] = entry
        return dataset

    def remove(self, name: str) -> None:
        """Forgets a registered dataset; its files stay. DatasetError when there is none."""
        if self._registered.pop(name.lower(), None) is None:
            found = self._entry(name)
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
        return entry.current()

    def list(self) -> tuple[Dataset, ...]:
        """All datasets that can be read, sorted by name."""
        return self.survey()[0]

    def survey(self) -> tuple[tuple[Dataset, ...], tuple[Broken, ...]]:
        """All datasets that can be read, and those that cannot, with their errors."""
        datasets, broken = [], []
        entries = {**self._discovered(), **self._registered}
        for key in sorted(entries):
            entry = entries[key]
            try:
                datasets.append(entry.current())
            except DatasetError as error:
                broken.append(Broken(entry.name, entry.location, error))
        return tuple(datasets), tuple(broken)

    def resolve(self, names: Sequence[str]) -> tuple[Dataset, ...]:
        """The datasets of these names, each once, in this order; of no names: all."""
        if not names:
            return self.list()
        return tuple(self.get(name) for name in {name.lower(): name for name in names}.values())

    def _register(self, entry: _Entry) -> Dataset:
        dataset = entry.current()
        self._registered[entry.name.lower()] = entry
        return dataset

    def _absolute(self, location: str | Path) -> str:
        path = Path(location).expanduser()
        return str((self._folder or Path.cwd()) / path)

    def _entry(self, name: str) -> _Entry | None:
        key = name.lower()
        return self._registered.get(key) or self._discovered().get(key)

    def _discovered(self) -> dict[str, _Entry]:
        """What the data folder holds now; what was described before is kept."""
        if self._folder is None:
            return {}
        found: dict[str, _Entry] = {}
        for path in _candidates(self._folder / "data"):
            name, warnings = _derived(_stem(str(path)))
            if name.lower() in found:
                name = f"{name}_{path.name.removesuffix('.gz').rpartition('.')[2].lower()}"
                warnings = (f"another dataset has the name of {path.name}: it is called {name}",)
            known = self._found.get(name.lower())
            if known is None or known.location != str(path):
                known = _Entry(name, str(path), {}, warnings)
            found.setdefault(name.lower(), known)
        self._found = found
        return found

    def _unknown(self, name: str) -> DatasetError:
        from rapidfuzz import process, utils

        entries = {**self._discovered(), **self._registered}
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


def _stem(location: str) -> str:
    """A file's name without its endings; of a pattern, the folder that it looks into."""
    path = Path(location)
    while re.search(r"[*?\[]", path.name) or (path.name and "=" in path.name):
        path = path.parent
    name = path.name.removesuffix(".gz")
    base, dot, ending = name.rpartition(".")
    return base if dot and base and (ending.lower() in FORMATS or path.is_file()) else name


def _candidates(folder: Path) -> Sequence[Path]:
    """Files that are named like data, and folders that hold such."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return ()
    return [path for path in entries if not is_hidden(path.name) and _looks_like_data(path)]


def _looks_like_data(path: Path) -> bool:
    if path.is_dir():
        return any(_named_like_data(inner) for inner in path.rglob("*"))
    return _named_like_data(path)


def _named_like_data(path: Path) -> bool:
    ending = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    return ending in FORMATS and not is_hidden(path.name)
