"""What a model is told, as text: pure functions of the question and its context.

In the order of how seldom it changes, so that a cache holds the longest beginning: the role and
its rules, the datasets, verified questions, the earlier turns, the question. Every text that comes
from data, or from the project's file, stands between tags of its own (``datatext.fenced``).
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from bluebear_magic.generation import notes, pastcode, relevance
from bluebear_magic.generation.datatext import dataset_text, fenced, plain, quoted
from bluebear_magic.records import (
    Context,
    Conversation,
    Dataset,
    PastTurn,
    Sent,
    Sharing,
    Turn,
)

BUDGET = 24_000  # tokens for the datasets
_WIDEST = 0.25  # of the budget, for one dataset
_NAMES = 0.1  # of the budget, for names alone
_EXAMPLES = 0.1  # of the budget, for verified questions
_MOST_TURNS = 6
_MOST_CODE = 4000  # characters of an earlier turn's code
_MOST_COLUMNS = 60  # of an earlier turn's result
_CHARACTERS_PER_TOKEN = 3.5


@dataclass(frozen=True)
class Prompt:
    """The parts of a first message. ``shown``: datasets with their schema, ``listed``: by name.

    ``rows``: how many rows of data are in it; ``with_values``: how many datasets show values.
    """

    system: str
    datasets: str
    examples: str
    history: str
    question: str
    shown: tuple[str, ...]
    listed: tuple[str, ...]
    rows: int = 0
    with_values: int = 0

    @property
    def sent(self) -> Sent:
        """What of the data is in it."""
        return Sent(len(self.shown), self.with_values, len(self.listed), self.rows)

    @property
    def _parts(self) -> tuple[str, ...]:
        return self.system, self.datasets, self.examples, self.history, self.question

    @property
    def text(self) -> str:
        """All of it, as it is sent."""
        return "\n\n".join(filter(None, self._parts))


def prompt(conversation: Conversation, budget: int = BUDGET) -> Prompt:
    """The prompt for a question. ``budget``: tokens for the datasets, by estimate."""
    context, sharing = conversation.context.visible, conversation.context.sharing
    question = conversation.ask.question
    texts = chosen(context, question, sharing, budget)
    shown = tuple(name for name in (dataset.name for dataset in context.datasets) if name in texts)
    listed = tuple(dataset.name for dataset in context.datasets if dataset.name not in texts)
    rows = sum(texts[name].count("\n-- row: ") for name in shown)
    return Prompt(
        system_text(),
        _datasets(context, texts, listed, budget),
        _examples(context, question, budget),
        _history(context, question),
        f"The question:\n{question}",
        shown,
        listed,
        rows,
        sum(sharing.of(name) != "schema" for name in shown),
    )


@functools.cache
def system_text() -> str:
    """Role, rules and facts: the same for every question."""
    return resources.files(__package__).joinpath("system.txt").read_text("utf-8").strip()


def tokens(text: str) -> int:
    """About as many tokens as a model would count; a little more rather than less."""
    return math.ceil(len(text.encode("utf-8", "replace")) / _CHARACTERS_PER_TOKEN)


def chosen(context: Context, question: str, sharing: Sharing, budget: int) -> dict[str, str]:
    """The texts of the datasets that fit the budget, those of the question first."""
    pairs = list(zip(context.datasets, context.profiles, strict=True))
    said = [notes.said_of(dataset, context.semantics) for dataset in context.datasets]
    if sum(map(_least, context.datasets)) <= budget:
        whole = {
            item.name: dataset_text(item, known, sharing, said=own)
            for (item, known), own in zip(pairs, said, strict=True)
        }
        if sum(map(tokens, whole.values())) <= budget:
            return whole
    ranks = relevance.scores(context, question)
    texts: dict[str, str] = {}
    left = budget
    for number in sorted(range(len(pairs)), key=lambda number: (-ranks[number], number)):
        dataset, profile = pairs[number]
        if min(_least(dataset), budget * _WIDEST) > left:
            continue
        text = dataset_text(dataset, profile, sharing, said=said[number])
        if tokens(text) > budget * _WIDEST:
            most = _narrowed(dataset, text, int(budget * _WIDEST))
            columns = relevance.columns_first(dataset, question, most, context.semantics)
            text = dataset_text(dataset, profile, sharing, columns, said[number])
        if tokens(text) <= left:
            texts[dataset.name] = text
            left -= tokens(text)
    return texts


def _least(dataset: Dataset) -> int:
    """Tokens that its names and types take at least."""
    letters = sum(len(column.name) + len(column.type) for column in dataset.columns)
    return int((letters + len(dataset.name)) / _CHARACTERS_PER_TOKEN)


def _narrowed(dataset: Dataset, text: str, budget: int) -> int:
    """How many columns fit, by the mean length of one."""
    each = max(1.0, tokens(text) / max(1, len(dataset.columns)))
    return max(1, int(budget / each) - 2)


def repair(turns: Sequence[Turn]) -> str:
    """What the check says of the last draft, in the words that go back to the model. The same
    error again gets another hint.
    """
    last = turns[-1]
    if last.answers:
        return (
            f"The person answers:\n{last.feedback}\n\nCall `draft` again, with the whole cell. "
            "If this is another question and no answer, answer that one instead."
        )
    words = [last.feedback]
    before = [turn.feedback for turn in turns[:-1] if not turn.answers]
    if any(_first_line(text) == _first_line(last.feedback) for text in before):
        words.append(
            "This is the same error as before: that change did not help. Leave this way: use "
            "other columns or other functions, or a simpler reading of the question."
        )
    words.append("Correct it and call `draft` again with the whole cell, not only what changed.")
    return "\n\n".join(words)


def _first_line(text: str) -> str:
    """The error without the place where it is."""
    return text.split("\n", 1)[0].split(": ", 1)[-1]


ASK_AGAIN = {
    "prose": "There is no code in your answer. Call the tool `draft` with the whole cell of "
    "PySpark in `code`; if you cannot write it without knowing more, put what you need to know "
    "in `questions`.",
    "sql": 'Give the query as a cell: result = spark.sql("""...""").',
    "cut": "Your answer was cut off before its end. Give it again, shorter: the code without "
    "comments, the explanation in one sentence.",
    "broken": "The arguments of your call are not valid JSON, or hold no code. Call `draft` "
    "again; escape quotes and newlines inside strings.",
}


def without_tool(text: str) -> str:
    """The system text for a model that takes no tools."""
    return text + (
        "\n\n# How to answer\n\nThere is no tool to call. Where the above speaks of `draft`, "
        "answer with one block of code marked ```python, and before it one or two sentences that "
        "explain it and say what you assumed."
    )


def _datasets(context: Context, texts: dict[str, str], listed: Sequence[str], budget: int) -> str:
    shown = [dataset for dataset in context.datasets if dataset.name in texts]
    parts = [texts[dataset.name] for dataset in shown]
    between = notes.across(shown, context.semantics)
    if between:
        parts.append("\n".join(between))
    if listed:
        parts.append(_names(listed, int(budget * _NAMES)))
    return "The datasets:\n" + fenced("\n\n".join(parts))


def _examples(context: Context, question: str, budget: int) -> str:
    most = int(budget * _EXAMPLES * _CHARACTERS_PER_TOKEN)
    told = notes.examples(context.semantics.questions, question, most)
    if not told:
        return ""
    return (
        "Questions whose code a person of this project has verified. Where the question asks the "
        "same, answer as there:\n" + fenced("\n\n".join(told))
    )


def _names(names: Sequence[str], budget: int) -> str:
    """Names alone, as many as fit."""
    told: list[str] = []
    for name in names:
        budget -= tokens(quoted(name)) + 1
        if budget < 0:
            break
        told.append(quoted(name))
    more = len(names) - len(told)
    rest = f" and {more:,} more" if more else ""
    return f"-- There are also, by name alone: {', '.join(told)}{rest}"


def _history(context: Context, question: str) -> str:
    if not context.history:
        return ""
    said = "\n".join([question, *(turn.question for turn in context.history)])
    told = [_past(turn, context, said) for turn in context.history[-_MOST_TURNS:]]
    return (
        "Asked before in this notebook, oldest first. The question may go on from there "
        '("now by month", "only the north"):\n' + fenced("\n\n".join(told))
    )


def _past(turn: PastTurn, context: Context, said: str) -> str:
    sent = pastcode.sent_code(turn, context.sharing, context.datasets, said).rstrip()
    code = sent if len(sent) <= _MOST_CODE else sent[:_MOST_CODE] + "\n# (cut)"
    lines = [f"question: {json.dumps(turn.question, ensure_ascii=False)}", code]
    if turn.columns:
        names = pastcode.sent_columns(turn, sent, context.sharing, context.datasets)
        told = [quoted(plain(name)) for name in names[:_MOST_COLUMNS]]
        more = len(turn.columns) - len(told)
        told += [f"{more:,} more"] * bool(more)
        rows = f", {turn.row_count:,} rows" if turn.row_count is not None else ""
        lines.append(f"-- gave: {', '.join(told)}{rows}")
    return "\n".join(lines)
