"""What things cost, as a person and as a program read it: by question, notebook, day and kind."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from bluebear_magic.generation import model_ids
from bluebear_magic.provenance.books import SCOPES, Books
from bluebear_magic.provenance.ledger import Charge
from bluebear_magic.provenance.spending import Spent, money, spent, told
from bluebear_magic.records import Usage

_MOST_LINES = 20
_NOUN = {"model": "call", "lambda": "run", "emr": "run"}
Group = tuple[str, Spent]


def prices_told() -> str:
    """Which prices these are."""
    date = model_ids.known().date
    return f"Model prices: on demand, as published on {date}, or by your setting `prices`."


def usage_told(calls: Sequence[Usage]) -> str:
    """One sentence on what an answer took of models; empty where no call was paid for."""
    if not calls:
        return ""
    names = ", ".join(dict.fromkeys(usage.model for usage in calls))
    date = f"prices of {model_ids.known().date}"
    own = sum(usage.own_price for usage in calls)
    prices = "your own prices" if own == len(calls) else f"{date}, and your own" if own else date
    return f"Asked {names}: {told(spent(calls))} ({prices})."


def usage_json(calls: Sequence[Usage]) -> dict[str, Any]:
    """The same as plain values."""
    own = sum(usage.own_price for usage in calls)
    return {**spent(calls).as_dict(), "prices_of": model_ids.known().date, "own_prices": own}


def session_told(books: Books) -> tuple[str, ...]:
    """The last question, this session and this day, with their budgets; a line for each.

    Raises ``OSError`` where the ledger cannot be read.
    """
    today = books.ledger.today()
    parts = (books.asked, books.charges, today)
    lines = []
    for scope, title, charges in zip(
        SCOPES, ("last question", "this notebook", "today"), parts, strict=True
    ):
        budget = books.budget(scope)
        of = f" of {money(budget)} (budget_{scope})" if budget is not None else ""
        lines.append(f"{title:<14} {told(spent(charges))}{of}")
    lines += _section("this notebook by kind:", _by_kind(books.charges), least=2)
    lines += _section("this notebook by question:", by(books.charges, _question), least=2)
    return (*lines, prices_told())


def ledger_told(charges: Sequence[Charge], today: dt.date) -> tuple[str, ...]:
    """What the ledger holds, by day, notebook, question of today, and kind."""
    of_today = [charge for charge in charges if charge.day == today]
    lines = [f"today  {told(spent(of_today))}"]
    lines += _section("by kind:", _by_kind(charges))
    lines += _section("by day:", by(charges, _day))
    lines += _section("by notebook:", by(charges, _notebook))
    lines += _section("questions of today:", by(of_today, _question))
    return (*lines, prices_told())


def ledger_json(charges: Sequence[Charge], today: dt.date) -> dict[str, Any]:
    """The same as plain values; a list for each way to add up."""
    of_today = [charge for charge in charges if charge.day == today]
    return {
        "ok": True,
        "today": spent(of_today).as_dict(),
        "total": spent(charges).as_dict(),
        "by_kind": _rows("kind", by(charges, lambda charge: charge.kind)),
        "by_name": _rows("name", by(charges, lambda charge: charge.name)),
        "by_day": _rows("day", by(charges, _day)),
        "by_notebook": _rows("notebook", by(charges, _notebook)),
        "by_question": _rows("question", by(of_today, _question)),
        "prices_of": model_ids.known().date,
    }


def by(charges: Iterable[Charge], key: Callable[[Charge], str]) -> list[Group]:
    """Sums by key, in the order in which the keys first occur."""
    groups: dict[str, list[Charge]] = {}
    for charge in charges:
        groups.setdefault(key(charge), []).append(charge)
    return [(name, spent(items)) for name, items in groups.items()]


def _by_kind(charges: Sequence[Charge]) -> list[Group]:
    return by(charges, lambda charge: charge.kind)


def _day(charge: Charge) -> str:
    return charge.day.isoformat()


def _notebook(charge: Charge) -> str:
    return charge.notebook or f"session {charge.session}"


def _question(charge: Charge) -> str:
    return " ".join(charge.question.split()) or "(no question)"


def _section(title: str, groups: Sequence[Group], least: int = 1) -> list[str]:
    """A title and a line for each of the last groups."""
    if len(groups) < least:
        return []
    shown = groups[-_MOST_LINES:]
    more = len(groups) - len(shown)
    lines = [f"  {name[:60]}  {told(total, _NOUN.get(name, 'call'))}" for name, total in shown]
    return [title, *([f"  ({more} before these)"] if more else []), *lines]


def _rows(name: str, groups: Sequence[Group]) -> list[dict[str, Any]]:
    return [{name: key, **total.as_dict()} for key, total in groups]
