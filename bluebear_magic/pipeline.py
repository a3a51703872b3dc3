"""The story of one question, top to bottom.

``answer``: which datasets are meant, what a model makes of the question, whether that is
allowed, whether it works on samples; again with what was wrong, up to the attempts given.
``run``: the checked code over the whole data, on the backend picked.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bluebear_magic import guard, meaning
from bluebear_magic.backends.registry import pick
from bluebear_magic.config import Settings
from bluebear_magic.context.catalog import Catalog
from bluebear_magic.context.profiles import known_profile, profile
from bluebear_magic.context.samples import Samples, partial, whole
from bluebear_magic.errors import (
    Blocked,
    BluebearError,
    DatasetError,
    GaveUp,
    NotConfigured,
    RunFailed,
)
from bluebear_magic.folders import cache_folder, prune, writable
from bluebear_magic.protocols import Backend, Model, Reporter
from bluebear_magic.provenance.header import code_hash, schema_hash
from bluebear_magic.provenance.receipts import ReceiptStore
from bluebear_magic.records import (
    Accepted,
    Answer,
    Ask,
    Attempt,
    Checked,
    Context,
    Conversation,
    Dataset,
    ErrorInfo,
    Finding,
    GivenUp,
    PastTurn,
    Receipt,
)
from bluebear_magic.repair.loop import Generate, loop
from bluebear_magic.runner.envelope import Binding, Job, Limits, Outcome

POLICY = guard.READ_ONLY
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
    history: list[PastTurn] = field(default_factory=list)
    samples: Samples = field(default_factory=Samples)


def answer(tools: Tools, ask: Ask, model: Model) -> Answer:
    """Checked code for a question, or why there is none (``Answer.error``).

    ``Cancelled`` and ``KeyboardInterrupt`` pass through.
    """
    timings: dict[str, float] = {}
    tried: list[Attempt] = []
    blank = Answer(ask.question, model=model.name)
    try:
        if tools.settings.warm:
            for backend in tools.backends.values():
                backend.warm()  # while the datasets are read and the model writes
        with _timed(timings, "context"):
            context = gather(tools, ask)
        ended = _drive(tools, ask, model, context, timings=timings, tried=tried)
    except BluebearError as error:
        code = tried[-1].draft.code if tried else ""
        return replace(
            blank, code=code, attempts=tuple(tried), error=as_info(error), timings=timings
        )
    told = _told(blank, ended, timings, tools.settings)
    if isinstance(ended, Accepted):
        _tell(tools, ended.chosen.checked)
    used = _used(told.code, context.datasets)
    for dataset in used:
        for warning in dataset.warnings:
            tools.reporter.warn(f"{dataset.name}: {warning}")
    names = tuple(dataset.name for dataset in used)
    # what `bedrock` stands for is known only now
    return replace(told, datasets=names, schema_hash=schema_hash(used), model=model.name)


def gather(tools: Tools, ask: Ask) -> Context:
    """The datasets meant, what is known of them, and what was asked before."""
    tools.reporter.progress("reading the datasets")
    if ask.data:
        datasets = tools.catalog.resolve(ask.data)
    else:
        datasets, broken = tools.catalog.survey()
        for item in broken:
            tools.reporter.warn(f"{item.location} is left out: {item.error.message}")
    if not datasets:
        raise DatasetError(
            "there is no dataset to ask about",
            "add one with --data PATH, with %bluebear data add NAME PATH, "
            "or put files into a folder named data beside the notebook",
        )
    return Context(datasets, tuple(map(profile, datasets)), tuple(tools.history))


def would_send(context: Context, question: str) -> str:
    """What a model gets to see: the question and the schemas, no rows and no values."""
    schemas = [f"{dataset.name} ({dataset.ddl})" for dataset in context.datasets]
    return "\n".join([f"question: {question}", *schemas])


def _drive(
    tools: Tools,
    ask: Ask,
    model: Model,
    context: Context,
    *,
    timings: dict[str, float],
    tried: list[Attempt],
) -> Accepted | GivenUp:
    """Runs the loop: the model and Spark are on this side of it.

    ``tried`` gets each attempt, so that none is lost when the model fails later.
    """
    steps = loop(ask.attempts)
    try:
        step = next(steps)
        while True:
            if isinstance(step, Generate):
                tools.reporter.progress(
                    f"{model.name} writes the code"
                    + (f" (attempt {len(step.turns) + 1})" if step.turns else "")
                )
                with _timed(timings, "model"):
                    draft = model.generate(Conversation(ask, context, step.turns), _ignore)
                step = steps.send(draft)
            else:
                with _timed(timings, "check"):
                    checked = check(tools, step.draft.code, context.datasets)
                tried.append(Attempt(len(tried) + 1, step.draft, checked))
                if not checked.ok:
                    tools.reporter.attempt(len(tried), step.draft, checked)
                step = steps.send(checked)
    except StopIteration as ended:
        result: Accepted | GivenUp = ended.value
        return result
    except BluebearError:
        if any(attempt.ok for attempt in tried):
            return Accepted(tuple(tried))  # only a better draft could not be had
        raise


def _ignore(text: str) -> None:
    """Nobody watches the text arrive yet."""


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


def check(tools: Tools, code: str, datasets: Sequence[Dataset]) -> Checked:
    """Guard, then one run over samples. A check that passes is noted in the receipts."""
    timings: dict[str, float] = {}
    with _timed(timings, "guard"):
        verdict = guard.check(code, [dataset.name for dataset in datasets], POLICY)
    if not verdict.ok:
        return Checked(verdict.findings, None, timings)
    return _try(tools, code, datasets, verdict, timings)


def _try(
    tools: Tools,
    code: str,
    datasets: Sequence[Dataset],
    verdict: guard.Verdict,
    timings: dict[str, float],
) -> Checked:
    """One run over samples of code that the guard lets through."""
    for finding in verdict.warnings:
        tools.reporter.warn(f"line {finding.line}: {finding.message}")
    used = _used(code, datasets)
    with _timed(timings, "samples"):
        bindings = tools.samples.of(used, tools.settings.sample_rows)
    outcome = _tried(tools, code, bindings)
    if outcome.status == "ok":
        with _timed(timings, "samples"):
            joined = tools.samples.after(outcome, used, bindings)
        if joined != bindings:
            bindings, outcome = joined, _tried(tools, code, joined)
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
        tools.receipts.put(code, schema_of(code, datasets), POLICY.fingerprint, said)
    return checked


def _tried(tools: Tools, code: str, bindings: tuple[Binding, ...]) -> Outcome:
    """What comes of the code over these bindings."""
    limits = Limits(rows=50, seconds=tools.settings.check_seconds)
    checker = pick("local", tools.backends)
    tools.reporter.progress(f"checking on {checker.title}")
    return meaning.advised(checker.run(Job(code, bindings, "sample", limits), tools.reporter))


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
    """Shows what is doubtful in code that is used all the same, and what was not looked at."""
    for note in checked.notes:
        tools.reporter.warn(note)
    for finding in checked.findings:
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
) -> Run:
    """Runs code over the whole data. Raises ``Blocked``, ``RunFailed``, ``BackendError``.

    Code that this machine has not checked with these schemas under this policy is
    checked first.
    """
    engine = pick(backend, tools.backends)
    status = engine.status()
    if status.state == "not configured":
        raise NotConfigured(f"{engine.title} is not configured", status.detail)
    verdict = guard.check(code, [dataset.name for dataset in datasets], POLICY)
    if not verdict.ok:
        raise _blocked(verdict.blocking[0])
    used = _used(code, datasets)
    schema = schema_hash(used)
    checked = tools.receipts.get(code, schema, POLICY.fingerprint)
    if checked is None:
        report = _try(tools, code, datasets, verdict, {})
        if not report.ok:
            raise _failed(report)
        _tell(tools, report)
        checked = _on_what(report, tools.settings)
    tools.reporter.progress(f"running on {engine.title}")
    limits = Limits(seconds=tools.settings.run_seconds)
    bindings = tuple(map(whole, used))
    job = Job(code, bindings, "full", limits, result_dir=str(_result_folder()))
    outcome = engine.run(job, tools.reporter)
    if outcome.status != "ok":
        raise _failed(Checked((), outcome))
    receipt = Receipt(
        code_hash=code_hash(code),
        schema_hash=schema,
        policy=POLICY.name,
        backend=engine.name,
        spark_version=outcome.spark_version,
        checked=checked,
        question=question,
        datasets=tuple(dataset.name for dataset in used),
        row_counts=tuple((table.title, table.row_count) for table in outcome.tables),
        timings=dict(outcome.timings),
    )
    return Run(outcome, receipt)


def as_info(error: BluebearError) -> ErrorInfo:
    """An error as a value."""
    return ErrorInfo(error.kind, error.message, error.hint, error.line)


def _blocked(finding: Finding) -> Blocked:
    said = finding.text.strip()
    what = finding.message if said in finding.message else f"{finding.message} ({said})"
    return Blocked(what, finding.suggestion, line=finding.line)


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
    return schema_hash(_used(code, datasets))


def _used(code: str, datasets: Sequence[Dataset]) -> list[Dataset]:
    """The datasets whose names occur in the code: only these are sampled and bound."""
    words = {word.lower() for word in re.findall(r"\w+", code)}
    return [dataset for dataset in datasets if dataset.name.lower() in words]


def _result_folder() -> Path:
    """A new folder for the tables of one run."""
    return Path(tempfile.mkdtemp(dir=writable("results"))) / "tables"


def tidy() -> None:
    """Removes results and samples of earlier weeks."""
    prune(cache_folder() / "results", KEEP_RESULTS_DAYS)
    prune(cache_folder() / "samples", KEEP_SAMPLES_DAYS)


@contextlib.contextmanager
def _timed(timings: dict[str, float], stage: str) -> Iterator[None]:
    begun = time.perf_counter()
    try:
        yield
    finally:
        spent = (time.perf_counter() - begun) * 1000
        timings[stage] = round(timings.get(stage, 0.0) + spent, 2)
