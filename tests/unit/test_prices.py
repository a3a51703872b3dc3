"""The setting ``prices``: what the user says that a model costs."""

from decimal import Decimal

import pytest

from bluebear_magic.config import Settings, loosening
from bluebear_magic.errors import ArgumentError, ConfigError
from bluebear_magic.generation import model_ids
from bluebear_magic.prices import Price, found, parse
from bluebear_magic.records import Usage
from bluebear_magic.trust import TrustStore

WRITER = {"input": 2, "output": 8.5}
MILLION = 1_000_000


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("CONFIG", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def test_a_price_is_read_as_it_is_written():
    prices = parse({"acme.writer": {**WRITER, "cache_read": "0.1", "cache_write": 0}})
    assert prices == {"acme.writer": Price(Decimal(2), Decimal("8.5"), Decimal("0.1"), Decimal(0))}
    assert parse({}) == {}


@pytest.mark.parametrize(
    "value",
    [
        {"m": {"input": 1}}, {"m": {**WRITER, "per": 1}}, {"m": 5}, {"m": {**WRITER, "input": -1}},
        {"m": {**WRITER, "output": "much"}}, {"m": {**WRITER, "output": float("nan")}},
        {"m": {**WRITER, "output": float("inf")}}, {"m": {**WRITER, "output": True}},
        {"m": {**WRITER, "output": None}}, {"": WRITER}, {"*": WRITER}, {5: WRITER}, "acme=1", None,
    ],
)  # fmt: skip
def test_what_is_no_price_is_refused_with_an_example(value):
    with pytest.raises(ArgumentError, match="prices") as caught:
        parse(value)
    assert "'input'" in caught.value.hint


def test_the_exact_name_comes_before_the_longest_beginning():
    one, two, three = (Price(Decimal(n), Decimal(n)) for n in (1, 2, 3))
    prices = {"acme.*": one, "acme.writer-*": two, "acme.writer-v1": three}
    assert found(prices, ["acme.writer-v1"]) == three
    assert found(prices, ["acme.writer-v2"]) == two
    assert found(prices, ["acme.reader"]) == one
    assert found(prices, ["us.acme.reader", "acme.reader"]) == one
    assert found(prices, ["other.reader"]) is None
    assert found({"acme.writer": one}, ["acme.writer-v2"]) is None  # a name is no beginning


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("acme.writer", "acme.writer"), ("acme.writer", "us.acme.writer"),
        ("us.acme.writer", "us.acme.writer"), ("us.*", "us.acme.writer"),
        ("abc123", "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123"),
        ("arn:aws:bedrock:us-east-1:1:imported-model/x", "arn:aws:bedrock:us-east-1:1:imported-model/x"),
    ],
)  # fmt: skip
def test_a_call_costs_what_the_user_says(name, model):
    own = parse({name: WRITER})
    usage = Usage("m", MILLION, MILLION)
    assert model_ids.dollars(usage, model) is None
    assert model_ids.dollars(usage, model, own) == Decimal("10.5")
    assert model_ids.at_most(usage, model, own) == Decimal("10.5")
    cached = Usage("m", 1, cache_read=1)
    assert model_ids.dollars(cached, model, own) is None  # that price was not said


def test_the_users_price_comes_before_the_list():
    own = parse({"anthropic.claude-sonnet-5": {"input": 1, "output": 1}})
    usage = Usage("m", MILLION)
    assert model_ids.dollars(usage, "us.anthropic.claude-sonnet-5", own) == 1
    assert model_ids.dollars(usage, "us.anthropic.claude-sonnet-5-5", own) == Decimal("2.2")


def test_prices_come_from_files_and_the_environment(folder, tmp_path):
    mine = tmp_path / "CONFIG" / "bluebear" / "bluebear.toml"
    mine.parent.mkdir(parents=True)
    mine.write_text('[prices]\n"acme.writer" = { input = 2, output = 8.5 }\n')
    settings = Settings()
    settings.load(folder, {})
    assert parse(settings.prices) == parse({"acme.writer": WRITER})
    settings.load(folder, {"BLUEBEAR_PRICES": '{"m": {"input": 1, "output": 2}}'})
    assert list(settings.prices) == ["m"]
    for bad in ("m", "[1]", '{"m": 1}'):
        with pytest.raises(ConfigError, match="BLUEBEAR_PRICES"):
            settings.load(folder, {"BLUEBEAR_PRICES": bad})


def test_a_folders_prices_count_only_once_it_is_trusted(folder):
    text = '[prices]\n"anthropic.claude-sonnet-5" = { input = 0, output = 0 }\n'
    (folder / "bluebear.toml").write_text(text)
    settings = Settings()
    settings.load(folder, {})
    assert settings.prices == {}
    assert "prices" in settings.untrusted
    assert loosening({"prices": {"m": WRITER}}) == ("prices",)
    TrustStore().add(folder, text.encode())
    settings = Settings()
    settings.load(folder, {})
    assert list(settings.prices) == ["anthropic.claude-sonnet-5"]


def test_a_folder_does_not_make_a_dry_run_send(folder):
    (folder / "bluebear.toml").write_text("count_tokens = true\n")
    settings = Settings()
    settings.load(folder, {})
    assert not settings.count_tokens
    assert "count_tokens" in settings.untrusted
