"""The story of one question, top to bottom.

``answer``: which datasets are meant, what a model makes of the question, whether that is
allowed, whether it works on samples; again with what was wrong, up to the attempts given.
``run``: the checked code over the whole data, on the backend picked.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bluebear_magic import guard, meaning, sharing
from bluebear_magic.backends.registry import pick
from bluebear_magic.config import Settings
from bluebear_magic.consent import Consent
from bluebear_magic.context.catalog import Broken, Catalog
from bluebear_magic.context.mentions import mentioned
from bluebear_magic.context.profiles import known_profile, profile
from bluebear_magic.context.samples import Samples, partial
from bluebear_magic.context.schemas import Drift
from bluebear_magic.context.used import used_in, used_where, uses_of
from bluebear_magic.errors import (
    Blocked,
    BluebearError,
    DatasetError,
    GaveUp,
    NeedsAnswer,
    NeedsApproval,
    NotConfigured,
    RunFailed,
)
from bluebear_magic.folders import cache_folder, prune, writable
from bluebear_magic.guard import Policy, Verdict
from bluebear_magic.guard.effective import Effective, effective
from bluebear_magic.guard.writes import told as told_of
from bluebear_magic.machine import Machine
from bluebear_magic.protocols import Backend, Model, Previews, Reporter
from bluebear_magic.provenance import targets
from bluebear_magic.provenance.approvals import COMMAND, Approvals, check_rules
from bluebear_magic.provenance.books import Books
from bluebear_magic.provenance.header import code_hash, schema_hash
from bluebear_magic.provenance.receipts import ReceiptStore
from bluebear_magic.records import (
    Accepted,
    Answer,
    Ask,
    Asked,
    Attempt,
    Checked,
    Context,
    Conversation,
    Dataset,
    ErrorInfo,
    Finding,
    GivenUp,
    OpenQuestion,
    PastTurn,
    Preview,
    Receipt,
    Sent,
    Sharing,
    Turn,
)
from bluebear_magic.repair.feedback import feedback
from bluebear_magic.repair.known import known
from bluebear_magic.repair.loop import Generate, loop
from bluebear_magic.runner.envelope import Binding, Job, Limits, Outcome, Table
from bluebear_magic.vocabulary import PRESETS

ELSEWHERE = "Write to a new folder, or to one that holds nothing but what Spark wrote."
KEEP_RESULTS_DAYS = 7
KEEP_SAMPLES_DAYS = 30


@dataclass
class Tools:
    """What the story works with; made once per session."""

    catalog: Catalog
    models: Mapping[str, Model]
    backends: Mapping[str, Backend]
    receipts: ReceiptStore
    settings: Settings
    reporter: Reporter
    approvals: Approvals
    books: Books
    machine: Machine = field(default_factory=Machine)
    history: list[PastTurn] = field(default_factory=list)
    samples: Samples = field(default_factory=Samples)
    results: dict[str, PastTurn] = field(default_factory=dict)  # by the dataset's name
    open_question: OpenQuestion | None = None
    drafted: dict[str, Sharing] = field(default_factory=dict)  # by the hash of a draft's code
    cells: Callable[[], Sequence[str]] = tuple  # the codes that stand in the notebook
    drifts: set[Drift] = field(default_factory=set)  # those that were told

    @property
    def effective(self) -> Effective:
        """The policy in force, and where it comes from; settings may change it at any time."""
        return effective(self.settings, self.machine)

    @property
    def policy(self) -> Policy:
        """What code may do."""
        return self.effective.policy

    @property
    def consent(self) -> Consent:
        """What may leave for a model, by the settings of now."""
        return Consent(sharing.parse(self.settings.share), self.results)


def answer(tools: Tools, ask: Ask, model: Model) -> Answer:
    """Checked code for a question, or why there is none (``Answer.error``).

    ``Cancelled`` and ``KeyboardInterrupt`` pass through.
    """
    with tools.books.question(ask.question):
        told = _answer(tools, ask, model)
    return replace(told, usage=tools.books.usage)


def _answer(tools: Tools, ask: Ask, model: Model) -> Answer:
    timings: dict[str, float] = {}
    tried: list[Attempt] = []
    if ask.fresh:
        forget(tools)
    waiting = _waiting(tools, ask, model)
    blank = Answer(ask.question, model=model.name, answers=waiting.question if waiting else "")
    context = Context((), ())
    try:
        if tools.settings.warm:
            for backend in tools.backends.values():
                backend.warm()  # while the datasets are read and the model writes
        with _timed(timings, "context"):
            context = gather(tools, ask)
        if isinstance(model, Previews):
            _tell_of_names(tools, context)
        said = _said(waiting, ask.question)
        goes_on = replace(ask, question=waiting.question) if waiting else ask
        ended = _drive(tools, goes_on, model, context, said, timings=timings, tried=tried)
    except BluebearError as error:
        code = tried[-1].draft.code if tried else ""
        tell_drift(tools, _missed(tools, context.datasets, ask.question))
        return replace(
            blank,
            code=code,
            attempts=tuple(tried),
            went=_went(tried),
            error=as_info(error),
            timings=timings,
        )
    tools.open_question = None
    if isinstance(ended, Asked):
        tools.open_question = OpenQuestion(
            goes_on.question, model.name, ended.draft, said, str(tools.settings.share)
        )
        return _asking(blank, ended, timings, model.name)
    told = _told(blank, ended, timings, tools.settings)
    if isinstance(ended, Accepted):
        _tell(tools, ended.chosen.checked)
        remember(tools, told, ended.chosen.checked.tables)
    used = used_in(told.code, context.datasets)
    tell_drift(tools, used)
    for dataset in used:
        for warning in dataset.warnings:
            tools.reporter.warn(f"{dataset.name}: {warning}")
    names = tuple(dataset.name for dataset in used)
    # what `bedrock` stands for is known only now
    return replace(told, datasets=names, schema_hash=schema_hash(used), model=model.name)


def _waiting(tools: Tools, ask: Ask, model: Model) -> OpenQuestion | None:
    """The question that this one answers what was asked back of: of the same model, unless the
    cell that was asked back of is run once more.
    """
    waiting = tools.open_question
    if waiting is None or waiting.share != tools.settings.share:
        return None  # under another sharing it might not have been asked so
    if waiting.model != model.name or waiting.question == ask.question:
        return None
    return waiting


def _said(waiting: OpenQuestion | None, text: str) -> tuple[Turn, ...]:
    """What was said before, with the user's answer."""
    return (*waiting.turns, Turn(waiting.draft, text, answers=True)) if waiting else ()


def _asking(blank: Answer, ended: Asked, timings: dict[str, float], model: str) -> Answer:
    """The answer that is a question."""
    asked = ended.draft.questions
    hint = "the next question answers it (in a shell: ask again, with the answer in the question)"
    return replace(
        blank,
        questions=asked,
        explanation=ended.draft.explanation,
        attempts=ended.attempts,
        went=ended.draft.sent,
        error=ErrorInfo(NeedsAnswer.kind, f"the model asks: {' '.join(asked)}", hint),
        timings=timings,
        model=model,
    )


def remember(tools: Tools, answer: Answer, tables: Sequence[Table], *, ran: bool = False) -> None:
    """Keeps a turn for the questions that go on from it; a run tells how many rows there are."""
    if not answer.question or not tables:
        return
    columns = tuple(name for name, _ in tables[0].columns)
    rows = tables[0].row_count if ran else None
    turn = replace(_turn(tools, answer), columns=columns, row_count=rows)
    same = [item for item in tools.history if item.question == turn.question]
    if same and (ran or code_hash(same[-1].code) == code_hash(turn.code)):
        tools.history.remove(same[-1])
    tools.history.append(turn)


def name_result(tools: Tools, name: str, answer: Answer) -> None:
    """Keeps what a result was made of, which says what of it may leave."""
    tools.results[name.lower()] = _turn(tools, answer)


def _turn(tools: Tools, answer: Answer) -> PastTurn:
    drafted = tools.drafted.get(code_hash(answer.code))
    return PastTurn(answer.whole_question, answer.code, drafted=drafted)


def forget(tools: Tools) -> None:
    """Lets go of what was asked before: the next question starts anew."""
    tools.history.clear()
    tools.open_question = None


def gather(tools: Tools, ask: Ask) -> Context:
    """The datasets meant, what is known of them, and what was asked before."""
    tools.reporter.progress("reading the datasets")
    if ask.data:
        datasets = tools.catalog.resolve(ask.data)
    else:
        datasets, broken = tools.catalog.survey(_spoken_of(tools, ask))
        for item in broken:
            tools.reporter.warn(f"{item.location} is left out: {item.error.message}")
        datasets = datasets or _only(tools, broken)
        waiting = {item.name for item in datasets if not item.paths}
        named = mentioned(waiting, _spoken_of(tools, ask))
        meant = tools.catalog.settled([item for item in datasets if item.name in named])
        by_name = {item.name: item for item in meant}
        datasets = tuple(by_name.get(item.name, item) for item in datasets)
    profiles = tuple(profile(item, progress=tools.reporter.progress) for item in datasets)
    shared = tools.consent.sharing(datasets, profiles)
    return Context(datasets, profiles, tuple(tools.history), shared, tools.catalog.semantics)


def tell_drift(tools: Tools, used: Sequence[Dataset]) -> None:
    """Says, once in a session, which columns of these datasets are not what they were when they
    were first seen here, and in how many cells they are used.
    """
    for dataset in used:
        drift = tools.catalog.drift(dataset.name)
        if drift is None or drift in tools.drifts:
            continue
        tools.drifts.add(drift)
        codes = {code_hash(code): code for code in tools.cells()}
        codes.update((code_hash(turn.code), turn.code) for turn in tools.history)
        uses = uses_of(drift.columns, used_where(codes.values(), dataset))
        for line in drift.lines(uses):
            tools.reporter.warn(line)
        tools.reporter.warn(f"%bluebear data refresh {dataset.name} takes them as they are now")


def _missed(tools: Tools, datasets: Sequence[Dataset], question: str) -> list[Dataset]:
    """Those of which a question names a column that is not what it was."""
    words = question.lower()
    drifts = ((dataset, tools.catalog.drift(dataset.name)) for dataset in datasets)
    return [
        dataset
        for dataset, drift in drifts
        if drift and any(name.lower() in words for name in drift.columns)
    ]


def _tell_of_names(tools: Tools, context: Context) -> None:
    """Says whose columns a model elsewhere cannot know, and what to do about it."""
    for dataset in context.datasets:
        names = [column.name for column in dataset.columns if column.guessed]
        if any((dataset.name, name) in context.sharing.hidden for name in names):
            tools.reporter.warn(
                f"{dataset.name}: the names of its columns are not sent, since its first line may "
                f"be a row and no header; say which it is: %bluebear data add {dataset.name} PATH "
                "--option header=true (or header=false)"
            )


def _spoken_of(tools: Tools, ask: Ask) -> str:
    """What may name a dataset: the question, what it goes on from, what was asked back of."""
    waiting = tools.open_question
    before = [turn.code for turn in tools.history[-2:]]
    return "\n".join([ask.question, *before, waiting.question if waiting else ""])


def _only(tools: Tools, broken: Sequence[Broken]) -> tuple[Dataset, ...]:
    """Where no file is at hand and the question names nothing: the only frame that there is."""
    if broken:
        raise broken[0].error
    names = [name for name, _, _ in tools.catalog.glances()]
    if len(names) == 1:
        return tools.catalog.resolve(names)
    if names:
        told = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
        raise DatasetError(
            "the question names no dataset, and there are several",
            f"name one in the question or with --data: {told}",
        )
    raise DatasetError(
        "there is no dataset to ask about",
        "add one with --data PATH, with %bluebear data add NAME PATH, "
        "or put files into a folder named data beside the notebook",
    )


def preview(tools: Tools, ask: Ask, model: Model) -> Preview:
    """What asking would send. Nothing is sent, but to be counted where the setting says so."""
    if not isinstance(model, Previews):
        return Preview(model.name)
    waiting = None if ask.fresh else _waiting(tools, ask, model)
    asked = replace(ask, question=waiting.question) if waiting else ask
    context = gather(tools, ask)
    context = replace(context, history=()) if ask.fresh else context
    _tell_of_names(tools, context)
    said = Conversation(asked, context, _said(waiting, ask.question))
    return model.preview(said, count=bool(tools.settings.count_tokens))


def _drive(
    tools: Tools,
    ask: Ask,
    model: Model,
    context: Context,
    said: tuple[Turn, ...],
    *,
    timings: dict[str, float],
    tried: list[Attempt],
) -> Accepted | GivenUp | Asked:
    """Runs the loop: the model and Spark are on this side of it.

    ``tried`` gets each attempt, so that none is lost when the model fails later.
    """

    def words(attempt: Attempt) -> str:
        return feedback(attempt, known(context, attempt.draft.code))

    steps = loop(ask.attempts, words, said)
    try:
        step = next(steps)
        while True:
            if isinstance(step, Generate):
                tools.reporter.progress(
                    f"{model.name} writes the code"
                    + (f" (attempt {len(tried) + 1})" if tried else "")
                )
                with _timed(timings, "model"):
                    draft = model.generate(
                        Conversation(ask, context, step.turns), tools.reporter.writing
                    )
                tools.books.heard(draft.usage)
                if draft.reply:  # of a model elsewhere, which knows what it wrote
                    tools.drafted[code_hash(draft.code)] = context.sharing
                step = steps.send(draft)
            else:
                with _timed(timings, "check"):
                    code = step.draft.code
                    checked = check(tools, code, context.datasets, ask.approve, draft=True)
                tried.append(Attempt(len(tried) + 1, step.draft, checked))
                if not checked.ok:
                    tools.reporter.attempt(len(tried), step.draft, checked)
                step = steps.send(checked)
    except StopIteration as ended:
        result: Accepted | GivenUp | Asked = ended.value
        return result
    except BluebearError as error:
        if not any(attempt.ok for attempt in tried):
            raise
        tools.reporter.warn(f"no better draft could be had: {error.message}")
        return Accepted(tuple(tried))


def _went(attempts: Sequence[Attempt]) -> Sent | None:
    """What of the data a model elsewhere was sent for the drafts."""
    return next((attempt.draft.sent for attempt in attempts if attempt.draft.sent), None)


def _told(
    blank: Answer, ended: Accepted | GivenUp, timings: dict[str, float], settings: Settings
) -> Answer:
    """The answer that the loop's end amounts to."""
    last = ended.attempts[-1] if ended.attempts else None
    if isinstance(ended, Accepted):
        last = ended.chosen
    told = replace(
        blank,
        code=last.draft.code if last else "",
        explanation=last.draft.explanation if last else "",
        assumptions=last.draft.assumptions if last else (),
        chart=last.draft.chart if last else None,
        attempts=ended.attempts,
        went=_went(ended.attempts),
        timings=timings,
    )
    if isinstance(ended, GivenUp):
        cause = last.checked.error if last else None
        why = f": {cause.message}" if cause else ""
        line = cause.line if cause else None
        hint = (cause.hint if cause else "") or "put the question in other words, or add --attempts"
        return replace(told, error=ErrorInfo(GaveUp.kind, ended.reason + why, hint, line))
    assert last is not None
    assert last.checked.outcome is not None
    return replace(
        told,
        checked=_on_what(last.checked, settings),
        spark_version=last.checked.outcome.spark_version,
    )


def check(
    tools: Tools,
    code: str,
    datasets: Sequence[Dataset],
    approve: Collection[str] = (),
    *,
    draft: bool = False,
) -> Checked:
    """Guard, then one run over samples. A check that passes is noted in the receipts.

    ``approve``: rules that the person at the command has said yes to. Approved writes are tried
    in a folder that ends with the check; their targets are left alone. So are those of a
    ``draft`` that wait for approval, which whoever runs it is asked for.
    """
    timings: dict[str, float] = {}
    with _timed(timings, "guard"):
        verdict = judged(tools, code, datasets, approve)
    if verdict.blocking or (verdict.pending and not draft):
        return Checked(verdict.findings, None, timings)
    tools.approvals.taken(code, verdict, tools.policy, "check")
    return _try(tools, code, datasets, verdict, timings)


def judged(
    tools: Tools, code: str, datasets: Sequence[Dataset], approve: Collection[str] = ()
) -> Verdict:
    """The guard's verdict under the policy in force, with what was approved.

    A write that would delete what Spark has not written, or a dataset, is blocked whoever
    approves it. Raises ``ArgumentError`` for rules that nobody may approve.
    """
    policy = tools.policy
    check_rules(approve, policy)
    verdict = guard.check(code, [dataset.name for dataset in datasets], policy)
    findings = []
    for finding in verdict.findings:
        problem = finding.write and targets.problem_of(finding.write, datasets)
        findings.append(
            replace(finding, severity="block", message=f"{problem}.", suggestion=ELSEWHERE)
            if problem
            else finding
        )
    return tools.approvals.applied(Verdict(tuple(findings)), code, approve)


def _try(
    tools: Tools,
    code: str,
    datasets: Sequence[Dataset],
    verdict: Verdict,
    timings: dict[str, float],
) -> Checked:
    """One run over samples of code that the guard lets through."""
    for finding in verdict.warnings:
        tools.reporter.warn(f"line {finding.line}: {finding.message}")
    with _timed(timings, "samples"):
        used = tools.catalog.settled(used_in(code, datasets))
        bindings = tools.samples.of(used, tools.settings.sample_rows)
    outcome = _tried(tools, code, bindings, verdict)
    if outcome.status == "ok":
        with _timed(timings, "samples"):
            joined = tools.samples.after(outcome, used, bindings)
        if joined != bindings:
            bindings, outcome = joined, _tried(tools, code, joined, verdict)
    stages = {"run": "sample"}
    timings.update({stages.get(stage, stage): spent for stage, spent in outcome.timings})
    if outcome.fault is not None and outcome.fault.kind == "timeout":
        hint = f"{outcome.fault.suggestion}; the setting check_seconds gives it more time"
        outcome = replace(outcome, fault=replace(outcome.fault, suggestion=hint))
    with _timed(timings, "meaning"):
        doubtful = _doubtful(code, used, bindings, outcome)
    checked = Checked((*verdict.findings, *doubtful), outcome, timings, notes=partial(bindings))
    if checked.ok:
        said = _on_what(checked, tools.settings)
        tools.receipts.put(code, schema_of(code, datasets), tools.policy.fingerprint, said)
    return checked


def _tried(tools: Tools, code: str, bindings: tuple[Binding, ...], verdict: Verdict) -> Outcome:
    """What comes of the code over these bindings."""
    limits = Limits(rows=50, seconds=tools.settings.check_seconds)
    checker = pick("local", tools.backends)
    tools.reporter.progress(f"checking on {checker.title}")
    job = Job(code, bindings, "sample", limits, writes=verdict.tried)
    return meaning.advised(checker.run(job, tools.reporter))


def _doubtful(
    code: str, used: Sequence[Dataset], bindings: Sequence[Binding], outcome: Outcome
) -> tuple[Finding, ...]:
    """What the data say of code that ran; judged by what is known of them or quickly learnt."""
    if outcome.status != "ok":
        return ()
    profiles = {
        dataset.name: known for dataset in used if (known := known_profile(dataset)) is not None
    }
    sampled = [binding.name for binding in bindings if binding.sampled]
    return meaning.findings(code, outcome, profiles, sampled)


def _tell(tools: Tools, checked: Checked) -> None:
    """Shows what is doubtful in code that is used all the same, what was not looked at, and what
    running the code would write.
    """
    for note in checked.notes:
        tools.reporter.warn(note)
    for finding in checked.findings:
        if finding.severity == "approve" and finding.write is not None:
            what = f"line {finding.line}: this code writes {told_of(finding.write)}."
            how = "Running it asks for your approval; nothing was written yet."
            tools.reporter.warn(f"{what} {how}")
        if meaning.is_of(finding):
            said = f"line {finding.line}: {finding.message}. {finding.suggestion}".rstrip()
            tools.reporter.warn(said)


def _on_what(checked: Checked, settings: Settings) -> str:
    """What the check ran over, as the cell's header says it."""
    sampled = any(table.sampled for table in checked.tables)
    return f"sample:{settings.sample_rows} rows" if sampled else "whole"


@dataclass(frozen=True)
class Run:
    """What came of a run."""

    outcome: Outcome
    receipt: Receipt


def run(
    tools: Tools,
    code: str,
    datasets: Sequence[Dataset],
    *,
    backend: str = "auto",
    question: str | None = None,
    approve: Collection[str] = (),
) -> Run:
    """Runs code over the whole data. Raises ``Blocked``, ``NeedsApproval``, ``RunFailed``,
    ``BackendError``.

    Code that this machine has not checked with these schemas under this policy is
    checked first. Approved writes are noted in the audit log before anything is written.
    """
    engine = pick(backend, tools.backends)
    status = engine.status()
    if status.state == "not configured":
        raise NotConfigured(f"{engine.title} is not configured", status.detail)
    policy = tools.policy
    verdict = judged(tools, code, datasets, approve)
    if verdict.blocking:
        raise _blocked(verdict.blocking[0], tools.effective)
    if verdict.pending:
        raise _needs_approval(verdict)
    used = used_in(code, datasets)
    tell_drift(tools, used)
    schema = schema_hash(used)
    checked = tools.receipts.get(code, schema, policy.fingerprint)
    if checked is None:
        report = _try(tools, code, datasets, verdict, {})
        if not report.ok:
            raise _failed(report)
        _tell(tools, report)
        checked = _on_what(report, tools.settings)
    approved = tools.approvals.taken(code, verdict, policy, "run")
    tools.reporter.progress(f"running on {engine.title}")
    limits = Limits(seconds=tools.settings.run_seconds)
    bindings = tools.catalog.wholes(tools.catalog.settled(used), tools.reporter)
    folder = str(_result_folder())
    job = Job(code, bindings, "full", limits, result_dir=folder, writes=verdict.writes)
    outcome = engine.run(job, tools.reporter)
    if outcome.status != "ok":
        raise _failed(Checked((), outcome))
    receipt = Receipt(
        code_hash=code_hash(code),
        schema_hash=schema,
        policy=policy.name,
        backend=engine.name,
        spark_version=outcome.spark_version,
        checked=checked,
        question=question,
        datasets=tuple(dataset.name for dataset in used),
        row_counts=tuple((table.title, table.row_count) for table in outcome.tables),
        approved=approved,
        timings=dict(outcome.timings),
    )
    return Run(outcome, receipt)


def as_info(error: BluebearError) -> ErrorInfo:
    """An error as a value."""
    return ErrorInfo(error.kind, error.message, error.hint, error.line)


def _blocked(finding: Finding, policy: Effective | None = None) -> Blocked:
    said = finding.text.strip()
    what = finding.message if said in finding.message else f"{finding.message} ({said})"
    looser = PRESETS[0]
    if policy is None or finding.rule not in guard.APPROVABLE or policy.policy.approve:
        return Blocked(what, finding.suggestion, line=finding.line)
    if policy.machine.clamp(looser) != looser:
        how = f"This machine's policy lets nobody approve it ({', '.join(policy.machine.files)})."
    else:
        how = f"Under the policy {looser} a person may approve it (%bluebear policy {looser})."
    return Blocked(what, f"{finding.suggestion} {how}", line=finding.line)


def _needs_approval(verdict: Verdict) -> NeedsApproval:
    first = verdict.pending[0]
    more = f" (and {len(verdict.pending) - 1} more)" if len(verdict.pending) > 1 else ""
    rules = sorted({finding.rule for finding in verdict.pending})
    return NeedsApproval(
        f"this needs a person's approval: {first.message}{more}",
        "Approve it below, or with " + " ".join(f"{COMMAND} {rule}" for rule in rules),
        line=first.line,
        findings=verdict.pending,
    )


def _failed(checked: Checked) -> BluebearError:
    for finding in checked.blocking:
        return _blocked(finding)
    fault = checked.fault
    assert fault is not None
    shown = f"\n    {fault.fragment}" if fault.fragment else ""
    what = f"{fault.kind}: {fault.message}{shown}"
    return RunFailed(what, fault.suggestion or "", line=fault.line)


def schema_of(code: str, datasets: Sequence[Dataset]) -> str:
    """Hash of the schemas of the datasets that code reads; others may come and go."""
    return schema_hash(used_in(code, datasets))


def _result_folder() -> Path:
    """A new folder for the tables of one run."""
    return Path(tempfile.mkdtemp(dir=writable("results"))) / "tables"


def tidy() -> None:
    """Removes results, samples and copies of data of earlier weeks."""
    prune(cache_folder() / "results", KEEP_RESULTS_DAYS)
    for name in ("samples", "snapshots", "downloads"):
        prune(cache_folder() / name, KEEP_SAMPLES_DAYS)


@contextlib.contextmanager
def _timed(timings: dict[str, float], stage: str) -> Iterator[None]:
    begun = time.perf_counter()
    try:
        yield
    finally:
        spent = (time.perf_counter() - begun) * 1000
        timings[stage] = round(timings.get(stage, 0.0) + spent, 2)
