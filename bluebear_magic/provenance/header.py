"""The inserted cell: code under a header that says what was asked, by whom, and how checked.

A hash here tells that something changed; it is no signature and grants nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from bluebear_magic.records import Dataset

MAGIC = "%%bluebear_run"
MARK = "# bluebear:"
DIGITS = 16  # hexadecimal digits kept of a SHA-256: enough to notice a change
_FACT = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)')


@dataclass(frozen=True)
class Header:
    """What a cell says of itself. ``checked``: ``sample:1000 rows``, ``whole`` or ``no``."""

    question: str
    model: str
    attempts: int
    checked: str
    spark: str
    code: str
    schema: str
    prompt: str


@dataclass(frozen=True)
class Cell:
    """A ``%%bluebear_run`` cell taken apart; ``header`` is None where it has none of ours."""

    arguments: str
    header: Header | None
    code: str


def code_hash(code: str) -> str:
    """Hash of code; white space at line ends and blank lines around it do not count."""
    lines = [line.rstrip() for line in code.strip("\n").splitlines()]
    return _hash("\n".join(lines).strip("\n"))


def prompt_hash(question: str) -> str:
    """Hash of a question; how its words are spread over lines does not count."""
    return _hash(" ".join(question.split()))


def schema_hash(datasets: Iterable[Dataset]) -> str:
    """Hash of the names and schemas of datasets, in any order."""
    return _hash("\n".join(sorted(f"{d.name.lower()} {d.ddl}" for d in datasets)))


def render(header: Header, code: str, arguments: str = "") -> str:
    """The whole cell; every foreign string is one JSON string on one line."""
    facts = (
        f"model={_word(header.model)} attempts={header.attempts} "
        f"checked={header.checked} spark={_word(header.spark)}"
    )
    hashes = f"code={header.code} schema={header.schema} prompt={header.prompt}"
    first = f"{MAGIC} {arguments}".rstrip()
    lines = [first, *(f"{MARK} {text}" for text in (_quoted(header.question), facts, hashes))]
    return "\n".join([*lines, code.strip("\n")])


def parse(source: str) -> Cell | None:
    """Takes a cell apart; None when it is no ``%%bluebear_run`` cell."""
    first, _, body = source.lstrip("\n").partition("\n")
    if first.split(None, 1)[:1] != [MAGIC]:
        return None
    header, code = split(body)
    return Cell(first[len(MAGIC) :].strip(), header, code)


def split(body: str) -> tuple[Header | None, str]:
    """Header and code of a cell's body, which has no magic line."""
    lines = body.splitlines(keepends=True)
    count = 0
    while count < len(lines) and lines[count].startswith(MARK):
        count += 1
    code = "".join(lines[count:])
    return _header([line[len(MARK) :].strip() for line in lines[:count]]), code


def _header(lines: list[str]) -> Header | None:
    facts: dict[str, str] = {}
    question = None
    for line in lines:
        if line.startswith('"'):
            question = _unquoted(line)
        else:
            checked = re.search(r"checked=(.*?)(?= \w+=|$)", line)
            facts.update({key: _unquoted(value) for key, value in _FACT.findall(line)})
            if checked:
                facts["checked"] = checked.group(1)
    if question is None or not {"code", "schema", "prompt"} <= facts.keys():
        return None
    attempts = facts.get("attempts", "")
    return Header(
        question=question,
        model=facts.get("model", ""),
        attempts=int(attempts) if attempts.isdecimal() else 0,
        checked=facts.get("checked", "no"),
        spark=facts.get("spark", ""),
        code=facts["code"],
        schema=facts["schema"],
        prompt=facts["prompt"],
    )


def _quoted(text: str) -> str:
    """JSON, readable in any script, with nothing in it that ends or reorders a line."""
    return "".join(
        character
        if character == " " or unicodedata.category(character)[0] not in "CZ"
        else json.dumps(character)[1:-1]
        for character in json.dumps(text, ensure_ascii=False)
    )


def _word(text: str) -> str:
    """A plain word as it is, anything else quoted."""
    return text if re.fullmatch(r"[\w.:/+-]+", text, re.ASCII) else _quoted(text)


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, str) else text


def _hash(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]
