"""Every number of a sentence is proven by the tables, however it is spelled; others are not."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bluebear_magic.present.figures import figures
from bluebear_magic.present.proof import Facts, proven
from bluebear_magic.present.summary import summarise
from bluebear_magic.runner.envelope import Table

TABLE = Table(
    "result",
    (("region", "string"), ("total", "double"), ("orders", "bigint")),
    (("North", 1234567.891, 40), ("South", 617283.9, 13), ("East", 0.0, 7), ("West", -250.5, 3)),
    4, False, False,
)  # fmt: skip
QUESTION = "top five regions by total over the last 12 months"
FACTS = Facts([TABLE], QUESTION)


@pytest.mark.parametrize(
    "sentence",
    [
        "North leads.",
        "North leads with 1,234,567.891.",
        "North leads with $1,234,567.89.",
        "North leads with 1234568 dollars.",
        "North leads with 1\u202f234\u202f568.",
        "North leads with 1'234'568.",
        "North leads with 1.23M.",
        "North leads with $1.2m.",
        "North leads with 1.2 million.",
        "North leads with 1,235k.",
        "North leads with 1.234568e6.",
        "North leads with about 1,200,000.",
        "North leads with more than 1.2 million.",
        "North stays under 1,250,000.",
        "West lost 250.5.",
        "West is at -250.5, or \u2212251.",
        "East has 0, South 13.",
        "South has thirteen orders and North forty.",
        "All four regions are there, 4 rows with three columns.",
        "North has 40 orders, about three times South's 13.",
        "North has 3.1x the orders of South.",
        "North sold twice as much as South.",
        "South is half of North.",
        "North has nearly two thirds of all orders.",
        "North has 63.5% of the orders, South 21 percent.",
        "South is 50% below North.",
        "North and South together have 53 orders.",
        "North and South together have 84% of the orders.",
        "The top 2 have 53 orders.",
        "There are 63 orders in all, 15.75 on average.",
        "North is 27 orders ahead of South.",
        "North is 1st, South the second and East 3rd.",
        "Over the last 12 months, the top five regions.",
        "In the 12 months North leads.",
        "One of them is below 0.",
        "South's 13 to North's 40 is a ratio of 0.325.",
    ],
)  # fmt: skip
def test_what_the_tables_say_is_proven(sentence):
    assert FACTS.unproven(sentence) == ()


@pytest.mark.parametrize(
    ("sentence", "number"),
    [
        ("North leads with 1,234,467.", "1,234,467"),
        ("North leads with 1.24M.", "1.24M"),
        ("North leads with 3 million.", "3 million"),
        ("North leads with about 1,300,000.", "1,300,000"),
        ("North leads with more than 1.3 million.", "1.3 million"),
        ("West gained -251.7.", "251.7"),
        ("North is at -40.", "40"),
        ("All five hundred regions.", "five hundred"),
        ("In 2024 North won.", "2024"),
        ("On 2024-03-01 North won.", "2024-03-01"),
        ("North made 43% of it.", "43%"),
        ("North sold 4 times as much as South.", "4 times"),
        ("North sold five times as much as South.", "five times"),
        ("North tripled.", "tripled"),
        ("South is a quarter of North.", "a quarter"),
        ("It was ranked 7th.", "7th"),
        ("It was ranked 6th.", "6th"),
        ("Thousands of orders.", "Thousands"),
        ("Orders in Q3.", "Q3"),
        ("The A320 sold best.", "A320"),
        ("It rose 10-fold.", "10-fold"),
        ("\u216b regions.", "\u216b"),
        ("\u00bd of North.", "\u00bd"),
        ("\u0663\u0669 orders.", "\u0663\u0669"),
        ("\uff18\uff18 orders.", "\uff18\uff18"),
        ("\u4e94 orders.", "\u4e94"),
        ("At 10:30 North won.", "10:30"),
        ("1 in 8: 1/8 of North.", "1/8"),
        ("A gap of 1,234,560.5 between them.", "1,234,560.5"),
    ],
)
def test_what_the_tables_do_not_say_is_not(sentence, number):
    assert number in FACTS.unproven(sentence)


def test_an_honest_sentence_survives_beside_a_dropped_one():
    sentences = ["North has 40 orders.", "It grew by 17%.", "South follows with 13."]
    assert proven(sentences, [TABLE], QUESTION) == [sentences[0], sentences[2]]


def test_dates_and_texts_of_the_table_are_facts():
    table = Table(
        "result", (("month", "date"), ("plane", "string"), ("p95", "double")),
        (("2024-01-01", "A320", 5.0), ("2024-02-01", "B737-800", 10.0), ("2024-03-01", "x", 9.0)),
        3, False, False,
    )  # fmt: skip
    facts = Facts([table])
    for good in (
        "On 2024-02-01 the A320 flew.", "In February 2024, p95 was 10.",
        "From January 2024 to March 2024, p95 rose by 80%.", "The B737-800 had 10.0.",
        "p95 doubled from January to February.", "Between 2024-01-01 and 2024-03-01.",
    ):  # fmt: skip
        assert facts.unproven(good) == (), good
    for bad in ("On 2024-02-02 it flew.", "In 2023 it flew.", "p99 was 10.", "The A330 flew."):
        assert facts.unproven(bad), bad


def test_without_all_rows_no_sum_is_proven():
    part = Table("result", TABLE.columns, TABLE.rows, 900, False, True)
    assert Facts([part]).unproven("63 orders in all.") == ("63",)
    assert Facts([part]).unproven("900 rows, North with 40.") == ()


def test_averages_do_not_add_up():
    table = Table(
        "result", (("region", "string"), ("avg_delay", "double")), (("N", 10.0), ("S", 21.0)),
        2, False, False,
    )  # fmt: skip
    assert Facts([table]).unproven("A delay of 31 in all.") == ("31",)


def test_parts_of_one_are_percents_too():
    table = Table("result", (("rate", "double"),), ((0.125,),), 1, False, False)
    assert Facts([table]).unproven("The rate is 12.5%, or 0.125.") == ()
    assert Facts([table]).unproven("The rate is 13.5%.") == ("13.5%",)


def test_the_local_summary_is_proven_too():
    assert proven([summarise([TABLE], QUESTION)], [TABLE], QUESTION)


# --- properties -------------------------------------------------------------

amounts = st.decimals(min_value=1, max_value=10**9, places=2, allow_nan=False)


def one(*values):
    rows = tuple((f"r{chr(97 + n)}", format(value, "f")) for n, value in enumerate(values))
    return Table("t", (("k", "string"), ("v", "decimal(20,2)")), rows, len(rows), False, False)


def spellings(value):
    whole = value.quantize(Decimal(1))
    yield from (f"{value:,}", f"{value}", f"{whole:,}", f"{whole}", f"${value:,}", f"{value} EUR")
    yield from (f"{value:,}".replace(",", mark) for mark in ("\u00a0", "\u202f", "'", "\u2009"))
    yield f"{value:.6e}"
    for size, names in ((10**3, ("k", "K", " thousand")), (10**6, ("M", "m", " million", "mn"))):
        if value >= size:
            short = (value / size).quantize(Decimal("0.01"))
            yield from (f"{short}{name}" for name in names)


@given(amounts)
@settings(max_examples=150, deadline=None)
def test_a_number_of_the_table_is_proven_in_any_spelling(value):
    facts = Facts([one(value)])
    for text in spellings(value):
        assert facts.unproven(f"The value is {text}.") == (), text
        assert facts.unproven(f"{text} it is") == (), text


@given(amounts, amounts)
@settings(max_examples=150, deadline=None)
def test_shares_changes_and_factors_of_two_rows_are_proven(first, second):
    facts = Facts([one(first, second)])
    ratio, total = first / second, first + second
    assume(ratio >= Decimal("0.01"))
    said = [
        f"ra is {ratio:.2f} times rb.",
        f"ra is {100 * first / total:.1f}% of all.",
        f"ra differs from rb by {abs(100 * (first - second) / second):.1f}%.",
        f"They are {abs(first - second):,} apart.",
        f"Together they are {total:,}.",
    ]
    for sentence in said:
        assert facts.unproven(sentence) == (), sentence


@given(st.lists(amounts, min_size=1, max_size=8), amounts)
@settings(max_examples=200, deadline=None)
def test_a_number_that_does_not_follow_is_dropped(values, number):
    table = one(*values)
    total, count = sum(values), len(values)
    ordered = sorted(values)
    known = {*values, total, total / count, (ordered[count // 2] + ordered[(count - 1) // 2]) / 2}
    marks = {values[0], values[-1], max(values), min(values), total}
    known |= {abs(a - b) for a in marks for b in marks}
    known |= {Decimal(n) for n in range(count + 2)}
    assume(all(abs(number - fact) > Decimal("0.006") for fact in known))
    assert Facts([table]).unproven(f"The value is {number:,}.")


@given(st.text(max_size=80))
@settings(max_examples=300, deadline=None)
def test_no_sentence_breaks_it_and_no_digit_is_overlooked(text):
    found = figures(text)
    if any(char.isdigit() for char in text):
        assert found
    Facts([TABLE], text).unproven(text)


@given(st.integers(0, 999_999))
@settings(max_examples=150, deadline=None)
def test_number_words_are_read(number):
    (figure,) = figures(f"There are {words(number)} rows.") or (None,)
    if number == 1:
        assert figure is None
    else:
        assert figure.readings[0][0] == number


SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


def words(number):
    if number < 20:
        return SMALL[number]
    if number < 100:
        rest = f"-{SMALL[number % 10]}" if number % 10 else ""
        return TENS[number // 10 - 2] + rest
    if number < 1000:
        rest = f" and {words(number % 100)}" if number % 100 else ""
        return f"{SMALL[number // 100]} hundred{rest}"
    rest = f" {words(number % 1000)}" if number % 1000 else ""
    return f"{words(number // 1000)} thousand{rest}"


@given(st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)))
@settings(max_examples=50, deadline=None)
def test_a_date_of_the_table_is_proven_and_its_neighbour_is_not(day):
    table = Table("t", (("d", "date"), ("n", "int")), ((day.isoformat(), 5),), 1, False, False)
    assert Facts([table]).unproven(f"It was on {day.isoformat()}.") == ()
    assert Facts([table]).unproven(f"It was on {day.day} {day:%B %Y}.") == ()
    assert Facts([table]).unproven(f"It was on {day + dt.timedelta(days=1)}.")
