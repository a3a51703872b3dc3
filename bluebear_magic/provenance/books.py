"""What a session spends, and the budgets that stop it before it spends more."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from bluebear_magic import prices
from bluebear_magic.config import Settings
from bluebear_magic.errors import OverBudget
from bluebear_magic.generation import model_ids
from bluebear_magic.provenance.ledger import Charge, Ledger
from bluebear_magic.provenance.spending import money
from bluebear_magic.records import Usage

SCOPES = ("question", "notebook", "day")
_WHOSE = {"question": "this question", "notebook": "this notebook's session", "day": "today"}


@dataclass(frozen=True)
class _Call:
    name: str  # in the ledger; empty where that could not be written
    planned: Charge


class Books:
    """The ``Meter`` of a session. Its budgets are read from the settings at every call.

    ``notebook``: the file that the questions come from, where it is known. ``warn`` is told when
    the ledger cannot be written and no budget needs it.
    """

    def __init__(self, settings: Settings, ledger: Ledger, warn: Callable[[str], None]) -> None:
        self.ledger = ledger
        self.session = uuid.uuid4().hex[:12]
        self.notebook: Path | None = None
        self._settings = settings
        self._warn = warn
        self._question = ""
        self._usage: list[Usage] = []
        self._asked: list[Charge] = []
        self._charges: list[Charge] = []
        self._call: _Call | None = None

    # --- one question ------------------------------------------------------

    @contextmanager
    def question(self, text: str, *, anew: bool = True) -> Iterator[None]:
        """What is paid for in this block is of this question. ``anew``: its sum begins at zero;
        else it goes on where the session's last question was the same.
        """
        if anew or text != self._question:
            self._question, self._asked = text, []
        self._usage = []
        try:
            yield
        finally:
            self._drop()

    @property
    def usage(self) -> tuple[Usage, ...]:
        """The calls of a model in the last block."""
        return tuple(self._usage)

    @property
    def asked(self) -> tuple[Charge, ...]:
        """The charges of the last question."""
        return tuple(self._asked)

    @property
    def charges(self) -> tuple[Charge, ...]:
        """The charges of this session, oldest first."""
        return tuple(self._charges)

    # --- the meter ---------------------------------------------------------

    def before(self, planned: Usage) -> None:
        """Notes a model's call that is about to be made. Raises ``OverBudget`` to stop it."""
        self.begin(self._of(planned, planned.dollars))

    def after(self, usage: Usage) -> None:
        """Notes what the call took."""
        self._usage.append(usage)
        self.end(self._of(usage))

    def heard(self, calls: Iterable[Usage]) -> None:
        """Notes those calls of a draft that no meter stood at."""
        for usage in calls:
            if not any(usage is known for known in self._usage):
                self.after(usage)

    def begin(self, charge: Charge) -> None:
        """Notes what is about to be paid for. Raises ``OverBudget`` where ``at_most`` breaks a
        budget, or is not known while there is one.
        """
        self._drop()
        planned = self._placed(charge)
        try:
            name = self.ledger.begin(planned, lambda day: self._check(planned, day))
        except OSError as error:
            self._check(planned, None)
            self._unwritten(error)
            name = ""
        self._call = _Call(name, planned)

    def end(self, charge: Charge) -> None:
        """Notes what it took; it need not have been begun."""
        begun, self._call = self._call, None
        planned = begun.planned if begun else None
        taken = replace(self._placed(charge), at_most=planned.at_most if planned else None)
        self._asked.append(taken)
        self._charges.append(taken)
        try:
            self.ledger.end(begun.name if begun and begun.name else uuid.uuid4().hex, taken)
        except OSError as error:
            self._unwritten(error)

    def _drop(self) -> None:
        """The call that was begun never came to anything."""
        begun, self._call = self._call, None
        if begun and begun.name:
            try:
                self.ledger.drop(begun.name)
            except OSError as error:
                self._unwritten(error)

    # --- budgets -----------------------------------------------------------

    def budget(self, scope: str) -> Decimal | None:
        """The budget of a scope in US dollars; None where there is none."""
        value = getattr(self._settings, f"budget_{scope}")
        return Decimal(str(value)) if value else None

    def _check(self, planned: Charge, day: Sequence[Charge] | None) -> None:
        """Raises where the call would break a budget. ``day``: None where it cannot be read."""
        for scope in SCOPES:
            budget = self.budget(scope)
            if budget is None:
                continue
            if scope == "day" and day is None:
                raise OverBudget(
                    f"what was spent today cannot be kept in {self.ledger.file}, so that the "
                    "budget of the day cannot be held; the call was not made",
                    "make the file writable, or take the budget away with budget_day = 0",
                )
            before = {"question": self._asked, "notebook": self._charges, "day": day or ()}[scope]
            _hold(scope, budget, [self._known(charge) for charge in before], planned)

    def _known(self, charge: Charge) -> Charge:
        """With the price that the user has said since the call was made without one."""
        if charge.amount is not None or charge.kind != "model":
            return charge
        own = prices.parse(self._settings.prices)
        if model_ids.own_price(charge.name, own) is None:
            return charge
        taken = Usage(
            charge.name, charge.input, charge.output, charge.cache_read, charge.cache_write
        )
        return replace(charge, dollars=model_ids.dollars(taken, charge.name, own))

    def _unwritten(self, error: OSError) -> None:
        self._warn(f"the costs cannot be noted in {self.ledger.file}: {error.strerror}")

    def _of(self, usage: Usage, at_most: Decimal | None = None) -> Charge:
        return Charge(
            "model", usage.model, usage.dollars, at_most,
            input=usage.input, output=usage.output,
            cache_read=usage.cache_read, cache_write=usage.cache_write,
            seconds=usage.seconds, estimated=usage.estimated,
        )  # fmt: skip

    def _placed(self, charge: Charge) -> Charge:
        return replace(
            charge,
            time=dt.datetime.now(dt.timezone.utc),
            session=self.session,
            notebook=str(self.notebook) if self.notebook else None,
            question=self._question,
        )


def _hold(scope: str, budget: Decimal, before: Sequence[Charge], planned: Charge) -> None:
    """Raises where the next call would break this budget, or where that cannot be told."""
    name = f"budget_{scope}"
    raise_it = f"%config Bluebear.{name} = "
    away = f"{raise_it}0 takes the budget away"
    if planned.at_most is None:
        raise OverBudget(
            f"the price of {planned.name} is not known, so that the budget of {money(budget)} for "
            f"{_WHOSE[scope]} ({name}) cannot be held; the call was not made",
            f"say what it costs: %config Bluebear.prices = {{{planned.name!r}: {{'input': ..., "
            f"'output': ...}}}} (US dollars per million tokens); or {away}",
        )
    unknown = [charge.name for charge in before if charge.amount is None]
    if unknown:
        raise OverBudget(
            f"what {_WHOSE[scope]} has cost is not known: {len(unknown)} of its calls have no "
            f"known price ({unknown[-1]}); with a budget ({name}) no other is made",
            f"say what it costs with the setting prices, or {away}",
        )
    spent = sum((charge.amount or Decimal(0) for charge in before), Decimal(0))
    total = spent + planned.at_most
    if total > budget:
        raise OverBudget(
            f"the next call of {planned.name} may cost {money(planned.at_most)}; with "
            f"{money(spent)} spent {'' if scope == 'day' else 'on '}{_WHOSE[scope]} that would "
            f"break the budget of {money(budget)}",
            f"raise it with the setting {name}: {raise_it}{_above(total)}; 0 takes it away",
        )


def _above(total: Decimal) -> str:
    """A round figure above a total: the next multiple of ten cents, or of one where small."""
    step = Decimal("0.1") if total >= Decimal("0.1") else Decimal("0.01")
    return str(float((total // step + 1) * step))
