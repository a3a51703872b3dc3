"""Columns that look like personal data: by their names, and by what their values are. Pure.

It errs on the side of holding back: a person can name a column that may be shared.
"""

from __future__ import annotations

import re

from bluebear_magic.generation.offline.tokens import split_name
from bluebear_magic.records import Column, Dataset, Profile

_WORDS = frozenset(
    """
    email mail phone telephone tel mobile fax ssn passport iban bic swift dob birthday birthdate
    birth surname firstname lastname fullname forename nickname username login password passwd
    secret token address street zip zipcode postcode postal latitude longitude ip
    salary wage diagnosis religion ethnicity gender sex nationality marital disability
    licence license plate imei mac cookie fingerprint signature nino cpf nif taxid vat
    contact recipient sender patient
    """.split()
)
_PAIRS = (
    ("first", "name"), ("last", "name"), ("full", "name"), ("middle", "name"), ("maiden", "name"),
    ("given", "name"), ("family", "name"), ("user", "name"), ("customer", "name"),
    ("client", "name"), ("employee", "name"), ("person", "name"), ("contact", "name"),
    ("card", "number"), ("credit", "card"), ("account", "number"), ("social", "security"),
    ("tax", "id"), ("national", "id"), ("date", "birth"),
)  # fmt: skip
_PEOPLE = frozenset(
    """
    people person customer client user member employee staff patient contact student teacher
    subscriber passenger guest tenant applicant candidate donor voter author driver
    """.split()
)
_VALUES = (
    re.compile(r"[^@\s]+@[^@\s]+\.[a-z]{2,}", re.IGNORECASE),  # an address of mail
    re.compile(r"\+?\d[\d ()./-]{7,17}\d"),  # a telephone number
    re.compile(r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?"),  # an IBAN
    re.compile(r"\d{3}-\d{2}-\d{4}"),  # a social security number
    re.compile(r"(?:\d{4}[ -]?){3}\d{4}"),  # a card's number
    re.compile(r"(?:\d{1,3}\.){3}\d{1,3}"),  # an internet address
)
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}")
_LOOKED_AT = 50  # values of a column
_PART = 0.3  # of them that make a column personal


def personal(dataset: Dataset, profile: Profile) -> frozenset[str]:
    """The names of the columns that look like personal data."""
    of_people = bool(set(_split(dataset.name)) & _PEOPLE)
    known = {column.name: column.values for column in profile.columns}
    return frozenset(
        column.name
        for column in dataset.columns
        if _is_named(column, of_people) or _holds(known.get(column.name, ()))
    )


def _is_named(column: Column, of_people: bool) -> bool:
    words = _split(column.name)
    if of_people and words == ("name",):
        return True
    nested = set(re.findall(r"\w+", column.type.lower())) if "<" in column.type else set()
    found = {*words, *nested}
    return bool(found & _WORDS) or any(set(pair) <= found for pair in _PAIRS)


def _holds(values: tuple[str, ...]) -> bool:
    """Whether many of its most frequent values have a form of personal data."""
    seen = [value.strip() for value in values[:_LOOKED_AT] if value.strip()]
    met = [value for value in seen if not _DATE.fullmatch(value) and _is_personal(value)]
    return bool(seen) and len(met) >= _PART * len(seen)


def _is_personal(value: str) -> bool:
    return any(form.fullmatch(value) for form in _VALUES)


def _split(name: str) -> tuple[str, ...]:
    """The words of a name; those of many in the singular."""
    return tuple(
        next((stem for stem in (word, word[:-1], word[:-2]) if stem in _WORDS | _PEOPLE), word)
        if word.endswith("s")
        else word
        for word in split_name(name)
    )
