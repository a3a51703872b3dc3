"""What a person reads: what each word was taken for, or which words had no place."""

from __future__ import annotations

from bluebear_magic.errors import NotUnderstood
from bluebear_magic.generation.offline.linking import Lattice
from bluebear_magic.generation.offline.placement import Reject, listed
from bluebear_magic.generation.offline.plan import During, Plan
from bluebear_magic.generation.offline.resolve import Reading, Verdict
from bluebear_magic.generation.offline.schema import ColumnInfo, DatasetInfo, SchemaIndex


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


def refusal(lattice: Lattice, verdict: Verdict | None, index: SchemaIndex) -> NotUnderstood:
    """Why no answer is given, and two questions that could be answered."""
    unplaced = lattice.unplaced()
    if not lattice.tokens:
        message = "The question is empty."
    elif not index.datasets:
        message = "There is no data to ask about."
    elif unplaced:
        names = listed(f"'{word}'" for word in unplaced).replace(" or ", " and ")
        what = (
            "a column, a value or a word about data"
            if len(unplaced) == 1
            else ("columns, values or words about data")
        )
        message = f"I could not place {names}: I know no such {what}."
    elif verdict and verdict.rivals:
        message = "The question can be read in more than one way."
    else:
        message = _reason(verdict)
    return NotUnderstood(message, _hint(index, _options(verdict)), unplaced=unplaced)


def _reason(verdict: Verdict | None) -> str:
    reasons = [reject.reason for reject in verdict.reasons if reject.reason] if verdict else []
    if reasons:
        return f"I am not sure what is meant: {reasons[0]}."
    return "I know the words, but not what they ask for together."


def _options(verdict: Verdict | None) -> tuple[ColumnInfo, ...]:
    found: list[Reject] = [r for r in verdict.reasons if r.options] if verdict else []
    return found[0].options if found else ()


def _hint(index: SchemaIndex, options: tuple[ColumnInfo, ...]) -> str:
    questions = _suggestions(index, options)
    if not questions:
        return "Name datasets and columns as they are in the data."
    return "You could ask: " + " ".join(f"“{question}”" for question in questions[:2])


def _suggestions(index: SchemaIndex, options: tuple[ColumnInfo, ...]) -> list[str]:
    """Questions with the names of the data: about the options if there are any."""
    datasets = sorted(index.datasets, key=lambda ds: -(ds.rows or 0))
    questions = []
    for column in options:
        dataset = index.by_name[column.dataset]
        if column.kind == "number" and not column.identifier:
            questions.append(_grouped(column, dataset))
    for dataset in datasets:
        measure = next(
            (
                c
                for c in dataset.columns
                if c.kind == "number" and not c.identifier and not _names_time(c) and not c.unique
            ),
            None,
        )
        if measure:
            questions.append(_grouped(measure, dataset))
        questions.append(f"How many {dataset.name} are there?")
    return list(dict.fromkeys(questions))


def _grouped(measure: ColumnInfo, dataset: DatasetInfo) -> str:
    group = next(
        (c for c in dataset.columns if c.kind == "text" and not c.unique and c is not measure),
        None,
    )
    by = f" by {group.name}" if group else f" of {dataset.name}"
    return f"What is the average {measure.name}{by}?"


def _names_time(column: ColumnInfo) -> bool:
    return column.parts[-1].word in {"year", "month", "day", "hour", "minute", "week", "quarter"}
