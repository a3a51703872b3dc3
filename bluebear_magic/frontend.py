"""What the magics do: ask, insert, show, run. One ``Frontend`` per kernel, owned by the magics."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from bluebear_magic import pipeline
from bluebear_magic.api import Bluebear, as_error
from bluebear_magic.backends.registry import pick
from bluebear_magic.config import Settings
from bluebear_magic.errors import ArgumentError, BluebearError, NeedsApproval
from bluebear_magic.notebook import cards
from bluebear_magic.notebook.cells import (
    Below,
    CellMemory,
    NextInputWriter,
    Place,
    codes_in,
    place_of,
)
from bluebear_magic.notebook.naming import name_for
from bluebear_magic.notebook.reporter import DisplayReporter, SilentReporter
from bluebear_magic.notebook.values import fill
from bluebear_magic.present.render import chart_bundles, result_bundle
from bluebear_magic.provenance.header import (
    Cell,
    Header,
    code_hash,
    parse,
    prompt_hash,
    render,
    split,
)
from bluebear_magic.records import Answer

if TYPE_CHECKING:
    from bluebear_magic.present.result import Result

LAST = "bb"  # the variable that holds the last result


@dataclass(frozen=True)
class Request:
    """A question cell, parsed."""

    question: str
    data: Sequence[str] = ()
    backend: str | None = None
    model: str | None = None
    into: str | None = None
    attempts: int | None = None
    run: bool = False
    dry_run: bool = False
    new: bool = False
    fresh: bool = False


class Frontend:
    """The session behind the magics of one kernel."""

    def __init__(self, shell: Any, settings: Settings) -> None:
        self.shell = shell
        self.reporter = DisplayReporter(live=bool(settings.progress))
        self.bb = Bluebear(
            settings=settings, reporter=SilentReporter(), namespace=lambda: shell.user_ns
        )
        self.bb.tools.reporter = self.reporter
        self.bb.tools.cells = lambda: codes_in(place_of(shell).notebook)
        self._unsaid = self.bb.untrusted  # told with the first cell
        self._memory = CellMemory()
        self._writer = NextInputWriter(shell)
        self._pickers = 0

    # --- %%bluebear --------------------------------------------------------

    def ask(self, request: Request) -> None:
        """Answers a question cell. Raises what went wrong, after showing it."""
        with self._cell():
            self._ask(request)

    @contextmanager
    def _cell(self) -> Iterator[None]:
        """A cell's work; the first one also says what of the folder's settings is ignored."""
        with self.reporter.cell():
            for line in self._unsaid:
                self.reporter.warn(line)
            self._unsaid = ()
            yield

    def _ask(self, request: Request) -> None:
        if request.into is not None:
            check_name(request.into)
            self.bb.check_result_name(request.into)
        if request.backend is not None:
            pick(request.backend, self.bb.tools.backends)
        question = fill(request.question, self.shell.user_ns).strip()
        if not question:
            raise ArgumentError(
                "there is no question", "write it below %%bluebear or after it, in plain English"
            )
        data = [self.bb.tools.catalog.add_path(item).name for item in request.data]
        if request.dry_run:
            sent = self.bb.would_send(question, data=data, model=request.model, fresh=request.fresh)
            self.reporter.settle(cards.sent_card(sent))
            return
        place = place_of(self.shell)
        self.bb.tools.approvals.notebook = self.bb.tools.books.notebook = place.notebook
        below = self._below(place, question, data)
        if below.state == "current" and below.cell and not (request.new or request.fresh):
            self._stay(below.cell, question, request)
        else:
            self._answer(request, question, data, place, below)

    def _below(self, place: Place, question: str, data: Sequence[str]) -> Below:
        def schema_of(code: str) -> str:
            return pipeline.schema_of(code, self.bb.tools.catalog.resolve(data, code))

        return self._memory.below(place, prompt_hash(question), schema_of)

    def _stay(self, cell: Cell, question: str, request: Request) -> None:
        """A current cell is there: no model is called, nothing is inserted."""
        self.reporter.settle(
            cards.current_card(cell, "Use --new to ask again and insert another cell.")
        )
        name = request.into or name_in(cell) or name_for(question)
        self._offer(Answer(question, cell.code), request, name)

    def _answer(
        self, request: Request, question: str, data: Sequence[str], place: Place, below: Below
    ) -> None:
        answer = self.bb.ask(
            question, data=data, attempts=request.attempts, model=request.model, fresh=request.fresh
        )
        if answer.questions:
            self.reporter.settle(cards.question_card(answer))
            return
        if answer.error:
            self.reporter.settle(cards.failure_card(answer) if answer.attempts else None)
            raise as_error(answer.error)
        name = request.into or name_for(question, self._taken())
        old = below.cell if below.state in {"stale", "current"} and not request.new else None
        if old is not None and code_hash(old.code) != code_hash(answer.code):
            place_told = f"Nothing was inserted; --new inserts it. {answer.sent}".rstrip()
            card = cards.diff_card(old.code, answer.code, place_told)
        elif old is not None:
            card = cards.answer_card(answer, "The cell below has this code already.")
        else:
            card = cards.answer_card(answer, self._insert(answer, name, place, below))
        self.reporter.settle(card)
        self._offer(answer, request, name)

    def _insert(self, answer: Answer, name: str, place: Place, below: Below) -> str:
        """Inserts the cell, remembers it, and says where it went."""
        text = render(header_of(answer), answer.code, f"--into {name}")
        cell = parse(text)
        assert cell is not None
        self._memory.remember(place, cell)
        self._writer.insert(text)
        where = f"A new cell below runs this code into {name}."
        if self.bb.awaiting(answer):
            where = f"A new cell below asks for your approval, and runs this code into {name}."
        if below.state == "unknown":
            where += " (This notebook's file is not known: an earlier copy may be there.)"
        return where

    def _taken(self) -> frozenset[str]:
        """Names that a new result must not overwrite: the user's own variables."""
        from bluebear_magic.present.result import Result

        mine = {k for k, v in self.shell.user_ns.items() if isinstance(v, Result)}
        names = {name.lower() for name in self.bb.tools.catalog.names()}
        return frozenset((set(self.shell.user_ns) | names) - mine)

    # --- running -----------------------------------------------------------

    def _offer(self, answer: Answer, request: Request, name: str) -> None:
        """The picker below the answer; with ``--run``, the result instead.

        Code that waits for approval gets no picker: the cell with it asks when it is run.
        """
        if request.backend is not None:
            self.bb.use(request.backend, code=answer.code)
        if request.run:
            self._run_now(answer, name)
            return
        backends = self.bb.tools.backends
        if not has_widgets(self.shell) or self.bb.awaiting(answer):
            return
        from IPython.display import display

        from bluebear_magic.notebook.widgets import Picker

        self._pickers += 1
        slots: list[Any] = []
        picker = Picker(
            backends,
            self.bb.choice(answer.code),
            auto=pick("auto", backends).name,
            choose=partial(self.bb.use, code=answer.code),
            run=self._runner(answer, name, slots),
            identity=uuid.uuid5(uuid.NAMESPACE_URL, f"bluebear picker {self._pickers}").hex,
        )
        display(picker)
        tables = max(1, len(answer.chosen.checked.tables) if answer.chosen else 1)
        slots += [display(EMPTY, raw=True, display_id=True) for _ in range(1 + tables)]

    def _run_now(self, answer: Answer, name: str) -> None:
        """Runs below the answer, which is settled; where that needs approval, asks for it."""
        try:
            with self.reporter.cell():
                self._show_run(answer, name, None, approved_by_command())
        except NeedsApproval as error:
            self._ask_approval(answer, error, name, None)
            # The pair stands below and the question is answered: a cell that failed would insert
            # no cell. Where nobody is there to press a button, it fails.
            if APPROVED in os.environ or not has_widgets(self.shell):
                raise

    def _runner(
        self, answer: Answer, name: str | None, slots: list[Any], backend: str | None = None
    ) -> Callable[[], None]:
        """What Run does: fills displays reserved while the cell ran, so that they are saved."""

        def run() -> None:
            with self.reporter.cell(slots[0]):
                try:
                    result = self._run(answer, name, backend)
                except BluebearError as error:
                    self.reporter.settle(cards.error_card(error))
                    raise
                self.reporter.settle(result_bundle(result))
            charts = [*chart_bundles(result), *[EMPTY] * len(slots)]
            for slot, bundle in zip(slots[1:], charts, strict=False):
                slot.update(bundle, raw=True)

        return run

    def run_cell(
        self, body: str, *, into: str | None, backend: str | None, approve: Sequence[str] = ()
    ) -> None:
        """Runs a ``%%bluebear_run`` cell: guarded, checked if need be, shown, kept.

        Where the code needs a person's approval, the cell asks for it, and fails meanwhile.
        """
        if into is not None:
            check_name(into)
        header, code = split(body)
        if not code.strip():
            raise ArgumentError(
                "there is no code in this cell", "write PySpark below the first line"
            )
        question = header.question if header else ""
        lines = body.count("\n") - code.count("\n") + 1  # the header and the magic's own line
        answer = Answer(question, code)
        notebook = place_of(self.shell).notebook
        self.bb.tools.approvals.notebook = self.bb.tools.books.notebook = notebook
        approve = [*approve, *approved_by_command()]
        try:
            with self._cell():
                self._show_run(answer, into, backend, approve)
        except NeedsApproval as error:
            self._ask_approval(answer, error, into, backend)
            raise shifted(error, lines) from error
        except BluebearError as error:
            raise shifted(error, lines) from error

    def _show_run(
        self, answer: Answer, name: str | None, backend: str | None, approve: Sequence[str] = ()
    ) -> None:
        """Runs, then shows the sentence and the table, then each chart."""
        result = self._run(answer, name, backend, approve)
        self.reporter.settle(result_bundle(result))
        for bundle in chart_bundles(result):
            self.show_bundle(bundle)

    # --- approvals ---------------------------------------------------------

    def _ask_approval(
        self, answer: Answer, error: NeedsApproval, name: str | None, backend: str | None
    ) -> None:
        """Shows what would be written where, and an Approve / Reject pair where there can be."""
        from IPython.display import display

        told = display(cards.approval_card(error.findings, "asked"), raw=True, display_id=True)
        if not has_widgets(self.shell):
            return
        from bluebear_magic.notebook.approval import ApprovalPair

        self._pickers += 1
        slots: list[Any] = []
        findings = error.findings
        approvals, policy = self.bb.tools.approvals, self.bb.tools.policy
        notebook = approvals.notebook

        def decide(say: Callable[..., None], word: str) -> None:
            approvals.notebook = notebook
            say(answer.code, findings, policy, "button")
            told.update(cards.approval_card(findings, word), raw=True)

        run = self._runner(answer, name, slots, backend)

        def approve() -> None:
            decide(approvals.approve, "approved")
            run()

        identity = uuid.uuid5(uuid.NAMESPACE_URL, f"bluebear approval {self._pickers}").hex
        display(
            ApprovalPair(approve, partial(decide, approvals.reject, "rejected"), identity=identity)
        )
        slots += [display(EMPTY, raw=True, display_id=True) for _ in range(2)]

    def _run(
        self,
        answer: Answer,
        name: str | None,
        backend: str | None,
        approve: Sequence[str] = (),
    ) -> Result:
        result = self.bb.run(answer, backend=backend, into=name, approve=approve, strict=True)
        self.shell.user_ns[LAST] = result
        if name:
            self.shell.user_ns[name] = result
        return result

    def show_bundle(self, bundle: Mapping[str, Any]) -> None:
        """Displays one output."""
        from IPython.display import display

        display(bundle, raw=True)

    def close(self) -> None:
        """Ends the session."""
        self.bb.close()


APPROVED = "BLUEBEAR_APPROVED"
EMPTY = {"text/plain": "", "text/html": ""}


def approved_by_command(environ: Mapping[str, str] = os.environ) -> list[str]:
    """What `bluebear run --approve` said yes to: it starts this kernel with a variable."""
    return environ.get(APPROVED, "").split()


def shifted(error: BluebearError, lines: int) -> BluebearError:
    """The error with its line counted in the whole cell, as the notebook shows it."""
    line = error.line + lines if error.line else None
    return type(error)(error.message, error.hint, line=line)


def header_of(answer: Answer) -> Header:
    """The header that tells of an answer."""
    return Header(
        question=answer.whole_question,
        model=answer.model,
        attempts=len(answer.attempts),
        checked=answer.checked,
        spark=answer.spark_version,
        code=code_hash(answer.code),
        schema=answer.schema_hash,
        prompt=prompt_hash(answer.question),
    )


def name_in(cell: Cell) -> str | None:
    """The variable that an inserted cell runs into."""
    words = cell.arguments.split()
    return words[words.index("--into") + 1] if "--into" in words[:-1] else None


def check_name(name: str) -> None:
    """Raises ``ArgumentError`` for a name that cannot be a variable."""
    import keyword

    if not name.isidentifier() or keyword.iskeyword(name):
        raise ArgumentError(
            f"--into {name}: not a name for a variable", f"for example --into {name_for(name)}"
        )


def has_widgets(shell: Any) -> bool:
    """Whether a frontend can show widgets: a kernel can, a terminal cannot."""
    return hasattr(shell, "kernel")
