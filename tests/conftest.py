"""What every test needs, whatever started the tests."""

import os
import signal

import pytest

from bluebear_magic.folders import writable

# A shell that starts something in the background lets it ignore interrupts, and so would
# every process that the tests start: some of them are interrupted on purpose.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Making it takes a core for half a minute; the tests of the archive ask for it.
os.environ["BLUEBEAR_CLASS_ARCHIVE"] = "false"


@pytest.fixture(scope="session", autouse=True)
def _folders_of_their_own(tmp_path_factory):
    """Nothing is read from or left in the home of whoever runs the tests."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CACHE", "DATA", "CONFIG", "STATE"):
            patch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
        yield


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """A cache folder for this test alone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    writable.cache_clear()
    yield
    writable.cache_clear()
