"""Code of earlier turns as it may be sent: pure.

What a model wrote under the sharing of today, or a stricter one, holds nothing that it was not
told. Code from anywhere else (the offline model looks values up, people edit cells) is sent with
its comments left out and an ellipsis for each literal that nobody said.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable

from bluebear_magic.context.used import used_in
from bluebear_magic.records import Dataset, PastTurn, Sharing
from bluebear_magic.vocabulary import SHARES

WITHHELD = "# (the code may quote data and is not shown)"
# Words of names for what was computed, and of arguments, that say nothing of the data.
_COMMON = frozenset(
    """
    total sum count avg average mean median min minimum max maximum number share percent percentage
    rank row rows rn first last previous next growth change difference ratio cumulative running of
    per by in and the distinct value values result results title all other n x y
    inner left right full outer cross semi anti leftsemi leftanti asc desc
    year quarter month week day dayofweek hour minute second date time timestamp string int integer
    bigint long double float decimal boolean yyyy MM dd HH mm ss yyyyMM MMM EEEE
    """.split()
)


def sent_code(turn: PastTurn, sharing: Sharing, datasets: Iterable[Dataset], said: str) -> str:
    """The code of a turn under this sharing. ``said``: what the user has typed."""
    if turn.drafted is not None and not looser(turn.drafted, sharing, datasets):
        return turn.code
    words = frozenset(re.findall(r"\w+", said)) | _names(datasets) | _COMMON
    return masked(turn.code, words)


def sent_columns(
    turn: PastTurn, code: str, sharing: Sharing, datasets: Iterable[Dataset]
) -> tuple[str, ...]:
    """The columns of its result whose names are not made of values, as those of a pivot are.

    ``code``: as it is sent.
    """
    datasets = tuple(datasets)
    used = used_in(turn.code, datasets)
    if used and all(sharing.of(item.name) == "samples" for item in used) and not sharing.private:
        return turn.columns
    words = frozenset(re.findall(r"\w+", code)) | _names(datasets) | _COMMON
    return tuple(name for name in turn.columns if set(re.findall(r"\w+", name)) <= words)


def looser(then: Sharing, now: Sharing, datasets: Iterable[Dataset]) -> bool:
    """Whether more was shared then than is now, of any of the datasets."""
    return bool(now.private - then.private) or any(
        SHARES.index(then.of(item.name)) > SHARES.index(now.of(item.name)) for item in datasets
    )


def masked(code: str, words: frozenset[str]) -> str:
    """The code without comments, and with ``...`` for each literal that is not made of these
    words; nothing of it where it cannot be taken apart.
    """
    try:
        ast.parse(code)
        tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError):
        return WITHHELD
    if any(tokenize.tok_name[token.type].startswith(("FSTRING", "TSTRING")) for token in tokens):
        return WITHHELD
    lines = code.splitlines(keepends=True)
    for token in reversed(tokens):
        if token.type == tokenize.COMMENT:
            _replace(lines, token, "")
        elif token.type in {tokenize.STRING, tokenize.NUMBER} and not _known(token.string, words):
            _replace(lines, token, "...")
    return "\n".join(line.rstrip() for line in "".join(lines).splitlines())


def _known(literal: str, words: frozenset[str]) -> bool:
    """Whether it is made of these words, joined by underscores or marks."""
    body = re.sub(r"^[a-zA-Z]*(\"\"\"|'''|\"|')(.*)\1$", r"\2", literal, flags=re.DOTALL)
    if any(not (mark.isalnum() or mark in " _.,:-/()*") for mark in body):
        return False
    return all(
        word in words or set(word.split("_")) <= words | {""} or word in {"0", "1"}
        for word in re.findall(r"\w+", body)
    )


def _replace(lines: list[str], token: tokenize.TokenInfo, text: str) -> None:
    (first, begin), (last, end) = token.start, token.end
    rest = lines[last - 1][end:]
    lines[first - 1 : last] = [lines[first - 1][:begin] + text + rest]


def _names(datasets: Iterable[Dataset]) -> frozenset[str]:
    return frozenset(
        word for item in datasets for word in re.findall(r"\w+", f"{item.name} {item.ddl}")
    )
