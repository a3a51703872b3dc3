"""The offline model over data of which a project says more than names and types."""

import ast

import pytest

from bluebear_magic.errors import NotUnderstood
from bluebear_magic.generation.offline import OfflineModel
from bluebear_magic.guard import check
from bluebear_magic.guard.expressions import read_expression
from bluebear_magic.records import (
    Ask,
    Column,
    ColumnNote,
    ColumnProfile,
    Context,
    Conversation,
    DataNote,
    Dataset,
    Draft,
    JoinKey,
    Metric,
    Profile,
    Semantics,
    Turn,
    VerifiedQuestion,
)


def table(name, rows, **columns):
    """``columns``: a type with the number of distinct values, or texts."""
    made, known = [], []
    for column, what in columns.items():
        if isinstance(what, list):
            made.append(Column(column, "STRING"))
            known.append(ColumnProfile(column, 0, len(what), None, None, tuple(what), True))
        else:
            kind, distinct = what
            made.append(Column(column, kind))
            known.append(ColumnProfile(column, 0, distinct, 1, distinct))
    dataset = Dataset(name, f"/{name}.csv", "csv", (f"/{name}.csv",), tuple(made), "1")
    return dataset, Profile(rows, tuple(known))


ORDERS = table(
    "orders", 90, order_no=("BIGINT", 90), who=("BIGINT", 30), price=("DOUBLE", 40),
    qty=("BIGINT", 9), status=["paid", "open", "test"], region=["N", "S"], day=("DATE", 60),
)  # fmt: skip
PEOPLE = table("people", 30, ref=("BIGINT", 30), city=["Oslo", "Rome"], grade=["a", "b"])
VERIFIED = 'result = spark.table("orders").groupBy("region").count()\n'


def metric(name, expression, **more):
    read = read_expression(expression, name)
    return Metric(name, expression, columns=read.columns, aggregated=read.aggregated, **more)


def semantics(**more):
    orders = DataNote(
        "orders",
        synonyms=("purchases",),
        columns=(ColumnNote("qty", synonyms=("pieces",)), ColumnNote("who", "", ("buyer",))),
        **more,
    )
    return Semantics(
        data=(orders, DataNote("people", columns=(ColumnNote("city", "", ("home town",)),))),
        metrics=(
            metric("revenue", "price * qty"),
            metric("turnover", "sum(price * qty)", synonyms=("net sales",)),
            metric("average_basket", "avg(price * qty)"),
        ),
        keys=(JoinKey("orders", "who", "people", "ref"),),
        questions=(VerifiedQuestion("How many orders has each region?", VERIFIED),),
    )


def draft(question, said=None, turns=()):
    datasets, profiles = zip(ORDERS, PEOPLE, strict=True)
    context = Context(datasets, profiles, semantics=semantics() if said is None else said)
    return OfflineModel().generate(Conversation(Ask(question), context, turns), lambda _: None)


def steps(code):
    """The chain of calls of each name, on one line; imports left out."""
    tree = ast.parse(code)
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    return [ast.unparse(node).replace("'", '"') for node in assigned]


ORDERS_READ = 'orders = spark.table("orders")'
REVENUE = ORDERS_READ + '.withColumn("revenue", F.expr("price * qty"))'
TURNOVER = 'F.expr("sum(price * qty)").alias("turnover")'


@pytest.mark.parametrize(
    ("question", "read", "result"),
    [
        (
            "total revenue by region",
            REVENUE,
            'orders.groupBy("region").agg(F.sum("revenue").alias("total_revenue"))'
            '.orderBy(F.desc("total_revenue"), "region")',
        ),
        ("orders with revenue over 5", REVENUE, 'orders.where(F.col("revenue") > 5)'),
        ("orders sorted by revenue", REVENUE, 'orders.orderBy("revenue", "order_no")'),
        (
            "the region with the highest turnover",
            ORDERS_READ,
            f'orders.groupBy("region").agg({TURNOVER})'
            '.orderBy(F.desc("turnover"), "region").limit(1)',
        ),
        (
            "total turnover by region",
            ORDERS_READ,
            f'orders.groupBy("region").agg({TURNOVER}).orderBy(F.desc("turnover"), "region")',
        ),
        (
            "net sales per month",
            ORDERS_READ,
            f'orders.groupBy(F.trunc("day", "month").alias("month")).agg({TURNOVER})'
            '.orderBy("month")',
        ),
        (
            "regions with turnover over 10",
            ORDERS_READ,
            f'orders.groupBy("region").agg({TURNOVER}).where(F.col("turnover") > 10)'
            '.orderBy(F.desc("turnover"), "region")',
        ),
        (
            "average basket by region",
            ORDERS_READ,
            'orders.groupBy("region").agg(F.expr("avg(price * qty)").alias("average_basket"))'
            '.orderBy(F.desc("average_basket"), "region")',
        ),
        (
            "how many purchases by buyer",
            ORDERS_READ,
            'orders.groupBy("who").agg(F.count("*").alias("orders"))'
            '.orderBy(F.desc("orders"), "who")',
        ),
        ("Total pieces", ORDERS_READ, 'orders.agg(F.sum("qty").alias("total_qty"))'),
        (
            "turnover by home town",
            ORDERS_READ,
            f'orders.join(people, "who").groupBy("city").agg({TURNOVER})'
            '.orderBy(F.desc("turnover"), "city")',
        ),
    ],
)
def test_names_figures_and_keys_of_the_project_are_used(question, read, result):
    code = draft(question).code
    found = steps(code)
    assert (found[0], found[-1]) == (read, f"result = {result}")
    assert check(code, ["orders", "people"]).ok


def test_nothing_leads_from_orders_to_people_but_the_key_of_the_project():
    (people,) = [line for line in steps(draft("turnover by city").code) if line[:6] == "people"]
    assert people == 'people = spark.table("people").select(F.col("ref").alias("who"), "city")'
    with pytest.raises(NotUnderstood):
        draft("total price by city", Semantics())


def test_an_average_of_a_figure_is_refused():
    with pytest.raises(NotUnderstood, match="figure by itself"):
        draft("median turnover by region")


# Every quote is a double one here.
FILTERED = 'orders = spark.table("orders").where("status <> "test"")'


def test_a_default_filter_is_applied_and_said():
    told = draft("total pieces by region", semantics(filters=("status <> 'test'",)))
    assert steps(told.code)[0] == FILTERED
    assert "of orders only rows where status <> 'test': its default filter" in told.assumptions


def test_a_dataset_that_is_looked_up_has_its_filters_too():
    said = Semantics(
        (DataNote("people", filters=("grade = 'a'",)),), keys=(JoinKey("orders", "who", "people", "ref"),)
    )  # fmt: skip
    told = draft("number of orders by city", said)
    assert steps(told.code)[1].startswith('people = spark.table("people").where("grade = "a"")')
    assert any("of people only rows where" in text for text in told.assumptions)


@pytest.mark.parametrize("question", ["how many test orders", "orders where status is test"])
def test_a_default_filter_gives_way_to_what_the_question_asks(question):
    told = draft(question, semantics(filters=("status <> 'test'",)))
    assert steps(told.code)[0] == ORDERS_READ
    (assumption,) = [text for text in told.assumptions if "filter" in text]
    assert assumption.endswith("is left out: the question asks for status itself")


@pytest.mark.parametrize(
    "question", ["How many orders has each region?", "how many  orders has EACH region"]
)
def test_a_verified_question_in_the_same_words_gives_its_code(question):
    assert draft(question).code == VERIFIED


def test_a_verified_question_is_no_answer_to_another_and_none_once_it_failed():
    failed = (Turn(Draft(VERIFIED), "there is no column region"),)
    for told in (
        draft("how many orders has each buyer?"),
        draft("How many orders has each region?", turns=failed),
    ):
        assert told.code != VERIFIED


def test_what_a_project_says_changes_the_answer_at_once():
    model = OfflineModel()
    datasets, profiles = zip(ORDERS, PEOPLE, strict=True)

    def code(said):
        context = Context(datasets, profiles, semantics=said)
        return model.generate(Conversation(Ask("total qty"), context), lambda _: None).code

    assert code(Semantics()) != code(semantics(filters=("qty > 0",)))
