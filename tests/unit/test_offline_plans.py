"""Keys between datasets, and plans written as code."""

import ast
import datetime as dt
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluebear_magic.generation.offline.dates import Period
from bluebear_magic.generation.offline.joins import find_links
from bluebear_magic.generation.offline.layout import column_name, literal
from bluebear_magic.generation.offline.plan import (
    Aggregate,
    AnyOf,
    Between,
    Compare,
    CompareToAggregate,
    DayParts,
    During,
    Field,
    Having,
    Key,
    Lookup,
    Missing,
    OneOf,
    Order,
    Plan,
    Related,
    Text,
)
from bluebear_magic.generation.offline.schema import SchemaIndex
from bluebear_magic.generation.offline.write import write
from bluebear_magic.records import Column, ColumnProfile, Context, Dataset, Profile

ORDER_DATE = Field("orders", "date", "DATE")
AMOUNT = Field("orders", "amount", "DOUBLE")
REGION = Field("orders", "region", "STRING")
CUSTOMER = Field("orders", "customer_id", "BIGINT")
ORDERS = ("id", "date", "amount", "region", "customer_id")
NAME = Field("customers", "name", "STRING")
TOTAL = Aggregate("sum", AMOUNT)


# --- keys --------------------------------------------------------------------


def _column(name, values, *, rows):
    distinct = len(set(values))
    if isinstance(values[0], str):
        known = tuple(dict.fromkeys(values))
        return Column(name, "STRING"), ColumnProfile(name, 0, distinct, None, None, known, True)
    return Column(name, "BIGINT"), ColumnProfile(name, 0, distinct, min(values), max(values))


def _links(**datasets):
    described, profiles = [], []
    for name, columns in datasets.items():
        rows = len(next(iter(columns.values())))
        pairs = [_column(column, values, rows=rows) for column, values in columns.items()]
        described.append(Dataset(name, name, "csv", (name,), tuple(c for c, _ in pairs), name))
        profiles.append(Profile(rows, tuple(p for _, p in pairs)))
    index = SchemaIndex(Context(tuple(described), tuple(profiles)))
    return {(str(link.key), str(link.match)) for link in find_links(index)}


def test_equal_names_join_where_one_side_is_unique():
    assert _links(
        flights={"carrier": ["UA", "UA", "DL"], "delay": [1, 2, 3]},
        airlines={"carrier": ["UA", "DL", "AA"], "name": ["United", "Delta", "American"]},
    ) == {("flights.carrier", "airlines.carrier")}


def test_unlike_names_join_only_when_the_values_agree():
    codes = ["JFK", "LGA", "EWR", "LAX", "SFO"]
    flights = {"dest": ["LAX", "SFO", "EWR", "LAX"], "plane": ["N1", "N2", "N3", "N1"]}
    assert _links(flights=flights, airports={"faa": codes}) == {("flights.dest", "airports.faa")}
    assert _links(flights=flights, airports={"faa": [code.lower() for code in codes]}) == set()


def test_a_key_may_carry_the_name_of_the_dataset_that_it_leads_to():
    assert _links(
        albums={"id": [1, 2, 3], "artist_id": [1, 1, 2]}, artists={"id": [1, 2, 3, 4]}
    ) == {("albums.artist_id", "artists.id")}


def test_everybodys_id_joins_nothing():
    assert _links(albums={"id": [1, 2, 3]}, artists={"id": [1, 2, 3]}) == set()


def test_equal_names_without_a_unique_side_do_not_join():
    assert (
        _links(
            flights={"year": [2013, 2013], "x": [1, 2]}, planes={"year": [1999, 1999], "y": [1, 2]}
        )
        == set()
    )


def test_numbers_out_of_range_are_no_key():
    assert _links(albums={"artist_id": [7, 9]}, artists={"artist_id": [1, 2, 3]}) == set()


# --- code --------------------------------------------------------------------


def _code(plan, columns=ORDERS):
    return write(plan, columns).code


def test_groups_are_summed_and_ranked():
    plan = Plan(
        "orders",
        conditions=(Compare(REGION, "==", "NORTH"),),
        keys=(Key(REGION),),
        aggregates=(TOTAL, Aggregate("count")),
        order=(Order(TOTAL, True), Order(Key(REGION))),
        limit=5,
    )
    assert _code(plan) == (
        "from pyspark.sql import functions as F\n"
        "\n"
        'orders = spark.table("orders")\n'
        "\n"
        "result = (\n"
        '    orders.where(F.col("region") == "NORTH")\n'
        '    .groupBy("region")\n'
        '    .agg(F.sum("amount").alias("total_amount"), F.count("*").alias("orders"))\n'
        '    .orderBy(F.desc("total_amount"), "region")\n'
        "    .limit(5)\n"
        ")\n"
    )


def test_a_lookup_takes_only_what_is_needed_and_renames_what_clashes():
    region = Field("customers", "region", "STRING")
    plan = Plan(
        "orders",
        lookups=(Lookup(CUSTOMER, Field("customers", "id", "BIGINT")),),
        keys=(Key(NAME), Key(region)),
        aggregates=(TOTAL,),
    )
    assert (
        'customers = spark.table("customers").select(\n'
        '    F.col("id").alias("customer_id"), "name", F.col("region").alias("customers_region")\n'
        ")\n"
    ) in _code(plan)
    assert 'orders.join(customers, "customer_id")' in _code(plan)
    assert '.groupBy("name", "customers_region")' in _code(plan)


def test_relative_periods_count_from_the_data():
    plan = Plan(
        "orders",
        conditions=(During(ORDER_DATE, Period("last", unit="month", count=12)),),
        aggregates=(TOTAL,),
    )
    assert 'last_day = orders.agg(F.max("date")).first()[0]\n' in _code(plan)
    assert 'F.col("date") > F.add_months(F.lit(last_day), -12)' in _code(plan)


@pytest.mark.parametrize(
    ("period", "text"),
    [
        (
            Period("span", dt.date(2013, 3, 1), dt.date(2013, 4, 1)),
            '(F.col("year") == 2013) & (F.col("month") == 3)',
        ),
        (Period("span", dt.date(2013, 1, 1), dt.date(2014, 1, 1)), 'F.col("year") == 2013'),
        (Period("span", dt.date(2013, 1, 1), None), 'F.col("year") >= 2013'),
        (
            Period("span", dt.date(2013, 3, 1), dt.date(2013, 3, 2)),
            '(F.col("year") == 2013) & (F.col("month") == 3) & (F.col("day") == 1)',
        ),
        (Period("recurring", unit="month", count=7), 'F.col("month") == 7'),
        (
            Period("span", None, dt.date(2013, 3, 5)),
            'F.make_date("year", "month", "day") < "2013-03-05"',
        ),
    ],
)
def test_days_in_three_columns_are_asked_of_those_columns(period, text):
    year, month, day = (Field("f", name, "BIGINT") for name in ("year", "month", "day"))
    plan = Plan("f", conditions=(During(DayParts(year, month, day), period),))
    assert f"f.where({text})" in _code(plan, ("year", "month", "day"))


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (OneOf(REGION, ("A", "B")), 'F.col("region").isin("A", "B")'),
        (OneOf(REGION, ("A", "B"), negated=True), '~F.col("region").isin("A", "B")'),
        (Between(AMOUNT, 1, 2.5), 'F.col("amount").between(1, 2.5)'),
        (Text(REGION, "contains", "Or"), 'F.lower("region").contains("or")'),
        (Text(REGION, "starts", "n", negated=True), '~F.lower("region").startswith("n")'),
        (Missing(REGION), 'F.col("region").isNull()'),
        (Missing(REGION, negated=True), 'F.col("region").isNotNull()'),
        (
            AnyOf((Compare(AMOUNT, ">", 5), Compare(REGION, "!=", "A"))),
            '(F.col("amount") > 5) | (F.col("region") != "A")',
        ),
        (CompareToAggregate(AMOUNT, ">", "avg"), 'F.col("amount") > average_amount'),
    ],
)
def test_conditions(condition, text):
    assert f"orders.where({text})" in _code(Plan("orders", conditions=(condition,)))


def test_rows_with_or_without_related_rows():
    related = Related(
        Field("customers", "id", "BIGINT"), CUSTOMER, (Compare(REGION, "==", "A"),), negated=True
    )
    code = _code(Plan("customers", conditions=(related,)), ("id", "name"))
    assert 'F.col("customer_id").alias("id")' in code
    assert 'customers.join(orders, "id", "left_anti")' in code


def test_a_day_of_the_week_and_a_quarter_that_come_again():
    for period, text in [
        (Period("recurring", unit="weekday", count=2), 'F.dayofweek("date") == 2'),
        (Period("recurring", unit="quarter", count=4), 'F.quarter("date") == 4'),
    ]:
        assert text in _code(Plan("orders", conditions=(During(ORDER_DATE, period),)))


def test_groups_of_time_have_names():
    keys = (Key(ORDER_DATE, "year"), Key(ORDER_DATE, "month"), Key(ORDER_DATE, "day"))
    written = write(Plan("orders", keys=keys, aggregates=(TOTAL,)), ORDERS)
    assert written.keys == ("year", "month", "date")
    assert 'F.trunc("date", "month").alias("month")' in written.code


def test_two_groups_of_one_name_are_told_apart():
    code = _code(
        Plan(
            "orders",
            keys=(Key(Field("orders", "year", "INT")), Key(ORDER_DATE, "year")),
            aggregates=(Aggregate("count"),),
        ),
        (*ORDERS, "year"),
    )
    assert '.groupBy("year", F.year("date").alias("year_of_orders"))' in code.replace("\n", "")


# --- layout and quoting ------------------------------------------------------


@given(st.text())
def test_any_text_is_a_literal_that_python_reads_back(text):
    written = literal(text)
    assert ast.literal_eval(written) == text
    assert written.isprintable()


@given(st.text(min_size=1))
def test_any_column_name_is_quoted_for_spark(name):
    read = ast.literal_eval(column_name(name))
    assert read == name or read == "`" + name.replace("`", "``") + "`"


@given(st.text(min_size=1), st.text(), st.text(min_size=1))
def test_code_is_python_whatever_the_names_and_values_are(table, value, column):
    field = Field(table, column, "STRING")
    plan = Plan(
        table,
        conditions=(Compare(field, "==", value), OneOf(field, (value, "x"))),
        keys=(Key(field),),
        aggregates=(Aggregate("count"), Aggregate("max", field)),
        having=(Having(Aggregate("count"), ">", 1),),
        order=(Order(Aggregate("count"), True), Order(Key(field))),
    )
    ast.parse(_code(plan, (column,)))


LAYOUTS = [
    Plan("orders"),
    Plan("orders", select=(AMOUNT, REGION)),
    Plan("orders", conditions=(Compare(AMOUNT, ">", 5),), aggregates=(Aggregate("count"),)),
    Plan("orders", aggregates=tuple(Aggregate(f, AMOUNT) for f in ("sum", "avg", "min", "max"))),
    Plan(
        "orders",
        conditions=(
            During(ORDER_DATE, Period("span", dt.date(2024, 1, 1), dt.date(2025, 1, 1))),
            AnyOf(
                (
                    Compare(Field("orders", "a rather long name of a column", "INT"), ">", 50),
                    Compare(Field("orders", "another long name of a column", "INT"), "<", 20),
                )
            ),
        ),
        keys=(Key(ORDER_DATE, "month"), Key(REGION)),
        aggregates=(TOTAL, Aggregate("avg", AMOUNT), Aggregate("count")),
        having=(Having(Aggregate("count"), ">=", 2, 9),),
        order=(Order(Key(ORDER_DATE, "month")), Order(Key(REGION))),
    ),
    Plan(
        "orders",
        lookups=(Lookup(CUSTOMER, Field("customers", "customer_id", "BIGINT")),),
        conditions=(During(ORDER_DATE, Period("previous", unit="quarter")),),
        select=(NAME, AMOUNT),
        order=(Order(AMOUNT, True), Order(NAME)),
        limit=3,
    ),
]


@pytest.mark.parametrize("plan", LAYOUTS, ids=range(len(LAYOUTS)))
def test_code_is_laid_out_as_a_formatter_would(plan):
    code = _code(plan)
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--isolated", "-"],
        input=code, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == code
