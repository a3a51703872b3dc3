"""Broken input is told with file, place and what to do, or read with a warning; never a traceback."""

from __future__ import annotations

import gzip
import os
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import orc

from bluebear_magic.context.local import describe
from bluebear_magic.context.profiles import measure
from bluebear_magic.errors import DatasetError


def refused(path, **options) -> str:
    """The message and the hint with which ``path`` is refused."""
    with pytest.raises(DatasetError) as caught:
        describe("x", path, options=options)
    assert caught.value.hint, "an error says what to do next"
    return str(caught.value)


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def has(text, *parts):
    for part in parts:
        assert part in text
    return True


# --- CSV ---------------------------------------------------------------------


def test_ragged_lines_are_told_with_line_and_counts(tmp_path):
    path = write(tmp_path / "x.csv", "a,b,c\n1,2,3\n4,5\n6,7,8\n")
    assert has(refused(path), "x.csv, line 3", "2 fields where 3")


def test_a_ragged_line_after_quoted_newlines_has_its_physical_number(tmp_path):
    path = write(tmp_path / "x.csv", 'a,b\n1,"x\ny\nz"\n2,3,4\n5,6\n')
    assert has(refused(path), "line 5", "3 fields where 2")


def test_a_ragged_line_far_below_is_found(tmp_path):
    path = write(tmp_path / "x.csv", "a,b\n" + "1,2\n" * 100_000 + "1\n" + "3,4\n")
    assert has(refused(path), "line 100002", "1 field where 2")


def test_a_title_above_the_header_is_told(tmp_path):
    path = write(tmp_path / "x.csv", "Sales report\na,b,c\n1,2,3\n4,5,6\n")
    assert has(refused(path), "line 1", "1 field where 3", "not part of the table")


def test_a_quote_that_is_never_closed(tmp_path):
    path = write(tmp_path / "x.csv", 'a,b\n1,"x\n2,y\n3,z\n')
    assert "not closed" in refused(path)


def test_text_after_a_closing_quote(tmp_path):
    path = write(tmp_path / "x.csv", 'a,b\n1,"x"\n2,"y"z\n3,"w"\n')
    assert "line 3" in refused(path)


def test_mixed_encodings_name_the_line(tmp_path):
    content = "a,b\n1,é\n".encode() + "2,é\n".encode("latin-1")
    assert has(
        refused(write(tmp_path / "x.csv", content)), "line 3", "mixed encodings", "line 2 is"
    )


def test_a_marked_file_that_is_not_utf8(tmp_path):
    content = "a,b\n1,x\n".encode("utf-8-sig") + b"2,\xe9\n"
    assert has(refused(write(tmp_path / "x.csv", content)), "line 3", "marked as UTF-8")


def test_parts_in_different_encodings(tmp_path):
    write(tmp_path / "d" / "a.csv", "a\né\n")
    write(tmp_path / "d" / "b.csv", "a\né\n".encode("latin-1"))
    assert has(refused(tmp_path / "d"), "mixed encodings", "a.csv", "b.csv")


@pytest.mark.parametrize("name", ["x.csv", "x.json", "x.parquet"])
def test_an_empty_file(tmp_path, name):
    assert "empty" in refused(write(tmp_path / name, b""))


def test_a_file_of_blank_lines(tmp_path):
    assert "no lines with text" in refused(write(tmp_path / "x.csv", "\n\n  \n"))


def test_a_header_alone_is_read_with_a_warning(tmp_path):
    dataset = describe("x", write(tmp_path / "x.csv", "a,b\n"))
    assert [column.type for column in dataset.columns] == ["STRING", "STRING"]
    assert any("no rows" in warning for warning in dataset.warnings)
    assert measure(dataset).rows == 0


def test_repeated_and_missing_names_are_made_and_told(tmp_path):
    dataset = describe("x", write(tmp_path / "x.csv", "a,A,,a\n1,2,3,4\n"))
    assert [column.name for column in dataset.columns] == ["a", "A_2", "column_3", "a_3"]
    assert sum("repeats" in w for w in dataset.warnings) == 2
    assert any("column 3 has no name" in w for w in dataset.warnings)


def test_binary_data_called_csv(tmp_path):
    assert "binary" in refused(write(tmp_path / "x.csv", bytes(range(256)) * 10))


def test_parquet_called_csv(tmp_path):
    pq.write_table(pa.table({"a": [1]}), tmp_path / "x.csv")
    assert has(refused(tmp_path / "x.csv"), "PARQUET", "format=parquet")


def test_gzip_that_is_cut_off(tmp_path):
    packed = gzip.compress(b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * 7919) for i in range(50_000)))
    path = write(tmp_path / "x.csv.gz", packed[: len(packed) // 2])
    assert has(refused(path), "x.csv.gz", "cut off")


def test_text_called_gz_and_gzip_without_the_name(tmp_path):
    assert "not valid gzip" in refused(write(tmp_path / "x.csv.gz", b"a,b\n1,2\n"))
    assert "without .gz" in refused(write(tmp_path / "y.csv", gzip.compress(b"a,b\n1,2\n")))


def test_another_compression_is_named(tmp_path):
    assert "bzip2" in refused(write(tmp_path / "x.csv.bz2", b"BZh9"))


def test_parts_with_other_headers_name_file_and_column(tmp_path):
    write(tmp_path / "d" / "a.csv", "a,b\n1,2\n")
    write(tmp_path / "d" / "b.csv", "a,c\n1,2\n")
    assert has(refused(tmp_path / "d"), "b.csv", "'c'", "a.csv")


def test_an_option_that_is_not_known(tmp_path):
    path = write(tmp_path / "x.csv", "a,b\n1,2\n")
    assert has(refused(path, seperator=";"), "seperator", "sep")


# --- JSON --------------------------------------------------------------------


def test_a_broken_json_line_is_told_with_its_number(tmp_path):
    path = write(tmp_path / "x.jsonl", '{"a": 1}\n\n{"a": \n{"a": 3}\n')
    assert has(refused(path), "line 3", "not valid JSON")


def test_json_lines_that_are_no_objects(tmp_path):
    assert has(refused(write(tmp_path / "x.jsonl", '{"a": 1}\n[1, 2]\n')), "line 2", "an array")


def test_several_documents_in_one_file(tmp_path):
    path = write(tmp_path / "x.json", '{\n "a": 1\n}\n{\n "a": 2\n}\n')
    assert has(refused(path), "line 4", "second JSON document", "one object per line")


def test_a_document_that_is_cut_off(tmp_path):
    assert has(
        refused(write(tmp_path / "x.json", '[{"a": 1},\n {"a":')), "line 2", "not valid JSON"
    )


def test_keys_that_differ_only_in_case(tmp_path):
    path = write(tmp_path / "x.jsonl", '{"id": 1}\n{"ID": 2}\n')
    assert has(refused(path), "id", "ID", "case")


def test_json_that_is_not_utf8(tmp_path):
    assert "UTF-8" in refused(write(tmp_path / "x.json", '{"a": "é"}\n'.encode("latin-1")))


# --- Parquet and ORC ---------------------------------------------------------


def test_truncated_parquet(tmp_path):
    pq.write_table(pa.table({"a": list(range(1000))}), tmp_path / "x.parquet")
    data = (tmp_path / "x.parquet").read_bytes()
    assert has(refused(write(tmp_path / "x.parquet", data[:-20])), "x.parquet", "footer")


def test_parquet_damaged_within_is_told_when_it_is_read(tmp_path):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"a": [f"v{n}" for n in range(5000)]}), path, use_dictionary=False)
    data = bytearray(path.read_bytes())
    data[10:2000] = b"\xff" * 1990
    dataset = describe("x", write(path, bytes(data)))
    with pytest.raises(DatasetError, match="cannot be read"):
        measure(dataset)


def test_truncated_orc(tmp_path):
    orc.write_table(pa.table({"a": [1, 2]}), str(tmp_path / "x.orc"))
    data = (tmp_path / "x.orc").read_bytes()
    assert has(refused(write(tmp_path / "x.orc", data[:-10])), "x.orc", "footer")


def test_part_files_whose_schemas_differ_name_file_and_column(tmp_path):
    for name, table in (("a", {"k": [1], "v": [1]}), ("b", {"k": [1], "v": ["x"]})):
        path = tmp_path / "d" / f"{name}.parquet"
        path.parent.mkdir(exist_ok=True)
        pq.write_table(pa.table(table), path)
    assert has(refused(tmp_path / "d"), "b.parquet", "column v is STRING", "BIGINT")


def test_part_files_that_lack_a_column(tmp_path):
    for name, table in (("a", {"k": [1], "v": [1]}), ("b", {"k": [1]})):
        path = tmp_path / "d" / f"{name}.parquet"
        path.parent.mkdir(exist_ok=True)
        pq.write_table(pa.table(table), path)
    assert has(refused(tmp_path / "d"), "b.parquet", "no column v")


def test_parquet_names_that_are_one_for_spark(tmp_path):
    pq.write_table(pa.table({"a": [1], "A": [2]}), tmp_path / "x.parquet")
    assert has(refused(tmp_path / "x.parquet"), "a and A")


# --- places ------------------------------------------------------------------


def test_a_path_that_does_not_exist_names_what_is_near(tmp_path):
    write(tmp_path / "sales_2024.csv", "a\n1\n")
    assert has(refused(tmp_path / "sale_2024.csv"), "does not exist", "sales_2024.csv")


def test_the_ending_of_a_missing_file_is_no_reason_to_name_another(tmp_path):
    for name in ("huge.csv", "onlyhdr.csv", "wide.csv"):
        (tmp_path / name).write_text("a\n1\n")
    told = str(refused(tmp_path / "gone.csv"))
    assert "Did you mean" not in told
    assert "huge.csv" in told  # what the folder holds is told instead
    (tmp_path / "gone.parquet").write_text("a\n1\n")
    assert has(refused(tmp_path / "gone.csv"), "Did you mean gone.parquet in")


def test_a_folder_that_does_not_exist_names_the_first_that_is_missing(tmp_path):
    (tmp_path / "reports").mkdir()
    assert has(refused(tmp_path / "report" / "x.csv"), "reports")


def test_a_pattern_without_a_match_says_what_is_there(tmp_path):
    write(tmp_path / "a.json", "{}")
    assert has(refused(tmp_path / "*.csv"), "no file matches", "a.json")


def test_mixed_formats_are_named(tmp_path):
    write(tmp_path / "d" / "a.csv", "a\n1\n")
    write(tmp_path / "d" / "b.json", '{"a": 1}\n')
    assert has(refused(tmp_path / "d"), "csv (a.csv)", "json (b.json)", "*.csv")


def test_a_folder_with_nothing_readable(tmp_path):
    write(tmp_path / "d" / "notes.md", "# x")
    write(tmp_path / "d" / "more.md", "# y")
    assert has(refused(tmp_path / "d"), "nothing readable", "notes.md")
    (tmp_path / "e").mkdir()
    assert "no data files" in refused(tmp_path / "e")


def test_an_unknown_ending_is_told_and_can_be_overruled(tmp_path):
    path = write(tmp_path / "x.dat", "a,b\n1,2\n")
    assert has(refused(path), ".dat", "format=csv")
    assert describe("x", path, options={"format": "csv"}).ddl == "`a` BIGINT, `b` BIGINT"


def test_other_files_and_empty_parts_of_a_folder_are_told(tmp_path):
    write(tmp_path / "d" / "a.csv", "a\n1\n")
    write(tmp_path / "d" / "b.csv", b"")
    write(tmp_path / "d" / "notes.md", "# x")
    dataset = describe("x", tmp_path / "d")
    assert len(dataset.paths) == 1
    assert any("b.csv" in w for w in dataset.warnings)
    assert any("notes.md" in w for w in dataset.warnings)


def test_a_name_that_spark_skips(tmp_path):
    assert "Rename" in refused(write(tmp_path / "_x.csv", "a\n1\n"))


def test_partitions_of_different_depth(tmp_path):
    write(tmp_path / "d" / "y=1" / "a.csv", "a\n1\n")
    write(tmp_path / "d" / "b.csv", "a\n1\n")
    assert has(refused(tmp_path / "d"), "y", "none")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path):
    path = write(tmp_path / "x.csv", "a\n1\n")
    path.chmod(0)
    assert has(refused(path), "x.csv", "Permission denied")


def test_data_that_disappears_between_description_and_profile(tmp_path):
    dataset = describe("x", write(tmp_path / "x.csv", "a\n1\n"))
    (tmp_path / "x.csv").unlink()
    with pytest.raises(DatasetError, match=re.escape("x.csv")):
        measure(dataset)


def test_hostile_text_in_names_and_values_stays_data(tmp_path, hostile):
    """Column names, values, folder and file names do no harm to the SQL that reads them."""
    hostile = hostile.encode("utf-8", "replace").decode()
    cell = '"' + hostile.replace('"', '""').replace("\0", "") + '"'
    folder = tmp_path / re.sub(r"[/\0:\n\r]", "_", hostile)[:60]
    path = write(folder / "it's [1].csv", f'{cell},"n"\n{cell},1\n"\'); DROP TABLE raw; --",2\n')
    dataset = describe("x", path, options={"header": "true"})
    profile = measure(dataset)
    assert profile.rows == 2
    assert "'); DROP TABLE raw; --" in profile.columns[0].values
