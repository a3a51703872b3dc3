"""What a Dataset says of files: names, types, options, assumptions."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bluebear_magic.context import csvfile
from bluebear_magic.context import describe as told
from bluebear_magic.context.catalog import Catalog
from bluebear_magic.context.local import describe
from bluebear_magic.context.profiles import measure
from bluebear_magic.errors import DatasetError


def csv(tmp_path, text, **options):
    path = tmp_path / "x.csv"
    path.write_text(text, encoding="utf-8")
    return describe("x", path, options=options)


def test_nothing_is_dropped_in_silence_by_the_reader(tmp_path):
    options = dict(csv(tmp_path, "a,b\n1,x\n").options)
    assert options["mode"] == "FAILFAST"
    assert options["header"] == "true"
    assert options["escape"] == '"'


def test_missing_numbers_become_null_and_it_is_told(tmp_path):
    dataset = csv(tmp_path, "a,b\n1,x\nNA,NA\n")
    assert dataset.ddl == "`a` BIGINT, `b` STRING"
    assert dict(dataset.options)["nullValue"] == "NA"
    assert "NA is read as null in columns of text too: b" in dataset.warnings


def test_a_marker_below_the_first_rows_is_seen(tmp_path):
    dataset = csv(tmp_path, "a,b\n" + "1,2\n" * 5000 + "NA,2\n")
    assert dataset.ddl == "`a` BIGINT, `b` BIGINT"
    assert dict(dataset.options)["nullValue"] == "NA"


def test_a_column_that_begins_with_markers_still_finds_its_type(tmp_path):
    dataset = csv(tmp_path, "a,b\n" + "NA,1\n" * 5000 + "2.5,2\n")
    assert dataset.ddl == "`a` DOUBLE, `b` BIGINT"


def test_a_word_below_the_first_rows_makes_it_text(tmp_path):
    dataset = csv(tmp_path, "a,b\n" + "1,2\n" * 5000 + "x,2.5\n")
    assert dataset.ddl == "`a` STRING, `b` DOUBLE"


def test_codes_with_leading_zeros_stay_text(tmp_path):
    assert csv(tmp_path, "zip,n\n01234,1\n90210,2\n").ddl == "`zip` STRING, `n` BIGINT"


def test_day_and_month_that_cannot_be_told_apart_are_told(tmp_path):
    dataset = csv(tmp_path, "d,n\n01/02/2024,1\n03/04/2024,2\n")
    assert dict(dataset.options)["dateFormat"] == "M/d/yyyy"
    (warning,) = dataset.warnings
    assert warning.startswith("d: day and month")
    assert "dateFormat=d/M/yyyy" in warning


def test_the_users_date_format_wins(tmp_path):
    dataset = csv(tmp_path, "d,n\n01/02/2024,1\n", dateFormat="d/M/yyyy")
    assert measure(dataset).column("d").minimum.isoformat() == "2024-02-01"
    assert dataset.warnings == ()


def test_a_date_format_that_is_not_understood_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="QQ"):
        csv(tmp_path, "d\n2024\n", dateFormat="yyyy QQ")


def test_one_date_decides_for_the_column(tmp_path):
    dataset = csv(tmp_path, "d,e\n" + "01/02/2024,01/02/2024\n" * 3000 + "31/12/2024,01/01/2024\n")
    assert dict(dataset.options)["dateFormat"] == "d/M/yyyy"
    assert dataset.ddl == "`d` DATE, `e` DATE"
    assert dataset.warnings == ()


def test_the_users_options_win(tmp_path):
    dataset = csv(tmp_path, "a,b;c\n1,5;x\n", sep=",", header="false")
    assert [column.name for column in dataset.columns] == ["column_1", "column_2"]


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("name,city\nAnna,Berlin\nBen,Rome\n", True),
        ("Anna,3\nBen,4\n", False),
        ("1,2\n3,4\n", False),
        ("name,2023,2024\nx,1,2\ny,3,4\n", True),
        (",a,b\n0,1,2\n1,3,4\n", True),
        ("x,y\nx,z\n", False),
        ("Anna,1990\nBen,1985\n", False),
        ("2024-01-01,x\n2024-01-02,y\n", False),
    ],
)
def test_a_header_is_told_from_a_row(tmp_path, text, header):
    assert dict(csv(tmp_path, text).options)["header"] == str(header).lower()


def test_one_column_of_prose_is_one_column(tmp_path):
    dataset = csv(tmp_path, "comment\nwell, well\nno comma\nfine; really\ngood\n")
    assert dataset.ddl == "`comment` STRING"


def test_a_large_file_is_sampled_and_it_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(csvfile, "WHOLE", 10_000)
    monkeypatch.setattr(csvfile, "SAMPLE", 3_000)
    dataset = csv(tmp_path, "n,w,d\n" + "".join(f"{n},w{n},2024-01-01\n" for n in range(20_000)))
    assert dataset.ddl == "`n` BIGINT, `w` STRING, `d` DATE"
    assert any("samples" in warning for warning in dataset.warnings)


def test_a_sample_sees_the_tail(tmp_path, monkeypatch):
    monkeypatch.setattr(csvfile, "WHOLE", 10_000)
    monkeypatch.setattr(csvfile, "SAMPLE", 3_000)
    assert csv(tmp_path, "n,m\n" + "1,1\n" * 20_000 + "x,1\n").ddl == "`n` STRING, `m` BIGINT"


def test_the_same_data_has_the_same_description(tmp_path):
    one = csv(tmp_path, "a,b\n1,NA\nNA,x\n")
    assert describe("x", tmp_path / "x.csv") == one


def test_a_pattern_takes_the_files_it_matches(tmp_path):
    for name in ("a1.csv", "a2.csv", "b.csv"):
        (tmp_path / name).write_text("k\n1\n")
    dataset = describe("x", tmp_path / "a*.csv")
    assert [path.rpartition("/")[2] for path in dataset.paths] == ["a1.csv", "a2.csv"]


def test_a_name_with_pattern_letters_is_a_file_if_it_exists(tmp_path):
    (tmp_path / "x[1].csv").write_text("a\n1\n")
    dataset = describe("x", tmp_path / "x[1].csv")
    assert measure(dataset).rows == 1


# --- what is told of datasets -------------------------------------------------


@pytest.fixture
def catalog(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "s.csv").write_text("w,n\nb,1\na,20\nb,\n")
    (tmp_path / "data" / "bad.csv").write_text("a,b\n1,2\n3\n")
    return Catalog(tmp_path)


def test_the_list_has_a_line_for_each_dataset_and_the_error_of_broken_ones(catalog):
    profile = measure(catalog.get("s"))
    bad, good = told.listing(catalog, {"s": profile})
    assert good == told.ListedDataset("s", "csv", 3, "16 B", 2, "data/s.csv", reach="local")
    assert bad.name == "bad"
    assert "line 3" in bad.error


def test_a_card_has_schema_counts_and_values(catalog):
    dataset = catalog.get("s")
    card = told.card(dataset, measure(dataset), catalog.folder)
    assert card.rows == 3
    assert card.location == "data/s.csv"
    assert card.columns == (
        told.ColumnRow("w", "STRING", 0, 2, "b, a"),
        told.ColumnRow("n", "BIGINT", 1, 2, "1 to 20"),
    )


def test_examples_are_the_first_rows(catalog):
    assert told.examples(catalog.get("s"), rows=2) == (("w", "n"), [("b", 1), ("a", 20)])


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (386, "386 B"), (74_150, "74.2 kB"), (5_046_273, "5.0 MB")]
)
def test_sizes_for_people(count, text):
    assert told.human_size(count) == text


def test_importing_the_catalog_loads_nothing_heavy():
    code = (
        "import sys, bluebear_magic.context.catalog, bluebear_magic.context.profiles, "
        "bluebear_magic.context.describe; "
        "print({'duckdb', 'pyarrow', 'pandas', 'pyspark', 'rapidfuzz'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_wide_file_is_described(tmp_path):
    header = ",".join(f"c{i}" for i in range(500))
    row = ",".join(("17", "0.25", "x", "2024-01-31", "NA")[i % 5] for i in range(500))
    dataset = csv(tmp_path, "\n".join([header, *[row] * 50]) + "\n")
    assert [c.type for c in dataset.columns[:5]] == ["BIGINT", "DOUBLE", "STRING", "DATE", "STRING"]


def test_every_kind_of_missing_value_is_seen_in_columns_of_every_type(tmp_path):
    dataset = csv(tmp_path, "a,b,c\nNA,1.5,2024-01-31\n5,NA,2024-02-01\n7,2,NA\n,,\n")
    assert dataset.ddl == "`a` BIGINT, `b` DOUBLE, `c` DATE"
    assert dict(dataset.options)["nullValue"] == "NA"
    two = csv(tmp_path, "a,b\n1,2\nNA,-\n")
    assert two.ddl == "`a` BIGINT, `b` STRING"
    assert any("but for the values -" in warning for warning in two.warnings)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_end_in_the_last_of_many_columns_is_seen(tmp_path, end):
    names = ",".join(f"c{i}" for i in range(120))
    text = f'{names}{end}{"1," * 119}"x{end}y"{end}'
    path = tmp_path / "x.csv"
    path.write_bytes(text.encode())
    assert dict(describe("x", path).options)["multiLine"] == "true"


NAMED = {
    "usual names": "name,city\nAnna,Berlin\nBen,Rome\n",
    "capital letters": "Name,City\nAnna,Berlin\nBen,Rome\n",
    "over numbers": "Anna,points\nBen,4\nCleo,5\n",
    "over dates": "wer,wann\nBen,2024-01-01\nCleo,2024-02-01\n",
    "put together": "vor_name,x\nBen,rot\nCleo,blau\n",
    "camel case": "vorName,x\nBen,rot\nCleo,blau\n",
    "lower case": "wer,farbe\nBen,rot\nCleo,blau\n",
    "codes": "carrier,owner\n9E,Endeavor Air Inc.\nAA,American Airlines Inc.\n",
    "years": "Land,2023,2024\nHessen,5,6\nBayern,7,8\n",
    "pandas": ",name,note\n0,Anna,x y\n1,Ben,z\n",
}
UNSURE = {
    "words": "Anna,Rome\nBen,Paris\nCleo,Berlin\n",
    "lower-case words": "anna,rome\nben,paris\ncleo,berlin\n",
    "sentences": "I was ill,very bad\nNothing hurts,good\nIt was fine,so so\n",
    "one row": "Anna,Rome\n",
    "a missing number": "NA,Anna\n5,Ben\n7,Cleo\n",
    "one column": "Anna\nBen\nCleo\n",
    "blanks below": "Anna,Rome\n,\n,\n",
}
VALUES = {
    "mail": "anna@example.com,Anna\nben@example.com,Ben\n",
    "telephone": "Anna,+49 30 1234567\nBen,+49 40 7654321\n",
    "link": "https://example.com/a,Anna\nhttps://example.com/b,Ben\n",
    "UUID": "Anna,4c1d1d5e-0b6f-4c1f-9d4e-7a3c2b1a0f9e\nBen,4c1d1d5e-0b6f-4c1f-9d4e-7a3c2b1a0f9f\n",
    "money": "Anna,$12.50\nBen,$7\n",
    "address": "Anna,10.0.0.1\nBen,10.0.0.2\n",
}


@pytest.mark.parametrize("text", NAMED.values(), ids=NAMED.keys())
def test_a_header_that_is_no_row_is_sure(tmp_path, text):
    dataset = csv(tmp_path, text)
    assert dict(dataset.options)["header"] == "true"
    assert not any(column.guessed for column in dataset.columns)
    assert not any("may be a row" in warning for warning in dataset.warnings)


@pytest.mark.parametrize("text", UNSURE.values(), ids=UNSURE.keys())
def test_a_first_row_that_looks_like_the_others_makes_guessed_names(tmp_path, text):
    dataset = csv(tmp_path, text)
    assert all(column.guessed for column in dataset.columns)
    assert any("may be a row" in warning for warning in dataset.warnings)
    for header in ("true", "false"):
        said = csv(tmp_path, text, header=header)
        assert not any(column.guessed for column in said.columns)
        assert not any("may be a row" in warning for warning in said.warnings)


@pytest.mark.parametrize("text", VALUES.values(), ids=VALUES.keys())
def test_a_first_row_with_a_value_that_is_no_name_is_a_row(tmp_path, text):
    dataset = csv(tmp_path, text)
    assert [column.name for column in dataset.columns] == ["column_1", "column_2"]
