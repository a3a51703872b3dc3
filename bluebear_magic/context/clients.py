"""Requests to AWS for data, by clients for the region that the settings name now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from bluebear_magic.aws_errors import Call, failures
from bluebear_magic.aws_storage import StorageError, storage_error
from bluebear_magic.errors import ConfigError

if TYPE_CHECKING:
    from bluebear_magic.aws import Aws
    from bluebear_magic.config import Settings

T = TypeVar("T")

READ_SECONDS = 30.0  # of silence in an answer


class Clients:
    """``settings``: those of the session, which may change."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._by_region: dict[str, Aws] = {}

    def ask(self, call: Call, request: Callable[[Any], T]) -> T:
        """What ``request`` gives, which is handed the client of the call's service.

        Raises StorageError, in the words of the call. Credentials that were refused are looked
        for anew when something is asked next: somebody may have renewed them.
        """
        aws = self._aws()
        try:
            return request(aws.client(call.service))
        except ConfigError as error:
            raise StorageError(error.message, error.hint) from error
        except failures() as error:
            told = storage_error(error, replace(call, seconds=aws.read_seconds))
            if told.refused:
                aws.forget()
            raise told from error

    @property
    def region(self) -> str:
        """The region that is asked; empty where none is set. Raises StorageError."""
        try:
            return self._aws().region
        except ConfigError as error:
            raise StorageError(error.message, error.hint) from error

    def _aws(self) -> Aws:
        from bluebear_magic.aws import Aws

        region = str(self._settings.aws_region)
        if region not in self._by_region:
            self._by_region[region] = Aws(region, read_seconds=READ_SECONDS)
        return self._by_region[region]
