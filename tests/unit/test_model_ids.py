"""Ids of models on Bedrock: told apart, resolved to the nearest profile, priced."""

import re
from decimal import Decimal

import pytest

from bluebear_magic.generation import model_ids
from bluebear_magic.generation.model_ids import InferenceProfile
from bluebear_magic.records import Usage

SONNET = "anthropic.claude-sonnet-5"
ARN = "arn:aws:bedrock:us-east-1:123456789012:"


@pytest.mark.parametrize(
    "name",
    [
        "bedrock", SONNET, f"us.{SONNET}", f"us-gov.{SONNET}", f"global.{SONNET}", "amazon.nova-2-lite-v1:0",
        "anthropic.claude-haiku-4-5-20251001-v1:0", f"{ARN}inference-profile/us.{SONNET}",
        f"{ARN}application-inference-profile/abc", "arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/x.y",
    ],
)  # fmt: skip
def test_names_that_are_ids(name):
    assert model_ids.is_id(name)


@pytest.mark.parametrize(
    "name", ["", "offline", "gpt", "claude", "Bedrock", "a b.c", "arn:aws:s3:::x", ".x", "x."]
)
def test_names_that_are_none(name):
    assert not model_ids.is_id(name)


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        (SONNET, SONNET),
        (f"us.{SONNET}", SONNET),
        (f"us-gov.{SONNET}", SONNET),
        ("apac.amazon.nova-pro-v1:0", "amazon.nova-pro-v1:0"),
        (f"{ARN}inference-profile/eu.{SONNET}", SONNET),
        ("amazon.nova-pro-v1:0", "amazon.nova-pro-v1:0"),
        ("meta.llama3-1-8b-instruct-v1:0", "meta.llama3-1-8b-instruct-v1:0"),
        ("mistral.mistral-7b-v0.2", "mistral.mistral-7b-v0.2"),
        ("us.deepseek.r1-v1:0", "deepseek.r1-v1:0"),
    ],
)
def test_the_model_behind_an_id(name, bare):
    assert model_ids.bare(name) == bare


def test_a_label_names_no_account():
    assert model_ids.label(f"{ARN}application-inference-profile/abc") == "abc"
    assert model_ids.label(f"us.{SONNET}") == f"us.{SONNET}"


@pytest.mark.parametrize(
    ("region", "order"),
    [
        ("us-east-1", ["us", "global"]),
        ("eu-central-1", ["eu", "global"]),
        ("ap-northeast-1", ["jp", "apac", "global"]),
        ("ap-southeast-2", ["au", "apac", "global"]),
        ("ap-south-1", ["apac", "global"]),
        ("us-gov-west-1", ["us-gov", "global"]),
        ("ca-central-1", ["us", "global"]),
        ("sa-east-1", ["global"]),
    ],
)
def test_the_profile_of_the_regions_own_geography_comes_first(region, order):
    profiles = [
        InferenceProfile(f"{place}.{SONNET}", "", (SONNET,))
        for place in ("global", "us", "us-gov", "eu", "apac", "jp", "au")
    ]
    found = model_ids.profiles_for(SONNET, profiles, region)
    assert [item.id.partition(".")[0] for item in found][: len(order)] == order
    assert model_ids.profiles_for("other.model", profiles, region) == ()


def test_prices_by_geography_and_what_is_not_known():
    usage = Usage("x", 1_000_000, 1_000_000)
    assert model_ids.dollars(usage, f"global.{SONNET}") == Decimal(12)
    assert model_ids.dollars(usage, f"us.{SONNET}") == Decimal("13.2")
    assert model_ids.dollars(usage, SONNET) == Decimal("13.2")  # within one region
    assert model_ids.dollars(usage, "us.amazon.nova-2-lite-v1:0") == Decimal("3.08")
    assert model_ids.dollars(usage, "us.amazon.nova-pro-v1:0") == Decimal(4)
    assert model_ids.dollars(usage, "acme.writer") is None
    cached = Usage("x", 0, 0, cache_read=1_000_000)
    assert model_ids.dollars(cached, f"global.{SONNET}") == Decimal("0.2")


def test_a_long_prompt_costs_more_in_all_its_parts():
    model = "global.anthropic.claude-haiku-5-5"
    short, long = Usage("x", 60_000, 1000, 40_000), Usage("x", 60_000, 1000, 40_001)
    assert model_ids.dollars(short, model) == Decimal("0.0069")
    assert model_ids.dollars(long, model) > 5 * model_ids.dollars(short, model)
    assert model_ids.at_most(Usage("x", 100_001, 1000), model) == Decimal("0.065000625")


def test_the_list_is_dated_and_of_bare_ids():
    known = model_ids.known()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", known.date)
    for name in (*known.order, *known.prices):
        assert model_ids.bare(name) == name
        assert model_ids.is_id(name)
    assert set(known.order) <= set(known.prices)  # a default can be called under a budget
    assert all(price.cache_read and price.cache_write for price in known.prices.values())


def test_a_mistyped_id_has_near_ones():
    profiles = [InferenceProfile(f"us.{SONNET}", "", (SONNET,))]
    assert model_ids.nearest("us.anthropic.claude-sonnet5", profiles)[0] == f"us.{SONNET}"
    assert model_ids.nearest("zzz", profiles) == ()
