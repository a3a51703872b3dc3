"""``{{name}}`` in a question: the value of a variable of the notebook, as text."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any

from bluebear_magic.errors import ArgumentError

LONGEST = 500  # characters of a value: a question is a sentence, not a data frame
_NAME = re.compile(r"\{\{\s*(\w+)\s*\}\}")


def fill(question: str, namespace: Mapping[str, Any]) -> str:
    """The question with each ``{{name}}`` replaced. Raises ``ArgumentError``."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in namespace:
            near = difflib.get_close_matches(name, namespace, n=1)
            raise ArgumentError(
                f"{{{{{name}}}}}: there is no variable `{name}`",
                f"did you mean {{{{{near[0]}}}}}?" if near else "set it in a cell before",
            )
        found = namespace[name]
        text = ", ".join(map(str, found)) if isinstance(found, list | tuple | set) else str(found)
        if len(text) > LONGEST:
            raise ArgumentError(
                f"{{{{{name}}}}}: the value has {len(text):,} characters, {LONGEST} fit",
                "use a shorter value; add data with --data or %bluebear data add",
            )
        return text

    return _NAME.sub(value, question)
