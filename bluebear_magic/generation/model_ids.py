"""Ids of models on Bedrock: what an id is, which profile serves it, what it costs. Pure.

Everything that changes from month to month is in ``bedrock_models.toml``, with its date.
"""

from __future__ import annotations

import difflib
import functools
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from importlib import resources
from typing import Any

from bluebear_magic import prices
from bluebear_magic.prices import Price
from bluebear_magic.records import Usage

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DEFAULT = "bedrock"  # the name that stands for the first model that the account may use
_PLACE = re.compile(r"^(global|apac|us-gov|[a-z]{2})\.(?=[a-z0-9-]+\.)")
_ID = re.compile(r"[a-z0-9-]+\.[a-zA-Z0-9.:_-]+")
_ARN = re.compile(r"arn:aws[\w-]*:(?:bedrock|sagemaker):\S+")
_MILLION = Decimal(1_000_000)
NONE: Mapping[str, Price] = {}  # the user says no price


@dataclass(frozen=True)
class Known:
    """The dated list: the order of the default, prices by bare id, who caches prompts."""

    date: str
    order: tuple[str, ...]
    caching: tuple[str, ...]
    prices: Mapping[str, Price]


@dataclass(frozen=True)
class InferenceProfile:
    """A profile of the account: its id, its ARN and the bare ids of its models."""

    id: str
    arn: str
    models: tuple[str, ...]


@functools.cache
def known() -> Known:
    """The list that comes with this version."""
    text = resources.files(__package__).joinpath("bedrock_models.toml").read_text("utf-8")
    raw = tomllib.loads(text)
    return Known(
        raw["date"],
        tuple(raw["order"]),
        tuple(raw["caching"]),
        {item["model"]: _price(item) for item in raw["price"]},
    )


def is_id(name: str) -> bool:
    """Whether a name is that of a model on Bedrock: the default's, an id or an ARN."""
    return name == DEFAULT or bool(_ARN.fullmatch(name) or _ID.fullmatch(name))


def bare(model: str) -> str:
    """The foundation model's id, where the id or ARN tells it: without geography and path."""
    name = model.rsplit("/", 1)[-1]
    return _PLACE.sub("", name, count=1)


def label(model: str) -> str:
    """The id for a cell's header: of an ARN only what names no account."""
    return model.rsplit("/", 1)[-1] if model.startswith("arn:") else model


def caches(model: str) -> bool:
    """Whether the model is known to keep a prompt's beginning."""
    return bare(model).startswith(known().caching)


def profiles_for(
    model: str, profiles: Sequence[InferenceProfile], region: str
) -> tuple[InferenceProfile, ...]:
    """The profiles that serve a bare id: those of the region's own geography first, ``global``
    after them, others last. Data stays near unless there is no other way.
    """
    serving = [profile for profile in profiles if model in profile.models]
    return tuple(sorted(serving, key=lambda profile: (_distance(profile.id, region), profile.id)))


def likely_profiles(model: str, region: str) -> tuple[str, ...]:
    """Ids of profiles that a bare id probably has, where they cannot be listed."""
    return tuple(f"{place}.{model}" for place in (*_own_places(region), "global"))


def nearest(model: str, profiles: Sequence[InferenceProfile], most: int = 3) -> tuple[str, ...]:
    """Ids that a mistyped one may have meant."""
    ids = {name for profile in profiles for name in (profile.id, *profile.models)}
    near = difflib.get_close_matches(model, sorted(ids), n=most, cutoff=0.6)
    return tuple(near)


def dollars(usage: Usage, model: str, own: Mapping[str, Price] = NONE) -> Decimal | None:
    """What a call cost, by the user's ``own`` prices where they name the model, else by the list;
    None where a price that it takes is not known.
    """
    price = price_of(model, own)
    if price is None:
        return None
    parts = (
        (usage.input, price.input),
        (usage.output, price.output),
        (usage.cache_read, price.cache_read),
        (usage.cache_write, price.cache_write),
    )
    total = Decimal(0)
    for count, each in parts:
        if count and each is None:
            return None
        total += count * (each or Decimal(0))
    prompt = usage.input + usage.cache_read + usage.cache_write
    if price.long_over is not None and prompt > price.long_over:
        total *= price.long
    place = _PLACE.match(model.rsplit("/", 1)[-1])
    factor = Decimal(1) if place and place[1] == "global" else price.regional
    return total * factor / _MILLION


def price_of(model: str, own: Mapping[str, Price] = NONE) -> Price | None:
    """The price of a model; None where it is not known."""
    return own_price(model, own) or known().prices.get(bare(model))


def own_price(model: str, own: Mapping[str, Price]) -> Price | None:
    """What the user says that a model costs: by its id or ARN as it is called, else by that of
    the model behind it.
    """
    return prices.found(own, (model, label(model), bare(model)))


def at_most(usage: Usage, model: str, own: Mapping[str, Price] = NONE) -> Decimal | None:
    """What a call may cost at most: as if all that is sent were written to a cache, where that
    costs more than to send it.
    """
    cached = replace(usage, input=0, cache_write=usage.input)
    costs = [found for item in (usage, cached) if (found := dollars(item, model, own)) is not None]
    return max(costs, default=None)


def _distance(profile: str, region: str) -> int:
    match = _PLACE.match(profile)
    place = match[1] if match else ""
    own = _own_places(region)
    if place in own:
        return own.index(place)
    return 8 if place == "global" else 9


def _own_places(region: str) -> tuple[str, ...]:
    """The prefixes of profiles that stay in a region's geography, the narrowest first."""
    if region.startswith("us-gov-"):
        return ("us-gov",)
    if region in {"ap-northeast-1", "ap-northeast-3"}:
        return ("jp", "apac")
    if region in {"ap-southeast-2", "ap-southeast-4"}:
        return ("au", "apac")
    first = region.partition("-")[0]
    return {"ap": ("apac",), "ca": ("ca", "us")}.get(first, (first,))


def _price(item: Mapping[str, Any]) -> Price:
    def of(name: str) -> Decimal | None:
        return Decimal(item[name]) if name in item else None

    return Price(
        Decimal(item["input"]), Decimal(item["output"]), of("cache_read"), of("cache_write"),
        Decimal(item["regional"]), item.get("long_over"), Decimal(item.get("long", 1)),
    )  # fmt: skip
