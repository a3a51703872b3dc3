"""``Bluebear``: a session of questions over datasets, from Python; the magics and the
command line call the same object.

>>> with Bluebear() as bb:                                          # doctest: +SKIP
...     bb.add_data("sales", "sales.csv")
...     answer = bb.ask("total sales by region")
...     result = bb.run(answer)
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from bluebear_magic import narration, pipeline, prices, sharing
from bluebear_magic.backends.local import LocalBackend, told
from bluebear_magic.backends.registry import backends, pick
from bluebear_magic.config import MOST_ATTEMPTS, Settings
from bluebear_magic.context.catalog import Catalog, check_name
from bluebear_magic.context.frames import SCHEME
from bluebear_magic.context.profiles import kept_profile, profile
from bluebear_magic.context.schemas import Drift
from bluebear_magic.context.sources import Place
from bluebear_magic.errors import (
    ArgumentError,
    Blocked,
    BluebearError,
    DatasetError,
    GaveUp,
    ModelError,
    NeedsAnswer,
    NeedsApproval,
    NotUnderstood,
    OverBudget,
    RunFailed,
)
from bluebear_magic.folders import cache_folder, data_folder, state_folder
from bluebear_magic.generation import model_ids
from bluebear_magic.generation.keys import Likely, likely
from bluebear_magic.generation.offline import OfflineModel
from bluebear_magic.generation.search import Match, search
from bluebear_magic.guard.effective import Effective, named
from bluebear_magic.machine import read_machine
from bluebear_magic.notebook.reporter import SilentReporter
from bluebear_magic.present.result import Result
from bluebear_magic.project import Project
from bluebear_magic.protocols import Backend, Hit, Model, Reporter, Used
from bluebear_magic.provenance.approvals import Approvals, check_rules
from bluebear_magic.provenance.audit import AuditLog
from bluebear_magic.provenance.books import Books
from bluebear_magic.provenance.header import code_hash
from bluebear_magic.provenance.ledger import Ledger
from bluebear_magic.provenance.receipts import ReceiptStore
from bluebear_magic.records import (
    Answer,
    Ask,
    Checked,
    Dataset,
    ErrorInfo,
    Finding,
    PastTurn,
    Preview,
    Profile,
    Sharing,
)
from bluebear_magic.vocabulary import PRESETS, SHARES

_RAISED = {
    error.kind: error
    for error in (
        ArgumentError, Blocked, DatasetError, GaveUp, ModelError, NeedsAnswer, NeedsApproval,
        NotUnderstood, OverBudget, RunFailed,
    )
}  # fmt: skip


class Bluebear:
    """One session: its datasets, its model, its warm Spark, its earlier questions.

    ``model``: a model's name, or any object that is a ``Model``. ``backend``:
    ``auto``, ``local``, ``soal`` or ``emr``. ``folder``: where relative paths and
    the ``data/`` folder are looked for (the current one by default). ``namespace``: the
    variables whose DataFrames can be asked about by name, such as ``globals()``, or what
    gives them.

    What fails is told by ``.ok`` and ``.error`` of what comes back; with
    ``strict=True`` it is raised as a ``BluebearError``.
    """

    def __init__(
        self,
        model: str | Model | None = None,
        backend: str | None = None,
        *,
        folder: str | Path | None = None,
        namespace: Mapping[str, Any] | Callable[[], Mapping[str, Any]] = dict,
        settings: Settings | None = None,
        reporter: Reporter | None = None,
    ) -> None:
        self.folder = Path(folder or Path.cwd()).resolve()
        if settings is None:
            settings = Settings()
            settings.load(self.folder)
        self.settings = settings
        offline = OfflineModel()
        models: dict[str, Model] = {offline.name: offline}
        if model is not None and not isinstance(model, str):
            models[model.name] = model
            model = model.name
        self._model = model
        self._backend = backend
        self._choices: dict[str, str] = {}
        self._results: set[str] = set()
        self._writers: dict[str, Model] = {}  # who wrote a code in this session, by its hash
        self._bedrock: dict[tuple[str, ...], Model] = {}
        self._closed = False
        self._namespace = namespace
        self._given: dict[str, Any] = {}  # frames that were added, by name
        self._project = Project(self.folder)
        self._explorers = 0
        self.tools = pipeline.Tools(
            catalog=Catalog(
                self.folder,
                Place(self.folder, settings, self._variables, self._progress, self._warn),
                semantics=self._project.semantics,
            ),
            models=models,
            backends=backends(
                settings.heap_mb, cache_folder() / "jvm" if settings.class_archive else None
            ),
            receipts=ReceiptStore(data_folder() / "receipts"),
            settings=settings,
            reporter=reporter or SilentReporter(),
            approvals=Approvals(AuditLog(state_folder())),
            books=Books(settings, Ledger(state_folder()), self._warn),
            machine=read_machine(),
        )
        for line in self.untrusted:
            self.tools.reporter.warn(line)
        if backend is not None:
            pick(backend, self.tools.backends)
        pipeline.tidy()

    @property
    def untrusted(self) -> tuple[str, ...]:
        """What of the folder's ``bluebear.toml`` does not count before it is trusted, a line each.

        Raises ``ConfigError`` where that file cannot be used.
        """
        self._project.semantics()
        return tuple(filter(None, (self.settings.untrusted, self._project.untrusted)))

    # --- datasets ----------------------------------------------------------

    def add_data(
        self,
        name: str,
        data: Any,
        *,
        format: str | None = None,  # noqa: A002 - Spark's own name for it
        share: str | None = None,
        description: str = "",
        save: bool = False,
        **options: str,
    ) -> Dataset:
        """Registers data under a name: a path or another location, or a DataFrame itself.

        The options are those of Spark's reader.
        ``share``: what of it may leave for a model. ``save``: also in the ``bluebear.toml`` of
        this session's folder. Raises ``ArgumentError``, ``ConfigError``, ``DatasetError``.
        """
        if share is not None and share not in SHARES:
            raise ArgumentError(f"`{share}` is no level of sharing", f"levels: {', '.join(SHARES)}")
        if format is not None:
            options["format"] = format
        dataset = self._add(name, data, options, description)
        if share is not None:
            self.share(name, share)
        if save:
            self._save(dataset, options, share, description)
        return dataset

    def _add(self, name: str, data: Any, options: Mapping[str, str], description: str) -> Dataset:
        catalog = self.tools.catalog
        if isinstance(data, str | Path):
            return catalog.add(name, str(data), description=description, **options)
        check_name(name)
        self._given[name] = data
        try:
            return catalog.add(name, SCHEME + name, description=description, **options)
        except DatasetError:
            del self._given[name]
            raise

    def _save(
        self, dataset: Dataset, options: Mapping[str, str], share: str | None, description: str
    ) -> None:
        if dataset.location.endswith("?…"):
            raise ArgumentError(
                f"{dataset.location} has a query, which may hold a signature: it is not saved",
                "write the location into bluebear.toml yourself, if others may know it",
            )
        reader = {key: value for key, value in options.items() if key != "format"}
        told = {
            "location": dataset.location,
            "format": options.get("format"),
            "options": reader,
            "share": share,
            "description": description,
        }
        self._project.save(dataset.name, {key: value for key, value in told.items() if value})

    def remove_data(self, name: str, *, save: bool = False) -> None:
        """Forgets a dataset; its files stay. ``save``: in the ``bluebear.toml`` too.

        Raises ``ConfigError``, ``DatasetError``.
        """
        if not (save and self._project.forget(name)):
            self.tools.catalog.remove(name)
            return
        with contextlib.suppress(DatasetError):  # it may have been in the file alone
            self.tools.catalog.remove(name)

    def search_data(self, words: str) -> tuple[Match, ...]:
        """The datasets in which words occur, best first: in names, notes, columns, known values.

        Values are those that were measured before; none are read.
        """
        datasets = self.tools.catalog.list()
        known = {item.name: found for item in datasets if (found := kept_profile(item))}
        return search(words, datasets, known, self.tools.catalog.semantics)

    def refresh_data(self, name: str | None = None) -> tuple[Drift, ...]:
        """Reads a dataset anew, or all, and takes changed columns as they are now: what changed.

        Raises ``DatasetError``.
        """
        return self.tools.catalog.refresh(name)

    def search_libraries(self, words: str) -> tuple[Hit, ...]:
        """What fits words in catalogs of tables, such as Glue. Raises ``DatasetError``."""
        return self.tools.catalog.search_libraries(words, self._warn)

    def use_data(self, location: str) -> Used:
        """Makes all that a catalog of tables holds known, as ``glue:DATABASE``.

        Raises ``DatasetError``.
        """
        return self.tools.catalog.use(location)

    def links(self, name: str) -> tuple[Likely, ...]:
        """The keys by which a dataset probably joins others, as far as their values are known.

        Raises ``DatasetError``.
        """
        dataset = self.tools.catalog.get(name)
        others = [item for item in self.tools.catalog.list() if item.name != dataset.name]
        known = [(item, found) for item in others if (found := kept_profile(item))]
        return likely((dataset, self.profile(name)), known, self.tools.catalog.semantics)

    def datasets(self) -> tuple[Dataset, ...]:
        """Every dataset: those registered, and those found in ``data/``."""
        return self.tools.catalog.list()

    def profile(self, name: str, *, full: bool = False, anew: bool = False) -> Profile:
        """What is known of a dataset's values; ``anew``: measured again. Raises ``DatasetError``.

        Beyond 512 MB it comes from what is cheap to read; with ``full`` from every row.
        """
        dataset = self.tools.catalog.get(name)
        return profile(dataset, full=full, anew=anew, progress=self.tools.reporter.progress)

    def explore(self, name: str | None = None) -> None:
        """Shows the datasets, or one of them, in the notebook: with controls to search, look,
        share and upload where it has widgets, else as they are. Raises ``DatasetError``.
        """
        from bluebear_magic.notebook.exploration import Doors
        from bluebear_magic.notebook.explorer import explore

        doors = Doors(
            self.tools.catalog,
            lambda dataset, known: self.tools.consent.sharing((dataset,), (known,)),
            self.share,
            lambda: int(self.settings.max_upload_size_mb),
        )
        self._explorers += 1
        explore(doors, name, self._explorers)

    # --- questions and code ------------------------------------------------

    def ask(
        self,
        question: str,
        *,
        data: Sequence[str] = (),
        attempts: int | None = None,
        model: str | None = None,
        approve: Collection[str] = (),
        fresh: bool = False,
        strict: bool = False,
    ) -> Answer:
        """Checked code for a question. ``data``: names or paths; all datasets when empty.

        ``approve``: rules that you say yes to, where the policy asks; so in ``check``, ``run``.
        Where the model asks back (``.questions``), the next question is the answer. ``fresh``:
        nothing that was asked before counts.
        """
        try:
            self._check_open()
            if not question.strip():
                raise ArgumentError("there is no question", "write it in plain English")
            tries = self.settings.attempts if attempts is None else attempts
            if not 1 <= tries <= MOST_ATTEMPTS:
                raise ArgumentError(f"{tries} attempts", f"give a number from 1 to {MOST_ATTEMPTS}")
            check_rules(approve, self.tools.policy)
            writer = self.model(model)
            ask = Ask(question, self._names(data), tries, tuple(approve), fresh)
        except BluebearError as error:
            answer = Answer(question, error=pipeline.as_info(error))
        else:
            answer = pipeline.answer(self.tools, ask, writer)
            self._writers[code_hash(answer.code)] = writer
        if strict and answer.error:
            raise as_error(answer.error)
        return answer

    def would_send(
        self,
        question: str,
        *,
        data: Sequence[str] = (),
        model: str | None = None,
        fresh: bool = False,
    ) -> Preview:
        """What asking would send to the model; nothing is sent."""
        ask = Ask(question, self._names(data), fresh=fresh)
        return pipeline.preview(self.tools, ask, self.model(model))

    def check(
        self,
        code: str,
        *,
        data: Sequence[str] = (),
        approve: Collection[str] = (),
        strict: bool = False,
    ) -> Checked:
        """Guards code and runs it once on samples; an approved write reaches no data of yours."""
        try:
            self._check_open()
            datasets = self.tools.catalog.resolve(self._names(data), code)
            checked = pipeline.check(self.tools, code, datasets, approve)
        except BluebearError as error:
            checked = Checked(refused=pipeline.as_info(error))
        if strict and checked.error:
            raise as_error(checked.error)
        return checked

    def awaiting(self, answer: Answer) -> tuple[Finding, ...]:
        """What of an answer's code waits for a person's approval, under the policy of now."""
        datasets = self.tools.catalog.resolve(answer.datasets)
        return pipeline.judged(self.tools, answer.code, datasets).pending

    def run(
        self,
        code: Answer | str,
        *,
        backend: str | None = None,
        into: str | None = None,
        data: Sequence[str] = (),
        approve: Collection[str] = (),
        strict: bool = False,
    ) -> Result:
        """Runs an answer, or code, over the whole data.

        ``backend`` wins over the one chosen for this code, which wins over the
        session's. With ``into`` the result is a dataset by that name afterwards.
        """
        answer = code if isinstance(code, Answer) else Answer("", code)
        try:
            self._check_open()
            if answer.error:
                raise as_error(answer.error)
            if into:
                self.check_result_name(into)
            result = self._run(answer, backend, data, approve)
            if into and result.path:
                self.tools.catalog.add(into, result.path)
                self._results.add(into.lower())
                pipeline.name_result(self.tools, into, answer)
        except BluebearError as error:
            if strict:
                raise
            return Result(
                (), answer.code, None, question=answer.question, error=pipeline.as_info(error)
            )
        return result

    def _run(
        self, answer: Answer, backend: str | None, data: Sequence[str], approve: Collection[str]
    ) -> Result:
        names = answer.datasets or self._names(data)
        datasets = self.tools.catalog.resolve(names, answer.code)
        ran = pipeline.run(
            self.tools,
            answer.code,
            datasets,
            backend=backend or self.choice(answer.code),
            question=answer.whole_question or None,
            approve=approve,
        )
        tables = ran.outcome.tables
        pipeline.remember(self.tools, answer, tables, ran=True)
        used = [dataset for dataset in datasets if dataset.name in ran.receipt.datasets]
        writer = self._writer(answer.code)
        told = narration.narrate(self.tools, writer, answer.whole_question, tables, used)
        return Result(
            tables,
            answer.code,
            ran.receipt,
            question=answer.question,
            hint=told.chart or answer.chart,
            explanation=answer.explanation,
            stdout=ran.outcome.stdout,
            told=told.summary,
            note=told.note,
            usage=told.usage,
        )

    def _writer(self, code: str) -> Model | None:
        """Who wrote the code in this session, else the session's model."""
        with contextlib.suppress(BluebearError):
            return self._writers.get(code_hash(code)) or self.model()
        return None

    def _warn(self, text: str) -> None:
        self.tools.reporter.warn(text)

    def _progress(self, text: str) -> None:
        self.tools.reporter.progress(text)

    def _variables(self) -> Mapping[str, Any]:
        held = self._namespace
        return {**(held() if callable(held) else held), **self._given}

    def _check_open(self) -> None:
        if self._closed:
            raise ArgumentError("this session is closed", "make a new one: Bluebear()")

    def _names(self, data: Sequence[str]) -> tuple[str, ...]:
        """The names of datasets given by name or by path."""
        return tuple(self.tools.catalog.add_path(item).name for item in data)

    def check_result_name(self, name: str) -> None:
        """Raises where a result cannot have this name: it may replace an earlier result,
        never a dataset of the user's.
        """
        check_name(name)
        known = {other.lower() for other in self.tools.catalog.names()}
        if name.lower() in known - self._results:
            raise ArgumentError(
                f"`{name}` is a dataset: a result cannot take its name", f"try {name}_result"
            )

    # --- policy ------------------------------------------------------------

    @property
    def policy(self) -> Effective:
        """What code may do in this session, and who says so."""
        return self.tools.effective

    def choose_policy(self, name: str) -> Effective:
        """Chooses a policy for this session. Raises ``ArgumentError`` for one that is not there
        or that this machine does not allow.
        """
        if name not in PRESETS:
            raise ArgumentError(f"there is no policy `{name}`", f"policies: {', '.join(PRESETS)}")
        machine = self.tools.machine
        if self.settings.locked and name != self.policy.policy.name:
            raise ArgumentError(
                f"the policy is locked, by {self.policy.source}",
                "change `policy` there, then restart the kernel",
            )
        if named(name, "", machine).tightened:
            raise ArgumentError(
                f"this machine's policy allows nothing looser than `{machine.policy}`",
                f"it is set in {' and '.join(machine.files)}",
            )
        self.settings.policy = name
        return self.policy

    @property
    def history(self) -> tuple[PastTurn, ...]:
        """The questions of this session that later ones may go on from, oldest first."""
        return tuple(self.tools.history)

    def forget(self) -> None:
        """Lets go of them: the next question starts anew."""
        pipeline.forget(self.tools)

    # --- sharing -----------------------------------------------------------

    def share(self, name: str, level: str) -> None:
        """Lets more or less leave for a model from now on: ``schema``, ``profile`` or
        ``samples`` for a dataset or for all (``default``), ``schema`` or ``shared`` for
        ``NAME.COLUMN``. Raises ``ArgumentError``, ``DatasetError``.
        """
        if name != sharing.DEFAULT:
            dataset = self.tools.catalog.get(name.partition(".")[0])
            column = name.partition(".")[2].lower()
            if column and column not in {known.name.lower() for known in dataset.columns}:
                raise ArgumentError(
                    f"`{dataset.name}` has no column `{column}`",
                    f"%bluebear data show {dataset.name}",
                )
        self.settings.share = sharing.parse(self.settings.share).with_(name, level).text

    def shared(self) -> Sharing:
        """What may leave for a model, of each dataset."""
        datasets, _ = self.tools.catalog.survey()
        return self.tools.consent.sharing(datasets, tuple(map(profile, datasets)))

    # --- choices -----------------------------------------------------------

    def model(self, name: str | None = None) -> Model:
        """The model of that name, or the session's. Raises ``ArgumentError``."""
        name = name or self._model or self.settings.model
        if name in self.tools.models:
            return self.tools.models[name]
        if model_ids.is_id(name):
            return self._on_bedrock(name)
        known = ", ".join([*self.tools.models, model_ids.DEFAULT])
        raise ArgumentError(
            f"there is no model `{name}`", f"models: {known}, or a model's id on Bedrock"
        )

    def _on_bedrock(self, name: str) -> Model:
        """The model on Bedrock, kept for as long as its settings are the same."""
        from bluebear_magic.aws import Aws
        from bluebear_magic.generation.bedrock import BedrockModel, Options

        settings = self.settings
        key = (name, str(settings.aws_region), str(settings.guardrail))
        if key not in self._bedrock:
            self._bedrock[key] = BedrockModel(
                name,
                aws=Aws(settings.aws_region),
                options=Options(guardrail=settings.guardrail),
                on_wait=self.tools.reporter.progress,
                meter=self.tools.books,
                prices=lambda: prices.parse(settings.prices),
            )
        return self._bedrock[key]

    def use(self, backend: str, *, code: str | None = None) -> Backend:
        """Chooses the backend: for one piece of code, or for the session."""
        chosen = pick(backend, self.tools.backends)
        if code is None:
            self._backend = backend
        else:
            self._choices[code_hash(code)] = backend
        return chosen

    def choice(self, code: str) -> str:
        """The backend that code would run on, by name; ``auto`` included."""
        return self._choices.get(code_hash(code)) or self._backend or str(self.settings.backend)

    def warm(self) -> None:
        """Starts local Spark in the background."""
        for backend in self.tools.backends.values():
            backend.warm()

    def worker(self, action: Literal["stop", "restart"] | None = None) -> tuple[str, ...]:
        """What there is to tell of local Spark's process, after doing ``action``."""
        backend = self.tools.backends["local"]
        assert isinstance(backend, LocalBackend)
        if action:
            backend.close()
        if action == "restart":
            backend.start_worker()
        return told(backend.worker(), backend.long_worker())

    # --- life --------------------------------------------------------------

    def close(self) -> None:
        """Ends what runs for this session; may be called twice. Nothing runs afterwards."""
        self._closed = True
        for backend in self.tools.backends.values():
            backend.close()

    def __enter__(self) -> Bluebear:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def as_error(info: ErrorInfo) -> BluebearError:
    """The exception for an error that came as a value."""
    return _RAISED.get(info.kind, BluebearError)(info.message, info.hint, line=info.line)
