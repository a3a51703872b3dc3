r"""Text of unknown origin, made safe for each screen that shows it.

Names, values, questions and model text are hostile until they pass one of these.
On every screen, characters that are invisible or that reorder their surroundings
(Unicode's bidirectional controls) are spelled out, ``\u202e``, and text that holds
right-to-left letters is isolated (FSI ... PDI), so that it cannot move what stands
next to it. Each function may be applied twice without harm to what it protects,
but an HTML entity escaped twice is shown as its source: escape once, at the edge.
"""

from __future__ import annotations

import html as _html
import re
import string
import unicodedata

_FSI, _PDI = "\u2068", "\u2069"
# What `isolate` writes, and nothing else: right-to-left text held apart from the rest.
_ISOLATED = re.compile("\u2068([^\u2066-\u2069\n]*)\u2069")
# Variation selectors but the two that choose between text and emoji, fillers, blanks:
# drawn as nothing although their category is that of a letter or a mark.
_BLANK = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE0E), *range(0xE0100, 0xE01F0))))
)
# Format characters that have a shape: signs that enclose the digits after them.
_SHAPED = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_JOINERS = ("\u200c", "\u200d")
# ECMA-48: control sequences, then the strings (OSC, DCS, SOS, PM, APC) up to their
# terminator, then the two-character escapes. An unfinished string loses its opening only.
_ANSI = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
)
_MARKDOWN = {ord(mark): "\\" + mark for mark in string.punctuation} | {
    ord(mark): f"&#{ord(mark)};" for mark in "&<>\"'$"
}
_MARKDOWN[ord("@")] = "@<!-- -->"  # the only thing that stops a mail address from linking


class _Shown(dict[int, str]):
    """A table for ``str.translate`` that spells hidden characters; fills itself."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        self[code] = _spelled(char) if _hidden(char) else char
        return self[code]


def _hidden(char: str) -> bool:
    if char in _BLANK:
        return True
    return unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and char not in _SHAPED


def _spelled(char: str) -> str:
    if char in _NAMED:
        return _NAMED[char]
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


_SHOWN = _Shown()


def visible(text: str, keep: str = "") -> str:
    """``text`` with every hidden character spelled out, but for those in ``keep``.

    Joiners stay where they join (emoji, Arabic and Indic letters); isolates as
    :func:`isolate` writes them stay too.
    """
    if text.isascii() and text.isprintable():
        return text
    parts = _ISOLATED.split(text)
    for index, part in enumerate(parts):
        shown = _spell(part, keep)
        if index % 2:  # what stood between FSI and PDI
            opening, closing = (_FSI, _PDI) if _right_to_left(part) else ("\\u2068", "\\u2069")
            shown = opening + shown + closing
        parts[index] = shown
    return "".join(parts)


def _spell(text: str, keep: str) -> str:
    if not keep and not any(joiner in text for joiner in _JOINERS):
        return text.translate(_SHOWN)
    padded = f" {text} "
    return "".join(
        char if char in keep or _joins(before, char, after) else char.translate(_SHOWN)
        for before, char, after in zip(padded, text, padded[2:], strict=False)
    )


def _joins(before: str, char: str, after: str) -> bool:
    if char not in _JOINERS:
        return False
    if char == "\u200d" and unicodedata.category(after) == "So":
        return unicodedata.category(before) in {"So", "Sk"} or before == "\ufe0f"
    if unicodedata.bidirectional(before) == unicodedata.bidirectional(after) == "AL":
        return True
    virama = 9  # canonical combining class of the sign that Indic joiners follow
    return unicodedata.combining(before) == virama and unicodedata.category(after) == "Lo"


def _right_to_left(text: str) -> bool:
    return not text.isascii() and any(
        unicodedata.bidirectional(char) in {"R", "AL", "AN"} for char in text
    )


def isolate(text: str) -> str:
    """``text``, held apart from its neighbours where it has right-to-left letters of its own."""
    if text.isascii() or not _right_to_left(_ISOLATED.sub("", text)):
        return text
    return "\n".join(
        f"{_FSI}{bare(part)}{_PDI}" if _right_to_left(part) else part for part in text.split("\n")
    )


def bare(text: str) -> str:
    """``text`` without the isolates that :func:`isolate` writes."""
    return _ISOLATED.sub(r"\1", text) if _FSI in text else text


def cut(text: str, limit: int) -> str:
    """``text`` of at most ``limit`` characters, the last of them ``…`` where some are missing."""
    return text if len(text) <= limit else bare(text)[: max(limit - 1, 0)].rstrip() + "…"


def line(text: str, limit: int = 200) -> str:
    """One line of at most ``limit`` characters (and two more, unseen, around right-to-left text).

    Line ends and other controls are spelled out; what is missing shows as ``…``.
    """
    return isolate(cut(visible(text), limit))


def html(text: str) -> str:
    """For the content of an element and for a quoted attribute. Line ends and tabs stay."""
    lines = text.replace("\r\n", "\n")
    return _html.escape(isolate(visible(lines, keep="\n\t")), quote=True)


def code(text: str) -> str:
    """As :func:`html`, for source code: hidden characters are spelled out, nothing is isolated."""
    return _html.escape(_spell(text.replace("\r\n", "\n"), keep="\n\t"), quote=True)


def markdown(text: str) -> str:
    """For inline Markdown (CommonMark, GitHub's, Jupyter's with MathJax): one literal line."""
    shown = isolate(visible(text))
    escaped = shown.translate(_MARKDOWN)
    # Four leading spaces would make a code block; as an entity a space has no such power.
    return "&#32;" + escaped[1:] if escaped.startswith(" ") else escaped


def plotly(text: str) -> str:
    """For any text of a plotly figure, which reads tags, entities, ``$TeX$`` and ``%{x}``."""
    shown = _html.escape(isolate(visible(text)), quote=False)
    return shown.replace("$", "&#36;").replace("%{", "&#37;{")


def mathtext(text: str) -> str:
    """For matplotlib, which reads ``$...$`` as mathematics; without isolates, it draws none."""
    return bare(visible(text)).replace("$", r"\$")


def terminal(text: str) -> str:
    """For a terminal: no escape sequences and no control characters but line ends and tabs.

    Invisible and reordering characters are spelled out as everywhere.
    """
    plain = _ANSI.sub("", text.replace("\r\n", "\n"))
    kept = "".join(char for char in plain if char in "\n\t" or unicodedata.category(char) != "Cc")
    return isolate(visible(kept, keep="\n\t"))
