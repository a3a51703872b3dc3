"""The setting ``prices``: what a model costs whose price is not published, or not for you. Pure.

US dollars per million tokens, by the id of a model, of an inference profile, or its ARN; a name
that ends in ``*`` stands for every id that begins like it. As a table of ``bluebear.toml``::

    [prices]
    "acme.writer-v1:0" = { input = 1.5, output = 6, cache_read = 0.15, cache_write = 1.875 }
    "us.acme.*" = { input = 2, output = 8 }

A price counts as it stands: nothing is added for a geography. Without the two for caches, what is
read from a cache or written to one has no known price.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from bluebear_magic.errors import ArgumentError

HOW = (
    "US dollars per million tokens: {'acme.writer-v1:0': {'input': 1.5, 'output': 6}}; "
    "cache_read and cache_write where the model caches prompts"
)
_NEEDED = ("input", "output")
_ALL = (*_NEEDED, "cache_read", "cache_write")


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens. Cache prices are None where they are not known.

    ``regional``: the factor for every id but a ``global.`` one. A prompt of more than ``long_over``
    tokens, those of caches included, makes its whole call ``long`` times as dear; None: none does.
    """

    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    regional: Decimal = Decimal(1)
    long_over: int | None = None
    long: Decimal = Decimal(1)


def parse(value: Any) -> dict[str, Price]:
    """The prices of a setting, by name. Raises ``ArgumentError``."""
    if not isinstance(value, Mapping):
        raise ArgumentError(f"prices is {value!r}", HOW)
    return {_name(name): _price(name, item) for name, item in value.items()}


def found(prices: Mapping[str, Price], ids: Iterable[str]) -> Price | None:
    """The price for the first of the ids that has one, by its name or by the longest beginning."""
    for model in ids:
        if model in prices:
            return prices[model]
        begins = [name for name in prices if name.endswith("*") and model.startswith(name[:-1])]
        if begins:
            return prices[max(begins, key=len)]
    return None


def _name(name: Any) -> str:
    if not isinstance(name, str) or not name.strip("*"):
        raise ArgumentError(f"prices: {name!r} names no model", HOW)
    return name


def _price(name: str, item: Any) -> Price:
    if not isinstance(item, Mapping) or not set(_NEEDED) <= set(item) <= set(_ALL):
        raise ArgumentError(f"prices: {name} is {item!r}", HOW)
    amounts = {kind: _amount(name, kind, value) for kind, value in item.items()}
    caches = (amounts.get("cache_read"), amounts.get("cache_write"))
    return Price(amounts["input"], amounts["output"], *caches)


def _amount(name: str, kind: str, value: Any) -> Decimal:
    try:
        amount = Decimal("nan") if isinstance(value, bool) else Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite() or amount < 0:
        raise ArgumentError(f"prices: {kind} of {name} is {value!r}", HOW)
    return amount
