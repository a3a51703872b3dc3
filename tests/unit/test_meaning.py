"""Rules over facts, without Spark: what is proven, what is only told, and where it stands."""

import datetime as dt

import pytest

from bluebear_magic import meaning
from bluebear_magic.meaning.places import Places
from bluebear_magic.meaning.values import normal, twin
from bluebear_magic.records import ColumnProfile, Profile
from bluebear_magic.runner.envelope import (
    Comparison,
    Division,
    Fault,
    JoinFact,
    Outcome,
    PlanFacts,
    Product,
    Table,
)

REGION = ColumnProfile("region", 0, 3, "EAST", "SOUTH", ("NORTH", "SOUTH", "EAST"), complete=True)
CODE = 'result = (\n    sales\n    .filter(F.col("region") == "north")\n)'


def outcome(*, truncated=False, rows=((1,),), **facts):
    table = Table("result", (("n", "bigint"),), rows, len(rows), sampled=False, truncated=truncated)
    return Outcome("ok", (table,), plan=PlanFacts(("sales",), **facts))


def equal(value, **more):
    return Comparison("sales", "region", "string", "=", (value,), "string", **more)


def judged(code, ran, *columns, rows=10):
    return meaning.findings(code, ran, {"sales": Profile(rows, columns)})


def test_a_value_in_another_case_is_to_be_mended():
    (finding,) = judged(CODE, outcome(comparisons=(equal("north"),)), REGION)
    assert (finding.rule, finding.severity, finding.line) == ("meaning.unknown-value", "repair", 3)
    assert finding.suggestion == "Did you mean 'NORTH'?"
    assert "NORTH" not in finding.message  # values of the data are in suggestions alone


@pytest.mark.parametrize(
    "column",
    [
        ColumnProfile("region", values=("NORTH", "SOUTH")),  # not all values are known
        ColumnProfile("region", values=("Northern",), complete=True),  # like it, not the same
        ColumnProfile("region", values=("a", "b"), complete=True),
    ],
)
def test_what_is_not_proven_is_only_told(column):
    (finding,) = judged(CODE, outcome(comparisons=(equal("north"),)), column)
    assert finding.severity == "warn"


def test_nothing_is_said_of_what_is_not_known():
    ran = outcome(comparisons=(equal("north"), equal("x", via=("soundex",))))
    assert meaning.findings(CODE, ran, {}) == ()
    assert judged(CODE, ran, ColumnProfile("region")) == ()


def test_several_spellings_are_no_mistake():
    both = Comparison("sales", "region", "string", "in", ("north", "NORTH"), "string")
    assert judged(CODE, outcome(comparisons=(both,)), REGION) == ()


@pytest.mark.parametrize(
    ("operator", "value", "told"),
    [
        (">=", "2024-07-01", True), (">=", "2024-06-30", False), (">", "2024-06-30", True),
        ("<", "2023-01-01", True), ("<=", "2023-01-01", False), ("=", "2023-05-05", False),
    ],
)  # fmt: skip
def test_ranges_that_touch_the_data_are_met(operator, value, told):
    column = ColumnProfile("day", 0, 9, dt.date(2023, 1, 1), dt.date(2024, 6, 30))
    fact = Comparison("sales", "day", "date", operator, (value,), "date")
    found = judged("result = 1", outcome(comparisons=(fact,)), column)
    assert [finding.severity for finding in found] == ["warn"] * told


def test_keys_without_a_common_value_are_told_with_a_better_pair():
    ran = outcome(joined=(JoinFact("Inner", (("sales", "id", "refunds", "id"),)),))
    profiles = {
        "sales": Profile(5, (ColumnProfile("id", 0, 5, 1, 5),)),
        "refunds": Profile(
            5, (ColumnProfile("id", 0, 5, 90, 95), ColumnProfile("sale_id", 0, 5, 1, 5))
        ),
    }
    (finding,) = meaning.findings("result = a.join(b, 'id')", ran, profiles)
    assert (finding.severity, finding.suggestion) == ("repair", "Join on `id` and `sale_id`?")


def test_a_division_that_ran_on_every_row_is_no_doubt():
    divisor = ColumnProfile("n", 0, 5, 0, 5)
    facts = {"divisions": (Division("sales", "n", plain=True),)}
    assert judged("result = a / n", outcome(**facts), divisor) == ()
    (finding,) = judged("result = a / n", outcome(truncated=True, **facts), divisor)
    assert finding.severity == "repair"


def test_products_that_may_be_too_large():
    column = ColumnProfile("n", 0, 5, 1, 100_000)
    fact = Product((("sales", "n"), ("sales", "n")), "integer")
    (finding,) = judged("result = n * n", outcome(truncated=True, products=(fact,)), column)
    assert (finding.rule, finding.severity) == ("meaning.overflow", "warn")


def test_an_empty_result_is_told_unless_rows_were_taken_away():
    assert judged(CODE, outcome(rows=()), REGION)[0].rule == "meaning.empty-result"
    assert judged(CODE, outcome(rows=(), subtracts=True), REGION) == ()
    assert judged(CODE, outcome(rows=()), REGION, rows=0) == ()


def test_names_and_values_are_bounded(hostile):
    column = ColumnProfile("region", values=(hostile.upper() * 300,), complete=True)
    for finding in judged(CODE, outcome(comparisons=(equal(hostile),)), column):
        assert len(finding.message) < 400
        assert len(finding.suggestion) < 200


def test_faults_of_arithmetic_get_advice():
    fault = Fault("run", "ArithmeticException", "Division by zero.", "DIVIDE_BY_ZERO", 2)
    advised = meaning.advised(Outcome("fault", fault=fault))
    assert "try_divide" in advised.fault.suggestion
    assert meaning.advised(Outcome("ok")) == Outcome("ok")


def test_a_literal_in_sql_is_found_on_its_own_line():
    places = Places('result = spark.sql("""\nSELECT region\nFROM t\nWHERE region = \'x\'""")')
    assert places.literal("x", "region").line == 4


def test_code_that_cannot_be_parsed_has_places_still():
    assert Places("x = (").literal("a", "b").line == 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("north", " NORTH ", True), ("home office", "Home-Office", True), ("É", "e", True),
        ("A+", "A-", False), ("1.5", "15", False), ("C", "C++", False), ("z3", "z 3", True),
    ],
)  # fmt: skip
def test_spellings(one, other, same):
    assert (normal(one) == normal(other)) == same


def test_a_plural_is_a_twin_in_a_short_list_only():
    assert twin("Laptops", ["Laptop", "Phone"]) == "Laptop"
    assert twin("Laptops", ["Laptop", *map(str, range(60))]) is None
