"""Records of CSV and JSON files as they stand, from places found by byte range.

What is written is a slice of the source: Spark parses it later, with the options of the
full run. Where records cannot be told apart in the middle of a file, its head is taken.
"""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bluebear_magic.runner.envelope import Binding
from bluebear_magic.runner.reads import CountedFile, OverBudget, Quota
from bluebear_magic.runner.sample_records import BOM, Grammar, Span, array_items, line_end

FIRST = 16 * 1024  # bytes of a first look
QUOTED = 64 * 1024  # bytes in which quotes tell where records begin
QUOTELESS = 1024 * 1024  # bytes without any quote, after which no quoted value is feared
MAX_UNPACKED = 64 * 1024 * 1024
_WIDE = re.compile(r"utf-?(16|32)")
# Encodings in which each byte below 0x80 is that ASCII character, wherever it stands.
_CLEAN = re.compile(r"utf-8|ascii|iso8859-\d+|latin|cp125\d|cp8\d\d|cp437|koi8-[rut]|mac-.*")


@dataclass(frozen=True)
class Part:
    """What was taken of one file: ``rows``; of its ``head`` alone, since it is a ``kind``; why."""

    rows: int
    head: bool = False
    kind: str = "file"
    why: str = ""


@dataclass(frozen=True)
class TextShape:
    """How a dataset's text is written, as its options say it.

    ``codec``: Python's name of an encoding whose bytes do not show characters; else empty.
    """

    grammar: Grammar
    header: bool
    multiline: bool
    json: bool
    codec: str = ""


def shape_of(binding: Binding, width: int) -> TextShape:
    """The shape of a text dataset with ``width`` fields per record."""
    options = {key.lower(): value for key, value in binding.options}
    json = binding.format == "json"
    multiline = options.get("multiline", "").lower() == "true"
    encoding = options.get("encoding") or options.get("charset") or "UTF-8"
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        name = "utf-8"
    codec = name if _WIDE.search(name) or (multiline and not _CLEAN.fullmatch(name)) else ""
    coding = "utf-8" if codec else name
    quote = options.get("quote", '"').encode(coding) if multiline and not json else b""
    grammar = Grammar(
        sep=(options.get("sep") or options.get("delimiter") or ",").encode(coding),
        quote=quote.strip(b"\0"),
        escape=options.get("escape", "\\").encode(coding),
        newline=options.get("linesep", "").encode(coding),
        width=width,
        trim=options.get("ignoreleadingwhitespace", "").lower() == "true",
    )
    header = not json and options.get("header", "").lower() == "true"
    return TextShape(grammar, header, multiline, json, codec)


class Window:
    """The bytes of a stream from where it stands; more of them with ``grow``.

    ``data`` is UTF-8 when there is a ``codec``. ``final``: the stream ends here.
    """

    def __init__(self, stream: Any, limit: int, codec: str = "") -> None:
        self.data = b""
        self.final = False
        self._stream = stream
        self._left = limit
        self._decoder = codecs.getincrementaldecoder(codec)("surrogatepass") if codec else None

    def grow(self, size: int) -> bool:
        """Reads up to ``size`` bytes more; False when there are none or the limit is reached."""
        size = min(size, self._left)
        if self.final or size <= 0:
            return False
        pieces, read = [], 0
        while read < size and not self.final:
            try:
                piece = self._stream.read(min(size - read, 1 << 20))
            except OverBudget:
                self._left = read
                break
            self.final = not piece
            pieces.append(piece)
            read += len(piece)
        self._left -= read
        more = b"".join(pieces)
        if self._decoder:
            more = self._decoder.decode(more, self.final).encode("utf-8", "surrogatepass")
        self.data += more
        return read > 0 or self.final


def take(source: str, target: Path, shape: TextShape, quota: Quota) -> Part:
    """Copies records of ``source`` to ``target``, as many as the quota says.

    Raises OSError when the source cannot be read.
    """
    rows, budget = quota.rows, quota.budget
    with CountedFile(source, budget) as file, target.open("wb") as sink:
        if source.lower().endswith(".gz"):
            return _packed(file, sink, shape, rows)
        if shape.codec:
            codec = byte_order(file, shape.codec)
            window = Window(file, budget.left, codec)
            kind = f"{'-'.join(re.split('[-_]', shape.codec)[:2]).upper()} file"
            return Part(_head(window, sink, shape, rows, codec)[0], head=True, kind=kind)
        if shape.json and shape.multiline:
            return _document(Window(file, budget.left), sink, rows)
        if quota.spots > 1:
            found = _everywhere(file, sink, shape, quota)
            if found is not None:
                return Part(found)
            file.seek(0)
            sink.seek(0)
            sink.truncate()
        taken, _ = _head(Window(file, budget.left), sink, shape, rows)
        why = "further on, quotes leave open where records begin" if quota.spots > 1 else ""
        return Part(taken, head=True, why=why)


def _packed(file: CountedFile, sink: Any, shape: TextShape, rows: int) -> Part:
    try:
        with gzip.GzipFile(fileobj=io.BufferedReader(file, FIRST)) as stream:
            codec = shape.codec
            if codec:
                codec = byte_order(stream, codec)
            window = Window(stream, MAX_UNPACKED, codec)
            if shape.json and shape.multiline:
                return replace(_document(window, sink, rows, codec), kind="gzip file")
            return Part(_head(window, sink, shape, rows, codec)[0], head=True, kind="gzip file")
    except (EOFError, zlib.error) as error:
        raise OSError(f"the gzip data is damaged ({error})") from error


def byte_order(stream: Any, codec: str) -> str:
    """The encoding with its byte order, so that a byte order mark stays a character."""
    if codec not in {"utf-16", "utf-32"}:
        return codec
    start = stream.read(4)
    stream.seek(0)
    return codec + ("-le" if start.startswith(b"\xff\xfe") else "-be")  # Java's own default


def _put(sink: Any, text: bytes, codec: str) -> None:
    if codec:
        text = text.decode("utf-8", "surrogatepass").encode(codec, "surrogatepass")
    sink.write(text)


def with_newline(grammar: Grammar, data: bytes) -> Grammar:
    """Where quotes count, a file has one kind of line end."""
    if grammar.newline or not grammar.quote:
        return grammar
    return replace(grammar, newline=line_end(data, grammar.quote))


def _head(
    window: Window, sink: Any, shape: TextShape, rows: int, codec: str = ""
) -> tuple[int, int]:
    """Writes the header and the first ``rows`` records; how many there were and where they end."""
    while True:
        data = window.data
        grammar = with_newline(shape.grammar, data)
        taken, end = 0, len(BOM) if data.startswith(BOM) else 0
        for begin, end_ in grammar.records(data, end, final=window.final):
            if taken == rows + shape.header:
                break
            taken += bool(data[begin:end_].strip())  # blank lines are no records to Spark
            end = end_
        if taken == rows + shape.header or not window.grow(max(FIRST, len(data))):
            _put(sink, data[:end], codec)
            return max(0, taken - shape.header), end


def _document(window: Window, sink: Any, rows: int, codec: str = "") -> Part:
    """The first items of a JSON array; another document whole, where it can be read."""
    while True:
        end, items, more = array_items(window.data, rows)
        if items >= rows or not window.grow(max(FIRST, len(window.data))):
            break
    if items and more:
        _put(sink, window.data[:end] + b"]", codec)
        return Part(items, head=True, kind="JSON array")
    if not window.final:
        window.grow(1)
    if window.final:
        _put(sink, window.data, codec)
        return Part(max(1, items))
    return Part(0, head=True, kind="JSON document", why="it is too large")


def _everywhere(file: CountedFile, sink: Any, shape: TextShape, quota: Quota) -> int | None:
    """Records of the head, the tail, and between; None where they cannot be told apart."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    budget, spots = quota.budget, quota.spots
    share = -(-quota.rows // spots)
    head = Window(file, budget.left // spots)
    taken, reached = _head(head, sink, shape, share)
    if not head.data or (taken < share and not head.final):
        return taken  # a row longer than the budget
    grammar = with_newline(shape.grammar, head.data)
    average = reached // max(1, taken) + 1
    first = reached
    for spot in range(1, spots):
        if reached >= size:
            break
        limit = budget.left // (spots - spot)
        place = first + (size - first) * spot // (spots - 1)
        look = Spot(place, reached, size, share, average, last=spot == spots - 1)
        found = look.read(file, grammar, limit)
        if found is None:
            return None
        data, begin, count = found
        sink.write(data)
        taken, reached = taken + count, max(reached, begin + len(data))
    return taken


@dataclass(frozen=True)
class Spot:
    """A place in a file to read ``rows`` records at, not before ``reached``.

    The ``last`` one ends with the file.
    """

    place: int
    reached: int
    size: int
    rows: int
    average: int
    last: bool = False

    def read(
        self, file: CountedFile, grammar: Grammar, limit: int
    ) -> tuple[bytes, int, int] | None:
        """The bytes, where they begin, how many records; None where that is not sure."""
        look = max(FIRST // 4, self.average * (self.rows + 2) * 5 // 4)
        if grammar.quote:
            look = max(QUOTED, look)
        look = min(look, max(1, limit // 2))
        begin = max(self.reached, self.size - look if self.last else self.place)
        known = begin == self.reached
        origin = begin if known else begin - grammar.lead
        file.seek(origin)
        window = Window(file, limit)
        window.grow(look + grammar.lead + 1)
        spans = self._spans(window, grammar, known=known)
        while not self._enough(window, spans, grammar, known=known):
            if not window.grow(max(look, len(window.data))):
                break
            spans = self._spans(window, grammar, known=known)
        if spans is None:
            return None
        spans = spans[-self.rows :] if self.last and window.final else spans[: self.rows]
        if not spans:
            return b"", self.reached, 0
        return window.data[spans[0][0] : spans[-1][1]], origin + spans[0][0], len(spans)

    @staticmethod
    def _spans(window: Window, grammar: Grammar, *, known: bool) -> list[Span] | None:
        data = window.data
        if known:
            spans: list[Span] | None = list(grammar.records(data, 0, final=window.final))
        else:
            spans = grammar.aligned(data, final=window.final)
        return spans and [span for span in spans if data[slice(*span)].strip()]

    def _enough(
        self, window: Window, spans: list[Span] | None, grammar: Grammar, *, known: bool
    ) -> bool:
        guessed = bool(grammar.quote) and not known
        if guessed and grammar.quote not in window.data and len(window.data) < QUOTELESS:
            return False
        if spans is None:
            return len(window.data) >= 2 * QUOTELESS
        return len(spans) >= self.rows and not (self.last and not window.final)
