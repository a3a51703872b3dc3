import base64
import datetime as dt
import json
import re
import subprocess
import sys
from decimal import Decimal
from html.parser import HTMLParser

import pytest

from bluebear_magic.errors import DatasetError
from bluebear_magic.present import render
from bluebear_magic.present.result import Result
from bluebear_magic.records import ChartHint, ErrorInfo
from bluebear_magic.runner.envelope import Table

CARRIERS = (("UA", 58665), ("B6", 54635), ("OO", 32))
COLUMNS = (("carrier", "STRING"), ("flights", "BIGINT"))
PLOTLY = "application/vnd.plotly.v1+json"


def table(columns=COLUMNS, rows=CARRIERS, *, title="result", uri=None, **known):
    count = {"row_count": len(rows), "sampled": False, "truncated": False}
    return Table(title, tuple(columns), tuple(map(tuple, rows)), uri=uri, **{**count, **known})


def result(*tables, **more):
    return Result(tables or (table(),), "result = spark.table('flights')", None, **more)


def stored(folder, *parts, codec="snappy"):
    """A folder as Spark writes it."""
    import pyarrow.parquet as pq

    folder.mkdir(parents=True)
    (folder / "_SUCCESS").touch()
    (folder / ".part-00000.crc").write_bytes(b"crc")
    for number, part in enumerate(parts):
        pq.write_table(part, folder / f"part-{number:05}-x.{codec}.parquet")
    return folder


# --- data ----------------------------------------------------------------------


def test_the_frame_of_a_preview_has_the_types_of_the_columns():
    columns = [
        ("name", "STRING"), ("n", "BIGINT"), ("holes", "INT"), ("x", "DOUBLE"),
        ("price", "DECIMAL(10,2)"), ("day", "DATE"), ("at", "TIMESTAMP"), ("ok", "BOOLEAN"),
        ("tags", "ARRAY<STRING>"), ("who", "STRUCT<a: INT>"),
    ]  # fmt: skip
    rows = [
        ["a", str(2**60), None, 1.5, "12.50", "2013-01-02", "2013-01-02T03:04:05.000600", True,
         ["x"], {"a": 1}],
        ["b", 2, 7, None, None, None, None, None, None, None],
    ]  # fmt: skip
    df = result(table(columns, rows)).df
    assert list(df.columns) == [name for name, _ in columns]
    assert df["n"].tolist() == [2**60, 2]
    assert str(df["holes"].dtype) == "Int32"
    assert df["holes"].tolist()[1] == 7
    assert df["price"].tolist() == [Decimal("12.50"), None]
    assert df["day"].dtype.kind == "M"
    assert df["at"][0].to_pydatetime() == dt.datetime(2013, 1, 2, 3, 4, 5, 600)
    assert df["at"].dt.tz is None
    assert str(df["ok"].dtype) == "boolean"
    assert list(df["tags"][0]) == ["x"]
    assert df["who"][0] == {"a": 1}


def test_the_frame_is_the_whole_from_disk_in_the_order_of_the_parts(tmp_path):
    import pyarrow as pa

    parts = [
        pa.table({"carrier": [f"C{p}{n}" for n in range(3)], "flights": [p] * 3}) for p in (0, 1)
    ]
    folder = stored(tmp_path / "whole", *parts)
    for uri in (str(folder), folder.as_uri(), "file:" + str(folder)):
        one = result(table(rows=CARRIERS[:1], uri=uri, row_count=6, truncated=True))
        assert one.df["carrier"].tolist() == ["C00", "C01", "C02", "C10", "C11", "C12"]
        assert one.path == uri
    single = result(table(uri=str(folder / "part-00001-x.snappy.parquet")))
    assert single.df["flights"].tolist() == [1, 1, 1]


def test_stored_types_are_those_of_a_preview(tmp_path):
    import pyarrow as pa

    moment = dt.datetime(2013, 1, 2, 3, 4, 5)
    values = {
        "at": pa.array([moment, None], type=pa.timestamp("us", tz="UTC")),
        "day": pa.array([dt.date(2013, 1, 2), None]),
        "price": pa.array([Decimal("12.50"), None]),
        "n": pa.array([2**60 + 1, None]),
        "ok": pa.array([True, None]),
    }
    folder = stored(tmp_path / "whole", pa.table(values))
    kinds = ["TIMESTAMP", "DATE", "DECIMAL(4,2)", "BIGINT", "BOOLEAN"]
    rows = [["2013-01-02T03:04:05", "2013-01-02", "12.50", str(2**60 + 1), True], [None] * 5]
    columns = list(zip(values, kinds, strict=True))
    from_disk, from_preview = (
        result(table(columns, rows, uri=uri)).df for uri in (str(folder), None)
    )
    assert from_disk.dtypes.astype(str).to_dict() == from_preview.dtypes.astype(str).to_dict()
    assert from_disk["at"][0].to_pydatetime() == moment
    assert from_disk["n"][0] == 2**60 + 1
    assert from_disk.equals(from_preview)


def test_columns_may_share_a_name():
    df = result(table([("id", "INT"), ("id", "INT")], [[1, None], [2, 3]])).df
    assert list(df.columns) == ["id", "id"]
    assert df.iloc[:, 1].tolist()[1] == 3
    mixed = result(table([("x", "BINARY"), ("x", "STRING")], [["80", "a"]])).df
    assert mixed.iloc[0].tolist() == [b"\x80", "a"]


def test_values_of_no_one_type_become_text():
    df = result(table([("x", "VARIANT"), ("n", "INT")], [[1, "oops"], ["a", 2]])).df
    assert df["x"].tolist() == ["1", "a"]
    assert df["n"].tolist() == ["oops", "2"]


def test_an_empty_folder_is_an_empty_result(tmp_path):
    folder = stored(tmp_path / "none")
    df = result(table(rows=[], uri=str(folder))).df
    assert list(df.columns) == ["carrier", "flights"]
    assert len(df) == 0


def test_missing_or_broken_files_say_what_to_do(tmp_path):
    folder = stored(tmp_path / "broken")
    (folder / "part-00000.parquet").write_bytes(b"not parquet")
    for uri in (str(tmp_path / "gone"), str(folder)):
        with pytest.raises(DatasetError) as caught:
            _ = result(table(uri=uri)).df
        assert uri in caught.value.message
        assert caught.value.hint == "Run the cell again to make it anew."


def test_the_frame_is_read_once():
    one = result()
    assert one.df is one.df
    assert one.dfs["result"] is one.df


def test_several_tables_have_their_titles():
    both = result(table(title="a", uri="/x"), table(title="b", rows=CARRIERS[:1]))
    assert both.paths == {"a": "/x", "b": None}
    assert both.path == "/x"
    assert "a: " in both.summary


def test_a_run_without_tables_says_so():
    nothing = Result((), "x = 1", None)
    with pytest.raises(DatasetError, match="no table"):
        _ = nothing.df
    assert nothing.dfs == {}
    assert nothing.path is None
    assert nothing.fig is None
    assert repr(nothing) == "<Result: no tables>"


def test_a_failed_run_says_what_and_what_next():
    error = ErrorInfo("run_failed", "no column <b>", "did you mean `a`?", line=2)
    failed = Result((), "x = 1", None, error=error)
    assert not failed.ok
    assert result().ok
    with pytest.raises(DatasetError, match="no column <b>"):
        _ = failed.df
    bundle = failed._repr_mimebundle_()
    assert bundle["text/plain"] == "Line 2: no column <b>\ndid you mean `a`?"
    assert "<p>Line 2: no column &lt;b&gt;</p>" in bundle["text/html"]
    assert repr(failed) == "<Result: failed, no column <b>>"


def test_sampled_and_truncated_are_those_of_any_table():
    one = result(table(), table(title="b", sampled=True, truncated=True, row_count=None))
    assert (one.sampled, one.truncated) == (True, True)
    assert (result().sampled, result().truncated) == (False, False)


def test_repr_is_one_short_line(hostile):
    assert repr(result()) == "<Result: 3 rows of carrier, flights>"
    wild = repr(result(table([(hostile, "STRING")], [["x"]], title=hostile)))
    assert len(wild.splitlines()) == 1
    assert len(wild) < 80


# --- charts --------------------------------------------------------------------


def test_fig_is_a_plotly_figure():
    figure = result().fig
    assert type(figure).__name__ == "Figure"
    assert figure.layout.title.text == "flights by carrier"


def test_the_hint_is_for_the_first_table():
    tables = (table(title="a"), table(title="b"))
    assert len(result(*tables, hint=ChartHint("none")).figs) == 1
    assert len(result(*tables).figs) == 2


# --- what is displayed -----------------------------------------------------------


def test_the_bundle_has_text_html_and_the_chart():
    bundle = result()._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", PLOTLY, "image/png"}
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert 'src="data:image/png;base64,' in bundle["text/html"]
    assert 'alt="Bar chart: flights by carrier.' in bundle["text/html"]
    assert bundle[PLOTLY]["data"][0]["type"] == "bar"
    json.dumps(bundle, allow_nan=False)
    assert bundle == result()._repr_mimebundle_()


def test_the_bundle_can_be_narrowed():
    one = result()
    assert set(one._repr_mimebundle_(include={"text/plain"})) == {"text/plain"}
    assert "image/png" not in one._repr_mimebundle_(exclude={"image/png"})


def test_a_result_without_a_chart_has_text_and_html():
    one = result(table(rows=CARRIERS[:1]))
    assert set(one._repr_mimebundle_()) == {"text/plain", "text/html"}
    assert render.chart_bundles(one) == []


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """An IPython without history or profile of its own."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    yield InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    InteractiveShell.clear_instance()


def test_tables_and_charts_are_displayed_apart(shell):
    from IPython.utils.capture import capture_output

    with capture_output() as captured:
        shell.display_formatter.format(result())
    kinds = [set(output.data) for output in captured.outputs]
    assert kinds == [{"text/plain", "text/html"}, {"text/plain", PLOTLY, "image/png"}]
    assert "<img" not in captured.outputs[0].data["text/html"]


def test_printed_output_is_shown_without_escape_codes():
    bundle = render.result_bundle(result(stdout="\x1b[31mhello\x1b[0m <b>\n"))
    assert '<pre dir="ltr">hello &lt;b&gt;</pre>' in bundle["text/html"]
    assert "\n\nhello <b>\n\n" in bundle["text/plain"]


class Tags(HTMLParser):
    def __init__(self, fragment):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.open = set(), set(), []
        self.feed(fragment)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def harmless(bundle):
    read = Tags(bundle["text/html"])
    assert read.open == []
    assert read.tags <= {
        "div", "p", "pre", "table", "caption", "thead", "tbody", "tr", "th", "td", "span", "img",
        "em",
    }  # fmt: skip
    assert read.attributes <= {"class", "style", "scope", "align", "alt", "src", "dir"}
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", bundle["text/plain"])
    json.dumps(bundle).encode()
    return True


def test_hostile_text_stays_text(hostile):
    columns = [(hostile, "STRING"), ("n" + hostile, "INT")]
    tables = [table(columns, [[hostile, 1], ["b", 2]], title=title) for title in (hostile, "b")]
    assert harmless(render.result_bundle(result(*tables, stdout=hostile, question=hostile)))


@pytest.mark.parametrize("part", range(12))
def test_hostile_text_stays_text_beside_charts(hostile_corpus, part):
    some = hostile_corpus[part::12]
    columns = [(some[0], "STRING"), ("n" + some[1], "INT")]
    bundle = result(table(columns, [[t, n] for n, t in enumerate(some)]))._repr_mimebundle_()
    assert "data:image/png" in bundle["text/html"]
    assert harmless(bundle)


def test_code_is_shown_as_it_stands():
    assert render.code_html('x = "<b>"  # שלום\u202e\n') == (
        '<pre dir="ltr">x = &quot;&lt;b&gt;&quot;  # שלום\\u202e\n</pre>'
    )


def test_a_result_reads_as_the_golden_files(golden):
    one = result(stdout="done\n")
    golden("present/result.txt", render.result_bundle(one)["text/plain"] + "\n")
    golden("present/result.html", render.result_bundle(one)["text/html"] + "\n")


def test_importing_the_room_loads_nothing_heavy():
    program = (
        "import sys, bluebear_magic.present.render, bluebear_magic.present.result, "
        "bluebear_magic.present.charts\n"
        "heavy = {'pandas', 'pyarrow', 'numpy', 'matplotlib', 'plotly', 'IPython'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
