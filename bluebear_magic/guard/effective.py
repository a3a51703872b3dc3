"""The policy in force: what the user set, and never looser than what the machine allows."""

from __future__ import annotations

from dataclasses import dataclass

from bluebear_magic.config import Settings
from bluebear_magic.guard.policy import Policy, preset
from bluebear_magic.machine import Machine
from bluebear_magic.vocabulary import PRESETS


@dataclass(frozen=True)
class Effective:
    """``policy`` holds; ``wanted`` was asked for by ``source``, below what ``machine`` says."""

    policy: Policy
    wanted: str
    source: str
    machine: Machine

    @property
    def tightened(self) -> bool:
        """Whether the machine's policy is stricter than what was asked for."""
        return self.policy.name != self.wanted

    @property
    def origin(self) -> str:
        """Where the policy in force comes from."""
        return " and ".join(self.machine.files) if self.tightened else self.source


def effective(settings: Settings, machine: Machine) -> Effective:
    """The policy of a session with these settings on this machine."""
    wanted = PRESETS[-1] if settings.locked else str(settings.policy)
    return named(wanted, settings.policy_source, machine)


def named(wanted: str, source: str, machine: Machine) -> Effective:
    """The policy of that name, as far as this machine allows it. KeyError for no preset."""
    policy = preset(machine.clamp(wanted), machine.write_to)
    return Effective(policy, wanted, source, machine)
