"""The magics: they parse a line and call the frontend, nothing more."""

from __future__ import annotations

import contextlib
import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.completer import (
    CompletionContext,
    SimpleCompletion,
    SimpleMatcherResult,
    context_matcher,
)
from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments
from traitlets import TraitError

from bluebear_magic.config import BACKENDS, Settings
from bluebear_magic.errors import ArgumentError, ConfigError
from bluebear_magic.notebook.arguments import split_line

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from bluebear_magic.frontend import Frontend

# nbval's instructions are comments; in a magic's cell they would be part of the question.
_MARKERS = re.compile(r"^\s*#\s*(NBVAL|PYTEST_VALIDATE)_\w+\s*$", re.MULTILINE)


def _usage(function: Any) -> Any:
    """Usage as it is typed: IPython writes every magic with a single ``%``."""
    name = function.__name__
    function.__doc__ = function.__doc__.replace(f"%{name}", f"%%{name}", 1)
    return function


class Bluebear(Settings):
    """Settings of the magics: ``%config Bluebear``, ``%config Bluebear.attempts = 2``."""


@magics_class
class BluebearMagics(Magics):
    """``%%bluebear``, ``%%bluebear_run`` and ``%bluebear``."""

    def __init__(self, shell: InteractiveShell, settings: Settings) -> None:
        super().__init__(shell)
        self.settings = settings
        self._frontend: Frontend | None = None
        self._making = threading.Lock()
        self.matcher: Any = None  # while it is registered

    @property
    def frontend(self) -> Frontend:
        """The session; made at the first question."""
        with self._making:
            if self._frontend is None:
                from bluebear_magic.frontend import Frontend

                self._frontend = Frontend(self.shell, self.settings)
            return self._frontend

    def warm(self) -> None:
        """Starts Spark; what is wrong shows at the first question."""
        with contextlib.suppress(Exception):
            self.frontend.bb.warm()

    @_usage
    @no_var_expand
    @magic_arguments()
    @argument("--data", action="append", default=[], metavar="PATH_OR_NAME",
              help="a dataset: its name, a path, or NAME=PATH; may be repeated")  # fmt: skip
    @argument("--backend", choices=BACKENDS, help="where the code runs")
    @argument("--model", help="who writes the code")
    @argument("--into", metavar="NAME", help="the variable and dataset that the result becomes")
    @argument("--attempts", type=int, metavar="N", help="drafts at most (4)")
    @argument("--run", action="store_true", help="run at once on the whole data")
    @argument("--dry-run", action="store_true", help="show what would be sent, and stop")
    @argument("--new", action="store_true", help="insert a cell even if a current one is there")
    @argument("--fresh", action="store_true", help="start anew: nothing asked before counts")
    @cell_magic
    def bluebear(self, line: str, cell: str) -> None:
        """Turns a question in plain English into checked PySpark in a new cell below.

        Options come first, then the question, on the same line or below it:

            %%bluebear --data sales.csv
            Show me total sales by region over the last 12 months

        Write {{name}} to put the value of a variable into the question.
        """
        from bluebear_magic.frontend import Request

        options, first = self._parse(self.bluebear, line)
        question = f"{first}\n{_MARKERS.sub('', cell)}".strip()
        request = Request(question=question, **vars(options))
        self._call(self.frontend.ask, request)

    @_usage
    @no_var_expand
    @magic_arguments()
    @argument("--into", metavar="NAME", help="the variable and dataset that the result becomes")
    @argument("--backend", choices=BACKENDS, help="where the code runs, whatever was picked")
    @argument("--approve", action="append", default=[], metavar="RULE",
              help="say yes to what a rule asks, as SPARK-WRITE; may be repeated")  # fmt: skip
    @cell_magic
    def bluebear_run(self, line: str, cell: str) -> None:
        """Runs PySpark over the whole data: guarded, checked first if this machine has not.

        The code reads datasets as spark.table("name") and ends with result = <DataFrame>.
        """
        options, rest = self._parse(self.bluebear_run, line)
        if rest:
            raise UsageError(f"%%bluebear_run: what is {rest!r}? The code goes below this line")
        self._call(
            self.frontend.run_cell,
            cell,
            into=options.into,
            backend=options.backend,
            approve=options.approve,
        )

    @no_var_expand
    @line_magic("bluebear")
    def command(self, line: str) -> None:
        """Datasets and choices of this session; %bluebear alone lists the commands."""
        from bluebear_magic.commands import run_command

        self._call(run_command, self.frontend, line)

    def complete(self, context: CompletionContext) -> SimpleMatcherResult:
        """What IPython may offer at the cursor; nothing in cells that are not of these magics."""
        from bluebear_magic.notebook.completion import concerns

        lines = context.full_text.split("\n")[: context.cursor_line + 1]
        lines[-1] = context.text_until_cursor
        before = "\n".join(lines)
        if not concerns(before, lines[-1]):
            return {"completions": []}
        from bluebear_magic.completing import completed

        parsers = {magic.__name__: magic.parser for magic in (self.bluebear, self.bluebear_run)}
        found = completed(self.frontend, before, parsers)
        return {
            "completions": [SimpleCompletion(o.text, type=o.kind) for o in found.offers],
            "matched_fragment": found.fragment,
            "ordered": True,
            "suppress": found.alone,
        }

    def close(self) -> None:
        """Ends the session, if one was made."""
        if self._frontend is not None:
            self._frontend.close()

    def _parse(self, magic: Any, line: str) -> tuple[Any, str]:
        try:
            words, rest = split_line(line, magic.parser)
        except ArgumentError as error:
            raise UsageError(str(error)) from error
        return magic.parser.parse_args(words), rest

    def _call(self, work: Any, *arguments: Any, **options: Any) -> None:
        """Wrong arguments become IPython's own kind of error, which shows one line."""
        try:
            work(*arguments, **options)
        except ArgumentError as error:
            raise UsageError(str(error)) from error


def one_line_question(lines: list[str]) -> list[str]:
    """Lets a question stand on the magic's own line: IPython refuses a cell without a body."""
    if len(lines) == 1 and lines[0].split(None, 1)[:1] == ["%%bluebear"]:
        return [lines[0].rstrip("\n") + "\n", "\n"]
    return lines


def _matcher(magics: BluebearMagics) -> Any:
    """What IPython's completer asks; a method could not carry the marks that it looks for."""

    @context_matcher(identifier="bluebear")
    def bluebear(context: CompletionContext) -> SimpleMatcherResult:
        return magics.complete(context)

    return bluebear


def load(shell: InteractiveShell) -> None:
    """Registers the magics, their settings, and warms Spark in the background."""
    if getattr(shell, "_bluebear", None) is not None:
        return
    try:
        settings = Bluebear(parent=shell)
    except TraitError as error:
        raise ConfigError(
            f"%config Bluebear: {error}", "set it to a value that it can have"
        ) from error
    settings.load(Path.cwd())
    magics = BluebearMagics(shell, settings)
    shell.register_magics(magics)
    shell.configurables.append(settings)
    shell.input_transformers_cleanup.append(one_line_question)
    magics.matcher = _matcher(magics)
    shell.Completer.custom_matchers.append(magics.matcher)
    shell._bluebear = magics
    if settings.warm:
        threading.Thread(target=magics.warm, name="bluebear-warm", daemon=True).start()


def unload(shell: InteractiveShell) -> None:
    """Ends the session and takes everything back that ``load`` registered."""
    magics = getattr(shell, "_bluebear", None)
    if magics is None:
        return
    magics.close()
    shell.configurables.remove(magics.settings)
    shell.input_transformers_cleanup.remove(one_line_question)
    shell.Completer.custom_matchers.remove(magics.matcher)
    for kind, name in (("cell", "bluebear"), ("cell", "bluebear_run"), ("line", "bluebear")):
        del shell.magics_manager.magics[kind][name]
    shell._bluebear = None
