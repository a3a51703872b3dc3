"""One warm local Spark for all functional tests, as one notebook would have it."""

import pytest

from bluebear_magic.backends.local import LocalBackend
from bluebear_magic.testing import RecordingReporter


@pytest.fixture(scope="session", autouse=True)
def _folders_of_their_own(tmp_path_factory):
    """Nothing is read from or left in the home of whoever runs the tests."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(home / "cache"))
        patch.setenv("XDG_DATA_HOME", str(home / "data"))
        patch.setenv("XDG_CONFIG_HOME", str(home / "config"))
        patch.setenv("HOME", str(home))
        yield


@pytest.fixture(scope="session")
def local():
    backend = LocalBackend(heap_mb=1024)
    yield backend
    backend.close()


@pytest.fixture
def reporter():
    return RecordingReporter()
