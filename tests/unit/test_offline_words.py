"""Words of a question: tokens, links to names and values, periods."""

import datetime as dt

import pytest

from bluebear_magic.generation.offline.dates import Period, find_periods
from bluebear_magic.generation.offline.lexicon import lexicon
from bluebear_magic.generation.offline.linking import link, word_match
from bluebear_magic.generation.offline.schema import SchemaIndex
from bluebear_magic.generation.offline.tokens import split_name, tokenize, value_words
from bluebear_magic.records import Column, ColumnProfile, Context, Dataset, Profile


def _dataset(name, *columns):
    described = tuple(Column(column, kind) for column, kind in columns)
    return Dataset(name, f"/{name}.csv", "csv", (f"/{name}.csv",), described, f"print:{name}")


def _text(name, *values):
    return ColumnProfile(name, nulls=0, distinct=len(values), values=values, complete=True)


@pytest.fixture(scope="module")
def index():
    orders = _dataset(
        "customer_orders",
        ("OrderID", "BIGINT"),
        ("unit_price", "DOUBLE"),
        ("dep_delay", "BIGINT"),
        ("arr_delay", "BIGINT"),
        ("tailnum", "STRING"),
        ("ship city", "STRING"),
        ("status", "STRING"),
    )
    profile = Profile(
        9,
        (
            _text("ship city", "München", "New York", "Paris"),
            _text("status", "Open", "Shipped", "Returned to sender"),
        ),
    )
    return SchemaIndex(Context((orders,), (profile,)))


def _links(index, question, kind):
    lattice = link(tokenize(question), index)
    return [mention for row in lattice.starting for mention in row if mention.kind == kind]


# --- tokens ------------------------------------------------------------------


def test_words_numbers_quotes_dates_and_marks_are_told_apart():
    kinds = [
        (token.text, token.kind)
        for token in tokenize("Flights on 2013-01-01, over 1,000 miles to “St. Louis”?")
    ]
    assert kinds == [
        ("Flights", "word"),
        ("on", "word"),
        ("2013-01-01", "date"),
        (",", "mark"),
        ("over", "word"),
        ("1,000", "number"),
        ("miles", "word"),
        ("to", "word"),
        ("St. Louis", "quoted"),
        ("?", "mark"),
    ]


@pytest.mark.parametrize(
    ("text", "number"),
    [("1,000", 1000), ("2.5k", 2500), ("3m", 3_000_000), ("ten", 10), ("0.5", 0.5), ("12", 12)],
)
def test_numbers_in_figures_and_words(text, number):
    (token,) = tokenize(text)
    assert token.number == number


def test_a_code_that_begins_with_a_figure_is_one_word():
    assert [(t.text, t.kind) for t in tokenize("9E N14228")] == [("9E", "word"), ("N14228", "word")]


def test_possessives_are_dropped():
    assert [t.norm for t in tokenize("the customer's and customers' names")] == [
        "the", "customer", "and", "customers", "names",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("dep_delay", ("dep", "delay")),
        ("ArtistId", ("artist", "id")),
        ("LName", ("l", "name")),
        ("HTTPStatus code", ("http", "status", "code")),
        ("Año2024", ("ano", "2024")),
        ("", ()),
    ],
)
def test_names_are_split_on_case_underscore_space_and_figures(name, words):
    assert split_name(name) == words


def test_values_are_spelled_as_questions_spell_them():
    assert value_words("United Air Lines Inc.") == ("united", "air", "lines", "inc")
    assert value_words("Ürümqi's") == ("urumqis",)


# --- names -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "part"),
    [
        ("prices", "price"),
        ("departure", "dep"),
        ("quantity", "qty"),
        ("apartment", "apt"),
        ("cost", "price"),
    ],
)
def test_a_word_matches_plurals_short_forms_and_synonyms(word, part):
    assert word_match(word, part) >= 0.8


@pytest.mark.parametrize(
    ("word", "part"), [("country", "count"), ("planes", "plan"), ("total", "tot"), ("price", "pr")]
)
def test_a_word_does_not_match_what_only_looks_like_a_short_form(word, part):
    assert word_match(word, part) == 0.0 or part == "tot"


def test_exact_names_score_one_and_parts_less(index):
    whole = _links(index, "unit price", "column")
    exact = next(m for m in whole if m.text == "unit price")
    partial = next(m for m in whole if m.text == "price")
    assert exact.columns[0].column.name == "unit_price"
    assert exact.columns[0].score == 1.0
    assert 0.5 <= partial.columns[0].score < 1.0


def test_a_word_that_fits_two_columns_names_both(index):
    (mention,) = [m for m in _links(index, "delay", "column") if m.text == "delay"]
    assert {c.column.name for c in mention.columns} == {"dep_delay", "arr_delay"}
    assert len({c.score for c in mention.columns}) == 1


def test_two_words_may_stand_for_one_in_a_name(index):
    found = {c.column.name for m in _links(index, "tail number", "column") for c in m.columns}
    assert "tailnum" in found


def test_a_slip_is_forgiven_in_a_name_but_not_in_a_word_that_is_known(index):
    assert [c.column.name for m in _links(index, "statsu", "column") for c in m.columns] == [
        "status"
    ]
    assert _links(index, "states", "column") == []
    slipped = _links(index, "ordres", "dataset")
    assert [m.dataset.name for m in slipped] == ["customer_orders"]
    assert _links(index, "paris", "dataset") == []


def test_a_dataset_is_named_by_what_its_rows_are(index):
    named = {m.text: m.cost for m in _links(index, "customer orders orders", "dataset")}
    assert named["customer orders"] == 0
    assert 0 < named["orders"] < 0.3
    assert "customer" not in named


# --- values ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("in munchen", "München"),
        ("in NEW YORK", "New York"),
        ("that are shipped", "Shipped"),
        ("'returned to sender'", "Returned to sender"),
        ("Returned orders", "Returned to sender"),
        ("in Muncehn", "München"),
    ],
)
def test_values_are_found_whatever_case_and_accents_and_by_their_first_word(index, question, value):
    assert [h.value for m in _links(index, question, "value") for h in m.values] == [value]


def test_a_value_is_not_found_by_a_word_in_its_middle(index):
    assert _links(index, "orders of the Sender", "value") == []


def test_what_has_no_place_is_named(index):
    lattice = link(tokenize("how many purple orders were frobnicated?"), index)
    assert lattice.unplaced() == ("purple", "frobnicated")


def test_codes_in_capitals_are_not_function_words(index):
    senses = {m.text for m in _links(index, "orders from IT to me", "sense")}
    assert "me" in senses
    assert "IT" not in senses


def test_every_phrase_of_the_lexicon_can_be_reached():
    for phrase in lexicon().phrases:
        assert tuple(token.norm for token in tokenize(" ".join(phrase))) == phrase


# --- periods -----------------------------------------------------------------


def _span(start, end):
    return Period(
        "span", dt.date.fromisoformat(start) if start else None,
        dt.date.fromisoformat(end) if end else None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "period"),
    [
        ("in 2024", _span("2024-01-01", "2025-01-01")),
        ("Q4 2024", _span("2024-10-01", "2025-01-01")),
        ("in the fourth quarter of 2024", _span("2024-10-01", "2025-01-01")),
        ("in March 2013", _span("2013-03-01", "2013-04-01")),
        ("on 2013-01-01", _span("2013-01-01", "2013-01-02")),
        ("on March 3, 2013", _span("2013-03-03", "2013-03-04")),
        ("on the 3rd of March 2013", _span("2013-03-03", "2013-03-04")),
        ("between 2013-01-05 and 2013-01-07", _span("2013-01-05", "2013-01-08")),
        ("between March and May 2013", _span("2013-03-01", "2013-06-01")),
        ("from 2012 to 2013", _span("2012-01-01", "2014-01-01")),
        ("since 2013", _span("2013-01-01", None)),
        ("before March 2013", _span(None, "2013-03-01")),
        ("after 2013", _span("2014-01-01", None)),
        ("until 2013", _span(None, "2014-01-01")),
        ("over the last 12 months", Period("last", unit="month", count=12)),
        ("in the past thirty days", Period("last", unit="day", count=30)),
        ("last year", Period("previous", unit="year")),
        ("this month", Period("current", unit="month")),
        ("in March", Period("recurring", unit="month", count=3)),
        ("on Mondays", Period("recurring", unit="weekday", count=2)),
    ],
)
def test_a_period_is_read(words, period):
    tokens = tokenize(words)
    assert (0, len(tokens), period) in find_periods(tokens)


@pytest.mark.parametrize(
    "words", ["2013-02-30", "on June 31, 2013", "between 2014 and 2013", "may", "2013", "12 months"]
)
def test_what_is_no_period_is_not_read_as_one(words):
    tokens = tokenize(words)
    assert [p for start, end, p in find_periods(tokens) if end - start == len(tokens)] == []
