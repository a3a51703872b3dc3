"""The numbers in a sentence, however they are spelled. Pure.

Digits with separators, currencies, ``k``, ``M`` and ``million``, percents, factors, ordinals,
dates and names with digits in them; numbers, fractions and factors in English words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Kind = Literal["number", "percent", "points", "times", "ordinal", "fraction", "text", "unread"]
Hedge = Literal["", "about", "over", "under", "top"]


@dataclass(frozen=True)
class Figure:
    """A number as it is written: ``readings`` are the values that it may stand for, each with
    the worth of one in its last digit. ``round``: the worth of one in its last digit but zeros.
    ``hedge``: the word before it that loosens it.
    """

    text: str
    kind: Kind
    readings: tuple[tuple[Decimal, Decimal], ...] = ()
    round: Decimal = Decimal(1)
    scaled: bool = False
    hedge: Hedge = ""


_UNITS = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
          "fifteen sixteen seventeen eighteen nineteen").split()  # fmt: skip
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_WORDS = {word: number for number, word in enumerate(_UNITS)} | {
    word: 10 * number for number, word in enumerate(_TENS, 2)
}
_BIG = {"dozen": 12, "hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9,
        "trillion": 10**12}  # fmt: skip
_ORDINALS = ("first second third fourth fifth sixth seventh eighth ninth tenth eleventh "
             "twelfth").split()  # fmt: skip
_FACTORS = {"double": 2, "doubled": 2, "doubles": 2, "twice": 2, "triple": 3, "tripled": 3,
            "triples": 3, "thrice": 3, "quadruple": 4, "quadrupled": 4}  # fmt: skip
_PARTS = {"half": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4, "fifth": 5, "fifths": 5,
          "tenth": 10, "tenths": 10}  # fmt: skip
_SCALES = {"k": 10**3, "m": 10**6, "mn": 10**6, "bn": 10**9, "b": 10**9, "t": 10**12, "tn": 10**12,
           **_BIG}  # fmt: skip
_DOUBTFUL = frozenset("mbt")  # metres, bytes, tons as well

_COUNT = "|".join(sorted(_WORDS, key=len, reverse=True))
_GROUP = "[,\u00a0\u202f\u2009'\u2019]"
_UNIT = (
    r"(?P<points>\s?(?:%|percent(?:age)?|per\s?cent)[\s-]?points?\b|\s?pp\b)"
    r"|(?P<percent>\s?%|\s(?:percent|per\s?cent|pct)\b|-percent\b)"
    r"|(?P<times>\s?(?:x\b|\u00d7)|-?fold\b|\s-?fold\b|\stimes\b)"
)
_DIGITS = re.compile(
    r"(?P<date>\d{4}-\d{1,2}(?:-\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?)?(?![\d-])"
    r"|\d+(?::\d{2})+|\d+(?:/\d+)+)"
    r"|(?P<name>[^\W\d]\w*\d\w*)"
    rf"|(?P<number>(?:\d{{1,3}}(?:{_GROUP}\d{{3}})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)"
    r"(?P<power>[eE][-+]?\d{1,3}\b)?"
    rf"(?:(?P<ordinal>(?:st|nd|rd|th)\b)|(?P<scale>\s?(?:k|K|M|m|mn|bn|B|b|T|t|tn)\b"
    rf"|[\s-](?:{'|'.join(_BIG)})\b)?(?:{_UNIT})?)",
)
_SPELLED = re.compile(
    rf"\b(?P<vague>tens|dozens|hundreds|thousands|millions|billions)\b"
    rf"|\b(?P<factor>{'|'.join(_FACTORS)})\b|\b(?P<fold>{_COUNT})-?fold\b"
    rf"|\b(?:(?P<many>a|an|one|two|three|four|nine)[\s-])?"
    rf"(?P<part>half|thirds|quarters|fifths|tenths|(?:(?<=a )|(?<=one )|(?<=one-))third"
    rf"|(?:(?<=a )|(?<=one )|(?<=one-)|(?<=nearly )|(?<=about ))quarter(?= of\b))\b"
    rf"|\b(?P<ordinal>{'|'.join(_ORDINALS)})\b"
    rf"|\b(?P<count>(?:{_COUNT}|{'|'.join(_BIG)})(?:(?:[\s-]|\sand\s)(?:{_COUNT}|{'|'.join(_BIG)}))*)\b"
    rf"(?:{_UNIT})?",
    re.IGNORECASE,
)
_HEDGES: tuple[tuple[Hedge, str], ...] = (
    ("top", r"top|bottom|first|last|leading|best|worst|highest|lowest|largest|smallest"),
    ("over", r"over|above|more than|at least|exceed(?:s|ing|ed)?|upwards of|greater than"),
    ("under", r"under|below|less than|fewer than|at most|nearly|almost|up to|close to"),
    ("about", r"about|around|roughly|approximately|approx\.?|some|circa|an? estimated|~|\u2248"),
)
_HEDGED = tuple(
    (hedge, re.compile(rf"(?:^|[^\w])(?:{words})\s*[$\u20ac\u00a3\u00a5]?$", re.IGNORECASE))
    for hedge, words in _HEDGES
)
_MINUS = "-\u2212\u2013"


def figures(sentence: str) -> tuple[Figure, ...]:
    """Every number in a sentence; a sign for a number that none of the forms is, such as a
    Roman one, is ``unread``.
    """
    found = list(_digits(sentence))
    rest = _blanked(sentence, [span for _, span in found])
    words = list(_words(rest))
    rest = _blanked(rest, [span for _, span in words])
    strange = [Figure(char, "unread") for char in rest if _is_number(char)]
    return (*(figure for figure, _ in (*found, *words)), *strange)


def _is_number(char: str) -> bool:
    return (not char.isascii() and unicodedata.numeric(char, None) is not None) or char.isdigit()


def _blanked(text: str, spans: list[tuple[int, int]]) -> str:
    for begin, end in spans:
        text = text[:begin] + " " * (end - begin) + text[end:]
    return text


def _digits(sentence: str) -> Iterator[tuple[Figure, tuple[int, int]]]:
    for match in _DIGITS.finditer(sentence):
        before = sentence[: match.start()]
        if match["date"] or match["name"]:
            yield Figure(match[0], "text"), match.span()
            continue
        bare = re.sub(_GROUP, "", match["number"])
        exact = Decimal(bare + (match["power"] or ""))
        one = Decimal(1).scaleb(int(exact.as_tuple().exponent))
        trailing = len(bare) - len(bare.rstrip("0")) if "." not in bare else 0
        scale = (match["scale"] or "").strip(" -").lower()
        factor = Decimal(_SCALES.get(scale, 1))
        sign = -1 if before[-1:] in _MINUS and before[-1:] and not before[-2:-1].isalnum() else 1
        readings = [(sign * exact * factor, one * factor)]
        if scale in _DOUBTFUL:
            readings.append((sign * exact, one))
        kind: Kind = "ordinal" if match["ordinal"] else _kind(match)
        figure = Figure(
            match[0], kind, tuple(readings), one * factor * 10**trailing,
            scaled=bool(scale), hedge=_hedge(before),
        )  # fmt: skip
        yield figure, match.span()


def _words(sentence: str) -> Iterator[tuple[Figure, tuple[int, int]]]:
    for match in _SPELLED.finditer(sentence):
        hedge = _hedge(sentence[: match.start()])
        figure = _spelled(match, hedge)
        if figure is not None:
            yield figure, match.span()


def _spelled(match: re.Match[str], hedge: Hedge) -> Figure | None:
    if match["vague"]:
        return Figure(match[0], "unread")
    if match["factor"] or match["fold"]:
        word = (match["factor"] or match["fold"]).lower()
        value = Decimal(_FACTORS.get(word) or _WORDS[word])
        return Figure(match[0], "times", ((value, value / 10),), value / 4, hedge=hedge)
    if match["part"]:
        many = _WORDS.get((match["many"] or "").lower(), 1)
        value = Decimal(many) / _PARTS[match["part"].lower()]
        return Figure(
            match[0], "fraction", ((value, Decimal("0.05")),), Decimal("0.05"), hedge=hedge
        )
    if match["ordinal"]:
        value = Decimal(_ORDINALS.index(match["ordinal"].lower()) + 1)
        return Figure(match[0], "ordinal", ((value, Decimal(1)),))
    value, unit = _count(match["count"].lower())
    if value == 1 and _kind(match) == "number":
        return None  # "one of", "no one"
    return Figure(match[0], _kind(match), ((value, unit),), unit, scaled=unit > 1, hedge=hedge)


def _count(text: str) -> tuple[Decimal, Decimal]:
    """The value of number words, and the worth of one in the last of them."""
    total = current = 0
    unit = 1
    for word in re.findall(r"[a-z]+", text):
        if word in _WORDS:
            current += _WORDS[word]
            unit = 1
        elif word in _BIG:
            current = max(current, 1) * _BIG[word]
            unit = _BIG[word] if _BIG[word] >= 100 else 1
            if _BIG[word] >= 1000:
                total, current = total + current, 0
    return Decimal(total + current), Decimal(unit)


def _kind(match: re.Match[str]) -> Kind:
    for kind in ("points", "percent", "times"):
        if match[kind]:
            return kind
    return "number"


def _hedge(before: str) -> Hedge:
    tail = before[-24:].rstrip(_MINUS)
    return next((hedge for hedge, pattern in _HEDGED if pattern.search(tail)), "")
