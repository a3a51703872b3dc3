"""Bytes to text: compression, encoding, line ends; and samples of files too large to read whole."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from bluebear_magic.errors import DatasetError

CHUNK = 1 << 20
# Spark's names, as its readers' option `encoding` takes them.
SPARK_NAMES = {
    "utf-8": "UTF-8",
    "latin-1": "ISO-8859-1",
    "cp1252": "windows-1252",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16LE",
    "utf-16-be": "UTF-16BE",
}
_MULTIBYTE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]")
_CP1252_HOLES = frozenset(b"\x81\x8d\x8f\x90\x9d")


@dataclass(frozen=True)
class Text:
    """What the bytes of a text file are like.

    ``encoding`` is Python's name; ``ascii``: nothing beyond ASCII was seen, so any of
    the one-byte encodings and UTF-8 would read the same.
    """

    encoding: str
    ascii: bool
    bom: bool


def open_binary(path: Path) -> IO[bytes]:
    """The bytes of a file, unpacked when its name ends in .gz."""
    if path.suffix.lower() == ".gz":
        return cast(IO[bytes], gzip.open(path, "rb"))
    return path.open("rb")


def chunks(path: Path, limit: int | None = None) -> Iterator[bytes]:
    """The unpacked bytes, in pieces; at most ``limit``. DatasetError for broken gzip."""
    left = limit
    try:
        with open_binary(path) as stream:
            while left is None or left > 0:
                piece = stream.read(CHUNK if left is None else min(CHUNK, left))
                if not piece:
                    return
                if left is not None:
                    left -= len(piece)
                yield piece
    except EOFError as error:
        raise DatasetError(
            f"{path}: the gzip data is cut off", "Copy or download the file again."
        ) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DatasetError(
            f"{path}: not valid gzip data ({error})",
            "Remove .gz from the name if the file is not compressed, or make it again.",
        ) from error


def head(path: Path, size: int = 256 * 1024) -> tuple[bytes, bool]:
    """The first ``size`` unpacked bytes, and whether that is all."""
    data = b"".join(chunks(path, size + 1))
    return data[:size], len(data) <= size


def detect(path: Path, limit: int | None = None) -> Text:
    """The encoding of the file, from its first ``limit`` bytes (None: from all of them).

    Raises DatasetError for binary data and for a file that mixes encodings.
    """
    start, whole = head(path, 64 * 1024)
    if path.suffix.lower() != ".gz" and start[:2] == b"\x1f\x8b":
        raise DatasetError(f"{path}: gzip data without .gz at the end of its name", "Rename it.")
    marked = _by_mark(path, start)
    if marked:
        return marked
    if b"\0" in start:
        return _with_zeros(path, start)
    return _utf8_or_one_byte(path, start if whole else None, limit)


def _by_mark(path: Path, start: bytes) -> Text | None:
    if start.startswith(codecs.BOM_UTF8):
        return None  # checked like any other UTF-8
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise DatasetError(f"{path}: UTF-32 text cannot be read", "Save the file as UTF-8.")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Text("utf-16", ascii=False, bom=True)
    return None


def _with_zeros(path: Path, start: bytes) -> Text:
    """UTF-16 without a mark has a zero in every other byte of Latin text; else it is binary."""
    even, odd = start[0::2].count(0), start[1::2].count(0)
    half = max(1, len(start) // 2)
    if odd > 0.4 * half and even < 0.1 * half:
        return Text("utf-16-le", ascii=False, bom=False)
    if even > 0.4 * half and odd < 0.1 * half:
        return Text("utf-16-be", ascii=False, bom=False)
    raise DatasetError(
        f"{path}: this is binary data, not text (it has zero bytes)", "Check what the file is."
    )


def _utf8_or_one_byte(path: Path, whole: bytes | None, limit: int | None) -> Text:
    decoder = codecs.getincrementaldecoder("utf-8")()
    ascii_only, valid, high = True, True, set[int]()
    for piece in [whole] if whole is not None else chunks(path, limit):
        if piece.isascii():
            if valid and decoder.getstate()[0]:
                valid = False
            continue
        ascii_only = False
        high.update(byte for byte in set(piece) if 0x80 <= byte < 0xA0)
        if valid:
            try:
                decoder.decode(piece)
            except UnicodeDecodeError:
                valid = False
    if decoder.getstate()[0] and limit is None:  # ends within a character
        valid = False
    bom = head(path, 3)[0] == codecs.BOM_UTF8
    if valid:
        return Text("utf-8", ascii=ascii_only and not bom, bom=bom)
    mixed = _mixed(path, limit)
    if bom or mixed:
        line, other = mixed or (_first_invalid(path, limit), 1)
        raise DatasetError(
            f"{path}, line {line}: mixed encodings: this line is not UTF-8, while "
            + ("the file is marked as UTF-8" if bom else f"line {other} is"),
            "Save the whole file as UTF-8.",
        )
    one_byte = "cp1252" if high and not high & _CP1252_HOLES else "latin-1"
    return Text(one_byte, ascii=False, bom=False)


def _mixed(path: Path, limit: int | None) -> tuple[int, int] | None:
    """(first line that is not UTF-8, first line that surely is), or None unless both occur."""
    bad = good = 0
    for number, line in lines(path, limit):
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            bad = bad or number
        else:
            good = good or (number if _MULTIBYTE.search(line) else 0)
        if bad and good:
            return bad, good
    return None


def _first_invalid(path: Path, limit: int | None) -> int:
    for number, line in lines(path, limit):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            return number
    return 1


def lines(path: Path, limit: int | None = None) -> Iterator[tuple[int, bytes]]:
    """(number from 1, bytes with the line end) of each line ending in a newline."""
    number, rest = 1, b""
    for piece in chunks(path, limit):
        parts = (rest + piece).split(b"\n")
        rest = parts.pop()
        for part in parts:
            yield number, part + b"\n"
            number += 1
    if rest:
        yield number, rest


def without_mark(path: Path) -> Iterator[bytes]:
    """The unpacked bytes without a UTF-8 byte order mark."""
    for number, piece in enumerate(chunks(path)):
        yield piece.removeprefix(codecs.BOM_UTF8) if number == 0 else piece


def open_text(path: Path, encoding: str) -> io.TextIOWrapper:
    """Text without a byte order mark; line ends as they are."""
    name = "utf-8-sig" if encoding == "utf-8" else encoding
    return io.TextIOWrapper(open_binary(path), encoding=name, newline="")


def excerpt(path: Path, target: IO[bytes], size: int, *, header: bool, spots: bool) -> None:
    """Writes whole lines of about ``size`` bytes, from head, middle and tail, to ``target``.

    Without ``spots`` (records over several lines, gzip) all of them come from the head.
    """
    if not spots or path.suffix.lower() == ".gz":
        data = b"".join(chunks(path, size))
        target.write(data[: data.rfind(b"\n") + 1] or data)
        return
    with path.open("rb") as stream:
        spread_lines(stream, path.stat().st_size, target, size, header=header)


def spread_lines(
    stream: Any, total: int, target: IO[bytes], size: int, *, header: bool = False
) -> None:
    """Writes whole lines of about ``size`` bytes of a stream of ``total``: head, middle, tail."""
    share = size // 3
    if header:
        target.write(stream.readline())
    reached = stream.tell()
    for position in (reached, total // 2, total - share):
        stream.seek(max(position, reached))
        if stream.tell() > reached:
            stream.readline()
        target.write(stream.read(share))
        target.write(stream.readline())
        reached = stream.tell()
