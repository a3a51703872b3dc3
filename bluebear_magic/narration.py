"""What a model says of a result, as far as it may be asked and can be believed.

The rows of a result go to a model only where the user shares rows of every dataset that they
come from. A sentence stays where each of its numbers is proven by the tables
(:mod:`bluebear_magic.present.proof`); a chart where it fits them. Whatever fails, the result has
the summary that is made here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bluebear_magic.context.profiles import known_profile
from bluebear_magic.errors import BluebearError, Cancelled
from bluebear_magic.pipeline import Tools
from bluebear_magic.present import chart_rules, escape, proof, tables
from bluebear_magic.protocols import Model, Teller
from bluebear_magic.provenance.bill import usage_told
from bluebear_magic.records import ChartHint, Dataset, Sharing, ShownTable, Told, Usage
from bluebear_magic.runner.envelope import Table

ROWS, COLUMNS, TABLES = 50, 20, 3  # that a model is shown
_LOCAL = "the summary was made here"
_LINK = re.compile(r"://|\bwww\.|\]\(|<[a-z/!?]|\bmailto:", re.IGNORECASE)


@dataclass(frozen=True)
class Narration:
    """``summary``: proven sentences on one line, empty where there are none; ``chart``: one that
    fits the first table. ``note``: what was sent and what it took. ``usage``: the calls.
    """

    summary: str = ""
    chart: ChartHint | None = None
    note: str = ""
    usage: tuple[Usage, ...] = field(default=(), compare=False)


def narrate(
    tools: Tools,
    model: Model | None,
    question: str,
    shown: Sequence[Table],
    datasets: Sequence[Dataset],
) -> Narration:
    """Asks the model where it may be asked. Never raises for what goes wrong with it; an
    interrupt ends the call, not the run, which is over.
    """
    wanted = str(tools.settings.summary)
    if wanted == "local" or not question or not any(table.rows for table in shown):
        return Narration()
    reason = no_consent(sharing_of(tools, datasets), datasets)
    if reason or model is None or not isinstance(model, Teller):
        if wanted == "model":
            none = f"the model {model.name} writes none" if model else "there is no model"
            tools.reporter.warn(f"{_LOCAL}: {reason or none}")
        return Narration()
    tools.reporter.progress(f"{model.name} writes the summary")
    sent = [as_shown(table) for table in shown[:TABLES]]
    with tools.books.question(question, anew=False):
        try:
            told = model.tell(question, sent)
        except (Cancelled, KeyboardInterrupt):
            tools.reporter.warn(f"{_LOCAL}: the model was stopped")
            told = Told()
        except BluebearError as error:
            hint = f" ({error.hint})" if error.hint else ""
            tools.reporter.warn(f"{_LOCAL}: {error.message}{hint}")
            told = Told()
        tools.books.heard(told.usage)
    found = believed(tools, told, shown, question)
    return replace(found, usage=tools.books.usage, note=_note(found, tools.books.usage, sent))


def believed(tools: Tools, told: Told, shown: Sequence[Table], question: str) -> Narration:
    """What of it is proven and fits; what is thrown away is told where nothing is left."""
    plain = [text for text in told.sentences if not _LINK.search(text)]
    kept = proof.proven(plain, shown[:TABLES], question)
    if told.sentences and not kept:
        tools.reporter.warn(f"{_LOCAL}: what the model said has numbers that the result has not")
    chart = told.chart
    if chart is not None and not chart_rules.fits(shown[0], chart, question):
        chart = None
    scope = _scope(shown[0]) if kept else ""
    text = " ".join([*(escape.line(text, 400) for text in kept), *filter(None, [scope])])
    return Narration(text, chart)


def _note(found: Narration, usage: Sequence[Usage], sent: Sequence[ShownTable]) -> str:
    """Who made the summary, what it got to see, and the price; empty where nothing was sent."""
    if not usage:
        return ""
    rows = tables.counted(sum(len(table.rows) for table in sent))
    who = "Summary by a model, each number checked against the result" if found.summary else ""
    return f"{who or 'A model was asked for a summary'}; {rows} were sent. {usage_told(usage)}"


def sharing_of(tools: Tools, datasets: Sequence[Dataset]) -> Sharing:
    """What of the data may leave, by dataset: no rows where nobody knows how the values look."""
    consent = tools.consent
    profiles = []
    for dataset in datasets:
        if consent.wish.of(dataset.name) != "samples" or (known := known_profile(dataset)) is None:
            return Sharing()
        profiles.append(known)
    return consent.sharing(datasets, profiles)


def no_consent(shared: Sharing, datasets: Sequence[Dataset]) -> str:
    """Why rows of a result of these datasets may not leave; empty where they may.

    A column that stays private may be in a result under any name.
    """
    for dataset in datasets:
        if shared.of(dataset.name) != "samples":
            return f"rows of `{dataset.name}` are not shared"
        if any(name == dataset.name for name, _ in shared.private):
            return f"`{dataset.name}` has columns that are not shared"
    return ""


def as_shown(table: Table) -> ShownTable:
    """The table as its reader sees it, cut to what a model is shown."""
    view = tables.view(table)
    rows = [
        tuple(None if cell.null else cell.text for cell in row[:COLUMNS])
        for row in view.rows[:ROWS]
    ]
    facts = [tables.footer(table)]
    if len(table.columns) > COLUMNS:
        facts.append(f"the first {COLUMNS} of {len(table.columns):,} columns")
    if not table.truncated:
        facts += proof.told_of_columns(table)[:COLUMNS]
    return ShownTable(view.title or "result", table.columns[:COLUMNS], tuple(rows), tuple(facts))


def _scope(table: Table) -> str:
    """What the sentences are true of, where that is not all of the result."""
    parts = []
    if table.truncated:
        parts.append(f"Told from the first {tables.counted(len(table.rows))}.")
    if table.sampled:
        parts.append("Figures of a sample are not the answer.")
    return " ".join(parts)
