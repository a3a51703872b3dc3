"""Settings: every layer wins over the one below it, and what is wrong names its source."""

import pytest
from traitlets import TraitError
from traitlets.config import Config

from bluebear_magic.config import Settings
from bluebear_magic.errors import ConfigError
from bluebear_magic.folders import config_file


@pytest.fixture
def user_file(tmp_path, monkeypatch):
    """Writes the user's own settings file; returns its path."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / "config"))

    def write(text):
        file = config_file()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    assert tmp_path in config_file().parents
    return write


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def load(folder, environ=None, **config):
    settings = Settings(config=Config({"Settings": config}) if config else Config())
    settings.load(folder, environ or {})
    return settings


def test_defaults_hold_where_nothing_is_set(user_file, folder):
    settings = load(folder)
    assert (settings.model, settings.backend, settings.attempts) == ("offline", "auto", 4)
    assert (settings.sample_rows, settings.warm) == (1000, True)


def test_each_layer_wins_over_the_one_below(user_file, folder):
    user_file("attempts = 2\nsample_rows = 200\ncheck_seconds = 20\nheap_mb = 600\nwarm = false\n")
    (folder / "bluebear.toml").write_text("sample_rows = 300\ncheck_seconds = 30\nheap_mb = 700\n")
    environ = {"BLUEBEAR_CHECK_SECONDS": "40", "BLUEBEAR_HEAP_MB": "800", "BLUEBEAR_OTHER": "x"}
    settings = load(folder, environ, heap_mb=900)
    assert settings.run_seconds == 3600
    assert (settings.attempts, settings.warm) == (2, False)
    assert settings.sample_rows == 300
    assert settings.check_seconds == 40
    assert settings.heap_mb == 900
    settings.heap_mb = 1000  # %config Bluebear.heap_mb = 1000
    assert settings.heap_mb == 1000


@pytest.mark.parametrize(
    ("text", "value"), [("0", False), ("false", False), ("No", False), ("1", True), ("YES", True)]
)
def test_yes_and_no_in_the_environment(user_file, folder, text, value):
    assert load(folder, {"BLUEBEAR_WARM": text}).warm is value


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("ATTEMPTS", "many", "'attempts' trait"),
        ("ATTEMPTS", "0", "should not be less than 1"),
        ("ATTEMPTS", "11", "should not be greater than 10"),
        ("ATTEMPTS", "-3", "should not be less than 1"),
        ("ATTEMPTS", "2.5", "'attempts' trait"),
        ("ATTEMPTS", "", "'attempts' trait"),
        ("WARM", "maybe", "expected a boolean"),
        ("BACKEND", "spark", "'auto', 'local', 'soal', 'emr'"),
        ("HEAP_MB", "10", "should not be less than 512"),
        ("ATTEMPTS", "--3", "'attempts' trait"),
    ],
)  # fmt: skip
def test_a_wrong_value_in_the_environment_names_the_variable(user_file, folder, name, text, words):
    with pytest.raises(ConfigError) as error:
        load(folder, {f"BLUEBEAR_{name}": text})
    assert error.value.message.startswith(f"BLUEBEAR_{name}: ")
    assert words in error.value.message
    assert error.value.hint == Settings().traits()[name.lower()].help


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("attempts = 99", "'attempts' trait"),
        ("attempts = '2'", "'attempts' trait"),
        ("model = 3", "'model' trait"),
        ("warm = 'yes'", "expected a boolean"),
        ("modle = 'offline'", "there is no setting `modle`"),
        ("attempts = ", "cannot be read"),
        ("\udcff", "cannot be read"),
    ],
)
def test_a_wrong_value_in_a_file_names_the_file(user_file, folder, text, words):
    mine = user_file("")
    its = folder / "bluebear.toml"
    for file in (mine, its):
        file.write_bytes(text.encode("utf-8", "surrogateescape"))
        with pytest.raises(ConfigError) as error:
            load(folder)
        file.write_text("")
        assert str(file) in error.value.message
        assert words in error.value.message
        assert error.value.hint


def test_an_unknown_setting_is_told_with_those_there_are(user_file, folder):
    user_file("modle = 'offline'")
    with pytest.raises(ConfigError) as error:
        load(folder)
    assert error.value.hint.startswith("did you mean `model`? settings: ")
    assert "model" in error.value.hint


def test_a_file_that_cannot_be_read_is_no_reason_to_guess(user_file, folder):
    (folder / "bluebear.toml").mkdir()
    with pytest.raises(ConfigError, match="cannot be read") as error:
        load(folder)
    assert error.value.hint == "correct it or remove it"


def test_settings_refuse_what_they_cannot_be():
    settings = Settings()
    with pytest.raises(TraitError, match="attempts"):
        settings.attempts = 99
    assert settings.attempts == 4
