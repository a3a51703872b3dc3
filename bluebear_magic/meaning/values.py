"""What a column's profile says of a comparison: which literals can be met, which is nearest."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, InvalidOperation

from bluebear_magic.records import ColumnProfile, Scalar
from bluebear_magic.runner.envelope import Comparison

TOO_MANY = 4000  # known values beyond which a column that is not known whole is no list of words
NEAR = 75.0  # of 100: likeness of a literal to the value it may stand for
_NUMBERS = re.compile(r"byte|short|integer|long|float|double|decimal.*")
_TIMES = {"date", "timestamp", "timestamp_ntz"}
_STEPS: dict[str, Callable[[str], str]] = {
    "lower": str.lower,
    "upper": str.upper,
    "trim": lambda text: text.strip(" "),
    "cast:string": str,
}
_ORDERS = ("<", "<=", ">", ">=")
_SEPARATORS = re.compile(r"(?<=[^\W\d])[\s_\-./]+(?=\w)|(?<=\w)[\s_\-./]+(?=[^\W\d])")


def is_number(kind: str) -> bool:
    """Whether a type, as Spark's JSON spells it, is one of numbers."""
    return bool(_NUMBERS.fullmatch(kind))


def is_time(kind: str) -> bool:
    """Whether a type is a date or a point in time."""
    return kind in _TIMES


def normal(text: str) -> str:
    """The text without case, accents, outer blanks, and separators between words."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(mark for mark in plain if not unicodedata.combining(mark)).strip()
    return _SEPARATORS.sub("", plain)


def words_of(column: ColumnProfile, via: Sequence[str]) -> list[str] | None:
    """The known values of a column of text after ``via``; None where nothing can be said."""
    if not column.values or not all(step in _STEPS for step in via):
        return None
    if not column.complete and len(column.values) >= TOO_MANY:
        return None
    words: Iterable[str] = column.values
    for step in via:
        words = map(_STEPS[step], words)
    return list(words)


def meets(operator: str, words: Iterable[str], value: str) -> bool | None:
    """Whether any of the words meets the literal; None where that cannot be told."""
    if operator in {"=", "<=>", "in"}:
        return value in words
    if operator in _ORDERS:
        return any(_holds(operator, word, value) for word in words)
    test = _pattern(operator, value)
    return None if test is None else any(map(test, words))


def _pattern(operator: str, value: str) -> Callable[[str], bool] | None:
    if operator == "startswith":
        return lambda word: word.startswith(value)
    if operator == "endswith":
        return lambda word: word.endswith(value)
    if operator == "contains":
        return lambda word: value in word
    if operator in {"like", "ilike"} and "\\" not in value:
        flags = re.DOTALL | (re.IGNORECASE if operator == "ilike" else 0)
        parts = ("." if mark == "_" else ".*" if mark == "%" else re.escape(mark) for mark in value)
        like = re.compile("".join(parts), flags)
        return lambda word: like.fullmatch(word) is not None
    if operator == "rlike" and re.fullmatch(r"[\w\s^$|,;:@'\"-]*", value):
        # Only what Java and Python read alike and what no value can make slow.
        regex = re.compile(value)
        return lambda word: regex.search(word) is not None
    return None


def is_pattern(operator: str) -> bool:
    """Whether the literal describes values instead of being one."""
    return operator in {"startswith", "endswith", "contains", "like", "ilike", "rlike"}


def twin(value: str, words: Sequence[str]) -> str | None:
    """The one spelling among the words that differs from the value in case and the like only."""
    mine = normal(value)
    if not mine:
        return None
    found = dict.fromkeys(word for word in words if normal(word) == mine)
    if found:
        return next(iter(found))
    if len(words) <= 50 and mine.isalpha() and len(mine) >= 4:
        numbers = {mine + "s", mine + "es", mine.removesuffix("s")} - {mine}
        plural = [word for word in words if normal(word) in numbers]
        return plural[0] if len(plural) == 1 else None
    return None


def nearest(value: str, words: Sequence[str]) -> str | None:
    """The word that the value is most like, if any is like it."""
    from rapidfuzz import fuzz, process, utils

    found = process.extractOne(
        value, words, scorer=fuzz.ratio, processor=utils.default_process, score_cutoff=NEAR
    )
    return str(found[0]) if found else None


# --- ranges --------------------------------------------------------------------


def in_range(fact: Comparison, column: ColumnProfile, value: str) -> bool | None:
    """Whether a number or a time between the column's smallest and largest meets the literal."""
    bounds = _bounds(fact, column)
    wanted = _scalar(value, bounds[0]) if bounds else None
    if bounds is None or wanted is None:
        return None
    low, high = bounds
    if fact.operator in {"=", "<=>", "in"}:
        return _holds("<=", low, wanted) and _holds("<=", wanted, high)
    if fact.operator in {"<", "<="}:
        return _holds(fact.operator, low, wanted)
    if fact.operator in {">", ">="}:
        return _holds(fact.operator, high, wanted)
    return None


def _holds(operator: str, left: object, right: object) -> bool:
    one: int | Decimal = left  # type: ignore[assignment]  # the same kind on both sides
    other: int | Decimal = right  # type: ignore[assignment]
    return {
        "<": lambda: one < other,
        "<=": lambda: one <= other,
        ">": lambda: one > other,
        ">=": lambda: one >= other,
    }[operator]()


_Bound = Decimal | dt.datetime


def bounds_of(column: ColumnProfile) -> tuple[_Bound, _Bound] | None:
    """Smallest and largest value, numbers as decimals and times without a zone."""
    low, high = _comparable(column.minimum), _comparable(column.maximum)
    if low is None or high is None or type(low) is not type(high):
        return None
    return low, high


def _bounds(fact: Comparison, column: ColumnProfile) -> tuple[_Bound, _Bound] | None:
    bounds = bounds_of(column)
    if bounds is None:
        return None
    low, high = bounds
    via = fact.via
    if isinstance(low, Decimal):
        numeric = all(step.startswith("cast:") and is_number(step[5:]) for step in via)
        return bounds if is_number(fact.kind) and numeric else None
    assert isinstance(high, dt.datetime)
    steps = [step for step in via if step not in {f"cast:{kind}" for kind in _TIMES}]
    if "cast:date" in via:
        low = low.replace(hour=0, minute=0, second=0, microsecond=0)
        high = high.replace(hour=0, minute=0, second=0, microsecond=0)
    if not steps:
        # Spark casts text that is held against a time, but for BETWEEN only when it runs.
        return (low, high) if is_time(fact.literal) or fact.literal == "string" else None
    steps = [step for step in steps if not (step.startswith("cast:") and is_number(step[5:]))]
    if steps == ["year"]:
        return Decimal(low.year), Decimal(high.year)
    if steps == ["month"]:
        same = low.year == high.year
        return (Decimal(low.month), Decimal(high.month)) if same else (Decimal(1), Decimal(12))
    return None


def _comparable(value: Scalar | None) -> _Bound | None:
    if isinstance(value, bool | str) or value is None:
        return None
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, dt.date):
        return dt.datetime(value.year, value.month, value.day)
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _scalar(text: str, like: _Bound) -> _Bound | None:
    if isinstance(like, Decimal):
        return number(text)
    try:
        return dt.datetime.fromisoformat(text.strip()).replace(tzinfo=None)
    except ValueError:
        return None


def number(text: str) -> Decimal | None:
    """The number that a text is, if it is one."""
    try:
        found = Decimal(text.strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() else None
