"""The ledger: what was paid for, as JSON lines on this machine, one file for a month.

Every call is noted twice: before it is made, with what it may cost at most, and after it. So two
notebooks that ask at the same moment cannot both spend what is left of a day's budget, and a
kernel that dies in the middle of a call leaves what that call may have cost.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal, get_args

from bluebear_magic.provenance import journal

FORMAT = 1
Kind = Literal["model", "lambda", "emr"]
_MOST_QUESTION = 200  # characters that are kept of a question
_LOCK = "costs.lock"
_NAME = "costs-{:%Y-%m}.jsonl"
_NEVER = dt.datetime.fromtimestamp(0, dt.timezone.utc)
_TOKENS = ("input", "output", "cache_read", "cache_write")


@dataclass(frozen=True)
class Charge:
    """One call or run that costs money.

    ``dollars``: its price in US dollars, None where it is not known, never zero for that.
    ``at_most``: what it was expected to cost at most, None where no price is known.
    ``open``: its end was never told. ``estimated``: what it took was not told by the service.
    """

    kind: Kind
    name: str
    dollars: Decimal | None = None
    at_most: Decimal | None = None
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    seconds: float = 0.0
    estimated: bool = False
    open: bool = False
    time: dt.datetime = _NEVER
    session: str = ""
    notebook: str | None = None
    question: str = ""

    @property
    def amount(self) -> Decimal | None:
        """What a budget counts: the price, else the most that it may have been."""
        return self.at_most if self.dollars is None else self.dollars

    @property
    def day(self) -> dt.date:
        """The day by this machine's clock and time zone."""
        return self.time.astimezone().date()


class Ledger:
    """The ledger in ``folder``; made with the first line. Every method raises ``OSError``."""

    def __init__(self, folder: Path, now: Callable[[], dt.datetime] | None = None) -> None:
        self._folder = folder
        self._now = now or _utc
        self._begun: dict[str, Path] = {}  # the files of calls that were begun here

    @property
    def file(self) -> Path:
        """The file of the month."""
        return self._folder / _NAME.format(self._now())

    def begin(self, charge: Charge, allow: Callable[[Sequence[Charge]], None]) -> str:
        """Notes what is about to be paid for; a name for it.

        ``allow`` gets the day's charges and raises to stop it; nobody adds to them meanwhile.
        """
        call = uuid.uuid4().hex
        # one lock whatever the month: at its end, two kernels may be about to write to two files
        with journal.opened(self._folder / _LOCK):
            allow(self.today())
            file = self.file
            journal.append(file, self._entry("begun", call, replace(charge, open=True)))
        self._begun[call] = file
        return call

    def end(self, call: str, charge: Charge) -> None:
        """Notes what it took, beside its beginning: it is of the day and month when it began."""
        file = self._begun.pop(call, self.file)
        journal.append(file, self._entry("ended", call, charge))

    def drop(self, call: str) -> None:
        """It cost nothing: it was refused, or never made."""
        file = self._begun.pop(call, self.file)
        journal.append(file, {"format": FORMAT, "state": "dropped", "call": call})

    def today(self) -> list[Charge]:
        """The charges of this day."""
        day = self._now().astimezone().date()
        return [charge for charge in self.since(day) if charge.day == day]

    def since(self, day: dt.date) -> list[Charge]:
        """The charges from the beginning of a day on, oldest first."""
        begin = dt.datetime.combine(day, dt.time()).astimezone()
        first = _NAME.format(begin.astimezone(dt.timezone.utc))
        files = sorted(file for file in self._folder.glob("costs-*.jsonl") if file.name >= first)
        found = _charges(entry for file in files for entry in journal.entries(file))
        return [charge for charge in found if charge.time >= begin]

    def _entry(self, state: str, call: str, charge: Charge) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "state": state,
            "call": call,
            "time": self._now().isoformat(timespec="milliseconds"),
            "kind": charge.kind,
            "name": charge.name,
            "dollars": _text(charge.dollars),
            "at_most": _text(charge.at_most),
            **{name: getattr(charge, name) for name in _TOKENS},
            "seconds": round(charge.seconds, 3),
            "estimated": charge.estimated,
            "session": charge.session,
            "notebook": charge.notebook,
            "question": charge.question[:_MOST_QUESTION],
        }


def _charges(entries: Iterable[Mapping[str, Any]]) -> list[Charge]:
    """One charge for each call, at the time when it began; what is no entry is passed over."""
    found: dict[str, Charge] = {}
    for entry in entries:
        call, state = str(entry.get("call")), entry.get("state")
        if state == "dropped":
            found.pop(call, None)
        elif state in {"begun", "ended"} and (charge := _charge(entry)) is not None:
            begun = found.get(call, charge).time
            found[call] = replace(charge, time=begun)
    return sorted(found.values(), key=lambda charge: charge.time)


def _charge(entry: Mapping[str, Any]) -> Charge | None:
    try:
        time = dt.datetime.fromisoformat(entry["time"])
        if time.tzinfo is None or entry["kind"] not in get_args(Kind):
            return None
        return Charge(
            entry["kind"],
            str(entry["name"]),
            _amount(entry["dollars"]),
            _amount(entry["at_most"]),
            **{name: int(entry[name]) for name in _TOKENS},
            seconds=float(entry["seconds"]),
            estimated=bool(entry["estimated"]),
            open=entry["state"] == "begun",
            time=time,
            session=str(entry["session"]),
            notebook=entry["notebook"] and str(entry["notebook"]),
            question=str(entry["question"]),
        )
    except (KeyError, TypeError, ValueError, InvalidOperation):
        return None


def _amount(text: str | None) -> Decimal | None:
    if text is None:
        return None
    amount = Decimal(text)
    if not amount.is_finite() or amount < 0:
        raise ValueError(text)
    return amount


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else format(amount, "f")


def _utc() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)
