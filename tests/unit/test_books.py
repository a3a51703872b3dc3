"""Budgets stop the call that would break them; sums and sentences of what was spent."""

import json
import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluebear_magic.cli import main
from bluebear_magic.config import Settings
from bluebear_magic.errors import ConfigError, ModelError, OverBudget
from bluebear_magic.folders import state_folder
from bluebear_magic.generation import model_ids
from bluebear_magic.provenance import bill
from bluebear_magic.provenance.books import Books
from bluebear_magic.provenance.ledger import Charge, Ledger
from bluebear_magic.provenance.spending import money, spent, told
from bluebear_magic.records import Usage
from bluebear_magic.trust import TrustStore


class Desk:
    """A session's books, its settings and what was warned of."""

    def __init__(self, folder, **settings):
        self.settings = Settings(**settings)
        self.warned = []
        self.books = Books(self.settings, Ledger(folder), self.warned.append)

    def call(self, dollars="0.02", at_most="0.05", name="m"):
        self.books.before(Usage(name, 100, 50, dollars=at_most and Decimal(at_most)))
        self.books.after(Usage(name, 90, 10, dollars=dollars and Decimal(dollars)))


@pytest.fixture
def desk(tmp_path):
    def desk(folder="state", **settings):
        return Desk(tmp_path / folder, **settings)

    return desk


def test_without_budgets_all_is_noted_and_nothing_stopped(desk):
    one = desk()
    with one.books.question("total by region"):
        one.call()
        one.call(dollars=None, at_most=None)
    assert len(one.books.usage) == 2
    assert [c.question for c in one.books.ledger.today()] == ["total by region"] * 2


@pytest.mark.parametrize("scope", ["question", "notebook", "day"])
def test_each_budget_stops_before_the_call_that_would_break_it(desk, scope):
    one = desk(**{f"budget_{scope}": 0.08})
    with one.books.question("q"):
        one.call()
        one.call()
        with pytest.raises(OverBudget) as stopped:
            one.call()
    assert len(one.books.charges) == 2
    assert "may cost $0.0500" in stopped.value.message
    assert "$0.0400 spent" in stopped.value.message
    assert "the budget of $0.0800" in stopped.value.message
    assert f"%config Bluebear.budget_{scope} = 0.1;" in stopped.value.hint
    assert isinstance(stopped.value, ModelError)
    setattr(one.settings, f"budget_{scope}", 0.1)
    with one.books.question("q", anew=False):
        one.call()


def test_a_budget_may_be_spent_to_the_last_cent(desk):
    one = desk(budget_question=0.05)
    with one.books.question("q"):
        one.call(dollars="0.05")


def test_a_question_begins_at_zero_and_a_notebook_does_not(desk):
    one = desk(budget_question=0.06, budget_notebook=0.08)
    for _ in range(2):
        with one.books.question("q"):
            one.call()
    with one.books.question("q"), pytest.raises(OverBudget, match="notebook"):
        one.call()


def test_the_summary_of_a_question_goes_on_with_its_sum(desk):
    one = desk(budget_question=0.06)
    with one.books.question("q"):
        one.call()
    with one.books.question("q", anew=False), pytest.raises(OverBudget, match="this question"):
        one.call()
    with one.books.question("another", anew=False):
        one.call()


def test_a_day_adds_up_over_notebooks_and_what_died_in_the_middle(desk):
    one, two = desk(budget_day=0.12), desk(budget_day=0.12)
    one.call()
    two.books.before(Usage("m", dollars=Decimal("0.05")))  # and its kernel is killed
    with pytest.raises(OverBudget, match=r"\$0.0700 spent today"):
        one.call(at_most="0.06")
    one.call(at_most="0.05")


def test_a_call_that_came_to_nothing_costs_nothing(desk):
    one = desk(budget_day=0.06)
    for _ in range(3):  # throttled, and made again
        one.books.before(Usage("m", dollars=Decimal("0.05")))
    one.books.after(Usage("m", dollars=Decimal("0.01")))
    with one.books.question("next"):
        one.books.before(Usage("m", dollars=Decimal("0.05")))
    assert one.books.ledger.today()[-1].dollars == Decimal("0.01")
    assert len(one.books.ledger.today()) == 1


def test_an_unknown_price_is_never_zero(desk):
    one = desk()
    one.call(dollars=None, at_most=None, name="new.model")
    one.settings.budget_day = 5
    with pytest.raises(OverBudget, match=r"the price of new\.model is not known") as stopped:
        one.call(dollars=None, at_most=None, name="new.model")
    assert "budget_day = 0" in stopped.value.hint
    assert "Bluebear.prices = {'new.model': {'input': ..., 'output': ...}}" in stopped.value.hint
    with pytest.raises(OverBudget, match=r"what today has cost is not known: 1 of its calls"):
        one.call()


def test_a_price_that_is_said_later_holds_for_what_was_called_before(desk):
    one = desk()
    one.books.before(Usage("new.model"))
    one.books.after(Usage("new.model", 400_000, 100_000))
    one.settings.prices = {"new.*": {"input": 1, "output": 4}}
    one.settings.budget_day = 0.9
    with pytest.raises(OverBudget, match=r"\$0\.8000 spent today"):
        one.call(at_most="0.2")
    one.call(at_most="0.1")


def test_where_only_what_it_took_has_no_price_the_most_it_may_have_cost_counts(desk):
    one = desk(budget_question=0.09)
    one.call(dollars=None)
    with pytest.raises(OverBudget, match=r"\$0.0500 spent"):
        one.call()


def test_a_ledger_that_cannot_be_written_stops_only_a_days_budget(tmp_path):
    (tmp_path / "state").write_text("a file where the folder should be")
    one = Desk(tmp_path / "state", budget_question=0.06)
    one.call()
    assert "cannot be noted" in one.warned[0]
    with pytest.raises(OverBudget, match="this question"):
        one.call()
    one.settings.budget_question, one.settings.budget_day = 0, 1
    with pytest.raises(OverBudget, match="cannot be kept") as stopped:
        one.call()
    assert "budget_day = 0" in stopped.value.hint


def test_calls_that_no_meter_stood_at_are_noted_once(desk):
    one = desk()
    usage = Usage("m", 1, dollars=Decimal("0.01"))
    one.books.before(usage)
    one.books.after(usage)
    one.books.heard((usage, Usage("other", 2)))
    assert [c.name for c in one.books.charges] == ["m", "other"]


# --- settings ---------------------------------------------------------------


def load(folder, environ=None, text=None):
    if text is not None:
        (folder / "bluebear.toml").write_text(text)
    settings = Settings()
    settings.load(folder, environ or {})
    return settings


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in ("CONFIG", "STATE", "DATA", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def test_budgets_come_from_files_and_the_environment(home):
    settings = load(home, {"BLUEBEAR_BUDGET_DAY": "2.5"}, "budget_question = 1\n")
    assert (settings.budget_question, settings.budget_day) == (1.0, 2.5)
    for bad in ("nan", "inf", "-1", "much"):
        with pytest.raises(ConfigError):
            load(home, {"BLUEBEAR_BUDGET_DAY": bad})
    with pytest.raises(ConfigError):
        load(home, text="budget_day = nan\n")


def test_a_folder_that_is_not_trusted_may_only_tighten_a_budget(home, tmp_path):
    mine = tmp_path / "CONFIG" / "bluebear" / "bluebear.toml"
    mine.parent.mkdir(parents=True)
    mine.write_text("budget_day = 2\nbudget_question = 1\n")
    loose = "budget_day = 3\nbudget_question = 0\nbudget_notebook = 9\n"
    settings = load(home, text=loose)
    assert (settings.budget_day, settings.budget_question, settings.budget_notebook) == (2, 1, 9)
    assert "budget_day = 3" in settings.untrusted
    assert "budget_question = 0" in settings.untrusted
    assert "budget_notebook" not in settings.untrusted
    tight = load(home, text="budget_day = 1.5\nbudget_question = 1\n")
    assert (tight.budget_day, tight.budget_question, tight.untrusted) == (1.5, 1, "")
    TrustStore().add(home, loose.encode())
    assert load(home, text=loose).budget_day == 3


# --- words ------------------------------------------------------------------


def test_sums_are_told_in_one_line():
    calls = [
        Usage("m", 4000, 310, cache_read=1000, dollars=Decimal("0.0123")),
        Usage("m", 10, 1, estimated=True, dollars=Decimal("2")),
    ]
    assert told(spent(calls)) == "2 calls, 5,010 tokens in (1,000 cached), 311 out: about $2.01"
    assert told(spent([*calls, Usage("new")])).endswith("about $2.01 and 1 call with price unknown")
    assert told(spent([Usage("new", 5)])) == "1 call, 5 tokens in, 0 out: price unknown"
    assert told(spent([])) == "nothing"
    assert told(spent([Charge("lambda", "check", Decimal("0.003"))]), "run") == "1 run: $0.0030"
    assert spent([Usage("new", 5)]).as_dict()["dollars"] is None
    assert bill.usage_told(calls[:1]) == (
        "Asked m: 1 call, 5,000 tokens in (1,000 cached), 310 out: $0.0123 "
        f"(prices of {model_ids.known().date})."
    )


@given(st.decimals(min_value="1e-12", max_value=10**6, allow_nan=False))
def test_money_is_never_zero_for_what_is_not_zero(dollars):
    assert set(money(dollars)) & set("123456789")


@given(
    st.integers(0, 10**6), st.integers(0, 10**5), st.integers(0, 10**6),
    st.sampled_from(sorted(model_ids.known().prices)),
)  # fmt: skip
def test_no_call_costs_more_than_was_planned(sent, out, cached, model):
    planned = model_ids.at_most(Usage(model, sent, out), model)
    cached = min(sent, cached)
    for taken in (
        Usage(model, sent, out),
        Usage(model, sent - cached, out, cache_write=cached),
        Usage(model, sent - cached, out, cache_read=cached),
    ):
        dollars = model_ids.dollars(taken, model)
        assert dollars is None or dollars <= planned


# --- commands ---------------------------------------------------------------


def test_the_command_adds_up_by_question_notebook_and_day(home, capsys):
    one = Desk(state_folder())
    one.books.notebook = home / "a.ipynb"
    with one.books.question("total by region\nplease"):
        one.call()
        one.call()
    one.books.end(Charge("lambda", "check", Decimal("0.5")))
    two = Desk(state_folder())
    with two.books.question("\x1b[31mred"):
        two.call(dollars=None, name="new.model")
    assert main(["cost", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"]
    assert told["today"]["calls"] == 4
    assert told["today"]["dollars"] == pytest.approx(0.54)
    assert told["today"]["price_unknown"] == 1
    assert told["prices_of"] == model_ids.known().date
    assert [row["kind"] for row in told["by_kind"]] == ["model", "lambda"]
    assert [row["notebook"] for row in told["by_notebook"]] == [
        str(home / "a.ipynb"), f"session {two.books.session}",
    ]  # fmt: skip
    assert [(row["question"], row["calls"]) for row in told["by_question"]] == [
        ("total by region please", 3), ("\x1b[31mred", 1),
    ]  # fmt: skip
    assert [row["day"] for row in told["by_day"]] == [time.strftime("%Y-%m-%d")]
    assert main(["cost"]) == 0
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert "total by region please  3 calls, 180 tokens in, 20 out: $0.5400" in text
    assert "price unknown" in text
    assert model_ids.known().date in text
    assert main(["cost", "--days", "0", "--json"]) == 2


def test_nothing_was_spent(home, capsys):
    assert main(["cost"]) == 0
    assert "today  nothing" in capsys.readouterr().out


def test_a_session_is_told_with_its_budgets(desk):
    one = desk(budget_day=2)
    with one.books.question("first"):
        one.call()
    with one.books.question("second"):
        one.call(dollars=None)
    lines = bill.session_told(one.books)
    assert lines[0].startswith("last question  1 call")
    assert "price unknown" in lines[0]
    assert "of $2.00 (budget_day)" in lines[2]
    assert any(line.startswith("  first  1 call") for line in lines)
