import csv as csvlib
import gzip
import io
import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import orc

from bluebear_magic.runner import sample_cache, sample_text, sampling
from bluebear_magic.runner.envelope import Binding
from bluebear_magic.runner.sampling import sample


@pytest.fixture(autouse=True)
def _nothing_is_small(monkeypatch):
    monkeypatch.setattr(sampling, "WHOLE_TEXT", 100)
    monkeypatch.setattr(sampling, "WHOLE_COLUMNAR", 100)


def csv(path, rows, header=True, **options):
    lines = ["id,text"] * header + [f"{n},row {n}" for n in range(rows)]
    path.write_text("\n".join(lines) + "\n")
    options = {"header": str(header).lower(), **options}
    return Binding("d", "csv", (str(path),), "id BIGINT, text STRING", tuple(options.items()))


def lines(binding):
    assert binding.sampled
    return [line for path in binding.paths for line in Path(path).read_text().splitlines()]


def test_a_small_dataset_is_used_whole(tmp_path):
    binding = csv(tmp_path / "d.csv", 3)
    got = sample(binding, "f", tmp_path / "cache")
    assert replace(got, fingerprint="") == binding
    assert got.fingerprint
    assert got.fingerprint != sample(binding, "g", tmp_path / "cache").fingerprint


def test_text_is_taken_from_head_middle_and_tail_as_whole_records(tmp_path):
    whole = csv(tmp_path / "d.csv", 10_000)
    got = lines(sample(whole, "f", tmp_path / "cache", rows=90))
    assert got[0] == "id,text"
    numbers = [int(line.split(",row ")[0]) for line in got[1:]]
    assert all(line == f"{n},row {n}" for n, line in zip(numbers, got[1:], strict=True))
    assert len(numbers) == len(set(numbers)) == 90
    assert numbers == sorted(numbers)
    assert numbers[:10] == list(range(10))
    assert sum(4000 < n < 6000 for n in numbers) >= 10
    assert numbers[-10:] == list(range(9990, 10_000))


def test_a_file_of_fewer_records_than_wanted_gives_each_once(tmp_path):
    got = lines(sample(csv(tmp_path / "d.csv", 40), "f", tmp_path / "cache", rows=1000))
    assert sorted(got) == sorted((tmp_path / "d.csv").read_text().splitlines())


def test_quoted_new_lines_are_kept_whole_from_the_head(tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("id,text\n" + "".join(f'{n},"a\nb ""q"" {n}"\n' for n in range(500)))
    options = (("header", "true"), ("multiLine", "true"), ("quote", '"'))
    whole = Binding("d", "csv", (str(path),), "id BIGINT, text STRING", options)
    (file,) = sample(whole, "f", tmp_path / "cache", rows=2).paths
    assert Path(file).read_text() == 'id,text\n0,"a\nb ""q"" 0"\n1,"a\nb ""q"" 1"\n'


def test_gzip_is_read_from_its_head(tmp_path):
    path = tmp_path / "d.csv.gz"
    with gzip.open(path, "wt") as stream:
        stream.write("id\n" + "".join(f"{n}\n" for n in range(5000)))
    whole = Binding("d", "csv", (str(path),), "id BIGINT", (("header", "true"),))
    assert lines(sample(whole, "f", tmp_path / "cache", rows=3)) == ["id", "0", "1", "2"]


def test_two_byte_encodings_are_read_from_the_head(tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("id\n" + "".join(f"{n}\n" for n in range(500)), encoding="utf-16")
    options = (("header", "true"), ("encoding", "UTF-16"))
    whole = Binding("d", "csv", (str(path),), "id BIGINT", options)
    (file,) = sample(whole, "f", tmp_path / "cache", rows=2).paths
    assert Path(file).read_text(encoding="utf-16") == "id\n0\n1\n"


@pytest.mark.parametrize("kind", ["parquet", "orc"])
def test_columnar_files_give_rows_from_all_over(tmp_path, kind):
    path = str(tmp_path / f"d.{kind}")
    table = pa.table({"id": list(range(20_000))})
    if kind == "parquet":
        pq.write_table(table, path, row_group_size=1000)
    else:
        orc.write_table(table, path)
    binding = sample(Binding("d", kind, (path,), "id BIGINT"), "f", tmp_path / "cache", rows=90)
    (file,) = binding.paths
    got = (pq.read_table(file) if kind == "parquet" else orc.read_table(file))["id"].to_pylist()
    assert 85 <= len(got) <= 100
    assert min(got) < 1000
    assert max(got) > 19_000


def test_partitions_keep_their_folders(tmp_path):
    root = tmp_path / "d"
    for month in range(1, 10):
        folder = root / f"month={month}"
        folder.mkdir(parents=True)
        csv(folder / "p.csv", 50)
    paths = tuple(str(p) for p in sorted(root.rglob("*.csv")))
    whole = Binding(
        "d", "csv", paths, "id BIGINT, text STRING, month INT", (("header", "true"),), str(root)
    )
    got = sample(whole, "f", tmp_path / "cache", rows=30)
    assert [p.split("/")[-2] for p in got.paths] == ["month=1", "month=5", "month=9"]
    assert all(p.startswith(got.base_path) for p in got.paths)


def test_a_sample_is_made_once_for_each_state_of_the_data(tmp_path):
    whole = csv(tmp_path / "d.csv", 500)
    first = sample(whole, "f1", tmp_path / "cache", rows=10)
    (tmp_path / "d.csv").write_text("id,text\n" + "1,new\n" * 500)
    assert sample(whole, "f1", tmp_path / "cache", rows=10) == first
    second = sample(whole, "f2", tmp_path / "cache", rows=10)
    assert "1,new" in lines(second)
    assert second.fingerprint != first.fingerprint
    assert not Path(first.paths[0]).exists()
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_what_is_read_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(sampling, "MAX_READ", 300)
    whole = csv(tmp_path / "d.csv", 10_000)
    assert sum(map(len, lines(sample(whole, "f", tmp_path / "cache")))) <= 310


def test_no_half_made_sample_is_left_behind(tmp_path):
    whole = Binding("d", "parquet", (str(tmp_path / "d.parquet"),), "id BIGINT")
    (tmp_path / "d.parquet").write_bytes(b"PAR1 not really" * 50)
    with pytest.raises((OSError, pa.ArrowInvalid)):
        sample(whole, "f", tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def read_of(binding):
    """Bytes read for a sample."""
    folder = binding.base_path or Path(binding.paths[0]).parent
    return sample_cache.load(Path(folder)).read


def raw(tmp_path, data, rows=30, fmt="csv", schema="id BIGINT, text STRING", **options):
    """A sample of a file with these bytes."""
    path = tmp_path / f"d.{fmt}"
    path.write_bytes(data)
    whole = Binding("d", fmt, (str(path),), schema, tuple(options.items()))
    return sample(whole, "f", tmp_path / "cache", rows=rows)


def quoted(number, newline="\n"):
    return f'{number},"a{newline}b ""q"", {number}"{newline}'.encode()


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_quoted_new_lines_are_found_in_middle_and_tail(tmp_path, newline):
    records = [quoted(n, newline) for n in range(20_000)]
    head = f"id,text{newline}".encode()
    got = raw(tmp_path, head + b"".join(records), header="true", multiLine="true", escape='"')
    data = Path(got.paths[0]).read_bytes()
    assert data.startswith(head)
    rows = list(csvlib.reader(io.StringIO(data.decode(), newline="")))[1:]
    numbers = [int(row[0]) for row in rows]
    assert all(row[1] == f'a{newline}b "q", {row[0]}' for row in rows)
    assert numbers[0] == 0
    assert numbers[-1] == 19_999
    assert any(8000 < n < 12_000 for n in numbers)
    assert got.note == "head, middle and tail of the file"


def test_where_quotes_are_ambiguous_the_head_is_taken_and_it_is_said(tmp_path):
    # Read from a quote on, every second line is well formed as well.
    data = b"a,b\n" + b'",\n","\n",",\n"\n' * 60_000
    got = raw(tmp_path, data, header="true", multiLine="true", escape='"')
    assert got.note.startswith("head of the file (")
    (file,) = got.paths
    assert data.startswith(Path(file).read_bytes())


def test_a_byte_order_mark_and_crlf_stay(tmp_path):
    data = b"\xef\xbb\xbfid,text\r\n" + b"".join(b"%d,x\r\n" % n for n in range(900))
    got = Path(raw(tmp_path, data + b"900,x", header="true").paths[0]).read_bytes()
    assert got.startswith(b"\xef\xbb\xbfid,text\r\n0,x\r\n")
    assert got.endswith(b"\r\n900,x")
    assert set(got.split(b"\r\n")) <= set((data + b"900,x").split(b"\r\n"))


def test_lines_that_end_in_a_carriage_return_alone_are_lines(tmp_path):
    got = raw(tmp_path, b"".join(b"%d,x\r" % n for n in range(900)), rows=9)
    assert len(Path(got.paths[0]).read_bytes().split(b"\r")) == 10


def test_the_separator_of_lines_may_be_given(tmp_path):
    got = raw(tmp_path, b"".join(b"%d,a\nb;;" % n for n in range(900)), rows=9, lineSep=";;")
    records = Path(got.paths[0]).read_bytes().split(b";;")
    assert len(records) == 10
    assert all(record.endswith(b",a\nb") for record in records[:-1])


def test_json_lines_come_from_everywhere(tmp_path):
    data = b"".join(b'{"id": %d, "t": "\\n,"}\n' % n for n in range(5000))
    got = raw(tmp_path, data, rows=90, fmt="json", mode="FAILFAST")
    numbers = [json.loads(line)["id"] for line in lines(got)]
    assert len(numbers) == len(set(numbers)) == 90
    assert numbers[-1] == 4999


def test_the_first_items_of_a_json_array_are_a_json_array(tmp_path):
    items = [{"id": n, "t": "],["} for n in range(5000)]
    got = raw(tmp_path, json.dumps(items).encode(), rows=5, fmt="json", multiLine="true")
    assert json.loads(Path(got.paths[0]).read_text()) == items[:5]
    assert got.note == "head of a JSON array"


def test_notes_say_what_the_sample_is_of(tmp_path):
    for n in range(5):
        with gzip.open(tmp_path / f"{n}.csv.gz", "wt") as stream:
            stream.write("".join(f"{i}\n" for i in range(900)))
    paths = tuple(str(tmp_path / f"{n}.csv.gz") for n in range(5))
    got = sample(Binding("d", "csv", paths, "id BIGINT"), "f", tmp_path / "cache", rows=6)
    assert got.note == "head of 3 of 5 gzip files"
    assert lines(got) == ["0", "1"] * 3


def test_broken_gzip_is_an_oserror_that_names_the_file(tmp_path):
    path = tmp_path / "d.csv.gz"
    path.write_bytes(gzip.compress(b"1,x\n" * 9000 + bytes(range(256)) * 9)[:-40])
    with pytest.raises(OSError, match=r"d\.csv\.gz.*damaged"):
        sample(Binding("d", "csv", (str(path),), "id BIGINT"), "f", tmp_path / "c", rows=99999)


def test_a_row_beyond_the_budget_gives_no_row_and_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(sampling, "MAX_READ", 50_000)
    got = raw(tmp_path, b"id\n" + b"x" * 200_000, header="true")
    assert Path(got.paths[0]).read_bytes() == b"id\n"
    assert "no row" in got.note
    assert read_of(got) <= 50_000


def test_empty_files_are_passed_over(tmp_path):
    for n in range(7):
        (tmp_path / f"{n}.csv").write_text("1,x\n" * 90 if n == 3 else "")
    paths = tuple(str(tmp_path / f"{n}.csv") for n in range(7))
    got = sample(Binding("d", "csv", paths, "id BIGINT, t STRING"), "f", tmp_path / "c", rows=9)
    assert lines(got) == ["1,x"] * 9


@pytest.mark.parametrize("kind", ["parquet", "orc"])
def test_a_huge_row_group_is_not_read_whole(tmp_path, kind, monkeypatch):
    monkeypatch.setattr(sampling, "MAX_READ", 3_000_000)
    path = str(tmp_path / f"d.{kind}")
    texts = [f"{n * 7919 % 1_000_003} {n}" for n in range(400_000)]
    table = pa.table({"id": range(400_000), "t": texts})
    if kind == "parquet":
        pq.write_table(table, path, row_group_size=1_000_000, use_dictionary=False)
    else:
        orc.write_table(table, path, stripe_size=1 << 30, compression="uncompressed")
    got = sample(Binding("d", kind, (path,), "id BIGINT, t STRING"), "f", tmp_path / "c", rows=50)
    assert Path(path).stat().st_size > 5_000_000
    assert read_of(got) < 3_000_000
    found = pq.read_table(got.paths[0]) if kind == "parquet" else orc.read_table(got.paths[0])
    assert len(found) == 50
    assert got.note == "head of the file"


def test_parquet_whose_pages_are_beyond_the_budget_gives_no_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(sampling, "MAX_READ", 100_000)
    path = tmp_path / "d.parquet"
    pq.write_table(pa.table({"t": ["x" * 300_000, "y" * 300_000]}), path, compression="none")
    got = sample(Binding("d", "parquet", (str(path),), "t STRING"), "f", tmp_path / "c")
    assert len(pq.read_table(got.paths[0])) == 0
    assert "no row" in got.note


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_what_is_read_does_not_grow_with_the_data(tmp_path, kind):
    one = tmp_path / f"0.{kind}"
    if kind == "csv":
        csv(one, 20_000)
    else:
        pq.write_table(pa.table({"id": range(50_000)}), one, row_group_size=5000)
    for n in range(1, 200):
        (tmp_path / f"{n}.{kind}").hardlink_to(one)
    paths = tuple(str(tmp_path / f"{n}.{kind}") for n in range(200))
    reads = []
    for some in (paths[:3], paths):
        whole = Binding("d", kind, some, "id BIGINT", (("header", "true"),))
        reads.append(read_of(sample(whole, "f", tmp_path / "c")))
    assert reads[0] == reads[1]


@pytest.mark.parametrize("damage", ["missing", "cut", "no _done", "bad _done"])
def test_a_damaged_sample_is_made_again(tmp_path, damage):
    whole = csv(tmp_path / "d.csv", 500)
    first = sample(whole, "f", tmp_path / "cache", rows=10)
    (file,) = first.paths
    before = Path(file).read_bytes()
    done = Path(file).with_name("_done")
    if damage == "missing":
        Path(file).unlink()
    elif damage == "cut":
        Path(file).write_bytes(before[:5])
    elif damage == "no _done":
        done.unlink()
    else:
        done.write_text("[]")
    assert sample(whole, "f", tmp_path / "cache", rows=10) == first
    assert Path(file).read_bytes() == before


def test_the_age_of_files_stands_in_for_a_fingerprint(tmp_path):
    whole = csv(tmp_path / "d.csv", 500)
    first = sample(whole, "", tmp_path / "cache", rows=10)
    csv(tmp_path / "d.csv", 501)
    assert sample(whole, "", tmp_path / "cache", rows=10).fingerprint != first.fingerprint


FIELD = st.text(st.sampled_from('ab,"\n\r 1é'), max_size=6)


def in_quotes(text):
    escaped = text.replace('"', '""')
    return f'"{escaped}"' if set(text) & set(',"\r\n') else text


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(st.tuples(FIELD, FIELD, FIELD), min_size=30, max_size=300),
    newline=st.sampled_from(["\n", "\r\n"]),
    header=st.booleans(),
    window=st.sampled_from([64, 300, 2000]),
)
def test_every_record_of_a_sample_is_a_record_of_the_source(
    tmp_path_factory, rows, newline, header, window
):
    tmp_path = tmp_path_factory.mktemp("any")
    written = []
    for number, row in enumerate(rows):
        fields = [f"n{number}", *map(in_quotes, row)]
        written.append((",".join(fields) + newline).encode())
    head = f"a,b,c,d{newline}".encode() if header else b""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sample_text, "QUOTED", window)
        patch.setattr(sample_text, "FIRST", window)
        got = raw(
            tmp_path,
            head + b"".join(written),
            rows=12,
            schema="a STRING, b STRING, c STRING, d STRING",
            header=str(header).lower(),
            multiLine="true",
            escape='"',
        )
    data = Path(got.paths[0]).read_bytes()
    assert data.startswith(head)
    data = data[len(head) :]
    while data:
        record = next(record for record in written if data.startswith(record))
        written.remove(record)  # none is taken twice
        data = data[len(record) :]
