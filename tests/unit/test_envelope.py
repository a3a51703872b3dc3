import datetime as dt
import json
import math
from decimal import Decimal

import pytest

from bluebear_magic.runner.envelope import Binding, Fault, Job, Limits, Outcome, PlanFacts, Table
from bluebear_magic.runner.values import decode, encode, is_numeric, is_temporal


def test_a_job_survives_json():
    job = Job(
        "result = spark.table('s')",
        (Binding("s", "csv", ("/a", "/b"), "x BIGINT", (("header", "true"),), "/", sampled=True),),
        "full",
        Limits(7, 1.5, 10),
        "/out",
    )
    assert Job.from_json(job.to_json()) == job


def test_an_outcome_survives_json():
    table = Table("t", (("a", "bigint"),), ((1,), (None,)), 2, sampled=False, truncated=False)
    outcome = Outcome(
        "fault",
        (table,),
        "printed",
        Fault("run", "KeyError", "no", line=3),
        PlanFacts(("s",), 1, 0),
        (("bind", 1.5),),
        "4.1.1",
    )
    assert Outcome.from_json(outcome.to_json()) == outcome


def test_another_protocol_is_refused_with_what_to_do():
    text = json.dumps({**json.loads(Job("x").to_json()), "protocol": 99})
    with pytest.raises(ValueError, match="same version of bluebear-magic on both"):
        Job.from_json(text)


@pytest.mark.parametrize(
    ("value", "ddl"),
    [
        (None, "bigint"),
        (5, "int"),
        (2**60, "bigint"),
        (-(2**60), "bigint"),
        (1.5, "double"),
        (Decimal("1.50"), "decimal(10,2)"),
        (dt.date(2024, 2, 29), "date"),
        (dt.datetime(2024, 2, 29, 1, 2, 3, 4), "timestamp"),
        (dt.datetime(2024, 2, 29), "timestamp_ntz"),
        (b"\x00\xff", "binary"),
        ("text", "string"),
        (True, "boolean"),
        ([1, 2], "array<int>"),
    ],
)
def test_values_come_back_as_they_went(value, ddl):
    spelled = json.loads(json.dumps(encode(value), allow_nan=False))
    assert decode(spelled, ddl) == value
    assert type(decode(spelled, ddl)) is type(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_json_has_no_number_for_is_null(value):
    assert encode(value) is None


def test_nested_values_are_spelled_inside():
    value = {"a": [Decimal("1.0"), dt.date(2024, 1, 1)], 2: 2**60}
    assert encode(value) == {"a": ["1.0", "2024-01-01"], "2": str(2**60)}


def test_a_whole_number_in_a_column_of_doubles_is_a_double():
    assert isinstance(decode(json.loads("3"), "double"), float)


def test_types_by_family():
    assert is_numeric("DECIMAL(10,2)")
    assert not is_numeric("string")
    assert is_temporal("timestamp_ntz")
    assert not is_temporal("interval day")
