"""Where records of delimited text and of JSON begin and end, found in bytes.

In a window that begins somewhere in a file nothing says whether its first byte lies within
quotes. Both are tried: true is the one under which every record is well formed and has the
right number of fields, when under the other one they do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

MIN_RECORDS = 3  # that must be well formed before a guess at the quotes is believed
BOM = b"\xef\xbb\xbf"
_JSON_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)

Span = tuple[int, int]


@dataclass(frozen=True)
class Grammar:
    """How records are written. ``quote`` is empty where each line is a record.

    ``newline``: the one line end of the file; empty: any of CR, LF and CRLF.
    ``width``: the number of fields; ``trim``: blanks around quotes are no part of the value.
    """

    sep: bytes = b","
    quote: bytes = b""
    escape: bytes = b'"'
    newline: bytes = b""
    width: int = 1
    trim: bool = False

    @cached_property
    def _end(self) -> bytes:
        if self.newline:
            return b"(?:" + re.escape(self.newline) + b")"
        return rb"(?:\r\n|\n|\r(?=[^\n]))"  # a CR that ends the window may be half a CRLF

    @cached_property
    def _body(self) -> bytes:
        """The inside of quotes, from anywhere in it."""
        quote, escape = re.escape(self.quote), re.escape(self.escape)
        if self.escape == self.quote:
            return b"[^%b]*(?:%b%b[^%b]*)*" % (quote, quote, quote, quote)
        return b"[^%b%b]*(?:%b.[^%b%b]*)*" % (quote, escape, escape, quote, escape)

    def _record(self, *, strict: bool, final: bool) -> tuple[bytes, bytes]:
        """Patterns of a record, and of the rest of one that the window's begin cuts in quotes."""
        end = rb"(?:%b|\r?\Z)" % self._end if final else self._end
        sep = re.escape(self.sep)
        stop = b"(?:%b|%b)" % (sep, self._end)
        plain = b"(?:(?!%b).)*" % stop
        if not self.quote:
            line = b"(?:(?!%b).)*%b" % (self._end, end)
            if not self.newline:
                line = rb"[^\r\n]*" + end
            return line, line
        quote = re.escape(self.quote)
        blank = rb"[ \t]*" if self.trim else b""
        # A quote that closes is not followed by another one: that pair is a quote in the value.
        closing = b"%b(?!%b)%b" % (quote, quote, blank if strict else plain)
        quoted = blank + quote + self._body + closing
        bare = b"(?!%b%b)" % (blank, quote)
        bare += b"(?:(?!%b|%b).)*" % (stop, quote) if strict else plain
        field = b"(?:%b|%b)" % (quoted, bare)
        times = b"{%d}" % (self.width - 1) if strict else b"*"
        record = b"%b(?:%b%b)%b%b" % (field, sep, field, times, end)
        if strict:
            record = b"(?:%b|%b)" % (self._end, record)  # blank lines are no records to Spark
        rest = b"%b%b(?:%b%b)*%b" % (self._body, closing, sep, field, end)
        return record, rest

    @cached_property
    def _patterns(self) -> dict[tuple[bool, bool], tuple[re.Pattern[bytes], re.Pattern[bytes]]]:
        found = {}
        for strict in (True, False):
            for final in (True, False):
                record, rest = self._record(strict=strict, final=final)
                found[strict, final] = re.compile(record, re.DOTALL), re.compile(rest, re.DOTALL)
        return found

    def records(self, data: bytes, begin: int, *, final: bool) -> Iterator[Span]:
        """The whole records from ``begin``, where one begins. ``final``: the file ends here."""
        pattern = self._patterns[False, final][0]
        return _matches(pattern, data, begin)

    def aligned(self, data: bytes, *, final: bool) -> list[Span] | None:
        """The whole records of a window that begins anywhere; None where that is not sure.

        For records that are lines, the first byte must be the one before the window's own
        first (``lead`` of them), so that a record that begins there is not lost.
        """
        if not self.quote:
            first = next(self.records(data, 0, final=final), None)
            return list(self.records(data, first[1], final=final)) if first else []
        begin = self._clear(data)
        believed = []
        for within in (False, True):
            spans = self._read_as(data, begin, final=final, within=within)
            if spans is not None:
                believed.append(spans)
        return believed[0] if len(believed) == 1 else None

    @property
    def lead(self) -> int:
        """Bytes before a window's own that ``aligned`` has to see."""
        return max(1, len(self.newline))

    def _clear(self, data: bytes) -> int:
        """A place near the begin with no quote or escape beside it, whose role would be open."""
        special = self.quote + self.escape
        for place in range(1, len(data)):
            if data[place] not in special and data[place - 1] not in special:
                return place
        return len(data)

    def _read_as(self, data: bytes, begin: int, *, final: bool, within: bool) -> list[Span] | None:
        """The records if ``begin`` lies within quotes or not; None when they are malformed."""
        partial = self._patterns[False, final][within].match(data, begin)
        if not partial:
            return None
        strict = self._patterns[True, final][0]
        spans = list(_matches(strict, data, partial.end()))
        reached = spans[-1][1] if spans else partial.end()
        left = data[reached:]
        if final and left:
            return None
        # What is left must be the begin of a record, cut by the window's end.
        if left and self._patterns[False, False][0].match(data, reached):
            return None
        spans = [span for span in spans if data[slice(*span)].strip()]
        known = self.width > 1 or self.quote in data
        return spans if known and len(spans) >= MIN_RECORDS else None


def _matches(pattern: re.Pattern[bytes], data: bytes, begin: int) -> Iterator[Span]:
    while begin < len(data):
        match = pattern.match(data, begin)
        if not match:
            return
        yield begin, match.end()
        begin = match.end()


def line_end(data: bytes, quote: bytes) -> bytes:
    """The first line end outside quotes; a line feed where there is none."""
    if quote:
        mark = re.escape(quote)
        data = re.sub(b"%b[^%b]*%b" % (mark, mark, mark), b"", data)
    found = re.search(rb"\r\n|\n|\r(?=[^\n])", data)
    return found[0] if found else b"\n"


def array_items(data: bytes, count: int) -> tuple[int, int, bool]:
    """Where the last of ``count`` whole items of a JSON array ends, how many, and whether more.

    Only what a comma or the closing bracket follows is whole. (0, 0, False) for no array.
    """
    depth = items = end = 0
    if not data.removeprefix(BOM).lstrip().startswith(b"["):
        return 0, 0, False
    for token in _JSON_TOKEN.finditer(data):
        mark = token[0]
        if depth == 1 and mark in {b",", b"]"}:
            items, end = items + 1, token.start()
            if items == count or mark == b"]":
                return end, items, mark == b","
        depth += (mark in {b"[", b"{"}) - (mark in {b"]", b"}"})
    return end, items, True
