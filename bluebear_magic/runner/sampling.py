"""Samples of a dataset, taken on the trusted side, at bounded cost whatever its size.

A sample is a copy of a few records in the dataset's own format, read by Spark with the
options of the full run, so that check and run parse alike. Small datasets are used whole.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from bluebear_magic.runner.envelope import Binding

ROWS = 1000
WHOLE_TEXT = 512 * 1024  # bytes of text that Spark reads in the time it takes to begin
WHOLE_COLUMNAR = 128 * 1024
MAX_READ = 64 * 1024 * 1024  # bytes read for one sample, any format
SPOTS = 3  # head, middle and tail: of the files, and within a file


def sample(binding: Binding, fingerprint: str, cache: Path, rows: int = ROWS) -> Binding:
    """The binding itself when it is small, else one over about ``rows`` sampled records.

    ``fingerprint`` names the data's state: a sample is made once for each. ``cache`` is
    a folder for samples; made when missing. Raises OSError when it cannot be written.
    """
    columnar = binding.format in {"parquet", "orc"}
    sizes = {path: os.stat(path).st_size for path in binding.paths}
    if sum(sizes.values()) <= (WHOLE_COLUMNAR if columnar else WHOLE_TEXT):
        return binding
    key = hashlib.sha256(f"1 {rows} {fingerprint} {binding}".encode()).hexdigest()[:24]
    target = cache / key
    if not (target / "_done").exists():
        _make(binding, target, cache, rows)
    paths = tuple(sorted(str(path) for path in target.rglob("*") if _is_data(path)))
    base = str(target) if binding.base_path else None
    return replace(binding, paths=paths, base_path=base, sampled=True)


def _is_data(path: Path) -> bool:
    return path.is_file() and not path.name.startswith("_")


def _make(binding: Binding, target: Path, cache: Path, rows: int) -> None:
    """Builds the sample aside and moves it in place, so that a half-made one is never read."""
    cache.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(dir=cache, prefix="_"))
    try:
        chosen = _spread(binding.paths)
        for number, path in enumerate(chosen):
            folder = building
            if binding.base_path:
                folder = building / Path(path).parent.relative_to(binding.base_path)
                folder.mkdir(parents=True, exist_ok=True)
            share = -(-rows // len(chosen))
            if binding.format == "parquet":
                _parquet(path, folder / f"{number}.parquet", share, MAX_READ // len(chosen))
            elif binding.format == "orc":
                _orc(path, folder / f"{number}.orc", share)
            else:
                suffix = ".csv" if binding.format == "csv" else ".json"
                _text(binding, path, folder / f"{number}{suffix}", share)
        (building / "_done").touch()
        try:
            building.rename(target)
        except OSError:  # another process made the same sample meanwhile
            if not (target / "_done").exists():
                raise
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _spread(items: tuple[str, ...]) -> tuple[str, ...]:
    """First, middle and last, each once."""
    last = len(items) - 1
    return tuple(items[index] for index in sorted({0, last // 2, last}))


def _parquet(source: str, target: Path, rows: int, budget: int) -> None:
    """Rows from the first, middle and last row group; spread over the group where it is small."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(source) as file:
        last = file.metadata.num_row_groups - 1
        groups = sorted({0, last // 2, last}) if last >= 0 else []
        share = -(-rows // max(1, len(groups)))
        pieces = []
        for group in groups:
            if file.metadata.row_group(group).total_byte_size <= budget // len(groups):
                pieces.append(_every(file.read_row_group(group), share))
            else:
                batch = next(file.iter_batches(batch_size=share, row_groups=[group]), None)
                if batch is not None:
                    pieces.append(pa.Table.from_batches([batch]))
        table = pa.concat_tables(pieces) if pieces else file.schema_arrow.empty_table()
    pq.write_table(table, target)


def _orc(source: str, target: Path, rows: int) -> None:
    import pyarrow as pa
    from pyarrow import orc

    file = orc.ORCFile(source)
    last = file.nstripes - 1
    stripes = sorted({0, last // 2, last}) if last >= 0 else []
    share = -(-rows // max(1, len(stripes)))
    pieces = [_every(pa.Table.from_batches([file.read_stripe(n)]), share) for n in stripes]
    orc.write_table(pa.concat_tables(pieces) if pieces else file.schema.empty_table(), str(target))


def _every(table: Any, rows: int) -> Any:
    """About ``rows`` rows at equal distances."""
    step = max(1, table.num_rows // max(1, rows))
    return table.take(list(range(0, table.num_rows, step))[:rows])


def _text(binding: Binding, source: str, target: Path, rows: int) -> None:
    """Raw records, byte for byte; from the head alone where records cannot be found elsewhere."""
    options = dict(binding.options)
    encoding = options.get("encoding", "UTF-8")
    header = options.get("header") == "true"
    zipped = source.endswith(".gz")
    wide = encoding.upper().startswith("UTF-16")
    quoted_lines = options.get("multiLine") == "true"
    with _open(source, zipped=zipped) as stream, target.open("wb") as sink:
        if quoted_lines or zipped or wide:
            quote = options.get("quote", '"') if quoted_lines else None
            if binding.format == "json" and quoted_lines:  # one document: no records to pick
                shutil.copyfileobj(stream, sink)
                return
            sink.writelines(_head(stream, rows + header, encoding, quote))
            return
        if header:
            sink.write(stream.readline())
        begin = stream.tell()
        size = os.stat(source).st_size - begin
        share = -(-rows // SPOTS)
        reached = begin
        for spot in range(SPOTS):
            position = max(begin + size * spot // SPOTS, reached)
            if position > begin:
                stream.seek(position - 1)
                stream.readline()  # the rest of a record that began before
            sink.writelines(_lines(stream, share))
            reached = stream.tell()


def _open(source: str, *, zipped: bool) -> IO[bytes]:
    if zipped:
        opened: IO[bytes] = gzip.open(source, "rb")  # type: ignore[assignment]
        return opened
    return Path(source).open("rb")


def _lines(stream: IO[bytes], count: int) -> Iterator[bytes]:
    left = MAX_READ // SPOTS
    for _ in range(count):
        line = stream.readline(left)
        left -= len(line)
        if not line or left <= 0:
            return
        yield line if line.endswith(b"\n") else line + b"\n"


def _head(stream: IO[bytes], records: int, encoding: str, quote: str | None) -> Iterator[bytes]:
    """The first records; with ``quote``, a record goes on while a quote is open."""
    newline = "\n".encode(encoding.replace("16", "16-LE") if encoding == "UTF-16" else encoding)
    mark = quote.encode(encoding) if quote else None
    read = 0
    for _ in range(records):
        record = b""
        while True:
            line = _read_line(stream, newline)
            record += line
            read += len(line)
            if not line or mark is None or record.count(mark) % 2 == 0:
                break
        if not record or read > MAX_READ:
            return
        yield record


def _read_line(stream: IO[bytes], newline: bytes) -> bytes:
    """One line; in a two-byte encoding the newline is two bytes, at an even place."""
    line = stream.readline()
    while line and len(newline) == 2 and not (line.endswith(newline) or line[-1:] == b""):
        more = stream.read(1) if newline[1:] == b"\0" else b""
        line += more
        if line.endswith(newline) or not more:
            break
        following = stream.readline()
        line += following
        if not following:
            break
    return line
