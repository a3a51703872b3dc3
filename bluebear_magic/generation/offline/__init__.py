"""The offline model: a deterministic semantic parser, without network or language model.

Words become linked mentions (``linking``), mentions a request (``parse``), the
request a plan (``resolve``), the plan code (``write``). Where the words do not
clearly mean one plan, it refuses and says why.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial

from bluebear_magic.generation.offline.charts import chart_hint
from bluebear_magic.generation.offline.defaults import default_filters
from bluebear_magic.generation.offline.explain import explanation, refusal
from bluebear_magic.generation.offline.joins import Link, find_links
from bluebear_magic.generation.offline.linking import Lattice, link
from bluebear_magic.generation.offline.parse import Parser
from bluebear_magic.generation.offline.resolve import Verdict, resolve
from bluebear_magic.generation.offline.schema import SchemaIndex
from bluebear_magic.generation.offline.tokens import tokenize
from bluebear_magic.generation.offline.write import write
from bluebear_magic.records import Context, Conversation, Draft

_MAX_TOKENS = 80  # no question about data is longer; texts that are get refused early
_MAX_KEPT = 8


@dataclass(frozen=True)
class _Schema:
    index: SchemaIndex
    links: tuple[Link, ...]


class OfflineModel:
    """A ``Model`` that needs nothing but the schema and the profiles of the datasets.

    The same question over the same data always gives the same draft.
    """

    def __init__(self) -> None:
        self._schemas: dict[tuple[Hashable, ...], _Schema] = {}

    @property
    def name(self) -> str:
        """The id that goes into the cell's header."""
        return "offline"

    def generate(self, conversation: Conversation, on_delta: Callable[[str], None]) -> Draft:
        """The draft for the question; NotUnderstood where the words do not clearly mean one."""
        verified = _verified(conversation)
        if verified:
            return verified
        schema = self._schema(conversation.context)
        lattice, verdict = _read(conversation.ask.question, schema)
        if verdict is None or verdict.reading is None:
            raise refusal(lattice, verdict, schema.index, partial(_answerable, schema))
        plan = verdict.reading.plan
        source = schema.index.by_name[plan.source]
        filters, filtered = default_filters(plan, schema.index)
        written = write(plan, tuple(column.name for column in source.columns), filters)
        on_delta(written.code)
        return Draft(
            written.code,
            explanation(verdict.reading),
            (*verdict.reading.assumptions, *filtered),
            chart_hint(plan, written),
        )

    def _schema(self, context: Context) -> _Schema:
        """The index over the datasets, kept for the next question about the same data."""
        states = ((dataset.name, dataset.fingerprint) for dataset in context.datasets)
        key = (context.semantics, *states)
        schema = self._schemas.get(key)
        if schema is None:
            index = SchemaIndex(context)
            schema = _Schema(index, find_links(index))
            if len(self._schemas) >= _MAX_KEPT:
                self._schemas.pop(next(iter(self._schemas)))
            self._schemas[key] = schema
        return schema


def _verified(conversation: Conversation) -> Draft | None:
    """The code that a person has verified for a question in these words, unless it has failed."""
    words = _words(conversation.ask.question)
    for known in conversation.context.semantics.questions:
        if words and words == _words(known.question) and not conversation.turns:
            return Draft(known.code, "A person of this project has verified this code for it.")
    return None


def _words(question: str) -> tuple[str, ...]:
    return tuple(token.norm for token in tokenize(question) if token.kind != "mark")


def _read(question: str, schema: _Schema) -> tuple[Lattice, Verdict | None]:
    """The words linked, and what comes of them; None where some have no place."""
    tokens = tokenize(question)
    lattice = link(tokens[:_MAX_TOKENS], schema.index)
    if not tokens or len(tokens) > _MAX_TOKENS or lattice.unplaced():
        return lattice, None
    return lattice, resolve(Parser(lattice).readings(), schema.index, schema.links)


def _answerable(schema: _Schema, question: str) -> bool:
    verdict = _read(question, schema)[1]
    return verdict is not None and verdict.reading is not None
