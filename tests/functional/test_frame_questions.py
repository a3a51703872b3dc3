"""Questions about the variables of a notebook, answered by Spark."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from bluebear_magic import Bluebear
from bluebear_magic.config import Settings
from bluebear_magic.errors import ArgumentError, DatasetError
from bluebear_magic.testing import RecordingReporter

NAMES = ["a b", "a.b", 'say "x"', "it's", "back`tick", "🐻", "x;drop table y", "1"]


@pytest.fixture
def variables():
    """Those of a notebook."""
    return {"In": ["1"], "_": pd.DataFrame({"hidden": [1]})}


@pytest.fixture
def bb(variables, local, tmp_path):
    settings = Settings(warm=False)
    bb = Bluebear(
        folder=tmp_path, settings=settings, namespace=variables, reporter=RecordingReporter()
    )
    bb.tools.backends = {**bb.tools.backends, "local": local}
    return bb


@pytest.fixture
def df():
    return pd.DataFrame({"region": ["NORTH", "SOUTH", "NORTH"], "amount": [1.5, 2.0, 3.0]})


def totals(result):
    return dict(result.df.itertuples(index=False))


def test_a_frame_is_asked_about_and_run_as_it_is_then(bb, variables, df):
    variables["df"] = df
    answer = bb.ask("total amount by region in df", strict=True)
    assert bb.tools.reporter.warnings == [
        "df: the variable `df` as it was when this was asked: 3 rows"
    ]
    assert totals(bb.run(answer, strict=True)) == {"NORTH": 4.5, "SOUTH": 2.0}
    df.loc[0, "amount"] = 10.0
    assert totals(bb.run(answer, strict=True)) == {"NORTH": 13.0, "SOUTH": 2.0}


def test_code_names_its_frames_by_itself(bb, variables, df):
    variables["df"] = df
    code = 'result = spark.table("df").groupBy("region").sum("amount")'
    assert bb.check(code).ok
    assert totals(bb.run(code, strict=True)) == {"NORTH": 4.5, "SOUTH": 2.0}


def test_frames_of_several_libraries_are_joined(bb, variables, df):
    variables["sales"] = pl.from_pandas(df)
    variables["regions"] = pa.table({"region": ["NORTH", "SOUTH"], "boss": ["Ann", "Bo"]})
    answer = bb.ask("total amount in sales by boss in regions", strict=True)
    assert totals(bb.run(answer, strict=True)) == {"Ann": 4.5, "Bo": 2.0}


def test_the_only_frame_needs_no_name_and_several_do(bb, variables, df):
    variables["df"] = df
    assert bb.ask("total amount by region").ok
    variables["other"] = df
    bb.forget()
    error = bb.ask("total amount by region").error
    assert error.message == "the question names no dataset, and there are several"
    assert error.hint.endswith("df, other")
    assert bb.ask("total amount by region", data=["other"]).datasets == ("other",)


def test_a_follow_up_need_not_name_the_frame_again(bb, variables, df):
    variables.update(df=df, other=df.rename(columns={"amount": "size"}))
    assert bb.ask("total amount by region in df").ok
    assert bb.ask("average amount by region").datasets == ("df",)


def test_a_frame_that_cannot_be_read_fails_the_question_in_a_sentence(bb, variables):
    variables["odd"] = pd.DataFrame({"x": pd.Series([1, "a"], dtype=object)})
    error = bb.ask("how many rows are in odd").error
    assert error.kind == "dataset"
    assert error.message == "odd: the column 'x' holds values of several types: int (1), str (1)"


def test_a_result_takes_no_name_of_a_frame(bb, variables, df):
    variables["df"] = df
    with pytest.raises(ArgumentError, match="`df` is a dataset"):
        bb.run('result = spark.table("df")', into="df", strict=True)


def test_a_frame_is_added_by_itself(bb, df):
    assert bb.add_data("sales", df).name == "sales"
    answer = bb.ask("total amount by region", strict=True)
    assert totals(bb.run(answer, strict=True)) == {"NORTH": 4.5, "SOUTH": 2.0}
    with pytest.raises(DatasetError, match="`numbers` is no DataFrame, it is a list"):
        bb.add_data("numbers", [1, 2])
    with pytest.raises(DatasetError, match="there is no dataset 'numbers'"):
        bb.profile("numbers")


def test_spark_reads_what_the_frame_holds(bb, variables):
    """Names with everything in them, and values of every kind, through check and run."""
    at = dt.datetime(2024, 5, 1, 10)
    held = {
        "uint64": np.array([2**64 - 1], "uint64"),
        "beyond int64": pd.Series([2**70], dtype=object),
        "category": pd.Categorical(["a"]),
        "nanoseconds": pd.Series([at]).astype("datetime64[ns]"),
        "instant": pd.Series([at]).dt.tz_localize("Europe/Berlin"),
        "duration": pd.to_timedelta([90], unit="s"),
        "decimal": pd.Series([Decimal("1.50")], dtype=object),
        "nothing": pd.Series([None], dtype=object),
        "list": pd.Series([[1, 2]], dtype=object),
        "struct": pd.Series([{"a": 1}], dtype=object),
        "bytes": pd.Series([b"\x00"], dtype=object),
        **{name: [number] for number, name in enumerate(NAMES)},
    }
    variables["df"] = pd.DataFrame(held).set_index(pd.Index(["first"], name="key"))
    result = bb.run('result = spark.table("df")', strict=True)
    (row,) = result.df.to_dict("records")
    assert list(row) == ["key", *held]
    assert [row[name] for name in NAMES] == list(range(8))
    assert (row["key"], row["category"]) == ("first", "a")
    assert pd.isna(row["nothing"])
    assert (row["uint64"], row["beyond int64"]) == (2**64 - 1, 2**70)
    assert (row["decimal"], row["duration"], row["nanoseconds"]) == (Decimal("1.50"), 90.0, at)
    assert pd.Timestamp(row["instant"]).tz_localize(None) == dt.datetime(2024, 5, 1, 8)
    assert (list(row["list"]), dict(row["struct"]), row["bytes"]) == ([1, 2], {"a": 1}, b"\x00")


def test_a_frame_of_many_rows_is_checked_on_a_sample(bb, variables):
    numbers = np.arange(200_000)
    variables["df"] = pd.DataFrame({"k": numbers % 7, "x": numbers})
    answer = bb.ask("average x by k in df", strict=True)
    assert answer.checked == "sample:1000 rows"
    assert bb.run(answer, strict=True).df.shape == (7, 2)
