"""A model's text as segments: prose, and blocks of code however they are marked.

Thinking is left out: what a model weighed is not what it answers.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from bluebear_magic.generation.code_text import parses

PYTHON = frozenset(
    {"", "python", "py", "python3", "py3", "pyspark", "ipython", "ipython3", "spark"}
)
_NESTING = frozenset({"markdown", "md", "text", "txt", "xml", "html", "plaintext"})

_LEAD = r"[ \t]*(?:>[ \t]?)*(?:(?:[-*+]|\d+[.)])[ \t]+)?"
_OPEN = re.compile(rf"(?P<lead>{_LEAD})(?P<fence>`{{3,}}|~{{3,}})(?P<info>[^`\n]*)")
_ONE_LINE = re.compile(
    rf"{_LEAD}`{{3,}}[ \t]*(?:(?:python|py|pyspark)[ \t]+)?(?P<code>[^`]+?)`{{3,}}\s*"
)
_THINKING = (
    r"(?:antml:|ant)?(?:think|thinking|thought|thoughts|reasoning|scratchpad|reflection|analysis)"
)
_THINK_OPEN = re.compile(rf"<{_THINKING}>", re.IGNORECASE)
_THINK_CLOSE = re.compile(rf"</{_THINKING}>", re.IGNORECASE)
_TAGS = r"code|python|pyspark|answer|script|result_code"
_TAG_OPEN = re.compile(
    rf"(?:<pre[^>]*>\s*)?(?:<({_TAGS})(?:\s[^>]*)?>|\[({_TAGS})\])[ \t]*(?P<rest>.*)",
    re.IGNORECASE,
)
_SPECIAL = re.compile(r"<\|[\w ]{1,30}\|>|<\uff5c[^\uff5c]{1,40}\uff5c>|\ufeff")
_INFO_CODE = re.compile(r"\bspark\b|^\s*(?:results?\s*=|from\s|import\s)")
_MOST = 400_000  # characters; an answer has some ten thousand at most
_MOST_ENDS = 8  # where a block may end, fences in docstrings included
_MOST_MARKS = 200  # each may read to the end


@dataclass(frozen=True)
class Segment:
    """Prose (``language`` None), or a block with its language as written, lower case.

    ``closed``: whether the mark that ends it was there.
    """

    text: str
    language: str | None = None
    closed: bool = True


def segments(text: str) -> list[Segment]:
    """Prose and blocks in their order, without thinking and without special tokens."""
    text = _SPECIAL.sub("", text[:_MOST]).replace("\r\n", "\n").replace("\r", "\n")
    return _Splitter(text.split("\n")).run()


class _Splitter:
    """Reads line by line; what is prose, thinking or code depends on the lines before."""

    def __init__(self, lines: list[str], depth: int = 0) -> None:
        self.lines = lines
        self.depth = depth
        self.at = 0
        self.found: list[Segment] = []
        self.prose: list[str] = []
        self.marks = 0

    def run(self) -> list[Segment]:
        while self.at < len(self.lines):
            line = self.lines[self.at]
            closing = _THINK_CLOSE.search(line)
            if closing and not _THINK_OPEN.search(line[: closing.start()]):
                # its opening was swallowed: all before was thinking
                self.found, self.prose = [], []
                self.lines[self.at] = line[closing.end() :]
            elif not self._marked(line):
                self.prose.append(line)
                self.at += 1
        self._end_prose()
        return self.found

    def _marked(self, line: str) -> bool:
        """Whether a mark begins here; then all of what it marks was read."""
        if self.marks > _MOST_MARKS:
            return False
        return self._thinking(line) or self._one_line(line) or self._fence(line) or self._tag(line)

    def _thinking(self, line: str) -> bool:
        opening = _THINK_OPEN.search(line)
        if not opening:
            return False
        self.marks += 1
        rest = line[opening.end() :]
        before = line[: opening.start()]
        for number in range(self.at, len(self.lines)):
            piece = rest if number == self.at else self.lines[number]
            if closing := _THINK_CLOSE.search(piece):
                self.at = number
                self.lines[number] = before + piece[closing.end() :]
                return True
        self.prose.append(before)
        self.at = len(self.lines)  # it never stopped thinking
        return True

    def _one_line(self, line: str) -> bool:
        match = _ONE_LINE.fullmatch(line)
        if match:
            self._add(Segment(match["code"].strip(), ""))
            self.at += 1
        return bool(match)

    def _fence(self, line: str) -> bool:
        match = _OPEN.fullmatch(line)
        if not match:
            return False
        self.marks += 1
        language, first = _info(match["info"])
        fence, lead = match["fence"], match["lead"]
        ends = self._ends(fence, language)
        body, end = self._body(ends, first, language)
        closed = bool(ends)
        if language in _NESTING and self.depth < 3 and any(map(_OPEN.fullmatch, body)):
            self._end_prose()
            self.found += _Splitter(body, self.depth + 1).run()
        else:
            self._add(Segment("\n".join(_unquoted(body, lead)), language, closed))
        self.at = end + 1
        return True

    def _ends(self, fence: str, language: str) -> list[int]:
        """The lines that could end a block begun here, the first one first."""
        ends: list[int] = []
        nested = 0
        for number in range(self.at + 1, len(self.lines)):
            text = self.lines[number].lstrip(" \t>")
            run = len(text) - len(text.lstrip(fence[0]))
            bare = text.strip() == fence[0] * run and run >= len(fence)
            if run >= 3 and not bare:
                if language in _NESTING and run >= len(fence):
                    nested += 1
                elif run >= len(fence) and language in PYTHON and text.strip(fence[0] + " "):
                    return ends or [number - 1]  # another block begins: this one was not closed
            elif bare and nested:
                nested -= 1
            elif bare or (run < 3 and text.rstrip().endswith(fence) and language in PYTHON):
                ends.append(number)
                if len(ends) == (_MOST_ENDS if language in PYTHON else 1):
                    break
        return ends

    def _body(self, ends: list[int], first: str, language: str) -> tuple[list[str], int]:
        """The lines of the block and the number of its last: the first end at which it parses,
        since fences stand in docstrings too.
        """
        start = self.at + 1
        bodies = [([first] if first else []) + self._cut(start, end) for end in ends]
        if language in PYTHON and len(bodies) > 1 and not parses("\n".join(bodies[0])):
            for body, end in zip(bodies[1:], ends[1:], strict=True):
                if '"""' in "".join(bodies[0]) and parses("\n".join(body)):
                    return body, end
        if bodies:
            return bodies[0], ends[0]
        return ([first] if first else []) + self.lines[start:], len(self.lines)

    def _cut(self, start: int, end: int) -> list[str]:
        """The lines before ``end``, and of that line what stands before the mark."""
        last = self.lines[end]
        kept = last.strip(" \t>").rstrip("`~")
        if not kept.strip():
            return self.lines[start:end]
        if last.rstrip().endswith(("```", "~~~")):
            return [*self.lines[start:end], last.rstrip().rstrip("`~")]
        return self.lines[start : end + 1]

    def _tag(self, line: str) -> bool:
        match = _TAG_OPEN.fullmatch(line.lstrip())
        if not match:
            return False
        self.marks += 1
        name = match[1] or match[2]
        close = re.compile(rf"(?:</{name}>|\[/{name}\])(?:\s*</pre>)?", re.IGNORECASE)
        body: list[str] = []
        for number in range(self.at, len(self.lines)):
            piece = match["rest"] if number == self.at else self.lines[number]
            if ending := close.search(piece):
                body.append(piece[: ending.start()])
                self.lines[number] = piece[ending.end() :]
                self.at = number
                self._add_tagged(body)
                return True
            body.append(piece)
        return False

    def _add_tagged(self, body: list[str]) -> None:
        if any(map(_OPEN.fullmatch, body)):  # a fence inside says it better
            self._end_prose()
            self.found += _Splitter(body, self.depth + 1).run()
            return
        text = "\n".join(body).strip("\n")
        self._add(
            Segment(
                html.unescape(text) if re.search("&(?:lt|gt|quot|amp|#39);", text) else text, ""
            )
        )

    def _add(self, segment: Segment) -> None:
        self._end_prose()
        self.found.append(segment)

    def _end_prose(self) -> None:
        text = "\n".join(self.prose).strip("\n")
        if text.strip():
            self.found.append(Segment(text))
        self.prose = []


def _info(info: str) -> tuple[str, str]:
    """The language of a fence, and code that stands on its line."""
    words = info.strip().split(None, 1)
    if not words:
        return "", ""
    if _INFO_CODE.search(info) and not re.match(r"\s*\w+\s*$", info):
        name = words[0].lower()
        known = name in PYTHON
        return (name if known else ""), (words[1] if known and len(words) > 1 else info.strip())
    name = re.split(r"[:,;{(\s]", words[0].strip("{}."), maxsplit=1)[0]
    return name.lower().lstrip("."), ""


def _unquoted(body: list[str], lead: str) -> list[str]:
    """Without the marks of the quotation or the list that the block stands in."""
    if ">" in lead:
        return [re.sub(r"^[ \t]*(?:>[ \t]?)+", "", line) for line in body]
    return body
