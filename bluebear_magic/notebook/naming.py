"""A variable's name for an answer, from the question's own words."""

from __future__ import annotations

import re
from collections.abc import Container

_FILLER = frozenset(
    "a all an and are as at be by did do does each ever every find for from get give had has have "
    "how i in is it its last list many me much of on or our over per please show tell than that "
    "the their there these this to was we were what when where which who whose with".split()
)


def name_for(question: str, taken: Container[str] = frozenset()) -> str:
    """A variable's name from the question's own words; numbered when it is taken."""
    words = re.findall(r"[a-z][a-z0-9]*", question.lower())
    said = [word for word in words if word not in _FILLER][:4] or ["answer"]
    name = base = "_".join(said)[:40]
    number = 2
    while name in taken:
        name = f"{base}_{number}"
        number += 1
    return name
