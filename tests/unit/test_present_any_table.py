"""Whatever the worker sends, presenting it neither fails nor lies about its size."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bluebear_magic.present import charts, tables
from bluebear_magic.present.frames import frame
from bluebear_magic.present.summary import summarise
from bluebear_magic.runner.envelope import Table

SPELLINGS = {
    "BIGINT": st.integers(-(2**53), 2**53) | st.integers(2**53, 2**63 - 1).map(str),
    "INT": st.integers(-40, 2100),
    "DOUBLE": st.floats(allow_nan=False, allow_infinity=False),
    "DECIMAL(38,4)": st.decimals(-(10**30), 10**30, places=4).map(lambda d: format(d, "f")),
    "STRING": st.text(max_size=8) | st.sampled_from(["a", "b", "2013-01", "2013-Q2", "0000-01"]),
    "BOOLEAN": st.booleans(),
    "DATE": st.dates().map(str),
    "TIMESTAMP": st.datetimes().map(lambda moment: moment.isoformat()),
    "ARRAY<INT>": st.lists(st.integers(0, 9), max_size=3),
    "BINARY": st.binary(max_size=4).map(bytes.hex),
}
NAMES = st.sampled_from(["year", "month", "customer_id", "total", "avg(x)", "n", ""]) | st.text(
    max_size=6
)


@st.composite
def any_table(draw):
    kinds = draw(st.lists(st.sampled_from(sorted(SPELLINGS)), min_size=1, max_size=4))
    columns = tuple((draw(NAMES), kind) for kind in kinds)
    size = draw(st.sampled_from([0, 1, 2, 5, 25, 40]))
    # Few examples are drawn and rows repeat them, so that long tables stay cheap.
    pools = [draw(st.lists(st.none() | SPELLINGS[k], min_size=1, max_size=6)) for k in kinds]
    rows = tuple(
        tuple(pool[(row * (n + 1)) % len(pool)] for n, pool in enumerate(pools))
        for row in range(size)
    )
    truncated = draw(st.booleans())
    known = draw(st.sampled_from([None, size + 7 if truncated else size]))
    return Table(draw(NAMES), columns, rows, known, draw(st.booleans()), truncated)


fuzzed = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@fuzzed
@given(any_table())
def test_any_table_is_shown(table):
    view = tables.view(table)
    assert len(view.rows) == min(len(table.rows), tables.ROWS_SHOWN)
    assert tables.html(view).count("<td") == len(view.rows) * len(view.header)
    assert all(tables.width(line) <= tables.LINE for line in tables.text(view).splitlines())


@fuzzed
@given(any_table())
def test_any_table_is_summed_up_in_a_line(table):
    told = summarise([table])
    assert told.endswith(".")
    assert len(told.splitlines()) == 1
    assert ("sample" in told) >= table.sampled


@fuzzed
@given(any_table())
def test_any_table_has_a_sound_chart_or_none(table):
    spec = charts.choose(table)
    if spec is None:
        return
    json.dumps(charts.figure(spec), allow_nan=False)
    assert ("sample" in spec.title) >= table.sampled
    assert ("first" in spec.title) >= table.truncated
    assert charts.alt(spec)
    for series in spec.series:
        assert len(series.values) == len(spec.labels)


@settings(fuzzed, max_examples=40)
@given(any_table())
def test_any_chart_is_drawn(table):
    spec = charts.choose(table)
    if spec is not None:
        assert charts.image(spec).startswith(b"\x89PNG")


@fuzzed
@given(any_table())
def test_any_preview_is_a_frame(table):
    df = frame(table)
    assert df.shape == (len(table.rows), len(table.columns))
    assert list(df.columns) == [name for name, _ in table.columns]


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_dates_at_the_ends_of_the_calendar_are_drawn(day):
    rows = ((day, 1), ("2013-01-01", 2), ("2013-02-01", 3))
    table = Table("result", (("day", "DATE"), ("n", "INT")), rows, 3, False, False)
    assert charts.image(charts.choose(table)).startswith(b"\x89PNG")
    assert len(frame(table)) == 3
