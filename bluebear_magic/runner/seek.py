"""Rows with wanted keys, looked for in at most eight more places of a dataset."""

from __future__ import annotations

import io
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bluebear_magic.runner.keys import Key, NoKey, spelled, stored_name
from bluebear_magic.runner.reads import Budget, CountedFile
from bluebear_magic.runner.sample_columnar import (
    PAGE,
    joined,
    open_parquet,
    orc_batches,
    spread,
    suppress_over,
    translated,
)
from bluebear_magic.runner.sample_records import BOM
from bluebear_magic.runner.sample_text import Window, with_newline
from bluebear_magic.runner.sampling import target_of

PLACES = 8
FILES = 64  # whose footers are read for their statistics
LOOK = 512 * 1024  # bytes of text per place
LOOK_ROWS = 250_000  # rows of a row group
PROBE = 64 * 1024  # bytes of text per step of a search by halves


@dataclass
class Search:
    """What is looked for: up to ``rows`` rows of ``key``'s dataset with ``wanted`` values."""

    key: Key
    wanted: frozenset[str]
    rows: int
    budget: Budget


def rows_with(search: Search, aside: Path) -> int:
    """Writes the rows found to new files in the folder ``aside``; how many there were.

    None of the rows is in a sample that has none of the wanted keys.
    """
    _ = search.key.index
    kind = search.key.binding.format
    if any(search.key.of_path(path) is not None for path in search.key.binding.paths[:1]):
        raise NoKey("the folders tell the key")
    if kind == "parquet":
        return _parquet(search, aside)
    if kind == "orc":
        return _orc(search, aside)
    return _text(search, aside)


# --- columnar ---------------------------------------------------------------


def _parquet(search: Search, aside: Path) -> int:
    taken = 0
    for number, (path, group) in enumerate(_likely(search)):
        if taken >= search.rows:
            break
        share = Budget(search.budget.left // (PLACES - number))
        with CountedFile(path, share) as counted, translated(counted):
            file = open_parquet(counted)
            found = file.metadata.row_group(group)
            size = max(1, min(16_384, 4 * PAGE * found.num_rows // max(1, found.total_byte_size)))
            batches = file.iter_batches(size, row_groups=[group], use_threads=False)
            pieces = _matching(batches, counted, search, search.rows - taken)
            if pieces:
                table = joined(file.schema_arrow, pieces)
                _write(search, table, path, aside, number)
                taken += len(table)
        search.budget.charge(share.spent)
    return taken


def _orc(search: Search, aside: Path) -> int:
    """Of ORC the heads of up to eight files."""
    from pyarrow import orc

    taken = 0
    paths = search.key.binding.paths
    for number, index in enumerate(spread(len(paths), PLACES)):
        share = Budget(search.budget.left // (PLACES - number))
        with CountedFile(paths[index], share) as counted, translated(counted):
            schema = orc.ORCFile(counted).schema
            pieces = _matching(orc_batches(counted), counted, search, search.rows - taken)
            if pieces:
                table = joined(schema, pieces)
                _write(search, table, paths[index], aside, number)
                taken += len(table)
        search.budget.charge(share.spent)
        if taken >= search.rows:
            break
    return taken


def _write(search: Search, table: Any, source: str, aside: Path, number: int) -> None:
    import pyarrow.parquet as pq
    from pyarrow import orc

    target = target_of(search.key.binding, source, aside, f"keys-{number}")
    if search.key.binding.format == "parquet":
        pq.write_table(table, target)
    else:
        orc.write_table(table, str(target))


def _likely(search: Search) -> list[tuple[str, int]]:
    """The row groups whose statistics promise the most of the wanted keys, by their cost."""
    rated: list[tuple[float, str, int]] = []
    paths = search.key.binding.paths
    budget = search.budget.part(4)
    for index in spread(len(paths), FILES):
        path = paths[index]
        with CountedFile(path, budget) as counted, translated(counted), suppress_over(counted):
            metadata = open_parquet(counted).metadata
            leaf = _leaf(search.key, metadata)
            for group in range(metadata.num_row_groups):
                found = metadata.row_group(group)
                hope = _hope(search.wanted, found.column(leaf).statistics)
                if hope and found.num_rows:
                    rated.append((hope / found.num_rows, path, group))
    search.budget.charge(budget.spent)
    rated.sort(key=lambda item: -item[0])
    if rated and rated[0][0] == rated[-1][0]:  # nothing to choose by
        return [rated[n][1:] for n in spread(len(rated), PLACES)]
    return [item[1:] for item in rated[:PLACES]]


def _leaf(key: Key, metadata: Any) -> int:
    names = {metadata.schema.column(n).path: n for n in range(metadata.num_columns)}
    return names[stored_name(key, list(names))]


def _hope(wanted: frozenset[str], statistics: Any) -> float:
    """How many of the wanted keys lie within the bounds of a row group."""
    if statistics is None or not statistics.has_min_max:
        return float(len(wanted))
    low, high = statistics.min, statistics.max
    try:
        if isinstance(low, int) and not isinstance(low, bool):
            keys: list[Any] = sorted(int(value) for value in wanted)
        elif isinstance(low, float):
            keys = sorted(float(value) for value in wanted)
        else:
            keys, low, high = sorted(wanted), spelled(low) or "", spelled(high) or ""
        return float(bisect_right(keys, high) - bisect_left(keys, low))
    except ValueError:
        return float(len(wanted))


def _matching(batches: Iterable[Any], counted: CountedFile, search: Search, rows: int) -> list[Any]:
    """Up to ``rows`` rows with wanted keys, of a bounded look at the batches."""
    import pyarrow as pa
    import pyarrow.compute as pc

    pieces: list[Any] = []
    found = seen = 0
    chosen: Any = None
    met: set[Any] = set()
    with suppress_over(counted):
        for batch in batches:
            name = stored_name(search.key, batch.schema.names)
            column = batch.column(name)
            if chosen is None:
                chosen = _typed(search.wanted, column.type)
            if pa.types.is_dictionary(column.type):
                column = column.dictionary_decode()
            piece = batch.filter(pc.is_in(column, value_set=chosen))
            if len(piece):
                pieces.append(pa.Table.from_batches([piece]).slice(0, rows - found))
                met.update(piece.column(name).unique().to_pylist())
            found, seen = found + len(piece), seen + len(batch)
            if found >= rows or len(met) == len(search.wanted) or seen >= LOOK_ROWS:
                break
    return pieces


def _typed(wanted: frozenset[str], kind: Any) -> Any:
    """The wanted values that can be of a column's type, as an array of it."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_nested(kind):
        raise NoKey("nested values are no keys")
    texts = sorted(wanted)
    try:
        return pa.array(texts, pa.string()).cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        kept = [_cast(text, kind) for text in texts]
        return pa.array([value for value in kept if value is not None], kind)


def _cast(text: str, kind: Any) -> Any:
    import pyarrow as pa

    try:
        return pa.scalar(text).cast(kind).as_py()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


# --- text -------------------------------------------------------------------


def _text(search: Search, aside: Path) -> int:
    """Of text up to eight more windows, found by halves where a file is sorted by the key."""
    shape = search.key.shape
    plain = [path for path in search.key.binding.paths if not path.lower().endswith(".gz")]
    if shape.codec or (shape.json and shape.multiline) or not plain:
        return 0
    taken = 0
    chosen = spread(len(plain), PLACES)
    for number, index in enumerate(chosen):
        budget = search.budget.part(len(chosen) - number)
        places = PLACES // len(chosen) + (number < PLACES % len(chosen))
        with CountedFile(plain[index], budget) as file:
            header, records = _searched(search, file, places)
        search.budget.charge(budget.spent)
        records = records[: search.rows - taken]
        if records:
            target = target_of(search.key.binding, plain[index], aside, f"keys-{number}")
            target.write_bytes(header + b"".join(records))
            taken += len(records)
        if taken >= search.rows:
            break
    return taken


def _searched(search: Search, file: CountedFile, places: int) -> tuple[bytes, list[bytes]]:
    """The header, and the records with wanted keys, as they stand."""
    reader = _Reader(search.key, file)
    found: dict[int, bytes] = {}
    met: set[str] = set()
    for place in _places(search, reader, places):
        for offset, value, record in reader.records(place, LOOK):
            if value is not None and value in search.wanted:
                met.add(value)
                found[offset] = record if record.endswith((b"\n", b"\r")) else record + b"\n"
        if len(found) >= search.rows or len(met) == len(search.wanted):
            break
    return reader.header, [found[offset] for offset in sorted(found)]


def _places(search: Search, reader: _Reader, count: int) -> Iterator[int]:
    room = max(0, reader.size - reader.begin)
    if room <= LOOK * count:
        yield from range(reader.begin, reader.size, LOOK)
        return
    ordered = _sorted_keys(reader)
    if ordered is None:
        for number in range(count):
            yield reader.begin + room * (2 * number + 1) // (2 * count)
        return
    keys = sorted(filter(None, map(ordered, search.wanted)))
    for index in spread(len(keys), count):
        yield _halved(reader, keys[index], ordered)


def _sorted_keys(reader: _Reader) -> Any:
    """What keys are sorted by when those of a few places are in order: number or text."""
    seen: list[str] = []
    for number in range(9):
        place = reader.begin + (reader.size - reader.begin - PROBE) * number // 8
        seen += [value for _, value, _ in reader.records(place, PROBE) if value is not None]
    for ordered in (_number, _words):
        order: list[Any] = [ordered(value) for value in seen]
        if len(order) > 1 and None not in order and order == sorted(order):
            return ordered
    return None


def _number(text: str) -> tuple[float, str] | None:
    try:
        return float(text), ""
    except ValueError:
        return None


def _words(text: str) -> tuple[float, str]:
    return 0.0, text


def _halved(reader: _Reader, key: Any, ordered: Any) -> int:
    """Where in a sorted file a key would be; a little before it."""
    low, high = reader.begin, reader.size
    while high - low > PROBE:
        middle = (low + high) // 2
        first = next((v for _, v, _ in reader.records(middle, PROBE // 4) if v is not None), None)
        if first is None or ordered(first) is None or ordered(first) >= key:
            high = middle
        else:
            low = middle
    return low


class _Reader:
    """Records of one text file by byte range, with their keys."""

    def __init__(self, key: Key, file: CountedFile) -> None:
        self._key, self._file = key, file
        self.size = file.seek(0, io.SEEK_END)
        file.seek(0)
        window = Window(file, 2 * PROBE)
        window.grow(PROBE)
        self._grammar = with_newline(key.shape.grammar, window.data)
        self.begin = len(BOM) if window.data.startswith(BOM) else 0
        if key.shape.header:
            for begin, end in self._grammar.records(window.data, self.begin, final=window.final):
                self.begin = end
                if window.data[begin:end].strip():
                    break
        self.header = window.data[: self.begin] if key.shape.header else b""

    def records(self, place: int, look: int) -> Iterator[tuple[int, str | None, bytes]]:
        """Offset, key and bytes of the records that begin in ``look`` bytes from ``place``."""
        known = place <= self.begin
        origin = self.begin if known else place - self._grammar.lead
        self._file.seek(origin)
        window = Window(self._file, look + 2 * PROBE)
        window.grow(look + self._grammar.lead)
        if window.data and origin + len(window.data) >= self.size:
            window.final = True
        data, final = window.data, window.final
        spans = (
            list(self._grammar.records(data, 0, final=final))
            if known
            else self._grammar.aligned(data, final=final)
        )
        for begin, end in spans or []:
            record = data[begin:end]
            if record.strip():
                yield origin + begin, self._key.of_record(record), record
