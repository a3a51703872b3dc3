"""Sums of what was spent, and how they are told. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bluebear_magic.provenance.ledger import Charge
from bluebear_magic.records import Usage


@dataclass(frozen=True)
class Spent:
    """A sum. ``dollars`` leaves out the ``unknown`` calls, whose price is not known.

    ``input`` counts the tokens that came from no cache; ``cached`` those that came from one;
    ``estimated``: calls of which the service did not tell what they took.
    """

    calls: int = 0
    input: int = 0
    output: int = 0
    cached: int = 0
    cache_write: int = 0
    seconds: float = 0.0
    dollars: Decimal = Decimal(0)
    unknown: int = 0
    estimated: int = 0

    @property
    def known(self) -> bool:
        """Whether every price is known."""
        return self.unknown == 0

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for JSON. ``dollars`` is null where nothing of it is known."""
        return {
            "calls": self.calls,
            "input_tokens": self.input,
            "output_tokens": self.output,
            "cached_tokens": self.cached,
            "cache_write_tokens": self.cache_write,
            "seconds": round(self.seconds, 3),
            "dollars": None if self.calls and self.unknown == self.calls else float(self.dollars),
            "price_unknown": self.unknown,
            "estimated": self.estimated,
        }


def spent(items: Iterable[Usage | Charge]) -> Spent:
    """The sum of calls."""
    every = list(items)
    return Spent(
        calls=len(every),
        input=sum(item.input for item in every),
        output=sum(item.output for item in every),
        cached=sum(item.cache_read for item in every),
        cache_write=sum(item.cache_write for item in every),
        seconds=sum(item.seconds for item in every),
        dollars=sum((item.dollars for item in every if item.dollars is not None), Decimal(0)),
        unknown=sum(item.dollars is None for item in every),
        estimated=sum(item.estimated for item in every),
    )


def told(total: Spent, noun: str = "call") -> str:
    """``3 calls, 4,210 tokens in (1,000 cached), 310 out: $0.0123``."""
    if not total.calls:
        return "nothing"
    text = f"{total.calls:,} {noun}" + ("s" if total.calls > 1 else "")
    tokens = total.input + total.cached + total.cache_write
    if tokens or total.output:
        cached = f" ({total.cached:,} cached)" if total.cached else ""
        text += f", {tokens:,} tokens in{cached}, {total.output:,} out"
    return f"{text}: {price(total)}"


def price(total: Spent) -> str:
    """``$0.0123``, or what of it is not known."""
    about = "about " if total.estimated else ""
    if total.known:
        return about + money(total.dollars)
    if total.unknown == total.calls:
        return "price unknown"
    of = f"{total.unknown:,} call" + ("s" if total.unknown > 1 else "")
    return f"{about}{money(total.dollars)} and {of} with price unknown"


def money(dollars: Decimal) -> str:
    """US dollars as a person reads them; never zero for what is not zero."""
    if dollars >= 1 or dollars == 0:
        return f"${dollars:,.2f}"
    return f"${dollars:.4f}" if dollars >= Decimal("0.0001") else "under $0.0001"
