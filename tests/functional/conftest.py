"""One warm local Spark for all functional tests, as one notebook would have it."""

import signal
import time

import pytest

from bluebear_magic.backends.local import LocalBackend
from bluebear_magic.runner.session import WarmSession
from bluebear_magic.testing import RecordingReporter
from tests.aws.storage import clients, cloud, glue, moto, no_aws, s3, stub  # noqa: F401 - fixtures


@pytest.fixture(scope="session", autouse=True)
def _folders_of_their_own(tmp_path_factory):
    """Nothing is read from or left in the home of whoever runs the tests."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(home / "cache"))
        patch.setenv("XDG_DATA_HOME", str(home / "data"))
        patch.setenv("XDG_CONFIG_HOME", str(home / "config"))
        patch.setenv("XDG_STATE_HOME", str(home / "state"))
        patch.setenv("HOME", str(home))
        yield


@pytest.fixture(scope="session")
def local():
    backend = LocalBackend(heap_mb=1024)
    yield backend
    backend.close()


@pytest.fixture(scope="session")
def session(tmp_path_factory):
    """A worker's Spark in this process, so that rows can be compared as values; one for all,
    since pyspark keeps a process to one JVM.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        handler = signal.getsignal(signal.SIGINT)
        warm = WarmSession(tmp_path_factory.mktemp("spark"), heap_mb=1024)
        signal.signal(signal.SIGINT, handler)  # pyspark's own would call a JVM that is gone
        yield warm
        warm.close()
    time.tzset()


@pytest.fixture
def reporter():
    return RecordingReporter()
