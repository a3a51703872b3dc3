import re

import pytest

from bluebear_magic.present import escape, formats
from bluebear_magic.present.summary import summarise
from bluebear_magic.present.tables import view
from bluebear_magic.runner.envelope import Table

FIGURE = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]\d+)?")
CARRIERS = [("UA", 58665), ("B6", 54635), ("OO", 32)]


def table(columns, rows, *, title="result", row_count=-1, sampled=False, truncated=False):
    rows = tuple(map(tuple, rows))
    count = len(rows) if row_count == -1 else row_count
    return Table(title, tuple(columns), rows, count, sampled, truncated)


def carriers(rows=CARRIERS, **known):
    return table([("carrier", "STRING"), ("flights", "BIGINT")], rows, **known)


def single(value, name="total_sales", kind="BIGINT", **known):
    return table([(name, kind)], [[value]], **known)


CASES = {
    "single": [single(1234)],
    "single decimal": [single("1234.50", kind="DECIMAL(9,2)")],
    "single null": [single(None)],
    "single text": [single("UA", name="carrier", kind="STRING")],
    "one row": [table([("carrier", "STRING"), ("n", "INT"), ("avg", "DOUBLE")], [["UA", 5, 2.25]])],
    "ranking": [carriers()],
    "tie for first": [carriers([("a", 5), ("b", 5), ("c", 1)])],
    "tie of three": [carriers([("a", 5), ("b", 5), ("c", 5), ("d", 1)])],
    "tie of many": [carriers([*((c, 5) for c in "abcdef"), ("z", 1)])],
    "all equal": [carriers([("a", 5), ("b", 5)])],
    "with nulls": [carriers([("a", 5), ("b", None), ("c", 1)])],
    "equal with nulls": [carriers([("a", 5), ("b", None), ("c", 5)])],
    "missing label": [carriers([(None, 5), ("b", 1)])],
    "identifiers": [
        table([("customer_id", "INT"), ("total", "DOUBLE")], [[70012, 5.5], [8, 1.25]])
    ],
    "hours": [table([("hour", "INT"), ("n", "INT")], [[5, 1000], [6, 3], [7, 70]])],
    "two keys": [
        table(
            [("origin", "STRING"), ("month", "INT"), ("n", "INT")],
            [["EWR", 1, 10], ["EWR", 2, 30], ["JFK", 1, 20]],
        )
    ],
    "months": [
        table(
            [("month", "DATE"), ("sales", "DOUBLE")],
            [["2013-03-01", 5.5], ["2013-01-01", 7.25], ["2013-02-01", 1.0]],
        )
    ],
    "year and month": [
        table(
            [("year", "INT"), ("month", "INT"), ("flights", "BIGINT")],
            [[2013, 1, 27004], [2013, 2, 24951], [2013, 3, 28834]],
        )
    ],
    "rows": [
        table([("carrier", "STRING"), ("delay", "DOUBLE")], [["UA", 1.0], ["UA", 2.0], ["B6", 3.0]])
    ],
    "no numbers": [table([("a", "STRING"), ("b", "STRING")], [["x", "y"], ["z", "w"]])],
    "no rows": [carriers([])],
    "preview": [carriers(row_count=336776, truncated=True)],
    "preview of unknown length": [
        table([("a", "STRING")], [["x"], ["y"]], row_count=None, truncated=True)
    ],
    "sample": [carriers(sampled=True)],
    "sample of one": [single(1234, sampled=True)],
    "preview of a sample": [carriers(row_count=90, sampled=True, truncated=True)],
    "several tables": [
        carriers(title="By carrier"),
        single(7, title="In all"),
        carriers(CARRIERS[:2], title="Largest"),
        carriers(title="Not told"),
    ],
}


@pytest.mark.parametrize("case", CASES)
def test_every_figure_is_in_the_result(case):
    """As the tables write it; or the number of rows, of columns, or of rows in a preview."""
    tables = CASES[case]
    known = set()
    for one in tables:
        counts = (len(one.rows), len(one.columns), one.row_count or 0)
        known |= {f"{count:,}" for count in counts}
        for row in view(one).rows:
            for cell in row:
                known |= {cell.text, *FIGURE.findall(cell.text)}
    assert set(FIGURE.findall(summarise(tables))) <= known


def test_summaries_read_as_the_golden_file(golden):
    golden(
        "present/summaries.txt",
        "".join(f"{case}\n    {summarise(tables)}\n" for case, tables in CASES.items()),
    )


def test_the_question_says_which_measure():
    result = table(
        [("carrier", "STRING"), ("flights", "INT"), ("avg_delay", "DOUBLE")],
        [["UA", 10, 2.5], ["B6", 5, 7.5]],
    )
    assert summarise([result]).startswith("By flights, ")
    assert summarise([result], "Which carrier has the worst delay?").startswith("By avg delay, ")


def test_a_ranking_by_a_later_measure_is_told_by_it():
    rows = [["UA", 5, 9.5], ["B6", 70, 7.5], ["OO", 6, 2.5]]
    result = table([("carrier", "STRING"), ("flights", "INT"), ("delay", "DOUBLE")], rows)
    assert summarise([result]).startswith("By delay, UA is highest with 9.5 and ")


def test_hostile_names_and_values_stay_on_one_line(hostile):
    tables = [
        table([(hostile, "STRING"), ("n", "INT")], [[hostile, 1], ["b", 2]], title=hostile),
        table([(hostile, "STRING")], [[hostile]], title="b"),
    ]
    told = summarise(tables)
    assert len(told.splitlines()) == 1
    assert escape.visible(told) == told


def test_nothing_to_say_about_nothing():
    assert summarise([]) == ""


def test_identifiers_keep_their_spelling():
    assert formats.formatter("customer_id", "INT", [70012])(70012) == "70012"
    assert "customer id 70012 is highest" in summarise(CASES["identifiers"])
