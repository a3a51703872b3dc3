"""The rules: from facts of a plan and what is known of the data to findings.

``repair`` is for what is proven from the whole data and can hardly be meant; everything else
is ``warn``. Values of the data stand in a finding's ``suggestion`` only, never in its message.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property

from bluebear_magic.meaning import values
from bluebear_magic.meaning.places import Place, Places
from bluebear_magic.records import ColumnProfile, Finding, Profile, Severity
from bluebear_magic.runner.envelope import (
    Collected,
    Comparison,
    Division,
    JoinFact,
    Outcome,
    PlanFacts,
    Product,
    Table,
    TextAggregate,
)

MAX_SHOWN = 60  # characters of a name or a value in a sentence
FEW_ROWS = 1000  # rows that may be fetched without a word
LARGEST = {"byte": 2**7 - 1, "short": 2**15 - 1, "integer": 2**31 - 1, "long": 2**63 - 1}
_PLACEHOLDERS = {"", "na", "null", "none", "nan", "unknown", "-", "?"}
_CASTS = {"cast", "try_cast", "astype", "to_number", "try_to_number", "double", "float", "int",
          "bigint", "decimal", "to_date", "to_timestamp"}  # fmt: skip


class Rules:
    """One checked cell: what its plans say, what is known of its data."""

    def __init__(
        self,
        code: str,
        outcome: Outcome,
        profiles: Mapping[str, Profile],
        sampled: Collection[str] = (),
    ) -> None:
        self._code = code
        self._outcome = outcome
        self._plan: PlanFacts = outcome.plan
        self._profiles = profiles
        self._sampled = frozenset(sampled)

    @cached_property
    def places(self) -> Places:
        """Where things stand; only looked for when there is something to tell."""
        return Places(self._code)

    @cached_property
    def _own_views(self) -> set[str]:
        return self.places.views() if "iew" in self._code or "emp" in self._code else set()

    @cached_property
    def _held(self) -> dict[tuple[str, str], set[str]]:
        """By column, every literal that the cell holds it against."""
        held: dict[tuple[str, str], set[str]] = {}
        for fact in self._plan.comparisons:
            known = held.setdefault((fact.dataset, fact.column), set())
            known.update(value for value in fact.values if value is not None)
        return held

    def all(self) -> Iterator[Finding]:
        """Every finding, in no order."""
        told: list[Finding] = []
        for comparison in self._plan.comparisons:
            told += self._comparison(comparison)
        for join in self._plan.joined:
            told += self._join(join)
        for aggregate in self._plan.text_aggregates:
            told += self._text_aggregate(aggregate)
        for collected in self._plan.collected:
            told += self._collected(collected)
        if self._partly_seen():
            for division in self._plan.divisions:
                told += self._division(division)
            for product in self._plan.products:
                told += self._product(product)
        yield from told
        if not told or all(finding.rule == "meaning.collect" for finding in told):
            yield from self._empty()

    # --- what is known -------------------------------------------------------

    def _column(self, dataset: str, column: str) -> ColumnProfile:
        """The profile; an empty one for a name that the cell gave to a view of its own."""
        profile = self._profiles.get(dataset)
        if profile is None or dataset.lower() in self._own_views:
            return ColumnProfile(column)
        return profile.column(column)

    def _partly_seen(self) -> bool:
        """Whether rows remain on which the code has not run: lazy, or on samples."""
        return any(table.sampled or table.truncated for table in self._outcome.tables)

    # --- comparisons -----------------------------------------------------------

    def _comparison(self, fact: Comparison) -> Iterator[Finding]:
        nothing = fact.operator == "=" or (fact.operator == "in" and fact.negated)
        if nothing and None in fact.values:
            yield self._null(fact)
            return
        column = self._column(fact.dataset, fact.column)
        if fact.kind == "string":
            words = values.words_of(column, fact.via)
            if words:
                yield from self._on_text(fact, column, words)
        elif not fact.negated:
            yield from self._on_range(fact, column)

    def _null(self, fact: Comparison) -> Finding:
        place = self.places.literal("None", fact.column)
        if place is self.places.result or "None" not in place.text:
            place = self.places.call((), [fact.column], r"[=>]\s*null|in\s*\(.*null")
        return _finding(
            "meaning.null-comparison", "repair", place,
            f"a comparison of `{_short(fact.column)}` with NULL is never true",
            "Use isNull() or isNotNull() (IS NULL, IS NOT NULL in SQL).",
        )  # fmt: skip

    def _on_text(
        self, fact: Comparison, column: ColumnProfile, words: list[str]
    ) -> Iterator[Finding]:
        for value in fact.values:
            if value is None or values.meets(fact.operator, words, value) is not False:
                continue
            if values.is_pattern(fact.operator):
                found = self._pattern(fact, column, words, value)
            elif fact.operator in {"=", "<=>", "in"}:
                found = self._unknown(fact, column, words, value)
            else:
                found = None if fact.negated else self._beyond(fact, value, "")
            if found is not None:
                yield found

    def _unknown(
        self, fact: Comparison, column: ColumnProfile, words: list[str], value: str
    ) -> Finding | None:
        held = self._held[fact.dataset, fact.column]
        twin = values.twin(value, words)
        near = twin if twin is not None else values.nearest(value, words)
        if near is not None and near in held:
            return None  # several spellings are asked for, this one in case
        if twin is None and (values.normal(value) in _PLACEHOLDERS or (fact.negated and not near)):
            return None
        severity: Severity = "repair" if twin is not None and column.complete else "warn"
        hint = f"Did you mean '{_short(near)}'?" if near is not None else _some(words)
        return _finding(
            "meaning.unknown-value", severity, self.places.literal(value, fact.column),
            f"'{_short(value)}' is no value of {self._named(fact)}{self._as_far(column)}", hint,
        )  # fmt: skip

    def _pattern(
        self, fact: Comparison, column: ColumnProfile, words: list[str], value: str
    ) -> Finding | None:
        held = self._held[fact.dataset, fact.column]
        if any(other != value and other.casefold() == value.casefold() for other in held):
            return None
        folded = [word.casefold() for word in words]
        met = values.meets(fact.operator, folded, value.casefold())
        if not met and fact.negated:
            return None
        severity: Severity = "repair" if met and column.complete else "warn"
        example = next(
            (w for w in words if values.meets(fact.operator, [w.casefold()], value.casefold())),
            None,
        )
        hint = (
            f"Mind the case: there is '{_short(example)}'." if example is not None else _some(words)
        )
        return _finding(
            "meaning.unknown-pattern", severity, self.places.literal(value, fact.column),
            f"no value of {self._named(fact)} matches '{_short(value)}'{self._as_far(column)}",
            hint,
        )  # fmt: skip

    def _on_range(self, fact: Comparison, column: ColumnProfile) -> Iterator[Finding]:
        for value in fact.values:
            if value is None or values.in_range(fact, column, value) is not False:
                continue
            low, high = _short(str(column.minimum)), _short(str(column.maximum))
            yield self._beyond(fact, value, f"Its values go from {low} to {high}.")

    def _beyond(self, fact: Comparison, value: str, hint: str) -> Finding:
        operator = "=" if fact.operator in {"in", "<=>"} else fact.operator
        return _finding(
            "meaning.out-of-range", "warn", self.places.literal(value, fact.column),
            f"no value of {self._named(fact)} is {operator} {_short(value)}", hint,
        )  # fmt: skip

    def _named(self, fact: Comparison) -> str:
        name = f"`{_short(fact.dataset)}`.`{_short(fact.column)}`"
        for step in fact.via:
            name = f"{step}({name})" if not step.startswith("cast:") else name
        return name

    def _as_far(self, column: ColumnProfile) -> str:
        return "" if column.complete else ", as far as was read"

    # --- joins -------------------------------------------------------------------

    def _join(self, join: JoinFact) -> Iterator[Finding]:
        keys = [word for key in join.keys for word in (key[1], key[3])]
        if join.trivial and not join.linked:
            yield _finding(
                "meaning.trivial-join", "repair", self.places.call({"join"}, keys, r"\bjoin\b"),
                "the join's condition compares a column with itself, so that every row is paired "
                "with every other",
                "Compare a column of one side with a column of the other.",
            )  # fmt: skip
        elif not join.grid and (join.kind == "Cross" or not join.linked):
            yield self._cross(join)
        elif join.matched is not True:
            yield from self._unmatched(join, keys)

    def _cross(self, join: JoinFact) -> Finding:
        sql = r"\bcross\s+join\b" if join.kind == "Cross" else r"\bjoin\b|\bfrom\b[^()]*,"
        names = {"crossJoin"} if join.kind == "Cross" else {"join", "crossJoin"}
        place = self.places.call(names, (), sql)
        if join.kind != "Cross":
            place = self.places.bare_join() or place
        return _finding(
            "meaning.cross-join", "warn", place,
            "every row of one side is paired with every row of the other",
            "Join on a column, if the two belong together.",
        )  # fmt: skip

    def _unmatched(self, join: JoinFact, keys: list[str]) -> Iterator[Finding]:
        anti = join.kind == "LeftAnti"
        for key in join.keys:
            hint = self._disjoint(key)
            if hint is None:
                continue
            better = bool(hint)
            if anti and not better:
                continue
            severity: Severity = "repair" if better and join.kind != "FullOuter" else "warn"
            yield _finding(
                "meaning.no-match", "warn" if anti else severity,
                self.places.call({"join"}, keys, r"\b(join|in|exists)\b"),
                f"the join matches nothing: {_key(key)} have no value in common", hint,
            )  # fmt: skip
            return
        if join.matched is False and not anti and join.linked:
            what = "the join matches nothing"
            if self._sampled:  # rows for its keys were looked for, and may be there all the same
                what = "join not checked: in the samples no row finds another"
            yield _finding(
                "meaning.no-match", "warn", self.places.call({"join"}, keys, r"\bjoin\b"),
                what, "See that its keys hold the same kind of value.",
            )  # fmt: skip

    def _disjoint(self, key: tuple[str, str, str, str]) -> str | None:
        """None unless two keys are proven to share no value; then what may help, if anything."""
        one, other = self._column(key[0], key[1]), self._column(key[2], key[3])
        if one.complete and other.complete and one.values and other.values:
            if not set(one.values).isdisjoint(other.values):
                return None
            mine, theirs = (
                set(map(values.normal, one.values)),
                set(map(values.normal, other.values)),
            )
            if len(mine & theirs) * 2 >= min(len(mine), len(theirs)):
                return (
                    f"They differ in case or blanks ('{_short(one.values[0])}', "
                    f"'{_short(other.values[0])}'): compare lower(trim(...)) of both."
                )
            return self._other_key(key)
        left, right = values.bounds_of(one), values.bounds_of(other)
        if left is None or right is None or type(left[0]) is not type(right[0]):
            return None
        apart = left[1] < right[0] or right[1] < left[0]  # type: ignore[operator]
        return self._other_key(key) if apart else None

    def _other_key(self, key: tuple[str, str, str, str]) -> str:
        """What to join on instead: one of the two with a column of the other side that goes by
        the same name, or is ``x_id`` to the other's ``id``, and does share values.
        """
        if key[0] == key[2]:
            return ""
        for left in self._profiles.get(key[0], Profile()).columns:
            for right in self._profiles.get(key[2], Profile()).columns:
                if (
                    (left.name == key[1]) != (right.name == key[3])
                    and _related(left.name, key[0], right.name, key[2])
                    and _share(left, right)
                ):
                    return f"Join on `{_short(left.name)}` and `{_short(right.name)}`?"
        return ""

    # --- aggregates, rows in Python ------------------------------------------------

    def _text_aggregate(self, fact: TextAggregate) -> Iterator[Finding]:
        column = self._column(fact.dataset, fact.column)
        words = list(column.values)
        if not words or self.places.around(fact.column, _CASTS):
            return
        numbers = [values.number(word) for word in words]
        known = [found for found in numbers if found is not None]
        name = f"`{_short(fact.dataset)}`.`{_short(fact.column)}`"
        place = self.places.call({fact.function, "agg"}, [fact.column], rf"\b{fact.function}\s*\(")
        if fact.function in {"min", "max"}:
            severity: Severity = "repair" if column.complete else "warn"
            if len(known) == len(words) and not any(_is_code(word) for word in words):
                if _order_differs(words):
                    yield _finding(
                        "meaning.text-order", severity, place,
                        f"{fact.function} of {name}, a column of text, goes by the alphabet and "
                        "not by number",
                        'Cast it first: F.col("...").cast("double").',
                    )  # fmt: skip
            elif all(map(_is_written_date, words)) and len(words) > 1:
                yield _finding(
                    "meaning.text-order", severity, place,
                    f"{fact.function} of {name}, dates as text, goes by the alphabet and not by "
                    "date",
                    "Turn it into a date first: F.to_date(column, format).",
                )  # fmt: skip
            return
        what = "numbers as text" if len(known) == len(words) else "text that is not all numbers"
        yield _finding(
            "meaning.text-aggregate", "warn", place,
            f"{fact.function} of {name}, which holds {what}",
            'Cast it first, or use try_cast where some values are no numbers.',
        )  # fmt: skip

    def _collected(self, fact: Collected) -> Iterator[Finding]:
        rows = [self._profiles.get(name, Profile()).rows for name in fact.datasets]
        if any(count is None or count > FEW_ROWS for count in rows):
            names = ", ".join(f"`{_short(name)}`" for name in fact.datasets)
            place = self.places.at(fact.line)
            yield _finding(
                "meaning.collect", "warn", place,
                f"{fact.action}() brings every row of {names} into Python's memory",
                "Aggregate or limit() first.",
            )  # fmt: skip

    # --- arithmetic ----------------------------------------------------------------

    def _division(self, fact: Division) -> Iterator[Finding]:
        column = self._column(fact.dataset, fact.column)
        bounds = values.bounds_of(column)
        zero = values.number("0")
        if bounds is None or zero is None or type(bounds[0]) is not type(zero):
            return
        if not bounds[0] <= zero <= bounds[1]:  # type: ignore[operator]
            return
        proven = fact.plain and zero in bounds and column.distinct is not None
        name = f"`{_short(fact.dataset)}`.`{_short(fact.column)}`"
        yield _finding(
            "meaning.division-by-zero", "repair" if proven else "warn",
            self.places.operation(
                (ast.Div, ast.FloorDiv, ast.Mod), [fact.column],
                rf"(/|%|\bdiv\b)\W*(\w+\.)?`?{_pattern_of(fact.column)}",
            ),
            f"{name} {'is' if proven else 'may be'} 0 in some rows, and dividing by 0 fails",
            f"Use try_divide(a, {_short(fact.column)}) or nullif({_short(fact.column)}, 0).",
        )  # fmt: skip

    def _product(self, fact: Product) -> Iterator[Finding]:
        largest = 1
        for dataset, name in fact.factors:
            if dataset:
                bounds = values.bounds_of(self._column(dataset, name))
                if bounds is None or type(bounds[0]) is not type(values.number("0")):
                    return
                largest *= int(max(abs(int(bounds[0])), abs(int(bounds[1]))))  # type: ignore[arg-type]
            else:
                number = values.number(name)
                if number is None:
                    return
                largest *= abs(int(number))
        if largest <= LARGEST[fact.kind]:
            return
        names = [name for dataset, name in fact.factors if dataset]
        reached = len(set(names)) == 1 and fact.plain
        wider = "bigint" if fact.kind != "long" else "decimal(38,0)"
        yield _finding(
            "meaning.overflow", "repair" if reached else "warn",
            self.places.operation((ast.Mult,), names, r"\*"),
            f"the product of {' and '.join(f'`{_short(name)}`' for name in dict.fromkeys(names))} "
            f"{'exceeds' if reached else 'may exceed'} {fact.kind}, which fails",
            f"Cast a factor to {wider} first.",
        )  # fmt: skip

    # --- results -------------------------------------------------------------------

    def _empty(self) -> Iterator[Finding]:
        if self._plan.subtracts or not self._plan.inputs:
            return
        if any(self._profiles.get(name, Profile()).rows == 0 for name in self._plan.inputs):
            return
        place = self.places.result
        where = " on the samples" if self._sampled else ""
        for table in self._outcome.tables:
            if not table.rows:
                yield _finding(
                    "meaning.empty-result", "warn", place,
                    f"`{_short(table.title)}` has no rows{where}, though its inputs have",
                    "See that the filters can be met together.",
                )  # fmt: skip
            elif not table.truncated:
                for name in self._hollow(table):
                    yield _finding(
                        "meaning.null-column", "warn", place,
                        f"the column `{_short(name)}` holds nothing but NULL{where}",
                        "See that what it is made of can be met.",
                    )  # fmt: skip

    def _hollow(self, table: Table) -> Iterator[str]:
        """Columns without a value, where neither the data nor the code has it so."""
        if "lit(None)" in self._code or "null as" in self._code.lower():
            return
        for (name, kind), column in zip(table.columns, zip(*table.rows, strict=True), strict=True):
            filled = kind == "void" or any(value is not None for value in column)
            if not filled and not self._all_null(name):
                yield name

    def _all_null(self, name: str) -> bool:
        return any(
            (column := profile.column(name)).nulls is not None and column.nulls == profile.rows
            for profile in self._profiles.values()
        )


def _finding(
    rule: str, severity: Severity, place: Place, message: str, suggestion: str = ""
) -> Finding:
    return Finding(rule, severity, place.line, place.column, place.text[:200], message, suggestion)


def _short(text: str) -> str:
    clean = re.sub(r"\s", " ", text)
    return clean if len(clean) <= MAX_SHOWN else clean[: MAX_SHOWN - 1] + "…"


def _some(words: Collection[str]) -> str:
    """A few of the values, most frequent first."""
    few = [f"'{_short(word)}'" for word in list(dict.fromkeys(words))[:5]]
    more = ", ..." if len(words) > len(few) else ""
    return f"Its values are {', '.join(few)}{more}."


def _key(key: tuple[str, str, str, str]) -> str:
    left, left_column, right, right_column = map(_short, key)
    return f"`{left}`.`{left_column}` and `{right}`.`{right_column}`"


def _pattern_of(name: str) -> str:
    return "".join(mark if mark.isalnum() else "." for mark in name)


def _related(left: str, left_dataset: str, right: str, right_dataset: str) -> bool:
    one, other = left.lower(), right.lower()
    if one == other:
        return True
    return one == f"{right_dataset.lower().rstrip('s')}_{other}" or other == (
        f"{left_dataset.lower().rstrip('s')}_{one}"
    )


def _share(left: ColumnProfile, right: ColumnProfile) -> bool:
    """Whether most of the values of one are likely among the other's."""
    if left.values and right.values:
        common = set(left.values) & set(right.values)
        return len(common) * 2 >= min(len(set(left.values)), len(set(right.values)))
    one, other = values.bounds_of(left), values.bounds_of(right)
    if one is None or other is None or type(one[0]) is not type(other[0]):
        return False
    return bool(one[0] <= other[1] and other[0] <= one[1])  # type: ignore[operator]


def _is_code(word: str) -> bool:
    """Digits that are a name and not a number: they begin with zeros."""
    return len(word) > 1 and word[0] == "0" and word[1].isdigit()


def _order_differs(words: Collection[str]) -> bool:
    """Whether the alphabet's first or last is not the smallest or largest number."""
    by_number = sorted(words, key=lambda word: values.number(word) or 0)
    extremes = [values.number(word) for word in (min(words), max(words))]
    return extremes != [values.number(by_number[0]), values.number(by_number[-1])]


def _is_written_date(word: str) -> bool:
    """A date that does not begin with its year: 31/12/2024, 12-31-2024."""
    parts = word.strip().replace("-", "/").replace(".", "/").split("/")
    return (
        len(parts) == 3
        and all(part.isdigit() for part in parts)
        and len(parts[2]) == 4
        and len(parts[0]) <= 2
    )
