"""Writes ``bluebear_magic/repair/words.txt``: the words of Spark's and Python's own messages.

Run by hand when Spark's version changes, with pyspark installed:
``python tests/unit/corpus/make_words.py``. What stands in for names and values in Spark's
templates is left out.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyspark

STORE = Path(__file__).parents[3] / "bluebear_magic" / "repair" / "words.txt"
HOME = Path(pyspark.__file__).parent
PYTHON = """
object has no attribute name is not defined unsupported operand type for and can't cannot
takes positional argument arguments but was were given missing required keyword unexpected got an
must be callable iterable subscriptable module named no import from str int float dict list tuple
set nonetype bool bytes bad too many values expected instance between of or the result results
neither sets code dictionary filled two columns spark dataframe not a local variable referenced
before assignment access free where it associated with value in enclosing scope
"""


def templates(conditions: dict[str, Any]) -> Iterator[str]:
    """Every template and every condition's name, without what stands in for values."""
    for name, condition in conditions.items():
        yield name.replace("_", " ")
        for line in condition.get("message", []):
            yield re.sub(r"<[^>]*>", " ", line)
        yield from templates(condition.get("subClass") or condition.get("sub_class") or {})


def words() -> set[str]:
    """The words, in lower case."""
    (jar,) = HOME.glob("jars/spark-common-utils_2*.jar")
    with zipfile.ZipFile(jar) as archive:
        texts = list(templates(json.loads(archive.read("error/error-conditions.json"))))
    own = (HOME / "errors" / "error-conditions.json").read_text(encoding="utf-8")
    texts += [*templates(json.loads(own)), PYTHON]
    found = {word.lower() for text in texts for word in re.findall(r"[A-Za-z]+", text)}
    return {word for word in found if len(word) <= 20}


if __name__ == "__main__":
    STORE.write_text("\n".join(sorted(words())) + "\n", encoding="utf-8")
