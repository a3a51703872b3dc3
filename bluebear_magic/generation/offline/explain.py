"""What a person reads: what each word was taken for, or which words had no place."""

from __future__ import annotations

from collections.abc import Callable

from bluebear_magic.errors import NotUnderstood
from bluebear_magic.generation.offline.linking import Lattice
from bluebear_magic.generation.offline.placement import Reject, listed
from bluebear_magic.generation.offline.plan import During, Plan
from bluebear_magic.generation.offline.resolve import Reading, Verdict
from bluebear_magic.generation.offline.schema import ColumnInfo, SchemaIndex
from bluebear_magic.generation.offline.suggest import suggestions
from bluebear_magic.generation.offline.tokens import MOST_WORDS, said


def explanation(reading: Reading) -> str:
    """One sentence for each reading of a word."""
    told = [f"'{words}' is {meaning}" for words, meaning in dict.fromkeys(reading.notes)]
    return "; ".join([*told, *_joins(reading.plan), *_periods(reading.plan)]) + "."


def _joins(plan: Plan) -> list[str]:
    return [
        f"{lookup.match.dataset} is joined by {lookup.key} = {lookup.match}"
        for lookup in plan.lookups
    ]


def _periods(plan: Plan) -> list[str]:
    said = []
    for condition in plan.conditions:
        if not isinstance(condition, During):
            continue
        period = condition.period
        if period.kind == "span":
            start = f"from {period.start}" if period.start else ""
            end = f"before {period.end}" if period.end else ""
            said.append("the period is " + " and ".join(filter(None, [start, end])))
        elif period.kind != "recurring":
            said.append("the period is counted from the last date in the data")
    return said


def refusal(
    lattice: Lattice,
    verdict: Verdict | None,
    index: SchemaIndex,
    answerable: Callable[[str], bool],
) -> NotUnderstood:
    """Why no answer is given, and two questions that could be answered."""
    unplaced = lattice.unplaced()
    if not lattice.tokens:
        message = "The question is empty."
    elif not index.datasets:
        message = "There is no data to ask about."
    elif unplaced:
        names = ", ".join(map(said, unplaced[:MOST_WORDS]))
        more = ", ..." if len(unplaced) > MOST_WORDS else ""
        message = f"I could not place {names}{more}: it names no column, value or step that I know."
    elif verdict and verdict.rivals:
        message = _both_ways(verdict)
    else:
        message = _reason(verdict)
    questions = suggestions(index, _options(verdict), answerable)
    asked = " ".join(f'"{question}"' for question in questions)
    hint = f"You could ask: {asked}" if asked else "Name datasets and columns as the data does."
    return NotUnderstood(message, hint, unplaced=unplaced)


def _both_ways(verdict: Verdict) -> str:
    sources = dict.fromkeys(reading.plan.source for reading in verdict.rivals)
    if len(sources) > 1:
        return f"The question could be about {listed(sources)}: name the one that you mean."
    return "The question can be read in more than one way."


def _reason(verdict: Verdict | None) -> str:
    told = [reject for reject in verdict.reasons if reject.reason] if verdict else []
    told.sort(key=lambda reject: (not reject.options, reject.vague))
    if told and not told[0].vague:
        return f"I am not sure what is meant: {told[0].reason}."
    return "I know the words, but not what they ask for together."


def _options(verdict: Verdict | None) -> tuple[ColumnInfo, ...]:
    found: list[Reject] = [r for r in verdict.reasons if r.options] if verdict else []
    return found[0].options if found else ()
