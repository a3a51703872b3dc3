"""Questions in, code or a refusal out; no data is read."""

import ast
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bluebear_magic.errors import NotUnderstood
from bluebear_magic.generation.offline import OfflineModel
from bluebear_magic.records import (
    Ask,
    ChartHint,
    Column,
    ColumnProfile,
    Context,
    Conversation,
    Dataset,
    Draft,
    Profile,
    Turn,
)

KINDS = {"s": "STRING", "i": "BIGINT", "f": "DOUBLE", "d": "DATE", "t": "TIMESTAMP"}


def _dataset(name, rows, columns, fingerprint="1"):
    """``columns``: name -> "kind", values of text, or (kind, distinct, nulls)."""
    described, profiles = [], []
    for column, what in columns.items():
        if isinstance(what, list):
            described.append(Column(column, "STRING"))
            profiles.append(ColumnProfile(column, 0, len(what), None, None, tuple(what), True))
            continue
        kind, distinct, nulls = what if isinstance(what, tuple) else (what, 7, 0)
        low, high = (1, distinct) if kind in "if" else (None, None)
        described.append(Column(column, KINDS[kind]))
        profiles.append(ColumnProfile(column, nulls, distinct, low, high))
    dataset = Dataset(name, f"/{name}.csv", "csv", (f"/{name}.csv",), tuple(described), fingerprint)
    return dataset, Profile(rows, tuple(profiles))


def _context(*datasets):
    return Context(tuple(d for d, _ in datasets), tuple(p for _, p in datasets))


AIRPORTS = ["JFK", "LGA", "EWR", "LAX", "SFO", "ATL"]
FLIGHTS = _dataset(
    "flights",
    1000,
    {
        "year": ("i", 1, 0), "month": ("i", 12, 0), "day": ("i", 31, 0),
        "dep_delay": ("i", 90, 50), "arr_delay": ("i", 90, 60),
        "carrier": ["UA", "DL", "B6"], "tailnum": ("s", 300, 20),
        "origin": ["JFK", "LGA", "EWR"], "dest": ["LAX", "SFO", "ATL"],
        "air_time": ("i", 100, 60), "distance": ("i", 200, 0), "time_hour": "t",
    },
)  # fmt: skip
AIRLINES = _dataset(
    "airlines", 3, {"carrier": ["UA", "DL", "B6"], "name": ["United Air", "Delta", "JetBlue"]}
)
PORTS = _dataset(
    "airports", 6, {"faa": AIRPORTS, "name": [f"Port {a}" for a in AIRPORTS], "alt": ("i", 6, 0)}
)
SALES = _dataset(
    "sales_data",
    500,
    {
        "date": "d", "region": ["NORTH", "SOUTH"], "product": ["Widget A", "Gadget X"],
        "sales": "i", "quantity": "i",
    },
)  # fmt: skip
CUSTOMERS = _dataset(
    "customers",
    40,
    {
        "id": ("i", 40, 0), "first_name": ["Ann", "Bob"], "last_name": ["Lee", "Roe"],
        "city": ["Paris", "Rome"], "age": ("i", 30, 0),
    },
)  # fmt: skip
ORDERS = _dataset(
    "orders",
    90,
    {"id": ("i", 90, 0), "customer_id": ("i", 35, 0), "total": "f", "status": ["Paid", "Open"]},
)
TRAVEL = _context(FLIGHTS, AIRLINES, PORTS)
SHOP = _context(CUSTOMERS, ORDERS)
SALE = _context(SALES)


@pytest.fixture(scope="module")
def model():
    return OfflineModel()


def _draft(model, question, context) -> Draft:
    return model.generate(Conversation(Ask(question), context), lambda _text: None)


def _steps(draft):
    """The result's chain of calls, on one line."""
    result = draft.code.split("result = ", 1)[1]
    return ast.unparse(ast.parse(result.strip())).replace("'", '"')


ANSWERS = [
    (TRAVEL, "How many flights are there?", 'flights.agg(F.count("*").alias("flights"))'),
    (
        TRAVEL,
        "top 5 carriers by number of flights",
        'flights.groupBy("carrier").agg(F.count("*").alias("flights"))'
        '.orderBy(F.desc("flights"), "carrier").limit(5)',
    ),
    (
        TRAVEL,
        "average departure delay by airline",
        'flights.join(airlines, "carrier").groupBy("name")'
        '.agg(F.avg("dep_delay").alias("average_dep_delay"))'
        '.orderBy(F.desc("average_dep_delay"), "name")',
    ),
    (
        TRAVEL,
        "flights from JFK to LAX",
        'flights.where(F.col("origin") == "JFK").where(F.col("dest") == "LAX")',
    ),
    (
        TRAVEL,
        "flights to airports with altitude above 3",
        'flights.join(airports, "dest").where(F.col("alt") > 3)'
        '.select("year", "month", "day", "dep_delay", "arr_delay", "carrier", "tailnum", '
        '"origin", "dest", "air_time", "distance", "time_hour")',
    ),
    (
        TRAVEL,
        "Which carrier has the highest average arrival delay?",
        'flights.where(F.col("arr_delay").isNotNull()).groupBy("carrier")'
        '.agg(F.avg("arr_delay").alias("average_arr_delay"))'
        '.orderBy(F.desc("average_arr_delay"), "carrier").limit(1)',
    ),
    (
        TRAVEL,
        "the 3 longest flights",
        'flights.orderBy(F.desc("distance"), *flights.columns).limit(3)',
    ),
    (
        TRAVEL,
        "How many flights have no tail number?",
        'flights.where(F.col("tailnum").isNull()).agg(F.count("*").alias("flights"))',
    ),
    (
        TRAVEL,
        "Which carriers have more than 100 flights?",
        'flights.groupBy("carrier").agg(F.count("*").alias("flights"))'
        '.where(F.col("flights") > 100).orderBy(F.desc("flights"), "carrier")',
    ),
    (TRAVEL, "list all carriers", 'airlines.select("carrier")'),
    (
        TRAVEL,
        "the different destinations",
        'flights.select("dest").distinct().orderBy("dest")',
    ),
    (
        TRAVEL,
        "number of flights per day in March 2013",
        'flights.where((F.col("year") == 2013) & (F.col("month") == 3))'
        '.groupBy(F.make_date("year", "month", "day").alias("day"))'
        '.agg(F.count("*").alias("flights")).orderBy("day")',
    ),
    (
        SALE,
        "sales by product in the north",
        'sales_data.where(F.col("region") == "NORTH").groupBy("product")'
        '.agg(F.sum("sales").alias("total_sales")).orderBy(F.desc("total_sales"), "product")',
    ),
    (
        SALE,
        "total sales and average quantity per quarter",
        'sales_data.groupBy(F.trunc("date", "quarter").alias("quarter"))'
        '.agg(F.sum("sales").alias("total_sales"), F.avg("quantity").alias("average_quantity"))'
        '.orderBy("quarter")',
    ),
    (
        SALE,
        "rows with quantity between 5 and 10 or sales over 1k",
        'sales_data.where(F.col("quantity").between(5, 10) | (F.col("sales") > 1000))',
    ),
    (
        SHOP,
        "first name and last name of customers without orders",
        'customers.join(orders, "id", "left_anti").select("first_name", "last_name")',
    ),
    (
        SHOP,
        "How many customers have orders with status Paid?",
        'customers.join(orders, "id", "left_semi").agg(F.count("*").alias("customers"))',
    ),
    (
        SHOP,
        "customers older than 30",
        'customers.where(F.col("age") > 30)',
    ),
    (
        SHOP,
        "customers with age above the average",
        'customers.where(F.col("age") > average_age)',
    ),
    (
        SHOP,
        "How many orders does each customer have?",
        'orders.join(customers, "customer_id").groupBy("customer_id", "first_name", "last_name")'
        '.agg(F.count("*").alias("orders"))'
        '.orderBy(F.desc("orders"), "customer_id", "first_name", "last_name")',
    ),
]


@pytest.mark.parametrize(("context", "question", "steps"), ANSWERS, ids=[a[1] for a in ANSWERS])
def test_a_question_becomes_code(model, context, question, steps):
    assert _steps(_draft(model, question, context)) == steps


REFUSALS = [
    (TRAVEL, "How happy are the passengers?", ("happy", "passengers")),
    (TRAVEL, "average delay by carrier", ()),  # of departure or of arrival
    (TRAVEL, "top 5 carriers", ()),  # by what
    (TRAVEL, "best airline", ("best",)),
    (TRAVEL, "the carrier with the highest distance", ()),  # of one flight or of all
    (TRAVEL, "flights to Chicago", ("Chicago",)),
    (TRAVEL, "average distance by airport", ()),  # where from or where to
    (TRAVEL, "who is late?", ()),
    (TRAVEL, "flights of carrier 'ZZ'", ()),  # no such value
    (SALE, "sales in May and June 2024", ()),  # one period at a time
    (SALE, "north sales and or", ()),
    (SALE, "total sales of widgets", ("widgets",)),
    (SHOP, "", ()),
    (SHOP, "the age of the 5 customers", ()),
]


@pytest.mark.parametrize(
    ("context", "question", "unplaced"), REFUSALS, ids=[r[1] for r in REFUSALS]
)
def test_what_is_not_clear_is_refused(model, context, question, unplaced):
    with pytest.raises(NotUnderstood) as refusal:
        _draft(model, question, context)
    assert set(unplaced) <= set(refusal.value.unplaced)
    for word in unplaced:
        assert f"'{word}'" in refusal.value.message


@pytest.mark.parametrize(("context", "question"), [r[:2] for r in REFUSALS])
def test_a_refusal_offers_two_questions_that_are_answered(model, context, question):
    with pytest.raises(NotUnderstood) as refusal:
        _draft(model, question, context)
    offered = refusal.value.hint.split('"')[1::2]
    assert len(offered) == 2
    for other in offered:
        assert _draft(model, other, context).code


@pytest.mark.parametrize(
    "question",
    [
        "x" * 5000,
        " ".join(f"strange{i}" for i in range(70)),
        f"flights of carrier '{'z' * 190}'",
        f"flights of carrier '{'zz ' * 60}'",
        f"flights with {'9' * 300} distance in {'q' * 900}",
    ],
    ids=["one word", "many words", "a long value", "a value of many words", "a number"],
)
def test_a_refusal_repeats_only_a_little_of_the_question(model, question):
    with pytest.raises(NotUnderstood) as refusal:
        _draft(model, question, TRAVEL)
    assert len(refusal.value.message) < 400
    assert "..." in refusal.value.message


def test_an_ambiguous_word_is_explained_with_its_columns(model):
    with pytest.raises(NotUnderstood) as refusal:
        _draft(model, "average delay by carrier", TRAVEL)
    assert "flights.dep_delay or flights.arr_delay" in refusal.value.message
    assert "average dep_delay" in refusal.value.hint


def test_the_explanation_says_what_words_were_taken_for(model):
    draft = _draft(model, "average departure delay by airline since March 2013", TRAVEL)
    for said in (
        "flights.dep_delay",
        "grouping by airlines.name",
        "airlines is joined by flights.carrier = airlines.carrier",
        "2013-03-01",
    ):
        assert said in draft.explanation


def test_what_was_assumed_is_said(model):
    assert _draft(model, "sales by region", SALE).assumptions == ("'sales' is added up",)
    assert _draft(model, "the longest flight", TRAVEL).assumptions == (
        "'longest' goes by flights.distance",
    )


def test_by_may_still_say_whose_doing_it_was(model):
    draft = _draft(model, "show the status of all orders by the customer with first name Ann", SHOP)
    assert "join(" in _steps(draft)
    assert 'where(F.col("first_name") == "Ann").select("status")' in _steps(draft)


RESULT = _dataset(
    "total_sales_by_region", 2, {"region": ["NORTH", "SOUTH"], "total_sales": ("i", 2, 0)}
)


@pytest.mark.parametrize(
    ("question", "steps"),
    [
        ("total sales by region", 'sales_data.groupBy("region").agg(F.sum("sales")'),
        ("sales by region", 'sales_data.groupBy("region").agg(F.sum("sales")'),
        ("total sales by region and product", 'sales_data.groupBy("region", "product")'),
        ("how many total_sales_by_region are there", 'total_sales_by_region.agg(F.count("*")'),
    ],
)
def test_a_dataset_named_like_a_question_is_meant_only_where_it_is_spelled(model, question, steps):
    assert steps in _steps(_draft(model, question, _context(SALES, RESULT)))


SUMMARY = _dataset("regions", 2, {"region": ["NORTH", "SOUTH"], "price": ("i", 2, 0)})
YEARS = _dataset("years", 3, {"year": ("i", 3, 0), "amount": "f", "id": ("i", 3, 0)})


@pytest.mark.parametrize(
    ("dataset", "question", "steps"),
    [
        (SUMMARY, "total price by region", 'groupBy("region").agg(F.sum("price")'),
        (SUMMARY, "highest price for each region", 'groupBy("region").agg(F.max("price")'),
        (YEARS, "average amount per year", 'groupBy("year").agg(F.avg("amount")'),
    ],
)
def test_a_table_of_one_row_for_each_group_can_be_grouped(model, dataset, question, steps):
    draft = _draft(model, question, _context(dataset))
    assert steps in _steps(draft)
    assert f"{dataset[0].name} has one row for each of these groups" in draft.assumptions


@pytest.mark.parametrize(
    ("dataset", "question"),
    [
        (SUMMARY, "count by region"),
        (SUMMARY, "how many regions by region"),
        (YEARS, "total amount by id"),
        (_dataset("big", 5000, {"n": ("i", 5000, 0), "x": "f"}), "total x by n"),
    ],
)
def test_groups_of_one_row_that_say_nothing_are_refused(model, dataset, question):
    with pytest.raises(NotUnderstood):
        _draft(model, question, _context(dataset))


def test_a_dataset_of_many_rows_for_each_group_is_preferred_to_one_of_single_rows(model):
    draft = _draft(model, "total sales by region", _context(
        _dataset("regions", 2, {"region": ["NORTH", "SOUTH"], "sales": ("i", 2, 0)}), SALES
    ))  # fmt: skip
    assert _steps(draft).startswith("sales_data.groupBy")


DIGITS = _dataset(
    "log2024",
    40,
    {
        "year": ("i", 3, 0), "c17": "f", "c3": ["a", "b"], "things_3": "i", "things": "i",
        "col_1": ["u", "v"], "UnitPrice": "f",
    },
)  # fmt: skip


@pytest.mark.parametrize(
    ("question", "steps"),
    [
        ("count by year", 'groupBy("year").agg(F.count("*")'),
        ("count per c3", 'groupBy("c3").agg(F.count("*")'),
        ("sum of c17 by c3", 'groupBy("c3").agg(F.sum("c17")'),
        ("total things_3 by col_1", 'groupBy("col_1").agg(F.sum("things_3")'),
        ("average UnitPrice by C3", 'groupBy("c3").agg(F.avg("UnitPrice")'),
        ("how many log2024 are there", 'log_2024.agg(F.count("*")'),
    ],
)
def test_a_name_as_the_data_spells_it_is_that_name(model, question, steps):
    assert steps in _steps(_draft(model, question, _context(DIGITS)))


def test_a_value_with_a_possessive_ending_is_told_from_the_one_without(model):
    shops = _dataset("shops", 40, {"owner": ["O'Brien's", "O'Brien", "Lee"], "sales": "i"})
    for question, value in (
        ("total sales where owner is O'Brien's", "O'Brien's"),
        ("total sales where owner is O\u2019Brien\u2019s", "O'Brien's"),
        ("total sales where owner is O'Brien", "O'Brien"),
        ("total sales in Lee's", "Lee"),
    ):
        code = ast.parse(_draft(model, question, _context(shops)).code)
        texts = {node.value for node in ast.walk(code) if isinstance(node, ast.Constant)}
        assert texts & {"O'Brien's", "O'Brien", "Lee"} == {value}


def test_rows_that_a_join_leaves_out_are_told(model):
    flights, profile = FLIGHTS
    fewer = _dataset("airlines", 2, {"carrier": ["UA", "DL"], "name": ["United Air", "Delta"]})
    draft = _draft(model, "flights per airline", _context((flights, profile), fewer))
    assert draft.assumptions == (
        "rows whose flights.carrier is not in airlines.carrier are left out",
    )


@pytest.mark.parametrize(
    ("question", "chart"),
    [
        ("total sales by region", ChartHint("bar", "region", ("total_sales",))),
        ("total sales per month", ChartHint("line", "month", ("total_sales",))),
        ("total sales", ChartHint("none")),
        ("show all sales", None),
    ],
)
def test_the_chart_fits_the_answer(model, question, chart):
    assert _draft(model, question, SALE).chart == chart


def test_a_failed_try_is_answered_with_the_same_draft(model):
    conversation = Conversation(Ask("total sales"), SALE)
    draft = model.generate(conversation, lambda _text: None)
    again = Conversation(Ask("total sales"), SALE, (Turn(draft, "it failed"),))
    assert model.generate(again, lambda _text: None) == draft


def test_the_draft_is_passed_on_as_it_comes(model):
    heard = []
    draft = model.generate(Conversation(Ask("total sales"), SALE), heard.append)
    assert "".join(heard) == draft.code


def test_another_state_of_the_data_is_another_index(model):
    before = _context(_dataset("things", 3, {"name": ["a1", "b2", "c3"]}, "1"))
    after = _context(_dataset("things", 3, {"colour": ["red", "blue", "green"]}, "2"))
    assert '"name"' in _draft(model, "names of things", before).code
    assert '"colour"' in _draft(model, "colours of things", after).code


def test_code_is_laid_out_as_a_formatter_would(model, tmp_path):
    for number, (context, question, _) in enumerate(ANSWERS):
        code = _draft(model, question, context).code
        (tmp_path / f"answer{number}.py").write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == ""


# --- anything may be asked of anything -----------------------------------------

WORDS = st.sampled_from(
    "how many number of total average flights carrier sales by per each the most with more than "
    "10 3 2013 and or not in last months highest top region first name order sorted descending "
    "between 'UA' JFK , . ? customers orders delay distinct null contains is without".split()
)
NAMES = st.text(min_size=1, max_size=12) | st.sampled_from(
    ["id", "name", "date", "order_id", "Total Amount", "year", "month", "F", "spark", "result"]
)


def _reads_or_refuses(question, context):
    try:
        draft = _draft(OfflineModel(), question, context)
    except NotUnderstood:
        return
    ast.parse(draft.code)
    assert _draft(OfflineModel(), question, context) == draft


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_answered_or_refused(question):
    _reads_or_refuses(question, TRAVEL)


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, max_size=25).map(" ".join), st.sampled_from([TRAVEL, SHOP, SALE]))
def test_any_words_are_answered_or_refused(question, context):
    _reads_or_refuses(question, context)


@st.composite
def _schemas(draw):
    datasets = []
    for name in draw(st.lists(NAMES, min_size=1, max_size=3, unique=True)):
        columns = {}
        for column in draw(st.lists(NAMES, min_size=1, max_size=5, unique_by=str.casefold)):
            kind = draw(st.sampled_from("sifdt"))
            values = draw(st.lists(st.text(max_size=8), unique=True, max_size=4))
            columns[column] = values if kind == "s" and values else kind
        datasets.append(_dataset(name, draw(st.integers(0, 9)), columns))
    return _context(*datasets)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_schemas(), st.data())
def test_any_schema_is_read(context, data):
    names = [d.name for d in context.datasets]
    names += [column.name for d in context.datasets for column in d.columns]
    pattern = data.draw(
        st.sampled_from(
            ["how many {}", "average {} by {}", "show {} of {}", "top 3 {} by {}", "{} in 2013"]
        )
    )
    chosen = [data.draw(st.sampled_from(names)) for _ in range(pattern.count("{}"))]
    _reads_or_refuses(pattern.format(*chosen), context)


def test_names_and_values_from_the_data_stay_data(model, hostile):
    if not hostile.strip():
        return
    context = _context(_dataset("t", 3, {hostile: "i", "kind": [hostile, "plain"]}))
    for question in (f'how many rows have kind "{hostile}"', "average of t", "kinds of t"):
        try:
            draft = _draft(model, question, context)
        except NotUnderstood:
            continue
        calls = [n for n in ast.walk(ast.parse(draft.code)) if isinstance(n, ast.Call)]
        names = {c.func.attr for c in calls if isinstance(c.func, ast.Attribute)}
        assert names <= {
            "table", "where", "agg", "count", "alias", "col", "select", "distinct", "orderBy", "avg",
        }  # fmt: skip
        assert draft.code.replace("\n", "").isprintable()
