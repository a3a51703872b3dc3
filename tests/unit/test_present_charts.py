import io
import json
import re
import sys

import pytest
from PIL import Image

from bluebear_magic.present import charts, escape
from bluebear_magic.records import ChartHint
from bluebear_magic.runner.envelope import Table

CARRIERS = ["UA", "B6", "EV", "DL", "AA", "MQ", "US", "9E", "WN", "VX", "FL", "AS", "F9", "YV"]
MONTHS = [f"2013-{month:02}-01" for month in range(1, 13)]


def table(columns, rows, *, row_count=-1, sampled=False, truncated=False):
    rows = tuple(map(tuple, rows))
    count = len(rows) if row_count == -1 else row_count
    return Table("result", tuple(columns), rows, count, sampled, truncated)


def by_carrier(n=14, **known):
    rows = [(f"C{i:03}", 60000 - 150 * i) for i in range(n)]
    return table([("carrier", "STRING"), ("flights", "BIGINT")], rows, **known)


def monthly(**known):
    rows = [(month, 27000 + 37 * i * (i % 3)) for i, month in enumerate(reversed(MONTHS))]
    return table([("month", "DATE"), ("flights", "BIGINT")], rows, **known)


def points(n=60):
    rows = [(80 + 37 * i % 900, 20.5 + 7 * i % 90) for i in range(n)]
    return table([("distance", "INT"), ("air_time", "DOUBLE")], rows)


EXAMPLES = {
    "line": monthly(),
    "bar": by_carrier(8),
    "barh": by_carrier(30),
    "grouped": table(
        [("region", "STRING"), ("channel", "STRING"), ("sales", "DOUBLE")],
        [(r, c, 12.5 + len(r + c)) for r in ("North", "South", "East") for c in ("web", "shop")],
    ),
    "stacked": table(
        [("carrier", "STRING"), ("origin", "STRING"), ("flights", "BIGINT")],
        [(c, o, 5 * i) for i, c in enumerate(CARRIERS) for o in ("EWR", "JFK", "LGA", "HPN")],
    ),
    "scatter": points(),
    "histogram": table([("delay", "DOUBLE")], [(float(i % 37),) for i in range(200)]),
}


# --- which chart ---------------------------------------------------------------


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_shape_of_a_result_gives_its_chart(kind):
    assert charts.choose(EXAMPLES[kind]).kind == kind


def test_a_time_series_is_sorted_by_time():
    spec = charts.choose(monthly())
    assert list(spec.labels) == MONTHS
    assert list(spec.points) == sorted(spec.points)
    assert spec.series[0].values[-1] == 27000


@pytest.mark.parametrize(
    ("name", "kind", "values"),
    [
        ("month", "STRING", [f"2013-{m:02}" for m in range(1, 7)]),
        ("quarter", "STRING", ["2013-Q1", "2013-Q2", "2013-Q3", "2013-Q4"]),
        ("year", "INT", list(range(2010, 2016))),
        ("month", "INT", list(range(1, 13))),
        ("hour(time)", "INT", [5, 6, 7, 8]),
        ("time", "TIMESTAMP", [f"2013-01-01T0{h}:00:00" for h in range(5)]),
    ],
)
def test_time_comes_in_many_types(name, kind, values):
    rows = [(value, 10 * n) for n, value in enumerate(values)]
    spec = charts.choose(table([(name, kind), ("n", "BIGINT")], rows))
    assert spec.kind == "line"
    assert len(spec.points) == len(values)


def test_year_and_month_are_one_time():
    rows = [(year, month, year + month) for year in (2014, 2013) for month in range(1, 13)]
    spec = charts.choose(table([("year", "INT"), ("month", "INT"), ("n", "BIGINT")], rows))
    assert spec.kind == "line"
    assert len(spec.series) == 1
    assert (spec.labels[0], spec.labels[-1]) == ("2013-01", "2014-12")


def test_a_second_category_of_few_values_gives_a_line_each():
    rows = [(m, o, n) for n, m in enumerate(MONTHS) for o in ("EWR", "JFK") if (n, o) != (3, "JFK")]
    spec = charts.choose(table([("month", "DATE"), ("origin", "STRING"), ("n", "INT")], rows))
    assert [series.name for series in spec.series] == ["EWR", "JFK"]
    assert spec.series[1].values[2:5] == (2.0, None, 4.0)


def test_a_line_for_each_measure_of_like_size():
    rows = [(m, 10 + n, 12 - n, 1e6 * n) for n, m in enumerate(MONTHS)]
    columns = [("month", "DATE"), ("dep", "DOUBLE"), ("arr", "DOUBLE"), ("miles", "DOUBLE")]
    assert charts.choose(table(columns, rows), question="dep by month").y == ("dep", "arr")


def test_the_question_says_which_measure():
    rows = [(c, n * 1000, n / 100) for n, c in enumerate(CARRIERS, 1)]
    result = table([("carrier", "STRING"), ("flights", "INT"), ("delay_rate", "DOUBLE")], rows)
    assert charts.choose(result, question="which carrier has the best delay rate?").y == (
        "delay_rate",
    )
    assert charts.choose(result, question="who flies?").y == ("flights",)


def test_bars_keep_the_order_of_the_result():
    spec = charts.choose(table([("c", "STRING"), ("n", "INT")], [("b", 1), ("a", 3), ("z", 2)]))
    assert spec.labels == ("b", "a", "z")
    assert spec.series[0].values == (1.0, 3.0, 2.0)


def test_thirty_bars_at_most_and_the_title_says_so():
    spec = charts.choose(by_carrier(105))
    assert len(spec.labels) == 30
    assert spec.title == "flights by carrier (first 30 of 105)"


def test_long_labels_lie_down():
    rows = [("An airline with a long name " + c, n) for n, c in enumerate(CARRIERS)]
    assert charts.choose(table([("name", "STRING"), ("n", "INT")], rows)).kind == "barh"


def test_identifiers_are_labels_and_not_measures():
    spec = charts.choose(table([("customer_id", "INT"), ("total", "INT")], [(77, 5), (12, 3)]))
    assert (spec.x, spec.y) == ("customer_id", ("total",))
    assert charts.choose(table([("customer_id", "INT")], [(n,) for n in range(50)])) is None


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        ([("n", "BIGINT")], [(5,)]),
        ([("c", "STRING"), ("n", "INT")], [("a", 1)]),
        ([("c", "STRING"), ("d", "STRING")], [("a", "b"), ("c", "d")]),
        ([("c", "STRING"), ("n", "INT")], []),
        ([], []),
        ([("c", "STRING"), ("n", "INT")], [("a", None), ("b", None)]),
        ([("c", "STRING"), ("n", "INT")], [("a", 1), ("a", 2), ("b", 1)]),
        ([("n", "DOUBLE")], [(1.0,)] * 100),
        ([("a", "ARRAY<INT>"), ("b", "ARRAY<INT>")], [([1], [2])] * 3),
    ],
)
def test_no_chart_where_there_is_nothing_to_draw(columns, rows):
    assert charts.choose(table(columns, rows)) is None


def test_a_sample_and_a_preview_are_named_in_the_title():
    assert charts.choose(monthly(sampled=True)).title == "flights by month (sample)"
    cut = by_carrier(40, row_count=336776, truncated=True)
    assert charts.choose(cut).title == "flights by carrier (first 30 of 336,776 rows)"
    cut = monthly(row_count=None, truncated=True, sampled=True)
    assert charts.choose(cut).title == "flights by month (sample, first 12 rows)"


def test_rows_without_a_place_are_named_in_the_title():
    result = table([("day", "DATE"), ("n", "INT")], [(None, 9), *((m, 1) for m in MONTHS)])
    assert charts.choose(result).title == "n by day (rows without day left out)"


def test_a_missing_category_is_a_bar_of_its_own():
    spec = charts.choose(table([("c", "STRING"), ("n", "INT")], [("a", 1), (None, 2)]))
    assert spec.labels == ("a", "null")


def test_a_histogram_counts_every_row():
    spec = charts.choose(EXAMPLES["histogram"])
    assert sum(spec.series[0].values) == 200
    assert len(spec.points) == len(spec.labels) + 1
    assert spec.points[0] <= 0
    assert spec.points[-1] > 36


# --- hints ---------------------------------------------------------------------


def test_a_hint_is_honoured_where_it_fits():
    assert charts.choose(monthly(), ChartHint("bar", "month", ("flights",))).kind in {"bar", "barh"}
    spec = charts.choose(points(), ChartHint("scatter", "air_time", ("distance",)))
    assert (spec.x, spec.y) == ("air_time", ("distance",))
    spec = charts.choose(points(12), ChartHint("line", "distance", ("air_time",)))
    assert spec.kind == "line"
    assert charts.choose(monthly(), ChartHint("none")) is None


@pytest.mark.parametrize(
    "hint",
    [
        ChartHint("line", "nothing", ("flights",)),
        ChartHint("line", "month", ("nothing",)),
        ChartHint("bar", None, ("flights",)),
        ChartHint("scatter", "flights", ("month",)),
        ChartHint("line", "flights", ("flights",)),
    ],
)
def test_a_hint_that_does_not_fit_is_ignored(hint):
    assert charts.choose(monthly(), hint) == charts.choose(monthly())


def test_a_hint_cannot_make_bars_of_rows_that_repeat():
    result = table([("c", "STRING"), ("n", "INT")], [("a", n) for n in range(30)])
    spec = charts.choose(result, ChartHint("bar", "c", ("n",)))
    assert spec is None or spec.kind == "histogram"


# --- drawings ------------------------------------------------------------------


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_figure_is_plain_json_that_plotly_accepts(kind):
    spec = charts.choose(EXAMPLES[kind])
    figure = charts.figure(spec)
    json.dumps(figure, allow_nan=False)
    built = charts.plotly_figure(spec).to_plotly_json()
    assert len(built["data"]) == len(spec.series)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_image_is_the_same_from_run_to_run(kind):
    spec = charts.choose(EXAMPLES[kind])
    first = charts.image(spec)
    assert first == charts.image(spec)
    with Image.open(io.BytesIO(first)) as picture:
        assert picture.size == (640, spec.height)
        assert "Software" not in picture.info
        assert len(picture.convert("RGB").getcolors(1 << 16)) > 10


def test_the_image_does_not_follow_the_users_settings():
    import matplotlib as mpl

    spec = charts.choose(monthly())
    plain = charts.image(spec)
    mine = {"axes.facecolor": "black", "font.size": 30, "lines.linewidth": 9, "text.usetex": True}
    with mpl.rc_context(mine):
        before = dict(mpl.rcParams)
        assert charts.image(spec) == plain
        assert dict(mpl.rcParams) == before


def test_drawing_needs_no_pyplot(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)  # an import of it fails
    assert charts.image(charts.choose(by_carrier())).startswith(b"\x89PNG")


def hostile_tables(text):
    yield table([(text, "STRING"), (text + "n", "INT")], [(text, 5), (text + "!", 3)])
    rows = [(m, o, 3) for m in MONTHS for o in (text, "other")]
    yield table([("month", "DATE"), (text, "STRING"), ("n" + text, "INT")], rows)
    yield table([("x" + text, "DOUBLE"), ("y" + text, "DOUBLE")], [(n, n) for n in range(30)])


def test_hostile_text_is_text_in_plotly(hostile):
    for result in hostile_tables(hostile):
        figure = charts.figure(charts.choose(result))
        json.dumps(figure).encode()
        for trace in figure["data"]:
            template = trace.pop("hovertemplate")
            assert re.sub(r"%\{(customdata|[xy]:,\.\df)\}|</?extra>", "", template).count("<") == 0
            assert "%{" not in re.sub(r"%\{(customdata|[xy]:,\.\df)\}", "", template)
        for text in strings(figure):
            assert not re.search(r"[<$]|%\{|[\x00-\x1f\x7f-\x9f\u202a-\u202e]", text)
            text.encode("utf-8")


@pytest.mark.parametrize("part", range(12))
def test_hostile_text_is_drawn_without_a_warning(hostile_corpus, part):
    """As label, legend, axis and title. Warnings are errors here: a missing glyph would raise."""
    some = list(dict.fromkeys(hostile_corpus[part::12]))
    bars = table([(some[0], "STRING"), (some[1], "INT")], [(text, 5) for text in some])
    rows = [(month, text, 3) for month in MONTHS for text in some[:8]]
    lines = table([("month", "DATE"), (some[2], "STRING"), (some[3], "INT")], rows)
    for result in (bars, lines):
        assert charts.image(charts.choose(result)).startswith(b"\x89PNG")


def test_alt_text_is_one_line(hostile):
    for result in hostile_tables(hostile):
        words = charts.alt(charts.choose(result))
        assert len(words.splitlines()) == 1
        assert escape.visible(words) == words


def test_alt_text_says_kind_extent_and_range():
    assert charts.alt(charts.choose(monthly())) == (
        "Line chart: flights by month. From 2013-01-01 to 2013-12-01, values from 27,000 to 27,814."
    )
    assert charts.alt(charts.choose(by_carrier(3))) == (
        "Bar chart: flights by carrier. 3 bars, values from 59,700 to 60,000."
    )


def test_labels_that_begin_alike_keep_their_ends():
    rows = [(f"A product with a rather long name, number {n}", n + 1) for n in range(5)]
    figure = charts.figure(charts.choose(table([("p", "STRING"), ("n", "INT")], rows)))
    ticks = figure["layout"]["yaxis"]["ticktext"]
    assert len(set(ticks)) == 5
    assert max(map(len, ticks)) <= 28


def test_equal_labels_after_a_cut_stay_bars_of_their_own():
    rows = [("x" * 400 + str(n) + "y" * 400, n) for n in range(3)]
    trace = charts.figure(charts.choose(table([("p", "STRING"), ("n", "INT")], rows)))["data"][0]
    assert trace["y"] == [0, 1, 2]
    assert trace["x"] == [0.0, 1.0, 2.0]


def test_zero_has_a_line_where_values_are_on_both_sides():
    both = table([("c", "STRING"), ("n", "INT")], [("a", -5), ("b", 3)])
    assert charts.figure(charts.choose(both))["layout"]["yaxis"]["zeroline"]
    assert not charts.figure(charts.choose(by_carrier(5)))["layout"]["yaxis"]["zeroline"]


def test_bars_start_at_zero_and_lines_need_not():
    assert charts.figure(charts.choose(by_carrier()))["layout"]["xaxis"]["rangemode"] == "tozero"
    assert charts.figure(charts.choose(monthly()))["layout"]["yaxis"]["rangemode"] == "normal"
