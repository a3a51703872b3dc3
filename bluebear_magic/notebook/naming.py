"""A variable's name for an answer, from the question's own words."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Container

_FILLER = frozenset(
    "a all an and are as at be did do does each ever every find for from get give had has have "
    "how i in is it its last list many me much of on or our over per please show tell than that "
    "the their there these this to was we were what when where which who whose with".split()
)


LONGEST = 4  # words


def name_for(question: str, taken: Container[str] = frozenset()) -> str:
    """A variable's name from the question's own words; numbered when it is taken."""
    plain = unicodedata.normalize("NFKD", question.lower()).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z][a-z0-9]*", plain)
    said = [word for word in words if word not in _FILLER][:LONGEST] or ["answer"]
    while said[1:] and said[-1] == "by":
        said.pop()
    base = "_".join(said)[:40]
    if keyword.iskeyword(base):
        base += "_"
    name = base
    number = 2
    while name in taken:
        name = f"{base}_{number}"
        number += 1
    return name
