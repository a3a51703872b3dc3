"""A backend that exists but has no settings yet: says what it needs, runs nothing."""

from __future__ import annotations

from dataclasses import dataclass

from bluebear_magic.errors import NotConfigured
from bluebear_magic.protocols import BackendStatus, Estimate, Reporter
from bluebear_magic.runner.envelope import Job, Outcome


@dataclass(frozen=True)
class UnconfiguredBackend:
    """Stands in the picker for a cloud backend; ``needs`` says what it takes to have it."""

    name: str
    title: str
    needs: str

    def status(self) -> BackendStatus:
        """Always ``not configured``."""
        return BackendStatus("not configured", self.needs)

    def warm(self) -> None:
        """There is nothing to start."""

    def estimate(self, job: Job) -> Estimate:
        """Raises ``NotConfigured``."""
        raise self._error()

    def run(self, job: Job, reporter: Reporter) -> Outcome:
        """Raises ``NotConfigured``."""
        raise self._error()

    def close(self) -> None:
        """Holds nothing."""

    def _error(self) -> NotConfigured:
        return NotConfigured(f"{self.title} is not configured", self.needs)
