"""Whose policy holds: the user's, the folder's after trust, and never looser than the machine's."""

import pytest
from traitlets.config import Config

from bluebear_magic.config import Settings
from bluebear_magic.errors import ConfigError
from bluebear_magic.folders import config_file
from bluebear_magic.guard.effective import effective
from bluebear_magic.machine import ALSO, Machine, read_machine
from bluebear_magic.trust import TrustStore

LOOSE, USUAL, STRICT = "write_with_approval", "read_only", "locked"


@pytest.fixture(autouse=True)
def _own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for kind in ("CONFIG", "STATE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / "home" / kind.lower()))
    config_file().parent.mkdir(parents=True)
    return tmp_path


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "cloned"
    folder.mkdir()
    return folder


def loaded(folder, environ=None, **config):
    settings = Settings(config=Config({"Settings": config}) if config else Config())
    settings.load(folder, environ or {})
    return settings


def in_force(settings, machine=None):
    return effective(settings, machine or Machine()).policy.name


def test_code_only_reads_where_nobody_says_more(folder):
    settings = loaded(folder)
    assert in_force(settings) == USUAL
    assert settings.policy_source == "the default"


def test_a_user_chooses_by_file_environment_or_config(folder):
    config_file().write_text(f'policy = "{LOOSE}"')
    settings = loaded(folder)
    assert in_force(settings) == LOOSE
    assert settings.policy_source == str(config_file())
    settings = loaded(folder, {"BLUEBEAR_POLICY": USUAL})
    assert (in_force(settings), settings.policy_source) == (USUAL, "BLUEBEAR_POLICY")
    settings.policy = LOOSE
    assert in_force(settings) == LOOSE
    assert "this session" in settings.policy_source
    assert in_force(loaded(folder, policy=STRICT)) == STRICT


def test_a_session_that_begins_locked_stays_so(folder):
    settings = loaded(folder, {"BLUEBEAR_POLICY": STRICT})
    settings.policy = LOOSE
    assert in_force(settings) == STRICT
    assert settings.policy_source == "BLUEBEAR_POLICY"


# --- the folder ---


def test_a_folder_may_tighten(folder):
    config_file().write_text(f'policy = "{LOOSE}"')
    (folder / "bluebear.toml").write_text(f'policy = "{USUAL}"\nattempts = 2')
    settings = loaded(folder)
    assert (in_force(settings), settings.attempts, settings.untrusted) == (USUAL, 2, "")


def test_a_folder_loosens_nothing_before_it_is_trusted(folder):
    text = f'policy = "{LOOSE}"\nattempts = 2\n'
    (folder / "bluebear.toml").write_text(text)
    settings = loaded(folder)
    assert (in_force(settings), settings.attempts) == (USUAL, 2)
    assert str(folder / "bluebear.toml") in settings.untrusted
    assert "policy = 'write_with_approval'" in settings.untrusted
    assert "bluebear trust" in settings.untrusted
    assert "\n" not in settings.untrusted

    TrustStore().add(folder, text.encode())
    settings = loaded(folder)
    assert (in_force(settings), settings.untrusted) == (LOOSE, "")


@pytest.mark.parametrize("line", ["guardrail = ''", "guardrail = 'other:1'", "model = 'arn:aws:x'"])
def test_a_folder_moves_no_guardrail_and_names_nobody_elses_model(folder, line):
    config_file().write_text("guardrail = 'mine:2'\nmodel = 'offline'")
    (folder / "bluebear.toml").write_text(line)
    settings = loaded(folder)
    assert (settings.guardrail, settings.model) == ("mine:2", "offline")
    assert line.partition(" ")[0] in settings.untrusted
    TrustStore().add(folder, line.encode())
    settings = loaded(folder)
    assert (settings.guardrail, settings.model) != ("mine:2", "offline")


@pytest.mark.parametrize(
    "line",
    [
        "model = 'bedrock'",
        "aws_region = 'eu-west-1'",
        "share = 'profile'",
        "share = 'sales=samples'",
        "share = {sales = 'samples'}",
        "share = 'staff.email=shared'",
        "s3_cache_mb = 50_000",
        "s3_ask_mb = 50_000",
    ],
)
def test_a_folder_sends_nothing_more_and_nowhere_else_before_it_is_trusted(folder, line):
    name = line.partition(" ")[0]
    before = getattr(loaded(folder), name)
    (folder / "bluebear.toml").write_text(line)
    settings = loaded(folder)
    assert getattr(settings, name) == before
    assert f"{name} = " in settings.untrusted
    TrustStore().add(folder, line.encode())
    settings = loaded(folder)
    assert getattr(settings, name) != before
    assert settings.untrusted == ""


def test_a_folder_may_share_less_and_send_less(folder):
    config_file().write_text("share = 'profile, hr=schema'\nmodel = 'bedrock'")
    (folder / "bluebear.toml").write_text("share = {default = 'schema'}\nmodel = 'offline'")
    settings = loaded(folder)
    assert (settings.share, settings.model, settings.untrusted) == ("schema", "offline", "")
    (folder / "bluebear.toml").write_text("share = 'profile'")  # and hr with it
    settings = loaded(folder)
    assert settings.share == "profile, hr=schema"
    assert "share = 'profile'" in settings.untrusted


def test_sharing_that_is_no_sharing_is_refused(folder):
    (folder / "bluebear.toml").write_text("share = 'everything'")
    with pytest.raises(ConfigError, match="everything"):
        loaded(folder)
    with pytest.raises(ConfigError, match="share"):
        loaded(folder, {"BLUEBEAR_SHARE": "sales=all"})


def test_trust_is_for_that_content_and_that_folder(folder, tmp_path):
    text = f'policy = "{LOOSE}"'
    TrustStore().add(folder, text.encode())
    (folder / "bluebear.toml").write_text(text + "\n")
    assert in_force(loaded(folder)) == USUAL
    other = tmp_path / "other"
    other.mkdir()
    (other / "bluebear.toml").write_text(text)
    assert in_force(loaded(other)) == USUAL
    (folder / "bluebear.toml").write_text(text)
    assert in_force(loaded(folder)) == LOOSE
    assert [(item.folder, item.current) for item in TrustStore().list()] == [(folder, True)]
    assert TrustStore().remove(folder)
    assert not TrustStore().remove(folder)
    assert in_force(loaded(folder)) == USUAL


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1}', "\udcff"])
def test_a_broken_list_trusts_nobody(folder, tmp_path, text):
    file = tmp_path / "trusted.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    store = TrustStore(file)
    assert not store.holds(folder, b"x")
    store.add(folder, b"x")
    assert store.holds(folder, b"x")
    assert file.stat().st_mode & 0o077 == 0


def test_a_list_that_cannot_be_written_says_so(folder, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        TrustStore(tmp_path / "file" / "trusted.json").add(folder, b"x")


# --- the machine ---


@pytest.fixture
def machine_file(tmp_path):
    def write(text, name="policy.toml"):
        file = tmp_path / name
        file.write_text(text)
        return file

    return write


@pytest.mark.parametrize("wanted", [LOOSE, USUAL, STRICT])
@pytest.mark.parametrize("allowed", [LOOSE, USUAL, STRICT])
def test_the_stricter_of_the_two_holds(folder, machine_file, wanted, allowed):
    machine = read_machine({}, machine_file(f'policy = "{allowed}"'))
    held = effective(loaded(folder, {"BLUEBEAR_POLICY": wanted}), machine)
    order = [LOOSE, USUAL, STRICT]
    assert held.policy.name == order[max(order.index(wanted), order.index(allowed))]
    assert held.tightened == (order.index(allowed) > order.index(wanted))
    assert held.origin == (machine.files[0] if held.tightened else "BLUEBEAR_POLICY")


def test_without_a_file_the_machine_says_nothing(folder, tmp_path):
    assert read_machine({}, tmp_path / "none.toml") == Machine()


def test_the_environment_adds_a_file_and_takes_none_away(machine_file):
    first = machine_file('policy = "locked"\nwrite_to = ["/data", "/b/c"]')
    loose = machine_file(f'policy = "{LOOSE}"\nwrite_to = ["/data/out", "/x/y"]', "more.toml")
    machine = read_machine({ALSO: str(loose)}, first)
    assert machine.policy == STRICT
    assert machine.write_to == ("/data/out",)
    assert machine.files == (str(first), str(loose))
    assert read_machine({ALSO: str(first)}, loose).policy == STRICT
    assert read_machine({ALSO: str(machine_file("", "empty.toml"))}, first).write_to is not None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("policy = ", "cannot be used"),
        ("polcy = 'locked'", "there is no key `polcy`"),
        ("policy = 'open'", "not one of"),
        ("policy = 3", "not one of"),
        ("write_to = '/data'", "no list"),
        ("write_to = ['data']", "no list"),
        ("\udcff", "cannot be used"),
    ],
)
def test_a_machine_file_that_is_not_understood_stops_everything(tmp_path, text, words):
    file = tmp_path / "policy.toml"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError, match=words) as error:
        read_machine({}, file)
    assert str(file) in error.value.message
    with pytest.raises(ConfigError):
        read_machine({ALSO: str(file)}, tmp_path / "none.toml")


def test_a_machine_file_that_cannot_be_read_stops_everything(tmp_path):
    (tmp_path / "policy.toml").mkdir()
    with pytest.raises(ConfigError):
        read_machine({}, tmp_path / "policy.toml")
    with pytest.raises(ConfigError, match="no such file"):
        read_machine({ALSO: str(tmp_path / "gone")}, tmp_path / "none.toml")


def test_where_writes_may_go_is_part_of_the_policy(folder, machine_file):
    machine = read_machine({}, machine_file('write_to = ["/data/out"]'))
    policy = effective(loaded(folder, {"BLUEBEAR_POLICY": LOOSE}), machine).policy
    assert policy.write_to == ("/data/out",)
    assert (
        policy.fingerprint
        != effective(loaded(folder, {"BLUEBEAR_POLICY": LOOSE}), Machine()).policy.fingerprint
    )
