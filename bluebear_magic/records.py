"""The values that pass between the rooms of the house; frozen, without behaviour."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

from bluebear_magic.runner.envelope import Binding, Fault, Outcome, Table, Write
from bluebear_magic.vocabulary import OFFLINE, Share

Severity = Literal["block", "approve", "repair", "warn"]
Word = Literal["pass", "warn", "approve", "block"]
Scalar = int | float | str | bool | Decimal | dt.date | dt.datetime


# --- data ------------------------------------------------------------------


@dataclass(frozen=True)
class Column:
    """A column: its name in the data and its Spark type as DDL (``BIGINT``).

    ``guessed``: the name may be a value, of a first row that was taken for a header.
    """

    name: str
    type: str
    description: str = ""
    guessed: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Dataset:
    """A dataset by name, described once and read the same way in every stage.

    ``format`` and ``options`` are Spark reader's; ``paths`` are absolute.
    ``fingerprint`` changes when the data changes. ``warnings`` say what was
    assumed while reading, one sentence each.
    """

    name: str
    location: str
    format: str
    paths: tuple[str, ...]
    columns: tuple[Column, ...]
    fingerprint: str
    options: tuple[tuple[str, str], ...] = ()
    partition_columns: tuple[str, ...] = ()
    base_path: str | None = None
    size_bytes: int = 0
    warnings: tuple[str, ...] = ()
    description: str = ""

    @property
    def ddl(self) -> str:
        """The schema as Spark DDL, names quoted."""
        return ", ".join(
            "`{}` {}".format(column.name.replace("`", "``"), column.type) for column in self.columns
        )

    @property
    def binding(self) -> Binding:
        """All of it, read from where it lies."""
        return Binding(self.name, self.format, self.paths, self.ddl, self.options, self.base_path)


@dataclass(frozen=True)
class ColumnProfile:
    """What is known of a column's values.

    ``values``: for text, the distinct values, most frequent first (bounded);
    ``complete`` when all of them are there. ``nulls`` and ``distinct`` are
    counts of rows and values; None where not known.
    """

    name: str
    nulls: int | None = None
    distinct: int | None = None
    minimum: Scalar | None = None
    maximum: Scalar | None = None
    values: tuple[str, ...] = ()
    complete: bool = False


@dataclass(frozen=True)
class Profile:
    """What is known of a dataset beyond its schema; ``rows`` None where not counted."""

    rows: int | None = None
    columns: tuple[ColumnProfile, ...] = ()

    def column(self, name: str) -> ColumnProfile:
        """The profile of one column; an empty one where nothing is known."""
        return next((c for c in self.columns if c.name == name), ColumnProfile(name))


# --- what a project says of its data -----------------------------------------


@dataclass(frozen=True)
class ColumnNote:
    """What a project says of one column: a description, and other names for it."""

    column: str
    description: str = ""
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True)
class DataNote:
    """What a project says of one dataset; ``location`` is empty where it only says something.

    ``filters``: conditions of Spark SQL that its rows meet unless a question says otherwise.
    """

    name: str
    location: str = ""
    options: tuple[tuple[str, str], ...] = ()  # of Spark's reader, and ``format``
    description: str = ""
    synonyms: tuple[str, ...] = ()
    columns: tuple[ColumnNote, ...] = ()
    filters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Metric:
    """A figure by name: an expression of Spark SQL over the columns of a dataset.

    ``dataset`` is empty where it is of any dataset that has its columns. ``columns``: as it names
    them, perhaps with their dataset before a dot; ``aggregated``: it is one value for many rows.
    """

    name: str
    expression: str
    dataset: str = ""
    description: str = ""
    synonyms: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    aggregated: bool = False


@dataclass(frozen=True)
class JoinKey:
    """Columns of two datasets that hold the same."""

    left: str
    left_column: str
    right: str
    right_column: str


@dataclass(frozen=True)
class VerifiedQuestion:
    """A question with code that a person has found right."""

    question: str
    code: str


@dataclass(frozen=True)
class Semantics:
    """What a project says of its data, in its ``bluebear.toml``."""

    data: tuple[DataNote, ...] = ()
    metrics: tuple[Metric, ...] = ()
    keys: tuple[JoinKey, ...] = ()
    questions: tuple[VerifiedQuestion, ...] = ()

    def note(self, dataset: str) -> DataNote:
        """What is said of a dataset; names compare without regard to case."""
        name = dataset.lower()
        return next((note for note in self.data if note.name.lower() == name), DataNote(dataset))

    def metrics_of(self, dataset: Dataset) -> tuple[Metric, ...]:
        """The metrics that can be computed from a dataset's columns alone; a column of the same
        name hides one.
        """
        own = dataset.name.lower()
        names = {column.name.lower() for column in dataset.columns}

        def there(column: str) -> bool:
            head, _, rest = column.lower().partition(".")
            return head in names or (head == own and rest.partition(".")[0] in names)

        return tuple(
            metric
            for metric in self.metrics
            if metric.dataset.lower() in {"", own}
            and metric.name.lower() not in names
            and all(map(there, metric.columns))
        )


# --- question and draft ----------------------------------------------------


@dataclass(frozen=True)
class Ask:
    """One question and how it is to be answered. ``data`` narrows the datasets meant.

    ``approve``: rules that the person who asks has said yes to. ``fresh``: nothing that was asked
    before counts.
    """

    question: str
    data: tuple[str, ...] = ()
    attempts: int = 4
    approve: tuple[str, ...] = ()
    fresh: bool = False


@dataclass(frozen=True)
class Sharing:
    """What of the data may leave for a model.

    ``schema``: names and types alone; ``profile``: ranges and frequent values too; ``samples``:
    rows too. ``by_dataset`` wins over ``default``. Columns in ``private`` (dataset, column) stay
    at ``schema`` whatever else is said. ``rows``: samples by dataset, aligned with its columns.
    Columns in ``hidden`` have names that are values themselves, as a pivot makes them, or may be.
    """

    default: Share = "schema"
    by_dataset: Mapping[str, Share] = field(default_factory=dict)
    private: frozenset[tuple[str, str]] = frozenset()
    rows: Mapping[str, Sequence[Sequence[Any]]] = field(default_factory=dict)
    hidden: frozenset[tuple[str, str]] = frozenset()

    def of(self, dataset: str) -> Share:
        """The level of a dataset."""
        return self.by_dataset.get(dataset, self.default)


@dataclass(frozen=True)
class PastTurn:
    """An earlier question of the session with its code and result columns.

    ``drafted``: what was shared with the model that wrote this very code; None where it comes from
    anywhere else, such as a person's edit.
    """

    question: str
    code: str
    columns: tuple[str, ...] = ()
    row_count: int | None = None
    drafted: Sharing | None = None


@dataclass(frozen=True)
class Context:
    """What a model may know: datasets, their profiles (same order), earlier turns.

    ``sharing``: what of it a model elsewhere may be told. ``semantics``: what the project says
    of its data.
    """

    datasets: tuple[Dataset, ...]
    profiles: tuple[Profile, ...]
    history: tuple[PastTurn, ...] = ()
    sharing: Sharing = field(default_factory=Sharing)
    semantics: Semantics = field(default_factory=Semantics)

    @property
    def visible(self) -> Context:
        """Without the columns whose names may not leave."""
        hidden = self.sharing.hidden
        if not hidden:
            return self
        datasets = tuple(
            replace(
                item, columns=tuple(c for c in item.columns if (item.name, c.name) not in hidden)
            )
            for item in self.datasets
        )
        return replace(self, datasets=datasets)


@dataclass(frozen=True)
class ChartHint:
    """A model's wish for the chart: columns by name. ``kind``: bar, line, scatter or none."""

    kind: Literal["bar", "line", "scatter", "none"]
    x: str | None = None
    y: tuple[str, ...] = ()


@dataclass(frozen=True)
class Usage:
    """One call of a model: tokens by kind, seconds, and US dollars.

    ``input`` counts the tokens that came from no cache. ``dollars`` is None where the price
    is not known, never zero for that; ``own_price``: it comes from the user's setting.
    ``estimated``: the call ended before its tokens were told.
    """

    model: str
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    seconds: float = 0.0
    dollars: Decimal | None = None
    estimated: bool = False
    own_price: bool = False


@dataclass(frozen=True)
class Sent:
    """What of the data went to a model elsewhere: schemas, how many of these with values, datasets
    by name alone, rows.
    """

    schemas: int
    with_values: int = 0
    names: int = 0
    rows: int = 0

    @property
    def told(self) -> str:
        """In a few words: ``3 schemas, 0 rows``."""
        parts = [_count(self.schemas, "schema")]
        if self.with_values:
            parts[0] += f" ({self.with_values} with values)"
        parts += [_count(self.names, "more name")] * bool(self.names)
        return ", ".join([*parts, _count(self.rows, "row")])


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


@dataclass(frozen=True)
class Preview:
    """What asking a model would send, before anything is.

    ``request``: as it would be sent, None for a model that does not tell. ``text``: the same for a
    person. ``tokens``: ``counted`` by the service, else an estimate; ``uncounted``: why, where a
    count was wanted. ``left``: the request went to the service, to be counted there.
    """

    model: str
    request: Mapping[str, Any] | None = None
    text: str = ""
    tokens: int = 0
    sent: Sent | None = None
    counted: bool = False
    uncounted: str = ""
    left: bool = False


@dataclass(frozen=True)
class Draft:
    """What a model wrote: code, what it took the words for, and what it assumed.

    ``questions``: what it would have to know of the user first; then there may be no code.
    ``reply``: what it said, block by block, for a model that wants it back as it came.
    ``usage``: the calls that it took, in their order. ``sent``: what of the data went out for it;
    None where nothing did.
    """

    code: str
    explanation: str = ""
    assumptions: tuple[str, ...] = ()
    chart: ChartHint | None = None
    questions: tuple[str, ...] = ()
    reply: tuple[Mapping[str, Any], ...] = field(default=(), compare=False, repr=False)
    usage: tuple[Usage, ...] = field(default=(), compare=False)
    sent: Sent | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Turn:
    """A draft that failed and the words that went back to the model.

    ``answers``: the draft asked questions, and the words are the user's.
    """

    draft: Draft
    feedback: str
    answers: bool = False


@dataclass(frozen=True)
class Conversation:
    """Everything a model gets: the question, the context, the failed tries so far."""

    ask: Ask
    context: Context
    turns: tuple[Turn, ...] = ()


# --- telling of a result ---------------------------------------------------


@dataclass(frozen=True)
class ShownTable:
    """A table as a person sees it: cells as text, None for null.

    ``facts``: sentences on the whole of it, such as how many rows there are.
    """

    title: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str | None, ...], ...]
    facts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Told:
    """What a model says of a result, unchecked: sentences, and a chart where it proposes one."""

    sentences: tuple[str, ...] = ()
    chart: ChartHint | None = None
    usage: tuple[Usage, ...] = field(default=(), compare=False)


# --- verdicts --------------------------------------------------------------


@dataclass(frozen=True)
class Finding:
    """One thing wrong with code. ``line`` and ``column`` count from 1 and 0, as Python does.

    ``repair``: the code runs, but is proven to miss what the data hold; a model gets to
    mend it, and no one else is stopped. ``write``: what a finding of a write would do.
    """

    rule: str
    severity: Severity
    line: int
    column: int
    text: str
    message: str
    suggestion: str = ""
    write: Write | None = None


@dataclass(frozen=True)
class Checked:
    """What guard and sample run say of code; ``outcome`` is None where the guard stopped it.

    ``refused``: why it came to neither, such as a dataset that is not there.
    ``timings``: milliseconds by stage: ``guard``, then ``bind``, ``analyse``, ``sample``.
    ``notes``: of which part of a dataset a sample is, where it cannot be of all of it.
    """

    findings: tuple[Finding, ...] = ()
    outcome: Outcome | None = None
    timings: Mapping[str, float] = field(default_factory=dict)
    refused: ErrorInfo | None = None
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the code may be used."""
        return self.outcome is not None and self.outcome.status == "ok"

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """The findings that keep the code from being used; of a draft that works, those that keep
        it from being run before a person approves them.
        """
        return tuple(f for f in self.findings if f.severity in {"block", "approve"})

    @property
    def doubts(self) -> tuple[Finding, ...]:
        """What is proven to miss the data, in code that runs: worth one more try of a model."""
        return tuple(f for f in self.findings if f.severity == "repair") if self.ok else ()

    @property
    def fault(self) -> Fault | None:
        """Why it did not run, if it did not."""
        return self.outcome.fault if self.outcome else None

    @property
    def tables(self) -> tuple[Table, ...]:
        """What it gave on the samples."""
        return self.outcome.tables if self.outcome else ()

    @property
    def error(self) -> ErrorInfo | None:
        """The first thing wrong, if any."""
        if self.ok or self.refused:
            return self.refused
        for finding in sorted(self.blocking, key=lambda f: f.severity != "block"):
            kind = "blocked" if finding.severity == "block" else "approval"
            return ErrorInfo(kind, finding.message, finding.suggestion, finding.line)
        if self.fault:
            hint = self.fault.suggestion or ""
            return ErrorInfo("run_failed", self.fault.message, hint, self.fault.line)
        return ErrorInfo("blocked", "the code was not run", "")


@dataclass(frozen=True)
class ErrorInfo:
    """An error as a value: its kind, what and where, and what to do next."""

    kind: str
    message: str
    hint: str = ""
    line: int | None = None


@dataclass(frozen=True)
class Attempt:
    """One try of the loop: the draft, and what the check said of it."""

    number: int
    draft: Draft
    checked: Checked

    @property
    def tokens(self) -> tuple[int, int]:
        """Tokens that went in and came out for the draft, cached ones included."""
        calls = self.draft.usage
        sent = sum(call.input + call.cache_read + call.cache_write for call in calls)
        return sent, sum(call.output for call in calls)

    @property
    def seconds(self) -> float:
        """What the model and the check took together."""
        model = sum(call.seconds for call in self.draft.usage)
        return model + sum(self.checked.timings.values()) / 1000

    @property
    def ok(self) -> bool:
        """Whether the draft may be used."""
        return self.checked.ok


@dataclass(frozen=True)
class Accepted:
    """The loop ended well: ``chosen`` holds the code. Attempts after it turned out worse."""

    attempts: tuple[Attempt, ...]

    @property
    def chosen(self) -> Attempt:
        """The last attempt that ran."""
        return [attempt for attempt in self.attempts if attempt.ok][-1]


@dataclass(frozen=True)
class GivenUp:
    """The loop ended without working code; ``reason`` in one sentence."""

    attempts: tuple[Attempt, ...]
    reason: str


@dataclass(frozen=True)
class Asked:
    """The loop ended with questions to the user, in the last ``turns``' place."""

    attempts: tuple[Attempt, ...]
    draft: Draft


@dataclass(frozen=True)
class OpenQuestion:
    """A question that waits for the user's answer to what a model has asked back."""

    question: str
    model: str
    draft: Draft
    turns: tuple[Turn, ...] = ()  # before the draft
    share: str = ""  # the setting under which it was asked


@dataclass(frozen=True)
class Answer:
    """What came of a question: checked code, or an error.

    ``checked`` says over what the check ran, as the cell's header does;
    ``datasets`` are the names that the code may read; ``timings`` are
    milliseconds by stage; ``usage``: every call of a model, those that came to nothing too.
    ``questions``: what the model has to know first; then there is no code.
    ``answers``: the question that this one answers what was asked back of. ``went``: what of the
    data a model elsewhere was sent.
    """

    question: str
    code: str = ""
    explanation: str = ""
    assumptions: tuple[str, ...] = ()
    chart: ChartHint | None = None
    attempts: tuple[Attempt, ...] = ()
    error: ErrorInfo | None = None
    model: str = ""
    checked: str = ""
    spark_version: str = ""
    datasets: tuple[str, ...] = ()
    schema_hash: str = ""
    timings: Mapping[str, float] = field(default_factory=dict)
    usage: tuple[Usage, ...] = field(default=(), compare=False)
    questions: tuple[str, ...] = ()
    answers: str = ""
    went: Sent | None = None

    @property
    def whole_question(self) -> str:
        """What was asked, with what was answered when the model asked back."""
        return f"{self.answers} / {self.question}" if self.answers else self.question

    @property
    def ok(self) -> bool:
        """Whether there is checked code."""
        return self.error is None

    @property
    def chosen(self) -> Attempt | None:
        """The attempt whose code this is; None where there was no attempt."""
        ran = [attempt for attempt in self.attempts if attempt.ok] or self.attempts
        return ran[-1] if ran else None

    @property
    def sent(self) -> str:
        """What of the data was sent for it, in a sentence; '' where that is not known."""
        if self.went:
            return f"Sent to {self.model}: {self.went.told}."
        return "Nothing was sent." if self.attempts and self.model == OFFLINE else ""


# --- after a run -----------------------------------------------------------


@dataclass(frozen=True)
class Approval:
    """What a person said yes to in one piece of code. ``by``: a button, or ``--approve``."""

    rule: str
    write: Write
    by: str

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {
            "rule": self.rule,
            "target": self.write.target,
            "format": self.write.format,
            "mode": self.write.mode,
            "options": dict(self.write.options),
            "by": self.by,
        }


@dataclass(frozen=True)
class Receipt:
    """What ran: hashes of code, schema and question; where, over what, with what result."""

    code_hash: str
    schema_hash: str
    policy: str
    backend: str
    spark_version: str
    checked: str
    question: str | None = None
    datasets: tuple[str, ...] = ()
    row_counts: tuple[tuple[str, int | None], ...] = ()
    approved: tuple[Approval, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """The receipt as plain values, for JSON."""
        return {
            "code": self.code_hash,
            "schema": self.schema_hash,
            "policy": self.policy,
            "backend": self.backend,
            "spark": self.spark_version,
            "checked": self.checked,
            "question": self.question,
            "datasets": list(self.datasets),
            "rows": dict(self.row_counts),
            "approved": [approval.as_dict() for approval in self.approved],
        }
