"""DataFrames of the notebook: found where they are named, copied as they are, told what is lost."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import uuid
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bluebear_magic.config import Settings
from bluebear_magic.context.catalog import Catalog
from bluebear_magic.context.sources import Place
from bluebear_magic.errors import DatasetError


class Notebook:
    """A catalog over variables."""

    def __init__(self, folder, **settings) -> None:
        self.variables: dict[str, object] = {}
        self.settings = Settings(**settings)
        self.catalog = Catalog(folder, Place(folder, self.settings, lambda: self.variables))

    def __setitem__(self, name, value):
        self.variables[name] = value

    def get(self, name):
        return self.catalog.get(name)

    def types(self, name) -> dict[str, str]:
        return {column.name: column.type for column in self.get(name).columns}

    def rows(self, name) -> list[dict]:
        (path,) = self.get(name).paths
        return pq.read_table(path).to_pylist()

    def refused(self, name) -> str:
        with pytest.raises(DatasetError) as caught:
            self.get(name)
        return f"{caught.value.message}\n{caught.value.hint}"


pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture
def notebook(tmp_path):
    return Notebook(tmp_path)


@pytest.fixture
def df():
    return pd.DataFrame({"region": ["NORTH", "SOUTH"], "amount": [1.5, 2.5]})


# --- which frames -----------------------------------------------------------


def names(datasets) -> list[str]:
    return [dataset.name for dataset in datasets]


def test_only_frames_that_are_named_are_described(notebook, df):
    notebook["df"] = df
    notebook["sale_items"] = pl.DataFrame({"a": [1]})
    assert names(notebook.catalog.list()) == []
    assert names(notebook.catalog.list("total amount in df")) == ["df"]
    assert names(notebook.catalog.list("the DF, and what each sale item costs")) == [
        "df",
        "sale_items",
    ]
    assert names(notebook.catalog.list('spark.table("sale_items")')) == ["sale_items"]
    assert names(notebook.catalog.list("pdf dfs")) == []


def test_a_variable_that_is_a_word_of_every_sentence_must_be_quoted(notebook, df):
    notebook["a"] = df
    assert names(notebook.catalog.list("how much is a sale")) == []
    assert names(notebook.catalog.list("the amount in `a`")) == ["a"]


def test_nothing_is_copied_of_frames_that_are_not_named(notebook, tmp_path, monkeypatch):
    """What would need a look at the values, or room, is not noticed before."""
    notebook["odd"] = pd.DataFrame({"x": [1, "a"]})
    notebook["big"] = pl.DataFrame({"x": np.zeros(100_000_000, dtype="int8")})
    notebook["df"] = pd.DataFrame({"x": [1]})
    listed, broken = notebook.catalog.survey("df")
    assert (names(listed), broken) == (["df"], ())
    told = {name: glance for name, _, glance in notebook.catalog.glances()}
    assert (told["big"].format, told["big"].rows, told["big"].columns) == ("polars", 100_000_000, 1)


@pytest.mark.parametrize("name", ["_", "_x", "__y"])
def test_hidden_variables_are_no_datasets(notebook, df, name):
    notebook[name] = df
    assert notebook.catalog.glances() == ()


def test_other_variables_are_no_datasets(notebook, df):
    notebook.variables.update(s=df["amount"], n=df.to_numpy(), d={"a": 1}, cls=pd.DataFrame)
    assert notebook.catalog.glances() == ()


def test_a_file_keeps_its_name_and_tells_of_the_variable(notebook, df, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "sales.csv").write_text("x\n1\n")
    notebook["sales"] = df
    file, frame = notebook.catalog.list("sales sales_frame")
    assert (file.name, file.format) == ("sales", "csv")
    assert any(
        "frame:sales is another dataset, called sales_frame" in told for told in file.warnings
    )
    assert frame.name == "sales_frame"
    assert any("another dataset is called sales" in told for told in frame.warnings)
    del notebook.variables["sales"]
    assert not any("frame:" in told for told in notebook.get("sales").warnings)


def test_a_registered_dataset_keeps_its_name_too(notebook, df, tmp_path):
    (tmp_path / "other.csv").write_text("x\n1\n")
    notebook.catalog.add("df", "other.csv")
    notebook["df"] = df
    assert notebook.get("df").format == "csv"
    assert names(notebook.catalog.list("df_frame")) == ["df", "df_frame"]


def test_names_that_differ_only_in_case_are_told_apart(notebook, df):
    notebook["df"] = df
    notebook["DF"] = pl.DataFrame({"other": [1]})
    assert notebook.types("df") == {"region": "STRING", "amount": "DOUBLE"}
    assert notebook.types("DF_frame") == {"other": "BIGINT"}


def test_a_variable_of_other_letters_is_named_as_it_is_written(notebook, df):
    notebook["données"] = df
    assert names(notebook.catalog.list("le total des données")) == ["donn_es"]
    assert notebook.catalog.add_path("données").name == "donn_es"


def test_a_frame_can_have_another_name(notebook, df):
    notebook["df"] = df
    assert notebook.catalog.add_path("sales=frame:df").name == "sales"
    assert names(notebook.catalog.list()) == ["sales"]
    del notebook.variables["df"]
    assert "there is no variable `df`" in notebook.refused("sales")


def test_a_variable_that_is_no_frame_any_more(notebook, df):
    notebook["df"] = df
    notebook.catalog.add("sales", "frame:df")
    notebook["df"] = 3
    assert "`df` is no DataFrame, it is a int" in notebook.refused("sales")


def test_options_are_refused(notebook, df):
    notebook["df"] = df
    with pytest.raises(DatasetError, match="takes no options, and sep was given"):
        notebook.catalog.add("sales", "frame:df", sep=";")


def test_a_lazy_frame_is_to_be_collected(notebook):
    notebook["lf"] = pl.LazyFrame({"a": [1]})
    told = notebook.refused("lf")
    assert "a plan that holds no rows" in told
    assert "lf = lf.collect()" in told


def test_looking_for_frames_loads_no_library():
    code = (
        "import sys; from bluebear_magic.context.catalog import Catalog\n"
        "from bluebear_magic.context.sources import Place\n"
        "Catalog(None, Place(variables=lambda: {'x': 1})).names()\n"
        "print({'pandas', 'polars', 'pyarrow', 'duckdb'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# --- when it changes --------------------------------------------------------


def test_the_same_frame_is_read_once_and_an_equal_one_is_the_same_data(notebook, df):
    notebook["df"] = df
    before = notebook.get("df")
    assert notebook.get("df") is before
    notebook["df"] = df.copy()
    assert notebook.get("df") is before


EDITS = {
    "a number": lambda df: df.__setitem__("amount", [1.5, 2.75]),
    "one cell": lambda df: df.iloc.__setitem__((0, 1), 9.0),
    "text": lambda df: df.iloc.__setitem__((0, 0), "EAST"),
    "an object within": lambda df: df["tags"].iloc[0].append("x"),
    "a name": lambda df: setattr(df, "columns", ["region", "sum", "tags"]),
    "the order": lambda df: df.__setitem__(slice(None), df[::-1].to_numpy()),
    "a row": lambda df: df.loc.__setitem__(2, ["EAST", 1.0, []]),
    "a type": lambda df: df.__setitem__("amount", df["amount"].astype("float32")),
    "null": lambda df: df.iloc.__setitem__((0, 1), None),
}


@pytest.mark.parametrize("edit", EDITS)
def test_edits_in_place_are_noticed(notebook, edit):
    df = pd.DataFrame({"region": ["NORTH", "SOUTH"], "amount": [1.5, 2.5], "tags": [["a"], ["b"]]})
    notebook["df"] = df
    before = notebook.get("df")
    EDITS[edit](df)
    after = notebook.get("df")
    assert after.fingerprint != before.fingerprint
    assert after.paths != before.paths


def test_an_edit_of_the_array_below_is_noticed(notebook):
    values = np.arange(3.0).reshape(3, 1)
    notebook["df"] = pd.DataFrame(values, columns=["x"], copy=False)
    notebook["pl"] = pl.DataFrame({"x": [1, 2]})
    before = notebook.get("df").fingerprint, notebook.get("pl").fingerprint
    values[1, 0] = 7.0
    notebook.variables["pl"][0, "x"] = 5
    assert notebook.rows("df")[1]["x"] == 7.0
    after = notebook.get("df").fingerprint, notebook.get("pl").fingerprint
    assert set(before).isdisjoint(after)


def test_a_slice_is_its_own_rows(notebook):
    table = pa.table({"x": [1, 2, 3], "s": ["a", "b", "c"]})
    notebook["t"] = table.slice(1)
    assert notebook.rows("t") == [{"x": 2, "s": "b"}, {"x": 3, "s": "c"}]
    before = notebook.get("t").fingerprint
    notebook["t"] = pa.table({"x": [2, 3], "s": ["b", "c"]})
    assert notebook.get("t").fingerprint == before


def test_a_copy_that_was_removed_is_made_again(notebook, df):
    notebook["df"] = df
    (path,) = notebook.get("df").paths
    pa.fs.LocalFileSystem().delete_file(path)
    assert notebook.rows("df")[0]["region"] == "NORTH"


def test_the_copy_is_told_without_a_time(notebook, df):
    notebook["df"] = df
    told = ("the variable `df` as it was when this was asked: 2 rows",)
    assert notebook.get("df").warnings == told


# --- how large --------------------------------------------------------------


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow", "objects"])
def test_a_frame_beyond_the_limit_says_how_large_it_is(tmp_path, kind):
    notebook = Notebook(tmp_path, snapshot_mb=1)
    values = np.zeros(200_000)
    made = {
        "pandas": lambda: pd.DataFrame({"x": values}),
        "polars": lambda: pl.DataFrame({"x": values}),
        "arrow": lambda: pa.table({"x": values}),
        "objects": lambda: pd.DataFrame({"x": pd.Series(["x" * 1000] * 2000, dtype=object)}),
    }[kind]
    notebook["df"] = made()
    told = notebook.refused("df")
    assert "`df` takes " in told
    assert "MB in memory: more than the 1 MB" in told
    assert "snapshot_mb" in told
    notebook.settings.snapshot_mb = 3
    assert notebook.get("df").name == "df"


# --- types ------------------------------------------------------------------

HOUR = dt.datetime(2024, 5, 1, 10)
PANDAS = {
    "Int64": (pd.array([1, None], "Int64"), "BIGINT", [1, None]),
    "boolean": (pd.array([True, None], "boolean"), "BOOLEAN", [True, None]),
    "Float32": (pd.array([1.5, None], "Float32"), "FLOAT", [1.5, None]),
    "float16": (np.array([1.5, 2], "float16"), "FLOAT", [1.5, 2.0]),
    "nan": ([1.5, np.nan], "DOUBLE", [1.5, None]),
    "string": (pd.array(["a", None], "string"), "STRING", ["a", None]),
    "object text": (pd.Series(["a", None], dtype=object), "STRING", ["a", None]),
    "text and nan": (pd.Series(["a", np.nan], dtype=object), "STRING", ["a", None]),
    "int8": (np.array([1, 2], "int8"), "TINYINT", [1, 2]),
    "uint8": (np.array([1, 255], "uint8"), "SMALLINT", [1, 255]),
    "uint32": (np.array([1, 2**32 - 1], "uint32"), "BIGINT", [1, 2**32 - 1]),
    "uint64": (np.array([1, 2**64 - 1], "uint64"), "DECIMAL(20,0)", [1, 2**64 - 1]),
    "beyond int64": (pd.Series([2**70, None], dtype=object), "DECIMAL(38,0)", [Decimal(2**70), None]),
    "ints": (pd.Series([1, None], dtype=object), "BIGINT", [1, None]),
    "int and float": (pd.Series([1, 2.5], dtype=object), "DOUBLE", [1.0, 2.5]),
    "numpy scalars": (pd.Series([np.int64(1), np.float32(2.5)], dtype=object), "DOUBLE", [1.0, 2.5]),
    "bools": (pd.Series([True, None], dtype=object), "BOOLEAN", [True, None]),
    "category": (pd.Categorical(["a", None], ["a", "b"]), "STRING", ["a", None]),
    "ordered numbers": (pd.Categorical([2, 1], [1, 2], ordered=True), "BIGINT", [2, 1]),
    "times": (pd.Series([HOUR, None]), "TIMESTAMP_NTZ", [HOUR, None]),
    "python times": (pd.Series([HOUR, None], dtype=object), "TIMESTAMP_NTZ", [HOUR, None]),
    "instants": (
        pd.Series([HOUR, None]).dt.tz_localize("Europe/Berlin"), "TIMESTAMP",
        [pd.Timestamp("2024-05-01 08:00", tz="UTC"), None],
    ),
    "dates": (pd.Series([HOUR.date(), None], dtype=object), "DATE", [HOUR.date(), None]),
    "decimals": (
        pd.Series([Decimal("1.50"), None], dtype=object), "DECIMAL(3,2)", [Decimal("1.50"), None],
    ),
    "bytes": (pd.Series([b"\x00", None], dtype=object), "BINARY", [b"\x00", None]),
    "lists": (pd.Series([[1, 2], None], dtype=object), "ARRAY<BIGINT>", [[1, 2], None]),
    "arrays": (pd.Series([np.array([1.0]), None], dtype=object), "ARRAY<DOUBLE>", [[1.0], None]),
    "dicts": (
        pd.Series([{"a": 1}, {"b": "x"}], dtype=object), "STRUCT<`a`: BIGINT, `b`: STRING>",
        [{"a": 1, "b": None}, {"a": None, "b": "x"}],
    ),
    "nothing": (pd.Series([None, None], dtype=object), "STRING", [None, None]),
    "durations": (pd.to_timedelta([90, None], unit="s"), "DOUBLE", [90.0, None]),
    "periods": (pd.period_range("2024-05", periods=2, freq="M"), "TIMESTAMP_NTZ",
        [dt.datetime(2024, 5, 1), dt.datetime(2024, 6, 1)]),
    "sparse": (pd.arrays.SparseArray([0, 1]), "BIGINT", [0, 1]),
    "intervals": (
        pd.interval_range(0, 2), "STRUCT<`left`: BIGINT, `right`: BIGINT>",
        [{"left": 0, "right": 1}, {"left": 1, "right": 2}],
    ),
    "arrow text": (pd.array(["a", None], pd.ArrowDtype(pa.string())), "STRING", ["a", None]),
    "clock": (
        pd.Series([dt.time(0, 0, 1), None], dtype=object), "BIGINT", [dt.time(0, 0, 1), None],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", PANDAS)
def test_what_pandas_holds_is_what_spark_gets(notebook, kind):
    values, ddl, expected = PANDAS[kind]
    notebook["df"] = pd.DataFrame({"x": values})
    assert notebook.types("df") == {"x": ddl}
    assert [row["x"] for row in notebook.rows("df")] == expected


POLARS = {
    "categorical": (pl.Series(["a", None], dtype=pl.Categorical), "STRING", ["a", None]),
    "enum": (pl.Series(["a", None], dtype=pl.Enum(["b", "a"])), "STRING", ["a", None]),
    "uint64": (pl.Series([2**64 - 1], dtype=pl.UInt64), "DECIMAL(20,0)", [2**64 - 1]),
    "int128": (pl.Series([2**70], dtype=pl.Int128), "DECIMAL(38,0)", [Decimal(2**70)]),
    "nanoseconds": (pl.Series([HOUR], dtype=pl.Datetime("ns")), "TIMESTAMP_NTZ", [HOUR]),
    "milliseconds": (pl.Series([HOUR], dtype=pl.Datetime("ms")), "TIMESTAMP_NTZ", [HOUR]),
    "duration": (pl.Series([dt.timedelta(minutes=1.5)]), "DOUBLE", [90.0]),
    "time": (pl.Series([dt.time(0, 0, 1)]), "BIGINT", [dt.time(0, 0, 1)]),
    "null": (pl.Series([None, None]), "STRING", [None, None]),
    "array": (pl.Series([[1, 2]], dtype=pl.Array(pl.Int64, 2)), "ARRAY<BIGINT>", [[1, 2]]),
    "list of categories": (
        pl.Series([["a"]], dtype=pl.List(pl.Categorical)), "ARRAY<STRING>", [["a"]],
    ),
    "struct": (pl.Series([{"a": 1}]), "STRUCT<`a`: BIGINT>", [{"a": 1}]),
    "binary": (pl.Series([b"\x00"]), "BINARY", [b"\x00"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", POLARS)
def test_what_polars_holds_is_what_spark_gets(notebook, kind):
    values, ddl, expected = POLARS[kind]
    notebook["df"] = pl.DataFrame({"x": values})
    assert notebook.types("df") == {"x": ddl}
    assert [row["x"] for row in notebook.rows("df")] == expected


ARROW = {
    "string view": (pa.array(["a"], pa.string_view()), "STRING", ["a"]),
    "run ends": (pa.compute.run_end_encode(pa.array([1, 1])), "BIGINT", [1, 1]),
    "uuid": (pa.array([uuid.UUID(int=1).bytes], pa.uuid()), "BINARY", [uuid.UUID(int=1).bytes]),
    "decimal32": (pa.array([Decimal("1.5")], pa.decimal32(3, 1)), "DECIMAL(3,1)", [Decimal("1.5")]),
    "map of nanoseconds": (
        pa.array([[("a", HOUR)]], pa.map_(pa.string(), pa.timestamp("ns"))),
        "MAP<STRING, TIMESTAMP_NTZ>", [[("a", HOUR)]],
    ),
    "seconds": (pa.array([HOUR], pa.timestamp("s")), "TIMESTAMP_NTZ", [HOUR]),
    "date64": (pa.array([HOUR.date()], pa.date64()), "DATE", [HOUR.date()]),
}  # fmt: skip


@pytest.mark.parametrize("kind", ARROW)
def test_what_arrow_holds_is_what_spark_gets(notebook, kind):
    values, ddl, expected = ARROW[kind]
    notebook["t"] = pa.table({"x": values})
    assert notebook.types("t") == {"x": ddl}
    assert [row["x"] for row in notebook.rows("t")] == expected


def test_what_is_lost_is_told(notebook):
    notebook["df"] = pd.DataFrame(
        {
            "t": pd.to_datetime(["2024-05-01 10:00:00.123456789"]).astype("datetime64[ns]"),
            "whole": pd.to_datetime(["2024-05-01"]).astype("datetime64[ns]"),
            "d": pd.to_timedelta([1], unit="s"),
            "n": [None],
        }
    )
    told = "\n".join(notebook.get("df").warnings[1:])
    assert told == (
        "t is cut to microseconds: Spark has no finer times\n"
        "d is a duration, in seconds\n"
        "n has no values: taken as text"
    )


# --- names and the index ----------------------------------------------------


def test_names_keep_what_they_hold(notebook):
    names = ["a b", "a.b", 'say "x"', "it's", "back`tick", "🐻", "x;drop table y", "1"]
    notebook["df"] = pd.DataFrame([range(8)], columns=names)
    assert list(notebook.types("df")) == names


def test_names_that_are_no_text_become_text_and_are_told(notebook):
    notebook["df"] = pd.DataFrame([[1, 2]], columns=[0, ("a", "sum")])
    assert list(notebook.types("df")) == ["0", "a_sum"]
    assert "the column 0 is called 0" in notebook.get("df").warnings
    notebook["wide"] = pd.DataFrame(np.zeros((1, 50)))
    assert "and so on: 50 names of columns became text" in notebook.get("wide").warnings
    notebook["two"] = pd.DataFrame({("a", "x"): [1], ("a", ""): [2]})
    assert list(notebook.types("two")) == ["a_x", "a"]


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (["a", "a"], "two columns are called 'a'"),
        (["a", "A"], "'a' and 'A' have the same name for Spark"),
        (["a", ""], "column 2 has an empty name"),
        ([1, "1"], "two columns are called '1'"),
    ],
)
def test_names_that_cannot_be_told_apart_are_refused(notebook, columns, told):
    notebook["df"] = pd.DataFrame([[1, 2]], columns=columns)
    assert told in notebook.refused("df")


def test_no_columns_is_no_table(notebook):
    notebook["df"] = pd.DataFrame()
    assert "df has no columns" in notebook.refused("df")
    notebook["p"] = pl.DataFrame()
    assert "p has no columns" in notebook.refused("p")


INDEXES = {
    "a range": (None, ["x"]),
    "numbers without a name": (pd.Index([5, 7]), ["x"]),
    "a name": (pd.Index([5, 7], name="id"), ["id", "x"]),
    "a range with a name": (pd.RangeIndex(2, name="id"), ["id", "x"]),
    "labels without a name": (pd.Index(["a", "b"]), ["index", "x"]),
    "times": (pd.DatetimeIndex([HOUR, HOUR], name="at"), ["at", "x"]),
    "levels": (pd.MultiIndex.from_tuples([(1, "a"), (2, "b")], names=["k", None]), ["k", "level_1", "x"]),
    "the name of a column": (pd.Index([5, 7], name="x"), ["x"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", INDEXES)
def test_an_index_that_says_something_becomes_columns(notebook, kind):
    index, expected = INDEXES[kind]
    notebook["df"] = pd.DataFrame({"x": [1.5, 2.5]}, index=index)
    assert list(notebook.types("df")) == expected
    assert notebook.rows("df")[0]["x"] == 1.5


# --- what does not go -------------------------------------------------------

REFUSED = {
    "mixed": ([1, "a", "b"], "several types: int (1), str (2)", "df['x'] = df['x'].astype(str)"),
    "text and bytes": (["a", b"b"], "several types: str (1), bytes (1)", "astype(str)"),
    "dates and times": ([HOUR, HOUR.date()], "datetime (1), date (1)", "astype(str)"),
    "bools and numbers": ([True, 1], "several types: bool (1), int (1)", "astype(str)"),
    "zones": ([HOUR, HOUR.replace(tzinfo=dt.timezone.utc)], "with and without a time zone", "utc=True"),
    "objects": ([uuid.UUID(int=1)], "holds UUID objects", "astype(str)"),
    "sets": ([{1}], "holds set objects", "astype(str)"),
    "complex": ([1j], "(complex128)", "drop(columns='x')"),
    "mixed within": ([[1], ["a"]], "(object) cannot be read", "drop(columns='x')"),
    "half a character": (["\ud800"], "cannot be read", "drop(columns='x')"),
    "too many digits": ([10**40], "cannot be read", "drop(columns='x')"),
    "empty dicts": ([{}], "a struct without fields", "Leave the column out"),
    "wide decimals": ([Decimal("1." + "1" * 45)], "digits (at most 38)", "Leave the column out"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_a_column_that_does_not_go_is_named(notebook, kind):
    values, told, hint = REFUSED[kind]
    column = values if kind == "complex" else pd.Series(values, dtype=object)
    notebook["df"] = pd.DataFrame({"fine": range(len(values)), "x": column})
    said = notebook.refused("df")
    assert "column 'x'" in said
    assert told in said
    assert hint in said


def test_what_polars_and_arrow_cannot_hand_over_is_named(notebook):
    notebook["df"] = pl.DataFrame({"x": pl.Series([object()], dtype=pl.Object)})
    assert "the column 'x' (Object) cannot be read: it holds Python objects" in notebook.refused(
        "df"
    )
    unions = pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])])
    notebook["t"] = pa.table({"x": unions})
    assert "t: Spark cannot read the column 'x'" in notebook.refused("t")
    far = pa.array([2**60], pa.timestamp("s"))
    notebook["far"] = pa.table({"x": far})
    assert "the column 'x'" in notebook.refused("far")
