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
_JSON_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|["\[\]{},]', re.DOTALL)

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
            return re.escape(self.newline)
        return rb"(?:\r\n|\n|\r(?=[^\n]))"  # a CR that ends the window may be half a CRLF

    def _plain(self, *without: bytes) -> bytes:
        """Any bytes up to a separator or a line end, or one of ``without``."""
        stops = [self.sep, *without]
        if self.newline == b"\r\n" and all(len(stop) == 1 for stop in stops):
            none = b"[^%b\\r]*" % re.escape(b"".join(stops))
            return none + rb"(?:\r(?!\n)%b)*" % none
        stops.append(self.newline)
        if all(len(stop) == 1 for stop in stops):
            return b"[^%b]*" % re.escape(b"".join(stops))
        return b"(?:(?!%b).)*" % b"|".join(map(re.escape, stops))

    def _body(self, *, strict: bool) -> bytes:
        """The inside of quotes, from anywhere in it."""
        quote, escape = re.escape(self.quote), re.escape(self.escape)
        if self.escape in {self.quote, b""}:
            return b"[^%b]*(?:%b%b[^%b]*)*" % (quote, quote, quote, quote)
        pair = b"" if strict else b"|%b%b" % (quote, quote)
        return b"[^%b%b]*(?:(?:%b.%b)[^%b%b]*)*" % (quote, escape, escape, pair, quote, escape)

    def _field(self, *, strict: bool) -> tuple[bytes, bytes]:
        """Patterns of a field, and of what ends one that began in quotes.

        Strict: nothing follows the quote that closes, and no quote is in a bare value.
        """
        quote = re.escape(self.quote)
        blank = rb"[ \t]*" if self.trim else b""
        # A quote that closes is not followed by another one: that pair is a quote in the value.
        tail = blank if strict else self._plain()
        rest = self._body(strict=strict) + b"%b(?!%b)%b" % (quote, quote, tail)
        bare = self._plain(self.quote) if strict else self._plain()
        return b"(?:%b%b%b|(?!%b%b)%b)" % (blank, quote, rest, blank, quote, bare), rest

    @cached_property
    def _records(self) -> dict[bool, re.Pattern[bytes]]:
        """A record as lenient as Spark is, by whether the file ends with the window."""
        if self.quote:
            line = b"%b(?:%b%b)*" % (f := self._field(strict=False)[0], re.escape(self.sep), f)
        elif self.newline:
            line = b"(?:(?!%b).)*" % self._end
        else:
            line = rb"[^\r\n]*"
        return {final: _compiled(line + self._stop(final)) for final in (False, True)}

    def _stop(self, final: bool) -> bytes:
        return rb"(?:%b|\r?\Z)" % self._end if final else self._end

    @cached_property
    def _strict(self) -> dict[bool, tuple[re.Pattern[bytes], ...]]:
        """A record of the right width, and the rest of one cut outside and inside of quotes."""
        field, rest = self._field(strict=True)
        more = b"(?:%b%b)" % (re.escape(self.sep), field)
        found = {}
        for final in (False, True):
            end = self._stop(final)
            # Blank lines are no records to Spark.
            record = b"(?:%b|%b%b{%d}%b)" % (self._end, field, more, self.width - 1, end)
            fewer = b"%b{0,%d}%b" % (more, self.width - 1, end)
            found[final] = tuple(map(_compiled, (record, field + fewer, rest + fewer)))
        return found

    @cached_property
    def _begun(self) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
        """A well formed record cut by the window's end; the same begun inside of quotes."""
        field, rest = self._field(strict=True)
        blank = rb"[ \t]*" if self.trim else b""
        sep = re.escape(self.sep)
        inside = self._body(strict=True) + b"(?:%b)?" % re.escape(self.escape)
        opened = blank + re.escape(self.quote) + inside
        last = rb"(?:%b|%b\r?)\Z" % (opened, field)
        few = b"{0,%d}" % (self.width - 1)
        whole = b"(?:%b%b)%b%b" % (field, sep, few, last)
        closed = rb"%b(?:%b%b)%b(?:%b%b|\r?)\Z" % (rest, sep, field, few, sep, opened)
        return _compiled(whole), _compiled(rb"(?:%b\Z|%b)" % (inside, closed))

    def records(self, data: bytes, begin: int, *, final: bool) -> Iterator[Span]:
        """The whole records from ``begin``, where one begins. ``final``: the file ends here."""
        return _matches(self._records[final], data, begin)

    def aligned(self, data: bytes, *, final: bool) -> list[Span] | None:
        """The whole records of a window that begins anywhere; None where that is not sure.

        The window has to begin ``lead`` bytes early, so that a record at its begin is not lost.
        """
        if not self.quote:
            first = next(self.records(data, 0, final=final), None)
            return list(self.records(data, first[1], final=final)) if first else []
        begin = self._clear(data)
        readings = [self._read_as(data, begin, final, within=within) for within in (False, True)]
        possible = [spans for spans in readings if spans is not None]
        return possible[0] if len(possible) == 1 and len(possible[0]) >= MIN_RECORDS else None

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

    def _read_as(self, data: bytes, begin: int, final: bool, *, within: bool) -> list[Span] | None:
        """The records if ``begin`` lies within quotes or not; None when that cannot be."""
        record, *partial = self._strict[final]
        cut = partial[within].match(data, begin)
        if not cut:
            # A window of no quotes at all is held for one outside of them, if it has fields.
            quoted = self.quote in data or self.width == 1
            open_ended = not final and (quoted or not within)
            return [] if open_ended and self._begun[within].match(data, begin) else None
        spans = list(_matches(record, data, cut.end()))
        reached = spans[-1][1] if spans else cut.end()
        if reached < len(data) and (final or not self._begun[False].match(data, reached)):
            return None
        return [span for span in spans if data[slice(*span)].strip()]


def _compiled(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern, re.DOTALL)


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
        if mark == b'"':  # cut by the window's end
            break
        if depth == 1 and mark in {b",", b"]"}:
            items, end = items + 1, token.start()
            if items == count or mark == b"]":
                return end, items, mark == b","
        depth += (mark in {b"[", b"{"}) - (mark in {b"]", b"}"})
    return end, items, True
