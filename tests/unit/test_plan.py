"""Facts from the JSON of plans; nodes are written as Spark 4.1.1 writes them."""

import json

from bluebear_magic.runner.envelope import Comparison, Outcome, PlanFacts
from bluebear_magic.runner.plan import facts_of

LOGICAL = "org.apache.spark.sql.catalyst.plans.logical."
EXPRESSION = "org.apache.spark.sql.catalyst.expressions."


def attribute(name, number, kind="string"):
    return [{"class": EXPRESSION + "AttributeReference", "num-children": 0, "name": name,
             "dataType": kind, "exprId": {"id": number}}]  # fmt: skip


def literal(value, kind="string"):
    return [{"class": EXPRESSION + "Literal", "num-children": 0, "value": value, "dataType": kind}]


def binary(name, left, right):
    head = {"class": EXPRESSION + name, "num-children": 2, "left": 0, "right": 1}
    return [head, *left, *right]


def dataset(name, *columns):
    return [
        {"class": LOGICAL + "SubqueryAlias", "num-children": 1, "child": 0, "identifier": {"name": name}},
        {"class": LOGICAL + "View", "num-children": 1, "child": 0},
        {"class": LOGICAL + "LocalRelation", "num-children": 0, "output": list(columns), "data": None},
    ]  # fmt: skip


def filtered(condition, below):
    head = {"class": LOGICAL + "Filter", "num-children": 1, "condition": condition, "child": 0}
    return [head, *below]


def facts(plan, *names):
    return facts_of([json.dumps(plan)], names)


def test_a_filter_is_followed_to_the_datasets_column():
    condition = binary("EqualTo", literal("north"), attribute("region", 1))
    found = facts(filtered(condition, dataset("Sales", attribute("region", 1))), "sales")
    assert found.inputs == ("sales",)
    assert found.comparisons == (
        Comparison("sales", "region", "string", "=", ("north",), "string"),
    )


def test_a_name_given_to_something_else_is_no_dataset():
    inner = filtered(literal("true", "boolean"), dataset("other", attribute("region", 1)))
    alias = {
        "class": LOGICAL + "SubqueryAlias",
        "num-children": 1,
        "child": 0,
        "identifier": {"name": "sales"},
    }
    condition = binary("EqualTo", attribute("region", 1), literal("north"))
    assert facts(filtered(condition, [alias, *inner]), "sales").comparisons == ()


def test_a_side_by_side_of_two_is_linked_by_a_filter_above():
    join = {"class": LOGICAL + "Join", "num-children": 2, "left": 0, "right": 1,
            "joinType": {"object": "org.apache.spark.sql.catalyst.plans.Inner$"}}  # fmt: skip
    sides = [*dataset("a", attribute("x", 1)), *dataset("b", attribute("y", 2))]
    condition = binary("LessThan", attribute("x", 1), attribute("y", 2))
    assert facts([join, *sides], "a", "b").cross_joins == 1
    assert facts(filtered(condition, [join, *sides]), "a", "b").cross_joins == 0


def test_what_is_not_understood_gives_no_facts():
    for text in ["", "[]", "{}", '[{"class": "x"}]', '[{"class": "x", "num-children": 2}]', "[3]"]:
        assert facts_of([text], ["a"]) == PlanFacts()
    deep = [{"class": EXPRESSION + "Not", "num-children": 1, "child": 0}] * 50_000
    assert facts(filtered(deep, dataset("a", attribute("x", 1))), "a").comparisons == ()


def test_facts_survive_json():
    condition = binary("EqualTo", attribute("region", 1), literal(None))
    found = facts(filtered(condition, dataset("a", attribute("region", 1))), "a")
    outcome = Outcome("ok", plan=found)
    assert found.comparisons
    assert Outcome.from_json(outcome.to_json()) == outcome
