"""``%bluebear``: the datasets and the choices of a session."""

from __future__ import annotations

import argparse
import difflib
import shlex
from collections import Counter
from collections.abc import Sequence
from typing import NoReturn

from bluebear_magic import data_commands, data_words
from bluebear_magic.errors import ArgumentError, BluebearError
from bluebear_magic.frontend import Frontend
from bluebear_magic.guard import RULES
from bluebear_magic.guard.effective import Effective
from bluebear_magic.present import escape
from bluebear_magic.provenance.bill import session_told
from bluebear_magic.records import Dataset, Sharing
from bluebear_magic.sharing import LEVELS

HELP = """\
%bluebear data                   the datasets, and where each can be read
%bluebear data add NAME URI      register a file, a folder, a glob or another place, with
    --format F, --option KEY=VALUE, --share LEVEL, --description TEXT, --save (in bluebear.toml)
%bluebear data show NAME         schema, notes, keys, rows, size, examples
%bluebear data search WORDS      by names, notes, columns, known values; --catalogs: in Glue too
%bluebear data profile NAME      measure it anew; --full reads every row, whatever the size
%bluebear data refresh [NAME]    read it anew, and take changed columns as they are now
%bluebear data use glue:DATABASE take in all that a database holds
%bluebear data rm NAME           forget a dataset (the files stay); --save: in bluebear.toml too
%bluebear explore [NAME]         look at the datasets with pictures, share them, upload a file
%bluebear use BACKEND            where code runs: auto, local, soal, emr
%bluebear policy                 what code may do, what needs approval, who says so
%bluebear policy NAME            read_only, write_with_approval or locked from now on
%bluebear cost                   tokens and dollars: the last question, this notebook, today
%bluebear share                  what of the data may leave for a model
%bluebear share [NAME] LEVEL     schema, profile or samples, for one dataset or for all
%bluebear share NAME.COLUMN shared|schema    a column: as its dataset, or no value of it
%bluebear history                the questions that the next one may go on from
%bluebear forget                 let go of them; the next question starts anew
%bluebear worker                 local Spark's process: its state and memory
%bluebear worker stop|restart    end it (the next run starts another), or start it afresh
%%bluebear?                      how to ask a question"""


COMMANDS = (
    "data",
    "explore",
    "use",
    "policy",
    "share",
    "cost",
    "history",
    "forget",
    "worker",
    "help",
)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ArgumentError(f"%{self.prog}: {message}", HELP)


def run_command(frontend: Frontend, line: str) -> None:
    """Does what the line says. Raises ``ArgumentError``, ``DatasetError``."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise ArgumentError(f"%bluebear {line}: {error}", "close the quote") from error
    if not words or words == ["help"]:
        frontend.show_bundle({"text/plain": HELP})
        return
    commands = {
        "data": _data, "use": _use, "policy": _policy, "share": _share, "cost": _cost,
        "history": _history, "forget": _forget, "worker": _worker, "explore": _explore,
    }  # fmt: skip
    if words[0] not in commands:
        near = difflib.get_close_matches(words[0], commands, n=1)
        hint = f"did you mean %bluebear {near[0]}?" if near else HELP
        raise ArgumentError(f"there is no command %bluebear {words[0]}", hint)
    commands[words[0]](frontend, words[1:])


def _use(frontend: Frontend, words: list[str]) -> None:
    parser = _Parser("bluebear use", add_help=False)
    parser.add_argument("backend")
    name = parser.parse_args(words).backend
    backend = frontend.bb.use(name)
    status = backend.status()
    told = f"Code of this session runs on {backend.title} from now on ({status.state})."
    frontend.show_bundle({"text/plain": told + (f" {status.detail}" if status.detail else "")})


def _explore(frontend: Frontend, words: list[str]) -> None:
    parser = _Parser("bluebear explore", add_help=False)
    parser.add_argument("name", nargs="?")
    frontend.bb.explore(parser.parse_args(words).name)


def _policy(frontend: Frontend, words: list[str]) -> None:
    parser = _Parser("bluebear policy", add_help=False)
    parser.add_argument("name", nargs="?")
    name = parser.parse_args(words).name
    told = policy_told(frontend.bb.choose_policy(name) if name else frontend.bb.policy)
    told = (*told, *frontend.bb.untrusted)
    frontend.show_bundle({"text/plain": "\n".join(map(escape.terminal, told))})


def _history(frontend: Frontend, words: list[str]) -> None:
    _Parser("bluebear history", add_help=False).parse_args(words)
    told = [
        f"{number}. {' '.join(turn.question.split())}: {', '.join(turn.columns)}"
        + (f", {turn.row_count:,} rows" if turn.row_count is not None else "")
        for number, turn in enumerate(frontend.bb.history, 1)
    ]
    waiting = frontend.bb.tools.open_question
    if waiting:
        told.append(f"{waiting.model} waits for an answer: {' '.join(waiting.draft.questions)}")
    told = told or ["Nothing was asked yet that a question could go on from."]
    frontend.show_bundle({"text/plain": "\n".join(escape.line(line, 300) for line in told)})


def _forget(frontend: Frontend, words: list[str]) -> None:
    _Parser("bluebear forget", add_help=False).parse_args(words)
    frontend.bb.forget()
    frontend.show_bundle({"text/plain": "Forgotten: the next question starts anew."})


def _share(frontend: Frontend, words: list[str]) -> None:
    parser = _Parser("bluebear share", add_help=False)
    parser.add_argument("words", nargs="*", metavar="[NAME] LEVEL")
    given = parser.parse_args(words).words
    if len(given) > 2:
        parser.error(f"{len(given)} words")
    if given:
        frontend.bb.share(*(given if len(given) == 2 else ["default", *given]))
    told = sharing_told(frontend.bb.datasets(), frontend.bb.shared())
    told = (*told, *frontend.bb.untrusted)
    frontend.show_bundle({"text/plain": "\n".join(map(escape.terminal, told))})


def sharing_told(datasets: Sequence[Dataset], held: Sharing) -> tuple[str, ...]:
    """What may leave of each dataset, a line each; what each level means."""
    lines = []
    for dataset in datasets:
        level = held.of(dataset.name)
        kept = sorted(column for name, column in held.private if name == dataset.name)
        but = f"; of these columns no value: {', '.join(kept)}" if kept else ""
        meaning = LEVELS[level] + but * (level != "schema")
        if any((dataset.name, column.name) in held.hidden for column in dataset.columns):
            meaning += "; names of columns that may be values are held back"
        lines.append(f"{dataset.name}: {level} ({meaning})")
    others = f"others: {held.default} ({LEVELS[held.default]})"
    return (*lines, others, "The offline model runs here: to it nothing is sent.")


def policy_told(held: Effective) -> tuple[str, ...]:
    """A policy in a few lines: its name, who says so, what it asks about and what it blocks."""
    policy, machine = held.policy, held.machine
    lines = [f"{policy.name}: {_MEANING[policy.name]}", f"set by {held.origin}"]
    if held.tightened:
        lines.append(f"{held.source} asks for {held.wanted}, which this machine does not allow")
    elif machine.files:
        lines.append(f"this machine allows nothing looser than {machine.policy}")
    if policy.approve:
        lines.append(f"needs approval: {', '.join(sorted(policy.approve))}")
    if policy.write_to is not None:
        lines.append(f"approved writes go below: {', '.join(policy.write_to) or 'nowhere'}")
    blocked = [rule.id for rule in RULES.values() if rule.severity == "block"]
    families = Counter(name.partition("-")[0] for name in blocked if name not in policy.approve)
    counts = ", ".join(f"{count} {family}" for family, count in families.items())
    lines.append(f"blocked: what {sum(families.values())} rules refuse ({counts})")
    lines.append("`bluebear rules` tells of each rule, with examples")
    return tuple(lines)


_MEANING = {
    "read_only": "code reads and computes; what would write is blocked",
    "write_with_approval": "code may write where a person has said yes to what goes where",
    "locked": "code reads and computes; nothing can be approved, and the session stays so",
}


def _cost(frontend: Frontend, words: list[str]) -> None:
    _Parser("bluebear cost", add_help=False).parse_args(words)
    books = frontend.bb.tools.books
    try:
        told = session_told(books)
    except OSError as error:
        raise BluebearError(
            f"the costs in {books.ledger.file} cannot be read: {error.strerror}",
            "make the file readable",
        ) from error
    frontend.show_bundle({"text/plain": "\n".join(map(escape.terminal, told))})


def _worker(frontend: Frontend, words: list[str]) -> None:
    parser = _Parser("bluebear worker", add_help=False)
    parser.add_argument("action", nargs="?", choices=("stop", "restart"))
    action = parser.parse_args(words).action
    told = frontend.bb.worker(action)
    frontend.show_bundle({"text/plain": "\n".join(map(escape.terminal, told))})


def _data(frontend: Frontend, words: list[str]) -> None:
    data_words.check_words(words)
    parser = _Parser("bluebear data", add_help=False)
    data_words.add_actions(parser)
    with frontend.reporter.cell():
        data_commands.run(frontend.bb, parser.parse_args(words), frontend.reporter.settle)
