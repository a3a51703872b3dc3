"""Samples of a dataset, taken on the trusted side, at bounded cost whatever its size.

A sample is a copy of a few records in the dataset's own format, read by Spark with the
options of the full run, so that check and run parse alike. Small datasets are used whole.
"""

from __future__ import annotations

import gzip
import hashlib
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
    size = sum(Path(path).stat().st_size for path in binding.paths)
    if size <= (WHOLE_COLUMNAR if columnar else WHOLE_TEXT):
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
    """Raw records as they stand; from the head alone where records cannot be found elsewhere."""
    options = dict(binding.options)
    header = options.get("header") == "true"
    encoding = options.get("encoding", "UTF-8")
    quoted_lines = options.get("multiLine") == "true"
    if quoted_lines and binding.format == "json":  # one document: no records to pick
        shutil.copyfile(source, target)
    elif quoted_lines or source.endswith(".gz") or encoding.upper().startswith("UTF-16"):
        quote = options.get("quote", '"') if quoted_lines else None
        _head(source, target, rows + header, encoding, quote)
    else:
        _spots(source, target, rows, header=header)


def _spots(source: str, target: Path, rows: int, *, header: bool) -> None:
    """Lines from head, middle and tail, found by byte range."""
    share = -(-rows // SPOTS)
    with Path(source).open("rb") as stream, target.open("wb") as sink:
        if header:
            sink.write(stream.readline())
        begin = reached = stream.tell()
        size = Path(source).stat().st_size - begin
        for spot in range(SPOTS):
            position = max(begin + size * spot // SPOTS, reached)
            if position > begin:
                stream.seek(position - 1)
                stream.readline()  # the rest of a record that began before
            sink.writelines(_lines(stream, share))
            reached = stream.tell()


def _lines(stream: IO[bytes], count: int) -> Iterator[bytes]:
    left = MAX_READ // SPOTS
    for _ in range(count):
        line = stream.readline(left)
        left -= len(line)
        if not line or left <= 0:
            return
        yield line if line.endswith(b"\n") else line + b"\n"


def _head(source: str, target: Path, records: int, encoding: str, quote: str | None) -> None:
    """The first records; with ``quote``, a record goes on while a quote is open."""
    opener: Any = gzip.open if source.endswith(".gz") else open
    left = MAX_READ
    with (
        opener(source, "rt", encoding=encoding, newline="") as stream,
        target.open("w", encoding=encoding, newline="") as sink,
    ):
        for _ in range(records):
            record = stream.readline(left)
            while quote and record.count(quote) % 2 and len(record) < left:
                more = stream.readline(left)
                if not more:
                    break
                record += more
            left -= len(record)
            if not record or left <= 0:
                return
            sink.write(record)
