"""Text -> tokens: words with their stems, numbers, quoted text, marks."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

TokenKind = Literal["word", "number", "quoted", "date", "mark"]

_TOKEN = re.compile(
    r"""
      (?P<quoted>"[^"\n]{1,200}"|\u201c[^\u201d\n]{1,200}\u201d|\u2018[^\u2019\n]{1,200}\u2019|(?<!\w)'[^\n']{1,200}'(?!\w))
    | (?P<date>\d{4}-\d{1,2}-\d{1,2}(?!\d))
    | (?P<number>\d+(?:,\d{3})+(?:\.\d+)?(?![\w])|\d+(?:\.\d+)?(?:[kKmM](?!\w))?(?![^\W_]))
    | (?P<possessive>['\u2019]s\b|(?<=s)['\u2019](?=\s))
    | (?P<word>[^\W_]+(?:['\u2019](?!s\b)[^\W\d_]+)?)
    | (?P<mark>[^\w\s])
    """,
    re.VERBOSE,
)
MOST_WORDS = 6  # of a question, in a message
_LONG_WORD = 40
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")
_NUMBER_WORDS = {
    word: value
    for value, word in enumerate(
        (
            "zero one two three four five six seven eight nine ten eleven twelve thirteen "
            "fourteen fifteen sixteen seventeen eighteen nineteen twenty"
        ).split()
    )
} | {
    "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90, "hundred": 100, "thousand": 1000, "million": 1_000_000, "dozen": 12,
}  # fmt: skip


@dataclass(frozen=True)
class Token:
    """A piece of the question; ``norm`` is without case and accents.

    ``number`` is set for numerals and number words; for quoted text ``text`` is
    what stands between the quotes. ``possessive``: an "'s" stood behind it;
    ``joined``: an underscore joins it to the token before.
    """

    text: str
    norm: str
    kind: TokenKind
    number: int | float | None = None
    possessive: bool = False
    joined: bool = False

    @property
    def stem(self) -> str:
        """The stem of a word; of anything else, itself."""
        return stem(self.norm) if self.kind == "word" else self.norm


def normalise(text: str) -> str:
    """Text without case and accents, white space folded."""
    return " ".join(_plain(text).casefold().split())


def _plain(text: str) -> str:
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFKD", text)
    return "".join(ch for ch in apart if not unicodedata.combining(ch))


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    import snowballstemmer

    return snowballstemmer.stemmer("english")


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """The English stem of a normalised word."""
    return str(_stemmer().stemWord(word))


def tokenize(text: str) -> tuple[Token, ...]:
    """All tokens of a text in order; possessive endings are dropped."""
    tokens: list[Token] = []
    end = 0
    for match in _TOKEN.finditer(text):
        kind, piece = match.lastgroup, match.group()
        if kind == "possessive":
            if tokens and piece.endswith("s"):
                tokens[-1] = replace(tokens[-1], possessive=True)
            continue
        joined = text[end : match.start()].strip("_") == "" and match.start() > end > 0
        tokens.append(replace(_token(kind, piece), joined=joined))
        end = match.end()
    return tuple(tokens)


def value_words(value: str) -> tuple[str, ...]:
    """The words of a value as a question would spell them; marks left out."""
    plain = normalise(value).replace("'", "").replace('"', "").replace("\u2019", "")
    return tuple(
        piece
        for match in _TOKEN.finditer(plain)
        if match.lastgroup not in {"mark", "possessive"}
        for piece in match.group().split()
    )


def _token(kind: str | None, piece: str) -> Token:
    if kind == "quoted":
        inner = piece[1:-1].strip()
        return Token(inner, normalise(inner), "quoted")
    if kind == "number":
        return Token(piece, piece.casefold(), "number", _number(piece))
    if kind == "date":
        return Token(piece, piece, "date")
    norm = normalise(piece).replace("\u2019", "'")
    if kind == "mark":
        return Token(piece, norm, "mark")
    return Token(piece, norm, "word", _NUMBER_WORDS.get(norm))


def _number(piece: str) -> int | float:
    plain = piece.replace(",", "")
    scale = {"k": 1_000, "m": 1_000_000}.get(plain[-1].casefold(), 1)
    if scale > 1:
        plain = plain[:-1]
    value = float(plain) * scale
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def said(text: str) -> str:
    """What a person wrote, quoted and cut to a length fit for a message."""
    words = text.split()
    cut = [word if len(word) <= _LONG_WORD else f"{word[:_LONG_WORD]}..." for word in words]
    more = [*cut[:MOST_WORDS], "..."] if len(cut) > MOST_WORDS else cut
    return repr(" ".join(more))


def split_name(name: str) -> tuple[str, ...]:
    """The words of an identifier, normalised: ``dep_delay``, ``ArtistId``, ``LName``."""
    words = []
    for chunk in re.split(r"[\W_]+", _plain(name)):
        words += _CAMEL.findall(chunk) or ([chunk] if chunk else [])
    return tuple(normalise(word) for word in words)
