"""The only place that makes clients of AWS, and that waits where AWS asks for it.

boto3 loads on first use. Credentials come by its default chain: nothing here reads or keeps a key.
"""

from __future__ import annotations

import functools
import os
import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

from bluebear_magic.aws_errors import PASSING, Call, diagnose, failures
from bluebear_magic.errors import ConfigError
from bluebear_magic.version import __version__

T = TypeVar("T")

_TOLD = frozenset({"bedrock-runtime"})  # services that are asked through ``patiently``
_LONGEST_WAIT = 30.0  # seconds
STREAMS = 16  # requests to one service at a time


class Aws:
    """Clients by service name, made on first use and kept.

    ``region`` empty: that of ``AWS_REGION``, as for every other tool of AWS, else boto3's own
    choice, which knows only ``AWS_DEFAULT_REGION`` and the profile. ``read_seconds``: the longest
    silence in an answer, ``connect_seconds``: the longest wait for a connection.
    ``session``: a boto3 session to use in place of a new one.
    """

    def __init__(
        self,
        region: str = "",
        *,
        connect_seconds: float = 10.0,
        read_seconds: float = 180.0,
        session: Any = None,
    ) -> None:
        self._asked_region = region or os.environ.get("AWS_REGION", "")
        self.connect_seconds = connect_seconds
        self.read_seconds = read_seconds
        self._session = session
        self._core: Any = None  # botocore's session below one that was made here
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """boto3's client.

        Raises ``ConfigError`` where boto3 is missing, or there is no region.
        """
        if service not in self._clients:
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError

            # adaptive holds requests back unseen: where ``patiently`` tells of each wait, once
            alone = service in _TOLD
            config = Config(
                connect_timeout=self.connect_seconds,
                read_timeout=self.read_seconds,
                retries={
                    "mode": "standard" if alone else "adaptive",
                    "total_max_attempts": 1 if alone else 3,
                },
                user_agent_extra=f"bluebear-magic/{__version__}",
                max_pool_connections=STREAMS + 2,  # the main thread's too
                tcp_keepalive=True,
            )
            try:
                client = self.session.client(
                    service, region_name=self._asked_region or None, config=config
                )
            except BotoCoreError as error:
                raise diagnose(error, Call(service, self.region)).error(ConfigError) from error
            self._clients[service] = client
        return self._clients[service]

    @property
    def session(self) -> Any:
        """The boto3 session."""
        if self._session is None:
            try:
                import boto3
            except ImportError as error:
                raise ConfigError("boto3 is not installed", "run: pip install boto3") from error
            import botocore.session
            from botocore.exceptions import BotoCoreError

            try:
                self._core = botocore.session.get_session()
                self._session = boto3.Session(botocore_session=self._core)
            except BotoCoreError as error:
                raise diagnose(error, Call("AWS", "")).error(ConfigError) from error
        return self._session

    @property
    def region(self) -> str:
        """The region that is asked; empty where none is set."""
        return self._asked_region or self.session.region_name or ""

    def has(self, service: str, operation: str) -> bool:
        """Whether the installed boto3 knows the operation, by its name in Python."""
        return hasattr(self.client(service), operation)

    def member(self, service: str, operation: str, *path: str) -> bool:
        """Whether the installed boto3 lets a request hold what is at ``path`` (``ConverseStream``,
        ``system``, ``cachePoint``); lists are stepped into.
        """
        model = self._described(service)
        if operation not in model.operation_names:
            return False
        shape = model.operation_model(operation).input_shape
        for name in path:
            while shape.type_name == "list":
                shape = shape.member
            if name not in getattr(shape, "members", {}):
                return False
            shape = shape.members[name]
        return True

    def _described(self, service: str) -> Any:
        """What boto3 knows of a service; that needs neither a region nor credentials."""
        if service in self._clients:
            return self._clients[service].meta.service_model
        _ = self.session  # says so where boto3 is missing
        # reading a description takes as long as a short request: a client reuses its session's
        return self._core.get_service_model(service) if self._core else _installed(service)

    def forget(self) -> None:
        """Lets go of clients and credentials, so that the next call reads them anew."""
        for client in self._clients.values():
            client.close()
        self._clients, self._session, self._core = {}, None, None


@functools.cache
def _installed(service: str) -> Any:
    """The description of a service that comes with the installed botocore."""
    import botocore.session

    return botocore.session.get_session().get_service_model(service)


def patiently(
    ask: Callable[[], T],
    call: Call,
    on_wait: Callable[[str], None],
    *,
    attempts: int = 6,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """What ``ask`` gives, asked again where waiting helps; each wait is told to ``on_wait``.

    Waits double from about a second; what the service asks for (``Retry-After``) is kept.
    Raises the last error.
    """
    for number in range(1, attempts + 1):
        try:
            return ask()
        except failures() as error:
            trouble = diagnose(error, call)
            if trouble.reason not in PASSING or number == attempts:
                raise
            seconds = max(_wait(number), trouble.retry_after)
            on_wait(
                f"{trouble.message}; trying again in {seconds:.0f} s ({number + 1} of {attempts})"
            )
            sleep(seconds)
    raise AssertionError("not reached")


def _wait(number: int) -> float:
    """Seconds before the next try: about 1, 2, 4, ..., never in step with other clients."""
    return min(_LONGEST_WAIT, 2.0 ** (number - 1)) * random.uniform(0.7, 1.3)  # noqa: S311 - no secret
