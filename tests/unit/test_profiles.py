"""Profiles: exact where the data is read whole, honest where it is not, kept between sessions."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bluebear_magic.context import profile_store, profiles
from bluebear_magic.context.local import describe
from bluebear_magic.context.profile_store import ProfileStore
from bluebear_magic.records import ColumnProfile, Profile


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(profiles, "_memory", {})
    return tmp_path / "cache" / "bluebear" / "profiles"


def csv(tmp_path, text, name="x.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return describe("x", path)


def test_counts_ranges_and_words(tmp_path):
    dataset = csv(
        tmp_path,
        "n,d,day,at,flag,word\n"
        "3,1.5,2024-01-02,2024-01-02T03:04:05Z,true,b\n"
        "1,,2023-12-31,2024-01-02T03:04:05+02:00,false,a\n"
        ",NA,,,,\n"
        "3,-2,2024-01-02,2024-01-01 00:00:00,true,b\n",
    )
    profile = profiles.measure(dataset)
    assert profile.rows == 4
    assert profile.column("n") == ColumnProfile("n", 1, 2, 1, 3)
    assert profile.column("d") == ColumnProfile("d", 2, 2, -2.0, 1.5)
    assert profile.column("day") == ColumnProfile(
        "day", 1, 2, dt.date(2023, 12, 31), dt.date(2024, 1, 2)
    )
    assert profile.column("at") == ColumnProfile(
        "at", 1, 3, dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 2, 3, 4, 5)
    )
    assert profile.column("flag") == ColumnProfile("flag", 1, 2, False, True)
    assert profile.column("word") == ColumnProfile("word", 1, 2, "a", "b", ("b", "a"), True)


def test_words_come_most_frequent_first_and_ties_by_value(tmp_path):
    profile = profiles.measure(csv(tmp_path, "w,n\n" + "".join(f"{w},1\n" for w in "zyxxbbca")))
    assert profile.column("w").values == ("b", "x", "a", "c", "y", "z")


def test_words_are_bounded_and_say_so(tmp_path):
    dataset = csv(tmp_path, "w,n\n" + "".join(f"v{n:05},1\n" for n in range(6000)))
    column = profiles.measure(dataset).column("w")
    assert len(column.values) == profiles.MAX_VALUES
    assert not column.complete
    assert column.distinct == 6000


def test_prose_is_no_word(tmp_path):
    column = profiles.measure(csv(tmp_path, f"w,n\n{'x' * 1000},1\nshort,2\n")).column("w")
    assert column.values == ("short",)
    assert not column.complete
    assert column.maximum is None


def test_partition_columns_are_profiled(tmp_path):
    for year in (2023, 2024):
        (tmp_path / "d" / f"year={year}" / "who=a b").mkdir(parents=True)
        (tmp_path / "d" / f"year={year}" / "who=a b" / "p.csv").write_text("a\n1\n2\n")
    profile = profiles.measure(describe("x", tmp_path / "d"))
    assert profile.column("year") == ColumnProfile("year", 0, 2, 2023, 2024)
    assert profile.column("who").values == ("a b",)


def test_nan_is_left_out_of_a_range(tmp_path):
    pq.write_table(pa.table({"a": [float("nan"), 1.0, 2.0]}), tmp_path / "x.parquet")
    column = profiles.measure(describe("x", tmp_path / "x.parquet")).column("a")
    assert (column.minimum, column.maximum, column.nulls) == (1.0, 2.0, 0)


def test_nested_columns_have_nulls_alone(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": {"b": 1}}\n{"a": null}\n')
    assert profiles.measure(describe("x", path)).column("a") == ColumnProfile("a", nulls=1)


def test_decimals_keep_their_digits(tmp_path):
    table = pa.table({"a": pa.array([Decimal("0.10"), Decimal("12345678901234567890.25")])})
    pq.write_table(table, tmp_path / "x.parquet")
    column = profiles.measure(describe("x", tmp_path / "x.parquet")).column("a")
    assert column.maximum == Decimal("12345678901234567890.25")


def test_many_columns(tmp_path):
    header = ",".join(f"c{n}" for n in range(300))
    dataset = csv(tmp_path, header + "\n" + ",".join("1" * 300) + "\n")
    assert len(profiles.measure(dataset).columns) == 300


# --- data too large to read whole --------------------------------------------


def test_large_parquet_is_known_from_footers_and_a_sample(tmp_path, monkeypatch):
    table = pa.table({"n": list(range(1000)), "w": ["a", "b"] * 500, "z": [None] * 999 + [1]})
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=100)
    dataset = describe("x", tmp_path / "x.parquet")
    monkeypatch.setattr(profiles, "MAX_SCAN", 0)
    profile = profiles.measure(dataset)
    assert profile.rows == 1000
    assert profile.column("n") == ColumnProfile("n", nulls=0, minimum=0, maximum=999)
    assert profile.column("z") == ColumnProfile("z", nulls=999, minimum=1, maximum=1)
    word = profile.column("w")
    assert (sorted(word.values), word.complete, word.distinct) == (["a", "b"], False, None)


def test_large_csv_is_known_from_a_sample(tmp_path, monkeypatch):
    dataset = csv(tmp_path, "n,w\n" + "".join(f"{n},w{n % 7}\n" for n in range(20_000)))
    monkeypatch.setattr(profiles, "MAX_SCAN", 0)
    monkeypatch.setattr(profiles, "SAMPLE", 3000)
    profile = profiles.measure(dataset)
    assert profile.rows is None
    assert profile.column("n") == ColumnProfile("n")
    word = profile.column("w")
    assert (len(word.values), word.complete, word.nulls) == (7, False, None)


# --- kept --------------------------------------------------------------------


def test_a_profile_is_measured_once_and_kept_on_disk(tmp_path, cache, monkeypatch):
    dataset = csv(tmp_path, "a,w\n1,x\n")
    first = profiles.profile(dataset)
    (kept,) = cache.glob("*.json")
    assert profiles.profile(dataset) is first
    monkeypatch.setattr(profiles, "_memory", {})
    raw = json.loads(kept.read_text())
    raw["rows"] = 77  # to see that it comes from there
    kept.write_text(json.dumps(raw))
    assert profiles.profile(dataset) == Profile(77, first.columns)


def test_changed_data_and_changed_options_have_another_profile(tmp_path):
    before = csv(tmp_path, "a,w\n1,NA\n")
    assert profiles.profile(before).column("w").nulls == 0
    other = describe("x", tmp_path / "x.csv", options={"nullValue": "NA"})
    assert profiles.profile(other).column("w").nulls == 1
    assert profiles.profile(csv(tmp_path, "a,w\n1,NA\n2,x\n")).rows == 2


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 0}', '{"format": 1, "rows": 1}'])
def test_a_kept_file_that_is_not_ours_is_measured_again(tmp_path, cache, content):
    dataset = csv(tmp_path, "a\n1\n")
    cache.mkdir(parents=True)
    (cache / f"{profile_store.key(dataset)}.json").write_text(content)
    assert profiles.profile(dataset).rows == 1


def test_a_cache_folder_that_cannot_be_used_costs_only_time(tmp_path, cache):
    cache.parent.parent.mkdir()
    cache.parent.write_text("a file where the folder should be")
    assert profiles.profile(csv(tmp_path, "a\n1\n")).rows == 1


def test_every_kind_of_value_survives_the_disk(tmp_path):
    values = [
        1,
        -(2**62),
        0.1,
        "ü",
        True,
        Decimal("1.10"),
        dt.date(1, 1, 1),
        dt.datetime(2024, 1, 2, 3),
    ]
    columns = tuple(
        ColumnProfile(str(n), 1, None, value, value, ("é", "x"), True)
        for n, value in enumerate(values)
    )
    store = ProfileStore(tmp_path)
    store.save("k", Profile(None, columns))
    loaded = store.load("k")
    assert loaded == Profile(None, columns)
    assert [type(c.minimum) for c in loaded.columns] == [type(value) for value in values]
    assert store.load("other") is None
