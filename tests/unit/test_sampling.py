import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import orc

from bluebear_magic.runner import sampling
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
    assert sample(binding, "f", tmp_path / "cache") is binding


def test_text_is_taken_from_head_middle_and_tail_as_whole_records(tmp_path):
    whole = csv(tmp_path / "d.csv", 10_000)
    got = lines(sample(whole, "f", tmp_path / "cache", rows=90))
    assert got[0] == "id,text"
    numbers = [int(line.split(",row ")[0]) for line in got[1:]]
    assert all(line == f"{n},row {n}" for n, line in zip(numbers, got[1:], strict=True))
    assert len(numbers) == len(set(numbers)) == 90
    assert numbers[:30] == list(range(30))
    assert sum(3000 < n < 4000 for n in numbers) == 30
    assert sum(n > 6000 for n in numbers) == 30


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
    assert "1,new" in lines(sample(whole, "f2", tmp_path / "cache", rows=10))


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
