import re
from html.parser import HTMLParser

import pytest

from bluebear_magic.present import formats, tables
from bluebear_magic.runner.envelope import Table

CARRIERS = [("UA", 58665), ("B6", 54635), ("EV", 54173)]


def table(columns, rows, *, title="result", row_count=-1, sampled=False, truncated=False):
    rows = tuple(map(tuple, rows))
    count = len(rows) if row_count == -1 else row_count
    return Table(title, tuple(columns), rows, count, sampled, truncated)


def column(name, kind, values):
    """The cells of one column, as shown."""
    view = tables.view(table([(name, kind)], [[value] for value in values]))
    return [cell.text for (cell,) in view.rows]


class Cells(HTMLParser):
    """The tags, and the text of each cell, of a fragment."""

    def __init__(self, fragment):
        super().__init__(convert_charrefs=True)
        self.tags, self.names, self.cells, self.inside = [], set(), [], False
        self.feed(fragment)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.names |= {name for name, _ in attrs}
        if tag in {"td", "th"}:
            self.inside = True
            self.cells.append("")

    def handle_endtag(self, tag):
        self.inside = self.inside and tag not in {"td", "th"}

    def handle_data(self, data):
        if self.inside:
            self.cells[-1] += data


@pytest.mark.parametrize(
    ("name", "kind", "values", "shown"),
    [
        ("flights", "BIGINT", [58665, 32], ["58,665", "32"]),
        ("flights", "BIGINT", [str(2**60)], ["1,152,921,504,606,846,976"]),
        ("customer_id", "INT", [1234567], ["1234567"]),
        ("customerId", "INT", [1234567], ["1234567"]),
        ("order_no", "INT", [12345], ["12345"]),
        ("year", "INT", [2013, 1999], ["2013", "1999"]),
        ("fiscal_year", "INT", [2013], ["2013"]),
        ("year", "INT", [2013, 12345], ["2,013", "12,345"]),
        ("count(customer_id)", "BIGINT", [12345], ["12,345"]),
        ("number", "BIGINT", [12345], ["12,345"]),
        ("paid", "INT", [12345], ["12,345"]),
        ("average", "DOUBLE", [12.639072, 3.5, 100], ["12.64", "3.50", "100.00"]),
        ("total", "DOUBLE", [1234.5, 2.0], ["1,234.5", "2.0"]),
        ("total", "DOUBLE", [1234567.0, 2.0], ["1,234,567", "2"]),
        ("share", "DOUBLE", [0.123456, 0.5], ["0.123", "0.500"]),
        ("share", "DOUBLE", [-0.0, 0.25], ["0.00", "0.25"]),
        ("tiny", "DOUBLE", [0.0000001234, 5.25], ["1.23e-07", "5.25"]),
        ("p", "DOUBLE", [0.00001234], ["1.234e-05"]),
        ("huge", "DOUBLE", [1.5e20], ["1.5e+20"]),
        ("price", "DECIMAL(12,3)", ["1234567.100", "-0.005"], ["1,234,567.100", "-0.005"]),
        ("day", "DATE", ["2013-01-01"], ["2013-01-01"]),
        ("at", "TIMESTAMP", ["2013-01-01T00:00:00"], ["2013-01-01"]),
        (
            "at",
            "TIMESTAMP",
            ["2013-01-01T00:00:00", "2013-01-01T05:15:00"],
            ["2013-01-01 00:00", "2013-01-01 05:15"],
        ),
        ("at", "TIMESTAMP_NTZ", ["2013-01-01T05:15:07"], ["2013-01-01 05:15:07"]),
        ("at", "TIMESTAMP", ["2013-01-01T05:15:07.250000"], ["2013-01-01 05:15:07.250"]),
        ("late", "BOOLEAN", [True, False], ["true", "false"]),
        ("tags", "ARRAY<STRING>", [["a", "é"]], ['["a","é"]']),
        ("who", "STRUCT<a: INT>", [{"a": 1}], ['{"a":1}']),
        ("raw", "BINARY", ["00ff"], ["00ff"]),
        ("note", "STRING", ["two\nlines", ""], [r"two\nlines", ""]),
        ("broken", "DATE", ["not a date"], ["not a date"]),
        ("broken", "BIGINT", ["not a number", [1]], ["not a number", "[1]"]),
    ],
)
def test_values_are_written_for_reading(name, kind, values, shown):
    assert column(name, kind, values) == shown


def test_infinite_and_undefined_numbers_are_null_as_in_the_envelope():
    assert column("x", "DOUBLE", [float("nan"), 1.5]) == ["null", "1.5"]


def test_every_cell_of_a_column_is_formatted_by_all_rows_not_only_the_shown():
    values = [1.0] * tables.ROWS_SHOWN + [1.25]
    assert column("x", "DOUBLE", values)[0] == "1.00"


def test_null_is_not_the_word_null():
    view = tables.view(table([("a", "STRING")], [[None], ["null"], [""]]))
    shown = tables.html(view)
    assert re.findall(r"<td[^>]*>(.*?)</td>", shown)[1:] == ["null", ""]
    assert re.search(r"<em style=[^>]*>null</em></td>", shown)
    assert tables.text(view).splitlines()[2:5] == ["null", '"null"', ""]


@pytest.mark.parametrize(
    ("rows", "known", "footer"),
    [
        (0, {}, "0 rows"),
        (1, {}, "1 row"),
        (12, {}, "12 rows"),
        (50, {}, "50 rows"),
        (51, {}, "first 50 of 51 rows"),
        (100, {"row_count": 336776, "truncated": True}, "first 50 of 336,776 rows"),
        (10, {"row_count": 20, "truncated": True}, "first 10 of 20 rows"),
        (12, {"row_count": None}, "12 rows"),
        (100, {"row_count": None, "truncated": True}, "first 50 rows, more not shown"),
        (12, {"sampled": True}, "sample: 12 rows, figures are not the answer"),
        (60, {"sampled": True}, "sample: first 50 of 60 rows, figures are not the answer"),
    ],
)
def test_the_footer_says_what_is_shown(rows, known, footer):
    view = tables.view(table([("n", "INT")], [[n] for n in range(rows)], **known))
    assert view.footer == footer
    assert len(view.rows) == min(rows, 50)


def test_wide_tables_stop_at_sixty_columns_and_say_so():
    wide = table([(f"c{n}", "INT") for n in range(75)], [list(range(75))])
    view = tables.view(wide)
    assert len(view.header) == len(view.rows[0]) == 60
    assert view.footer == "1 row, first 60 of 75 columns"
    assert "columns not shown here" in tables.text(view)


def test_html_is_semantic_and_self_contained():
    view = tables.view(table([("carrier", "STRING"), ("n", "INT")], CARRIERS, title="Top <3>"))
    shown = tables.html(view)
    read = Cells(shown)
    assert read.tags.count("td") == 6
    assert '<th scope="col" align="right"' in shown
    assert "Top &lt;3&gt;</caption>" in shown
    assert read.names <= {"class", "style", "scope", "align"}
    assert not re.search(r"<script|<style|<img|<a |url\(|https?:", shown)


def test_the_name_of_the_variable_is_no_title():
    assert "<caption" not in tables.html(tables.view(table([("n", "INT")], [[1]])))


def test_markup_in_values_and_names_stays_text(hostile):
    hostile_table = table([(hostile, "STRING"), ("n", "INT")], [[hostile, 1]], title=hostile)
    view = tables.view(hostile_table)
    read = Cells(tables.html(view))
    assert set(read.tags) <= {
        "div", "table", "caption", "thead", "tbody", "tr", "th", "td", "span", "p",
    }  # fmt: skip
    assert read.cells == [view.header[0].name, "n", view.rows[0][0].text, "1"]
    text = tables.text(view)
    assert all(tables.width(line) <= tables.LINE for line in text.splitlines())
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)


def test_no_two_dollars_make_a_formula():
    shown = tables.html(tables.view(table([("price", "STRING")], [["$5 and $10"]])))
    assert "<span>$</span>5 and <span>$</span>10" in shown
    assert "mathjax_ignore" in shown


def test_text_columns_line_up_with_wide_characters():
    view = tables.view(
        table([("city", "STRING"), ("n", "INT")], [["東京", 1], ["Bern", 22], ["e\u0301", 3]])
    )
    lines = tables.text(view).splitlines()[:-1]
    assert len({tables.width(line) for line in lines}) == 1


def test_text_cuts_text_and_never_a_number():
    columns = [(f"t{n}", "STRING") for n in range(3)] + [(f"n{n}", "BIGINT") for n in range(3)]
    view = tables.view(table(columns, [["x" * 90] * 3 + [123456789012] * 3]))
    lines = tables.text(view).splitlines()
    assert max(map(tables.width, lines)) <= tables.LINE
    assert lines[2].count("123,456,789,012") == 3
    assert lines[2].count("…") == 3


def test_text_cuts_no_date_and_a_long_name_before_its_numbers():
    columns = [("day", "DATE"), ("a" * 80, "BIGINT"), ("b" * 80, "STRING")]
    lines = tables.text(tables.view(table(columns, [["2013-01-01", 123456789, "x"]]))).splitlines()
    assert lines[2].startswith("2013-01-01")
    assert "123,456,789" in lines[2]
    assert max(map(tables.width, lines)) <= tables.LINE


def test_text_drops_columns_that_do_not_fit_and_says_so():
    view = tables.view(table([(f"number{n}", "BIGINT") for n in range(12)], [[10**12] * 12]))
    lines = tables.text(view).splitlines()
    assert max(map(tables.width, lines)) <= tables.LINE
    assert lines[-1] == "1 row, 7 columns not shown here"


def test_a_table_without_columns_or_rows_is_shown():
    assert tables.text(tables.view(table([], []))) == "0 rows"
    assert tables.text(tables.view(table([("n", "INT")], []))) == "n\n─\n0 rows"


def test_short_rows_are_filled_with_null():
    view = tables.view(table([("a", "INT"), ("b", "INT")], [[1]]))
    assert view.rows[0][1].null


def test_words_of_a_name():
    assert formats.words("avg(DepDelay)_x2") == ("avg", "dep", "delay", "x2")


SHOWCASE = table(
    [
        ("carrier", "STRING"), ("name", "STRING"), ("flights", "BIGINT"), ("avg_delay", "DOUBLE"),
        ("fare", "DECIMAL(8,2)"), ("year", "INT"), ("first_seen", "TIMESTAMP"), ("day", "DATE"),
        ("on_time", "BOOLEAN"), ("hubs", "ARRAY<STRING>"),
    ],
    [
        ["UA", "United Air Lines Inc.", 58665, 12.106, "1234.50", 2013, "2013-01-01T05:15:00",
         "2013-01-01", True, ["EWR", "ORD"]],
        ["null", "<script>alert('x')</script>", None, -0.5, "0.10", 2013, None, None, False, []],
        ["語", "שלום & \u202eevil\n$x$", 32, None, None, 2013, "2013-12-31T23:59:00",
         "2013-12-31", None, None],
    ],
    title="Carriers & their <delays>",
)  # fmt: skip


def test_html_reads_as_the_golden_file(golden):
    golden("present/table.html", tables.html(tables.view(SHOWCASE)) + "\n")


def test_text_reads_as_the_golden_file(golden):
    golden("present/table.txt", tables.text(tables.view(SHOWCASE)) + "\n")


def test_a_sample_of_a_long_table_reads_as_the_golden_file(golden):
    rows = [[f"N{n:05}", n * 1.5] for n in range(60)]
    long = table([("tailnum", "STRING"), ("hours", "DOUBLE")], rows, sampled=True)
    golden("present/sample.txt", tables.text(tables.view(long)) + "\n")
