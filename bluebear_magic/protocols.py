"""The seams: what can be replaced by another implementation, or by a fake in tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from bluebear_magic.records import (
    Checked,
    Conversation,
    Dataset,
    Draft,
    Preview,
    ShownTable,
    Told,
    Usage,
)
from bluebear_magic.runner.envelope import Binding, Job, Outcome


class Model(Protocol):
    """Writes a draft. Raises ``NotUnderstood`` to refuse, ``ModelError`` when it cannot."""

    @property
    def name(self) -> str:
        """The id that goes into the cell's header."""

    def generate(self, conversation: Conversation, on_delta: Callable[[str], None]) -> Draft:
        """A draft for the conversation; ``on_delta`` gets text as it arrives."""


@runtime_checkable
class Teller(Protocol):
    """A model that can also tell of a result. Raises ``ModelError`` when it cannot."""

    def tell(self, question: str, tables: Sequence[ShownTable]) -> Told:
        """A few sentences on the tables, and perhaps a chart."""


@runtime_checkable
class Previews(Protocol):
    """A model elsewhere, that can tell what it would send."""

    def preview(self, conversation: Conversation, *, count: bool = False) -> Preview:
        """What ``generate`` would send first. Sends nothing; with ``count``, to count alone."""


class Meter(Protocol):
    """Stands at each call of a model that costs money."""

    def before(self, planned: Usage) -> None:
        """The call that is about to be made, at most; raises to keep it from being made."""

    def after(self, usage: Usage) -> None:
        """What it took."""


@dataclass(frozen=True)
class Glance:
    """What is known of a dataset that is not described yet; None: not even that."""

    format: str
    rows: int | None
    columns: int | None


@dataclass(frozen=True)
class Found:
    """A dataset that is there without having been registered.

    ``name`` need not be an identifier; where another one has it, this one is called
    ``instead``. ``options`` are those of Spark's reader. With a ``glance``, describing it
    takes more than a look: it is described only once a question or code names it.
    """

    name: str
    location: str
    instead: str
    options: Mapping[str, str] = field(default_factory=dict)
    glance: Glance | None = None


class Source(Protocol):
    """A kind of place where datasets lie: folders, a store of objects, the notebook itself.

    A location is its text for one of them. Where something cannot be had, ``DatasetError``
    says where and what to do next.
    """

    @property
    def name(self) -> str:
        """In a word, as a person reads it: ``files``."""

    @property
    def leaves_machine(self) -> bool:
        """Whether asking about a location tells another machine so."""

    def claims(self, location: str) -> bool:
        """Whether a location is of this kind; decided by its text and what is in memory."""

    def complete(self, location: str) -> str:
        """The location as it is kept: the same place wherever it is read from."""

    def suggest(self, location: str) -> str:
        """What a dataset there would be called; need not be an identifier."""

    def found(self) -> Sequence[Found]:
        """What is there now without having been registered."""

    def describe(self, name: str, location: str, options: Mapping[str, str]) -> Dataset:
        """The dataset, with its types. Reads what that takes, and no more."""

    def fingerprint(self, location: str, options: Mapping[str, str]) -> str:
        """The fingerprint that ``describe`` would give now; another one where it cannot be told
        without reading the data from elsewhere.
        """

    def whole(self, dataset: Dataset, reporter: Reporter) -> Binding:
        """All of it, where local Spark can read it. May copy it there first, and says so."""


@runtime_checkable
class Settles(Protocol):
    """A source that describes many datasets at once, and finds out later where they lie."""

    def settle(self, dataset: Dataset, options: Mapping[str, str]) -> Dataset:
        """A dataset without paths with its paths, as ``describe`` was given its ``options``.

        Name, columns and format stay.
        """


@dataclass(frozen=True)
class Used:
    """A place whose datasets are known by their names from now on.

    ``left_out``: the names of those that cannot be read, and why, in one sentence each.
    """

    location: str
    names: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Hit:
    """A dataset that a search found: where, what it is said to be, which columns fit."""

    location: str
    description: str = ""
    columns: str = ""


@runtime_checkable
class Library(Protocol):
    """A source that is a catalog itself."""

    @property
    def name(self) -> str:
        """In a word, as a person reads it."""

    def use(self, location: str) -> Used:
        """Makes all that is in a part of it known by its name."""

    def search(self, words: str) -> Sequence[Hit]:
        """What fits all the words, best first."""


@runtime_checkable
class Elsewhere(Protocol):
    """A source whose data lies where more than this machine can read it."""

    @property
    def reach(self) -> tuple[str, ...]:
        """The backends that can read it: ``local``, ``soal``, ``emr``."""


@runtime_checkable
class Gathers(Protocol):
    """A source whose data is copied to this machine before local Spark runs over it."""

    def gather(self, datasets: Sequence[Dataset], reporter: Reporter) -> None:
        """Copies what a run over ``datasets`` reads of this source to this machine.

        All the datasets of the run are given, those of other sources too. Raises
        ``DatasetError`` before anything is copied where it would be too much.
        """

    def renew(self) -> None:
        """Lets go of what it has listed: somebody knows of a change."""


class Reporter(Protocol):
    """Tells a person what is going on. Nothing else prints."""

    def progress(self, text: str) -> None:
        """A step begins or goes on; replaces the step before it."""

    def writing(self, text: str) -> None:
        """More of what a model writes; the next step clears it."""

    def attempt(self, number: int, draft: Draft, checked: Checked) -> None:
        """An attempt failed; another may follow."""

    def warn(self, text: str) -> None:
        """Something to know that stops nothing; stays visible."""


@dataclass(frozen=True)
class BackendStatus:
    """``state`` as the picker shows it, ``detail`` in one sentence (what to set, what runs)."""

    state: Literal["ready", "cold", "not configured"]
    detail: str = ""


@dataclass(frozen=True)
class Estimate:
    """What a run would read (bytes) and cost (US dollars; 0 for local)."""

    input_bytes: int
    dollars: float
    basis: str


class Backend(Protocol):
    """Runs a Job. Checking and running are the same call with another ``mode``."""

    @property
    def name(self) -> str:
        """``local``, ``soal`` or ``emr``."""

    @property
    def title(self) -> str:
        """As a person reads it: ``Local Spark``."""

    def status(self) -> BackendStatus:
        """Its state, without starting anything."""

    def warm(self) -> None:
        """Starts what takes long in the background, where that is wanted and costs nothing."""

    def estimate(self, job: Job) -> Estimate:
        """What running the job would take."""

    def run(self, job: Job, reporter: Reporter) -> Outcome:
        """Runs to the end. A fault of the code is in the Outcome; a fault of the
        backend raises ``BackendError``; an interrupt cancels and raises ``Cancelled``.
        """

    def close(self) -> None:
        """Frees what it holds; may be called twice."""
