"""The ledger on disk: what is noted, who may read it, and that no two notebooks overspend."""

import datetime as dt
import json
import multiprocessing
import os
import stat
import time
from decimal import Decimal

import pytest

from bluebear_magic.provenance import journal
from bluebear_magic.provenance.ledger import Charge, Ledger

NOON = dt.datetime(2026, 3, 10, 12, tzinfo=dt.timezone.utc)


class Clock:
    def __init__(self, now=NOON):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def charge(dollars="0.02", at_most="0.05", **more):
    return Charge(
        "model", "m", Decimal(dollars) if dollars else None,
        Decimal(at_most) if at_most else None, **more,
    )  # fmt: skip


def anyway(day):
    return None


def test_a_charge_comes_back_as_it_was_noted(tmp_path, utc):
    ledger = Ledger(tmp_path / "state", Clock())
    taken = charge(input=10, output=5, cache_read=3, cache_write=2, seconds=1.5, estimated=True,
                   session="s", notebook="/n.ipynb", question="total by region")  # fmt: skip
    call = ledger.begin(charge(dollars=None), anyway)
    ledger.end(call, taken)
    (found,) = ledger.today()
    assert found == Charge(**{**vars(taken), "time": NOON})
    assert found.amount == Decimal("0.02")


def test_only_the_user_reads_it_and_a_link_is_not_followed(tmp_path):
    ledger = Ledger(tmp_path / "state", Clock())
    ledger.end("a", charge())
    assert stat.S_IMODE(ledger.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(ledger.file.parent.stat().st_mode) == 0o700
    target = tmp_path / "else"
    ledger.file.unlink()
    ledger.file.symlink_to(target)
    with pytest.raises(OSError, match="symbolic links"):
        ledger.end("b", charge())
    assert not target.exists()


def test_what_was_begun_and_not_told_of_counts_for_the_most_it_may_have_cost(tmp_path, utc):
    ledger = Ledger(tmp_path, Clock())
    ledger.begin(charge(dollars=None), anyway)
    refused = ledger.begin(charge(dollars=None), anyway)
    ledger.drop(refused)
    (left,) = ledger.today()
    assert (left.open, left.dollars, left.amount) == (True, None, Decimal("0.05"))


def test_a_line_that_a_crash_cut_spoils_no_other(tmp_path, utc):
    ledger = Ledger(tmp_path, Clock())
    ledger.end("a", charge())
    with ledger.file.open("ab") as file:
        file.write(b'{"format": 1, "state": "ended", "ca')
    ledger.end("b", charge())
    assert len(ledger.today()) == 2


@pytest.mark.parametrize(
    "broken",
    [
        "not json", "[1]", "{}", '{"state": "ended", "call": "x"}',
        {"dollars": "-1"}, {"dollars": "NaN"}, {"kind": "gift"}, {"time": "2026-03-10T12:00:00"},
        {"input": "many"},
    ],
)  # fmt: skip
def test_what_is_no_entry_is_passed_over(tmp_path, utc, broken):
    ledger = Ledger(tmp_path, Clock())
    ledger.end("a", charge())
    good = json.loads(ledger.file.read_text())
    line = broken if isinstance(broken, str) else json.dumps({**good, "call": "b", **broken})
    with ledger.file.open("a") as file:
        file.write(line + "\n")
    assert len(ledger.today()) == 1


def test_days_are_the_users_own_and_months_are_files(tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")  # nine hours ahead
    time.tzset()
    try:
        clock = Clock(dt.datetime(2026, 2, 28, 14, 30, tzinfo=dt.timezone.utc))
        ledger = Ledger(tmp_path, clock)
        ledger.end("evening", charge())
        clock.now += dt.timedelta(hours=1)  # the first of March in Tokyo, still February in UTC
        ledger.end("night", charge())
        clock.now += dt.timedelta(hours=12)
        ledger.end("noon", charge())
        assert sorted(file.name for file in tmp_path.iterdir()) == [
            "costs-2026-02.jsonl", "costs-2026-03.jsonl",
        ]  # fmt: skip
        assert len(ledger.today()) == 2
        assert [c.day for c in ledger.since(dt.date(2026, 2, 1))] == [
            dt.date(2026, 2, 28), dt.date(2026, 3, 1), dt.date(2026, 3, 1),
        ]  # fmt: skip
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_call_over_midnight_is_of_the_day_when_it_began(tmp_path, utc):
    clock = Clock(dt.datetime(2026, 2, 28, 23, 59, 59, tzinfo=dt.timezone.utc))
    ledger = Ledger(tmp_path, clock)
    ended, dropped, _ = (ledger.begin(charge(dollars=None), anyway) for _ in range(3))
    clock.now += dt.timedelta(seconds=2)
    ledger.end(ended, charge())
    ledger.drop(dropped)
    assert ledger.today() == []
    assert [c.open for c in ledger.since(dt.date(2026, 2, 28))] == [False, True]
    assert [file.name for file in tmp_path.glob("*.jsonl")] == ["costs-2026-02.jsonl"]


def test_an_end_that_cannot_be_read_leaves_the_most_it_may_have_cost(tmp_path, utc):
    ledger = Ledger(tmp_path, Clock())
    ledger.end(ledger.begin(charge(dollars=None), anyway), charge(dollars="0.01"))
    begun, ended = ledger.file.read_text().splitlines()
    ledger.file.write_text(f"{begun}\n{ended[:-20]}\n")
    (left,) = ledger.today()
    assert (left.open, left.amount) == (True, Decimal("0.05"))


def _spend(folder, clock=None):
    ledger = Ledger(folder, clock)

    def allow(day):
        time.sleep(0.002)  # whoever gets in meanwhile is found out
        if sum(c.amount for c in day) + Decimal("0.05") > Decimal("1"):
            raise ValueError

    for _ in range(10):
        try:
            call = ledger.begin(charge(dollars=None), allow)
        except ValueError:
            return
        ledger.end(call, charge(dollars="0.05"))


def test_many_notebooks_at_once_spend_a_day_to_its_end_and_not_beyond(tmp_path):
    context = multiprocessing.get_context("fork")
    with context.Pool(4) as pool:
        pool.map(_spend, [tmp_path] * 4)
    assert sum(c.dollars for c in Ledger(tmp_path).today()) == Decimal("1.00")
    lines = Ledger(tmp_path).file.read_text().splitlines()
    assert len(lines) == 40
    assert all(json.loads(line) for line in lines)


def test_two_kernels_at_the_end_of_a_month_keep_to_one_day(tmp_path, monkeypatch):
    """One still writes to the old month's file; by their own clocks it is the same day."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        midnight = dt.datetime(2026, 3, 1, tzinfo=dt.timezone.utc)
        clocks = [Clock(midnight - dt.timedelta(seconds=1)), Clock(midnight)]
        with multiprocessing.get_context("fork").Pool(4) as pool:
            pool.starmap(_spend, [(tmp_path, clock) for clock in clocks * 2])
        spent = Ledger(tmp_path, clocks[1]).today()
        assert sum(c.dollars for c in spent) == Decimal("1.00")
        assert len(list(tmp_path.glob("*.jsonl"))) == 2
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_full_disk_is_an_error(tmp_path, monkeypatch):
    file = tmp_path / "x.jsonl"
    monkeypatch.setattr(os, "write", lambda descriptor, line: 1)
    with pytest.raises(OSError, match="No space"):
        journal.append(file, {"a": 1})
